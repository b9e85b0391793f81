import { ClientError, headerOf, refusalOf } from './errors.js'
import { type ChangeReason, createRecordStore, type Pair, type TokenRecord } from './record.js'
import {
  type ClientEvent,
  createRenewal,
  isWithin,
  type LoginOptions,
  type LoginSettings,
  type LogoutOptions,
} from './renewal.js'
import { openTask, type Task } from './transports.js'
import {
  globalWx,
  type Wx,
  type WxLaunchOptions,
  type WxRequestOptions,
  type WxRequestTask,
  type WxResponse,
} from './wx.js'

export interface ClientOptions extends LoginSettings {
  /** Where the backend is, `'https://api.example.com'` for example. */
  baseUrl: string
  /** Where the backend mounts the login routes, below `baseUrl` (default `'/wx'`). */
  authPath?: string
  /** Default: what `wx.getAccountInfoSync()` says. */
  appId?: string
  /** The runtime (default the global `wx`), looked up when the client is created. */
  wx?: Wx
  /** Other origins that may get the access token, `'https://cdn.example.com'` for example. */
  trustedOrigins?: readonly string[]
  /** Deadline of a request, waiting for a login included, unless it has a `timeout` of its own (default 60 000). */
  timeoutMs?: number
  /** Deadline of a login, from `wx.login` to the tokens, and of a refresh (default 10 000, at most 20 000). */
  loginTimeoutMs?: number
  /** The one key in storage (default `'wxlogin'`). */
  storageKey?: string
  /** Recognises a refused access token where the backend does not answer 401 with `invalid_token`. */
  isUnauthorized?: (response: WxResponse) => boolean
  /** Takes the data out of a 2xx answer like `{ code, msg, data }`, or throws, which rejects with `business`. */
  unwrap?: (response: WxResponse) => unknown
  /** For metrics and logs; holds no secret. */
  onEvent?: (event: ClientEvent) => void
}

/** Who is logged in. */
export interface Session<Data = unknown> {
  readonly userId: string
  readonly appId: string
  /** What `onLogin` returned for the client at the last login. */
  readonly data: Data | undefined
  /** End of the access token by the phone's clock, in seconds since 1970. It is renewed before. */
  readonly expiresAt: number
}

export interface SessionChange<Data = unknown> {
  readonly session: Session<Data> | undefined
  readonly previous: Session<Data> | undefined
  readonly reason: ChangeReason
}

/** What `wx.request` takes, with a url that may be relative to `baseUrl`. */
export interface RequestOptions extends Omit<WxRequestOptions, 'success' | 'fail'> {
  /**
   * `true` (default): with a token, after a login if need be. `'optional'`: anonymous when login fails.
   * `false`: anonymous. A request to an origin that is not trusted, or with an `Authorization` header of its own, is
   * sent as it is.
   */
  auth?: true | 'optional' | false
  /** Resolves whatever the status is, without `unwrap`. */
  raw?: boolean
  enableCache?: boolean
  enableChunked?: boolean
  enableHttp2?: boolean
  enableHttpDNS?: boolean
  enableHttpDNSFallback?: boolean
  enableProfile?: boolean
  enableQuic?: boolean
  forceCellularNetwork?: boolean
  httpDNSServiceId?: string
  httpDNSTimeout?: number
  redirect?: 'follow' | 'manual'
  useHighPerformanceMode?: boolean
}

/** A promise that is also what `wx.request` returns. */
export interface RequestTask<T> extends Task<T> {
  /** Also before there is a native task. Hears the refused answer before a replay too. */
  onHeadersReceived(listener: (result: { header: object }) => void): void
  offHeadersReceived(listener?: (result: { header: object }) => void): void
  /** Needs `enableChunked`. Hears the refused answer before a replay too. */
  onChunkReceived(listener: (result: { data: ArrayBuffer }) => void): void
  offChunkReceived(listener?: (result: { data: ArrayBuffer }) => void): void
}

export interface ClientResponse<T> extends WxResponse {
  readonly data: T
}

export interface Client<Data = unknown> {
  /**
   * Logs in silently unless there is a session. Never rejects.
   * The options of `App.onLaunch` may be handed on; nothing is read from them, as a link can say anything.
   */
  launch(options?: WxLaunchOptions): Promise<Session<Data> | undefined>
  /** The session once it is clear whether there is one. Never rejects. */
  ready(): Promise<Session<Data> | undefined>
  /** The session as known now. */
  session(): Session<Data> | undefined
  /**
   * Makes sure of a session, after a sign-out too; a new login only with `force` or `input`, or where there is none.
   * Rejects with {@link ClientError}.
   */
  login(options?: LoginOptions): Promise<Session<Data>>
  /**
   * Signs out on this phone at once, offline too; nothing logs in again until `login()`.
   * Rejects only with `everywhere`, when the server could not be told to end the user's other sessions.
   */
  logout(options?: LogoutOptions): Promise<void>
  /** Calls the listener after every change of the session; returns what ends that. */
  onChange(listener: (change: SessionChange<Data>) => void): () => void
  /** `wx.request` with the access token, renewed and sent again once if it was refused. Rejects with {@link ClientError}. */
  request<T = unknown>(options: RequestOptions): RequestTask<ClientResponse<T>>
}

/**
 * The login of one mini program at one backend. Create it once, in a module of its own.
 *
 * @throws TypeError when an option is wrong
 */
export function createClient<Data = unknown>(options: ClientOptions): Client<Data> {
  const {
    baseUrl,
    authPath = '/wx',
    wx = globalWx(),
    appId = wx.getAccountInfoSync().miniProgram.appId,
    trustedOrigins = [],
    timeoutMs = 60_000,
    loginTimeoutMs = 10_000,
    storageKey = 'wxlogin',
    isUnauthorized = () => false,
    unwrap = ({ data }) => data,
    onEvent = () => {},
  } = options
  const origins = [baseUrl].concat(trustedOrigins).map(originOf)
  if (
    origins.indexOf('') >= 0 ||
    !(timeoutMs > 0 && loginTimeoutMs > 0 && loginTimeoutMs <= 20_000)
  ) {
    throw new TypeError('check baseUrl, trustedOrigins, timeoutMs, loginTimeoutMs')
  }
  const base = baseUrl.replace(/\/+$/, '')
  const authUrl = below(authPath)
  let listeners: ((change: SessionChange<Data>) => void)[] = []

  const store = createRecordStore(
    wx,
    storageKey,
    '1 ' + appId + authUrl,
    (next, before, reason) => {
      const session = sessionOf(next)
      const previous = sessionOf(before)
      if (session || previous) {
        listeners.forEach((listener) => later(listener, { session, previous, reason }))
      }
    },
    emit,
  )
  // So that listeners do not hear of what was there before them.
  store.read()
  const renewal = createRenewal(wx, appId, authUrl, loginTimeoutMs, options, store, emit)

  function below(path: string): string {
    return base + path.replace(/^\/*/, '/')
  }

  function emit(event: ClientEvent): void {
    later(onEvent, event)
  }

  function sessionOf(record: Pair): Session<Data>
  function sessionOf(record: TokenRecord): Session<Data> | undefined
  function sessionOf(record: TokenRecord): Session<Data> | undefined {
    const { access_token, user_id: userId, data, askedMs, expires_in } = record as Pair
    return access_token
      ? { userId, appId, data: data as Data | undefined, expiresAt: askedMs / 1000 + expires_in }
      : undefined
  }

  function ready(): Promise<Session<Data> | undefined> {
    return renewal.pair().then(sessionOf, () => undefined)
  }

  function request<T>(requested: RequestOptions): RequestTask<ClientResponse<T>> {
    const { auth = true, header = {}, raw, timeout = timeoutMs } = requested
    const url = /^https?:/i.test(requested.url) ? requested.url : below(requested.url)
    const isAnonymous =
      !auth || origins.indexOf(originOf(url)) < 0 || headerOf(header, 'authorization')
    const calls: (() => void)[] = []
    let { user_id: userId } = store.read()
    let native: WxRequestTask | undefined

    const task = openTask(timeout, function attempt(ask, refused?: Pair): Promise<
      ClientResponse<T>
    > {
      return Promise.resolve(isAnonymous ? undefined : renewal.pair(refused))
        .catch((error) => {
          if (auth === true && error.code !== 'single_page') throw error
          return undefined
        })
        .then((pair) => {
          if (pair) {
            userId = userId || pair.user_id
            if (userId !== pair.user_id) throw new ClientError('user_changed')
          }
          return ask(
            (success, fail) => {
              native = wx.request(
                Object.assign({}, requested, {
                  url,
                  header: Object.assign(
                    {},
                    header,
                    pair && { Authorization: `Bearer ${pair.access_token}` },
                  ),
                  timeout,
                  success,
                  fail,
                }),
              )
              calls.forEach((call) => call())
              return native
            },
            (response: WxResponse): ClientResponse<T> | Promise<ClientResponse<T>> => {
              // A 401 that speaks of the token (RFC 6750 §3.1), in header or body; an app's own 401 does not.
              const said =
                headerOf(response.header, 'www-authenticate') + ' ' + Object(response.data).error
              const isRefused =
                (response.statusCode === 401 &&
                  /bearer.*"invalid_token"| invalid_token$/i.test(said)) ||
                isUnauthorized(response)
              if (
                isRefused &&
                pair &&
                !refused &&
                !(pair === store.read() && isWithin(youngMs, pair.askedMs))
              ) {
                emit({ type: 'replay' })
                return attempt(ask, pair)
              }
              if (raw) return response as ClientResponse<T>
              if (isRefused || response.statusCode >= 300) throw refusalOf(response, isRefused)
              try {
                return Object.assign({}, response, { data: unwrap(response) }) as ClientResponse<T>
              } catch (cause) {
                throw new ClientError('business', Object.assign({}, response, { cause }))
              }
            },
          )
        })
    }) as RequestTask<ClientResponse<T>>
    listening.forEach((name) => {
      task[name] = (listener: never) => {
        const call = (): void => {
          if (native && native[name]) (native[name] as (listener: never) => void)(listener)
        }
        calls.push(call)
        call()
      }
    })
    return task
  }

  return {
    launch: ready,
    ready,
    session: () => sessionOf(store.read()),
    login: (options) => renewal.login(options).then<Session<Data>>(sessionOf),
    logout: renewal.logout,
    onChange(listener) {
      listeners.push(listener)
      return () => {
        listeners = listeners.filter((other) => other !== listener)
      }
    },
    request,
  }
}

// So young that copies of the request that brought it may be under way: using a pair up would make them look like a theft.
const youngMs = 20_000

/** Called again on every native task, so that they hold across a replay and before there is one. */
const listening = [
  'onHeadersReceived',
  'offHeadersReceived',
  'onChunkReceived',
  'offChunkReceived',
] as const

// In a turn of its own, so that what the app does here cannot break a login.
function later<T>(tell: (value: T) => void, value: T): void {
  void Promise.resolve(value).then(tell)
}

/** Scheme, host and port as written, in lower case; empty for anything that URL parsers may read differently. */
function originOf(url: string): string {
  return (/^https?:\/\/[\w.-]+(:\d+)?(?=[/?#]|$)/i.exec(url) || [''])[0].toLowerCase()
}
