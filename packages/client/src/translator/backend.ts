import type { Json } from '@wxlogin/shared'
import type { WxData, WxMethod, WxResponse } from '../wx.js'

/** One request to the backend. It does not follow redirects. */
export interface Call {
  /** Relative to `baseUrl`. */
  readonly url: string
  /** Default `'POST'`. */
  readonly method?: WxMethod | undefined
  readonly data?: WxData | undefined
  /** With the content type `application/x-www-form-urlencoded` the data is sent as a form. */
  readonly header?: Readonly<Record<string, string>> | undefined
}

/** What the client holds of a session. */
export interface Held {
  readonly accessToken: string
  /** Empty if the backend gave none. */
  readonly refreshToken: string
}

export interface Tokens {
  readonly accessToken: string
  /** Without it the last one stays. If there never was one, an ended token is followed by a silent login. */
  readonly refreshToken?: string | undefined
  /** Seconds from now. Counts only beside a refresh token; without it the token is good until it is refused. */
  readonly expiresIn?: number | undefined
  /** Seconds since 1970 by the backend's clock: read by the answer's `Date` header, and ignored without one. */
  readonly expiresAt?: number | undefined
  /** Without it nobody can tell that another user has logged in: there is no `user_changed`. */
  readonly userId?: string | number | undefined
  /** What `session().data` gives. */
  readonly data?: Json | undefined
}

/** A definite no, and the `reason` of the error. After a refresh a silent login follows, unless it is `'revoked'`. */
export interface Refused {
  readonly refused: string
  /** It is about this login alone, a wrong password for example: the session that was there goes on. */
  readonly scope?: 'attempt' | undefined
}

export interface LoginGiven<Input = unknown> {
  /** The code of a `wx.login` made for this call, never given twice; empty where `needsCode` said `false`. */
  readonly code: string
  readonly appId: string
  /** What `login({ input })` or `loginInput` gave. */
  readonly input: Input | undefined
  readonly device: string | undefined
}

export interface BackendRequest {
  readonly kind: 'request' | 'upload' | 'download' | 'socket'
  /** Absolute; that of a socket starts with `ws`. */
  readonly url: string
  readonly data?: WxData | undefined
  /** Of an upload. */
  readonly formData?: object | undefined
}

/** What takes the place of the request's own; a header of the same name that the app gave comes first. */
export interface Attached {
  readonly url?: string
  readonly data?: WxData
  readonly formData?: object
  readonly header?: Readonly<Record<string, string>> | undefined
}

/** An answer of the backend, whatever its status. `Body` is what it should be: a gateway may answer with HTML. */
export interface BackendAnswer<Body = unknown> extends WxResponse {
  readonly data: Body
}

/**
 * How a backend logs in. A function that throws is no definite answer: the tokens are kept, and the call rejects with
 * `business`.
 */
export interface Backend<Body = unknown, Input = unknown> {
  /** `false`: this login needs no code, so `wx.login` is not called (default: every login needs one). */
  needsCode?(this: void, input: Input | undefined): boolean
  /** The call that logs in. {@link Refused}: there is no silent way in, and requests reject with `signed_out`. */
  login(this: void, given: LoginGiven<Input>): Call | Refused
  refresh?(this: void, held: Held): Call
  /** Sent with the token. */
  logout?(this: void, held: Held): Call
  /** Reads what `login` and `refresh` answered. Anything else is nothing definite: tokens are kept, it is tried later. */
  tokens(this: void, answer: BackendAnswer<Body>): Tokens | Refused | undefined
  /**
   * Where the token goes, and what every other request to these origins has, the calls above included (default
   * `Authorization: Bearer …`). Without a token the request is anonymous, or has an `Authorization` of its own.
   */
  attach?(this: void, request: BackendRequest, accessToken: string | undefined): Attached
}
