import type { InvalidGrantReason, TokenAnswer } from '@wxlogin/shared'
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
} from './http.js'
import { createLogin } from './login.js'
import { type AuthOptions, resolveOptions } from './options.js'
import { guardStore } from './sessions/guarded-store.js'
import { hashRetryKey, randomId } from './sessions/retry-key.js'
import { createRevocationCheck } from './sessions/revocation.js'
import { rotate } from './sessions/rotation.js'
import type { Account, Session, SessionRecord, StoreWarning } from './sessions/session.js'
import { createSessions, type Sessions } from './sessions/sessions.js'
import { checkClaims, createAccessTokens } from './tokens/access-token.js'
import { createKeyRing } from './tokens/key-ring.js'
import { createRefreshTokens } from './tokens/refresh-token.js'
import type { AppCredentials } from './wechat/code2session.js'
import { createMiniProgram, type WeChat } from './wechat/mini-program.js'
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
export interface Auth<Claims extends object = object> {
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
   * The session of an `Authorization` header; also for WebSocket handshakes and queues.
   * Throws `invalid_token` (401), `insufficient_scope` (403), `store_unavailable` (503, where the store is asked)
   * or `server_error` (500, when `allow` or `apps` threw).
   */
  authenticate(
    authorization: string | undefined,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<Session<Claims>>
  authenticate(
    authorization: string | undefined,
    options: GuardOptions<Claims>,
  ): Promise<Session<Claims> | undefined>
  /** Serves the routes; every adapter ends here. Never rejects. */
  handle(request: AuthRequest): Promise<AuthResponse>
  /** {@link Auth.authenticate} for adapters: gives the answer to send instead of throwing. Never rejects. */
  guard(
    authorization: string | undefined,
    options?: GuardOptions<Claims>,
  ): Promise<GuardResult<Claims>>
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
  const { onlyAppId, now, emit, idleTtlSeconds } = resolved

  const keys = createKeyRing(resolved.secrets)
  const refreshTokens = createRefreshTokens(keys.refresh)
  const accessTokens = createAccessTokens<Claims>({
    ...resolved,
    ring: keys.access,
    knowsApp: async (appId) => (await findApp(appId)) !== undefined,
  })
  const store = guardStore(resolved.store, resolved.storeTimeoutMs)
  const sessions = createSessions({ ...resolved, store })
  const isLive = createRevocationCheck(store, resolved.revocation, now)
  const transport = createTransport({
    ...resolved,
    hosts: resolved.wechatHosts,
    timeoutMs: resolved.wechatTimeoutMs,
  })
  const miniPrograms = new Map<string, WeChat>()
  const login = createLogin({
    resolved,
    keys,
    store,
    sessions,
    refreshTokens,
    wechatOf,
    findApp,
    appOf,
    claimsOrEnd,
    answer,
  })
  const http = createHttp({ login, refresh, logout }, resolved.signingKeys, emit)

  const warnings = options.store ? [] : (['memory_store'] as const)
  for (const warning of warnings) {
    emit({
      type: 'warning',
      warning,
      hint: 'A restart logs everyone out; set the store option in production',
    })
  }

  async function refresh({
    refreshToken,
    idempotencyKey = randomId(),
  }: RefreshInput): Promise<TokenAnswer> {
    const startedAtMs = now()
    const token = await refreshTokens.read(refreshToken)
    // A mini program that is no longer served here has no sessions here.
    if (!token || !(await findApp(token.appId))) throw invalidGrant('unknown')
    const { sessionId, appId, generation } = token
    const presented = { generation, retryKeyHash: hashRetryKey(idempotencyKey) }

    let claims: Claims | undefined
    const { before, decision } = await store.update(sessionId, async (record) => {
      const verdict = rotate(record, presented, Math.floor(now() / 1000), { idleTtlSeconds })
      // Before the write: when the hook fails nothing has happened, and the same token works again.
      if (!record || verdict.kind === 'refused' || verdict.kind === 'reused' || claims)
        return verdict
      claims = await claimsOrEnd(record)
      // A retry writes nothing that could lose against a revocation meanwhile, so it is decided again.
      return verdict.kind === 'retried' && resolved.claims ? undefined : verdict
    })

    emit({
      type: 'refresh',
      outcome: decision.kind,
      appId,
      sessionId,
      durationMs: now() - startedAtMs,
      ...(decision.kind === 'refused' && { reason: decision.reason }),
    })
    if (decision.kind === 'reused') emit({ type: 'revoked', appId, sessionId, reason: 'reused' })
    if (decision.kind === 'refused') throw invalidGrant(decision.reason)
    if (decision.kind === 'reused' || !before || !claims) throw invalidGrant('reused')
    return answer(decision.record ?? before, claims)
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
    if (!token || !(await findApp(token.appId))) return
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
    authorization: string | undefined,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<Session<Claims>>
  async function authenticate(
    authorization: string | undefined,
    options?: GuardOptions<Claims>,
  ): Promise<Session<Claims> | undefined>
  async function authenticate(
    authorization: string | undefined,
    { optional = false, appIds, fresh = false, allow }: GuardOptions<Claims> = {},
  ): Promise<Session<Claims> | undefined> {
    if (typeof authorization !== 'string' && optional) return undefined
    const token = bearerToken(authorization)
    if (token === undefined) {
      throw invalidToken('There is no bearer token in the Authorization header')
    }

    const session = accessTokens.recall(token) ?? (await accessTokens.verify(token))
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

  async function findApp(appId: string): Promise<AppCredentials | undefined> {
    const app: Partial<AppCredentials> | null | undefined = await callHook('apps', () =>
      resolved.findApp(appId),
    )
    // A look-up may be written in JavaScript, or answer for every AppID.
    if (app?.appId !== appId || typeof app.appSecret !== 'string') return undefined
    return { appId, appSecret: app.appSecret }
  }

  async function appOf(appId: string | undefined): Promise<AppCredentials> {
    const app = appId === undefined ? undefined : await findApp(appId)
    if (app) return app
    const name = appId !== undefined && /^\w{1,64}$/.test(appId) ? appId : 'that was sent'
    throw new AuthError(
      'unknown_app',
      `The AppID ${name} is not configured on this server; compare the client's AppID with the apps option`,
    )
  }

  function wechatOf(appId: string | undefined = onlyAppId): WeChat {
    if (typeof appId !== 'string' || appId === '') {
      throw new TypeError(
        'appId must say which mini program; it may be left out where there is one',
      )
    }
    const known = miniPrograms.get(appId)
    if (known) return known
    const wechat = createMiniProgram(transport, { appId, credentials: () => appOf(appId), now })
    miniPrograms.set(appId, wechat)
    return wechat
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
    authenticate,
    handle: http.handle,

    async guard(authorization, options) {
      try {
        return { session: await authenticate(authorization, options) }
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
        const { appId } = await appOf(account.appId ?? onlyAppId)
        const record = sessions.draft({
          id: randomId(),
          account: { appId, openid, ...(unionid !== undefined && { unionid }) },
          retryKeyHash: hashRetryKey(randomId()),
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
        await sessions.endSurplus(record)
        return answer(record, firstClaims)
      },
    },

    wechat: wechatOf,

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

function bearerToken(authorization: unknown): string | undefined {
  if (typeof authorization !== 'string') return undefined
  // The usual spelling without a regular expression: this runs for every request.
  if (authorization.startsWith('Bearer ') && !authorization.includes(' ', 7)) {
    return authorization.slice(7)
  }
  return /^Bearer +([^\s,]+) *$/i.exec(authorization)?.[1]
}

function invalidToken(message: string): AuthError {
  return new AuthError('invalid_token', message)
}

const invalidGrantMessages: Readonly<Record<InvalidGrantReason, string>> = {
  unknown: 'The refresh token is unknown; log in again',
  expired: 'The refresh token has expired; log in again',
  reused: 'The refresh token was used twice, so its session was ended; log in again',
  revoked: 'The session was ended by the app; the user has to log in again',
}

function invalidGrant(reason: InvalidGrantReason): AuthError {
  return new AuthError('invalid_grant', invalidGrantMessages[reason], { reason })
}
