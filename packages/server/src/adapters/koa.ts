import type { Auth } from '../auth.js'
import type { GuardOptions } from '../guard-options.js'
import type { Session } from '../session.js'
import { attachSession, type Carrier, maybeSessionIn, sessionIn } from './attached-session.js'
import { type AuthRoutesOptions, mountGuard, mountRoutes, pathBelow } from './mount.js'
import {
  credentialsOf,
  type NodeRequest,
  type NodeResponse,
  send,
  toAuthRequest,
} from './node-message.js'

export type { AuthRoutesOptions } from './mount.js'
export type { NodeRequest, NodeResponse } from './node-message.js'

/** What is needed of the context of Koa 2 or 3, whose `url` is relative to where koa-mount has mounted it. */
export interface KoaContext {
  readonly req: NodeRequest
  readonly res: NodeResponse
  /** Where a body parser leaves what it has made, and where Koa says by `ip` who asks. */
  readonly request: { readonly ip?: string }
  readonly url: string
  readonly state: object
}

/** The state behind `requireAuth(auth)`, for `new Koa<SessionState>()`. */
export interface SessionState<Claims extends object = object> {
  session: Session<Claims>
}

export type KoaNext = () => Promise<unknown>

const carrier: Carrier = { name: 'ctx', member: 'state' }

/**
 * The login routes for Koa 2 and 3, before or after a body parser, below `basePath` or where koa-mount puts them. Other
 * paths are passed to the next middleware.
 *
 * @example
 * app.use(authRoutes(auth, { basePath: '/wx' }))
 */
export function authRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options?: AuthRoutesOptions,
): (ctx: KoaContext, next: KoaNext) => Promise<void> {
  const basePath = mountRoutes(auth, options)
  return async (ctx, next) => {
    const answer = await auth.handle(
      toAuthRequest(ctx.req, pathBelow(basePath, ctx.url), ctx.request, ctx.request),
    )
    if (answer.status === 404) await next()
    // Not by ctx.body: a middleware that wraps every body would wrap tokens, too.
    else send(ctx.req, ctx.res, answer)
  }
}

/**
 * Lets only requests with a valid access token through. The session is `ctx.state.session`, and with the type of its
 * claims `sessionOf(ctx, auth)`.
 *
 * @example
 * router.get('/orders', requireAuth(auth), (ctx) => {
 *   ctx.body = ordersOf(sessionOf(ctx, auth).userId)
 * })
 */
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options?: GuardOptions<Claims>,
): (ctx: KoaContext, next: KoaNext) => Promise<void> {
  mountGuard(auth, options)
  return async (ctx, next) => {
    const { session, response } = await auth.guard(credentialsOf(ctx.req, ctx.request), options)
    if (response) return send(ctx.req, ctx.res, response)
    attachSession(ctx, auth, session)
    Object.assign(ctx.state, { session })
    await next()
  }
}

/** The session of a request behind `requireAuth(auth)`. Throws a `TypeError` if there is none. */
export function sessionOf<Claims extends object>(
  ctx: KoaContext,
  auth: Auth<Claims>,
): Session<Claims> {
  return sessionIn(carrier, ctx, auth)
}

/** The session of a request behind `requireAuth(auth, { optional: true })`, or `undefined` for an anonymous one. */
export function maybeSessionOf<Claims extends object>(
  ctx: KoaContext,
  auth: Auth<Claims>,
): Session<Claims> | undefined {
  return maybeSessionIn(carrier, ctx, auth)
}
