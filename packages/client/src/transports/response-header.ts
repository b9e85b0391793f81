import type { WxRequestOptions, WxResponse } from '../wx.js'

interface Listening {
  onHeadersReceived?(listener: (heard: { header: object }) => void): void
}

/**
 * Makes a transfer answer as `wx.request` does: its result has no header, but the native task hears it before.
 * `header` stays undefined where the platform does not tell.
 */
export function withHeader<Options, Result>(
  options: WxRequestOptions,
  open: (options: Options) => Listening,
  responseOf: (result: Result, header: object | undefined) => WxResponse,
): Listening {
  const { success } = options as Required<WxRequestOptions>
  let header: object | undefined
  const native = open(
    Object.assign({}, options, {
      success: (result: Result) => success(responseOf(result, header)),
    }) as Options,
  )
  if (native.onHeadersReceived) {
    native.onHeadersReceived((heard) => {
      header = heard.header
    })
  }
  return native
}
