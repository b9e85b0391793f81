import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 128 random bits: a session id, or the idempotency key of a request that is never retried. */
export function randomId(): string {
  return randomBytes(16).toString('base64url')
}

/** What a record keeps of a request's idempotency key. */
export function hashIdempotencyKey(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('base64url')
}

export function isSameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
