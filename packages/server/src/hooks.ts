import { AuthError } from './errors.js'
import type { ResolvedOptions } from './options.js'
import type { SessionRecord } from './session.js'
import { checkClaims } from './tokens/access-token.js'

/** Runs a hook of the app: it may refuse or report an outage; whatever else it throws is a bug of the app. */
export async function callHook<T>(name: string, hook: () => T | Promise<T>): Promise<T> {
  try {
    return await hook()
  } catch (cause) {
    if (cause instanceof AuthError && (cause.code === 'access_denied' || cause.status >= 500))
      throw cause
    throw new AuthError('server_error', `The ${name} option threw; see the cause`, { cause })
  }
}

/** What the `claims` option says of this user now, checked. */
export async function claimsOf<Claims extends object>(
  { claims }: Pick<ResolvedOptions<Claims>, 'claims'>,
  { userId, appId }: Pick<SessionRecord, 'userId' | 'appId'>,
): Promise<Claims> {
  // Without the option nothing is promised about the claims, so their type is the empty one.
  if (!claims) return {} as Claims
  return checkClaims(await callHook('claims', () => claims({ userId, appId })))
}
