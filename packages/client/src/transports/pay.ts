import { ClientError } from '../errors.js'
import { requestCode } from '../session/auth-requests.js'
import type { Renewal, RenewalSettings } from '../session/renewal.js'
import { isWithin, openTask } from '../task.js'
import { type FullWx, isSinglePage, type WxPaymentOptions } from '../wx.js'
import type { ClientResponse, NativeCall, RequestOptions, Send } from './send.js'

/**
 * A request to the app's own route that signs the order (default `POST`). It gets `data` and a fresh `code`, and answers
 * with what `auth.virtualPayment` of `@wxlogin/server` gave and whatever else the app wants, or without `signData` where
 * there is nothing to pay. Where it is asked once more, `errCode` is what WeChat said the first time.
 */
export interface PayOptions extends Omit<RequestOptions, 'auth' | 'data' | 'raw'> {
  data?: object
}

// For so long a second tap is the first one. A window that never tells how it ended must not block the next payment.
const sharedMs = 30_000

/** By risk control, or for a mistake in the order or in the console: nothing was paid. Others may have been. */
const refused = /^(-4|1001|-150(0[14-9]|1\d))$/

/** The code was refused, the order's number was used or closed, or the user's signature is wrong or too old. */
const signedAnew = /^(invalid_code|stale_session_key|-150(0[257]|12))$/

export function createPay(
  wx: FullWx,
  {
    settings: { loginTimeoutMs, sandbox, newKey },
    renewal,
    send,
  }: { readonly settings: RenewalSettings; readonly renewal: Renewal; readonly send: Send },
  call: NativeCall,
): <T>(options: PayOptions) => Promise<T> {
  const method = 'wx.requestVirtualPayment'
  /** The last payment: what it is for, and when its window was opened. */
  let order: string | undefined
  let shownMs = 0
  let last: Promise<unknown>

  const show = (order: WxPaymentOptions): Promise<unknown> =>
    new Promise((success, fail) => {
      shownMs = Date.now()
      ;(wx as Required<FullWx>).requestVirtualPayment(
        Object.assign({}, order, { success, fail }) as never,
      )
    }).catch((cause) => {
      const { errCode } = Object(cause)
      throw new ClientError(
        `payment_${errCode === -2 ? 'cancelled' : refused.test(errCode) ? 'refused' : 'failed'}`,
        { method, cause },
        errCode,
      )
    })

  const attempt = <T>(options: PayOptions, errCode?: number): Promise<T> =>
    renewal
      .pair()
      .then(() => openTask(loginTimeoutMs, (ask) => requestCode(wx, ask, sandbox && newKey)))
      .then((code) =>
        send<ClientResponse<T>>({
          options: Object.assign({ method: 'POST' }, options, {
            data: Object.assign({}, options.data, { code, errCode }),
          }),
          call,
        }),
      )
      .then(({ data }) =>
        Object(data).signData ? show(data as WxPaymentOptions & T).then(() => data) : data,
      )

  return <T>(options: PayOptions): Promise<T> => {
    const wanted = JSON.stringify([options.url, options.data])
    if (wanted !== order || (shownMs && !isWithin(sharedMs, shownMs))) {
      order = wanted
      shownMs = 0
      const paid = new Promise<T>((done) => {
        if (isSinglePage(wx)) throw new ClientError('single_page')
        if (!wx.requestVirtualPayment) {
          throw new ClientError('config', { method }, 'base library 2.19.2, no mini game')
        }
        done(
          attempt<T>(options).catch((error) => {
            const { code, cause } = error
            const { errCode } = Object(cause)
            if (signedAnew.test(errCode || code)) return attempt(options, errCode)
            throw error
          }),
        )
      })
      const end = (): void => {
        if (last === paid) order = undefined
      }
      paid.then(end, end)
      last = paid
    }
    return last as Promise<T>
  }
}
