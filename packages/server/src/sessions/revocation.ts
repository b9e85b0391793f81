import { createBoundedMap } from '../bounded-map.js'
import { checkDuration, checkNames } from '../option-checks.js'
import { isLive, type Session } from '../session.js'
import type { GuardedStore } from './guarded-store.js'

// How many sessions have their last check cached, for `staleSeconds`.
const maxRemembered = 10_000

/**
 * When a revoked session stops working. `expiry`: when its access token ends, no store read per request ·
 * `immediate`: at once, one read per request · `staleSeconds`: within that many seconds, at most one read per session,
 * process and period.
 */
export type Revocation = 'expiry' | 'immediate' | { readonly staleSeconds: number }

export interface RevocationOptions {
  /** When a revoked session stops working (default `expiry`). */
  revocation?: Revocation
}

export interface RevocationNeeds {
  readonly store: GuardedStore
  readonly now: () => number
}

/** Whether the session of a valid access token is still live. Reads the store as often as the mode requires. */
export type RevocationCheck = (session: Session, fresh: boolean) => true | Promise<boolean>

/** Throws a `TypeError` if the option is wrong. */
export function createRevocationCheck({
  revocation = 'expiry',
  store,
  now,
}: RevocationOptions & RevocationNeeds): RevocationCheck {
  const staleMs = checkRevocation(revocation)
  const checks = createBoundedMap<
    string,
    { readonly checkedMs: number; readonly unrevoked: Promise<boolean> }
  >(maxRemembered)

  async function isUnrevoked({ id, userId }: Session): Promise<boolean> {
    const record = await store.get(id)
    return isLive(record) && record.userId === userId
  }

  // Without tokens a session of cloud hosting may come back under its id as another user's.
  const keyOf = ({ id, userId }: Session) => `${id} ${userId}`

  function checkNow(session: Session): Promise<boolean> {
    const unrevoked = isUnrevoked(session)
    if (staleMs > 0) {
      checks.set(keyOf(session), { checkedMs: now(), unrevoked })
      // Whoever was refused may log in again, and be the same session to cloud hosting.
      const forget = () => checks.delete(keyOf(session))
      unrevoked.then((isUnrevoked) => isUnrevoked || forget(), forget)
    }
    return unrevoked
  }

  return (session, fresh) => {
    if (fresh || revocation === 'immediate') return checkNow(session)
    if (revocation === 'expiry') return true
    const last = checks.get(keyOf(session))
    const ageMs = last ? now() - last.checkedMs : Number.POSITIVE_INFINITY
    return last && ageMs >= 0 && ageMs < staleMs ? last.unrevoked : checkNow(session)
  }
}

/** For how many milliseconds a check is cached: 0 for not at all. */
function checkRevocation(revocation: unknown): number {
  if (revocation === 'expiry' || revocation === 'immediate') return 0
  if (typeof revocation === 'object' && revocation !== null && 'staleSeconds' in revocation) {
    checkNames('revocation', revocation, { staleSeconds: true })
    const { staleSeconds } = revocation
    checkDuration('revocation.staleSeconds', staleSeconds)
    return Number(staleSeconds) * 1000
  }
  throw new TypeError("revocation must be 'expiry', 'immediate' or { staleSeconds }")
}
