import { createHash } from 'node:crypto'

/** A session as the design sees it, without a store, a token or a clock. */
export interface ModelSession {
  readonly generation: number
  /** Hash of the key that made this generation. */
  readonly keyHash: string
  readonly ended?: 'reused' | 'revoked' | 'quietly'
  readonly createdAt: number
  /** When this generation was made. */
  readonly refreshedAt: number
  /** When the store forgets it. */
  readonly expiresAt: number
}

/** A refresh token as it is sent. */
export interface ModelToken {
  /** The generation. */
  readonly p: number
  /** The key that it is sent with. */
  readonly k?: string | undefined
  /** When the session began that it was issued for. */
  readonly since: number
}

/** What a presented refresh token must be answered with. */
export type Expected =
  | { readonly outcome: 'rotated' | 'retried' | 'healed'; readonly next: ModelSession }
  | { readonly outcome: 'reused'; readonly next: ModelSession }
  | { readonly outcome: 'refused'; readonly reasons: readonly string[]; readonly next?: undefined }
  | {
      readonly outcome: 'retry expired'
      readonly reasons: ['expired']
      readonly next: ModelSession
    }

const daySeconds = 24 * 3600

export const idleSeconds = 30 * daySeconds

/** So long an answer may be asked for again. */
export const retryDays = 7

/** So long a request may wait in the server and still be taken for a theft. */
export const judgedSeconds = 10

export const hashOf = (key: string): string => createHash('sha256').update(key).digest('base64url')

/** The session of a first refresh token, made with this key. */
export const begun = (key: string, now: number): ModelSession => ({
  generation: 0,
  keyHash: hashOf(key),
  createdAt: now,
  refreshedAt: now,
  expiresAt: now + idleSeconds,
})

/** What the app ends is known until its absolute end, what looked like a theft for a day. */
export const revoked = (session: ModelSession): ModelSession => ({
  ...session,
  ended: 'revoked',
  expiresAt: session.createdAt + 180 * daySeconds,
})

export const reused = (session: ModelSession, now: number): ModelSession => ({
  ...session,
  ended: 'reused',
  expiresAt: now + daySeconds,
})

export const isOver = (session: ModelSession | undefined, now: number): boolean =>
  !session || session.ended !== undefined || session.expiresAt <= now

/** The table of the design, written down a second time: who presents generation `p` with key `k`, and gets what. */
export function present(
  session: ModelSession | undefined,
  { p, k, since }: ModelToken,
  now: number,
): Expected {
  const isUnknown = !session || session.createdAt !== since || session.ended === 'quietly'
  if (isUnknown) return { outcome: 'refused', reasons: ['unknown'] }
  if (session.expiresAt <= now) return { outcome: 'refused', reasons: ['unknown'] }
  if (session.ended) return { outcome: 'refused', reasons: [session.ended] }

  const { generation: g, keyHash: h } = session
  const isRetry = p === g - 1 && k !== undefined && hashOf(k) === h
  if (isRetry && now - session.refreshedAt > retryDays * daySeconds) {
    return {
      outcome: 'retry expired',
      reasons: ['expired'],
      next: { ...session, ended: 'quietly' },
    }
  }
  if (isRetry) return { outcome: 'retried', next: session }
  if (p < g) return { outcome: 'reused', next: reused(session, now) }
  return {
    outcome: p === g ? 'rotated' : 'healed',
    next: {
      ...session,
      generation: p + 1,
      keyHash: hashOf(k ?? ''),
      refreshedAt: now,
      expiresAt: now + idleSeconds,
    },
  }
}

/** What becomes of a session whose token is presented to end it. */
export type Fate =
  | { readonly outcome: 'nothing'; readonly isNewest: false; readonly next?: undefined }
  | { readonly outcome: 'ended'; readonly isNewest: boolean; readonly next: ModelSession }
  | { readonly outcome: 'reused'; readonly isNewest: false; readonly next: ModelSession }

/** A logout, or a login that names the session it replaces: what a refresh would find decides. */
export function presentToEnd(
  session: ModelSession | undefined,
  token: ModelToken,
  now: number,
): Fate {
  const expected = present(session, token, now)
  if (!session || expected.outcome === 'refused') return { outcome: 'nothing', isNewest: false }
  const next = { ...session, ended: 'quietly' as const }
  if (expected.outcome !== 'reused') return { outcome: 'ended', isNewest: true, next }
  const mayBeLostAnswer = token.k === undefined && token.p === session.generation - 1
  return mayBeLostAnswer
    ? { outcome: 'ended', isNewest: false, next }
    : { outcome: 'reused', isNewest: false, next: expected.next }
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

/** Whether a device that holds this can go on without a login. */
export function isHeldAlive(
  session: ModelSession | undefined,
  held: ModelToken,
  now: number,
): boolean {
  return ['rotated', 'retried', 'healed'].includes(present(session, held, now).outcome)
}
