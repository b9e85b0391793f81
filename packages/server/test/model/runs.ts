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
      const begun = createWorld(options)
      if (options.isLoggedIn) await begun.logIn()
      world = begun
      return begun
    },
  }
}

/** Time that only the tests move, and no chance in the client's pauses, so that a seed repeats a run. */
export function takeOverTime(): void {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
}
