import type { Backend } from './backend.js'

export type StorageVerb = 'get' | 'set' | 'remove'

/** The power goes before or after the operation that is this many away. */
export interface PowerCut {
  readonly operations: number
  readonly when: 'before' | 'after'
}

export type StorageWatch = ReturnType<typeof createStorageWatch>

/** Looks at what is stored after every operation, and cuts the power at any of them. */
export function createStorageWatch({
  backend,
  cut,
  count,
}: {
  backend: Backend
  cut: () => void
  count: (what: string) => void
}) {
  let planned: { operationsLeft: number; when: PowerCut['when'] } | undefined
  let operations = 0
  let failedWrites = 0
  // Texts that held a pair, by its refresh token, to find the key in them when it is sent.
  const textsByToken = new Map<string, string>()

  function isDue(when: PowerCut['when']): boolean {
    if (planned?.when !== when || planned.operationsLeft > 0) return false
    planned = undefined
    count(`power cut ${when} a storage operation`)
    return true
  }

  /** Whatever is stored is whole: who finds an access token finds its refresh token, and the key to send it with. */
  function inspect(area: ReadonlyMap<string, string>): void {
    if (area.size > 1) backend.violate('there is more than one record in storage')
    const [text = ''] = area.values()
    for (const [accessToken, refreshToken] of backend.pairs) {
      if (!text.includes(accessToken)) continue
      if (text.includes(refreshToken)) textsByToken.set(refreshToken, text)
      else backend.violate('half a record is stored')
    }
    for (const [refreshToken, key] of backend.keys) {
      const stored = textsByToken.get(refreshToken)
      if (stored && !stored.includes(key)) backend.violate('a pair was stored without its key')
    }
  }

  return {
    /** How many operations there have been. */
    operations: () => operations,

    /** How many writes have failed. */
    failedWrites: () => failedWrites,

    cutPower({ operations, when }: PowerCut): void {
      planned = { operationsLeft: operations, when }
    },

    calm(): void {
      planned = undefined
    },

    watched<A extends unknown[], R>(
      verb: StorageVerb,
      area: Map<string, string>,
      run: (...args: A) => R,
      isAlive: () => boolean,
    ): (...args: A) => R {
      return (...args) => {
        if (!isAlive()) return run(...args)
        operations++
        if (planned) planned.operationsLeft--
        if (isDue('before')) {
          cut()
          return run(...args)
        }
        if (verb === 'set') failedWrites++
        const result = run(...args)
        if (verb === 'set') failedWrites--
        if (verb !== 'get') inspect(area)
        if (isDue('after')) cut()
        return result
      }
    },
  }
}
