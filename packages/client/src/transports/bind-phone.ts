import { type PhoneAnswer, paths, type TokenAnswer } from '@wxlogin/shared'
import type { Session } from '../client.js'
import { ClientError } from '../errors.js'
import type { Pair, RecordStore } from '../session/token-record.js'
import { openTask } from '../task.js'
import type { NativeCall, Send } from './send.js'

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
    const askedMs = Date.now()
    const requested = { url: authUrl + paths.phone, method: 'POST', data: { code } }
    return send(requested, request, openTask, [], (response) => {
      const answer: PhoneAnswer & Partial<TokenAnswer> = Object(response.data)
      const { phone_number: phoneNumber, country_code: countryCode, data, refresh_token } = answer
      if (!phoneNumber) throw new ClientError('http')
      const current = store.read()
      const { key } = current
      // A move uses no refresh token up, so it keeps its key: a renewal may be under way with it, or just over. Who is
      // signed out has none.
      if (key && current.refresh_token === refresh_token) {
        const next = { key, askedMs, phone_number: undefined, country_code: undefined }
        store.write(Object.assign({}, answer, next) as Pair, 'phone')
      }
      return { phoneNumber, countryCode, data, session: session() }
    })
  }
