import type { WireErrorCode } from '@wxlogin/shared'
import type { WxResponse } from './wx.js'

/**
 * What went wrong.
 *
 * | code | meaning |
 * | --- | --- |
 * | `network` | no answer: no connection, or WeChat could not send |
 * | `timeout` | no answer within the deadline |
 * | `interrupted` | WeChat stopped it because the mini program is in the background |
 * | `aborted` | `abort()` was called |
 * | `domain_not_allowed` | the host is not in the mini program's list of request domains |
 * | `http` | an answer with a status that is not 2xx, or from a login route an answer of another shape |
 * | `business` | `unwrap` threw |
 * | `signed_out` | signed out by `logout()` or by the server, see `reason`, until `login()` is called |
 * | `user_changed` | a different user is logged in than when the request was made, so it is not sent |
 * | `single_page` | single-page mode (opened from Moments) has no login |
 * | `mock_code` | DevTools runs without a real AppID, so `wx.login` gives a code that nobody can exchange |
 * | `phone_denied` | the user shared no phone number, or WeChat does not allow this user to |
 * | `phone_quota` | the mini program's paid quota of phone numbers is used up |
 * | `config` | the client is used in a way that cannot work here; the message says what to do |
 *
 * and the server's own, from answers with `error` and `error_description`: see {@link WireErrorCode}.
 */
export type ClientErrorCode =
  | 'network'
  | 'timeout'
  | 'interrupted'
  | 'aborted'
  | 'domain_not_allowed'
  | 'http'
  | 'business'
  | 'signed_out'
  | 'user_changed'
  | 'single_page'
  | 'mock_code'
  | 'phone_denied'
  | 'phone_quota'
  | 'config'
  | WireErrorCode

const advice: { readonly [code in ClientErrorCode]?: string } = {
  domain_not_allowed: 'add to 合法域名',
  mock_code: 'set appid in project.config.json',
}

/**
 * The one error class of this entry; `switch (error.code)` is its API. Each entry has a class of its own for
 * `instanceof`, so import from one entry only.
 * `message` tells a developer what to do and is never for end users. `JSON.stringify` gives nothing but the message.
 */
export class ClientError extends Error {
  declare readonly code: ClientErrorCode
  /** The HTTP status, when there was an answer. */
  readonly statusCode?: number
  /** The body of the answer. */
  readonly data?: unknown
  /** The header of the answer. */
  readonly header?: object
  /** Why the server refused: of `invalid_grant`, or the backend's own of `access_denied`. */
  readonly reason?: string
  /** Identifies this failure in the server's events. */
  readonly requestId?: string
  /** When it makes sense to try again. */
  readonly retryAfterSeconds?: number
  /** What `wx` or the app's own function reported. */
  readonly cause?: unknown

  constructor(code: ClientErrorCode, details?: object, description?: unknown) {
    super(`${code}: ${description || advice[code] || 'see README'}`)
    Object.assign(this, { code }, details)
  }

  toJSON(): string {
    return this.message
  }
}

/** Throws unless it holds. The rule names one option, and says what is allowed. */
export const assertOption = (holds: unknown, rule: string): void => {
  if (!holds) throw new TypeError(rule)
}

/** What a `wx` call passed to `fail`: WeChat's common error number, or before base library 2.24 only a text. */
export const failureOf = (cause: unknown): ClientError => {
  const { errno, errMsg } = Object(cause)
  const said: string = errno || errMsg
  if (cause instanceof ClientError) return cause
  return new ClientError(
    /^5$|timeout/.test(said)
      ? 'timeout'
      : /^600002$|domain list/.test(said)
        ? 'domain_not_allowed'
        : /^600003$|interrupted/.test(said)
          ? 'interrupted'
          : 'network',
    { cause },
  )
}

/** Throws unless the answer is a success. */
export const check = ({ statusCode, header, data }: WxResponse, isTokenRefused?: boolean): void => {
  const { error, error_description, reason, request_id: requestId } = Object(data)
  const retryAfterSeconds = Number(headerOf(header, 'retry-after')) || undefined
  if (isTokenRefused || statusCode >= 300) {
    throw new ClientError(
      isTokenRefused ? 'invalid_token' : error_description ? error : 'http',
      { statusCode, header, data, reason, requestId, retryAfterSeconds },
      error_description || statusCode,
    )
  }
}

/** A header by its lower-case name: platforms differ in case. */
export const headerOf = (header: object, name: string): unknown => {
  for (const key in header) {
    if (key.toLowerCase() === name) return (header as { [key: string]: unknown })[key]
  }
  return undefined
}
