import { assertOption, ClientError } from '../errors.js'
import type { FullWx, WxFunctionOptions, WxRequestOptions, WxResponse } from '../wx.js'
import { isName } from './call-container.js'
import type { NativeCall } from './send.js'

/** A cloud function (云函数) behind which the backend is. */
export interface CloudFunction {
  /** Its name, `'api'` for example. */
  name: string
  /** The environment, `'prod-1gabcdef'` for example (default: that of `wx.cloud.init`). */
  env?: string
}

/**
 * The function as an origin that no host can have (RFC 2606): what is below it is sent by `wx.cloud.callFunction`.
 */
export function originOfFunction({ name, env = 'function' }: CloudFunction): string {
  assertOption(
    isName(name) && isName(env),
    'cloudFunction must have a name and env of letters, digits, - and _',
  )
  return `https://${name}.${env}.invalid`
}

/**
 * `wx.cloud.callFunction`: the event is the request, in the words of `wx.request`. It has no task, so an `abort` ends the
 * wait and not the call.
 */
export const createCallFunction =
  (wx: FullWx, origin: string, { name, env }: CloudFunction): NativeCall =>
  (options) => {
    const { cloud } = wx
    const { url, method, header, data, success, fail } = options as Required<WxRequestOptions>
    if (!cloud || !cloud.callFunction) {
      throw new ClientError('config', {}, 'base library 2.2.3, no translator')
    }
    // Only its first call counts, so an earlier one by the app stays in force.
    cloud.init({ env } as { env: string })
    return cloud.callFunction({
      name,
      config: { env },
      data: { path: url.slice(origin.length), method, header, data },
      success: ({ result }) =>
        // What is no answer of an adapter is data.
        success(
          Object(result).statusCode
            ? (result as WxResponse)
            : { statusCode: 200, header: {}, data: result },
        ),
      fail(failure) {
        const { errCode, errno, errMsg: message } = failure
        // The function, or the way to it, took too long: as a timeout of `wx.request`.
        const isLate = errCode === -504003 || errCode === -501002
        fail(Object.assign({}, failure, { message, errno: isLate ? 5 : errno }))
      },
    } satisfies WxFunctionOptions as never)
  }
