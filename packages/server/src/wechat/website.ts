import type { KindNeeds, ServeApp } from './app-kind.js'
import { checkCode } from './code.js'
import { type AppCredentials, readCredentials } from './credentials.js'

/**
 * A website that people log in to by scanning a QR code (开放平台网站应用), with AppID and AppSecret from open.weixin.qq.com.
 * Its logins have no `session_key`.
 * https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html
 */
export interface WebsiteApp extends AppCredentials {
  readonly kind: 'website'
}

export const websiteScope = 'snsapi_login'

export function serveWebsites({ transport }: KindNeeds): ServeApp {
  return (place, entry) => {
    const app = readCredentials(`${place}.`, entry)
    return {
      kind: 'website',
      appId: app.appId,
      checkCode,
      async exchange(code) {
        const { exchangeWebCode } = await import('./web-code.js')
        return exchangeWebCode(transport, { app, code, scope: websiteScope })
      },
    }
  }
}
