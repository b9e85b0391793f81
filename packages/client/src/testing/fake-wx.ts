import { randomBytes } from 'node:crypto'
import { mockCode } from '@wxlogin/shared'
import type { Wx, WxFailure, WxLoginOptions } from '../wx.js'
import type { FakeEntry, FakeLaunchOptions } from './fake-lifecycle.js'
import { createLifecycle } from './fake-lifecycle.js'
import type {
  FakeClock,
  FakeNetworkRequest,
  FakeNetworkResponse,
  FakeRequestBehaviour,
  FakeRequestOptions,
  FakeRequestTask,
  RecordedRequest,
} from './fake-request.js'
import { createRequests, fetchNetwork } from './fake-request.js'
import type { StorageVerb } from './fake-storage.js'
import { createStorage } from './fake-storage.js'
import type { Orders } from './orders.js'
import { createOrders } from './orders.js'

export interface FakeWxOptions {
  /** Default `'wx0000000000000001'`. */
  appId?: string
  /** Gives login codes; `createFakeWeChat()` of `@wxlogin/server/testing` fits. Default: random codes. */
  wechat?: { codeFor(user: string, options?: { appId?: string }): string }
  /** Who holds the phone, default `'user-1'`. */
  user?: string
  /** How a request leaves the phone, default the global `fetch`. A rejection is a broken connection. */
  network?: (request: FakeNetworkRequest) => Promise<FakeNetworkResponse>
  /** Default `Date.now` and the global timers, looked up at each call, so that fake timers work. */
  clock?: FakeClock
  /** DevTools without an AppID of your own: every code is `the code is a mock one`. */
  touristMode?: boolean
  /** The launch scene, default 1001. 1154 is single-page mode, in which `wx.login` fails and storage is separate. */
  scene?: number
  /** The storage of the first user, raw. Two fakes with the same map are two instances on one storage. */
  storage?: Map<string, string>
  /** Members of `wx` that this old base library lacks, `'getRandomValues'` for example. */
  omit?: readonly string[]
  /** Whether failures carry `errno`, as from base library 2.24 (default true). */
  errno?: boolean
  /** The legal request domains, like `'https://api.example.com'`. Default: no check, as DevTools can be set to. */
  domains?: readonly string[]
}

/**
 * What becomes of a `wx.login` call.
 *
 * - `'ok'`: a code
 * - `'hang'`: never answers, not even with a timeout
 * - `'throw'`: `wx.login` itself throws
 * - `'twice'`: `success` is called twice with the same code
 * - `'empty'`: success with an empty code
 * - `{ fail }`: fails like this
 * - `{ afterMs }`: a code after this time, or a timeout if `timeout` ends earlier
 */
export type FakeLoginBehaviour =
  | 'ok'
  | 'hang'
  | 'throw'
  | 'twice'
  | 'empty'
  | { readonly fail: WxFailure }
  | { readonly afterMs: number }

/** What `wx.login` takes. */
export interface FakeLoginOptions extends WxLoginOptions {
  complete?: (result: { code: string; errMsg: string } | WxFailure) => void
}

interface Callbacks<R> {
  success?: (result: R) => void
  fail?: (error: WxFailure) => void
  complete?: (result: R | WxFailure) => void
}

interface Done {
  readonly errMsg: string
}

/** Hand it to `createClient({ wx })`. Everything a test does to the phone is in `control`. */
export interface FakeWx extends Wx {
  login(options?: FakeLoginOptions): Promise<{ code: string; errMsg: string }> | undefined
  request(options: FakeRequestOptions): FakeRequestTask
  getStorage(
    options: Callbacks<{ data: unknown; errMsg: string }> & { key: string },
  ): Promise<{ data: unknown; errMsg: string }> | undefined
  setStorage(options: Callbacks<Done> & { key: string; data: unknown }): Promise<Done> | undefined
  removeStorage(options: Callbacks<Done> & { key: string }): Promise<Done> | undefined
  getAccountInfoSync(): {
    miniProgram: { appId: string; envVersion: 'develop' | 'trial' | 'release'; version: string }
  }
  getEnterOptionsSync(): FakeLaunchOptions
  getLaunchOptionsSync(): FakeLaunchOptions
  onAppShow(listener: (options: FakeLaunchOptions) => void): void
  offAppShow(listener?: (options: FakeLaunchOptions) => void): void
  onAppHide(listener: () => void): void
  offAppHide(listener?: () => void): void
  getRandomValues(
    options: Callbacks<{ randomValues: ArrayBuffer; errMsg: string }> & { length: number },
  ): Promise<{ randomValues: ArrayBuffer; errMsg: string }> | undefined
  readonly control: FakeWxControl
}

/** The hand that holds the phone. */
export interface FakeWxControl {
  /** How often each member of `wx` was called. */
  readonly calls: Readonly<Record<Exclude<keyof FakeWx, 'control'>, number>>
  /** Every call of `wx.request`, oldest first. */
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
  /** Takes the network away. Requests under way fail, as new ones and logins do. */
  offline(): void
  online(): void
  /**
   * Sends the app to the background. New requests fail; after 5 seconds those under way fail too, JavaScript is
   * suspended, and callbacks wait for `show()`. Timers that the app set itself are beyond the fake's reach.
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
   * Ends this process and starts another on the same phone: same storage, user, network and orders; no listeners,
   * new counts. The ended one gets no callbacks any more, and can write nothing.
   */
  restart(): FakeWx
}

/** What outlives a process. */
interface Phone {
  user: string
  isOnline: boolean
  loginTimes: number[]
  readonly areas: Map<string, Map<string, string>>
  readonly storageFaults: Record<StorageVerb, number>
  readonly logins: Orders<undefined, FakeLoginBehaviour>
  readonly requests: Orders<RecordedRequest, FakeRequestBehaviour>
}

const maxLoginsPerSecond = 4
const maxRandomLength = 1_048_576

/**
 * A phone in a test: a `wx` object with the habits of the real one.
 *
 * Callbacks arrive in a later turn without a timer, so `await` works under fake timers too. Wrong options throw
 * `TypeError`. Source of the habits: the WeChat documentation of each call.
 *
 * @example
 * const wechat = createFakeWeChat()
 * const wx = createFakeWx({ wechat })
 * const client = createClient({ wx, baseUrl: 'http://127.0.0.1:3000' })
 * wx.control.onLogin('hang', { times: 1 })
 */
export function createFakeWx(options: FakeWxOptions = {}): FakeWx {
  check(options)
  const { user = 'user-1', storage = new Map<string, string>() } = options
  return createProcess(options, {
    user,
    isOnline: true,
    loginTimes: [],
    areas: new Map([[user, storage]]),
    storageFaults: { set: 0, get: 0, remove: 0 },
    logins: createOrders<undefined, FakeLoginBehaviour>('ok'),
    requests: createOrders<RecordedRequest, FakeRequestBehaviour>('ok'),
  })
}

function createProcess(options: FakeWxOptions, phone: Phone): FakeWx {
  const {
    appId = 'wx0000000000000001',
    wechat = { codeFor: randomCode },
    network = fetchNetwork,
    clock = globalClock,
    touristMode = false,
    scene = 1001,
    omit = [],
    errno: hasErrno = true,
    domains,
  } = options
  const lifecycle = createLifecycle({
    clock,
    scene,
    onSuspend: () => requests.failAll('request:fail interrupted', 600003),
  })
  const { deliver } = lifecycle
  const calls = {
    login: 0,
    request: 0,
    getStorageSync: 0,
    setStorageSync: 0,
    removeStorageSync: 0,
    getStorage: 0,
    setStorage: 0,
    removeStorage: 0,
    getAccountInfoSync: 0,
    getEnterOptionsSync: 0,
    getLaunchOptionsSync: 0,
    onAppShow: 0,
    offAppShow: 0,
    onAppHide: 0,
    offAppHide: 0,
    getRandomValues: 0,
  }

  function failure(errMsg: string, errno?: number): WxFailure {
    return hasErrno && errno !== undefined ? { errMsg, errno } : { errMsg }
  }

  /** The platform's two styles: a promise if there is no callback at all, else callbacks and no promise. */
  function answer<R extends Done>(
    { success, fail, complete }: Callbacks<R>,
    start: (succeed: (result: R) => void, failWith: (failed: WxFailure) => void) => void,
  ): Promise<R> | undefined {
    if (!success && !fail && !complete) {
      return new Promise((resolve, reject) => {
        start(
          (result) => deliver(() => resolve(result)),
          (failed) => deliver(() => reject(failed)),
        )
      })
    }
    start(
      (result) =>
        deliver(() => {
          success?.(result)
          complete?.(result)
        }),
      (failed) =>
        deliver(() => {
          fail?.(failed)
          complete?.(failed)
        }),
    )
    return undefined
  }

  const requests = createRequests({
    appId,
    clock,
    network,
    domains: domains?.map((domain) => domain.toLowerCase()),
    behaviourFor: (record) => phone.requests.next(record),
    isOnline: () => phone.isOnline,
    isHidden: () => lifecycle.isHidden() || lifecycle.isEnded(),
    failure,
    deliver,
  })

  function newCode(): string {
    return touristMode ? mockCode : wechat.codeFor(phone.user, { appId })
  }

  function refusedLogin(): WxFailure | undefined {
    const now = clock.now()
    phone.loginTimes = phone.loginTimes.filter((at) => now - at < 1_000)
    phone.loginTimes.push(now)
    if (lifecycle.isSinglePage()) {
      return failure('login:fail not available in single-page mode')
    }
    if (!phone.isOnline) return failure('login:fail cgi failed for network issues', 108)
    if (phone.loginTimes.length > maxLoginsPerSecond) {
      return failure('login:fail meet server frequency limit', 1003)
    }
    return undefined
  }

  function login(options: FakeLoginOptions = {}): ReturnType<FakeWx['login']> {
    calls.login += 1
    const behaviour = phone.logins.next(undefined)
    if (behaviour === 'throw') throw new Error('login:fail')
    return answer(options, (succeed, failWith) => {
      const refused = refusedLogin()
      if (behaviour === 'hang' || lifecycle.isEnded()) return
      if (refused) return failWith(refused)
      const give = (code: string) => succeed({ code, errMsg: 'login:ok' })
      if (behaviour === 'ok') return give(newCode())
      if (behaviour === 'empty') return give('')
      if (behaviour === 'twice') {
        const code = newCode()
        give(code)
        return give(code)
      }
      if ('fail' in behaviour) return failWith(failure(behaviour.fail.errMsg, behaviour.fail.errno))
      const { timeout = Number.POSITIVE_INFINITY } = options
      if (behaviour.afterMs <= timeout) clock.setTimeout(() => give(newCode()), behaviour.afterMs)
      else clock.setTimeout(() => failWith(failure('login:fail timeout', 5)), timeout)
    })
  }

  function area(): Map<string, string> {
    const name = lifecycle.isSinglePage() ? `${phone.user} in one page` : phone.user
    const existing = phone.areas.get(name)
    if (existing) return existing
    const created = new Map<string, string>()
    phone.areas.set(name, created)
    return created
  }

  const storage = createStorage(area)

  /** Runs one storage call; every failure comes out as the platform words it. */
  function stored<T>(verb: StorageVerb, name: string, run: () => T): T {
    if (phone.storageFaults[verb] > 0) {
      phone.storageFaults[verb] -= 1
      throw new Error(`${name}:fail system error`)
    }
    try {
      return run()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'parameter error'
      throw new Error(`${name}:fail ${reason}`, { cause })
    }
  }

  function write(key: string, value: unknown, name: string): void {
    stored('set', name, () => {
      if (!lifecycle.isEnded()) storage.write(key, value)
    })
  }

  function remove(key: string, name: string): void {
    stored('remove', name, () => {
      if (!lifecycle.isEnded()) storage.remove(key)
    })
  }

  /** The asynchronous variant of a storage call. */
  function later<R extends Done>(callbacks: Callbacks<R>, run: () => R): Promise<R> | undefined {
    return answer(callbacks, (succeed, failWith) => {
      try {
        succeed(run())
      } catch (error) {
        failWith(failure(error instanceof Error ? error.message : String(error)))
      }
    })
  }

  const control: FakeWxControl = {
    calls,
    requests: requests.records,
    onLogin(behaviour, { times } = {}) {
      phone.logins.add(() => true, behaviour, times)
    },
    onRequest(matcher, behaviour, { times } = {}) {
      const matches =
        typeof matcher === 'string' ? ({ url }: RecordedRequest) => url.includes(matcher) : matcher
      phone.requests.add(matches, behaviour, times)
    },
    offline() {
      phone.isOnline = false
      requests.failAll('request:fail 网络连接已中断。', 600000)
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
    switchUser(user) {
      phone.user = user
      phone.loginTimes = []
    },
    get storage() {
      return area()
    },
    restart() {
      lifecycle.end()
      requests.failAll('request:fail interrupted', 600003)
      return createProcess(options, phone)
    },
  }

  const wx: FakeWx = {
    login,
    request(options) {
      calls.request += 1
      return requests.request(options)
    },
    getStorageSync(key) {
      calls.getStorageSync += 1
      return stored('get', 'getStorageSync', () => storage.read(key)) ?? ''
    },
    setStorageSync(key, value) {
      calls.setStorageSync += 1
      write(key, value, 'setStorageSync')
    },
    removeStorageSync(key) {
      calls.removeStorageSync += 1
      remove(key, 'removeStorageSync')
    },
    getStorage(options) {
      calls.getStorage += 1
      return later(options, () => {
        const data = stored('get', 'getStorage', () => storage.read(options.key))
        if (data === undefined) throw new Error('getStorage:fail data not found')
        return { data, errMsg: 'getStorage:ok' }
      })
    },
    setStorage(options) {
      calls.setStorage += 1
      return later(options, () => {
        write(options.key, options.data, 'setStorage')
        return { errMsg: 'setStorage:ok' }
      })
    },
    removeStorage(options) {
      calls.removeStorage += 1
      return later(options, () => {
        remove(options.key, 'removeStorage')
        return { errMsg: 'removeStorage:ok' }
      })
    },
    getAccountInfoSync() {
      calls.getAccountInfoSync += 1
      return { miniProgram: { appId, envVersion: 'develop', version: '' } }
    },
    getEnterOptionsSync() {
      calls.getEnterOptionsSync += 1
      return lifecycle.enterOptions()
    },
    getLaunchOptionsSync() {
      calls.getLaunchOptionsSync += 1
      return lifecycle.launchOptions()
    },
    onAppShow(listener) {
      calls.onAppShow += 1
      lifecycle.showListeners.add(listener)
    },
    offAppShow(listener) {
      calls.offAppShow += 1
      if (listener) lifecycle.showListeners.delete(listener)
      else lifecycle.showListeners.clear()
    },
    onAppHide(listener) {
      calls.onAppHide += 1
      lifecycle.hideListeners.add(listener)
    },
    offAppHide(listener) {
      calls.offAppHide += 1
      if (listener) lifecycle.hideListeners.delete(listener)
      else lifecycle.hideListeners.clear()
    },
    getRandomValues(options) {
      calls.getRandomValues += 1
      return answer(options, (succeed, failWith) => {
        const { length } = options
        if (!Number.isInteger(length) || length < 1 || length > maxRandomLength) {
          return failWith(failure('getRandomValues:fail invalid length'))
        }
        const randomValues = Uint8Array.from(randomBytes(length)).buffer
        succeed({ randomValues, errMsg: 'getRandomValues:ok' })
      })
    },
    control,
  }

  for (const name of omit) {
    if (!(name in calls)) {
      const allowed = Object.keys(calls).join(', ')
      throw new TypeError(`omit: this wx has no ${name}; it can lack ${allowed}`)
    }
    Reflect.deleteProperty(wx, name)
  }
  return wx
}

const globalClock: FakeClock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
}

function randomCode(): string {
  return `0${randomBytes(16).toString('hex').slice(1)}`
}

function check({ appId, user, scene, domains }: FakeWxOptions): void {
  if (appId === '') throw new TypeError('appId must be a text that is not empty')
  if (user === '') throw new TypeError('user must be a name that is not empty')
  if (scene !== undefined && !Number.isInteger(scene)) {
    throw new TypeError('scene must be a whole number such as 1001')
  }
  for (const domain of domains ?? []) {
    if (!/^https:\/\/[^/?#]+$/.test(domain)) {
      throw new TypeError(`domains: ${domain} must look like https://api.example.com`)
    }
  }
}
