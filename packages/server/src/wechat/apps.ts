import { AuthError } from '../errors.js'
import { callHook } from '../hooks.js'
import { checkCredential } from '../option-checks.js'
import type { Account, Session } from '../session.js'
import { type AppCredentials, type CodeSession, code2Session } from './code2session.js'
import { createMiniProgram, type WeChat } from './mini-program.js'
import type { SessionKeyInput } from './session-key.js'
import type { Transport } from './transport.js'

/** A mini program that this backend serves. */
export interface ServedApp extends Omit<AppCredentials, 'appSecret'> {
  /**
   * From the WeChat console. It never leaves the server. `false` where the platform says who calls (`cloudFunction`,
   * `cloudHosting`) and nothing is asked of WeChat: a code, or a call of its APIs, is then `server_misconfigured`.
   */
  readonly appSecret: string | false
}

export type Apps =
  | readonly ServedApp[]
  | ((appId: string) => ServedApp | undefined | Promise<ServedApp | undefined>)

export interface AppsOptions {
  /** The mini programs served here: a list, or a function that looks one up by AppID and is called once per login. */
  apps: Apps
}

export interface AppsNeeds {
  readonly transport: Transport
  /** The account of a session, and its newest `session_key`. */
  readonly signerOf: (
    session: Pick<Session, 'id' | 'userId'>,
  ) => Promise<{ readonly account: Account; readonly sessionKey: string }>
  readonly now: () => number
}

/** The mini programs that are served here. */
export interface ServedApps {
  knows(appId: string): Promise<boolean>
  /** Without an AppID, the only one there is. Throws `unknown_app`. */
  of(appId: string | undefined): Promise<ServedApp>
  /** The first of the list, if it is one. */
  readonly firstAppId: string | undefined
  /** Exchanges a one-time code of this app for the account behind it. Throws `server_misconfigured` without a secret. */
  exchangeCode(app: ServedApp, code: string, group: 'login' | 'prefetch'): Promise<CodeSession>
  /** WeChat's APIs for a mini program, the same object each time; its calls may reject with `unknown_app`. */
  wechatOf(appId?: string): WeChat
}

/** Throws a `TypeError` that names the wrong entry. */
export function createApps({
  apps,
  transport,
  signerOf,
  now,
}: AppsOptions & AppsNeeds): ServedApps {
  const { lookUp, firstAppId, onlyAppId } = readApps(apps)
  const miniPrograms = new Map<string, WeChat>()

  async function findApp(appId: string): Promise<ServedApp | undefined> {
    const app: Partial<ServedApp> | null | undefined = await callHook('apps', () => lookUp(appId))
    // A look-up function may be written in JavaScript, or return the same app for every AppID.
    if (app?.appId !== appId) return undefined
    const { appSecret } = app
    return typeof appSecret === 'string' || appSecret === false ? { appId, appSecret } : undefined
  }

  async function of(appId: string | undefined = onlyAppId): Promise<ServedApp> {
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
        'appId must say which mini program; it may be left out only if there is just one',
      )
    }
    const known = miniPrograms.get(appId)
    if (known) return known
    const wechat = createMiniProgram(transport, {
      appId,
      credentials: async () => withSecret(await of(appId)),
      userOf: (session) => userOf(session, appId),
      now,
    })
    miniPrograms.set(appId, wechat)
    return wechat
  }

  async function userOf(
    session: Pick<Session, 'id' | 'userId'>,
    appId: string,
  ): Promise<SessionKeyInput> {
    const { account, sessionKey } = await signerOf(session)
    if (account.appId !== appId) {
      throw new AuthError('invalid_request', `The session is not one of the mini program ${appId}`)
    }
    return { openid: account.openid, sessionKey }
  }

  return {
    knows: async (appId) => (await findApp(appId)) !== undefined,
    of,
    firstAppId,
    exchangeCode: async (app, code, group) =>
      code2Session(transport, { app: withSecret(app), code, group }),
    wechatOf,
  }
}

function withSecret({ appId, appSecret }: ServedApp): AppCredentials {
  if (appSecret !== false) return { appId, appSecret }
  throw new AuthError(
    'server_misconfigured',
    `${appId} has no AppSecret on this server, and this needs one: give it in the apps option in place of false`,
  )
}

function readApps(apps: Apps) {
  if (typeof apps === 'function')
    return { lookUp: apps, firstAppId: undefined, onlyAppId: undefined }
  if (!Array.isArray(apps) || apps.length === 0) {
    throw new TypeError(
      'apps must list at least one { appId, appSecret }, or be a function that looks one up by AppID',
    )
  }
  const byId = new Map<string, ServedApp>()
  for (const [index, app] of (apps as readonly ServedApp[]).entries()) {
    checkCredential(`apps[${index}].appId`, app?.appId)
    // The other one is then the secret, so it is not quoted.
    if (/^\s*wx[0-9a-f]{16}\s*$/.test(String(app.appSecret))) {
      throw new TypeError(`apps[${index}].appSecret looks like an AppID; are the two swapped?`)
    }
    if (app.appSecret !== false)
      checkCredential(`apps[${index}].appSecret (of ${app.appId})`, app.appSecret)
    if (byId.has(app.appId)) throw new TypeError(`apps: ${app.appId} is listed twice`)
    byId.set(app.appId, app)
  }
  const [firstAppId] = byId.keys()
  return {
    lookUp: (appId: string) => byId.get(appId),
    firstAppId,
    onlyAppId: byId.size === 1 ? firstAppId : undefined,
  }
}
