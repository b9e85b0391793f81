import { hmacKeys, type Ring } from '../crypto/key-ring.js'
import { createTokenSigner } from './signed-token.js'

/** The content of a device code (RFC 8628 §3.2). */
export interface DeviceCodeContent {
  /** What the phone scans. It is public; nobody can make the code from it. */
  readonly scene: string
  readonly appId: string
  /** In seconds since the epoch. */
  readonly endsAt: number
}

/** The codes that devices poll with: signed, so that those which nobody was given cost no look into the store. */
export interface DeviceCodes {
  issue(content: DeviceCodeContent): Promise<string>
  /** Its content, past its end too. `undefined` for anything that this ring did not sign. */
  read(code: string): Promise<DeviceCodeContent | undefined>
  /** Whether it was issued here, or somebody made it look so. */
  isOwn(token: string): boolean
}

export function createDeviceCodes(ring: Ring): DeviceCodes {
  const signer = createTokenSigner(hmacKeys(ring), 'dc+jwt')

  return {
    isOwn: signer.knows,

    // Not `exp`: a session that the code has made is looked for first, whatever the time.
    issue: ({ scene, appId, endsAt }) => signer.sign({ scene, aud: appId, end: endsAt }),

    async read(code) {
      const { scene, aud, end } = (await signer.verify(code)) ?? {}
      if (typeof scene !== 'string' || typeof aud !== 'string' || typeof end !== 'number') {
        return undefined
      }
      return { scene, appId: aud, endsAt: end }
    },
  }
}
