import type { Task } from '../task.js'
import type {
  FullRuntime,
  WxDownloadOptions,
  WxDownloadProgress,
  WxFileTask,
  WxRequestOptions,
} from '../wx.js'
import { withHeader } from './response-header.js'
import type { AuthOptions } from './send.js'

/** What `wx.downloadFile` takes, with a url that may be relative to `baseUrl`. */
export interface DownloadOptions extends AuthOptions, Omit<WxDownloadOptions, 'success' | 'fail'> {
  enableHttp2?: boolean
  enableProfile?: boolean
  enableQuic?: boolean
}

/** Where the file is: at `filePath` if that was given, else in a temporary file. */
export interface Download {
  readonly tempFilePath?: string
  readonly filePath?: string
  readonly statusCode: number
  /** Empty where the platform does not tell. */
  readonly header: object
}

/** A promise that is also what `wx.downloadFile` returns; listeners hold before there is a native task and across a replay. */
export interface DownloadTask
  extends Task<Download>,
    Required<Omit<WxFileTask<WxDownloadProgress>, 'abort'>> {}

/** What both kinds of file tasks tell. */
export const fileEvents = [
  'onHeadersReceived',
  'offHeadersReceived',
  'onProgressUpdate',
  'offProgressUpdate',
]

/** `wx.downloadFile`. Where no header tells why, a 401 is taken for a refused token: a download is safe to repeat. */
export const downloadFile = (wx: FullRuntime, options: WxRequestOptions): unknown =>
  withHeader<WxDownloadOptions, { statusCode: number }>(
    options,
    (native) => wx.downloadFile(native),
    (result, header) =>
      Object.assign(
        { header: header || {}, data: header ? '' : { error: 'invalid_token' } },
        result,
      ),
  )
