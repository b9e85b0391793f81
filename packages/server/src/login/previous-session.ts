import type { PreviousSession } from '../hooks.js'
import type { LiveRecord, SessionRecord } from '../session.js'
import type { EndByToken, EndingToken } from '../sessions/end-by-token.js'
import type { RefreshTokens } from '../tokens/refresh-token.js'
import type { ServedApps } from '../wechat/apps.js'

/** What a client sends about the session that its login replaces. */
export interface PreviousInput {
  /** The refresh token that this login replaces. */
  readonly previousRefreshToken?: string
  /** The key of the record that the client keeps that token in. Without it one generation behind ends its session. */
  readonly previousIdempotencyKey?: string
  /** The user signed out of that session without the server learning it: `onLogin` is not told about it. */
  readonly previousSignedOut?: boolean
}

/** The live session of a refresh token that a client sends when it logs in again. */
export interface Previous {
  readonly token: EndingToken
  readonly record: LiveRecord
  /** Whether `onLogin` may know its user: a token that was used before does not prove them. */
  readonly speaksForUser: boolean
}

/** The session that a login replaces. A failure here must not fail the login, so nothing rejects. */
export interface PreviousSessions {
  find(
    input: PreviousInput,
    login: { readonly appId: string; readonly receivedMs: number },
  ): Promise<Previous | undefined>
  /** To be called once the new session is committed. If it fails, the old one ends by its idle timeout. */
  end(previous: Previous | undefined, newest: Pick<SessionRecord, 'id'>): Promise<void>
}

export interface PreviousSessionNeeds {
  readonly refreshTokens: RefreshTokens
  readonly endByToken: EndByToken
  readonly apps: ServedApps
}

export function createPreviousSessions({
  refreshTokens,
  endByToken,
  apps,
}: PreviousSessionNeeds): PreviousSessions {
  return {
    async find(
      { previousRefreshToken, previousIdempotencyKey: idempotencyKey, previousSignedOut = false },
      { appId, receivedMs },
    ) {
      try {
        const content = previousRefreshToken
          ? await refreshTokens.read(previousRefreshToken)
          : undefined
        if (!content) return undefined
        // The app of the login itself has already been looked up.
        if (content.appId !== appId && !(await apps.knows(content.appId))) return undefined
        const token = { ...content, idempotencyKey, receivedMs }
        const found = await endByToken.look(token)
        if (!found) return undefined
        const { record, isNewest } = found
        return { token, record, speaksForUser: isNewest && !previousSignedOut }
      } catch {
        return undefined
      }
    },

    async end(previous, newest) {
      if (!previous || previous.record.id === newest.id) return
      await endByToken.end(previous.token, { everywhere: false }).catch(() => undefined)
    },
  }
}

/** What `onLogin` may know: an app may merge accounts. */
export function previousFor(previous: Previous | undefined): { previous?: PreviousSession } {
  if (!previous?.speaksForUser) return {}
  const { id, userId, appId } = previous.record
  return { previous: { id, userId, appId } }
}
