import type { TokenAnswer } from '@wxlogin/shared'
import type { Wx } from '../wx.js'

/** The tokens of a session, as the server answered. */
export interface Pair extends TokenAnswer {
  /** The idempotency key that goes with this refresh token, however often it is sent. */
  readonly key: string
  /** When these tokens were asked for, in milliseconds by the phone's clock, right or wrong. */
  readonly askedMs: number
}

/** A pair, or without an `access_token`: nobody is logged in. */
export interface TokenRecord extends Partial<Omit<Pair, 'refresh_token'>> {
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

export interface RecordStore {
  /** What storage holds now: another instance may have changed it. The same object as before if nothing changed. */
  read(): TokenRecord
  write(next: TokenRecord, reason: ChangeReason): void
}

/** The one record in storage, written in one call. One of another `version` is not used. */
export function createRecordStore(
  wx: Wx,
  storageKey: string,
  version: string,
  onChange: (next: TokenRecord, previous: TokenRecord, reason: ChangeReason) => void,
  emit: (event: { readonly type: 'storage_failed' }) => void,
): RecordStore {
  // What storage held when it was last looked at: what is still there after a failed write is not read again.
  let stored: unknown
  let record: TokenRecord = {}

  const change = (next: TokenRecord, reason: ChangeReason): void => {
    onChange(next, record, reason)
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
        // Unreadable: what was read before still stands.
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
          // A token that was used since would look like a theft; who is signed out stays so.
          if (!record.reason) {
            wx.removeStorageSync(storageKey)
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
