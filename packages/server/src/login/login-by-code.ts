import { setTimeout as delay } from 'node:timers/promises'
import { type AppKind, mockCode, type TokenAnswer } from '@wxlogin/shared'
import type { KeyRing } from '../crypto/key-ring.js'
import { keyHashOf } from '../crypto/random-id.js'
import { seal } from '../crypto/sealed.js'
import { AuthError } from '../errors.js'
import { type ArgumentRules, checkArguments } from '../option-checks.js'
import type { Arrival, RequestHeaders } from '../request.js'
import { accountOf, type SessionRecord } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import { checkDevice } from '../sessions/sessions.js'
import type { ServedApp } from '../wechat/app-kind.js'
import type { ServedApps } from '../wechat/apps.js'
import { checkCode } from '../wechat/code.js'
import type { OpenAgain } from './open-again.js'
import type { OpenedSession, OpenSession } from './open-session.js'
import type { PreviousInput, PreviousSessions } from './previous-session.js'

/** The input of a login. */
export interface LoginInput extends PreviousInput {
  /** The one-time code of `wx.login()`, or of what the app has in its place. */
  readonly code: string
  /** May be left out if there is just one app of the kind. */
  readonly appId?: string
  /** Where the code is from (default `'mini_program'`). */
  readonly kind?: AppKind
  /** A name for the device, up to 128 characters. */
  readonly device?: string
  /** Passed to `onLogin` unchanged. */
  readonly input?: unknown
  /** 22 to 64 characters of `[A-Za-z0-9_-]`, the same for a retry. Without it nothing counts as a retry. */
  readonly idempotencyKey?: string
}

// A sibling instance that used the code may still be in its onLogin; the waits add up to 2 seconds.
const siblingWaitsMs = [0, 50, 100, 200, 400, 600, 650] as const

// WeChat's errcode for a used code. For one that it has forgotten or never issued it has another, and then there is
// hardly a sibling.
const usedCode = 40163
const unknownCodeWaitsMs = [0, 100] as const

interface Attempt extends LoginInput {
  readonly method: 'code' | 'prefetch'
  readonly app: ServedApp
  /** The ids that a session made by this code has, one per member of the secret ring. */
  readonly ids: readonly [string, ...string[]]
  readonly idempotencyKeyHash: string
  readonly startedMs: number
  readonly receivedMs: number
  readonly request: RequestHeaders | undefined
}

/** Login by code: a double tap, a lost answer or a gateway's retry get one session, a replayed code gets nothing. */
export type LoginByCode<Claims extends object> = (
  input: LoginInput,
  options?: Arrival & { readonly method?: Attempt['method'] },
) => Promise<OpenedSession<Claims>>

export interface LoginByCodeNeeds<Claims extends object> {
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly previousSessions: PreviousSessions
  readonly openSession: OpenSession<Claims>
  readonly openAgain: OpenAgain<Claims>
  readonly apps: ServedApps
  readonly now: () => number
}

export function createLoginByCode<Claims extends object>({
  keys,
  store,
  previousSessions,
  openSession,
  openAgain,
  apps,
  now,
}: LoginByCodeNeeds<Claims>): LoginByCode<Claims> {
  // Logins in flight in this process, by session id, so that WeChat sees a code once.
  const running = new Map<string, Promise<OpenedSession<Claims>>>()

  async function exchange(attempt: Attempt): Promise<OpenedSession<Claims>> {
    const { method, code, app, ids, idempotencyKeyHash, input, device, startedMs, request } =
      attempt
    const { appId, kind } = app
    // WeChat's servers call the pre-fetch for anybody: it must not take the places of users who log in.
    const group = method === 'prefetch' ? 'prefetch' : 'login'
    // Before the code is spent.
    const previous = await previousSessions.find(attempt, { ...attempt, appId })
    const exchanged = await app.exchange(code, group).catch(async (error: unknown) => {
      if (!(error instanceof AuthError) || error.code !== 'invalid_code') throw error
      // WeChat did not say that the code was used: the client should get a new one at once.
      if (error.reason === 'lost') throw error
      const waitsMs = error.errcode === usedCode ? siblingWaitsMs : unknownCodeWaitsMs
      const earlier = await findLogin(ids, waitsMs)
      if (!earlier) throw error
      return { earlier }
    })
    if ('earlier' in exchanged) return again(exchanged.earlier, attempt)

    const { openid, unionid, sessionKey } = exchanged
    const account = accountOf({ appId, kind, openid, unionid })
    const [id] = ids
    const opened = await openSession({
      method,
      id,
      account,
      idempotencyKeyHash,
      canComeAgain: true,
      sealedKey: sessionKey && seal(keys.seal, account, sessionKey),
      input,
      device,
      previous,
      startedMs,
      request,
    })
    return opened ?? again(await store.get(id), attempt)
  }

  /** The session that this code has already created, in this process or in a sibling. */
  async function findLogin(
    ids: readonly string[],
    waitsMs: readonly number[],
  ): Promise<SessionRecord | undefined> {
    for (const waitMs of waitsMs) {
      if (waitMs > 0) await delay(waitMs)
      for (const id of ids) {
        const record = await store.get(id)
        if (record) return record
      }
    }
    return undefined
  }

  /** A code that was used before, and the session that it made. */
  async function again(
    earlier: SessionRecord | undefined,
    attempt: Attempt,
  ): Promise<OpenedSession<Claims>> {
    const opened = await openAgain(earlier, { ...attempt, refusal: invalidCode })
    const { appId } = attempt.app
    const previous = await previousSessions.find(attempt, { ...attempt, appId })
    await previousSessions.end(previous, opened.record)
    return opened
  }

  return async (input, { method = 'code', receivedMs = now(), request } = {}) => {
    const { code, device } = input
    // DevTools without an AppID has made it, and is told so rather than that its AppID is unknown.
    if (code === mockCode) checkCode(code)
    if (device !== undefined) checkDevice(device)
    const startedMs = now()
    const app = await apps.of(input.appId, input.kind ?? 'mini_program')
    app.checkCode(code)
    const ids = keys.sessionIds('wechat', app.appId, code)
    const idempotencyKeyHash = keyHashOf(input)
    const attempt = {
      ...input,
      ...{ method, app, ids, idempotencyKeyHash, startedMs, receivedMs, request },
    }

    const earlier = running.get(ids[0])
    if (earlier) {
      await earlier
      return again(await findLogin(ids, siblingWaitsMs), attempt)
    }
    const first = exchange(attempt).finally(() => running.delete(ids[0]))
    running.set(ids[0], first)
    return first
  }
}

/** The same, as `auth.login` and the route call it: only the answer. */
export function createLogin<Claims extends object>(
  loginByCode: LoginByCode<Claims>,
): (input: LoginInput, arrival?: Arrival) => Promise<TokenAnswer> {
  return async (input, { receivedMs, request } = {}) => {
    checkArguments('auth.login', input, rules)
    return (await loginByCode(input, { receivedMs, request })).answer
  }
}

const rules: ArgumentRules<LoginInput> = {
  code: 'string',
  appId: 'string?',
  kind: 'string?',
  device: 'string?',
  input: 'anything',
  idempotencyKey: 'string?',
  previousRefreshToken: 'string?',
  previousIdempotencyKey: 'string?',
  previousSignedOut: 'boolean?',
}

function invalidCode(): AuthError {
  return new AuthError(
    'invalid_code',
    'The code is not valid or was used before; call wx.login again',
  )
}
