import { randomBytes } from 'node:crypto'
import { type Answer, createWriter, refusal } from './fake-wechat-answers.js'
import { callOf, type FakeWeChatCall } from './fake-wechat-calls.js'
import type { FakeWeChatDoors, FakeWeChatRequest, Outcome } from './fake-wechat-doors.js'
import { createDoors } from './fake-wechat-doors.js'
import {
  checkLatency,
  createFaults,
  type FakeWeChatFaults,
  outcomeOf,
} from './fake-wechat-faults.js'
import { createLogins, type FakeWeChatLogins } from './fake-wechat-login.js'
import { createPeople, type FakeWeChatApp, type FakeWeChatPeople } from './fake-wechat-people.js'
import { createPhones, type FakeWeChatPhones } from './fake-wechat-phone.js'
import { createSessionKeys, type FakeWeChatSessionKeys } from './fake-wechat-session-keys.js'
import { createTokens } from './fake-wechat-tokens.js'

export type { FakeWeChatCall } from './fake-wechat-calls.js'
export type {
  FakeWeChatDoors,
  FakeWeChatFetchInit,
  FakeWeChatFetchInput,
  FakeWeChatListenOptions,
  FakeWeChatMswHttp,
  FakeWeChatRequest,
  FakeWeChatResponse,
  FakeWeChatServer,
  FakeWeChatSignal,
} from './fake-wechat-doors.js'
export type {
  FakeWeChatFailOptions,
  FakeWeChatFault,
  FakeWeChatFaults,
} from './fake-wechat-faults.js'
export type { FakeWeChatLogins } from './fake-wechat-login.js'
export type {
  FakeWeChatApp,
  FakeWeChatAppChoice,
  FakeWeChatPeople,
} from './fake-wechat-people.js'
export type { FakeWeChatPhone, FakeWeChatPhones } from './fake-wechat-phone.js'
export type { FakeWeChatSessionKeys } from './fake-wechat-session-keys.js'

/**
 * Answers the calls of one endpoint with a JSON object. An `errcode` other than 0 gets its `rid` added, and its `errmsg`
 * where it has none. `app` is the mini program whose access_token the call carries, where the endpoint takes one.
 */
export type FakeWeChatRoute = (
  request: FakeWeChatRequest,
  app: FakeWeChatApp | undefined,
) => Readonly<Record<string, unknown>>

export interface FakeWeChatOptions {
  /** Default: one mini program, `wx0000000000000001`, with a random AppSecret. */
  readonly apps?: readonly FakeWeChatApp[]
  /** The clock that codes, tokens and keys expire by, in milliseconds (default `Date.now`). */
  readonly now?: () => number
  /** How long each answer takes, in milliseconds (default 0). The call has its effect at once, the answer comes late. */
  readonly latencyMs?: number
  /**
   * Whether each code gives its user a new session_key (default true). WeChat may or may not do so, and a backend must
   * live with both.
   */
  readonly rotateSessionKey?: boolean
  /**
   * How long a session_key lives after the last code, in seconds (default 3 days). WeChat does not publish its
   * lifetime; the 3 days are folklore.
   */
  readonly sessionKeyTtlSeconds?: number
  /** Whether error messages carry a `hint: […]` before their `rid` (default false); WeChat's do now and then. */
  readonly hints?: boolean
  /**
   * Endpoints of your own, by method and path: `{ 'POST /wxa/msg_sec_check': () => ({ errcode: 0 }) }`. They win over
   * the ones built in.
   *
   * Below `/wxa/` and `/cgi-bin/` a call without a good `access_token` in its query does not get as far as your route:
   * it is answered 41001 (missing), 40014 (malformed), 40001 (unknown, or not the latest) or 42001 (expired). Routes
   * that give out tokens of your own (`/cgi-bin/token`, `/cgi-bin/stable_token`, `/cgi-bin/gettoken`, and all below
   * `/cgi-bin/component/` and `/cgi-bin/service/`) take none, and with one of them your other routes see every call.
   */
  readonly routes?: Readonly<Record<string, FakeWeChatRoute>>
}

/** The emulated WeChat. */
export interface FakeWeChat
  extends FakeWeChatDoors,
    FakeWeChatPeople,
    FakeWeChatLogins,
    FakeWeChatSessionKeys,
    FakeWeChatPhones,
    FakeWeChatFaults {
  /** The first mini program, to configure a backend with. */
  readonly app: FakeWeChatApp
  /** Every call received through any door, the oldest first. */
  readonly calls: readonly FakeWeChatCall[]
}

/**
 * Emulates the WeChat server that mini program backends log in with, so that tests and demos run offline.
 *
 * It keeps WeChat's habits: errors with HTTP status 200, JSON served as `text/plain`, a `rid` in every error message,
 * codes that work once, for 5 minutes and for one mini program, a session_key that changes under your feet, and 412 for
 * a chunked POST. One state is reached through three doors: `fetch`, a listening server, and handlers for msw.
 * Throws TypeError for wrong options.
 *
 * @example
 * ```ts
 * const wechat = createFakeWeChat()
 * const auth = createAuth({ apps: [wechat.app], secret: randomBytes(32).toString('hex'), fetch: wechat.fetch })
 *
 * wechat.fail('drop-after')
 * const code = wechat.codeFor('alice')
 * ```
 */
export function createFakeWeChat({
  apps = [{ appId: 'wx0000000000000001', appSecret: randomBytes(16).toString('hex') }],
  now = Date.now,
  latencyMs = 0,
  rotateSessionKey = true,
  sessionKeyTtlSeconds = 3 * 24 * 3600,
  hints = false,
  routes = {},
}: FakeWeChatOptions = {}): FakeWeChat {
  if (typeof now !== 'function')
    throw new TypeError('now must be a function that gives milliseconds')
  checkLatency(latencyMs)
  if (typeof hints !== 'boolean') throw new TypeError('hints must be a boolean')

  const people = createPeople(apps)
  const tokens = createTokens({ people, now })
  const keys = createSessionKeys({ people, now, rotateSessionKey, sessionKeyTtlSeconds })
  const logins = createLogins({ people, sessionKeys: keys.sessionKeys, now })
  const phones = createPhones({ people, now })

  const ownRoutes = checkedRoutes(routes)
  const ownTokens = ownRoutes.some(([endpoint]) => givesTokens.test(endpoint))
  const endpoints = new Map<string, (request: FakeWeChatRequest) => Answer>([
    ...Object.entries({ ...logins.endpoints, ...tokens.endpoints }),
    ...Object.entries({ ...keys.endpoints, ...phones.endpoints }).map(
      ([endpoint, answer]) => [endpoint, withToken(answer)] as const,
    ),
    ...ownRoutes.map(([endpoint, route]) =>
      !ownTokens && takesToken.test(endpoint)
        ? ([endpoint, withToken(route)] as const)
        : ([endpoint, (request: FakeWeChatRequest) => route(request, undefined)] as const),
    ),
  ])
  const faults = createFaults(endpoints)
  const write = createWriter({ now, hints })
  const calls: FakeWeChatCall[] = []

  function withToken(endpoint: (request: FakeWeChatRequest, app: FakeWeChatApp) => Answer) {
    return (request: FakeWeChatRequest): Answer => {
      const holder = tokens.holderOf(request)
      return typeof holder === 'number' ? refusal(holder) : endpoint(request, holder)
    }
  }

  function receive(request: FakeWeChatRequest, isChunked: boolean): Outcome {
    const { method, path } = request
    const receivedAt = now() / 1000
    // WeChat's entrance turns chunked bodies away before any endpoint sees them.
    const isTurnedAway = isChunked && method === 'POST'
    const fault = isTurnedAway ? undefined : faults.next(`${method} ${path}`)
    const outcome = isTurnedAway
      ? { status: 412 }
      : outcomeOf(fault, {
          answer: () => answer(request),
          write: (refused) => write(path, refused),
          latencyMs,
        })
    calls.push(callOf(request, outcome, fault, receivedAt))
    return outcome
  }

  function answer(request: FakeWeChatRequest): Outcome {
    const { method, path } = request
    const endpoint = endpoints.get(`${method} ${path}`)
    if (endpoint) return write(path, endpoint(request))
    if (endpoints.has(`GET ${path}`)) return write(path, refusal(43001))
    if (endpoints.has(`POST ${path}`)) return write(path, refusal(43002))
    return {
      status: 404,
      contentType: 'text/plain',
      body: `createFakeWeChat has no ${method} ${path}; give it in the routes option`,
    }
  }

  return {
    app: people.appOf(),
    openidOf: (person, choice) => people.userOf(person, choice).openid,
    unionidOf: (person, choice) => people.userOf(person, choice).unionid,
    ...logins.methods,
    ...keys.methods,
    ...phones.methods,
    ...faults.methods,
    calls,
    ...createDoors(receive),
  }
}

const takesToken = /^[A-Z]+ \/(wxa|cgi-bin)\//
const givesTokens = /^[A-Z]+ \/cgi-bin\/(token|stable_token|gettoken|component\/.*|service\/.*)$/

function checkedRoutes(routes: Readonly<Record<string, FakeWeChatRoute>>) {
  const entries = Object.entries(routes)
  for (const [endpoint, route] of entries) {
    if (/^[A-Z]+ \/[^?#]*$/.test(endpoint) && typeof route === 'function') continue
    throw new TypeError("routes must map 'METHOD /path' to a function that gives a JSON object")
  }
  return entries
}
