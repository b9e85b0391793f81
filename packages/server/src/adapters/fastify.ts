import type { FastifyRequest } from 'fastify'
import type { Auth } from '../auth.js'
import type { GuardOptions } from '../guard-options.js'
import type { AuthResponse } from '../request.js'
import type { Session } from '../session.js'
import { attachSession, type Carrier, maybeSessionIn, sessionIn } from './attached-session.js'
import { type AuthRoutesOptions, mountGuard, mountRoutes, pathBelow } from './mount.js'
import { credentialsOf, giveUpBody, type NodeBodyRequest, toAuthRequest } from './node-message.js'

export type { AuthRoutesOptions } from './mount.js'
export type { NodeBodyRequest, NodeRequest } from './node-message.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Behind `requireAuth(auth)`; with the type of its claims it is `sessionOf(request, auth)`. */
    session: Session | undefined
  }
}

/** What is needed of a request of Fastify 5. */
export interface FastifyMessage extends Pick<FastifyRequest, 'id'> {
  /** The address, as Fastify knows it. */
  readonly ip?: string
  readonly raw: NodeBodyRequest
}

/** What is needed of a reply. */
export interface FastifyAnswer {
  code(status: number): unknown
  headers(headers: Record<string, string>): unknown
  send(body?: string): unknown
  callNotFound(): unknown
}

export type FastifyHook = (request: FastifyMessage, reply: FastifyAnswer) => Promise<unknown>

/** What is needed of an instance. */
export interface FastifyApp {
  readonly prefix: string
  hasRequestDecorator(name: string): boolean
  decorateRequest(name: string): unknown
  register(
    plugin: (app: FastifyApp, options: object, done: () => void) => void,
    options: { prefix: string },
  ): unknown
  all(
    path: string,
    options: { onRequest: FastifyHook },
    handler: (request: FastifyMessage, reply: FastifyAnswer) => void,
  ): unknown
}

export type FastifyPlugin = (
  app: FastifyApp,
  options: { prefix?: string },
  done: () => void,
) => void

const carrier: Carrier = { name: 'request', member: 'routeOptions' }

/**
 * The login routes, a plugin for Fastify 5, below `prefix`. It answers before a body is parsed and before whatever hooks
 * of yours do with payloads that are no text. Other paths get the answer of the not-found handler.
 *
 * @example
 * await app.register(authRoutes(auth), { prefix: '/wx' })
 */
export function authRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options?: AuthRoutesOptions,
): FastifyPlugin {
  const basePath = mountRoutes(auth, options)

  function routes(app: FastifyApp, _options: object, done: () => void): void {
    app.all(
      '/*',
      {
        async onRequest(request, reply) {
          const { raw } = request
          const path = pathBelow(app.prefix, raw.url)
          const answer = await auth.handle(toAuthRequest(raw, path, raw, request))
          return answer.status === 404 ? undefined : respond(raw, reply, answer)
        },
      },
      (_request, reply) => {
        reply.callNotFound()
      },
    )
    done()
  }

  function plugin(app: FastifyApp, { prefix = '' }: { prefix?: string }, done: () => void): void {
    // @fastify/session has one of this name.
    if (!app.hasRequestDecorator('session')) app.decorateRequest('session')
    app.register(routes, { prefix: prefix + basePath })
    done()
  }

  // The decorator is for the whole app, and the routes bring their prefix themselves.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: '@wxlogin/server',
  })
}

/**
 * A hook that lets only requests with a valid access token through: `onRequest` before the body is parsed, or
 * `preHandler`. The session is `request.session`, and with the type of its claims `sessionOf(request, auth)`.
 *
 * @example
 * app.get('/orders', { onRequest: requireAuth(auth) }, async (request) => ordersOf(sessionOf(request, auth).userId))
 */
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options?: GuardOptions<Claims>,
): FastifyHook {
  mountGuard(auth, options)
  return async (request, reply) => {
    const { session, response } = await auth.guard(credentialsOf(request.raw, request), options)
    if (response) return respond(request.raw, reply, response)
    attachSession(request, auth, session)
    Object.assign(request, { session })
    return undefined
  }
}

/** The session of a request behind `requireAuth(auth)`. Throws a `TypeError` if there is none. */
export function sessionOf<Claims extends object>(
  request: FastifyMessage,
  auth: Auth<Claims>,
): Session<Claims> {
  return sessionIn(carrier, request, auth)
}

/** The session of a request behind `requireAuth(auth, { optional: true })`, or `undefined` for an anonymous one. */
export function maybeSessionOf<Claims extends object>(
  request: FastifyMessage,
  auth: Auth<Claims>,
): Session<Claims> | undefined {
  return maybeSessionIn(carrier, request, auth)
}

/** Through the reply, so that what other plugins have set goes out as well. */
function respond(
  request: NodeBodyRequest,
  reply: FastifyAnswer,
  { status, headers, body, closes }: AuthResponse,
): FastifyAnswer {
  reply.code(status)
  reply.headers({ ...headers, ...(closes && giveUpBody(request)) })
  reply.send(body)
  return reply
}
