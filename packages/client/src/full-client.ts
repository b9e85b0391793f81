import type { Json } from '@wxlogin/shared'
import { type Client, type ClientOptions, createCore } from './client.js'
import { ClientError } from './errors.js'
import { pickUp } from './session/prefetch.js'
import { openTask, type Task } from './task.js'
import { type BoundPhone, createBindPhone, type PhoneEvent } from './transports/bind-phone.js'
import {
  type Container,
  type ContainerOptions,
  createContainerCall,
  originOfContainer,
} from './transports/call-container.js'
import { createConnectSocket, type SocketOptions } from './transports/connect-socket.js'
import {
  type DownloadOptions,
  type DownloadTask,
  downloadFile,
  fileEvents,
} from './transports/download-file.js'
import { createResuming } from './transports/retry-on-show.js'
import type {
  ClientResponse,
  NativeCall,
  Open,
  Requested,
  RequestOptions,
  Send,
} from './transports/send.js'
import { type UploadOptions, type UploadTask, uploadFile } from './transports/upload-file.js'
import type { FullRuntime, FullWx, WxSocketTask } from './wx.js'

interface SharedOptions extends Omit<ClientOptions, 'baseUrl' | 'wx'> {
  /** The runtime (default the global `wx`), looked up when the client is created. `Taro` and `uni` fit. */
  wx?: FullWx
}

/** The options of `@wxlogin/client`, with `container` instead of `baseUrl` where the backend runs in 云托管. */
export type FullClientOptions = SharedOptions &
  ({ baseUrl: string; container?: never } | { container: Container; baseUrl?: never })

/** The client of `@wxlogin/client`, and everything else that carries a login. Everything rejects with {@link ClientError}. */
export interface FullClient<Data = unknown> extends Client<Data> {
  /** `wx.uploadFile` as `request` sends; an answer that is JSON is parsed. */
  uploadFile<T = unknown>(options: UploadOptions): UploadTask<T>
  /** `wx.downloadFile` as `request` sends. */
  downloadFile(options: DownloadOptions): DownloadTask
  /**
   * `wx.connectSocket` with the access token in the handshake, made sure of first. Resolves with the native task when it
   * is open. What refused a handshake cannot be seen: one that fails is tried once more with a new token.
   */
  connectSocket(options: SocketOptions): Task<WxSocketTask>
  /** `wx.cloud.callContainer` as `request` sends. Without the option `container` give `config.env` and `service`. */
  callContainer<T = unknown>(options: ContainerOptions): Task<ClientResponse<T>>
  /** Binds the number of a phone button's event. Rejects with `phone_denied` or `phone_quota` if there is none. */
  bindPhone(event: PhoneEvent): Promise<BoundPhone<Data>>
  /** What the backend's `onPrefetch` returned for this launch (数据预拉取), known when `ready()` has resolved. */
  prefetched<T = Json>(): T | undefined
}

declare const wx: FullRuntime

/**
 * The login of one mini program at one backend, with everything. Create it once, in a module of its own.
 *
 * @throws TypeError when an option is wrong
 */
export function createClient<Data = unknown>(options: FullClientOptions): FullClient<Data> {
  const {
    container,
    baseUrl,
    wx: runtime = wx,
  } = options as SharedOptions & { container?: Container; baseUrl?: string; wx?: FullRuntime }
  if (!container === !baseUrl) throw new TypeError('give baseUrl or container')
  const origin = container && originOfContainer(container)
  const call = createContainerCall(runtime, origin, container || {})
  const isInside = (url: string): boolean => url.indexOf(`${origin}/`) === 0
  const request: NativeCall = (native) =>
    isInside(native.url) ? call(native) : runtime.request(native)
  const resuming = createResuming(runtime)
  const openFor = (method = 'GET'): Open => (/^(get|head)$/i.test(method) ? resuming : openTask)
  let started: Promise<unknown>
  let prefetched: Json | undefined

  return createCore<Data>(
    Object.assign({}, options, {
      baseUrl: (origin || baseUrl) as string,
      // Whatever logs in and renews goes to the container too.
      wx: container ? Object.create(runtime, { request: { value: request } }) : runtime,
    }),
    (store) => {
      started = pickUp(runtime, store).then((data) => {
        prefetched = data
      })
      return started
    },
    (client, send, store, renewal, authUrl) => {
      const { ready, session, onChange } = client
      const startedReady = () => started.then(ready)
      const sendOutside: Send = (requested, transfer, ...more) =>
        send(
          requested,
          (native) => {
            if (!isInside(native.url)) return transfer(native)
            throw new ClientError('config', undefined, 'give an absolute url')
          },
          ...more,
        )
      Object.assign(client, {
        launch: startedReady,
        ready: startedReady,
        request: (requested: RequestOptions) =>
          send(requested as Requested, request, openFor(requested.method)),
        uploadFile: (requested: UploadOptions) =>
          sendOutside(
            requested as Requested,
            (native) => uploadFile(runtime, native),
            openTask,
            fileEvents,
          ),
        downloadFile: (requested: DownloadOptions) =>
          sendOutside(
            requested as Requested,
            (native) => downloadFile(runtime, native),
            resuming,
            fileEvents,
            (response) => response,
          ),
        connectSocket: createConnectSocket(
          runtime,
          store,
          renewal,
          sendOutside,
          resuming,
          onChange,
        ),
        callContainer: (requested: ContainerOptions) =>
          send(
            Object.assign({ url: requested.path }, requested) as Requested,
            call,
            openFor(requested.method),
            [],
          ),
        bindPhone: createBindPhone(store, authUrl, send, request, session),
        prefetched: () => prefetched,
      })
    },
  ) as FullClient<Data>
}
