import type { FakeRuntime } from '@wxlogin/client/testing'
import type { SessionRecord } from '@wxlogin/server'
import fc from 'fast-check'
import { vi } from 'vitest'
import { forgetDelays } from '../../../server/test/model/fake-delay.js'
import { createServer } from './server.js'
import { createWorld, type World } from './world.js'

export { createFigures, runsOf } from '../../../server/test/model/interleavings.js'

/** Worlds whose scheduler lets everything run, and looks at the outcome, after each of its steps. */
export function createWorlds(
  count: (what: string) => void,
  { revocation = 'expiry' }: { revocation?: 'expiry' | 'immediate' } = {},
) {
  const server = createServer(revocation)
  let world: World | undefined
  let loggedIn: Start | undefined

  const scheduler = () =>
    fc.scheduler({
      act: async (step) => {
        await step()
        await world?.settle()
        world?.inspect()
      },
    })

  async function begin(
    { scheduler, instances, second = 'miniprogram' }: WorldSettings,
    { atMs, sessions, stored }: Start,
  ): Promise<World> {
    world?.end()
    vi.clearAllTimers()
    forgetDelays()
    vi.setSystemTime(atMs)
    server.setAhead(0)
    await server.beginAnew(sessions)
    world = createWorld({ scheduler, instances, second, server, stored, count })
    return world
  }

  return {
    scheduler,

    begin: (settings: WorldSettings): Promise<World> => begin(settings, nobody),

    /** A world in which alice is logged in already: the login was made once. */
    async beginLoggedIn(settings: WorldSettings): Promise<World> {
      if (!loggedIn) {
        const first = await begin({ scheduler: fc.schedulerFor([]), instances: 1 }, nobody)
        await first.calmDown()
        await first.finish(first.left.request())
        const sessions = await server.sessions()
        loggedIn = { atMs: Date.now(), sessions, stored: [...first.areaOf('alice')] }
      }
      return begin(settings, loggedIn)
    },
  }
}

interface WorldSettings {
  readonly scheduler: fc.Scheduler
  readonly instances: 1 | 2
  readonly second?: FakeRuntime
}

/** What a world begins with. */
interface Start {
  readonly atMs: number
  readonly sessions: readonly SessionRecord[]
  /** In alice's storage. */
  readonly stored: readonly [string, string][]
}

const nobody: Start = { atMs: 1_800_000_000_000, sessions: [], stored: [] }

/** Time that only the tests move, and no chance in the client, so that a seed repeats a run. */
export function takeOverTime(): void {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  let state = 1
  // As many digits as the real one gives, because keys are made of them.
  vi.spyOn(Math, 'random').mockImplementation(() => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  })
}
