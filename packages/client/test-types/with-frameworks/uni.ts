// The parts that matter, shaped as in the types of @dcloudio/types 3.4.32: no `onAppShow`, no `getAccountInfoSync`, no
// `cloud`, headers and results of any shape.
import { createClient } from '../../src/full.js'
import { createClient as createSmallClient } from '../../src/index.js'

// biome-ignore lint/suspicious/noExplicitAny: as uni has it
type Any = any
interface Callbacks<R> {
  success?: (result: R) => void
  fail?: (result: Any) => void
  complete?: (result: Any) => void
}
interface Progress {
  progress: number
}
interface Task<P> {
  abort(): void
  onProgressUpdate(callback: (result: P) => void): void
  offProgressUpdate(callback: (result: Any) => void): void
  onHeadersReceived(callback: (result: Any) => void): void
  offHeadersReceived(callback: (result: Any) => void): void
}

interface Uni {
  login(
    options: Callbacks<{ errMsg: string; code: string; authResult: string }> & {
      provider?: 'weixin'
    },
  ): void
  request(
    options: Callbacks<{
      data: string | object | ArrayBuffer
      statusCode: number
      header: Any
      cookies: string[]
    }> & {
      url: string
      data?: string | object | ArrayBuffer
      header?: Any
      method?: 'OPTIONS' | 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'TRACE' | 'CONNECT'
      timeout?: number
      dataType?: string
      responseType?: string
    },
  ): {
    abort(): void
    onHeadersReceived(callback: (result: Any) => void): void
    offHeadersReceived(callback: (result: Any) => void): void
  }
  uploadFile(
    options: Callbacks<{ data: string; statusCode: number }> & {
      url: string
      filePath?: string
      name?: string
      header?: Any
      formData?: Any
      timeout?: number
    },
  ): Task<Progress & { totalBytesSent: number; totalBytesExpectedToSend: number }>
  downloadFile(
    options: Callbacks<{ tempFilePath: string; statusCode: number }> & {
      url: string
      header?: Any
      timeout?: number
    },
  ): Task<Progress & { totalBytesWritten: number; totalBytesExpectedToWrite: number }>
  connectSocket(options: Callbacks<Any> & { url: string; header?: Any; protocols?: string[] }): {
    send(options: Callbacks<Any> & { data: string | ArrayBuffer }): void
    close(options: Callbacks<Any> & { code?: number; reason?: string }): void
    onOpen(callback: (result: Any) => void): void
    onClose(callback: (result: Any) => void): void
    onError(callback: (result: { errMsg: string }) => void): void
    onMessage(callback: (result: { data: Any }) => void): void
  }
  getStorageSync(key: string): Any
  setStorageSync(key: string, data: Any): void
  removeStorageSync(key: string): void
  getEnterOptionsSync(): { scene?: number; path: string }
}

declare const uni: Uni

createClient({ baseUrl: 'https://api.example.com', wx: uni })
createSmallClient({ baseUrl: 'https://api.example.com', wx: uni })
