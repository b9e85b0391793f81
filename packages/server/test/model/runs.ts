import fc from 'fast-check'
import { vi } from 'vitest'
import { createWorld, type World, type WorldOptions } from './world.js'

export { createFigures, runsOf } from './interleavings.js'

/** Worlds whose scheduler lets everything run, and looks at the outcome, after each of its steps. */
export function createWorlds() {
  let world: World | undefined
  return {
    scheduler: () =>
      fc.scheduler({
        act: async (step) => {
          await step()
          await world?.settle()
          world?.inspect()
        },
      }),
    async begin(options: WorldOptions & { isLoggedIn: boolean }): Promise<World> {
      world?.end()
      world = undefined
      drawn = 0
      const begun = createWorld(options)
      if (options.isLoggedIn) await begun.logIn()
      world = begun
      return begun
    },
  }
}

let drawn = 0

/** Time that only the tests move, and chance that is the same in each world, so that a seed repeats a run. */
export function takeOverTime(): void {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  // Every number is another one, for keys are made of them.
  vi.spyOn(Math, 'random').mockImplementation(() => {
    drawn++
    return (0.5 + drawn * 0.6180339887498949) % 1
  })
}
