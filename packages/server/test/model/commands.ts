import fc, { type AsyncCommand } from 'fast-check'
import type { Phone } from './phone.js'
import type { Thief } from './thief.js'
import type { Fate, World } from './world.js'

/** What decides about which commands make sense. */
export interface Plan {
  backup: 'none' | 'taken' | 'restored'
}

type Instance = 'left' | 'right'

interface WorldWithThief extends World {
  thief?: Thief
}

type PlannedCommand = AsyncCommand<Plan, WorldWithThief>

function command(
  text: string,
  run: (world: WorldWithThief) => unknown,
  { check = () => true, plan }: { check?: (plan: Plan) => boolean; plan?: Partial<Plan> } = {},
): PlannedCommand {
  return {
    check: (model) => check(model),
    async run(model, world) {
      Object.assign(model, plan)
      await run(world)
    },
    toString: () => text,
  }
}

/** Starts an operation of the app and goes on: its end comes whenever the scheduler lets it. */
const starting = (text: string, start: (phone: Phone) => unknown, isSigningOut = false) =>
  fc.constantFrom<Instance>('left', 'right').map((instance) =>
    command(`${instance}: ${text}`, (world) => {
      if (isSigningOut) world.permitSignOut()
      start(world[instance])
    }),
  )

const request = starting('request', (phone) => phone.request())

const wait = fc
  .constantFrom(1, 6, 25, 850, 1000)
  .map((seconds) => command(`wait ${seconds} s`, (world) => world.pass(seconds)))

// Longer than an answer may be asked for again.
const longWait = fc.constant(command('wait 8 days', (world) => world.pass(8 * 24 * 3600)))

const misfortune = fc
  .constantFrom<Fate>('lost request', 'lost reply', 'no answer', 'late duplicate')
  .map((fate) => command(`next message: ${fate}`, (world) => world.setFate(fate)))

const crash = starting('crash', (phone) => phone.restart())

const logout = fc
  .boolean()
  .chain((everywhere) =>
    starting(
      everywhere ? 'logout everywhere' : 'logout',
      (phone) => phone.logout(everywhere),
      true,
    ),
  )

const revoke = fc.constant(
  command('server: revoke', (world) => {
    world.permitSignOut()
    return world.backend.revoke('alice')
  }),
)

const failingStore = fc
  .constantFrom<'before' | 'after'>('before', 'after')
  .map((when) => command(`store: fails ${when} it wrote`, (world) => world.failStore(when)))

const failingWrite = starting('next write to storage fails', (phone) => phone.failNextWrite())

const backup = fc.constant(
  command('store: backup', (world) => world.backend.takeBackup(), {
    check: (plan) => plan.backup === 'none',
    plan: { backup: 'taken' },
  }),
)

const restore = fc.constant(
  command('store: back to the backup', (world) => world.backend.restoreBackup(), {
    check: (plan) => plan.backup === 'taken',
    plan: { backup: 'restored' },
  }),
)

const crimes = [
  fc.constant(command('thief: steals', ({ thief }) => thief?.steal())),
  fc.constant(command('thief: refreshes', ({ thief }) => thief?.refresh())),
  // Without waiting: the answer may be a while in coming.
  fc.constant(command('thief: request', ({ thief }) => void thief?.request())),
]

// More than once is more often.
const daily = [request, request, request, wait, wait, misfortune, misfortune, crash]
const moves = [
  longWait,
  starting('login', (phone) => phone.login()),
  starting('forced login', (phone) => phone.login(true)),
  starting('comes to the front', (phone) => phone.wake()),
]
const ends = [logout, revoke]
const disasters = [failingStore, failingWrite, backup, backup, restore, restore]

const lengthOf = { maxCommands: 20, size: 'max' } as const

/** A user whom nobody attacks, and nobody signs out: bad networks, crashes, failing storage, a store that loses writes. */
export const honestDays = () => fc.commands([...daily, ...moves, ...disasters], lengthOf)

/** The same, and the user logs out, or is kicked. */
export const daysThatEnd = () => fc.commands([...daily, ...moves, ...ends, ...disasters], lengthOf)

/**
 * A thief comes. What no protocol can help is left out: a phone that forgot its session (a failed write, then a crash),
 * and a store that brings back sessions which the phone has left.
 */
export const daysWithThief = () => fc.commands([...daily, ...moves, ...crimes, ...crimes], lengthOf)
