import type { Auth, AuthRequest, AuthResponse } from '../../src/index.js'
import { newKey } from '../set-up.js'

export interface Sent {
  method?: string
  headers?: Record<string, string>
  /** JSON. */
  body?: unknown
}

/** A request through the neutral door that every adapter ends at; a POST of JSON with an idempotency key by default. */
export function send(
  auth: Auth,
  path: string,
  { method = 'POST', headers = {}, body }: Sent = {},
): Promise<AuthResponse> {
  const all = new Map(
    Object.entries({
      'Content-Type': 'application/json',
      'Idempotency-Key': newKey(),
      ...headers,
    }).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const request: AuthRequest = {
    method,
    path,
    header: (name) => all.get(name.toLowerCase()),
    body: body === undefined ? undefined : { parsed: body },
  }
  return auth.handle(request)
}

export const bodyOf = ({ body }: AuthResponse): Record<string, unknown> =>
  JSON.parse(body ?? 'null')
