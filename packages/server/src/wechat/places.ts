const longestWaitMs = 500

/** So many calls at once, and no more. */
export interface Places {
  /**
   * Waits for a place where none is free, first come, first served, and gives what leaves it again. `undefined` at once
   * when as many wait as there are places, and after half a second without one.
   */
  take(): Promise<(() => void) | undefined>
}

export function createPlaces(count: number): Places {
  let free = count
  const waiting = new Set<() => void>()

  /** The place goes straight to the one who waits longest, so that nobody takes it on the way. */
  function leave(): void {
    const [next] = waiting
    if (next) next()
    else free += 1
  }

  return {
    async take() {
      if (free > 0) {
        free -= 1
        return leave
      }
      if (waiting.size >= count) return undefined
      return new Promise((resolve) => {
        const end = (place?: () => void) => {
          clearTimeout(timer)
          waiting.delete(come)
          resolve(place)
        }
        const come = () => end(leave)
        const timer = setTimeout(end, longestWaitMs)
        waiting.add(come)
      })
    },
  }
}
