import { createHash } from 'node:crypto'

/** A session as the design sees it, without a store, a token or a clock. */
export interface ModelSession {
  readonly generation: number
  /** Hash of the key that made this generation. */
  readonly keyHash: string
  readonly ended?: 'reused' | 'revoked'
  readonly createdAt: number
  readonly expiresAt: number
}

/** What a presented refresh token must be answered with. */
export type Expected =
  | { readonly outcome: 'rotated' | 'retried' | 'healed'; readonly next: ModelSession }
  | { readonly outcome: 'reused'; readonly next: ModelSession }
  | { readonly outcome: 'refused'; readonly reasons: readonly string[]; readonly next?: undefined }

export const idleSeconds = 30 * 24 * 3600

export const hashOf = (key: string): string => createHash('sha256').update(key).digest('base64url')

/** The table of the design, written down a second time: who presents generation `p` with key `k`, and gets what. */
export function present(
  session: ModelSession | undefined,
  { p, k }: { p: number; k: string },
  now: number,
): Expected {
  const isOver = !session || (!session.ended && session.expiresAt <= now)
  if (isOver) return { outcome: 'refused', reasons: ['unknown', 'expired'] }
  if (session.ended) return { outcome: 'refused', reasons: [session.ended] }

  const { generation: g, keyHash: h } = session
  const isRetry = p === g - 1 && hashOf(k) === h
  if (isRetry) return { outcome: 'retried', next: session }
  if (p < g) return { outcome: 'reused', next: { ...session, ended: 'reused' } }
  return {
    outcome: p === g ? 'rotated' : 'healed',
    next: {
      ...session,
      generation: p + 1,
      keyHash: hashOf(k),
      expiresAt: now + idleSeconds,
    },
  }
}

/** What a code that came before must be answered with. The second party that holds a code ends its session. */
export function presentCodeAgain(
  session: ModelSession | undefined,
  isSameKey: boolean,
  now: number,
): 'answered' | 'refused' | 'ended' {
  if (!session || session.ended || now - session.createdAt >= 300) return 'refused'
  if (!isSameKey) return 'ended'
  return session.generation === 0 ? 'answered' : 'refused'
}

/** What becomes of a session whose generation `p` a new login of the same device names as the one that it replaces. */
export function replaced(
  session: ModelSession | undefined,
  p: number,
  now: number,
): 'as it was' | 'deleted' | 'reused' {
  if (!session || session.ended || session.expiresAt <= now) return 'as it was'
  return session.generation - p > 1 ? 'reused' : 'deleted'
}

/** Whether a device that holds generation `p` and key `k` can go on without a login. */
export function isHeldAlive(
  session: ModelSession | undefined,
  held: { p: number; k: string },
  now: number,
): boolean {
  return 'next' in present(session, held, now) && present(session, held, now).outcome !== 'reused'
}
