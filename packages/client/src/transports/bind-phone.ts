import { type idempotencyHeader, type PhoneAnswer, paths, type TokenAnswer } from '@wxlogin/shared'
import { ClientError, isText } from '../errors.js'
import type { Renewal, RenewalSettings } from '../session/renewal.js'
import type { Session } from '../session/session.js'
import { isPair, type RecordStore, type TokenPair } from '../session/token-record.js'
import { createOpenFresh } from './open-fresh.js'
import type { CommonOptions, NativeCall, Send } from './send.js'

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
  <Data>(
    {
      settings: { authUrl, newKey },
      store,
      renewal,
      send,
    }: {
      readonly settings: RenewalSettings
      readonly store: RecordStore
      readonly renewal: Renewal
      readonly send: Send
    },
    call: NativeCall,
    session: () => Session<Data> | undefined,
  ) =>
  (event: PhoneEvent): Promise<BoundPhone<Data>> => {
    const { code, errno, errMsg } = Object(Object(event).detail)
    if (!isText(code)) {
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
    return send({
      options: {
        url: authUrl + paths.phone,
        method: 'POST',
        // Nobody else may hear what is asked here.
        redirect: 'manual',
        data: { code },
        header: { 'Idempotency-Key': newKey() } as Record<typeof idempotencyHeader, string>,
      } as CommonOptions,
      call,
      // A renewal beside it would make the answer come too late.
      open: createOpenFresh(store, renewal),
      events: [],
      needed: 'phone_number',
      read(response, pair) {
        const answer: PhoneAnswer & Partial<TokenAnswer> = Object(response.data)
        const { phone_number: phoneNumber, country_code: countryCode, data } = answer
        if (answer.refresh_token) {
          const next = Object.assign({}, answer, {
            reason: false,
            key: newKey(),
            askedMs,
            country_code: undefined,
            phone_number: undefined,
          }) as TokenPair
          // Whoever signed out, or logged in, while the number was on its way has not asked for this session.
          const isWanted = pair && store.read(true).key === pair.key
          if (isWanted && isPair(next)) store.write(next, 'phone')
          else void renewal.end(next)
        }
        if (!isText(phoneNumber)) throw new ClientError('http')
        return { phoneNumber, countryCode, data, session: session() }
      },
    })
  }
