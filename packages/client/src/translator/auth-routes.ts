import { nativeOf, type Wx, type WxNative, type WxRequestOptions, type WxResponse } from '../wx.js'
import type { Backend, Call, Held, Refused, Tokens } from './backend.js'

/** In seconds: good until it is refused. */
const forever = 1e9

/** Browsers have no login. */
export type LoginlessWx = Omit<Wx, 'login'> & Partial<Pick<Wx, 'login'>>

/** Tokens by the header that carries them, after a colon: no object has members of such a name. */
export interface Own {
  [authorization: string]: string | undefined
}

interface HeldSession extends Held {
  readonly userId?: string
}

/**
 * Answers a request of the client to a login route, and returns its task; nothing for any other request. What a function
 * of the description throws counts as no answer.
 */
export type AnswerRoute = (path: string, options: WxRequestOptions) => { abort(): void } | undefined

type Callbacks = { success(response: object): void; fail(failure: unknown): void }

export const createAnswerRoute =
  (
    wx: LoginlessWx,
    backend: Backend,
    urlOf: (url: string) => string,
    send: (options: WxRequestOptions, token?: string) => unknown,
    own: Own,
  ): AnswerRoute =>
  (path, options) => {
    const { success, fail } = options as Callbacks
    const { refresh_token, everywhere, app_id: appId, input, device } = Object(options.data)
    // Nothing, if it is not one of ours.
    const held: HeldSession = Object(/^{/.test(refresh_token) && JSON.parse(refresh_token))
    let native: WxNative
    let isAborted: boolean | undefined

    /** As our server would have. */
    const refuse = (error: string, reason = error, scope?: string): void =>
      success({ statusCode: 400, data: { error, error_description: reason, reason, scope } })

    const call = (made: Call, read: (response: WxResponse) => void, token?: string): void => {
      // What the client sends to our server, which does not follow redirects, but with nothing of what it says.
      const request = Object.assign({}, options, { data: undefined, header: undefined }, made, {
        url: urlOf(made.url),
        success(response: WxResponse) {
          // In the turn of the answer: nothing may be lost before it is stored.
          try {
            read(response)
          } catch (error) {
            fail(error)
          }
        },
      })
      native = nativeOf(send(request as WxRequestOptions, token), fail)
    }

    /** `refresh_token` holds all of the session: a refresh that says less than the login did changes nothing. */
    const readTokens = (response: WxResponse): void => {
      const { Date: sent, date = sent } = Object(response.header) as {
        Date?: string
        date?: string
      }
      const found: Partial<Tokens & Refused> = Object(backend.tokens(response))
      const {
        accessToken,
        refreshToken = held.refreshToken || '',
        // The client wants to know who it is.
        userId = held.userId || 'unknown',
        expiresIn,
        expiresAt,
        data,
      } = found
      const life = expiresIn || (expiresAt as number) - Date.parse(date as string) / 1000
      own[`:Bearer ${accessToken}`] = accessToken
      if (found.refused) {
        refuse(refresh_token ? 'invalid_grant' : 'access_denied', found.refused, found.scope)
      } else {
        success(
          // An answer without tokens keeps its status, so that it is known what was wrong.
          Object.assign({}, response, {
            data:
              accessToken &&
              Object.assign(
                {
                  access_token: accessToken,
                  refresh_token: JSON.stringify({ accessToken, refreshToken, userId }),
                  // Without a refresh a token that ages would only be dropped too early.
                  expires_in: refreshToken && life > 0 ? life : forever,
                  user_id: String(userId),
                },
                data !== undefined && { data },
              ),
          }),
        )
      }
    }

    const end = (): void => {
      if (everywhere) refuse('config', 'everywhere needs @wxlogin/server')
      else success({ statusCode: 204 })
    }

    const routes: { readonly [path: string]: () => void } = {
      '/login'() {
        // A promise, so that a second callback does not send the code again.
        new Promise<{ code?: string }>((success, fail) => {
          if (backend.needsCode && backend.needsCode(input) === false) success({ code: '' })
          else nativeOf((wx.login || success)({ success, fail } as never), fail)
        })
          .then(({ code }) => {
            if (isAborted) return
            // A browser.
            if (code === undefined) return refuse('config', 'see needsCode')
            // A real code has no spaces.
            if (/\s/.test(code)) return refuse('mock_code')
            const made = backend.login({ code, appId, input, device })
            if ('refused' in made) refuse('signed_out', made.refused, made.scope)
            else call(made, readTokens)
          })
          .catch(fail)
      },
      '/refresh'() {
        if (backend.refresh && held.refreshToken) call(backend.refresh(held), readTokens)
        else refuse('invalid_grant')
      },
      '/logout'() {
        if (backend.logout && held.accessToken) call(backend.logout(held), end, held.accessToken)
        else end()
      },
      '/phone': () => refuse('config', 'bindPhone needs @wxlogin/server'),
    }
    const route = routes[path]
    if (!route) return undefined
    route()
    return {
      abort() {
        isAborted = true
        if (native && native.abort) native.abort()
      },
    }
  }
