import { assertOption, isText } from './errors.js'
import { type ClientEvent, tell } from './events.js'
import { createNewKey } from './session/idempotency-key.js'
import type { LoginSettings, RenewalSettings } from './session/renewal.js'
import type { RecordSettings } from './session/token-record.js'
import { ignore, isTimeout, resultOf, timeoutOf } from './task.js'
import type { SendSettings } from './transports/send.js'
import type { Runtime, Wx, WxHeaders, WxResponse } from './wx.js'

export interface ClientOptions extends LoginSettings {
  /** The URL of the backend, `'https://api.example.com'` for example. */
  baseUrl: string
  /** Where the backend mounts the login routes, below `baseUrl` (default `'/wx'`). */
  authPath?: string
  /** Default: what `wx.getAccountInfoSync()` says. */
  appId?: string
  /** The runtime (default the global `wx`), looked up when the client is created. `Taro` and `uni` work too. */
  wx?: Wx
  /** Other origins that may get the access token, `'https://cdn.example.com'` for example. */
  trustedOrigins?: readonly string[]
  /** Deadline of a request, waiting for a login included, unless it has a `timeout` of its own (default 60 000). */
  timeoutMs?: number
  /** The one key in storage (default `'wxlogin'`). */
  storageKey?: string
  /** Recognises a refused access token where the backend does not answer 401 with `invalid_token`. */
  isUnauthorized?: (response: WxResponse) => boolean
  /** Takes the data out of a 2xx answer like `{ code, msg, data }`, or throws, which rejects with `business`. */
  unwrap?: (response: WxResponse) => unknown
  /**
   * Also takes what the login routes answer out by `unwrap`, for a gateway that wraps everything. It gets their errors
   * too, and must throw for what is not of the gateway's shape.
   */
  unwrapAuth?: boolean
  /**
   * For every request to a trusted origin, login and refresh included: of a tenant, a terminal or a language. A header
   * of the request itself takes precedence, if its name is spelt the same.
   */
  headers?: WxHeaders | (() => WxHeaders)
  /** For metrics and logs; holds no secret. */
  onEvent?: (event: ClientEvent) => void
}

/** The options with their defaults, and what follows from them: the settings of every part. */
export interface Settings extends RecordSettings, RenewalSettings, SendSettings {
  /** In DevTools, and in a development or trial version on a phone. */
  readonly isInDevelopment: boolean
}

declare const wx: unknown

/** @throws TypeError when an option is wrong */
export function resolveOptions(options: ClientOptions): Settings {
  const runtime = runtimeOf<Runtime>(options)
  const account = Object(runtime.getAccountInfoSync && runtime.getAccountInfoSync().miniProgram)
  const {
    baseUrl,
    authPath = '/wx',
    appId = account.appId,
    trustedOrigins = [],
    storageKey = 'wxlogin',
    isUnauthorized = () => false,
    unwrap = ({ data }) => data,
    unwrapAuth,
    headers,
    onEvent = ignore,
  } = options
  const isInDevelopment = /^[dt]/.test(account.envVersion)
  const timeoutMs = timeoutOf(60_000, options.timeoutMs)
  const loginTimeoutMs = timeoutOf(10_000, options.loginTimeoutMs)
  for (const name of ['appSecret', 'secret', 'container', 'cloudFunction']) {
    assertOption(
      !(options as object as { [name: string]: unknown })[name],
      `${name} is no option here`,
    )
  }
  const origins = [baseUrl].concat(trustedOrigins).map((url, index) => {
    const origin = originOf(url)
    assertOption(
      origin,
      `${index ? 'trustedOrigins' : 'baseUrl'} must be a url like https://api.example.com`,
    )
    return origin
  })
  assertOption(isText(appId), 'appId must be a non-empty string')
  assertOption(isText(storageKey), 'storageKey must be a non-empty string')
  assertOption(!options.sandbox || isInDevelopment, 'sandbox must be off in a release')
  assertOption(isTimeout(timeoutMs), 'timeoutMs must be 1 to 2147483647 ms')
  assertOption(
    isTimeout(loginTimeoutMs) && loginTimeoutMs <= 20_000,
    'loginTimeoutMs must be 1 to 20000 ms',
  )
  const urlOf = (url: string): string =>
    /^https?:/i.test(url) ? url : baseUrl.replace(/\/*$/, '') + url.replace(/^\/*/, '/')

  return Object.assign({}, options, {
    wx: runtime,
    isInDevelopment,
    appId,
    authUrl: urlOf(authPath),
    urlOf,
    isTrusted: (url: string) => origins.indexOf(originOf(url)) >= 0,
    timeoutMs,
    loginTimeoutMs,
    storageKey,
    isUnauthorized,
    unwrap,
    opened: (response: WxResponse) =>
      // A gateway without a server behind it wraps nothing.
      unwrapAuth && response.statusCode < 500
        ? Object.assign({}, response, { data: unwrap(response) })
        : response,
    headers: () => resultOf(headers),
    newKey: createNewKey(runtime),
    emit: (event: ClientEvent) => tell(onEvent, event),
  })
}

/** The option `wx`, or the global one. */
export function runtimeOf<R extends Wx>({
  wx: runtime = typeof wx === 'undefined' ? undefined : (wx as Wx),
}: {
  readonly wx?: Wx
}): R {
  assertOption(runtime, 'wx is needed')
  return runtime as R
}

/** Scheme, host and port as written, in lower case; empty for anything that URL parsers may read differently. */
export const originOf = (url: string): string =>
  (/^https?:\/\/[\w.-]+(:\d+)?(?=[/?#]|$)/i.exec(url) || [''])[0].toLowerCase()
