import type { FakeEntry, FakeLaunchOptions } from './fake-lifecycle.js'
import type { FakeLoginBehaviour } from './fake-login.js'
import type { FakeHandshake, FakeSocket, FakeSocketBehaviour } from './fake-socket.js'
import type { StorageVerb } from './fake-storage.js'
import type { FakeRequestBehaviour, RecordedRequest } from './fake-transfer.js'
import type { FakeWx } from './fake-wx.js'

/** The hand that holds the phone. */
export interface FakeWxControl {
  /** How often each member of `wx` was called; `cloudInit` and `callContainer` are those of `wx.cloud`. */
  readonly calls: Readonly<Record<FakeCall, number>>
  /** Every call of `wx.request`, `uploadFile`, `downloadFile` and `cloud.callContainer`, oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** Every call of `wx.connectSocket`, oldest first, from the server's side. */
  readonly sockets: readonly FakeSocket[]
  /** The files of the phone, by path: what `uploadFile` finds and where `downloadFile` writes. */
  readonly files: Map<string, string | ArrayBuffer>
  /** The next `times` logins go like this, after those ordered before; without `times` all logins from now on. */
  onLogin(behaviour: FakeLoginBehaviour, options?: { times?: number }): void
  /**
   * The next `times` requests that match go like this, after those ordered before; without `times` all from now on.
   * A text matches a part of the url. What was ordered with `times` comes first, then the newest that matches.
   * Uploads, downloads and `callContainer` are requests too: see `kind`.
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
  /**
   * What WeChat has fetched beside loading the mini program (数据预拉取), for `wx.getBackgroundFetchData`; it stays
   * there over a restart, as on a phone. A client asks when it is created, so order this before. An object is given as
   * JSON; `undefined` takes it away, and the call fails.
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
  /** Takes the network away. Requests and sockets under way fail, as new ones and logins do. */
  offline(): void
  online(): void
  /**
   * Sends the app to the background. New requests and sockets fail; after 5 seconds those under way fail too,
   * JavaScript is suspended, and callbacks wait for `show()`. Timers that the app set itself are beyond the fake's reach.
   */
  hide(): void
  /** Brings the app to the front: `onAppShow` listeners run at once, then callbacks that waited. */
  show(options?: FakeEntry): void
  /** The next `times` storage calls of this kind fail; without `times` all, and 0 ends it. */
  failStorage(verb: StorageVerb, options?: { times?: number }): void
  /** A cold start: gives what `App.onLaunch` gets. */
  launch(options?: FakeEntry): FakeLaunchOptions
  /**
   * Hands the phone to another WeChat user, with other codes and a storage area of their own. WeChat ends the
   * mini program when the account changes: `restart()` does that.
   */
  switchUser(user: string): void
  /** What is stored for this user: the raw text by key, open to damage. */
  readonly storage: Map<string, string>
  /**
   * Ends this process and starts another on the same phone: same storage, files, user, network and orders; no
   * listeners, new counts. The ended one gets no callbacks any more, and can write nothing.
   */
  restart(): FakeWx
}

export type FakeCall = Exclude<keyof FakeWx, 'control' | 'cloud'> | 'cloudInit' | 'callContainer'
