import type { Json, TokenAnswer } from '@wxlogin/shared'
import { ClientError, type ClientErrorCode } from '../errors.js'
import type { ClientEvent } from '../events.js'
import { type Ask, ignore, isWithin, openTask, resultOf } from '../task.js'
import { isSinglePage, onShow } from '../wx.js'
import { createPost, type PostSettings, qyOf, requestCode } from './auth-requests.js'
import { pauseAfter } from './backoff.js'
import type { NewKey } from './idempotency-key.js'
import type { SingleFlight } from './single-flight.js'
import {
  isFresh,
  isPair,
  isYoung,
  livePair,
  type Out,
  type RecordStore,
  type TokenPair,
  type TokenRecord,
} from './token-record.js'

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
  /**
   * `false`: nobody is logged in before the app calls `login()`, after a consent or on a login page for example; until
   * then requests reject with `signed_out` and the reason `login_required`. Afterwards sessions are renewed silently,
   * until a sign-out (default `true`).
   */
  silent?: boolean
  /** A name for this device in the user's list of sessions, 1 to 128 characters. */
  device?: string
  /** What the backend's `onLogin` gets as `input` at every silent login, or a function that makes it. */
  loginInput?: Json | (() => Json | undefined)
  /**
   * `true`: where DevTools has no AppID, a code of its own that only the emulated WeChat of `wxlogin dev` takes. Not in a
   * release, and not without `wx.getAccountInfoSync`.
   */
  sandbox?: boolean
  /** Deadline of a login, from `wx.login` to the tokens, and of a refresh (default 10 000, at most 20 000). */
  loginTimeoutMs?: number
}

/** Decides who refreshes, who logs in and who waits. */
export interface Renewal {
  /**
   * Tokens that the server should accept, so not those that it refused, of this user if one is given, and of another
   * login than those whose login is too long ago.
   */
  pair(refused?: TokenPair, userId?: string, old?: TokenPair): Promise<TokenPair>
  login(options: LoginOptions): Promise<TokenPair>
  logout(options: LogoutOptions): Promise<void>
  /** Tells the server which sessions are over, this one too, until it has answered. Never rejects. */
  end(session?: TokenRecord): Promise<unknown>
}

export interface RenewalSettings
  extends PostSettings,
    Pick<LoginSettings, 'device' | 'loginInput' | 'sandbox'> {
  readonly appId: string
  readonly unwrapAuth?: boolean
  readonly newKey: NewKey
  readonly emit: (event: ClientEvent) => void
}

export function createRenewal(
  settings: RenewalSettings,
  store: RecordStore,
  singleFlight: SingleFlight<TokenPair>,
): Renewal {
  const { wx, loginTimeoutMs, newKey, sandbox } = settings
  const post = createPost(settings)
  /** The server is told of one thing at a time: a sign-out everywhere needs its session until it has been told. */
  let told: Promise<unknown> = Promise.resolve()
  /** Of the last attempt, if it failed: during the pause after it nobody tries again. */
  let lastError: ClientError | undefined
  let failedMs = 0
  let pauseMs = 0

  /** With `old` another login: of whoever else needed one, after what is running, or a new one. */
  const pair = (refused?: TokenPair, old?: TokenPair): Promise<TokenPair> => {
    const record = store.read()
    const live = !old && livePair(record, refused)
    if (live && isFresh(live)) return Promise.resolve(live)
    const renewed = singleFlight(() => {
      const found = usable(live || refused)
      return found && !(old && old.loginMs === found.loginMs) ? found : obtain(undefined, !!old)
    }, !!old)
    renewed.catch(ignore)
    return Promise.resolve(live || renewed)
  }

  /** What storage held when it was last looked at, whether this client, another instance or the app wrote it. */
  const usable = (unwanted?: TokenPair): TokenPair | false => {
    const { reason } = store.last()
    if (reason) throw new ClientError('signed_out', { reason })
    return livePair(store.last(), unwanted)
  }

  const isStill = ({ key }: TokenRecord): boolean => store.read(true).key === key

  /** Each sign-out has a key of its own, so that a login that began before it does not undo it. */
  const signOut = (reason: string, from: 'logout' | 'signed_out'): void => {
    const { refresh_token, key, askedMs } = store.last()
    store.write({ reason, key: newKey(), askedMs } as TokenRecord, from, refresh_token, key)
  }

  /**
   * A refresh or a login, with one deadline for its steps; a failure starts a pause for everyone. `isLogin`: a login,
   * even where a refresh would do.
   */
  const obtain = (
    input = settings.loginInput,
    isLogin?: boolean,
    isRetry?: boolean,
  ): Promise<TokenPair> => {
    if (isSinglePage(wx)) throw new ClientError('single_page')
    if (lastError && isWithin(pauseMs, failedMs)) throw lastError
    const before = store.last()
    const { access_token, refresh_token, key, data, loginMs, out } = before
    const isRefresh = access_token && !isLogin
    const type = isRefresh ? 'refresh' : 'login'
    // What a login replaces: the session there is, or else one that is over, of which the server has not heard.
    const previous = access_token ? refresh_token : lastOf(out)
    // The lifetime of the tokens counts from here: rather too early than too late.
    const askedMs = Date.now()
    const report = (code?: ClientErrorCode, requestId?: string): void =>
      settings.emit({ type, durationMs: Date.now() - askedMs, code, requestId })

    return openTask(loginTimeoutMs, (ask) =>
      (isRefresh ? Promise.resolve('') : requestCode(wx, ask, sandbox && newKey)).then((code) => {
        const body = isRefresh
          ? { refresh_token }
          : {
              code,
              app_id: settings.appId,
              kind: qyOf(wx) ? 'wecom' : undefined,
              device: settings.device,
              input: resultOf(input),
              previous_refresh_token: previous,
              previous_idempotency_key: previous && (access_token ? key : out[previous]),
              previous_signed_out: previous && !access_token,
            }
        return post(
          ask,
          type,
          isRefresh ? (key as string) : newKey(),
          () => {
            // Another instance may have used the refresh token.
            if (isRefresh && !isStill(before)) throw new ClientError('network')
            return body
          },
          ({ data: answer }) => {
            // `data` is that of the last login: a refresh keeps it, a login does not.
            // An answer may have members of any name, and a pair with a reason would be signed out.
            const next = Object.assign({}, isRefresh && { data }, answer as TokenAnswer, {
              reason: false,
              key: newKey(),
              askedMs,
              loginMs: isRefresh ? loginMs : askedMs,
            }) as TokenPair
            const isWanted = isStill(before) || !(isRefresh || store.last().key)
            if (isPair(next) && isWanted) store.write(next, type, previous)
            // A refreshed session is one that somebody may go on with.
            else if (!isRefresh) void end(next)
            if (isPair(next)) return next
            throw new ClientError('http')
          },
        )
      }),
    ).then(
      (next) => {
        lastError = undefined
        pauseMs = 0
        report()
        return usable() || next
      },
      (error: ClientError) => {
        const { code, reason = code, scope, requestId } = error
        const isDenied = code === 'access_denied'
        report(code, requestId)
        if (isStill(before)) {
          if (code === 'invalid_code' && reason !== 'phone_code' && !isRetry) {
            return obtain(input, true, true)
          }
          if (!scope && (isDenied || reason === 'revoked')) {
            signOut(reason, 'signed_out')
            void end()
          } else if (
            access_token &&
            (code === 'invalid_grant' || (isRefresh && code === 'invalid_request'))
          ) {
            store.write({}, 'ended')
          }
        }
        if (isRefresh && !isDenied && !isStill(before)) return usable() || obtain()
        // What is wrong with what somebody typed does not hold up anybody else.
        if (!scope || !isLogin) {
          lastError = error
          failedMs = Date.now()
          pauseMs = pauseAfter(error, pauseMs)
        }
        throw error
      },
    )
  }

  /** Nothing but the server's own answer counts, so that no captive portal swallows a sign-out. */
  const tellEnd = (ask: Ask, refreshToken: string, newest?: string): Promise<void> => {
    const key = store.last().out[refreshToken]
    // A login has told of it meanwhile.
    if (!key) throw new ClientError('signed_out')
    return post(
      ask,
      'logout',
      key,
      () => ({ refresh_token: newest || refreshToken, everywhere: newest && true }),
      ({ statusCode }) => {
        // A gateway that wraps everything has no answer without a body.
        if (statusCode !== 204 && !settings.unwrapAuth) throw new ClientError('http')
        store.write(store.read(true), 'logout', refreshToken)
      },
    )
  }

  const end = (session?: TokenRecord): Promise<unknown> => {
    if (session) store.write(store.last(), 'logout', session.refresh_token, session.key)
    told = told.then(() =>
      Promise.all(
        Object.keys(store.last().out).map((refreshToken) =>
          openTask(loginTimeoutMs, (ask) => tellEnd(ask, refreshToken)).catch(ignore),
        ),
      ),
    )
    return told
  }

  /** The app is shown again, or the network has changed. */
  const wake = (): void => {
    const { access_token } = store.read()
    void end()
    // There is a session to keep or a failed attempt to repeat; a login that nobody asked for is not started.
    if (lastError || access_token) {
      if (!Object(lastError).retryAfterSeconds) pauseMs = 0
      void pair()
    }
  }
  onShow(wx, wake)
  if (wx.onNetworkStatusChange) wx.onNetworkStatusChange(wake)
  void end()

  return {
    pair: (refused, userId, old) =>
      pair(refused, old).then((found) => {
        if (userId && userId !== found.user_id) throw new ClientError('user_changed')
        return found
      }),
    end,

    /** Waits for what is running, which may have begun before a sign-out; a sign-out that comes meanwhile stands. */
    login({ input, force }) {
      pauseMs = 0
      const { key } = store.read()
      return singleFlight(() => {
        const isLogin = force || input !== undefined
        const now = store.read()
        if (now.key !== key) usable()
        return (!isLogin && livePair(now)) || obtain(input, isLogin)
      }, true)
    },

    logout({ everywhere }) {
      store.read(true)
      // Storage first, so that it works offline and whatever happens next.
      signOut('logout', 'logout')
      if (!everywhere) return end().then(ignore)
      const done = told.then(() => {
        const last = store.last()
        const { out } = last
        const refresh_token = lastOf(out)
        if (!refresh_token) throw new ClientError('signed_out')
        return openTask(loginTimeoutMs, (ask) =>
          // Only the newest token of a session that lives can end the others, and a young one is that.
          (isYoung(last)
            ? Promise.resolve(refresh_token)
            : post(
                ask,
                'refresh',
                out[refresh_token] as string,
                () => ({ refresh_token }),
                ({ data }) => Object(data).refresh_token as string,
              )
          ).then((newest) => tellEnd(ask, refresh_token, newest)),
        )
      })
      told = done.catch(ignore)
      return done
    },
  }
}

/** The refresh token of the session that was over last. */
const lastOf = (out: Out): string | undefined => Object.keys(out).pop()
