import {
  appKinds,
  idempotencyHeader,
  type MovedPhoneAnswer,
  type PhoneAnswer,
  paths,
  type TokenAnswer,
} from '@wxlogin/shared'
import type { JwkSet, SigningKey } from '../crypto/signing-keys.js'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { LoginInput } from '../login/login-by-code.js'
import type { PhoneInput } from '../login/phone.js'
import type { Prefetch } from '../login/prefetch.js'
import type { AuthRefusal, AuthRequest, AuthResponse, RequestHeaders } from '../request.js'
import type { Session } from '../session.js'
import type { LogoutInput } from '../sessions/logout.js'
import type { RefreshInput } from '../sessions/refresh.js'
import { type Body, choice, flag, optionalText, readBody, text } from './body.js'
import { createRefusal, HttpError, json, safeHeaders } from './responses.js'

/** What the routes call. */
export interface Operations<Claims extends object> {
  login(input: LoginInput, receivedMs: number): Promise<TokenAnswer>
  refresh(input: RefreshInput, receivedMs: number): Promise<TokenAnswer>
  logout(input: LogoutInput, receivedMs: number): Promise<void>
  authenticate(request: RequestHeaders): Promise<Session<Claims>>
  phone(input: PhoneInput<Claims>): Promise<PhoneAnswer | MovedPhoneAnswer>
  /** A login without a code, if a platform vouches for the account; `undefined` if none does. */
  readonly loginByPlatform?:
    | ((
        request: RequestHeaders,
        input: Omit<LoginInput, 'code' | 'appId'>,
        receivedMs: number,
      ) => Promise<TokenAnswer | undefined>)
    | undefined
  readonly prefetch?: Prefetch | undefined
}

export interface Http {
  handle(request: AuthRequest): Promise<AuthResponse>
  /** The error response for a client, of an AuthError or anything else. */
  refuse(error: unknown, request?: RequestHeaders): AuthRefusal
}

interface Route {
  readonly method: 'GET' | 'POST'
  run(request: AuthRequest): Promise<AuthResponse>
}

const idempotencyKeyPattern = /^[A-Za-z0-9_-]{22,64}$/

export interface HttpNeeds<Claims extends object> extends Operations<Claims> {
  readonly signingKeys: readonly SigningKey[]
  readonly now: () => number
  readonly emit: EmitEvent
}

export function createHttp<Claims extends object>({
  login,
  refresh,
  logout,
  authenticate,
  phone,
  loginByPlatform,
  prefetch,
  signingKeys,
  now,
  emit,
}: HttpNeeds<Claims>): Http {
  const refuse = createRefusal(emit)
  const routes = new Map<string, Route>([
    [paths.login, { method: 'POST', run: handleLogin }],
    [paths.refresh, { method: 'POST', run: handleRefresh }],
    [paths.logout, { method: 'POST', run: handleLogout }],
    [paths.phone, { method: 'POST', run: handlePhone }],
  ])
  if (prefetch) routes.set(prefetch.path, { method: 'GET', run: handlePrefetch })
  if (signingKeys.length > 0) routes.set(paths.jwks, { method: 'GET', run: handleJwks })

  async function handleLogin(request: AuthRequest): Promise<AuthResponse> {
    const receivedMs = now()
    const body = await readBody(request)
    const device = optionalText(body, 'device')
    const previousRefreshToken = optionalText(body, 'previous_refresh_token')
    const previousIdempotencyKey = optionalText(body, 'previous_idempotency_key')
    const input = {
      input: body.get('input'),
      idempotencyKey: idempotencyKey(request),
      previousSignedOut: flag(body, 'previous_signed_out'),
      ...(device !== undefined && { device }),
      ...(previousRefreshToken !== undefined && { previousRefreshToken }),
      ...(previousIdempotencyKey !== undefined && { previousIdempotencyKey }),
    }
    const answer =
      (await loginByPlatform?.(request, input, receivedMs)) ??
      (await login({ ...input, ...codeIn(body) }, receivedMs))
    return json(200, answer)
  }

  async function handleRefresh(request: AuthRequest): Promise<AuthResponse> {
    const receivedMs = now()
    const body = await readBody(request)
    const input = {
      refreshToken: text(body, 'refresh_token'),
      idempotencyKey: idempotencyKey(request),
    }
    const answer = await refresh(input, receivedMs)
    return json(200, answer)
  }

  async function handleLogout(request: AuthRequest): Promise<AuthResponse> {
    const receivedMs = now()
    const body = await readBody(request)
    const input = {
      refreshToken: text(body, 'refresh_token'),
      everywhere: flag(body, 'everywhere'),
      ...optionalIdempotencyKey(request),
    }
    await logout(input, receivedMs)
    return { status: 204, headers: safeHeaders, body: undefined, closes: false }
  }

  async function handlePhone(request: AuthRequest): Promise<AuthResponse> {
    const session = await authenticate(request)
    const body = await readBody(request)
    const input = { session, code: text(body, 'code'), ...optionalIdempotencyKey(request) }
    return json(200, await phone(input))
  }

  // WeChat passes any response on to the mini program, which then logs in as usual.
  async function handlePrefetch(request: AuthRequest): Promise<AuthResponse> {
    const [, query] = /\?(.*)/.exec(request.path) ?? []
    try {
      return json(200, (await prefetch?.answer(new URLSearchParams(query))) ?? {})
    } catch (error) {
      refuse(error, request)
      return json(200, {})
    }
  }

  // Old keys stay listed while their tokens are valid, so a short cache is safe (RFC 7517 §5).
  async function handleJwks(): Promise<AuthResponse> {
    const keys: JwkSet = { keys: signingKeys.map(({ publicJwk }) => publicJwk) }
    return json(200, keys, { 'cache-control': 'public, max-age=300', pragma: 'public' })
  }

  return {
    refuse,

    async handle(request) {
      try {
        const route = routes.get(request.path.replace(/\?.*$|\/(?=$|\?)/g, ''))
        if (!route) {
          throw new HttpError(404, 'No such route; check the path that the client calls')
        }
        const { method, run } = route
        if (request.method.toUpperCase() !== method) {
          throw new HttpError(405, `This route accepts ${method} only`, {
            headers: { allow: method },
          })
        }
        return await run(request)
      } catch (error) {
        return refuse(error, request)
      }
    },
  }
}

function codeIn(body: Body): Pick<LoginInput, 'code' | 'appId' | 'kind'> {
  const kind = choice(body, 'kind', appKinds)
  return { code: text(body, 'code'), appId: text(body, 'app_id'), ...(kind && { kind }) }
}

// Clients that have no key to send with a logout send an empty one.
function optionalIdempotencyKey(request: AuthRequest): { idempotencyKey?: string } {
  return request.header(idempotencyHeader) ? { idempotencyKey: idempotencyKey(request) } : {}
}

function idempotencyKey(request: AuthRequest): string {
  const key = request.header(idempotencyHeader)
  if (key !== undefined && idempotencyKeyPattern.test(key)) return key
  throw new AuthError(
    'invalid_request',
    `The header ${idempotencyHeader} must be 22 to 64 characters of A-Z, a-z, 0-9, "_" and "-"`,
  )
}
