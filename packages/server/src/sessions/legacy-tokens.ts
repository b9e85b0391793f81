import { createHash } from 'node:crypto'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import { callHook, checkClaims } from '../hooks.js'
import { checkNames } from '../option-checks.js'
import { freeze, readUserId, type Session, type UserId } from '../session.js'
import type { Revocation } from './revocation.js'

/** Whose a token of the login before this one is. */
export interface LegacyUser<Claims extends object = object> {
  /** The same id that `onLogin` returns for this user. */
  readonly userId: UserId
  /** Default: the first of `apps`. Required where `apps` is a function. */
  readonly appId?: string
  readonly claims?: Claims
  /** When the token ends, in seconds since the epoch (default: at `until`). */
  readonly expiresAt?: number
}

export interface LegacyOptions<Claims extends object = object> {
  /**
   * Lets tokens of the login before this one pass while old versions of the mini program are in use. They pass no route
   * that is `fresh` or has a `maxAgeSeconds`, and none where `revocation` is `'immediate'`, since nobody could revoke
   * them.
   */
  acceptLegacy?: {
    /** The instant after which none passes any more, in seconds since the epoch. */
    readonly until: number
    /**
     * Whose token it is, or `undefined` for one that is not valid. It gets only what this library has not issued, and
     * checks everything: signature, algorithm, lifetime. Whatever it throws is a 500.
     */
    readonly verify: (
      token: string,
    ) => LegacyUser<Claims> | undefined | Promise<LegacyUser<Claims> | undefined>
  }
}

export interface LegacyNeeds {
  /** The first of `apps`, if it is a list. */
  readonly firstAppId: string | undefined
  readonly knowsApp: (appId: string) => Promise<boolean>
  /** Whether this library issued the token, or somebody made it look so. */
  readonly isOwn: (token: string) => boolean
  readonly revocation?: Revocation | undefined
  readonly now: () => number
  readonly emit: EmitEvent
}

export interface LegacyTokens<Claims extends object> {
  /** Whether the token is one to ask about. */
  accepts(token: string): boolean
  /** The session of a token. Throws `invalid_token`. */
  verify(token: string): Promise<Session<Claims>>
  /** Throws `invalid_token` for a session that was made here, on a route where it could have to be revoked. */
  check(session: Session<Claims>, fresh: boolean): true | undefined
}

// The same as for the tokens of this library.
const maxLength = 4096

/** `undefined` without the option. Throws a `TypeError` if the option is wrong. */
export function createLegacyTokens<Claims extends object>({
  acceptLegacy,
  firstAppId,
  knowsApp,
  isOwn,
  revocation,
  now,
  emit,
}: LegacyOptions<Claims> & LegacyNeeds): LegacyTokens<Claims> | undefined {
  if (acceptLegacy === undefined) return undefined
  if (typeof acceptLegacy !== 'object' || acceptLegacy === null) {
    throw new TypeError('acceptLegacy must be { until, verify }')
  }
  checkNames('acceptLegacy', acceptLegacy, { until: true, verify: true })
  const { until, verify } = acceptLegacy
  if (typeof until !== 'number' || !Number.isSafeInteger(until) || until <= 0) {
    throw new TypeError(
      'acceptLegacy.until must be an instant in whole seconds since the epoch: Math.floor(Date.parse(…) / 1000)',
    )
  }
  if (until > maxInstant) {
    throw new TypeError('acceptLegacy.until must be in seconds, not milliseconds')
  }
  if (typeof verify !== 'function') throw new TypeError('acceptLegacy.verify must be a function')

  const made = new WeakSet<Session<Claims>>()
  let hasWarned = false
  warnIfOver()

  function isOver(): boolean {
    return now() / 1000 >= until
  }

  function warnIfOver(): void {
    if (hasWarned || !isOver()) return
    hasWarned = true
    emit({
      type: 'warning',
      warning: 'accept_legacy_over',
      hint: 'acceptLegacy.until has passed, so old tokens get 401; remove the option acceptLegacy',
    })
  }

  return {
    accepts(token) {
      if (isOwn(token)) return false
      warnIfOver()
      return !isOver()
    },

    async verify(token) {
      if (token.length > maxLength) throw invalidToken()
      const user: LegacyUser<Claims> | null | undefined = await callHook(
        'acceptLegacy.verify',
        () => verify(token),
      )
      if (user === undefined || user === null) throw invalidToken()
      const { appId = firstAppId, claims = {} as Claims, expiresAt = until } = Object(user)
      const issuedAt = Math.floor(now() / 1000)
      if (typeof appId !== 'string' || !Number.isSafeInteger(expiresAt)) {
        throw new AuthError(
          'server_error',
          'acceptLegacy.verify must return { userId }, with an appId where apps is a function; expiresAt is in whole seconds',
        )
      }
      const session = freeze({
        id: `legacy:${createHash('sha256').update(token).digest('base64url').slice(0, 22)}`,
        userId: readUserId(
          Object(user).userId,
          (what) =>
            new AuthError(
              'server_error',
              `acceptLegacy.verify returned a userId that is ${what}; return { userId } as onLogin does`,
            ),
        ),
        appId,
        claims: checkClaims<Claims>(claims),
        // Nobody here knows when, so it is too old for every route that asks.
        authenticatedAt: 0,
        issuedAt,
        expiresAt: Math.min(expiresAt, until),
      })
      if (session.expiresAt <= issuedAt || !(await knowsApp(appId))) throw invalidToken()
      made.add(session)
      return session
    },

    check(session, fresh) {
      if (!made.has(session)) return undefined
      if (!fresh && revocation !== 'immediate') return true
      throw new AuthError(
        'invalid_token',
        'A token of the earlier login cannot be revoked, so it does not pass here; log in again',
      )
    },
  }
}

// The year 5138 in seconds; in milliseconds it is 1973.
const maxInstant = 1e11

function invalidToken(): AuthError {
  return new AuthError('invalid_token', 'The access token is not valid; log in again')
}
