import { hmacKeys, type Ring } from '../crypto/key-ring.js'
import type { SessionRecord } from '../session.js'
import { createTokenSigner } from './signed-token.js'

/** The content of a refresh token. */
export interface RefreshTokenContent {
  readonly sessionId: string
  readonly generation: number
  readonly appId: string
  /** When the session began, in seconds since the epoch: an id alone could be made again. */
  readonly createdAt: number
}

/**
 * Refresh tokens are opaque to everyone else. They are deterministic, so a retry gets the identical token, and the
 * store holds nothing that one could be made from.
 */
export interface RefreshTokens {
  issue(record: Pick<SessionRecord, 'id' | 'generation' | 'appId' | 'createdAt'>): Promise<string>
  /** `undefined` for anything that this ring did not sign; the store is not read. */
  read(token: string): Promise<RefreshTokenContent | undefined>
  /** Whether it was issued here, or somebody made it look so. */
  isOwn(token: string): boolean
}

export function createRefreshTokens(ring: Ring): RefreshTokens {
  const signer = createTokenSigner(hmacKeys(ring), 'rt+jwt')

  return {
    isOwn: signer.knows,

    issue: ({ id, generation, appId, createdAt }) =>
      signer.sign({ sid: id, gen: generation, aud: appId, iat: createdAt }),

    async read(token) {
      const { sid, gen, aud, iat } = (await signer.verify(token)) ?? {}
      if (typeof sid !== 'string' || typeof gen !== 'number') return undefined
      if (typeof aud !== 'string' || typeof iat !== 'number') return undefined
      return { sessionId: sid, generation: gen, appId: aud, createdAt: iat }
    },
  }
}
