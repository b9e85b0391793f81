import type { Scheduler } from 'fast-check'
import { vi } from 'vitest'
import type { FakeNetworkRequest, FakeNetworkResponse } from '../../../client/src/testing/index.js'
import { type Backend, createBackend } from './backend.js'
import { forgetDelays } from './fake-delay.js'
import { createPhone, type Phone, readRecord } from './phone.js'

/** What becomes of the next request that leaves the phone. */
export type Fate = 'lost request' | 'lost reply' | 'no answer' | 'late duplicate'

export interface WorldOptions {
  readonly scheduler: Scheduler
  readonly count: (what: string) => void
  readonly revocation?: 'expiry' | 'immediate'
  readonly hasThief?: boolean
}

export type World = ReturnType<typeof createWorld>

// A message that did not arrive by then never will: connections are closed, and proxies give up.
const messageLifeMs = 10_000

const startMs = 1_800_000_000_000

const realSetImmediate = setImmediate

/** One server, one honest phone on which two instances of the mini program share a storage, and the network between. */
export function createWorld({
  scheduler,
  count,
  revocation = 'expiry',
  hasThief = false,
}: WorldOptions) {
  vi.clearAllTimers()
  forgetDelays()
  vi.setSystemTime(startMs)
  const backend: Backend = createBackend({ revocation, hasThief, count })
  const fates: Fate[] = []
  let isCalm = false
  let mayBeSignedOut = false
  let isOver = false
  let hasStoreFailed = false

  const pause = (what: string): Promise<unknown> =>
    isCalm ? Promise.resolve() : scheduler.schedule(Promise.resolve(), what)

  /** Each way of a message takes a step of its own, so that anything may happen before it arrives. */
  function networkOf(name: string) {
    return async (request: FakeNetworkRequest): Promise<FakeNetworkResponse> => {
      const fate = isCalm ? undefined : fates.shift()
      const path = request.url.replace(/^https:..[^/]+/, '')
      const sentMs = Date.now()
      async function deliver(how: string): Promise<FakeNetworkResponse> {
        await pause(`${name} → ${path}${how}`)
        if (Date.now() - sentMs > messageLifeMs) throw new Error('it took too long')
        return backend.serve(request)
      }
      if (fate) count(fate)
      if (fate === 'lost request') throw new Error('the connection broke')
      if (fate === 'late duplicate') deliver(' (duplicate)').catch(() => undefined)
      const response = await deliver('')
      if (fate === 'no answer') return new Promise(() => undefined)
      await pause(`${name} ← ${path} ${response.statusCode}`)
      if (fate === 'lost reply') throw new Error('the connection broke')
      return response
    }
  }

  const mayFailWith = (code: string) =>
    (code === 'signed_out' && (mayBeSignedOut || hasThief)) ||
    (code === 'store_unavailable' && hasStoreFailed)

  const storage = new Map<string, string>()
  const phoneNamed = (name: string, user: string, storage: Map<string, string>): Phone =>
    createPhone({
      name,
      user,
      backend,
      network: networkOf(name),
      pause,
      storage,
      count,
      mayFailWith: user === 'alice' ? mayFailWith : () => true,
    })

  const keysSent = new Map<string, string>()
  const left = phoneNamed('left', 'alice', storage)
  const right = phoneNamed('right', 'alice', storage)

  /** Lets everything run that waits neither for the clock nor for the scheduler. */
  async function settle(): Promise<void> {
    for (let turns = 0; turns === 0 || backend.isBusy(); turns++) {
      await new Promise(realSetImmediate)
      if (turns > 100_000) throw new Error('the server does not come to rest')
    }
    await new Promise(realSetImmediate)
  }

  /** Lets time pass, with the timers in between. */
  async function pass(seconds: number): Promise<void> {
    const endMs = Date.now() + seconds * 1000
    while (Date.now() < endMs && !isOver) {
      const stepMs = vi.getTimerCount() === 0 ? endMs - Date.now() : 2_500
      vi.advanceTimersByTime(Math.min(stepMs, endMs - Date.now()))
      await settle()
    }
  }

  /** No two keys for one refresh token, and never half a record: what is stored is looked at after every step. */
  function inspect(): void {
    const record = readRecord(storage)
    if (record?.refresh_token && record.key) {
      const { refresh_token: token, key } = record
      if ((keysSent.get(token) ?? key) !== key) {
        backend.violate('a refresh token was stored with two keys')
      }
      keysSent.set(token, key)
    }
    const [violation] = backend.violations
    if (violation !== undefined) throw new Error(violation)
  }

  /** Runs the operation to its end; time passes only if it has to. */
  async function finish<T>(operation: Promise<T>): Promise<T> {
    let isFinished = false
    const end = () => {
      isFinished = true
    }
    operation.then(end, end)
    await settle()
    for (let rounds = 0; !isFinished && rounds < 200; rounds++) await pass(1)
    if (!isFinished) throw new Error('an operation never ended')
    return operation
  }

  return {
    backend,
    left,
    right,
    settle,
    pass,
    finish,
    inspect,
    phoneNamed,

    /** A failure may leave time passing here, which must not be the time of the next world. */
    end(): void {
      isOver = true
    },

    setFate: (fate: Fate) => void fates.push(fate),

    failStore(how: 'before' | 'after'): void {
      hasStoreFailed = true
      backend.failStore(how)
    },

    /** From now on the user may find to be signed out, and only from now on. */
    permitSignOut(): void {
      mayBeSignedOut = true
    },

    /** Whether what is stored can be refreshed, so that nobody needs a login. */
    hasLivingRecord(): boolean {
      const { refresh_token: token, key } = readRecord(storage) ?? {}
      return token !== undefined && key !== undefined && backend.isAlive(token, key)
    },

    /** Whether an instance may know more than the storage, because it could not write. */
    mayForget: () => left.hasFailedToWrite() || right.hasFailedToWrite(),

    /** Everything that is on its way arrives or dies, and nothing fails any more. */
    async calmDown(): Promise<void> {
      isCalm = true
      fates.length = 0
      backend.heal()
      left.heal()
      right.heal()
      await scheduler.waitAll()
      await pass(100)
      const stuck = [...left.operationsUnderWay(), ...right.operationsUnderWay()]
      if (stuck.length > 0) throw new Error(`${stuck.join(', ')} never ended`)
      inspect()
    },

    /** Before anything goes wrong. */
    async logIn(): Promise<void> {
      isCalm = true
      await finish(left.request())
      await finish(right.request())
      isCalm = false
    },
  }
}
