import { startTimer } from '../deadline.js'

const longestWaitMs = 500

/** Limits how many calls are in flight at the same time. */
export interface Places {
  /**
   * Takes a place, or queues for one, first in, first out. Returns the function that frees it again. Returns `undefined`
   * at once if as many calls queue as there are places, and otherwise after 500 milliseconds without one.
   */
  take(): Promise<(() => void) | undefined>
  /** How many are taken. */
  taken(): number
}

export function createPlaces(count: number): Places {
  let free = count
  const waiting = new Set<() => void>()

  /** The place goes straight to the call that has queued longest, so that no new one can take it. */
  function leave(): void {
    const [next] = waiting
    if (next) next()
    else free += 1
  }

  return {
    taken: () => count - free,

    async take() {
      if (free > 0) {
        free -= 1
        return leave
      }
      if (waiting.size >= count) return undefined
      return new Promise((resolve) => {
        const end = (place?: () => void) => {
          stop()
          waiting.delete(come)
          resolve(place)
        }
        const come = () => end(leave)
        const stop = startTimer(longestWaitMs, end)
        waiting.add(come)
      })
    },
  }
}
