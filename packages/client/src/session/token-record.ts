import type { TokenAnswer } from '@wxlogin/shared'
import type { ClientEvent } from '../events.js'
import type { Runtime } from '../wx.js'

/** The tokens of a session, as the server answered. */
export interface TokenPair extends TokenAnswer {
  /** The idempotency key that goes with this refresh token, however often it is sent. */
  readonly key: string
  /** When these tokens were requested, in milliseconds by the phone's clock, right or wrong. */
  readonly askedMs: number
}

/** A pair, or without an `access_token`: nobody is logged in. */
export interface TokenRecord extends Partial<Omit<TokenPair, 'refresh_token'>> {
  readonly refresh_token?: string | undefined
  /** Why nobody will be logged in until the app calls `login()`. */
  readonly reason?: string
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

export interface RecordChange {
  readonly next: TokenRecord
  readonly previous: TokenRecord
  readonly reason: ChangeReason
}

export interface RecordStore {
  /** What storage holds now: another instance may have changed it. The same object as before if nothing changed. */
  read(): TokenRecord
  write(next: TokenRecord, reason: ChangeReason): void
}

export interface RecordSettings {
  readonly wx: Runtime
  readonly storageKey: string
  readonly appId: string
  readonly authUrl: string
  readonly emit: (event: ClientEvent) => void
}

/** The one record in storage, written in one call. One of another format, mini program or backend is not used. */
export function createRecordStore({
  settings: { wx, storageKey, appId, authUrl, emit },
  onChange,
}: {
  readonly settings: RecordSettings
  readonly onChange: (change: RecordChange) => void
}): RecordStore {
  const version = `1 ${appId}${authUrl}`
  // What storage held when it was last read: what is still there after a failed write is not read again.
  let stored: unknown
  let record: TokenRecord = {}

  const change = (next: TokenRecord, reason: ChangeReason): void => {
    onChange({ next, previous: record, reason })
    record = next
  }

  return {
    read() {
      try {
        const found = wx.getStorageSync(storageKey)
        if (found !== stored) {
          stored = found
          // Removed by the app, or by another instance that could not write: nobody may use the old tokens any more.
          const next = JSON.parse((found as string) || '{}')
          change(next.v === version ? next : {}, 'storage')
        }
      } catch {
        // Unreadable: the last record that was read still stands.
      }
      return record
    },

    write(next, reason) {
      const text = JSON.stringify(Object.assign({ v: version }, next))
      try {
        wx.setStorageSync(storageKey, text)
        stored = text
      } catch {
        emit({ type: 'storage_failed' })
        try {
          // A refresh token that has been used since would look stolen; a user who is signed out stays signed out.
          if (!record.reason) {
            // A Skill has nothing that removes; empty is as good.
            ;(wx.removeStorageSync || wx.setStorageSync).call(wx, storageKey, '')
            stored = ''
          }
        } catch {
          // It is not read again.
        }
      }
      change(next, reason)
    },
  }
}

/**
 * The age below which a pair is never refreshed: copies of the request that brought it may still be in flight, and
 * using its refresh token would make them look like a theft.
 */
export const youngMs = 20_000

/** The pair, if the server should accept it. */
export const livePair = (record: TokenRecord, refused?: TokenPair): TokenPair | false =>
  record !== refused && isWithinLifetime(record, 1000) && (record as TokenPair)

/** Whether less than nine tenths of its lifetime have passed; later it is renewed while requests still use it. */
export const isFresh = (pair: TokenPair): boolean => isWithinLifetime(pair, 900)

const isWithinLifetime = (record: TokenRecord, msPerSecond: number): boolean => {
  const { expires_in, askedMs } = record as TokenPair
  return isWithin(expires_in * msPerSecond, askedMs)
}

/** Whether less than this has passed since then. A clock that was set back counts as long ago. */
export const isWithin = (ms: number, sinceMs: number): boolean => {
  const elapsedMs = Date.now() - sinceMs
  return elapsedMs >= 0 && elapsedMs < ms
}
