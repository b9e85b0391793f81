import type { SessionRecord } from '../../src/session.js'
import {
  daySeconds,
  type Instance,
  type Key,
  type Message,
  oldestOf,
  type State,
  type Store,
  type Token,
  weekSeconds,
} from './state.js'

/**
 * One text for states that behave alike, so that each is looked at once. Four things do not count: which of the two
 * instances is which, the absolute numbers of generations and keys (the rules only compare them), how old a token is that
 * is too old for anything, and what time it is, as long as everything is as long ago.
 */
export function identityOf(state: State): string {
  const { left, right } = state
  const one = encode(state, left, right)
  if (left === undefined && right === undefined) return one
  const other = encode(state, right, left)
  if (other < one) return other
  return one
}

function encode(state: State, first: Instance, second: Instance): string {
  const { now, store, replica, storage, strays, open, loot, used } = state
  const codes: number[] = []
  const keys = new Map<Key, number>()
  const put = (code: number) => codes.push(code + 1)
  const putFlag = (flag: boolean) => codes.push(flag ? 1 : 2)
  const putKey = (key: Key | undefined) => {
    if (key === undefined) return put(0)
    const known = keys.get(key)
    if (known !== undefined) return put(known)
    keys.set(key, keys.size + 1)
    return put(keys.size)
  }
  const keyByHash = (hash: string) => putKey(Number(hash.slice(hash.lastIndexOf(' ') + 1)))
  // The oldest generation that any rule may be asked about counts as 2; what is older than its predecessor is one thing.
  const bases = state.sessions.map((_, session) => oldestOf(state, session))
  const putGeneration = (session: number, generation: number) => {
    const base = bases[session] ?? Number.POSITIVE_INFINITY
    put(base === Number.POSITIVE_INFINITY ? 0 : Math.max(0, generation - base + 2))
  }
  const putToken = ({ session, generation }: Token) => {
    put(session)
    putGeneration(session, generation)
  }
  const putMessage = ({ token, key }: Message) => {
    putToken(token)
    putKey(key)
  }
  const putRecord = (session: number, record: SessionRecord | undefined) => {
    if (!record || record.expiresAt <= now) return put(0)
    const { revokedAt, revokedReason, userId } = record
    put(revokedAt === undefined ? 1 : revokedReason === 'revoked' ? 2 : 3)
    put(Math.ceil((record.expiresAt - now) / daySeconds))
    put(Math.ceil((record.endsAt - now) / daySeconds))
    put(Math.round((now - record.lastRefreshAt) / weekSeconds))
    putFlag(userId === 'guest')
    putGeneration(session, record.generation)
    return keyByHash(record.idempotencyKeyHash)
  }
  /** By how many writes a record is newer than another one of its session. */
  const putAge = (record: SessionRecord | undefined, version: number | undefined) =>
    put(record && version ? 10 + Math.max(-9, Math.min(record.version - version, 9)) : 0)
  const putStore = (kept: Store | undefined) => {
    if (!kept) return put(0)
    put(kept.length)
    for (let session = 0; session < kept.length; session++) {
      const one = kept[session]
      putRecord(session, one?.record)
      putAge(one?.record, store[session]?.record?.version)
      putKey(one?.exchangedWith)
      put((one ? 4 : 0) + (one?.isRevokedByApp ? 1 : 0) + (one?.hasAlarmed ? 2 : 0))
    }
    return undefined
  }
  const putInstance = (instance: Instance) => {
    if (!instance) return put(0)
    put(instance.answers.length + 1)
    putMessage(instance)
    for (const answer of instance.answers) {
      if (typeof answer === 'string') put(100 + reasons.indexOf(answer))
      else putToken(answer)
    }
    return undefined
  }

  put(state.sessions.length)
  for (const { user } of state.sessions) putFlag(user === 'guest')
  putStore(store)
  putStore(replica)
  putFlag(state.user === 'guest')
  if (storage.kind === 'pair') {
    put(storage.isYoung ? 1 : 2)
    putMessage(storage)
  } else if (storage.kind === 'empty') put(3)
  else {
    put(storage.isByApp ? 4 : 5)
    putFlag(storage.untold !== undefined)
    if (storage.untold) putMessage(storage.untold)
  }
  putInstance(first)
  putInstance(second)
  put(strays.length)
  for (const stray of strays) putMessage(stray)
  if (!open) put(0)
  else if (open.what === 'refresh') {
    const { by, message, readVersion, record } = open
    const { session } = message.token
    put(1 + (by === 'thief' ? 0 : by === 'stray' ? 1 : state[by] === first ? 2 : 3))
    putMessage(message)
    put(open.kind === 'rotated' ? 1 : 2)
    putAge(store[session]?.record, readVersion)
    putRecord(session, record)
  } else {
    put(9)
    put(open.from)
    put(open.to)
    putMessage(open.before)
  }
  put(loot.length)
  for (const { token, key } of loot) {
    putToken(token)
    putKey(key)
  }
  put(state.touched.reduce((sum, isTouched, session) => sum + (isTouched ? 2 ** session : 0), 0))
  put((state.isExcused ? 1 : 0) + (state.hasLostWrites ? 2 : 0))
  put(used.thefts + 8 * used.revocations + 32 * used.failovers)
  put(used.weeks + 8 * used.phones + 32 * used.signOuts)
  put(used.newLogins)
  return String.fromCharCode(...codes)
}

const reasons = ['expired', 'reused', 'unknown', 'revoked']
