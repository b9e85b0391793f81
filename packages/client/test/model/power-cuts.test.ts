import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createWorlds, takeOverTime } from './runs.js'
import type { PowerCut } from './storage-watch.js'
import type { World } from './world.js'

vi.mock('node:timers/promises', () => import('../../../server/test/model/fake-delay.js'))

beforeAll(takeOverTime)
afterAll(() => {
  vi.useRealTimers()
})

/** Everything that writes: a login, a refresh, a login for a dead session, one by force, a logout, a login after it. */
const day: ((world: World) => unknown)[] = [
  ({ left }) => left.request(),
  ({ left }) => Promise.all([left.request(), left.request(), left.request()]),
  async ({ left, server }) => {
    await server.forgetSessions()
    await left.request()
  },
  (world) => world.login(world.left, { force: true }),
  (world) => world.logout(world.left, false),
  (world) => world.login(world.left),
]

async function live(world: World): Promise<void> {
  for (const act of day) {
    // Without waiting for its end, which does not come when the process dies.
    void act(world)
    await world.pass(30)
    world.inspect()
    await world.pass(1000)
  }
}

test('a power cut at any storage operation of a day costs at most one more login', async () => {
  const worlds = createWorlds(() => undefined)
  const begin = async () => {
    const world = await worlds.begin({ scheduler: fc.schedulerFor([]), instances: 1 })
    await world.calmDown()
    return world
  }
  const whole = await begin()
  const operationsBefore = whole.left.storageOperations()
  await live(whole)
  const operations = whole.left.storageOperations() - operationsBefore
  expect(whole.logins()).toBe(4)

  for (const when of ['before', 'after'] as const) {
    for (let n = 1; n <= operations; n++) {
      const cut: PowerCut = { operations: n, when }
      const world = await begin()
      world.left.cutPower(cut)

      await live(world)

      const told = `power cut ${when} operation ${n} of ${operations}`
      expect(world.left.lives(), told).toBe(2)
      // Who was cut off in a login after a logout is still logged out.
      world.login(world.left)
      expect(await world.finish(world.left.request()), told).toBe('ok')
      expect(world.logins(), told).toBeLessThanOrEqual(whole.logins() + 1)
    }
  }
}, 60_000)
