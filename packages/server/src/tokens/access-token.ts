import { randomUUID } from 'node:crypto'
import type { Ring } from '../crypto/key-ring.js'
import { AuthError } from '../errors.js'
import { freeze } from '../freeze.js'
import { jsonCopy } from '../json-copy.js'
import type { Session, SessionRecord } from '../session.js'
import { createTokenSigner, hmacKeys, type TokenKey } from './signed-token.js'

// Clocks of instances differ; a token is not refused for that (RFC 7519 §4.1.4).
const expiryLeewaySeconds = 30
const issuedLeewaySeconds = 60

// Deploys with different settings run side by side, so a longer life than this one's own is accepted up to here.
const usualMaxTtlSeconds = 3600

// With the other claims and a signature they fit into a token of 4,096 characters, which is all that is verified.
const maxClaimsLength = 2048

const reservedClaims: ReadonlySet<string> = new Set([
  'iss',
  'aud',
  'client_id',
  'sub',
  'iat',
  'exp',
  'nbf',
  'jti',
  'sid',
])

export interface AccessTokenOptions {
  readonly ring: Ring
  /** Stand before the ring, so the first of them that is private signs. */
  readonly signingKeys: readonly TokenKey[]
  readonly issuer: string
  readonly accessTtlSeconds: number
  readonly maxVerifiedTokens: number
  readonly now: () => number
  /** Whether tokens of this mini program are accepted here. */
  readonly knowsApp: (appId: string) => Promise<boolean>
}

export interface AccessTokens<Claims extends object> {
  /** A JWT as in RFC 9068 for this session, and its life in seconds. */
  issue(record: SessionRecord, claims: Claims): Promise<{ token: string; expiresInSeconds: number }>
  /** The session of a token that was verified before and is still valid. */
  recall(token: string): Session<Claims> | undefined
  /** The session that the token speaks for. Throws `invalid_token` for every token that is not valid now. */
  verify(token: string): Promise<Session<Claims>>
}

export function createAccessTokens<Claims extends object>({
  ring,
  signingKeys,
  issuer,
  accessTtlSeconds,
  maxVerifiedTokens,
  now,
  knowsApp,
}: AccessTokenOptions): AccessTokens<Claims> {
  const signer = createTokenSigner([...signingKeys, ...hmacKeys(ring)], 'at+jwt')
  const maxTtlSeconds = Math.max(accessTtlSeconds, usualMaxTtlSeconds)

  // Keyed by the whole text, so only the very token that was verified is found. Bounded; the oldest goes first, and
  // that is the one that expires first. Only valid tokens come in, so junk evicts nothing.
  const verified = new Map<string, Session<Claims>>()

  const isCurrent = ({ issuedAt, expiresAt }: Session<Claims>) => {
    const seconds = now() / 1000
    return seconds < expiresAt + expiryLeewaySeconds && issuedAt <= seconds + issuedLeewaySeconds
  }

  return {
    async issue({ id, userId, appId, expiresAt: sessionExpiresAt }, claims) {
      const issuedAt = Math.floor(now() / 1000)
      const expiresAt = Math.min(issuedAt + accessTtlSeconds, sessionExpiresAt)
      const token = await signer.sign({
        ...claims,
        iss: issuer,
        aud: appId,
        client_id: appId,
        sub: userId,
        iat: issuedAt,
        exp: expiresAt,
        jti: randomUUID(),
        sid: id,
      })
      if (token.length > 4096) {
        throw new AuthError(
          'server_error',
          'The access token would be longer than 4096 characters; return fewer claims',
        )
      }
      return { token, expiresInSeconds: expiresAt - issuedAt }
    },

    recall(token) {
      const session = verified.get(token)
      if (session === undefined || isCurrent(session)) return session
      verified.delete(token)
      return undefined
    },

    async verify(token) {
      const payload = await signer.verify(token, {
        issuer,
        currentDate: new Date(now()),
        clockTolerance: expiryLeewaySeconds,
      })
      const session = payload && readSession<Claims>(payload)
      if (!session || !isCurrent(session) || session.expiresAt - session.issuedAt > maxTtlSeconds) {
        throw invalidToken()
      }
      if (!(await knowsApp(session.appId))) throw invalidToken()

      if (verified.size >= maxVerifiedTokens && !verified.has(token)) {
        const [oldest] = verified.keys()
        if (oldest !== undefined) verified.delete(oldest)
      }
      if (maxVerifiedTokens > 0) verified.set(token, session)
      return session
    },
  }
}

/** The app's claims, checked: a plain object that survives JSON and names nothing that the token itself says. */
export function checkClaims<Claims extends object>(claims: Claims): Claims {
  const copy = jsonCopy(claims, 'What the claims option returns')
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy)) {
    throw new AuthError('server_error', 'The claims option must return an object of JSON values')
  }
  if (JSON.stringify(copy).length > maxClaimsLength) {
    throw new AuthError(
      'server_error',
      `The claims option returned more than ${maxClaimsLength} characters of JSON; every request carries them`,
    )
  }
  for (const name of Object.keys(copy)) {
    if (reservedClaims.has(name)) {
      throw new AuthError(
        'server_error',
        `The claims option returned the reserved claim "${name}"; rename it`,
      )
    }
  }
  return copy
}

function invalidToken(): AuthError {
  return new AuthError(
    'invalid_token',
    'The access token is missing, expired or not valid; refresh it',
  )
}

const isInstant = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function readSession<Claims extends object>(
  payload: Record<string, unknown>,
): Session<Claims> | undefined {
  const { iss: _iss, aud, client_id, sub, iat, exp, jti, sid, ...claims } = payload
  if (!isText(aud) || client_id !== aud || !isText(sub) || !isText(jti) || !isText(sid))
    return undefined
  if (!isInstant(iat) || !isInstant(exp) || exp <= iat) return undefined
  return freeze({
    id: sid,
    userId: sub,
    appId: aud,
    // Signed by this ring, so it is what the claims option returned then.
    claims: claims as Claims,
    issuedAt: iat,
    expiresAt: exp,
  })
}
