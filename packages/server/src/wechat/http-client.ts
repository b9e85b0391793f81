import { Agent, request as undiciRequest } from 'undici'
import { untilAborted } from '../deadline.js'
import { AuthError } from '../errors.js'
import { readAtMost } from '../read-at-most.js'
import { redactError, systemCodeOf } from '../redact.js'
import type { Hosts } from './hosts.js'

const maxReplyBytes = 64 * 1024
const connectTimeoutMs = 2000

/** What this library needs of a `fetch`; the global one fits, and so does `createFakeWeChat().fetch`. */
export type FetchLike = (
  url: string,
  init: {
    method: 'GET' | 'POST'
    headers: Record<string, string>
    body?: string
    redirect: 'manual'
    signal: AbortSignal
  },
) => Promise<FetchResponse>

export interface FetchResponse {
  readonly status: number
  readonly body: {
    getReader(): {
      read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
      cancel(): Promise<unknown>
    }
  } | null
}

export interface HttpClientRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly target: string
  readonly body: string | undefined
  /** Strings that must not show up in an error. */
  readonly secrets: () => readonly string[]
}

export interface Reply {
  readonly status: number
  /** Absent if it was larger than 64 KiB. */
  readonly text: string | undefined
}

export interface HttpClient {
  /** Sends one request and reads the whole answer. Throws `wechat_unavailable` if none arrives in time. */
  send(request: HttpClientRequest, signal: AbortSignal): Promise<Reply>
  /** Closes the connections after the calls in flight. */
  close(): Promise<void>
}

export function createHttpClient(
  fetch: FetchLike | undefined,
  hosts: Hosts,
  timeoutMs: number,
): HttpClient {
  // Created at the first call: with a fetch of your own, or without calls, no socket is opened.
  let agent: Agent | undefined

  const fetchOnce: FetchLike =
    fetch ??
    (async (url, { method, headers, body, signal }) => {
      agent ??= new Agent({
        connect: { timeout: connectTimeoutMs },
        connections: 128,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      })
      const response = await undiciRequest(url, {
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
    })

  /** Only a request that certainly was not sent is sent again: a code works once. */
  async function firstResponse(target: string, init: Parameters<FetchLike>[1]) {
    const [first = '', ...others] = hosts.candidates()
    const askAt = async (host: string) => {
      const response = await fetchOnce(host + target, init)
      hosts.reached(host)
      return response
    }
    let outcome = askAt(first)
    for (const host of others) {
      outcome = outcome.catch((error: unknown) => {
        if (init.signal.aborted || !wasNeverSent(error)) throw error
        return askAt(host)
      })
    }
    return outcome
  }

  async function replyTo(
    { method, target, body }: HttpClientRequest,
    signal: AbortSignal,
  ): Promise<Reply> {
    const response = await firstResponse(target, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      redirect: 'manual',
      signal,
      // A string has a length: WeChat rejects a chunked body with status 412.
      ...(body !== undefined && { body }),
    })
    const { status } = response
    if (status === 200) return { status, text: await readText(response) }
    await response.body
      ?.getReader()
      .cancel()
      .catch(() => undefined)
    return { status, text: '' }
  }

  return {
    async send(request, signal) {
      try {
        return await untilAborted(replyTo(request, signal), signal)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        throw unavailable(
          'WeChat could not be reached, or its answer ended early; see cause',
          redactError(error, request.secrets()),
        )
      }
    },

    // Bun's own undici has agents without `close`.
    close: async () => agent?.close?.(),
  }
}

export function unavailable(message: string, cause?: unknown): AuthError {
  return new AuthError('wechat_unavailable', message, { cause, retryAfterSeconds: 2 })
}

// The connection was never made, so no byte of the request was sent.
const neverSent: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

const wasNeverSent = (error: unknown) => neverSent.has(systemCodeOf(error))

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

async function readText({ body }: FetchResponse): Promise<string | undefined> {
  if (!body) return ''
  const reader = body.getReader()
  const bytes = await readAtMost({ next: () => reader.read() }, maxReplyBytes)
  if (!bytes) reader.cancel().catch(() => undefined)
  return bytes && new TextDecoder().decode(bytes)
}
