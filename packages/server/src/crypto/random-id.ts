import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 128 random bits: an id for a session, or the key of a request that nobody will send again. */
export function randomId(): string {
  return randomBytes(16).toString('base64url')
}

/** What a record keeps of the idempotency key that a request came with. */
export function hashIdempotencyKey(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('base64url')
}

export function isSameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
