import { checkNames, type OptionNames } from '../option-checks.js'
import type { SessionRecord, SessionStore } from '../session.js'

export interface MemoryStoreOptions {
  /**
   * How many sessions to keep at most (default 100,000). Beyond it the least recently refreshed one is dropped. As many
   * texts of `put` are kept beside them; beyond that the oldest is dropped.
   */
  maxSessions?: number
  /** The clock, in milliseconds (default `Date.now`). */
  now?: () => number
}

const names: OptionNames<MemoryStoreOptions> = { maxSessions: true, now: true }

/**
 * Keeps sessions in this process: for tests, for development and for a single small instance.
 * A restart logs everyone out, and two instances do not see each other's sessions.
 */
export function createMemoryStore(
  options: MemoryStoreOptions = {},
): SessionStore & Required<Pick<SessionStore, 'count' | 'put' | 'peek' | 'take'>> {
  checkNames('createMemoryStore', options, names)
  const { maxSessions = 100_000, now = Date.now } = options
  if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) {
    throw new TypeError('maxSessions must be a positive whole number of sessions')
  }

  // Insertion order is order of refresh: a replaced record is put at the end, the first one is the least recently used.
  const sessions = new Map<string, SessionRecord>()
  const idsByUser = new Map<string, Set<string>>()
  let cursor = sessions.values()
  // Kept from one eviction to the next: a new iterator would walk over all that was moved or dropped before.
  let oldestFirst = sessions.values()

  const values = new Map<string, Value>()
  let valueCursor = values.entries()

  const hasExpired = ({ expiresAt }: { readonly expiresAt: number }, nowMs = now()) =>
    expiresAt * 1000 <= nowMs

  function put(given: SessionRecord): void {
    const record = Object.freeze({
      ...given,
      ...(given.data !== undefined && { data: structuredClone(given.data) }),
    })
    sessions.delete(record.id)
    sessions.set(record.id, record)
    const ids = idsByUser.get(record.userId)
    if (ids) ids.add(record.id)
    else idsByUser.set(record.userId, new Set([record.id]))
  }

  function drop(record: SessionRecord): void {
    sessions.delete(record.id)
    unlist(record)
  }

  function dropOldest(): void {
    let oldest = oldestFirst.next()
    if (oldest.done) {
      oldestFirst = sessions.values()
      oldest = oldestFirst.next()
    }
    if (!oldest.done) drop(oldest.value)
  }

  function unlist({ id, userId }: SessionRecord): void {
    const ids = idsByUser.get(userId)
    ids?.delete(id)
    if (ids?.size === 0) idsByUser.delete(userId)
  }

  // Every write checks four old records, so expired ones are gone after a quarter of a cycle and no timer is needed.
  function sweep(): void {
    const nowMs = now()
    for (let looked = 0; looked < 4; looked++) {
      const { value, done } = cursor.next()
      if (done) {
        cursor = sessions.values()
        return
      }
      if (hasExpired(value, nowMs)) drop(value)
    }
  }

  function sweepValues(): void {
    const nowMs = now()
    for (let looked = 0; looked < 4; looked++) {
      const next = valueCursor.next()
      if (next.done) {
        valueCursor = values.entries()
        return
      }
      const [id, value] = next.value
      if (hasExpired(value, nowMs)) values.delete(id)
    }
  }

  /** May count what has expired and was not swept yet. */
  const countOf = (userId: string) => idsByUser.get(userId)?.size ?? 0

  function textOf(id: string): string | undefined {
    const value = values.get(id)
    return value && !hasExpired(value) ? value.text : undefined
  }

  return {
    async create(record) {
      sweep()
      const existing = sessions.get(record.id)
      if (existing && !hasExpired(existing)) return false
      if (existing) drop(existing)
      put(record)
      if (sessions.size > maxSessions) dropOldest()
      return { count: countOf(record.userId) }
    },

    async get(id) {
      const record = sessions.get(id)
      return record && !hasExpired(record) ? record : undefined
    },

    async replace(record, expectedVersion) {
      sweep()
      const existing = sessions.get(record.id)
      if (!existing || hasExpired(existing) || existing.version !== expectedVersion) return false
      if (existing.userId !== record.userId) unlist(existing)
      put(record)
      return true
    },

    async delete(id) {
      const record = sessions.get(id)
      if (record) drop(record)
    },

    async list(userId) {
      const records: SessionRecord[] = []
      for (const id of idsByUser.get(userId) ?? []) {
        const record = sessions.get(id)
        if (record && !hasExpired(record)) records.push(record)
      }
      return records.sort((a, b) => b.createdAt - a.createdAt)
    },

    async count(userId) {
      return countOf(userId)
    },

    async put(id, text, expiresAt) {
      sweepValues()
      if (textOf(id) !== undefined) return false
      // Deleted first, so that it is the youngest in the order of insertion.
      values.delete(id)
      values.set(id, { text, expiresAt })
      if (values.size > maxSessions) {
        const [oldest] = values.keys()
        if (oldest !== undefined) values.delete(oldest)
      }
      return true
    },

    async peek(id) {
      return textOf(id)
    },

    async take(id) {
      const text = textOf(id)
      values.delete(id)
      return text
    },
  }
}

/** What `put` keeps. */
interface Value {
  readonly text: string
  readonly expiresAt: number
}
