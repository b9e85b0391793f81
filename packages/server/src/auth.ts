import type { MovedPhoneAnswer, PhoneAnswer, TokenAnswer } from '@wxlogin/shared'
import { createKeyRing, hmacKeys } from './crypto/key-ring.js'
import { randomId } from './crypto/random-id.js'
import { readSigningKeys } from './crypto/signing-keys.js'
import { weaknessOf } from './crypto/weak-secret.js'
import type { WarningEvent } from './events.js'
import type { GuardOptions } from './guard-options.js'
import { createHooks } from './hooks.js'
import { createGuard, type GuardResult, type OptionalGuardResult } from './http/guard.js'
import { createHttp } from './http/routes.js'
import { type CreateSessionInput, createLoginByApp } from './login/by-app.js'
import { createCloudFunction } from './login/cloud-function.js'
import { createCloudHosting } from './login/cloud-hosting.js'
import type { DeviceGrant } from './login/device-grant.js'
import { readDeviceSettings, withoutDeviceGrant } from './login/device-option.js'
import { createLogin, createLoginByCode, type LoginInput } from './login/login-by-code.js'
import { createOpenAgain } from './login/open-again.js'
import { createOpenSession } from './login/open-session.js'
import type { Phone, PhoneInput } from './login/phone.js'
import { createLoginByRequest } from './login/platform.js'
import { createPrefetch } from './login/prefetch.js'
import { createPreviousSessions } from './login/previous-session.js'
import { withMethodsOf } from './on-first-use.js'
import { type AuthOptions, checkTogether, resolveCommon } from './options.js'
import type { AuthRequest, AuthResponse } from './request.js'
import type { Session, StoreWarning } from './session.js'
import { type Credentials, createAuthenticate } from './sessions/authenticate.js'
import { createEndByToken } from './sessions/end-by-token.js'
import { guardStore } from './sessions/guarded-store.js'
import { createLegacyTokens } from './sessions/legacy-tokens.js'
import { createLogout, type LogoutInput } from './sessions/logout.js'
import { createRefresh, type RefreshInput } from './sessions/refresh.js'
import { createRevocationCheck } from './sessions/revocation.js'
import { createSessions, type RevokeInput, type Sessions } from './sessions/sessions.js'
import { createAccessTokens } from './tokens/access-token.js'
import { createDeviceCodes } from './tokens/device-code.js'
import { createRefreshTokens } from './tokens/refresh-token.js'
import { isTicket } from './tokens/ticket.js'
import { createTokenAnswer } from './tokens/token-answer.js'
import type { OpenDataReader } from './user-info/open-data.js'
import type { Sign } from './user-info/sign.js'
import type { Tickets } from './user-info/tickets.js'
import { createUserInfo } from './user-info/user-info.js'
import type { CreateVirtualPayment } from './user-info/virtual-payment.js'
import { createApps } from './wechat/apps.js'
import type { WeChat } from './wechat/mini-program.js'
import { createTransport, type WeChatHealth } from './wechat/transport.js'

/** The state of what this library depends on. Holds no secret. */
export interface Health {
  readonly store: {
    readonly ok: boolean
    readonly warnings: readonly (WarningEvent['warning'] | StoreWarning)[]
  }
  readonly wechat: WeChatHealth
}

/** What {@link createAuth} returns. */
export interface Auth<Claims extends object = object> extends OpenDataReader {
  /** Exchanges a code for a session. Throws {@link AuthError}. */
  login(input: LoginInput): Promise<TokenAnswer>
  /** Exchanges a refresh token for its successor. Throws {@link AuthError}. */
  refresh(input: RefreshInput): Promise<TokenAnswer>
  /**
   * Ends the session of a refresh token; an unknown token is not an error. `everywhere` also revokes the user's other
   * sessions, if this one is live and the token is its newest.
   */
  logout(input: LogoutInput): Promise<void>
  /**
   * Exchanges a code of the getPhoneNumber button for the phone number, and lets `onPhoneNumber` say whose it is.
   * Includes tokens if a session that has tokens moved to another user. Throws {@link AuthError}.
   */
  phone(input: PhoneInput<Claims>): Promise<PhoneAnswer | MovedPhoneAnswer>
  /** Signs a text under the user's `session_key`, which never leaves the server. Throws `stale_session_key`. */
  readonly sign: Sign
  /** The arguments of `wx.requestVirtualPayment`, signed. Throws `invalid_code`, `stale_session_key`, `invalid_token`. */
  readonly virtualPayment: CreateVirtualPayment
  /**
   * The phone lets a PC in (RFC 8628), with the option `deviceGrant`: for a backend that keeps the PC's tokens itself.
   */
  readonly device: DeviceGrant<Claims>
  /**
   * The session of an `Authorization` header; also for WebSocket handshakes and queues. Given all the headers, it also
   * knows the users of WeChat cloud hosting, if `cloudHosting` is set, and of a cloud function, if `cloudFunction` is.
   * Throws `invalid_token` and `insufficient_user_authentication` (401), `insufficient_scope` (403), `store_unavailable`
   * (503, if the store is read) or `server_error` (500, if `allow` or `apps` threw).
   */
  authenticate(
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<Session<Claims>>
  authenticate(
    credentials: Credentials,
    options: GuardOptions<Claims>,
  ): Promise<Session<Claims> | undefined>
  /** Serves the routes; every adapter calls this. Never rejects, but for `lazyAuth` with wrong options. */
  handle(request: AuthRequest): Promise<AuthResponse>
  /** {@link Auth.authenticate} for adapters: returns the response to send instead of throwing. Never rejects. */
  guard(
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<GuardResult<Claims>>
  guard(
    credentials: Credentials,
    options: GuardOptions<Claims> | undefined,
  ): Promise<OptionalGuardResult<Claims>>
  readonly sessions: {
    /** The user's devices, newest login first. `current` is the id of the session that asks. */
    readonly list: Sessions<Claims>['list']
    /** Revokes sessions of a user; their devices learn it and do not log in again by themselves. Returns how many. */
    revoke(input: RevokeInput): Promise<number>
    /**
     * Removes everything that is kept about a user, tombstones included, for the deletion of an account (注销). Gives the
     * number of sessions that ended.
     */
    readonly forget: Sessions<Claims>['forget']
    /** The WeChat account of a session: for payments and subscribe messages. Throws `invalid_token` after its end. */
    readonly account: Sessions<Claims>['account']
    /** Creates a session without a code: for other ways to log in, such as scanning a QR code, and for tests. */
    create(input: CreateSessionInput<Claims>): Promise<TokenAnswer>
  }
  /** Tell a page in a web-view, or another mini program of yours, who is logged in, without an access token. */
  readonly tickets: Tickets<Claims>
  /**
   * WeChat's server APIs for a mini program, the same object each time; calls reject with `unknown_app` if it is not
   * served here. Throws a `TypeError` without an AppID unless there is just one mini program.
   */
  wechat(appId?: string): WeChat
  /** WeChat as of the last call, and the calls in flight: what `check` says of it, at once. For metrics. */
  wechatHealth(): WeChatHealth
  /** For a health endpoint. Never rejects, but for `lazyAuth` with wrong options. */
  check(): Promise<Health>
  /** Closes the connections to WeChat. */
  close(): Promise<void>
}

/**
 * Creates the login of one backend: `apps`, `secret` and `onLogin` are enough. Throws a `TypeError` that names the
 * wrong option.
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
  const common = resolveCommon(options)
  const { now, emit } = common

  const hooks = createHooks(common)
  const keys = createKeyRing(common)
  const signingKeys = readSigningKeys(common)
  const transport = createTransport(common)
  // What signs for users is made further down, and called later.
  const apps = createApps({
    ...common,
    transport,
    signerOf: (session) => userKeys.theOneOf(session, {}),
  })
  const store = guardStore(common)

  const refreshTokens = createRefreshTokens(keys.refresh)
  const accessTokens = createAccessTokens<Claims>({
    ...common,
    keys: [...signingKeys, ...hmacKeys(keys.access)],
    knowsApp: apps.knows,
  })
  const answerTokens = createTokenAnswer({ accessTokens, refreshTokens, now })

  const sessions = createSessions({ ...common, hooks, store })
  checkTogether(sessions.lifetimes.idleTtlSeconds, accessTokens.ttlSeconds)
  const core = { hooks, keys, store, sessions, refreshTokens, answerTokens, apps, now, emit }
  const shared = { ...core, endByToken: createEndByToken(core) }
  const refresh = createRefresh(shared)
  const logout = createLogout(shared)

  const previousSessions = createPreviousSessions(shared)
  const openSession = createOpenSession({ ...shared, previousSessions })
  const openAgain = createOpenAgain(shared)
  const loginNeeds = { ...shared, previousSessions, openSession, openAgain }
  const loginByCode = createLoginByCode(loginNeeds)
  const platforms = [
    createCloudFunction({ ...common, apps }),
    createCloudHosting({ ...common, apps }),
  ].filter((platform) => platform !== undefined)
  const loginByPlatform = createLoginByRequest<Claims>(platforms, async () => {
    const { createLoginByPlatform } = await import('./login/by-platform.js')
    const { ttlSeconds: claimsTtlSeconds } = accessTokens
    return createLoginByPlatform({ ...loginNeeds, platforms, claimsTtlSeconds })
  })
  const prefetch = createPrefetch({ ...common, ...loginNeeds, loginByCode })
  // This and the device grant are loaded when they are first used: many backends never do.
  const phone: Phone<Claims> = async (...input) => {
    const { createPhone } = await import('./login/phone.js')
    return createPhone({ ...loginNeeds, onMoved: loginByPlatform?.forget })(...input)
  }
  const deviceCodes = createDeviceCodes(keys.device)
  const settings = readDeviceSettings(common)
  const device =
    settings &&
    withMethodsOf<DeviceGrant<Claims>>(
      async () => {
        const { createDeviceGrant } = await import('./login/device-grant.js')
        return createDeviceGrant({ ...loginNeeds, settings, deviceCodes })
      },
      { start: true, look: true, decide: true, poll: true },
    )
  const login = createLogin(loginByCode)

  const { userKeys, ...userInfo } = createUserInfo(shared)

  const authenticate = createAuthenticate({
    accessTokens,
    isUnrevoked: createRevocationCheck({ ...common, store }),
    now,
    legacyTokens: createLegacyTokens({
      ...common,
      firstAppId: apps.firstAppId,
      knowsApp: apps.knows,
      isOwn: (token) =>
        accessTokens.isOwn(token) ||
        refreshTokens.isOwn(token) ||
        deviceCodes.isOwn(token) ||
        isTicket(token),
    }),
    sessionByPlatform: loginByPlatform?.sessionBehind,
  })
  const { handle, refuse } = createHttp({
    login,
    refresh,
    logout,
    authenticate,
    phone,
    loginByPlatform: loginByPlatform?.login,
    prefetch,
    device,
    signingKeys,
    now,
    emit,
  })

  if ([options.secret].flat().some(weaknessOf)) {
    const hint =
      'Whoever guesses the secret can be any user; generate one with `npx wxlogin keygen`, and put it first in a list: nobody is logged out while the old one stands behind it'
    emit({ type: 'warning', warning: 'weak_secret', hint })
  }
  const warnings = options.store ? [] : (['memory_store'] as const)
  for (const warning of warnings) {
    const hint = 'A restart logs everyone out; set the store option in production'
    emit({ type: 'warning', warning, hint })
  }

  return {
    login,
    refresh,
    logout,
    phone,
    ...userInfo,
    device: device ?? withoutDeviceGrant(),
    authenticate,
    handle,
    guard: createGuard({ authenticate, refuse }),
    sessions: {
      list: sessions.list,
      revoke: sessions.revoke,
      forget: sessions.forget,
      account: sessions.account,
      create: createLoginByApp(loginNeeds),
    },
    wechat: apps.wechatOf,
    wechatHealth: transport.health,

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
