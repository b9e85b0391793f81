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
 * | `signed_out` | signed out by `logout()` or by the server, or nobody has logged in yet, see `reason`, until `login()` is called |
 * | `user_changed` | a different user is logged in than when the request was made, so it is not sent |
 * | `single_page` | single-page mode (opened from Moments) has no login |
 * | `mock_code` | DevTools runs without a real AppID, so `wx.login` gives a code that nobody can exchange |
 * | `denied` | WeChat does not allow the call: the privacy agreement is not accepted, or a permission is missing |
 * | `phone_denied` | the user shared no phone number; `reason` is `privacy` without the privacy agreement |
 * | `phone_quota` | the mini program's paid quota of phone numbers is used up |
 * | `payment_cancelled` | the user closed the payment: the order stays open |
 * | `payment_refused` | WeChat refused the payment, and nothing was paid; `cause.errCode` says why |
 * | `payment_failed` | WeChat did not say how the payment ended: ask the server for the order before another one |
 * | `config` | the client is used in a way that cannot work here; the message says what to do |
 *
 * and the server's own, from answers with `error` and `error_description`: see {@link WireErrorCode}. An answer of your
 * own API in this shape brings a code of its own.
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
  | 'denied'
  | 'phone_denied'
  | 'phone_quota'
  | 'payment_cancelled'
  | 'payment_refused'
  | 'payment_failed'
  | 'config'
  | WireErrorCode
  | (string & Record<never, never>)

/** What was called when it went wrong. */
export interface Place {
  readonly method?: string
  readonly url?: string
  readonly requestId?: string
}

/**
 * The one error class of this entry; `switch (error.code)` is its API. Each entry has a class of its own for
 * `instanceof`, so import from one entry only.
 * `message` tells a developer what to do and is never for end users. `JSON.stringify` gives nothing but the message.
 */
export class ClientError extends Error {
  declare readonly code: ClientErrorCode
  /** The method of the request, or `wx.login`. */
  readonly method?: string
  /** Without its query. */
  readonly url?: string
  /** The HTTP status, when there was an answer. */
  readonly statusCode?: number
  /** The body of the answer, unless it came from a login route: that may hold a secret. */
  readonly data?: unknown
  /** The header of the answer, likewise. */
  readonly header?: object
  /**
   * Why the server refused: of `invalid_grant`, or the backend's own of `access_denied`. Of `signed_out` why nobody is
   * logged in: `logout`, `revoked`, the backend's own, or `login_required` if nobody has been so far. `unusable_string`
   * or `unusable_object` says what a login route answered with instead of tokens; `privacy` see `phone_denied`.
   */
  readonly reason?: string
  /** `'attempt'` when `access_denied` is about this login alone, a wrong password for example: the session stays. */
  readonly scope?: 'attempt'
  /** Identifies this failure in the server's events. */
  readonly requestId?: string
  /** When it makes sense to try again. */
  readonly retryAfterSeconds?: number
  /** What `wx` or the app's own function reported. */
  readonly cause?: unknown

  constructor(code: ClientErrorCode, details?: object, description?: unknown) {
    const { reason, cause, statusCode, method, url } = Object(details)
    super(
      `${code}: ${[description || reason || Object(cause).message, statusCode, method, url].join(' ').trim()}`,
    )
    Object.assign(this, { code }, details)
  }

  override get name(): string {
    return 'ClientError'
  }

  toJSON(): string {
    return this.message
  }
}

/** Throws unless it holds. The rule names one option, and says what is allowed. */
export const assertOption = (holds: unknown, rule: string): void => {
  if (!holds) throw new TypeError(rule)
}

/** Whether it is a text that says something. */
export const isText = (text: unknown): text is string => typeof text === 'string' && text !== ''

/** Of what a `wx` call passed to `fail`: WeChat's common error number, or before base library 2.24 only a text. */
const codeOf = (cause: unknown): ClientErrorCode => {
  const { errno, errMsg } = Object(cause)
  const said: string = errno || errMsg
  return /^5$|timeout/.test(said)
    ? 'timeout'
    : /^600002$|domain list/.test(said)
      ? 'domain_not_allowed'
      : /^600003$|interrupted/.test(said)
        ? 'interrupted'
        : /^1(0[34]|12|402101)$|privacy|auth|blocked/.test(said)
          ? 'denied'
          : 'network'
}

/** What failed, unless it is known already: a `wx` call, if there is no `code`. */
export const failureOf = (cause: unknown, place?: Place, code = codeOf(cause)): ClientError =>
  cause instanceof ClientError ? cause : new ClientError(code, Object.assign({ cause }, place))

/**
 * Throws unless the answer is a success. That of a login route, of which nothing is kept, has a member with the name
 * `needed`; it may be empty.
 */
export const check = (
  { statusCode, header, data }: WxResponse,
  place: Place,
  refusal?: string | false,
  needed?: string,
): void => {
  // Without a status there was no answer.
  if (!statusCode) throw failureOf({}, place)
  const body = Object(data)
  const { error, error_description, request_id: requestId = place.requestId } = body
  const retryAfterSeconds = Number(headerOf(header, 'retry-after')) || undefined
  // A gateway may say 200 to a refusal of a login route.
  const isRefused = refusal || statusCode >= 300 || (needed !== undefined && error_description)
  if (isRefused || (needed && !body[needed])) {
    throw new ClientError(
      refusal || (error_description ? error : 'http'),
      Object.assign(
        {},
        place,
        {
          statusCode,
          reason: body.reason || (isRefused ? undefined : `unusable_${typeof data}`),
          scope: body.scope,
          requestId,
          retryAfterSeconds,
        },
        needed === undefined && { header, data },
      ),
      error_description,
    )
  }
}

/** Whether nobody answered, or a gateway that does not say when there will be somebody. */
export const isPassing = ({ code, cause, statusCode, retryAfterSeconds }: ClientError): unknown =>
  // A cause is what `fail` was called with.
  cause ||
  code === 'timeout' ||
  (code === 'http' && !retryAfterSeconds && /^50[234]/.test(String(statusCode)))

/** A header by its lower-case name: platforms differ in case. */
export const headerOf = (header: object, name: string): unknown => {
  for (const key in header) {
    if (key.toLowerCase() === name) return (header as { [key: string]: unknown })[key]
  }
  return undefined
}
