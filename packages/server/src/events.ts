import type { AppKind, InvalidGrantReason } from '@wxlogin/shared'
import type { AuthErrorCode } from './errors.js'
import type { LoginMethod } from './session.js'

/**
 * All events, for metrics, logs and tracing. A closed union: `switch (event.type)`.
 * No event holds a secret, a code, a token, a `session_key`, an openid or a phone number; session ids are not secret.
 * `userId` is the app's own id of the user. An event with a duration also has its start, as `now` returned it.
 */
export type AuthEvent =
  | LoginEvent
  | RefreshEvent
  | RevokedEvent
  | LogoutEvent
  | PhoneEvent
  | DeviceAskedEvent
  | DeviceDecidedEvent
  | EvictedEvent
  | ForgottenEvent
  | WeChatEvent
  | MisconfiguredEvent
  | BreakerEvent
  | WarningEvent
  | FailureEvent

/** A login created a session, or was repeated for a session that it had already created. */
export interface LoginEvent {
  readonly type: 'login'
  /** How the account was proven, the same as the `method` of the session's record. */
  readonly by: LoginMethod
  /** `retried`: the same request again · `code_reused`: the code came with another key, which ended its session. */
  readonly outcome: 'created' | 'retried' | 'code_reused'
  readonly appId: string
  readonly kind: AppKind
  readonly sessionId: string
  readonly userId: string
  /** In milliseconds since the epoch. */
  readonly startedMs: number
  readonly durationMs: number
}

/** A refresh token that this server signed was presented. */
export interface RefreshEvent {
  readonly type: 'refresh'
  /**
   * `rotated`: a new generation · `retried`: the same request again · `healed`: the store had lost writes and caught
   * up with the token · `reused`: a token was used twice, which ended the session · `refused`: it had already ended.
   */
  readonly outcome: 'rotated' | 'retried' | 'healed' | 'reused' | 'refused'
  /** Why it was refused. `retry_expired`: the same request again after more than 7 days; on the wire `expired`. */
  readonly reason?: InvalidGrantReason | 'retry_expired'
  readonly appId: string
  readonly sessionId: string
  /** Missing if the session is no longer known. */
  readonly userId?: string
  /** In milliseconds since the epoch. */
  readonly startedMs: number
  readonly durationMs: number
}

/** A session was ended by the app or by this library; its device will learn it. */
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

/** A user shared their phone number. `moved`: `onPhoneNumber` named another user, who got a session in its place. */
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

/** A device without WeChat asked to be let in (RFC 8628). */
export interface DeviceAskedEvent {
  readonly type: 'device_asked'
  readonly appId: string
}

/**
 * A signed-in user decided about a device; the login of one that is let in is a {@link LoginEvent} by `device`.
 * `wrong_number`: the phone brought another number than the device shows, which refuses the device.
 */
export interface DeviceDecidedEvent {
  readonly type: 'device_decided'
  readonly outcome: 'approved' | 'denied' | 'wrong_number'
  readonly appId: string
  /** The session that decided. */
  readonly sessionId: string
  readonly userId: string
}

/** A user had more sessions than `maxSessionsPerUser`; the least recently refreshed one ended. */
export interface EvictedEvent {
  readonly type: 'evicted'
  readonly appId: string
  readonly sessionId: string
  readonly userId: string
}

/** `sessions.forget` removed everything that was stored about a user. */
export interface ForgottenEvent {
  readonly type: 'forgotten'
  readonly userId: string
  /** How many live sessions ended. */
  readonly sessions: number
}

/** One call to WeChat. A read is sent up to three times if WeChat is busy; a call that ends as `no_place` is not sent. */
export interface WeChatEvent {
  readonly type: 'wechat'
  /** The method that made the call; for `call` and virtual payment, the path. */
  readonly endpoint:
    | 'code2Session'
    | 'phoneNumber'
    | 'checkSessionKey'
    | 'resetSessionKey'
    | 'checkEncryptedData'
    | 'wxacode'
    | 'accessToken'
    | `/${string}`
  readonly appId: string
  /** In milliseconds since the epoch. */
  readonly startedMs: number
  readonly durationMs: number
  /**
   * `ok`, the code of the error that was thrown, or a more specific name. `lost`: the connection broke before the answer
   * was complete · `unreadable`: the answer was not what it should be, a JSON object in most cases, or too large (64 KiB) · `no_place`: too many calls
   * were in flight, so this one was not sent; it says nothing about WeChat.
   */
  readonly outcome: 'ok' | 'lost' | 'unreadable' | 'no_place' | AuthErrorCode
  readonly errcode?: number
  readonly rid?: string
}

/**
 * WeChat rejected this backend's own configuration, so the endpoint works for nobody until it is fixed; if it is
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
 * Endpoints of WeChat that share places and a circuit breaker; the groups do not affect each other: logins, logins of
 * a data pre-fetch, logins from websites and official accounts, logins from WeCom, data of signed-in users (phone
 * numbers, session keys), the access token, virtual payment, and the app's own calls (`call`).
 */
export type EndpointGroup =
  | 'login'
  | 'prefetch'
  | 'web_login'
  | 'wecom'
  | 'user_info'
  | 'access_token'
  | 'payment'
  | 'call'

/**
 * The circuit breaker of a group changed: after consecutive failures its calls fail at once (`open`), after some time
 * one call tests whether WeChat is back (`half_open`), and if it is, calls are sent again (`closed`).
 */
export interface BreakerEvent {
  readonly type: 'breaker'
  readonly group: EndpointGroup
  readonly state: 'closed' | 'open' | 'half_open'
}

/** Something that works now but will cause trouble later. */
export interface WarningEvent {
  readonly type: 'warning'
  /**
   * `memory_store`: sessions live in this process; a restart logs everyone out · `openid_as_user_id`: `onLogin` returned
   * the openid as the user's id, so tokens and events carry it · `accept_legacy_over`: `acceptLegacy.until` has passed ·
   * `no_undici`: undici is not there, or is in a bundle where it cannot start, and the global `fetch` calls WeChat ·
   * `weak_secret`: somebody could guess the `secret`, and whoever does can be any user.
   */
  readonly warning:
    | 'memory_store'
    | 'openid_as_user_id'
    | 'accept_legacy_over'
    | 'no_undici'
    | 'weak_secret'
  readonly hint: string
}

/**
 * A request could not be served (status 500 and above). `error` is what was thrown. Its `cause` is what the app's own
 * hook threw, exactly as it was thrown; of a failed store or `fetch`, only name, message and code are kept.
 */
export interface FailureEvent {
  readonly type: 'failure'
  readonly code: AuthErrorCode
  /** The same as `request_id` in the answer. */
  readonly requestId: string
  readonly error: unknown
}

export type EmitEvent = (event: AuthEvent) => void
