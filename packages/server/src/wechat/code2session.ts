import { AuthError } from '../errors.js'
import { redactMembers } from '../redact.js'
import { isText, type WeChatAnswer } from './answer.js'
import type { Entry, KindNeeds, ServeApp } from './app-kind.js'
import { checkCode } from './code.js'
import { type AppCredentials, checkWeChatAppId, readCredentials } from './credentials.js'
import { unavailable } from './http-client.js'
import type { Transport, WeChatRequest } from './transport.js'

/** A mini program or a mini game, the kind of app that nothing has to be said of. */
export interface MiniProgramApp extends Omit<AppCredentials, 'appSecret'> {
  readonly kind?: 'mini_program'
  /**
   * From the WeChat console. It never leaves the server. `false` where the platform says who calls (`cloudFunction`,
   * `cloudHosting`) and nothing is asked of WeChat: a code, or a call of its APIs, is then `server_misconfigured`.
   */
  readonly appSecret: string | false
}

export function serveMiniPrograms({ transport }: KindNeeds): ServeApp {
  return (place, entry) => {
    const credentials = secretOf(place, entry)
    return {
      kind: 'mini_program',
      appId: String(entry.appId),
      credentials,
      checkCode,
      exchange: async (code, group) => code2Session(transport, { app: credentials(), code, group }),
    }
  }
}

function secretOf(place: string, entry: Entry): () => AppCredentials {
  if (entry.appSecret !== false) {
    const app = readCredentials(`${place}.`, entry)
    return () => app
  }
  const { appId } = entry
  checkWeChatAppId(`${place}.appId`, appId)
  return () => {
    throw new AuthError(
      'server_misconfigured',
      `${appId} has no AppSecret on this server, and this needs one: give it in the apps option in place of false`,
    )
  }
}

/** Who logged in. When printed or serialised, all of it is `[redacted]`. */
export interface CodeSession {
  readonly openid: string
  /** Only if the mini program is bound to an Open Platform account. */
  readonly unionid?: string
  /** WeChat's key for this user's open data. It must not leave the server. */
  readonly sessionKey: string
  readonly raw: WeChatAnswer
}

interface CodeExchange {
  readonly app: AppCredentials
  readonly code: string
  readonly group?: 'login' | 'prefetch'
}

/**
 * Exchanges the one-time code of `wx.login()` for the account behind it.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session
 */
export function code2Session(
  transport: Transport,
  { app: { appId, appSecret }, code, group = 'login' }: CodeExchange,
): Promise<CodeSession> {
  const request: WeChatRequest<CodeSession> = {
    endpoint: 'code2Session',
    group,
    appId,
    method: 'GET',
    path: '/sns/jscode2session',
    query: { appid: appId, secret: appSecret, js_code: code, grant_type: 'authorization_code' },
    // The first request may have spent the code although its answer was lost.
    isRepeatable: false,
    spendsCode: true,
    unknownErrcode: 'wechat_unavailable',
    read: readSession,
  }
  return transport.inPlace(request, (signal) => transport.send(request, signal))
}

function readSession(raw: WeChatAnswer): CodeSession {
  const { openid, session_key: sessionKey, unionid } = raw
  if (!isText(openid) || !isText(sessionKey)) {
    throw unavailable('WeChat answered without an openid or a session_key')
  }
  return redactMembers({ openid, ...(isText(unionid) && { unionid }), sessionKey, raw }, [
    'openid',
    'unionid',
    'sessionKey',
    'raw',
  ])
}
