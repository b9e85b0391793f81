import type { idempotencyHeader, paths, requestIdHeader } from '@wxlogin/shared'
import { ClientError, check } from '../errors.js'
import type { Ask } from '../task.js'
import type { Runtime, WxResponse } from '../wx.js'
import type { RecordStore } from './token-record.js'

/** A route whose path is its name, so that the name is all that has to be shipped. */
type Route = {
  [R in keyof typeof paths]: (typeof paths)[R] extends `/${R}` ? R : never
}[keyof typeof paths]

const wxLogin = { method: 'wx.login' }

/** The requests that make up a login, a refresh and a logout. */
export interface AuthRequests {
  /** The code of a `wx.login`. */
  requestCode(ask: Ask): Promise<string>
  /**
   * Sends the same once more when no answer arrived: the key makes that safe. A refresh token is sent only while it is
   * the one in storage: another instance may have used it.
   */
  post<T>(request: {
    readonly ask: Ask
    readonly route: Route
    readonly data: { readonly [member: string]: unknown }
    readonly idempotencyKey: string | undefined
    /** The member that a success cannot lack; it may be empty. */
    readonly needed: string
    readonly onAnswer: (data: unknown) => T
  }): Promise<T>
}

export interface AuthRequestSettings {
  readonly wx: Runtime
  readonly authUrl: string
  readonly loginTimeoutMs: number
}

export function createAuthRequests({
  settings: { wx, authUrl, loginTimeoutMs },
  store,
}: {
  readonly settings: AuthRequestSettings
  readonly store: RecordStore
}): AuthRequests {
  return {
    requestCode: (ask) =>
      ask(
        (success, fail) => wx.login({ success, fail }),
        ({ code }: { code: string }) => {
          // A real code has no spaces; `the code is a mock one`, from DevTools without a real AppID, has.
          if (/^\S+$/.test(code)) return code
          throw new ClientError(code ? 'mock_code' : 'network', wxLogin)
        },
        wxLogin,
      ),

    post({ ask, route, data, idempotencyKey, needed, onAnswer }) {
      const place = {
        method: 'POST',
        url: `${authUrl}/${route}`,
        requestId: String(Math.random()).slice(2, 12),
      } as const
      const send = () =>
        ask(
          (success, fail) =>
            !data.refresh_token || store.read().refresh_token === data.refresh_token
              ? wx.request({
                  url: place.url,
                  method: place.method,
                  // Nobody else may hear what is asked here.
                  redirect: 'manual',
                  header: {
                    'Idempotency-Key': idempotencyKey,
                    'X-Request-Id': place.requestId,
                  } as Record<typeof idempotencyHeader | typeof requestIdHeader, string>,
                  data,
                  // Half, so that there is time to send it again.
                  timeout: loginTimeoutMs / 2,
                  success,
                  fail,
                })
              : fail(0),
          (response: WxResponse) => {
            check(response, place, false, needed)
            return onAnswer(response.data)
          },
          place,
        )
      return send().catch((error: ClientError) => {
        // A cause is what `fail` was called with, so there was no answer.
        if (error.cause) return send()
        throw error
      })
    },
  }
}
