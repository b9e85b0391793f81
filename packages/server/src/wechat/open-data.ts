import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { AuthError } from '../errors.js'
import { redactMembers } from '../redact.js'

const blockBytes = 16

export interface OpenDataInput {
  /** As the mini program got it from WeChat. */
  readonly encryptedData: string
  readonly iv: string
  /** Of the login that the data was encrypted after. */
  readonly sessionKey: string
  /** The mini program that the data has to be for. */
  readonly appId: string
  /** The user whom the data has to be about, where it says whom it is about. */
  readonly openid?: string
  /** How old the data may be, in seconds (default: any age). */
  readonly maxAgeSeconds?: number
  /** The clock, in milliseconds since the epoch (default `Date.now`). */
  readonly now?: () => number
}

/** What WeChat encrypted, by its names. Printed or serialised, what identifies a person reads `[redacted]`. */
export type OpenData = Readonly<Record<string, unknown>> & {
  readonly watermark: {
    readonly appid: string
    /** When WeChat encrypted it, in seconds since the epoch. */
    readonly timestamp: number
  }
}

export interface RawDataInput {
  /** The text as it was signed, to the last byte. */
  readonly rawData: string
  readonly signature: string
  readonly sessionKey: string
}

const identifying = ['openId', 'unionId', 'phoneNumber', 'purePhoneNumber']

/**
 * Decrypts open data (AES-128-CBC, the `session_key` decoded). Throws `stale_session_key` when the key does not fit,
 * which a new login by code mends, and `invalid_request` when the data is malformed, or, with a `reason`, of another
 * mini program (`watermark_appid`), of another user (`openid`) or too old (`watermark_age`).
 * https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
 */
export function decryptOpenData({
  encryptedData,
  iv,
  sessionKey,
  appId,
  openid,
  maxAgeSeconds = Number.POSITIVE_INFINITY,
  now = Date.now,
}: OpenDataInput): OpenData {
  // No data is older than what is no number.
  if (!(maxAgeSeconds > 0))
    throw new TypeError('maxAgeSeconds must be a positive number of seconds')
  const key = bytesOf(sessionKey)
  if (key?.length !== blockBytes) throw new TypeError('sessionKey must be 16 bytes in base64')
  const data = read(decrypt(key, bytesOf(iv), bytesOf(encryptedData)))

  const { appid, timestamp } = data.watermark
  if (appid !== appId) {
    throw refused('The open data is of another mini program', 'watermark_appid')
  }
  if (openid !== undefined && data.openId !== undefined && data.openId !== openid) {
    throw refused('The open data is about another user', 'openid')
  }
  if (now() / 1000 - timestamp > maxAgeSeconds) {
    throw refused('The open data is too old; get it from WeChat again', 'watermark_age')
  }
  return data
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
 * WeChat's signature of a call about a user's login state: HMAC-SHA256 with the `session_key` as it is written, over
 * the body of the call. In lower-case hexadecimal digits.
 * https://developers.weixin.qq.com/minigame/dev/tutorial/open-ability/http-signature.html
 */
export function signSession(sessionKey: string, body = ''): string {
  return createHmac('sha256', sessionKey).update(body).digest('hex')
}

function decrypt(key: Buffer, iv: Buffer | undefined, data: Buffer | undefined): string {
  if (iv?.length !== blockBytes || !data || data.length === 0 || data.length % blockBytes !== 0) {
    throw refused('encryptedData and iv must be the base64 that WeChat gave, sent on unchanged')
  }
  const decipher = createDecipheriv('aes-128-cbc', key, iv)
  try {
    return decipher.update(data, undefined, 'utf8') + decipher.final('utf8')
  } catch {
    throw stale()
  }
}

/** About one wrong key in 256 leaves a good padding, so what comes out is looked at; all of it fails in one way. */
function read(text: string): OpenData {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {}
  if (!isOpenData(data)) throw stale()
  return redactMembers(data, identifying)
}

function isOpenData(data: unknown): data is OpenData {
  if (typeof data !== 'object' || data === null || !('watermark' in data)) return false
  const { watermark } = data
  if (typeof watermark !== 'object' || watermark === null) return false
  if (!('appid' in watermark && 'timestamp' in watermark)) return false
  return typeof watermark.appid === 'string' && typeof watermark.timestamp === 'number'
}

function bytesOf(base64: unknown): Buffer | undefined {
  if (typeof base64 !== 'string' || base64.length % 4 !== 0) return undefined
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined
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
