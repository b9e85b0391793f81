import type { ClientErrorCode } from './errors.js'

/** What the client did. Holds no secret. A new type comes with a minor version. */
export type ClientEvent =
  /** `code` when it failed, and `requestId` when a request was sent: the server's events know it by the same. */
  | {
      readonly type: 'login' | 'refresh'
      readonly durationMs: number
      readonly code: ClientErrorCode | undefined
      readonly requestId: string | undefined
    }
  /** A request was refused because its token was out of date, and is sent again. */
  | { readonly type: 'replay' }
  /** Storage cannot be written: this login lasts until the mini program is closed. */
  | { readonly type: 'storage_failed' }

/** Calls a function of the app in a turn of its own, so that whatever it throws cannot break a login. */
export const tell = <T>(listener: (value: T) => void, value: T): void => {
  void Promise.resolve(value).then(listener)
}
