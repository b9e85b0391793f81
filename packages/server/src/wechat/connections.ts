import { Agent, buildConnector, request } from 'undici'
import type { FetchLike } from './fetch-like.js'

const connectTimeoutMs = 2000
// Beyond that, whatever stands between may have dropped a connection without a word.
const idleMs = 15_000

/** The connections of the defaults. Unlike a `fetch` they can tell at which point a request failed. */
export interface Connections {
  readonly fetch: FetchLike
  /** No connection was made, for whatever reason, so nothing was sent. */
  wasNeverMade(error: unknown): boolean
  /** Tells connections that are there from those still to be made, for {@link Connections.endedBy}. */
  mark(): number
  /** Which connection the error ended: one that was idle at the mark, a newer one, or none. */
  endedBy(error: unknown, mark: number): 'idle' | 'new' | undefined
  /** Ends them, after the answers under way. */
  close(): Promise<void>
}

export function createConnections(maxConnections: number, timeoutMs: number): Connections {
  // Made at the first call: who brings a fetch, or never logs in, opens no socket.
  let agent: Agent | undefined
  let made = 0
  const whileConnecting = new WeakSet<object>()
  const numbers = new WeakMap<object, number>()
  const open = buildConnector({ timeout: connectTimeoutMs })

  /** TCP and TLS: the connection counts as made when the handshakes are over. */
  const connect: buildConnector.connector = (options, callback) =>
    open(options, (...[error, socket]) => {
      if (error) {
        whileConnecting.add(error)
        return callback(error, null)
      }
      made += 1
      const number = made
      // Before undici's own listener, so that it is known when the request fails.
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
    close: async () => agent?.close(),
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
