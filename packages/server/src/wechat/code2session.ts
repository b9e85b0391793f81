import { AuthError } from '../errors.js'
import type { Account } from '../sessions/session.js'
import type { WeChat } from './wechat.js'

/** A mini program that this backend serves. */
export interface AppCredentials {
  /** `wx` and 16 hexadecimal digits; public. */
  readonly appId: string
  /** From the WeChat console. It never leaves the server. */
  readonly appSecret: string
}

export interface CodeExchange {
  readonly account: Account
  /** WeChat's key for this user's open data. It must not leave the server. */
  readonly sessionKey: string
}

/**
 * Exchanges the one-time code of `wx.login()` for the account behind it.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session
 */
export async function code2Session(
  wechat: WeChat,
  { appId, appSecret }: AppCredentials,
  code: string,
): Promise<CodeExchange> {
  const answer = await wechat.call({
    endpoint: 'code2Session',
    path: '/sns/jscode2session',
    query: { appid: appId, secret: appSecret, js_code: code, grant_type: 'authorization_code' },
    appId,
    secrets: [appSecret, code],
  })
  const { openid, session_key: sessionKey, unionid } = answer
  if (!isText(openid) || !isText(sessionKey)) {
    throw new AuthError(
      'wechat_unavailable',
      'WeChat answered without an openid or a session_key',
      {
        retryAfterSeconds: 2,
      },
    )
  }
  return { account: { appId, openid, ...(isText(unionid) && { unionid }) }, sessionKey }
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 256
