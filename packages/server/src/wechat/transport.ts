import { setTimeout as delay } from 'node:timers/promises'
import { within } from '../deadline.js'
import { AuthError } from '../errors.js'
import type { BreakerEvent, MisconfiguredEvent, WeChatEvent } from '../events.js'
import { readAnswer, type WeChatAnswer } from './answer.js'
import { createCircuitBreaker } from './circuit-breaker.js'
import { meaningOf } from './errcodes.js'
import { createHosts, type HostList } from './hosts.js'
import { createHttpClient, type FetchLike, type Reply, unavailable } from './http-client.js'

// A read that WeChat was too busy for is asked again after these.
const busyWaitsMs = [100, 400] as const

export interface TransportOptions {
  readonly fetch: FetchLike | undefined
  readonly hosts: HostList
  readonly timeoutMs: number
  readonly now: () => number
  readonly emit: (event: WeChatEvent | MisconfiguredEvent | BreakerEvent) => void
}

export interface WeChatRequest<Result> {
  readonly endpoint: WeChatEvent['endpoint']
  /** Whose mini program the call is about. */
  readonly appId: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: object | undefined
  /** It changes nothing at WeChat and spends no code, so it may be sent again when WeChat is busy. */
  readonly isRepeatable: boolean
  /** Makes the result out of an answer without an errcode. What it throws is how the call ended. */
  readonly read: (answer: WeChatAnswer) => Result
}

type About = Pick<WeChatRequest<unknown>, 'endpoint' | 'appId'>

/** As the last call ended; no call is made for this. */
export interface WeChatHealth {
  readonly ok: boolean
  readonly lastOutcome: WeChatEvent['outcome'] | undefined
  /** In seconds since the epoch. */
  readonly lastCallAt: number | undefined
  /** `open`: WeChat failed several times in a row, and calls fail at once · `half_open`: the next call finds out. */
  readonly breaker: BreakerEvent['state']
  /** The one of the hosts that calls go to now. */
  readonly host: string
}

/** The way to WeChat, which all mini programs of a backend share. */
export interface Transport {
  /** Gives work the time that one call may take; its signal ends what is under way. */
  within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** One call. Gives what WeChat's answer says when it is a success, and throws an {@link AuthError} for all else. */
  send<Result>(request: WeChatRequest<Result>, signal: AbortSignal): Promise<Result>
  health(): WeChatHealth
  close(): Promise<void>
}

// What says something about WeChat or the configuration, and not about one user or code.
const unhealthy: ReadonlySet<unknown> = new Set([
  'wechat_unavailable',
  'rate_limited',
  'server_misconfigured',
])

export function createTransport({
  fetch,
  hosts: hostList,
  timeoutMs,
  now,
  emit,
}: TransportOptions): Transport {
  const hosts = createHosts(hostList, now)
  const exchange = createHttpClient(fetch, hosts, timeoutMs)
  const breaker = createCircuitBreaker(now, (state) => emit({ type: 'breaker', state }))
  // Of the paths that the app chose: what is wrong with one of them must not keep users from logging in.
  const callBreaker = createCircuitBreaker(now, () => undefined)
  let closing: Promise<void> | undefined
  let lastOutcome: WeChatEvent['outcome'] | undefined
  let lastCallAt: number | undefined

  async function sendOnce<Result>(
    request: WeChatRequest<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    if (closing)
      throw unavailable('The connections to WeChat were closed; call nothing after close')
    const { method, path, query, body } = request
    const search = new URLSearchParams(query).toString()
    const target = search === '' ? path : `${path}?${search}`
    const text = body && JSON.stringify(body)
    const report = (isOfApp(request) ? callBreaker : breaker).enter()
    const startedAtMs = now()
    let reply: Reply | undefined
    try {
      reply = await exchange.send(
        { method, target, body: text, secrets: () => textsIn([query, body]) },
        signal,
      )
      const result = request.read(readAnswer(reply, request.endpoint))
      report(true)
      record(request, startedAtMs)
      return result
    } catch (error) {
      report(!isOutage(error, reply, request))
      record(request, startedAtMs, error)
      throw error
    }
  }

  function record({ endpoint, appId }: About, startedAtMs: number, error?: unknown): void {
    const { errcode, rid }: Partial<AuthError> = error instanceof AuthError ? error : {}
    const outcome =
      error === undefined ? 'ok' : error instanceof AuthError ? error.code : 'server_error'
    lastOutcome = outcome
    lastCallAt = Math.floor(now() / 1000)
    const about = { endpoint, appId, ...(rid !== undefined && { rid }) }
    const durationMs = now() - startedAtMs
    emit({
      type: 'wechat',
      ...about,
      durationMs,
      outcome,
      ...(errcode !== undefined && { errcode }),
    })
    if (outcome !== 'server_misconfigured' || errcode === undefined) return
    emit({ type: 'misconfigured', ...about, errcode, hint: meaningOf(errcode, endpoint).hint })
  }

  return {
    within: (work) =>
      within(timeoutMs, () => unavailable(`WeChat did not answer within ${timeoutMs} ms`), work),

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

    health: () => ({
      ok: breaker.state() === 'closed' && !unhealthy.has(lastOutcome),
      lastOutcome,
      lastCallAt,
      breaker: breaker.state(),
      host: hosts.current(),
    }),

    close() {
      closing ??= exchange.close()
      return closing
    },
  }
}

const isOfApp = ({ endpoint }: About): boolean => endpoint.startsWith('/')

/** Whether WeChat itself is in trouble. Of a path that the app chose, a strange answer may be the way that path is. */
function isOutage(error: unknown, reply: Reply | undefined, about: About): boolean {
  if (!(error instanceof AuthError) || error.code !== 'wechat_unavailable') return false
  if (reply === undefined || reply.status >= 500) return true
  return !isOfApp(about) && (error.errcode === undefined || error.errcode === -1)
}

/** Everything that was sent may be somebody's secret. Very short texts are not, and occur in any message. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn)
  const text = String(value)
  return text.length < 6 ? [] : [text]
}
