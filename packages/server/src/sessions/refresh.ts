import type { InvalidGrantReason, TokenAnswer } from '@wxlogin/shared'
import { hashIdempotencyKey, randomId } from '../crypto/random-id.js'
import { AuthError } from '../errors.js'
import type { RefreshInput } from '../http/routes.js'
import type { Parts } from '../parts.js'
import { rotate } from './rotation.js'

/** Exchanges a refresh token for its successor; `rotation.ts` decides, and a compare-and-swap commits. */
export function createRefresh<Claims extends object>({
  resolved,
  refreshTokens,
  store,
  sessions,
  apps,
  claimsOrEnd,
  answer,
}: Parts<Claims>): (input: RefreshInput) => Promise<TokenAnswer> {
  const { now, emit, idleTtlSeconds } = resolved

  return async ({ refreshToken, idempotencyKey = randomId() }) => {
    const startedAtMs = now()
    const token = await refreshTokens.read(refreshToken)
    // A mini program that is no longer served here has no sessions here.
    if (!token || !(await apps.knows(token.appId))) throw invalidGrant('unknown')
    const { sessionId, appId, generation } = token
    const presented = { generation, idempotencyKeyHash: hashIdempotencyKey(idempotencyKey) }

    let claimed: { readonly userId: string; readonly claims: Claims } | undefined
    const { before, decision } = await store.update(sessionId, async (record) => {
      const verdict = rotate(record, presented, Math.floor(now() / 1000), { idleTtlSeconds })
      // Before the write: when the hook fails nothing has happened, and the same token works again.
      if (!record || verdict.kind === 'refused' || verdict.kind === 'reused') return verdict
      // A session may move to another user meanwhile, for whom other claims hold.
      if (claimed?.userId === record.userId) return verdict
      claimed = { userId: record.userId, claims: await claimsOrEnd(record) }
      // A retry writes nothing that could lose against a revocation meanwhile, so it is decided again.
      return verdict.kind === 'retried' && resolved.claims ? undefined : verdict
    })

    emit({
      type: 'refresh',
      outcome: decision.kind,
      appId,
      sessionId,
      durationMs: now() - startedAtMs,
      ...(decision.kind === 'refused' && { reason: decision.reason }),
    })
    if (decision.kind === 'reused') emit({ type: 'revoked', appId, sessionId, reason: 'reused' })
    if (decision.kind === 'refused') throw invalidGrant(decision.reason)
    if (decision.kind === 'reused' || !before || !claimed) throw invalidGrant('reused')
    const record = decision.record ?? before
    // Its phone has come, so from now on it is one of the user's.
    if (before.isPrefetched) await sessions.evictExcess(record)
    return answer(record, claimed.claims)
  }
}

const invalidGrantMessages: Readonly<Record<InvalidGrantReason, string>> = {
  unknown: 'The refresh token is unknown; log in again',
  expired: 'The refresh token has expired; log in again',
  reused: 'The refresh token was used twice, so its session was ended; log in again',
  revoked: 'The session was ended by the app; the user has to log in again',
}

function invalidGrant(reason: InvalidGrantReason): AuthError {
  return new AuthError('invalid_grant', invalidGrantMessages[reason], { reason })
}
