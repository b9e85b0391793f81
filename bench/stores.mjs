// What logins, refreshes and session checks cost on every store, on servers of its own, and what the session checks of
// others cost on the same Redis. The servers are those of the tests.
//   node bench/stores.mjs refreshes   only this one of stores, refreshes and checks
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { availableParallelism, loadavg } from 'node:os'
import { pathToFileURL } from 'node:url'
import { createAuth, createMemoryStore } from '@wxlogin/server'
import { requireAuth, sessionOf } from '@wxlogin/server/express'
import { createRedisStore } from '@wxlogin/server/redis'
import { createFakeWeChat, signIn } from '@wxlogin/server/testing'
import express from 'express'
import { Agent, request } from 'undici'
import { tool } from '../.ci/tools.mjs'
import { mainThreadCpu } from './cpu.mjs'
import { measure, printTable, timed } from './measure.mjs'
import {
  createServers,
  openRedis,
  openRedisStore,
  openStore,
  provideServices,
  storePlaces,
} from './services.mjs'

const sessions = 500
const atOnce = 16
const newKey = () => randomBytes(16).toString('base64url')

console.log(
  `Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)} before`,
)

const wanted = process.argv.slice(2)
const isWanted = (name) => wanted.length === 0 || wanted.includes(name)

const servers = createServers()
try {
  const services = await provideServices(servers)
  if (isWanted('stores')) await measureStores(services)
  if (services.redis && isWanted('refreshes')) await measureRefreshes(services)
  if (services.redis && isWanted('checks')) await measureSessionChecks(services)
} finally {
  await servers.stop()
}
process.exit()

async function measureStores(services) {
  const places = storePlaces(services).filter(
    ({ name }) => !/serializable|changed rows|emoji|backslash|ioredis 5/.test(name),
  )
  const rows = { login: [], rotation: [], retry: [], check: [] }
  const memory = { store: createMemoryStore(), close: async () => undefined }
  await measureStore('memory', memory, rows)
  for (const place of places) {
    const isRedis = /redis/.test(place.kind)
    await measureStore(place.name, await (isRedis ? openRedisStore : openStore)(place), rows)
  }
  const titles = {
    login: 'Logins',
    rotation: 'Refreshes',
    retry: 'Refreshes that are sent again',
    check: 'Session checks that read',
  }
  for (const [name, title] of Object.entries(titles)) {
    printTable(
      `${title}: ${sessions} of them, ${atOnce} at a time, in this one process`,
      ['', 'a second', 'p50 ms', 'p99 ms', 'calls of the store each'],
      rows[name],
    )
  }
}

async function measureStore(name, { store, calls, close }, rows) {
  const counter = counted(store)
  // Of Redis the commands are counted, of SQL and memory the calls of the store, each of which is one statement.
  const countOf = () => (calls ? calls() : counter.calls())
  const wechat = createFakeWeChat()
  const auth = createAuth({
    apps: [wechat.app],
    secret: randomBytes(48).toString('base64'),
    fetch: wechat.fetch,
    store: counter.store,
    storeTimeoutMs: 10_000,
    revocation: 'immediate',
  })
  const codes = Array.from({ length: sessions }, (_, n) => wechat.codeFor(`person-${n}`))
  const time = async (what, work) => {
    const before = countOf()
    const { perSecond, p50, p99 } = await timed(work, { count: sessions, atOnce })
    const each = (countOf() - before) / sessions
    rows[what].push([name, perSecond.toFixed(0), p50.toFixed(1), p99.toFixed(1), each.toFixed(1)])
  }

  const phones = []
  await time('login', async (n) => {
    phones[n] = await auth.login({ code: codes[n] })
  })
  const keys = phones.map(newKey)
  const first = phones.map(({ refresh_token }) => refresh_token)
  await time('rotation', async (n) => {
    phones[n] = await auth.refresh({ refreshToken: first[n], idempotencyKey: keys[n] })
  })
  await time('retry', (n) => auth.refresh({ refreshToken: first[n], idempotencyKey: keys[n] }))
  await time('check', (n) => auth.authenticate(`Bearer ${phones[n].access_token}`))
  await auth.close()
  await close()
}

/** What one process makes of one Redis: our refresh, and the same two accesses without anything around them. */
async function measureRefreshes(services) {
  const [place] = storePlaces(services)
  // Without what counts the calls.
  const { client, close } = await openRedis(place)
  const store = createRedisStore(client, { keyPrefix: `${place.namespace}:` })
  const auth = createAuth({
    apps: [{ appId: 'wx0000000000000001', appSecret: randomBytes(16).toString('hex') }],
    secret: randomBytes(48).toString('base64'),
    store,
    storeTimeoutMs: 10_000,
    onEvent: () => undefined,
  })
  const phones = []
  for (let n = 0; n < sessions; n++) {
    phones.push(await auth.sessions.create({ account: { openid: randomUUID() } }))
  }
  const session = await auth.authenticate(`Bearer ${phones[0].access_token}`)
  const value = JSON.stringify(await store.get(session.id))
  const keyOf = (n) => `${place.namespace}:bare:${n}`
  for (let n = 0; n < sessions; n++) await client.set(keyOf(n), value)

  const [ours, bare] = ['wxlogin refresh', 'limit: a bare GET, then a bare SET']
  const beside = (lanes, how, rounds) => {
    const inLanes = (work) => ({
      // The keys are made by the phones.
      prepare: (count) => Array.from({ length: count }, newKey),
      run: (keys, count) => timed((n) => work(n, keys[n]), { count, atOnce: lanes }),
    })
    return measure(
      `A refresh on Redis, ${how}, in one process; the CPU time is that of the main thread`,
      {
        [bare]: inLanes(async (n) => {
          await client.set(keyOf(n), await client.get(keyOf(n)))
        }),
        [ours]: inLanes(async (n, idempotencyKey) => {
          const refreshToken = phones[n].refresh_token
          phones[n] = await auth.refresh({ refreshToken, idempotencyKey })
        }),
      },
      { count: sessions, rounds, cpu: mainThreadCpu },
    )
  }
  const inTurn = await beside(1, 'one after the other', 15)
  const together = await beside(atOnce, `${atOnce} at a time`, 25)
  printTable(
    'Goals',
    ['', 'here', 'goal', ''],
    [
      ['one after the other', inTurn.rate(ours, bare)],
      [`${atOnce} at a time`, together.rate(ours, bare)],
    ].map(([how, share]) => [
      `refreshes a second beside bare GETs and SETs, ${how}`,
      share.toFixed(2),
      '≥ 0.43',
      share >= 0.43 ? 'met' : 'MISSED',
    ]),
  )
  await auth.close()
  await close()
}

function counted(store) {
  let calls = 0
  const verbs = ['create', 'get', 'replace', 'delete', 'list', 'count'].filter(
    (verb) => store[verb],
  )
  const counting = Object.fromEntries(
    verbs.map((verb) => [
      verb,
      (...args) => {
        calls++
        return store[verb](...args)
      },
    ]),
  )
  return { store: counting, calls: () => calls }
}

/** The same route of Express, behind the session check of each, all on one Redis. */
async function measureSessionChecks(services) {
  const peers = await tool(
    'session-peers',
    ['better-auth@1.7.25', 'express-session@1.19.0', 'connect-redis@9.0.0', 'redis@5'],
    {
      about: 'for the comparison only',
    },
  )
  const fromPeers = createRequire(`${peers}/package.json`)
  const importPeer = async (name) => import(pathToFileURL(fromPeers.resolve(name)).href)
  const [
    { betterAuth },
    { memoryAdapter },
    { toNodeHandler, fromNodeHeaders },
    { default: session },
    { RedisStore },
    { createClient },
  ] = await Promise.all(
    [
      'better-auth',
      'better-auth/adapters/memory',
      'better-auth/node',
      'express-session',
      'connect-redis',
      'redis',
    ].map(importPeer),
  )
  const client = await createClient({ url: services.redis }).connect()
  const [place] = storePlaces(services)
  const { store, close } = await openStore(place)
  const secret = randomBytes(48).toString('base64')
  const app = express()
  const listening = createServer(app).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const origin = `http://127.0.0.1:${listening.address().port}`

  const options = { apps: [{ appId: 'wx0000000000000001', appSecret: 'unused' }], secret, store }
  const auth = createAuth(options)
  const { headers } = await signIn(auth, { openid: 'alice' })
  for (const [path, revocation] of [
    ['/expiry', 'expiry'],
    ['/immediate', 'immediate'],
  ]) {
    const checked = createAuth({ ...options, revocation })
    app.get(path, requireAuth(checked), (req, res) =>
      res.json({ user: sessionOf(req, checked).userId }),
    )
  }

  // What all of them have to do: read something of this size, and answer.
  const { id } = await auth.authenticate(headers.authorization)
  await client.set('bench-bare', JSON.stringify(await store.get(id)))
  app.get('/bare', async (_req, res) => {
    const { userId } = JSON.parse(await client.get('bench-bare'))
    res.json({ user: userId })
  })

  const sessionMiddleware = session({
    store: new RedisStore({ client, prefix: 'bench-session:', disableTouch: true }),
    secret,
    resave: false,
    saveUninitialized: false,
  })
  app.post('/express-session/login', sessionMiddleware, (req, res) => {
    req.session.user = 'alice'
    res.end()
  })
  app.get('/express-session', sessionMiddleware, (req, res) =>
    req.session.user ? res.json({ user: req.session.user }) : res.status(401).end(),
  )

  const better = betterAuth({
    baseURL: origin,
    secret,
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    secondaryStorage: {
      get: (key) => client.get(`bench-better:${key}`),
      set: (key, value, ttl) =>
        client.set(`bench-better:${key}`, value, ttl ? { EX: Math.ceil(ttl) } : {}),
      delete: (key) => client.del(`bench-better:${key}`),
    },
  })
  app.all('/api/auth/*rest', toNodeHandler(better))
  app.get('/better-auth', async (req, res) => {
    const found = await better.api.getSession({ headers: fromNodeHeaders(req.headers) })
    if (found) res.json({ user: found.user.id })
    else res.status(401).end()
  })

  const agent = new Agent()
  const cookieOf = async (path, init = {}) => {
    const response = await fetch(origin + path, { method: 'POST', ...init })
    const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
    if (cookies.length === 0)
      throw new Error(`${path} answered ${response.status} without a cookie`)
    return { cookie: cookies.join('; ') }
  }
  const ofSession = await cookieOf('/express-session/login')
  const ofBetter = await cookieOf('/api/auth/sign-up/email', {
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({
      name: 'Alice',
      email: `${randomUUID()}@example.com`,
      password: randomUUID(),
    }),
  })

  const visit = (path, headers) => ({
    run: async (_prepared, count) => {
      let left = count
      const lane = async () => {
        while (left-- > 0) {
          const { statusCode, body } = await request(origin + path, { dispatcher: agent, headers })
          await body.dump()
          if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}`)
        }
      }
      await Promise.all(Array.from({ length: atOnce }, lane))
    },
  })
  await measure(
    `A route of Express behind a session check, on one Redis, ${atOnce} requests at a time`,
    {
      'limit: a bare GET': visit('/bare', headers),
      'wxlogin, immediate (one read)': visit('/immediate', headers),
      'wxlogin, expiry (no read)': visit('/expiry', headers),
      'express-session + connect-redis': visit('/express-session', ofSession),
      'better-auth + Redis': visit('/better-auth', ofBetter),
    },
    { count: 500 },
  )
  await Promise.all([close(), client.close(), agent.close()])
  listening.close()
}
