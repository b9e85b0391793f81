import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { AuthError } from '../errors.js'
import { readAtMost } from '../read-at-most.js'
import { isText } from './answer.js'
import { parseJson } from './parse-json.js'
import type {
  PaymentPushOptions,
  PaymentPushRequest,
  PushMessage,
  PushResponse,
} from './virtual-payment.js'
import { readXml, writeXml } from './xml.js'

const maxBytes = 64 * 1024
const blockBytes = 32
const ivBytes = 16

/** A message of WeChat's, whose sender is known; whether its content is as well, `isAuthentic` says. */
export interface Push {
  readonly message: PushMessage
  /** It was encrypted, with a signature over it. The signature of a plain one covers nothing of its content. */
  readonly isAuthentic: boolean
  answer(fields: Readonly<Record<string, string | number>>): PushResponse
}

interface PushSettings extends Pick<PaymentPushOptions, 'token' | 'encodingAesKey'> {
  readonly appId: string
  readonly now: () => number
}

/**
 * Reads a message push (消息推送), or answers the console's check of the address. Throws `invalid_request`.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
 */
export async function readPush(
  request: PaymentPushRequest,
  { token, encodingAesKey, appId, now }: PushSettings,
): Promise<Push | PushResponse> {
  if (!isText(token)) throw new TypeError('token must be the Token of the message push')
  const key = encodingAesKey === undefined ? undefined : keyOf(encodingAesKey)
  const query = new URLSearchParams(/\?([^#]*)/.exec(request.url ?? '')?.[1])
  const [timestamp = '', nonce = ''] = ['timestamp', 'nonce'].map((name) => query.get(name) ?? '')
  const isSigned = (given: string | null, ...parts: readonly string[]) =>
    isSame(given, sign(token, timestamp, nonce, ...parts))

  if (request.method?.toUpperCase() === 'GET') {
    const echo = query.get('echostr') ?? ''
    if (!isSigned(query.get('signature'))) throw wrongToken()
    if (!/^[\w-]{1,128}$/.test(echo)) throw malformed()
    return respond(echo, 'text/plain')
  }

  const { fields, isXml } = await readBody(request)
  const { Encrypt: encrypted } = fields
  const write = (answer: Readonly<Record<string, string | number>>) =>
    isXml ? writeXml(answer) : JSON.stringify(answer)
  const contentType = isXml ? 'text/xml; charset=utf-8' : 'application/json'

  if (!key) {
    if (!isSigned(query.get('signature'))) throw wrongToken()
    if (encrypted !== undefined && fields.MsgType === undefined) {
      throw refused('The push is encrypted; set encodingAesKey as in the console', 'malformed')
    }
    const answer: Push['answer'] = (given) => respond(write(given), contentType)
    return { message: fields, isAuthentic: false, answer }
  }

  if (typeof encrypted !== 'string') {
    throw refused(
      'The push is not encrypted, and encodingAesKey is set; choose 安全模式 in the console',
      'not_encrypted',
    )
  }
  if (!isSigned(query.get('msg_signature'), encrypted)) throw wrongToken()
  return {
    message: readFields(decrypt(key, encrypted, appId)).fields,
    isAuthentic: true,
    answer(given) {
      const [at, salt] = [Math.floor(now() / 1000), randomBytes(8).toString('hex')]
      const box = encrypt(key, write(given), appId)
      const signature = sign(token, `${at}`, salt, box)
      const sealed = { Encrypt: box, MsgSignature: signature, TimeStamp: at, Nonce: salt }
      return respond(write(sealed), contentType)
    },
  }
}

export function respond(body: string, contentType: string): PushResponse {
  const headers = { 'content-type': contentType, 'x-content-type-options': 'nosniff' }
  return { status: 200, headers, body }
}

/** What a body parser has made of the body, or what it left alone. */
async function readBody(request: PaymentPushRequest) {
  const { body } = request
  if (typeof body === 'string') return readFields(body)
  if (body instanceof Uint8Array) return readFields(new TextDecoder().decode(body))
  if (isStream(body)) return readFields(await readStream(body))
  const isParsed = typeof body === 'object' && body !== null && Object.keys(body).length > 0
  if (isParsed) return { fields: { ...body } as PushMessage, isXml: false }
  // A parser that does not know the type leaves the stream as it is.
  return readFields(isStream(request) ? await readStream(request) : '')
}

type Stream = AsyncIterable<Uint8Array | string>

const isStream = (value: unknown): value is Stream =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

async function readStream(stream: Stream): Promise<string> {
  const bytes = await readAtMost(stream[Symbol.asyncIterator](), maxBytes)
  if (!bytes) throw malformed()
  return new TextDecoder().decode(bytes)
}

function readFields(text: string): { fields: PushMessage; isXml: boolean } {
  if (text.length > maxBytes) throw malformed()
  const isXml = text.trimStart().startsWith('<')
  const value = isXml ? readXml(text) : parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed()
  return { fields: value as PushMessage, isXml }
}

function sign(...parts: readonly string[]): string {
  return createHash('sha1')
    .update([...parts].sort().join(''))
    .digest('hex')
}

export function isSame(given: unknown, expected: string): boolean {
  if (typeof given !== 'string' || given.length !== expected.length) return false
  const bytes = Buffer.from(given.toLowerCase())
  return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected))
}

function keyOf(encodingAesKey: string): Buffer {
  if (typeof encodingAesKey !== 'string' || !/^[A-Za-z0-9+/]{43}$/.test(encodingAesKey)) {
    throw new TypeError('encodingAesKey must be the 43 letters and digits of the console')
  }
  return Buffer.from(`${encodingAesKey}=`, 'base64')
}

/** 16 random bytes, the length of the message, the message, and the AppID that it is for. */
function decrypt(key: Buffer, encrypted: string, appId: string): string {
  let whole: Buffer
  try {
    const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, ivBytes))
    decipher.setAutoPadding(false)
    whole = Buffer.concat([decipher.update(encrypted, 'base64'), decipher.final()])
  } catch {
    throw wrongKey()
  }
  const padding = whole.at(-1) ?? 0
  if (padding < 1 || padding > blockBytes || whole.length < ivBytes + 4 + padding) throw wrongKey()
  const content = whole.subarray(ivBytes, whole.length - padding)
  const length = content.readUInt32BE(0)
  if (length > content.length - 4) throw wrongKey()
  const receiver = content.subarray(4 + length).toString()
  if (receiver !== appId) {
    throw refused('The push is for another mini program than this one', 'appid')
  }
  return content.subarray(4, 4 + length).toString()
}

function encrypt(key: Buffer, message: string, appId: string): string {
  const text = Buffer.from(message)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const whole = Buffer.concat([randomBytes(ivBytes), length, text, Buffer.from(appId)])
  const padding = blockBytes - (whole.length % blockBytes)
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, ivBytes))
  cipher.setAutoPadding(false)
  const blocks = [cipher.update(whole), cipher.update(Buffer.alloc(padding, padding))]
  return Buffer.concat([...blocks, cipher.final()]).toString('base64')
}

export function refused(message: string, reason: string): AuthError {
  return new AuthError('invalid_request', message, { reason })
}

export function malformed(): AuthError {
  return refused(
    'The push cannot be read: it is no JSON and no XML of WeChat, too large, or something has read its body before; mount the route before the parsers of bodies',
    'malformed',
  )
}

function wrongToken(): AuthError {
  return refused(
    'The signature of the push is wrong; compare token with the Token in the console, and keep the query of the address',
    'signature',
  )
}

function wrongKey(): AuthError {
  return refused(
    'The push cannot be decrypted; compare encodingAesKey with that in the console',
    'malformed',
  )
}
