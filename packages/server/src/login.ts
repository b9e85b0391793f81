import { setTimeout as delay } from 'node:timers/promises'
import { mockCode, type TokenAnswer } from '@wxlogin/shared'
import { AuthError } from './errors.js'
import { callHook, claimsOf } from './hooks.js'
import type { LoginInput } from './http.js'
import type { PreviousSession, ResolvedOptions } from './options.js'
import type { GuardedStore } from './sessions/guarded-store.js'
import { hashRetryKey, isSameHash, randomId } from './sessions/retry-key.js'
import { seal } from './sessions/sealed.js'
import type { SessionRecord } from './sessions/session.js'
import { checkDevice, type Sessions } from './sessions/sessions.js'
import type { KeyRing } from './tokens/key-ring.js'
import type { RefreshTokens } from './tokens/refresh-token.js'
import { type AppCredentials, code2Session } from './wechat/code2session.js'
import type { WeChat } from './wechat/wechat.js'

// A login is answered again for as long as its code would live.
const retrySeconds = 300

// A sibling instance that took the code may still be in its onLogin; in all it is waited for 2 seconds.
const siblingWaitsMs = [50, 100, 200, 400, 600, 650] as const

/** The parts of an `Auth` that a login by code works with. */
export interface LoginParts<Claims extends object> {
  readonly resolved: ResolvedOptions<Claims>
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions
  readonly refreshTokens: RefreshTokens
  readonly wechat: WeChat
  readonly appOf: (appId: string | undefined) => Promise<AppCredentials>
  readonly answer: (record: SessionRecord, claims: Claims) => Promise<TokenAnswer>
}

interface Attempt extends LoginInput {
  /** The ids that a session made by this code has, one per member of the secret ring. */
  readonly ids: readonly [string, ...string[]]
  readonly retryKeyHash: string
  readonly startedAtMs: number
}

/** Login by code: a double tap, a lost answer or a gateway that retries gets one session, a replayed code nothing. */
export function createLogin<Claims extends object>({
  resolved,
  keys,
  store,
  sessions,
  refreshTokens,
  wechat,
  appOf,
  answer,
}: LoginParts<Claims>): (input: LoginInput) => Promise<TokenAnswer> {
  const { onLogin, onlyAppId, now, emit } = resolved

  // Logins under way in this process, by session id, so that WeChat sees a code once.
  const running = new Map<string, Promise<TokenAnswer>>()

  async function login(input: LoginInput): Promise<TokenAnswer> {
    const { code, appId = onlyAppId, device, idempotencyKey = randomId() } = input
    checkCode(code)
    if (device !== undefined) checkDevice(device)
    const app = await appOf(appId)
    const ids = keys.loginIds(app.appId, code)
    const attempt = {
      ...input,
      ids,
      retryKeyHash: hashRetryKey(idempotencyKey),
      startedAtMs: now(),
    }

    const earlier = running.get(ids[0])
    if (earlier) {
      await earlier
      return answerAgain(await findLogin(ids), attempt)
    }
    const first = exchange(app, attempt).finally(() => running.delete(ids[0]))
    running.set(ids[0], first)
    return first
  }

  async function exchange(app: AppCredentials, attempt: Attempt): Promise<TokenAnswer> {
    const exchanged = await code2Session(wechat, app, attempt.code).catch(
      async (error: unknown) => {
        if (!(error instanceof AuthError) || error.code !== 'invalid_code') throw error
        const earlier = await findLogin(attempt.ids)
        if (!earlier) throw error
        return { earlier }
      },
    )
    if ('earlier' in exchanged) return answerAgain(exchanged.earlier, attempt)

    const { account, sessionKey } = exchanged
    const { input, device } = attempt
    const previous = await previousOf(attempt)
    const decision = await callHook('onLogin', () =>
      onLogin(account, {
        input,
        ...(device !== undefined && { device }),
        ...(previous && { previous }),
      }),
    )
    const record = sessions.draft({
      id: attempt.ids[0],
      account,
      retryKeyHash: attempt.retryKeyHash,
      sealedKey: seal(keys.seal, account, sessionKey),
      device,
      userId: decision?.userId,
      data: decision?.data,
    })
    const claims = await claimsOf(resolved, record)
    if (!(await store.create(record))) return answerAgain(await store.get(record.id), attempt)

    await endPrevious(attempt, record)
    await sessions.endSurplus(record)
    report('created', record, attempt)
    return answer(record, claims)
  }

  /** The session that this code has made already, in this process or in a sibling. */
  async function findLogin(ids: readonly string[]): Promise<SessionRecord | undefined> {
    for (const waitMs of [0, ...siblingWaitsMs]) {
      if (waitMs > 0) await delay(waitMs)
      for (const id of ids) {
        const record = await store.get(id)
        if (record) return record
      }
    }
    return undefined
  }

  /** A code that came before: the same request again gets the same session, anything else gets nothing. */
  async function answerAgain(
    earlier: SessionRecord | undefined,
    attempt: Attempt,
  ): Promise<TokenAnswer> {
    if (!earlier || !isOpen(earlier)) throw invalidCode()
    if (!isSameHash(earlier.retryKeyHash, attempt.retryKeyHash)) {
      // Two parties hold this code, and nobody can tell which one is the user.
      await sessions.end(earlier.id, 'reused', isOpen)
      report('code_reused', earlier, attempt)
      throw invalidCode()
    }
    const claims = await claimsOf(resolved, earlier)
    await endPrevious(attempt, earlier)
    report('retried', earlier, attempt)
    return answer(earlier, claims)
  }

  const isOpen = ({ revokedAt, generation, createdAt }: SessionRecord) =>
    revokedAt === undefined && generation === 0 && now() / 1000 - createdAt < retrySeconds

  async function previousOf({
    previousRefreshToken,
  }: Attempt): Promise<PreviousSession | undefined> {
    const token = previousRefreshToken ? await refreshTokens.read(previousRefreshToken) : undefined
    const record = token && (await store.get(token.sessionId))
    // An old copy of a token must not pass for its user: an app may merge accounts on this.
    if (!record || record.revokedAt !== undefined || token.generation < record.generation - 1) {
      return undefined
    }
    return { id: record.id, userId: record.userId, appId: record.appId }
  }

  /** The new session is committed; whatever goes wrong with the old one must not cost it. */
  async function endPrevious(
    { previousRefreshToken }: Attempt,
    { id }: SessionRecord,
  ): Promise<void> {
    const token = previousRefreshToken ? await refreshTokens.read(previousRefreshToken) : undefined
    if (!token || token.sessionId === id) return
    try {
      await store.delete(token.sessionId)
      emit({ type: 'logout', appId: token.appId, sessionId: token.sessionId, everywhere: false })
    } catch {
      // It ends by itself when its idle time is over.
    }
  }

  function report(
    outcome: 'created' | 'retried' | 'code_reused',
    { id, appId }: SessionRecord,
    { startedAtMs }: Attempt,
  ): void {
    emit({ type: 'login', outcome, appId, sessionId: id, durationMs: now() - startedAtMs })
  }

  return login
}

function checkCode(code: string): void {
  if (code === mockCode) {
    throw new AuthError(
      'invalid_code',
      'DevTools made this code without a real AppID; set your AppID in the project and log in again',
      { reason: 'mock_code' },
    )
  }
  if (typeof code !== 'string' || !/^[A-Za-z0-9_-]{1,128}$/.test(code)) throw invalidCode()
}

function invalidCode(): AuthError {
  return new AuthError(
    'invalid_code',
    'The code is not valid or was used before; call wx.login again',
  )
}
