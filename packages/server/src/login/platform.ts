import type { TokenAnswer } from '@wxlogin/shared'
import { withMethodsOf } from '../on-first-use.js'
import type { RequestHeaders } from '../request.js'
import type { Account, Session } from '../session.js'
import type { LoginInput } from './login-by-code.js'

/** Who makes a request, where the platform that passes it on knows: no code, and no token is needed. */
export interface Platform {
  readonly method: 'cloud_hosting' | 'cloud_function'
  /** The account that the platform vouches for, if any. Throws `unknown_app` for one of a mini program not served here. */
  accountBehind(request: RequestHeaders): Promise<Account | undefined>
}

/** The account, and who vouches for it. */
export interface Vouched {
  readonly method: Platform['method']
  readonly account: Account
}

/** Logins of those for whom a platform vouches. */
export interface LoginByPlatform<Claims extends object> {
  /** A session with tokens of its own, as after a login by code; the same one for the same idempotency key. */
  login(
    vouched: Vouched,
    request: RequestHeaders,
    input: Omit<LoginInput, 'code' | 'appId'>,
    receivedMs?: number,
  ): Promise<TokenAnswer>
  /**
   * The session of a request that carries no token: one per account, created when it is first needed. `ended` is what
   * this gave before, if it turned out to have ended since: if nobody revoked it, it is created again.
   */
  sessionBehind(
    vouched: Vouched,
    request: RequestHeaders,
    ended?: Session<Claims>,
  ): Promise<Session<Claims>>
  /** Drops the cached session of an account. */
  forget(account: Account): Promise<void>
}

/** The same for any request: `undefined` if no platform vouches for anybody. */
export interface LoginByRequest<Claims extends object>
  extends Pick<LoginByPlatform<Claims>, 'forget'> {
  /** Throws `unknown_app` for a user of a mini program that is not served here. */
  login(
    request: RequestHeaders,
    input: Omit<LoginInput, 'code' | 'appId'>,
    receivedMs?: number,
  ): Promise<TokenAnswer | undefined>
  sessionBehind(
    request: RequestHeaders,
    ended?: Session<Claims>,
  ): Promise<Session<Claims> | undefined>
}

/** `undefined` where there is no platform. What logs in is loaded when one vouches for somebody. */
export function createLoginByRequest<Claims extends object>(
  platforms: readonly Platform[],
  load: () => Promise<LoginByPlatform<Claims>>,
): LoginByRequest<Claims> | undefined {
  if (platforms.length === 0) return undefined
  const names = { login: true, sessionBehind: true, forget: true } as const
  const { login, sessionBehind, forget } = withMethodsOf<LoginByPlatform<Claims>>(load, names)

  async function vouchedFor(request: RequestHeaders): Promise<Vouched | undefined> {
    for (const { method, accountBehind } of platforms) {
      const account = await accountBehind(request)
      if (account) return { method, account }
    }
    return undefined
  }

  return {
    async login(request, ...input) {
      const vouched = await vouchedFor(request)
      return vouched && login(vouched, request, ...input)
    },

    async sessionBehind(request, ended) {
      const vouched = await vouchedFor(request)
      return vouched && sessionBehind(vouched, request, ended)
    },

    forget,
  }
}
