/** Runs it, unless one is running: then it joins that one, or with `isQueued` runs after it. */
export type SingleFlight<T> = (run: () => T | PromiseLike<T>, isQueued?: boolean) => Promise<T>

/** Runs at most one thing at a time, the first one when `start` has settled. */
export function createSingleFlight<T>(start?: Promise<unknown>): SingleFlight<T> {
  let running: Promise<T> | undefined

  return (run, isQueued) => {
    if (running && !isQueued) return running
    const promise: Promise<T> = (running || Promise.resolve(start)).then(run, run)
    const clear = (): void => {
      if (running === promise) running = undefined
    }
    promise.then(clear, clear)
    running = promise
    return promise
  }
}
