import type { Agent, buildConnector } from 'undici'
import type { WarningEvent } from '../events.js'
import type { FetchLike, FetchResponse } from './fetch-like.js'
import { loadUndici } from './undici.js'

type Undici = typeof import('undici')

const connectTimeoutMs = 2000
// After that, a firewall or NAT may have dropped the connection silently.
const idleMs = 15_000

/**
 * The connections of the default `fetch`. Unlike any other `fetch`, they can tell at which point a request failed. On
 * Cloudflare Workers they are those of the global one.
 */
export interface Connections {
  readonly fetch: FetchLike
  /** Whether the error ended a connection before it was made, so that nothing was sent. */
  wasNeverMade(error: unknown): boolean
  /** Separates the connections that exist now from later ones, for {@link Connections.endedBy}. */
  mark(): number
  /** Which connection the error ended: one that existed at the mark and was idle, a newer one, or none. */
  endedBy(error: unknown, mark: number): 'idle' | 'new' | undefined
  /** Closes them after the calls in flight. */
  close(): Promise<void>
}

export interface ConnectionsOptions {
  readonly maxConnections: number
  readonly timeoutMs: number
  readonly emit: (event: WarningEvent) => void
}

export function createConnections({
  maxConnections,
  timeoutMs,
  emit,
}: ConnectionsOptions): Connections {
  let loading: Promise<FetchLike> | undefined
  let agent: Agent | undefined
  let made = 0
  const whileConnecting = new WeakSet<object>()
  const numbers = new WeakMap<object, number>()

  /** A connection is made once the TCP and TLS handshakes are complete. */
  const connectBy =
    (open: buildConnector.connector): buildConnector.connector =>
    (options, callback) =>
      open(options, (...[error, socket]) => {
        if (error) {
          whileConnecting.add(error)
          return callback(error, null)
        }
        made += 1
        const number = made
        // Added before undici's own listener, so that the number is known when the request fails.
        socket.on('error', (error) => numbers.set(error, number))
        callback(null, socket)
      })

  function fetchBy({ Agent, buildConnector }: Undici): FetchLike {
    const dispatcher = new Agent({
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED says: what is sent here is the AppSecret.
      connect: connectBy(buildConnector({ timeout: connectTimeoutMs, rejectUnauthorized: true })),
      connections: maxConnections,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
    })
    // Bun's own undici has agents that only look like ones.
    if (typeof dispatcher.dispatch !== 'function') return globalFetch
    agent = dispatcher
    return (url, init) => dispatch(dispatcher, url, init)
  }

  /** At the first call: with a `fetch` of your own undici is not loaded, and without calls no socket is opened. */
  async function load(): Promise<FetchLike> {
    if (!loadUndici) return globalFetch
    try {
      return fetchBy(await loadUndici())
    } catch {
      emit({ type: 'warning', warning: 'no_undici', hint: noUndici })
      return globalFetch
    }
  }

  return {
    async fetch(url, init) {
      loading ??= load()
      const send = await loading
      return send(url, init)
    },

    wasNeverMade: (error) => isObject(error) && whileConnecting.has(error),
    mark: () => made,
    endedBy(error, mark) {
      const number = isObject(error) ? numbers.get(error) : undefined
      if (number === undefined) return undefined
      return number > mark ? 'new' : 'idle'
    },
    // Bun's own undici has agents without `close`.
    close: async () => agent?.close?.(),
  }
}

const noUndici =
  'undici could not be loaded, so WeChat is called by the global fetch, with its own connections and timeouts. Leave undici out of the bundle (esbuild: --external:undici) and install it beside, or set fetch: globalThis.fetch if that is what you want'

// Called on its own: Workers and browsers refuse it as a method of something else.
const globalFetch: FetchLike = (url, init) => fetch(url, init)

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** One request, without the streams that undici's own `request` makes for it: an answer is a few hundred bytes. */
function dispatch(
  dispatcher: Agent,
  url: string,
  { method, headers, body, signal }: Parameters<FetchLike>[1],
): Promise<FetchResponse> {
  // Undici takes a path as it is, and this one is of our own making: nothing has to be parsed.
  const pathAt = url.indexOf('/', url.indexOf('//') + 2)
  const [origin, path] = [url.slice(0, pathAt), url.slice(pathAt)]
  return new Promise((resolve, reject) => {
    const content = createContent()
    let abort = () => {}
    const fail = (error: Error) => {
      reject(error)
      content.fail(error)
    }
    // At once: before the connection is made there is nothing yet that could be aborted.
    const onAbort = () => {
      fail(toError(signal.reason))
      abort()
    }
    if (signal.aborted) return onAbort()
    const settle = () => signal.removeEventListener('abort', onAbort)
    signal.addEventListener('abort', onAbort)
    dispatcher.dispatch(
      { origin, path, method, headers, body: body ?? null },
      {
        onRequestStart(controller) {
          abort = () => controller.abort(toError(signal.reason))
          content.onCancel(abort)
          if (signal.aborted) abort()
        },
        onResponseStart(_controller, status) {
          // An interim answer (1xx) is not the answer.
          if (status >= 200) resolve({ status, body: { getReader: () => content.reader } })
        },
        onResponseData: (_controller, chunk) => content.add(chunk),
        onResponseEnd() {
          settle()
          content.end()
        },
        onResponseError(_controller, error) {
          settle()
          fail(error)
        },
      },
    )
  })
}

const toError = (reason: unknown) => (reason instanceof Error ? reason : new Error('aborted'))

/** What has come of a body until somebody reads it, in one piece. */
function createContent() {
  const chunks: Uint8Array[] = []
  let hasEnded = false
  let failure: Error | undefined
  let cancel = () => {}
  let wake = () => {}
  return {
    add(chunk: Uint8Array) {
      chunks.push(chunk)
      wake()
    },
    end() {
      hasEnded = true
      wake()
    },
    fail(error: Error) {
      failure = error
      wake()
    },
    onCancel(callBack: () => void) {
      cancel = callBack
    },
    reader: {
      async read() {
        while (chunks.length === 0 && !hasEnded && !failure) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        if (failure) throw failure
        if (chunks.length === 0) return { done: true }
        return { done: false, value: Buffer.concat(chunks.splice(0)) }
      },
      async cancel() {
        if (!hasEnded) cancel()
      },
    },
  }
}
