/**
 * The port to the mini program's runtime: the few `wx` calls that this library makes, described by structure, so that
 * projects without `miniprogram-api-typings` compile too. Keep it assignable from the real `wx`; a type test holds it.
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

/** The runtime: `wx` itself, or an object of the same shape. */
export interface Wx {
  login(options: WxLoginOptions): unknown
  request(options: WxRequestOptions): WxRequestTask
  getStorageSync(key: string): unknown
  setStorageSync(key: string, value: unknown): void
  removeStorageSync(key: string): void
  getAccountInfoSync(): { miniProgram: { appId: string } }
  getEnterOptionsSync(): WxLaunchOptions
  onAppShow(listener: (options: WxLaunchOptions) => void): void
  getRandomValues?(options: {
    length: number
    success?: (result: { randomValues: ArrayBuffer }) => void
    fail?: (error: WxFailure) => void
  }): unknown
}

declare const wx: Wx

/** The runtime's own `wx`, looked up when it is needed. */
export function globalWx(): Wx {
  return wx
}
