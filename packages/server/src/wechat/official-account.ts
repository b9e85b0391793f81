import type { KindNeeds, ServeApp } from './app-kind.js'
import { checkCode } from './code.js'
import { type AppCredentials, readCredentials } from './credentials.js'

export type OfficialAccountScope = 'snsapi_userinfo' | 'snsapi_base'

/**
 * A verified service account (服务号) whose pages people open inside WeChat (公众号网页授权). Its logins have no `session_key`.
 * https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
 */
export interface OfficialAccountApp extends AppCredentials {
  readonly kind: 'official_account'
  /**
   * `snsapi_userinfo` (default) asks for consent, and gives a unionid if the account is bound to an Open Platform
   * account. `snsapi_base` is silent, and gives an openid alone.
   */
  readonly scope?: OfficialAccountScope
}

export function serveOfficialAccounts({ transport }: KindNeeds): ServeApp {
  return (place, entry) => {
    const app = readCredentials(`${place}.`, entry)
    const scope = readScope(place, entry.scope)
    return {
      kind: 'official_account',
      appId: app.appId,
      credentials: () => app,
      checkCode,
      async exchange(code) {
        const { exchangeWebCode } = await import('./web-code.js')
        return exchangeWebCode(transport, { app, code, scope })
      },
    }
  }
}

/** Throws a `TypeError` that names the option. */
export function readScope(
  place: string,
  scope: unknown = 'snsapi_userinfo' satisfies OfficialAccountScope,
): OfficialAccountScope {
  if (scope === 'snsapi_userinfo' || scope === 'snsapi_base') return scope
  throw new TypeError(`${place}.scope must be 'snsapi_userinfo' or 'snsapi_base'`)
}
