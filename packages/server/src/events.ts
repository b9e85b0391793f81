import type { InvalidGrantReason } from '@wxlogin/shared'
import type { AuthErrorCode } from './errors.js'
import { checkFunctions } from './option-checks.js'
import type { LoginMethod } from './session.js'

/**
 * Everything that happens, for metrics, logs and tracing. A closed union: `switch (event.type)`.
 * No event holds a secret, a code, a token, a `session_key`, an openid or a phone number; session ids are not secret.
 * `userId` is the app's own id of the user. An event with a duration says when it began, as `now` gave it.
 */
export type AuthEvent =
  | LoginEvent
  | RefreshEvent
  | RevokedEvent
  | LogoutEvent
  | PhoneEvent
  | EvictedEvent
  | WeChatEvent
  | MisconfiguredEvent
  | BreakerEvent
  | WarningEvent
  | FailureEvent

/** A login made a session, or was answered again from the session it had already made. */
export interface LoginEvent {
  readonly type: 'login'
  /** What proved the account, the same as the `method` of the session's record. */
  readonly by: LoginMethod
  /** `retried`: the same request again · `code_reused`: the code came with another key, so its session was ended. */
  readonly outcome: 'created' | 'retried' | 'code_reused'
  readonly appId: string
  readonly sessionId: string
  readonly userId: string
  /** In milliseconds since the epoch. */
  readonly startedMs: number
  readonly durationMs: number
}

/** A refresh token of ours was presented. */
export interface RefreshEvent {
  readonly type: 'refresh'
  /**
   * `rotated`: a new generation · `retried`: the same request again · `healed`: the store had lost writes and
   * followed the token · `reused`: a token was used twice, so the session was ended · `refused`: it had ended before.
   */
  readonly outcome: 'rotated' | 'retried' | 'healed' | 'reused' | 'refused'
  /** Why it was refused. */
  readonly reason?: InvalidGrantReason
  readonly appId: string
  readonly sessionId: string
  /** Missing where the session is not known any more. */
  readonly userId?: string
  /** In milliseconds since the epoch. */
  readonly startedMs: number
  readonly durationMs: number
}

/** A session was ended by the app or by this library, and its device will be told so. */
export interface RevokedEvent {
  readonly type: 'revoked'
  readonly appId: string
  readonly sessionId: string
  readonly userId: string
  /** `revoked` unless the app gave a reason; `reused` for a token or code that was used twice. */
  readonly reason: string
}

/** A session was ended by its own client, by a logout or a login that replaced it. */
export interface LogoutEvent {
  readonly type: 'logout'
  readonly appId: string
  readonly sessionId: string
  readonly userId: string
  readonly everywhere: boolean
}

/** A user told the phone number. `moved`: `onPhoneNumber` named another user, to whom the session moved. */
export interface PhoneEvent {
  readonly type: 'phone'
  readonly outcome: 'kept' | 'moved'
  readonly appId: string
  readonly sessionId: string
  readonly userId: string
  /** In milliseconds since the epoch. */
  readonly startedMs: number
  readonly durationMs: number
}

/** A user had more sessions than `maxSessionsPerUser`; the one that was refreshed longest ago ended. */
export interface EvictedEvent {
  readonly type: 'evicted'
  readonly appId: string
  readonly sessionId: string
  readonly userId: string
}

/**
 * One call to WeChat; a read that WeChat was too busy for may be sent up to three times. All were sent but those that
 * ended as `no_place`.
 */
export interface WeChatEvent {
  readonly type: 'wechat'
  /** The method that made the call; for `call`, the path. */
  readonly endpoint:
    | 'code2Session'
    | 'phoneNumber'
    | 'checkSessionKey'
    | 'resetSessionKey'
    | 'accessToken'
    | `/${string}`
  readonly appId: string
  /** In milliseconds since the epoch. */
  readonly startedMs: number
  readonly durationMs: number
  /**
   * How it ended: `ok`, the code of the error it became, or what that code does not say. `lost`: the connection ended
   * before the answer did · `unreadable`: the answer was no JSON object, or longer than 64 KiB · `no_place`: too
   * many calls were under way, so this one was not sent; it says nothing about WeChat.
   */
  readonly outcome: 'ok' | 'lost' | 'unreadable' | 'no_place' | AuthErrorCode
  readonly errcode?: number
  readonly rid?: string
}

/**
 * WeChat refused this backend's own configuration, so the endpoint works for nobody until it is fixed; when it is
 * `code2Session`, nobody can log in.
 */
export interface MisconfiguredEvent {
  readonly type: 'misconfigured'
  readonly endpoint: WeChatEvent['endpoint']
  readonly appId: string
  readonly errcode: number
  /** What to do about it. */
  readonly hint: string
  readonly rid?: string
}

/**
 * Endpoints of WeChat that share places and a circuit breaker, so that trouble with one leaves the others alone: logins,
 * what is asked of signed-in users (phone numbers, session keys), the access token, and the app's own calls (`call`).
 */
export type EndpointGroup = 'login' | 'user_info' | 'access_token' | 'call'

/**
 * WeChat failed several times in a row, so calls of this group fail at once (`open`); after some time one call finds
 * out whether it is back (`half_open`), and if it is, calls go out again (`closed`).
 */
export interface BreakerEvent {
  readonly type: 'breaker'
  readonly group: EndpointGroup
  readonly state: 'closed' | 'open' | 'half_open'
}

/** Something that works now and will hurt later. */
export interface WarningEvent {
  readonly type: 'warning'
  /**
   * `memory_store`: sessions live in this process; a restart logs everyone out · `openid_as_user_id`: `onLogin` returned
   * the openid as the user's id, so tokens and events carry it.
   */
  readonly warning: 'memory_store' | 'openid_as_user_id'
  readonly hint: string
}

/**
 * A request could not be served (status 500 and above). `error` is what was thrown. Its `cause` is what the app's own
 * hook threw, exactly as it was thrown; of a failed store or `fetch` name, message and code are kept.
 */
export interface FailureEvent {
  readonly type: 'failure'
  readonly code: AuthErrorCode
  /** The same as `request_id` in the answer. */
  readonly requestId: string
  readonly error: unknown
}

export type EmitEvent = (event: AuthEvent) => void

/** Calls a hook that must not break what it is told about. Throws a `TypeError` when it is no function. */
export function createEmit<Event>(
  onEvent: (event: Event) => void = () => undefined,
): (event: Event) => void {
  checkFunctions({ onEvent })
  return (event) => {
    try {
      const pending: unknown = onEvent(event)
      if (pending instanceof Promise) pending.catch(() => undefined)
    } catch {
      // A broken log must not break a login.
    }
  }
}
