import { type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose'
import type { Ring, SubKey } from './key-ring.js'

const maxLength = 4096

// Three non-empty base64url parts without padding. The last character of a part carries unused bits, which must be
// zero, else several texts would stand for one token (RFC 4648 §3.5).
const part = '(?:[\\w-]{4})*(?:[\\w-]{4}|[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])'
const compactJws = new RegExp(`^${part}\\.${part}\\.${part}$`)

/** Signs and verifies the tokens of one kind (`typ`) with one ring. */
export interface TokenSigner {
  sign(payload: JWTPayload): Promise<string>
  /** The payload, or `undefined` for every token that is not of this kind, not by this ring or not valid now. */
  verify(token: string, checks?: JWTVerifyOptions): Promise<JWTPayload | undefined>
}

export function createTokenSigner(ring: Ring, typ: string): TokenSigner {
  const [first, ...others] = ring
  const current = member(first, typ)
  const bySegment = new Map(
    [current, ...others.map((key) => member(key, typ))].map((entry) => [entry.segment, entry]),
  )

  return {
    async sign(payload) {
      return new SignJWT(payload).setProtectedHeader(current.header).sign(await current.key)
    },

    async verify(token, checks) {
      if (token.length > maxLength || !compactJws.test(token)) return undefined
      // Only headers that we would have written ourselves are accepted, byte for byte: that settles alg, typ, crit,
      // jku, jwk, x5u, b64 and whatever comes next, before a parser sees the token (RFC 8725 §3.1).
      const signer = bySegment.get(token.slice(0, token.indexOf('.')))
      if (!signer) return undefined
      const { header, key } = signer
      try {
        const { payload } = await jwtVerify(token, await key, {
          ...checks,
          algorithms: [header.alg],
        })
        return payload
      } catch {
        return undefined
      }
    },
  }
}

function member({ kid, key }: SubKey, typ: string) {
  const header = { alg: 'HS256', typ, kid }
  return {
    header,
    segment: Buffer.from(JSON.stringify(header)).toString('base64url'),
    // jose would import raw bytes anew for every token.
    key: crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
      'verify',
    ]),
  }
}
