import { setTimeout as delay } from 'node:timers/promises'
import { withAbortableDeadline } from '../deadline.js'
import { AuthError } from '../errors.js'
import type {
  BreakerEvent,
  EndpointGroup,
  MisconfiguredEvent,
  WarningEvent,
  WeChatEvent,
} from '../events.js'
import { checkCount, checkDuration, checkFunctions } from '../option-checks.js'
import { readAnswer, type WeChatAnswer } from './answer.js'
import { createCircuitBreaker, type Finding } from './circuit-breaker.js'
import type { ErrcodeMeanings } from './errcodes.js'
import { findingOf, outcomeOf, toThrow } from './failures.js'
import type { FetchLike } from './fetch-like.js'
import { checkHosts, createHosts, type Hosts } from './hosts.js'
import { createHttpClient, type Reply, unavailable } from './http-client.js'
import { createPlaces } from './places.js'

// If WeChat is busy, a read is retried after these delays.
const busyWaitsMs = [100, 400] as const

// How many calls of a group may be in flight at the same time. That of logins is an option.
// Anybody who learns the path can call the pre-fetch, so it gets few.
const places = {
  prefetch: 50,
  web_login: 128,
  wecom: 128,
  user_info: 128,
  access_token: 128,
  payment: 128,
  call: 128,
} as const

/** How WeChat is reached. */
export interface WeChatConnectionOptions {
  /**
   * Sends the calls to WeChat (default: undici with a keep-alive agent of its own, which is not loaded if this is set; on
   * Cloudflare Workers the global `fetch`).
   */
  fetch?: FetchLike
  /**
   * Where WeChat is (default `['https://api.weixin.qq.com']`): its origins, or those of proxies with a path in front, such
   * as `https://proxy.example.com/wechat`. The next one is tried if a connection cannot be made, and stays in use; every
   * 30 seconds the first is tried again. Plain http only for localhost, unless `allowPlainHttp` is set.
   */
  wechatHosts?: readonly string[]
  /**
   * Permits http in `wechatHosts` for other hosts than localhost, but not for WeChat's own (default false). Everybody on
   * the way can read the AppSecret, codes and `session_key`s, so only inside a network of your own.
   */
  allowPlainHttp?: boolean
  /**
   * How long a call to WeChat may take in total, in milliseconds from when it is sent (default 5,000). Connecting may
   * take 2,000.
   */
  wechatTimeoutMs?: number
  /**
   * How many logins may wait for WeChat's answer at the same time (default 512). As many more queue, for at most 500
   * milliseconds; beyond that a login fails at once with `wechat_unavailable`, and its code stays unused.
   */
  maxLoginsInFlight?: number
}

export interface TransportNeeds {
  readonly now: () => number
  readonly emit: (event: WeChatEvent | MisconfiguredEvent | BreakerEvent | WarningEvent) => void
}

export interface WeChatRequest<Result> extends ErrcodeMeanings {
  readonly endpoint: WeChatEvent['endpoint']
  /** The group whose places the call takes, and whose circuit breaker counts it. */
  readonly group: EndpointGroup
  /** The app that the call is for. */
  readonly appId: string
  /** Where the endpoint is, if not at `wechatHosts`. */
  readonly hosts?: Hosts
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: object | undefined
  /** The body as it is sent, where its very bytes were signed. */
  readonly text?: string
  /** The call changes nothing at WeChat and uses no code, so it may be sent again if WeChat is busy. */
  readonly isRepeatable: boolean
  /** It carries a code that works once: if the answer is lost, the code may be used. */
  readonly spendsCode?: true
  /** Reads the result from a successful answer. If it throws, the call fails with that error. */
  readonly read: (answer: WeChatAnswer) => Result
  /** For a call that is answered with a file; an error of WeChat's is JSON all the same. */
  readonly file?: {
    readonly maxBytes: number
    readonly read: (bytes: Uint8Array) => Result
  }
}

type About = Omit<WeChatRequest<unknown>, 'read' | 'file'>

interface CallEnd {
  readonly startedMs: number
  readonly outcome: WeChatEvent['outcome']
  readonly finding: Finding
  readonly error?: unknown
}

/** What {@link Transport.inPlace} needs to know of a call. */
type AboutPlace = Pick<About, 'group' | 'endpoint' | 'appId'>

/** WeChat as of the last call; no call is made for this. */
export interface WeChatHealth {
  /** Whether WeChat served the last call and all circuit breakers are closed, except that of the app's own calls. */
  readonly ok: boolean
  readonly lastOutcome: WeChatEvent['outcome'] | undefined
  /** In seconds since the epoch. */
  readonly lastCallAt: number | undefined
  /** `open`: WeChat failed several times in a row, and calls fail at once · `half_open`: the next call tests it. */
  readonly breakers: Readonly<Record<EndpointGroup, BreakerEvent['state']>>
  /** How many calls of each group are in flight. */
  readonly inFlight: Readonly<Record<EndpointGroup, number>>
  /** The host that calls go to now. */
  readonly host: string
}

/** Sends calls to WeChat, for all mini programs of a backend. */
export interface Transport {
  /** Runs work with the timeout of one call; the signal aborts what is in flight. */
  within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** The same, once the group has a free place. Throws `wechat_unavailable` if there is none in time. */
  inPlace<T>(about: AboutPlace, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Makes one call. Returns the result of a success, and throws an {@link AuthError} for everything else. */
  send<Result>(request: WeChatRequest<Result>, signal: AbortSignal): Promise<Result>
  health(): WeChatHealth
  close(): Promise<void>
}

// These say something about WeChat or the configuration, not about one user or code.
const unhealthy: ReadonlySet<unknown> = new Set([
  'wechat_unavailable',
  'lost',
  'unreadable',
  'rate_limited',
  'server_misconfigured',
])

/** Throws a `TypeError` that names the wrong option. */
export function createTransport({
  fetch,
  wechatHosts = ['https://api.weixin.qq.com'],
  allowPlainHttp = false,
  wechatTimeoutMs = 5000,
  maxLoginsInFlight = 512,
  now,
  emit,
}: WeChatConnectionOptions & TransportNeeds): Transport {
  checkFunctions({ fetch })
  checkDuration('wechatTimeoutMs', wechatTimeoutMs)
  checkCount('maxLoginsInFlight', maxLoginsInFlight, { min: 1, of: 'logins' })
  const hosts = createHosts(checkHosts('wechatHosts', wechatHosts, { allowPlainHttp }), now)
  const placesOf: Readonly<Record<EndpointGroup, number>> = { login: maxLoginsInFlight, ...places }
  const groups = forEachGroup((group) => ({
    places: createPlaces(placesOf[group]),
    breaker: createCircuitBreaker(now, (state) => emit({ type: 'breaker', group, state })),
  }))
  const httpClient = createHttpClient({
    fetch,
    emit,
    timeoutMs: wechatTimeoutMs,
    // A socket for every place, so that no group waits for the sockets of another.
    maxConnections: Object.values(placesOf).reduce((sum, count) => sum + count),
  })
  let closing: Promise<void> | undefined
  let lastOutcome: WeChatEvent['outcome'] | undefined
  let lastCallAt: number | undefined

  async function sendOnce<Result>(
    request: WeChatRequest<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    if (closing) throw unavailable('auth.close() was called')
    const { method, path, query, body, text = body && JSON.stringify(body), file } = request
    const { isRepeatable, hosts: ownHosts = hosts } = request
    const maxFileBytes = file?.maxBytes
    const search = new URLSearchParams(query).toString()
    const target = search === '' ? path : `${path}?${search}`
    const report = groups[request.group].breaker.enter()
    const startedMs = now()
    const sentMs = performance.now()
    let reply: Reply | undefined
    try {
      reply = await httpClient.send(
        {
          hosts: ownHosts,
          ...{ method, target, body: text, isRepeatable, maxFileBytes },
          secrets: () => textsIn([query, body]),
        },
        signal,
      )
      const result =
        file && reply.file ? file.read(reply.file) : request.read(await readAnswer(reply, request))
      report('up')
      record(request, { startedMs, outcome: 'ok', finding: 'up' })
      return result
    } catch (failure) {
      // Earlier work within the same deadline may have left it little time.
      const wasCutShort = signal.aborted && performance.now() - sentMs < wechatTimeoutMs / 2
      const finding = wasCutShort ? 'nothing' : findingOf(failure, reply, request)
      const error = toThrow(failure, request.spendsCode === true)
      report(finding)
      record(request, { startedMs, outcome: outcomeOf(failure), finding, error })
      throw error
    }
  }

  function record(request: About, { startedMs, outcome, finding, error }: CallEnd): void {
    const { endpoint, appId } = request
    const {
      errcode,
      rid,
      description: hint = '',
    }: Partial<AuthError> = error instanceof AuthError ? error : {}
    if (finding !== 'nothing' || outcome === 'unreadable') {
      lastOutcome = outcome
      lastCallAt = Math.floor(now() / 1000)
    }
    const about = { endpoint, appId, ...(rid !== undefined && { rid }) }
    emit({
      type: 'wechat',
      ...about,
      startedMs,
      durationMs: now() - startedMs,
      outcome,
      ...(errcode !== undefined && { errcode }),
    })
    if (outcome !== 'server_misconfigured' || errcode === undefined) return
    emit({ type: 'misconfigured', ...about, errcode, hint })
  }

  const within: Transport['within'] = (work) =>
    withAbortableDeadline(
      wechatTimeoutMs,
      () => unavailable(`WeChat did not answer within ${wechatTimeoutMs} ms`),
      work,
    )

  return {
    within,

    async inPlace({ group, endpoint, appId }, work) {
      const { breaker, places } = groups[group]
      breaker.check()
      const startedMs = now()
      const leave = await places.take()
      if (!leave) {
        const durationMs = now() - startedMs
        emit({ type: 'wechat', endpoint, appId, startedMs, durationMs, outcome: 'no_place' })
        throw unavailable(`Too many calls in flight: all ${placesOf[group]} places are taken`)
      }
      // The deadline starts here: the wait for a place says nothing about WeChat.
      try {
        return await within(work)
      } finally {
        leave()
      }
    },

    async send(request, signal) {
      for (const waitMs of request.isRepeatable ? busyWaitsMs : []) {
        try {
          return await sendOnce(request, signal)
        } catch (error) {
          if (!(error instanceof AuthError) || error.errcode !== -1) throw error
        }
        await delay(waitMs, undefined, { signal }).catch(() => {
          throw signal.reason
        })
      }
      return sendOnce(request, signal)
    },

    health() {
      const breakers = forEachGroup((group) => groups[group].breaker.state())
      const { call: _, ...ours } = breakers
      const isClosed = Object.values(ours).every((state) => state === 'closed')
      return {
        ok: isClosed && !unhealthy.has(lastOutcome),
        lastOutcome,
        lastCallAt,
        breakers,
        inFlight: forEachGroup((group) => groups[group].places.taken()),
        host: hosts.current(),
      }
    },

    close() {
      closing ??= httpClient.close()
      return closing
    },
  }
}

const forEachGroup = <T>(
  make: (group: EndpointGroup) => T,
): Readonly<Record<EndpointGroup, T>> => ({
  login: make('login'),
  prefetch: make('prefetch'),
  web_login: make('web_login'),
  wecom: make('wecom'),
  user_info: make('user_info'),
  access_token: make('access_token'),
  payment: make('payment'),
  call: make('call'),
})

/** Everything that was sent may be a secret. Very short strings are not, and occur in any message. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn)
  const text = String(value)
  return text.length < 6 ? [] : [text]
}
