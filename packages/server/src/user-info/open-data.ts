import { type ArgumentRules, checkArguments } from '../option-checks.js'
import type { Session } from '../session.js'
import type { ServedApps } from '../wechat/apps.js'
import {
  type OpenData,
  type OpenDataInput,
  type ReadOpenData,
  readOpenData,
  unconfirmed,
  verifyRawData,
} from '../wechat/open-data.js'
import type { KeyOptions, UserKeys } from './user-keys.js'

/** How the key for open data is found. */
export type OpenDataOptions = KeyOptions

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

export interface OpenDataNeeds {
  readonly userKeys: UserKeys
  readonly apps: ServedApps
  readonly now: () => number
}

export function createOpenDataReader({ userKeys, apps, now }: OpenDataNeeds): OpenDataReader {
  return {
    async openData(session, input) {
      checkArguments('auth.openData', input, encryptedRules)
      const { encryptedData, iv, maxAgeSeconds = 300, ...options } = input
      const { account, sessionKeys } = await userKeys.of(session, options)
      const { appId, openid } = account
      const about = { encryptedData, iv, appId, openid, now, maxAgeSeconds }
      const { data, isPhoneNumber } = readWithAny(sessionKeys, about)
      if (isPhoneNumber && !(await apps.wechatOf(appId).checkEncryptedData(encryptedData))) {
        throw unconfirmed()
      }
      return data
    },

    async verifySignature(session, input) {
      checkArguments('auth.verifySignature', input, signedRules)
      const { rawData, signature, ...options } = input
      const { sessionKeys } = await userKeys.of(session, options)
      return sessionKeys.some((sessionKey) => verifyRawData({ rawData, signature, sessionKey }))
    },
  }
}

const encryptedRules: ArgumentRules<EncryptedData> = {
  encryptedData: 'string',
  iv: 'string',
  maxAgeSeconds: 'anything',
  checkKey: 'boolean?',
}

const signedRules: ArgumentRules<SignedData> = {
  rawData: 'string',
  signature: 'string',
  checkKey: 'boolean?',
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
