import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventfulDays, honestDays, hostileDays, payingDays } from './commands.js'
import { createFigures, createWorlds, runsOf, takeOverTime } from './runs.js'

vi.mock('node:timers/promises', () => import('../../../server/test/model/fake-delay.js'))

beforeAll(takeOverTime)
afterAll(() => {
  vi.useRealTimers()
})

const instances = fc.constantFrom<1 | 2>(1, 2)

test('who is logged in stays so, without another wx.login, whatever networks, phones and clocks do', async () => {
  const figures = createFigures('A user who is logged in')
  const worlds = createWorlds(figures.count)
  await fc.assert(
    fc.asyncProperty(
      worlds.scheduler(),
      honestDays(),
      instances,
      async (scheduler, commands, instances) => {
        const world = await worlds.beginLoggedIn({ scheduler, instances })
        world.permit('http', 'store_unavailable')

        await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), commands)
        await world.calmDown()
        // Now every access token is old, so the next request shows whether the session is alive.
        await world.pass(1000)

        expect(await world.finish(world.left.request())).toBe('ok')
        expect(await world.finish(world.right.request())).toBe('ok')
        expect(world.logins()).toBe(0)
      },
    ),
    runsOf(700, 0.25),
  )
  figures.show()
  for (const what of ['refresh retried', 'message: late duplicate', 'callback: late']) {
    expect(figures.of(what), what).toBeGreaterThan(0)
  }
}, 3_600_000)

test('who is logged in and pays stays the same user, with one new login at a time', async () => {
  const figures = createFigures('A user who pays')
  const worlds = createWorlds(figures.count)
  await fc.assert(
    fc.asyncProperty(
      worlds.scheduler(),
      payingDays(),
      instances,
      async (scheduler, commands, instances) => {
        const world = await worlds.beginLoggedIn({ scheduler, instances })
        world.permit('http', 'store_unavailable', 'invalid_code')

        await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), commands)
        await world.calmDown()
        await world.pass(1000)
        const logins = world.logins()

        const paid = await Promise.all([
          world.finish(world.left.request('/pay')),
          world.finish(world.left.request('/pay')),
        ])
        expect(paid).toEqual(['ok', 'ok'])
        expect(world.logins()).toBe(logins + 1)
        expect(await world.finish(world.right.request('/pay'))).toBe('ok')
        expect(world.right.userId()).toBe(world.left.userId())
      },
    ),
    runsOf(300, 0.08),
  )
  figures.show()
  for (const what of ['login too old', 'payment ok', 'message: late duplicate']) {
    expect(figures.of(what), what).toBeGreaterThan(0)
  }
}, 3_600_000)

test('a Skill and its mini program share one login over one storage, and none loses it', async () => {
  const figures = createFigures('A Skill beside its mini program')
  const worlds = createWorlds(figures.count)
  await fc.assert(
    fc.asyncProperty(
      worlds.scheduler(),
      honestDays(),
      fc.boolean(),
      async (scheduler, commands, isLoggedIn) => {
        const begin = isLoggedIn ? worlds.beginLoggedIn : worlds.begin
        const world = await begin({ scheduler, instances: 2, second: 'skill' })
        world.permit('http', 'store_unavailable', 'invalid_code')

        await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), commands)
        await world.calmDown()
        await world.pass(1000)

        expect(await world.finish(world.left.request())).toBe('ok')
        expect(await world.finish(world.right.request())).toBe('ok')
        expect(world.right.userId()).toBe(world.left.userId())
        if (isLoggedIn) expect(world.logins()).toBe(0)
      },
    ),
    runsOf(250, 0.05),
  )
  figures.show()
  expect(figures.of('refresh retried')).toBeGreaterThan(0)
}, 3_600_000)

test.each([
  { theme: 'users that change', met: 'request user_changed' },
  { theme: 'sign-outs', met: 'request signed_out' },
  { theme: 'phone numbers', met: 'phone number ok' },
  { theme: 'a storage that fails', met: 'power cut after a storage operation' },
] as const)(
  '$theme: nothing is half done, nobody is taken for somebody else, and a login helps',
  async ({ theme, met }) => {
    const figures = createFigures(theme)
    const worlds = createWorlds(figures.count, { revocation: 'immediate' })
    await fc.assert(
      fc.asyncProperty(
        worlds.scheduler(),
        eventfulDays[theme](),
        instances,
        fc.boolean(),
        async (scheduler, commands, instances, isLoggedIn) => {
          const begin = isLoggedIn ? worlds.beginLoggedIn : worlds.begin
          const world = await begin({ scheduler, instances })
          world.permit('http', 'store_unavailable', 'invalid_code')

          await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), commands)
          await world.calmDown()
          await world.pass(1000)

          const { left, right } = world
          const outcome = await world.finish(left.request())
          if (world.isSignedOut() && !left.isAlone()) expect(outcome).toBe('signed_out')
          else expect(['ok', 'signed_out', 'user_changed']).toContain(outcome)

          for (const phone of [left, right])
            if (phone === left || phone.isAlone()) world.login(phone)
          expect(await world.finish(left.request())).toBe('ok')
          expect(await world.finish(right.request())).toBe('ok')
          if (!left.isAlone() && !right.isAlone()) expect(left.userId()).toBe(right.userId())
        },
      ),
      runsOf(450, 0.12),
    )
    figures.show()
    for (const what of [met, 'payment ok', 'login too old']) {
      expect(figures.of(what), what).toBeGreaterThan(0)
    }
  },
  3_600_000,
)

test('after 1,000 hostile rounds the live sessions at the server are the ones that phones hold', async () => {
  const figures = createFigures('Sessions that nobody holds')
  const worlds = createWorlds(figures.count, { revocation: 'immediate' })
  await fc.assert(
    fc.asyncProperty(
      worlds.scheduler(),
      hostileDays(),
      instances,
      fc.boolean(),
      async (scheduler, commands, instances, isLoggedIn) => {
        const begin = isLoggedIn ? worlds.beginLoggedIn : worlds.begin
        const world = await begin({ scheduler, instances })
        world.permit('http', 'store_unavailable', 'invalid_code')

        await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), commands)
        await world.calmDown()

        expect(await world.leftBehind()).toEqual([])
      },
    ),
    runsOf(250, 0.22),
  )
  figures.show()
  for (const what of ['logout ok', 'phone number ok', 'login ok']) {
    expect(figures.of(what), what).toBeGreaterThan(0)
  }
}, 3_600_000)
