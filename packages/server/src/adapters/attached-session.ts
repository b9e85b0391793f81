import type { Auth } from '../auth.js'
import type { Session } from '../session.js'
import { checkAuth } from './mount.js'

// On the request itself, under a name that both builds of this package share.
const key = Symbol.for('wxlogin.session')

interface Attached {
  readonly auth: unknown
  readonly session: unknown
}

/** What a framework calls its request, and a member that tells it from the rest. */
export interface Carrier {
  readonly name: string
  readonly member: string
}

export function attachSession(request: object, auth: unknown, session: unknown): void {
  const attached: Attached = { auth, session }
  Object.defineProperty(request, key, { value: attached, configurable: true })
}

/** What hangs on the request itself, and not on what it was made of. */
export function attachedTo(request: object): Attached | undefined {
  return Object.hasOwn(request, key) ? (request as { [key]?: Attached })[key] : undefined
}

/** Throws a `TypeError` that says what to pass, if it is not a request or not an auth. */
export function maybeSessionIn<Claims extends object>(
  { name, member }: Carrier,
  request: object,
  auth: Auth<Claims>,
): Session<Claims> | undefined {
  checkAuth(() => `sessionOf(${name}, auth)`, member in Object(request) ? auth : undefined)
  const attached = attachedTo(request)
  // Only what this very `auth` has verified counts, so the claims have its type.
  return attached?.auth === auth ? (attached.session as Session<Claims> | undefined) : undefined
}

export function sessionIn<Claims extends object>(
  carrier: Carrier,
  request: object,
  auth: Auth<Claims>,
): Session<Claims> {
  const session = maybeSessionIn(carrier, request, auth)
  if (session) return session
  throw new TypeError(
    'Put requireAuth(auth) before the route, with this auth and without `optional`',
  )
}
