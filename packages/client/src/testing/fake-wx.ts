import { randomBytes } from 'node:crypto'
import type { Wx, WxFailure } from '../wx.js'
import { createAnswer, type Done } from './callbacks.js'
import type {
  FakeBackgroundFetchEvent,
  FakeBackgroundFetchOptions,
  FakeFetchedData,
} from './fake-background-fetch.js'
import { createBackgroundFetch } from './fake-background-fetch.js'
import { createCounter } from './fake-calls.js'
import { globalClock } from './fake-clock.js'
import { createCloud, type FakeCloud } from './fake-container.js'
import { createControl, type FakeWxControl } from './fake-control.js'
import type { FakeDownloadOptions, FakeDownloadTask } from './fake-download.js'
import { createDownloadFile } from './fake-download.js'
import { createLifecycle, type FakeLaunchOptions } from './fake-lifecycle.js'
import { createLogin, type FakeLoginOptions, type FakeLoginResult } from './fake-login.js'
import { fetchNetwork } from './fake-network.js'
import { areaOf, createPhone, type Phone } from './fake-phone.js'
import {
  createGetRandomValues,
  type FakeRandomOptions,
  type FakeRandomResult,
} from './fake-random.js'
import { createRequest, type FakeRequestOptions, type FakeRequestTask } from './fake-request.js'
import type { FakeSocketTask } from './fake-socket-task.js'
import { createSockets, type FakeSocketOptions } from './fake-sockets.js'
import { createStorageCalls, type FakeStorageCalls } from './fake-storage-calls.js'
import { createTransport } from './fake-transport.js'
import { createUploadFile, type FakeUploadOptions, type FakeUploadTask } from './fake-upload.js'
import { checkOptions, type FakeWxOptions } from './fake-wx-options.js'
import { interrupted } from './reasons.js'

/** Hand it to `createClient({ wx })`. Everything a test does to the phone is in `control`. */
export interface FakeWx extends Wx, FakeStorageCalls {
  login(options?: FakeLoginOptions): Promise<FakeLoginResult> | undefined
  request(options: FakeRequestOptions): FakeRequestTask
  uploadFile(options: FakeUploadOptions): FakeUploadTask
  downloadFile(options: FakeDownloadOptions): FakeDownloadTask
  connectSocket(options: FakeSocketOptions): FakeSocketTask
  readonly cloud: FakeCloud
  getBackgroundFetchData(
    options: FakeBackgroundFetchOptions,
  ): Promise<FakeFetchedData & Done> | undefined
  onBackgroundFetchData(listener: (event: FakeBackgroundFetchEvent) => void): void
  getAccountInfoSync(): {
    miniProgram: { appId: string; envVersion: 'develop' | 'trial' | 'release'; version: string }
  }
  getEnterOptionsSync(): FakeLaunchOptions
  getLaunchOptionsSync(): FakeLaunchOptions
  onAppShow(listener: (options: FakeLaunchOptions) => void): void
  offAppShow(listener?: (options: FakeLaunchOptions) => void): void
  onAppHide(listener: () => void): void
  offAppHide(listener?: () => void): void
  getRandomValues(options: FakeRandomOptions): Promise<FakeRandomResult> | undefined
  readonly control: FakeWxControl
}

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
  checkOptions(options)
  const { user = 'user-1', storage = new Map<string, string>() } = options
  return createProcess(options, createPhone(user, storage))
}

function createProcess(options: FakeWxOptions, phone: Phone): FakeWx {
  const {
    appId = 'wx0000000000000001',
    wechat = { codeFor: randomCode },
    network = fetchNetwork,
    containerUrl = 'https://container.invalid',
    sockets: handshake = (socket) => socket.accept(),
    clock = globalClock,
    touristMode = false,
    scene = 1001,
    omit = [],
    errno: hasErrno = true,
  } = options
  const lifecycle = createLifecycle({ clock, scene, onSuspend: interrupt })
  const { deliver, isEnded, isSinglePage } = lifecycle
  const { files } = phone
  const surroundings = {
    appId,
    clock,
    deliver,
    answer: createAnswer(deliver),
    failure: (errMsg: string, errno?: number): WxFailure =>
      hasErrno && errno !== undefined ? { errMsg, errno } : { errMsg },
    isOnline: () => phone.isOnline,
    isHidden: () => lifecycle.isHidden() || isEnded(),
    isEnded,
    isSinglePage,
  }
  const transport = createTransport({
    ...surroundings,
    network,
    domains: {
      request: lowerCase(options.domains),
      upload: lowerCase(options.uploadDomains),
      download: lowerCase(options.downloadDomains),
    },
    behaviourFor: phone.requests.next,
  })
  const sockets = createSockets({
    ...surroundings,
    handshake,
    domains: lowerCase(options.socketDomains),
    behaviourFor: phone.sockets.next,
  })
  function interrupt(): void {
    transport.failAll(interrupted)
    sockets.interruptAll()
  }

  const login = createLogin({
    ...surroundings,
    touristMode,
    nextBehaviour: () => phone.logins.next(undefined),
    newCode: () => wechat.codeFor(phone.user, { appId }),
    loginTimes: phone.loginTimes,
  })
  const cloud = createCloud({
    ...surroundings,
    transport,
    url: containerUrl,
    caller: () => ({
      appId,
      openid: wechat.openidOf?.(phone.user, { appId }) ?? phone.user,
      unionid: wechat.unionidOf?.(phone.user, { appId }),
    }),
  })
  const backgroundFetch = createBackgroundFetch({
    ...surroundings,
    kept: () => phone.fetched.get(phone.user),
    keep: (data) => void phone.fetched.set(phone.user, data),
  })
  const area = () => areaOf(phone, isSinglePage() ? `${phone.user} in one page` : phone.user)
  const storage = createStorageCalls({ ...surroundings, area, faults: phone.storageFaults })
  const { calls, counted } = createCounter()

  const wx: FakeWx = {
    login: counted('login', login),
    request: counted('request', createRequest({ appId, transport })),
    uploadFile: counted('uploadFile', createUploadFile({ appId, files, transport })),
    downloadFile: counted('downloadFile', createDownloadFile({ appId, files, transport })),
    connectSocket: counted('connectSocket', sockets.connectSocket),
    cloud: {
      init: counted('cloud.init', cloud.init),
      callContainer: counted('cloud.callContainer', cloud.callContainer),
    },
    getBackgroundFetchData: counted('getBackgroundFetchData', backgroundFetch.getData),
    onBackgroundFetchData: counted('onBackgroundFetchData', backgroundFetch.onData),
    getStorageSync: counted('getStorageSync', storage.getStorageSync),
    setStorageSync: counted('setStorageSync', storage.setStorageSync),
    removeStorageSync: counted('removeStorageSync', storage.removeStorageSync),
    getStorage: counted('getStorage', storage.getStorage),
    setStorage: counted('setStorage', storage.setStorage),
    removeStorage: counted('removeStorage', storage.removeStorage),
    getAccountInfoSync: counted('getAccountInfoSync', () => ({
      miniProgram: { appId, envVersion: 'develop', version: '' },
    })),
    getEnterOptionsSync: counted('getEnterOptionsSync', lifecycle.enterOptions),
    getLaunchOptionsSync: counted('getLaunchOptionsSync', lifecycle.launchOptions),
    onAppShow: counted('onAppShow', lifecycle.shown.on),
    offAppShow: counted('offAppShow', lifecycle.shown.off),
    onAppHide: counted('onAppHide', lifecycle.hiding.on),
    offAppHide: counted('offAppHide', lifecycle.hiding.off),
    getRandomValues: counted('getRandomValues', createGetRandomValues(surroundings)),
    control: createControl({
      phone,
      lifecycle,
      transport,
      sockets,
      clock,
      calls,
      area,
      onPrefetch: backgroundFetch.arrive,
      restart() {
        lifecycle.end()
        interrupt()
        return createProcess(options, phone)
      },
    }),
  }
  leaveOut(wx, omit)
  return wx
}

/** Takes away what an old base library lacks. */
function leaveOut(wx: FakeWx, names: readonly string[]): void {
  const members = Object.keys(wx).filter((name) => name !== 'control')
  for (const name of names) {
    if (!members.includes(name)) {
      throw new TypeError(`omit: this wx has no ${name}; it can lack ${members.join(', ')}`)
    }
    Reflect.deleteProperty(wx, name)
  }
}

function lowerCase(domains: readonly string[] | undefined): readonly string[] | undefined {
  return domains?.map((domain) => domain.toLowerCase())
}

function randomCode(): string {
  return `0${randomBytes(16).toString('hex').slice(1)}`
}
