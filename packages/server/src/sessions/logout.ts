import type { EmitEvent } from '../events.js'
import { isLive } from '../session.js'
import type { RefreshTokens } from '../tokens/refresh-token.js'
import type { ServedApps } from '../wechat/apps.js'
import type { GuardedStore } from './guarded-store.js'
import type { Sessions } from './sessions.js'

export interface LogoutInput {
  refreshToken: string
  /** Also ends the user's other sessions (default false). */
  everywhere?: boolean
}

export interface LogoutNeeds<Claims extends object> {
  readonly refreshTokens: RefreshTokens
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly apps: ServedApps
  readonly emit: EmitEvent
}

/** Ends the session of a refresh token, known or not. */
export function createLogout<Claims extends object>({
  refreshTokens,
  store,
  sessions,
  apps,
  emit,
}: LogoutNeeds<Claims>): (input: LogoutInput) => Promise<void> {
  return async ({ refreshToken, everywhere = false }) => {
    const token = await refreshTokens.read(refreshToken)
    if (!token || !(await apps.knows(token.appId))) return
    const { sessionId, appId, generation } = token
    const record = await store.get(sessionId)
    // A token that was used before, which a thief may hold, ends its own session and no other.
    if (everywhere && isLive(record) && generation >= record.generation) {
      await sessions.revoke({ userId: record.userId, except: sessionId })
    }
    await store.delete(sessionId)
    if (record) emit({ type: 'logout', appId, sessionId, userId: record.userId, everywhere })
  }
}
