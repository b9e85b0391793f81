import type { EmitEvent } from '../events.js'
import type { PreviousSession } from '../hooks.js'
import { isLive, type SessionRecord } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import type { Sessions } from '../sessions/sessions.js'
import type { RefreshTokens } from '../tokens/refresh-token.js'
import type { ServedApps } from '../wechat/apps.js'

/** A live session that a client names by a refresh token when it logs in anew. */
export interface Previous {
  readonly record: SessionRecord
  /** 0 for the newest refresh token of the session. */
  readonly generationsBehind: number
}

/** The session that a login replaces. Whatever goes wrong here must not cost the login, so nothing rejects. */
export interface PreviousSessions {
  find(
    refreshToken: string | undefined,
    login: { readonly appId: string },
  ): Promise<Previous | undefined>
  /** To be called once the new session is committed. A failure leaves the old one to its idle time. */
  end(previous: Previous | undefined, newest: SessionRecord): Promise<void>
}

export interface PreviousSessionNeeds<Claims extends object> {
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly refreshTokens: RefreshTokens
  readonly apps: ServedApps
  readonly emit: EmitEvent
}

export function createPreviousSessions<Claims extends object>({
  store,
  sessions,
  refreshTokens,
  apps,
  emit,
}: PreviousSessionNeeds<Claims>): PreviousSessions {
  return {
    async find(refreshToken, login) {
      try {
        const token = refreshToken ? await refreshTokens.read(refreshToken) : undefined
        if (!token) return undefined
        // The app of the login itself has been looked up.
        if (token.appId !== login.appId && !(await apps.knows(token.appId))) return undefined
        const record = await store.get(token.sessionId)
        if (!isLive(record)) return undefined
        return { record, generationsBehind: record.generation - token.generation }
      } catch {
        return undefined
      }
    },

    async end(previous, newest) {
      if (!previous || previous.record.id === newest.id) return
      const { id: sessionId, appId, userId } = previous.record
      try {
        // The answer to a refresh may have been lost, which puts an honest client one generation behind, and no more.
        if (previous.generationsBehind > 1) return void (await sessions.end(sessionId, 'reused'))
        await store.delete(sessionId)
        emit({ type: 'logout', appId, sessionId, userId, everywhere: false })
      } catch {}
    },
  }
}

/** What `onLogin` may know: a token that was used before must not pass for its user, for an app may merge accounts. */
export function previousFor(previous: Previous | undefined): { previous?: PreviousSession } {
  if (!previous || previous.generationsBehind > 0) return {}
  const { id, userId, appId } = previous.record
  return { previous: { id, userId, appId } }
}
