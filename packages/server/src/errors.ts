import { type WireErrorCode, wireErrors } from '@wxlogin/shared'

/** The closed list of error codes, the same on the wire. */
export type AuthErrorCode = WireErrorCode

export interface AuthErrorOptions {
  /** The underlying error. Kept for logs, never sent to a client. */
  cause?: unknown
  /** A short machine-readable reason, sent to the client. */
  reason?: string
  /**
   * `'attempt'`: the refusal is about this attempt only, a wrong password or a wrong SMS code. It is sent to the client,
   * and costs nobody the session that was there.
   */
  scope?: 'attempt'
  /**
   * When a retry makes sense, in seconds from now; becomes `Retry-After`, spread over later seconds. Of
   * `temporarily_unavailable` 2 by default; the client waits for 5 minutes at most.
   */
  retryAfterSeconds?: number
  /** With `insufficient_user_authentication`: how old a login may be, in seconds; the `max_age` of RFC 9470 §3. */
  maxAgeSeconds?: number
  /** WeChat's `errcode`, if there was one. */
  errcode?: number
  /** WeChat's request id of the failed call; WeChat's support asks for it. */
  rid?: string
}

const page = 'https://wxlogin.github.io/wxlogin/reference/errors'

/** Where more about a code is to be read; a sentence for a log ends in it. */
export const seeMoreOf = (code: AuthErrorCode): string => `; see ${page}#${code}`

// Shared by every copy of this file: the ESM and the CommonJS build, and each CommonJS entry, hold their own.
const brand = Symbol.for('wxlogin.AuthError')

/**
 * The only error class of this package. Decide by `code`; `message` is one sentence for a log, ends in a link to
 * what the code means, and holds no secret.
 * Where it escapes from a route, a framework's own error handler answers it with `statusCode` and `headers`.
 * Throw it in `onLogin`, `onPhoneNumber` or `claims` with the code `access_denied` to refuse a user, or, with the scope
 * `attempt`, only what was tried this time; in any hook with the code `temporarily_unavailable` if what it asks cannot
 * answer now.
 *
 * @example
 * throw new AuthError('access_denied', 'This account is closed', { reason: 'closed' })
 * throw new AuthError('temporarily_unavailable', 'The members service is down', { retryAfterSeconds: 10 })
 */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: AuthErrorCode
  /** The message without its link, as it was given. Below 500 it goes to the client as `error_description`. */
  declare readonly description: string
  /** The HTTP status that goes with the code. */
  readonly status: number
  /** The same, as Fastify and Nest call it. */
  readonly statusCode: number
  /** Whether the message is for the client too, as `http-errors` tells Koa and Nest: it is, below 500. */
  readonly expose: boolean
  /** The HTTP headers that go with it: `www-authenticate`, upon which a client renews, and `retry-after`. */
  readonly headers: Readonly<Record<string, string>>
  readonly reason: string | undefined
  readonly scope: 'attempt' | undefined
  readonly retryAfterSeconds: number | undefined
  readonly maxAgeSeconds: number | undefined
  readonly errcode: number | undefined
  readonly rid: string | undefined

  constructor(code: AuthErrorCode, message: string, options: AuthErrorOptions = {}) {
    super(message + seeMoreOf(code), 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    // Whatever a JavaScript caller passes must not break the response that this becomes.
    this.status = wireErrors[code] ?? 500
    this.statusCode = this.status
    this.expose = this.status < 500
    this.reason = typeof options.reason === 'string' ? options.reason : undefined
    this.scope = options.scope === 'attempt' ? options.scope : undefined
    this.retryAfterSeconds = retryAfterOf(code, options.retryAfterSeconds)
    this.maxAgeSeconds = Number.isSafeInteger(options.maxAgeSeconds)
      ? options.maxAgeSeconds
      : undefined
    this.headers = headersOf(this)
    this.errcode = options.errcode
    this.rid = options.rid
    // Not enumerable: what prints an error has the message already.
    Object.defineProperties(this, { [brand]: { value: true }, description: { value: message } })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}

function retryAfterOf(code: AuthErrorCode, seconds = -1): number | undefined {
  if (Number.isFinite(seconds) && seconds >= 0) return seconds
  // Whoever throws it may know no better, and phones that all fail should not all come back at once.
  return code === 'temporarily_unavailable' ? 2 : undefined
}

// RFC 6750 §3 and RFC 9470 §3: these tell the client through WWW-Authenticate as well.
const challenged: ReadonlySet<string> = new Set([
  'invalid_token',
  'insufficient_user_authentication',
  'insufficient_scope',
])

function headersOf({
  code,
  retryAfterSeconds,
  maxAgeSeconds,
}: Pick<AuthError, 'code' | 'retryAfterSeconds' | 'maxAgeSeconds'>): Record<string, string> {
  const maxAge = maxAgeSeconds === undefined ? '' : `, max_age="${maxAgeSeconds}"`
  return {
    ...(challenged.has(code) && { 'www-authenticate': `Bearer error="${code}"${maxAge}` }),
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(spread(retryAfterSeconds)) }),
  }
}

/**
 * Whole seconds, evenly distributed, so that clients that were refused together do not come back together. Never earlier:
 * an open circuit breaker would refuse them again.
 */
function spread(seconds: number): number {
  const earliest = Math.ceil(seconds)
  const widthSeconds = Math.max(Math.floor(earliest * 0.6), 3)
  return earliest + Math.floor(Math.random() * (widthSeconds + 1))
}
