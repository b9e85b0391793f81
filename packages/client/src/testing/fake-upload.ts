import { randomBytes } from 'node:crypto'
import type { Callbacks } from './callbacks.js'
import { bytesOf, fieldOf, textOf } from './fake-body.js'
import { folded, headerOf } from './fake-header.js'
import type { Transport } from './fake-transport.js'
import { createListeners } from './listeners.js'
import { multipart } from './multipart.js'

/** What `wx.uploadFile` takes. */
export interface FakeUploadOptions extends Callbacks<FakeUploadResult> {
  url: string
  /** Any path; its content is in `control.files`, else the file is empty. */
  filePath: string
  /** The name of the form field that holds the file. */
  name: string
  formData?: object
  header?: Record<string, string>
  timeout?: number
}

/** `data` is text, also where the server answers with JSON. */
export interface FakeUploadResult {
  readonly data: string
  readonly statusCode: number
  readonly errMsg: string
}

export interface FakeUploadProgress {
  /** In per cent. */
  readonly progress: number
  readonly totalBytesSent: number
  readonly totalBytesExpectedToSend: number
}

/** What `wx.uploadFile` returns: a task, never a promise. */
export interface FakeUploadTask {
  abort(): void
  onHeadersReceived(listener: (result: { header: object }) => void): void
  offHeadersReceived(listener?: (result: { header: object }) => void): void
  onProgressUpdate(listener: (progress: FakeUploadProgress) => void): void
  offProgressUpdate(listener?: (progress: FakeUploadProgress) => void): void
}

/** `wx.uploadFile`. */
export function createUploadFile(surroundings: {
  readonly appId: string
  readonly files: ReadonlyMap<string, string | ArrayBuffer>
  readonly transport: Transport
}): (options: FakeUploadOptions) => FakeUploadTask {
  const { appId, files, transport } = surroundings

  return (options) => {
    const { url, filePath, name, formData = {} } = options
    const boundary = `----${randomBytes(12).toString('hex')}`
    // Last: the phone writes the content type itself, whatever the app gave.
    const header = {
      ...headerOf(options.header, appId),
      'content-type': `multipart/form-data; boundary=${boundary}`,
    }
    const headers = createListeners<{ header: object }>()
    const progress = createListeners<FakeUploadProgress>()

    const { abort } = transport.send<FakeUploadResult>({
      kind: 'upload',
      url,
      method: 'POST',
      header,
      data: { filePath, name, formData },
      timeout: options.timeout,
      callbacks: options,
      pack() {
        const fields = Object.fromEntries(
          Object.entries(formData).map(([field, value]) => [field, fieldOf(value)]),
        )
        const fileName = filePath.slice(filePath.lastIndexOf('/') + 1)
        const content = files.get(filePath) ?? ''
        return {
          url,
          header,
          body: multipart({ boundary, fields, name, fileName, content }),
          upload: { filePath, name, formData: fields },
        }
      },
      onSent({ body = '' }) {
        const bytes = bytesOf(body).byteLength
        progress.tell({ progress: 100, totalBytesSent: bytes, totalBytesExpectedToSend: bytes })
      },
      onAnswer: ({ header }) => headers.tell({ header: folded(header) }),
      unpack: ({ statusCode, body }) => ({
        data: textOf(body),
        statusCode,
        errMsg: 'uploadFile:ok',
      }),
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
