import type { MovedPhoneAnswer, PhoneAnswer } from '@wxlogin/shared'
import { AuthError } from '../errors.js'
import { callHook, claimsOf } from '../hooks.js'
import { jsonCopy } from '../json-copy.js'
import type { Parts } from '../parts.js'
import type { Account, Session, SessionRecord } from '../session.js'
import { toUserId } from '../sessions/user-id.js'
import { checkCode } from '../wechat/code.js'

/** What the phone number of a signed-in user is asked with. */
export interface PhoneInput<Claims extends object = object> {
  readonly session: Session<Claims>
  /** The one-time code of the getPhoneNumber button; not a code of `wx.login()`. */
  readonly code: string
}

/** Asks WeChat for the phone number behind a code, and lets `onPhoneNumber` say whose it is. */
export function createPhone<Claims extends object>(
  { resolved, keys, store, sessions, apps, answer }: Parts<Claims>,
  onMoved: (account: Account) => void,
): (input: PhoneInput<Claims>) => Promise<PhoneAnswer | MovedPhoneAnswer> {
  const { onPhoneNumber, now, emit } = resolved

  /** The session goes on as the other user's; its tokens of before are refused wherever the store is asked. */
  async function move({ id, userId }: Session, newUserId: string): Promise<SessionRecord> {
    const { before, decision } = await store.update(id, (record) => {
      if (!record || record.revokedAt !== undefined || record.userId !== userId) return {}
      // What `onLogin` said of the user before does not hold for this one.
      const { data: _data, ...rest } = record
      return { record: { ...rest, version: record.version + 1, userId: newUserId } }
    })
    if (!before || !decision.record) throw sessionEnded()
    await sessions.evictExcess(decision.record)
    return decision.record
  }

  return async ({ session, code }) => {
    const startedAtMs = now()
    checkCode(code)
    const account = await sessions.account(session)
    const { appId, openid } = account
    const { phoneNumber, countryCode } = await apps.wechatOf(appId).phoneNumber(code, { openid })
    const decision = await callHook('onPhoneNumber', () =>
      onPhoneNumber({ phoneNumber, countryCode, session, account }),
    )
    const said = {
      phone_number: phoneNumber,
      country_code: countryCode,
      ...(decision?.data !== undefined && {
        data: jsonCopy(decision.data, 'The data that onPhoneNumber returns'),
      }),
    }
    const userId = toUserId(decision?.userId ?? session.userId, account)
    const isMoved = userId !== session.userId
    const tokens = isMoved ? await moveTo(userId) : undefined
    if (isMoved) onMoved(account)
    emit({
      type: 'phone',
      outcome: isMoved ? 'moved' : 'kept',
      appId,
      sessionId: session.id,
      durationMs: now() - startedAtMs,
    })
    return { ...tokens, ...said }

    async function moveTo(newUserId: string) {
      // Before the write: a user whom `claims` refuses gets no session of somebody else's.
      const claims = await claimsOf(resolved, { appId, userId: newUserId })
      const record = await move(session, newUserId)
      // A session without tokens gets none: it has the same id again after its end, and they would be good for that one.
      if (keys.sessionIds('cloud_hosting', appId, openid).includes(session.id)) return undefined
      return answer(record, claims)
    }
  }
}

function sessionEnded(): AuthError {
  return new AuthError(
    'invalid_token',
    'The session has ended; the client learns why when it refreshes',
  )
}
