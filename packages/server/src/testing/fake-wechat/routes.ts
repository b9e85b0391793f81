import { type Answer, refusal } from './answers.js'
import type { FakeWeChatApp } from './people.js'
import type { TokenHolder } from './tokens.js'
import type { FakeWeChatRequest } from './transports.js'

/**
 * Answers the calls of one endpoint with a JSON object, or with the bytes of a file. An `errcode` other than 0 gets its `rid` added, and its `errmsg`
 * where it has none. `app` is the mini program whose access_token the call carries, where the endpoint takes one.
 */
export type FakeWeChatRoute = (
  request: FakeWeChatRequest,
  app: FakeWeChatApp | undefined,
) => Readonly<Record<string, unknown>> | Uint8Array

type Endpoint = (request: FakeWeChatRequest) => Answer | Uint8Array
type TokenEndpoint = (request: FakeWeChatRequest, app: FakeWeChatApp) => Answer | Uint8Array

interface EndpointOptions {
  /** Built in, without an access_token. */
  readonly open: Readonly<Record<string, Endpoint>>
  /** Built in, with one. */
  readonly guarded: Readonly<Record<string, TokenEndpoint>>
  /** The user's. */
  readonly routes: Readonly<Record<string, FakeWeChatRoute>>
  readonly holderOf: (request: FakeWeChatRequest) => TokenHolder
}

/** Every endpoint by method and path, the user's before the built-in ones. */
export function createEndpoints({ open, guarded, routes, holderOf }: EndpointOptions) {
  const endpoints = new Map<string, Endpoint>(Object.entries(open))
  for (const [name, endpoint] of Object.entries(guarded)) endpoints.set(name, withToken(endpoint))

  checkRoutes(routes)
  const hasOwnTokens = Object.keys(routes).some((name) => givesTokens.test(name))
  for (const [name, route] of Object.entries(routes)) {
    const isGuarded = takesToken.test(name) && !hasOwnTokens
    endpoints.set(name, isGuarded ? withToken(route) : (request) => route(request, undefined))
  }
  return endpoints

  function withToken(endpoint: TokenEndpoint): Endpoint {
    return (request) => {
      const holder = holderOf(request)
      return typeof holder === 'number' ? refusal(holder) : endpoint(request, holder)
    }
  }
}

/** A call as its endpoint takes it, and the name of that endpoint. */
export function leniently(
  sent: FakeWeChatRequest,
  endpoints: ReadonlyMap<string, unknown>,
): { readonly name: string; readonly request: FakeWeChatRequest } {
  // A base URL that ends in a slash is common, and WeChat does not mind.
  const path = sent.path.replace(/\/{2,}/g, '/')
  const name = `${sent.method} ${path}`
  if (sent.method !== 'POST' || endpoints.has(name) || !takesPost.has(path)) {
    return { name, request: { ...sent, path } }
  }
  const query = { ...Object.fromEntries(new URLSearchParams(sent.body)), ...sent.query }
  return { name: `GET ${path}`, request: { ...sent, path, query } }
}

/** Documented for GET alone; much public code sends a POST, with its parameters in the query or in a form. */
const takesPost: ReadonlySet<string> = new Set(['/sns/jscode2session', '/cgi-bin/token'])

const takesToken = /^[A-Z]+ \/(wxa|cgi-bin|xpay)\//
const givesTokens = /^[A-Z]+ \/cgi-bin\/(token|stable_token|gettoken|component\/.*|service\/.*)$/

function checkRoutes(routes: Readonly<Record<string, FakeWeChatRoute>>) {
  for (const [name, route] of Object.entries(routes)) {
    if (/^[A-Z]+ \/[^?#]*$/.test(name) && typeof route === 'function') continue
    throw new TypeError("routes must map 'METHOD /path' to a function that returns a JSON object")
  }
}
