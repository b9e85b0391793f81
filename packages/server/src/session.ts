import { createHash } from 'node:crypto'
import type { AppKind, InvalidGrantReason, Json } from '@wxlogin/shared'
import { kindOf } from './option-checks.js'

/**
 * How a session was created (compare `amr`, RFC 8176): by a code, by a code from a data pre-fetch, by a phone number
 * that belongs to another user, by the gateway of WeChat cloud hosting, by the context of a cloud function, on a device
 * that the user's phone let in, or by the app itself.
 */
export type LoginMethod =
  | 'code'
  | 'prefetch'
  | 'phone'
  | 'cloud_hosting'
  | 'cloud_function'
  | 'device'
  | 'app'

/**
 * A session as a store keeps it: plain data that survives JSON. Instants are seconds since the epoch.
 * A store looks at `id`, `userId`, `version`, `createdAt`, `endsAt` and `expiresAt` only.
 */
export interface SessionRecord {
  /** The version of this record's format. */
  readonly v: 1
  readonly id: string
  /** Counts the writes; {@link SessionStore.replace} compares it. */
  readonly version: number
  readonly userId: string
  readonly appId: string
  /** Of what kind the app is, unless it is a mini program or a mini game. */
  readonly kind?: AppKind
  /** Removed, like `unionid` and `sealedKey`, once the session has ended. */
  readonly openid?: string
  readonly unionid?: string
  readonly device?: string
  /** WeChat's `session_key`, encrypted. */
  readonly sealedKey?: string
  /** The generation of the current refresh token: 0 at login, one more after each rotation. */
  readonly generation: number
  /** Hash of the idempotency key of the request that made this generation. */
  readonly idempotencyKeyHash: string
  /** Hash of the idempotency key of the login, while what proved the account may come again. */
  readonly loginIdempotencyKeyHash?: string
  /** What `onLogin` returned for the client, kept until the first rotation, so that a lost answer can be sent again. */
  readonly data?: Json
  readonly method: LoginMethod
  /** The session that let this one in, where one did. */
  readonly approvedBy?: string
  readonly createdAt: number
  /** When WeChat last proved the account, and gave the `session_key`: before `createdAt` after a change of user. */
  readonly authenticatedAt: number
  readonly lastRefreshAt: number
  /** The absolute end, which no refresh extends. */
  readonly endsAt: number
  /** When the store may drop the record: the end of the idle time, or of the tombstone. */
  readonly expiresAt: number
  /** Set on a tombstone: the session has ended, and its device has yet to learn it. */
  readonly revokedAt?: number
  readonly revokedReason?: string
}

/**
 * Where sessions are kept. Five methods, and three more for what asks for them; all the logic is above them. Test your
 * own with `storeCases` of `@wxlogin/server/testing`. If a method throws or does not settle in time, the request fails with 503.
 */
export interface SessionStore {
  /**
   * Adds a record. `false` if the id exists; it never overwrites. A store that knows it without another call may say how
   * many records the user has, once this one is among them: at least as many as `list` would return.
   */
  create(record: SessionRecord): Promise<boolean | { readonly count: number }>
  /** The record, or `undefined` if it is unknown or its `expiresAt` has passed. */
  get(id: string): Promise<SessionRecord | undefined>
  /** Writes the record if the stored one has `expectedVersion`, atomically. `false` if it does not, or is gone. */
  replace(record: SessionRecord, expectedVersion: number): Promise<boolean>
  delete(id: string): Promise<void>
  /** The user's records that have not expired, newest `createdAt` first. */
  list(userId: string): Promise<SessionRecord[]>
  /** At least as many as `list` would return, but cheaper. Without this method `list` is called. */
  count?(userId: string): Promise<number>
  /**
   * Keeps a text under an id until `expiresAt`. `false` if there is one that has not expired; it never overwrites. The
   * ids are 1 to 48 printable ASCII characters, apart from those of sessions; the text has at most 4,096 bytes. `put`,
   * `peek` and `take` are optional together: options that need them say so when they are missing.
   */
  put?(id: string, value: string, expiresAt: number): Promise<boolean>
  /** The text under an id, which stays there. `undefined` if there is none, or if it has expired. */
  peek?(id: string): Promise<string | undefined>
  /** The text under an id, which is removed. Of many calls at once a single one gets it, atomically. */
  take?(id: string): Promise<string | undefined>
  /**
   * Calls `work` with a store on one connection, as soon as there is one. Optional; with it an error tells the wait for
   * a connection from the wait for an answer, and a call that timed out before it had a connection is never made.
   */
  withConnection?<T>(work: (store: SessionStore) => Promise<T>): Promise<T>
  /** Problems with how the store is set up. Empty if there are none, or if the store cannot tell. */
  check?(): Promise<readonly StoreWarning[]>
}

/**
 * What {@link SessionStore.check} may report. `redis_eviction_policy`: Redis may drop sessions when its memory is full;
 * set `maxmemory-policy noeviction` · `redis_no_persistence`: a restart of Redis logs everyone out; set
 * `appendonly yes` · `sql_not_migrated`: the table or a column is missing; call `migrate()`, or run `schema`.
 */
export type StoreWarning = 'redis_eviction_policy' | 'redis_no_persistence' | 'sql_not_migrated'

/** A session that has not ended. */
export type LiveRecord = SessionRecord & { readonly openid: string; readonly revokedAt?: undefined }

/** How long a login may be retried, in seconds: as long as its code would be valid. */
export const loginRetrySeconds = 300

/**
 * For so long a login by the gateway finds its earlier session by the idempotency key, in seconds; afterwards the same
 * key makes another id.
 */
export const gatewayRetrySeconds = 2 * loginRetrySeconds

/** How long a session from a data pre-fetch lives, in seconds, unless its phone refreshes it. */
export const prefetchedSeconds = 600

/** How long sessions live, in seconds. */
export interface SessionLifetimes {
  readonly idleTtlSeconds: number
  readonly absoluteTtlSeconds: number
}

/** Whether the session exists and has not ended. */
export function isLive(record: SessionRecord | undefined): record is LiveRecord {
  return record !== undefined && record.revokedAt === undefined
}

/**
 * Whether a phone holds the session's tokens. A session from a data pre-fetch is adopted by its first refresh; until
 * then it is not one of the user's devices.
 */
export function isAdopted({ method, generation }: SessionRecord): boolean {
  return method !== 'prefetch' || generation > 0
}

/** The account of a record, or of what proved it. */
export function accountOf({
  appId,
  kind = 'mini_program',
  openid,
  unionid,
}: {
  readonly appId: string
  readonly kind?: AppKind | undefined
  readonly openid: string
  readonly unionid?: string | undefined
}): Account {
  return { appId, kind, openid, ...(unionid !== undefined && { unionid }) }
}

// After a reuse the device logs in again by itself in any case, so this tombstone need not last.
const reusedTombstoneSeconds = 24 * 60 * 60

/** The same session, revoked by the app or by this library. Its device learns the reason while the tombstone lasts. */
export function toTombstone(record: SessionRecord, reason: string, now: number): SessionRecord {
  const lastsUntil = reason === 'reused' ? now + reusedTombstoneSeconds : record.endsAt
  return ended(record, reason, now, Math.min(lastsUntil, record.endsAt))
}

/**
 * The same session after it has ended quietly: its client wanted that, or nobody holds its tokens. The store may forget
 * it at once, unless a request that comes again could make the same id.
 */
export function toQuietEnd(record: SessionRecord, now: number): SessionRecord {
  const canComeAgain = isByPlatform(record) && record.loginIdempotencyKeyHash !== undefined
  const until = canComeAgain ? record.createdAt + gatewayRetrySeconds : now
  return ended(record, quietReason, now, Math.max(now, until))
}

/** Whether the platform vouched for its account. Such a session may be asked for again by its account alone. */
export function isByPlatform({ method }: SessionRecord): boolean {
  return method === 'cloud_hosting' || method === 'cloud_function'
}

/** Blocks a `create` that gave no answer and may still take effect. */
export function toPlaceholder(record: SessionRecord, now: number): SessionRecord {
  return ended(record, quietReason, now, now + placeholderSeconds)
}

/** Whether the session ended quietly, or never began: nobody revoked it. */
export function hasEndedQuietly({ revokedReason }: SessionRecord): boolean {
  return revokedReason === quietReason
}

const placeholderSeconds = 60

// The reason for a device that still holds a token; it then logs in again by itself.
const quietReason = 'unknown' satisfies InvalidGrantReason

function ended(
  record: SessionRecord,
  revokedReason: string,
  revokedAt: number,
  expiresAt: number,
): SessionRecord {
  const {
    openid: _openid,
    unionid: _unionid,
    sealedKey: _sealedKey,
    loginIdempotencyKeyHash: _loginIdempotencyKeyHash,
    data: _data,
    ...rest
  } = record
  return { ...rest, version: record.version + 1, expiresAt, revokedAt, revokedReason }
}

/** The user of a request, as a route sees it: read from a verified access token, never from the request itself. */
export interface Session<Claims extends object = object> {
  /** The session's id: one login on one device. Not a secret. */
  readonly id: string
  readonly userId: string
  /** The app that the user is in: each entry of `apps` has an AppID of its own. */
  readonly appId: string
  /** What the `claims` option returned at login or at the last refresh. Frozen. */
  readonly claims: Readonly<Claims>
  /**
   * When WeChat last proved the account, in seconds since the epoch: at the login, which a refresh is not. 0 where
   * that is not known: for a token that `acceptLegacy` let in.
   */
  readonly authenticatedAt: number
  /** When the access token was issued, in seconds since the epoch. */
  readonly issuedAt: number
  /** When the access token ends, in seconds since the epoch. The session itself lives longer. */
  readonly expiresAt: number
}

/** A user of one app, as WeChat identifies them. */
export interface Account {
  readonly appId: string
  readonly kind: AppKind
  /** The user's id in this app; in WeCom (企业微信) the `userid`. */
  readonly openid: string
  /** The user's id across all apps of one owner; only if the app is bound to an Open Platform account. */
  readonly unionid?: string
}

/** One entry of a user's list of signed-in devices. */
export interface Device {
  /** The session's id. */
  readonly id: string
  readonly appId: string
  readonly kind: AppKind
  /** How the session was created. */
  readonly method: LoginMethod
  /** The name of the device, if the client sent one. */
  readonly device?: string
  readonly createdAt: number
  readonly lastRefreshAt: number
  /** Whether this is the session that was passed as `current`. */
  readonly current: boolean
}

/** Your own id of a user: a string of 1 to 255 bytes in UTF-8, or a whole number. */
export type UserId = string | number | bigint

/** A user's id as tokens and stores hold it. `refuse` makes the error for what is none, and is told what it is. */
export function readUserId(userId: unknown, refuse: (what: string) => Error): string {
  const isWhole = typeof userId === 'bigint' || Number.isSafeInteger(userId)
  const text = isWhole ? String(userId) : userId
  if (
    typeof text === 'string' &&
    text !== '' &&
    Buffer.byteLength(text) <= maxUserIdBytes &&
    // Half of a pair: all of them become the same bytes.
    !/\p{Cs}/u.test(text)
  ) {
    return text
  }
  throw refuse(kindOfNoId(userId))
}

/** The same for an argument. Throws a `TypeError`. */
export function checkUserId(userId: unknown): string {
  return readUserId(
    userId,
    (what) => new TypeError(`userId must be a string, a whole number or a bigint, not ${what}`),
  )
}

const maxUserIdBytes = 255

function kindOfNoId(value: unknown): string {
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? 'a number that is not exact any more; give it as a bigint or a string'
      : 'a number that is not whole'
  }
  if (typeof value === 'string') {
    if (value === '') return 'an empty string'
    return /\p{Cs}/u.test(value)
      ? 'a string with half of a character in it'
      : `a string of more than ${maxUserIdBytes} bytes`
  }
  return kindOf(value)
}

/** Stable, needs no database, and says nothing about the openid to anyone who does not already know it. */
export function opaqueUserId({ appId, openid }: Pick<Account, 'appId' | 'openid'>): string {
  return createHash('sha256')
    .update(`wxlogin:user:${appId}:${openid}`)
    .digest('base64url')
    .slice(0, 22)
}

/** Freezes plain data deeply: many requests share a session, so none of them may change it. */
export function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) freeze(member)
  }
  return Object.freeze(value)
}
