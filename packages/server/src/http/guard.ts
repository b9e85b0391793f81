import type { AuthResponse } from '../request.js'
import type { Session } from '../session.js'
import type { Authenticate, Credentials, GuardOptions } from '../sessions/authenticate.js'

export type GuardResult<Claims extends object = object> =
  | { readonly session: Session<Claims> | undefined; readonly response?: undefined }
  | { readonly session?: undefined; readonly response: AuthResponse }

/** `authenticate` for adapters: gives the answer to send instead of throwing. */
export type Guard<Claims extends object> = (
  credentials: Credentials,
  options?: GuardOptions<Claims>,
) => Promise<GuardResult<Claims>>

export interface GuardNeeds<Claims extends object> {
  readonly authenticate: Authenticate<Claims>
  readonly refuse: (error: unknown) => AuthResponse
}

export function createGuard<Claims extends object>({
  authenticate,
  refuse,
}: GuardNeeds<Claims>): Guard<Claims> {
  return async (credentials, options) => {
    try {
      return { session: await authenticate(credentials, options) }
    } catch (error) {
      return { response: refuse(error) }
    }
  }
}
