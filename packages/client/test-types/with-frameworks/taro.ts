// The parts that matter, shaped as in the types of @tarojs/taro 4.2.1: everything promises, the methods of a request
// include PATCH, and `callContainer` is declared otherwise than it is.
import { createClient } from '../../src/full.js'
import { createClient as createSmallClient } from '../../src/index.js'

interface AnyObject {
  // biome-ignore lint/suspicious/noExplicitAny: as Taro has it
  [key: string]: any
}
interface Result {
  errMsg: string
}
interface Callbacks<R extends Result = Result> {
  success?: (result: R) => void
  fail?: (result: Result) => void
  complete?: (result: Result) => void
}
interface Task<P> {
  abort(): void
  onProgressUpdate(callback: (result: P) => void): void
  offProgressUpdate(callback: (result: P) => void): void
  onHeadersReceived(callback: (result: { header: AnyObject }) => void): void
  offHeadersReceived(callback: (result: { header: AnyObject }) => void): void
}
interface Uploaded extends Result {
  data: string
  statusCode: number
  header?: AnyObject
}
interface Downloaded extends Result {
  filePath: string
  statusCode: number
  tempFilePath: string
}
interface SocketTask {
  send(option: Callbacks & { data: string | ArrayBuffer }): void
  close(option: Callbacks & { code?: number; reason?: string }): void
  onOpen(callback: (result: { header: AnyObject }) => void): void
  onClose(callback: (result: { code: number; reason: string }) => void): void
  onError(callback: (result: Result) => void): void
  onMessage<T = unknown>(callback: (result: { data: T }) => void): void
  readonly readyState: number
}
interface DataType {
  json: unknown
  text: unknown
}

interface TaroStatic {
  login(
    option?: Callbacks<Result & { code: string }> & { timeout?: number },
  ): Promise<Result & { code: string }>
  request<T = AnyObject>(
    option: Callbacks<Result & { data: T; statusCode: number; header: AnyObject }> & {
      url: string
      data?: AnyObject[string]
      header?: AnyObject
      timeout?: number
      method?:
        | 'GET'
        | 'POST'
        | 'PUT'
        | 'PATCH'
        | 'DELETE'
        | 'HEAD'
        | 'OPTIONS'
        | 'TRACE'
        | 'CONNECT'
      dataType?: string
      responseType?: 'text' | 'arraybuffer'
    },
  ): Promise<unknown> & {
    abort(): void
    onHeadersReceived(callback: (result: { header: AnyObject }) => void): void
    onChunkReceived(callback: (result: { data: ArrayBuffer }) => void): void
  }
  uploadFile(
    option: Callbacks<Uploaded> & {
      url: string
      filePath: string
      name: string
      header?: AnyObject
      formData?: AnyObject
      timeout?: number
    },
  ): Promise<Uploaded> &
    Task<{ progress: number; totalBytesSent: number; totalBytesExpectedToSend: number }>
  downloadFile(
    option: Callbacks<Downloaded> & {
      url: string
      filePath?: string
      header?: AnyObject
      timeout?: number
    },
  ): Promise<Downloaded> &
    Task<{ progress: number; totalBytesWritten: number; totalBytesExpectedToWrite: number }>
  connectSocket(
    option: Callbacks & { url: string; header?: AnyObject; protocols?: string[] },
  ): Promise<SocketTask>
  getStorageSync<T = unknown>(key: string): T
  setStorageSync(key: string, data: unknown): void
  removeStorageSync(key: string): void
  getAccountInfoSync(): { miniProgram: { appId: string; envVersion: string } }
  getEnterOptionsSync(): { scene: number; path: string; query: AnyObject }
  onAppShow(callback: (result: { scene: number; path: string }) => void): void
  onAppHide(callback: (result: { scene: number; path: string }) => void): void
  getRandomValues(
    option: Callbacks<Result & { randomValues: ArrayBuffer }> & { length: number },
  ): Promise<Result & { randomValues: ArrayBuffer }>
  getBackgroundFetchData(
    option: Callbacks<Result & { fetchedData: string | object; timeStamp: number }> & {
      fetchType: string
    },
  ): Promise<unknown>
  cloud: {
    init(config?: { env?: string | { database?: string }; traceUser?: boolean }): void
    callContainer<P = unknown>(params: {
      config?: { env: string }
      path: string
      data?: P
      dataType?: DataType
      success?: (result: Result & { result: AnyObject | string | undefined }) => void
    }): Promise<unknown>
  }
}

declare const Taro: TaroStatic

createClient({ baseUrl: 'https://api.example.com', wx: Taro })
createSmallClient({ baseUrl: 'https://api.example.com', wx: Taro })
