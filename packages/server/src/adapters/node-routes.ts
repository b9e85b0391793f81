import type { Auth } from '../auth.js'
import { type AuthRoutesOptions, mountRoutes, pathBelow } from './mount.js'
import {
  type Next,
  type NodeBodyRequest,
  type NodeResponse,
  send,
  toAuthRequest,
} from './node-message.js'

export type NodeMiddleware<Request> = (
  request: Request,
  response: NodeResponse,
  next: Next,
) => Promise<void>

/** The login routes for whatever has middleware as Express has. `check` throws at a request that shows a wrong mount. */
export function nodeRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options: AuthRoutesOptions | undefined,
  check?: (basePath: string, request: NodeBodyRequest) => void,
): NodeMiddleware<NodeBodyRequest> {
  const basePath = mountRoutes(auth, options)
  return async (request, response, next) => {
    try {
      check?.(basePath, request)
      const answer = await auth.handle(toAuthRequest(request, pathBelow(basePath, request.url)))
      if (answer.status !== 404) return send(request, response, answer)
    } catch (error) {
      return next(error)
    }
    next()
  }
}
