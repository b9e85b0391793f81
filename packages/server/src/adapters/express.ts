import type { Auth } from '../auth.js'
import type { GuardOptions } from '../guard-options.js'
import type { Session } from '../session.js'
import { attachSession, type Carrier, maybeSessionIn, sessionIn } from './attached-session.js'
import { type AuthRoutesOptions, mountGuard, pathOf } from './mount.js'
import {
  credentialsOf,
  type Next,
  type NodeBodyRequest,
  type NodeRequest,
  type NodeResponse,
  send,
} from './node-message.js'
import { nodeRoutes } from './node-routes.js'

export type { AuthRoutesOptions } from './mount.js'
export type { Next, NodeBodyRequest, NodeRequest, NodeResponse } from './node-message.js'

/** What is needed of a request of Express 4 or 5, whose `url` is relative to where the router is mounted. */
export interface ExpressRequest extends NodeBodyRequest {
  /** As it came. */
  readonly originalUrl?: string
  /** The path at which the router is mounted. */
  readonly baseUrl?: string
}

const carrier: Carrier = { name: 'req', member: 'method' }

/**
 * The login routes for Express 4 and 5, before or after a body parser, below the path at which they are mounted or below
 * `basePath`. Other paths are passed to the next handler.
 *
 * @example
 * app.use('/wx', authRoutes(auth))
 */
export function authRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options?: AuthRoutesOptions,
): (request: ExpressRequest, response: NodeResponse, next: Next) => Promise<void> {
  return nodeRoutes(auth, options, isElsewhere)
}

/**
 * Lets only requests with a valid access token through; the route reads the session with `sessionOf(req, auth)`.
 *
 * @example
 * app.get('/orders', requireAuth(auth), (req, res) => res.json(ordersOf(sessionOf(req, auth).userId)))
 */
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options?: GuardOptions<Claims>,
): (request: NodeRequest, response: NodeResponse, next: Next) => Promise<void> {
  mountGuard(auth, options)
  return async (request, response, next) => {
    try {
      const result = await auth.guard(credentialsOf(request), options)
      if (result.response) return send(request, response, result.response)
      attachSession(request, auth, result.session)
    } catch (error) {
      return next(error)
    }
    next()
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

/**
 * Express takes its own path off; routes that wait below it for the same one would never be found. Express 4 also takes
 * the first of two slashes behind it, and a limit for the route would not see that one.
 */
function isElsewhere(basePath: string, request: ExpressRequest): boolean {
  const { baseUrl, originalUrl, url } = request
  if (basePath !== '' && baseUrl?.endsWith(basePath) && /^\/(login|refresh)\b/.test(pathOf(url))) {
    throw new TypeError(`Omit basePath in app.use('${baseUrl}')`)
  }
  return /^[^?]*\/\//.test(pathOf(originalUrl))
}
