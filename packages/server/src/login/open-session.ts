import type { TokenAnswer } from '@wxlogin/shared'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { Hooks } from '../hooks.js'
import type { RequestHeaders } from '../request.js'
import { isLive, type LiveRecord, toQuietEnd, type UserId } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import { type NewSession, type Sessions, sessionEnded } from '../sessions/sessions.js'
import type { AnswerTokens } from '../tokens/token-answer.js'
import { type Previous, type PreviousSessions, previousFor } from './previous-session.js'

/** A proven account, and the login that proved it. Every login method ends in one. */
export interface ProvenLogin<Claims extends object> extends Omit<NewSession, 'userId' | 'data'> {
  readonly input?: unknown
  /** A session that the client sent, which is ended if possible. */
  readonly previous?: Previous | undefined
  /** The session that this one replaces. If that one has ended, there is no login either. */
  readonly inPlaceOf?: LiveRecord
  readonly startedMs: number
  /** For the hooks alone. */
  readonly request?: RequestHeaders | undefined
  /** Set if it is known whose account it is: `onLogin` is not called, and `claims` only if none are given. */
  readonly known?: {
    readonly userId?: UserId | undefined
    readonly claims?: Claims | undefined
  }
}

/** A committed session, and its tokens. */
export interface OpenedSession<Claims extends object> {
  readonly record: LiveRecord
  readonly claims: Claims
  readonly answer: TokenAnswer
}

/** Creates a session for a proven account. `undefined` if the id already exists; `onLogin` has run all the same. */
export type OpenSession<Claims extends object> = (
  login: ProvenLogin<Claims>,
) => Promise<OpenedSession<Claims> | undefined>

// No client waits for longer.
const awaitedMs = 20_000

/** A session that nobody would hold takes a place among the user's devices, and may push out the one that they hold. */
function checkStillAwaited(startedMs: number, nowMs: number): void {
  if (nowMs - startedMs <= awaitedMs) return
  throw new AuthError(
    'store_unavailable',
    'The login took more than 20 seconds, so nobody waits for its session any more; look for a hook that hangs',
  )
}

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
  /** A session that has ended in the meantime is not replaced. */
  async function endReplaced({ id, userId }: LiveRecord): Promise<void> {
    const { before, decision } = await store.update(id, (record) =>
      isLive(record) && record.userId === userId
        ? { record: toQuietEnd(record, Math.floor(now() / 1000)) }
        : {},
    )
    if (!before || !decision.record) throw sessionEnded()
    emit({ type: 'logout', appId: before.appId, sessionId: id, userId, everywhere: false })
  }

  return async ({ account, input, previous, inPlaceOf, startedMs, request, known, ...start }) => {
    const { method, device } = start
    const decision =
      known ??
      (await hooks.onLogin(
        account,
        { input, ...(device !== undefined && { device }), ...previousFor(previous) },
        { ...start, generation: 0 },
        request,
      ))
    checkStillAwaited(startedMs, now())
    const record = sessions.draft({ account, ...decision, ...start })
    const committed = await sessions.commit(record)
    if (!committed) return undefined

    let opened: OpenedSession<Claims>
    try {
      // After the commit: whoever is banned from now on has a session that can be revoked.
      const claims = known?.claims ?? (await hooks.claims(record, record, request))
      opened = { record, claims, answer: await answerTokens(record, claims) }
      // After the commit, as above: whoever ends the approving session from now on finds this one, too.
      await sessions.checkApproval(record)
      if (inPlaceOf) await endReplaced(inPlaceOf)
    } catch (error) {
      await sessions.abandon(record)
      throw error
    }
    await previousSessions.end(previous, record)
    await sessions.evictExcess(record, committed)
    const { id: sessionId, userId } = record
    const { appId, kind } = account
    emit({
      type: 'login',
      by: method,
      outcome: 'created',
      appId,
      kind,
      sessionId,
      userId,
      startedMs,
      durationMs: now() - startedMs,
    })
    return opened
  }
}
