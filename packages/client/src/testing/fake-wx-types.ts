import type { FullWx } from '../wx.js'
import type { FetchedData } from './fake-background-fetch.js'
import type { Callbacks, Done } from './fake-callbacks.js'
import type { FakeCloud } from './fake-container.js'
import type {
  FakeDownloadOptions,
  FakeDownloadTask,
  FakeUploadOptions,
  FakeUploadTask,
} from './fake-files.js'
import type { FakeEntry, FakeLaunchOptions } from './fake-lifecycle.js'
import type { FakeLoginBehaviour, FakeLoginOptions } from './fake-login.js'
import type { FakePaymentBehaviour, FakePaymentOptions, RecordedPayment } from './fake-payment.js'
import type { FakeRequestOptions, FakeRequestTask } from './fake-request.js'
import type {
  FakeHandshake,
  FakeSocket,
  FakeSocketBehaviour,
  FakeSocketOptions,
  FakeSocketTask,
} from './fake-socket.js'
import type { StorageVerb } from './fake-storage.js'
import type { FakeRequestBehaviour, RecordedRequest } from './fake-transfer.js'

/** The calls that know only one socket, which the fake has not. */
type OneSocket =
  | 'sendSocketMessage'
  | 'closeSocket'
  | 'onSocketOpen'
  | 'onSocketMessage'
  | 'onSocketError'
  | 'onSocketClose'

/**
 * Pass it to `createClient({ wx })`. What the chosen `runtime` lacks is missing at run time, though its type is here.
 * Everything a test does to the phone is in `control`.
 */
export interface FakeWx extends Omit<FullWx, OneSocket> {
  login(options?: FakeLoginOptions): Promise<{ code: string; errMsg: string }> | undefined
  /** With the runtime `'wecom'`. */
  qy?: { login: FakeWx['login'] }
  request(options: FakeRequestOptions): FakeRequestTask
  uploadFile(options: FakeUploadOptions): FakeUploadTask
  downloadFile(options: FakeDownloadOptions): FakeDownloadTask
  connectSocket(options: FakeSocketOptions): FakeSocketTask
  getBackgroundFetchData(
    options: Callbacks<FetchedData> & { fetchType: string },
  ): Promise<FetchedData> | undefined
  requestVirtualPayment(options: FakePaymentOptions): void
  /** In a mini game, in place of `requestVirtualPayment`. */
  requestMidasPaymentGameItem(options: FakePaymentOptions): void
  readonly cloud: FakeCloud
  getStorage(
    options: Callbacks<{ data: unknown; errMsg: string }> & { key: string },
  ): Promise<{ data: unknown; errMsg: string }> | undefined
  setStorage(options: Callbacks<Done> & { key: string; data: unknown }): Promise<Done> | undefined
  removeStorage(options: Callbacks<Done> & { key: string }): Promise<Done> | undefined
  getAccountInfoSync(): {
    miniProgram: { appId: string; envVersion: 'develop' | 'trial' | 'release'; version: string }
    /** In a plugin. */
    plugin?: { appId: string; version: string }
  }
  getEnterOptionsSync(): FakeLaunchOptions
  getLaunchOptionsSync(): FakeLaunchOptions
  onAppShow(listener: (options: FakeLaunchOptions) => void): void
  offAppShow(listener?: (options: FakeLaunchOptions) => void): void
  onAppHide(listener: () => void): void
  offAppHide(listener?: () => void): void
  onNetworkStatusChange(listener: (network: FakeNetworkStatus) => void): void
  offNetworkStatusChange(listener?: (network: FakeNetworkStatus) => void): void
  /** In a mini game, in place of `onAppShow`. */
  onShow(listener: (options: FakeLaunchOptions) => void): void
  offShow(listener?: (options: FakeLaunchOptions) => void): void
  onHide(listener: () => void): void
  offHide(listener?: () => void): void
  getRandomValues(
    options: Callbacks<{ randomValues: ArrayBuffer; errMsg: string }> & { length: number },
  ): Promise<{ randomValues: ArrayBuffer; errMsg: string }> | undefined
  readonly control: FakeWxControl
}

/** What listeners of `wx.onNetworkStatusChange` get. */
export interface FakeNetworkStatus {
  readonly isConnected: boolean
  readonly networkType: string
}

/** What a test does to the phone, and what it sees of it. */
export interface FakeWxControl {
  /**
   * How often each member of `wx` was called; `cloudInit`, `callContainer` and `callFunction` are those of `wx.cloud`,
   * `qyLogin` is that of `wx.qy`.
   */
  readonly calls: Readonly<Record<FakeCall, number>>
  /** Every call of `wx.request`, `uploadFile`, `downloadFile`, `cloud.callContainer` and `callFunction`, oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** Every call of `wx.connectSocket`, oldest first, from the server's side. */
  readonly sockets: readonly FakeSocket[]
  /** Every call of `wx.requestVirtualPayment` and `requestMidasPaymentGameItem`, oldest first. */
  readonly payments: readonly RecordedPayment[]
  /** The files of the phone, by path: what `uploadFile` finds and where `downloadFile` writes. */
  readonly files: Map<string, string | ArrayBuffer>
  /** Scripts the next `times` logins, after those scripted before; without `times` all logins from now on. */
  onLogin(behaviour: FakeLoginBehaviour, options?: { times?: number }): void
  /**
   * Scripts the next `times` requests that match, after those scripted before; without `times` all from now on.
   * A string matches a part of the url. What was scripted with `times` comes first, then the newest that matches.
   * Uploads, downloads, `callContainer` and `callFunction` are requests too: see `kind`. What is responded for a
   * function is its result.
   */
  onRequest(
    matcher: string | ((request: RecordedRequest) => boolean),
    behaviour: FakeRequestBehaviour,
    options?: { times?: number },
  ): void
  /** As `onRequest`, for `wx.connectSocket`. */
  onSocket(
    matcher: string | ((handshake: FakeHandshake) => boolean),
    behaviour: FakeSocketBehaviour,
    options?: { times?: number },
  ): void
  /** Scripts the next `times` payments, after those scripted before; without `times` all payments from now on. */
  onPayment(behaviour: FakePaymentBehaviour, options?: { times?: number }): void
  /**
   * What WeChat has fetched while loading the mini program (数据预拉取), for `wx.getBackgroundFetchData`; it survives
   * a restart, as on a phone. A client reads it when it is created, so call this before. An object is given as
   * JSON; `undefined` removes it, and the call fails.
   */
  prefetch(
    fetched: string | object | undefined,
    options?: {
      /** Default: now. */
      timeStamp?: number
      /** How the call goes, default `'ok'`. */
      behaviour?: 'ok' | 'hang' | 'throw' | { readonly afterMs: number }
    },
  ): void
  /**
   * Takes the network away. Requests and sockets in progress fail, and so do new ones and logins. Listeners of
   * `wx.onNetworkStatusChange` are told in a later turn, as when it comes back.
   */
  offline(): void
  online(): void
  /**
   * Sends the app to the background. New requests and sockets fail; after 5 seconds those in progress fail too,
   * JavaScript is suspended, and callbacks wait for `show()`. Timers that the app set itself keep running.
   */
  hide(): void
  /** Brings the app to the front: `onAppShow` listeners run at once, then callbacks that waited. */
  show(options?: FakeEntry): void
  /**
   * The next `times` storage calls of this kind fail; without `times` all, and 0 ends it. With `silently` they do
   * nothing and do not say so, as the storage of some simulators and containers.
   */
  failStorage(verb: StorageVerb, options?: { times?: number; silently?: boolean }): void
  /** A cold start: returns what `App.onLaunch` gets. */
  launch(options?: FakeEntry): FakeLaunchOptions
  /**
   * Gives the phone to another WeChat user, with other codes and a storage area of their own. WeChat ends the
   * mini program when the account changes: `restart()` does that.
   */
  switchUser(user: string): void
  /** What is stored for this user: the raw text by key, which a test may corrupt. */
  readonly storage: Map<string, string>
  /**
   * Ends this process and starts another on the same phone: same storage, files, user, network and scripted behaviours;
   * no listeners, new counts. The ended process gets no more callbacks and cannot write.
   */
  restart(): FakeWx
}

export type FakeCall =
  | Exclude<keyof FakeWx, 'control' | 'cloud' | 'qy'>
  | 'cloudInit'
  | 'callContainer'
  | 'callFunction'
  | 'qyLogin'
