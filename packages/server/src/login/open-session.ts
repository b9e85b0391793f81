import type { LoginEvent } from '../events.js'
import { callHook, claimsOf } from '../hooks.js'
import type { ResolvedOptions } from '../options.js'
import type { Account, SessionRecord } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import type { Sessions } from '../sessions/sessions.js'
import { type Previous, type PreviousSessions, previousFor } from './previous-session.js'

/** An account that WeChat has vouched for, and the login that it came by. */
export interface ProvenLogin {
  readonly by: LoginEvent['by']
  /** The id that the session is to have. */
  readonly id: string
  readonly account: Account
  readonly idempotencyKeyHash: string
  readonly sealedKey?: string
  readonly input?: unknown
  readonly device?: string | undefined
  readonly previous?: Previous | undefined
  readonly startedAtMs: number
}

/** A committed session, and what its first access token says. */
export interface OpenedSession<Claims extends object> {
  readonly record: SessionRecord
  readonly claims: Claims
}

/** Makes a session of a proven account. `undefined` when there is one with this id; `onLogin` has run all the same. */
export type OpenSession<Claims extends object> = (
  login: ProvenLogin,
) => Promise<OpenedSession<Claims> | undefined>

export interface OpenSessionOptions<Claims extends object> {
  readonly resolved: ResolvedOptions<Claims>
  readonly store: GuardedStore
  readonly sessions: Sessions
  readonly previousSessions: PreviousSessions
}

export function createOpenSession<Claims extends object>({
  resolved,
  store,
  sessions,
  previousSessions,
}: OpenSessionOptions<Claims>): OpenSession<Claims> {
  const { onLogin, now, emit } = resolved

  return async ({ by, account, input, device, previous, startedAtMs, ...identity }) => {
    const decision = await callHook('onLogin', () =>
      onLogin(account, {
        input,
        ...(device !== undefined && { device }),
        ...previousFor(previous),
      }),
    )
    const isPrefetched = by === 'prefetch'
    const record = sessions.draft({
      ...identity,
      account,
      isByCode: by !== 'cloud_hosting',
      isPrefetched,
      device,
      userId: decision?.userId,
      data: decision?.data,
    })
    const claims = await claimsOf(resolved, record)
    if (!(await store.create(record))) return undefined

    await previousSessions.end(previous, record)
    if (!isPrefetched) await sessions.evictExcess(record)
    emit({
      type: 'login',
      by,
      outcome: 'created',
      appId: record.appId,
      sessionId: record.id,
      durationMs: now() - startedAtMs,
    })
    return { record, claims }
  }
}
