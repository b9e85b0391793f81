import { randomBytes } from 'node:crypto'
import { checkNames, type OptionNames } from '../../option-checks.js'
import { createWriter, refusal, wecomPaths } from './answers.js'
import { callOf, type FakeWeChatCall } from './calls.js'
import { createEncryptKeys } from './encrypt-keys.js'
import { checkLatency, createFaults, type FakeWeChatFaults, outcomeOf } from './faults.js'
import { createLogins, type FakeWeChatLogins } from './logins.js'
import { createOpenData, type FakeWeChatOpenData } from './open-data.js'
import { createPaymentCalls } from './payment-calls.js'
import { createPayments, type FakeWeChatPayments } from './payments.js'
import { createPeople, type FakeWeChatApp, type FakeWeChatPeople } from './people.js'
import { createPhones, type FakeWeChatPhones } from './phones.js'
import { createPlugins, type FakeWeChatPlugins } from './plugins.js'
import { createPrefetch, type FakeWeChatPrefetch } from './prefetch.js'
import { createPushes, type FakeWeChatPushes } from './pushes.js'
import { createEndpoints, type FakeWeChatRoute, leniently } from './routes.js'
import { createSessionKeys, type FakeWeChatSessionKeys } from './session-keys.js'
import { createShops } from './shops.js'
import { createTokens } from './tokens.js'
import {
  createTransports,
  type FakeWeChatRequest,
  type FakeWeChatTransports,
  type Outcome,
} from './transports.js'
import { createVirtualPayments, type FakeWeChatVirtualPayments } from './virtual-payments.js'
import { createWebCodes, type FakeWeChatWebCodes } from './web-codes.js'
import { createWeCom, type FakeWeChatCorp, type FakeWeChatWeCom } from './wecom.js'
import { createWxacodes, type FakeWeChatWxacodes } from './wxacodes.js'

export type { FakeWeChatCall } from './calls.js'
export type {
  FakeWeChatFailOptions,
  FakeWeChatFault,
  FakeWeChatFaults,
} from './faults.js'
export type { FakeWeChatLogins } from './logins.js'
export type {
  FakeWeChatEncryptedData,
  FakeWeChatOpenData,
  FakeWeChatOpenDataOptions,
  FakeWeChatSignedData,
} from './open-data.js'
export type { FakeWeChatPayment, FakeWeChatPayments } from './payments.js'
export type {
  FakeWeChatApp,
  FakeWeChatAppChoice,
  FakeWeChatPeople,
} from './people.js'
export type { FakeWeChatPhone, FakeWeChatPhones } from './phones.js'
export type { FakeWeChatPluginChoice, FakeWeChatPlugins } from './plugins.js'
export type {
  FakeWeChatPrefetch,
  FakeWeChatPrefetched,
  FakeWeChatPrefetchFetch,
  FakeWeChatPrefetchOptions,
} from './prefetch.js'
export type {
  FakeWeChatPushed,
  FakeWeChatPushes,
  FakeWeChatPushFetch,
  FakeWeChatPushRequest,
  FakeWeChatPushSettings,
} from './pushes.js'
export type { FakeWeChatRoute } from './routes.js'
export type { FakeWeChatSessionKeys } from './session-keys.js'
export type { FakeWeChatShop } from './shops.js'
export type {
  FakeWeChatFetchInit,
  FakeWeChatFetchInput,
  FakeWeChatListenOptions,
  FakeWeChatMswHttp,
  FakeWeChatRequest,
  FakeWeChatResponse,
  FakeWeChatServer,
  FakeWeChatSignal,
  FakeWeChatTransports,
} from './transports.js'
export type {
  FakeWeChatPaymentOptions,
  FakeWeChatPaymentRequest,
  FakeWeChatPaymentResult,
  FakeWeChatVirtualPayments,
} from './virtual-payments.js'
export type { FakeWeChatWebChoice, FakeWeChatWebCodes } from './web-codes.js'
export type { FakeWeChatCorp, FakeWeChatCorpChoice, FakeWeChatWeCom } from './wecom.js'
export type { FakeWeChatScanned, FakeWeChatWxacodes } from './wxacodes.js'

export interface FakeWeChatOptions {
  /** Default: one mini program, `wx0000000000000001`, with a random AppSecret. */
  readonly apps?: readonly FakeWeChatApp[]
  /** The corporations (企业) whose members use a mini program inside WeCom (企业微信); default none. */
  readonly corps?: readonly FakeWeChatCorp[]
  /** The clock for the expiry of codes, tokens and keys, in milliseconds (default `Date.now`). */
  readonly now?: () => number
  /** How long each answer takes, in milliseconds (default 0). The call takes effect at once, the answer comes late. */
  readonly latencyMs?: number
  /**
   * Whether each code gives its user a new session_key (default true). WeChat may or may not do so, and a backend must
   * handle both.
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
   * Endpoints of your own, by method and path: `{ 'POST /wxa/msg_sec_check': () => ({ errcode: 0 }) }`. They override
   * the built-in ones.
   *
   * Below `/wxa/`, `/xpay/` and `/cgi-bin/` a call without a valid `access_token` in its query does not reach your route:
   * the answer is 41001 (missing), 40014 (malformed), 40001 (unknown, or not the latest) or 42001 (expired). Routes
   * that issue tokens of your own (`/cgi-bin/token`, `/cgi-bin/stable_token`, `/cgi-bin/gettoken`, and all below
   * `/cgi-bin/component/` and `/cgi-bin/service/`) take none, and with one of them your other routes see every call.
   */
  readonly routes?: Readonly<Record<string, FakeWeChatRoute>>
}

const names: OptionNames<FakeWeChatOptions> = {
  apps: true,
  corps: true,
  now: true,
  latencyMs: true,
  rotateSessionKey: true,
  sessionKeyTtlSeconds: true,
  hints: true,
  routes: true,
}

/** The emulated WeChat: its transports, what its users do, and what a test can ask about it. */
export interface FakeWeChat
  extends FakeWeChatTransports,
    FakeWeChatPeople,
    FakeWeChatLogins,
    FakeWeChatWebCodes,
    FakeWeChatWeCom,
    FakeWeChatSessionKeys,
    FakeWeChatOpenData,
    FakeWeChatPhones,
    FakeWeChatPlugins,
    FakeWeChatPayments,
    FakeWeChatVirtualPayments,
    FakeWeChatPushes,
    FakeWeChatWxacodes,
    FakeWeChatPrefetch,
    FakeWeChatFaults {
  /** The first mini program, to configure a backend with. */
  readonly app: FakeWeChatApp
  /** Every call received through any transport, oldest first. */
  readonly calls: readonly FakeWeChatCall[]
}

/**
 * Emulates the WeChat server that mini program backends log in with, so that tests and demos run offline.
 *
 * It keeps WeChat's habits: errors with HTTP status 200, JSON served as `text/plain`, a `rid` in every error message,
 * codes of three kinds that work once, for 5 minutes and for one mini program, access_tokens that expire and replace each
 * other, a session_key that may change at any time, and 412 for a chunked POST. It is as lenient, too: code2Session and
 * `/cgi-bin/token` take a POST, with parameters in the query or in a form, and any path may have slashes too many. One
 * state is reached through three transports: `fetch`, a listening server, and handlers for msw.
 *
 * | built in | for |
 * | --- | --- |
 * | `GET /sns/jscode2session` | the codes of `codeFor` |
 * | `GET /sns/oauth2/access_token`, `GET /sns/userinfo` | the codes of `webCodeFor`, for websites and official accounts |
 * | `GET /cgi-bin/gettoken`, `GET /cgi-bin/miniprogram/jscode2session` | the codes of `wecomCodeFor`, at `qyapi.weixin.qq.com` |
 * | `GET /cgi-bin/token`, `POST /cgi-bin/stable_token` | access_tokens, which all endpoints below require |
 * | `GET /wxa/checksession`, `GET /wxa/resetusersessionkey` | the session_key |
 * | `GET` and `POST /wxa/business/getuserencryptkey` | keys for your own encryption |
 * | `POST /wxa/business/getuserphonenumber` | the codes of `phoneCodeFor` |
 * | `POST /wxa/business/checkencryptedmsg` | the phone numbers of `openDataFor` |
 * | `POST /wxa/getpluginopenpid` | the codes of `pluginCodeFor` |
 * | `GET /wxa/getpaidunionid` | the payments of `payFor` |
 * | `POST /wxa/getwxacodeunlimit` | mini-program codes, for `scan` |
 *
 * Throws a `TypeError` for wrong options.
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
export function createFakeWeChat(options: FakeWeChatOptions = {}): FakeWeChat {
  checkNames('createFakeWeChat', options, names)
  const {
    apps = [{ appId: 'wx0000000000000001', appSecret: randomBytes(16).toString('hex') }],
    corps = [],
    now = Date.now,
    latencyMs = 0,
    rotateSessionKey = true,
    sessionKeyTtlSeconds = 3 * 24 * 3600,
    hints = false,
    routes = {},
  } = options
  if (typeof now !== 'function')
    throw new TypeError('now must be a function that returns milliseconds')
  checkLatency(latencyMs)
  if (typeof hints !== 'boolean') throw new TypeError('hints must be a boolean')

  const people = createPeople(apps)
  const { sessionKeys, ...keys } = createSessionKeys({
    people,
    now,
    rotateSessionKey,
    sessionKeyTtlSeconds,
  })
  const logins = createLogins({ people, sessionKeys, now })
  const webCodes = createWebCodes({ apps, people, now })
  const wecom = createWeCom({ corps, now })
  const tokens = createTokens({ people, now })
  const encryptKeys = createEncryptKeys({ sessionKeys, now })
  const openData = createOpenData({ people, sessionKeys, now })
  const phones = createPhones({ people, now })
  const plugins = createPlugins({ people, now })
  const payments = createPayments({ people, now })
  const shops = createShops({ sessionKeys, now })
  const { pushes, methods: pushMethods } = createPushes({ people, shops, now })
  const wxacodes = createWxacodes()
  const paymentCalls = createPaymentCalls({ people, shops, pushes })

  const endpoints = createEndpoints({
    open: {
      ...logins.endpoints,
      ...webCodes.endpoints,
      ...wecom.endpoints,
      ...tokens.endpoints,
    },
    guarded: {
      ...keys.endpoints,
      ...encryptKeys.endpoints,
      ...openData.endpoints,
      ...phones.endpoints,
      ...plugins.endpoints,
      ...payments.endpoints,
      ...paymentCalls.endpoints,
      ...wxacodes.endpoints,
    },
    routes,
    holderOf: tokens.holderOf,
  })
  const faults = createFaults(endpoints)
  const write = createWriter({ now, hints })
  const calls: FakeWeChatCall[] = []

  function receive(sent: FakeWeChatRequest, isChunked: boolean): Outcome {
    const receivedAt = now() / 1000
    const { name, request } = leniently(sent, endpoints)
    // WeChat's gateway rejects chunked bodies before any endpoint sees them.
    const isRejected = isChunked && request.method === 'POST'
    const fault = isRejected ? undefined : faults.next(name)
    const outcome = isRejected
      ? { status: 412 }
      : outcomeOf(fault, {
          answer: () => answer(name, request),
          write: (refused) => write(request.path, refused),
          latencyMs,
        })
    calls.push(callOf(sent, outcome, fault, receivedAt))
    return outcome
  }

  function answer(name: string, request: FakeWeChatRequest): Outcome {
    const { method, path, host } = request
    if (!(name in routes) && isElsewhere(host, path)) {
      return { status: 404, contentType: 'text/plain', body: `${path} is not at ${host}` }
    }
    const endpoint = endpoints.get(name)
    if (endpoint) return write(path, endpoint(request))
    if (endpoints.has(`GET ${path}`)) return write(path, refusal(43001))
    if (endpoints.has(`POST ${path}`)) return write(path, refusal(43002))
    return {
      status: 404,
      contentType: 'text/plain',
      body: `createFakeWeChat has no ${method} ${path}; add it with the routes option`,
    }
  }

  return {
    app: people.appOf(),
    openidOf: (person, choice) => people.userOf(person, choice).openid,
    unionidOf: (person, choice) => people.userOf(person, choice).unionid,
    ...logins.methods,
    ...webCodes.methods,
    ...wecom.methods,
    ...keys.methods,
    ...openData.methods,
    ...phones.methods,
    ...plugins.methods,
    ...payments.methods,
    ...createVirtualPayments({ people, shops, pushes }),
    ...pushMethods,
    ...wxacodes.methods,
    ...createPrefetch({ people, logins: logins.methods, now }),
    ...faults.methods,
    calls,
    ...createTransports(receive),
  }
}

/** WeCom has a host of its own; what listens on this machine stands for both. */
function isElsewhere(host: string | undefined, path: string): boolean {
  if (host === 'qyapi.weixin.qq.com') return !wecomPaths.has(path)
  return host === 'api.weixin.qq.com' && wecomPaths.has(path)
}
