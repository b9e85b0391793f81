import type { WxRequestOptions, WxResponse } from '../wx.js'

interface HeaderTask {
  onHeadersReceived?(listener: (received: { header: object }) => void): void
}

/**
 * Makes a transfer answer as `wx.request` does: its result has no header, but the native task reports it before.
 * `header` stays undefined where the platform does not report it.
 */
export function withResponseHeader<Options, Result>(
  options: WxRequestOptions,
  open: (options: Options) => HeaderTask | undefined,
  responseOf: (result: Result, header: object | undefined) => WxResponse,
): HeaderTask | undefined {
  const { success } = options as Required<WxRequestOptions>
  let header: object | undefined
  const native = open(
    Object.assign({}, options, {
      success: (result: Result) => success(responseOf(result, header)),
    }) as Options,
  )
  // A wrapped `wx` may return nothing.
  if (native && native.onHeadersReceived) {
    native.onHeadersReceived((received) => {
      header = received.header
    })
  }
  return native
}
