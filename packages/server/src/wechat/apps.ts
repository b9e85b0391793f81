import type { AppKind } from '@wxlogin/shared'
import { AuthError } from '../errors.js'
import { callHook } from '../hooks.js'
import { kindOf } from '../option-checks.js'
import type { Account, Session } from '../session.js'
import type { Entry, KindNeeds, ServedApp } from './app-kind.js'
import type { AppCredentials } from './credentials.js'
import { type AppEntry, createKinds } from './kinds.js'
import { createMiniProgram, type WeChat } from './mini-program.js'
import type { SessionKeyInput } from './session-key.js'

/**
 * `kind` is what a client sends beside its AppID, `mini_program` if nothing; it is missing where only the AppID is known,
 * as in a token.
 */
export type Apps =
  | readonly AppEntry[]
  | ((
      appId: string,
      kind?: AppKind,
    ) => AppEntry | null | undefined | Promise<AppEntry | null | undefined>)

export interface AppsOptions {
  /**
   * The apps served here, mini programs or of another `kind`: a list, or a function that looks one up by AppID and kind
   * and is called once per login.
   */
  apps: Apps
}

export interface AppsNeeds
  extends Pick<KindNeeds, 'transport' | 'now'>,
    Partial<Pick<KindNeeds, 'allowPlainHttp' | 'wechatTimeoutMs'>> {
  /** The account of a session, and its newest `session_key`. */
  readonly signerOf: (
    session: Pick<Session, 'id' | 'userId'>,
  ) => Promise<{ readonly account: Account; readonly sessionKey: string }>
}

/** The apps that are served here. */
export interface ServedApps {
  knows(appId: string): Promise<boolean>
  /** Without a kind, of any. Without an AppID, the only one there is of it. Throws `unknown_app`. */
  of(appId: string | undefined, kind?: AppKind): Promise<ServedApp>
  /** The first of the list, if it is one. */
  readonly firstAppId: string | undefined
  /** WeChat's APIs for a mini program, the same object each time; its calls may reject with `unknown_app`. */
  wechatOf(appId?: string): WeChat
}

/** Throws a `TypeError` that names the wrong entry. */
export function createApps({
  apps,
  transport,
  signerOf,
  now,
  allowPlainHttp = false,
  wechatTimeoutMs = 5000,
}: AppsOptions & AppsNeeds): ServedApps {
  const serve = createKinds({ transport, now, allowPlainHttp, wechatTimeoutMs })
  const listed = typeof apps === 'function' ? undefined : readList(apps)
  const miniPrograms = new Map<string, WeChat>()

  function readList(list: unknown): readonly ServedApp[] {
    if (!Array.isArray(list) || list.length === 0) {
      throw new TypeError(
        'apps must list at least one { appId, appSecret }, or be a function that looks one up by AppID',
      )
    }
    const served = list.map((entry, index) => serve(`apps[${index}]`, entry))
    checkDistinct(served)
    return served
  }

  /** A look-up function may be written in JavaScript, or return the same app for every AppID. */
  async function lookUp(appId: string, kind: AppKind | undefined): Promise<ServedApp | undefined> {
    const entry: Entry | null | undefined = await callHook('apps', () =>
      typeof apps === 'function' ? (apps(appId, kind) as Entry | undefined) : undefined,
    )
    // Only this means that it is not served. Phones drop their tokens then, so nothing that went wrong may look like it.
    if (entry === undefined || entry === null) return undefined
    try {
      if (typeof entry !== 'object' || Array.isArray(entry)) {
        throw new TypeError(`An entry of apps must be an object, not ${kindOf(entry)}`)
      }
      return serve('apps', entry)
    } catch (cause) {
      throw new AuthError(
        'server_error',
        'The apps option returned an entry that cannot be used; see cause, and return undefined for an AppID that is not served',
        { cause },
      )
    }
  }

  async function find(appId: string, kind?: AppKind): Promise<ServedApp | undefined> {
    const fits = (app: ServedApp) =>
      (kind === undefined || app.kind === kind) &&
      (app.appId === appId || (kind !== undefined && app.clientAppId === appId))
    if (listed) return listed.find(fits)
    // A look-up in an object finds these.
    if (appId in Object.prototype) return undefined
    const found = await lookUp(appId, kind)
    if (!found || fits(found)) return found
    if (kind !== undefined && found.kind !== kind) return undefined
    throw new AuthError(
      'server_error',
      `The apps option was asked for another AppID, and returned ${found.appId}; return undefined for one that is not served`,
    )
  }

  /** The only one there is, among those that fit. */
  function only(fits: (app: ServedApp) => boolean): ServedApp | undefined {
    const [app, ...others] = listed?.filter(fits) ?? []
    return others.length === 0 ? app : undefined
  }

  async function of(appId: string | undefined, kind?: AppKind): Promise<ServedApp> {
    const app =
      appId === undefined
        ? only((one) => kind === undefined || one.kind === kind)
        : await find(appId, kind)
    if (app) return app
    const name = appId !== undefined && /^[\w-]{1,64}$/.test(appId) ? appId : 'that was sent'
    const what = kind === undefined || kind === 'mini_program' ? '' : ` of the kind ${kind}`
    throw new AuthError(
      'unknown_app',
      `The AppID ${name}${what} is not configured on this server; compare the client's AppID with the apps option`,
    )
  }

  async function credentialsOf(appId: string): Promise<AppCredentials> {
    const { kind, credentials } = await of(appId)
    if (credentials) return credentials()
    throw new AuthError(
      'invalid_request',
      `${appId} is of the kind ${kind}, and WeChat has these APIs for mini programs alone`,
    )
  }

  function wechatOf(
    appId: string | undefined = only(({ credentials }) => credentials !== undefined)?.appId,
  ): WeChat {
    if (typeof appId !== 'string' || appId === '') {
      throw new TypeError(
        'appId must say which mini program; it may be left out only if there is just one',
      )
    }
    const known = miniPrograms.get(appId)
    if (known) return known
    const credentials = () => credentialsOf(appId)
    const wechat = createMiniProgram(transport, {
      appId,
      credentials,
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
    knows: async (appId) => (await find(appId)) !== undefined,
    of,
    firstAppId: listed?.[0]?.appId,
    wechatOf,
  }
}

/** Throws a `TypeError` if two entries could be meant by one AppID: tokens name the app by it alone. */
function checkDistinct(apps: readonly ServedApp[]): void {
  const kinds = new Map<string, AppKind>()
  const sent = new Set<string>()
  for (const { appId, clientAppId = appId, kind } of apps) {
    const other = kinds.get(appId)
    if (other === kind) throw new TypeError(`apps: ${appId} is listed twice`)
    if (other) {
      throw new TypeError(
        `apps: ${appId} is listed as ${other} and as ${kind}, and tokens could not tell the two apart; give one of them an appId of its own`,
      )
    }
    const name = `${kind} ${clientAppId}`
    if (sent.has(name)) {
      throw new TypeError(
        `apps: two entries of the kind ${kind} stand for the AppID ${clientAppId} that clients send`,
      )
    }
    kinds.set(appId, kind)
    sent.add(name)
  }
}
