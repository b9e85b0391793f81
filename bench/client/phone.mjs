// A `wx` for everybody: the few members that the libraries call, each answering later and through the clock.
import { createContext, Script } from 'node:vm'

export const appId = 'wx0000000000000001'
const loginMs = 20
/** What WeChat waits for an answer, without a `timeout`. */
const usualTimeoutMs = 60_000

/**
 * A phone on which one mini program starts, in a world of its own that has `wx` and the language, and no more. Another
 * start on the same phone is given its `storage`. `serve` answers now or later, and with nothing when the network
 * loses the request or its answer.
 */
export function startApp({
  code,
  clock,
  serve,
  random = chanceFrom(1),
  storage = new Map(),
  codeFor = (count) => `code-${count}`,
}) {
  let logins = 0
  let lastLoginMs = 0
  let isSilent = false
  let storageCalls = 0
  let isOffline = false
  let isClosed = false
  const networkListeners = []
  const showListeners = []

  function answer({ success, fail, complete } = {}, ms, result, isFailure) {
    const give = (resolve, reject) =>
      clock.setTimeout(() => {
        if (isClosed) return
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
      return answer(options, loginMs, { code: codeFor(logins), errMsg: 'login:ok' })
    },
    request(options) {
      let isOver = false
      function end(callback, result) {
        if (isOver || isClosed) return
        isOver = true
        options[callback]?.(result)
        options.complete?.(result)
      }
      const fail = (errMsg, errno) => end('fail', { errMsg, errno })

      if (isOffline) clock.setTimeout(() => fail('request:fail', 600_001), 0)
      else {
        const timeoutMs = options.timeout || usualTimeoutMs
        clock.setTimeout(() => fail('request:fail timeout', 5), timeoutMs)
        clock.waitFor(send())
      }

      async function send() {
        const { delayMs, onArrival, ...response } = await serve({
          method: 'GET',
          ...options,
          header: { 'content-type': 'application/json', ...lower(options.header) },
        })
        clock.setTimeout(() => {
          if (response.statusCode === undefined) fail('request:fail', 600_001)
          else {
            if (!isOver && !isClosed) onArrival?.()
            end('success', { header: {}, cookies: [], errMsg: 'request:ok', ...response })
          }
        }, delayMs)
      }

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
        randomValues: Uint8Array.from({ length: options.length }, () => random() * 256).buffer,
        errMsg: 'getRandomValues:ok',
      }),
    getAccountInfoSync: () => ({ miniProgram: { appId, envVersion: 'release', version: '1.0.0' } }),
    getEnterOptionsSync: () => ({ scene: 1001, path: '', query: {} }),
    getLaunchOptionsSync: () => ({ scene: 1001, path: '', query: {} }),
    getSystemInfoSync: () => ({ platform: 'ios', SDKVersion: '3.0.0' }),
    onAppShow: (listener) => void showListeners.push(listener),
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
  const closing =
    (set) =>
    (run, ...more) =>
      set(
        (...given) => {
          if (!isClosed) run(...given)
        },
        ...more,
      )
  const silent = () => {}
  const world = createContext({
    wx,
    // What uni-app calls it.
    uni: wx,
    now,
    random,
    setTimeout: closing(setTimeout),
    clearTimeout,
    setInterval: closing(setInterval),
    clearInterval,
    console: { log: silent, info: silent, warn: silent, error: silent },
  })
  worldsOwn.runInContext(world)
  new Script(code).runInContext(world)

  return {
    /** The data of an answer. */
    request: (path) => world.app.request(path),
    /** Where the app has none by itself, a request logs in. */
    login: world.app.login,
    logout: world.app.logout,
    storage,
    logins: () => logins,
    /** Synchronous calls of storage, each of which stops the one thread. */
    storageCalls: () => storageCalls,
    /** Without a network, or with one again; of a line that is dead behind its router the phone knows nothing. */
    setOffline(next, { isKnown = true } = {}) {
      isOffline = next
      for (const listener of networkListeners) {
        if (isKnown) listener({ isConnected: !next, networkType: next ? 'none' : 'wifi' })
      }
    },
    show() {
      for (const listener of showListeners) listener({ scene: 1001, path: '', query: {} })
    },
    /** WeChat ends the mini program: nothing of it runs on, and nothing that comes is heard. */
    close() {
      isClosed = true
    },
    /** Whether there has been a login in the last half of a second. */
    isStillLoggingIn: () => logins > 0 && !isSilent && clock.now() - lastLoginMs < 500,
    /** From now on `wx.login` never answers. */
    silenceLogin() {
      isSilent = true
    },
  }
}

const worldsOwn = new Script(`
  globalThis.Date = class extends Date {
    constructor(...given) {
      if (given.length > 0) super(...given)
      else super(now())
    }
    static now() {
      return now()
    }
  }
  Math.random = random
`)

function lower(header = {}) {
  return Object.fromEntries(
    Object.entries(header).map(([name, value]) => [name.toLowerCase(), String(value)]),
  )
}

/** Chance that comes out the same in every run, with as many digits as the real one, because keys are made of them. */
export function chanceFrom(seed) {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
