import type { idempotencyHeader, Json, paths } from '@wxlogin/shared'
import { ClientError, type ClientErrorCode, check } from '../errors.js'
import { type Ask, openTask } from '../task.js'
import type { Runtime, WxResponse } from '../wx.js'
import { mintKey } from './idempotency-key.js'
import type { SingleFlight } from './single-flight.js'
import type { Pair, RecordStore, TokenRecord } from './token-record.js'

// In its last tenth a pair is renewed beside the requests, which still go out with it.
export const agingMsPerSecond = 900
const maxPauseMs = 60_000

/** A route whose path is its name, so that the name is all that has to be shipped. */
type Route = {
  [R in keyof typeof paths]: (typeof paths)[R] extends `/${R}` ? R : never
}[keyof typeof paths]

/** What the client did. Holds no secret. A new type comes with a minor version. */
export type ClientEvent =
  /** `code` when it failed. */
  | {
      readonly type: 'login' | 'refresh'
      readonly durationMs: number
      readonly code: ClientErrorCode | undefined
    }
  /** A request was refused for its old token, and is sent again. */
  | { readonly type: 'replay' }
  /** Storage cannot be written: this login lasts until the mini program is closed. */
  | { readonly type: 'storage_failed' }

export interface LoginOptions {
  /** For the backend's `onLogin`; with it there is always a new login. */
  input?: Json
  /** A new login even if there is a session, which it replaces. */
  force?: boolean
}

export interface LogoutOptions {
  /** Also ends the user's other sessions. */
  everywhere?: boolean
}

export interface LoginSettings {
  /** A name for this device in the user's list of sessions, 1 to 128 characters. */
  device?: string
  /** What the backend's `onLogin` gets as `input` at every silent login, or a function that makes it. */
  loginInput?: Json | (() => Json | undefined)
  /** Deadline of a login, from `wx.login` to the tokens, and of a refresh (default 10 000, at most 20 000). */
  loginTimeoutMs?: number
}

/** Who refreshes, who logs in, who waits. */
export interface Renewal {
  /** Tokens that the server should accept, so not those that it refused. */
  pair(refused?: Pair): Promise<Pair>
  login(options?: LoginOptions): Promise<Pair>
  logout(options?: LogoutOptions): Promise<void>
}

export function createRenewal(
  wx: Runtime,
  appId: string,
  authUrl: string,
  { device, loginInput }: LoginSettings,
  loginTimeoutMs: number,
  store: RecordStore,
  emit: (event: ClientEvent) => void,
  takeOff: SingleFlight<Pair>,
): Renewal {
  let pauseMs = 0
  let failedMs = 0
  // Looked at only in a pause.
  let lastError = {} as ClientError

  wx.onAppShow(() => {
    // A session to look after, or a failure to make good; not a login that nobody asked for.
    if (pauseMs || store.read().access_token) {
      forgive()
      void pair()
    }
  })

  const pair = (refused?: Pair): Promise<Pair> => {
    const live = livePair(store.read(), refused)
    if (live && livePair(live, undefined, agingMsPerSecond)) return Promise.resolve(live)
    const flight = takeOff(() => usable(live || refused) || obtain())
    flight.catch(ignore)
    return Promise.resolve(live || flight)
  }

  /** What storage holds now, be it our own doing, another instance's or the app's. */
  const usable = (unwanted?: Pair): Pair | false => {
    const { reason } = store.read()
    if (reason) throw new ClientError('signed_out', { reason })
    return livePair(store.read(), unwanted)
  }

  /** A refresh or a login, with one deadline for its steps; after a failure there is a pause for everyone. */
  const obtain = (
    input: unknown = loginInput,
    isLogin?: boolean,
    isLast?: boolean,
  ): Promise<Pair> => {
    // Opened from Moments (朋友圈单页模式): no login there, and storage of its own, so no session either.
    if (wx.getEnterOptionsSync().scene === 1154) throw new ClientError('single_page')
    if (isWithin(pauseMs, failedMs)) throw lastError
    const before = store.read()
    const { access_token, refresh_token, key, data } = before
    const isRefresh = access_token && !isLogin
    const type = isRefresh ? 'refresh' : 'login'
    // Tokens count as old from here on: rather too early than too late.
    const askedMs = Date.now()
    const report = (code?: ClientErrorCode): void =>
      emit({ type, durationMs: Date.now() - askedMs, code })

    return openTask(loginTimeoutMs, (ask) =>
      // The next key is there before the answer is, so that answer and write share one turn.
      Promise.all([
        mintKey(wx),
        isRefresh ? key : mintKey(wx),
        isRefresh
          ? undefined
          : ask(
              (success, fail) => wx.login({ success, fail }),
              ({ code }: { code: string }) => {
                // WeChat's codes have no spaces; `the code is a mock one`, of DevTools without a real AppID, has.
                if (/^\S+$/.test(code)) return code
                throw new ClientError(code ? 'mock_code' : 'network')
              },
            ),
      ]).then(([nextKey, idempotencyKey, code]) =>
        post(
          ask,
          type,
          isRefresh
            ? { refresh_token }
            : {
                code,
                app_id: appId,
                device,
                input: typeof input === 'function' ? input() : input,
                previous_refresh_token: refresh_token,
              },
          idempotencyKey,
          (answer) => {
            // Of the last login, so that a refresh keeps it and a login does not.
            const next = Object.assign({}, isRefresh && { data }, answer, {
              key: nextKey,
              askedMs,
            }) as Pair
            if (!next.refresh_token) throw new ClientError('http')
            if (store.read() === before) store.write(next, type)
            return next
          },
        ),
      ),
    ).then(
      (next) => {
        pauseMs = 0
        report()
        return usable() || next
      },
      (error: ClientError) => {
        const { code, reason = code, retryAfterSeconds } = error
        report(code)
        if (store.read() === before) {
          if (code === 'invalid_code' && !isLast) return obtain(input, true, true)
          if (code === 'access_denied' || reason === 'revoked') {
            store.write({ reason, refresh_token }, 'signed_out')
          } else if (code === 'invalid_grant') store.write({}, 'ended')
        }
        if (isRefresh && code !== 'access_denied' && store.read() !== before) {
          return usable() || obtain()
        }
        lastError = error
        failedMs = Date.now()
        pauseMs =
          Number(retryAfterSeconds) * 1000 ||
          Math.min(maxPauseMs, (pauseMs || 500) * (1.5 + Math.random()))
        throw error
      },
    )
  }

  /** Lets the next attempt try at once, unless the server said when. */
  const forgive = (): void => {
    if (!lastError.retryAfterSeconds) pauseMs = 0
  }

  /**
   * Sends the same once more when no answer came: the key makes that safe. A refresh token is sent only while it is the
   * one that is stored: another instance may have used it up.
   */
  const post = <T>(
    ask: Ask,
    route: Route,
    data: { readonly [member: string]: unknown },
    key: string | undefined,
    onAnswer: (data: unknown) => T,
  ): Promise<T> => {
    const send = (): Promise<T> =>
      ask(
        (success, fail) =>
          !data.refresh_token || store.read().refresh_token === data.refresh_token
            ? wx.request({
                url: authUrl + '/' + route,
                method: 'POST',
                header: { 'Idempotency-Key': key } as Record<typeof idempotencyHeader, string>,
                data,
                timeout: loginTimeoutMs / 2,
                success,
                fail,
              })
            : fail(0),
        (response: WxResponse) => {
          check(response)
          return onAnswer(response.data)
        },
      )
    return send().catch((error: ClientError) => {
      // A cause is what `fail` was called with, so there was no answer.
      if (error.cause) return send()
      throw error
    })
  }

  return {
    pair,

    /** It waits for what is under way, which may have begun before a sign-out; one that comes meanwhile stands. */
    login({ input, force } = {}) {
      forgive()
      const before = store.read()
      return takeOff(() => {
        if (store.read() !== before) usable()
        const isLogin = force || input !== undefined
        return (!isLogin && livePair(store.read())) || obtain(input, isLogin)
      }, true)
    },

    logout({ everywhere } = {}) {
      const { refresh_token } = store.read()
      const signedOut = { reason: 'logout', refresh_token }
      // Storage first, so that it works offline and whatever happens next.
      store.write(signedOut, 'logout')
      if (!refresh_token) return Promise.resolve()
      return openTask(loginTimeoutMs, (ask) =>
        post(ask, 'logout', { refresh_token, everywhere }, '', () => {
          // The same record, because a login may be under way that began with it.
          signedOut.refresh_token = undefined
          if (store.read() === signedOut) store.write(signedOut, 'logout')
        }),
      ).catch((error) => {
        if (everywhere) throw error
      })
    },
  }
}

/** The pair, if the server should accept it. */
export const livePair = (record: TokenRecord, refused?: Pair, msPerSecond = 1000): Pair | false => {
  const { expires_in, askedMs } = record as Pair
  return record !== refused && isWithin(expires_in * msPerSecond, askedMs) && (record as Pair)
}

/** Whether less than this passed since then. A clock that was set back counts as long ago. */
export const isWithin = (ms: number, sinceMs: number): boolean => {
  const elapsedMs = Date.now() - sinceMs
  return elapsedMs >= 0 && elapsedMs < ms
}

/** What nobody waits for may fail. */
export const ignore = (): undefined => undefined
