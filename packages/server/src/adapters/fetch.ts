import type { Auth } from '../auth.js'
import type { GuardOptions } from '../guard-options.js'
import type { Session } from '../session.js'
import { attachSession, type Carrier, maybeSessionIn, sessionIn } from './attached-session.js'
import { credentialsOf, toAuthRequest, toResponse } from './fetch-message.js'
import { type AuthRoutesOptions, mountGuard, mountRoutes, pathBelow } from './mount.js'

export type { AuthRoutesOptions } from './mount.js'

const carrier: Carrier = { name: 'the Request', member: 'method' }

/**
 * The login routes for everything that uses `Request` and `Response`. Other paths get a 404.
 *
 * @example
 * const wx = authRoutes(auth, { basePath: '/wx' })
 * export const POST = wx
 */
export function authRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options?: AuthRoutesOptions,
): (request: Request) => Promise<Response> {
  const basePath = mountRoutes(auth, options)
  return async (request) => {
    const { pathname, search } = new URL(request.url)
    return toResponse(
      await auth.handle(toAuthRequest(request, pathBelow(basePath, pathname + search))),
    )
  }
}

/**
 * Wraps a handler, so that only requests with a valid access token reach it; the handler reads the session with
 * `sessionOf(request, auth)`.
 *
 * @example
 * const orders = requireAuth(auth)((request) => Response.json(ordersOf(sessionOf(request, auth).userId)))
 */
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options?: GuardOptions<Claims>,
): <Rest extends unknown[]>(
  handler: (request: Request, ...rest: Rest) => Response | Promise<Response>,
) => (request: Request, ...rest: Rest) => Promise<Response> {
  mountGuard(auth, options)
  return (handler) =>
    async (request, ...rest) => {
      const result = await auth.guard(credentialsOf(request), options)
      if (result.response) return toResponse(result.response)
      attachSession(request, auth, result.session)
      return handler(request, ...rest)
    }
}

/** The session of a request behind `requireAuth(auth)`. Throws a `TypeError` if there is none. */
export function sessionOf<Claims extends object>(
  request: object,
  auth: Auth<Claims>,
): Session<Claims> {
  return sessionIn(carrier, request, auth)
}

/** The session of a request behind `requireAuth(auth, { optional: true })`, or `undefined` for an anonymous one. */
export function maybeSessionOf<Claims extends object>(
  request: object,
  auth: Auth<Claims>,
): Session<Claims> | undefined {
  return maybeSessionIn(carrier, request, auth)
}
