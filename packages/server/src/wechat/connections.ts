import type { Agent, buildConnector } from 'undici'
import type { WarningEvent } from '../events.js'
import type { FetchLike } from './fetch-like.js'
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

  function fetchBy({ Agent, buildConnector, request }: Undici): FetchLike {
    const dispatcher = new Agent({
      connect: connectBy(buildConnector({ timeout: connectTimeoutMs })),
      connections: maxConnections,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
    })
    agent = dispatcher
    return async (url, { method, headers, body, signal }) => {
      const response = await request(url, {
        method,
        headers,
        signal,
        dispatcher,
        body: body ?? null,
      })
      return {
        status: response.statusCode,
        body: { getReader: () => readerOf(response.body) },
      }
    }
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

function readerOf(body: NodeJS.ReadableStream & { destroy(): unknown }) {
  const chunks = body[Symbol.asyncIterator]()
  return {
    async read() {
      const { done = false, value } = await chunks.next()
      return { done, value: typeof value === 'string' ? Buffer.from(value) : value }
    },
    async cancel() {
      body.destroy()
    },
  }
}
