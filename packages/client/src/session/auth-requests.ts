import type { idempotencyHeader, paths, requestIdHeader } from '@wxlogin/shared'
import { ClientError, check, isText } from '../errors.js'
import type { Ask } from '../task.js'
import { type Runtime, responseOf, type WxHeaders, type WxResponse } from '../wx.js'
import type { NewKey } from './idempotency-key.js'

/** A route whose path is its name, so that the name is all that has to be shipped. */
type Route = {
  [R in keyof typeof paths]: (typeof paths)[R] extends `/${R}` ? R : never
}[keyof typeof paths]

/**
 * Sends a request of a login, a refresh or a logout. The idempotency key makes it safe to send it twice; `data` is asked
 * for at each sending, and may throw.
 */
export type Post = <T>(
  ask: Ask,
  route: Route,
  key: string,
  data: () => { readonly [member: string]: unknown },
  read: (response: WxResponse) => T,
) => Promise<T>

export interface PostSettings {
  readonly wx: Runtime
  readonly authUrl: string
  readonly loginTimeoutMs: number
  /** What every request to a trusted origin has; it may throw. */
  readonly headers: () => WxHeaders | undefined
  /** An answer of a login route, out of what a gateway wrapped it in; it may throw. */
  readonly opened: (response: WxResponse) => WxResponse
}

export const createPost =
  ({ wx, authUrl, loginTimeoutMs, headers, opened }: PostSettings): Post =>
  (ask, route, key, data, read) => {
    const place = {
      method: 'POST',
      url: `${authUrl}/${route}`,
      requestId: String(Math.random()).slice(2, 12),
    } as const
    const header = Object.assign({}, headers(), {
      'Idempotency-Key': key,
      'X-Request-Id': place.requestId,
    } satisfies Record<typeof idempotencyHeader | typeof requestIdHeader, string>)
    return ask(
      (success, fail) =>
        wx.request({
          url: place.url,
          method: place.method,
          // Nobody else may hear what is asked here.
          redirect: 'manual',
          header,
          data: data(),
          // The deadline of the whole ends it earlier.
          timeout: loginTimeoutMs,
          success,
          fail,
        }),
      (answer: WxResponse) => {
        const response = opened(responseOf(answer))
        check(response, place, false, route === 'logout' ? '' : 'refresh_token')
        return read(response)
      },
      place,
      true,
    )
  }

const wxLogin = { method: 'wx.login' }

/** WeCom's own login, where there is one: its codes are of another kind. */
export const qyOf = ({ qy }: Runtime): Pick<Runtime, 'login'> | false =>
  typeof Object(qy).login === 'function' && (qy as Pick<Runtime, 'login'>)

/** The code of a `wx.login`. With `newKey`, one of its own in place of what is none. */
export const requestCode = (wx: Runtime, ask: Ask, newKey?: NewKey | false): Promise<string> =>
  ask(
    (success, fail) => (qyOf(wx) || wx).login({ success, fail }),
    (result) => {
      const { code } = Object(result)
      // A real code has no spaces; `the code is a mock one`, from DevTools without a real AppID, has.
      if (isText(code) && !/\s/.test(code)) return code
      if (code && newKey) return `sandbox-${newKey().slice(-22)}`
      throw new ClientError(code ? 'mock_code' : 'network', wxLogin)
    },
    wxLogin,
  )
