import { setTimeout as delay } from 'node:timers/promises'
import { withAbortableDeadline } from '../deadline.js'
import { AuthError } from '../errors.js'
import type { BreakerEvent, EndpointGroup, MisconfiguredEvent, WeChatEvent } from '../events.js'
import { checkDuration, checkFunctions } from '../option-checks.js'
import { readAnswer, type WeChatAnswer } from './answer.js'
import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.js'
import { type ErrcodeMeanings, meaningOf } from './errcodes.js'
import { checkHosts, createHosts } from './hosts.js'
import { createHttpClient, type FetchLike, type Reply, unavailable } from './http-client.js'

// If WeChat is busy, a read is retried after these delays.
const busyWaitsMs = [100, 400] as const

/** How WeChat is reached. */
export interface WeChatConnectionOptions {
  /** Sends the calls to WeChat (default: undici with a keep-alive agent of its own). */
  fetch?: FetchLike
  /**
   * The origins of WeChat (default `['https://api.weixin.qq.com']`). The next one is tried if a connection cannot be
   * made, and stays in use; every 30 seconds the first is tried again. Plain http only for localhost.
   */
  wechatHosts?: readonly string[]
  /** How long a call to WeChat may take in total, in milliseconds (default 5,000). Connecting may take 2,000. */
  wechatTimeoutMs?: number
}

export interface TransportNeeds {
  readonly now: () => number
  readonly emit: (event: WeChatEvent | MisconfiguredEvent | BreakerEvent) => void
}

export interface WeChatRequest<Result> extends ErrcodeMeanings {
  readonly endpoint: WeChatEvent['endpoint']
  /** The circuit breaker that the call belongs to. */
  readonly group: EndpointGroup
  /** The mini program that the call is for. */
  readonly appId: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: object | undefined
  /** The call changes nothing at WeChat and uses no code, so it may be sent again if WeChat is busy. */
  readonly isRepeatable: boolean
  /** Reads the result from a successful answer. If it throws, the call fails with that error. */
  readonly read: (answer: WeChatAnswer) => Result
}

type About = Omit<WeChatRequest<unknown>, 'read'>

/** WeChat as of the last call; no call is made for this. */
export interface WeChatHealth {
  /** Whether WeChat served the last call and all circuit breakers are closed, except that of the app's own calls. */
  readonly ok: boolean
  readonly lastOutcome: WeChatEvent['outcome'] | undefined
  /** In seconds since the epoch. */
  readonly lastCallAt: number | undefined
  /** `open`: WeChat failed several times in a row, and calls fail at once · `half_open`: the next call tests it. */
  readonly breakers: Readonly<Record<EndpointGroup, BreakerEvent['state']>>
  /** The host that calls go to now. */
  readonly host: string
}

/** Sends calls to WeChat, for all mini programs of a backend. */
export interface Transport {
  /** Runs work with the timeout of one call; the signal aborts what is in flight. */
  within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Makes one call. Returns the result of a success, and throws an {@link AuthError} for everything else. */
  send<Result>(request: WeChatRequest<Result>, signal: AbortSignal): Promise<Result>
  health(): WeChatHealth
  close(): Promise<void>
}

// These say something about WeChat or the configuration, not about one user or code.
const unhealthy: ReadonlySet<unknown> = new Set([
  'wechat_unavailable',
  'rate_limited',
  'server_misconfigured',
])

/** Throws a `TypeError` that names the wrong option. */
export function createTransport({
  fetch,
  wechatHosts = ['https://api.weixin.qq.com'],
  wechatTimeoutMs = 5000,
  now,
  emit,
}: WeChatConnectionOptions & TransportNeeds): Transport {
  checkFunctions({ fetch })
  checkDuration('wechatTimeoutMs', wechatTimeoutMs)
  const hosts = createHosts(checkHosts('wechatHosts', wechatHosts), now)
  const httpClient = createHttpClient(fetch, hosts, wechatTimeoutMs)
  const breakerOf = (group: EndpointGroup) =>
    createCircuitBreaker(now, (state) => emit({ type: 'breaker', group, state }))
  const breakers: Readonly<Record<EndpointGroup, CircuitBreaker>> = {
    login: breakerOf('login'),
    user_info: breakerOf('user_info'),
    access_token: breakerOf('access_token'),
    call: breakerOf('call'),
  }
  let closing: Promise<void> | undefined
  let lastOutcome: WeChatEvent['outcome'] | undefined
  let lastCallAt: number | undefined

  async function sendOnce<Result>(
    request: WeChatRequest<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    if (closing) throw unavailable('auth.close() was called')
    const { method, path, query, body } = request
    const search = new URLSearchParams(query).toString()
    const target = search === '' ? path : `${path}?${search}`
    const text = body && JSON.stringify(body)
    const report = breakers[request.group].enter()
    const startedMs = now()
    let reply: Reply | undefined
    try {
      reply = await httpClient.send(
        { method, target, body: text, secrets: () => textsIn([query, body]) },
        signal,
      )
      const result = request.read(readAnswer(reply, request))
      report(true)
      record(request, startedMs)
      return result
    } catch (error) {
      report(!isOutage(error, reply, request))
      record(request, startedMs, error)
      throw error
    }
  }

  function record(request: About, startedMs: number, error?: unknown): void {
    const { endpoint, appId } = request
    const { errcode, rid }: Partial<AuthError> = error instanceof AuthError ? error : {}
    const outcome =
      error === undefined ? 'ok' : error instanceof AuthError ? error.code : 'server_error'
    lastOutcome = outcome
    lastCallAt = Math.floor(now() / 1000)
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

  return {
    within: (work) =>
      withAbortableDeadline(
        wechatTimeoutMs,
        () => unavailable(`WeChat did not answer within ${wechatTimeoutMs} ms`),
        work,
      ),

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
      const states = {
        login: breakers.login.state(),
        user_info: breakers.user_info.state(),
        access_token: breakers.access_token.state(),
        call: breakers.call.state(),
      }
      const { call: _, ...ours } = states
      const isClosed = Object.values(ours).every((state) => state === 'closed')
      return {
        ok: isClosed && !unhealthy.has(lastOutcome),
        lastOutcome,
        lastCallAt,
        breakers: states,
        host: hosts.current(),
      }
    },

    close() {
      closing ??= httpClient.close()
      return closing
    },
  }
}

/** Whether WeChat itself is down. An unexpected answer counts only where all of WeChat's answers are known. */
function isOutage(error: unknown, reply: Reply | undefined, about: About): boolean {
  if (!(error instanceof AuthError) || error.code !== 'wechat_unavailable') return false
  if (reply === undefined || reply.status >= 500) return true
  if (about.unknownErrcode !== 'wechat_unavailable') return false
  return error.errcode === undefined || error.errcode === -1
}

/** Everything that was sent may be a secret. Very short strings are not, and occur in any message. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn)
  const text = String(value)
  return text.length < 6 ? [] : [text]
}
