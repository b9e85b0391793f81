import { AsyncLocalStorage } from 'node:async_hooks'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type Auth,
  createAuth,
  createMemoryStore,
  type SessionRecord,
  type SessionStore,
  type TokenAnswer,
} from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'
import { failureOf } from './races.js'
import { takeOverTime } from './runs.js'

vi.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }))

beforeAll(takeOverTime)
afterAll(() => void vi.useRealTimers())

const realSetImmediate = setImmediate
const nowMs = 1_800_000_000_000
const [key, otherKey] = ['first', 'second'].map((name) => name.padEnd(22, '-')) as [string, string]

type MemoryStore = ReturnType<typeof createMemoryStore>
type Verb = 'create' | 'get' | 'replace' | 'delete' | 'list' | 'put' | 'peek' | 'take'

/** What happens to a call of the store, by whom it is made. A broken variant of the product is written as one of these. */
type Around = (
  call: { readonly verb: Verb; readonly args: readonly unknown[]; readonly actor: string },
  memory: MemoryStore,
  world: World,
) => Promise<unknown> | undefined

/** One run: a device has asked, and a phone is signed in. */
interface World {
  readonly memory: MemoryStore
  readonly phone: { readonly id: string; readonly tokens: TokenAnswer }
  readonly scene: string
  readonly deviceCode: string
  /** What each actor saw of the store so far: with the store itself, all that decides what comes next. */
  readonly seen: Map<string, string[]>
  readonly outcomes: Map<string, string>
  /** The refresh tokens that polls were answered with. */
  readonly answered: string[]
  created: number
  /** Who was done when the session was made. */
  doneBefore: readonly string[]
}

type Act = (world: World) => Promise<string>

interface Scenario {
  /** Done before the gate closes. */
  readonly before?: readonly Act[]
  readonly actors: Readonly<Record<string, Act>>
  /** An actor whose process may die at any moment. */
  readonly crashes?: string
  /** Throws when what was seen contradicts the rules. `later` is the outcome of a poll after all is over. */
  readonly rules: (world: World, later: string, devices: readonly SessionRecord[]) => void
}

const wechat = createFakeWeChat({ now: () => nowMs })
const actorOf = new AsyncLocalStorage<string>()
let current: World | undefined
let around: Around = () => undefined
let waiting: { readonly actor: string; proceed(): void }[] = []

function worldNow(): World {
  if (!current) throw new Error('no run is under way')
  return current
}

/** Every call waits until it is chosen, and then happens at once. */
async function call(verb: Verb, args: readonly unknown[]): Promise<unknown> {
  const actor = actorOf.getStore()
  const world = worldNow()
  if (actor !== undefined) {
    await new Promise<void>((proceed) => waiting.push({ actor, proceed }))
  }
  const direct = world.memory[verb] as (...args: readonly unknown[]) => Promise<unknown>
  const given = actor === undefined ? undefined : around({ verb, args, actor }, world.memory, world)
  const result = await (given ?? direct(...args))
  if (verb === 'create' && result !== false && (args[0] as SessionRecord).method === 'device') {
    world.created++
    world.doneBefore = [...world.outcomes.keys()]
  }
  if (actor !== undefined) world.seen.get(actor)?.push(`${verb} ${shortly(result, world)}`)
  return result
}

const verb =
  (name: Verb) =>
  (...args: readonly unknown[]) =>
    call(name, args)
const store = Object.fromEntries(
  (['create', 'get', 'replace', 'delete', 'list', 'put', 'peek', 'take'] as const).map((name) => [
    name,
    verb(name),
  ]),
) as unknown as SessionStore

/** Three processes, so that the pace of polls is not what decides. */
const [left, right, third] = [0, 1, 2].map(() =>
  createAuth({
    apps: [wechat.app],
    secret: testSecret,
    fetch: wechat.fetch,
    store,
    claims: () => ({}),
    deviceGrant: { maxOpen: 10_000_000 },
    now: () => nowMs,
    storeTimeoutMs: 60_000,
    onEvent: () => undefined,
  }),
) as [Auth, Auth, Auth]

/** What matters of a result, without what differs from run to run. */
function shortly(value: unknown, world: World): string {
  const name = (id: string) => (id === world.phone.id ? 'phone' : 'device')
  const record = ({ id, version, revokedReason, expiresAt }: SessionRecord) =>
    `${name(id)} ${version} ${revokedReason ?? ''} ${expiresAt}`
  if (Array.isArray(value)) return value.map(record).sort().join(', ')
  if (typeof value === 'object' && value !== null) return record(value as SessionRecord)
  return String(value).replaceAll(world.phone.id, 'phone').replaceAll(world.scene, 'scene')
}

async function stateOf(world: World, undone: readonly string[]): Promise<string> {
  const records = await world.memory.list('user')
  const kept = [
    await world.memory.peek(`asked.${world.scene}`),
    await world.memory.peek(`decided.${world.scene}`),
  ]
  const seen = [...world.seen].map(([actor, calls]) => `${actor}: ${calls.join('; ')}`)
  return JSON.stringify([
    shortly(records, world),
    kept.map((one) => shortly(one, world)),
    seen,
    undone,
  ])
}

async function begin({ before = [] }: Scenario): Promise<World> {
  const memory = createMemoryStore({ now: () => nowMs })
  const empty = { memory, phone: { id: '', tokens: {} as TokenAnswer }, scene: '', deviceCode: '' }
  const blank = {
    ...empty,
    seen: new Map(),
    outcomes: new Map(),
    answered: [],
    created: 0,
    doneBefore: [],
  }
  current = blank
  const tokens = await left.sessions.create({ account: { openid: 'alice' }, userId: 'user' })
  const { id } = await left.authenticate(`Bearer ${tokens.access_token}`)
  const { scene, device_code: deviceCode } = await left.device.start()
  const world: World = { ...blank, phone: { id, tokens }, scene, deviceCode }
  current = world
  for (const act of before) await act(world)
  return world
}

const poll =
  (auth: Auth, idempotencyKey = key): Act =>
  async (world) => {
    try {
      const { refresh_token } = await auth.device.poll({
        deviceCode: world.deviceCode,
        idempotencyKey,
      })
      world.answered.push(refresh_token)
      return 'tokens'
    } catch (error) {
      return failureOf(error)
    }
  }

const decide =
  (auth: Auth, approve: boolean): Act =>
  async ({ phone, scene }) => {
    try {
      const session = await auth.authenticate(`Bearer ${phone.tokens.access_token}`)
      await auth.device.decide({ session, scene, approve })
      return 'done'
    } catch (error) {
      return failureOf(error)
    }
  }

const revoke: Act = async () => String(await right.sessions.revoke({ userId: 'user' }))
const forget: Act = async () => String(await right.sessions.forget('user'))
const logout =
  (everywhere: boolean): Act =>
  async ({ phone }) => {
    await left.logout({ refreshToken: phone.tokens.refresh_token, everywhere })
    return 'done'
  }

/** The device is let in, and its user signs out of it. */
const pollAndLeave: Act = async (world) => {
  const outcome = await poll(left)(world)
  const [refreshToken] = world.answered
  if (outcome === 'tokens' && refreshToken) await left.logout({ refreshToken, idempotencyKey: key })
  return outcome
}

interface Explored {
  readonly states: number
  readonly runs: number
  readonly ends: Map<string, number>
}

/**
 * Goes every way in which the calls of the actors may follow each other, once from each state: what an actor does next
 * depends on nothing but what it has seen of the store.
 */
async function explore(scenario: Scenario): Promise<Explored> {
  const visited = new Set<string>()
  const ends = new Map<string, number>()
  const todo: (readonly string[])[] = [[]]
  let runs = 0

  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    runs++
    const world = await begin(scenario)
    const names = Object.keys(scenario.actors)
    const dead = new Set<string>()
    waiting = []
    for (const [name, act] of Object.entries(scenario.actors)) {
      world.seen.set(name, [])
      void actorOf.run(name, async () => {
        world.outcomes.set(name, await act(world))
      })
    }
    const settled = (name: string) =>
      dead.has(name) || world.outcomes.has(name) || waiting.some(({ actor }) => actor === name)
    const settle = async () => {
      for (let turns = 0; turns < 1000 && (turns === 0 || !names.every(settled)); turns++) {
        await new Promise((wake) => realSetImmediate(wake))
      }
      expect(names.every(settled)).toBe(true)
    }
    const take = async (choice: string) => {
      const crash = choice.startsWith('crash ')
      const name = choice.replace('crash ', '')
      const [one] = waiting.filter(({ actor }) => actor === name)
      waiting = waiting.filter((other) => other !== one)
      if (crash) dead.add(name)
      else one?.proceed()
      await settle()
    }

    await settle()
    for (const choice of path) await take(choice)
    const way = [...path]
    for (;;) {
      const state = await stateOf(world, [...dead])
      if (visited.has(state)) break
      visited.add(state)
      const open = [...new Set(waiting.map(({ actor }) => actor))].sort()
      const { crashes = '' } = scenario
      const choices = [...open, ...(open.includes(crashes) ? [`crash ${crashes}`] : [])]
      const [first, ...others] = choices
      if (first === undefined) {
        const later = await poll(third)(world)
        const devices = (await world.memory.list('user')).filter(
          ({ method }) => method === 'device',
        )
        const end = `${names.map((name) => `${name}: ${world.outcomes.get(name) ?? 'crashed'}`).join(', ')}, later: ${later}`
        ends.set(end, (ends.get(end) ?? 0) + 1)
        try {
          scenario.rules(world, later, devices)
        } catch (error) {
          throw new Error(`after ${way.join(' → ')}: ${end}`, { cause: error })
        }
        break
      }
      for (const other of others) todo.push([...way, other])
      way.push(first)
      await take(first)
    }
  }
  current = undefined
  return { states: visited.size, runs, ends }
}

const live = (records: readonly SessionRecord[]) =>
  records.filter(({ revokedAt }) => revokedAt === undefined)

/** What holds in all of them. */
function always({ created, answered, phone, seen }: World): void {
  expect(created, 'sessions that the code has made').toBeLessThanOrEqual(1)
  expect(new Set(answered).size, 'different answers').toBeLessThanOrEqual(1)
  expect(answered).not.toContain(phone.tokens.refresh_token)
  expect(seen.size).toBeGreaterThan(0)
}

const ended = (world: World, later: string, devices: readonly SessionRecord[]) => {
  always(world)
  expect(live(devices), 'devices that live on').toEqual([])
  expect(later).not.toBe('tokens')
}

const approved = decide(left, true)

const scenarios: Readonly<Record<string, Scenario>> = {
  'a decision and two polls': {
    actors: { phone: approved, one: poll(left), two: poll(right) },
    rules(world, later, devices) {
      always(world)
      expect(world.outcomes.get('phone')).toBe('done')
      expect(later).toBe('tokens')
      expect(live(devices)).toHaveLength(1)
    },
  },
  'two polls of an approved device': {
    before: [approved],
    actors: { one: poll(left), two: poll(right) },
    rules(world, later, devices) {
      always(world)
      expect([...world.outcomes.values()]).toContain('tokens')
      expect(later).toBe('tokens')
      expect(live(devices)).toHaveLength(1)
    },
  },
  'two polls and a revocation': {
    before: [approved],
    actors: { one: poll(left), two: poll(right), revoke },
    rules: ended,
  },
  'two polls and a logout everywhere': {
    before: [approved],
    actors: { one: poll(left), two: poll(right), everywhere: logout(true) },
    rules: ended,
  },
  'two polls, and the user is forgotten': {
    before: [approved],
    actors: { one: poll(left), two: poll(right), forget },
    rules: ended,
  },
  'a decision, a poll and a revocation': {
    actors: { phone: approved, one: poll(left), revoke },
    rules: ended,
  },
  'a decision, a poll and a logout everywhere': {
    actors: { phone: approved, one: poll(right), everywhere: logout(true) },
    rules: ended,
  },
  'two polls and a logout of the phone': {
    before: [approved],
    actors: { one: poll(left), two: poll(right), out: logout(false) },
    rules(world, _later, devices) {
      always(world)
      // Who was let in stays; who was not stays out, and nobody is let in by a phone that is.
      const isIn = world.answered.length > 0
      expect(isIn && world.doneBefore.includes('out')).toBe(false)
      expect(live(devices)).toHaveLength(isIn ? 1 : 0)
    },
  },
  'an approval, a refusal and a poll': {
    actors: { yes: decide(left, true), no: decide(right, false), one: poll(left) },
    rules(world, later, devices) {
      always(world)
      const [yes, no] = [world.outcomes.get('yes'), world.outcomes.get('no')]
      expect([yes, no].filter((outcome) => outcome === 'done')).toHaveLength(1)
      expect(later).toBe(yes === 'done' ? 'tokens' : 'declined')
      expect(live(devices)).toHaveLength(yes === 'done' ? 1 : 0)
      if (world.outcomes.get('one') === 'declined') expect(no).toBe('done')
    },
  },
  'a poll with another key': {
    before: [approved],
    actors: { one: poll(left), thief: poll(right, otherKey) },
    rules(world, later, devices) {
      always(world)
      // Whoever is in, is in alone; when two came for it, nobody is.
      expect(world.answered.length - (later === 'tokens' ? 1 : 0)).toBeLessThanOrEqual(1)
      const thiefIsIn = world.outcomes.get('thief') === 'tokens'
      if (thiefIsIn) expect(live(devices)).toEqual([])
    },
  },
  'a device that leaves, and its code again': {
    before: [approved],
    actors: { one: pollAndLeave, two: poll(right) },
    rules(world, later, devices) {
      always(world)
      if (world.outcomes.get('one') !== 'tokens') return
      expect(later).not.toBe('tokens')
      expect(live(devices)).toEqual([])
    },
  },
  'a poll whose process dies, and another': {
    before: [approved],
    actors: { one: poll(left), two: poll(right) },
    crashes: 'one',
    rules(world, later, devices) {
      always(world)
      // A crash between take and create costs a new scan, and nothing else.
      expect(['tokens', 'authorization_pending']).toContain(later)
      expect(live(devices)).toHaveLength(later === 'tokens' ? 1 : 0)
    },
  },
  'a poll whose process dies, another, and a revocation': {
    before: [approved],
    actors: { one: poll(left), two: poll(right), revoke },
    crashes: 'one',
    rules(world, later, devices) {
      always(world)
      expect(later).not.toBe('tokens')
      // What a process leaves that dies before it has answered, nobody holds.
      if (world.answered.length > 0 || world.outcomes.has('one')) expect(live(devices)).toEqual([])
    },
  },
}

describe('every way in which they may meet', () => {
  test.each(Object.entries(scenarios))('%s', async (_name, scenario) => {
    around = () => undefined

    const { states, ends } = await explore(scenario)

    expect(states).toBeGreaterThan(20)
    expect(ends.size).toBeGreaterThan(0)
  })
})

/** What a broken product would do, and the first scenario that shows it. */
const broken: Readonly<Record<string, [scenario: string, Around]>> = {
  'what is taken stays': [
    'a device that leaves, and its code again',
    ({ verb, args }, memory) => (verb === 'take' ? memory.peek(String(args[0])) : undefined),
  ],
  'a decision is overwritten': [
    'an approval, a refusal and a poll',
    ({ verb, args }, memory) => {
      if (verb !== 'put') return undefined
      const [id, value, end] = args as [string, string, number]
      return memory.take(id).then(() => memory.put(id, value, end))
    },
  ],
  'the approving session is not read again': [
    'two polls and a revocation',
    ({ verb, args, actor }, memory, world) => {
      if (verb !== 'get' || args[0] !== world.phone.id || !/one|two/.test(actor)) return undefined
      return memory.get(world.phone.id).then((record) => ({
        ...record,
        openid: 'alice',
        revokedAt: undefined,
        revokedReason: undefined,
      }))
    },
  ],
  'the approving session is not read again, and the phone is logged out': [
    'two polls and a logout of the phone',
    ({ verb, args, actor }, memory, world) => {
      if (verb !== 'get' || args[0] !== world.phone.id || !/one|two/.test(actor)) return undefined
      // As it was read when the decision was taken.
      const earlier = world.seen.get(actor)?.some((call) => call.startsWith('get phone'))
      return earlier
        ? memory.list('user').then(() => ({ ...phoneRecord, id: world.phone.id }))
        : undefined
    },
  ],
  'a poll that comes again does not hold what it is given': [
    'two polls and a logout of the phone',
    ({ verb, args, actor }) => {
      const [record] = args as [SessionRecord]
      const isHold = verb === 'replace' && actor === 'two' && record.revokedAt === undefined
      return isHold ? Promise.resolve(true) : undefined
    },
  ],
  'a revocation looks at the list once': [
    'two polls and a revocation',
    ({ verb, actor }, _memory, world) => {
      if (verb !== 'list' || actor !== 'revoke') return undefined
      const again = world.seen.get(actor)?.some((call) => call.startsWith('list'))
      return again ? Promise.resolve([]) : undefined
    },
  ],
  'a logout everywhere looks at the list once': [
    'two polls and a logout everywhere',
    ({ verb, actor }, _memory, world) => {
      if (verb !== 'list' || actor !== 'everywhere') return undefined
      const again = world.seen.get(actor)?.some((call) => call.startsWith('list'))
      return again ? Promise.resolve([]) : undefined
    },
  ],
  'a session is made over another one': [
    'two polls of an approved device',
    ({ verb, args, actor }, memory) => {
      if (!/one|two/.test(actor)) return undefined
      if (verb === 'take') return memory.peek(String(args[0]))
      if (verb !== 'create') return undefined
      const [record] = args as [SessionRecord]
      return memory.delete(record.id).then(() => memory.create(record))
    },
  ],
}

const phoneRecord = {
  v: 1,
  version: 1,
  method: 'app',
  userId: 'user',
  appId: wechat.app.appId,
  openid: 'alice',
  generation: 0,
  idempotencyKeyHash: '',
  createdAt: nowMs / 1000,
  authenticatedAt: nowMs / 1000,
  lastRefreshAt: nowMs / 1000,
  endsAt: nowMs / 1000 + 1000,
  expiresAt: nowMs / 1000 + 1000,
} as const

describe('a broken variant is caught', () => {
  test.each(Object.entries(broken))('%s', async (_name, [name, variant]) => {
    around = variant
    const scenario = scenarios[name]
    if (!scenario) throw new Error(`there is no scenario ${name}`)

    await expect(explore(scenario)).rejects.toThrow(/^after /)

    around = () => undefined
  })
})
