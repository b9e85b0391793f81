import { type PhoneAnswer, paths, type TokenAnswer } from '@wxlogin/shared'
import { ClientError } from '../errors.js'
import type { Session } from '../session/session.js'
import type { RecordStore, TokenPair } from '../session/token-record.js'
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
  /** The session after it: that of another user, if the number is theirs. */
  readonly session: Session<Data> | undefined
}

/** What WeChat says when there is no code: the quota is used up, it is not declared or not allowed, or no consent. */
const quota = /^1400001$/
const undeclared = /^1(12|02[56]|421102)$|declared|banned/
const privacy = /^10[34]$|privacy per/

/** Exchanges the code of a phone button, and switches to the session that the number led to. */
export const createBindPhone =
  <Data>({
    store,
    authUrl,
    send,
    call,
    session,
  }: {
    readonly store: RecordStore
    readonly authUrl: string
    readonly send: Send
    readonly call: NativeCall
    readonly session: () => Session<Data> | undefined
  }) =>
  (event: PhoneEvent): Promise<BoundPhone<Data>> => {
    const { code, errno, errMsg } = Object(Object(event).detail)
    if (!code) {
      const said = errno || errMsg
      return Promise.reject(
        new ClientError(
          quota.test(said) ? 'phone_quota' : undeclared.test(said) ? 'config' : 'phone_denied',
          {
            reason: privacy.test(said) ? 'privacy' : undefined,
            // Not all of the detail: it may hold what is encrypted under the session key.
            cause: { errno, errMsg },
          },
        ),
      )
    }
    const askedMs = Date.now()
    const options = {
      url: authUrl + paths.phone,
      method: 'POST',
      // Nobody else may hear what is asked here.
      redirect: 'manual',
      data: { code },
    }
    return send({
      options,
      call,
      events: [],
      needed: 'phone_number',
      read(response) {
        const answer: PhoneAnswer & Partial<TokenAnswer> = Object(response.data)
        const { phone_number: phoneNumber, country_code: countryCode, data, refresh_token } = answer
        const current = store.read()
        const { key } = current
        // The refresh token is not used up, so it keeps its key: a refresh with it may be running, or just done. Who is
        // signed out has no key.
        if (key && current.refresh_token === refresh_token) {
          const next = { key, askedMs, phone_number: undefined, country_code: undefined }
          store.write(Object.assign({}, answer, next) as TokenPair, 'phone')
        }
        return { phoneNumber, countryCode, data, session: session() }
      },
    })
  }
