import type { KeyRing } from '../crypto/key-ring.js'
import { isSameHash, randomId } from '../crypto/random-id.js'
import { AuthError } from '../errors.js'
import type { Hooks } from '../hooks.js'
import { checkArguments } from '../option-checks.js'
import {
  type Account,
  accountOf,
  hasEndedQuietly,
  isLive,
  type LiveRecord,
  type Session,
} from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import type { Sessions } from '../sessions/sessions.js'
import type { ServedApps } from '../wechat/apps.js'

export interface TicketOptions {
  /**
   * For whom it is, 1 to 255 characters: the origin of the page that is to redeem it. A ticket for one is none for
   * another.
   */
  readonly audience: string
  /** How long it may be redeemed, in whole seconds from 1 to 60 (default 60). */
  readonly ttlSeconds?: number
}

/** Whose ticket it was. */
export interface TicketHolder<Claims extends object = object> {
  readonly userId: string
  readonly account: Account
  /** What the `claims` option returns now. */
  readonly claims: Claims
  /**
   * The session that the ticket was issued to: `auth.sessions.account({ id: sessionId, userId })` throws
   * `invalid_token` once it has ended.
   */
  readonly sessionId: string
  /** When WeChat last proved the account, in seconds since the epoch. */
  readonly authenticatedAt: number
}

/**
 * Tickets carry who is logged in to a page or another mini program, where an access token must not go: in the fragment of
 * a URL or in `extraData`. Both need a store with `put`, `peek` and `take`, and throw `server_misconfigured` without.
 */
export interface Tickets<Claims extends object = object> {
  /**
   * A text that can be redeemed once. It holds nothing but chance: who finds it later has nothing. Throws
   * `invalid_token` when the session has ended, or is one of `acceptLegacy`.
   */
  issue(session: Pick<Session, 'id' | 'userId'>, options: TicketOptions): Promise<string>
  /**
   * The holder of a ticket; of many calls at once a single one gets it. Throws `invalid_grant` with the reason `used`,
   * `expired`, `revoked` (the app has ended the session), or `unknown`: it is none, it is for another audience, or its
   * session is over. One that comes with another audience can still be redeemed. After a `store_unavailable` it may be
   * used up: issue another.
   */
  redeem(ticket: unknown, options: Pick<TicketOptions, 'audience'>): Promise<TicketHolder<Claims>>
}

export interface TicketNeeds<Claims extends object> {
  readonly hooks: Hooks<Claims>
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly apps: ServedApps
  readonly now: () => number
}

const maxTtlSeconds = 60

// Its end, a name by chance, and the proof that both, and the audience, are ours.
const shape = /^wxt\.([0-9a-z]{6,8})\.([\w-]{22})\.([\w-]{22})$/

export function createTickets<Claims extends object>({
  hooks,
  keys,
  store,
  sessions,
  apps,
  now,
}: TicketNeeds<Claims>): Tickets<Claims> {
  /** Whatever was not made here for this audience is refused before the store is asked, and uses nothing up. */
  function read(ticket: unknown, audience: string): string {
    const [, endsAt = '', name = '', proof = ''] =
      shape.exec(typeof ticket === 'string' ? ticket : '') ?? []
    const proofs = keys.ticketProofs(audience, endsAt, name)
    if (!proofs.some((ours) => isSameHash(ours, proof))) {
      throw refused('This is no ticket, or one for another audience; ask for a new one', 'unknown')
    }
    if (now() / 1000 >= Number.parseInt(endsAt, 36)) {
      throw refused('The ticket has expired; ask for a new one and redeem it at once', 'expired')
    }
    return name
  }

  /** The session as it is now, in the store, whatever `revocation` is. */
  async function holderOf(kept: string): Promise<LiveRecord> {
    const [id, userId, createdAt] = JSON.parse(kept)
    const record = await store.get(id)
    const isSame = record?.userId === userId && record?.createdAt === createdAt
    if (!record || !isSame || (!isLive(record) && hasEndedQuietly(record))) {
      throw refused('The session of the ticket is over; log in again', 'unknown')
    }
    if (!isLive(record)) {
      throw refused('The session of the ticket was ended by the app; log in again', 'revoked')
    }
    if (await apps.knows(record.appId)) return record
    throw refused('The ticket is of a mini program that is not served here', 'unknown')
  }

  return {
    async issue(session, options) {
      checkArguments('auth.tickets.issue', options, { audience: 'string', ttlSeconds: 'anything' })
      const { audience, ttlSeconds = maxTtlSeconds } = options
      checkAudience(audience)
      if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > maxTtlSeconds) {
        throw new TypeError(`ttlSeconds must be whole seconds from 1 to ${maxTtlSeconds}`)
      }
      const { id, userId, createdAt } = await sessions.recordOf(session)
      const name = randomId()
      const endsAt = Math.floor(now() / 1000) + ttlSeconds
      const kept = JSON.stringify([id, userId, createdAt])
      if (!(await store.put(keptAs(name), kept, endsAt))) {
        throw new AuthError('store_unavailable', 'The store rejected a ticket with a random name')
      }
      const end = endsAt.toString(36)
      const [proof] = keys.ticketProofs(audience, end, name)
      return `wxt.${end}.${name}.${proof}`
    },

    async redeem(ticket, options) {
      checkArguments('auth.tickets.redeem', options, { audience: 'string' })
      const { audience } = options
      checkAudience(audience)
      // From here on it is used up, whatever comes: a ticket that may come again is none.
      const kept = await store.take(keptAs(read(ticket, audience)))
      if (kept === undefined) {
        throw refused('The ticket has been redeemed before; ask for a new one', 'used')
      }
      const record = await holderOf(kept)
      const claims = await sessions.claimsOrEnd(record, {
        ...record,
        idempotencyKeyHash: randomId(),
      })
      // The hook took its time; a revocation meanwhile wins.
      if (hooks.hasClaims) await holderOf(kept)
      const { id: sessionId, userId, authenticatedAt } = record
      return { userId, account: accountOf(record), claims, sessionId, authenticatedAt }
    },
  }
}

const keptAs = (name: string) => `ticket:${name}`

function checkAudience(audience: unknown): void {
  const isText = typeof audience === 'string' && audience !== '' && audience.length <= 255
  // Half of a pair of surrogates would be proved like any other half.
  if (isText && !/\p{Cs}/u.test(audience)) return
  throw new TypeError(
    'audience must be a string of 1 to 255 characters: the origin of the page that redeems the ticket',
  )
}

function refused(message: string, reason: 'used' | 'expired' | 'revoked' | 'unknown'): AuthError {
  return new AuthError('invalid_grant', message, { reason })
}
