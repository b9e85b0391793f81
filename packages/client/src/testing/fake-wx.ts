import { randomBytes } from 'node:crypto'
import type { WxFailure } from '../wx.js'
import type { Prefetched } from './fake-background-fetch.js'
import { createBackgroundFetch } from './fake-background-fetch.js'
import type { Callbacks, Done } from './fake-callbacks.js'
import { createAnswer } from './fake-callbacks.js'
import type { FakeClock } from './fake-clock.js'
import { globalClock } from './fake-clock.js'
import type { FakeContainerRequest } from './fake-container.js'
import { createCloud } from './fake-container.js'
import { createFileTransfers } from './fake-files.js'
import type { FakeFunctionCall } from './fake-function.js'
import { createLifecycle } from './fake-lifecycle.js'
import type { FakeLoginBehaviour } from './fake-login.js'
import { createLogin } from './fake-login.js'
import type { FakeNetworkRequest, FakeNetworkResponse } from './fake-network.js'
import { fetchNetwork } from './fake-network.js'
import type { FakePay, FakePaymentBehaviour } from './fake-payment.js'
import { createPayments } from './fake-payment.js'
import { createRequest } from './fake-request.js'
import type { FakeRuntime } from './fake-runtime.js'
import { missingIn } from './fake-runtime.js'
import type { FakeHandshake, FakeSocketBehaviour } from './fake-socket.js'
import { createSockets } from './fake-socket.js'
import type { StorageVerb } from './fake-storage.js'
import { createStorage } from './fake-storage.js'
import type { FakeRequestBehaviour, RecordedRequest } from './fake-transfer.js'
import { createTransfers } from './fake-transfer.js'
import type { FakeCall, FakeNetworkStatus, FakeWx, FakeWxControl } from './fake-wx-types.js'
import type { Scripted } from './scripted.js'
import { createScripted } from './scripted.js'

export interface FakeWxOptions {
  /** Default `'wx0000000000000001'`. */
  appId?: string
  /** Gives login codes; `createFakeWeChat()` of `@wxlogin/server/testing` works. Default: random codes. */
  wechat?: {
    codeFor(user: string, options?: { appId?: string }): string
    /** For `wx.qy.login`. */
    wecomCodeFor?(user: string): string
    /** For what a cloud function is told; default: made up. */
    openidOf?(user: string, options?: { appId?: string }): string
    /** For payments, which need them. */
    requestVirtualPayment?: FakePay
    requestMidasPaymentGameItem?: FakePay
  }
  /** Who holds the phone, default `'user-1'`. */
  user?: string
  /** How a request leaves the phone, default the global `fetch`. A rejection is a broken connection. */
  network?: (request: FakeNetworkRequest) => Promise<FakeNetworkResponse>
  /**
   * How `wx.cloud.callContainer` reaches the container. Default: `network`, at an address made of service and
   * environment, `https://express.prod-1/orders` for example.
   */
  container?: (request: FakeContainerRequest) => Promise<FakeNetworkResponse>
  /**
   * What a cloud function does when it is called by `wx.cloud.callFunction`; its result is passed on as JSON. What it
   * throws is a failure of the function, or of the platform if it has an `errCode`, -504003 for example. Default: there
   * is no function.
   */
  cloudFunction?: (call: FakeFunctionCall) => unknown
  /** The status with which a server answers a WebSocket handshake, default 101: it is opened. */
  handshake?: (request: FakeHandshake) => number | Promise<number>
  /** Default `Date.now` and the global timers, looked up at each call, so that fake timers work. */
  clock?: FakeClock
  /** DevTools without an AppID of your own: every code is `the code is a mock one`. */
  touristMode?: boolean
  /** The launch scene, default 1001. 1154 is single-page mode, in which `wx.login` fails and storage is separate. */
  scene?: number
  /** The storage of the first user, raw. Two fakes with the same map are two instances on one storage. */
  storage?: Map<string, string>
  /**
   * Where `wx` is met, default `'miniprogram'`. A plugin, a mini game and a Skill have less, and a mini game has
   * `onShow` in place of `onAppShow`. Inside WeCom (`'wecom'`) there is `qy` too.
   */
  runtime?: FakeRuntime
  /** The version of the mini program, default `'release'`. */
  envVersion?: 'develop' | 'trial' | 'release'
  /** Members of `wx` that this old base library lacks, `'getRandomValues'` for example. */
  omit?: readonly string[]
  /** Whether failures carry `errno`, as from base library 2.24 (default true). */
  errno?: boolean
  /** Whether the tasks of uploads and downloads report headers (default true); those of old base libraries do not. */
  fileHeaders?: boolean
  /**
   * The legal domains, like `'https://api.example.com'`, with `'wss://api.example.com'` for sockets. Default: no check,
   * as DevTools can be set to.
   */
  domains?: readonly string[]
}

/** What outlives a process. */
interface Phone {
  user: string
  isOnline: boolean
  prefetched: Prefetched
  readonly times: { login: number[] }
  readonly files: Map<string, string | ArrayBuffer>
  readonly areas: Map<string, Map<string, string>>
  readonly storageFaults: Record<StorageVerb, number>
  readonly isSilent: Record<StorageVerb, boolean>
  readonly logins: Scripted<undefined, FakeLoginBehaviour>
  readonly requests: Scripted<RecordedRequest, FakeRequestBehaviour>
  readonly sockets: Scripted<FakeHandshake, FakeSocketBehaviour>
  readonly payments: Scripted<undefined, FakePaymentBehaviour>
}

const randomCodes: NonNullable<FakeWxOptions['wechat']> = {
  codeFor: randomCode,
  wecomCodeFor: randomCode,
}

const maxRandomLength = 1_048_576

/**
 * A phone in a test: a `wx` object that behaves like the real one.
 *
 * Callbacks arrive in a later turn without a timer, so `await` works under fake timers too. Wrong options throw
 * `TypeError`. Source of the behaviour: the WeChat documentation of each call.
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
    prefetched: { fetchedData: undefined, timeStamp: 0, behaviour: 'ok' },
    times: { login: [] },
    files: new Map(),
    areas: new Map([[user, storage]]),
    storageFaults: { set: 0, get: 0, remove: 0 },
    isSilent: { set: false, get: false, remove: false },
    logins: createScripted<undefined, FakeLoginBehaviour>('ok'),
    requests: createScripted<RecordedRequest, FakeRequestBehaviour>('ok'),
    sockets: createScripted<FakeHandshake, FakeSocketBehaviour>('ok'),
    payments: createScripted<undefined, FakePaymentBehaviour>('ok'),
  })
}

function createProcess(options: FakeWxOptions, phone: Phone): FakeWx {
  const {
    appId = 'wx0000000000000001',
    wechat = randomCodes,
    network = fetchNetwork,
    container = throughNetwork(network),
    cloudFunction,
    handshake = () => 101,
    fileHeaders = true,
    clock = globalClock,
    touristMode = false,
    scene = 1001,
    runtime = 'miniprogram',
    envVersion = 'release',
    omit = [],
    errno: hasErrno = true,
  } = options
  const domains = options.domains?.map((domain) => domain.toLowerCase())
  const lifecycle = createLifecycle({
    clock,
    scene,
    onSuspend: () => cutAll('interrupted', 600003),
  })
  const { deliver } = lifecycle
  const calls: Record<FakeCall, number> = {
    login: 0,
    qyLogin: 0,
    request: 0,
    uploadFile: 0,
    downloadFile: 0,
    connectSocket: 0,
    cloudInit: 0,
    callContainer: 0,
    callFunction: 0,
    requestVirtualPayment: 0,
    requestMidasPaymentGameItem: 0,
    getBackgroundFetchData: 0,
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
    onNetworkStatusChange: 0,
    offNetworkStatusChange: 0,
    onShow: 0,
    offShow: 0,
    onHide: 0,
    offHide: 0,
    getRandomValues: 0,
  }

  function failure(errMsg: string, errno?: number): WxFailure {
    return hasErrno && errno !== undefined ? { errMsg, errno } : { errMsg }
  }

  const networkListeners = new Set<(network: FakeNetworkStatus) => void>()

  function tellNetwork(): void {
    const network = { isConnected: phone.isOnline, networkType: phone.isOnline ? 'wifi' : 'none' }
    for (const listener of networkListeners) deliver(() => listener(network))
  }

  const answer = createAnswer(deliver)
  const isOnline = () => phone.isOnline
  const isHidden = () => lifecycle.isHidden() || lifecycle.isEnded()
  const transfers = createTransfers({
    clock,
    behaviourFor: (record) => phone.requests.next(record),
    isOnline,
    isHidden,
    failure,
    deliver,
  })
  const surroundings = { appId, network, domains, failure, transfers }
  const request = createRequest(surroundings)
  const { uploadFile, downloadFile } = createFileTransfers({
    ...surroundings,
    files: phone.files,
    hasHeaders: fileHeaders,
  })
  const sockets = createSockets({
    appId,
    clock,
    domains,
    failure,
    deliver,
    isOnline,
    isHidden,
    behaviourFor: (asked) => phone.sockets.next(asked),
    handshake,
  })
  const cloud = createCloud({
    transfers,
    failure,
    appId,
    user: () => phone.user,
    network: container,
    openidOf: (user) => wechat.openidOf?.(user, { appId }) ?? `openid-of-${user}`,
    run: cloudFunction,
    onCall(name) {
      calls[name] += 1
    },
  })
  const payments = createPayments({
    clock,
    deliver,
    nextBehaviour: () => phone.payments.next(undefined),
    pay: wechat,
    appId,
    user: () => phone.user,
    isReleased: envVersion === 'release',
  })
  const loginBy = (codeFor: () => string) =>
    createLogin({
      clock,
      touristMode,
      answer,
      failure,
      nextBehaviour: () => phone.logins.next(undefined),
      codeFor,
      isOnline,
      isSinglePage: lifecycle.isSinglePage,
      isEnded: lifecycle.isEnded,
      times: phone.times,
    })
  const login = loginBy(() => wechat.codeFor(phone.user, { appId }))
  const qyLogin = loginBy(() => {
    if (wechat.wecomCodeFor) return wechat.wecomCodeFor(phone.user)
    throw new TypeError('wechat must have wecomCodeFor where the runtime is wecom')
  })
  const getBackgroundFetchData = createBackgroundFetch({
    clock,
    answer,
    failure,
    prefetched: () => phone.prefetched,
    entry: lifecycle.launchOptions,
  })

  function cutAll(reason: string, errno: number): void {
    transfers.failAll(reason, errno)
    sockets.breakAll(reason)
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
  function stored<T>(verb: StorageVerb, name: string, run: () => T): T | undefined {
    if (phone.storageFaults[verb] > 0) {
      phone.storageFaults[verb] -= 1
      if (phone.isSilent[verb]) return undefined
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
    requests: transfers.records,
    sockets: sockets.sockets,
    payments: payments.records,
    files: phone.files,
    onLogin(behaviour, { times } = {}) {
      phone.logins.add({ matches: () => true, behaviour, times })
    },
    onRequest(matcher, behaviour, { times } = {}) {
      const matches =
        typeof matcher === 'string' ? ({ url }: RecordedRequest) => url.includes(matcher) : matcher
      phone.requests.add({ matches, behaviour, times })
    },
    onSocket(matcher, behaviour, { times } = {}) {
      const matches =
        typeof matcher === 'string' ? ({ url }: FakeHandshake) => url.includes(matcher) : matcher
      phone.sockets.add({ matches, behaviour, times })
    },
    onPayment(behaviour, { times } = {}) {
      phone.payments.add({ matches: () => true, behaviour, times })
    },
    prefetch(fetched, { timeStamp = clock.now(), behaviour = 'ok' } = {}) {
      const fetchedData = typeof fetched === 'object' ? JSON.stringify(fetched) : fetched
      phone.prefetched = { fetchedData, timeStamp, behaviour }
    },
    offline() {
      phone.isOnline = false
      cutAll('网络连接已中断。', 600000)
      tellNetwork()
    },
    online() {
      phone.isOnline = true
      tellNetwork()
    },
    hide: lifecycle.hide,
    show: lifecycle.show,
    failStorage(verb, { times = Number.POSITIVE_INFINITY, silently = false } = {}) {
      phone.storageFaults[verb] = times
      phone.isSilent[verb] = silently
    },
    launch: lifecycle.launch,
    switchUser(user) {
      phone.user = user
      phone.times.login = []
    },
    get storage() {
      return area()
    },
    restart() {
      lifecycle.end()
      cutAll('interrupted', 600003)
      return createProcess(options, phone)
    },
  }

  const wx: FakeWx = {
    login(options) {
      calls.login += 1
      return login(options)
    },
    qy: {
      login(options) {
        calls.qyLogin += 1
        return qyLogin(options)
      },
    },
    request(options) {
      calls.request += 1
      return request(options)
    },
    uploadFile(options) {
      calls.uploadFile += 1
      return uploadFile(options)
    },
    downloadFile(options) {
      calls.downloadFile += 1
      return downloadFile(options)
    },
    connectSocket(options) {
      calls.connectSocket += 1
      return sockets.connect(options)
    },
    requestVirtualPayment(options) {
      calls.requestVirtualPayment += 1
      payments.request('requestVirtualPayment', options)
    },
    requestMidasPaymentGameItem(options) {
      calls.requestMidasPaymentGameItem += 1
      payments.request('requestMidasPaymentGameItem', options)
    },
    getBackgroundFetchData(options) {
      calls.getBackgroundFetchData += 1
      return getBackgroundFetchData(options)
    },
    cloud,
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
      return {
        miniProgram: { appId, envVersion, version: '' },
        ...(runtime === 'plugin' && { plugin: { appId: 'wx00000000plugin01', version: '' } }),
      }
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
    onNetworkStatusChange(listener) {
      calls.onNetworkStatusChange += 1
      networkListeners.add(listener)
    },
    offNetworkStatusChange(listener) {
      calls.offNetworkStatusChange += 1
      if (listener) networkListeners.delete(listener)
      else networkListeners.clear()
    },
    onShow(listener) {
      calls.onShow += 1
      lifecycle.showListeners.add(listener)
    },
    offShow(listener) {
      calls.offShow += 1
      if (listener) lifecycle.showListeners.delete(listener)
      else lifecycle.showListeners.clear()
    },
    onHide(listener) {
      calls.onHide += 1
      lifecycle.hideListeners.add(listener)
    },
    offHide(listener) {
      calls.offHide += 1
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

  for (const name of missingIn[runtime]) Reflect.deleteProperty(wx, name)
  for (const name of omit) {
    if (!(name in wx) || name === 'control') {
      const allowed = Object.keys(wx).join(', ')
      throw new TypeError(`omit: this wx has no ${name}; it can lack ${allowed}`)
    }
    Reflect.deleteProperty(wx, name)
  }
  return wx
}

/** The container as one more host of the network. */
function throughNetwork(
  network: (request: FakeNetworkRequest) => Promise<FakeNetworkResponse>,
): (request: FakeContainerRequest) => Promise<FakeNetworkResponse> {
  return ({ env, service, path, user: _, ...request }) =>
    network({ ...request, url: `https://${service}.${env}${path}` })
}

function randomCode(): string {
  return `0${randomBytes(16).toString('hex').slice(1)}`
}

function check({ appId, user, scene, domains, runtime }: FakeWxOptions): void {
  if (runtime !== undefined && !Object.keys(missingIn).includes(runtime)) {
    throw new TypeError(`runtime must be one of ${Object.keys(missingIn).join(', ')}`)
  }
  if (appId === '') throw new TypeError('appId must be a non-empty string')
  if (user === '') throw new TypeError('user must be a non-empty string')
  if (scene !== undefined && !Number.isInteger(scene)) {
    throw new TypeError('scene must be an integer such as 1001')
  }
  for (const domain of domains ?? []) {
    if (!/^(https|wss):\/\/[^/?#]+$/.test(domain)) {
      throw new TypeError(`domains: ${domain} must look like https://api.example.com`)
    }
  }
}
