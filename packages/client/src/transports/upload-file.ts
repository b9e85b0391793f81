import type { Task } from '../task.js'
import type {
  FullWx,
  WxFileTask,
  WxRequestOptions,
  WxUploadOptions,
  WxUploadProgress,
} from '../wx.js'
import { withResponseHeader } from './response-header.js'
import type { AuthOptions, ClientResponse } from './send.js'

/** What `wx.uploadFile` takes, with a url that may be relative to `baseUrl`. */
export interface UploadOptions extends AuthOptions, Omit<WxUploadOptions, 'success' | 'fail'> {
  /** Resolves whatever the status is, without `unwrap`. */
  raw?: boolean
  enableHttp2?: boolean
  enableProfile?: boolean
  enableQuic?: boolean
}

/**
 * A promise that is also what `wx.uploadFile` returns; listeners may be added before there is a native task, and are
 * kept across a replay.
 */
export interface UploadTask<T>
  extends Task<ClientResponse<T>>,
    Required<Omit<WxFileTask<WxUploadProgress>, 'abort'>> {}

/** `wx.uploadFile`, its answer parsed where it is JSON. */
export const uploadFile = (wx: FullWx, options: WxRequestOptions): unknown =>
  withResponseHeader<WxUploadOptions, { data: string; statusCode: number }>(
    options,
    (native) => wx.uploadFile(native),
    ({ data, statusCode }, header = {}) => ({ data: parsed(data), statusCode, header }),
  )

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
