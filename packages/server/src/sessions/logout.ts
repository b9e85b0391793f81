import { checkIdempotencyKey } from '../crypto/random-id.js'
import { type ArgumentRules, checkArguments } from '../option-checks.js'
import type { RefreshTokens } from '../tokens/refresh-token.js'
import type { ServedApps } from '../wechat/apps.js'
import type { EndByToken } from './end-by-token.js'
import type { Sessions } from './sessions.js'

export interface LogoutInput {
  readonly refreshToken: string
  /** Also ends the user's other sessions (default false), except those that began after this request arrived. */
  readonly everywhere?: boolean
  /** The key of the record that the client keeps the token in. Without it one generation behind ends the session. */
  readonly idempotencyKey?: string
}

export interface LogoutNeeds<Claims extends object> {
  readonly refreshTokens: RefreshTokens
  readonly sessions: Sessions<Claims>
  readonly endByToken: EndByToken
  readonly apps: ServedApps
  readonly now: () => number
}

/** Ends the session of a refresh token, known or not. `receivedMs` is when the request arrived. */
export function createLogout<Claims extends object>({
  refreshTokens,
  sessions,
  endByToken,
  apps,
  now,
}: LogoutNeeds<Claims>): (input: LogoutInput, receivedMs?: number) => Promise<void> {
  return async (input, receivedMs = now()) => {
    checkArguments('auth.logout', input, rules)
    const { refreshToken, everywhere = false } = input
    const idempotencyKey =
      input.idempotencyKey === undefined ? undefined : checkIdempotencyKey(input.idempotencyKey)
    const content = await refreshTokens.read(refreshToken)
    if (!content || !(await apps.knows(content.appId))) return
    const token = { ...content, idempotencyKey, receivedMs }
    const found = everywhere ? await endByToken.look(token) : undefined
    // Before its own session ends: a logout whose answer was lost can be sent again, and goes on where it stopped. A
    // token that was used before, which a thief may hold, ends its own session and no other.
    const endsAll = found?.isNewest === true
    if (endsAll) {
      await sessions.revoke({
        userId: found.record.userId,
        except: content.sessionId,
        createdUntil: Math.floor(receivedMs / 1000),
      })
    }
    await endByToken.end(token, { everywhere: endsAll })
    if (endsAll) {
      // Until now it could let others in.
      await sessions.revoke({
        userId: found.record.userId,
        createdUntil: 0,
        alsoEnded: content.sessionId,
      })
    }
  }
}

const rules: ArgumentRules<LogoutInput> = {
  refreshToken: 'string',
  everywhere: 'boolean?',
  idempotencyKey: 'string?',
}
