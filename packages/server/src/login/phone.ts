import type { MovedPhoneAnswer, PhoneAnswer } from '@wxlogin/shared'
import type { KeyRing } from '../crypto/key-ring.js'
import { isSameHash, keyHashOf } from '../crypto/random-id.js'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { Hooks } from '../hooks.js'
import { type ArgumentRules, checkArguments } from '../option-checks.js'
import type { RequestHeaders } from '../request.js'
import { type Account, accountOf, loginRetrySeconds, type Session } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import { type Sessions, sessionEnded } from '../sessions/sessions.js'
import type { ServedApps } from '../wechat/apps.js'
import { checkCode } from '../wechat/code.js'
import type { OpenSession } from './open-session.js'

/** The input of a request for a user's phone number. */
export interface PhoneInput<Claims extends object = object> {
  readonly session: Session<Claims>
  /** The one-time code of the getPhoneNumber button; not a code of `wx.login()`. */
  readonly code: string
  /** 22 to 64 characters of `[A-Za-z0-9_-]`, the same for a retry. Without it nothing counts as a retry. */
  readonly idempotencyKey?: string
}

export type Phone<Claims extends object> = (
  input: PhoneInput<Claims>,
  request?: RequestHeaders,
) => Promise<PhoneAnswer | MovedPhoneAnswer>

export interface PhoneNeeds<Claims extends object> {
  readonly hooks: Hooks<Claims>
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly openSession: OpenSession<Claims>
  readonly apps: ServedApps
  /** Called with an account whose session was replaced by another user's. */
  readonly onMoved?: ((account: Account) => Promise<void>) | undefined
  readonly now: () => number
  readonly emit: EmitEvent
}

/**
 * Asks WeChat for the phone number behind a code, and lets `onPhoneNumber` say whose it is. A session never changes its
 * user: if it is another one, this is a login, and a session of that user replaces this one.
 */
export function createPhone<Claims extends object>({
  hooks,
  keys,
  store,
  sessions,
  openSession,
  apps,
  onMoved,
  now,
  emit,
}: PhoneNeeds<Claims>): Phone<Claims> {
  /**
   * Two parties that hold one code cannot be told apart (RFC 6749 §4.1.2), so what it has opened ends, while the code
   * would be valid. Later it may come from a log, and ends nothing.
   */
  async function refuseUsedCode(ids: readonly string[], keyHash: string): Promise<void> {
    for (const id of ids) {
      const record = await store.get(id)
      if (!record) continue
      const { loginIdempotencyKeyHash = '', createdAt } = record
      // Later than this WeChat has forgotten the code, and so has everybody but a log.
      const isRecent = now() / 1000 - createdAt < loginRetrySeconds
      const isSame = isSameHash(loginIdempotencyKeyHash, keyHash)
      if (isRecent && !isSame) await sessions.end(id, 'reused')
      throw new AuthError('invalid_code', 'The code was used before; let the user tap again')
    }
  }

  return async (input, request) => {
    checkArguments('auth.phone', input, rules)
    const { session, code } = input
    const idempotencyKeyHash = keyHashOf(input)
    const startedMs = now()
    checkCode(code)
    const ids = keys.sessionIds('phone', session.appId, code)
    await refuseUsedCode(ids, idempotencyKeyHash)
    const record = await sessions.recordOf(session)
    const account = accountOf(record)
    const { appId, openid } = account
    const { phoneNumber, countryCode } = await apps.wechatOf(appId).phoneNumber(code, { openid })
    const call = { id: ids[0], generation: 0, idempotencyKeyHash }
    const known = { phoneNumber, countryCode, session, account }
    const decision = await hooks.onPhoneNumber(known, call, request)
    const number = {
      phone_number: phoneNumber,
      country_code: countryCode,
      ...(decision.data !== undefined && { data: decision.data }),
    }
    const userId = sessions.userIdOf(decision.userId ?? session.userId, account)
    const about = { appId, userId, startedMs }
    if (userId === session.userId) {
      const durationMs = now() - startedMs
      emit({ type: 'phone', outcome: 'kept', ...about, sessionId: session.id, durationMs })
      return number
    }

    const [id] = ids
    const opened = await openSession({
      // A device that was let in remains one, whoever it is for: it lets no other one in.
      method: record.method === 'device' ? 'device' : 'phone',
      id,
      account,
      idempotencyKeyHash,
      canComeAgain: true,
      sealedKey: record.sealedKey,
      authenticatedAt: record.authenticatedAt,
      device: record.device,
      inPlaceOf: record,
      known: { userId },
      startedMs,
      request,
    })
    await onMoved?.(account)
    // Another request with the same code was faster.
    if (!opened) throw sessionEnded()
    const durationMs = now() - startedMs
    emit({ type: 'phone', outcome: 'moved', ...about, sessionId: id, durationMs })
    return { ...opened.answer, ...number }
  }
}

const rules: ArgumentRules<PhoneInput> = {
  session: 'session',
  code: 'string',
  idempotencyKey: 'string?',
}
