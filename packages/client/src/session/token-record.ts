import type { TokenAnswer } from '@wxlogin/shared'
import { isText } from '../errors.js'
import type { ClientEvent } from '../events.js'
import { isWithin } from '../task.js'
import type { Runtime } from '../wx.js'

/** Sessions that are over, of which the server has not heard: the key that goes with each refresh token. */
export interface Out {
  readonly [refreshToken: string]: string
}

/** The tokens of a session, as the server answered. */
export interface TokenPair extends TokenAnswer {
  /** The idempotency key that goes with this refresh token, however often it is sent. */
  readonly key: string
  /** When these tokens were requested, in milliseconds by the phone's clock, right or wrong. */
  readonly askedMs: number
  /** When the login was asked for that they come from. Without it that is not known. */
  readonly loginMs?: number
}

/** A pair, or without an `access_token`: nobody is logged in. */
export interface TokenRecord extends Partial<TokenPair> {
  /** Why nobody will be logged in until the app calls `login()`. Its `key` tells one sign-out from another. */
  readonly reason?: string | false
}

/** A record as it is stored. */
export interface KeptRecord extends TokenRecord {
  out: Out
}

/**
 * Why a session changed: `login` and `refresh` as they say, `logout` by the app, `signed_out` by the server, `ended`
 * when the server no longer knows it (a silent login follows), `storage` when another instance changed it, `phone` when
 * a phone number led to another user.
 */
export type ChangeReason =
  | 'login'
  | 'refresh'
  | 'logout'
  | 'signed_out'
  | 'ended'
  | 'storage'
  | 'phone'

/** A record is the same as another if their keys are. */
export interface RecordStore {
  /**
   * What storage holds, which another instance may have changed: it is looked at once for all who ask before the next
   * turn, as that stops the phone's one thread, or with `isAgain` in any case.
   */
  read(isAgain?: boolean): KeptRecord
  /** What was read or written last. */
  last(): KeptRecord
  /** Also notes a session that is over, or without its key that the server has heard of it. */
  write(next: TokenRecord, reason: ChangeReason, refreshToken?: string, key?: string): void
}

export interface RecordSettings {
  readonly wx: Runtime
  readonly storageKey: string
  readonly appId: string
  readonly authUrl: string
  readonly silent?: boolean
  readonly emit: (event: ClientEvent) => void
}

/** The one record in storage, written in one call. One of another format, mini program or backend is not used. */
export function createRecordStore(
  settings: RecordSettings,
  onChange: (next: TokenRecord, previous: TokenRecord, reason: ChangeReason) => void,
): RecordStore {
  const { wx, storageKey } = settings
  const version = `1 ${settings.appId}${settings.authUrl}`
  // What storage held when it was last read: what is still there after a failed write is not read again.
  let stored: unknown
  let isLookedAt: boolean | undefined
  let isProven: boolean | undefined
  let isTold: boolean | undefined

  const change = (next: KeptRecord, reason: ChangeReason): void => {
    const previous = record
    record = next
    if (next.key !== previous.key) onChange(next, previous, reason)
  }

  const look = (otherwise: unknown): unknown => {
    try {
      return wx.getStorageSync(storageKey)
    } catch {
      return otherwise
    }
  }

  /** Some storage takes a write and keeps nothing, so the first one is read back. */
  const keep = (text: string): void => {
    wx.setStorageSync(storageKey, text)
    isProven = isProven || look(text) === text
    if (!isProven) throw text
  }

  /** What is there of the right types. */
  const valid = (found: TokenRecord & { readonly v?: unknown }): KeptRecord => {
    // Who has never logged in has no record.
    const own: TokenRecord & { out?: Out } =
      found.v === version ? found : { reason: settings.silent === false && 'login_required' }
    const kept = { reason: isText(own.reason) && own.reason, key: own.key, out: Object(own.out) }
    return Object.assign(isPair(own) ? own : {}, kept) as KeptRecord
  }

  let record = valid({})

  return {
    read(isAgain) {
      if (isAgain || !isLookedAt) {
        isLookedAt = true
        void Promise.resolve().then(() => {
          isLookedAt = false
        })
        const found = look(stored)
        if (found !== stored) {
          stored = found
          try {
            // Removed by the app, or by another instance that could not write: nobody may use the old tokens any more.
            change(valid(JSON.parse((found as string) || '{}')), 'storage')
          } catch {
            // Unreadable: the last record that was read still stands.
          }
        }
      }
      return record
    },

    last: () => record,

    write(next, reason, refreshToken, key) {
      // JSON leaves out what is undefined.
      const out = Object.assign({}, record.out, refreshToken && { [refreshToken]: key })
      const text = JSON.stringify(Object.assign({}, next, { v: version, out }))
      try {
        try {
          keep(text)
        } catch (error) {
          // A refresh token that has been used since would look stolen; a user who is signed out stays signed out.
          if (record.reason)
            throw error
            // A Skill has nothing that removes; empty is as good.
          ;(wx.removeStorageSync || wx.setStorageSync).call(wx, storageKey, '')
          keep(text)
        }
        stored = text
      } catch {
        // Memory is the truth now: what is there is not read again.
        stored = look(stored)
        if (!isTold) settings.emit({ type: 'storage_failed' })
        isTold = true
      }
      change(JSON.parse(text), reason)
    },
  }
}

/** Whether what a pair needs is there, and of the right type. A pair of unknown age is one to be refreshed. */
export const isPair = (record: TokenRecord): record is TokenPair =>
  (['access_token', 'refresh_token', 'user_id', 'key'] as const).every((name) =>
    isText(record[name]),
  ) && Number(record.expires_in) > 0

/**
 * The age below which a pair is never refreshed: copies of the request that brought it may still be in flight, and
 * using its refresh token would make them look like a theft.
 */
const youngMs = 20_000

/** Whether it is too young to be refreshed: another one would be refused too. */
export const isYoung = ({ askedMs }: TokenRecord): boolean => isWithin(youngMs, askedMs as number)

/** The pair, if the server should accept it. */
export const livePair = (record: TokenRecord, refused: TokenRecord = {}): TokenPair | false =>
  record.key !== refused.key && isWithinLifetime(record, 1000) && (record as TokenPair)

/** Whether less than nine tenths of its lifetime have passed; later it is renewed while requests still use it. */
export const isFresh = (pair: TokenPair): boolean => isWithinLifetime(pair, 900)

const isWithinLifetime = (record: TokenRecord, msPerSecond: number): boolean => {
  const { expires_in, askedMs } = record as TokenPair
  return isWithin(expires_in * msPerSecond, askedMs)
}
