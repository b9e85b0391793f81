import { randomUUID } from 'node:crypto'
import { createBoundedMap } from '../bounded-map.js'
import type { TokenKey } from '../crypto/key-ring.js'
import { AuthError } from '../errors.js'
import { checkCount, checkDuration } from '../option-checks.js'
import { freeze, type Session, type SessionRecord } from '../session.js'
import { createTokenSigner, type TokenPayload } from './signed-token.js'

// Clocks of instances differ; a token is not rejected for that (RFC 7519 §4.1.4).
const expiryLeewaySeconds = 30
const issuedLeewaySeconds = 60

// Deployments with different settings run side by side, so a longer lifetime than our own is accepted up to this.
const usualMaxTtlSeconds = 3600

export interface AccessTokenOptions {
  /** `iss` of the access tokens (default `wxlogin`). */
  issuer?: string
  /** Lifetime of an access token, in seconds (default 900, at least 60, at most 3,600). */
  accessTtlSeconds?: number
  /** Permits an `accessTtlSeconds` above 3,600: such a token stays valid for longer after its user is banned. */
  allowLongAccessTtl?: boolean
  /**
   * How many verified tokens to cache (default 50,000, about 40 MB; 0 for none), so that each is verified once.
   */
  maxVerifiedTokens?: number
}

export interface AccessTokenNeeds {
  /** The first one that can sign does; all verify. */
  readonly keys: readonly TokenKey[]
  /** Whether tokens of this mini program are accepted here. */
  readonly knowsApp: (appId: string) => boolean | Promise<boolean>
  readonly now: () => number
}

export interface AccessTokens<Claims extends object> {
  /** A JWT for this session (RFC 9068), and its lifetime in seconds. */
  issue(record: SessionRecord, claims: Claims): Promise<{ token: string; expiresInSeconds: number }>
  /** The session of the token in the value of an `Authorization` header, if it is cached and still valid. */
  recall(authorization: string): Session<Claims> | undefined
  /** The session of a token. Throws `invalid_token` for any token that is not valid now. */
  verify(token: string): Promise<Session<Claims>>
  /** Whether it was issued here, or somebody made it look so. */
  isOwn(token: string): boolean
  /** The lifetime of new tokens. */
  readonly ttlSeconds: number
}

/** Throws a `TypeError` that names the wrong option. */
export function createAccessTokens<Claims extends object>({
  issuer = 'wxlogin',
  accessTtlSeconds = 15 * 60,
  allowLongAccessTtl = false,
  maxVerifiedTokens = 50_000,
  keys,
  knowsApp,
  now,
}: AccessTokenOptions & AccessTokenNeeds): AccessTokens<Claims> {
  if (typeof issuer !== 'string' || issuer === '')
    throw new TypeError('issuer must be a non-empty string')
  checkDuration('accessTtlSeconds', accessTtlSeconds)
  if (accessTtlSeconds < 60) throw new TypeError('accessTtlSeconds must be at least 60')
  if (accessTtlSeconds > usualMaxTtlSeconds && allowLongAccessTtl !== true) {
    throw new TypeError(
      'accessTtlSeconds must be at most 3600; set allowLongAccessTtl: true to permit more',
    )
  }
  checkCount('maxVerifiedTokens', maxVerifiedTokens, { min: 0, of: 'tokens' })

  const signer = createTokenSigner(keys, 'at+jwt')
  const maxTtlSeconds = Math.max(accessTtlSeconds, usualMaxTtlSeconds)

  // Keyed by the end of the signature, because most of a look-up is the hash of its key; only exactly what was verified
  // is found, since the whole is compared. Only valid tokens are added, so junk evicts nothing.
  const verified = createBoundedMap<string, Verified<Claims>>(maxVerifiedTokens)

  const isCurrent = ({ issuedAt, expiresAt }: Session<Claims>) => {
    const seconds = now() / 1000
    return seconds < expiresAt + expiryLeewaySeconds && issuedAt <= seconds + issuedLeewaySeconds
  }

  // None is issued here that begins later, but whoever holds a key of signingKeys may.
  const hasBegun = ({ nbf }: TokenPayload) =>
    nbf === undefined || (isInstant(nbf) && nbf <= now() / 1000 + expiryLeewaySeconds)

  return {
    ttlSeconds: accessTtlSeconds,
    isOwn: signer.knows,

    async issue({ id, userId, appId, authenticatedAt, expiresAt: sessionExpiresAt }, claims) {
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
        auth_time: authenticatedAt,
      })
      if (token.length > 4096) {
        throw new AuthError(
          'server_error',
          'The access token would be longer than 4096 characters; return fewer claims',
        )
      }
      return { token, expiresInSeconds: expiresAt - issuedAt }
    },

    recall(authorization) {
      const key = cacheKeyOf(authorization)
      const cached = verified.get(key)
      if (cached?.authorization !== authorization) return undefined
      if (isCurrent(cached.session)) return cached.session
      verified.delete(key)
      return undefined
    },

    async verify(token) {
      const payload = await signer.verify(token)
      const session =
        payload && hasBegun(payload) ? readSession<Claims>(payload, issuer) : undefined
      if (!session || !isCurrent(session) || session.expiresAt - session.issuedAt > maxTtlSeconds) {
        throw invalidToken()
      }
      const known = knowsApp(session.appId)
      if (known !== true && !(await known)) throw invalidToken()

      verified.set(cacheKeyOf(token), { authorization: `Bearer ${token}`, session })
      return session
    },
  }
}

interface Verified<Claims extends object> {
  /** In the form in which nearly every client writes it. */
  readonly authorization: string
  readonly session: Session<Claims>
}

/** As long as the shortest signature. */
const cacheKeyOf = (text: string): string => text.slice(-43)

function invalidToken(): AuthError {
  return new AuthError(
    'invalid_token',
    'The access token is missing, expired or not valid; refresh it',
  )
}

const isInstant = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** `undefined` for what was not issued here: each member that {@link AccessTokens.issue} writes is one of its kind. */
function readSession<Claims extends object>(
  { iss, aud, client_id, sub, iat, exp, nbf: _nbf, jti, sid, auth_time, ...claims }: TokenPayload,
  issuer: string,
): Session<Claims> | undefined {
  if (iss !== issuer) return undefined
  if (!isText(aud) || client_id !== aud || !isText(sub) || !isText(jti) || !isText(sid))
    return undefined
  if (!isInstant(iat) || !isInstant(exp) || exp <= iat) return undefined
  // A token of an earlier version has none, and is too old for every route that asks.
  if (auth_time !== undefined && !isInstant(auth_time)) return undefined
  return freeze({
    id: sid,
    userId: sub,
    appId: aud,
    // Signed by this ring, so it is what the claims option returned then.
    claims: claims as Claims,
    authenticatedAt: auth_time ?? 0,
    issuedAt: iat,
    expiresAt: exp,
  })
}
