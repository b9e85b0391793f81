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

/** The runtime: `wx` itself, `Taro`, `uni`, or an object of the same shape. */
export interface Wx {
  login(options: WxLoginOptions): unknown
  request(options: WxRequestOptions): WxRequestTask
  getStorageSync(key: string): unknown
  setStorageSync(key: string, value: unknown): void
  removeStorageSync(key: string): void
  /** Without it the option `appId` is required. */
  getAccountInfoSync?(): { miniProgram: { appId: string } }
  getEnterOptionsSync(): WxLaunchOptions
  onAppShow?(listener: (options: WxLaunchOptions) => void): void
  getRandomValues?(options: {
    length: number
    success?: (result: { randomValues: ArrayBuffer }) => void
    fail?: (error: WxFailure) => void
  }): unknown
}

/** What exists at run time: the types of uni omit two members that WeChat provides. */
export type Runtime = Wx & Required<Pick<Wx, 'getAccountInfoSync' | 'onAppShow'>>

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

/** The native `SocketTask`. */
export interface WxSocketTask {
  send(options: {
    data: string | ArrayBuffer
    success?: (result: { errMsg: string }) => void
    fail?: (error: { errMsg: string }) => void
  }): void
  close(options: {
    code?: number
    reason?: string
    success?: (result: { errMsg: string }) => void
    fail?: (error: { errMsg: string }) => void
  }): void
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

/** The runtime of `@wxlogin/client/full`. */
export interface FullWx extends Wx {
  uploadFile(options: WxUploadOptions): WxFileTask<WxUploadProgress>
  downloadFile(options: WxDownloadOptions): WxFileTask<WxDownloadProgress>
  connectSocket(options: WxSocketOptions): WxSocketTask | PromiseLike<WxSocketTask>
  onAppHide?(listener: () => void): void
  getBackgroundFetchData?(options: {
    fetchType: string
    success?: (result: { fetchedData: unknown; timeStamp: number }) => void
    fail?: (error: WxFailure) => void
  }): unknown
  cloud?: {
    init(config?: { env?: string }): unknown
    /** Takes {@link WxContainerOptions}; Taro's declaration of it is wrong. */
    callContainer?(options: never): unknown
  }
}

export type FullRuntime = FullWx & Runtime & Required<Pick<FullWx, 'onAppHide'>>

/** Opened from Moments (朋友圈单页模式): there is no login, and a storage of its own, so no session either. */
export const isSinglePage = (wx: Wx): boolean => wx.getEnterOptionsSync().scene === 1154

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
 * but it also exposes the runtime's own `wx`.
 */
export const openSocket = (wx: FullWx & { miniGlobal?: FullWx }, options: WxSocketOptions) =>
  (wx.miniGlobal || wx).connectSocket(options) as WxSocketTask
