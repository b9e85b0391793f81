// A `wx` for everybody: the few members that the libraries call, each answering later and through the clock.
import { randomBytes } from 'node:crypto'
import { createContext, Script } from 'node:vm'

const appId = 'wx0000000000000001'
const loginMs = 20

/** A phone on which one mini program starts, in a world of its own that has `wx` and the language, and no more. */
export function startApp({ code, clock, serve }) {
  let logins = 0
  let lastLoginMs = 0
  let isSilent = false
  let storageCalls = 0
  let isOffline = false
  const networkListeners = []
  const storage = new Map()

  function answer({ success, fail, complete } = {}, ms, result, isFailure) {
    const give = (resolve, reject) =>
      clock.setTimeout(() => {
        ;(isFailure ? reject : resolve)(result)
        complete?.(result)
      }, ms)
    if (success || fail || complete) {
      give(
        (value) => success?.(value),
        (value) => fail?.(value),
      )
      return undefined
    }
    return new Promise(give)
  }

  const copy = (value) => (value === undefined ? '' : JSON.parse(JSON.stringify(value)))
  const read = (key) => copy(storage.get(key))

  const wx = {
    login(options) {
      logins++
      lastLoginMs = clock.now()
      if (isSilent) return undefined
      if (isOffline) return answer(options, 0, { errMsg: 'login:fail' }, true)
      return answer(options, loginMs, { code: `code-${logins}`, errMsg: 'login:ok' })
    },
    request(options) {
      let isOver = false
      if (isOffline) answer(options, 0, { errMsg: 'request:fail' }, true)
      if (isOffline) return {}
      const { delayMs, ...response } = serve({
        method: 'GET',
        ...options,
        header: lower(options.header),
      })
      clock.setTimeout(() => {
        if (isOver) return
        isOver = true
        const result = { header: {}, cookies: [], errMsg: 'request:ok', ...response }
        options.success?.(result)
        options.complete?.(result)
      }, delayMs)
      return {
        abort() {
          if (isOver) return
          isOver = true
          answer(options, 0, { errMsg: 'request:fail abort' }, true)
        },
        onHeadersReceived() {},
        offHeadersReceived() {},
        onChunkReceived() {},
        offChunkReceived() {},
      }
    },
    getUserInfo: (options) =>
      answer(options, 0, { userInfo: {}, encryptedData: '', iv: '', errMsg: 'getUserInfo:ok' }),
    checkSession: (options) => answer(options, 0, { errMsg: 'checkSession:ok' }),
    getStorageSync(key) {
      storageCalls++
      return read(key)
    },
    setStorageSync(key, value) {
      storageCalls++
      storage.set(key, copy(value))
    },
    removeStorageSync(key) {
      storageCalls++
      storage.delete(key)
    },
    getStorage: (options) =>
      storage.has(options.key)
        ? answer(options, 0, { data: read(options.key), errMsg: 'getStorage:ok' })
        : answer(options, 0, { errMsg: 'getStorage:fail data not found' }, true),
    setStorage(options) {
      storage.set(options.key, copy(options.data))
      return answer(options, 0, { errMsg: 'setStorage:ok' })
    },
    removeStorage(options) {
      storage.delete(options.key)
      return answer(options, 0, { errMsg: 'removeStorage:ok' })
    },
    getRandomValues: (options) =>
      answer(options, 0, {
        randomValues: Uint8Array.from(randomBytes(options.length)).buffer,
        errMsg: 'getRandomValues:ok',
      }),
    getAccountInfoSync: () => ({ miniProgram: { appId, envVersion: 'release', version: '1.0.0' } }),
    getEnterOptionsSync: () => ({ scene: 1001, path: '', query: {} }),
    getLaunchOptionsSync: () => ({ scene: 1001, path: '', query: {} }),
    getSystemInfoSync: () => ({ platform: 'ios', SDKVersion: '3.0.0' }),
    onAppShow() {},
    onAppHide() {},
    onNetworkStatusChange: (listener) => void networkListeners.push(listener),
    onSocketOpen() {},
    onSocketMessage() {},
    onSocketError() {},
    onSocketClose() {},
    showLoading() {},
    hideLoading() {},
    showModal: (options) => answer(options, 0, { confirm: true, errMsg: 'showModal:ok' }),
    showToast() {},
    hideToast() {},
  }

  const { now, setTimeout, clearTimeout, setInterval, clearInterval } = clock
  const silent = () => {}
  const world = createContext({
    wx,
    // What uni-app calls it.
    uni: wx,
    now,
    setTimeout,
    clearTimeout,
    setInterval,
    clearInterval,
    console: { log: silent, info: silent, warn: silent, error: silent },
  })
  worldsClock.runInContext(world)
  new Script(code).runInContext(world)

  return {
    /** The data of an answer. */
    request: (path) => world.app.request(path),
    logins: () => logins,
    /** Synchronous calls of storage, each of which stops the one thread. */
    storageCalls: () => storageCalls,
    /** Without a network, or with one again. */
    setOffline(next) {
      isOffline = next
      for (const listener of networkListeners) listener({ isConnected: !next })
    },
    /** Whether there has been a login in the last half of a second. */
    isStillLoggingIn: () => logins > 0 && !isSilent && clock.now() - lastLoginMs < 500,
    /** From now on `wx.login` never answers. */
    silenceLogin() {
      isSilent = true
    },
  }
}

const worldsClock = new Script(`
  globalThis.Date = class extends Date {
    constructor(...given) {
      if (given.length > 0) super(...given)
      else super(now())
    }
    static now() {
      return now()
    }
  }
`)

function lower(header = {}) {
  return Object.fromEntries(
    Object.entries(header).map(([name, value]) => [name.toLowerCase(), String(value)]),
  )
}
