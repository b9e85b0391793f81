import { hashIdempotencyKey, randomId } from '../crypto/random-id.js'
import { AuthError } from '../errors.js'
import { freeze } from '../freeze.js'
import type { LoginInput, RequestHeaders } from '../http/routes.js'
import type { Parts } from '../parts.js'
import type { Account, Session } from '../session.js'
import { checkDevice } from '../sessions/sessions.js'
import type { OpenedSession } from './open-session.js'

// Accounts whose session is remembered until their claims are due again.
const maxRemembered = 10_000

/**
 * Identity by the headers that the gateway of WeChat cloud hosting (云托管) writes: only what came through
 * `wx.cloud.callContainer` has them, as long as the container cannot be reached in any other way.
 * https://developers.weixin.qq.com/miniprogram/dev/wxcloudservice/wxcloudrun/src/development/weixin/
 */
export interface CloudHosting<Claims extends object> {
  /** Whom the gateway vouches for. Throws `unknown_app` when it is a user of a mini program that is not served here. */
  accountOf(request: RequestHeaders): Promise<Account | undefined>
  /** A session with tokens of its own, as after a login by code; the same one for the same idempotency key. */
  login(account: Account, input: Omit<LoginInput, 'code' | 'appId'>): Promise<OpenedSession<Claims>>
  /** The session of a request that carries no token: one per account, made when it is first needed. */
  sessionBehind(request: RequestHeaders): Promise<Session<Claims> | undefined>
  /** Looks the account's session up anew at the next request. */
  forget(account: Account): void
}

export function createCloudHosting<Claims extends object>({
  resolved: { now, emit, accessTtlSeconds },
  keys,
  store,
  previousSessions,
  openSession,
  apps,
  claimsOrEnd,
}: Parts<Claims>): CloudHosting<Claims> {
  const remembered = new Map<string, Promise<Session<Claims>>>()

  async function lookUp(account: Account): Promise<Session<Claims>> {
    const startedAtMs = now()
    const ids = keys.sessionIds('cloud_hosting', account.appId, account.openid)
    const { record, claims } =
      (await find(ids)) ??
      (await openSession({
        by: 'cloud_hosting',
        id: ids[0],
        account,
        // Nothing is ever sent again under this key: the session has no tokens of its own.
        idempotencyKeyHash: hashIdempotencyKey(randomId()),
        startedAtMs,
      })) ??
      (await find(ids)) ??
      missing()
    const issuedAt = Math.floor(now() / 1000)
    return freeze({
      id: record.id,
      userId: record.userId,
      appId: record.appId,
      claims,
      issuedAt,
      expiresAt: Math.min(issuedAt + accessTtlSeconds, record.expiresAt),
    })
  }

  async function find(ids: readonly string[]): Promise<OpenedSession<Claims> | undefined> {
    for (const id of ids) {
      const record = await store.get(id)
      if (record?.revokedAt !== undefined) {
        throw new AuthError('invalid_token', 'The session was ended by the app; log in again')
      }
      if (record) return { record, claims: await claimsOrEnd(record) }
    }
    return undefined
  }

  /** The session of an earlier login with the same idempotency key, whose answer was lost. */
  async function findAgain(ids: readonly string[], startedAtMs: number) {
    const earlier = await find(ids)
    if (!earlier) return undefined
    const { id, appId, generation } = earlier.record
    if (generation > 0) {
      throw new AuthError('invalid_request', 'This Idempotency-Key belongs to an earlier login')
    }
    emit({
      type: 'login',
      by: 'cloud_hosting',
      outcome: 'retried',
      appId,
      sessionId: id,
      durationMs: now() - startedAtMs,
    })
    return earlier
  }

  const keyOf = ({ appId, openid }: Account) => `${appId} ${openid}`

  async function accountOf(request: RequestHeaders): Promise<Account | undefined> {
    const openid = request.header('x-wx-openid')
    if (!isIdentifier(openid) || !request.header('x-wx-source')) return undefined
    // Under resource sharing (资源复用) the gateway writes no openid, so one that is there comes from the caller.
    if (request.header('x-wx-from-appid') || request.header('x-wx-from-openid')) return undefined
    const { appId } = await apps.of(request.header('x-wx-appid'))
    // Not `x-wx-unionid`: it is written only for some mini programs, and whether a caller's own is dropped for the
    // others is not documented.
    return { appId, openid }
  }

  return {
    accountOf,

    async login(account, { input, device, previousRefreshToken, idempotencyKey = randomId() }) {
      const startedAtMs = now()
      if (device !== undefined) checkDevice(device)
      const { appId, openid } = account
      const idempotencyKeyHash = hashIdempotencyKey(idempotencyKey)
      const ids = keys.sessionIds('cloud_hosting', appId, openid, idempotencyKeyHash)
      const opened =
        (await findAgain(ids, startedAtMs)) ??
        (await openSession({
          by: 'cloud_hosting',
          id: ids[0],
          account,
          idempotencyKeyHash,
          input,
          device,
          previous: await previousSessions.find(previousRefreshToken),
          startedAtMs,
        })) ??
        (await findAgain(ids, startedAtMs)) ??
        missing()
      // A user who was signed out and logs in again is no longer turned away without a token either.
      for (const id of keys.sessionIds('cloud_hosting', appId, openid)) await store.delete(id)
      remembered.delete(keyOf(account))
      return opened
    },

    async sessionBehind(request) {
      const account = await accountOf(request)
      if (!account) return undefined
      const key = keyOf(account)
      const known = remembered.get(key)
      if (known && now() / 1000 < (await known).expiresAt) return known
      // Whoever waited for the same one may have been quicker.
      const newer = remembered.get(key)
      if (newer && newer !== known) return newer
      const found = lookUp(account)
      remembered.delete(key)
      remembered.set(key, found)
      found.catch(() => {
        if (remembered.get(key) === found) remembered.delete(key)
      })
      if (remembered.size > maxRemembered) {
        const [oldest] = remembered.keys()
        if (oldest !== undefined) remembered.delete(oldest)
      }
      return found
    },

    forget: (account) => void remembered.delete(keyOf(account)),
  }
}

// A header that was sent twice arrives joined by a comma, and is no identifier then.
const isIdentifier = (value: string | undefined): value is string =>
  value !== undefined && /^[\w-]{1,64}$/.test(value)

function missing(): never {
  throw new AuthError('store_unavailable', 'The session that was just made is not in the store')
}
