import { check, headerOf, type Place } from '../errors.js'
import type { ClientEvent } from '../events.js'
import type { Renewal } from '../session/renewal.js'
import { isYoung, type RecordStore, type TokenPair } from '../session/token-record.js'
import { type Ask, openTask, type Task, timeoutOf } from '../task.js'
import {
  type Runtime,
  responseOf,
  type WxHeaders,
  type WxRequestOptions,
  type WxResponse,
} from '../wx.js'

/** The options of every kind of request, besides those of its `wx` call. */
export interface AuthOptions {
  /**
   * `true` (default): with a token, after a login if needed. `'optional'`: anonymous when login fails.
   * `false`: anonymous. A request to an origin that is not trusted, or with an `Authorization` header of its own, is
   * sent as it is.
   */
  auth?: true | 'optional' | false
}

/** What `wx.request` takes, with a url that may be relative to `baseUrl`. */
export interface RequestOptions extends AuthOptions, Omit<WxRequestOptions, 'success' | 'fail'> {
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
  /** May be called before there is a native task. The listener is also called for a refused answer before a replay. */
  onHeadersReceived(listener: (result: { header: object }) => void): void
  offHeadersReceived(listener?: (result: { header: object }) => void): void
  /** Needs `enableChunked`. The listener is also called for a refused answer before a replay. */
  onChunkReceived(listener: (result: { data: ArrayBuffer }) => void): void
  offChunkReceived(listener?: (result: { data: ArrayBuffer }) => void): void
}

export interface ClientResponse<T> extends WxResponse {
  readonly data: T
}

/** The options that requests of every kind have in common. */
export interface CommonOptions extends AuthOptions {
  readonly url: string
  readonly header?: Readonly<Record<string, string>>
  readonly timeout?: number
  readonly raw?: boolean
}

/** Calls `wx`, and returns the native task where there is one. */
export type NativeCall = (options: WxRequestOptions) => unknown

/**
 * `openTask`, or a variant that handles failures: it may run the attempt again, and pass it the pair that was refused.
 */
export type OpenTask = <T>(
  timeoutMs: number,
  run: (ask: Ask, refused?: TokenPair) => Promise<T>,
  place: Place,
) => Task<T>

/** Sends with the token, one deadline and one `abort`, and once more if the token was refused. */
export type Send = <T>(input: SendInput<T>) => Task<T>

export interface SendInput<T> {
  readonly options: CommonOptions
  readonly call: NativeCall
  /** Handles failures (default `openTask`: it does not). */
  readonly open?: OpenTask
  /**
   * The methods of the native task that take a listener (default those of `wx.request`). Listeners are kept across a
   * replay and may be added before there is a native task.
   */
  readonly events?: readonly string[]
  /** The member that a success of a login route cannot lack. */
  readonly needed?: string
  /** Makes the result from a successful answer (default: the answer with its data unwrapped). */
  readonly read?: (response: WxResponse, pair: TokenPair | undefined) => T
}

const requestEvents = [
  'onHeadersReceived',
  'offHeadersReceived',
  'onChunkReceived',
  'offChunkReceived',
]

export interface SendSettings {
  readonly wx: Runtime
  /** The absolute url of one that may be relative to `baseUrl`. */
  readonly urlOf: (url: string) => string
  /** Whether a request to this url may carry the access token. */
  readonly isTrusted: (url: string) => boolean
  readonly timeoutMs: number
  /** What every request to a trusted origin has; it may throw. */
  readonly headers: () => WxHeaders | undefined
  /** An answer of a login route, out of what a gateway wrapped it in; it may throw. */
  readonly opened: (response: WxResponse) => WxResponse
  readonly isUnauthorized: (response: WxResponse) => boolean
  readonly unwrap: (response: WxResponse) => unknown
  readonly emit: (event: ClientEvent) => void
}

export function createSend(settings: SendSettings, store: RecordStore, renewal: Renewal): Send {
  const unwrapped = <T>(response: WxResponse): T =>
    Object.assign({}, response, { data: settings.unwrap(response) }) as T

  return <T>({
    options,
    call,
    open = openTask,
    events = requestEvents,
    needed,
    read = unwrapped,
  }: SendInput<T>) => {
    const {
      auth = true,
      header = {},
      raw,
      method = 'GET',
      timeout: given,
      url: to,
    } = Object(options)
    const timeout = timeoutOf(settings.timeoutMs, given)
    const url = settings.urlOf(String(to))
    // A query and what stands before an @ may be secret.
    const place = { method, url: url.replace(/[?#].*|[^/]*@/g, '') }
    const isTrusted = settings.isTrusted(url)
    const isAnonymous = !auth || !isTrusted || headerOf(header, 'authorization')
    const calls: (() => void)[] = []
    let { user_id: userId } = store.read()
    /** The pair whose login was too long ago. */
    let old: TokenPair | undefined
    let native: { [name: string]: ((listener: unknown) => void) | undefined } | undefined

    const attempt = (ask: Ask, refused?: TokenPair): Promise<T> =>
      Promise.resolve(isAnonymous ? undefined : renewal.pair(refused, userId, old))
        .catch((error) => {
          // Whoever was logged in, and is not signed out, must not be taken for nobody.
          const isSomebody = auth === true || (userId && !store.last().reason)
          if (isSomebody && error.code !== 'single_page') throw error
          return undefined
        })
        .then((pair) => {
          if (pair) userId = pair.user_id
          const sent = Object.assign(
            {},
            isTrusted && settings.headers(),
            header,
            pair && { Authorization: `Bearer ${pair.access_token}` },
          )
          return ask(
            (success, fail) => {
              native = call(
                Object.assign({}, options, {
                  url,
                  header: sent,
                  timeout,
                  success,
                  fail,
                }),
              ) as typeof native
              calls.forEach((call) => call())
              return native
            },
            (answer: WxResponse): T | Promise<T> => {
              const came = responseOf(answer)
              const response = needed ? settings.opened(came) : came
              const refusal =
                (pair && refusalOf(response)) || (settings.isUnauthorized(came) && invalidToken)
              const isOld = refusal && refusal !== invalidToken
              if (
                pair &&
                (isOld
                  ? // Nobody but our own server tells users apart, and this one must be the same.
                    !old && (settings.wx as Partial<Runtime>).login && pair.refresh_expires_in
                  : refusal && !refused && !(pair.key === store.read().key && isYoung(pair)))
              ) {
                if (isOld) old = pair
                settings.emit({ type: 'replay' })
                return attempt(ask, pair)
              }
              if (raw) return response as T
              check(response, place, refusal, needed)
              // For what `unwrap` throws; what a login route answered may be secret.
              if (!needed) Object.assign(place, response)
              return read(response, pair)
            },
          )
        })

    const task = open(timeout, attempt, place) as Task<T> & { [name: string]: unknown }
    events.forEach((name) => {
      task[name] = (listener: unknown) => {
        const call = (): void => {
          const target = native
          if (target && target[name]) target[name](listener)
        }
        calls.push(call)
        call()
      }
    })
    return task
  }
}

const invalidToken = 'invalid_token'

/**
 * The code of a 401 that names the token (RFC 6750 §3.1) or the login (RFC 9470 §3), in header or body; an app's own
 * 401 does not.
 */
const refusalOf = ({ statusCode, header, data }: WxResponse): string | false | undefined =>
  statusCode === 401 &&
  (/\berror *= *"?(invalid_token\b|insufficient_user\w+)/.exec(
    `error=${Object(data).error} ${headerOf(header, 'www-authenticate')}`
      .slice(0, 1000)
      .toLowerCase(),
  ) || [])[1]
