import { type PhoneAnswer, paths, type TokenAnswer } from '@wxlogin/shared'
import type { Session } from './core.js'
import { ClientError } from './errors.js'
import type { Pair, RecordStore } from './record.js'
import type { NativeCall, Send } from './request.js'
import { mintKey } from './retry-key.js'
import { openTask } from './task.js'
import type { Runtime } from './wx.js'

/** What a `getPhoneNumber` or `getRealtimePhoneNumber` button calls its handler with. */
export interface PhoneEvent {
  readonly detail: { readonly code?: string; readonly errMsg?: string; readonly errno?: number }
}

export interface BoundPhone<Data = unknown> {
  /** Without the country code. Not kept by the client. */
  readonly phoneNumber: string
  readonly countryCode: string
  /** What the backend's `onPhoneNumber` returned for the client. */
  readonly data: unknown
  /** Of another user than before, if that is whose number it is. */
  readonly session: Session<Data> | undefined
}

const quotaErrno = 1400001

/** Exchanges the code of a phone button, and takes over the session that the number led to. */
export const createBindPhone =
  <Data>(
    wx: Runtime,
    store: RecordStore,
    authUrl: string,
    send: Send,
    request: NativeCall,
    session: () => Session<Data> | undefined,
  ) =>
  ({ detail }: PhoneEvent): Promise<BoundPhone<Data>> => {
    const { code, errno } = detail
    if (!code) {
      return Promise.reject(
        new ClientError(errno === quotaErrno ? 'phone_quota' : 'phone_denied', { cause: detail }),
      )
    }
    return mintKey(wx).then((key) => {
      const askedMs = Date.now()
      const requested = { url: authUrl + paths.phone, method: 'POST', data: { code } }
      return send(requested, request, openTask, [], (response, pair) => {
        const answer: PhoneAnswer & Partial<TokenAnswer> = Object(response.data)
        const { phone_number: phoneNumber, country_code: countryCode, data, refresh_token } = answer
        if (!phoneNumber) throw new ClientError('http', response)
        if (refresh_token && store.read() === pair) {
          const next = { key, askedMs, phone_number: undefined, country_code: undefined }
          store.write(Object.assign({}, answer, next) as Pair, 'phone')
        }
        return { phoneNumber, countryCode, data, session: session() }
      })
    })
  }
