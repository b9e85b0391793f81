import { createHash } from 'node:crypto'
import type { Json } from '@wxlogin/shared'
import { AuthError } from './errors.js'

/**
 * How a session came about (as `amr` of RFC 8176 says of a token): a code, a code that came with a data pre-fetch, the
 * gateway of WeChat cloud hosting, or the app itself.
 */
export type LoginMethod = 'code' | 'prefetch' | 'cloud_hosting' | 'app'

/**
 * A session as a store keeps it: plain data that survives JSON. Instants are seconds since the epoch.
 * A store looks at `id`, `userId`, `version`, `createdAt`, `endsAt` and `expiresAt` only.
 */
export interface SessionRecord {
  /** The shape of this record. */
  readonly v: 1
  readonly id: string
  /** Counts the writes; {@link SessionStore.replace} compares it. */
  readonly version: number
  readonly userId: string
  readonly appId: string
  readonly openid: string
  readonly unionid?: string
  readonly device?: string
  /** WeChat's `session_key`, encrypted. Gone once the session is revoked. */
  readonly sealedKey?: string
  /** Which successor of the first refresh token is the current one. */
  readonly generation: number
  /** Hash of the idempotency key of the request that made this generation. */
  readonly idempotencyKeyHash: string
  /** Hash of the idempotency key of the login by code, while the code may come again. */
  readonly loginIdempotencyKeyHash?: string
  /** What `onLogin` gave the client, until the first rotation, so that a lost answer can be given again. */
  readonly data?: Json
  readonly method: LoginMethod
  readonly createdAt: number
  readonly lastRefreshAt: number
  /** The end that no refresh moves. */
  readonly endsAt: number
  /** When the store may forget the record: the end of the idle time, or of the tombstone. */
  readonly expiresAt: number
  /** Set on a tombstone: the session is over, and its device is still to be told. */
  readonly revokedAt?: number
  readonly revokedReason?: string
}

/**
 * Where sessions live. Five verbs; everything clever happens above them. Check your own with `storeCases` of
 * `@wxlogin/server/testing`. A method that throws, or does not settle in time, makes the request a 503.
 */
export interface SessionStore {
  /** Adds a record. `false` when the id exists; it never overwrites. */
  create(record: SessionRecord): Promise<boolean>
  /** The record, or `undefined` when it is unknown or its `expiresAt` has passed. */
  get(id: string): Promise<SessionRecord | undefined>
  /** Writes the record if the stored one has `expectedVersion`, atomically. `false` when it does not, or is gone. */
  replace(record: SessionRecord, expectedVersion: number): Promise<boolean>
  delete(id: string): Promise<void>
  /** The user's records that have not expired, newest `createdAt` first. */
  list(userId: string): Promise<SessionRecord[]>
  /** At least as many as `list` would give, and cheaper. May be left out: then `list` is asked. */
  count?(userId: string): Promise<number>
  /**
   * Does the work on one connection of the store's, as soon as there is one. May be left out; where it is there, an
   * error tells the wait for a connection from that for an answer, and what nobody waits for any more is not begun.
   */
  withConnection?<T>(work: (store: SessionStore) => Promise<T>): Promise<T>
  /** What will hurt later about how the store is set up. Empty when nothing will, or when the store cannot tell. */
  check?(): Promise<readonly StoreWarning[]>
}

/**
 * What {@link SessionStore.check} may find. `redis_eviction_policy`: Redis may drop sessions when its memory is full;
 * set `maxmemory-policy noeviction` · `redis_no_persistence`: a restart of Redis logs everyone out; set
 * `appendonly yes` · `sql_not_migrated`: the table or a column is missing; call `migrate()`, or run `schema`.
 */
export type StoreWarning = 'redis_eviction_policy' | 'redis_no_persistence' | 'sql_not_migrated'

/** A login is answered again for as long as its code would live, in seconds. */
export const loginRetrySeconds = 300

/** A session that a data pre-fetch made ends so soon, in seconds, unless its phone refreshes it. */
export const prefetchedSeconds = 600

/** How long sessions live, in seconds. */
export interface SessionLifetimes {
  readonly idleTtlSeconds: number
  readonly absoluteTtlSeconds: number
}

// After a reuse the device logs in again by itself, told or not, so that this tombstone need not last.
const reusedTombstoneSeconds = 24 * 60 * 60

/** Whether the session goes on: it is there, and nobody has revoked it. */
export function isLive(
  record: SessionRecord | undefined,
): record is SessionRecord & { readonly revokedAt?: undefined } {
  return record !== undefined && record.revokedAt === undefined
}

/**
 * Whether a phone holds the session's tokens. One that a data pre-fetch made is adopted by its first refresh; until then
 * it is not one of the user's devices.
 */
export function isAdopted({ method, generation }: SessionRecord): boolean {
  return method !== 'prefetch' || generation > 0
}

export function accountOf({ appId, openid, unionid }: SessionRecord): Account {
  return { appId, openid, ...(unionid !== undefined && { unionid }) }
}

/** The same session after its app or this library ended it. Its device learns the reason while the tombstone lasts. */
export function toTombstone(record: SessionRecord, reason: string, now: number): SessionRecord {
  const {
    sealedKey: _sealedKey,
    loginIdempotencyKeyHash: _loginKeyHash,
    data: _data,
    ...rest
  } = record
  return {
    ...rest,
    version: record.version + 1,
    expiresAt:
      reason === 'reused' ? Math.min(now + reusedTombstoneSeconds, record.endsAt) : record.endsAt,
    revokedAt: now,
    revokedReason: reason,
  }
}

/** Who is asking, as a route sees it: read from a verified access token, never from the request itself. */
export interface Session<Claims extends object = object> {
  /** The session's id: one login on one device. Not a secret. */
  readonly id: string
  readonly userId: string
  /** The mini program that the user is in. */
  readonly appId: string
  /** What the `claims` option returned at login or at the last refresh. Frozen. */
  readonly claims: Readonly<Claims>
  /** When the access token was issued, in seconds since the epoch. */
  readonly issuedAt: number
  /** When the access token ends, in seconds since the epoch. The session itself lives longer. */
  readonly expiresAt: number
}

/** A WeChat user in one mini program, as WeChat itself named them. */
export interface Account {
  readonly appId: string
  /** The user's id in this mini program. */
  readonly openid: string
  /** The user's id across all apps of one owner; only when the mini program is bound to an Open Platform account. */
  readonly unionid?: string
}

/** One entry of a user's list of signed-in devices. */
export interface Device {
  /** The session's id. */
  readonly id: string
  readonly appId: string
  /** How the session came about. */
  readonly method: LoginMethod
  /** What the client called the device, if it did. */
  readonly device?: string
  readonly createdAt: number
  readonly lastRefreshAt: number
  /** Whether this is the session that was named as the current one. */
  readonly current: boolean
}

/** A user's id as tokens and stores hold it. Throws `server_error` for what cannot be one. */
export function toUserId(userId: string | number, account?: Account): string {
  const text = typeof userId === 'number' && Number.isSafeInteger(userId) ? String(userId) : userId
  if (typeof text !== 'string' || text === '' || text.length > 255 || text === account?.appId) {
    throw new AuthError(
      'server_error',
      'A userId must be a whole number or a string of 1 to 255 characters, and not the AppID',
    )
  }
  return text
}

/** Stable, needs no database, and says nothing about the openid to anyone who does not already know it. */
export function opaqueUserId({ appId, openid }: Account): string {
  return createHash('sha256')
    .update(`wxlogin:user:${appId}:${openid}`)
    .digest('base64url')
    .slice(0, 22)
}

/** Freezes plain data whole: a session is handed to many requests, so none of them may change it for the others. */
export function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) freeze(member)
  }
  return Object.freeze(value)
}
