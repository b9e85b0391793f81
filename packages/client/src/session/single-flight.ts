/** Joins what is under way, or follows it when `isQueued`. */
export type SingleFlight<T> = (run: () => T | PromiseLike<T>, isQueued?: boolean) => Promise<T>

/** Runs at most one thing at a time, the first one when `start` is over. */
export function createSingleFlight<T>(start: Promise<unknown>): SingleFlight<T> {
  let current: Promise<T> | undefined

  return (run, isQueued) => {
    if (current && !isQueued) return current
    const flight: Promise<T> = (current || start).then(run, run)
    const land = (): void => {
      if (current === flight) current = undefined
    }
    flight.then(land, land)
    current = flight
    return flight
  }
}
