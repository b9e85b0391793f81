import { randomUUID } from 'node:crypto'
import { type ErrorBody, idempotencyHeader, paths, type TokenAnswer } from '@wxlogin/shared'
import { AuthError } from './errors.js'
import type { EmitEvent } from './events.js'

/** A request as an adapter hands it in: only what cannot be had otherwise, and nothing decided yet. */
export interface AuthRequest {
  readonly method: string
  /** Below the path at which the routes are mounted, `/login` for example; a query is ignored. */
  readonly path: string
  /** A header by its name, in any case. */
  header(name: string): string | undefined
  /** The body as it arrives, or what a body parser made of it before. */
  readonly body: AsyncIterable<Uint8Array | string> | { readonly parsed: unknown } | undefined
}

/** What an adapter is to send, as it is. */
export interface AuthResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** Set when the request was not read to its end, so that an HTTP/1 connection must not be used again. */
  readonly closes: boolean
}

/** What a login is made of. */
export interface LoginInput {
  /** The one-time code of `wx.login()`. */
  code: string
  /** May be left out where there is just one mini program. */
  appId?: string
  /** A name for the device, up to 128 characters. */
  device?: string
  /** Passed to `onLogin` as it is. */
  input?: unknown
  /** The refresh token that this login replaces. */
  previousRefreshToken?: string
  /** 22 to 64 characters of `[A-Za-z0-9_-]`, the same for a retry. Without it nothing counts as a retry. */
  idempotencyKey?: string
}

export interface RefreshInput {
  refreshToken: string
  /** 22 to 64 characters of `[A-Za-z0-9_-]`, the same for a retry. Without it nothing counts as a retry. */
  idempotencyKey?: string
}

export interface LogoutInput {
  refreshToken: string
  /** Also ends the user's other sessions (default false). */
  everywhere?: boolean
}

export interface Operations {
  login(input: LoginInput): Promise<TokenAnswer>
  refresh(input: RefreshInput): Promise<TokenAnswer>
  logout(input: LogoutInput): Promise<void>
}

export interface Http {
  handle(request: AuthRequest): Promise<AuthResponse>
  /** The answer that tells a client about an error, ours or any other. */
  refuse(error: unknown): AuthResponse
}

const maxBodyBytes = 8 * 1024
const bodyTimeoutMs = 15_000

const idempotencyKeyPattern = /^[A-Za-z0-9_-]{22,64}$/

export function createHttp({ login, refresh, logout }: Operations, emit: EmitEvent): Http {
  type Route = (body: Body, request: AuthRequest) => Promise<AuthResponse>

  const routes = new Map<string, Route>([
    [
      paths.login,
      async (body, request) => {
        const device = optionalText(body, 'device')
        const previousRefreshToken = optionalText(body, 'previous_refresh_token')
        return json(
          200,
          await login({
            code: text(body, 'code'),
            appId: text(body, 'app_id'),
            input: body.get('input'),
            idempotencyKey: idempotencyKey(request),
            ...(device !== undefined && { device }),
            ...(previousRefreshToken !== undefined && { previousRefreshToken }),
          }),
        )
      },
    ],
    [
      paths.refresh,
      async (body, request) =>
        json(
          200,
          await refresh({
            refreshToken: text(body, 'refresh_token'),
            idempotencyKey: idempotencyKey(request),
          }),
        ),
    ],
    [
      paths.logout,
      async (body) => {
        await logout({
          refreshToken: text(body, 'refresh_token'),
          everywhere: flag(body, 'everywhere'),
        })
        return { status: 204, headers: safeHeaders, body: undefined, closes: false }
      },
    ],
  ])

  function refuse(error: unknown): AuthResponse {
    const failure =
      error instanceof AuthError
        ? error
        : new AuthError('server_error', 'Something threw that is not an AuthError; see the cause', {
            cause: error,
          })
    const { code, message, reason, retryAfterSeconds } = failure
    const status = failure instanceof HttpError ? failure.httpStatus : failure.status
    const headers: Record<string, string> =
      failure instanceof HttpError ? { ...failure.headers } : {}
    const body: { -readonly [Key in keyof ErrorBody]: ErrorBody[Key] } = {
      error: code,
      // What is wrong with this server is the operator's business, and stands in the event.
      error_description:
        status < 500 ? message : 'The server could not serve this request; its events say why',
    }
    if (reason !== undefined) body.reason = reason
    if (retryAfterSeconds !== undefined)
      headers['retry-after'] = String(Math.ceil(retryAfterSeconds))
    if (code === 'invalid_token' || code === 'insufficient_scope') {
      headers['www-authenticate'] = `Bearer error="${code}"`
    }
    if (status >= 500) {
      body.request_id = randomUUID()
      emit({ type: 'failure', code, requestId: body.request_id, error: failure })
    }
    const closes = failure instanceof HttpError && failure.closes
    return { ...json(status, body, headers), closes }
  }

  return {
    refuse,

    async handle(request) {
      try {
        const route = routes.get(request.path.replace(/\?.*$|\/(?=$|\?)/g, ''))
        if (!route)
          throw new HttpError(404, 'There is no such route; check the path that the client calls')
        if (request.method.toUpperCase() !== 'POST') {
          throw new HttpError(405, 'This route takes POST only', { headers: { allow: 'POST' } })
        }
        return await route(await readBody(request), request)
      } catch (error) {
        return refuse(error)
      }
    },
  }
}

interface HttpErrorOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly closes?: boolean
}

/** An `invalid_request` whose HTTP status says more than 400 does. */
class HttpError extends AuthError {
  readonly httpStatus: number
  readonly headers: Readonly<Record<string, string>>
  readonly closes: boolean

  constructor(
    httpStatus: 404 | 405 | 408 | 413 | 415,
    message: string,
    { headers = {}, closes = false }: HttpErrorOptions = {},
  ) {
    super('invalid_request', message)
    this.httpStatus = httpStatus
    this.headers = headers
    this.closes = closes
  }

  // Without a check of its own it would inherit AuthError's, to which every AuthError is an instance.
  static override [Symbol.hasInstance](value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(HttpError, value)
  }
}

const safeHeaders = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
} as const

function json(
  status: number,
  value: TokenAnswer | ErrorBody,
  headers?: Record<string, string>,
): AuthResponse {
  const body = JSON.stringify(value)
  return {
    status,
    headers: {
      ...safeHeaders,
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
    },
    body,
    closes: false,
  }
}

/** The members of a JSON object by name; a Map, so that no name reaches a prototype. */
type Body = ReadonlyMap<string, unknown>

const malformed = (message: string) => new AuthError('invalid_request', message)

async function readBody(request: AuthRequest): Promise<Body> {
  const type = request.header('content-type') ?? ''
  if (!/^\s*application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type)) {
    throw new HttpError(415, 'The body must be application/json in UTF-8', { closes: true })
  }
  if (Number(request.header('content-length') ?? 0) > maxBodyBytes) throw tooLarge()

  const { body } = request
  const value =
    body && 'parsed' in body
      ? body.parsed
      : parseJson(await readBytes(body ?? noBody(), bodyTimeoutMs))
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    value instanceof Uint8Array
  ) {
    throw malformed('The body must be a JSON object')
  }
  return new Map(Object.entries(value))
}

const tooLarge = () =>
  new HttpError(413, `The body must not be larger than ${maxBodyBytes} bytes`, { closes: true })

async function* noBody(): AsyncGenerator<never> {}

async function readBytes(
  source: AsyncIterable<Uint8Array | string>,
  timeoutMs: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  let timer: NodeJS.Timeout | undefined
  const iterator = source[Symbol.asyncIterator]()
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new HttpError(408, 'The body did not arrive in time', { closes: true })),
      timeoutMs,
    )
  })
  try {
    for (;;) {
      const { done, value } = await Promise.race([iterator.next(), expired])
      if (done) return Buffer.concat(chunks)
      const chunk = typeof value === 'string' ? Buffer.from(value) : value
      bytes += chunk.byteLength
      if (bytes > maxBodyBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } finally {
    clearTimeout(timer)
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // The parser's message quotes the body, which holds a code or a token, so it is not kept as a cause.
    throw malformed('The body must be a JSON object in UTF-8')
  }
}

function text(body: Body, name: string): string {
  const value = body.get(name)
  if (typeof value !== 'string' || value === '')
    throw malformed(`"${name}" must be a non-empty string`)
  return value
}

function optionalText(body: Body, name: string): string | undefined {
  const value = body.get(name)
  if (value !== undefined && typeof value !== 'string')
    throw malformed(`"${name}" must be a string`)
  return value === '' ? undefined : value
}

function flag(body: Body, name: string): boolean {
  const value = body.get(name) ?? false
  if (typeof value !== 'boolean') throw malformed(`"${name}" must be true or false`)
  return value
}

function idempotencyKey(request: AuthRequest): string {
  const key = request.header(idempotencyHeader)
  if (key === undefined || !idempotencyKeyPattern.test(key)) {
    throw malformed(
      `The header ${idempotencyHeader} must be 22 to 64 characters of A-Z, a-z, 0-9, "_" and "-"`,
    )
  }
  return key
}
