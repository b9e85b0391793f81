import type { InvalidGrantReason } from '@wxlogin/shared'
import { isSameHash } from '../crypto/random-id.js'
import {
  isLive,
  loginRetrySeconds,
  type SessionLifetimes,
  type SessionRecord,
  toTombstone,
} from '../session.js'

/** A refresh token as it was presented: its generation and the hash of the request's idempotency key. */
export interface Presented {
  readonly generation: number
  readonly idempotencyKeyHash: string
}

/** What a presented refresh token means. `record` is to be written in place of the one that was read. */
export type Verdict =
  | { readonly kind: 'rotated' | 'healed' | 'reused'; readonly record: SessionRecord }
  | { readonly kind: 'retried'; readonly record?: undefined }
  | { readonly kind: 'refused'; readonly reason: InvalidGrantReason; readonly record?: undefined }

/**
 * Decides about a presented refresh token. Pure: no clock, no store.
 *
 * An honest client never sends one token with two keys, so the same key on the previous generation is a lost answer,
 * and any other second use is a copy (RFC 9700 §4.14.2). A retry changes nothing, so no window slides.
 */
export function rotate(
  record: SessionRecord | undefined,
  { generation, idempotencyKeyHash }: Presented,
  now: number,
  { idleTtlSeconds }: Pick<SessionLifetimes, 'idleTtlSeconds'>,
): Verdict {
  if (!record) return { kind: 'refused', reason: 'unknown' }
  if (!isLive(record)) {
    return { kind: 'refused', reason: record.revokedReason === 'reused' ? 'reused' : 'revoked' }
  }
  if (record.expiresAt <= now) return { kind: 'refused', reason: 'expired' }

  // A generation that this store has never heard of was signed by us all the same: the store lost writes.
  if (generation >= record.generation) {
    const { data: _data, loginIdempotencyKeyHash, ...rest } = record
    const mayCodeComeAgain = now - record.createdAt < loginRetrySeconds
    return {
      kind: generation === record.generation ? 'rotated' : 'healed',
      record: {
        ...rest,
        ...(loginIdempotencyKeyHash !== undefined &&
          mayCodeComeAgain && { loginIdempotencyKeyHash }),
        version: record.version + 1,
        generation: generation + 1,
        idempotencyKeyHash,
        lastRefreshAt: now,
        expiresAt: Math.min(now + idleTtlSeconds, record.endsAt),
      },
    }
  }
  if (
    generation === record.generation - 1 &&
    isSameHash(idempotencyKeyHash, record.idempotencyKeyHash)
  ) {
    return { kind: 'retried' }
  }
  return { kind: 'reused', record: toTombstone(record, 'reused', now) }
}
