/** Runs at most one thing at a time: joins what is under way, or follows it when `isQueued`. */
export function createSingleFlight<T>(): (
  run: () => T | PromiseLike<T>,
  isQueued?: boolean,
) => Promise<T> {
  let current: Promise<T> | undefined

  return (run, isQueued) => {
    if (current && !isQueued) return current
    const flight: Promise<T> = (current || Promise.resolve()).then(run, run)
    const land = (): void => {
      if (current === flight) current = undefined
    }
    flight.then(land, land)
    current = flight
    return flight
  }
}
