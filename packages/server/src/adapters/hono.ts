import type { Context, MiddlewareHandler } from 'hono'
import type { Auth } from '../auth.js'
import type { GuardOptions } from '../guard-options.js'
import { checkFunctions } from '../option-checks.js'
import type { AuthRequest } from '../request.js'
import type { Session } from '../session.js'
import { attachSession, type Carrier, maybeSessionIn, sessionIn } from './attached-session.js'
import { credentialsOf, toAuthRequest, toResponse } from './fetch-message.js'
import { type AuthRoutesOptions, mountGuard, mountRoutes, pathBelow } from './mount.js'

export type { AuthRoutesOptions } from './mount.js'

export interface HonoRoutesOptions extends AuthRoutesOptions {
  /**
   * `getConnInfo` of your runtime, from `@hono/node-server/conninfo`, `hono/bun` or `hono/deno` for example: then hooks know
   * the `ip` of a request. Without it they know the headers.
   */
  getConnInfo?: (c: Context) => { readonly remote: { readonly address?: string | undefined } }
}

/** What `requireAuth(auth)` adds: `c.var.session`. */
export interface SessionEnv<Claims extends object = object> {
  Variables: { session: Session<Claims> }
}

/** What it adds with `optional`. */
export interface MaybeSessionEnv<Claims extends object = object> {
  Variables: { session: Session<Claims> | undefined }
}

const carrier: Carrier = { name: 'c', member: 'req' }

/**
 * The login routes for Hono 4, before or after the body was read, below the path that they are used for or below
 * `basePath`. Other paths are passed to the next handler.
 *
 * @example
 * app.use('/wx/*', authRoutes(auth))
 */
export function authRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options?: HonoRoutesOptions,
): MiddlewareHandler {
  const given = mountRoutes(auth, options, { getConnInfo: true })
  const getConnInfo = options?.getConnInfo
  checkFunctions({ getConnInfo })
  return async (c, next) => {
    const { pathname, search } = new URL(c.req.url)
    const basePath = given || c.req.routePath.replace(/\/?\*$/, '')
    const path = pathBelow(basePath, pathname + search)
    const request = toAuthRequest(c.req.raw, path, await readBefore(c))
    const answer = await auth.handle({
      ...request,
      get ip() {
        return getConnInfo?.(c).remote.address
      },
    })
    return answer.status === 404 ? next() : toResponse(answer)
  }
}

/**
 * Lets only requests with a valid access token through. The session is `c.var.session`, and `sessionOf(c, auth)` where
 * the type of `c` is not known.
 *
 * @example
 * app.get('/orders', requireAuth(auth), (c) => c.json(ordersOf(c.var.session.userId)))
 */
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options?: GuardOptions<Claims> & { optional?: false },
): MiddlewareHandler<SessionEnv<Claims>>
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options: GuardOptions<Claims>,
): MiddlewareHandler<MaybeSessionEnv<Claims>>
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options?: GuardOptions<Claims>,
): MiddlewareHandler<MaybeSessionEnv<Claims>> {
  mountGuard(auth, options)
  return async (c, next) => {
    const { session, response } = await auth.guard(credentialsOf(c.req.raw), options)
    if (response) return toResponse(response)
    attachSession(c, auth, session)
    c.set('session', session)
    return next()
  }
}

/** The session of a request behind `requireAuth(auth)`. Throws a `TypeError` if there is none. */
export function sessionOf<Claims extends object>(c: object, auth: Auth<Claims>): Session<Claims> {
  return sessionIn(carrier, c, auth)
}

/** The session of a request behind `requireAuth(auth, { optional: true })`, or `undefined` for an anonymous one. */
export function maybeSessionOf<Claims extends object>(
  c: object,
  auth: Auth<Claims>,
): Session<Claims> | undefined {
  return maybeSessionIn(carrier, c, auth)
}

/** Hono keeps what it has read. */
async function readBefore({ req }: Context): Promise<AuthRequest['body']> {
  return req.raw.bodyUsed ? { parsed: await req.text().catch(() => undefined) } : undefined
}
