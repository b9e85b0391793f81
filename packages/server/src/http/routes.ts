import { randomUUID } from 'node:crypto'
import {
  type ErrorBody,
  idempotencyHeader,
  type MovedPhoneAnswer,
  type PhoneAnswer,
  type PrefetchAnswer,
  paths,
  type TokenAnswer,
} from '@wxlogin/shared'
import type { JwkSet, SigningKey } from '../crypto/signing-keys.js'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { Session } from '../session.js'
import { flag, HttpError, optionalText, readBody, text } from './body.js'

/** The headers of a request, as an adapter hands them in. */
export interface RequestHeaders {
  /** A header by its name, in any case. */
  header(name: string): string | undefined
}

/** A request as an adapter hands it in: only what cannot be had otherwise, and nothing decided yet. */
export interface AuthRequest extends RequestHeaders {
  readonly method: string
  /** Below the path at which the routes are mounted, `/login` for example. Of a query behind it `/prefetch` alone reads. */
  readonly path: string
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

/** What the routes call. */
export interface Operations {
  login(input: LoginInput): Promise<TokenAnswer>
  refresh(input: RefreshInput): Promise<TokenAnswer>
  logout(input: LogoutInput): Promise<void>
  authenticate(request: RequestHeaders): Promise<Session>
  phone(input: { session: Session; code: string }): Promise<PhoneAnswer | MovedPhoneAnswer>
  /** A login without a code, where a gateway vouches for the account; `undefined` where none does. */
  gatewayLogin?(
    request: RequestHeaders,
    input: Omit<LoginInput, 'code' | 'appId'>,
  ): Promise<TokenAnswer | undefined>
  prefetch?(query: URLSearchParams): Promise<PrefetchAnswer>
}

export interface Http {
  handle(request: AuthRequest): Promise<AuthResponse>
  /** The answer that tells a client about an error, ours or any other. */
  refuse(error: unknown): AuthResponse
}

interface Route {
  readonly method: 'GET' | 'POST'
  run(request: AuthRequest): Promise<AuthResponse>
}

const idempotencyKeyPattern = /^[A-Za-z0-9_-]{22,64}$/

export function createHttp(
  { login, refresh, logout, authenticate, phone, gatewayLogin, prefetch }: Operations,
  signingKeys: readonly SigningKey[],
  emit: EmitEvent,
): Http {
  const routes = new Map<string, Route>([
    [paths.login, { method: 'POST', run: handleLogin }],
    [paths.refresh, { method: 'POST', run: handleRefresh }],
    [paths.logout, { method: 'POST', run: handleLogout }],
    [paths.phone, { method: 'POST', run: handlePhone }],
  ])
  if (prefetch) routes.set(paths.prefetch, { method: 'GET', run: handlePrefetch })
  if (signingKeys.length > 0) routes.set(paths.jwks, { method: 'GET', run: handleJwks })

  async function handleLogin(request: AuthRequest): Promise<AuthResponse> {
    const body = await readBody(request)
    const device = optionalText(body, 'device')
    const previousRefreshToken = optionalText(body, 'previous_refresh_token')
    const input = {
      input: body.get('input'),
      idempotencyKey: idempotencyKey(request),
      ...(device !== undefined && { device }),
      ...(previousRefreshToken !== undefined && { previousRefreshToken }),
    }
    const answer =
      (await gatewayLogin?.(request, input)) ??
      (await login({ ...input, code: text(body, 'code'), appId: text(body, 'app_id') }))
    return json(200, answer)
  }

  async function handleRefresh(request: AuthRequest): Promise<AuthResponse> {
    const body = await readBody(request)
    const answer = await refresh({
      refreshToken: text(body, 'refresh_token'),
      idempotencyKey: idempotencyKey(request),
    })
    return json(200, answer)
  }

  async function handleLogout(request: AuthRequest): Promise<AuthResponse> {
    const body = await readBody(request)
    await logout({
      refreshToken: text(body, 'refresh_token'),
      everywhere: flag(body, 'everywhere'),
    })
    return { status: 204, headers: safeHeaders, body: undefined, closes: false }
  }

  async function handlePhone(request: AuthRequest): Promise<AuthResponse> {
    const session = await authenticate(request)
    const body = await readBody(request)
    return json(200, await phone({ session, code: text(body, 'code') }))
  }

  // WeChat hands whatever comes to the mini program, which then logs in as usual.
  async function handlePrefetch({ path }: AuthRequest): Promise<AuthResponse> {
    const [, query] = /\?(.*)/.exec(path) ?? []
    try {
      return json(200, (await prefetch?.(new URLSearchParams(query))) ?? {})
    } catch (error) {
      refuse(error)
      return json(200, {})
    }
  }

  // Old keys stay listed while their tokens live, so a short cache is safe (RFC 7517 §5).
  async function handleJwks(): Promise<AuthResponse> {
    const keys: JwkSet = { keys: signingKeys.map(({ publicJwk }) => publicJwk) }
    return json(200, keys, { 'cache-control': 'public, max-age=300', pragma: 'public' })
  }

  function refuse(error: unknown): AuthResponse {
    const failure = toAuthError(error)
    const { code, message, reason, retryAfterSeconds } = failure
    const {
      httpStatus: status = failure.status,
      headers = {},
      closes = false,
    } = failure instanceof HttpError ? failure : {}
    const requestId = status < 500 ? undefined : randomUUID()
    if (requestId !== undefined) emit({ type: 'failure', code, requestId, error: failure })

    const body: ErrorBody = {
      error: code,
      // What is wrong with this server is the operator's business, and stands in the event.
      error_description:
        requestId === undefined
          ? message
          : 'The server could not serve this request; its events say why',
      ...(reason !== undefined && { reason }),
      ...(requestId !== undefined && { request_id: requestId }),
    }
    const answer = json(status, body, {
      ...headers,
      ...(retryAfterSeconds !== undefined && {
        'retry-after': String(Math.ceil(retryAfterSeconds)),
      }),
      ...(challenged.has(code) && { 'www-authenticate': `Bearer error="${code}"` }),
    })
    return { ...answer, closes }
  }

  return {
    refuse,

    async handle(request) {
      try {
        const route = routes.get(request.path.replace(/\?.*$|\/(?=$|\?)/g, ''))
        if (!route) {
          throw new HttpError(404, 'There is no such route; check the path that the client calls')
        }
        const { method, run } = route
        if (request.method.toUpperCase() !== method) {
          throw new HttpError(405, `This route takes ${method} only`, {
            headers: { allow: method },
          })
        }
        return await run(request)
      } catch (error) {
        return refuse(error)
      }
    },
  }
}

// RFC 6750 §3: these two tell the client through WWW-Authenticate as well.
const challenged: ReadonlySet<string> = new Set(['invalid_token', 'insufficient_scope'])

function toAuthError(error: unknown): AuthError {
  if (error instanceof AuthError) return error
  return new AuthError('server_error', 'Something threw that is not an AuthError; see the cause', {
    cause: error,
  })
}

const safeHeaders = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
} as const

function json(
  status: number,
  value: TokenAnswer | PhoneAnswer | PrefetchAnswer | ErrorBody | JwkSet,
  headers?: Readonly<Record<string, string>>,
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

function idempotencyKey(request: AuthRequest): string {
  const key = request.header(idempotencyHeader)
  if (key !== undefined && idempotencyKeyPattern.test(key)) return key
  throw new AuthError(
    'invalid_request',
    `The header ${idempotencyHeader} must be 22 to 64 characters of A-Z, a-z, 0-9, "_" and "-"`,
  )
}
