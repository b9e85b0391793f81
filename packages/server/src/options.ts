import type { KeyRingOptions } from './crypto/key-ring.js'
import type { SigningKeysOptions } from './crypto/signing-keys.js'
import { createEmit } from './emit.js'
import type { AuthEvent, EmitEvent } from './events.js'
import type { HookOptions } from './hooks.js'
import type { CloudFunctionOptions } from './login/cloud-function.js'
import type { CloudHostingOptions } from './login/cloud-hosting.js'
import type { DeviceGrantOptions } from './login/device-option.js'
import type { PrefetchOptions } from './login/prefetch.js'
import { checkFunctions, checkNames, checkNode, type OptionNames } from './option-checks.js'
import { checkValueVerbs, type StoreOptions } from './sessions/guarded-store.js'
import type { LegacyOptions } from './sessions/legacy-tokens.js'
import type { RevocationOptions } from './sessions/revocation.js'
import type { SessionOptions } from './sessions/sessions.js'
import { createMemoryStore } from './stores/memory.js'
import type { AccessTokenOptions } from './tokens/access-token.js'
import type { AppsOptions } from './wechat/apps.js'
import type { WeChatConnectionOptions } from './wechat/transport.js'

/** The options of every module, each documented and checked where it is used. */
export interface AuthOptions<Claims extends object = object>
  extends AppsOptions,
    KeyRingOptions,
    HookOptions<Claims>,
    SigningKeysOptions,
    StoreOptions,
    SessionOptions,
    RevocationOptions,
    LegacyOptions<Claims>,
    AccessTokenOptions,
    CloudHostingOptions,
    CloudFunctionOptions,
    PrefetchOptions,
    DeviceGrantOptions,
    WeChatConnectionOptions {
  /** The clock, in milliseconds since the epoch (default `Date.now`). */
  now?: () => number
  /**
   * Called with every event. Errors that it throws are ignored. Without it, what an operator has to know is printed by
   * `console.error`.
   */
  onEvent?: (event: AuthEvent) => void
}

/** The options that every module needs, resolved. */
export type CommonOptions<Claims extends object> = Omit<AuthOptions<Claims>, 'onEvent'> &
  Required<Pick<AuthOptions<Claims>, 'now' | 'store'>> & { readonly emit: EmitEvent }

const names: OptionNames<AuthOptions> = {
  apps: true,
  secret: true,
  onLogin: true,
  claims: true,
  onPhoneNumber: true,
  onPrefetch: true,
  prefetchPath: true,
  signingKeys: true,
  store: true,
  storeTimeoutMs: true,
  idleTtlSeconds: true,
  absoluteTtlSeconds: true,
  maxSessionsPerUser: true,
  revocation: true,
  acceptLegacy: true,
  issuer: true,
  accessTtlSeconds: true,
  allowLongAccessTtl: true,
  maxVerifiedTokens: true,
  cloudHosting: true,
  deviceGrant: true,
  cloudFunction: true,
  fetch: true,
  wechatHosts: true,
  allowPlainHttp: true,
  wechatTimeoutMs: true,
  maxLoginsInFlight: true,
  now: true,
  onEvent: true,
}

/** Resolves what several modules need. Throws a `TypeError` that names the wrong option. */
export function resolveCommon<Claims extends object>(
  given: AuthOptions<Claims>,
): CommonOptions<Claims> {
  checkNode()
  checkNames('createAuth', given, names)
  const { now = Date.now, onEvent, ...options } = given
  checkFunctions({ now })
  checkClock(now())
  checkOwnSecret(options)
  const store = options.store === undefined ? createMemoryStore({ now }) : options.store
  if (options.deviceGrant !== undefined) checkValueVerbs('deviceGrant', store)
  return {
    ...options,
    now,
    emit: createEmit(onEvent),
    store,
  }
}

/** WeChat, and whoever is told the AppSecret, could make tokens of any user. */
function checkOwnSecret({ apps, secret }: Readonly<{ apps: unknown; secret: unknown }>): void {
  const given = [apps].flat().flatMap((app) => Object.values(Object(app)))
  if (![secret].flat().some((one) => one && given.includes(one))) return
  throw new TypeError(
    'secret must not be the AppSecret, or anything else of apps: it is a secret of its own; generate one with `npx wxlogin keygen`',
  )
}

/** Throws a `TypeError` when options of two modules contradict each other. */
export function checkTogether(idleTtlSeconds: number, accessTtlSeconds: number): void {
  if (idleTtlSeconds < accessTtlSeconds) {
    throw new TypeError('idleTtlSeconds must not be shorter than accessTtlSeconds')
  }
}

/** What is a time of this century in seconds is one of the seventies in milliseconds, when there was no WeChat. */
function checkClock(nowMs: unknown): void {
  if (typeof nowMs !== 'number' || (nowMs > 1e9 && nowMs < 1e11)) {
    throw new TypeError('now must give milliseconds since the epoch, as Date.now does, not seconds')
  }
}
