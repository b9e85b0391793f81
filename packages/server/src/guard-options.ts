import {
  checkDuration,
  checkFlags,
  checkFunctions,
  checkNames,
  type OptionNames,
} from './option-checks.js'
import type { Session } from './session.js'

/** How strictly a request is checked. */
export interface GuardOptions<Claims extends object = object> {
  /** Lets requests without an `Authorization` header pass without a session (default false). A bad header is a 401. */
  readonly optional?: boolean
  /** Only users of these mini programs; others get 403. */
  readonly appIds?: readonly string[]
  /** Reads the store, whatever `revocation` is, so that a revoked session is rejected at once (default false). */
  readonly fresh?: boolean
  /**
   * How long ago WeChat may have proved the account at most, in seconds: the login, not a refresh. Otherwise a 401
   * `insufficient_user_authentication` (RFC 9470), upon which the client logs in anew, silently: that proves the phone
   * and not the person who holds it. A request for which a platform vouches is always new.
   */
  readonly maxAgeSeconds?: number
  /** Your own rule; `false` is a 403. */
  readonly allow?: (session: Session<Claims>) => boolean | Promise<boolean>
}

const names: OptionNames<GuardOptions> = {
  optional: true,
  appIds: true,
  fresh: true,
  maxAgeSeconds: true,
  allow: true,
}

/** Throws a `TypeError` that names the option that there is not, or that is no rule and would let everybody through. */
export function checkGuardOptions(options: unknown): void {
  checkNames('a guard', options, names)
  const { optional, appIds, fresh, maxAgeSeconds, allow }: Readonly<Record<string, unknown>> =
    Object(options)
  checkFlags({ optional, fresh })
  if (maxAgeSeconds !== undefined) checkDuration('maxAgeSeconds', maxAgeSeconds)
  checkFunctions({ allow })
  if (appIds === undefined) return
  const isList = Array.isArray(appIds) && appIds.length > 0
  // A variable that is not set would refuse every user.
  if (!isList || !appIds.every((appId) => typeof appId === 'string' && appId !== '')) {
    throw new TypeError(
      'appIds must be a list of AppIDs, and of one at least; is the environment variable set?',
    )
  }
}
