import type { MovedPhoneAnswer, PhoneAnswer } from '@wxlogin/shared'
import type { KeyRing } from '../crypto/key-ring.js'
import type { EmitEvent } from '../events.js'
import type { Hooks } from '../hooks.js'
import { type Account, isLive, type Session, type SessionRecord } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import { type Sessions, sessionEnded } from '../sessions/sessions.js'
import type { AnswerTokens } from '../tokens/token-answer.js'
import type { ServedApps } from '../wechat/apps.js'
import { checkCode } from '../wechat/code.js'

/** What the phone number of a signed-in user is asked with. */
export interface PhoneInput<Claims extends object = object> {
  readonly session: Session<Claims>
  /** The one-time code of the getPhoneNumber button; not a code of `wx.login()`. */
  readonly code: string
}

export interface PhoneNeeds<Claims extends object> {
  readonly hooks: Hooks<Claims>
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly apps: ServedApps
  readonly answerTokens: AnswerTokens<Claims>
  /** Told of an account whose session has moved to another user. */
  readonly onMoved?: ((account: Account) => void) | undefined
  readonly now: () => number
  readonly emit: EmitEvent
}

/** Asks WeChat for the phone number behind a code, and lets `onPhoneNumber` say whose it is. */
export function createPhone<Claims extends object>({
  hooks,
  keys,
  store,
  sessions,
  apps,
  answerTokens,
  onMoved,
  now,
  emit,
}: PhoneNeeds<Claims>): (input: PhoneInput<Claims>) => Promise<PhoneAnswer | MovedPhoneAnswer> {
  /** The session goes on as the other user's; its tokens of before are refused wherever the store is asked. */
  async function move({ id, userId }: Session, newUserId: string): Promise<SessionRecord> {
    const { before, decision } = await store.update(id, (record) => {
      if (!isLive(record) || record.userId !== userId) return {}
      // What `onLogin` said of the user before does not hold for this one.
      const { data: _data, ...rest } = record
      return { record: { ...rest, version: record.version + 1, userId: newUserId } }
    })
    if (!before || !decision.record) throw sessionEnded()
    await sessions.evictExcess(decision.record)
    return decision.record
  }

  return async ({ session, code }) => {
    const startedMs = now()
    checkCode(code)
    const account = await sessions.account(session)
    const { appId, openid } = account
    const { phoneNumber, countryCode } = await apps.wechatOf(appId).phoneNumber(code, { openid })
    const decision = await hooks.onPhoneNumber({ phoneNumber, countryCode, session, account })
    const said = {
      phone_number: phoneNumber,
      country_code: countryCode,
      ...(decision.data !== undefined && { data: decision.data }),
    }
    const userId = sessions.userIdOf(decision.userId ?? session.userId, account)
    const isMoved = userId !== session.userId
    const tokens = isMoved ? await moveTo(userId) : undefined
    if (isMoved) onMoved?.(account)
    emit({
      type: 'phone',
      outcome: isMoved ? 'moved' : 'kept',
      appId,
      sessionId: session.id,
      userId,
      startedMs,
      durationMs: now() - startedMs,
    })
    return { ...tokens, ...said }

    async function moveTo(newUserId: string) {
      // Before the write: a user whom `claims` refuses gets no session of somebody else's.
      const claims = await hooks.claims({ appId, userId: newUserId })
      const record = await move(session, newUserId)
      // A session without tokens gets none: it has the same id again after its end, and they would be good for that one.
      if (keys.sessionIds('cloud_hosting', appId, openid).includes(session.id)) return undefined
      return answerTokens(record, claims)
    }
  }
}
