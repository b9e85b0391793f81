import { setTimeout as delay } from 'node:timers/promises'
import { hashIdempotencyKey, isSameHash, randomId } from '../crypto/random-id.js'
import { seal } from '../crypto/sealed.js'
import { AuthError } from '../errors.js'
import type { LoginEvent } from '../events.js'
import type { LoginInput } from '../http/routes.js'
import type { Parts } from '../parts.js'
import { loginRetrySeconds, type SessionRecord } from '../session.js'
import { checkDevice } from '../sessions/sessions.js'
import { checkCode } from '../wechat/code.js'
import type { OpenedSession } from './open-session.js'

// A sibling instance that took the code may still be in its onLogin; in all it is waited for 2 seconds.
const siblingWaitsMs = [0, 50, 100, 200, 400, 600, 650] as const

// WeChat says so of a code that was used; of one that it has forgotten, or never gave, it says something else, and
// then there hardly is a sibling.
const usedCode = 40163
const unknownCodeWaitsMs = [0, 100] as const

interface Attempt extends LoginInput {
  readonly by: 'code' | 'prefetch'
  readonly appId: string
  /** The ids that a session made by this code has, one per member of the secret ring. */
  readonly ids: readonly [string, ...string[]]
  readonly idempotencyKeyHash: string
  readonly startedAtMs: number
}

/** Login by code: a double tap, a lost answer or a gateway that retries gets one session, a replayed code nothing. */
export type LoginByCode<Claims extends object> = (
  input: LoginInput,
  by?: Attempt['by'],
) => Promise<OpenedSession<Claims>>

export function createLoginByCode<Claims extends object>({
  resolved,
  keys,
  store,
  sessions,
  previousSessions,
  openSession,
  apps,
  claimsOrEnd,
}: Parts<Claims>): LoginByCode<Claims> {
  const { onlyAppId, now, emit } = resolved

  // Logins under way in this process, by session id, so that WeChat sees a code once.
  const running = new Map<string, Promise<OpenedSession<Claims>>>()

  async function exchange(attempt: Attempt): Promise<OpenedSession<Claims>> {
    const { by, code, appId, ids, idempotencyKeyHash, input, device, startedAtMs } = attempt
    // Before the code is spent.
    const previous = await previousSessions.find(attempt.previousRefreshToken)
    const exchanged = await apps
      .wechatOf(appId)
      .code2Session(code)
      .catch(async (error: unknown) => {
        if (!(error instanceof AuthError) || error.code !== 'invalid_code') throw error
        const waitsMs = error.errcode === usedCode ? siblingWaitsMs : unknownCodeWaitsMs
        const earlier = await findLogin(ids, waitsMs)
        if (!earlier) throw error
        return { earlier }
      })
    if ('earlier' in exchanged) return openAgain(exchanged.earlier, attempt)

    const { openid, unionid, sessionKey } = exchanged
    const account = { appId, openid, ...(unionid !== undefined && { unionid }) }
    const [id] = ids
    const opened = await openSession({
      by,
      id,
      account,
      idempotencyKeyHash,
      sealedKey: seal(keys.seal, account, sessionKey),
      input,
      device,
      previous,
      startedAtMs,
    })
    return opened ?? openAgain(await store.get(id), attempt)
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
  async function openAgain(
    earlier: SessionRecord | undefined,
    attempt: Attempt,
  ): Promise<OpenedSession<Claims>> {
    if (!earlier || !isRecent(earlier)) throw invalidCode()
    const { loginIdempotencyKeyHash = '', generation, id } = earlier
    if (!isSameHash(loginIdempotencyKeyHash, attempt.idempotencyKeyHash)) {
      // Two parties hold this code, and nobody can tell which one is the user (RFC 6749 §4.1.2).
      await sessions.end(id, 'reused')
      report('code_reused', earlier, attempt)
      throw invalidCode()
    }
    if (generation > 0) throw invalidCode()
    const claims = await claimsOrEnd(earlier)
    // The hook took its time; a revocation meanwhile wins, and so does a move to another user.
    const current = resolved.claims ? await store.get(id) : earlier
    if (!current || !isRecent(current) || current.generation > 0) throw invalidCode()
    if (current.userId !== earlier.userId) throw invalidCode()

    await previousSessions.end(await previousSessions.find(attempt.previousRefreshToken), earlier)
    report('retried', earlier, attempt)
    return { record: earlier, claims }
  }

  const isRecent = ({ revokedAt, createdAt }: SessionRecord) =>
    revokedAt === undefined && now() / 1000 - createdAt < loginRetrySeconds

  function report(
    outcome: Exclude<LoginEvent['outcome'], 'created'>,
    { id, appId }: SessionRecord,
    { by, startedAtMs }: Attempt,
  ): void {
    emit({ type: 'login', by, outcome, appId, sessionId: id, durationMs: now() - startedAtMs })
  }

  return async (input, by = 'code') => {
    const { code, device, idempotencyKey = randomId() } = input
    checkCode(code)
    if (device !== undefined) checkDevice(device)
    const { appId } = await apps.of(input.appId ?? onlyAppId)
    const ids = keys.sessionIds('wechat', appId, code)
    const attempt = {
      ...input,
      by,
      appId,
      ids,
      idempotencyKeyHash: hashIdempotencyKey(idempotencyKey),
      startedAtMs: now(),
    }

    const earlier = running.get(ids[0])
    if (earlier) {
      await earlier
      return openAgain(await findLogin(ids, siblingWaitsMs), attempt)
    }
    const first = exchange(attempt).finally(() => running.delete(ids[0]))
    running.set(ids[0], first)
    return first
  }
}

function invalidCode(): AuthError {
  return new AuthError(
    'invalid_code',
    'The code is not valid or was used before; call wx.login again',
  )
}
