import { AuthError } from '../errors.js'
import { checkGuardOptions, type GuardOptions } from '../guard-options.js'
import { callHook } from '../hooks.js'
import { kindOf } from '../option-checks.js'
import type { RequestHeaders } from '../request.js'
import type { Session } from '../session.js'
import type { AccessTokens } from '../tokens/access-token.js'
import type { LegacyTokens } from './legacy-tokens.js'
import type { RevocationCheck } from './revocation.js'
import { sessionEnded } from './sessions.js'

/** The value of an `Authorization` header, or the headers of a request. */
export type Credentials = string | undefined | RequestHeaders

export interface Authenticate<Claims extends object> {
  (
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<Session<Claims>>
  (credentials: Credentials, options?: GuardOptions<Claims>): Promise<Session<Claims> | undefined>
}

export interface AuthenticateNeeds<Claims extends object> {
  readonly accessTokens: AccessTokens<Claims>
  readonly isUnrevoked: RevocationCheck
  readonly now: () => number
  /** Tokens of an earlier login that still pass. */
  readonly legacyTokens?: LegacyTokens<Claims> | undefined
  /** The session of a request without a token, if a platform vouches for its user. */
  readonly sessionByPlatform?:
    | ((request: RequestHeaders, ended?: Session<Claims>) => Promise<Session<Claims> | undefined>)
    | undefined
}

/** Who sent a request, and whether they may. */
export function createAuthenticate<Claims extends object>({
  accessTokens,
  isUnrevoked,
  now,
  legacyTokens,
  sessionByPlatform,
}: AuthenticateNeeds<Claims>): Authenticate<Claims> {
  // Once each, and not for every request: a guard has the same ones all the time.
  const none: GuardOptions<Claims> = {}
  const checked = new WeakSet<GuardOptions<Claims>>()

  function authenticate(
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<Session<Claims>>
  function authenticate(
    credentials: Credentials,
    options?: GuardOptions<Claims>,
  ): Promise<Session<Claims> | undefined>
  // Not async: a cached token is admitted in the same turn, and this runs for every request.
  function authenticate(
    credentials: Credentials,
    options: GuardOptions<Claims> = none,
  ): Promise<Session<Claims> | undefined> {
    try {
      if (!checked.has(options)) {
        checkGuardOptions(options)
        checked.add(options)
      }
      const found = sessionBehind(credentials)
      return found instanceof Promise
        ? found.then((session) => admit(session, credentials, options))
        : admit(found, credentials, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  function admit(
    session: Session<Claims> | undefined,
    credentials: Credentials,
    options: GuardOptions<Claims>,
  ): Promise<Session<Claims> | undefined> {
    const { optional = false, appIds, fresh = false, maxAgeSeconds, allow } = options
    if (!session && optional) return Promise.resolve(undefined)
    if (!session) throw invalidToken('The request has no bearer token in its Authorization header')
    if (appIds && !appIds.includes(session.appId)) {
      throw new AuthError('insufficient_scope', 'This route is for users of another mini program')
    }
    const unrevoked = legacyTokens?.check(session, fresh) ?? isUnrevoked(session, fresh)
    return unrevoked === true && maxAgeSeconds === undefined && !allow
      ? Promise.resolve(session)
      : admitByRules(session, unrevoked, credentials, options)
  }

  async function admitByRules(
    found: Session<Claims>,
    unrevoked: true | Promise<boolean>,
    credentials: Credentials,
    { maxAgeSeconds, allow }: GuardOptions<Claims>,
  ): Promise<Session<Claims>> {
    const session = (await unrevoked) ? found : await insteadOf(found, credentials)
    if (maxAgeSeconds !== undefined && !isByPlatform(credentials)) checkAge(session, maxAgeSeconds)
    if (allow && !(await isAllowed(allow, session))) {
      throw new AuthError('insufficient_scope', 'This user may not use this route')
    }
    return session
  }

  /** Without a token, a session that has ended is another one's turn, unless it was revoked. */
  async function insteadOf(
    ended: Session<Claims>,
    credentials: Credentials,
  ): Promise<Session<Claims>> {
    const other = isByPlatform(credentials)
      ? await sessionByPlatform?.(credentials, ended)
      : undefined
    if (!other) throw sessionEnded()
    return other
  }

  function checkAge({ authenticatedAt }: Session<Claims>, maxAgeSeconds: number): void {
    // 0 says that nobody knows when.
    if (authenticatedAt > 0 && Math.floor(now() / 1000) - authenticatedAt <= maxAgeSeconds) return
    throw new AuthError(
      'insufficient_user_authentication',
      'The last login is too long ago for this route; log in anew and send the request again',
      { maxAgeSeconds },
    )
  }

  /** `undefined` without credentials; throws for invalid ones. */
  function sessionBehind(
    credentials: Credentials,
  ): Session<Claims> | undefined | Promise<Session<Claims> | undefined> {
    // JavaScript may pass the null that Headers.get returns.
    const isHeaders = typeof credentials === 'object' && credentials !== null
    if (isHeaders ? typeof credentials.header !== 'function' : isNeither(credentials)) {
      throw new TypeError(
        'authenticate takes the text of the Authorization header, or an object with header(name)',
      )
    }
    const authorization = isHeaders ? credentials.header('authorization') : credentials
    if (typeof authorization === 'string') {
      const recalled = accessTokens.recall(authorization)
      if (recalled) return recalled
      const token = bearerToken(authorization)
      if (token === undefined) {
        throw invalidToken('The Authorization header is not a bearer token')
      }
      const inUsualForm = `Bearer ${token}`
      const known = inUsualForm === authorization ? undefined : accessTokens.recall(inUsualForm)
      if (known) return known
      return legacyTokens?.accepts(token) ? legacyTokens.verify(token) : accessTokens.verify(token)
    }
    return isHeaders ? sessionByPlatform?.(credentials) : undefined
  }

  return authenticate
}

/** Anything but true or false is a slip, a `return` that is missing for example, and no word about the user. */
async function isAllowed<Claims extends object>(
  allow: NonNullable<GuardOptions<Claims>['allow']>,
  session: Session<Claims>,
): Promise<boolean> {
  const said: unknown = await callHook('allow', () => allow(session))
  if (typeof said === 'boolean') return said
  throw new AuthError(
    'server_error',
    `The allow option returned ${kindOf(said)}; return true or false`,
  )
}

const isNeither = (credentials: unknown) =>
  credentials !== undefined && credentials !== null && typeof credentials !== 'string'

/** Whether there is no token, so that whoever is known is known by the platform. */
function isByPlatform(credentials: Credentials): credentials is RequestHeaders {
  return (
    typeof credentials === 'object' &&
    credentials !== null &&
    typeof credentials.header('authorization') !== 'string'
  )
}

function bearerToken(authorization: string): string | undefined {
  // The usual form without a regular expression: this runs for every request.
  if (authorization.startsWith('Bearer ') && !authorization.includes(' ', 7)) {
    return authorization.slice(7) || undefined
  }
  return /^Bearer +([^\s,]+) *$/i.exec(authorization)?.[1]
}

function invalidToken(message: string): AuthError {
  return new AuthError('invalid_token', message)
}
