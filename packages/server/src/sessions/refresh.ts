import type { InvalidGrantReason, TokenAnswer } from '@wxlogin/shared'
import { keyHashOf } from '../crypto/random-id.js'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { Hooks } from '../hooks.js'
import { type ArgumentRules, checkArguments } from '../option-checks.js'
import type { Arrival } from '../request.js'
import { isAdopted } from '../session.js'
import type { RefreshTokens } from '../tokens/refresh-token.js'
import type { AnswerTokens } from '../tokens/token-answer.js'
import type { ServedApps } from '../wechat/apps.js'
import { checkJudgedInTime } from './end-by-token.js'
import type { GuardedStore } from './guarded-store.js'
import { rotate } from './rotation.js'
import type { Sessions } from './sessions.js'

export interface RefreshInput {
  readonly refreshToken: string
  /** 22 to 64 characters of `[A-Za-z0-9_-]`, the same for a retry. Without it nothing counts as a retry. */
  readonly idempotencyKey?: string
}

export interface RefreshNeeds<Claims extends object> {
  readonly hooks: Hooks<Claims>
  readonly refreshTokens: RefreshTokens
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly apps: ServedApps
  readonly answerTokens: AnswerTokens<Claims>
  readonly now: () => number
  readonly emit: EmitEvent
}

/**
 * Exchanges a refresh token for its successor; `rotation.ts` decides, and a compare-and-swap commits.
 */
export function createRefresh<Claims extends object>({
  hooks,
  refreshTokens,
  store,
  sessions,
  apps,
  answerTokens,
  now,
  emit,
}: RefreshNeeds<Claims>): (input: RefreshInput, arrival?: Arrival) => Promise<TokenAnswer> {
  return async (input, { receivedMs = now(), request } = {}) => {
    checkArguments('auth.refresh', input, rules)
    const idempotencyKeyHash = keyHashOf(input)
    const startedMs = now()
    const token = await refreshTokens.read(input.refreshToken)
    // A mini program that is no longer served here has no sessions here.
    if (!token || !(await apps.knows(token.appId))) throw invalidGrant('unknown')
    const { sessionId, appId } = token
    const presented = { ...token, idempotencyKeyHash }

    let claims: Claims | undefined
    let answer: TokenAnswer | undefined
    const { before, decision } = await store.update(sessionId, async (record) => {
      const verdict = rotate(record, presented, Math.floor(now() / 1000), sessions.lifetimes)
      if (verdict.kind === 'reused') checkJudgedInTime(receivedMs, now())
      if (!record || verdict.kind === 'refused' || verdict.kind === 'reused') return verdict
      // Before the write: when the hook or the signature fails nothing has happened, and the same token works again.
      const isClaimed = claims !== undefined
      const next = verdict.record ?? record
      claims ??= await sessions.claimsOrEnd(record, next, request)
      answer = await answerTokens(next, claims)
      // A retry writes nothing, so no swap would notice a revocation in the meantime: decide again.
      return verdict.kind === 'retried' && hooks.hasClaims && !isClaimed ? undefined : verdict
    })

    const about = { appId, sessionId, ...(before && { userId: before.userId }) }
    emit({
      type: 'refresh',
      outcome: decision.kind,
      ...about,
      startedMs,
      durationMs: now() - startedMs,
      ...(decision.kind === 'refused' && { reason: decision.reason }),
    })
    if (decision.kind === 'refused') throw invalidGrant(decision.reason)
    if (decision.kind === 'reused' && before) {
      emit({ type: 'revoked', appId, sessionId, userId: before.userId, reason: 'reused' })
    }
    if (decision.kind === 'reused' || !before || !answer) throw invalidGrant('reused')
    // Its phone has adopted it, so from now on it is one of the user's.
    if (!isAdopted(before)) await sessions.evictExcess(decision.record ?? before)
    return answer
  }
}

const rules: ArgumentRules<RefreshInput> = { refreshToken: 'string', idempotencyKey: 'string?' }

const invalidGrantMessages: Readonly<Record<InvalidGrantReason, string>> = {
  unknown: 'The refresh token is unknown; log in again',
  expired: 'The refresh token has expired; log in again',
  reused: 'The refresh token was used twice, so its session was ended; log in again',
  revoked: 'The session was ended by the app; the user has to log in again',
}

function invalidGrant(found: InvalidGrantReason | 'retry_expired'): AuthError {
  const reason = found === 'retry_expired' ? 'expired' : found
  return new AuthError('invalid_grant', invalidGrantMessages[reason], { reason })
}
