import type { MovedPhoneAnswer, PhoneAnswer, TokenAnswer } from '@wxlogin/shared'
import { createKeyRing } from './crypto/key-ring.js'
import { hashIdempotencyKey, randomId } from './crypto/random-id.js'
import { AuthError } from './errors.js'
import type { WarningEvent } from './events.js'
import { callHook, claimsOf } from './hooks.js'
import {
  type AuthRequest,
  type AuthResponse,
  createHttp,
  type LoginInput,
  type LogoutInput,
  type RefreshInput,
  type RequestHeaders,
} from './http/routes.js'
import { createCloudHosting } from './login/cloud-hosting.js'
import { createLoginByCode } from './login/login-by-code.js'
import { createOpenSession } from './login/open-session.js'
import { createPhone, type PhoneInput } from './login/phone.js'
import { createPrefetch } from './login/prefetch.js'
import { createPreviousSessions } from './login/previous-session.js'
import { type AuthOptions, resolveOptions } from './options.js'
import type { Parts } from './parts.js'
import type { Account, Session, SessionRecord, StoreWarning } from './session.js'
import { guardStore } from './sessions/guarded-store.js'
import { createRefresh } from './sessions/refresh.js'
import { createRevocationCheck } from './sessions/revocation.js'
import { createSessions, type Sessions } from './sessions/sessions.js'
import { checkClaims, createAccessTokens } from './tokens/access-token.js'
import { createRefreshTokens } from './tokens/refresh-token.js'
import { createOpenDataReader, type OpenDataReader } from './user-info/open-data.js'
import { createApps } from './wechat/apps.js'
import type { WeChat } from './wechat/mini-program.js'
import { createTransport, type WeChatHealth } from './wechat/transport.js'

/** How strictly a request is looked at. */
export interface GuardOptions<Claims extends object = object> {
  /** Lets requests without an `Authorization` header pass without a session (default false). A bad header is a 401. */
  optional?: boolean
  /** Only users of these mini programs; others get 403. */
  appIds?: readonly string[]
  /** Reads the store, whatever `revocation` is, so that a revoked session is refused at once (default false). */
  fresh?: boolean
  /** A rule of your own; `false` is a 403. */
  allow?: (session: Session<Claims>) => boolean | Promise<boolean>
}

/** The text of an `Authorization` header, or the headers of a request. */
export type Credentials = string | undefined | RequestHeaders

/** A session made without a login by code. */
export interface CreateSessionInput<Claims extends object = object> {
  /** `appId` may be left out where there is just one mini program. */
  account: Omit<Account, 'appId'> & { readonly appId?: string }
  userId?: string | number
  device?: string
  /** Used for the first access token in place of the `claims` option. */
  claims?: Claims
}

/** The state of what this library depends on. Holds no secret. */
export interface Health {
  readonly store: {
    readonly ok: boolean
    readonly warnings: readonly (WarningEvent['warning'] | StoreWarning)[]
  }
  readonly wechat: WeChatHealth
}

/** What {@link createAuth} makes. */
export interface Auth<Claims extends object = object> extends OpenDataReader {
  /** Exchanges a code for a session. Throws {@link AuthError}. */
  login(input: LoginInput): Promise<TokenAnswer>
  /** Exchanges a refresh token for its successor. Throws {@link AuthError}. */
  refresh(input: RefreshInput): Promise<TokenAnswer>
  /**
   * Ends the session of a refresh token, known or not. `everywhere` also revokes the user's other sessions, if this one
   * is live and the token is its newest.
   */
  logout(input: LogoutInput): Promise<void>
  /**
   * The phone number behind a code of the getPhoneNumber button, after `onPhoneNumber` has said whose it is. With
   * tokens when a session that has some has moved to another user. Throws {@link AuthError}.
   */
  phone(input: PhoneInput<Claims>): Promise<PhoneAnswer | MovedPhoneAnswer>
  /**
   * The session of an `Authorization` header; also for WebSocket handshakes and queues. Given the headers as a whole,
   * it knows the users of WeChat cloud hosting too, where `cloudHosting` is set.
   * Throws `invalid_token` (401), `insufficient_scope` (403), `store_unavailable` (503, where the store is asked)
   * or `server_error` (500, when `allow` or `apps` threw).
   */
  authenticate(
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<Session<Claims>>
  authenticate(
    credentials: Credentials,
    options: GuardOptions<Claims>,
  ): Promise<Session<Claims> | undefined>
  /** Serves the routes; every adapter ends here. Never rejects. */
  handle(request: AuthRequest): Promise<AuthResponse>
  /** {@link Auth.authenticate} for adapters: gives the answer to send instead of throwing. Never rejects. */
  guard(credentials: Credentials, options?: GuardOptions<Claims>): Promise<GuardResult<Claims>>
  readonly sessions: {
    /** The user's devices, the newest login first. `current` is the id of the session that asks. */
    readonly list: Sessions['list']
    /** Ends sessions of a user; their devices are told, and do not log in again by themselves. Gives their number. */
    readonly revoke: Sessions['revoke']
    /** The WeChat account behind a session: for payments and subscribe messages. Throws `invalid_token` once it ended. */
    readonly account: Sessions['account']
    /** Makes a session without a code: for other doors, such as a login by scanning, and for tests. */
    create(input: CreateSessionInput<Claims>): Promise<TokenAnswer>
  }
  /**
   * WeChat's server interfaces for a mini program, the same object each time; calls reject `unknown_app` when it is not
   * served here. Throws a `TypeError` without an AppID where there is not just one mini program.
   */
  wechat(appId?: string): WeChat
  /** For a health endpoint. Never rejects. */
  check(): Promise<Health>
  /** Ends connections. */
  close(): Promise<void>
}

export type GuardResult<Claims extends object = object> =
  | { readonly session: Session<Claims> | undefined; readonly response?: undefined }
  | { readonly session?: undefined; readonly response: AuthResponse }

/**
 * Makes the login of one backend: `apps`, `secret` and `onLogin` are enough. Throws a `TypeError` that names the
 * option when one is wrong.
 *
 * @example
 * const auth = createAuth({
 *   apps: [{ appId, appSecret }],
 *   secret,
 *   onLogin: async ({ openid }) => ({ userId: await users.upsert(openid) }),
 * })
 */
export function createAuth<Claims extends object = object>(
  options: AuthOptions<Claims>,
): Auth<Claims> {
  const resolved = resolveOptions(options)
  const { onlyAppId, now, emit } = resolved

  const keys = createKeyRing(resolved.secrets)
  const refreshTokens = createRefreshTokens(keys.refresh)
  const accessTokens = createAccessTokens<Claims>({
    ...resolved,
    ring: keys.access,
    knowsApp: (appId) => apps.knows(appId),
  })
  const store = guardStore(resolved.store, resolved.storeTimeoutMs)
  const sessions = createSessions({ ...resolved, store })
  const isLive = createRevocationCheck(store, resolved.revocation, now)
  const transport = createTransport({
    ...resolved,
    hosts: resolved.wechatHosts,
    timeoutMs: resolved.wechatTimeoutMs,
  })
  const apps = createApps(resolved, transport)
  const previousSessions = createPreviousSessions({ store, sessions, refreshTokens, apps, emit })
  const parts: Parts<Claims> = {
    resolved,
    keys,
    store,
    sessions,
    refreshTokens,
    previousSessions,
    openSession: createOpenSession({ resolved, store, sessions, previousSessions }),
    apps,
    claimsOrEnd,
    answer,
  }
  const loginByCode = createLoginByCode(parts)
  const refresh = createRefresh(parts)
  const cloudHosting = resolved.isCloudHosted ? createCloudHosting(parts) : undefined
  const phone = createPhone(parts, (account) => cloudHosting?.forget(account))
  const prefetch = resolved.onPrefetch && createPrefetch(parts, loginByCode, resolved.onPrefetch)
  const http = createHttp(
    {
      login,
      refresh,
      logout,
      authenticate: (request) => authenticate(request),
      // What `authenticate` gave, so its claims have this type.
      phone: ({ session, code }) => phone({ session: session as Session<Claims>, code }),
      ...(cloudHosting && { gatewayLogin }),
      ...(prefetch && { prefetch }),
    },
    resolved.signingKeys,
    emit,
  )

  const warnings = options.store ? [] : (['memory_store'] as const)
  for (const warning of warnings) {
    emit({
      type: 'warning',
      warning,
      hint: 'A restart logs everyone out; set the store option in production',
    })
  }

  async function login(input: LoginInput): Promise<TokenAnswer> {
    const { record, claims } = await loginByCode(input)
    return answer(record, claims)
  }

  async function gatewayLogin(
    request: RequestHeaders,
    input: Omit<LoginInput, 'code' | 'appId'>,
  ): Promise<TokenAnswer | undefined> {
    const account = await cloudHosting?.accountOf(request)
    if (!cloudHosting || !account) return undefined
    const { record, claims } = await cloudHosting.login(account, input)
    return answer(record, claims)
  }

  /** A user whom `claims` refuses is out for good, not only for this refresh. */
  async function claimsOrEnd(record: SessionRecord): Promise<Claims> {
    try {
      return await claimsOf(resolved, record)
    } catch (error) {
      if (error instanceof AuthError && error.code === 'access_denied') {
        await sessions.end(record.id, 'access_denied')
      }
      throw error
    }
  }

  async function logout({ refreshToken, everywhere = false }: LogoutInput): Promise<void> {
    const token = await refreshTokens.read(refreshToken)
    if (!token || !(await apps.knows(token.appId))) return
    const { sessionId, appId, generation } = token
    const record = everywhere ? await store.get(sessionId) : undefined
    // A token that was used before, which a thief may hold, ends its own session and no other.
    if (record && record.revokedAt === undefined && generation >= record.generation) {
      await sessions.revoke({ userId: record.userId, except: sessionId })
    }
    await store.delete(sessionId)
    emit({ type: 'logout', appId, sessionId, everywhere })
  }

  async function authenticate(
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<Session<Claims>>
  async function authenticate(
    credentials: Credentials,
    options?: GuardOptions<Claims>,
  ): Promise<Session<Claims> | undefined>
  async function authenticate(
    credentials: Credentials,
    { optional = false, appIds, fresh = false, allow }: GuardOptions<Claims> = {},
  ): Promise<Session<Claims> | undefined> {
    const found = sessionBehind(credentials)
    // Without a turn of the event loop for a token that is remembered: this runs for every request.
    const session = found instanceof Promise ? await found : found
    if (!session && optional) return undefined
    if (!session) throw invalidToken('There is no bearer token in the Authorization header')
    if (appIds && !appIds.includes(session.appId)) {
      throw new AuthError('insufficient_scope', 'This route is for users of another mini program')
    }
    const live = isLive(session, fresh)
    if (live !== true && !(await live)) {
      throw invalidToken('The session has ended; the client learns why when it refreshes')
    }
    if (allow && !(await callHook('allow', () => allow(session)))) {
      throw new AuthError('insufficient_scope', 'This user may not use this route')
    }
    return session
  }

  /** `undefined` where nothing was presented; what was presented and does not hold throws. */
  function sessionBehind(
    credentials: Credentials,
  ): Session<Claims> | undefined | Promise<Session<Claims> | undefined> {
    // JavaScript may pass the null that Headers.get gives.
    const isWhole = typeof credentials === 'object' && credentials !== null
    const authorization = isWhole ? credentials.header('authorization') : credentials
    if (typeof authorization === 'string') {
      const token = bearerToken(authorization)
      if (token === undefined) {
        throw invalidToken('The Authorization header is not a bearer token')
      }
      return accessTokens.recall(token) ?? accessTokens.verify(token)
    }
    return isWhole ? cloudHosting?.sessionBehind(credentials) : undefined
  }

  async function answer(record: SessionRecord, claims: Claims): Promise<TokenAnswer> {
    const [access, refreshToken] = await Promise.all([
      accessTokens.issue(record, claims),
      refreshTokens.issue(record),
    ])
    return {
      access_token: access.token,
      token_type: 'Bearer',
      expires_in: access.expiresInSeconds,
      refresh_token: refreshToken,
      refresh_expires_in: record.expiresAt - Math.floor(now() / 1000),
      user_id: record.userId,
      ...(record.data !== undefined && { data: record.data }),
    }
  }

  return {
    login,
    refresh,
    logout,
    phone,
    ...createOpenDataReader(parts),
    authenticate,
    handle: http.handle,

    async guard(credentials, options) {
      try {
        return { session: await authenticate(credentials, options) }
      } catch (error) {
        return { response: http.refuse(error) }
      }
    },

    sessions: {
      list: sessions.list,
      revoke: sessions.revoke,
      account: sessions.account,

      async create({ account: { openid, unionid, ...account }, userId, device, claims }) {
        if (typeof openid !== 'string' || openid === '') {
          throw new TypeError('account.openid must be a non-empty string')
        }
        const { appId } = await apps.of(account.appId ?? onlyAppId)
        const record = sessions.draft({
          id: randomId(),
          account: { appId, openid, ...(unionid !== undefined && { unionid }) },
          idempotencyKeyHash: hashIdempotencyKey(randomId()),
          userId,
          device,
        })
        const firstClaims = claims ? checkClaims(claims) : await claimsOf(resolved, record)
        if (!(await store.create(record))) {
          throw new AuthError(
            'store_unavailable',
            'The store refused a new session with a new random id',
          )
        }
        await sessions.evictExcess(record)
        return answer(record, firstClaims)
      },
    },

    wechat: apps.wechatOf,

    async check() {
      const [isStoreUp, found] = await Promise.all([
        store.get(randomId()).then(
          () => true,
          () => false,
        ),
        store.check().catch(() => []),
      ])
      return {
        store: { ok: isStoreUp, warnings: [...warnings, ...found] },
        wechat: transport.health(),
      }
    },

    close: transport.close,
  }
}

function bearerToken(authorization: string): string | undefined {
  // The usual spelling without a regular expression: this runs for every request.
  if (authorization.startsWith('Bearer ') && !authorization.includes(' ', 7)) {
    return authorization.slice(7)
  }
  return /^Bearer +([^\s,]+) *$/i.exec(authorization)?.[1]
}

function invalidToken(message: string): AuthError {
  return new AuthError('invalid_token', message)
}
