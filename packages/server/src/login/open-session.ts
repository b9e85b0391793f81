import type { TokenAnswer } from '@wxlogin/shared'
import type { EmitEvent } from '../events.js'
import type { Hooks } from '../hooks.js'
import { type Account, isAdopted, type LoginMethod, type SessionRecord } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import type { Sessions } from '../sessions/sessions.js'
import type { AnswerTokens } from '../tokens/token-answer.js'
import { type Previous, type PreviousSessions, previousFor } from './previous-session.js'

/** An account that is proven, and the login that it came by. Every way in ends in one. */
export interface ProvenLogin<Claims extends object> {
  readonly method: LoginMethod
  /** The id that the session is to have. */
  readonly id: string
  readonly account: Account
  readonly idempotencyKeyHash: string
  readonly sealedKey?: string
  readonly input?: unknown
  readonly device?: string | undefined
  readonly previous?: Previous | undefined
  readonly startedMs: number
  /** Where the app itself has said who it is, `onLogin` is not asked, and `claims` only for what is not given. */
  readonly byApp?: {
    readonly userId?: string | number | undefined
    readonly claims?: Claims | undefined
  }
}

/** A committed session, and its tokens. */
export interface OpenedSession<Claims extends object> {
  readonly record: SessionRecord
  readonly claims: Claims
  readonly answer: TokenAnswer
}

/** Makes a session of a proven account. `undefined` when there is one with this id; `onLogin` has run all the same. */
export type OpenSession<Claims extends object> = (
  login: ProvenLogin<Claims>,
) => Promise<OpenedSession<Claims> | undefined>

export interface OpenSessionNeeds<Claims extends object> {
  readonly hooks: Hooks<Claims>
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly previousSessions: PreviousSessions
  readonly answerTokens: AnswerTokens<Claims>
  readonly now: () => number
  readonly emit: EmitEvent
}

export function createOpenSession<Claims extends object>({
  hooks,
  store,
  sessions,
  previousSessions,
  answerTokens,
  now,
  emit,
}: OpenSessionNeeds<Claims>): OpenSession<Claims> {
  return async ({ account, input, previous, startedMs, byApp, ...start }) => {
    const { method, device } = start
    const decision =
      byApp ??
      (await hooks.onLogin(account, {
        input,
        ...(device !== undefined && { device }),
        ...previousFor(previous),
      }))
    const record = sessions.draft({ account, ...decision, ...start })
    const claims = byApp?.claims ?? (await hooks.claims(record))
    if (!(await store.create(record))) return undefined

    await previousSessions.end(previous, record)
    // One that a data pre-fetch made counts once its phone has come.
    if (isAdopted(record)) await sessions.evictExcess(record)
    const { id: sessionId, appId, userId } = record
    emit({
      type: 'login',
      by: method,
      outcome: 'created',
      appId,
      sessionId,
      userId,
      startedMs,
      durationMs: now() - startedMs,
    })
    return { record, claims, answer: await answerTokens(record, claims) }
  }
}
