import { checkNames } from '../option-checks.js'
import { accountOf } from '../session.js'
import type { ServedApps } from '../wechat/apps.js'
import type { Platform } from './platform.js'

export interface CloudHostingOptions {
  /**
   * Trusts the identity that the gateway of WeChat cloud hosting (云托管) puts into `x-wx-…` headers. Anyone who can
   * reach the service in another way can forge these headers, so `public: false` confirms that public access
   * (公网访问) is off.
   */
  cloudHosting?: { readonly public: false }
}

export interface CloudHostingNeeds {
  readonly apps: ServedApps
}

/**
 * Identity by the headers that the gateway of WeChat cloud hosting (云托管) sets: only requests through
 * `wx.cloud.callContainer` have them, as long as the container cannot be reached in any other way. `undefined` without
 * the option. Throws a `TypeError` if it is wrong.
 * https://developers.weixin.qq.com/miniprogram/dev/wxcloudservice/wxcloudrun/src/development/weixin/
 */
export function createCloudHosting({
  cloudHosting,
  apps,
}: CloudHostingOptions & CloudHostingNeeds): Platform | undefined {
  if (!isCloudHosted(cloudHosting)) return undefined
  return {
    method: 'cloud_hosting',

    async accountBehind(request) {
      // The headers of an event are the own word of the caller.
      if (request.isFunctionCall) return undefined
      const openid = request.header('x-wx-openid')
      if (!isIdentifier(openid) || !request.header('x-wx-source')) return undefined
      // With resource sharing (资源复用) the gateway sets no openid, so one that is there comes from the caller.
      if (request.header('x-wx-from-appid') || request.header('x-wx-from-openid')) return undefined
      const { appId } = await apps.of(request.header('x-wx-appid'), 'mini_program')
      // Not `x-wx-unionid`: it is set only for some mini programs, and whether a caller's own is dropped for the others
      // is not documented.
      return accountOf({ appId, openid })
    },
  }
}

function isCloudHosted(cloudHosting: unknown): boolean {
  if (cloudHosting === undefined) return false
  if (Object(cloudHosting).public === false) {
    checkNames('cloudHosting', cloudHosting, { public: true })
    return true
  }
  throw new TypeError(
    'cloudHosting must be { public: false }: with public access anyone can forge the headers that it trusts; turn public access (公网访问) off in the cloud hosting console, or leave the option out',
  )
}

// A header that was sent twice arrives joined by a comma, and is not an identifier then.
const isIdentifier = (value: string | undefined): value is string =>
  value !== undefined && /^[\w-]{1,64}$/.test(value)
