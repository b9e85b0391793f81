import type { Task } from '../task.js'
import type {
  FullWx,
  WxDownloadOptions,
  WxDownloadProgress,
  WxFileTask,
  WxRequestOptions,
} from '../wx.js'
import { withResponseHeader } from './response-header.js'
import type { AuthOptions } from './send.js'

/** What `wx.downloadFile` takes, with a url that may be relative to `baseUrl`. */
export interface DownloadOptions extends AuthOptions, Omit<WxDownloadOptions, 'success' | 'fail'> {
  /** Resolves whatever the status is. */
  raw?: boolean
  enableHttp2?: boolean
  enableProfile?: boolean
  enableQuic?: boolean
}

/** Where the file is: at `filePath` if that was given, else at `tempFilePath`. */
export interface Download {
  readonly tempFilePath?: string
  readonly filePath?: string
  readonly statusCode: number
  /** Empty where the platform does not report it. */
  readonly header: object
}

/**
 * A promise that is also what `wx.downloadFile` returns; listeners may be added before there is a native task, and are
 * kept across a replay.
 */
export interface DownloadTask
  extends Task<Download>,
    Required<Omit<WxFileTask<WxDownloadProgress>, 'abort'>> {}

/** What the native tasks of uploads and downloads report. */
export const fileEvents = [
  'onHeadersReceived',
  'offHeadersReceived',
  'onProgressUpdate',
  'offProgressUpdate',
]

/**
 * `wx.downloadFile`. Where the platform reports no header, a 401 counts as a refused token: a download is safe to
 * repeat.
 */
export const downloadFile = (wx: FullWx, options: WxRequestOptions): unknown =>
  withResponseHeader<WxDownloadOptions, { statusCode: number }>(
    options,
    (native) => wx.downloadFile(native),
    (result, header) =>
      Object.assign(
        { header: header || {}, data: header ? '' : { error: 'invalid_token' } },
        result,
      ),
  )
