import type { InvalidGrantReason, Json } from '@wxlogin/shared'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import { jsonCopy } from '../json-copy.js'
import {
  type Account,
  type Device,
  prefetchedSeconds,
  type Session,
  type SessionLifetimes,
  type SessionRecord,
  toTombstone,
} from '../session.js'
import type { GuardedStore } from './guarded-store.js'
import { opaqueUserId, toUserId } from './user-id.js'

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
  readonly id: string
  readonly account: Account
  readonly idempotencyKeyHash: string
  /** Whether a code made it, which may come again with the same key or with another. */
  readonly isByCode?: boolean
  /** Whether it waits for a phone that may never come, see {@link SessionRecord.isPrefetched}. */
  readonly isPrefetched?: boolean
  readonly sealedKey?: string
  readonly device?: string | undefined
  readonly userId?: string | number | undefined
  readonly data?: Json | undefined
}

/** What can be done with sessions, apart from rotating their tokens. */
export interface Sessions {
  /** The first record of a session. Nothing is stored yet. */
  draft(session: NewSession): SessionRecord
  /** Ends what the user of a new session has beyond `maxSessionsPerUser`. Never rejects. */
  evictExcess(newest: SessionRecord): Promise<void>
  /** Turns a live session into a tombstone. `false` when there is none, or `when` says no. */
  end(id: string, reason: string, when?: (record: SessionRecord) => boolean): Promise<boolean>
  revoke(input: RevokeInput): Promise<number>
  list(userId: string | number, options?: { current?: string }): Promise<Device[]>
  account(session: Pick<Session, 'id' | 'userId'>): Promise<Account>
}

export interface SessionsOptions extends SessionLifetimes {
  readonly store: GuardedStore
  readonly now: () => number
  readonly emit: EmitEvent
  readonly maxSessionsPerUser: number
}

export function createSessions({
  store,
  now,
  emit,
  idleTtlSeconds,
  absoluteTtlSeconds,
  maxSessionsPerUser,
}: SessionsOptions): Sessions {
  async function end(id: string, reason: string, when = (_record: SessionRecord) => true) {
    const { before, decision } = await store.update(id, (record) =>
      record && record.revokedAt === undefined && when(record)
        ? { record: toTombstone(record, reason, Math.floor(now() / 1000)) }
        : {},
    )
    if (!before || !decision.record) return false
    emit({ type: 'revoked', appId: before.appId, sessionId: id, reason })
    return true
  }

  /** Live sessions beyond the cap, and tombstones beyond as many again: neither may pile up for one user. */
  async function excessOf({ id, userId }: SessionRecord): Promise<SessionRecord[]> {
    if ((await store.count(userId)) <= maxSessionsPerUser) return []
    const records = await store.list(userId)
    const live = records.filter(
      (record) => record.revokedAt === undefined && !record.isPrefetched && record.id !== id,
    )
    const tombstones = records.filter(({ revokedAt }) => revokedAt !== undefined)
    const newestFirst = (a: SessionRecord, b: SessionRecord) => b.lastRefreshAt - a.lastRefreshAt
    return [
      ...live.sort(newestFirst).slice(maxSessionsPerUser - 1),
      ...tombstones.sort(newestFirst).slice(maxSessionsPerUser),
    ]
  }

  return {
    end,

    async evictExcess(newest) {
      try {
        for (const { id, appId, revokedAt } of await excessOf(newest)) {
          // Without a tombstone: its device was not refused, and may log in again.
          await store.delete(id)
          if (revokedAt === undefined) emit({ type: 'evicted', appId, sessionId: id })
        }
      } catch {
        // The new session is committed; a surplus that stays until the next login costs less than it would.
      }
    },

    draft({
      id,
      account,
      idempotencyKeyHash,
      isByCode,
      isPrefetched,
      sealedKey,
      device,
      userId,
      data,
    }) {
      const createdAt = Math.floor(now() / 1000)
      const endsAt = createdAt + absoluteTtlSeconds
      const ttlSeconds = isPrefetched ? Math.min(prefetchedSeconds, idleTtlSeconds) : idleTtlSeconds
      return {
        ...account,
        id,
        version: 1,
        userId: userId === undefined ? opaqueUserId(account) : toUserId(userId, account),
        generation: 0,
        idempotencyKeyHash,
        createdAt,
        lastRefreshAt: createdAt,
        endsAt,
        expiresAt: Math.min(createdAt + ttlSeconds, endsAt),
        ...(isPrefetched && { isPrefetched }),
        ...(isByCode && { loginIdempotencyKeyHash: idempotencyKeyHash }),
        ...(sealedKey !== undefined && { sealedKey }),
        ...(device !== undefined && { device: checkDevice(device) }),
        ...(data !== undefined && { data: jsonCopy(data, 'The data that onLogin returns') }),
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
        .filter(({ revokedAt, isPrefetched }) => revokedAt === undefined && !isPrefetched)
        .map(({ id, appId, device, createdAt, lastRefreshAt }) => ({
          id,
          appId,
          ...(device !== undefined && { device }),
          createdAt,
          lastRefreshAt,
          current: id === current,
        }))
    },

    async account({ id, userId }) {
      const record = await store.get(id)
      if (!record || record.revokedAt !== undefined || record.userId !== userId) {
        throw new AuthError(
          'invalid_token',
          'The session has ended; the client learns why when it refreshes',
        )
      }
      const { appId, openid, unionid } = record
      return { appId, openid, ...(unionid !== undefined && { unionid }) }
    },
  }
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
