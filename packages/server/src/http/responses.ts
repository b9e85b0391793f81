import { randomUUID } from 'node:crypto'
import type { ErrorBody, PhoneAnswer, PrefetchAnswer, TokenAnswer } from '@wxlogin/shared'
import type { JwkSet } from '../crypto/signing-keys.js'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import type { AuthResponse } from '../request.js'

interface HttpErrorOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly closes?: boolean
}

/** An `invalid_request` whose HTTP status says more than 400 does. */
export class HttpError extends AuthError {
  readonly httpStatus: number
  readonly headers: Readonly<Record<string, string>>
  readonly closes: boolean

  constructor(
    httpStatus: 400 | 404 | 405 | 408 | 413 | 415,
    message: string,
    { headers = {}, closes = false }: HttpErrorOptions = {},
  ) {
    super('invalid_request', message)
    this.httpStatus = httpStatus
    this.headers = headers
    this.closes = closes
  }

  // Without a check of its own it would inherit AuthError's, to which every AuthError is an instance.
  static override [Symbol.hasInstance](value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(HttpError, value)
  }
}

/** The answer that tells a client about an error, ours or any other. What is the server's own fault becomes an event. */
export function createRefusal(emit: EmitEvent): (error: unknown) => AuthResponse {
  return (error) => {
    const failure = toAuthError(error)
    const { code, message, reason, retryAfterSeconds } = failure
    const {
      httpStatus: status = failure.status,
      headers = {},
      closes = false,
    } = failure instanceof HttpError ? failure : {}
    const requestId = status < 500 ? undefined : randomUUID()
    if (requestId !== undefined) emit({ type: 'failure', code, requestId, error: failure })

    const body: ErrorBody = {
      error: code,
      // What is wrong with this server is the operator's business, and stands in the event.
      error_description:
        requestId === undefined
          ? message
          : 'The server could not serve this request; its events say why',
      ...(reason !== undefined && { reason }),
      ...(requestId !== undefined && { request_id: requestId }),
    }
    const answer = json(status, body, {
      ...headers,
      ...(retryAfterSeconds !== undefined && {
        'retry-after': String(spread(Math.ceil(retryAfterSeconds))),
      }),
      ...(challenged.has(code) && { 'www-authenticate': `Bearer error="${code}"` }),
    })
    return { ...answer, closes }
  }
}

/**
 * Phones come back to the second, so those that were turned away together are told different ones; none an earlier one,
 * at which there still is nothing to be had.
 */
function spread(seconds: number): number {
  const widthSeconds = Math.max(Math.floor(seconds * 0.6), 3)
  return seconds + Math.floor(Math.random() * (widthSeconds + 1))
}

// RFC 6750 §3: these two tell the client through WWW-Authenticate as well.
const challenged: ReadonlySet<string> = new Set(['invalid_token', 'insufficient_scope'])

function toAuthError(error: unknown): AuthError {
  if (error instanceof AuthError) return error
  return new AuthError('server_error', 'Unexpected error; see cause', {
    cause: error,
  })
}

export const safeHeaders = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
} as const

export function json(
  status: number,
  value: TokenAnswer | PhoneAnswer | PrefetchAnswer | ErrorBody | JwkSet,
  headers?: Readonly<Record<string, string>>,
): AuthResponse {
  const body = JSON.stringify(value)
  return {
    status,
    headers: {
      ...safeHeaders,
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
    },
    body,
    closes: false,
  }
}
