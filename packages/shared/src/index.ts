/**
 * The wire: everything that `@wxlogin/server` and `@wxlogin/client` must agree on, and nothing else.
 * Shapes follow OAuth 2.0 (RFC 6749 §5) and bearer tokens (RFC 6750). Additive only within a major version.
 */

/** Anything that survives JSON. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/** The routes, below the path at which the backend mounts them. */
export const paths = {
  login: '/login',
  refresh: '/refresh',
  logout: '/logout',
  phone: '/phone',
  prefetch: '/prefetch',
  device: '/device',
  deviceDecision: '/device/decision',
  deviceToken: '/device/token',
  jwks: '/jwks.json',
} as const

/**
 * Required on login and refresh, and for the polls of a device. It tells a retry from a theft, so one key belongs to one attempt. A logout brings the key
 * of the record that its refresh token is kept in, and a phone number one of its own.
 */
export const idempotencyHeader = 'Idempotency-Key'

/** Optional. Names the request in the events of both sides: 1 to 64 characters of A-Z, a-z, 0-9, `_` and `-`. */
export const requestIdHeader = 'X-Request-Id'

/**
 * The kinds of apps that people log in from: a mini program or mini game (also where nothing is said), a website with
 * WeChat's QR code (开放平台网站应用), a page inside WeChat (公众号网页授权), a mini program inside WeCom (企业微信), and whatever the
 * backend exchanges the codes of by itself.
 */
export const appKinds = ['mini_program', 'website', 'official_account', 'wecom', 'custom'] as const

export type AppKind = (typeof appKinds)[number]

/** What `wx.login()` gives in DevTools when the project has no real AppID. No backend can exchange it. */
export const mockCode = 'the code is a mock one'

/** `POST /login` */
export interface LoginBody {
  /** The one-time code of `wx.login()`, valid for 5 minutes, or of what the app has in its place. */
  readonly code: string
  readonly app_id: string
  /** Where the code is from (default `mini_program`): a code tells nobody, and the wrong exchange spends it. */
  readonly kind?: AppKind
  /** A name for the device, shown in the user's list of sessions. */
  readonly device?: string
  /** Whatever the backend's `onLogin` wants to know, an invitation code for example. */
  readonly input?: Json
  /** The refresh token that this login replaces; its session ends. */
  readonly previous_refresh_token?: string
  /** The idempotency key of the record that the client keeps that token in. */
  readonly previous_idempotency_key?: string
  /** The user has signed out of that session, and the server may not have heard of it. */
  readonly previous_signed_out?: boolean
}

/** `POST /refresh` */
export interface RefreshBody {
  readonly refresh_token: string
}

/** `POST /logout` */
export interface LogoutBody {
  readonly refresh_token: string
  /** Also ends the user's other sessions. */
  readonly everywhere?: boolean
}

/** What login and refresh answer (RFC 6749 §5.1). */
export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: 'Bearer'
  /** Life of the access token, in seconds from now. */
  readonly expires_in: number
  readonly refresh_token: string
  /** Life of the refresh token if it is not used, in seconds from now. */
  readonly refresh_expires_in: number
  readonly user_id: string
  /** What the backend's `onLogin` returned for the client; only in the answer to a login. */
  readonly data?: Json
}

/** `POST /phone`, with an access token. */
export interface PhoneBody {
  /** The one-time code of the getPhoneNumber button; not a code of `wx.login()`. */
  readonly code: string
}

/** The answer to `POST /phone`. */
export interface PhoneAnswer {
  /** Without the country code. */
  readonly phone_number: string
  /** `'86'` for example. */
  readonly country_code: string
  /** What the backend's `onPhoneNumber` returned for the client. */
  readonly data?: Json
}

/** The answer to `POST /phone` when the number belongs to another user, whose session takes the place of this one. */
export type MovedPhoneAnswer = PhoneAnswer & TokenAnswer

/** The answer to `GET /prefetch`: tokens, and what the backend's `onPrefetch` returned. Without members after any failure. */
export type PrefetchAnswer =
  | (TokenAnswer & { readonly prefetched?: Json })
  | { readonly access_token?: undefined; readonly prefetched?: undefined }

/** `POST /device`: a device asks to be let in (RFC 8628 §3.1). Anybody may ask, and say of themselves what they like. */
export interface DeviceBody {
  /** May be left out if there is just one mini program. */
  readonly app_id?: string
  /** What the device calls itself, shown to the user who decides, and in their list of sessions. */
  readonly client_name?: string
  /** The page that asks. */
  readonly page?: string
}

/** The answer to `POST /device` (RFC 8628 §3.2). */
export interface DeviceAnswer {
  /** Secret: whoever has it gets the session. */
  readonly device_code: string
  /** Public, 22 characters: for the picture that the phone scans. */
  readonly scene: string
  /** In seconds from now. */
  readonly expires_in: number
  /** How many seconds to wait between two polls. */
  readonly interval: number
  /** The number that the user has to compare, where the backend wants that: for the device to show beside the picture. */
  readonly number?: string
}

/** The answer to `GET /device?scene=`, with an access token: what asks. */
export interface DeviceRequestAnswer {
  readonly client_name?: string
  readonly page?: string
  /** From where, where the backend knows it. Unlike the name and the page this is no claim of whoever asks. */
  readonly place?: string
  /** In seconds since the epoch. */
  readonly asked_at: number
  /** In seconds from now. */
  readonly expires_in: number
  /** Whether an approval has to bring the number that the device shows. */
  readonly needs_number: boolean
}

/** `POST /device/decision`, with an access token. */
export interface DeviceDecisionBody {
  readonly scene: string
  readonly approve: boolean
  /** What the device shows, where it is asked for. */
  readonly number?: string
}

/** `POST /device/token` (RFC 8628 §3.4), with one `Idempotency-Key` for all polls of one `device_code`. */
export interface DeviceTokenBody {
  readonly device_code: string
}

/** What every refused request is answered with (RFC 6749 §5.2). */
export interface ErrorBody {
  readonly error: WireErrorCode
  /** For developers, never for end users. */
  readonly error_description: string
  readonly reason?: string
  /** The refusal is about this attempt only, a wrong password for example: the session that was there goes on. */
  readonly scope?: 'attempt'
  /** Names this failure in the server's events. */
  readonly request_id?: string
}

/**
 * Every error code there is, with its HTTP status.
 *
 * | code | what the client does |
 * | --- | --- |
 * | `invalid_request` | throws: a bug |
 * | `invalid_code` | one new `wx.login`, then throws; with reason `phone_code`, and at `/phone`, it throws at once: the code of the login was good |
 * | `invalid_grant` | drops the tokens and logs in once; with reason `revoked` it is signed out |
 * | `invalid_token` | one refresh, one replay |
 * | `unknown_app` | throws: a mix-up of AppIDs |
 * | `insufficient_user_authentication` | one new login, which must give the same user, one replay |
 * | `access_denied` | throws, signed out; with scope `attempt` it throws and keeps the session |
 * | `authorization_pending` | a device polls on |
 * | `slow_down` | a device polls on, with 5 seconds more between two polls from now on |
 * | `expired_token` | a device asks for a new code; a phone has it scanned |
 * | `insufficient_scope` | throws |
 * | `user_blocked` | throws, does not retry |
 * | `stale_session_key` | throws; a new login brings the key that new open data is encrypted with |
 * | `rate_limited`, `wechat_unavailable`, `store_unavailable`, `temporarily_unavailable`, `server_error` | keeps the tokens, backs off |
 * | `server_misconfigured` | throws, keeps the record and backs off; the operator has the reason |
 */
export const wireErrors = {
  invalid_request: 400,
  invalid_code: 400,
  invalid_grant: 400,
  invalid_token: 401,
  insufficient_user_authentication: 401,
  unknown_app: 400,
  access_denied: 403,
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  insufficient_scope: 403,
  user_blocked: 403,
  stale_session_key: 409,
  rate_limited: 429,
  wechat_unavailable: 503,
  store_unavailable: 503,
  temporarily_unavailable: 503,
  server_error: 500,
  server_misconfigured: 500,
} as const

export type WireErrorCode = keyof typeof wireErrors

/** Why a refresh token is dead. `revoked` is final for the device; after the others it may log in again by itself. */
export type InvalidGrantReason = 'expired' | 'reused' | 'unknown' | 'revoked'
