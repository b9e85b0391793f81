import type { Json } from '@wxlogin/shared'
import { ClientError, type ClientErrorCode } from '../errors.js'
import type { ClientEvent } from '../events.js'
import { ignore, openTask } from '../task.js'
import { isSinglePage, onShow, type Runtime } from '../wx.js'
import { type AuthRequestSettings, createAuthRequests } from './auth-requests.js'
import { createBackoff } from './backoff.js'
import { newIdempotencyKey } from './idempotency-key.js'
import type { SingleFlight } from './single-flight.js'
import { isFresh, livePair, type RecordStore, type TokenPair } from './token-record.js'

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

/** Decides who refreshes, who logs in and who waits. */
export interface Renewal {
  /** Tokens that the server should accept, so not those that it refused. */
  pair(refused?: TokenPair): Promise<TokenPair>
  login(options?: LoginOptions): Promise<TokenPair>
  logout(options?: LogoutOptions): Promise<void>
}

export interface RenewalSettings
  extends AuthRequestSettings,
    Pick<LoginSettings, 'device' | 'loginInput'> {
  readonly wx: Runtime
  readonly appId: string
  readonly emit: (event: ClientEvent) => void
}

export function createRenewal({
  settings,
  store,
  singleFlight,
}: {
  readonly settings: RenewalSettings
  readonly store: RecordStore
  readonly singleFlight: SingleFlight<TokenPair>
}): Renewal {
  const { wx, appId, device, loginInput, loginTimeoutMs, emit } = settings
  const { requestCode, post } = createAuthRequests({ settings, store })
  const backoff = createBackoff()

  onShow(wx, () => {
    // There is a session to keep or a failed attempt to repeat; a login that nobody asked for is not started.
    if (backoff.hasFailed() || store.read().access_token) {
      backoff.resetBackoff()
      void pair()
    }
  })

  const pair = (refused?: TokenPair): Promise<TokenPair> => {
    const live = livePair(store.read(), refused)
    if (live && isFresh(live)) return Promise.resolve(live)
    const renewed = singleFlight(() => usable(live || refused) || obtain())
    renewed.catch(ignore)
    return Promise.resolve(live || renewed)
  }

  /** What storage holds now, whether this client, another instance or the app wrote it. */
  const usable = (unwanted?: TokenPair): TokenPair | false => {
    const { reason } = store.read()
    if (reason) throw new ClientError('signed_out', { reason })
    return livePair(store.read(), unwanted)
  }

  /** A refresh or a login, with one deadline for its steps; a failure starts a pause for everyone. */
  const obtain = ({
    input = loginInput,
    isLogin,
    isRetry,
  }: {
    readonly input?: LoginSettings['loginInput']
    /** A login, even where a refresh would do. */
    readonly isLogin?: boolean | undefined
    readonly isRetry?: boolean
  } = {}): Promise<TokenPair> => {
    if (isSinglePage(wx)) throw new ClientError('single_page')
    backoff.assertNotPaused()
    const before = store.read()
    const { access_token, refresh_token, key, data } = before
    const isRefresh = access_token && !isLogin
    const type = isRefresh ? 'refresh' : 'login'
    // The lifetime of the tokens counts from here: rather too early than too late.
    const askedMs = Date.now()
    const report = (code?: ClientErrorCode, requestId?: string): void =>
      emit({ type, durationMs: Date.now() - askedMs, code, requestId })

    return openTask(loginTimeoutMs, (ask) =>
      // The next key exists before the answer does, so that the answer is stored in the turn in which it arrives.
      Promise.all([
        newIdempotencyKey(wx),
        isRefresh ? key : newIdempotencyKey(wx),
        isRefresh ? undefined : requestCode(ask),
      ]).then(([nextKey, idempotencyKey, code]) =>
        post({
          ask,
          route: type,
          data: isRefresh
            ? { refresh_token }
            : {
                code,
                app_id: appId,
                device,
                input: typeof input === 'function' ? input() : input,
                previous_refresh_token: refresh_token,
              },
          idempotencyKey,
          needed: 'refresh_token',
          onAnswer(answer) {
            // `data` is that of the last login: a refresh keeps it, a login does not.
            const next = Object.assign({}, isRefresh && { data }, answer, {
              key: nextKey,
              askedMs,
            }) as TokenPair
            if (store.read() === before) store.write(next, type)
            return next
          },
        }),
      ),
    ).then(
      (next) => {
        backoff.record()
        report()
        return usable() || next
      },
      (error: ClientError) => {
        const { code, reason = code, requestId } = error
        report(code, requestId)
        if (store.read() === before) {
          if (code === 'invalid_code' && !isRetry) {
            return obtain({ input, isLogin: true, isRetry: true })
          }
          if (code === 'access_denied' || reason === 'revoked') {
            store.write({ reason, refresh_token }, 'signed_out')
          } else if (code === 'invalid_grant') store.write({}, 'ended')
        }
        if (isRefresh && code !== 'access_denied' && store.read() !== before) {
          return usable() || obtain()
        }
        backoff.record(error)
        throw error
      },
    )
  }

  return {
    pair,

    /** Waits for what is running, which may have begun before a sign-out; a sign-out that comes meanwhile stands. */
    login({ input, force } = {}) {
      backoff.resetBackoff()
      const before = store.read()
      return singleFlight(() => {
        if (store.read() !== before) usable()
        const isLogin = force || input !== undefined
        return (!isLogin && livePair(store.read())) || obtain({ input, isLogin })
      }, true)
    },

    logout({ everywhere } = {}) {
      const { refresh_token } = store.read()
      const signedOut = { reason: 'logout', refresh_token }
      // Storage first, so that it works offline and whatever happens next.
      store.write(signedOut, 'logout')
      if (!refresh_token) return Promise.resolve()
      return openTask(loginTimeoutMs, (ask) =>
        post({
          ask,
          route: 'logout',
          data: { refresh_token, everywhere },
          idempotencyKey: '',
          needed: '',
          onAnswer() {
            // The same object, because a login that began with it may be running.
            signedOut.refresh_token = undefined
            if (store.read() === signedOut) store.write(signedOut, 'logout')
          },
        }),
      ).catch((error) => {
        if (everywhere) throw error
      })
    },
  }
}
