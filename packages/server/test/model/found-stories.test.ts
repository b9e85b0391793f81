import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createWorlds, takeOverTime } from './runs.js'

vi.mock('node:timers/promises', () => import('./fake-delay.js'))

// Stories that the interleavings found, told without chance.

const worlds = createWorlds()

beforeAll(takeOverTime)
afterAll(() => {
  vi.useRealTimers()
})

// A storage that becomes empty has to read as no record. Who goes on with what was read before makes the server take
// the refresh for a retry, and then both instances hold the next token, with a key each.
test('a refresh that could not be stored does not make the other instance look like a thief', async () => {
  const [scheduler = fc.schedulerFor([])] = fc.sample(worlds.scheduler(), 1)
  const world = await worlds.begin({ scheduler, count: () => undefined, isLoggedIn: true })
  const { left, right } = world
  await world.calmDown()
  await world.pass(1000)
  right.failNextWrite()

  await world.finish(right.request())
  await world.finish(left.request())
  await world.pass(1000)
  await world.finish(left.request())
  await world.finish(right.request())

  expect(world.backend.violations).toEqual([])
})

// Rare among the interleavings: a backup, a refresh, the way back and another refresh.
test('a store that went back to its backup heals: nobody has to log in, and nobody is a thief', async () => {
  const [scheduler = fc.schedulerFor([])] = fc.sample(worlds.scheduler(), 1)
  const seen: string[] = []
  const count = (what: string) => void seen.push(what)
  const world = await worlds.begin({ scheduler, count, isLoggedIn: true })
  const { backend, left, right } = world
  await world.calmDown()
  await backend.takeBackup()
  await world.pass(1000)
  await world.finish(left.request())
  await backend.restoreBackup()
  await world.pass(1000)
  const loginsBefore = left.logins() + right.logins()

  expect(await world.finish(right.request())).toBe('ok')

  expect(seen).toContain('refresh healed')
  expect(left.logins() + right.logins()).toBe(loginsBefore)
  expect(backend.violations).toEqual([])
})
