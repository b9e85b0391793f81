import type { Json } from '@wxlogin/shared'
import { assembleClient, type Client } from './client.js'
import { assertOption, ClientError } from './errors.js'
import { type ClientOptions, originOf, runtimeOf } from './options.js'
import { readPrefetched } from './session/prefetch.js'
import { openTask, type Task } from './task.js'
import { type BoundPhone, createBindPhone, type PhoneEvent } from './transports/bind-phone.js'
import {
  type Container,
  type ContainerOptions,
  createCallContainer,
  originOfContainer,
  urlOfCall,
} from './transports/call-container.js'
import {
  type CloudFunction,
  createCallFunction,
  originOfFunction,
} from './transports/call-function.js'
import {
  createConnectSocket,
  type SocketOptions,
  type SocketTask,
} from './transports/connect-socket.js'
import {
  type DownloadOptions,
  type DownloadTask,
  downloadFile,
  fileEvents,
} from './transports/download-file.js'
import { createOpenFresh } from './transports/open-fresh.js'
import { createPay, type PayOptions } from './transports/pay.js'
import { createRetryOnShow } from './transports/retry-on-show.js'
import type {
  ClientResponse,
  NativeCall,
  OpenTask,
  RequestOptions,
  Send,
} from './transports/send.js'
import { type UploadOptions, type UploadTask, uploadFile } from './transports/upload-file.js'
import { createWebViewUrl, type WebViewSettings } from './transports/web-view-url.js'
import type { FullWx, WxLoginOptions } from './wx.js'

interface SharedOptions extends Omit<ClientOptions, 'baseUrl' | 'wx' | 'trustedOrigins'> {
  /** The runtime (default the global `wx`), looked up when the client is created. `Taro` and `uni` work too. */
  wx?: FullWx
  /** Other origins and containers that may get the access token, `'https://cdn.example.com'` for example. */
  trustedOrigins?: readonly (string | Container)[]
  /** Which pages in a web-view may know who is logged in, and who issues their tickets; for `webViewUrl`. */
  webView?: WebViewSettings
}

/**
 * The options of `@wxlogin/client`, with `container` instead of `baseUrl` where the backend runs in 云托管, or
 * `cloudFunction` where it is a 云函数.
 */
export type FullClientOptions = SharedOptions &
  (
    | { baseUrl: string; container?: never; cloudFunction?: never }
    | { container: Container; baseUrl?: never; cloudFunction?: never }
    | { cloudFunction: CloudFunction; baseUrl?: never; container?: never }
  )

/**
 * The client of `@wxlogin/client`, and every other call that can carry the token. They reject with {@link ClientError}.
 */
export interface FullClient<Data = unknown> extends Client<Data> {
  /** `wx.uploadFile`, authenticated like `request`; a JSON answer is parsed. */
  uploadFile<T = unknown>(options: UploadOptions): UploadTask<T>
  /** `wx.downloadFile`, authenticated like `request`. */
  downloadFile(options: DownloadOptions): DownloadTask
  /**
   * `wx.connectSocket` with the access token in the handshake, renewed first if it expires soon. Resolves with the
   * native task when it is open. WeChat does not say why a handshake failed, so it is tried once more with a new token.
   */
  connectSocket(options: SocketOptions): SocketTask
  /**
   * `wx.cloud.callContainer`, authenticated like `request`. Without the option `container` give `config.env` and
   * `service`.
   */
  callContainer<T = unknown>(options: ContainerOptions): Task<ClientResponse<T>>
  /**
   * Binds the phone number of a phone button's event. Rejects with `phone_denied` or `phone_quota` if there is none.
   */
  bindPhone(event: PhoneEvent): Promise<BoundPhone<Data>>
  /**
   * The url of a page of yours for a `web-view`, with a ticket in its fragment by which its backend learns once who is
   * logged in. Rejects with `config` for a page that is not of `webView.origins`.
   */
  webViewUrl(url: string): Promise<string>
  /**
   * A virtual payment (虚拟支付): takes a fresh code, asks the app's own route for the signed order, and calls
   * `wx.requestVirtualPayment`; once more if the order has to be signed anew. Resolves with what the route answered, which
   * is no proof: the goods come with the notification. Rejects with `payment_cancelled`; `payment_refused`, where nothing
   * was paid; and `payment_failed`, where it may have been, so ask the server for the order.
   */
  pay<T = unknown>(options: PayOptions): Promise<T>
  /** What the backend's `onPrefetch` returned for this launch (数据预拉取), known when `ready()` has resolved. */
  prefetched<T = Json>(): T | undefined
}

/**
 * The login of one mini program at one backend, with everything. Create it once, in a module of its own.
 *
 * @throws TypeError when an option is wrong
 */
export function createClient<Data = unknown>(options: FullClientOptions): FullClient<Data> {
  const { container, cloudFunction, baseUrl, trustedOrigins = [], webView } = options
  assertOption(
    [container, cloudFunction, baseUrl].filter(Boolean).length === 1,
    'give one of baseUrl, container and cloudFunction',
  )
  const wx = runtimeOf<FullWx>(options)
  const origin = container
    ? originOfContainer(container)
    : cloudFunction && originOfFunction(cloudFunction)
  const callContainer = createCallContainer(wx, origin, container || {})
  const call = cloudFunction
    ? createCallFunction(wx, origin as string, cloudFunction)
    : callContainer
  const isInCloud = (url: string): boolean => url.indexOf(`${origin}/`) === 0
  const request: NativeCall = (native) =>
    isInCloud(native.url) ? call(native) : wx.request(native)
  const retryOnShow = createRetryOnShow(wx)
  const openFor = (method = 'GET'): OpenTask =>
    /^(get|head)$/i.test(method) ? retryOnShow : openTask
  let started: Promise<unknown> = Promise.resolve()
  let prefetched: Json | undefined

  return assembleClient<Data>(
    Object.assign({}, options, {
      baseUrl: (origin || baseUrl) as string,
      container: undefined,
      cloudFunction: undefined,
      trustedOrigins: trustedOrigins.map((one) =>
        typeof one === 'string' ? one : originOfContainer(one),
      ),
      // Logins and renewals go there too, and where the platform says who calls no code is needed.
      wx: origin
        ? Object.create(wx, {
            request: { value: request },
            login: {
              value: cloudFunction
                ? ({ success }: Required<WxLoginOptions>) => success({ code: '0', errMsg: '' })
                : wx.login,
            },
          })
        : wx,
    }),
    (store, settings) => {
      started = readPrefetched(wx, store, settings).then((data) => {
        prefetched = data
      })
      return started
    },
    (client, parts) => {
      const { launch, ready, session, onChange } = client
      const { send, store, renewal } = parts
      // What was fetched may have replaced a session.
      void started.then(() => renewal.end())
      /** For what cannot go to a container or a function. */
      const sendToHost: Send = (input) =>
        send(
          Object.assign({}, input, {
            call(native) {
              if (!isInCloud(native.url)) return input.call(native)
              throw new ClientError('config', {}, 'give an absolute url')
            },
          } satisfies { call: NativeCall }),
        )

      Object.assign(client, {
        launch: () => started.then(() => launch()),
        ready: () => started.then(ready),
        request: (options: RequestOptions) =>
          send({ options, call: request, open: openFor(Object(options).method) }),
        uploadFile: (options: UploadOptions) =>
          sendToHost({
            options,
            call: (native) => uploadFile(wx, native),
            events: fileEvents,
          }),
        downloadFile: (options: DownloadOptions) =>
          sendToHost({
            options,
            call: (native) => downloadFile(wx, native),
            open: retryOnShow,
            events: fileEvents,
            read: (response) => response,
          }),
        connectSocket: createConnectSocket(
          wx,
          parts,
          sendToHost,
          createOpenFresh(store, renewal, retryOnShow),
          onChange,
        ),
        callContainer: (options: ContainerOptions) =>
          send({
            options: Object.assign({ url: urlOfCall(Object(options), container || {}) }, options),
            call: callContainer,
            open: openFor(Object(options).method),
            events: [],
          }),
        bindPhone: createBindPhone(parts, request, session),
        webViewUrl: createWebViewUrl(webView, originOf, send, request),
        pay: createPay(wx, parts, request),
        prefetched: () => prefetched,
      })
    },
  ) as FullClient<Data>
}
