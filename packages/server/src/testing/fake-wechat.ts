import { createHash, randomBytes } from 'node:crypto'
import type { FakeWeChatDoors, FakeWeChatRequest, Outcome } from './fake-wechat-doors.js'
import { createDoors } from './fake-wechat-doors.js'

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

/** A mini program that the emulated WeChat knows. */
export interface FakeWeChatApp {
  readonly appId: string
  readonly appSecret: string
  /**
   * The open-platform account that the mini program is bound to, any name. Mini programs with the same owner see the
   * same unionid for a person; without an owner there is no unionid.
   */
  readonly owner?: string
}

/**
 * Answers the calls of one endpoint with a JSON object. An `errcode` other than 0 gets its `rid` added, and its `errmsg`
 * where it has none.
 */
export type FakeWeChatRoute = (request: FakeWeChatRequest) => Readonly<Record<string, unknown>>

export interface FakeWeChatOptions {
  /** Default: one mini program, `wx0000000000000001`, with a random AppSecret. */
  readonly apps?: readonly FakeWeChatApp[]
  /** The clock that codes expire by, in milliseconds (default `Date.now`). */
  readonly now?: () => number
  /** How long each answer takes, in milliseconds (default 0). The call has its effect at once, the answer comes late. */
  readonly latencyMs?: number
  /**
   * Whether each code gives its user a new session_key (default true). WeChat may or may not do so, and a backend must
   * live with both.
   */
  readonly rotateSessionKey?: boolean
  /** Whether error messages carry a `hint: […]` before their `rid` (default false); WeChat's do now and then. */
  readonly hints?: boolean
  /**
   * Endpoints of your own, by method and path: `{ 'POST /wxa/msg_sec_check': () => ({ errcode: 0 }) }`. They win over
   * the ones built in.
   */
  readonly routes?: Readonly<Record<string, FakeWeChatRoute>>
}

/**
 * A way in which WeChat, or the network before it, lets a caller down.
 *
 * | fault | what the caller sees | was the call processed |
 * | --- | --- | --- |
 * | `45011` | this errcode | no |
 * | `'45011'` | this errcode, as a string | no |
 * | `{ latencyMs }` | the right answer, this late | yes |
 * | `'never-answer'` | nothing, until it gives up | yes |
 * | `'drop-before'` | no connection: `ECONNREFUSED` | no |
 * | `'drop-after'` | a connection lost: `UND_ERR_SOCKET` | yes, so a code is used |
 * | `'html'` | a page of HTML with status 200 | no |
 * | `'html-502'` | a gateway's page of HTML with status 502 | no |
 * | `'too-large'` | the right answer, with more than 64 KiB | yes |
 * | `'redirect'` | status 302 to `/redirected`, which shows up in `calls` if it is followed | no |
 *
 * Only `fetch` can refuse a connection. The listening server has accepted it by then, so both drops cut the socket
 * (close the server for a refusal), and with msw both are a network error without a code.
 */
export type FakeWeChatFault =
  | number
  | `${number}`
  | { readonly latencyMs: number }
  | 'never-answer'
  | 'drop-before'
  | 'drop-after'
  | 'html'
  | 'html-502'
  | 'too-large'
  | 'redirect'

export interface FakeWeChatFailOptions {
  /** How many calls fail (default 1); `Infinity` until `recover()`. */
  readonly times?: number
  /** Only calls to this endpoint, `'GET /sns/jscode2session'` for example (default all). */
  readonly endpoint?: string
}

/** Picks one of the mini programs (default the first). */
export interface FakeWeChatAppChoice {
  readonly appId?: string
}

/** A call that the emulated WeChat received. */
export interface FakeWeChatCall {
  readonly method: string
  readonly path: string
  /** Secrets, codes and tokens read `[redacted]`. */
  readonly query: Readonly<Record<string, string>>
  /** The HTTP status answered; absent when the connection was dropped or no answer came. */
  readonly status?: number
  /** The errcode answered, 0 for a success; absent when the answer was not WeChat's JSON. */
  readonly errcode?: number
  readonly fault?: FakeWeChatFault
  /** Seconds since the epoch, with a fraction. */
  readonly receivedAt: number
}

/**
 * The emulated WeChat. A `person` is any name you like, `'alice'`: the openid follows from it and the mini program, the
 * unionid from it and the owner, the same in every run. A text that looks like an openid is taken as one.
 */
export interface FakeWeChat extends FakeWeChatDoors {
  /** The first mini program, to configure a backend with. */
  readonly app: FakeWeChatApp

  /**
   * What `wx.login()` gives this person: a code for this mini program that is good once and for 5 minutes.
   * Throws TypeError for a mini program that the emulated WeChat does not know.
   */
  codeFor(person: string, choice?: FakeWeChatAppChoice): string
  /** What a backend will learn as this person's openid. */
  openidOf(person: string, choice?: FakeWeChatAppChoice): string
  /** What a backend will learn as this person's unionid; nothing for a mini program without an owner. */
  unionidOf(person: string, choice?: FakeWeChatAppChoice): string | undefined
  /**
   * The session_key that is valid now, to prove that it does not leak.
   * Throws while the person has had no code: there is no key then, and a proof would prove nothing.
   */
  sessionKeyOf(person: string, choice?: FakeWeChatAppChoice): string
  /** WeChat's risk control stops this person: their codes answer 40226, in every mini program. */
  block(person: string): void

  /** The next calls fail in this way. Faults queue up: each call takes the oldest one that fits. */
  fail(fault: FakeWeChatFault, options?: FakeWeChatFailOptions): void
  /** Forgets every fault. Blocked people stay blocked. */
  recover(): void
  /** Every call received through any door, the oldest first. */
  readonly calls: readonly FakeWeChatCall[]
}

const codeLifeMs = 5 * 60 * 1000
const tooLargeBytes = 64 * 1024 + 1

interface IssuedCode {
  readonly appId: string
  readonly person: string
  readonly expiresAtMs: number
  isUsed: boolean
}

interface PlannedFault {
  readonly fault: FakeWeChatFault
  readonly endpoint: string | undefined
  timesLeft: number
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
  hints = false,
  routes = {},
}: FakeWeChatOptions = {}): FakeWeChat {
  const app = checkedApps(apps)
  if (typeof now !== 'function')
    throw new TypeError('now must be a function that gives milliseconds')
  checkLatency(latencyMs)
  if (typeof rotateSessionKey !== 'boolean')
    throw new TypeError('rotateSessionKey must be a boolean')
  if (typeof hints !== 'boolean') throw new TypeError('hints must be a boolean')

  const codes = new Map<string, IssuedCode>()
  const people = new Map<string, string>()
  const sessionKeys = new Map<string, string>()
  const blocked = new Set<string>()
  const calls: FakeWeChatCall[] = []
  let faults: PlannedFault[] = []

  const endpoints = new Map<string, FakeWeChatRoute>([
    ['GET /sns/jscode2session', jscode2session],
    ...checkedRoutes(routes),
  ])

  function jscode2session({ query }: FakeWeChatRequest): Readonly<Record<string, unknown>> {
    const { appid, secret, js_code: jsCode, grant_type: grantType } = query
    if (!appid) return refusal(41002)
    if (!secret) return refusal(41004)
    if (!jsCode) return refusal(41008)
    if (grantType !== 'authorization_code') return refusal(40002)
    const caller = apps.find(({ appId }) => appId === appid)
    if (!caller) return refusal(40013)
    if (secret !== caller.appSecret) return refusal(40125)

    const code = codes.get(jsCode)
    if (!code || code.appId !== appid || code.expiresAtMs <= now()) return refusal(40029)
    if (code.isUsed) return refusal(40163)
    code.isUsed = true
    if (blocked.has(code.person)) return refusal(40226)

    const openid = openidOf(code.person, caller)
    const unionid = unionidOf(code.person, caller)
    return {
      session_key: sessionKeys.get(`${appid} ${openid}`),
      openid,
      ...(unionid !== undefined && { unionid }),
    }
  }

  function receive(request: FakeWeChatRequest, isChunked: boolean): Outcome {
    const { method, path, query } = request
    const receivedAt = now() / 1000
    // WeChat's entrance turns chunked bodies away before any endpoint sees them.
    const isTurnedAway = isChunked && method === 'POST'
    const fault = isTurnedAway ? undefined : nextFault(`${method} ${path}`)
    const outcome = isTurnedAway ? { status: 412 } : outcomeOf(request, fault)
    calls.push({
      method,
      path,
      query: redacted(query),
      ...(outcome.status !== undefined && { status: outcome.status }),
      ...(outcome.errcode !== undefined && { errcode: outcome.errcode }),
      ...(fault !== undefined && { fault }),
      receivedAt,
    })
    return outcome
  }

  function outcomeOf(request: FakeWeChatRequest, fault: FakeWeChatFault | undefined): Outcome {
    switch (fault) {
      case undefined:
        return { ...answer(request), delayMs: latencyMs }
      case 'never-answer':
        answer(request)
        return {}
      case 'drop-before':
        return { dropped: 'before' }
      case 'drop-after':
        answer(request)
        return { dropped: 'after', delayMs: latencyMs }
      case 'html':
        return { status: 200, contentType: 'text/html', body: page('Welcome') }
      case 'html-502':
        return { status: 502, contentType: 'text/html', body: page('502 Bad Gateway') }
      case 'too-large': {
        const right = answer(request)
        return { ...right, body: (right.body ?? '').padEnd(tooLargeBytes, ' '), delayMs: latencyMs }
      }
      case 'redirect':
        return { status: 302, location: '/redirected' }
      default:
        return typeof fault === 'object'
          ? { ...answer(request), delayMs: fault.latencyMs }
          : { ...json(request, refusal(Number(fault), fault)), delayMs: latencyMs }
    }
  }

  function answer(request: FakeWeChatRequest): Outcome {
    const { method, path } = request
    const endpoint = endpoints.get(`${method} ${path}`)
    if (endpoint) return json(request, endpoint(request))
    if (endpoints.has(`GET ${path}`)) return json(request, refusal(43001))
    if (endpoints.has(`POST ${path}`)) return json(request, refusal(43002))
    return {
      status: 404,
      contentType: 'text/plain',
      body: `createFakeWeChat has no ${method} ${path}; give it in the routes option`,
    }
  }

  function json({ path }: FakeWeChatRequest, body: Readonly<Record<string, unknown>>): Outcome {
    const errcode = Number(body.errcode ?? 0)
    const isSns = path.startsWith('/sns/')
    const whole = errcode === 0 ? body : { ...body, errmsg: errmsgOf(errcode, body.errmsg, isSns) }
    return {
      status: 200,
      contentType: isSns ? 'text/plain' : 'application/json; encoding=utf-8',
      body: JSON.stringify(whole),
      errcode,
    }
  }

  function errmsgOf(errcode: number, errmsg: unknown, isSns: boolean): string {
    const text = typeof errmsg === 'string' ? errmsg : (errmsgs.get(errcode) ?? '')
    const separator = isSns && text !== '' ? ', ' : ' '
    const hint = hints ? `${separator}hint: [${randomBytes(12).toString('base64url')}]` : ''
    const seconds = Math.floor(now() / 1000)
      .toString(16)
      .padStart(8, '0')
    const trace = [seconds, randomBytes(4).toString('hex'), randomBytes(4).toString('hex')].join(
      '-',
    )
    return `${text}${hint}${separator}rid: ${trace}`
  }

  function nextFault(endpoint: string): FakeWeChatFault | undefined {
    const planned = faults.find((fault) => (fault.endpoint ?? endpoint) === endpoint)
    if (!planned) return undefined
    planned.timesLeft -= 1
    if (planned.timesLeft === 0) faults = faults.filter((fault) => fault !== planned)
    return planned.fault
  }

  function chosen({ appId = app.appId }: FakeWeChatAppChoice = {}): FakeWeChatApp {
    const choice = apps.find((candidate) => candidate.appId === appId)
    if (choice) return choice
    const known = apps.map((candidate) => candidate.appId).join(', ')
    throw new TypeError(
      `appId must be one of the apps of createFakeWeChat (${known}), not ${appId}`,
    )
  }

  function personOf(nameOrOpenid: string): string {
    if (typeof nameOrOpenid !== 'string' || nameOrOpenid === '') {
      throw new TypeError('person must be a name or an openid')
    }
    return people.get(nameOrOpenid) ?? nameOrOpenid
  }

  function openidOf(person: string, { appId }: FakeWeChatApp): string {
    const openid = /^o[\w-]{27}$/.test(person) ? person : identifier('openid', appId, person)
    people.set(openid, person)
    return openid
  }

  function dropExpiredCodes() {
    for (const [code, { expiresAtMs }] of codes) {
      if (expiresAtMs > now()) return
      codes.delete(code)
    }
  }

  return {
    app,

    codeFor(person, choice) {
      dropExpiredCodes()
      const caller = chosen(choice)
      const name = personOf(person)
      const owner = `${caller.appId} ${openidOf(name, caller)}`
      if (rotateSessionKey || !sessionKeys.has(owner)) {
        sessionKeys.set(owner, randomBytes(16).toString('base64'))
      }
      const code = randomBytes(48)
        .toString('base64')
        .replace(/[^0-9a-z]/gi, '')
        .slice(0, 32)
      codes.set(code, {
        appId: caller.appId,
        person: name,
        expiresAtMs: now() + codeLifeMs,
        isUsed: false,
      })
      return code
    },

    openidOf: (person, choice) => openidOf(personOf(person), chosen(choice)),

    unionidOf: (person, choice) => unionidOf(personOf(person), chosen(choice)),

    sessionKeyOf(person, choice) {
      const caller = chosen(choice)
      const sessionKey = sessionKeys.get(`${caller.appId} ${openidOf(personOf(person), caller)}`)
      if (sessionKey) return sessionKey
      throw new TypeError(`person has no session_key in ${caller.appId} yet; call codeFor first`)
    },

    block(person) {
      blocked.add(personOf(person))
    },

    fail(fault, { times = 1, endpoint } = {}) {
      checkFault(fault)
      if (!(times === Number.POSITIVE_INFINITY || (Number.isSafeInteger(times) && times > 0))) {
        throw new TypeError('times must be a positive integer or Infinity')
      }
      if (endpoint !== undefined && !endpoints.has(endpoint)) {
        throw new TypeError(`endpoint must be one of ${[...endpoints.keys()].join(', ')}`)
      }
      faults.push({ fault, endpoint, timesLeft: times })
    },

    recover() {
      faults = []
    },

    calls,
    ...createDoors(receive),
  }
}

// Global error table and the answers quoted in public; a number that is not here is answered with its rid alone.
const errmsgs: ReadonlyMap<number, string> = new Map([
  [-1, 'system error'],
  [40002, 'invalid grant_type'],
  [40013, 'invalid appid'],
  [40029, 'invalid code'],
  [40125, 'invalid appsecret'],
  [40163, 'code been used'],
  [40164, 'invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist'],
  [40226, 'code blocked'],
  [41002, 'appid missing'],
  [41004, 'appsecret missing'],
  [41008, 'missing code'],
  [43001, 'require GET method'],
  [43002, 'require POST method'],
  [45009, 'reach max api daily quota limit'],
  [45011, 'api minute-quota reach limit  mustslower  retry next minute'],
])

function refusal(errcode: number, shown: number | string = errcode) {
  return { errcode: shown, errmsg: errmsgs.get(errcode) ?? '' }
}

function identifier(...parts: readonly string[]): string {
  return `o${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 27)}`
}

function unionidOf(person: string, { owner }: FakeWeChatApp): string | undefined {
  return owner === undefined ? undefined : identifier('unionid', owner, person)
}

function redacted(query: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      secretNames.has(name) ? '[redacted]' : value,
    ]),
  )
}

const secretNames: ReadonlySet<string> = new Set(['secret', 'js_code', 'access_token'])

function page(title: string): string {
  return `<html>\n<head><title>${title}</title></head>\n<body><h1>${title}</h1></body>\n</html>\n`
}

function checkedApps(apps: readonly FakeWeChatApp[]): FakeWeChatApp {
  const [first] = apps
  if (!first) throw new TypeError('apps must name at least one mini program')
  for (const { appId, appSecret, owner } of apps) {
    for (const [name, value] of Object.entries({ appId, appSecret, owner: owner ?? 'none' })) {
      if (typeof value === 'string' && value !== '') continue
      throw new TypeError(`apps: ${name} must be a text that is not empty`)
    }
  }
  if (new Set(apps.map(({ appId }) => appId)).size < apps.length) {
    throw new TypeError('apps: each appId may occur once')
  }
  return first
}

function checkedRoutes(routes: Readonly<Record<string, FakeWeChatRoute>>) {
  const entries = Object.entries(routes)
  for (const [endpoint, route] of entries) {
    if (/^[A-Z]+ \/[^?#]*$/.test(endpoint) && typeof route === 'function') continue
    throw new TypeError("routes must map 'METHOD /path' to a function that gives a JSON object")
  }
  return entries
}

function checkFault(fault: FakeWeChatFault) {
  if (typeof fault === 'object' && fault !== null) return checkLatency(fault.latencyMs)
  const errcode = namedFaults.has(fault) ? -1 : Number(fault)
  if (Number.isSafeInteger(errcode) && errcode !== 0) return
  throw new TypeError(
    `fault must be an errcode other than 0, { latencyMs }, or one of ${[...namedFaults].join(', ')}`,
  )
}

const namedFaults: ReadonlySet<unknown> = new Set<FakeWeChatFault>([
  'never-answer',
  'drop-before',
  'drop-after',
  'html',
  'html-502',
  'too-large',
  'redirect',
])

function checkLatency(latencyMs: number) {
  if (Number.isFinite(latencyMs) && latencyMs >= 0) return
  throw new TypeError('latencyMs must be 0 or a positive number of milliseconds')
}
