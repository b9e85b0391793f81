import { setTimeout as delay } from 'node:timers/promises'
import type { TokenAnswer } from '@wxlogin/shared'
import { AuthError } from './errors.js'
import { callHook, claimsOf } from './hooks.js'
import type { LoginInput } from './http.js'
import type { PreviousSession, ResolvedOptions } from './options.js'
import type { GuardedStore } from './sessions/guarded-store.js'
import { hashRetryKey, isSameHash, randomId } from './sessions/retry-key.js'
import { seal } from './sessions/sealed.js'
import { loginRetrySeconds, type SessionRecord } from './sessions/session.js'
import { checkDevice, type Sessions } from './sessions/sessions.js'
import type { KeyRing } from './tokens/key-ring.js'
import type { RefreshTokens } from './tokens/refresh-token.js'
import { checkCode } from './wechat/code.js'
import type { AppCredentials } from './wechat/code2session.js'
import type { WeChat } from './wechat/mini-program.js'

// A sibling instance that took the code may still be in its onLogin; in all it is waited for 2 seconds.
const siblingWaitsMs = [0, 50, 100, 200, 400, 600, 650] as const

// WeChat says so of a code that was used; of one that it has forgotten, or never gave, it says something else, and
// then there hardly is a sibling.
const usedCode = 40163
const unknownCodeWaitsMs = [0, 100] as const

/** The parts of an `Auth` that a login by code works with. */
export interface LoginParts<Claims extends object> {
  readonly resolved: ResolvedOptions<Claims>
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions
  readonly refreshTokens: RefreshTokens
  /** Of an app that is served here. */
  readonly wechatOf: (appId: string) => WeChat
  readonly findApp: (appId: string) => Promise<AppCredentials | undefined>
  readonly appOf: (appId: string | undefined) => Promise<AppCredentials>
  /** What the `claims` option says; a user whom it refuses loses the session. */
  readonly claimsOrEnd: (record: SessionRecord) => Promise<Claims>
  readonly answer: (record: SessionRecord, claims: Claims) => Promise<TokenAnswer>
}

interface Attempt extends LoginInput {
  /** The ids that a session made by this code has, one per member of the secret ring. */
  readonly ids: readonly [string, ...string[]]
  readonly retryKeyHash: string
  readonly startedAtMs: number
}

interface Previous {
  readonly record: SessionRecord
  /** 0 for the newest refresh token of the session. */
  readonly generationsBehind: number
}

/** Login by code: a double tap, a lost answer or a gateway that retries gets one session, a replayed code nothing. */
export function createLogin<Claims extends object>({
  resolved,
  keys,
  store,
  sessions,
  refreshTokens,
  wechatOf,
  findApp,
  appOf,
  claimsOrEnd,
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
      return answerAgain(await findLogin(ids, siblingWaitsMs), attempt)
    }
    const first = exchange(app, attempt).finally(() => running.delete(ids[0]))
    running.set(ids[0], first)
    return first
  }

  async function exchange({ appId }: AppCredentials, attempt: Attempt): Promise<TokenAnswer> {
    // Before the code is spent.
    const previous = await findPrevious(attempt)
    const exchanged = await wechatOf(appId)
      .code2Session(attempt.code)
      .catch(async (error: unknown) => {
        if (!(error instanceof AuthError) || error.code !== 'invalid_code') throw error
        const waitsMs = error.errcode === usedCode ? siblingWaitsMs : unknownCodeWaitsMs
        const earlier = await findLogin(attempt.ids, waitsMs)
        if (!earlier) throw error
        return { earlier }
      })
    if ('earlier' in exchanged) return answerAgain(exchanged.earlier, attempt)

    const { openid, unionid, sessionKey } = exchanged
    const account = { appId, openid, ...(unionid !== undefined && { unionid }) }
    const { input, device } = attempt
    const decision = await callHook('onLogin', () =>
      onLogin(account, {
        input,
        ...(device !== undefined && { device }),
        ...previousFor(previous),
      }),
    )
    const record = sessions.draft({
      id: attempt.ids[0],
      account,
      retryKeyHash: attempt.retryKeyHash,
      isByCode: true,
      sealedKey: seal(keys.seal, account, sessionKey),
      device,
      userId: decision?.userId,
      data: decision?.data,
    })
    const claims = await claimsOf(resolved, record)
    if (!(await store.create(record))) return answerAgain(await store.get(record.id), attempt)

    await endPrevious(previous, record)
    await sessions.endSurplus(record)
    report('created', record, attempt)
    return answer(record, claims)
  }

  /** The session that this code has made already, in this process or in a sibling. */
  async function findLogin(
    ids: readonly string[],
    waitsMs: readonly number[],
  ): Promise<SessionRecord | undefined> {
    for (const waitMs of waitsMs) {
      if (waitMs > 0) await delay(waitMs, undefined, { ref: false })
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
    if (!earlier || !isRecent(earlier)) throw invalidCode()
    const { loginKeyHash = '', generation, id } = earlier
    if (!isSameHash(loginKeyHash, attempt.retryKeyHash)) {
      // Two parties hold this code, and nobody can tell which one is the user (RFC 6749 §4.1.2).
      await sessions.end(id, 'reused')
      report('code_reused', earlier, attempt)
      throw invalidCode()
    }
    if (generation > 0) throw invalidCode()
    const claims = await claimsOrEnd(earlier)
    // The hook took its time, and a revocation meanwhile wins.
    const current = resolved.claims ? await store.get(id) : earlier
    if (!current || !isRecent(current) || current.generation > 0) throw invalidCode()

    await endPrevious(await findPrevious(attempt), earlier)
    report('retried', earlier, attempt)
    return answer(earlier, claims)
  }

  const isRecent = ({ revokedAt, createdAt }: SessionRecord) =>
    revokedAt === undefined && now() / 1000 - createdAt < loginRetrySeconds

  /** The session that the client says it replaces. Whatever goes wrong here must not cost the login. */
  async function findPrevious({ previousRefreshToken }: Attempt): Promise<Previous | undefined> {
    try {
      const token = previousRefreshToken
        ? await refreshTokens.read(previousRefreshToken)
        : undefined
      if (!token || !(await findApp(token.appId))) return undefined
      const record = await store.get(token.sessionId)
      if (!record || record.revokedAt !== undefined) return undefined
      return { record, generationsBehind: record.generation - token.generation }
    } catch {
      return undefined
    }
  }

  /** The new session is committed, so the old one ends; if that fails it ends by itself when its idle time is over. */
  async function endPrevious(previous: Previous | undefined, newest: SessionRecord): Promise<void> {
    if (!previous || previous.record.id === newest.id) return
    const { id: sessionId, appId } = previous.record
    try {
      // The answer to a refresh may have been lost, which puts an honest client one generation behind, and no more.
      if (previous.generationsBehind > 1) return void (await sessions.end(sessionId, 'reused'))
      await store.delete(sessionId)
      emit({ type: 'logout', appId, sessionId, everywhere: false })
    } catch {}
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

/** What `onLogin` may know: a token that was used before must not pass for its user, for an app may merge accounts. */
function previousFor(previous: Previous | undefined): { previous?: PreviousSession } {
  if (!previous || previous.generationsBehind > 0) return {}
  const { id, userId, appId } = previous.record
  return { previous: { id, userId, appId } }
}

function invalidCode(): AuthError {
  return new AuthError(
    'invalid_code',
    'The code is not valid or was used before; call wx.login again',
  )
}
