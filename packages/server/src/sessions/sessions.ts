import type { Json } from '@wxlogin/shared'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { HookCall, Hooks } from '../hooks.js'
import {
  type ArgumentRules,
  checkArgument,
  checkArguments,
  checkCount,
  checkDuration,
  checkNames,
} from '../option-checks.js'
import type { RequestHeaders } from '../request.js'
import {
  type Account,
  accountOf,
  checkUserId,
  type Device,
  gatewayRetrySeconds,
  hasEndedQuietly,
  isAdopted,
  isByPlatform,
  isLive,
  type LiveRecord,
  type LoginMethod,
  opaqueUserId,
  prefetchedSeconds,
  type Session,
  type SessionLifetimes,
  type SessionRecord,
  toPlaceholder,
  toQuietEnd,
  toTombstone,
  type UserId,
} from '../session.js'
import type { GuardedStore } from './guarded-store.js'
import { silentReasons } from './rotation.js'

export interface RevokeInput {
  readonly userId: UserId
  /** Only this session (default: all of the user's). */
  readonly sessionId?: string
  /** All but this session. */
  readonly except?: string
  /** Stored with the session and in the event (default `revoked`): 1 to 64 letters, digits or `_`. */
  readonly reason?: string
}

/** {@link RevokeInput}, and what only this library asks for. */
interface RevokeRequest extends RevokeInput {
  /** Spares sessions that began later, in seconds since the epoch, unless an ended one let them in. */
  readonly createdUntil?: number
  /** A session that has ended already, as one of these. */
  readonly alsoEnded?: string
}

/** What a new session consists of. */
export interface NewSession {
  readonly method: LoginMethod
  readonly id: string
  readonly account: Account
  readonly idempotencyKeyHash: string
  /** Whether the proof may come again, with the same idempotency key or with another. */
  readonly canComeAgain: boolean
  readonly sealedKey?: string | undefined
  /** When WeChat proved the account, in seconds since the epoch, where that was before now. */
  readonly authenticatedAt?: number | undefined
  /** The session that lets this one in. Unless it is live when the new one is committed, there is no login. */
  readonly approvedBy?: string | undefined
  readonly device?: string | undefined
  readonly userId?: UserId | undefined
  readonly data?: Json | undefined
}

/** Operations on sessions, apart from rotating their tokens. */
export interface Sessions<Claims extends object> {
  readonly lifetimes: SessionLifetimes
  /** The first record of a session. Nothing is stored yet. */
  draft(session: NewSession): LiveRecord
  /**
   * Stores a first record, and counts the user's with it if the store does. `undefined` when the id exists. Leaves nothing
   * behind when it throws.
   */
  commit(record: LiveRecord): Promise<Committed | undefined>
  /** Ends the session quietly, if it has not changed since it was read. */
  endQuietly(record: SessionRecord): Promise<boolean>
  /** Ends a session whose tokens reach nobody. A store that fails is asked once more. Never rejects. */
  abandon(record: SessionRecord): Promise<void>
  /** The claims of a stored session. If the hook refuses the user, and not only this attempt, the session ends. */
  claimsOrEnd(record: SessionRecord, call: HookCall, request?: RequestHeaders): Promise<Claims>
  /** Throws `access_denied` if another session let this one in, and has ended. */
  checkApproval(record: SessionRecord): Promise<void>
  /** Ends what the user of a new or adopted session has beyond the caps; a count saves one. Never rejects. */
  evictExcess(newest: SessionRecord, counted?: Committed): Promise<void>
  /** Turns a live session into a tombstone. `false` if there is none, or `when` returns false. */
  end(id: string, reason: string, when?: (record: SessionRecord) => boolean): Promise<boolean>
  revoke(input: RevokeRequest): Promise<number>
  /** Removes everything that is kept about a user, when an account is deleted (注销). Returns the number of sessions. */
  forget(userId: UserId): Promise<number>
  list(userId: UserId, options?: { current?: string }): Promise<Device[]>
  account(session: Pick<Session, 'id' | 'userId'>): Promise<Account>
  /** The record behind a session. Throws `invalid_token` once it has ended. */
  recordOf(session: Pick<Session, 'id' | 'userId'>): Promise<LiveRecord>
  /** The user's id as the app gave it. Warns once if the app uses the openid. */
  userIdOf(userId: UserId, account: Account): string
}

export interface Committed {
  /** The user's records with the new one, if the store says it. */
  readonly count?: number
}

export interface SessionOptions {
  /** How long a session lives without a refresh, in seconds (default 30 days). */
  idleTtlSeconds?: number
  /** How long a session lives at most, in seconds (default 180 days). */
  absoluteTtlSeconds?: number
  /** How many sessions a user may have (default 10); beyond that the least recently refreshed one ends. */
  maxSessionsPerUser?: number
}

export interface SessionNeeds<Claims extends object> {
  readonly hooks: Hooks<Claims>
  readonly store: GuardedStore
  readonly now: () => number
  readonly emit: EmitEvent
}

const daySeconds = 24 * 60 * 60

// A pre-fetch comes at every cold start, from phones that may never pick up the answer.
const maxUnadoptedPerUser = 3

// So many logins of one user may end within the time of a retry before the id of the first can be made again.
const maxBlockingPerUser = 100

// Other logins and refreshes of the user may come in between.
const maxRounds = 8

/** Throws a `TypeError` that names the option when one is wrong. */
export function createSessions<Claims extends object>({
  idleTtlSeconds = 30 * daySeconds,
  absoluteTtlSeconds = 180 * daySeconds,
  maxSessionsPerUser = 10,
  hooks,
  store,
  now,
  emit,
}: SessionOptions & SessionNeeds<Claims>): Sessions<Claims> {
  checkDuration('idleTtlSeconds', idleTtlSeconds)
  checkDuration('absoluteTtlSeconds', absoluteTtlSeconds)
  if (absoluteTtlSeconds < idleTtlSeconds) {
    throw new TypeError('absoluteTtlSeconds must not be shorter than idleTtlSeconds')
  }
  checkCount('maxSessionsPerUser', maxSessionsPerUser, { min: 1, of: 'sessions' })

  let hasWarnedOfOpenid = false

  async function end(id: string, reason: string, when = (_record: SessionRecord) => true) {
    const { before, decision } = await store.update(id, (record) =>
      isLive(record) && when(record)
        ? { record: toTombstone(record, reason, Math.floor(now() / 1000)) }
        : {},
    )
    if (!before || !decision.record) return false
    const { appId, userId } = before
    emit({ type: 'revoked', appId, sessionId: id, userId, reason })
    return true
  }

  async function endQuietly(record: SessionRecord): Promise<boolean> {
    return store.replace(toQuietEnd(record, Math.floor(now() / 1000)), record.version)
  }

  /** A `create` that gave no answer may have taken effect, or may still do so. */
  async function undoUnanswered(record: SessionRecord): Promise<void> {
    // Whichever of the two comes first keeps the other one out.
    if (await store.create(toPlaceholder(record, Math.floor(now() / 1000)))) return
    const landed = await store.get(record.id)
    const isOurs = isLive(landed) && landed.idempotencyKeyHash === record.idempotencyKeyHash
    if (isOurs && landed.generation === 0) await endQuietly(landed)
  }

  /**
   * What a user has too much of: sessions beyond the cap, tombstones beyond as many again, and sessions that wait for a
   * phone that may never come.
   */
  function excessOf(records: readonly SessionRecord[]): SessionRecord[] {
    const adopted = records.filter((record) => isLive(record) && isAdopted(record))
    const unadopted = records.filter((record) => isLive(record) && !isAdopted(record))
    const tombstones = records.filter((record) => !isLive(record))
    const blocking = tombstones.filter(blocksItsId)
    const others = tombstones.filter((record) => !blocksItsId(record))
    return [
      ...adopted.sort(highestRankFirst).slice(maxSessionsPerUser),
      ...unadopted.sort(highestRankFirst).slice(maxUnadoptedPerUser),
      ...blocking.sort(highestRankFirst).slice(maxBlockingPerUser),
      ...others.sort(highestRankFirst).slice(maxSessionsPerUser),
    ]
  }

  /** Whether a tombstone is there so that a request that comes again, or late, does not make its id. */
  function blocksItsId(tombstone: SessionRecord): boolean {
    const isYoung = now() / 1000 - tombstone.createdAt < gatewayRetrySeconds
    return isYoung && (isByPlatform(tombstone) || hasEndedQuietly(tombstone))
  }

  async function recordOf(session: Pick<Session, 'id' | 'userId'>): Promise<LiveRecord> {
    checkArgument('session', session, 'session')
    const { id, userId } = session
    const record = await store.get(id)
    if (!isLive(record) || record.userId !== userId) throw sessionEnded()
    return record
  }

  /** Such an id is in every token and event, where nobody expects an openid. */
  function warnOfOpenid(): void {
    if (hasWarnedOfOpenid) return
    hasWarnedOfOpenid = true
    emit({
      type: 'warning',
      warning: 'openid_as_user_id',
      hint: 'Tokens, logs and events carry the userId; return an id of your own from onLogin, or none',
    })
  }

  function userIdOf(userId: UserId, account: Account): string {
    const text = checkUserId(userId)
    if (text === account.openid) warnOfOpenid()
    if (text !== account.appId) return text
    throw new AuthError(
      'server_error',
      'The userId of this login is the AppID, which all users share; return { userId } with an id of the user',
    )
  }

  return {
    lifetimes: { idleTtlSeconds, absoluteTtlSeconds },
    end,
    userIdOf,

    async claimsOrEnd(record, call, request) {
      try {
        return await hooks.claims(record, call, request)
      } catch (error) {
        if (error instanceof AuthError && error.code === 'access_denied' && !error.scope) {
          await end(record.id, 'access_denied')
        }
        throw error
      }
    },

    async checkApproval({ approvedBy, userId }) {
      if (approvedBy === undefined) return
      const approving = await store.get(approvedBy)
      if (isLive(approving) && approving.userId === userId) return
      throw new AuthError(
        'access_denied',
        'The session that approved this login has ended; let the user sign in on the phone and scan again',
        { reason: 'approver_ended' },
      )
    },

    endQuietly,

    async abandon(record) {
      await endQuietly(record)
        .catch(() => endQuietly(record))
        .catch(() => undefined)
    },

    async commit(record) {
      try {
        const created = await store.create(record)
        if (!created) return undefined
        return created === true ? {} : created
      } catch (error) {
        await undoUnanswered(record)
          // Too slow to answer that too, but what it is sent it may still do.
          .catch(() => endQuietly(record))
          .catch(() => undefined)
        throw error
      }
    },

    async evictExcess(newest, { count } = {}) {
      const { userId } = newest
      const cap = isAdopted(newest) ? maxSessionsPerUser : maxUnadoptedPerUser
      try {
        // Whichever of several logins at once was counted last was counted with all of them.
        if (count !== undefined && count <= cap) return
        for (let round = 0; round < maxRounds; round++) {
          if ((await store.count(userId)) <= cap) return
          let hasChanged = false
          for (const record of excessOf(await store.list(userId))) {
            // Without a tombstone: its device was not revoked, and may log in again. One that has changed since it was
            // ranked is ranked anew.
            const isEnded = await endQuietly(record)
            hasChanged ||= !isEnded
            const { id: sessionId, appId } = record
            if (isEnded && isLive(record)) emit({ type: 'evicted', appId, sessionId, userId })
          }
          if (!hasChanged) return
        }
      } catch {
        // The new session is committed; an excess that stays until the next login costs less than it would.
      }
    },

    draft({
      method,
      id,
      account,
      idempotencyKeyHash,
      sealedKey,
      authenticatedAt,
      approvedBy,
      device,
      userId,
      data,
      canComeAgain,
    }) {
      const { kind, ...identity } = account
      const createdAt = Math.floor(now() / 1000)
      const endsAt = createdAt + absoluteTtlSeconds
      const ttlSeconds =
        method === 'prefetch' ? Math.min(prefetchedSeconds, idleTtlSeconds) : idleTtlSeconds
      return {
        v: 1,
        ...identity,
        id,
        version: 1,
        method,
        userId: userId === undefined ? opaqueUserId(account) : userIdOf(userId, account),
        generation: 0,
        idempotencyKeyHash,
        createdAt,
        authenticatedAt: authenticatedAt ?? createdAt,
        lastRefreshAt: createdAt,
        endsAt,
        expiresAt: Math.min(createdAt + ttlSeconds, endsAt),
        ...(kind !== 'mini_program' && { kind }),
        ...(canComeAgain && { loginIdempotencyKeyHash: idempotencyKeyHash }),
        ...(sealedKey !== undefined && { sealedKey }),
        ...(approvedBy !== undefined && { approvedBy }),
        ...(device !== undefined && { device: checkDevice(device) }),
        ...(data !== undefined && { data }),
      }
    },

    async revoke(input) {
      // A name that means nothing would revoke all sessions in place of one.
      checkNames('auth.sessions.revoke', input, revokeRules)
      checkArguments('auth.sessions.revoke', input, revokeRules)
      const { userId, sessionId, except, reason = 'revoked', ...which } = input
      checkReason(reason)
      const owner = checkUserId(userId)
      const endIt = async (id: string) =>
        id !== except && (await end(id, reason, ({ userId }) => userId === owner))
      if (sessionId !== undefined) return (await endIt(sessionId)) ? 1 : 0

      const { createdUntil = Infinity, alsoEnded } = which
      const endedIds = new Set(alsoEnded === undefined ? [] : [alsoEnded])
      let ended = 0
      for (let round = 0; round < maxRounds; round++) {
        let hasEnded = false
        for (const record of await store.list(owner)) {
          const { id, createdAt, approvedBy } = record
          const wasLetIn = approvedBy !== undefined && endedIds.has(approvedBy)
          // Sessions that began in the meantime are spared, but for those that one let in while it was being ended.
          const isMeant = wasLetIn || (round === 0 && createdAt <= createdUntil)
          if (!isMeant || !isLive(record) || !(await endIt(id))) continue
          hasEnded = true
          endedIds.add(id)
          ended++
        }
        if (!hasEnded) break
      }
      return ended
    },

    async list(userId, options = {}) {
      checkArguments('auth.sessions.list', options, { current: 'string?' })
      const { current } = options
      const records = await store.list(checkUserId(userId))
      return records
        .filter((record) => isLive(record) && isAdopted(record))
        .map(({ id, appId, kind = 'mini_program', method, device, createdAt, lastRefreshAt }) => ({
          id,
          appId,
          kind,
          method,
          ...(device !== undefined && { device }),
          createdAt,
          lastRefreshAt,
          current: id === current,
        }))
    },

    async forget(userId) {
      const owner = checkUserId(userId)
      // By id: a list that lags behind shows them again.
      const forgotten = new Set<string>()
      // Again for what was created in the meantime.
      for (let round = 0; round < maxRounds; round++) {
        const records = await store.list(owner)
        if (records.length === 0) break
        // Not conditional, unlike every other end: nothing about this user is to stay, tombstones included.
        for (const record of records) {
          await store.delete(record.id)
          if (isLive(record)) forgotten.add(record.id)
        }
      }
      emit({ type: 'forgotten', userId: owner, sessions: forgotten.size })
      return forgotten.size
    },

    recordOf,

    async account(session) {
      return accountOf(await recordOf(session))
    },
  }
}

// A login is not evicted because another device refreshed in the same second. Refreshing only raises a rank, so logins
// that race agree on who stays.
const rankOf = ({ lastRefreshAt, createdAt }: SessionRecord) =>
  Math.max(lastRefreshAt, createdAt + 60)

function highestRankFirst(a: SessionRecord, b: SessionRecord): number {
  return rankOf(b) - rankOf(a) || (a.id < b.id ? 1 : -1)
}

export function sessionEnded(): AuthError {
  return new AuthError(
    'invalid_token',
    'The session has ended; the client learns why when it refreshes',
  )
}

/** A name that users may read in a list. Throws `invalid_request`, since clients send it. */
export function checkDevice(device: string, name = 'device'): string {
  if (readable.test(device)) return device
  throw new AuthError(
    'invalid_request',
    `"${name}" must be 1 to 128 characters without control characters, and not all of them invisible`,
  )
}

const revokeRules: ArgumentRules<RevokeRequest> = {
  userId: 'anything',
  sessionId: 'string?',
  except: 'string?',
  reason: 'string?',
  createdUntil: 'number?',
  alsoEnded: 'string?',
}

// Something to see, and nothing that breaks a line or turns the direction of what follows.
const readable =
  /^(?=.*[^\p{Default_Ignorable_Code_Point}\p{Zs}\u2800])[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]{1,128}$/u

function checkReason(reason: string): void {
  if (!/^\w{1,64}$/.test(reason) || silentReasons.some((silent) => silent === reason)) {
    throw new TypeError(
      `reason must be 1 to 64 letters, digits or "_", and none of ${silentReasons.join(', ')}`,
    )
  }
}
