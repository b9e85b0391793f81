import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type InvalidGrantReason, type Json, mockCode, type TokenAnswer } from '@wxlogin/shared'
import { AuthError } from './errors.js'
import {
  type AuthRequest,
  type AuthResponse,
  createHttp,
  type LoginInput,
  type LogoutInput,
  type RefreshInput,
} from './http.js'
import { type AuthOptions, type PreviousSession, resolveOptions } from './options.js'
import { guardStore } from './sessions/guarded-store.js'
import { createRevocationCheck } from './sessions/revocation.js'
import { rotate } from './sessions/rotation.js'
import { seal } from './sessions/sealed.js'
import {
  type Account,
  type Device,
  type Session,
  type SessionRecord,
  toTombstone,
} from './sessions/session.js'
import { checkClaims, createAccessTokens } from './tokens/access-token.js'
import { createKeyRing } from './tokens/key-ring.js'
import { createRefreshTokens } from './tokens/refresh-token.js'
import { type AppCredentials, code2Session } from './wechat/code2session.js'
import { createWeChat, type WeChatHealth } from './wechat/wechat.js'

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

export interface RevokeInput {
  userId: string | number
  /** Only this session; without it all of the user's. */
  sessionId?: string
  /** All but this session. */
  except?: string
  /** Kept with the session and in the event (default `revoked`). */
  reason?: string
}

/** The state of what this library depends on. Holds no secret. */
export interface Health {
  readonly store: {
    readonly ok: boolean
    readonly warnings: readonly string[]
  }
  readonly wechat: WeChatHealth
}

/** What {@link createAuth} makes. */
export interface Auth<Claims extends object = object> {
  /** Exchanges a code for a session. Throws {@link AuthError}. */
  login(input: LoginInput): Promise<TokenAnswer>
  /** Exchanges a refresh token for its successor. Throws {@link AuthError}. */
  refresh(input: RefreshInput): Promise<TokenAnswer>
  /** Ends the session of a refresh token, known or not. */
  logout(input: LogoutInput): Promise<void>
  /**
   * The session of an `Authorization` header; also for WebSocket handshakes and queues.
   * Throws `invalid_token` (401) or `insufficient_scope` (403).
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
  guard(authorization: string | undefined, options?: GuardOptions<Claims>): Promise<GuardResult<Claims>>
  readonly sessions: {
    /** The user's devices, the newest login first. `current` is the id of the session that asks. */
    list(userId: string | number, options?: { current?: string }): Promise<Device[]>
    /** Ends sessions of a user; their devices are told, and do not log in again by themselves. Gives their number. */
    revoke(input: RevokeInput): Promise<number>
    /** The WeChat account behind a session: for payments and subscribe messages. */
    account(session: Pick<Session, 'id' | 'userId'>): Promise<Account>
    /** Makes a session without a code: for other doors, such as a login by scanning, and for tests. */
    create(input: CreateSessionInput<Claims>): Promise<TokenAnswer>
  }
  /** For a health endpoint. Never rejects. */
  check(): Promise<Health>
  /** Ends connections. */
  close(): Promise<void>
}

export type GuardResult<Claims extends object = object> =
  | { readonly session: Session<Claims> | undefined; readonly response?: undefined }
  | { readonly response: AuthResponse }

// A login is answered again for as long as its code would live.
const loginRetrySeconds = 300

// A sibling instance that took the code may still be in its onLogin; in all it is waited for 2 seconds.
const siblingWaitsMs = [50, 100, 200, 400, 600, 650] as const

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
export function createAuth<Claims extends object = object>(options: AuthOptions<Claims>): Auth<Claims> {
  const resolved = resolveOptions(options)
  const { findApp, onlyAppId, onLogin, now, emit, idleTtlSeconds, absoluteTtlSeconds } = resolved

  const keys = createKeyRing(resolved.secrets)
  const store = guardStore(resolved.store, resolved.storeTimeoutMs)
  const isLive = createRevocationCheck(store, resolved.revocation, now)
  const refreshTokens = createRefreshTokens(keys.refresh)
  const accessTokens = createAccessTokens<Claims>({
    ...resolved,
    ring: keys.access,
    knowsApp: async (appId) => (await findApp(appId)) !== undefined,
  })
  const wechat = createWeChat({
    fetch: resolved.fetch,
    hosts: resolved.wechatHosts,
    timeoutMs: resolved.wechatTimeoutMs,
    now,
    emit,
  })
  const http = createHttp({ login, refresh, logout }, emit)

  // Logins under way in this process, by session id, so that WeChat sees a code once.
  const logins = new Map<string, Promise<TokenAnswer>>()

  const warnings = options.store ? [] : (['memory_store'] as const)
  for (const warning of warnings) {
    emit({ type: 'warning', warning, hint: 'A restart logs everyone out; set the store option in production' })
  }

  const seconds = () => Math.floor(now() / 1000)

  async function login(input: LoginInput): Promise<TokenAnswer> {
    const { code, appId = onlyAppId, idempotencyKey = newId() } = input
    checkCode(code)
    checkDevice(input.device)
    const app = await appOf(appId)
    const ids = keys.loginIds(app.appId, code)
    const attempt = { ...input, code, ids, retryKeyHash: hashOf(idempotencyKey), startedAt: now() }

    const running = logins.get(ids[0])
    if (running) {
      await running
      return answerAgain(await findLogin(ids), attempt)
    }
    const login = loginByCode(app, attempt).finally(() => logins.delete(ids[0]))
    logins.set(ids[0], login)
    return login
  }

  interface LoginAttempt extends LoginInput {
    readonly ids: readonly [string, ...string[]]
    readonly retryKeyHash: string
    readonly startedAt: number
  }

  async function loginByCode(app: AppCredentials, attempt: LoginAttempt): Promise<TokenAnswer> {
    const exchange = await code2Session(wechat, app, attempt.code).catch(async (error: unknown) => {
      if (!(error instanceof AuthError) || error.code !== 'invalid_code') throw error
      const earlier = await findLogin(attempt.ids)
      if (!earlier) throw error
      return { earlier }
    })
    if ('earlier' in exchange) return answerAgain(exchange.earlier, attempt)

    const { account, sessionKey } = exchange
    const decision = await callHook('onLogin', async () =>
      onLogin(account, {
        input: attempt.input,
        ...(attempt.device !== undefined && { device: attempt.device }),
        ...(await previousOf(attempt.previousRefreshToken)),
      }),
    )
    const record = newRecord({
      id: attempt.ids[0],
      account,
      retryKeyHash: attempt.retryKeyHash,
      sealedKey: seal(keys.seal, account, sessionKey),
      device: attempt.device,
      userId: decision?.userId,
      data: decision?.data,
    })
    const claims = await claimsOf(record)
    if (!(await store.create(record))) return answerAgain(await store.get(record.id), attempt)

    await endPrevious(attempt.previousRefreshToken, record.id)
    emitLogin('created', record, attempt)
    return answer(record, claims)
  }

  /** The session that this code has made already, in this process or in a sibling. */
  async function findLogin(ids: readonly string[]): Promise<SessionRecord | undefined> {
    for (const waitMs of [0, ...siblingWaitsMs]) {
      if (waitMs > 0) await delay(waitMs)
      for (const id of ids) {
        const record = await store.get(id)
        if (record) return record
      }
    }
    return undefined
  }

  /** A code that came before: the same request again gets the same session, anything else gets nothing. */
  async function answerAgain(
    earlier: SessionRecord | undefined,
    attempt: LoginAttempt,
  ): Promise<TokenAnswer> {
    const isOpen = (record: SessionRecord) =>
      record.revokedAt === undefined &&
      record.generation === 0 &&
      seconds() - record.createdAt < loginRetrySeconds
    if (!earlier || !isOpen(earlier)) throw invalidCode()

    if (!sameHash(earlier.retryKeyHash, attempt.retryKeyHash)) {
      // Two parties hold this code, and nobody can tell which one is the user.
      await end(earlier.id, 'reused', isOpen)
      emitLogin('code_reused', earlier, attempt)
      throw invalidCode()
    }
    const claims = await claimsOf(earlier)
    await endPrevious(attempt.previousRefreshToken, earlier.id)
    emitLogin('retried', earlier, attempt)
    return answer(earlier, claims)
  }

  const emitLogin = (
    outcome: 'created' | 'retried' | 'code_reused',
    { id, appId }: SessionRecord,
    { startedAt }: LoginAttempt,
  ) => emit({ type: 'login', outcome, appId, sessionId: id, durationMs: now() - startedAt })

  async function previousOf(refreshToken: string | undefined): Promise<{ previous?: PreviousSession }> {
    const token = refreshToken === undefined ? undefined : await refreshTokens.read(refreshToken)
    const record = token && (await store.get(token.sessionId))
    // An old copy of a token must not pass for its user: an app may merge accounts on this.
    if (!record || record.revokedAt !== undefined || token.generation < record.generation - 1) return {}
    return { previous: { id: record.id, userId: record.userId, appId: record.appId } }
  }

  /** The new session is committed; whatever goes wrong with the old one must not cost it. */
  async function endPrevious(refreshToken: string | undefined, newId: string): Promise<void> {
    const token = refreshToken === undefined ? undefined : await refreshTokens.read(refreshToken)
    if (!token || token.sessionId === newId) return
    try {
      await store.delete(token.sessionId)
      emit({ type: 'logout', appId: token.appId, sessionId: token.sessionId, everywhere: false })
    } catch {
      // It ends by itself when its idle time is over.
    }
  }

  async function refresh({ refreshToken, idempotencyKey = newId() }: RefreshInput): Promise<TokenAnswer> {
    const startedAt = now()
    const token = await refreshTokens.read(refreshToken)
    if (!token) throw invalidGrant('unknown')
    const presented = { generation: token.generation, retryKeyHash: hashOf(idempotencyKey) }

    let claims: Claims | undefined
    const { before, decision } = await store.update(token.sessionId, async (record) => {
      const verdict = rotate(record, presented, seconds(), { idleTtlSeconds })
      if (record && verdict.kind !== 'reused' && verdict.kind !== 'refused') {
        claims ??= await claimsOrEnd(record)
      }
      return verdict
    })

    const { sessionId, appId } = token
    emit({ type: 'refresh', outcome: decision.kind, appId, sessionId, durationMs: now() - startedAt })
    if (decision.kind === 'reused') emit({ type: 'revoked', appId, sessionId, reason: 'reused' })

    if (decision.kind === 'refused') throw invalidGrant(decision.reason)
    if (decision.kind === 'reused' || !before || !claims) throw invalidGrant('reused')
    return answer(decision.kind === 'retried' ? before : decision.record, claims)
  }

  /** A user whom `claims` refuses is out for good, not only for this refresh. */
  async function claimsOrEnd(record: SessionRecord): Promise<Claims> {
    try {
      return await claimsOf(record)
    } catch (error) {
      if (error instanceof AuthError && error.code === 'access_denied') await end(record.id, 'access_denied')
      throw error
    }
  }

  async function logout({ refreshToken, everywhere = false }: LogoutInput): Promise<void> {
    const token = await refreshTokens.read(refreshToken)
    if (!token) return
    const { sessionId, appId } = token
    if (everywhere) {
      const record = await store.get(sessionId)
      // An old copy of a token ends its own session, and no other.
      if (record && record.revokedAt === undefined && token.generation >= record.generation - 1) {
        await revoke({ userId: record.userId, except: sessionId })
      }
    }
    await store.delete(sessionId)
    emit({ type: 'logout', appId, sessionId, everywhere })
  }

  async function revoke({ userId, sessionId, except, reason = 'revoked' }: RevokeInput): Promise<number> {
    checkReason(reason)
    const owner = toUserId(userId)
    const records = sessionId === undefined ? await store.list(owner) : [await store.get(sessionId)]
    let ended = 0
    for (const record of records) {
      if (!record || record.id === except) continue
      if (await end(record.id, reason, ({ userId }) => userId === owner)) ended++
    }
    return ended
  }

  /** Turns a live session into a tombstone. `false` when there is none, or `when` says no. */
  async function end(
    id: string,
    reason: string,
    when: (record: SessionRecord) => boolean = () => true,
  ): Promise<boolean> {
    const { before, decision } = await store.update(id, (record) =>
      record && record.revokedAt === undefined && when(record)
        ? { record: toTombstone(record, reason, seconds()) }
        : {},
    )
    if (!before || !decision.record) return false
    emit({ type: 'revoked', appId: before.appId, sessionId: id, reason })
    return true
  }

  async function authenticate(
    authorization: string | undefined,
    options: GuardOptions<Claims> & { optional?: false },
  ): Promise<Session<Claims>>
  async function authenticate(
    authorization: string | undefined,
    options: GuardOptions<Claims>,
  ): Promise<Session<Claims> | undefined>
  async function authenticate(
    authorization: string | undefined,
    { optional = false, appIds, fresh = false, allow }: GuardOptions<Claims> = {},
  ): Promise<Session<Claims> | undefined> {
    if (authorization === undefined && optional) return undefined
    const token = bearerToken(authorization)
    if (token === undefined) throw invalidToken('There is no bearer token in the Authorization header')

    const session = await accessTokens.verify(token)
    if (appIds && !appIds.includes(session.appId)) {
      throw new AuthError('insufficient_scope', 'This route is for users of another mini program')
    }
    if (!(await isLive(session, fresh))) throw invalidToken('The session has ended; refresh to learn why')
    if (allow && !(await allow(session))) {
      throw new AuthError('insufficient_scope', 'This user may not use this route')
    }
    return session
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

  async function claimsOf({ userId, appId }: SessionRecord): Promise<Claims> {
    const { claims } = resolved
    if (!claims) return {} as Claims
    return checkClaims(await callHook('claims', async () => claims({ userId, appId })))
  }

  interface NewSession {
    readonly id: string
    readonly account: Account
    readonly retryKeyHash: string
    readonly sealedKey?: string
    readonly device: string | undefined
    readonly userId: string | number | undefined
    readonly data?: Json | undefined
  }

  function newRecord({ id, account, retryKeyHash, sealedKey, device, userId, data }: NewSession): SessionRecord {
    const createdAt = seconds()
    const endsAt = createdAt + absoluteTtlSeconds
    return {
      ...account,
      id,
      version: 1,
      userId: userId === undefined ? opaqueUserId(account) : toUserId(userId, account),
      generation: 0,
      retryKeyHash,
      createdAt,
      lastRefreshAt: createdAt,
      endsAt,
      expiresAt: Math.min(createdAt + idleTtlSeconds, endsAt),
      ...(sealedKey !== undefined && { sealedKey }),
      ...(device !== undefined && { device }),
      ...(data !== undefined && { data: toJson(data) }),
    }
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
      refresh_expires_in: record.expiresAt - seconds(),
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

    async guard(authorization, options = {}) {
      try {
        return { session: await authenticate(authorization, options) }
      } catch (error) {
        return { response: http.refuse(error) }
      }
    },

    sessions: {
      revoke,

      async list(userId, { current } = {}) {
        const records = await store.list(toUserId(userId))
        return records
          .filter(({ revokedAt }) => revokedAt === undefined)
          .map(({ id, appId, device, createdAt, lastRefreshAt }) => ({
            id,
            appId,
            ...(device !== undefined && { device }),
            createdAt,
            lastRefreshAt,
            current: id === current,
          }))
      },

      async account({ id, userId }) {
        const record = await store.get(id)
        if (!record || record.revokedAt !== undefined || record.userId !== userId) {
          throw invalidToken('The session has ended; refresh to learn why')
        }
        const { appId, openid, unionid } = record
        return { appId, openid, ...(unionid !== undefined && { unionid }) }
      },

      async create({ account, userId, device, claims }) {
        checkDevice(device)
        const { appId } = await appOf(account.appId ?? onlyAppId)
        const record = newRecord({
          id: newId(),
          account: { ...account, appId },
          retryKeyHash: hashOf(newId()),
          device,
          userId,
        })
        const firstClaims = claims ? checkClaims(claims) : await claimsOf(record)
        if (!(await store.create(record))) {
          throw new AuthError('store_unavailable', 'The store already has a session with a new random id')
        }
        return answer(record, firstClaims)
      },
    },

    async check() {
      const storeOk = await store.get(newId()).then(
        () => true,
        () => false,
      )
      return { store: { ok: storeOk, warnings }, wechat: wechat.health() }
    },

    close: wechat.close,
  }
}

/** Runs a hook of the app: it may refuse or report an outage; whatever else it throws is a bug of the app. */
async function callHook<T>(name: string, hook: () => Promise<T>): Promise<T> {
  try {
    return await hook()
  } catch (cause) {
    if (cause instanceof AuthError && (cause.code === 'access_denied' || cause.status >= 500)) throw cause
    throw new AuthError('server_error', `The ${name} option threw; see the cause`, { cause })
  }
}

const newId = () => randomBytes(16).toString('base64url')

const hashOf = (idempotencyKey: string) =>
  createHash('sha256').update(idempotencyKey).digest('base64url')

function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([^\s,]+) *$/i.exec(authorization ?? '')?.[1]
}

function checkCode(code: string): void {
  if (code === mockCode) {
    throw new AuthError(
      'invalid_code',
      'DevTools made this code without a real AppID; set your AppID in the project and log in again',
      { reason: 'mock_code' },
    )
  }
  if (typeof code !== 'string' || !/^[A-Za-z0-9_-]{1,128}$/.test(code)) throw invalidCode()
}

function checkDevice(device: string | undefined): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (device !== undefined && !/^[^\u0000-\u001f\u007f]{1,128}$/.test(device)) {
    throw new AuthError('invalid_request', '"device" must be 1 to 128 characters without control characters')
  }
}

const finalReasons: readonly string[] = ['reused', 'expired', 'unknown'] satisfies InvalidGrantReason[]

function checkReason(reason: string): void {
  if (!/^\w{1,64}$/.test(reason) || finalReasons.includes(reason)) {
    throw new TypeError(
      `reason must be 1 to 64 letters, digits or "_", and none of ${finalReasons.join(', ')}`,
    )
  }
}

function toUserId(userId: string | number, account?: Account): string {
  const text = typeof userId === 'number' && Number.isSafeInteger(userId) ? String(userId) : userId
  if (typeof text !== 'string' || text === '' || text.length > 255 || text === account?.appId) {
    throw new AuthError(
      'server_error',
      'A userId must be a whole number or a string of 1 to 255 characters, and not the AppID',
    )
  }
  return text
}

/** Stable, and says nothing about the openid to anyone who does not already know it. */
function opaqueUserId({ appId, openid }: Account): string {
  return createHash('sha256').update(`wxlogin:user:${appId}:${openid}`).digest('base64url').slice(0, 22)
}

/** A copy that nobody else holds, with exactly what the wire and the stores will keep of it. */
function toJson(data: Json): Json {
  return JSON.parse(JSON.stringify(data))
}

const invalidCode = () =>
  new AuthError('invalid_code', 'The code is not valid or was used before; call wx.login again')

const invalidToken = (message: string) => new AuthError('invalid_token', message)

const invalidGrantMessages: Readonly<Record<InvalidGrantReason, string>> = {
  unknown: 'The refresh token is unknown; log in again',
  expired: 'The refresh token has expired; log in again',
  reused: 'The refresh token was used twice, so its session was ended; log in again',
  revoked: 'The session was ended by the app; the user has to log in again',
}

function invalidGrant(reason: InvalidGrantReason): AuthError {
  return new AuthError('invalid_grant', invalidGrantMessages[reason], { reason })
}
