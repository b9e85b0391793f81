import { checkNames } from '../option-checks.js'
import type { RequestHeaders } from '../request.js'
import { accountOf } from '../session.js'
import type { ServedApps } from '../wechat/apps.js'
import type { Platform } from './platform.js'

/** What is read of the context that the platform gives to a cloud function, as `getWXContext` of `wx-server-sdk` does. */
export interface WXContext {
  readonly OPENID?: unknown
  readonly APPID?: unknown
  readonly UNIONID?: unknown
  readonly SOURCE?: unknown
  readonly FROM_OPENID?: unknown
  readonly FROM_APPID?: unknown
}

export interface CloudFunctionOptions {
  /**
   * For a cloud function (云函数) that the mini program calls by `wx.cloud.callFunction`: the platform says who calls, so
   * that there is no code, and an app may have `appSecret: false`. Give `{ getWXContext: () => cloud.getWXContext() }`,
   * with `cloud` from `wx-server-sdk`. It is asked within the call that it is about.
   */
  cloudFunction?: { readonly getWXContext: () => WXContext }
}

export interface CloudFunctionNeeds {
  readonly apps: ServedApps
}

/**
 * Identity by the context of a cloud function, for calls that come from the mini program itself, through the app's other
 * functions or not. `undefined` without the option. Throws a `TypeError` if it is wrong.
 * https://developers.weixin.qq.com/miniprogram/dev/wxcloudservice/wxcloud/reference-sdk-api/utils/Cloud.getWXContext.html
 */
export function createCloudFunction({
  cloudFunction,
  apps,
}: CloudFunctionOptions & CloudFunctionNeeds): Platform | undefined {
  if (cloudFunction === undefined) return undefined
  if (typeof Object(cloudFunction).getWXContext !== 'function') {
    throw new TypeError(
      'cloudFunction must be { getWXContext: () => cloud.getWXContext() }, with cloud from wx-server-sdk',
    )
  }
  checkNames('cloudFunction', cloudFunction, { getWXContext: true })
  const { getWXContext } = cloudFunction

  // The context is that of whatever call the process has at the moment, so it is read in the turn in which a call comes.
  const contexts = new WeakMap<RequestHeaders, WXContext>()

  function contextOf(request: RequestHeaders): WXContext {
    const context = contexts.get(request) ?? { ...getWXContext() }
    contexts.set(request, context)
    return context
  }

  return {
    method: 'cloud_function',

    async accountBehind(request) {
      if (!request.isFunctionCall) return undefined
      const { OPENID, APPID, UNIONID, SOURCE, FROM_OPENID, FROM_APPID } = contextOf(request)
      if (!isFromMiniProgram(SOURCE) || !isText(OPENID) || !isText(APPID)) return undefined
      // With resource sharing (资源复用) it is another mini program that calls.
      if (FROM_OPENID || FROM_APPID) return undefined
      const { appId } = await apps.of(APPID, 'mini_program')
      return accountOf({ appId, openid: OPENID, unionid: isText(UNIONID) ? UNIONID : undefined })
    },
  }
}

/**
 * The chain of callers starts with the mini program, in DevTools too, and goes on through functions of the app alone: a
 * timer, a page or the HTTP API vouch for nobody.
 */
const isFromMiniProgram = (source: unknown): boolean =>
  isText(source) && /^wx_(client|devtools)(,scf)*$/.test(source)

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
