import { createHmac, createPublicKey, verify } from 'node:crypto'
import type { Forgery } from './scenario.js'

type Members = Readonly<Record<string, unknown>>

/** A JWT, taken apart. */
export interface Jwt {
  readonly header: Members
  readonly claims: Members
}

/** `undefined` for what is no JWT; an access token may be any text. */
export function readJwt(token: string): Jwt | undefined {
  const [head, body, signature, ...more] = token.split('.')
  if (!head || !body || signature === undefined || more.length > 0) return undefined
  const header = membersOf(head)
  const claims = membersOf(body)
  return header && claims && { header, claims }
}

/** What an attacker makes of an access token. `undefined` for what is no JWT and has no such parts. */
export function forged(token: string, forgery: Forgery, keys: unknown): string | undefined {
  const jwt = readJwt(token)
  if (forgery === 'other-signature') return changed(token)
  if (!jwt) return undefined
  const [head, body, signature] = token.split('.')
  if (forgery === 'other-user') {
    return `${head}.${part({ ...jwt.claims, sub: 'somebody-else' })}.${signature}`
  }
  if (forgery === 'unsigned') return `${part({ ...jwt.header, alg: 'none' })}.${body}.`
  const text = `${part({ ...jwt.header, alg: 'HS256' })}.${part({ ...jwt.claims, sub: 'somebody-else' })}`
  const pem = pemOf(keys, jwt.header.kid)
  return pem && `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`
}

/** The text of a public key, as a library is given it. */
function pemOf(found: unknown, kid: unknown): string | undefined {
  const { keys } = Object(found)
  const key = Array.isArray(keys) ? keys.find((one) => Object(one).kid === kid) : undefined
  try {
    return createPublicKey({ format: 'jwk', key })
      .export({ format: 'pem', type: 'spki' })
      .toString()
  } catch {
    return undefined
  }
}

/** Another letter in the middle of its last part. */
function changed(token: string): string {
  const from = token.lastIndexOf('.') + 1
  const place = from + Math.floor((token.length - from) / 2)
  return token.slice(0, place) + (token[place] === 'A' ? 'B' : 'A') + token.slice(place + 1)
}

/** Whether one of these public keys (RFC 7517) has signed it. */
export function isSignedBy(token: string, { keys }: Members): boolean {
  const jwt = readJwt(token)
  if (!jwt || !Array.isArray(keys)) return false
  const cut = token.lastIndexOf('.')
  const text = Buffer.from(token.slice(0, cut))
  const signature = Buffer.from(token.slice(cut + 1), 'base64url')
  const { alg, kid } = jwt.header
  return keys.some((key: Members) => {
    if (typeof key !== 'object' || key === null || (kid !== undefined && key.kid !== kid)) {
      return false
    }
    try {
      const publicKey = createPublicKey({ format: 'jwk', key })
      if (alg === 'EdDSA') return verify(null, text, publicKey, signature)
      const isCurve = alg === 'ES256'
      if (!isCurve && alg !== 'RS256') return false
      return verify('sha256', text, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
    } catch {
      return false
    }
  })
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

function membersOf(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
