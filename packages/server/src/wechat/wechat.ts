import { Agent, request as undiciRequest } from 'undici'
import { AuthError } from '../errors.js'
import type { EmitEvent, WeChatEvent } from '../events.js'
import { redacted, systemCodeOf } from '../redacted.js'
import { meaningOf } from './errcodes.js'

const maxReplyBytes = 64 * 1024
const connectTimeoutMs = 2000

/** What this library asks of a `fetch`; the global one fits, and so does `createFakeWeChat().fetch`. */
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

export interface WeChatOptions {
  readonly fetch?: FetchLike | undefined
  readonly wechatHosts: readonly [string, ...string[]]
  readonly wechatTimeoutMs: number
  readonly now: () => number
  readonly emit: EmitEvent
}

export interface WeChatRequest {
  readonly endpoint: WeChatEvent['endpoint']
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Whose mini program the call is about. */
  readonly appId: string
  /** Texts that must not show up in an error: the AppSecret, the code. */
  readonly secrets: readonly string[]
}

export interface WeChat {
  /** One call. Gives WeChat's answer when it is a success, and throws an {@link AuthError} for everything else. */
  call(request: WeChatRequest): Promise<Readonly<Record<string, unknown>>>
  /** How the last call ended. */
  health(): WeChatHealth
  /** Ends the connections. */
  close(): Promise<void>
}

/** As the last call ended; no call is made for this. */
export interface WeChatHealth {
  readonly ok: boolean
  readonly lastOutcome: WeChatEvent['outcome'] | undefined
  /** In seconds since the epoch. */
  readonly lastCallAt: number | undefined
}

// What says something about WeChat or the configuration, and not about one user or code.
const unhealthy: ReadonlySet<unknown> = new Set([
  'wechat_unavailable',
  'rate_limited',
  'server_misconfigured',
])

export function createWeChat({
  fetch,
  wechatHosts: hosts,
  wechatTimeoutMs: timeoutMs,
  now,
  emit,
}: WeChatOptions): WeChat {
  // Made at the first call: whoever brings a fetch, or never logs in, opens no socket.
  let agent: Agent | undefined
  let closing: Promise<void> | undefined
  let lastOutcome: WeChatEvent['outcome'] | undefined
  let lastCallAt: number | undefined

  const send: FetchLike =
    fetch ??
    (async (url, { method, headers, signal }) => {
      agent ??= new Agent({
        connect: { timeout: connectTimeoutMs },
        connections: 128,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      })
      const { statusCode, body } = await undiciRequest(url, {
        method,
        headers,
        signal,
        dispatcher: agent,
      })
      return { status: statusCode, body: { getReader: () => readerOf(body) } }
    })

  async function exchange(target: string, secrets: readonly string[]): Promise<string> {
    const controller = new AbortController()
    const deadline = expiry(timeoutMs, controller)
    try {
      return await Promise.race([request(target, controller.signal, secrets), deadline.expired])
    } finally {
      deadline.clear()
      controller.abort()
    }
  }

  /** A code works once, so only a request that certainly was not sent goes out again, to the next host. */
  async function firstAnswer(target: string, init: Parameters<FetchLike>[1]) {
    const [first, ...others] = hosts
    const next = others.length > 0 ? others : [first]
    let outcome = send(first + target, init)
    for (const host of next) {
      outcome = outcome.catch((error) => {
        if (init.signal.aborted || !wasNeverSent(error)) throw error
        return send(host + target, init)
      })
    }
    return outcome
  }

  async function request(target: string, signal: AbortSignal, secrets: readonly string[]) {
    const init = {
      method: 'GET',
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal,
    } as const
    let response: FetchResponse
    try {
      response = await firstAnswer(target, init)
    } catch (error) {
      throw unavailable('WeChat could not be reached', redacted(error, secrets))
    }
    if (response.status !== 200) {
      await response.body
        ?.getReader()
        .cancel()
        .catch(() => undefined)
      throw unavailable(`WeChat answered with HTTP status ${response.status}`)
    }
    try {
      return await readText(response)
    } catch (error) {
      if (error instanceof AuthError) throw error
      throw unavailable("WeChat's answer broke off", redacted(error, secrets))
    }
  }

  return {
    async call({ endpoint, path, query, appId, secrets }) {
      if (closing) throw unavailable('This Auth was closed')
      const startedAt = now()
      const done = (outcome: WeChatEvent['outcome'], errcode?: number, rid?: string) => {
        lastOutcome = outcome
        lastCallAt = Math.floor(now() / 1000)
        emit({
          type: 'wechat',
          endpoint,
          appId,
          durationMs: now() - startedAt,
          outcome,
          ...(errcode !== undefined && { errcode }),
          ...(rid !== undefined && { rid }),
        })
      }

      try {
        const answer = parse(await exchange(`${path}?${new URLSearchParams(query)}`, secrets))
        const errcode = errcodeOf(answer)
        if (errcode !== 0) throw refusal(errcode, ridOf(answer))
        done('ok')
        return answer
      } catch (error) {
        if (error instanceof AuthError) {
          done(error.code, error.errcode, error.rid)
          if (error.code === 'server_misconfigured' && error.errcode !== undefined) {
            emit({
              type: 'misconfigured',
              appId,
              errcode: error.errcode,
              hint: meaningOf(error.errcode).hint,
              ...(error.rid !== undefined && { rid: error.rid }),
            })
          }
        }
        throw error
      }
    },

    health: () => ({ ok: !unhealthy.has(lastOutcome), lastOutcome, lastCallAt }),

    close() {
      closing ??= agent?.close() ?? Promise.resolve()
      return closing
    },
  }
}

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

function expiry(timeoutMs: number, controller: AbortController) {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(unavailable(`WeChat did not answer within ${timeoutMs} ms`))
      controller.abort()
    }, timeoutMs)
  })
  return { expired, clear: () => clearTimeout(timer) }
}

function unavailable(message: string, cause?: unknown): AuthError {
  return new AuthError('wechat_unavailable', message, { cause, retryAfterSeconds: 2 })
}

function refusal(errcode: number, rid: string | undefined): AuthError {
  const { code, hint, retryAfterSeconds } = meaningOf(errcode)
  return new AuthError(code, hint, {
    errcode,
    ...(rid !== undefined && { rid }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
}

// The connection was never made, so no byte of the request has left.
const neverSent: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

const wasNeverSent = (error: unknown) => neverSent.has(systemCodeOf(error))

async function readText({ body }: FetchResponse): Promise<string> {
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  while (reader) {
    const { done, value } = await reader.read()
    if (done || !value) break
    bytes += value.byteLength
    if (bytes > maxReplyBytes) {
      reader.cancel().catch(() => undefined)
      throw unavailable('WeChat answered with more than 64 KiB')
    }
    text += decoder.decode(value, { stream: true })
  }
  return text + decoder.decode()
}

// WeChat serves JSON as text/plain, so the content type says nothing.
function parse(text: string): Readonly<Record<string, unknown>> {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, so it is not kept as a cause.
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw unavailable('WeChat answered with something that is not a JSON object')
  }
  return answer as Readonly<Record<string, unknown>>
}

function errcodeOf({ errcode = 0 }: Readonly<Record<string, unknown>>): number {
  const number = typeof errcode === 'string' && errcode !== '' ? Number(errcode) : errcode
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
    throw unavailable('WeChat answered with an errcode that is not a number')
  }
  return number
}

function ridOf({ errmsg }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof errmsg === 'string'
    ? /rid: ([0-9a-f]+(?:-[0-9a-f]+)*)/.exec(errmsg)?.[1]
    : undefined
}
