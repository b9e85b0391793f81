import type { ChangeReason, TokenPair, TokenRecord } from './token-record.js'

/** Who is logged in. */
export interface Session<Data = unknown> {
  readonly userId: string
  readonly appId: string
  /** What `onLogin` returned for the client at the last login. */
  readonly data: Data | undefined
  /** When the access token expires by the phone's clock, in seconds since 1970. It is renewed before. */
  readonly expiresAt: number
}

export interface SessionChange<Data = unknown> {
  readonly session: Session<Data> | undefined
  readonly previous: Session<Data> | undefined
  readonly reason: ChangeReason
}

/** What an app sees of the tokens. */
export interface ToSession<Data> {
  (pair: TokenPair): Session<Data>
  (record: TokenRecord): Session<Data> | undefined
}

export const createToSession = <Data>(appId: string): ToSession<Data> =>
  (({ access_token, user_id: userId, data, askedMs, expires_in }: TokenPair) =>
    access_token
      ? { userId, appId, data: data as Data | undefined, expiresAt: askedMs / 1000 + expires_in }
      : undefined) as ToSession<Data>
