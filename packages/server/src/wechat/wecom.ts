import { onFirstUse } from '../on-first-use.js'
import {
  checkCredential,
  checkGivenSecret,
  checkNames,
  type OptionNames,
} from '../option-checks.js'
import type { Entry, KindNeeds, ServeApp } from './app-kind.js'
import { checkCode } from './code.js'
import { checkAppId, checkWeChatAppId } from './credentials.js'
import { checkHosts, createHosts } from './hosts.js'

/** A mini program inside WeCom (企业微信小程序), of one corporation (企业). */
export interface WeComApp {
  readonly kind: 'wecom'
  /**
   * A name of its own, which no other entry has: tokens carry it, so that those of WeCom never pass for those of the
   * mini program.
   */
  readonly appId: string
  /** The AppID of the mini program, which its client sends; not needed if `appId` is that. */
  readonly miniProgramAppId?: string
  /** 企业 ID: `ww` and 16 hexadecimal digits. Users of other corporations are refused. */
  readonly corpId: string
  /** The secret of the app that is linked to the mini program (关联小程序). It never leaves the server. */
  readonly agentSecret: string
  /** Where WeCom is (default `['https://qyapi.weixin.qq.com']`), with the rules of `wechatHosts`. */
  readonly hosts?: readonly string[]
}

/** Mini programs inside WeCom: `wx.qy.login` in the client, an access token of their own, and no openid. */
export function serveWeCom({ transport, now, allowPlainHttp }: KindNeeds): ServeApp {
  const exchange = onFirstUse(async () => {
    const { createWeComExchange } = await import('./wecom-exchange.js')
    return createWeComExchange({ transport, now })
  })

  return (place, entry) => {
    const app = readApp(place, entry)
    const { appId, corpId, agentSecret, hosts: urls = ['https://qyapi.weixin.qq.com'] } = app
    const hosts = createHosts(checkHosts(`${place}.hosts`, urls, { allowPlainHttp }), now)
    return {
      kind: 'wecom',
      appId,
      clientAppId: app.miniProgramAppId,
      checkCode,
      exchange: async (code) => (await exchange())({ appId, corpId, agentSecret, hosts }, code),
    }
  }
}

/** Throws a `TypeError` that names what is wrong. */
function readApp(place: string, entry: Entry): WeComApp {
  checkNames(place, entry, names)
  const { appId, corpId, agentSecret, miniProgramAppId } = entry
  checkAppId(`${place}.appId`, appId)
  if (miniProgramAppId !== undefined) {
    checkWeChatAppId(`${place}.miniProgramAppId (of ${appId})`, miniProgramAppId)
  }
  // The other one is then the secret, so it is not quoted.
  if (/^\s*w[wx][0-9a-f]{16}\s*$/.test(String(agentSecret))) {
    throw new TypeError(`${place}.agentSecret looks like a corpId; are the two swapped?`)
  }
  checkCredential(`${place}.corpId (of ${appId})`, corpId)
  checkGivenSecret(`${place}.agentSecret (of ${appId})`, agentSecret)
  return entry as unknown as WeComApp
}

const names: OptionNames<WeComApp> = {
  kind: true,
  appId: true,
  miniProgramAppId: true,
  corpId: true,
  agentSecret: true,
  hosts: true,
}
