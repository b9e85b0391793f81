import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'
import { decodeBase64url } from './base64url.js'
import type { TokenKey } from './key-ring.js'

/** A JSON Web Key (RFC 7517): P-256, which nearly everything verifies, RSA of at least 2,048 bits, or Ed25519. */
export interface Jwk {
  readonly kty: string
  /** Identifies the key in tokens (default: its thumbprint, RFC 7638). */
  readonly kid?: string
  readonly [member: string]: unknown
}

/** What `/jwks.json` publishes (RFC 7517 §5). */
export interface JwkSet {
  readonly keys: readonly Jwk[]
}

export interface SigningKey extends TokenKey {
  /** The public part, which may be published. */
  readonly publicJwk: Jwk
}

export interface SigningKeysOptions {
  /**
   * Lets other services verify access tokens, through `GET /jwks.json`: private JWKs (P-256, RSA, Ed25519), of which
   * the first signs and all verify. A public JWK only verifies. Tokens signed with `secret` stay valid too.
   */
  signingKeys?: readonly Jwk[]
}

/**
 * Reads the `signingKeys` option. Private keys sign and verify, public ones verify only.
 * Throws a `TypeError` that names the key by its index and never shows it.
 */
export function readSigningKeys({
  signingKeys: jwks = [],
}: SigningKeysOptions): readonly SigningKey[] {
  if (!Array.isArray(jwks)) throw new TypeError('signingKeys must be a list of JWKs')
  const keys = jwks.map(readSigningKey)
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) {
    throw new TypeError('signingKeys: two keys have the same kid')
  }
  return keys
}

function readSigningKey(jwk: Jwk, index: number): SigningKey {
  const wanted = `signingKeys[${index}] must be a JWK: P-256, RSA of at least 2048 bits, or Ed25519`
  const { publicKey, privateKey } = importJwk(jwk, wanted)
  const alg = algorithmOf(publicKey)
  if (!alg) throw new TypeError(wanted)
  if (privateKey && !belongTogether(privateKey, publicKey)) {
    throw new TypeError(
      `signingKeys[${index}]: its private part does not belong to its public part; copy the whole key again`,
    )
  }
  if ((jwk.alg ?? alg) !== alg || (jwk.use ?? 'sig') !== 'sig') {
    throw new TypeError(
      `signingKeys[${index}] must have alg "${alg}" and use "sig", or leave them out`,
    )
  }

  const { crv, e, kty, n, x, y } = publicKey.export({ format: 'jwk' })
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y }))
  const kid = jwk.kid ?? thumbprint.digest('base64url')
  if (typeof kid !== 'string' || !/^.{1,128}$/.test(kid)) {
    throw new TypeError(`signingKeys[${index}].kid must be a string of 1 to 128 characters`)
  }
  return {
    kid,
    alg,
    ...(privateKey && {
      signerOf: (header) => (payload) =>
        new CompactSign(Buffer.from(payload))
          .setProtectedHeader({ ...header, alg })
          .sign(privateKey),
    }),
    async verify(token) {
      const signature = token.slice(token.lastIndexOf('.') + 1)
      if (!decodeBase64url(signature)) return false
      return compactVerify(token, publicKey, { algorithms: [alg] }).then(
        () => true,
        () => false,
      )
    },
    publicJwk: { ...publicKey.export({ format: 'jwk' }), kty: String(kty), kid, alg, use: 'sig' },
  }
}

function importJwk(jwk: Jwk, wanted: string) {
  try {
    // Node's type requires every member; whether the import succeeds depends on what is in it.
    const input = { key: { ...jwk }, format: 'jwk' } as const
    const privateKey = 'd' in jwk ? createPrivateKey(input) : undefined
    return {
      privateKey,
      publicKey: privateKey ? createPublicKey(privateKey) : createPublicKey(input),
    }
  } catch {
    // The reason may quote key material.
    throw new TypeError(wanted)
  }
}

/** Nothing else says so before the first login. The digest is the one that keys of this type have by default. */
function belongTogether(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const probe = Buffer.alloc(32)
  try {
    return verify(null, probe, publicKey, sign(null, probe, privateKey))
  } catch {
    // Nothing can be signed with it.
  }
  return false
}

function algorithmOf(key: ReturnType<typeof createPublicKey>) {
  const { namedCurve, modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA'
  // Of all that a JWK can be, only a curve has a name, and only RSA a modulus.
  if (namedCurve === 'prime256v1') return 'ES256'
  if (modulusLength >= 2048 && publicExponent >= 65_537n) return 'RS256'
  return undefined
}
