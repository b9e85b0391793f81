import { createBoundedMap } from '../bounded-map.js'
import type { KeyRing } from '../crypto/key-ring.js'
import { hashIdempotencyKey, keyHashOf, randomId } from '../crypto/random-id.js'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { Hooks } from '../hooks.js'
import type { RequestHeaders } from '../request.js'
import {
  freeze,
  hasEndedQuietly,
  isLive,
  type LiveRecord,
  loginRetrySeconds,
  type Session,
  type SessionRecord,
} from '../session.js'
import { judgedWithinMs } from '../sessions/end-by-token.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import { checkDevice, type Sessions } from '../sessions/sessions.js'
import type { AnswerTokens } from '../tokens/token-answer.js'
import type { OpenSession } from './open-session.js'
import type { LoginByPlatform, Platform, Vouched } from './platform.js'
import type { Previous, PreviousSessions } from './previous-session.js'

// How many accounts have their session cached, until their claims are due again.
const maxRemembered = 10_000

export interface LoginByPlatformNeeds<Claims extends object> {
  readonly platforms: readonly Platform[]
  readonly hooks: Hooks<Claims>
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly previousSessions: PreviousSessions
  readonly openSession: OpenSession<Claims>
  readonly answerTokens: AnswerTokens<Claims>
  /** How long the claims of a session without tokens are valid, in seconds: as long as those in a token. */
  readonly claimsTtlSeconds: number
  readonly now: () => number
  readonly emit: EmitEvent
}

/** The session of an account, from when it is looked up until its claims are due again. */
interface LookUp<Claims extends object> {
  readonly session: Promise<Session<Claims>>
  readonly startedMs: number
  isPending: boolean
}

/** A login that may have happened already. */
interface Retry {
  readonly method: Platform['method']
  readonly ids: readonly string[]
  readonly findPrevious: () => Promise<Previous | undefined>
  readonly startedMs: number
  readonly request: RequestHeaders
}

export function createLoginByPlatform<Claims extends object>({
  platforms,
  hooks,
  keys,
  store,
  sessions,
  previousSessions,
  openSession,
  answerTokens,
  claimsTtlSeconds,
  now,
  emit,
}: LoginByPlatformNeeds<Claims>): LoginByPlatform<Claims> {
  const remembered = createBoundedMap<string, LookUp<Claims>>(maxRemembered)

  /** Whether a hook may hang in it; the next request should not wait for that one too. */
  const hangs = ({ startedMs, isPending }: LookUp<Claims>) =>
    isPending && now() - startedMs > judgedWithinMs

  function startLookUp(vouched: Vouched, request: RequestHeaders): Promise<Session<Claims>> {
    const key = keyOf(vouched)
    const session = lookUp(vouched, request)
    const started: LookUp<Claims> = { session, startedMs: now(), isPending: true }
    remembered.set(key, started)
    const settle = () => {
      started.isPending = false
    }
    session.then(settle, () => {
      settle()
      if (remembered.get(key) === started) remembered.delete(key)
    })
    return session
  }

  async function lookUp(
    { method, account }: Vouched,
    request: RequestHeaders,
  ): Promise<Session<Claims>> {
    const startedMs = now()
    const ids = keys.sessionIds(method, account.appId, account.openid)
    const { record, claims } =
      (await find(ids, request)) ??
      (await openSession({
        method,
        id: ids[0],
        account,
        idempotencyKeyHash: keyHashOf(),
        canComeAgain: false,
        startedMs,
        request,
      })) ??
      (await find(ids, request)) ??
      missing()
    const issuedAt = Math.floor(now() / 1000)
    return freeze({
      id: record.id,
      userId: record.userId,
      appId: record.appId,
      claims,
      // The platform vouches for every request.
      authenticatedAt: issuedAt,
      issuedAt,
      expiresAt: Math.min(issuedAt + claimsTtlSeconds, record.expiresAt),
    })
  }

  async function find(ids: readonly string[], request: RequestHeaders) {
    for (const id of ids) {
      const record = await store.get(id)
      if (!record) continue
      if (isLive(record)) return { record, claims: await claimsWhileLive(record, request) }
      if (!hasEndedQuietly(record)) throw ended()
      // A `create` that gave no answer was undone. Nobody can hold a token of this session, so it may be made after all.
      await sessions.endQuietly(record)
    }
    return undefined
  }

  /** The hook takes its time, and a revocation meanwhile wins. */
  async function claimsWhileLive(record: LiveRecord, request: RequestHeaders): Promise<Claims> {
    const call = { ...record, idempotencyKeyHash: randomId() }
    const claims = await sessions.claimsOrEnd(record, call, request)
    if (hooks.hasClaims && !isLive(await store.get(record.id))) throw ended()
    return claims
  }

  /**
   * The ids that a login with this key has, the one to make first. They change with time, and an ended session is
   * remembered until its id can no longer be made, so no id is ever made twice.
   */
  function loginIds({ method, account }: Vouched, keyHash: string): [string, ...string[]] {
    const { appId, openid } = account
    const period = Math.floor(now() / 1000 / loginRetrySeconds)
    const idsIn = (period: number) =>
      keys.sessionIds(method, appId, openid, keyHash, String(period))
    return [...idsIn(period), ...idsIn(period - 1)]
  }

  /** What rejects the account without a token; a login clears it. */
  async function endTokenless({ method, account }: Vouched): Promise<void> {
    for (const id of keys.sessionIds(method, account.appId, account.openid)) {
      const record = await store.get(id)
      if (record) await sessions.endQuietly(record)
    }
  }

  /** The session of an earlier login with the same idempotency key, whose answer was lost. */
  async function findAgain({ method, ids, findPrevious, startedMs, request }: Retry) {
    for (const id of ids) {
      const record = await store.get(id)
      if (!record) continue
      if (!isUnused(record)) throw keyWasUsed()
      const claims = await sessions.claimsOrEnd(record, record, request)
      // The hook took its time; a revocation meanwhile wins.
      if (hooks.hasClaims && !isUnused(await store.get(id))) throw keyWasUsed()
      await previousSessions.end(await findPrevious(), record)
      const { id: sessionId, appId, userId } = record
      const about = { appId, sessionId, userId, startedMs, durationMs: now() - startedMs }
      emit({ type: 'login', by: method, outcome: 'retried', kind: 'mini_program', ...about })
      return { answer: await answerTokens(record, claims) }
    }
    return undefined
  }

  const keyOf = ({ method, account }: Vouched) => `${method} ${account.appId} ${account.openid}`

  return {
    async login(
      vouched,
      request,
      { input, device, idempotencyKey = randomId(), ...previous },
      receivedMs = now(),
    ) {
      const startedMs = now()
      const { method, account } = vouched
      if (device !== undefined) checkDevice(device)
      const idempotencyKeyHash = hashIdempotencyKey(idempotencyKey)
      const ids = loginIds(vouched, idempotencyKeyHash)
      const findPrevious = () =>
        previousSessions.find(previous, { appId: account.appId, receivedMs })
      const retry = { method, ids, findPrevious, startedMs, request }
      const { answer } =
        (await findAgain(retry)) ??
        (await openSession({
          method,
          id: ids[0],
          account,
          idempotencyKeyHash,
          canComeAgain: true,
          input,
          device,
          previous: await findPrevious(),
          startedMs,
          request,
        })) ??
        (await findAgain(retry)) ??
        missing()
      // A user whose session was revoked and who logs in again is no longer rejected without a token either.
      // The login is committed, so a failure here must not cost it.
      await endTokenless(vouched).catch(() => undefined)
      remembered.delete(keyOf(vouched))
      return answer
    },

    async sessionBehind(vouched, request, ended) {
      const key = keyOf(vouched)
      const known = remembered.get(key)
      if (known && !hangs(known)) {
        const session = await known.session
        if (session !== ended && now() / 1000 < session.expiresAt) return session
      }
      // Another request that waited for the same one may have been faster.
      const newer = remembered.get(key)
      return newer && newer !== known ? newer.session : startLookUp(vouched, request)
    },

    async forget(account) {
      for (const { method } of platforms) remembered.delete(keyOf({ method, account }))
    },
  }
}

const isUnused = (record: SessionRecord | undefined) => isLive(record) && record.generation === 0

function keyWasUsed(): AuthError {
  return new AuthError('invalid_request', 'This Idempotency-Key belongs to an earlier login')
}

function ended(): AuthError {
  return new AuthError('invalid_token', 'The session has ended; log in again')
}

function missing(): never {
  throw new AuthError('store_unavailable', 'The session that was just created is not in the store')
}
