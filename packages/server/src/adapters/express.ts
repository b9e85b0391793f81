import type { Auth } from '../auth.js'
import type { GuardOptions } from '../sessions/authenticate.js'
import { attachSession } from './attached-session.js'
import {
  headersOf,
  type Next,
  type NodeRequest,
  type NodeResponse,
  send,
  toAuthRequest,
} from './node-message.js'

export { maybeSessionOf, sessionOf } from './attached-session.js'
export type { Next, NodeRequest, NodeResponse } from './node-message.js'

/** What is needed of a request of Express 4 or 5, whose `url` is relative to where the router is mounted. */
export interface ExpressRequest extends NodeRequest {
  readonly body?: unknown
}

/**
 * The login routes for Express 4 and 5, before or after a body parser. Other paths are passed to the next handler.
 *
 * @example
 * app.use('/wx', authRoutes(auth))
 */
export function authRoutes<Claims extends object>(
  auth: Auth<Claims>,
): (request: ExpressRequest, response: NodeResponse, next: Next) => Promise<void> {
  return async (request, response, next) => {
    try {
      const answer = await auth.handle(toAuthRequest(request, request.url ?? '', request.body))
      if (answer.status !== 404) return send(request, response, answer)
    } catch (error) {
      return next(error)
    }
    next()
  }
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
  return async (request, response, next) => {
    try {
      const result = await auth.guard(headersOf(request), options)
      if (result.response) return send(request, response, result.response)
      attachSession(request, auth, result.session)
    } catch (error) {
      return next(error)
    }
    next()
  }
}
