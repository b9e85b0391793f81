import { AuthError } from '../errors.js'
import { callHook } from '../hooks.js'
import type { ResolvedOptions } from '../options.js'
import type { AppCredentials } from './code2session.js'
import { createMiniProgram, type WeChat } from './mini-program.js'
import type { Transport } from './transport.js'

/** The mini programs that are served here. */
export interface ServedApps {
  knows(appId: string): Promise<boolean>
  /** Throws `unknown_app`, also for an AppID that was not sent. */
  of(appId: string | undefined): Promise<AppCredentials>
  /** WeChat's interfaces for a mini program, the same object each time; its calls reject `unknown_app`. */
  wechatOf(appId?: string): WeChat
}

export function createApps<Claims extends object>(
  { findApp: lookUp, onlyAppId, now }: ResolvedOptions<Claims>,
  transport: Transport,
): ServedApps {
  const miniPrograms = new Map<string, WeChat>()

  async function findApp(appId: string): Promise<AppCredentials | undefined> {
    const app: Partial<AppCredentials> | null | undefined = await callHook('apps', () =>
      lookUp(appId),
    )
    // A look-up may be written in JavaScript, or answer for every AppID.
    if (app?.appId !== appId || typeof app.appSecret !== 'string') return undefined
    return { appId, appSecret: app.appSecret }
  }

  async function of(appId: string | undefined): Promise<AppCredentials> {
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
    const wechat = createMiniProgram(transport, { appId, credentials: () => of(appId), now })
    miniPrograms.set(appId, wechat)
    return wechat
  }

  return {
    knows: async (appId) => (await findApp(appId)) !== undefined,
    of,
    wechatOf,
  }
}
