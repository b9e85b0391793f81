/**
 * The port to the mini program's runtime: the few `wx` calls that this library makes, described by structure, so that
 * projects without `miniprogram-api-typings` compile too. Keep it assignable from the real `wx`, from `Taro` and from
 * `uni`; type tests check this. Where these behave differently at run time, this file evens that out.
 */

/** What every failed `wx` call passes to `fail`. `errno` exists from base library 2.24. */
export interface WxFailure {
  readonly errMsg: string
  readonly errno?: number
}

export interface WxLoginOptions {
  timeout?: number
  success?: (result: { code: string; errMsg: string }) => void
  fail?: (error: WxFailure) => void
}

export type WxMethod = 'OPTIONS' | 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'TRACE' | 'CONNECT'

/** Names and values of headers. */
export interface WxHeaders {
  readonly [name: string]: string
}

export type WxData = string | object | ArrayBuffer

export interface WxResponse {
  readonly data: unknown
  readonly statusCode: number
  readonly header: object
  readonly cookies?: readonly string[]
}

export interface WxRequestOptions {
  url: string
  method?: WxMethod
  data?: WxData
  header?: Record<string, string>
  timeout?: number
  dataType?: string
  responseType?: 'text' | 'arraybuffer'
  redirect?: 'follow' | 'manual'
  success?: (response: WxResponse) => void
  fail?: (error: WxFailure) => void
}

/** The native task of `wx.request`. */
export interface WxRequestTask {
  abort(): void
  onHeadersReceived?(listener: (result: { header: object }) => void): void
  offHeadersReceived?(listener?: (result: { header: object }) => void): void
  onChunkReceived?(listener: (result: { data: ArrayBuffer }) => void): void
  offChunkReceived?(listener?: (result: { data: ArrayBuffer }) => void): void
}

/** What `App.onLaunch`, `App.onShow` and the launch queries tell. */
export interface WxLaunchOptions {
  readonly scene?: number
}

/**
 * The runtime: `wx` itself, `Taro`, `uni`, or an object of the same shape. Plugins, mini games and Skills lack what is
 * optional here, and what is missing degrades what needs it, and nothing else.
 */
export interface Wx {
  login(options: WxLoginOptions): unknown
  /** Inside WeCom (企业微信), and there alone. */
  qy?: { login?(options: WxLoginOptions): unknown }
  request(options: WxRequestOptions): WxRequestTask
  getStorageSync(key: string): unknown
  setStorageSync(key: string, value: unknown): void
  removeStorageSync?(key: string): void
  /** Without it the option `appId` is required. */
  getAccountInfoSync?(): { miniProgram: { appId: string; envVersion?: string } }
  getEnterOptionsSync?(): WxLaunchOptions
  onAppShow?(listener: (options: WxLaunchOptions) => void): void
  onNetworkStatusChange?(listener: (network: { isConnected: boolean }) => void): void
  /** What a mini game has in place of `onAppShow`. */
  onShow?(listener: (options: WxLaunchOptions) => void): void
  getRandomValues?(options: {
    length: number
    success?: (result: { randomValues: ArrayBuffer }) => void
    fail?: (error: WxFailure) => void
  }): unknown
}

export type Runtime = Wx

export interface WxUploadOptions {
  url: string
  filePath: string
  name: string
  formData?: object
  header?: Record<string, string>
  timeout?: number
  success?: (result: { data: string; statusCode: number }) => void
  fail?: (error: WxFailure) => void
}

export interface WxDownloadOptions {
  url: string
  filePath?: string
  header?: Record<string, string>
  timeout?: number
  success?: (result: { statusCode: number; tempFilePath?: string; filePath?: string }) => void
  fail?: (error: WxFailure) => void
}

/** The native task of `wx.uploadFile` and `wx.downloadFile`. */
export interface WxFileTask<Progress> {
  abort(): void
  onHeadersReceived?(listener: (result: { header: object }) => void): void
  offHeadersReceived?(listener?: (result: { header: object }) => void): void
  onProgressUpdate?(listener: (progress: Progress) => void): void
  offProgressUpdate?(listener?: (progress: Progress) => void): void
}

export interface WxUploadProgress {
  readonly progress: number
  readonly totalBytesSent: number
  readonly totalBytesExpectedToSend: number
}

export interface WxDownloadProgress {
  readonly progress: number
  readonly totalBytesWritten: number
  readonly totalBytesExpectedToWrite: number
}

export interface WxSocketOptions {
  url: string
  header?: Record<string, string>
  protocols?: string[]
  tcpNoDelay?: boolean
  perMessageDeflate?: boolean
  timeout?: number
  forceCellularNetwork?: boolean
  success?: (result: { errMsg: string }) => void
  fail?: (error: WxFailure) => void
}

export interface WxSocketSending {
  data: string | ArrayBuffer
  success?: (result: { errMsg: string }) => void
  fail?: (error: { errMsg: string }) => void
}

export interface WxSocketClosing {
  code?: number
  reason?: string
  success?: (result: { errMsg: string }) => void
  fail?: (error: { errMsg: string }) => void
}

/** The native `SocketTask`. */
export interface WxSocketTask {
  send(options: WxSocketSending): void
  close(options: WxSocketClosing): void
  onOpen(listener: (result: { header: object }) => void): void
  onMessage(listener: (result: { data: string | ArrayBuffer }) => void): void
  onError(listener: (result: { errMsg: string }) => void): void
  onClose(listener: (result: { code: number; reason: string }) => void): void
}

export interface WxContainerOptions {
  path: string
  config?: { env: string }
  method?: WxMethod
  header?: Record<string, string>
  data?: WxData
  timeout?: number
  dataType?: string
  responseType?: string
  success?: (response: WxResponse) => void
  fail?: (error: WxFailure) => void
}

/** What `wx.requestVirtualPayment` takes. */
export interface WxPaymentOptions {
  mode: 'short_series_goods' | 'short_series_coin'
  signData: string
  paySig: string
  signature: string
  success?: (result: unknown) => void
  /** The number decides; the same one means another thing in a mini game. */
  fail?: (error: { errCode?: number; errMsg?: string }) => void
}

/** What `wx.cloud.callFunction` takes. */
export interface WxFunctionOptions {
  name: string
  config?: { env: string | undefined }
  data?: object
  success?: (answer: WxFunctionResult) => void
  fail?: (error: WxFailure & { errCode?: number }) => void
}

export interface WxFunctionResult {
  readonly result?: unknown
}

/** The runtime of `@wxlogin/client/full`. */
export interface FullWx extends Wx {
  uploadFile(options: WxUploadOptions): WxFileTask<WxUploadProgress>
  downloadFile(options: WxDownloadOptions): WxFileTask<WxDownloadProgress>
  connectSocket(options: WxSocketOptions): WxSocketTask | PromiseLike<WxSocketTask>
  /** The calls without a task, for where a wrapped `connectSocket` returns none. */
  onSocketOpen?(listener: (result: { header: object }) => void): void
  onSocketMessage?(listener: (result: { data: string | ArrayBuffer }) => void): void
  onSocketError?(listener: (result: { errMsg: string }) => void): void
  onSocketClose?(listener: (result: { code: number; reason: string }) => void): void
  sendSocketMessage?(options: WxSocketSending): unknown
  closeSocket?(options: WxSocketClosing): unknown
  onAppHide?(listener: () => void): void
  /** What a mini game has in place of `onAppHide`. */
  onHide?(listener: () => void): void
  getBackgroundFetchData?(options: {
    fetchType: string
    success?: (result: { fetchedData: unknown; timeStamp: number }) => void
    fail?: (error: WxFailure) => void
  }): unknown
  /** Takes {@link WxPaymentOptions}. Callbacks only. */
  requestVirtualPayment?(options: never): unknown
  cloud?: {
    init(config?: { env?: string }): unknown
    /** Takes {@link WxContainerOptions}; Taro's declaration of it is wrong. */
    callContainer?(options: never): unknown
    /** Takes {@link WxFunctionOptions}. */
    callFunction?(options: never): unknown
  }
}

/** Opened from Moments (朋友圈单页模式): there is no login, and a storage of its own, so no session either. */
export const isSinglePage = (wx: Wx): boolean =>
  !!wx.getEnterOptionsSync && wx.getEnterOptionsSync().scene === 1154

/** Where nothing tells of it (plugins, Skills) the listener is never called. */
export const onShow = (wx: Wx, listener: () => void): void => {
  // `Object` is any function that does nothing with a listener.
  ;(wx.onAppShow || wx.onShow || Object).call(wx, listener)
}

export const onHide = (wx: FullWx, listener: () => void): void => {
  ;(wx.onAppHide || wx.onHide || Object).call(wx, listener)
}

/**
 * An answer of `wx`, evened out: its status is a number, NaN where there is none, and JSON that some phones leave as text,
 * because they cannot parse these characters, is parsed.
 */
export const responseOf = (answer: WxResponse): WxResponse => {
  const { statusCode, data } = Object(answer) as WxResponse
  let readable = data
  try {
    if (typeof data === 'string' && /[\u2028\u2029\ufeff]/.test(data)) {
      readable = JSON.parse(data.trim())
    }
  } catch {
    // A text.
  }
  return Object.assign({}, answer, { statusCode: Number(statusCode), data: readable })
}

/** What a call of `wx` returned, if anything. */
export type WxNative = { abort?(): void } | undefined

/**
 * Taro, and uni with an interceptor, return a promise as well as calling back. Its rejection is a failure like any
 * other, the only sign of one where the call itself threw, and must not be left unhandled.
 */
export const nativeOf = (returned: unknown, fail: (failure: unknown) => void): WxNative => {
  void Promise.resolve(returned).catch(fail)
  return returned as WxNative
}

/**
 * The task of `wx.connectSocket`, synchronously. Taro returns a promise, which may resolve after the socket is open,
 * but it also exposes the runtime's own `wx`. Where a wrapped `wx` returns no task, the calls that need none are one.
 */
export const openSocket = (
  wx: FullWx & { miniGlobal?: FullWx },
  options: WxSocketOptions,
): object => {
  const task = Object((wx.miniGlobal || wx).connectSocket(options))
  return task.onOpen
    ? task
    : {
        onOpen: wx.onSocketOpen,
        onMessage: wx.onSocketMessage,
        onError: wx.onSocketError,
        onClose: wx.onSocketClose,
        send: wx.sendSocketMessage,
        close: wx.closeSocket,
      }
}
