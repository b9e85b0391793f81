import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { type Answer, type Fields, refusal, succeeded, withFields } from './answers.js'
import type { FakeWeChatApp, FakeWeChatAppChoice, People } from './people.js'
import type { SessionKeys } from './session-keys.js'

const checkableSeconds = 3 * 24 * 3600

export interface FakeWeChatOpenDataOptions extends FakeWeChatAppChoice {
  /** When WeChat encrypted the data, in seconds since the epoch (default now). */
  readonly watermarkAt?: number
}

export interface FakeWeChatEncryptedData {
  /** AES-128-CBC with the session_key, in base64. */
  readonly encryptedData: string
  /** 16 bytes in base64. */
  readonly iv: string
}

export interface FakeWeChatSignedData {
  readonly rawData: string
  /** SHA-1 of the rawData followed by the session_key, in hexadecimal. */
  readonly signature: string
}

/** Open data (开放数据): what the phone gets from `wx.getUserInfo` and similar calls, and `POST /wxa/business/checkencryptedmsg`. */
export interface FakeWeChatOpenData {
  /**
   * Encrypts data as WeChat does, with the session_key that the person has now, and with a `watermark` of the mini
   * program and the time at its end. Data that has a `watermark` keeps it, to prove that a wrong one is refused. Data
   * with a `phoneNumber` is known to `checkencryptedmsg` for 3 days.
   * Throws a `TypeError` while the person has no valid session_key.
   */
  openDataFor(
    person: string,
    data: object,
    options?: FakeWeChatOpenDataOptions,
  ): FakeWeChatEncryptedData
  /**
   * Signs data as WeChat does, with the session_key that the person has now.
   * Throws a `TypeError` while the person has no valid session_key.
   */
  signedDataFor(person: string, data: object, choice?: FakeWeChatAppChoice): FakeWeChatSignedData
}

interface OpenDataOptions {
  readonly people: People
  readonly sessionKeys: SessionKeys
  readonly now: () => number
}

export function createOpenData({ people, sessionKeys, now }: OpenDataOptions) {
  /** When a phone number was encrypted, by AppID and hash. */
  const phoneNumberAt = new Map<string, number>()
  const seconds = () => Math.floor(now() / 1000)

  const methods: FakeWeChatOpenData = {
    openDataFor(person, data, { watermarkAt = seconds(), ...choice } = {}) {
      const user = people.userOf(person, choice)
      const watermark = { timestamp: watermarkAt, appid: user.app.appId }
      const key = Buffer.from(sessionKeys.validKeyOf(user), 'base64')
      const iv = randomBytes(16)
      const cipher = createCipheriv('aes-128-cbc', key, iv)
      const encrypted = Buffer.concat([
        // Last, where WeChat has it: who cuts off the beginning of a ciphertext keeps the watermark.
        cipher.update(JSON.stringify({ ...data, ...(!('watermark' in data) && { watermark }) })),
        cipher.final(),
      ])
      const encryptedData = encrypted.toString('base64')
      if ('phoneNumber' in data) {
        // WeChat does not say whether it hashes the bytes or their base64.
        for (const hashed of [encrypted, encryptedData]) {
          phoneNumberAt.set(`${user.app.appId} ${sha256(hashed)}`, seconds())
        }
      }
      return { encryptedData, iv: iv.toString('base64') }
    },

    signedDataFor(person, data, choice) {
      const rawData = JSON.stringify(data)
      const key = sessionKeys.validKeyOf(people.userOf(person, choice))
      return {
        rawData,
        signature: createHash('sha1').update(`${rawData}${key}`).digest('hex'),
      }
    },
  }

  function checkencryptedmsg({ encrypted_msg_hash: hash }: Fields, app: FakeWeChatApp): Answer {
    if (typeof hash !== 'string' || hash === '') return refusal(40097)
    const createdAt = phoneNumberAt.get(`${app.appId} ${hash.toLowerCase()}`)
    if (createdAt === undefined || createdAt + checkableSeconds <= seconds()) return refusal(1)
    return { ...succeeded, vaild: true, create_time: createdAt }
  }

  return {
    methods,
    endpoints: { 'POST /wxa/business/checkencryptedmsg': withFields(checkencryptedmsg) },
  }
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}
