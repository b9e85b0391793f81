const maxKeyBytes = 1024 * 1024
const maxTotalBytes = 10 * maxKeyBytes

export type StorageVerb = 'set' | 'get' | 'remove'

/** One user's storage area, with the platform's limits and its lossy copying. */
export interface FakeStorage {
  /** `undefined` when there is no such key. */
  read(key: string): unknown
  write(key: string, value: unknown): void
  remove(key: string): void
}

/** Reads and writes the raw text in `area()`, which is looked up at each call. */
export function createStorage(area: () => Map<string, string>): FakeStorage {
  return {
    read(key) {
      const text = area().get(key)
      return text === undefined ? undefined : decode(text)
    },

    write(key, value) {
      const stored = area()
      const text = encode(value)
      if (text === undefined) {
        stored.delete(key)
        return
      }
      if (Buffer.byteLength(text) > maxKeyBytes) throw new Error('entry size limit reached')
      let totalBytes = sizeOf(key, text)
      for (const entry of stored) if (entry[0] !== key) totalBytes += sizeOf(...entry)
      if (totalBytes > maxTotalBytes) throw new Error('exceed storage max size 10Mb')
      stored.set(key, text)
    },

    remove(key) {
      area().delete(key)
    },
  }
}

function sizeOf(key: string, text: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(text)
}

/** `undefined` for what no storage can hold: a function, a symbol, undefined. */
function encode(value: unknown): string | undefined {
  // Not JSON on purpose: no other value can be read back as a date.
  if (value instanceof Date) return `Date(${value.getTime()})`
  return JSON.stringify(value)
}

/** Text that is not JSON, such as a damaged entry, is returned as it is. */
function decode(text: string): unknown {
  const date = /^Date\((-?\d+)\)$/.exec(text)
  if (date) return new Date(Number(date[1]))
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
