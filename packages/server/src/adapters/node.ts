import type { Auth } from '../auth.js'
import type { GuardOptions } from '../guard-options.js'
import type { Session } from '../session.js'
import { attachSession, type Carrier, maybeSessionIn, sessionIn } from './attached-session.js'
import { type AuthRoutesOptions, mountGuard, mountRoutes, pathBelow } from './mount.js'
import {
  credentialsOf,
  type NodeBodyRequest,
  type NodeRequest,
  type NodeResponse,
  send,
  toAuthRequest,
} from './node-message.js'

export type { AuthRoutesOptions } from './mount.js'
export type { NodeBodyRequest, NodeRequest, NodeResponse } from './node-message.js'

const carrier: Carrier = { name: 'req', member: 'method' }

/**
 * The login routes for a plain `node:http` server, also where a platform has read the body into `request.body`. Other
 * paths are passed to `next`, or get a 404 without one.
 *
 * @example
 * const wx = authRoutes(auth, { basePath: '/wx' })
 * createServer((req, res) => wx(req, res, () => app(req, res)))
 */
export function authRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options?: AuthRoutesOptions,
): (request: NodeBodyRequest, response: NodeResponse, next?: () => void) => Promise<void> {
  const basePath = mountRoutes(auth, options)
  return async (request, response, next) => {
    const answer = await auth.handle(toAuthRequest(request, pathBelow(basePath, request.url)))
    if (answer.status === 404 && next) next()
    else send(request, response, answer)
  }
}

/**
 * Lets only requests with a valid access token through to `next`; read the session with `sessionOf(req, auth)`.
 *
 * @example
 * const guard = requireAuth(auth)
 * createServer((req, res) => guard(req, res, () => res.end(sessionOf(req, auth).userId)))
 */
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options?: GuardOptions<Claims>,
): (request: NodeRequest, response: NodeResponse, next: () => void) => Promise<void> {
  mountGuard(auth, options)
  return async (request, response, next) => {
    const result = await auth.guard(credentialsOf(request), options)
    if (result.response) return send(request, response, result.response)
    attachSession(request, auth, result.session)
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
