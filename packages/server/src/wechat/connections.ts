import { Agent, buildConnector, request } from 'undici'
import type { FetchLike } from './fetch-like.js'

const connectTimeoutMs = 2000
// After that, a firewall or NAT may have dropped the connection silently.
const idleMs = 15_000

/** The connections of the default `fetch`. Unlike any other `fetch`, they can tell at which point a request failed. */
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

export function createConnections(maxConnections: number, timeoutMs: number): Connections {
  // Created at the first call: with a fetch of your own, or without calls, no socket is opened.
  let agent: Agent | undefined
  let made = 0
  const whileConnecting = new WeakSet<object>()
  const numbers = new WeakMap<object, number>()
  const open = buildConnector({ timeout: connectTimeoutMs })

  /** A connection is made once the TCP and TLS handshakes are complete. */
  const connect: buildConnector.connector = (options, callback) =>
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

  return {
    async fetch(url, { method, headers, body, signal }) {
      agent ??= new Agent({
        connect,
        connections: maxConnections,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        keepAliveTimeout: idleMs,
        keepAliveMaxTimeout: idleMs,
      })
      const response = await request(url, {
        method,
        headers,
        signal,
        dispatcher: agent,
        body: body ?? null,
      })
      return {
        status: response.statusCode,
        body: { getReader: () => readerOf(response.body) },
      }
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
