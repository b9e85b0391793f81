import { AuthError } from '../errors.js'
import { redactMembers } from '../redact.js'
import type { ErrcodeMeanings } from './errcodes.js'
import { type Reply, unavailable } from './http-client.js'
import { parseJson } from './parse-json.js'

/** What WeChat answered, named as in its documentation. When printed or serialised, secrets in it are `[redacted]`. */
export type WeChatAnswer = Readonly<Record<string, unknown>>

// Members of WeChat's answers that identify a person or grant access.
const secretNames = [
  'session_key',
  'access_token',
  'openid',
  'unionid',
  'openpid',
  'phone_info',
  'key_info_list',
  // Some repeat the openid in it, or the whole body.
  'errmsg',
]

/** WeChat, or something in front of it, answered with something that is not an answer to any call. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

/** Returns the answer if it is a success, and throws for everything else. */
export async function readAnswer(
  { status, text }: Reply,
  meanings: ErrcodeMeanings,
): Promise<WeChatAnswer> {
  if (status !== 200) throw unavailable(`WeChat answered with HTTP status ${status}`)
  if (text === undefined) throw new Unreadable('WeChat answered with more than may be read')
  const answer = redactMembers(readObject(text), secretNames)
  const errcode = errcodeOf(answer)
  if (errcode === 0 || meanings.succeededBefore?.includes(errcode)) return answer
  // Half of it is sentences, and a backend may run for long without one.
  const { meaningOf } = await import('./errcodes.js')
  const { code, hint, retryAfterSeconds } = meaningOf(errcode, meanings)
  const rid = ridOf(answer)
  throw new AuthError(code, hint, {
    errcode,
    ...(rid !== undefined && { rid }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
}

// WeChat serves JSON as text/plain, so the content type says nothing.
function readObject(text: string): Record<string, unknown> {
  const answer = parseJson(text)
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw new Unreadable('WeChat answered with something that is not a JSON object')
  }
  return answer as Record<string, unknown>
}

function errcodeOf({ errcode = 0 }: WeChatAnswer): number {
  const number = typeof errcode === 'string' && errcode !== '' ? Number(errcode) : errcode
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
    throw unavailable('WeChat answered with an errcode that is not a number')
  }
  return number
}

function ridOf({ errmsg }: WeChatAnswer): string | undefined {
  return typeof errmsg === 'string'
    ? /rid: ([0-9a-f]+(?:-[0-9a-f]+)*)/.exec(errmsg)?.[1]
    : undefined
}

/** Whether this can be an identifier or a key of WeChat's: not empty, not too long, and itself when it is read back. */
export const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 256 && !/\p{Cs}/u.test(value)
