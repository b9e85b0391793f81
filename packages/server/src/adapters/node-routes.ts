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

/** The login routes for whatever has middleware as Express has. `isElsewhere` says of paths that they are none of ours. */
export function nodeRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options: AuthRoutesOptions | undefined,
  isElsewhere?: (basePath: string, request: NodeBodyRequest) => boolean,
): NodeMiddleware<NodeBodyRequest> {
  const basePath = mountRoutes(auth, options)
  return async (request, response, next) => {
    try {
      const path = isElsewhere?.(basePath, request) ? '' : pathBelow(basePath, request.url)
      const answer = await auth.handle(toAuthRequest(request, path))
      if (answer.status !== 404) return send(request, response, answer)
    } catch (error) {
      return next(error)
    }
    next()
  }
}
