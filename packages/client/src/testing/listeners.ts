/** Who listens to one event of a native task. */
export interface Listeners<T> {
  on(listener: (event: T) => void): void
  /** Without a listener all of them go. */
  off(listener?: (event: T) => void): void
  tell(event: T): void
}

export function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(event: T) => void>()
  return {
    on(listener) {
      listeners.add(listener)
    },
    off(listener) {
      if (listener) listeners.delete(listener)
      else listeners.clear()
    },
    tell(event) {
      for (const listener of [...listeners]) listener(event)
    },
  }
}
