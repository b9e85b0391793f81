import type { Json } from '@wxlogin/shared'
import { type Jwk, readSigningKeys, type SigningKey } from './crypto/signing-keys.js'
import { type AuthEvent, type EmitEvent, silenced } from './events.js'
import { checkDuration } from './option-checks.js'
import type { Account, Session, SessionStore } from './session.js'
import { createMemoryStore } from './stores/memory.js'
import type { AppCredentials } from './wechat/code2session.js'
import { checkHosts, type HostList } from './wechat/hosts.js'
import type { FetchLike } from './wechat/http-client.js'

/** What `onLogin` learns about a login besides the account. */
export interface LoginContext {
  /** What the client sent along with the login (`loginInput`). It comes from outside: check it. */
  readonly input: unknown
  readonly device?: string
  /** The session that this login replaces, where the client still had a live one. Use it to merge a guest's data. */
  readonly previous?: PreviousSession
}

export type PreviousSession = Pick<Session, 'id' | 'userId' | 'appId'>

/** What `onLogin` returns. */
export interface LoginDecision {
  /** Your own id of the user. Without it the user gets a stable opaque id made from AppID and openid. */
  userId?: string | number
  /** Sent to the client with the tokens. */
  data?: Json
}

/** What `onPhoneNumber` learns. The number comes from WeChat, for a code that only this account's tap can give. */
export interface PhoneContext<Claims extends object = object> {
  /** Without the country code. */
  readonly phoneNumber: string
  /** `'86'` for example. */
  readonly countryCode: string
  readonly session: Session<Claims>
  readonly account: Account
}

/** What `onPhoneNumber` returns. */
export interface PhoneDecision {
  /** Whose number it is. Another user than the session's moves the session to that user. */
  userId?: string | number
  /** Sent to the client with the number. */
  data?: Json
}

/** What `onPrefetch` learns of a mini program that is being opened. All but session and account comes from outside. */
export interface PrefetchContext {
  readonly session: Pick<Session, 'id' | 'userId' | 'appId'>
  readonly account: Account
  /** The page that is being opened. */
  readonly path: string
  /** The query of that page, as text. */
  readonly query: string
  /** WeChat's number of the place that it is opened from. */
  readonly scene: number
}

export type Apps =
  | readonly AppCredentials[]
  | ((appId: string) => AppCredentials | undefined | Promise<AppCredentials | undefined>)

/**
 * When a revoked session stops working. `expiry`: when its access token ends, no store read per request ·
 * `immediate`: at once, one read per request · `staleSeconds`: within so many seconds, at most one read per session,
 * process and period.
 */
export type Revocation = 'expiry' | 'immediate' | { readonly staleSeconds: number }

export interface AuthOptions<Claims extends object = object> {
  /** The mini programs served here, as a list or as a look-up by AppID. */
  apps: Apps
  /**
   * At least 32 bytes that only your servers know; every key is derived from it. A list rotates it: the first signs,
   * all verify. Make one with `openssl rand -base64 48`.
   */
  secret: string | readonly string[]
  /**
   * Links the WeChat account to your user. It may run again for the same login, so make it an upsert. To refuse a
   * user, throw `new AuthError('access_denied', message, { reason })`; anything else that is thrown is a 500.
   */
  onLogin?: (
    account: Account,
    context: LoginContext,
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
  ) => LoginDecision | undefined | void | Promise<LoginDecision | undefined | void>
  /**
   * What goes into the access token, asked at login and at every refresh, so it is never older than one access life.
   * Throwing `access_denied` ends the session.
   */
  claims?: (user: { readonly userId: string; readonly appId: string }) => Claims | Promise<Claims>
  /**
   * Called when a signed-in user gave the phone number (`POST /phone`). Return the `userId` of the user whose number it
   * is, and the session moves there. Throw `access_denied` to refuse.
   */
  onPhoneNumber?: (
    context: PhoneContext<Claims>,
    // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
  ) => PhoneDecision | undefined | void | Promise<PhoneDecision | undefined | void>
  /**
   * Serves WeChat's data pre-fetch (数据预拉取) at `GET /prefetch`, so that a mini program can be logged in before its
   * code has loaded. What it returns is handed to the mini program with the tokens, up to 256 KB in all; it may be
   * `undefined`. Without it there is no such route.
   */
  onPrefetch?: (context: PrefetchContext) => Json | undefined | Promise<Json | undefined>
  /**
   * Accepts the identity that the gateway of WeChat cloud hosting (云托管) puts into `x-wx-…` headers. Whoever can
   * reach the service in another way can write these headers, so `public: false` is your word that public access
   * (公网访问) is off.
   */
  cloudHosting?: { readonly public: false }
  /**
   * Makes access tokens verifiable by other services, through `GET /jwks.json`: private JWKs (Ed25519, P-256, RSA), of
   * which the first signs and all verify. A public JWK only verifies. Tokens under `secret` stay valid beside them.
   */
  signingKeys?: readonly Jwk[]
  /** Where sessions live (default: in this process, see `createMemoryStore`). */
  store?: SessionStore
  /** How long a call to the store may take, in milliseconds (default 500); then the request is a 503. */
  storeTimeoutMs?: number
  /** How WeChat is reached (default: undici with a keep-alive agent of its own). */
  fetch?: FetchLike
  /**
   * Where WeChat is, as origins (default `['https://api.weixin.qq.com']`). The next one is tried when a connection
   * cannot be made, and stays in use; every 30 seconds the first is tried again. Plain http only to this machine.
   */
  wechatHosts?: readonly string[]
  /** How long a call to WeChat may take in all, in milliseconds (default 5,000). Connecting may take 2,000 of them. */
  wechatTimeoutMs?: number
  /** The clock, in milliseconds since the epoch (default `Date.now`). */
  now?: () => number
  /** Called with everything that happens. What it throws is ignored. */
  onEvent?: (event: AuthEvent) => void
  /** `iss` of the access tokens (default `wxlogin`). */
  issuer?: string
  /** Life of an access token, in seconds (default 900, at least 60, at most 3,600). */
  accessTtlSeconds?: number
  /** Permits an `accessTtlSeconds` above 3,600: such a token stays good for longer after its user is banned. */
  allowLongAccessTtl?: boolean
  /** A session that is not refreshed for so long ends, in seconds (default 30 days). */
  idleTtlSeconds?: number
  /** A session ends after so long in any case, in seconds (default 180 days). */
  absoluteTtlSeconds?: number
  /** How many sessions a user may have (default 10); beyond it the one that was refreshed longest ago ends. */
  maxSessionsPerUser?: number
  /** When a revoked session stops working (default `expiry`). */
  revocation?: Revocation
  /** How many verified tokens to remember (default 10,000; 0 for none), so that each is verified once. */
  maxVerifiedTokens?: number
}

/** The options with their defaults, checked. */
export interface ResolvedOptions<Claims extends object> {
  readonly findApp: (appId: string) => Promise<AppCredentials | undefined>
  /** The AppID, where there is just one. */
  readonly onlyAppId: string | undefined
  readonly secrets: readonly [string, ...string[]]
  readonly onLogin: NonNullable<AuthOptions<Claims>['onLogin']>
  readonly claims: AuthOptions<Claims>['claims']
  readonly onPhoneNumber: NonNullable<AuthOptions<Claims>['onPhoneNumber']>
  readonly onPrefetch: AuthOptions<Claims>['onPrefetch']
  readonly isCloudHosted: boolean
  readonly signingKeys: readonly SigningKey[]
  readonly store: SessionStore
  readonly storeTimeoutMs: number
  readonly fetch: FetchLike | undefined
  readonly wechatHosts: HostList
  readonly wechatTimeoutMs: number
  readonly now: () => number
  readonly emit: EmitEvent
  readonly issuer: string
  readonly accessTtlSeconds: number
  readonly idleTtlSeconds: number
  readonly absoluteTtlSeconds: number
  readonly maxSessionsPerUser: number
  readonly revocation: Revocation
  readonly maxVerifiedTokens: number
}

const day = 24 * 60 * 60

/** Fills in the defaults. Throws a `TypeError` that names the option and what is allowed. */
export function resolveOptions<Claims extends object>({
  apps,
  secret,
  onLogin = () => undefined,
  claims,
  onPhoneNumber = () => undefined,
  onPrefetch,
  cloudHosting,
  now = Date.now,
  signingKeys = [],
  store,
  storeTimeoutMs = 500,
  fetch,
  wechatHosts = ['https://api.weixin.qq.com'],
  wechatTimeoutMs = 5000,
  onEvent = () => undefined,
  issuer = 'wxlogin',
  accessTtlSeconds = 15 * 60,
  allowLongAccessTtl = false,
  idleTtlSeconds = 30 * day,
  absoluteTtlSeconds = 180 * day,
  maxSessionsPerUser = 10,
  revocation = 'expiry',
  maxVerifiedTokens = 10_000,
}: AuthOptions<Claims>): ResolvedOptions<Claims> {
  const hooks = { onLogin, claims, onPhoneNumber, onPrefetch, fetch, now, onEvent }
  for (const [name, hook] of Object.entries(hooks)) {
    if (hook !== undefined && typeof hook !== 'function')
      throw new TypeError(`${name} must be a function`)
  }
  const durations = {
    storeTimeoutMs,
    wechatTimeoutMs,
    accessTtlSeconds,
    idleTtlSeconds,
    absoluteTtlSeconds,
  }
  for (const [name, value] of Object.entries(durations)) checkDuration(name, value)
  if (accessTtlSeconds < 60) throw new TypeError('accessTtlSeconds must be at least 60')
  if (accessTtlSeconds > 3600 && allowLongAccessTtl !== true) {
    throw new TypeError(
      'accessTtlSeconds must be at most 3600; set allowLongAccessTtl: true to permit more',
    )
  }
  if (idleTtlSeconds < accessTtlSeconds) {
    throw new TypeError('idleTtlSeconds must not be shorter than accessTtlSeconds')
  }
  if (absoluteTtlSeconds < idleTtlSeconds) {
    throw new TypeError('absoluteTtlSeconds must not be shorter than idleTtlSeconds')
  }
  if (!Number.isSafeInteger(maxVerifiedTokens) || maxVerifiedTokens < 0) {
    throw new TypeError('maxVerifiedTokens must be a whole number of tokens, 0 for none')
  }
  if (!Number.isSafeInteger(maxSessionsPerUser) || maxSessionsPerUser < 1) {
    throw new TypeError('maxSessionsPerUser must be a whole number of sessions, at least 1')
  }
  if (typeof issuer !== 'string' || issuer === '')
    throw new TypeError('issuer must be a non-empty string')

  return {
    ...resolveApps(apps),
    secrets: checkSecrets(secret),
    onLogin,
    claims,
    onPhoneNumber,
    onPrefetch,
    isCloudHosted: checkCloudHosting(cloudHosting),
    signingKeys: readSigningKeys(signingKeys),
    store: store === undefined ? createMemoryStore({ now }) : checkStore(store),
    storeTimeoutMs,
    fetch,
    wechatHosts: checkHosts('wechatHosts', wechatHosts),
    wechatTimeoutMs,
    now,
    emit: silenced(onEvent),
    issuer,
    accessTtlSeconds,
    idleTtlSeconds,
    absoluteTtlSeconds,
    maxSessionsPerUser,
    revocation: checkRevocation(revocation),
    maxVerifiedTokens,
  }
}

function checkStore(store: SessionStore): SessionStore {
  for (const verb of ['create', 'get', 'replace', 'delete', 'list'] as const) {
    if (typeof store?.[verb] !== 'function') {
      throw new TypeError(`store must have a method ${verb}; see SessionStore`)
    }
  }
  return store
}

function resolveApps(apps: Apps) {
  if (typeof apps === 'function') {
    return { findApp: async (appId: string) => apps(appId), onlyAppId: undefined }
  }
  if (!Array.isArray(apps) || apps.length === 0) {
    throw new TypeError(
      'apps must list at least one { appId, appSecret }, or be a function that finds one by AppID',
    )
  }
  const byId = new Map<string, AppCredentials>()
  for (const app of apps as readonly AppCredentials[]) {
    if (typeof app?.appId !== 'string' || app.appId === '') {
      throw new TypeError('apps: every entry needs an appId; is the environment variable set?')
    }
    if (typeof app.appSecret !== 'string' || app.appSecret === '') {
      throw new TypeError(`apps: ${app.appId} needs an appSecret; is the environment variable set?`)
    }
    if (app.appId !== app.appId.trim() || app.appSecret !== app.appSecret.trim()) {
      throw new TypeError(`apps: ${app.appId.trim()} has white space around its appId or appSecret`)
    }
    if (byId.has(app.appId)) throw new TypeError(`apps: ${app.appId} is listed twice`)
    byId.set(app.appId, app)
  }
  const [first] = byId.keys()
  return {
    findApp: async (appId: string) => byId.get(appId),
    onlyAppId: byId.size === 1 ? first : undefined,
  }
}

function checkSecrets(secret: unknown): readonly [string, ...string[]] {
  const [first, ...others]: readonly unknown[] = Array.isArray(secret) ? secret : [secret]
  const secrets = [checkSecret(first), ...others.map(checkSecret)] as const
  if (new Set(secrets).size < secrets.length)
    throw new TypeError('secret: a member is listed twice')
  return secrets
}

function checkSecret(secret: unknown): string {
  const wanted = 'make one with `openssl rand -base64 48`'
  if (typeof secret !== 'string' || secret === '') {
    throw new TypeError(
      `secret must be a string of at least 32 bytes, or a list of them; ${wanted}`,
    )
  }
  if (Buffer.byteLength(secret) < 32)
    throw new TypeError(`secret must have at least 32 bytes; ${wanted}`)
  if (new Set(secret).size < 8)
    throw new TypeError(`secret repeats too few characters to be random; ${wanted}`)
  if (/-----BEGIN|^\s*\{/.test(secret)) {
    throw new TypeError(`secret looks like a PEM or JWK key, which others may know; ${wanted}`)
  }
  return secret
}

function checkCloudHosting(cloudHosting: unknown): boolean {
  if (cloudHosting === undefined) return false
  if (Object(cloudHosting).public === false) return true
  throw new TypeError(
    'cloudHosting must be { public: false }: with public access anyone can write the headers that it trusts; turn public access (公网访问) off in the cloud hosting console, or leave the option out',
  )
}

function checkRevocation(revocation: unknown): Revocation {
  if (revocation === 'expiry' || revocation === 'immediate') return revocation
  if (typeof revocation === 'object' && revocation !== null && 'staleSeconds' in revocation) {
    const { staleSeconds } = revocation
    checkDuration('revocation.staleSeconds', staleSeconds)
    return { staleSeconds: Number(staleSeconds) }
  }
  throw new TypeError("revocation must be 'expiry', 'immediate' or { staleSeconds }")
}
