import type { ClientOptions } from '../client.js'
import { ClientError, check, headerOf } from '../errors.js'
import { type ClientEvent, isWithin, type Renewal } from '../session/renewal.js'
import type { Pair, RecordStore } from '../session/token-record.js'
import { type Ask, openTask, type Task } from '../task.js'
import type { WxRequestOptions, WxResponse } from '../wx.js'

/** What every kind of request understands besides the options of its `wx` call. */
export interface AuthOptions {
  /**
   * `true` (default): with a token, after a login if need be. `'optional'`: anonymous when login fails.
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

/** What any kind of request says of itself. */
export interface Requested extends AuthOptions {
  readonly url: string
  readonly header?: Readonly<Record<string, string>>
  readonly timeout?: number
  readonly raw?: boolean
}

/** Calls `wx`, and gives back the native task where there is one. */
export type NativeCall = (options: WxRequestOptions) => unknown

/**
 * Sends by `call`: with the token, one deadline, one `abort`, and once more if the token was refused.
 * The listeners of `events` (`'HeadersReceived'`) hold across a replay and before there is a native task.
 * `read` makes the result of an answer that is not refused; `open` decides what becomes of failures.
 */
export type Send = <T>(
  requested: Requested,
  call: NativeCall,
  open?: Open,
  events?: readonly string[],
  read?: (response: WxResponse, pair: Pair | undefined) => T,
) => Task<T>

/** `openTask`, or what does more about failures: it may run the attempt again, and tell it of a refused pair. */
export type Open = <T>(timeoutMs: number, run: (ask: Ask, refused?: Pair) => Promise<T>) => Task<T>

export function createSend(
  { isUnauthorized = () => false, unwrap = ({ data }) => data }: ClientOptions,
  origins: readonly string[],
  timeoutMs: number,
  store: RecordStore,
  renewal: Renewal,
  urlOf: (url: string) => string,
  emit: (event: ClientEvent) => void,
): Send {
  return <T>(
    requested: Requested,
    call: NativeCall,
    open: Open = openTask,
    events: readonly string[] = [
      'onHeadersReceived',
      'offHeadersReceived',
      'onChunkReceived',
      'offChunkReceived',
    ],
    read: (response: WxResponse, pair: Pair | undefined) => T = (response) => {
      try {
        return Object.assign({}, response, { data: unwrap(response) }) as T
      } catch (cause) {
        throw new ClientError('business', Object.assign({}, response, { cause }))
      }
    },
  ) => {
    const { auth = true, header = {}, raw, timeout = timeoutMs } = requested
    const url = urlOf(requested.url)
    const isAnonymous =
      !auth || origins.indexOf(originOf(url)) < 0 || headerOf(header, 'authorization')
    const calls: (() => void)[] = []
    let { user_id: userId } = store.read()
    let native: { [name: string]: ((listener: unknown) => void) | undefined } | undefined

    const attempt = (ask: Ask, refused?: Pair): Promise<T> =>
      Promise.resolve(isAnonymous ? undefined : renewal.pair(refused))
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
              native = call(
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
              ) as typeof native
              calls.forEach((call) => call())
              return native
            },
            (response: WxResponse): T | Promise<T> => {
              // A 401 that speaks of the token (RFC 6750 §3.1), in header or body; an app's own 401 does not.
              const isRefused =
                (response.statusCode === 401 &&
                  /bearer.*"invalid_token"| invalid_token$/i.test(
                    headerOf(response.header, 'www-authenticate') +
                      ' ' +
                      Object(response.data).error,
                  )) ||
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
              if (raw) return response as T
              check(response, isRefused)
              return read(response, pair)
            },
          )
        })

    const task = open(timeout, attempt) as Task<T> & { [name: string]: unknown }
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

// So young that copies of the request that brought it may be under way: using a pair up would make them look like a theft.
export const youngMs = 20_000

/** Scheme, host and port as written, in lower case; empty for anything that URL parsers may read differently. */
export const originOf = (url: string): string =>
  (/^https?:\/\/[\w.-]+(:\d+)?(?=[/?#]|$)/i.exec(url) || [''])[0].toLowerCase()
