import type { FakeFetchedData } from './fake-background-fetch.js'
import { queryOf } from './fake-body.js'
import type { FakeCalls } from './fake-calls.js'
import type { FakeClock } from './fake-clock.js'
import type { FakeEntry, FakeLaunchOptions, FakeLifecycle } from './fake-lifecycle.js'
import type { FakeLoginBehaviour } from './fake-login.js'
import type { Phone } from './fake-phone.js'
import type { FakeServerSocket, FakeSocketRequest } from './fake-server-socket.js'
import type { FakeSocketBehaviour, Sockets } from './fake-sockets.js'
import type { StorageVerb } from './fake-storage.js'
import type { Transport } from './fake-transport.js'
import type { FakeWx } from './fake-wx.js'
import { networkLost } from './reasons.js'
import type { FakeRequestBehaviour, RecordedRequest } from './recorded-request.js'

/** The hand that holds the phone. */
export interface FakeWxControl {
  /** How often each member of `wx` was called; `cloud` by `'cloud.init'` and `'cloud.callContainer'`. */
  readonly calls: Readonly<FakeCalls>
  /** Every call of `wx.request`, `uploadFile`, `downloadFile` and `cloud.callContainer`, oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** The next `times` logins go like this, after those ordered before; without `times` all logins from now on. */
  onLogin(behaviour: FakeLoginBehaviour, options?: { times?: number }): void
  /**
   * The next `times` requests that match go like this, after those ordered before; without `times` all from now on.
   * A text matches a part of the url. What was ordered with `times` comes first, then the newest that matches.
   */
  onRequest(
    matcher: string | ((request: RecordedRequest) => boolean),
    behaviour: FakeRequestBehaviour,
    options?: { times?: number },
  ): void
  /** The server's ends of all handshakes that left the phone, oldest first. */
  readonly sockets: readonly FakeServerSocket[]
  /** As `onRequest`, for calls of `wx.connectSocket`. */
  onSocket(
    matcher: string | ((request: FakeSocketRequest) => boolean),
    behaviour: FakeSocketBehaviour,
    options?: { times?: number },
  ): void
  /** Takes the network away. Requests under way fail, as new ones and logins do, and sockets break. */
  offline(): void
  online(): void
  /**
   * Sends the app to the background. New requests and sockets fail; after 5 seconds requests under way fail too,
   * sockets are closed, JavaScript is suspended, and callbacks wait for `show()`. Timers that the app set itself are beyond the fake's reach.
   */
  hide(): void
  /** Brings the app to the front: `onAppShow` listeners run at once, then callbacks that waited. */
  show(options?: FakeEntry): void
  /** The next `times` storage calls of this kind fail; without `times` all, and 0 ends it. */
  failStorage(verb: StorageVerb, options?: { times?: number }): void
  /** A cold start: gives what `App.onLaunch` gets. */
  launch(options?: FakeEntry): FakeLaunchOptions
  /**
   * What your server answered WeChat ahead of the start (数据预拉取), as text: `wx.getBackgroundFetchData` gives it from
   * now on, over restarts too, and listeners of `wx.onBackgroundFetchData` are told. More than 256 KB is dropped, as
   * WeChat does. `timeStamp` is now unless given, the entry that of the launch. Until then `getBackgroundFetchData`
   * fails, as on Android; an empty text is what iOS gives.
   */
  prefetch(
    text: string,
    options?: { timeStamp?: number; path?: string; query?: string; scene?: number },
  ): void
  /**
   * Hands the phone to another WeChat user, with other codes and a storage area of their own. WeChat ends the
   * mini program when the account changes: `restart()` does that.
   */
  switchUser(user: string): void
  /** What is stored for this user: the raw text by key, open to damage. */
  readonly storage: Map<string, string>
  /** The phone's files by path: what uploads send, and where downloads go. */
  readonly files: Map<string, string | ArrayBuffer>
  /**
   * Ends this process and starts another on the same phone: same storage, files, user, network and orders; no
   * listeners, new counts. The ended one gets no callbacks any more, and can write nothing.
   */
  restart(): FakeWx
}

export function createControl(surroundings: {
  readonly phone: Phone
  readonly lifecycle: FakeLifecycle
  readonly transport: Transport
  readonly sockets: Sockets
  readonly clock: FakeClock
  readonly calls: FakeCalls
  readonly area: () => Map<string, string>
  readonly onPrefetch: (data: FakeFetchedData) => void
  readonly restart: () => FakeWx
}): FakeWxControl {
  const { phone, lifecycle, transport, sockets, clock, calls, area, onPrefetch } = surroundings
  return {
    calls,
    requests: transport.records,
    onLogin(behaviour, { times } = {}) {
      phone.logins.add(() => true, behaviour, times)
    },
    onRequest(matcher, behaviour, { times } = {}) {
      phone.requests.add(matching(matcher), behaviour, times)
    },
    sockets: sockets.servers,
    onSocket(matcher, behaviour, { times } = {}) {
      phone.sockets.add(matching(matcher), behaviour, times)
    },
    offline() {
      phone.isOnline = false
      transport.failAll(networkLost)
      sockets.dropAll()
    },
    online() {
      phone.isOnline = true
    },
    hide: lifecycle.hide,
    show: lifecycle.show,
    failStorage(verb, { times = Number.POSITIVE_INFINITY } = {}) {
      phone.storageFaults[verb] = times
    },
    launch: lifecycle.launch,
    prefetch(text, given = {}) {
      const { scene, path, query } = lifecycle.launchOptions()
      const entry = { timeStamp: clock.now(), path, query: queryOf(query), scene }
      onPrefetch({ fetchedData: text, ...entry, ...given })
    },
    switchUser(user) {
      phone.user = user
      phone.loginTimes.length = 0
    },
    get storage() {
      return area()
    },
    files: phone.files,
    restart: surroundings.restart,
  }
}

/** A text matches a part of the url. */
function matching<S extends { readonly url: string }>(
  matcher: string | ((subject: S) => boolean),
): (subject: S) => boolean {
  return typeof matcher === 'string' ? ({ url }) => url.includes(matcher) : matcher
}
