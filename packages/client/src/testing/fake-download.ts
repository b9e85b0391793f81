import { randomBytes } from 'node:crypto'
import type { Callbacks } from './callbacks.js'
import { bytesOf } from './fake-body.js'
import { folded, headerOf } from './fake-header.js'
import type { Transport } from './fake-transport.js'
import { createListeners } from './listeners.js'

/** What `wx.downloadFile` takes. */
export interface FakeDownloadOptions extends Callbacks<FakeDownloadResult> {
  url: string
  header?: Record<string, string>
  /** Where the file goes; without it, to a temporary path. */
  filePath?: string
  timeout?: number
}

/** Says nothing of the answer's header, and is a success for every status: the file then holds the error. */
export interface FakeDownloadResult {
  readonly statusCode: number
  readonly errMsg: string
  readonly tempFilePath?: string
  /** In place of `tempFilePath` when the app chose the path. */
  readonly filePath?: string
}

export interface FakeDownloadProgress {
  /** In per cent. */
  readonly progress: number
  readonly totalBytesWritten: number
  readonly totalBytesExpectedToWrite: number
}

/** What `wx.downloadFile` returns: a task, never a promise. */
export interface FakeDownloadTask {
  abort(): void
  onHeadersReceived(listener: (result: { header: object }) => void): void
  offHeadersReceived(listener?: (result: { header: object }) => void): void
  onProgressUpdate(listener: (progress: FakeDownloadProgress) => void): void
  offProgressUpdate(listener?: (progress: FakeDownloadProgress) => void): void
}

/** `wx.downloadFile`. */
export function createDownloadFile(surroundings: {
  readonly appId: string
  readonly files: Map<string, string | ArrayBuffer>
  readonly transport: Transport
}): (options: FakeDownloadOptions) => FakeDownloadTask {
  const { appId, files, transport } = surroundings

  return (options) => {
    const { url, filePath } = options
    const header = headerOf(options.header, appId)
    const headers = createListeners<{ header: object }>()
    const progress = createListeners<FakeDownloadProgress>()

    const { abort } = transport.send<FakeDownloadResult>({
      kind: 'download',
      url,
      method: 'GET',
      header,
      data: undefined,
      timeout: options.timeout,
      callbacks: options,
      pack: () => ({ url, header }),
      onAnswer({ header, body }) {
        const bytes = bytesOf(body).byteLength
        headers.tell({ header: folded(header) })
        progress.tell({
          progress: 100,
          totalBytesWritten: bytes,
          totalBytesExpectedToWrite: bytes,
        })
      },
      unpack({ statusCode, body }) {
        const path = filePath ?? temporaryPath(url)
        files.set(path, body)
        const place = filePath === undefined ? { tempFilePath: path } : { filePath: path }
        return { ...place, statusCode, errMsg: 'downloadFile:ok' }
      },
    })

    return {
      abort,
      onHeadersReceived: headers.on,
      offHeadersReceived: headers.off,
      onProgressUpdate: progress.on,
      offProgressUpdate: progress.off,
    }
  }
}

function temporaryPath(url: string): string {
  const extension = /\/[^/?#]*(\.\w+)(?:[?#]|$)/.exec(url)?.[1] ?? ''
  return `wxfile://tmp_${randomBytes(16).toString('hex')}${extension}`
}
