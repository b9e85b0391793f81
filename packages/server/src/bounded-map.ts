/** A map with a maximum number of entries. */
export interface BoundedMap<Key, Value> {
  get(key: Key): Value | undefined
  /** Beyond the maximum, another entry is evicted. */
  set(key: Key, value: Value): void
  delete(key: Key): void
}

interface Entry<Value> {
  value: Value
  /** Where its key is in the list of keys. */
  place: number
}

/**
 * Sets, deletes and evicts in constant time. `maxEntries` of 0 keeps nothing. What is evicted is drawn by lot: of keys that
 * come round in turn, half as many again as there is room for, the oldest would always be the next one wanted, and every
 * look-up a miss. By lot, two of five are hits.
 */
export function createBoundedMap<Key, Value>(maxEntries: number): BoundedMap<Key, Value> {
  const entries = new Map<Key, Entry<Value>>()
  const keys: Key[] = []

  function evictOne(): void {
    const place = Math.floor(Math.random() * keys.length)
    const key = keys[place]
    if (key !== undefined) remove(key)
  }

  function remove(key: Key): void {
    const entry = entries.get(key)
    const last = keys.pop()
    if (!entry || last === undefined) return
    entries.delete(key)
    if (last === key) return
    // The last key takes the place that is free.
    keys[entry.place] = last
    const moved = entries.get(last)
    if (moved) moved.place = entry.place
  }

  return {
    get: (key) => entries.get(key)?.value,

    set(key, value) {
      const entry = entries.get(key)
      if (entry) {
        entry.value = value
        return
      }
      if (maxEntries < 1) return
      if (keys.length >= maxEntries) evictOne()
      entries.set(key, { value, place: keys.length })
      keys.push(key)
    },

    delete(key) {
      if (entries.has(key)) remove(key)
    },
  }
}
