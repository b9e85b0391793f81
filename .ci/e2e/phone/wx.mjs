// `wx` on this phone. The network leads to the backend of this run, `wx.login` to its emulated WeChat, and storage
// outlives a restart, which is a reload of the page.

const appId = 'wx0000000000000001'

/** For the story: how often the mini program logged in since it was opened, and a clock to move. */
const phone = {
  logins: 0,
  /** WeChat's number of how the mini program was opened. */
  entrance: 1001,
  pass(ms) {
    aheadMs += ms
    sessionStorage.setItem('aheadMs', aheadMs)
  },
}
globalThis.phone = phone

let aheadMs = Number(sessionStorage.getItem('aheadMs'))
const now = Date.now
Date.now = () => now() + aheadMs

export function createWx() {
  const system = {
    brand: 'devtools',
    model: 'iPhone 15',
    pixelRatio: devicePixelRatio,
    windowWidth: innerWidth,
    windowHeight: innerHeight,
    screenWidth: innerWidth,
    screenHeight: innerHeight,
    statusBarHeight: 0,
    safeArea: {
      left: 0,
      right: innerWidth,
      top: 0,
      bottom: innerHeight,
      width: innerWidth,
      height: innerHeight,
    },
    language: 'zh_CN',
    version: '8.0.50',
    system: 'iOS 17.0',
    platform: 'devtools',
    SDKVersion: '3.6.0',
    theme: 'light',
    fontSizeSetting: 16,
    host: { env: 'WeChat', appId },
  }
  const launched = { path: 'pages/index/index', scene: 1001, query: {}, referrerInfo: {} }
  const nothing = () => undefined

  return {
    login: (options) => {
      phone.logins += 1
      settle(options, 'login', getCode())
    },
    request,
    getStorageSync: stored,
    setStorageSync: store,
    removeStorageSync: (key) => localStorage.removeItem(key),
    getStorage: (options) =>
      settle(options, 'getStorage', Promise.resolve({ data: stored(options.key) })),
    setStorage: (options) =>
      settle(options, 'setStorage', Promise.resolve(store(options.key, options.data))),
    getRandomValues: (options) => {
      const randomValues = crypto.getRandomValues(new Uint8Array(options.length)).buffer
      return settle(options, 'getRandomValues', Promise.resolve({ randomValues }))
    },
    getAccountInfoSync: () => ({ miniProgram: { appId, envVersion: 'develop', version: '' } }),
    getEnterOptionsSync: () => ({ ...launched, scene: phone.entrance }),
    getLaunchOptionsSync: () => launched,
    getDeviceInfo: () => system,
    getWindowInfo: () => system,
    getAppBaseInfo: () => system,
    getSystemSetting: () => ({}),
    getAppAuthorizeSetting: () => ({}),
    getSystemInfoSync: () => system,
    getMenuButtonBoundingClientRect: () => ({
      top: 0,
      left: 0,
      right: 0,
      bottom: 0,
      width: 0,
      height: 0,
    }),
    canIUse: () => true,
    nextTick: (run) => setTimeout(run, 0),
    onAppShow: nothing,
    offAppShow: nothing,
    onAppHide: nothing,
    offAppHide: nothing,
    onError: nothing,
    onUnhandledRejection: nothing,
    onPageNotFound: nothing,
    onThemeChange: nothing,
    onWindowResize: nothing,
  }
}

function stored(key) {
  return JSON.parse(localStorage.getItem(key) ?? '""')
}

function store(key, value) {
  localStorage.setItem(key, JSON.stringify(value))
}

async function getCode() {
  const response = await fetch('/wechat/code', { method: 'POST' })
  return { code: await response.text() }
}

function request(options) {
  const { method = 'GET', header = {}, data, timeout = 60_000 } = options
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort('timeout'), timeout)
  const answer = send(options.url, {
    method: method.toUpperCase(),
    header,
    data,
    signal: stop.signal,
  })
  settle(options, 'request', answer)
  answer.then(
    () => clearTimeout(timer),
    () => clearTimeout(timer),
  )
  return {
    abort: () => stop.abort('abort'),
    onHeadersReceived: () => undefined,
    offHeadersReceived: () => undefined,
  }
}

async function send(address, { method, header, data, signal }) {
  const { pathname, searchParams } = new URL(address)
  const hasBody = data !== undefined && method !== 'GET'
  if (data !== undefined && !hasBody) {
    for (const [name, value] of Object.entries(data)) searchParams.set(name, value)
  }
  const query = searchParams.size > 0 ? `?${searchParams}` : ''
  const response = await fetch(`/backend${pathname}${query}`, {
    method,
    headers: { ...(hasBody && { 'content-type': 'application/json' }), ...header },
    ...(hasBody && { body: typeof data === 'string' ? data : JSON.stringify(data) }),
    signal,
  })
  const text = await response.text()
  return {
    statusCode: response.status,
    header: Object.fromEntries(response.headers),
    data: parsed(text),
    cookies: [],
  }
}

/** By callback, and without one by promise, as `wx` does. */
function settle({ success, fail, complete }, name, work) {
  const settled = work.then(
    (result) => {
      const answer = { ...result, errMsg: `${name}:ok` }
      success?.(answer)
      complete?.(answer)
      return answer
    },
    (error) => {
      const failure = { errMsg: `${name}:fail ${error}`, errno: error === 'timeout' ? 5 : 600001 }
      fail?.(failure)
      complete?.(failure)
      if (!success && !fail && !complete) throw failure
      return failure
    },
  )
  return success || fail || complete ? undefined : settled
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
