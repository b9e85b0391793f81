import { untilAborted } from '../deadline.js'
import { AuthError } from '../errors.js'
import { readAtMost } from '../read-at-most.js'
import { redactError } from '../redact.js'
import { type ConnectionsOptions, createConnections } from './connections.js'
import { saysLost, saysNeverSent } from './fetch-errors.js'
import type { FetchLike, FetchResponse } from './fetch-like.js'
import type { Hosts } from './hosts.js'

const maxReplyBytes = 64 * 1024

export interface HttpClientRequest {
  readonly hosts: Hosts
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly target: string
  readonly body: string | undefined
  /** It may be sent again even if it has arrived. */
  readonly isRepeatable: boolean
  /** The answer may be a file of at most so many bytes. */
  readonly maxFileBytes?: number | undefined
  /** Strings that must not show up in an error. */
  readonly secrets: () => readonly string[]
}

export interface Reply {
  readonly status: number
  /** Absent if it was larger than 64 KiB, or than the file that was asked for may be. */
  readonly text: string | undefined
  /** Set instead of a text where a file was asked for, and what came does not begin as JSON does. */
  readonly file?: Uint8Array
}

/** The connection broke before the answer was complete, and the request may have arrived. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
  /** The connection had been idle and was dropped in the meantime, which says nothing about WeChat. */
  readonly wasIdle: boolean

  constructor(wasIdle: boolean, cause: unknown) {
    super('The connection to WeChat broke before the answer was complete', { cause })
    this.wasIdle = wasIdle
  }
}

export interface HttpClient {
  /**
   * Sends one request and reads the whole answer. Throws a {@link ConnectionLost}, the signal's reason, or
   * `wechat_unavailable` for every other failure.
   */
  send(request: HttpClientRequest, signal: AbortSignal): Promise<Reply>
  /** Closes the connections after the calls in flight. */
  close(): Promise<void>
}

export interface HttpClientOptions extends ConnectionsOptions {
  readonly fetch: FetchLike | undefined
}

export function createHttpClient({ fetch, ...options }: HttpClientOptions): HttpClient {
  const connections = createConnections(options)
  const fetchOnce = fetch ?? connections.fetch
  const wasNeverSent = (error: unknown) => connections.wasNeverMade(error) || saysNeverSent(error)

  /** Only a request that certainly was not sent is sent again: a code works once. */
  async function firstResponse(
    { hosts, target }: HttpClientRequest,
    init: Parameters<FetchLike>[1],
  ) {
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

  /** A repeatable request is sent again for each connection that was dropped while it was idle. */
  async function responseTo(
    request: HttpClientRequest,
    init: Parameters<FetchLike>[1],
  ): Promise<FetchResponse> {
    for (;;) {
      const mark = connections.mark()
      try {
        return await firstResponse(request, init)
      } catch (error) {
        const ended = connections.endedBy(error, mark)
        if (init.signal.aborted || !(ended || saysLost(error))) throw error
        const wasIdle = ended === 'idle'
        if (!wasIdle || !request.isRepeatable) throw new ConnectionLost(wasIdle, error)
      }
    }
  }

  async function replyTo(request: HttpClientRequest, signal: AbortSignal): Promise<Reply> {
    const { method, body } = request
    const response = await responseTo(request, {
      method,
      headers: {
        accept: request.maxFileBytes === undefined ? 'application/json' : '*/*',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      redirect: 'manual',
      signal,
      // A string has a length: WeChat rejects a chunked body with status 412.
      ...(body !== undefined && { body }),
    })
    const { status } = response
    if (status === 200) return { status, ...(await readContent(response, request)) }
    await response.body
      ?.getReader()
      .cancel()
      .catch(() => undefined)
    return { status, text: '' }
  }

  return {
    async send(request, signal) {
      try {
        const reply = replyTo(request, signal)
        // A fetch of somebody else's may take no notice of its signal.
        return await (fetch ? untilAborted(reply, signal) : reply)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        const secrets = request.secrets()
        if (error instanceof ConnectionLost) {
          throw new ConnectionLost(error.wasIdle, redactError(error.cause, secrets))
        }
        throw unavailable('WeChat could not be reached; see cause', redactError(error, secrets))
      }
    },

    close: connections.close,
  }
}

export function unavailable(message: string, cause?: unknown): AuthError {
  return new AuthError('wechat_unavailable', message, { cause, retryAfterSeconds: 2 })
}

async function readContent(
  { body }: FetchResponse,
  { maxFileBytes }: HttpClientRequest,
): Promise<Omit<Reply, 'status'>> {
  if (!body) return { text: '' }
  const reader = body.getReader()
  const maxBytes = maxFileBytes ?? maxReplyBytes
  const bytes = await readAtMost({ next: () => reader.read() }, maxBytes).catch((error) => {
    throw new ConnectionLost(false, error)
  })
  if (!bytes) reader.cancel().catch(() => undefined)
  // WeChat answers with status 200 and any content type; an error is JSON.
  if (maxFileBytes !== undefined && bytes && bytes[0] !== openingBrace) {
    return { text: '', file: bytes }
  }
  return { text: bytes && utf8.decode(bytes) }
}

const utf8 = new TextDecoder()
const openingBrace = '{'.charCodeAt(0)
