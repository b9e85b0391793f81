import type { WxFailure, WxRequestOptions, WxRequestTask, WxResponse } from '../wx.js'
import type { FakeNetworkRequest, FakeNetworkResponse } from './fake-network.js'
import { bytesOf, cookiesOf, headerOf, parse, refererOf, serialise } from './fake-network.js'
import type { FakeTransfers, TransferSurroundings } from './fake-transfer.js'
import { createListeners, refusedUrl } from './fake-transfer.js'

/** What `wx.request` takes. */
export interface FakeRequestOptions extends WxRequestOptions {
  enableChunked?: boolean
  complete?: (result: WxFailure | (WxResponse & { errMsg: string })) => void
}

/** What `wx.request` returns: a task, never a promise. */
export interface FakeRequestTask extends Required<WxRequestTask> {}

/** What reaches the network from a phone. */
export interface NetworkSurroundings {
  readonly appId: string
  readonly network: (request: FakeNetworkRequest) => Promise<FakeNetworkResponse>
  readonly domains: readonly string[] | undefined
  readonly failure: TransferSurroundings['failure']
  readonly transfers: FakeTransfers
}

const methods = ['OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'CONNECT']

/** `wx.request` */
export function createRequest({
  appId,
  network,
  domains,
  failure,
  transfers,
}: NetworkSurroundings): (options: FakeRequestOptions) => FakeRequestTask {
  return (options) => {
    const { url, data, dataType, responseType, enableChunked, timeout } = options
    const { success, fail, complete } = options
    const method = (options.method ?? 'GET').toUpperCase()
    const header = {
      ...headerOf(options.header, { 'content-type': 'application/json' }),
      ...refererOf(appId),
    }
    const headers = createListeners<{ header: object }>()
    const chunks = createListeners<{ data: ArrayBuffer }>()
    const { abort } = transfers.start({
      kind: 'request',
      url,
      method,
      header,
      data,
      timeout,
      isQueued: true,
      refusal: () =>
        methods.includes(method)
          ? refusedUrl({ name: 'request', url, domains, failure })
          : failure('request:fail method is invalid', 600005),
      send: (signal) =>
        network({ method, header, signal, ...serialise({ url, method, header, data }) }),
      onAnswer({ body }, header) {
        headers.tell({ header })
        const chunk = bytesOf(body)
        if (enableChunked && chunk.byteLength > 0) chunks.tell({ data: chunk })
      },
      resultOf: (response, header) => ({
        data: parse(response.body, dataType, responseType),
        statusCode: response.statusCode,
        header,
        cookies: cookiesOf(response.header),
        errMsg: 'request:ok',
      }),
      success,
      fail,
      complete,
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
