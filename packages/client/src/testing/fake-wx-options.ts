import type { FakeClock } from './fake-clock.js'
import type { FakeNetworkRequest, FakeNetworkResponse } from './fake-network.js'
import type { FakeServerSocket } from './fake-server-socket.js'

export interface FakeWxOptions {
  /** Default `'wx0000000000000001'`. */
  appId?: string
  /**
   * Gives login codes, and the identity that the gateway of cloud hosting adds; `createFakeWeChat()` of
   * `@wxlogin/server/testing` fits. Default: random codes, and the user's name for an openid.
   */
  wechat?: {
    codeFor(user: string, options?: { appId?: string }): string
    openidOf?(user: string, options?: { appId?: string }): string
    unionidOf?(user: string, options?: { appId?: string }): string | undefined
  }
  /** Who holds the phone, default `'user-1'`. */
  user?: string
  /** How a request leaves the phone, default the global `fetch`. A rejection is a broken connection. */
  network?: (request: FakeNetworkRequest) => Promise<FakeNetworkResponse>
  /** Where calls of `wx.cloud.callContainer` arrive in the network, default `'https://container.invalid'`. */
  containerUrl?: string
  /** The server of `wx.connectSocket`, told of every handshake; one that throws breaks the connection. Default: accepts. */
  sockets?: (socket: FakeServerSocket) => void | Promise<void>
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
  /** The legal domains of `wx.uploadFile`. Default: no check. */
  uploadDomains?: readonly string[]
  /** The legal domains of `wx.downloadFile`. Default: no check. */
  downloadDomains?: readonly string[]
  /** The legal domains of `wx.connectSocket`, like `'wss://api.example.com'`. Default: no check. */
  socketDomains?: readonly string[]
}

/** Throws `TypeError`, naming the option and what is allowed. */
export function checkOptions(options: FakeWxOptions): void {
  const { appId, user, scene, containerUrl } = options
  if (appId === '') throw new TypeError('appId must be a text that is not empty')
  if (user === '') throw new TypeError('user must be a name that is not empty')
  if (scene !== undefined && !Number.isInteger(scene)) {
    throw new TypeError('scene must be a whole number such as 1001')
  }
  if (containerUrl !== undefined && !/^https?:\/\/[^?#]*[^/?#]$/.test(containerUrl)) {
    throw new TypeError('containerUrl must look like http://127.0.0.1:3000, without / at its end')
  }
  for (const name of ['domains', 'uploadDomains', 'downloadDomains'] as const) {
    checkDomains(name, options[name], 'https')
  }
  checkDomains('socketDomains', options.socketDomains, 'wss')
}

function checkDomains(
  name: string,
  domains: readonly string[] | undefined,
  scheme: 'https' | 'wss',
): void {
  const pattern = new RegExp(`^${scheme}://[^/?#]+$`)
  for (const domain of domains ?? []) {
    if (!pattern.test(domain)) {
      throw new TypeError(`${name}: ${domain} must look like ${scheme}://api.example.com`)
    }
  }
}
