/** Runs it, unless one is running: then it joins that one, or with `isQueued` runs after it. */
export type SingleFlight<T> = (run: () => T | PromiseLike<T>, isQueued?: boolean) => Promise<T>

/** Runs at most one thing at a time, the first one when `start` has settled. */
export function createSingleFlight<T>(start?: Promise<unknown>): SingleFlight<T> {
  let last = Promise.resolve(start) as Promise<unknown>
  let underWay = 0

  return (run, isQueued) => {
    if (!underWay || isQueued) {
      const ended = (): void => {
        underWay--
      }
      underWay++
      last = last.then(run, run)
      last.then(ended, ended)
    }
    return last as Promise<T>
  }
}
