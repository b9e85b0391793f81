import type { WxContainerOptions, WxFailure, WxResponse } from '../wx.js'
import type {
  FakeFunctionOptions,
  FakeFunctionResult,
  FunctionSurroundings,
} from './fake-function.js'
import { createCallFunction } from './fake-function.js'
import type { FakeNetworkRequest, FakeNetworkResponse } from './fake-network.js'
import { cookiesOf, headerOf, parse, serialise } from './fake-network.js'
import type { FakeTransfers, TransferSurroundings } from './fake-transfer.js'

/** A call as the gateway of WeChat cloud hosting (云托管) passes it to the container. */
export interface FakeContainerRequest extends Omit<FakeNetworkRequest, 'url'> {
  readonly env: string
  /** What the caller's header `X-WX-SERVICE` names. */
  readonly service: string
  /** With the query string that `data` of a GET became. */
  readonly path: string
  /** Whose phone it is, by the fake's name: for the `x-wx-openid` that a real gateway adds. */
  readonly user: string
}

/** What `wx.cloud.callContainer` takes. */
export interface FakeContainerOptions extends WxContainerOptions {
  complete?: (result: WxFailure | FakeContainerResult) => void
}

export interface FakeContainerResult extends WxResponse {
  readonly callID: string
  readonly errMsg: string
}

/** `wx.cloud` */
export interface FakeCloud {
  /** Only the first call counts. */
  init(config?: { env?: string | undefined }): void
  callContainer(options: FakeContainerOptions): Promise<FakeContainerResult> | undefined
  callFunction(options: FakeFunctionOptions): Promise<FakeFunctionResult> | undefined
}

interface ContainerSurroundings extends Pick<FunctionSurroundings, 'openidOf' | 'run'> {
  readonly transfers: FakeTransfers
  readonly failure: TransferSurroundings['failure']
  readonly appId: string
  readonly user: () => string
  readonly network: (request: FakeContainerRequest) => Promise<FakeNetworkResponse>
  readonly onCall: (name: 'cloudInit' | 'callContainer' | 'callFunction') => void
}

export function createCloud({
  transfers,
  failure,
  appId,
  user,
  network,
  openidOf,
  run,
  onCall,
}: ContainerSurroundings): FakeCloud {
  let initial: { readonly env: string | undefined } | undefined
  let calls = 0
  const startFunction = createCallFunction({
    transfers,
    initial: () => initial,
    appId,
    user,
    openidOf,
    run,
  })

  function start(options: FakeContainerOptions): void {
    const { path, config, data, dataType, responseType, timeout } = options
    const { success, fail, complete } = options
    const method = (options.method ?? 'GET').toUpperCase()
    const header = headerOf(options.header, { 'content-type': 'application/json' })
    const env = config?.env ?? initial?.env
    const callID = `call-${++calls}`
    transfers.start({
      kind: 'callContainer',
      url: path,
      method,
      header,
      data,
      timeout,
      isQueued: false,
      refusal() {
        if (!initial) return failed("Cloud API isn't enabled, please call wx.cloud.init first")
        if (!env) return failed('env not exists')
        if (!path.startsWith('/')) return failed('invalid path')
        return undefined
      },
      send(signal) {
        const { url, body } = serialise({ url: path, method, header, data })
        // The gateway overrides whatever the app sets here.
        const injected = {
          'x-wx-source': 'wx_client',
          'x-wx-appid': appId,
          'x-wx-env': String(env),
        }
        return network({
          env: String(env),
          service: header['x-wx-service'] ?? '',
          path: url,
          method,
          header: { ...header, ...injected },
          user: user(),
          signal,
          ...(body === undefined ? {} : { body }),
        })
      },
      resultOf: (response, header) => ({
        data: parse(response.body, dataType, responseType),
        statusCode: response.statusCode,
        header,
        cookies: cookiesOf(response.header),
        callID,
        errMsg: 'cloud.callContainer:ok',
      }),
      success,
      fail,
      complete,
    })
  }

  function failed(reason: string): WxFailure {
    return failure(`cloud.callContainer:fail ${reason}`)
  }

  return {
    init(config) {
      onCall('cloudInit')
      initial ??= { env: config?.env }
    },

    callFunction(options) {
      onCall('callFunction')
      if (options.success || options.fail || options.complete) {
        startFunction(options)
        return undefined
      }
      return new Promise((resolve, reject) => {
        startFunction({
          ...options,
          success: (result) => resolve(result as FakeFunctionResult),
          fail: reject,
        })
      })
    },

    callContainer(options) {
      onCall('callContainer')
      if (options.success || options.fail || options.complete) {
        start(options)
        return undefined
      }
      return new Promise((resolve, reject) => {
        start({
          ...options,
          success: (result) => resolve(result as FakeContainerResult),
          fail: reject,
        })
      })
    },
  }
}
