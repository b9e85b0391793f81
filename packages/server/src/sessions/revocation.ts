import type { Revocation } from '../options.js'
import type { Session } from '../session.js'
import type { GuardedStore } from './guarded-store.js'

// Sessions whose last check is remembered, for `staleSeconds`.
const maxRemembered = 10_000

/** Whether the session behind a valid access token is still there. Reads the store as often as the mode asks. */
export type RevocationCheck = (session: Session, fresh: boolean) => true | Promise<boolean>

export function createRevocationCheck(
  store: GuardedStore,
  revocation: Revocation,
  now: () => number,
): RevocationCheck {
  const checks = new Map<string, { readonly at: number; readonly live: Promise<boolean> }>()

  async function isLive({ id, userId }: Session): Promise<boolean> {
    const record = await store.get(id)
    return record !== undefined && record.revokedAt === undefined && record.userId === userId
  }

  function checkNow(session: Session): Promise<boolean> {
    const live = isLive(session)
    if (typeof revocation === 'object') {
      checks.delete(session.id)
      checks.set(session.id, { at: now(), live })
      live.catch(() => checks.delete(session.id))
      if (checks.size > maxRemembered) {
        const [oldest] = checks.keys()
        if (oldest !== undefined) checks.delete(oldest)
      }
    }
    return live
  }

  return (session, fresh) => {
    if (fresh || revocation === 'immediate') return checkNow(session)
    if (revocation === 'expiry') return true
    const last = checks.get(session.id)
    const ageMs = last ? now() - last.at : Number.POSITIVE_INFINITY
    return last && ageMs >= 0 && ageMs < revocation.staleSeconds * 1000
      ? last.live
      : checkNow(session)
  }
}
