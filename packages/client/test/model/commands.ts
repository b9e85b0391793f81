import fc, { type AsyncCommand } from 'fast-check'
import type { Phone } from './phone.js'
import { people } from './server.js'
import type { PowerCut, StorageVerb } from './storage-watch.js'
import type { Mishap } from './tampering.js'
import type { Fate, World } from './world.js'

type Model = Record<never, never>

type WorldCommand = AsyncCommand<Model, World>

function command(text: string, run: (world: World) => unknown): WorldCommand {
  return {
    check: () => true,
    async run(_, world) {
      await run(world)
    },
    toString: () => text,
  }
}

/** Starts an operation of the app and goes on: its end comes whenever the scheduler lets it. */
const on = (text: string, run: (phone: Phone, world: World) => unknown) =>
  fc
    .constantFrom<'left' | 'right'>('left', 'right')
    .map((instance) => command(`${instance}: ${text}`, (world) => void run(world[instance], world)))

const request = on('request', (phone) => phone.request())

const payment = on('payment', (phone) => phone.request('/pay'))

const abortedRequest = on('request, aborted', (phone) => phone.abort())

const ready = on('ready', (phone) => phone.ready())

const wait = fc
  .constantFrom(1, 6, 25, 850, 1000)
  .map((seconds) => command(`wait ${seconds} s`, (world) => world.pass(seconds)))

const fate = fc.constantFrom<Fate>(
  'lost request',
  'lost reply',
  'no answer',
  'late duplicate',
  'overloaded',
  'captive portal',
  'token refused',
)

/** One message that goes wrong, or two in a row. */
const message = fc
  .array(fate, { minLength: 1, maxLength: 2, size: 'max' })
  .map((fates) =>
    command(`next message: ${fates.join(', then ')}`, (world) => world.setFates(fates)),
  )

const callback = fc
  .constantFrom<Mishap>('twice', 'again later', 'late', 'never')
  .chain((mishap) => on(`next callback: ${mishap}`, (phone) => phone.tamper(mishap)))

const crash = on('crash', (phone) => phone.restart())

const powerCut = fc
  .record<PowerCut>({
    operations: fc.nat(8),
    when: fc.constantFrom<PowerCut['when']>('before', 'after'),
  })
  .chain((cut) =>
    on(`power cut ${cut.when} storage operation ${cut.operations}`, (phone) => phone.cutPower(cut)),
  )

const background = fc
  .constantFrom<'hide' | 'show'>('hide', 'show')
  .chain((where) => on(where, (phone) => phone[where]()))

const clockJump = fc
  .constantFrom(-10, 10)
  .map((years) => command(`the clock jumps ${years} years`, (world) => world.jumpClock(years)))

const failingStorage = fc
  .record({
    verb: fc.constantFrom<StorageVerb>('set', 'set', 'get'),
    times: fc.integer({ min: 1, max: 3 }),
  })
  .chain(({ verb, times }) =>
    on(`storage fails to ${verb} ${times} times`, (phone, world) =>
      world.failStorage(phone, verb, times),
    ),
  )

const login = on('login', (phone, world) => world.login(phone))

const forcedLogin = on('forced login', (phone, world) => world.login(phone, { force: true }))

const otherAccount = on('login as another', (phone, world) => {
  world.permit('user_changed')
  world.login(phone, { input: 'carol' })
})

const otherPerson = fc
  .constantFrom(...people)
  .map((person) => command(`the phone's user is ${person}`, (world) => world.switchUser(person)))

const renaming = fc.constantFrom(...people).map((person) =>
  command(`${person} becomes another user`, (world) => {
    world.permit('user_changed')
    world.server.rename(person)
  }),
)

const amnesia = fc.constant(
  command('the server forgets all sessions', (world) => world.server.forgetSessions()),
)

const logout = fc
  .boolean()
  .chain((everywhere) =>
    on(everywhere ? 'logout everywhere' : 'logout', (phone, world) =>
      world.logout(phone, everywhere),
    ),
  )

const offline = on('no network', (phone) => phone.offline())

const online = on('a network', (phone) => phone.online())

const phoneNumber = on('phone number', (phone, world) => world.bindPhone(phone))

const revoke = fc.constant(command('the server revokes the session', (world) => world.revoke()))

// More than once is more often.
const requests = [request, request, request, wait, wait]
const mishaps = [message, message, callback, crash, powerCut, background, background]

const daysOf = (
  commands: fc.Arbitrary<WorldCommand>[],
  usual = [...requests, ...mishaps, ready, clockJump],
) =>
  fc.commands([...usual, ...commands], {
    maxCommands: 20,
    size: 'max',
  })

/** A user who is logged in and stays so: all that a network and a phone can do, clocks included. */
export const honestDays = () => daysOf([abortedRequest])

/** The same for a user who uses what wants a new login. */
export const payingDays = () => daysOf([abortedRequest, payment, payment, payment])

/** Days on which something about the session changes. */
export const eventfulDays = {
  'users that change': () =>
    daysOf([
      login,
      forcedLogin,
      payment,
      otherAccount,
      otherAccount,
      otherPerson,
      renaming,
      amnesia,
    ]),
  'sign-outs': () => daysOf([login, forcedLogin, payment, otherAccount, logout, logout, revoke]),
  'phone numbers': () =>
    daysOf(
      [login, forcedLogin, payment, phoneNumber, phoneNumber, logout, amnesia],
      [...requests, ...mishaps, ready],
    ),
  'a storage that fails': () =>
    daysOf([failingStorage, failingStorage, failingStorage, forcedLogin, payment, logout, amnesia]),
}

/** Everything hostile that lets a phone keep what it knows, so that it can end what nobody holds. */
export const hostileDays = () =>
  daysOf(
    [
      login,
      forcedLogin,
      payment,
      otherAccount,
      logout,
      logout,
      revoke,
      phoneNumber,
      offline,
      online,
    ],
    [...requests, message, message, message, callback, background, background, ready],
  )
