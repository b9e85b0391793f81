import type { FakeNetworkRequest, FakeNetworkResponse, FakeRuntime } from '@wxlogin/client/testing'
import type { Scheduler } from 'fast-check'
import { vi } from 'vitest'
import { createBackend } from './backend.js'
import { createPhone, type Phone } from './phone.js'
import type { Server } from './server.js'
import type { StorageVerb } from './storage-watch.js'

/** What becomes of the next request that leaves the phone. */
export type Fate =
  | 'lost request'
  | 'lost reply'
  | 'no answer'
  | 'late duplicate'
  | 'overloaded'
  | 'captive portal'
  | 'token refused'

export type World = ReturnType<typeof createWorld>

// A message that did not arrive by then never will: connections are closed, and proxies give up.
const messageLifeMs = 10_000

const yearMs = 365 * 24 * 3600 * 1000

const realSetImmediate = setImmediate

/** One server, one phone on which one or two instances of the mini program share a storage, and the network between. */
export function createWorld({
  scheduler,
  instances,
  second,
  server,
  stored,
  count,
}: {
  scheduler: Scheduler
  instances: 1 | 2
  /** Where the second instance runs. */
  second: FakeRuntime
  server: Server
  /** What is in alice's storage. */
  stored: Iterable<[string, string]>
  count: (what: string) => void
}) {
  const { now, wechat } = server
  const backend = createBackend({ server, count })
  const fates: Fate[] = []
  const areas = new Map([['alice', new Map(stored)]])
  let aheadMs = 0
  let jumps = 0
  const permitted = new Set<string>()
  let isCalm = false
  let isOver = false
  let isSignedOut = false
  let mayForget = false
  // What another instance does comes to light when storage is read.
  let signOuts = instances === 2 ? Number.POSITIVE_INFINITY : 0

  const pause = (what: string): Promise<unknown> =>
    isCalm ? Promise.resolve() : scheduler.schedule(Promise.resolve(), what)

  /** Each way of a message takes a step of its own, so that anything may happen before it arrives. */
  function networkOf(name: string) {
    return async (request: FakeNetworkRequest): Promise<FakeNetworkResponse> => {
      const fate = isCalm ? undefined : fates.shift()
      const path = request.url.replace(/^https:..[^/]+/, '')
      const sentMs = now()
      const jumpsBefore = jumps
      async function deliver(how: string): Promise<FakeNetworkResponse> {
        await pause(`${name} → ${path}${how}`)
        if (now() - sentMs > messageLifeMs) throw new Error('it took too long')
        if (jumps > jumpsBefore) throw new Error('it was cut off')
        return backend.serve(request)
      }
      if (fate) count(`message: ${fate}`)
      if (fate === 'lost request') throw new Error('the connection broke')
      if (fate === 'captive portal') return captivePortal
      if (fate === 'token refused' && !path.startsWith('/wx/')) return tokenRefused
      if (fate === 'late duplicate') deliver(' (duplicate)').catch(() => undefined)
      const response = fate === 'overloaded' ? overloaded : await deliver('')
      if (fate === 'no answer') return new Promise(() => undefined)
      await pause(`${name} ← ${path} ${response.statusCode}`)
      if (fate === 'lost reply') throw new Error('the connection broke')
      return response
    }
  }

  function areaOf(person: string): Map<string, string> {
    const area = areas.get(person) ?? new Map<string, string>()
    areas.set(person, area)
    return area
  }

  const phoneNamed = (name: string, runtime: FakeRuntime): Phone =>
    createPhone({
      name,
      runtime,
      backend,
      wechat,
      network: networkOf(name),
      pause,
      areaOf,
      now,
      count,
      mayFailWith: (code) => permitted.has(code),
      isSignedOut: () => isSignedOut,
      signOuts: () => signOuts,
    })

  const left = phoneNamed('left', 'miniprogram')
  const right = instances === 2 ? phoneNamed('right', second) : left
  const phones = new Set([left, right])

  /** Lets everything run that waits neither for the clock nor for the scheduler. */
  async function settle(): Promise<void> {
    for (let turns = 0; turns === 0 || backend.isBusy(); turns++) {
      await new Promise(realSetImmediate)
      if (turns > 1_000_000) throw new Error('the server does not come to rest')
    }
    await new Promise(realSetImmediate)
  }

  /** Lets time pass, with the timers in between. */
  async function pass(seconds: number): Promise<void> {
    const endMs = now() + seconds * 1000
    while (now() < endMs && !isOver) {
      const stepMs = vi.getTimerCount() === 0 ? endMs - now() : 2_500
      vi.advanceTimersByTime(Math.min(stepMs, endMs - now()))
      await settle()
    }
  }

  function inspect(): void {
    for (const phone of phones) {
      const [overdue] = phone.overdue()
      if (overdue) backend.violate(`${overdue} is over its deadline`)
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
    inspect()
    return operation
  }

  return {
    server,
    backend,
    areaOf,
    left,
    right,
    settle,
    pass,
    finish,
    inspect,

    /** A failure may leave time passing here, which must not be the time of the next world. */
    end(): void {
      isOver = true
    },

    setFates: (next: readonly Fate[]) => void fates.push(...next),

    /** Operations may fail in this way, too, from now on. */
    permit(...codes: string[]): void {
      for (const code of codes) permitted.add(code)
    },

    /**
     * That a token was made seconds ago, so that copies of the request which made it may be under way, is told by the
     * clock. So what has not arrived by now never will, and two instances are in the background for as long as a
     * renewal takes, as they are when somebody sets the clock by hand.
     */
    async jumpClock(years: number): Promise<void> {
      if (instances === 2) {
        for (const phone of phones) phone.hide()
        await pass(30)
      }
      jumps++
      aheadMs += years * yearMs
      server.setAhead(aheadMs)
      vi.setSystemTime(Date.now() + years * yearMs)
      if (instances === 2) for (const phone of phones) phone.show()
    },

    /** Who cannot read goes on with what was read before, and then must be alone. */
    failStorage(phone: Phone, verb: StorageVerb, times: number): void {
      if (verb === 'get') {
        if (instances === 2) return
        mayForget = true
        isSignedOut = false
        // An old sign-out comes to light when storage can be read again.
        signOuts = Number.POSITIVE_INFINITY
      }
      phone.failStorage(verb, times)
    },

    switchUser(person: string): void {
      isSignedOut = false
      for (const phone of phones) phone.switchUser(person)
    },

    /**
     * It holds if it can be written down. An instance that is just logging in, because the user was signed out, may
     * find storage as it was when it began, and then cannot know that the user logged in and out meanwhile.
     */
    logout(phone: Phone, everywhere: boolean): void {
      const [failedWrites, lives] = [phone.failedWrites(), phone.lives()]
      permitted.add('signed_out')
      // What ends the other sessions is the newest token of one that lives, which there may not be.
      if (everywhere) permitted.add('invalid_grant')
      signOuts++
      void phone.logout(everywhere)
      const isStored = phone.failedWrites() === failedWrites && phone.lives() === lives
      const isKnown = [...phones].every((other) => other === phone || !other.isLoggingIn())
      isSignedOut ||= isStored && isKnown && !mayForget
    },

    /** A number leads to another user; whether it can is seen by the server, and by whoever was there first. */
    bindPhone(phone: Phone): void {
      permitted.add('user_changed')
      for (const code of ['invalid_code', 'http']) permitted.add(code)
      void phone.bindPhone(server.phoneCodeFor('alice'))
    },

    /** Sessions that live although no phone holds them, and one of them could have ended them. */
    async leftBehind(): Promise<readonly string[]> {
      for (const phone of phones) phone.show()
      await settle()
      await pass(30)
      const held = new Set([...phones].map((phone) => phone.heldSession()))
      const living = await server.livingSessions()
      return living.filter((id) => backend.learned.has(id) && !held.has(id))
    },

    async revoke(): Promise<void> {
      permitted.add('signed_out')
      signOuts = Number.POSITIVE_INFINITY
      await server.auth.sessions.revoke({ userId: 'alice' })
    },

    login(phone: Phone, options?: { force?: boolean; input?: string }): void {
      isSignedOut = false
      void phone.login(options)
    },

    isSignedOut: () => isSignedOut,

    logins: () => [...phones].reduce((sum, phone) => sum + phone.logins(), 0),

    /** Everything that is on its way arrives or dies, and nothing fails any more. */
    async calmDown(): Promise<void> {
      isCalm = true
      fates.length = 0
      for (const phone of phones) phone.heal()
      await scheduler.waitAll()
      await pass(150)
      const stuck = [...phones].flatMap((phone) => phone.underWay())
      if (stuck.length > 0) throw new Error(`${stuck.join(', ')} never ended`)
      inspect()
    },
  }
}

const overloaded: FakeNetworkResponse = {
  statusCode: 503,
  header: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ error: 'store_unavailable', error_description: 'try again' }),
}

const captivePortal: FakeNetworkResponse = {
  statusCode: 200,
  header: { 'Content-Type': 'text/html' },
  body: '<!doctype html><title>Welcome to our airport</title>',
}

/** By one of several backends, whose clock is wrong. */
const tokenRefused: FakeNetworkResponse = {
  statusCode: 401,
  header: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  body: '',
}
