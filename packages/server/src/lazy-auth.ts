import type { Auth } from './auth.js'
import type { GuardOptions } from './guard-options.js'
import type { GuardResult, OptionalGuardResult } from './http/guard.js'
import type { Session } from './session.js'
import type { Credentials } from './sessions/authenticate.js'

/**
 * An `auth` that is created when it is first used, for modules that a build evaluates where there are no secrets
 * (`next build`, images). `authRoutes` and `requireAuth` can be mounted with it right away.
 *
 * What `createAuth` would have thrown at once is thrown by the first use, and again by the next until it has worked. Call
 * `check()` where the server starts: it rejects with it.
 *
 * @example
 * export const auth = lazyAuth(() => createAuth({ apps, secret: process.env.WXLOGIN_SECRET }))
 */
export function lazyAuth<Claims extends object>(create: () => Auth<Claims>): Auth<Claims> {
  if (typeof create !== 'function') {
    throw new TypeError('Write lazyAuth(() => createAuth(…)): it takes a function that creates')
  }
  let created: Auth<Claims> | undefined
  const auth = () => (created ??= create())

  async function authenticate(
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<Session<Claims>>
  async function authenticate(
    credentials: Credentials,
    options?: GuardOptions<Claims>,
  ): Promise<Session<Claims> | undefined>
  async function authenticate(credentials: Credentials, options: GuardOptions<Claims> = {}) {
    return auth().authenticate(credentials, options)
  }

  async function guard(
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<GuardResult<Claims>>
  async function guard(
    credentials: Credentials,
    options?: GuardOptions<Claims>,
  ): Promise<OptionalGuardResult<Claims>>
  async function guard(credentials: Credentials, options?: GuardOptions<Claims>) {
    return auth().guard(credentials, options)
  }

  return {
    login: async (input) => auth().login(input),
    refresh: async (input) => auth().refresh(input),
    logout: async (input) => auth().logout(input),
    phone: async (input) => auth().phone(input),
    openData: async (session, data) => auth().openData(session, data),
    verifySignature: async (session, data) => auth().verifySignature(session, data),
    sign: async (...args) => auth().sign(...args),
    virtualPayment: async (input) => auth().virtualPayment(input),
    device: {
      start: async (...args) => auth().device.start(...args),
      look: async (input) => auth().device.look(input),
      decide: async (input) => auth().device.decide(input),
      poll: async (...args) => auth().device.poll(...args),
    },
    authenticate,
    handle: async (request) => auth().handle(request),
    guard,
    sessions: {
      list: async (...args) => auth().sessions.list(...args),
      revoke: async (input) => auth().sessions.revoke(input),
      forget: async (...args) => auth().sessions.forget(...args),
      account: async (...args) => auth().sessions.account(...args),
      create: async (input) => auth().sessions.create(input),
    },
    tickets: {
      issue: async (...args) => auth().tickets.issue(...args),
      redeem: async (...args) => auth().tickets.redeem(...args),
    },
    wechat: (appId) => auth().wechat(appId),
    wechatHealth: () => auth().wechatHealth(),
    check: async () => auth().check(),
    // What was never created has nothing to close, and must not be created for it.
    close: async () => created?.close(),
  }
}
