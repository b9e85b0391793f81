import { decodeBase64url } from '../crypto/base64url.js'
import type { TokenKey } from '../crypto/key-ring.js'

const maxLength = 4096

/** The JSON object that a token carries; nothing is known of its members. */
export type TokenPayload = Readonly<Record<string, unknown>>

/** Signs and verifies the tokens of one kind (`typ`). */
export interface TokenSigner {
  sign(payload: TokenPayload): Promise<string>
  /** Whether its header is one of those that are written here, whoever signed it. */
  knows(token: string): boolean
  /** The payload, or `undefined` for a token that is of another kind, of another key or not valid JSON. */
  verify(token: string): Promise<TokenPayload | undefined>
}

/** The first key that can sign does; all verify. */
export function createTokenSigner(keys: readonly TokenKey[], typ: string): TokenSigner {
  const headerOf = ({ alg, kid }: TokenKey) => ({ alg, typ, kid })
  const bySegment = new Map(
    keys.map((key) => [Buffer.from(JSON.stringify(headerOf(key))).toString('base64url'), key]),
  )
  const key = keys.find(({ signerOf }) => signerOf)
  const signed = key?.signerOf?.(headerOf(key))

  return {
    async sign(payload) {
      if (!signed) throw new TypeError(`No key can sign tokens of type ${typ}`)
      return signed(JSON.stringify(payload))
    },

    knows(token) {
      // Of every text there is a first part.
      const [segment] = token.split('.', 1) as [string]
      return bySegment.has(segment) || typOf(segment) === typ
    },

    async verify(token) {
      if (typeof token !== 'string' || token.length > maxLength) return undefined
      // Only headers that we would have written ourselves are accepted, byte for byte: that rules out any other alg,
      // typ, crit, jku, jwk, x5u, b64 and whatever comes next, before a parser sees the token (RFC 8725 §3.1).
      const parts = token.split('.', 4)
      if (!areThree(parts)) return undefined
      const [header, payload] = parts
      const isGenuine = bySegment.get(header)?.verify(token)
      // A key that needs no other thread costs no turn of the event loop.
      return isGenuine === true || (await isGenuine) ? readPayload(payload) : undefined
    },
  }
}

const areThree = (parts: string[]): parts is [string, string, string] => parts.length === 3

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A JSON object, in the very text that `JSON.stringify` makes of it: two members of one name, or a text that two parsers
 * could read differently, are nothing that was issued here.
 */
function readPayload(segment: string): TokenPayload | undefined {
  try {
    // What is no base64url has no bytes, and what has none is no JSON.
    const text = utf8.decode(decodeBase64url(segment))
    const payload: unknown = JSON.parse(text)
    if (isObject(payload) && JSON.stringify(payload) === text) return payload
  } catch {
    // No UTF-8, or no JSON.
  }
  return undefined
}

const isObject = (value: unknown): value is TokenPayload =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The `typ` of a header, which a key that has been rotated out leaves readable. */
function typOf(segment: string): unknown {
  try {
    return Object(JSON.parse(Buffer.from(segment, 'base64url').toString())).typ
  } catch {
    // It is no header.
  }
  return undefined
}
