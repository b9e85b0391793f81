import { type WireErrorCode, wireErrors } from '@wxlogin/shared'

/** The closed list of error codes, the same on the wire. */
export type AuthErrorCode = WireErrorCode

export interface AuthErrorOptions {
  /** The underlying error. Kept for logs, never sent to a client. */
  cause?: unknown
  /** A short machine-readable reason, sent to the client. */
  reason?: string
  /** When a retry makes sense, in seconds from now; becomes `Retry-After`. */
  retryAfterSeconds?: number
  /** WeChat's `errcode`, if there was one. */
  errcode?: number
  /** WeChat's request id of the failed call; WeChat's support asks for it. */
  rid?: string
}

// Shared by every copy of this file: the ESM and the CommonJS build, and each CommonJS entry, hold their own.
const brand = Symbol.for('wxlogin.AuthError')

/**
 * The only error class of this package. Decide by `code`; `message` is one sentence for a log and holds no secret.
 * Throw it in `onLogin`, `onPhoneNumber` or `claims` with the code `access_denied` to refuse a user.
 *
 * @example
 * throw new AuthError('access_denied', 'This account is closed', { reason: 'closed' })
 */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: AuthErrorCode
  /** The HTTP status that goes with the code. */
  readonly status: number
  readonly reason: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly errcode: number | undefined
  readonly rid: string | undefined

  constructor(code: AuthErrorCode, message: string, options: AuthErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    // Whatever a JavaScript caller passes must not break the response that this becomes.
    this.status = wireErrors[code] ?? 500
    this.reason = typeof options.reason === 'string' ? options.reason : undefined
    this.retryAfterSeconds = Number.isFinite(options.retryAfterSeconds)
      ? options.retryAfterSeconds
      : undefined
    this.errcode = options.errcode
    this.rid = options.rid
    Object.defineProperty(this, brand, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}
