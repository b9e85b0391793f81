import type { InvalidGrantReason } from '@wxlogin/shared'
import { isSameHash } from '../crypto/random-id.js'
import {
  gatewayRetrySeconds,
  isLive,
  type SessionLifetimes,
  type SessionRecord,
  toQuietEnd,
  toTombstone,
} from '../session.js'

/** A refresh token as it was presented: what it says, and the hash of the request's idempotency key. */
export interface Presented {
  readonly generation: number
  /** When the session that it was issued for began. */
  readonly createdAt: number
  readonly idempotencyKeyHash: string
}

/** What a presented refresh token means. `record` replaces the one that was read. */
export type Verdict =
  | { readonly kind: 'rotated' | 'healed' | 'reused'; readonly record: SessionRecord }
  | { readonly kind: 'retried'; readonly record?: undefined }
  | {
      readonly kind: 'refused'
      readonly reason: InvalidGrantReason | 'retry_expired'
      readonly record?: SessionRecord
    }

// A retry makes up for a lost answer. One that comes later than this is a token and a key from a log or a backup, or
// an honest phone that was away for a week, to which a silent login costs nothing.
const retrySeconds = 7 * 24 * 60 * 60

/** Reasons that nobody gives on purpose: the device logs in again by itself. */
export const silentReasons = [
  'reused',
  'expired',
  'unknown',
] as const satisfies readonly InvalidGrantReason[]

/**
 * Decides what a presented refresh token means. Pure: no clock, no store.
 *
 * An honest client never sends one token with two keys, so the same key on the previous generation is a lost answer,
 * and any other second use is a copy (RFC 9700 §4.14.2). A retry changes nothing, so no window slides.
 */
export function rotate(
  record: SessionRecord | undefined,
  { generation, createdAt, idempotencyKeyHash }: Presented,
  now: number,
  { idleTtlSeconds }: Pick<SessionLifetimes, 'idleTtlSeconds'>,
): Verdict {
  // A session with the same id that began at another time is another session.
  if (!record || record.createdAt !== createdAt) return { kind: 'refused', reason: 'unknown' }
  if (!isLive(record)) return { kind: 'refused', reason: reasonOf(record) }
  if (record.expiresAt <= now) return { kind: 'refused', reason: 'expired' }

  // We signed this generation, even if the store does not know it: then the store lost writes.
  if (generation >= record.generation) {
    const { data: _data, loginIdempotencyKeyHash, ...rest } = record
    const canLoginComeAgain = now - record.createdAt < gatewayRetrySeconds
    return {
      kind: generation === record.generation ? 'rotated' : 'healed',
      record: {
        ...rest,
        ...(loginIdempotencyKeyHash !== undefined &&
          canLoginComeAgain && { loginIdempotencyKeyHash }),
        version: record.version + 1,
        generation: generation + 1,
        idempotencyKeyHash,
        lastRefreshAt: now,
        expiresAt: Math.min(now + idleTtlSeconds, record.endsAt),
      },
    }
  }
  const isRetry =
    generation === record.generation - 1 &&
    isSameHash(idempotencyKeyHash, record.idempotencyKeyHash)
  if (!isRetry) return { kind: 'reused', record: toTombstone(record, 'reused', now) }
  if (now - record.lastRefreshAt <= retrySeconds) return { kind: 'retried' }
  return { kind: 'refused', reason: 'retry_expired', record: toQuietEnd(record, now) }
}

function reasonOf({ revokedReason }: SessionRecord): InvalidGrantReason {
  return silentReasons.find((reason) => reason === revokedReason) ?? 'revoked'
}

/** What the holder of a refresh token ends with it. */
export type Ending =
  /** The session, quietly. Only the newest token speaks for the user. */
  | { readonly kind: 'ended'; readonly isNewest: boolean; readonly record: SessionRecord }
  /** The session, with the alarm: the token was used twice. */
  | { readonly kind: 'reused'; readonly record: SessionRecord }
  /** Nothing: there is no session to end. */
  | { readonly kind: 'none'; readonly record?: undefined }

/**
 * Decides about a refresh token that is presented to end its session, as {@link rotate} would about a refresh. Without
 * an idempotency key one generation behind may be an answer that was lost, and ends it quietly. Pure.
 */
export function endingOf(
  record: SessionRecord | undefined,
  {
    generation,
    createdAt,
    idempotencyKeyHash,
  }: Omit<Presented, 'idempotencyKeyHash'> & {
    readonly idempotencyKeyHash?: string | undefined
  },
  now: number,
): Ending {
  if (!record || record.createdAt !== createdAt || !isLive(record) || record.expiresAt <= now) {
    return { kind: 'none' }
  }
  const behind = record.generation - generation
  const isRetry =
    behind === 1 &&
    idempotencyKeyHash !== undefined &&
    isSameHash(idempotencyKeyHash, record.idempotencyKeyHash)
  const isNewest = behind <= 0 || isRetry
  const mayBeLostAnswer = behind === 1 && idempotencyKeyHash === undefined
  return isNewest || mayBeLostAnswer
    ? { kind: 'ended', isNewest, record: toQuietEnd(record, now) }
    : { kind: 'reused', record: toTombstone(record, 'reused', now) }
}
