import type { WxFailure, WxRequestOptions, WxRequestTask, WxResponse } from '../wx.js'

/** Where the phone gets its time; all in milliseconds. */
export interface FakeClock {
  now(): number
  setTimeout(run: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

// Looked up, so that projects with neither Node's nor the DOM's types compile too.
type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S } }
  ? S
  : { readonly aborted: boolean }

/** A request as it leaves the phone. */
export interface FakeNetworkRequest {
  /** With the query string that `data` of a GET request became. */
  readonly url: string
  readonly method: string
  /** Names in lower case, `referer` as the platform sets it. */
  readonly header: Readonly<Record<string, string>>
  readonly body?: string | ArrayBuffer
  /** Aborts when the phone gives up: `abort()`, a timeout, no network, 5 seconds in background. */
  readonly signal: Signal
}

/** What came back to the phone. */
export interface FakeNetworkResponse {
  readonly statusCode: number
  /** Handed on with these very names; a list stands for a header that came several times. */
  readonly header: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | ArrayBuffer
}

/** What `wx.request` takes. */
export interface FakeRequestOptions extends WxRequestOptions {
  enableChunked?: boolean
  complete?: (result: WxFailure | (WxResponse & { errMsg: string })) => void
}

/** What `wx.request` returns: a task, never a promise. */
export interface FakeRequestTask extends Required<WxRequestTask> {}

/** A call of `wx.request`, the outcome included once there is one. */
export interface RecordedRequest {
  /** As the app gave it. */
  readonly url: string
  readonly method: string
  /** As it leaves the phone: names in lower case, defaults and `referer` included. */
  readonly header: Readonly<Record<string, string>>
  /** As the app gave it. */
  readonly data: unknown
  /** When it was called, in milliseconds by the clock. */
  readonly at: number
  /** The status of an answer; absent while it is under way and when there was none. */
  readonly statusCode?: number
  /** Why it failed. */
  readonly errMsg?: string
  /** From the call to its outcome, the wait for a free slot included. */
  readonly durationMs?: number
}

/**
 * What becomes of a request.
 *
 * - `'ok'`: what would happen anyway
 * - `{ fail }`: fails like this, the server is not reached
 * - `'hang'`: is not sent and never answers, not even with a timeout; only `abort()` ends it
 * - `'throw'`: `wx.request` itself throws
 * - `'twice'`: `success` is called twice
 * - `{ delayMs }`: the server is reached at once, its answer arrives later; `Infinity` ends in the platform's timeout
 * - `{ respond }`: this answer, the server is not reached; `data` that is not a string is sent as JSON
 * - `'drop-answer'`: the server does its work, the phone sees a timeout
 */
export type FakeRequestBehaviour =
  | 'ok'
  | 'hang'
  | 'throw'
  | 'twice'
  | 'drop-answer'
  | { readonly fail: WxFailure }
  | { readonly delayMs: number }
  | {
      readonly respond: {
        readonly statusCode: number
        readonly header?: Readonly<Record<string, string | readonly string[]>>
        readonly data?: unknown
      }
    }

/** What `wx.request` needs to know of the phone. */
export interface RequestSurroundings {
  readonly appId: string
  readonly clock: FakeClock
  readonly network: (request: FakeNetworkRequest) => Promise<FakeNetworkResponse>
  readonly domains: readonly string[] | undefined
  readonly behaviourFor: (request: RecordedRequest) => FakeRequestBehaviour
  readonly isOnline: () => boolean
  readonly isHidden: () => boolean
  readonly failure: (errMsg: string, errno?: number) => WxFailure
  /** Calls back in a later turn, unless the app is suspended or gone. */
  readonly deliver: (callback: () => void) => void
}

/** `wx.request`, and what a phone does to the requests under way. */
export interface FakeRequests {
  readonly records: readonly RecordedRequest[]
  request(options: FakeRequestOptions): FakeRequestTask
  failAll(errMsg: string, errno: number): void
}

const methods = ['OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'CONNECT']
const maxConcurrent = 10
const defaultTimeoutMs = 60_000

/** The requests of one running mini program. */
export function createRequests(surroundings: RequestSurroundings): FakeRequests {
  const { appId, clock, network, domains, behaviourFor, failure, deliver } = surroundings
  const records: RecordedRequest[] = []
  const underWay = new Set<(failed: WxFailure) => void>()
  const queue: (() => void)[] = []
  let sending = 0

  function startNext(): void {
    while (sending < maxConcurrent) {
      const start = queue.shift()
      if (!start) return
      sending += 1
      start()
    }
  }

  function refusal(url: unknown, method: string): WxFailure | undefined {
    if (!methods.includes(method)) return failure('request:fail method is invalid', 600005)
    const origin = typeof url === 'string' ? /^https?:\/\/[^/?#]+/i.exec(url)?.[0] : undefined
    if (!origin) return failure('request:fail invalid url', 600009)
    if (domains && !domains.includes(origin.toLowerCase())) {
      return failure('request:fail url not in domain list', 600002)
    }
    if (surroundings.isHidden()) return failure('request:fail interrupted', 600003)
    if (!surroundings.isOnline()) {
      return failure('request:fail 似乎已断开与互联网的连接。', 600000)
    }
    return undefined
  }

  function request(options: FakeRequestOptions): FakeRequestTask {
    const { url, data, dataType, responseType, enableChunked, success, fail, complete } = options
    const method = (options.method ?? 'GET').toUpperCase()
    const header = headerOf(options.header, appId)
    const record: { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] } = {
      url,
      method,
      header,
      data,
      at: clock.now(),
    }
    records.push(record)
    const behaviour = behaviourFor(record)
    if (behaviour === 'throw') {
      record.errMsg = 'request:fail thrown'
      record.durationMs = 0
      throw new Error('request:fail')
    }

    const headersListeners = new Set<(result: { header: object }) => void>()
    const chunkListeners = new Set<(result: { data: ArrayBuffer }) => void>()
    const connection = new AbortController()
    const timers: unknown[] = []
    let isSent = false
    let isOver = false

    function end(outcome: { statusCode: number } | { errMsg: string }): void {
      isOver = true
      Object.assign(record, outcome, { durationMs: clock.now() - record.at })
      underWay.delete(failWhenAlive)
      for (const timer of timers) clock.clearTimeout(timer)
      const place = queue.indexOf(start)
      if (place >= 0) queue.splice(place, 1)
      if (isSent) sending -= 1
      startNext()
    }

    function failWith(failed: WxFailure): void {
      if (isOver) return
      end({ errMsg: failed.errMsg })
      connection.abort()
      deliver(() => {
        fail?.(failed)
        complete?.(failed)
      })
    }

    function failWhenAlive(failed: WxFailure): void {
      if (behaviour !== 'hang') failWith(failed)
    }

    function succeed({ statusCode, header, body }: FakeNetworkResponse): void {
      if (isOver) return
      end({ statusCode })
      const folded = fold(header)
      const response = {
        data: parse(body, dataType, responseType),
        statusCode,
        header: folded,
        cookies: cookiesOf(header),
        errMsg: 'request:ok',
      }
      const report = () => {
        success?.(response)
        complete?.(response)
      }
      deliver(() => {
        for (const listener of headersListeners) listener({ header: folded })
        const chunk = bytesOf(body)
        if (enableChunked && chunk.byteLength > 0) {
          for (const listener of chunkListeners) listener({ data: chunk })
        }
        report()
      })
      if (behaviour === 'twice') deliver(report)
    }

    function after(ms: number, run: () => void): void {
      if (ms <= 0) run()
      else if (ms !== Number.POSITIVE_INFINITY) timers.push(clock.setTimeout(run, ms))
    }

    async function exchange(): Promise<void> {
      try {
        if (typeof behaviour === 'object' && 'respond' in behaviour) {
          succeed(canned(behaviour.respond))
          return
        }
        const sent = serialise(url, method, header, data)
        const response = await network({ method, header, signal: connection.signal, ...sent })
        if (behaviour === 'drop-answer') failWith(failure('request:fail timeout', 5))
        else if (typeof behaviour === 'object' && 'delayMs' in behaviour) {
          if (!isOver) after(behaviour.delayMs, () => succeed(response))
        } else succeed(response)
      } catch (error) {
        const [errMsg, errno] = brokenConnection(error)
        failWith(failure(errMsg, errno))
      }
    }

    function start(): void {
      isSent = true
      if (behaviour === 'hang') return
      const { timeout } = options
      after(timeout !== undefined && timeout > 0 ? timeout : defaultTimeoutMs, () =>
        failWith(failure('request:fail timeout', 5)),
      )
      if (typeof behaviour === 'object' && 'fail' in behaviour) {
        failWith(failure(behaviour.fail.errMsg, behaviour.fail.errno))
      } else void exchange()
    }

    const refused = refusal(url, method)
    if (refused) failWith(refused)
    else {
      underWay.add(failWhenAlive)
      queue.push(start)
      startNext()
    }

    return {
      abort: () => failWith(failure('request:fail abort')),
      onHeadersReceived: (listener) => void headersListeners.add(listener),
      offHeadersReceived: (listener) => remove(headersListeners, listener),
      onChunkReceived: (listener) => void chunkListeners.add(listener),
      offChunkReceived: (listener) => remove(chunkListeners, listener),
    }
  }

  return {
    records,
    request,
    failAll(errMsg, errno) {
      for (const failOne of [...underWay]) failOne(failure(errMsg, errno))
    },
  }
}

/** Leaves the phone through the global `fetch`. */
export async function fetchNetwork(request: FakeNetworkRequest): Promise<FakeNetworkResponse> {
  const { url, method, header, body, signal } = request
  const response = await fetch(url, {
    method,
    headers: { ...header },
    signal,
    ...(body === undefined ? {} : { body }),
  })
  const received: Record<string, string | string[]> = Object.fromEntries(response.headers)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) received['set-cookie'] = cookies
  return { statusCode: response.status, header: received, body: await response.arrayBuffer() }
}

function remove<L>(listeners: Set<L>, listener: L | undefined): void {
  if (listener === undefined) listeners.clear()
  else listeners.delete(listener)
}

function headerOf(given: Record<string, string> = {}, appId: string): Record<string, string> {
  const header: Record<string, string> = { 'content-type': 'application/json' }
  for (const [name, value] of Object.entries(given)) header[name.toLowerCase()] = String(value)
  header.referer = `https://servicewechat.com/${appId}/0/page-frame.html`
  return header
}

function serialise(
  url: string,
  method: string,
  header: Readonly<Record<string, string>>,
  data: unknown,
): { url: string; body?: string | ArrayBuffer } {
  if (data === undefined || data === null) return { url }
  if (method === 'GET' || method === 'HEAD') {
    if (isArrayBuffer(data)) return { url }
    const query = typeof data === 'string' ? data : queryOf(data)
    if (query === '') return { url }
    return { url: url + (url.includes('?') ? '&' : '?') + query }
  }
  if (isArrayBuffer(data) || typeof data === 'string') return { url, body: data }
  const isForm = header['content-type']?.toLowerCase().includes('x-www-form-urlencoded')
  return { url, body: isForm ? queryOf(data) : JSON.stringify(data) }
}

function queryOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data)
  return Object.entries(data)
    .map(([name, value]: [string, unknown]) => {
      const text =
        typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
      return `${encodeURIComponent(name)}=${encodeURIComponent(text)}`
    })
    .join('&')
}

// By tag: an ArrayBuffer made in another `vm` context is not an instance of this one's.
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]'
}

function bytesOf(body: string | ArrayBuffer): ArrayBuffer {
  if (typeof body !== 'string') return body
  const bytes = new TextEncoder().encode(body)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
}

function parse(body: string | ArrayBuffer, dataType = 'json', responseType = 'text'): unknown {
  if (responseType === 'arraybuffer') return bytesOf(body)
  const text = new TextDecoder().decode(bytesOf(body))
  if (dataType !== 'json') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function fold(header: FakeNetworkResponse['header']): Record<string, string> {
  const entries = Object.entries(header)
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}

function cookiesOf(header: FakeNetworkResponse['header']): string[] {
  const entries = Object.entries(header).filter(([name]) => name.toLowerCase() === 'set-cookie')
  return entries.flatMap(([, value]) => value)
}

function canned(answer: {
  readonly statusCode: number
  readonly header?: FakeNetworkResponse['header']
  readonly data?: unknown
}): FakeNetworkResponse {
  const { statusCode, header = {}, data = '' } = answer
  return { statusCode, header, body: typeof data === 'string' ? data : JSON.stringify(data) }
}

/** Android's wording for what Node reports. */
function brokenConnection(error: unknown): [errMsg: string, errno: number] {
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined)
  switch (code) {
    case 'ECONNREFUSED':
      return ['request:fail -102:net::ERR_CONNECTION_REFUSED', 600001]
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ['request:fail -105:net::ERR_NAME_NOT_RESOLVED', 600001]
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return ['request:fail -101:net::ERR_CONNECTION_RESET', 600001]
    default:
      return ['request:fail unknown network error', 600000]
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
