import type { Auth } from '../auth.js'
import type { Session } from '../session.js'

// On the request itself, under a name that both builds of this package share.
const key = Symbol.for('wxlogin.session')

interface Attached {
  readonly auth: unknown
  readonly session: unknown
}

export function attachSession(request: object, auth: unknown, session: unknown): void {
  const attached: Attached = { auth, session }
  Object.defineProperty(request, key, { value: attached, configurable: true })
}

/** The session of a request behind `requireAuth(auth)`. Throws a `TypeError` if there is none. */
export function sessionOf<Claims extends object>(
  request: object,
  auth: Auth<Claims>,
): Session<Claims> {
  const session = maybeSessionOf(request, auth)
  if (session) return session
  throw new TypeError(
    'This request has no session; put requireAuth(auth) before the route, without `optional`',
  )
}

/** The session of a request behind `requireAuth(auth, { optional: true })`, or `undefined` for an anonymous one. */
export function maybeSessionOf<Claims extends object>(
  request: object,
  auth: Auth<Claims>,
): Session<Claims> | undefined {
  const attached = Object.getOwnPropertyDescriptor(request, key)?.value as Attached | undefined
  // Only what this very `auth` has verified counts, so the claims have its type.
  return attached?.auth === auth ? (attached.session as Session<Claims> | undefined) : undefined
}
