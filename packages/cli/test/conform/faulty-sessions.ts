import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Fault } from './faults.js'
import { WireError } from './wire-error.js'

/** A session, with every refresh token that it has had. */
export interface SessionOfServer {
  readonly id: string
  readonly userId: string
  readonly openid: string
  readonly createdMs: number
  readonly tokens: string[]
  lastKey?: string
  ended?: 'unknown' | 'reused' | 'revoked'
}

export interface Logout {
  readonly token: string
  readonly key: string | undefined
  readonly everywhere: boolean
  readonly receivedMs: number
}

export interface SessionsOfServer {
  open(userId: string, openid: string): SessionOfServer
  end(session: SessionOfServer, why: 'reused' | 'revoked'): void
  /** Ends the session of a token as a refresh would judge it; does nothing for one that is not known. */
  endBy(token: string, key: string | undefined): void
  refresh(token: string, key: string): Promise<SessionOfServer>
  logout(logout: Logout): void
  revokeAll(userId: string): void
  /** For a server that takes the one for the other. */
  byRefreshToken(token: string): SessionOfServer | undefined
}

const newToken = () => randomBytes(32).toString('base64url')

/** Sessions in memory. A token is text without a meaning; what it stands for is looked up. */
export function createSessionsOfServer(fault: Fault | undefined): SessionsOfServer {
  const byToken = new Map<string, SessionOfServer>()
  const all: SessionOfServer[] = []

  function add(session: SessionOfServer): void {
    const token = newToken()
    session.tokens.push(token)
    byToken.set(token, session)
  }

  /** How many tokens are newer than this one, and whether it is a lost answer that is asked for again. */
  function place(session: SessionOfServer, token: string, key: string | undefined) {
    const behind = session.tokens.length - 1 - session.tokens.indexOf(token)
    return { behind, isRetry: behind === 1 && key !== undefined && key === session.lastKey }
  }

  function endBy(token: string, key: string | undefined): void {
    const session = byToken.get(token)
    if (!session || session.ended) return
    const { behind, isRetry } = place(session, token, key)
    const isQuiet = behind === 0 || isRetry || (behind === 1 && key === undefined)
    session.ended = isQuiet ? 'unknown' : 'reused'
  }

  function refuse(session: SessionOfServer | undefined): void {
    if (session && !session.ended) return
    if (fault === 'dead-token-as-401') throw new WireError(401, 'invalid_token', 'Log in again')
    const ended = session?.ended ?? 'unknown'
    const reason = ended === 'revoked' && fault === 'revoked-not-told' ? 'unknown' : ended
    throw new WireError(400, 'invalid_grant', 'The session has ended', { reason })
  }

  return {
    open(userId, openid) {
      const session: SessionOfServer = {
        ...{ id: randomUUID(), userId, openid, createdMs: Date.now(), tokens: [] },
      }
      add(session)
      all.push(session)
      return session
    },

    end(session, why) {
      session.ended ??= why
    },

    endBy,

    async refresh(token, key) {
      const session = byToken.get(token)
      refuse(session)
      if (!session) throw new WireError(400, 'invalid_grant', 'Unknown', { reason: 'unknown' })
      const { behind, isRetry } = place(session, token, key)
      if (fault === 'race-gives-two') await delay(30)
      if (behind === 0 || fault === 'no-reuse-detection') {
        session.lastKey = key
        add(session)
        return session
      }
      if (isRetry && fault === 'retry-mints-another') {
        add(session)
        return session
      }
      if (isRetry && fault !== 'retry-revokes') return session
      if (fault !== 'reuse-only-refused') session.ended = 'reused'
      throw new WireError(400, 'invalid_grant', 'Used twice', { reason: 'reused' })
    },

    logout({ token, key, everywhere, receivedMs }) {
      const session = byToken.get(token)
      if (!session) {
        if (fault === 'logout-of-unknown-404') {
          throw new WireError(404, 'invalid_request', 'There is no such session')
        }
        return
      }
      if (fault === 'logout-ends-nothing' || session.ended) return
      const { behind, isRetry } = place(session, token, key)
      const isNewest = behind === 0 || isRetry
      endBy(token, key)
      if (!everywhere || !isNewest || fault === 'everywhere-unread') return
      for (const other of all) {
        const isTheirs = other.userId === session.userId && other !== session
        if (isTheirs && other.createdMs <= receivedMs) other.ended ??= 'revoked'
      }
    },

    revokeAll(userId) {
      for (const session of all) if (session.userId === userId) session.ended ??= 'revoked'
    },

    byRefreshToken: (token) => byToken.get(token),
  }
}
