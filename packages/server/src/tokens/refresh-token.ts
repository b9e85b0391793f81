import { hmacKeys, type Ring } from '../crypto/key-ring.js'
import type { SessionRecord } from '../session.js'
import { createTokenSigner } from './signed-token.js'

/** What a refresh token of ours says. */
export interface RefreshTokenContent {
  readonly sessionId: string
  readonly generation: number
  readonly appId: string
}

/**
 * Refresh tokens are opaque to all but us. They are deterministic, so a retry gets the identical token, and the store
 * holds nothing from which one could be made.
 */
export interface RefreshTokens {
  issue(record: Pick<SessionRecord, 'id' | 'generation' | 'appId'>): Promise<string>
  /** `undefined` for anything that this ring did not sign; no store is asked. */
  read(token: string): Promise<RefreshTokenContent | undefined>
}

export function createRefreshTokens(ring: Ring): RefreshTokens {
  const signer = createTokenSigner(hmacKeys(ring), 'rt+jwt')

  return {
    issue: ({ id, generation, appId }) => signer.sign({ sid: id, gen: generation, aud: appId }),

    async read(token) {
      const { sid, gen, aud } = (await signer.verify(token)) ?? {}
      if (typeof sid !== 'string' || typeof gen !== 'number' || typeof aud !== 'string')
        return undefined
      return { sessionId: sid, generation: gen, appId: aud }
    },
  }
}
