import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { daysWithThief } from './commands.js'
import { createFigures, createWorlds, runsOf, takeOverTime } from './runs.js'
import { createThief, type Loot } from './thief.js'

vi.mock('node:timers/promises', () => import('./fake-delay.js'))

const worlds = createWorlds()

beforeAll(takeOverTime)
afterAll(() => {
  vi.useRealTimers()
})

// Who has a copy with its key looks like a retry once. So the victim's first refresh may be answered as one, and the
// next one decides.
test.each<{ loot: Loot; cycles: number; share: number }>([
  { loot: 'token', cycles: 1, share: 0.08 },
  { loot: 'clone', cycles: 2, share: 0.12 },
])(
  'a thief with a $loot is out after $cycles refreshes of the victim, who stays in',
  async ({ loot, cycles, share }) => {
    const figures = createFigures(`A thief with a ${loot}`)
    await fc.assert(
      fc.asyncProperty(
        worlds.scheduler(),
        daysWithThief(),
        fc.constantFrom<'expiry' | 'immediate'>('expiry', 'immediate'),
        fc.array(fc.boolean(), { minLength: cycles, maxLength: cycles }),
        async (scheduler, commands, revocation, actsBefore) => {
          const { count } = figures
          const options = { scheduler, count, revocation, hasThief: true, isLoggedIn: true }
          const world = await worlds.begin(options)
          const { left } = world
          const thief = createThief(world, loot)
          await fc.scheduledModelRun(
            scheduler,
            () => ({ model: { backup: 'none' as const }, real: Object.assign(world, { thief }) }),
            commands,
          )
          await world.calmDown()
          thief.steal()
          const hasStolen = thief.hasStolen()

          for (const actsNow of actsBefore) {
            await world.pass(1000)
            if (actsNow && (await thief.refresh())) count('thief: refreshed between')
            expect(await world.finish(left.request())).toBe('ok')
          }
          await world.pass(1000)

          expect(await thief.tryEverything()).toBe(false)
          count(hasStolen ? 'thief: out' : 'thief: never came')
          const cloned = await world.finish(Promise.resolve(thief.whoAmI()).catch(() => 'nobody'))
          expect(cloned).not.toBe('alice')
          expect(await world.finish(left.request())).toBe('ok')
          world.inspect()
        },
      ),
      runsOf(110, share),
    )
    figures.show()

    for (const what of ['refresh reused', 'refresh retried', 'thief: refreshed between']) {
      expect(figures.of(what), what).toBeGreaterThan(0)
    }
  },
  3_600_000,
)
