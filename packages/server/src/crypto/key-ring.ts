import { createHash, createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto'
import { isItSet, isPlaceholder } from '../option-checks.js'

/** A key for one purpose, and the key id by which tokens refer to it. */
export interface SubKey {
  readonly kid: string
  readonly key: Uint8Array
}

/** At least one key: the first one signs or encrypts, all of them verify or decrypt. */
export type Ring = readonly [SubKey, ...SubKey[]]

/** The keys for every purpose, derived from the configured secrets (HKDF-SHA-256, RFC 5869). */
export interface KeyRing {
  readonly access: Ring
  readonly refresh: Ring
  readonly seal: Ring
  readonly device: Ring
  /**
   * The ids of a session, derived from what proves its account, one per key of the ring; a new session gets the first.
   * The same `source` and `parts` always give the same ids.
   */
  sessionIds(
    source: 'wechat' | 'phone' | 'cloud_hosting' | 'cloud_function' | 'device',
    ...parts: readonly string[]
  ): readonly [string, ...string[]]
  /** The proofs of a ticket with these parts, one per key of the ring; a new ticket gets the first. */
  ticketProofs(...parts: readonly string[]): readonly [string, ...string[]]
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

export interface KeyRingOptions {
  /**
   * At least 32 bytes that only your servers know; every key is derived from it. A list rotates it: the first signs,
   * all verify. Generate one with `npx wxlogin keygen`.
   */
  secret: string | readonly string[]
}

/** The keys for one purpose. Throws a `TypeError` if the secret is not a good one. */
export function createRing({ secret }: KeyRingOptions, purpose: string): Ring {
  const [first, ...others] = checkSecrets(secret)
  return [subKey(first, purpose), ...others.map((member) => subKey(member, purpose))]
}

/** Throws a `TypeError` if the secret is not a good one. */
export function createKeyRing(options: KeyRingOptions): KeyRing {
  const ringFor = (purpose: string) => createRing(options, purpose)
  const login = ringFor('login')
  const ticket = ringFor('ticket')

  // Each part is prefixed with its length, so that different parts never give the same bytes.
  const proofsBy = (
    [current, ...older]: Ring,
    source: string,
    parts: readonly string[],
  ): readonly [string, ...string[]] => {
    const text = [source, ...parts.map((part) => `${part.length}:${part}`)].join('|')
    const proof = ({ key }: SubKey) =>
      createHmac('sha256', key).update(text).digest('base64url').slice(0, 22)
    return [proof(current), ...older.map(proof)]
  }

  return {
    access: ringFor('access'),
    refresh: ringFor('refresh'),
    seal: ringFor('seal'),
    device: ringFor('device'),
    sessionIds: (source, ...parts) => proofsBy(login, source, parts),
    ticketProofs: (...parts) => proofsBy(ticket, 'ticket', parts),
  }
}

/** A key for tokens, and the only algorithm that it is used with. */
export interface TokenKey {
  readonly kid: string
  readonly alg: 'HS256' | 'EdDSA' | 'ES256' | 'RS256'
  /** Makes JWSs with this header, in their compact form (RFC 7515 §7.1). Missing if only the public key is known here. */
  readonly signerOf?: (header: object) => (payload: string) => string | Promise<string>
  /** Whether the signature of a JWS is of this key and algorithm; its header is not looked at. */
  readonly verify: (token: string) => boolean | Promise<boolean>
}

/**
 * The keys of a ring, for HS256. They work at once: a MAC takes microseconds, and WebCrypto would take it to another thread
 * and back.
 */
export function hmacKeys(ring: Ring): TokenKey[] {
  return ring.map(({ kid, key: bytes }) => {
    const key = createSecretKey(bytes)
    const mac = (text: string) => createHmac('sha256', key).update(text).digest('base64url')
    return {
      kid,
      alg: 'HS256',

      signerOf(header) {
        const segment = base64url(JSON.stringify(header))
        return (payload) => {
          const input = `${segment}.${base64url(payload)}`
          return `${input}.${mac(input)}`
        }
      },

      verify(token) {
        const end = token.lastIndexOf('.')
        // As texts: several texts would be the same bytes.
        const given = Buffer.from(token.slice(end + 1))
        const expected = Buffer.from(mac(token.slice(0, end)))
        return given.length === expected.length && timingSafeEqual(given, expected)
      },
    }
  })
}

const base64url = (text: string) => Buffer.from(text).toString('base64url')

function checkSecrets(secret: unknown): readonly [string, ...string[]] {
  const [first, ...others]: readonly unknown[] = Array.isArray(secret) ? secret : [secret]
  const secrets = [checkSecret(first), ...others.map(checkSecret)] as const
  if (new Set(secrets).size < secrets.length)
    throw new TypeError('secret must not list the same value twice')
  return secrets
}

function checkSecret(secret: unknown): string {
  const wanted = 'generate one with `npx wxlogin keygen`'
  if (typeof secret !== 'string' || secret === '') {
    throw new TypeError(
      `secret must be a string of at least 32 bytes, or a list of them; ${isItSet}. If there is none yet, ${wanted}`,
    )
  }
  if (Buffer.byteLength(secret) < 32)
    throw new TypeError(`secret must have at least 32 bytes; ${wanted}`)
  if (new Set(secret).size < 8)
    throw new TypeError(`secret has too few different characters to be random; ${wanted}`)
  if (/^\s*\[/.test(secret)) {
    throw new TypeError(
      'secret looks like a JSON list in one text; give the list itself, by JSON.parse for example',
    )
  }
  if (/-----BEGIN|^\s*\{/.test(secret)) {
    throw new TypeError(`secret looks like a PEM or JWK key, which others may know; ${wanted}`)
  }
  if (isPlaceholder(secret)) {
    throw new TypeError(
      `secret looks like the placeholder of an example, which everybody knows; ${wanted}`,
    )
  }
  return secret
}
