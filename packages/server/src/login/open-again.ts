import { isSameHash } from '../crypto/random-id.js'
import type { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { Hooks } from '../hooks.js'
import type { RequestHeaders } from '../request.js'
import { isLive, type LoginMethod, loginRetrySeconds, type SessionRecord } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import type { Sessions } from '../sessions/sessions.js'
import type { AnswerTokens } from '../tokens/token-answer.js'
import type { OpenedSession } from './open-session.js'

/** What proved an account has come again. */
interface AnotherAttempt {
  readonly method: LoginMethod
  readonly idempotencyKeyHash: string
  readonly startedMs: number
  readonly request?: RequestHeaders | undefined
  /** What to answer when it gets nothing; `isReused` when two parties hold it. */
  readonly refusal: (isReused: boolean) => AuthError
}

/**
 * A code that has made a session already, of WeChat's or of ours: the same request again gets the same session,
 * anything else gets nothing.
 */
export type OpenAgain<Claims extends object> = (
  earlier: SessionRecord | undefined,
  attempt: AnotherAttempt,
) => Promise<OpenedSession<Claims>>

export interface OpenAgainNeeds<Claims extends object> {
  readonly hooks: Hooks<Claims>
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly answerTokens: AnswerTokens<Claims>
  readonly now: () => number
  readonly emit: EmitEvent
}

export function createOpenAgain<Claims extends object>({
  hooks,
  store,
  sessions,
  answerTokens,
  now,
  emit,
}: OpenAgainNeeds<Claims>): OpenAgain<Claims> {
  const isRecent = (record: SessionRecord) =>
    isLive(record) && now() / 1000 - record.createdAt < loginRetrySeconds

  const isUnused = (record: SessionRecord) => isRecent(record) && record.generation === 0

  async function currentOf(earlier: SessionRecord): Promise<SessionRecord | undefined> {
    if (earlier.approvedBy === undefined) return hooks.hasClaims ? store.get(earlier.id) : earlier
    // Whoever made it may be about to undo it, which is conditional on the version.
    const { decision } = await store.update(earlier.id, (record) =>
      record && isUnused(record) ? { record: { ...record, version: record.version + 1 } } : {},
    )
    return decision.record
  }

  return async (earlier, { method, idempotencyKeyHash, startedMs, request, refusal }) => {
    if (!isLive(earlier) || !isRecent(earlier)) throw refusal(false)
    const { loginIdempotencyKeyHash = '', generation, id: sessionId, appId, userId } = earlier
    const report = (outcome: 'retried' | 'code_reused') => {
      const { kind = 'mini_program' } = earlier
      const about = { appId, kind, sessionId, userId, startedMs, durationMs: now() - startedMs }
      emit({ type: 'login', by: method, outcome, ...about })
    }
    if (!isSameHash(loginIdempotencyKeyHash, idempotencyKeyHash)) {
      // Two parties hold this code, and nobody can tell which one is the user (RFC 6749 §4.1.2).
      await sessions.end(sessionId, 'reused')
      report('code_reused')
      throw refusal(true)
    }
    if (generation > 0) throw refusal(false)
    const claims = await sessions.claimsOrEnd(earlier, earlier, request)
    await sessions.checkApproval(earlier)
    // The hook took its time; a revocation meanwhile wins.
    const current = await currentOf(earlier)
    if (!current || !isUnused(current)) throw refusal(false)

    report('retried')
    return { record: earlier, claims, answer: await answerTokens(earlier, claims) }
  }
}
