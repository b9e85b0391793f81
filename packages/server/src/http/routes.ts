import {
  appKinds,
  idempotencyHeader,
  type MovedPhoneAnswer,
  type PhoneAnswer,
  paths,
  type TokenAnswer,
} from '@wxlogin/shared'
import { readIdempotencyKey } from '../crypto/random-id.js'
import type { JwkSet, SigningKey } from '../crypto/signing-keys.js'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { DeviceGrant } from '../login/device-grant.js'
import type { LoginInput } from '../login/login-by-code.js'
import type { PhoneInput } from '../login/phone.js'
import type { Prefetch } from '../login/prefetch.js'
import { checkArgument, checkFunctions } from '../option-checks.js'
import type { Arrival, AuthRefusal, AuthRequest, AuthResponse, RequestHeaders } from '../request.js'
import type { Session } from '../session.js'
import type { LogoutInput } from '../sessions/logout.js'
import type { RefreshInput } from '../sessions/refresh.js'
import { type Body, choice, flag, oneOf, optionalText, readBody, text } from './body.js'
import { createRefusal, HttpError, json, safeHeaders } from './responses.js'

/** What the routes call. */
export interface Operations<Claims extends object> {
  login(input: LoginInput, arrival: Arrival): Promise<TokenAnswer>
  refresh(input: RefreshInput, arrival: Arrival): Promise<TokenAnswer>
  logout(input: LogoutInput, receivedMs: number): Promise<void>
  authenticate(request: RequestHeaders): Promise<Session<Claims>>
  phone(input: PhoneInput<Claims>, request: RequestHeaders): Promise<PhoneAnswer | MovedPhoneAnswer>
  /** A login without a code, if a platform vouches for the account; `undefined` if none does. */
  readonly loginByPlatform?:
    | ((
        request: RequestHeaders,
        input: Omit<LoginInput, 'code' | 'appId'>,
        receivedMs: number,
      ) => Promise<TokenAnswer | undefined>)
    | undefined
  readonly prefetch?: Prefetch | undefined
  readonly device?: DeviceGrant<Claims> | undefined
}

export interface Http {
  handle(request: AuthRequest): Promise<AuthResponse>
  /** The error response for a client, of an AuthError or anything else. */
  refuse(error: unknown, request?: RequestHeaders): AuthRefusal
}

type Run = (request: AuthRequest) => Promise<AuthResponse>

/** What a path serves, by method. */
type Route = ReadonlyMap<string, Run>

const get = (run: Run): Route => new Map([['GET', run]])
const getOrHead = (run: Run): Route =>
  // The same headers, that of the length included (RFC 9110 §9.3.2).
  new Map([
    ['GET', run],
    ['HEAD', async (request) => ({ ...(await run(request)), body: undefined })],
  ])
const post = (run: Run): Route => new Map([['POST', run]])

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
  device,
  signingKeys,
  now,
  emit,
}: HttpNeeds<Claims>): Http {
  const refuse = createRefusal(emit)
  const routes = new Map<string, Route>([
    [paths.login, post(handleLogin)],
    [paths.refresh, post(handleRefresh)],
    [paths.logout, post(handleLogout)],
    [paths.phone, post(handlePhone)],
    ...(device ? deviceRoutes(device) : []),
  ])
  if (prefetch) routes.set(prefetch.path, get(handlePrefetch))
  if (signingKeys.length > 0) routes.set(paths.jwks, getOrHead(handleJwks))

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
      (await login({ ...input, ...codeIn(body) }, { receivedMs, request }))
    return json(200, answer)
  }

  async function handleRefresh(request: AuthRequest): Promise<AuthResponse> {
    const receivedMs = now()
    const body = await readBody(request)
    const input = {
      refreshToken: text(body, 'refresh_token'),
      idempotencyKey: idempotencyKey(request),
    }
    const answer = await refresh(input, { receivedMs, request })
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
    return noContent
  }

  async function handlePhone(request: AuthRequest): Promise<AuthResponse> {
    const session = await authenticate(request)
    const body = await readBody(request)
    const input = { session, code: text(body, 'code'), ...optionalIdempotencyKey(request) }
    return json(200, await phone(input, request))
  }

  function deviceRoutes({ start, look, decide, poll }: DeviceGrant<Claims>): [string, Route][] {
    async function handleStart(request: AuthRequest): Promise<AuthResponse> {
      const body = await readBody(request)
      if (body.has('place')) {
        throw new AuthError(
          'invalid_request',
          '"place" is for this server to say, by deviceGrant.placeOf; leave it out',
        )
      }
      const appId = optionalText(body, 'app_id')
      const clientName = optionalText(body, 'client_name')
      const page = optionalText(body, 'page')
      const input = {
        ...(appId !== undefined && { appId }),
        ...(clientName !== undefined && { clientName }),
        ...(page !== undefined && { page }),
      }
      return json(200, await start(input, request))
    }

    async function handleLook(request: AuthRequest): Promise<AuthResponse> {
      const session = await authenticate(request)
      return json(200, await look({ session, scene: sceneOf(request) }))
    }

    async function handleDecision(request: AuthRequest): Promise<AuthResponse> {
      const session = await authenticate(request)
      const body = await readBody(request)
      const number = optionalText(body, 'number')
      await decide({
        session,
        scene: text(body, 'scene'),
        approve: choice(body, 'approve'),
        ...(number !== undefined && { number }),
      })
      return noContent
    }

    async function handlePoll(request: AuthRequest): Promise<AuthResponse> {
      const body = await readBody(request)
      const deviceCode = text(body, 'device_code')
      return json(200, await poll({ deviceCode, idempotencyKey: idempotencyKey(request) }, request))
    }

    return [
      [paths.device, new Map([...post(handleStart), ...get(handleLook)])],
      [paths.deviceDecision, post(handleDecision)],
      [paths.deviceToken, post(handlePoll)],
    ]
  }

  // WeChat passes any response on to the mini program, which then logs in as usual.
  async function handlePrefetch(request: AuthRequest): Promise<AuthResponse> {
    try {
      return json(200, (await prefetch?.answer(queryOf(request), request)) ?? {})
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
        checkRequest(request)
        const [path = ''] = request.path.split('?', 1)
        const route = routes.get(path.replace(/\/$/, ''))
        if (!route) {
          throw new HttpError(404, 'No such route; check the path that the client calls')
        }
        const methods = [...route.keys()]
        const run = route.get(request.method.toUpperCase())
        if (!run) {
          throw new HttpError(405, `This route accepts ${methods.join(' and ')} only`, {
            headers: { allow: methods.join(', ') },
          })
        }
        return await run(request)
      } catch (error) {
        return refuse(error, request)
      }
    },
  }
}

/** An adapter may be written in JavaScript. */
function checkRequest({ method, path, header }: AuthRequest): void {
  checkArgument('method', method, 'string')
  checkArgument('path', path, 'string')
  checkFunctions({ header })
}

function codeIn(body: Body): Pick<LoginInput, 'code' | 'appId' | 'kind'> {
  const kind = oneOf(body, 'kind', appKinds)
  return { code: text(body, 'code'), appId: text(body, 'app_id'), ...(kind && { kind }) }
}

const noContent: AuthResponse = {
  status: 204,
  headers: safeHeaders,
  body: undefined,
  closes: false,
}

function queryOf({ path }: AuthRequest): URLSearchParams {
  return new URLSearchParams(/\?(.*)/.exec(path)?.[1])
}

function sceneOf(request: AuthRequest): string {
  const scene = queryOf(request).get('scene')
  if (scene) return scene
  throw new AuthError('invalid_request', 'The query must have the scene that was scanned')
}

// Clients that have no key to send with a logout send an empty one.
function optionalIdempotencyKey(request: AuthRequest): { idempotencyKey?: string } {
  return request.header(idempotencyHeader) ? { idempotencyKey: idempotencyKey(request) } : {}
}

function idempotencyKey(request: AuthRequest): string {
  const key = readIdempotencyKey(request.header(idempotencyHeader))
  if (key !== undefined) return key
  throw new AuthError(
    'invalid_request',
    `The header ${idempotencyHeader} must be 22 to 64 characters of A-Z, a-z, 0-9, "_" and "-"`,
  )
}
