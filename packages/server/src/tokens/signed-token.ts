import { type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose'
import type { TokenKey } from '../crypto/key-ring.js'

const maxLength = 4096

// Three non-empty base64url parts without padding. The last character of a part has unused bits, which must be zero,
// or else several strings would be the same token (RFC 4648 §3.5).
const part = '(?:[\\w-]{4})*(?:[\\w-]{4}|[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])'
const compactJws = new RegExp(`^${part}\\.${part}\\.${part}$`)

/** Signs and verifies the tokens of one kind (`typ`). */
export interface TokenSigner {
  sign(payload: JWTPayload): Promise<string>
  /** Whether its header is one of those that are written here, whoever signed it. */
  knows(token: string): boolean
  /** The payload, or `undefined` for a token that is of another kind, of another key or not valid now. */
  verify(token: string, checks?: JWTVerifyOptions): Promise<JWTPayload | undefined>
}

/** The first key that can sign does; all verify. */
export function createTokenSigner(keys: readonly TokenKey[], typ: string): TokenSigner {
  const headerOf = ({ alg, kid }: TokenKey) => ({ alg, typ, kid })
  const bySegment = new Map(
    keys.map((key) => [Buffer.from(JSON.stringify(headerOf(key))).toString('base64url'), key]),
  )
  const signer = keys.find(({ signKey }) => signKey)

  return {
    async sign(payload) {
      if (!signer?.signKey) throw new TypeError(`No key can sign tokens of type ${typ}`)
      return new SignJWT(payload).setProtectedHeader(headerOf(signer)).sign(await signer.signKey)
    },

    knows(token) {
      const [segment = ''] = token.split('.', 1)
      return bySegment.has(segment) || typOf(segment) === typ
    },

    async verify(token, checks) {
      if (typeof token !== 'string' || token.length > maxLength || !compactJws.test(token)) {
        return undefined
      }
      // Only headers that we would have written ourselves are accepted, byte for byte: that rules out any other alg,
      // typ, crit, jku, jwk, x5u, b64 and whatever comes next, before a parser sees the token (RFC 8725 §3.1).
      const key = bySegment.get(token.slice(0, token.indexOf('.')))
      if (!key) return undefined
      try {
        const { payload } = await jwtVerify(token, await key.verifyKey, {
          ...checks,
          algorithms: [key.alg],
        })
        return payload
      } catch {
        return undefined
      }
    },
  }
}

/** The `typ` of a header, which a key that has been rotated out leaves readable. */
function typOf(segment: string): unknown {
  try {
    return Object(JSON.parse(Buffer.from(segment, 'base64url').toString())).typ
  } catch {
    return undefined
  }
}
