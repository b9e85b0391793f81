import { AsyncLocalStorage } from 'node:async_hooks'
import fc, { type Scheduler } from 'fast-check'
import { vi } from 'vitest'
import {
  type Auth,
  type AuthEvent,
  type AuthOptions,
  createAuth,
  createMemoryStore,
  type SessionStore,
} from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'
import { delaysUnderWay, forgetDelays } from './fake-delay.js'

/** When every race starts, in seconds. */
export const raceStart = 1_800_000_000

const realSetImmediate = setImmediate
const maxTurns = 200_000

/** What one operation has done so far. */
export interface Trace {
  readonly name: string
  readonly startedAt: number
  /** When each session was read, the last time last. */
  readonly reads: Map<string, number[]>
  readonly events: AuthEvent[]
  /** The session that `onLogin` was told of. */
  told?: string | undefined
}

export interface RaceOptions {
  readonly options?: Partial<AuthOptions>
  readonly hasClaims?: boolean
  /** Stands between an operation and the store. */
  readonly around?: <A extends unknown[], R>(
    verb: string,
    call: (...args: A) => Promise<R>,
  ) => (...args: A) => Promise<R>
}

export type Race = ReturnType<typeof createRace>

/** Races whose scheduler lets everything run that does not wait for it, after each of its steps. */
export function createRaces() {
  let isBusy = () => false
  return {
    scheduler: () =>
      fc.scheduler({
        act: async (step) => {
          await step()
          let turns = 0
          do await new Promise(realSetImmediate)
          while (isBusy() && turns++ < maxTurns)
          if (turns > maxTurns) throw new Error('an operation waits for another: give them one job')
        },
      }),
    begin(scheduler: Scheduler, options?: RaceOptions): Race {
      vi.clearAllTimers()
      vi.setSystemTime(raceStart * 1000)
      forgetDelays()
      const race = createRace(scheduler, options)
      isBusy = race.isBusy
      return race
    },
  }
}

/**
 * Two instances of a backend on one store. While the gate is closed, every call of the store and every hook waits for
 * the scheduler, so that the operations of the race meet in every order.
 */
function createRace(
  scheduler: Scheduler,
  { options = {}, hasClaims = true, around = (_verb, call) => call }: RaceOptions = {},
) {
  const memory = createMemoryStore()
  // Its codes stay good, however long a race takes.
  const wechat = createFakeWeChat({ now: () => raceStart * 1000 })
  const traces = new AsyncLocalStorage<Trace>()
  const underWay: unknown[] = []
  const broken: unknown[] = []
  let isOpen = true
  let waiting = 0

  async function pass(what: string): Promise<void> {
    if (isOpen) return
    waiting++
    await scheduler.schedule(Promise.resolve(), what)
    waiting--
  }

  const gated = <A extends unknown[], R>(name: string, call: (...args: A) => R | Promise<R>) => {
    const placed = around(name, async (...args: A) => call(...args))
    return async (...args: A): Promise<R> => {
      await pass(name)
      return placed(...args)
    }
  }

  const store: SessionStore = {
    create: gated('create', memory.create),
    get: gated('get', async (id) => {
      const reads = traces.getStore()?.reads
      reads?.set(id, [...(reads.get(id) ?? []), Math.floor(Date.now() / 1000)])
      return memory.get(id)
    }),
    replace: gated('replace', memory.replace),
    delete: gated('delete', memory.delete),
    list: gated('list', memory.list),
  }

  const { onLogin, claims, onPhoneNumber } = options
  const start = () =>
    createAuth({
      apps: [wechat.app],
      secret: testSecret,
      fetch: wechat.fetch,
      store,
      maxSessionsPerUser: 1000,
      ...options,
      onLogin: gated('onLogin', async (account, context) => {
        const trace = traces.getStore()
        if (trace) trace.told = context.previous?.id
        return onLogin ? onLogin(account, context) : { userId: 'guest' }
      }),
      onPhoneNumber: gated('onPhoneNumber', onPhoneNumber ?? (() => ({ userId: 'member' }))),
      ...(hasClaims && { claims: gated('claims', claims ?? (() => ({}))) }),
      onEvent: (event) => traces.getStore()?.events.push(event),
    })
  const auths: readonly [Auth, Auth] = [start(), start()]

  return {
    auths,
    wechat,
    memory,

    openGate(): void {
      isOpen = true
    },
    closeGate(): void {
      isOpen = false
    },

    /** Lets others go first, so many times. */
    async linger(steps: number): Promise<void> {
      for (let n = 0; n < steps; n++) await pass('lingers')
    },

    /** Time passes for everything that is under way; no timer ends. */
    skip(seconds: number): void {
      vi.setSystemTime(Date.now() + seconds * 1000)
    },

    /** Begins when the scheduler lets it. What runs for the same `job` counts as one: only one of them acts. */
    start(name: string, run: (trace: Trace) => Promise<void>, job: unknown = {}): void {
      scheduler.schedule(Promise.resolve(), name).then(async () => {
        const startedAt = Math.floor(Date.now() / 1000)
        const trace: Trace = { name, startedAt, reads: new Map(), events: [] }
        underWay.push(job)
        await traces.run(trace, () => run(trace)).catch((error) => broken.push(error))
        underWay.splice(underWay.indexOf(job), 1)
      })
    },

    countUnderWay: (job: unknown) => underWay.filter((other) => other === job).length,

    isBusy: () => new Set(underWay).size > waiting + delaysUnderWay(),

    /** Runs everything to its end. */
    async finish(): Promise<void> {
      await scheduler.waitAll()
      for (let rounds = 0; underWay.length > 0 && rounds < 100; rounds++) {
        vi.advanceTimersToNextTimer()
        await new Promise(realSetImmediate)
        await scheduler.waitAll()
      }
      if (broken.length > 0) throw broken[0]
      if (underWay.length > 0) throw new Error('an operation never ended')
    },
  }
}

/** In words, what a call came to, if it failed. */
export function failureOf(error: unknown): string {
  const { code, reason } = Object(error)
  if (code === undefined) throw error
  return String(reason ?? code)
}
