import type { KeyRing } from '../crypto/key-ring.js'
import { unseal } from '../crypto/sealed.js'
import { AuthError } from '../errors.js'
import { type Account, isLive, type Session, type SessionRecord } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import type { Sessions } from '../sessions/sessions.js'
import type { ServedApps } from '../wechat/apps.js'

export interface KeyOptions {
  /**
   * Asks WeChat first whether the `session_key` is still the current one (default false), so that a stale key is always
   * detected. Costs one more call to WeChat.
   */
  readonly checkKey?: boolean
}

/** The account of a session, and the `session_key`s that WeChat may have given for it. */
export interface KeysOfUser {
  readonly account: Account
  /** Of the newest login; more than one if there were several in the same second. */
  readonly sessionKeys: readonly [string, ...string[]]
}

/** The `session_key`s of signed-in users. They never leave the server. Each throws `stale_session_key` without one. */
export interface UserKeys {
  of(session: Pick<Session, 'id' | 'userId'>, options: KeyOptions): Promise<KeysOfUser>
  /** The only one that can be right. WeChat is asked where several logins of one second leave that open. */
  theOneOf(
    session: Pick<Session, 'id' | 'userId'>,
    options: KeyOptions,
  ): Promise<{ readonly account: Account; readonly sessionKey: string }>
}

export interface UserKeysNeeds<Claims extends object> {
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly apps: ServedApps
}

export function createUserKeys<Claims extends object>({
  keys,
  store,
  sessions,
  apps,
}: UserKeysNeeds<Claims>): UserKeys {
  /** WeChat keeps one key per user, on however many devices, and a newer login may have replaced it. */
  async function newestOf(session: Pick<Session, 'id' | 'userId'>): Promise<KeysOfUser> {
    const account = await sessions.account(session)
    const isSameUser = (record: SessionRecord) =>
      isLive(record) && record.appId === account.appId && record.openid === account.openid
    const withKey = (await store.list(session.userId)).filter(
      (record) => isSameUser(record) && record.sealedKey !== undefined,
    )
    if (withKey.length === 0) throw keyless()
    const newestAt = Math.max(...withKey.map(({ authenticatedAt }) => authenticatedAt))
    const found = withKey
      .filter(({ authenticatedAt }) => authenticatedAt === newestAt)
      .map(({ sealedKey = '' }) => unseal(keys.seal, account, sealedKey))
      .filter((sessionKey) => sessionKey !== undefined)
    // WeChat often gives the same key again.
    const [first, ...others] = new Set(found)
    if (first === undefined) throw stale()
    return { account, sessionKeys: [first, ...others] }
  }

  async function checked({ account, sessionKeys }: KeysOfUser): Promise<KeysOfUser> {
    const { appId, openid } = account
    for (const sessionKey of sessionKeys) {
      if (await apps.wechatOf(appId).checkSessionKey({ openid, sessionKey })) {
        return { account, sessionKeys: [sessionKey] }
      }
    }
    throw stale()
  }

  return {
    async of(session, { checkKey = false }) {
      const found = await newestOf(session)
      return checkKey ? checked(found) : found
    },

    async theOneOf(session, { checkKey = false }) {
      const found = await newestOf(session)
      const isOpen = checkKey || found.sessionKeys.length > 1
      const { account, sessionKeys } = isOpen ? await checked(found) : found
      return { account, sessionKey: sessionKeys[0] }
    },
  }
}

/** There never was one, so a new login of the same kind would bring none either. */
export function keyless(): AuthError {
  return new AuthError(
    'stale_session_key',
    'No login of this user has brought a session_key: those of a website, an official account, cloud hosting and sessions.create have none; it takes a login by wx.login',
    { reason: 'no_session_key' },
  )
}

function stale(): AuthError {
  return new AuthError(
    'stale_session_key',
    "The user's session_key was replaced, or there is none that can be decrypted; let the mini program log in with force and try again",
  )
}
