import fc from 'fast-check'
import { vi } from 'vitest'
import { createWorld, type World, type WorldOptions } from './world.js'

// `npm run chaos` asks for more; WXLOGIN_SEED and WXLOGIN_PATH repeat what a failure printed.
const { WXLOGIN_INTERLEAVINGS, WXLOGIN_SEED, WXLOGIN_PATH } = process.env

export const isChaos = WXLOGIN_INTERLEAVINGS !== undefined

/** How often to run: this often in `npm test`, and this share (0 to 1) of all interleavings in `npm run chaos`. */
export function runsOf(few: number, share: number): fc.Parameters<unknown> {
  return {
    numRuns: isChaos ? Math.ceil(Number(WXLOGIN_INTERLEAVINGS) * share) : few,
    ...(WXLOGIN_SEED !== undefined && { seed: Number(WXLOGIN_SEED) }),
    ...(WXLOGIN_PATH !== undefined && { path: WXLOGIN_PATH }),
  }
}

/** What happened how often: shown by `npm run chaos`, and proof that a property met what it is about. */
export function createFigures(title: string) {
  const figures = new Map<string, number>()
  const startedAt = performance.now()
  return {
    count(what: string): void {
      figures.set(what, (figures.get(what) ?? 0) + 1)
    },
    of: (what: string): number => figures.get(what) ?? 0,
    show(): void {
      if (!isChaos) return
      const rows = [...figures].sort(([a], [b]) => a.localeCompare(b))
      const seconds = Math.round((performance.now() - startedAt) / 1000)
      const lines = rows.map(([what, times]) => `  ${what.padEnd(32)}${String(times).padStart(10)}`)
      console.log([`${title} (${seconds} s)`, ...lines].join('\n'))
    },
  }
}

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
