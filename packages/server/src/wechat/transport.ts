import { setTimeout as delay } from 'node:timers/promises'
import { withAbortableDeadline } from '../deadline.js'
import { AuthError } from '../errors.js'
import type { BreakerEvent, EndpointGroup, MisconfiguredEvent, WeChatEvent } from '../events.js'
import { checkCount, checkDuration, checkFunctions } from '../option-checks.js'
import { readAnswer, type WeChatAnswer } from './answer.js'
import { createCircuitBreaker, type Finding } from './circuit-breaker.js'
import { type ErrcodeMeanings, meaningOf } from './errcodes.js'
import { findingOf, outcomeOf, toThrow } from './failures.js'
import type { FetchLike } from './fetch-like.js'
import { checkHosts, createHosts } from './hosts.js'
import { createHttpClient, type Reply, unavailable } from './http-client.js'
import { createPlaces } from './places.js'

// A read that WeChat was too busy for is asked again after these.
const busyWaitsMs = [100, 400] as const

// How many calls of a group may be under way at once, where no option says it.
const places = { user_info: 128, access_token: 128, call: 128 } as const

/** How WeChat is reached. */
export interface WeChatConnectionOptions {
  /** How WeChat is reached (default: undici with a keep-alive agent of its own). */
  fetch?: FetchLike
  /**
   * Where WeChat is, as origins (default `['https://api.weixin.qq.com']`). The next one is tried when a connection
   * cannot be made, and stays in use; every 30 seconds the first is tried again. Plain http only to this machine.
   */
  wechatHosts?: readonly string[]
  /**
   * How long a call to WeChat may take in all, in milliseconds from when it is sent (default 5,000). Connecting may take
   * 2,000 of them.
   */
  wechatTimeoutMs?: number
  /**
   * How many logins may be with WeChat at once (default 512). As many more wait, for at most 500 milliseconds; beyond
   * that a login is `wechat_unavailable` at once, and its code stays unused.
   */
  maxLoginsInFlight?: number
}

export interface TransportNeeds {
  readonly now: () => number
  readonly emit: (event: WeChatEvent | MisconfiguredEvent | BreakerEvent) => void
}

export interface WeChatRequest<Result> extends ErrcodeMeanings {
  readonly endpoint: WeChatEvent['endpoint']
  /** Whose places it takes, and whose circuit breaker counts it. */
  readonly group: EndpointGroup
  /** Whose mini program the call is about. */
  readonly appId: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: object | undefined
  /** It changes nothing at WeChat and spends no code, so it may be sent again when WeChat is busy. */
  readonly isRepeatable: boolean
  /** It carries a code that works once: when the answer gets lost, so may the code. */
  readonly spendsCode?: true
  /** Makes the result out of an answer without an errcode. What it throws is how the call ended. */
  readonly read: (answer: WeChatAnswer) => Result
}

type About = Omit<WeChatRequest<unknown>, 'read'>

/** What {@link Transport.inPlace} has to know of the calls to come. */
type AboutPlace = Pick<About, 'group' | 'endpoint' | 'appId'>

/** As the last call ended; no call is made for this. */
export interface WeChatHealth {
  /** Whether no circuit breaker but that of the app's own calls is open, and WeChat served the last call. */
  readonly ok: boolean
  readonly lastOutcome: WeChatEvent['outcome'] | undefined
  /** In seconds since the epoch. */
  readonly lastCallAt: number | undefined
  /** `open`: WeChat failed several times in a row, and calls fail at once · `half_open`: the next call finds out. */
  readonly breakers: Readonly<Record<EndpointGroup, BreakerEvent['state']>>
  /** The one of the hosts that calls go to now. */
  readonly host: string
}

/** The way to WeChat, which all mini programs of a backend share. */
export interface Transport {
  /** Gives work the time that one call may take; its signal ends what is under way. */
  within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** The same, once there is a place among the calls of the group. Throws `wechat_unavailable` when there is none in time. */
  inPlace<T>(about: AboutPlace, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** One call. Gives what WeChat's answer says when it is a success, and throws an {@link AuthError} for all else. */
  send<Result>(request: WeChatRequest<Result>, signal: AbortSignal): Promise<Result>
  health(): WeChatHealth
  close(): Promise<void>
}

// What says something about WeChat or the configuration, and not about one user or code.
const unhealthy: ReadonlySet<unknown> = new Set([
  'wechat_unavailable',
  'lost',
  'unreadable',
  'rate_limited',
  'server_misconfigured',
])

/** Throws a `TypeError` that names the option when one is wrong. */
export function createTransport({
  fetch,
  wechatHosts = ['https://api.weixin.qq.com'],
  wechatTimeoutMs = 5000,
  maxLoginsInFlight = 512,
  now,
  emit,
}: WeChatConnectionOptions & TransportNeeds): Transport {
  checkFunctions({ fetch })
  checkDuration('wechatTimeoutMs', wechatTimeoutMs)
  checkCount('maxLoginsInFlight', maxLoginsInFlight, 1, 'logins')
  const hosts = createHosts(checkHosts('wechatHosts', wechatHosts), now)
  const placesOf: Readonly<Record<EndpointGroup, number>> = { login: maxLoginsInFlight, ...places }
  const groups = forEachGroup((group) => ({
    places: createPlaces(placesOf[group]),
    breaker: createCircuitBreaker(now, (state) => emit({ type: 'breaker', group, state })),
  }))
  const httpClient = createHttpClient({
    fetch,
    hosts,
    timeoutMs: wechatTimeoutMs,
    // With a socket for every place, no group waits for another one's.
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
    const { method, path, query, body, isRepeatable } = request
    const search = new URLSearchParams(query).toString()
    const target = search === '' ? path : `${path}?${search}`
    const text = body && JSON.stringify(body)
    const report = groups[request.group].breaker.enter()
    const startedMs = now()
    const sentMs = performance.now()
    let reply: Reply | undefined
    try {
      reply = await httpClient.send(
        { method, target, body: text, isRepeatable, secrets: () => textsIn([query, body]) },
        signal,
      )
      const result = request.read(readAnswer(reply, request))
      report('up')
      record(request, startedMs, 'ok', 'up')
      return result
    } catch (failure) {
      // Work that came before it may have left it little time.
      const wasCutShort = signal.aborted && performance.now() - sentMs < wechatTimeoutMs / 2
      const finding = wasCutShort ? 'nothing' : findingOf(failure, reply, request)
      const error = toThrow(failure, request.spendsCode === true)
      report(finding)
      record(request, startedMs, outcomeOf(failure), finding, error)
      throw error
    }
  }

  function record(
    request: About,
    startedMs: number,
    outcome: WeChatEvent['outcome'],
    finding: Finding,
    error?: unknown,
  ): void {
    const { endpoint, appId } = request
    const { errcode, rid }: Partial<AuthError> = error instanceof AuthError ? error : {}
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
    emit({ type: 'misconfigured', ...about, errcode, hint: meaningOf(errcode, request).hint })
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
        throw unavailable(`All ${placesOf[group]} places for calls of this kind are taken`)
      }
      // Its time begins here: waiting for a place says nothing about WeChat.
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
  user_info: make('user_info'),
  access_token: make('access_token'),
  call: make('call'),
})

/** Everything that was sent may be somebody's secret. Very short texts are not, and occur in any message. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn)
  const text = String(value)
  return text.length < 6 ? [] : [text]
}
