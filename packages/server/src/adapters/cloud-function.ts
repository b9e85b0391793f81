import type { Auth } from '../auth.js'
import type { GuardOptions } from '../guard-options.js'
import type { AuthResponse, RequestHeaders } from '../request.js'
import type { Session } from '../session.js'
import { attachSession, type Carrier, maybeSessionIn, sessionIn } from './attached-session.js'
import { type AuthRoutesOptions, mountGuard, mountRoutes, pathBelow } from './mount.js'

export type { AuthRoutesOptions } from './mount.js'

/**
 * The event of a call by `@wxlogin/client`: a request in the words of `wx.request`, with a path in place of the url. An
 * event that other code made has other members, and none of these.
 */
export interface FunctionEvent {
  readonly path?: string
  readonly method?: string
  readonly header?: Readonly<Record<string, string>>
  /** JSON. */
  readonly data?: unknown
}

/** What the client takes for an answer, in the words of `wx.request`; any other result is the data of a 200. */
export interface FunctionAnswer {
  readonly statusCode: number
  readonly header: Readonly<Record<string, string>>
  readonly data: unknown
}

// Every event has this one, whoever made it.
const carrier: Carrier = { name: 'event', member: 'valueOf' }

/**
 * The login routes for a cloud function (云函数) that the mini program calls by `wx.cloud.callFunction`. Other paths get
 * a 404. With the option `cloudFunction` of `createAuth` a login needs no code.
 *
 * @example
 * const wx = authRoutes(auth, { basePath: '/wx' })
 * exports.main = (event) => (event.path === '/orders' ? orders(event) : wx(event))
 */
export function authRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options?: AuthRoutesOptions,
): (event: FunctionEvent) => Promise<FunctionAnswer> {
  const basePath = mountRoutes(auth, options)
  return async (event) => {
    const { path, method, data } = toEvent(event)
    return toAnswer(
      await auth.handle({
        ...callOf(event),
        method: String(method ?? 'GET'),
        path: pathBelow(basePath, String(path ?? '')),
        body: { parsed: data },
      }),
    )
  }
}

/**
 * Wraps a handler of a cloud function, so that only calls by somebody who is signed in reach it; the handler reads the
 * session with `sessionOf(event, auth)`. With the option `cloudFunction` of `createAuth`, a call without a token is by
 * whom the platform says, so that a function that other code calls can be guarded too.
 *
 * @example
 * const orders = requireAuth(auth)((event) => ordersOf(sessionOf(event, auth).userId))
 */
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options?: GuardOptions<Claims>,
): <Event extends object, Rest extends unknown[], Result>(
  handler: (event: Event, ...rest: Rest) => Result | Promise<Result>,
) => (event: Event, ...rest: Rest) => Promise<Result | FunctionAnswer> {
  mountGuard(auth, options)
  return (handler) =>
    async (event, ...rest) => {
      const result = await auth.guard(callOf(event), options)
      if (result.response) return toAnswer(result.response)
      attachSession(event, auth, result.session)
      return handler(event, ...rest)
    }
}

/** The session of an event behind `requireAuth(auth)`. Throws a `TypeError` if there is none. */
export function sessionOf<Claims extends object>(
  event: object,
  auth: Auth<Claims>,
): Session<Claims> {
  return sessionIn(carrier, eventOrNone(event), auth)
}

/** The session of an event behind `requireAuth(auth, { optional: true })`, or `undefined` for an anonymous one. */
export function maybeSessionOf<Claims extends object>(
  event: object,
  auth: Auth<Claims>,
): Session<Claims> | undefined {
  return maybeSessionIn(carrier, eventOrNone(event), auth)
}

/** An object without any member in place of what is no event. */
const eventOrNone = (event: object): object =>
  event === Object(event) ? event : Object.create(null)

/** Whoever calls may send any event. */
const toEvent = (event: object): Readonly<Partial<Record<keyof FunctionEvent, unknown>>> =>
  Object(event)

function callOf(event: object): RequestHeaders {
  const headers = new Map([['content-type', 'application/json']])
  for (const [name, value] of Object.entries(Object(toEvent(event).header))) {
    if (typeof value === 'string') headers.set(name.toLowerCase(), value)
  }
  return { header: (name) => headers.get(name.toLowerCase()), isFunctionCall: true }
}

function toAnswer({ status, headers, body }: AuthResponse): FunctionAnswer {
  return { statusCode: status, header: headers, data: body === undefined ? '' : JSON.parse(body) }
}
