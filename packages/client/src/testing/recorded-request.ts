import type { WxFailure } from '../wx.js'

/** `wx.request`, `wx.uploadFile`, `wx.downloadFile` or `wx.cloud.callContainer`. */
export type FakeRequestKind = 'request' | 'upload' | 'download' | 'container'

/** A call that sends a request, the outcome included once there is one. */
export interface RecordedRequest {
  readonly kind: FakeRequestKind
  /** As the app gave it; the `path` of a call of `wx.cloud.callContainer`. */
  readonly url: string
  readonly method: string
  /** As it leaves the phone: names in lower case, defaults and `referer` included. */
  readonly header: Readonly<Record<string, string>>
  /** As the app gave it; `{ filePath, name, formData }` of an upload. */
  readonly data: unknown
  /** When it was called, in milliseconds by the clock. */
  readonly at: number
  /** The status of an answer; absent while it is under way and when there was none. */
  readonly statusCode?: number
  /** Why it failed. */
  readonly errMsg?: string
  /** From the call to its outcome, the wait for a free slot included. */
  readonly durationMs?: number
}

/**
 * What becomes of a request, an upload, a download or a call of a container.
 *
 * - `'ok'`: what would happen anyway
 * - `{ fail }`: fails like this, the server is not reached
 * - `'hang'`: is not sent and never answers, not even with a timeout; only `abort()` ends it
 * - `'throw'`: the call of `wx` itself throws
 * - `'twice'`: `success` is called twice
 * - `{ delayMs }`: the server is reached at once, its answer arrives later; `Infinity` ends in the platform's timeout
 * - `{ respond }`: this answer, the server is not reached; `data` that is not a string is sent as JSON
 * - `'drop-answer'`: the server does its work, the phone sees a timeout
 */
export type FakeRequestBehaviour =
  | 'ok'
  | 'hang'
  | 'throw'
  | 'twice'
  | 'drop-answer'
  | { readonly fail: WxFailure }
  | { readonly delayMs: number }
  | {
      readonly respond: {
        readonly statusCode: number
        readonly header?: Readonly<Record<string, string | readonly string[]>>
        readonly data?: unknown
      }
    }
