import { randomUUID } from 'node:crypto'
import {
  type DeviceAnswer,
  type DeviceRequestAnswer,
  type ErrorBody,
  type PhoneAnswer,
  type PrefetchAnswer,
  requestIdHeader,
  type TokenAnswer,
} from '@wxlogin/shared'
import type { JwkSet } from '../crypto/signing-keys.js'
import { AuthError } from '../errors.js'
import type { EmitEvent } from '../events.js'
import { jsonText } from '../json-text.js'
import type { AuthRefusal, AuthResponse, RequestHeaders } from '../request.js'

interface HttpErrorOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly closes?: boolean
}

/** An `invalid_request` with a more specific HTTP status than 400. */
export class HttpError extends AuthError {
  readonly httpStatus: number
  override readonly headers: Readonly<Record<string, string>>
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

  // Without a check of its own it would inherit AuthError's, and every AuthError would be an instance.
  static override [Symbol.hasInstance](value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(HttpError, value)
  }
}

const requestIdPattern = /^[\w-]{1,64}$/

/**
 * Makes the error response for a client, of an AuthError or anything else. A server error also becomes an event, under
 * the id that the client gave this request, or a new one.
 */
export function createRefusal(
  emit: EmitEvent,
): (error: unknown, request?: RequestHeaders) => AuthRefusal {
  return (error, request) => {
    const failure = toAuthError(error)
    const { code, description, reason, scope, headers } = failure
    const { httpStatus: status = failure.status, closes = false } =
      failure instanceof HttpError ? failure : {}
    const requestId = status < 500 ? undefined : requestIdOf(request)
    if (requestId !== undefined) emit({ type: 'failure', code, requestId, error: failure })

    const body: ErrorBody = {
      error: code,
      // What is wrong with this server is for the operator only, who has the event.
      error_description:
        requestId === undefined
          ? description
          : 'The server could not serve this request; its console or its onEvent says why',
      ...(reason !== undefined && { reason }),
      ...(scope !== undefined && { scope }),
      ...(requestId !== undefined && { request_id: requestId }),
    }
    return { ...json(status, body, headers), closes }
  }
}

function requestIdOf(request: RequestHeaders | undefined): string {
  // What an adapter made wrongly is what this answers.
  const given = typeof request?.header === 'function' ? request.header(requestIdHeader) : undefined
  return given !== undefined && requestIdPattern.test(given) ? given : randomUUID()
}

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
  value:
    | TokenAnswer
    | PhoneAnswer
    | PrefetchAnswer
    | DeviceAnswer
    | DeviceRequestAnswer
    | ErrorBody
    | JwkSet,
  headers?: Readonly<Record<string, string>>,
): AuthResponse & { readonly body: string } {
  const body = jsonText(value)
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
