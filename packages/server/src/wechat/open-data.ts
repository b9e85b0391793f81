import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'
import { AuthError } from '../errors.js'
import { redactMembers } from '../redact.js'

const blockBytes = 16

export interface OpenDataInput {
  /** As the mini program got it from WeChat. */
  readonly encryptedData: string
  readonly iv: string
  /** Of the login that the data was encrypted after. */
  readonly sessionKey: string
  /** The mini program that the data must belong to. */
  readonly appId: string
  /** The user that the data must belong to, if it names one. */
  readonly openid?: string
  /** How old the data may be, in seconds (default: any age). */
  readonly maxAgeSeconds?: number
  /** Whether `checkEncryptedData` has said yes to `encryptedData`. Without it no phone number is given. */
  readonly isConfirmed?: boolean
  /** The clock, in milliseconds since the epoch (default `Date.now`). */
  readonly now?: () => number
}

/** Open data as it was read, and whether it is a phone number, which only WeChat can confirm. */
export interface ReadOpenData {
  readonly data: OpenData
  readonly isPhoneNumber: boolean
}

/** The decrypted data, named as WeChat does. When printed or serialised, what identifies a person is `[redacted]`. */
export type OpenData = Readonly<Record<string, unknown>> & {
  readonly watermark: {
    readonly appid: string
    /** When WeChat encrypted it, in seconds since the epoch. */
    readonly timestamp: number
  }
}

export interface RawDataInput {
  /** The exact string that was signed. */
  readonly rawData: string
  readonly signature: string
  readonly sessionKey: string
}

const identifying = ['openId', 'unionId', 'phoneNumber', 'purePhoneNumber']

/** As long as WeChat knows what it has encrypted. */
const confirmableSeconds = 3 * 24 * 60 * 60

/** What WeChat encrypts: the members that each kind always has, and those that it may have. */
const kinds = {
  userInfo: {
    always: ['nickName', 'gender', 'city', 'province', 'country', 'avatarUrl'],
    sometimes: ['openId', 'unionId', 'language'],
  },
  phoneNumber: { always: ['phoneNumber', 'purePhoneNumber', 'countryCode'], sometimes: [] },
  steps: { always: ['stepInfoList'], sometimes: [] },
  group: {
    always: [],
    sometimes: ['openGId', 'opengid', 'open_single_roomid', 'group_openid', 'chat_type'],
  },
  message: { always: ['activityId'], sometimes: [] },
} as const satisfies Readonly<
  Record<string, { always: readonly string[]; sometimes: readonly string[] }>
>

/**
 * Decrypts open data (AES-128-CBC, the `session_key` decoded). Throws `stale_session_key` when the key does not fit,
 * which a new login by code mends, and `invalid_request` when the data is malformed, or, with a `reason`, not the JSON of
 * open data (`unreadable`), of another mini program (`watermark_appid`), of another user (`openid`), too old
 * (`watermark_age`), or changed by its sender: it lacks members of its kind or has those of another (`shape`), or is a
 * phone number that WeChat has not confirmed (`unconfirmed`).
 *
 * WeChat does not sign what it encrypts, so whoever sends open data of their own can cut it and choose how the rest
 * begins. What is given here is of the named mini program, user and time; for a phone number, and for nothing else, WeChat
 * vouches as well. What has to be true of other data is not taken from here: a unionid comes with the login, and
 * {@link verifyRawData} knows a nickname.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
 *
 * @example
 * const isConfirmed = await wechat.checkEncryptedData(encryptedData)
 * const { phoneNumber } = decryptOpenData({ encryptedData, iv, sessionKey, appId, isConfirmed })
 */
export function decryptOpenData({ isConfirmed = false, ...input }: OpenDataInput): OpenData {
  const { data, isPhoneNumber } = readOpenData(input)
  if (isPhoneNumber && isConfirmed !== true) throw unconfirmed()
  return data
}

/** Open data whose phone number, if it is one, is still to be confirmed. */
export function readOpenData({
  encryptedData,
  iv,
  sessionKey,
  appId,
  openid,
  maxAgeSeconds = Number.POSITIVE_INFINITY,
  now = Date.now,
}: OpenDataInput): ReadOpenData {
  // With NaN no data would ever be too old.
  if (!(maxAgeSeconds > 0))
    throw new TypeError('maxAgeSeconds must be a positive number of seconds')
  const key = bytesOf(sessionKey)
  if (key?.length !== blockBytes) throw new TypeError('sessionKey must be 16 bytes in base64')
  const data = read(decrypt(key, bytesOf(iv), bytesOf(encryptedData)))

  const { appid, timestamp } = data.watermark
  if (appid !== appId) {
    throw refused('The open data belongs to another mini program', 'watermark_appid')
  }
  const isPhoneNumber = kindOf(data) === 'phoneNumber'
  if (openid !== undefined && data.openId !== undefined && data.openId !== openid) {
    throw refused('The open data belongs to another user', 'openid')
  }
  const allowedSeconds = isPhoneNumber ? Math.min(maxAgeSeconds, confirmableSeconds) : maxAgeSeconds
  if (now() / 1000 - timestamp > allowedSeconds) {
    throw refused('The open data is too old; get it from WeChat again', 'watermark_age')
  }
  return { data, isPhoneNumber }
}

/**
 * Which of the kinds it is, whole and unmixed; `undefined` for one that is not known here. Members that no kind has may
 * come with any of them: WeChat adds some now and then.
 */
function kindOf(data: OpenData): keyof typeof kinds | undefined {
  const has = (name: string) => Object.hasOwn(data, name)
  const found = (Object.keys(kinds) as (keyof typeof kinds)[]).filter((kind) =>
    [...kinds[kind].always, ...kinds[kind].sometimes].some(has),
  )
  const [kind, ...others] = found
  if (kind === undefined) return undefined
  // WeChat names a unionid only beside the openid: cut off from it, it may be anybody's.
  const isWhole = kinds[kind].always.every(has) && (has('openId') || !has('unionId'))
  if (others.length > 0 || !isWhole) {
    throw refused('The open data is not what WeChat encrypts; its sender has changed it', 'shape')
  }
  return kind
}

/**
 * Whether WeChat signed this `rawData` (SHA-1 with the `session_key` as it is written).
 * https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
 */
export function verifyRawData({ rawData, signature, sessionKey }: RawDataInput): boolean {
  if (typeof signature !== 'string' || !/^[0-9a-f]{40}$/i.test(signature)) return false
  if (typeof rawData !== 'string') return false
  const expected = createHash('sha1').update(rawData).update(sessionKey).digest()
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'))
}

/**
 * The text that comes out. What makes none is stale, be it the padding or, for the one wrong key in 256 that leaves a good
 * padding, the bytes. Both are told in the same way: who could tell a good padding could encrypt anything with it.
 */
function decrypt(key: Buffer, iv: Buffer | undefined, data: Buffer | undefined): string {
  if (iv?.length !== blockBytes || !data || data.length === 0 || data.length % blockBytes !== 0) {
    throw refused('encryptedData and iv must be the base64 from WeChat, unchanged')
  }
  const decipher = createDecipheriv('aes-128-cbc', key, iv)
  try {
    const bytes = Buffer.concat([decipher.update(data), decipher.final()])
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw stale()
  }
}

/** A key that does not fit leaves no text, so what is a text and no open data is somebody's mistake. */
function read(text: string): OpenData {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {}
  if (!isOpenData(data)) {
    throw refused(
      'What was decrypted is not open data: no JSON, or without a watermark',
      'unreadable',
    )
  }
  return redactMembers(data, identifying)
}

function isOpenData(data: unknown): data is OpenData {
  if (typeof data !== 'object' || data === null || !('watermark' in data)) return false
  // A copy by assignment would make its members, which nobody has checked, those of the data.
  if (Object.hasOwn(data, '__proto__')) return false
  const { watermark } = data
  if (typeof watermark !== 'object' || watermark === null) return false
  if (!('appid' in watermark && 'timestamp' in watermark)) return false
  return typeof watermark.appid === 'string' && typeof watermark.timestamp === 'number'
}

export function bytesOf(base64: unknown): Buffer | undefined {
  if (typeof base64 !== 'string' || base64.length % 4 !== 0) return undefined
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined
}

export function unconfirmed(): AuthError {
  return refused(
    'WeChat does not confirm that it has encrypted this phone number; let the user tap the button again',
    'unconfirmed',
  )
}

function refused(message: string, reason?: string): AuthError {
  return new AuthError('invalid_request', message, reason === undefined ? {} : { reason })
}

function stale(): AuthError {
  return new AuthError(
    'stale_session_key',
    'The open data was encrypted with another session_key; log in by code and get the data again',
  )
}
