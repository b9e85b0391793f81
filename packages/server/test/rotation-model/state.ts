import type { SessionRecord } from '../../src/session.js'

/** A refresh token: its session's number, and its generation. */
export interface Token {
  readonly session: number
  readonly generation: number
}

/** An idempotency key. Every one that is made up has a number of its own. */
export type Key = number

export type User = 'guest' | 'member'

/** What a refresh is answered with: a token, or the reason of an `invalid_grant`. */
export type Answer = Token | string

/** A session in the store, and what the model remembers of it. Both are lost when the store loses writes. */
export interface Kept {
  /** `undefined`: it was deleted, which the real rules never do. */
  readonly record: SessionRecord | undefined
  /** The key with which the generation before the newest was exchanged. */
  readonly exchangedWith: Key | undefined
  readonly isRevokedByApp: boolean
  readonly hasAlarmed: boolean
}

/** By the session's number. A hole is a session that the store has never heard of, or no longer. */
export type Store = readonly (Kept | undefined)[]

/** What the two instances of the mini program share: their phone's storage. */
export type Storage =
  | { readonly kind: 'pair'; readonly token: Token; readonly key: Key; readonly isYoung: boolean }
  | { readonly kind: 'empty' }
  /** With the token of a session whose end the backend has yet to hear of. */
  | { readonly kind: 'signed out'; readonly untold?: Message; readonly isByApp: boolean }

/** A refresh token as it is sent. */
export interface Message {
  readonly token: Token
  readonly key: Key
}

/** An instance that waits for the answer to its refresh, and the answers that are on their way to it. */
export interface Waiting extends Message {
  readonly answers: readonly Answer[]
}

export type Instance = Waiting | undefined

export type Side = 'left' | 'right'

/** A request of which the backend has read the record, and not yet written what it decided. */
export type Open =
  | {
      readonly what: 'refresh'
      readonly by: Side | 'stray' | 'thief'
      readonly message: Message
      readonly readVersion: number
      readonly kind: 'rotated' | 'healed'
      readonly record: SessionRecord
    }
  | {
      readonly what: 'phone'
      readonly from: number
      readonly to: number
      readonly before: Message
    }

/** What a thief has: a token, and the key that the phone keeps with it, if that was copied too. */
export interface Loot {
  readonly token: Token
  readonly key: Key | undefined
}

/** How often what is rare has happened. */
export interface Used {
  readonly thefts: number
  readonly revocations: number
  readonly failovers: number
  readonly weeks: number
  readonly phones: number
  readonly signOuts: number
  readonly newLogins: number
}

export interface State {
  readonly now: number
  readonly store: Store
  /** The store as a replica knows it that has fallen behind. */
  readonly replica: Store | undefined
  /** Whose sessions were created as, and when, by number. */
  readonly sessions: readonly { readonly user: User; readonly createdAt: number }[]
  /** Whom the account logs in as. */
  readonly user: User
  readonly storage: Storage
  readonly left: Instance
  readonly right: Instance
  /** Refreshes that nobody waits for any more, and that may still arrive. */
  readonly strays: readonly Message[]
  readonly open: Open | undefined
  readonly loot: readonly Loot[]
  /** The sessions of which the thief has presented a token. */
  readonly touched: readonly boolean[]
  /** Whether something has happened after which an honest phone may need a login. */
  readonly isExcused: boolean
  readonly hasLostWrites: boolean
  readonly used: Used
  readonly nextKey: Key
}

export const daySeconds = 24 * 60 * 60

/** So far the clock goes at once: a retry is over, and a session half. */
export const weekSeconds = 8 * daySeconds

/** Short, so that two steps of the clock end a session for want of a refresh, and three for good. */
export const lifetimes = { idleTtlSeconds: 12 * daySeconds, absoluteTtlSeconds: 20 * daySeconds }

export const hashOf = (key: Key): string => `hash of key ${key}`

/** A record as `draft` in `sessions.ts` makes it. */
export function draft(number: number, user: User, key: Key, now: number): SessionRecord {
  return {
    v: 1,
    id: `session ${number}`,
    version: 1,
    method: 'code',
    userId: user,
    appId: 'wx0000000000000001',
    openid: 'openid',
    sealedKey: 'kid.sealed',
    generation: 0,
    idempotencyKeyHash: hashOf(key),
    createdAt: now,
    authenticatedAt: now,
    lastRefreshAt: now,
    endsAt: now + lifetimes.absoluteTtlSeconds,
    expiresAt: now + lifetimes.idleTtlSeconds,
  }
}

/** A phone that has just logged in as a guest. */
export function begin(): State {
  const now = 1_800_000_000
  return {
    now,
    store: [created(draft(0, 'guest', 0, now))],
    replica: undefined,
    sessions: [{ user: 'guest', createdAt: now }],
    user: 'guest',
    storage: { kind: 'pair', token: { session: 0, generation: 0 }, key: 1, isYoung: false },
    left: undefined,
    right: undefined,
    strays: [],
    open: undefined,
    loot: [],
    touched: [],
    isExcused: false,
    hasLostWrites: false,
    used: {
      thefts: 0,
      revocations: 0,
      failovers: 0,
      weeks: 0,
      phones: 0,
      signOuts: 0,
      newLogins: 0,
    },
    nextKey: 2,
  }
}

export const created = (record: SessionRecord): Kept => ({
  record,
  exchangedWith: undefined,
  isRevokedByApp: false,
  hasAlarmed: false,
})

/** What `get` of a store gives: nothing once a record's time has passed. */
export function recordIn({ store, now }: State, session: number): SessionRecord | undefined {
  const record = store[session]?.record
  return record && record.expiresAt > now ? record : undefined
}

export const isSameMessage = (a: Message, b: Message): boolean =>
  a.key === b.key && isSameToken(a.token, b.token)

export const isSameToken = (a: Token, b: Token): boolean =>
  a.session === b.session && a.generation === b.generation

export function withSession(state: State, user: User): State {
  const number = state.sessions.length
  const store = state.store.slice()
  while (store.length < number) store.push(undefined)
  store.push(created(draft(number, user, state.nextKey, state.now)))
  return {
    ...state,
    store,
    sessions: [...state.sessions, { user, createdAt: state.now }],
    nextKey: state.nextKey + 1,
  }
}

export const excused = <S extends Omit<State, 'replica'>>(state: S): S => ({
  ...state,
  isExcused: true,
})

export const counting = <S extends Omit<State, 'replica'>>(state: S, what: keyof Used): S => ({
  ...state,
  used: { ...state.used, [what]: state.used[what] + 1 },
})

export function liveSessionsOf(state: State, user: User): number[] {
  return state.store.flatMap((kept, session) => {
    const record = kept && recordIn(state, session)
    return record && record.revokedAt === undefined && record.userId === user ? [session] : []
  })
}

/** The oldest generation of a session that the store may be at, now or after it has failed over. */
export function oldestOf({ store, replica }: State, session: number): number {
  return Math.min(
    store[session]?.record?.generation ?? Number.POSITIVE_INFINITY,
    replica?.[session]?.record?.generation ?? Number.POSITIVE_INFINITY,
  )
}

/** Whether a token is one that was used twice, whoever presents it with whatever key, or of no session at all. */
export function isTooOld(state: State, { session, generation }: Token): boolean {
  const oldest = oldestOf(state, session)
  return oldest === Number.POSITIVE_INFINITY || generation <= oldest - 2
}
