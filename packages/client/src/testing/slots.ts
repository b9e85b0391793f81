/** A call's place in the queue for a free connection. */
export interface Place {
  /** Starts at once when there is a free slot, else when one becomes free. */
  enter(): void
  /** Frees the slot, or leaves the queue. */
  leave(): void
}

/** A number of connections that all calls share. */
export function createSlots(size: number): { place(start: () => void): Place } {
  const waiting: (() => void)[] = []
  let taken = 0

  function startNext(): void {
    while (taken < size) {
      const start = waiting.shift()
      if (!start) return
      taken += 1
      start()
    }
  }

  return {
    place(start) {
      let hasSlot = false
      const begin = () => {
        hasSlot = true
        start()
      }
      return {
        enter() {
          waiting.push(begin)
          startNext()
        },
        leave() {
          const index = waiting.indexOf(begin)
          if (index >= 0) waiting.splice(index, 1)
          if (hasSlot) taken -= 1
          hasSlot = false
          startNext()
        },
      }
    },
  }
}
