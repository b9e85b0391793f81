// What a phone goes through on a bad day: outages, restarts, sign-outs, damaged storage. Ours has the real server
// behind it, which sees what is left of its sessions; each peer what its dialect says.
import { createBackend } from './backend.mjs'
import { createClock } from './clock.mjs'
import { badGateway, createLine, lostAnswer, lostRequest, slow } from './line.mjs'
import { chanceFrom, startApp } from './phone.mjs'
import { hourMs, parallel } from './scenarios.mjs'
import { createServer } from './server.mjs'

const outagePhones = 20
const hostileRounds = 200
const starts = 10
/** What somebody who taps again and again has between two taps. */
const tapMs = 250

const atMost = (limit) => (value) => value <= limit
const none = (value) => value === 0

/** Title, what ours promises, and what is measured: `{ text, value }`, or nothing where the library has no such thing. */
export const badDays = [
  {
    title: 'seconds after an outage, network told',
    promise: '≤ 0.5',
    holds: atMost(0.5),
    measure: (subject) => recoveryOf(subject, true),
  },
  {
    title: 'seconds after an outage, nothing told',
    promise: '≤ 3.5',
    holds: atMost(3.5),
    measure: (subject) => recoveryOf(subject, false),
  },
  { title: 'storage calls: cold start', promise: '≤ 4', holds: atMost(4), measure: coldCalls },
  {
    title: 'storage calls: refresh start',
    promise: '≤ 5',
    holds: atMost(5),
    measure: refreshCalls,
  },
  { title: 'storage calls: ten at once', promise: '≤ 1', holds: atMost(1), measure: callsAtOnce },
  { title: `sessions left: ${starts} starts`, promise: '0', holds: none, measure: leftByStarts },
  { title: 'sessions left: two contexts', promise: '0', holds: none, measure: leftByContexts },
  { title: 'sessions left: logout in a login', promise: '0', holds: none, measure: leftByLogout },
  {
    title: 'sessions left: logout offline',
    promise: '0',
    holds: none,
    measure: leftByOfflineLogout,
  },
  {
    title: `sessions left: ${hostileRounds} hostile days`,
    promise: '0',
    holds: none,
    measure: leftByHostileDays,
  },
  {
    title: 'logout everywhere, while renewing',
    promise: 'resolved, 0 live',
    holds: none,
    measure: (subject) => everywhere(subject, slow(1_000)),
  },
  {
    title: 'logout everywhere, renewal lost',
    promise: 'resolved, 0 live',
    holds: none,
    measure: (subject) => everywhere(subject, lostAnswer),
  },
  { title: 'damaged record, gets in again', promise: 'all', holds: none, measure: damaged },
]

const number = (value) => ({ text: Number.isNaN(value) ? 'not served' : String(value), value })

/** One server, the line to it, and phones. */
function createWorld({ code, dialect, isOurs }, seed = 1) {
  const clock = createClock()
  const random = chanceFrom(seed)
  const server = isOurs ? createServer({ clock }) : createBackend({ dialect })
  const line = createLine(server.serve)
  return {
    clock,
    random,
    server,
    line,
    start: (storage) =>
      startApp({ code, clock, random, storage, serve: line.serve, codeFor: server.codeFor }),
    /** How many of so many parallel requests are served. */
    async ask(app, { count = 1, watchedMs = 4_000 } = {}) {
      let served = 0
      for (let index = 0; index < count; index++) {
        quietly(app.request(`/orders/${index}`)).then((data) => {
          if (data?.order) served++
        })
      }
      await clock.pass(watchedMs)
      return served
    },
    /** The sessions that live at the server, and that no phone uses. */
    async left(apps, ask) {
      server.used()
      for (const app of apps) {
        if (!(await ask(app))) return Number.NaN
      }
      const held = server.used()
      return (await server.sessions()).filter((session) => !held.has(session)).length
    },
  }
}

/** Nobody waits for it to fail. */
function quietly(promise) {
  return Promise.resolve(promise).catch(() => undefined)
}

/** Half of the phones start without a network, half have a session that has grown old. */
async function recoveryOf(subject, isKnown) {
  const seconds = []
  for (let index = 0; index < outagePhones; index++) {
    const world = createWorld(subject, 1_000 + index)
    const { clock, random, server, start } = world
    const app = start()
    if (index % 2) {
      await world.ask(app, { watchedMs: hourMs })
      server.forgetSessions()
    }
    app.setOffline(true, { isKnown })
    for (const endMs = clock.now() + 180_000; clock.now() < endMs; ) {
      quietly(app.request('/orders/0'))
      await clock.pass(Math.min(500 + 3_500 * random(), endMs - clock.now()))
    }
    app.setOffline(false, { isKnown })
    seconds.push(await secondsUntilServed(app, clock))
    server.close?.()
  }
  seconds.sort((a, b) => a - b)
  const [first, median, third] = [0.25, 0.5, 0.75].map((share) => seconds[outagePhones * share])
  const shown = (value) => (value === Number.POSITIVE_INFINITY ? 'never' : value.toFixed(1))
  return {
    text: `${shown(median)} (${shown(first)}–${shown(third)})`,
    value: seconds.at(-1),
  }
}

async function secondsUntilServed(app, clock) {
  const backMs = clock.now()
  let servedMs
  while (servedMs === undefined && clock.now() - backMs < 120_000) {
    quietly(app.request('/orders/0')).then((data) => {
      if (data?.order) servedMs ??= clock.now()
    })
    await clock.pass(tapMs)
  }
  return servedMs === undefined ? Number.POSITIVE_INFINITY : (servedMs - backMs) / 1000
}

async function coldCalls(subject) {
  const { start, ask } = createWorld(subject)
  const app = start()
  await ask(app, { count: parallel })
  return number(app.storageCalls())
}

async function refreshCalls(subject) {
  const { server, start, ask } = createWorld(subject)
  const before = start()
  await ask(before, { watchedMs: hourMs })
  before.close()
  server.forgetSessions()
  const app = start(before.storage)
  await ask(app, { count: parallel })
  return number(app.storageCalls())
}

async function callsAtOnce(subject) {
  const { start, ask } = createWorld(subject)
  const app = start()
  await ask(app, { count: parallel })
  const before = app.storageCalls()
  await ask(app, { count: parallel })
  return number(app.storageCalls() - before)
}

async function leftByStarts(subject) {
  const { start, ask, left } = createWorld(subject)
  let app = start()
  for (let count = 1; count < starts; count++) {
    await ask(app, { count: parallel, watchedMs: hourMs })
    app.close()
    app = start(app.storage)
  }
  return number(await left([app], ask))
}

async function leftByContexts(subject) {
  const { clock, start, ask, left } = createWorld(subject)
  const one = start()
  const other = start(one.storage)
  for (const app of [one, other]) quietly(app.request('/orders/0'))
  await clock.pass(60_000)
  return number(await left([one, other], ask))
}

/** The user signs out while the login is under way, so nothing may live. */
async function leftByLogout(subject) {
  const { clock, server, start } = createWorld(subject)
  const app = start()
  if (!app.logout) return undefined
  quietly(app.request('/orders/0'))
  await clock.pass(30)
  quietly(app.logout())
  await clock.pass(60_000)
  return number((await server.sessions()).length)
}

/** The user signs out without a network, and the next start has one. */
async function leftByOfflineLogout(subject) {
  const { clock, server, start, ask } = createWorld(subject)
  const app = start()
  if (!app.logout) return undefined
  await ask(app)
  app.setOffline(true)
  quietly(app.logout())
  await clock.pass(60_000)
  app.close()
  start(app.storage)
  await clock.pass(60_000)
  return number((await server.sessions()).length)
}

/** Messages get lost, gateways find nobody, users sign out and in; at last all is calm, and one request is made. */
async function leftByHostileDays(subject) {
  let sum = 0
  let stuck = 0
  for (let round = 0; round < hostileRounds; round++) {
    const world = createWorld(subject, 10_000 + 7 * round)
    const { clock, random, line, server, start } = world
    const app = start()
    const oneOf = (choices) => choices[Math.floor(random() * choices.length)]
    const request = () => void quietly(app.request('/orders/0'))
    const acts = [
      request,
      request,
      request,
      () => line.plan(oneOf([lostRequest, lostAnswer, badGateway, slow(3_000)])),
      () => line.plan(oneOf([lostRequest, lostAnswer, badGateway, slow(3_000)])),
      () => void quietly(app.login?.({ force: random() < 0.5 })),
      () => void quietly(app.logout?.()),
      () => app.setOffline(random() < 0.5),
      () => app.show(),
      () => clock.pass(hourMs),
    ]
    for (let count = 0; count < 20; count++) {
      await oneOf(acts)()
      await clock.pass(1_000 * random())
    }
    line.calm()
    app.setOffline(false)
    app.show()
    await clock.pass(120_000)
    quietly(app.login?.())
    await clock.pass(30_000)
    const count = await world.left([app], world.ask)
    if (Number.isNaN(count)) stuck++
    else sum += count
    server.close?.()
  }
  return stuck ? { text: `${sum}, ${stuck} × stuck`, value: Number.NaN } : number(sum)
}

/** Two phones of one user; the first is renewing when it signs out everywhere. */
async function everywhere(subject, fate) {
  if (!subject.isOurs) return undefined
  const { clock, server, line, start, ask } = createWorld(subject)
  const [app, other] = [start(), start()]
  for (const phone of [app, other]) await ask(phone)
  await clock.pass(hourMs)
  line.plan(fate, (path) => path === '/wx/refresh')
  quietly(app.request('/orders/0'))
  await clock.pass(50)
  let outcome = 'hung'
  app.logout({ everywhere: true }).then(
    () => {
      outcome = 'resolved'
    },
    () => {
      outcome = 'rejected'
    },
  )
  await clock.pass(60_000)
  const living = (await server.sessions()).length
  return { text: `${outcome}, ${living} live`, value: outcome === 'resolved' ? living : Number.NaN }
}

/** The record of a phone that was closed an hour ago can be parsed, and one part of it is wrong. */
async function damaged(subject) {
  const kept = new Map()
  {
    const { start, ask } = createWorld(subject)
    const app = start()
    await ask(app)
    for (const [key, value] of app.storage) kept.set(key, value)
  }
  const damages = [...kept].flatMap(([key, value]) => damagesOf(value).map((made) => [key, made]))
  if (damages.length === 0) return undefined
  let isIn = 0
  for (const [key, damaged] of damages) {
    const { clock, server, start, ask } = createWorld(subject)
    const before = start()
    await ask(before, { watchedMs: hourMs })
    before.close()
    server.forgetSessions()
    before.storage.set(key, damaged(before.storage.get(key)))
    let storage = before.storage
    let served = 0
    // Restarts are what people try.
    for (let count = 0; count < 3 && !served; count++) {
      const app = start(storage)
      served = await ask(app, { watchedMs: 30_000 })
      served += await ask(app, { watchedMs: 30_000 })
      app.close()
      storage = app.storage
      await clock.pass(1_000)
    }
    if (served) isIn++
  }
  return { text: `${isIn} of ${damages.length}`, value: damages.length - isIn }
}

/** What can be wrong with a value: each makes it from the whole one. */
function damagesOf(value) {
  const wrong = ['', 5, {}]
  const members = typeof value === 'object' ? value : parsed(value)
  if (!members) return wrong.map((other) => () => other)
  const edited = (edit) => (whole) => {
    const record = typeof whole === 'object' ? structuredClone(whole) : JSON.parse(whole)
    const next = edit(record)
    return typeof whole === 'object' ? next : JSON.stringify(next)
  }
  return [
    edited(() => ({})),
    edited(() => []),
    edited(() => 5),
    ...Object.keys(members).flatMap((name) => [
      edited(({ [name]: _, ...others }) => others),
      ...wrong.map((other) => edited((record) => ({ ...record, [name]: other }))),
    ]),
  ]
}

function parsed(text) {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' ? value : undefined
  } catch {
    return undefined
  }
}
