import { createHook } from 'node:async_hooks'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FetchLike } from '../../src/wechat/index.js'
import { send } from '../http/set-up.js'
import { setUp } from '../set-up.js'

// The clock is the tests' own and stands still while something is being worked on, so that the figures are the same on
// every machine. `npm run load` has the real one.
const latencyMs = 500

vi.setConfig({ testTimeout: 60_000 })

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

// What WebCrypto works on in threads of its own, which a busy machine may keep waiting.
const inThreads = new Set<number>()
const watch = createHook({
  init: (id, type) => {
    if (type === 'SIGNREQUEST' || type === 'CIPHERREQUEST') inThreads.add(id)
  },
  after: (id) => {
    inThreads.delete(id)
  },
})

let nowMs = 0
const now = () => nowMs
// By the millisecond in which they are due: the usual fake clocks look through all timers for each.
const timers = new Map<number, Set<() => void>>()

beforeEach(() => {
  watch.enable()
  nowMs = 1_800_000_000_000
  timers.clear()
  vi.spyOn(performance, 'now').mockImplementation(now)
  vi.stubGlobal(
    'setTimeout',
    (callBack: (value?: unknown) => void, delayMs = 0, value?: unknown) => {
      const dueMs = nowMs + Math.max(1, Math.round(delayMs))
      const due = timers.get(dueMs) ?? new Set()
      const timer = () => callBack(value)
      timers.set(dueMs, due.add(timer))
      return { dueMs, timer }
    },
  )
  vi.stubGlobal('clearTimeout', (handle?: { dueMs: number; timer: () => void }) => {
    if (handle) timers.get(handle.dueMs)?.delete(handle.timer)
  })
})

afterEach(() => {
  watch.disable()
  inThreads.clear()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** Lets the clock run whenever nothing is being worked on, until the work is done. */
async function run(work: Promise<unknown>): Promise<void> {
  let isOver = false
  work.finally(() => {
    isOver = true
  })
  while (!isOver) {
    nowMs += 1
    for (const timer of timers.get(nowMs) ?? []) timer()
    timers.delete(nowMs)
    do await new Promise((resolve) => setImmediate(resolve))
    while (inThreads.size > 0)
  }
}

/** So many connections, which is what undici has: what finds none free waits for one. */
function pooled(fetch: FetchLike, connections: number): FetchLike {
  const waiting: (() => void)[] = []
  let free = connections
  return async (url, init) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free -= 1
    try {
      init.signal.throwIfAborted()
      return await fetch(url, init)
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}

/** A backend before a WeChat that is slow and healthy. */
function setUpSlow(maxLoginsInFlight = 512, connections = maxLoginsInFlight + 3 * 128) {
  const fetch: FetchLike = (url, init) => viaPool(url, init)
  const parts = setUp({ fetch, maxLoginsInFlight, now }, { latencyMs })
  const viaPool = pooled(parts.wechat.fetch, connections)
  const { auth, wechat, events } = parts
  let people = 0

  return {
    /** One login as a phone sends it. */
    async login() {
      const { status, headers } = await send(auth, '/login', {
        body: { code: wechat.codeFor(`person-${people++}`), app_id: wechat.app.appId },
      })
      return { status, retryAfterSeconds: Number(headers['retry-after']) }
    },
    openings: () =>
      events.filter((event) => event.type === 'breaker' && event.state === 'open').length,
    codesSpent: () => wechat.calls.filter(({ errcode }) => errcode === 0).length,
    notSent: () =>
      events.filter((event) => event.type === 'wechat' && event.outcome === 'no_place').length,
  }
}

/** The logins that are served in each second, of so many that come evenly and are each tried once. */
async function servedEachSecond(
  { login }: ReturnType<typeof setUpSlow>,
  perSecond: number,
  seconds: number,
): Promise<number[]> {
  const served = Array.from({ length: seconds + 10 }, () => 0)
  const startedMs = now()
  const one = async (atMs: number) => {
    await sleep(atMs)
    const { status } = await login()
    const second = Math.floor((now() - startedMs) / 1000)
    if (status === 200) served[second] = (served[second] ?? 0) + 1
  }
  const all = Array.from({ length: perSecond * seconds }, (_, n) => one((n * 1000) / perSecond))
  await run(Promise.all(all))
  // In the first second the places fill, and after the last one the logins run out.
  return served.slice(1, seconds)
}

test('400 logins a second, each answered after half a second, are all served', async () => {
  const backend = setUpSlow()

  const served = await servedEachSecond(backend, 400, 6)

  console.log(`400 logins a second: ${served.join(' ')} served; ${backend.openings()} openings`)
  expect(Math.min(...served)).toBeGreaterThan(380)
  expect(backend.openings()).toBe(0)
})

describe('beyond the ceiling as many are served as there are places for', () => {
  test.each([1, 2, 4])('%d ×', async (factor) => {
    const places = 32
    const ceiling = (places * 1000) / latencyMs
    const backend = setUpSlow(places)

    const served = await servedEachSecond(backend, ceiling * factor, 6)

    console.log(
      `${factor} × the ceiling of ${ceiling} a second: ${served.join(' ')} served; ${backend.notSent()} not sent, ${backend.openings()} openings`,
    )
    expect(Math.min(...served)).toBeGreaterThanOrEqual(ceiling * 0.8)
    expect(backend.openings()).toBe(0)
  })
})

test('3,000 phones that are opened within 2 seconds are soon in, and no code is burnt', async () => {
  const phones = 3000
  const backend = setUpSlow()
  const { login, openings, codesSpent } = backend
  const startedMs = now()
  const doneMs: number[] = []
  let attempts = 0
  const phone = async (n: number) => {
    await sleep((n * 2000) / phones)
    for (;;) {
      attempts += 1
      const { status, retryAfterSeconds } = await login()
      if (status === 200) break
      await sleep(retryAfterSeconds * 1000)
    }
    doneMs.push(now() - startedMs)
  }

  await run(Promise.all(Array.from({ length: phones }, (_, n) => phone(n))))

  const after = (share: number) => (doneMs[Math.ceil(phones * share) - 1] ?? Number.NaN) / 1000
  const burnt = codesSpent() - phones
  console.log(
    `${phones} phones: 99 % in after ${after(0.99)} s, all after ${after(1)} s; ${attempts} attempts, ${burnt} codes burnt, ${openings()} openings`,
  )
  expect(after(1)).toBeLessThan(10)
  expect(attempts).toBeLessThan(2 * phones)
  expect([burnt, openings()]).toEqual([0, 0])
})
