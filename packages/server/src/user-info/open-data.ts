import type { KeyRing } from '../crypto/key-ring.js'
import { unseal } from '../crypto/sealed.js'
import { AuthError } from '../errors.js'
import { type Account, isLive, type Session, type SessionRecord } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import type { Sessions } from '../sessions/sessions.js'
import type { ServedApps } from '../wechat/apps.js'
import {
  type OpenData,
  type OpenDataInput,
  type ReadOpenData,
  readOpenData,
  unconfirmed,
  verifyRawData,
} from '../wechat/open-data.js'

export interface OpenDataOptions {
  /**
   * Asks WeChat first whether the `session_key` is still the current one (default false), so that a stale key is always
   * detected. Costs one more call to WeChat.
   */
  readonly checkKey?: boolean
}

/** The result of `wx.getUserInfo()` and similar calls in the mini program, unchanged. */
export interface EncryptedData extends OpenDataOptions {
  readonly encryptedData: string
  readonly iv: string
  /** The maximum age of the data, in seconds (default 300). */
  readonly maxAgeSeconds?: number
}

export interface SignedData extends OpenDataOptions {
  /** The exact string that was signed. */
  readonly rawData: string
  readonly signature: string
}

/** WeChat's open data of signed-in users. The `session_key` never leaves the server. */
export interface OpenDataReader {
  /**
   * Decrypts open data and checks its watermark and age, its user where it names one, and that it is whole; WeChat is
   * asked whether a phone number is its own. Throws `stale_session_key` when the key that it was encrypted with is not
   * the one of the user's newest login, and `invalid_request` for data that is malformed, of another mini program or
   * user, too old, or changed by its sender.
   */
  openData(session: Pick<Session, 'id' | 'userId'>, data: EncryptedData): Promise<OpenData>
  /** Whether WeChat signed this text for this user. `false` also if it was signed with an earlier key. */
  verifySignature(session: Pick<Session, 'id' | 'userId'>, data: SignedData): Promise<boolean>
}

interface UserKeys {
  readonly account: Account
  /** Of the newest login; more than one if there were several in the same second. */
  readonly sessionKeys: readonly string[]
}

export interface OpenDataNeeds<Claims extends object> {
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly apps: ServedApps
  readonly now: () => number
}

export function createOpenDataReader<Claims extends object>({
  keys,
  store,
  sessions,
  apps,
  now,
}: OpenDataNeeds<Claims>): OpenDataReader {
  /** WeChat keeps one key per user, on however many devices, and a newer login may have replaced it. */
  async function keysOf(session: Pick<Session, 'id' | 'userId'>): Promise<UserKeys> {
    const account = await sessions.account(session)
    const isSameUser = (record: SessionRecord) =>
      isLive(record) && record.appId === account.appId && record.openid === account.openid
    const withKey = (await store.list(session.userId)).filter(
      (record) => isSameUser(record) && record.sealedKey !== undefined,
    )
    if (withKey.length === 0) throw keyless()
    const newestAt = Math.max(...withKey.map(({ authenticatedAt }) => authenticatedAt))
    const sessionKeys = withKey
      .filter(({ authenticatedAt }) => authenticatedAt === newestAt)
      .map(({ sealedKey = '' }) => unseal(keys.seal, account, sealedKey))
      .filter((sessionKey) => sessionKey !== undefined)
    if (sessionKeys.length === 0) throw stale()
    return { account, sessionKeys }
  }

  async function currentKeysOf(
    session: Pick<Session, 'id' | 'userId'>,
    { checkKey = false }: OpenDataOptions,
  ): Promise<UserKeys> {
    const found = await keysOf(session)
    if (!checkKey) return found
    const { appId, openid } = found.account
    for (const sessionKey of found.sessionKeys) {
      if (await apps.wechatOf(appId).checkSessionKey({ openid, sessionKey })) {
        return { ...found, sessionKeys: [sessionKey] }
      }
    }
    throw stale()
  }

  return {
    async openData(session, { encryptedData, iv, maxAgeSeconds = 300, ...options }) {
      const { account, sessionKeys } = await currentKeysOf(session, options)
      const { appId, openid } = account
      const about = { encryptedData, iv, appId, openid, now, maxAgeSeconds }
      const { data, isPhoneNumber } = readWithAny(sessionKeys, about)
      if (isPhoneNumber && !(await apps.wechatOf(appId).checkEncryptedData(encryptedData))) {
        throw unconfirmed()
      }
      return data
    },

    async verifySignature(session, { rawData, signature, ...options }) {
      const { sessionKeys } = await currentKeysOf(session, options)
      return sessionKeys.some((sessionKey) => verifyRawData({ rawData, signature, sessionKey }))
    },
  }
}

function readWithAny(
  sessionKeys: readonly string[],
  about: Omit<OpenDataInput, 'sessionKey'>,
): ReadOpenData {
  let failure: unknown
  for (const sessionKey of sessionKeys) {
    try {
      return readOpenData({ ...about, sessionKey })
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}

function keyless(): AuthError {
  return new AuthError(
    'stale_session_key',
    'No login of this user has brought a session_key: those of a website, an official account, cloud hosting and sessions.create have none; it takes a login by wx.login',
    { reason: 'no_session_key' },
  )
}

function stale(): AuthError {
  return new AuthError(
    'stale_session_key',
    "The user's session_key was replaced, or there is none that can be decrypted; let the mini program log in with force and get the data again",
  )
}
