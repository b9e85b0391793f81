import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'

/** 128 random bits: a session id, or the idempotency key of a request that is never retried. */
export function randomId(): string {
  return randomBytes(16).toString('base64url')
}

/**
 * The key of an `Idempotency-Key` header, which is a string of RFC 8941 in the IETF's draft and without quotation marks
 * everywhere else. `undefined` if it is none.
 */
export function readIdempotencyKey(text: unknown): string | undefined {
  return typeof text === 'string' ? /^("?)([A-Za-z0-9_-]{22,64})\1$/.exec(text)?.[2] : undefined
}

/** The same for an argument. Throws a `TypeError`. */
export function checkIdempotencyKey(key: string): string {
  const read = readIdempotencyKey(key)
  if (read !== undefined) return read
  throw new TypeError(
    'idempotencyKey must be 22 to 64 characters of A-Z, a-z, 0-9, "_" and "-", the same for a retry; leave it out where there is none',
  )
}

/** What a record keeps of a request's idempotency key. */
export function hashIdempotencyKey(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('base64url')
}

/**
 * The same for the argument of a call. Without a key it is something that is the hash of none, and another thing each time,
 * so that nothing counts as a retry.
 */
export function keyHashOf({ idempotencyKey }: { readonly idempotencyKey?: string } = {}): string {
  return idempotencyKey === undefined
    ? randomUUID()
    : hashIdempotencyKey(checkIdempotencyKey(idempotencyKey))
}

export function isSameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
