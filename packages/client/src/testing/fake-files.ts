import type {
  WxDownloadOptions,
  WxDownloadProgress,
  WxFailure,
  WxFileTask,
  WxUploadOptions,
  WxUploadProgress,
} from '../wx.js'
import { bytesOf, headerOf, refererOf, textOf } from './fake-network.js'
import type { NetworkSurroundings } from './fake-request.js'
import type { Transfer } from './fake-transfer.js'
import { createListeners, refusedUrl } from './fake-transfer.js'

/** What `wx.uploadFile` takes. */
export interface FakeUploadOptions extends WxUploadOptions {
  complete?: (result: WxFailure | { data: string; statusCode: number; errMsg: string }) => void
}

/** What `wx.downloadFile` takes. */
export interface FakeDownloadOptions extends WxDownloadOptions {
  complete?: (
    result:
      | WxFailure
      | { statusCode: number; tempFilePath?: string; filePath?: string; errMsg: string },
  ) => void
}

/** What `wx.uploadFile` returns: a task, never a promise. */
export type FakeUploadTask = WxFileTask<WxUploadProgress> & Progressing<WxUploadProgress>

/** What `wx.downloadFile` returns: a task, never a promise. */
export type FakeDownloadTask = WxFileTask<WxDownloadProgress> & Progressing<WxDownloadProgress>

type Progressing<P> = Required<Pick<WxFileTask<P>, 'onProgressUpdate' | 'offProgressUpdate'>>

interface FileSurroundings extends NetworkSurroundings {
  /** The files on the phone, by path. */
  readonly files: Map<string, string | ArrayBuffer>
  /** Whether file tasks report headers; base libraries before 2.1.0 did not. */
  readonly hasHeaders: boolean
}

/** `wx.uploadFile` and `wx.downloadFile` */
export function createFileTransfers({
  appId,
  network,
  domains,
  failure,
  transfers,
  files,
  hasHeaders,
}: FileSurroundings): {
  uploadFile(options: FakeUploadOptions): FakeUploadTask
  downloadFile(options: FakeDownloadOptions): FakeDownloadTask
} {
  let downloads = 0

  /** Runs the transfer, whose task reports headers and progress. */
  function run<P>(
    transfer: Omit<Transfer, 'isQueued' | 'refusal'> & { refusal?: Transfer['refusal'] },
    progressOf: (bytes: number) => P,
    sentBytes?: number,
  ): WxFileTask<P> & Progressing<P> {
    const headers = createListeners<{ header: object }>()
    const progress = createListeners<P>()
    const { abort } = transfers.start({
      ...transfer,
      isQueued: true,
      refusal: () =>
        refusedUrl({ name: transfer.kind, url: transfer.url, domains, failure }) ??
        transfer.refusal?.(),
      onAnswer({ body }, header) {
        if (sentBytes !== undefined) progress.tell(progressOf(sentBytes))
        headers.tell({ header })
        if (sentBytes === undefined) progress.tell(progressOf(bytesOf(body).byteLength))
      },
    })
    return {
      abort,
      onProgressUpdate: progress.on,
      offProgressUpdate: progress.off,
      ...(hasHeaders ? { onHeadersReceived: headers.on, offHeadersReceived: headers.off } : {}),
    }
  }

  return {
    uploadFile({
      url,
      filePath,
      name,
      formData = {},
      timeout,
      success,
      fail,
      complete,
      ...options
    }) {
      const boundary = 'fake-phone-boundary'
      const header = {
        ...headerOf(options.header),
        'content-type': `multipart/form-data; boundary=${boundary}`,
        ...refererOf(appId),
      }
      const body = multipart(boundary, formData, name, filePath, files.get(filePath) ?? '')
      return run<WxUploadProgress>(
        {
          kind: 'uploadFile',
          url,
          method: 'POST',
          header,
          data: formData,
          timeout,
          refusal: () =>
            files.has(filePath) ? undefined : failure('uploadFile:fail file not found', 1300002),
          send: (signal) => network({ url, method: 'POST', header, body, signal }),
          resultOf: (response) => ({
            data: textOf(response.body),
            statusCode: response.statusCode,
            errMsg: 'uploadFile:ok',
          }),
          success,
          fail,
          complete,
        },
        (bytes) => ({ progress: 100, totalBytesSent: bytes, totalBytesExpectedToSend: bytes }),
        body.byteLength,
      )
    },

    downloadFile({ url, filePath, timeout, success, fail, complete, ...options }) {
      const header = { ...headerOf(options.header), ...refererOf(appId) }
      return run<WxDownloadProgress>(
        {
          kind: 'downloadFile',
          url,
          method: 'GET',
          header,
          data: undefined,
          timeout,
          send: (signal) => network({ url, method: 'GET', header, signal }),
          resultOf({ body, statusCode }) {
            const place = filePath ?? `wxfile://tmp_${++downloads}`
            files.set(place, body)
            return {
              statusCode,
              ...(filePath === undefined ? { tempFilePath: place } : { filePath }),
              errMsg: 'downloadFile:ok',
            }
          },
          success,
          fail,
          complete,
        },
        (bytes) => ({ progress: 100, totalBytesWritten: bytes, totalBytesExpectedToWrite: bytes }),
      )
    },
  }
}

function multipart(
  boundary: string,
  fields: object,
  name: string,
  filePath: string,
  content: string | ArrayBuffer,
): ArrayBuffer {
  const part = (disposition: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`
  const form = Object.entries(fields)
    .map(([key, value]) => `${part(`name="${key}"`)}\r\n${String(value)}\r\n`)
    .join('')
  const fileName = filePath.replace(/^.*\//, '')
  const file = `${part(`name="${name}"; filename="${fileName}"`)}Content-Type: application/octet-stream\r\n\r\n`
  const bytes = Buffer.concat([
    Buffer.from(form + file),
    Buffer.from(bytesOf(content)),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
}
