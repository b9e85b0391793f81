import type { ClientError } from './errors.js'
import {
  type ClientEvent,
  createRenewal,
  ignore,
  type LoginOptions,
  type LoginSettings,
  type LogoutOptions,
  type Renewal,
} from './session/renewal.js'
import { createSingleFlight } from './session/single-flight.js'
import {
  type ChangeReason,
  createRecordStore,
  type Pair,
  type RecordStore,
  type TokenRecord,
} from './session/token-record.js'
import {
  type ClientResponse,
  createSend,
  originOf,
  type RequestOptions,
  type RequestTask,
  type Send,
} from './transports/send.js'
import type { Runtime, Wx, WxLaunchOptions, WxResponse } from './wx.js'

export interface ClientOptions extends LoginSettings {
  /** Where the backend is, `'https://api.example.com'` for example. */
  baseUrl: string
  /** Where the backend mounts the login routes, below `baseUrl` (default `'/wx'`). */
  authPath?: string
  /** Default: what `wx.getAccountInfoSync()` says. */
  appId?: string
  /** The runtime (default the global `wx`), looked up when the client is created. `Taro` and `uni` fit. */
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

declare const wx: Runtime

/**
 * The login of one mini program at one backend. Create it once, in a module of its own.
 *
 * @throws TypeError when an option is wrong
 */
export function createClient<Data = unknown>(options: ClientOptions): Client<Data> {
  return createCore<Data>(options)
}

/** What both entries are made of: the client, and what the fuller one makes its other requests of. */
export function createCore<Data>(
  options: ClientOptions,
  start?: (store: RecordStore) => Promise<unknown>,
  extend?: (
    client: Client<Data>,
    send: Send,
    store: RecordStore,
    renewal: Renewal,
    authUrl: string,
  ) => void,
): Client<Data> {
  const {
    baseUrl,
    wx: runtime = wx,
    authPath = '/wx',
    trustedOrigins = [],
    timeoutMs = 60_000,
    loginTimeoutMs = 10_000,
    appId = runtime.getAccountInfoSync().miniProgram.appId,
    storageKey = 'wxlogin',
    onEvent = ignore,
  } = options as ClientOptions & { wx?: Runtime }
  const origins = [baseUrl].concat(trustedOrigins).map(originOf)
  if (
    origins.indexOf('') >= 0 ||
    !(timeoutMs > 0 && loginTimeoutMs > 0 && loginTimeoutMs <= 20_000)
  ) {
    throw new TypeError('check baseUrl, trustedOrigins, timeoutMs, loginTimeoutMs')
  }
  const urlOf = (url: string): string =>
    /^https?:/i.test(url) ? url : baseUrl.replace(/\/*$/, '') + url.replace(/^\/*/, '/')
  const authUrl = urlOf(authPath)
  const sessionOf = (({ access_token, user_id: userId, data, askedMs, expires_in }: Pair) =>
    access_token
      ? { userId, appId, data: data as Data | undefined, expiresAt: askedMs / 1000 + expires_in }
      : undefined) as {
    (pair: Pair): Session<Data>
    (record: TokenRecord): Session<Data> | undefined
  }
  const emit = (event: ClientEvent): void => tell(onEvent, event)
  const listeners = new Set<(change: SessionChange<Data>) => void>()

  const store = createRecordStore(
    runtime,
    storageKey,
    '1 ' + appId + authUrl,
    (next, before, reason) => {
      const session = sessionOf(next)
      const previous = sessionOf(before)
      if (session || previous) {
        listeners.forEach((listener) => tell(listener, { session, previous, reason }))
      }
    },
    emit,
  )
  // So that listeners do not hear of what was there before them.
  store.read()
  const renewal = createRenewal(
    runtime,
    appId,
    authUrl,
    options,
    loginTimeoutMs,
    store,
    emit,
    createSingleFlight(start ? start(store) : Promise.resolve()),
  )

  const ready = () => renewal.pair().then<Session<Data>, undefined>(sessionOf, ignore)
  const send = createSend(options, origins, timeoutMs, store, renewal, urlOf, emit)

  const client: Client<Data> = {
    launch: ready,
    ready,
    session: () => sessionOf(store.read()),
    login: (options) => renewal.login(options).then<Session<Data>>(sessionOf),
    logout: renewal.logout,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    request: <T>(requested: RequestOptions) =>
      send(requested, (native) => runtime.request(native)) as RequestTask<ClientResponse<T>>,
  }
  if (extend) extend(client, send, store, renewal, authUrl)
  return client
}

// In a turn of its own, so that what the app does here cannot break a login.
export const tell = <T>(listener: (value: T) => void, value: T): void => {
  void Promise.resolve(value).then(listener)
}
