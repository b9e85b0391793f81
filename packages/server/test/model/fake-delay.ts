// Stands in for `node:timers/promises`, whose delays no fake clock reaches.

let underWay = new Set<object>()

/** How many delays are under way, so that whoever waits for the server knows that it waits for the clock. */
export const delaysUnderWay = (): number => underWay.size

/** For a new world: the delays of the one before never end. */
export function forgetDelays(): void {
  underWay = new Set()
}

export async function setTimeout(ms: number): Promise<void> {
  const ofThisWorld = underWay
  const delay = {}
  ofThisWorld.add(delay)
  await new Promise<void>((resolve) => globalThis.setTimeout(resolve, ms))
  ofThisWorld.delete(delay)
}
