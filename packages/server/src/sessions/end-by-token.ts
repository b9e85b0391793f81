import { hashIdempotencyKey } from '../crypto/random-id.js'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { LiveRecord } from '../session.js'
import type { RefreshTokenContent } from '../tokens/refresh-token.js'
import type { GuardedStore } from './guarded-store.js'
import { type Ending, endingOf } from './rotation.js'
import type { Sessions } from './sessions.js'

/** A refresh token that is presented to end its session, and the request that it came with. */
export interface EndingToken extends RefreshTokenContent {
  /** The key of the record that the client keeps the token in. */
  readonly idempotencyKey?: string | undefined
  readonly receivedMs: number
}

/** Ends the session of a refresh token as a refresh would find it: quietly, or with the alarm for a token used twice. */
export interface EndByToken {
  /** What would be ended now. Nothing is written. */
  look(
    token: EndingToken,
  ): Promise<{ readonly record: LiveRecord; readonly isNewest: boolean } | undefined>
  /** Does nothing if there is nothing to end. */
  end(token: EndingToken, event: { readonly everywhere: boolean }): Promise<void>
}

export interface EndByTokenNeeds<Claims extends object> {
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly now: () => number
  readonly emit: EmitEvent
}

/** A request is judged as long as its client waits for it, and with it everything that its client sends afterwards. */
export const judgedWithinMs = 10_000

/**
 * Thrown in place of the alarm for a request that has waited for so long in this server that its client may have sent
 * it again, and gone on with the answer to that.
 */
export function checkJudgedInTime(receivedMs: number, nowMs: number): void {
  if (nowMs - receivedMs <= judgedWithinMs) return
  throw new AuthError(
    'store_unavailable',
    'The request waited in this server for more than 10 seconds, so its token is no longer judged; look for a hook or a connection pool that hangs',
  )
}

export function createEndByToken<Claims extends object>({
  store,
  now,
  emit,
}: EndByTokenNeeds<Claims>): EndByToken {
  function endingNow(record: Parameters<typeof endingOf>[0], token: EndingToken): Ending {
    const { generation, createdAt, idempotencyKey, receivedMs } = token
    const idempotencyKeyHash =
      idempotencyKey === undefined ? undefined : hashIdempotencyKey(idempotencyKey)
    const presented = { generation, createdAt, idempotencyKeyHash }
    const ending = endingOf(record, presented, Math.floor(now() / 1000))
    if (ending.kind === 'reused') checkJudgedInTime(receivedMs, now())
    return ending
  }

  return {
    async look(token) {
      const record = await store.get(token.sessionId)
      const ending = endingNow(record, token)
      if (ending.kind === 'none') return undefined
      // What `endingOf` gives another kind than `none` for is live.
      return { record: record as LiveRecord, isNewest: ending.kind === 'ended' && ending.isNewest }
    },

    async end(token, { everywhere }) {
      const { sessionId, appId } = token
      const { before, decision } = await store.update(sessionId, (record) =>
        endingNow(record, token),
      )
      if (decision.kind === 'none' || !before) return
      const about = { appId, sessionId, userId: before.userId }
      if (decision.kind === 'ended') emit({ type: 'logout', ...about, everywhere })
      else emit({ type: 'revoked', ...about, reason: 'reused' })
    },
  }
}
