import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { daysThatEnd, honestDays, type Plan } from './commands.js'
import { createFigures, createWorlds, runsOf, takeOverTime } from './runs.js'
import type { World } from './world.js'

vi.mock('node:timers/promises', () => import('./fake-delay.js'))

const worlds = createWorlds()
const figures = createFigures('A user whom nobody attacks')

beforeAll(takeOverTime)
afterAll(() => {
  figures.show()
  vi.useRealTimers()
})

const settings = {
  revocation: fc.constantFrom<'expiry' | 'immediate'>('expiry', 'immediate'),
  isLoggedIn: fc.boolean(),
}

async function live(
  world: World,
  scheduler: fc.Scheduler,
  commands: Iterable<fc.AsyncCommand<Plan, World>>,
) {
  await fc.scheduledModelRun(
    scheduler,
    () => ({ model: { backup: 'none' as const }, real: world }),
    commands,
  )
  await world.calmDown()
  // Now every access token is old, so the next request shows whether the session is alive.
  await world.pass(1000)
}

test('whatever a network, a phone or a store does, an honest user stays logged in', async () => {
  await fc.assert(
    fc.asyncProperty(
      worlds.scheduler(),
      honestDays(),
      fc.record(settings),
      async (scheduler, commands, options) => {
        const world = await worlds.begin({ scheduler, count: figures.count, ...options })
        const { left, right } = world
        await live(world, scheduler, commands)

        const isAlive = world.hasLivingRecord()
        const loginsBefore = left.logins() + right.logins()
        expect(await world.finish(left.request())).toBe('ok')
        expect(await world.finish(right.request())).toBe('ok')
        world.inspect()

        const logins = left.logins() + right.logins() - loginsBefore
        expect(logins).toBeLessThanOrEqual(world.mayForget() ? 2 : isAlive ? 0 : 1)
      },
    ),
    runsOf(200, 0.2),
  )
}, 3_600_000)

test('a user who logged out, or was kicked, is out until the next login, and only then in again', async () => {
  await fc.assert(
    fc.asyncProperty(
      worlds.scheduler(),
      daysThatEnd(),
      fc.record(settings),
      async (scheduler, commands, options) => {
        const world = await worlds.begin({ scheduler, count: figures.count, ...options })
        const { left, right } = world
        await live(world, scheduler, commands)
        expect(['ok', 'signed_out']).toContain(await world.finish(left.request()))
        world.inspect()

        world.permitSignOut()
        const { refresh_token: token = '' } = left.record() ?? {}
        await world.finish(left.logout())
        if (!world.mayForget()) expect(world.backend.isOver(token)).toBe(true)
        await world.pass(1000)
        expect(await world.finish(left.request())).toBe('signed_out')
        left.restart()
        expect(await world.finish(left.request())).toBe('signed_out')
        if (!world.mayForget()) expect(await world.finish(right.request())).toBe('signed_out')

        expect(await world.finish(left.login())).toBe('ok')
        expect(await world.finish(left.request())).toBe('ok')
        world.inspect()
      },
    ),
    runsOf(110, 0.1),
  )
}, 3_600_000)

test('all of this happened', () => {
  for (const what of ['refresh rotated', 'refresh retried', 'refresh healed', 'refresh refused']) {
    expect(figures.of(what), what).toBeGreaterThan(0)
  }
})
