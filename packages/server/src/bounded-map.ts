/** A map with a maximum number of entries. */
export interface BoundedMap<Key, Value> {
  get(key: Key): Value | undefined
  /** Makes this the newest entry; beyond the maximum the oldest one is evicted. */
  set(key: Key, value: Value): void
  delete(key: Key): void
}

/** Sets and evicts in constant time. `maxEntries` of 0 keeps nothing. */
export function createBoundedMap<Key, Value>(maxEntries: number): BoundedMap<Key, Value> {
  const entries = new Map<Key, Value>()
  // Kept from one eviction to the next: a new iterator would walk over all that was evicted before.
  let oldestFirst = entries.keys()

  function evictOldest(): void {
    let oldest = oldestFirst.next()
    if (oldest.done) {
      oldestFirst = entries.keys()
      oldest = oldestFirst.next()
    }
    if (!oldest.done) entries.delete(oldest.value)
  }

  return {
    get: (key) => entries.get(key),

    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size > maxEntries) evictOldest()
    },

    delete: (key) => void entries.delete(key),
  }
}
