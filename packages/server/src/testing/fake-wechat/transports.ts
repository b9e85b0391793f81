import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A call to the emulated WeChat. */
export interface FakeWeChatRequest {
  /** The host that was called; `127.0.0.1` through `listen()`. */
  readonly host?: string
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly body: string
}

/** What {@link FakeWeChatTransports.fetch} takes: a string, a `URL`, or a `Request`. */
export type FakeWeChatFetchInput =
  | string
  | { readonly href: string }
  | {
      readonly url: string
      readonly method: string
      readonly redirect?: string
      readonly signal?: FakeWeChatSignal
      text(): Promise<string>
    }

/** The part of a `RequestInit` that the emulated WeChat looks at. */
export interface FakeWeChatFetchInit {
  readonly method?: string | undefined
  readonly headers?: unknown
  /** A stream counts as a chunked body. */
  readonly body?: unknown
  readonly redirect?: string | undefined
  readonly signal?: FakeWeChatSignal | null | undefined
}

/** The part of an `AbortSignal` that the emulated WeChat looks at. */
export interface FakeWeChatSignal {
  readonly aborted: boolean
  readonly reason?: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** A `Response`, described without the DOM's types. */
export interface FakeWeChatResponse {
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: {
    getReader(): {
      read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
      cancel(): Promise<unknown>
    }
  } | null
  text(): Promise<string>
  json(): Promise<unknown>
}

export interface FakeWeChatListenOptions {
  /** Default 0: whichever port is free. */
  readonly port?: number
}

export interface FakeWeChatServer {
  /** `http://127.0.0.1:<port>`, to be used in place of `https://api.weixin.qq.com`. */
  readonly url: string
  /** Stops listening and cuts the open connections. */
  close(): Promise<void>
}

/** What {@link FakeWeChatTransports.handlers} needs of msw's `http`. */
export interface FakeWeChatMswHttp<Resolver, Handler> {
  all(path: string, resolver: Resolver): Handler
}

/** The transports to one emulated WeChat, all with the same state. */
export interface FakeWeChatTransports {
  /**
   * Fits the `fetch` option of `createAuth`. Answers `https://*.weixin.qq.com` and what `listen()` opened, rejects any
   * other address, and rejects with the signal's reason when that aborts.
   */
  fetch(input: FakeWeChatFetchInput, init?: FakeWeChatFetchInit): Promise<FakeWeChatResponse>
  /** Serves on 127.0.0.1, for what has to cross a real socket. Rejects when the port is taken. */
  listen(options?: FakeWeChatListenOptions): Promise<FakeWeChatServer>
  /**
   * Handlers for msw 2, made with its own `http`: `setupServer(...wechat.handlers(http))`. They answer
   * `https://*.weixin.qq.com`; msw does not show how a body was sent, so chunked bodies are not recognised.
   */
  handlers<Resolver, Handler>(http: FakeWeChatMswHttp<Resolver, Handler>): Handler[]
}

/** The outcome of a call. With neither a status nor a drop, no answer ever comes. */
export interface Outcome {
  readonly status?: number
  readonly contentType?: string
  readonly location?: string
  readonly body?: string | Uint8Array
  readonly errcode?: number
  readonly dropped?: 'before' | 'after'
  readonly delayMs?: number
}

/** `receive` takes effect at once; the transports only deliver its outcome. */
export function createTransports(
  receive: (request: FakeWeChatRequest, isChunked: boolean) => Outcome,
): FakeWeChatTransports {
  const origins = new Set<string>()
  const maxRedirects = 20

  async function fetch(
    input: FakeWeChatFetchInput,
    init: FakeWeChatFetchInit = {},
    redirectsLeft = maxRedirects,
  ): Promise<Response> {
    const request = typeof input === 'object' && 'url' in input ? input : undefined
    const url = new URL(typeof input === 'string' ? input : 'url' in input ? input.url : input.href)
    if (!isWeChat(url) && !origins.has(url.origin)) {
      throw new TypeError(
        `createFakeWeChat answers only for https://*.weixin.qq.com and its own listening url, not for ${url.origin}`,
      )
    }
    const { method = request?.method ?? 'GET', redirect = request?.redirect ?? 'follow' } = init
    const { signal = request?.signal } = init
    const body = init.body === undefined ? request?.text() : textOf(init.body)
    const call = callOf(method, url, (await body) ?? '')
    if (signal?.aborted) throw signal.reason

    const outcome = receive(call, isStream(init.body))
    await delay(outcome, signal)

    if (outcome.dropped === 'before') throw fetchFailed('ECONNREFUSED', 'connection refused')
    if (outcome.dropped === 'after') throw fetchFailed('UND_ERR_SOCKET', 'other side closed')
    if (outcome.location === undefined || redirect === 'manual') return responseOf(outcome)
    if (redirect === 'error') throw fetchFailed(undefined, 'unexpected redirect')
    if (redirectsLeft === 0) throw fetchFailed(undefined, 'redirect count exceeded')
    return fetch(new URL(outcome.location, url), { redirect, signal }, redirectsLeft - 1)
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const url = urlOf(request.url ?? '/')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)

    const outcome = receive(
      callOf(request.method ?? 'GET', url, Buffer.concat(chunks).toString()),
      request.headers['transfer-encoding'] !== undefined,
    )
    await delay(outcome, gone.signal)

    if (outcome.dropped) {
      response.destroy()
      return
    }
    response.statusCode = outcome.status ?? 200
    for (const [name, value] of headersOf(outcome)) response.setHeader(name, value)
    response.end(outcome.body)
  }

  async function resolve({ request }: { request: Request }): Promise<Response> {
    const call = callOf(request.method, new URL(request.url), await request.text())
    const outcome = receive(call, request.headers.has('transfer-encoding'))
    try {
      await delay(outcome, request.signal)
    } catch {
      // The caller already has the reason of its signal, and msw would report this error as a failed handler.
      return Response.error()
    }
    return outcome.dropped ? Response.error() : responseOf(outcome)
  }

  return {
    fetch: (input, init) => fetch(input, init),

    async listen({ port = 0 } = {}) {
      const server = createServer((request, response) => {
        // It fails when the caller hangs up, or when a route of the user throws.
        serve(request, response).catch(() => response.destroy())
      })
      await new Promise<void>((listening, failed) => {
        server.once('error', failed)
        server.listen(port, '127.0.0.1', listening)
      })
      const address = server.address()
      const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : port}`
      origins.add(url)
      return {
        url,
        close: () =>
          new Promise((closed) => {
            origins.delete(url)
            server.close(() => closed())
            server.closeAllConnections()
          }),
      }
    },

    handlers<Resolver, Handler>(http: FakeWeChatMswHttp<Resolver, Handler>): Handler[] {
      // msw types its resolver with DOM types, which a public declaration here must do without.
      return [http.all('https://*.weixin.qq.com/*', resolve as Resolver)]
    },
  }
}

/** Of a request target (RFC 9112 §3.2); put together as text, since a URL beginning with two slashes names a host. */
function urlOf(target: string): URL {
  return new URL(target.startsWith('/') ? `http://127.0.0.1${target}` : target, 'http://127.0.0.1')
}

function isWeChat({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' && hostname.endsWith('.weixin.qq.com')
}

function callOf(
  method: string,
  { hostname: host, pathname, searchParams }: URL,
  body: string,
): FakeWeChatRequest {
  const query = Object.fromEntries(searchParams)
  return { method: method.toUpperCase(), host, path: pathname, query, body }
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

function textOf(body: unknown): Promise<string> {
  return new Response(body as ConstructorParameters<typeof Response>[0]).text()
}

/** Rejects with the signal's reason when that comes first. */
function delay(
  { status, dropped, delayMs = 0 }: Outcome,
  signal: FakeWeChatSignal | null | undefined,
): Promise<void> {
  const isAnswered = status !== undefined || dropped !== undefined
  if (isAnswered && delayMs === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const timer = isAnswered ? setTimeout(end, delayMs) : undefined
    signal?.addEventListener('abort', abort)

    function end() {
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    function abort() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      reject(signal?.reason)
    }
  })
}

function responseOf(outcome: Outcome): Response {
  return new Response(outcome.body ?? null, {
    status: outcome.status ?? 200,
    headers: headersOf(outcome),
  })
}

function headersOf({ contentType, location }: Outcome): [string, string][] {
  const headers: [string, string][] = []
  if (contentType !== undefined) headers.push(['content-type', contentType])
  if (location !== undefined) headers.push(['location', location])
  return headers
}

/** The error that Node's own `fetch` rejects with. */
function fetchFailed(code: string | undefined, message: string): TypeError {
  const cause = new Error(message)
  return new TypeError('fetch failed', {
    cause: code === undefined ? cause : Object.assign(cause, { code }),
  })
}
