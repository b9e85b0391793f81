import { randomBytes } from 'node:crypto'
import type { WxFailure } from '../wx.js'
import type { Answer, Callbacks } from './callbacks.js'
import { parse, serialise } from './fake-body.js'
import { folded, lowerCased } from './fake-header.js'
import { methods } from './fake-request.js'
import type { Transport } from './fake-transport.js'
import { invalidMethod, invalidUrl } from './reasons.js'

/** What `wx.cloud.init` takes. */
export interface FakeCloudConfig {
  /** The environment of calls that name none. */
  env?: string | object | undefined
  traceUser?: boolean
}

/** What `wx.cloud.callContainer` takes. */
export interface FakeContainerOptions extends Callbacks<FakeContainerResult> {
  /** Begins with `/`. */
  path: string
  config?: { env?: string }
  /** The same as a header `X-WX-SERVICE`. */
  service?: string
  method?: string
  header?: Record<string, string>
  data?: unknown
  dataType?: string
  responseType?: string
  /** In milliseconds, default 15,000. */
  timeout?: number
}

export interface FakeContainerResult {
  readonly data: unknown
  readonly statusCode: number
  readonly header: Readonly<Record<string, string>>
  readonly callID: string
  readonly errMsg: string
}

/** `wx.cloud`. Its calls throw until `init` was called. */
export interface FakeCloud {
  init(config?: FakeCloudConfig): void
  callContainer(options: FakeContainerOptions): Promise<FakeContainerResult> | undefined
}

/** Who calls, as the gateway knows it. */
export interface Caller {
  readonly appId: string
  readonly openid: string
  readonly unionid: string | undefined
}

export function createCloud(surroundings: {
  /** Where the container is reached. */
  readonly url: string
  readonly caller: () => Caller
  readonly answer: Answer
  readonly transport: Transport
}): FakeCloud {
  const { caller, answer, transport } = surroundings
  let config: FakeCloudConfig | undefined

  function callContainer(options: FakeContainerOptions): ReturnType<FakeCloud['callContainer']> {
    if (!config) throw notInitialised()
    const { path, service, data, dataType, responseType } = options
    const env = options.config?.env ?? config.env
    const method = (options.method ?? 'GET').toUpperCase()
    const header = {
      'content-type': 'application/json',
      ...(service !== undefined && { 'x-wx-service': service }),
      ...withoutIdentity(lowerCased(options.header)),
    }
    let succeed: (result: FakeContainerResult) => void = () => undefined
    let failWith: (failed: WxFailure) => void = () => undefined
    const answered = answer<FakeContainerResult>(options, (onSuccess, onFail) => {
      succeed = onSuccess
      failWith = onFail
    })

    // Not inside the promise, which would turn into a rejection what is ordered to throw.
    transport.send<FakeContainerResult>({
      kind: 'container',
      url: path,
      method,
      header,
      data,
      timeout: options.timeout,
      callbacks: { success: (result) => succeed(result), fail: (failed) => failWith(failed) },
      refusal: refusalOf(path, method),
      pack() {
        const gateway = gatewayHeader(caller(), typeof env === 'string' ? env : undefined)
        const sent = serialise(surroundings.url + path, method, header, data)
        return { header: { ...header, ...gateway }, ...sent }
      },
      unpack: ({ statusCode, header, body }) => ({
        data: parse(body, dataType, responseType),
        statusCode,
        header: folded(header),
        callID: randomBytes(16).toString('hex'),
        errMsg: 'cloud.callContainer:ok',
      }),
    })
    return answered
  }

  return {
    init(given = {}) {
      config = given
    },
    callContainer,
  }
}

/** Only the gateway says who calls; the name of the service is the app's to give. */
function withoutIdentity(header: Record<string, string>): Record<string, string> {
  const own = Object.entries(header).filter(
    ([name]) => !name.startsWith('x-wx-') || name === 'x-wx-service',
  )
  return Object.fromEntries(own)
}

function gatewayHeader(
  { appId, openid, unionid }: Caller,
  env: string | undefined,
): Record<string, string> {
  return {
    'x-wx-appid': appId,
    'x-wx-openid': openid,
    'x-wx-source': 'wx_client',
    ...(unionid !== undefined && { 'x-wx-unionid': unionid }),
    ...(env !== undefined && { 'x-wx-env': env }),
  }
}

function refusalOf(path: unknown, method: string) {
  if (typeof path !== 'string' || !path.startsWith('/')) return invalidUrl
  return methods.includes(method) ? undefined : invalidMethod
}

function notInitialised(): Error {
  const errMsg = "Cloud API isn't enabled, please call wx.cloud.init first"
  return Object.assign(new Error(`errCode: -1  | errMsg: ${errMsg}`), { errCode: -1, errMsg })
}
