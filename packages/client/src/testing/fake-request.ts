import type { WxFailure, WxRequestOptions, WxRequestTask, WxResponse } from '../wx.js'
import { bytesOf, parse, serialise } from './fake-body.js'
import { folded, headerOf } from './fake-header.js'
import type { FakeNetworkResponse } from './fake-network.js'
import type { Transport } from './fake-transport.js'
import { createListeners } from './listeners.js'
import { invalidMethod } from './reasons.js'

/** What `wx.request` takes. */
export interface FakeRequestOptions extends WxRequestOptions {
  enableChunked?: boolean
  complete?: (result: WxFailure | (WxResponse & { errMsg: string })) => void
}

/** What `wx.request` returns: a task, never a promise. */
export interface FakeRequestTask extends Required<WxRequestTask> {}

export const methods = ['OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'CONNECT']

/** `wx.request`. */
export function createRequest(surroundings: {
  readonly appId: string
  readonly transport: Transport
}): (options: FakeRequestOptions) => FakeRequestTask {
  const { appId, transport } = surroundings

  return (options) => {
    const { url, data, dataType, responseType, enableChunked } = options
    const method = (options.method ?? 'GET').toUpperCase()
    const header = { 'content-type': 'application/json', ...headerOf(options.header, appId) }
    const headers = createListeners<{ header: object }>()
    const chunks = createListeners<{ data: ArrayBuffer }>()

    const { abort } = transport.send<WxResponse & { errMsg: string }>({
      kind: 'request',
      url,
      method,
      header,
      data,
      timeout: options.timeout,
      callbacks: options,
      refusal: methods.includes(method) ? undefined : invalidMethod,
      pack: () => ({ header, ...serialise(url, method, header, data) }),
      onAnswer({ header, body }) {
        headers.tell({ header: folded(header) })
        const chunk = bytesOf(body)
        if (enableChunked && chunk.byteLength > 0) chunks.tell({ data: chunk })
      },
      unpack: ({ statusCode, header, body }) => ({
        data: parse(body, dataType, responseType),
        statusCode,
        header: folded(header),
        cookies: cookiesOf(header),
        errMsg: 'request:ok',
      }),
    })

    return {
      abort,
      onHeadersReceived: headers.on,
      offHeadersReceived: headers.off,
      onChunkReceived: chunks.on,
      offChunkReceived: chunks.off,
    }
  }
}

function cookiesOf(header: FakeNetworkResponse['header']): string[] {
  const entries = Object.entries(header).filter(([name]) => name.toLowerCase() === 'set-cookie')
  return entries.flatMap(([, value]) => value)
}
