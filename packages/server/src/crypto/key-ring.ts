import { createHash, createHmac, hkdfSync } from 'node:crypto'

/** A key for one purpose, and the name by which a token refers to it. */
export interface SubKey {
  readonly kid: string
  readonly key: Uint8Array
}

/** At least one member: the first one makes, all of them read. */
export type Ring = readonly [SubKey, ...SubKey[]]

/** The keys for every purpose, derived from the configured secrets (HKDF-SHA-256, RFC 5869). */
export interface KeyRing {
  readonly access: Ring
  readonly refresh: Ring
  readonly seal: Ring
  /**
   * The ids of a session that follows from what proves its account, one per ring member; the first is the one to
   * create. `parts` of a `source` always name the same session.
   */
  sessionIds(
    source: 'wechat' | 'cloud_hosting',
    ...parts: readonly string[]
  ): readonly [string, ...string[]]
}

function subKey(secret: string, purpose: string): SubKey {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', `wxlogin/1/${purpose}`, 32))
  const kid = createHash('sha256')
    .update('wxlogin/1/kid')
    .update(key)
    .digest('base64url')
    .slice(0, 11)
  return { kid, key }
}

export function createKeyRing([first, ...others]: readonly [string, ...string[]]): KeyRing {
  const ringFor = (purpose: string): Ring => [
    subKey(first, purpose),
    ...others.map((secret) => subKey(secret, purpose)),
  ]
  const login = ringFor('login')

  // Lengths stand before the parts, so that no other pair gives the same bytes.
  const sessionId = ({ key }: SubKey, source: string, parts: readonly string[]) =>
    createHmac('sha256', key)
      .update([source, ...parts.map((part) => `${part.length}:${part}`)].join('|'))
      .digest('base64url')
      .slice(0, 22)

  return {
    access: ringFor('access'),
    refresh: ringFor('refresh'),
    seal: ringFor('seal'),
    sessionIds: (source, ...parts) => {
      const [current, ...older] = login
      return [
        sessionId(current, source, parts),
        ...older.map((member) => sessionId(member, source, parts)),
      ]
    },
  }
}
