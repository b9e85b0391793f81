import type { InvalidGrantReason, Json } from '@wxlogin/shared'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { Hooks } from '../hooks.js'
import { checkCount, checkDuration } from '../option-checks.js'
import {
  type Account,
  accountOf,
  type Device,
  isAdopted,
  isLive,
  type LoginMethod,
  opaqueUserId,
  prefetchedSeconds,
  type Session,
  type SessionLifetimes,
  type SessionRecord,
  toTombstone,
  toUserId,
} from '../session.js'
import type { GuardedStore } from './guarded-store.js'

export interface RevokeInput {
  userId: string | number
  /** Only this session; without it all of the user's. */
  sessionId?: string
  /** All but this session. */
  except?: string
  /** Kept with the session and in the event (default `revoked`): 1 to 64 letters, digits or `_`. */
  reason?: string
}

/** What a session starts with. */
export interface NewSession {
  readonly method: LoginMethod
  readonly id: string
  readonly account: Account
  readonly idempotencyKeyHash: string
  readonly sealedKey?: string | undefined
  readonly device?: string | undefined
  readonly userId?: string | number | undefined
  readonly data?: Json | undefined
}

/** What can be done with sessions, apart from rotating their tokens. */
export interface Sessions<Claims extends object> {
  readonly lifetimes: SessionLifetimes
  /** The first record of a session. Nothing is stored yet. */
  draft(session: NewSession): SessionRecord
  /** What `claims` says of a stored session; a user whom it refuses is out for good, not only for this request. */
  claimsOrEnd(record: SessionRecord): Promise<Claims>
  /** Ends what the user of a new session has beyond `maxSessionsPerUser`. Never rejects. */
  evictExcess(newest: SessionRecord): Promise<void>
  /** Turns a live session into a tombstone. `false` when there is none, or `when` says no. */
  end(id: string, reason: string, when?: (record: SessionRecord) => boolean): Promise<boolean>
  revoke(input: RevokeInput): Promise<number>
  list(userId: string | number, options?: { current?: string }): Promise<Device[]>
  account(session: Pick<Session, 'id' | 'userId'>): Promise<Account>
  /** The user's id as the app gave it. Warns once of an app that uses the openid. */
  userIdOf(userId: string | number, account: Account): string
}

export interface SessionOptions {
  /** A session that is not refreshed for so long ends, in seconds (default 30 days). */
  idleTtlSeconds?: number
  /** A session ends after so long in any case, in seconds (default 180 days). */
  absoluteTtlSeconds?: number
  /** How many sessions a user may have (default 10); beyond it the one that was refreshed longest ago ends. */
  maxSessionsPerUser?: number
}

export interface SessionNeeds<Claims extends object> {
  readonly hooks: Hooks<Claims>
  readonly store: GuardedStore
  readonly now: () => number
  readonly emit: EmitEvent
}

const daySeconds = 24 * 60 * 60

/** Throws a `TypeError` that names the option when one is wrong. */
export function createSessions<Claims extends object>({
  idleTtlSeconds = 30 * daySeconds,
  absoluteTtlSeconds = 180 * daySeconds,
  maxSessionsPerUser = 10,
  hooks,
  store,
  now,
  emit,
}: SessionOptions & SessionNeeds<Claims>): Sessions<Claims> {
  checkDuration('idleTtlSeconds', idleTtlSeconds)
  checkDuration('absoluteTtlSeconds', absoluteTtlSeconds)
  if (absoluteTtlSeconds < idleTtlSeconds) {
    throw new TypeError('absoluteTtlSeconds must not be shorter than idleTtlSeconds')
  }
  checkCount('maxSessionsPerUser', maxSessionsPerUser, 1, 'sessions')

  let hasWarnedOfOpenid = false

  async function end(id: string, reason: string, when = (_record: SessionRecord) => true) {
    const { before, decision } = await store.update(id, (record) =>
      isLive(record) && when(record)
        ? { record: toTombstone(record, reason, Math.floor(now() / 1000)) }
        : {},
    )
    if (!before || !decision.record) return false
    const { appId, userId } = before
    emit({ type: 'revoked', appId, sessionId: id, userId, reason })
    return true
  }

  /** Live sessions beyond the cap, and tombstones beyond as many again: neither may pile up for one user. */
  async function excessOf({ id, userId }: SessionRecord): Promise<SessionRecord[]> {
    if ((await store.count(userId)) <= maxSessionsPerUser) return []
    const records = await store.list(userId)
    const live = records.filter((record) => isLive(record) && isAdopted(record) && record.id !== id)
    const tombstones = records.filter((record) => !isLive(record))
    const newestFirst = (a: SessionRecord, b: SessionRecord) => b.lastRefreshAt - a.lastRefreshAt
    return [
      ...live.sort(newestFirst).slice(maxSessionsPerUser - 1),
      ...tombstones.sort(newestFirst).slice(maxSessionsPerUser),
    ]
  }

  /** Such an id is in every token and event, where nobody expects an openid. */
  function warnOfOpenid(): void {
    if (hasWarnedOfOpenid) return
    hasWarnedOfOpenid = true
    emit({
      type: 'warning',
      warning: 'openid_as_user_id',
      hint: 'Tokens, logs and events carry the userId; return an id of your own from onLogin, or none',
    })
  }

  function userIdOf(userId: string | number, account: Account): string {
    const text = toUserId(userId, account)
    if (text === account.openid) warnOfOpenid()
    return text
  }

  return {
    lifetimes: { idleTtlSeconds, absoluteTtlSeconds },
    end,
    userIdOf,

    async claimsOrEnd(record) {
      try {
        return await hooks.claims(record)
      } catch (error) {
        if (error instanceof AuthError && error.code === 'access_denied') {
          await end(record.id, 'access_denied')
        }
        throw error
      }
    },

    async evictExcess(newest) {
      try {
        for (const record of await excessOf(newest)) {
          const { id, appId, userId } = record
          // Without a tombstone: its device was not refused, and may log in again.
          await store.delete(id)
          if (isLive(record)) emit({ type: 'evicted', appId, sessionId: id, userId })
        }
      } catch {
        // The new session is committed; a surplus that stays until the next login costs less than it would.
      }
    },

    draft({ method, id, account, idempotencyKeyHash, sealedKey, device, userId, data }) {
      const createdAt = Math.floor(now() / 1000)
      const endsAt = createdAt + absoluteTtlSeconds
      const ttlSeconds =
        method === 'prefetch' ? Math.min(prefetchedSeconds, idleTtlSeconds) : idleTtlSeconds
      return {
        v: 1,
        ...account,
        id,
        version: 1,
        method,
        userId: userId === undefined ? opaqueUserId(account) : userIdOf(userId, account),
        generation: 0,
        idempotencyKeyHash,
        createdAt,
        lastRefreshAt: createdAt,
        endsAt,
        expiresAt: Math.min(createdAt + ttlSeconds, endsAt),
        ...(canCodeComeAgain(method) && { loginIdempotencyKeyHash: idempotencyKeyHash }),
        ...(sealedKey !== undefined && { sealedKey }),
        ...(device !== undefined && { device: checkDevice(device) }),
        ...(data !== undefined && { data }),
      }
    },

    async revoke({ userId, sessionId, except, reason = 'revoked' }) {
      checkReason(reason)
      const owner = toUserId(userId)
      const records =
        sessionId === undefined ? await store.list(owner) : [await store.get(sessionId)]
      let ended = 0
      for (const record of records) {
        if (!record || record.id === except) continue
        if (await end(record.id, reason, ({ userId }) => userId === owner)) ended++
      }
      return ended
    },

    async list(userId, { current } = {}) {
      const records = await store.list(toUserId(userId))
      return records
        .filter((record) => isLive(record) && isAdopted(record))
        .map(({ id, appId, method, device, createdAt, lastRefreshAt }) => ({
          id,
          appId,
          method,
          ...(device !== undefined && { device }),
          createdAt,
          lastRefreshAt,
          current: id === current,
        }))
    },

    async account({ id, userId }) {
      const record = await store.get(id)
      if (!isLive(record) || record.userId !== userId) throw sessionEnded()
      return accountOf(record)
    },
  }
}

// With the same key or with another; the record remembers which one it was.
const canCodeComeAgain = (method: LoginMethod) => method === 'code' || method === 'prefetch'

export function sessionEnded(): AuthError {
  return new AuthError(
    'invalid_token',
    'The session has ended; the client learns why when it refreshes',
  )
}

/** A name that a user may read in a list. Throws `invalid_request`, for it comes from outside. */
export function checkDevice(device: string): string {
  if (/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]{1,128}$/u.test(device)) return device
  throw new AuthError(
    'invalid_request',
    '"device" must be 1 to 128 characters without control characters',
  )
}

// These say on the wire that nobody ended the session on purpose, and its device logs in again by itself.
const takenReasons: readonly string[] = [
  'reused',
  'expired',
  'unknown',
] satisfies InvalidGrantReason[]

function checkReason(reason: string): void {
  if (!/^\w{1,64}$/.test(reason) || takenReasons.includes(reason)) {
    throw new TypeError(
      `reason must be 1 to 64 letters, digits or "_", and none of ${takenReasons.join(', ')}`,
    )
  }
}
