import type { WxFailure, WxFunctionOptions, WxFunctionResult } from '../wx.js'
import type { FakeNetworkResponse } from './fake-network.js'
import type { FakeTransfers } from './fake-transfer.js'

/** A call of a cloud function (云函数), as the platform makes it. */
export interface FakeFunctionCall {
  readonly name: string
  readonly env: string | undefined
  /** What the caller passed as `data`, after its way as JSON. */
  readonly event: Readonly<Record<string, unknown>>
  /** What `getWXContext()` gives within the call. */
  readonly context: {
    readonly OPENID: string
    readonly APPID: string
    readonly SOURCE: string
    readonly ENV?: string
  }
  /** Whose phone it is, by the fake's name. */
  readonly user: string
}

/** What `wx.cloud.callFunction` takes. */
export interface FakeFunctionOptions extends WxFunctionOptions {
  fail?: (error: FakeCloudFailure) => void
  complete?: (result: FakeCloudFailure | FakeFunctionResult) => void
}

export interface FakeFunctionResult extends WxFunctionResult {
  readonly requestID: string
  readonly errMsg: string
}

/** Failures of `wx.cloud` have a number of their own: https://developers.weixin.qq.com/miniprogram/dev/wxcloudservice/wxcloud/guide/debug/error.html */
export interface FakeCloudFailure extends WxFailure {
  readonly errCode?: number
}

export interface FunctionSurroundings {
  readonly transfers: FakeTransfers
  readonly initial: () => { readonly env: string | undefined } | undefined
  readonly appId: string
  readonly user: () => string
  readonly openidOf: (user: string) => string
  readonly run: ((call: FakeFunctionCall) => unknown) | undefined
}

export function createCallFunction({
  transfers,
  initial,
  appId,
  user,
  openidOf,
  run,
}: FunctionSurroundings): (options: FakeFunctionOptions) => void {
  let calls = 0

  async function answerOf(options: FakeFunctionOptions): Promise<FakeNetworkResponse> {
    const { name, config, data = {} } = options
    const env = config?.env ?? initial()?.env
    if (!run) throw failedBy(-501000, 'FunctionName parameter could not be found')
    const call: FakeFunctionCall = {
      name,
      env,
      event: JSON.parse(JSON.stringify(data)),
      context: {
        OPENID: openidOf(user()),
        APPID: appId,
        SOURCE: 'wx_client',
        ...(env !== undefined && { ENV: env }),
      },
      user: user(),
    }
    try {
      const result = await run(call)
      return { statusCode: 200, header: {}, body: JSON.stringify(result) ?? '' }
    } catch (cause) {
      if (typeof Object(cause).errCode === 'number') throw cause
      throw failedBy(-504002, 'functions execute fail', cause)
    }
  }

  return (options) => {
    const { name, data, success, fail, complete } = options
    const { path = '', method = path && 'GET', header = {} }: FakeEvent = data ?? {}
    const requestID = `request-${++calls}`
    transfers.start({
      kind: 'callFunction',
      url: `${name}${path}`,
      method,
      header: Object.fromEntries(
        Object.entries(header).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      data,
      timeout: undefined,
      isQueued: false,
      refusal() {
        if (initial()) return undefined
        const reason = "Cloud API isn't enabled, please call wx.cloud.init first"
        return { errMsg: `cloud.callFunction:fail ${reason}` }
      },
      send: () => answerOf(options),
      resultOf: ({ body }) => ({
        result: body === '' ? undefined : JSON.parse(String(body)),
        requestID,
        errMsg: 'cloud.callFunction:ok',
      }),
      success,
      fail,
      complete,
    })
  }
}

/** The event that the client of this library makes. */
interface FakeEvent {
  readonly path?: string
  readonly method?: string
  readonly header?: Readonly<Record<string, string>>
}

const failedBy = (errCode: number, reason: string, cause?: unknown): Error =>
  Object.assign(new Error(`errCode: ${errCode} | errMsg: ${reason}`, { cause }), { errCode })
