import type { GuardOptions } from '../guard-options.js'
import type { AuthRefusal } from '../request.js'
import type { Session } from '../session.js'
import type { Authenticate, Credentials } from '../sessions/authenticate.js'

/** What a guard says: who asks, or what to answer. */
export type GuardResult<Claims extends object = object> =
  | { readonly session: Session<Claims>; readonly response?: undefined }
  | { readonly session?: undefined; readonly response: AuthRefusal }

/** What a guard with `optional` may say: an anonymous request has neither a session nor an answer. */
export type OptionalGuardResult<Claims extends object = object> =
  | { readonly session: Session<Claims> | undefined; readonly response?: undefined }
  | { readonly session?: undefined; readonly response: AuthRefusal }

/** `authenticate` for adapters: returns the response to send instead of throwing. */
export interface Guard<Claims extends object> {
  (
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<GuardResult<Claims>>
  (credentials: Credentials, options?: GuardOptions<Claims>): Promise<OptionalGuardResult<Claims>>
}

export interface GuardNeeds<Claims extends object> {
  readonly authenticate: Authenticate<Claims>
  readonly refuse: (error: unknown) => AuthRefusal
}

export function createGuard<Claims extends object>({
  authenticate,
  refuse,
}: GuardNeeds<Claims>): Guard<Claims> {
  async function guard(
    credentials: Credentials,
    options?: GuardOptions<Claims> & { optional?: false },
  ): Promise<GuardResult<Claims>>
  async function guard(
    credentials: Credentials,
    options?: GuardOptions<Claims>,
  ): Promise<OptionalGuardResult<Claims>>
  async function guard(
    credentials: Credentials,
    options?: GuardOptions<Claims>,
  ): Promise<OptionalGuardResult<Claims>> {
    try {
      return { session: await authenticate(credentials, options) }
    } catch (error) {
      return { response: refuse(error) }
    }
  }
  return guard
}
