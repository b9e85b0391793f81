// What logins, refreshes and session checks cost on every store, on servers of its own, and what the session checks of
// others cost on the same Redis. The servers are those of the tests.
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createAuth, createMemoryStore } from '@wxlogin/server'
import { requireAuth, sessionOf } from '@wxlogin/server/express'
import { createFakeWeChat, signIn } from '@wxlogin/server/testing'
import { build } from 'esbuild'
import express from 'express'
import { Agent, request } from 'undici'
import { tool } from '../.ci/tools.mjs'
import { measure } from './measure.mjs'

const sessions = 500
const atOnce = 16

const folder = fileURLToPath(new URL('../packages/server/test/services/', import.meta.url))
const bundle = `${folder}bench-${process.pid}.mjs`
await build({
  stdin: {
    contents: `export { provideServices } from './global-setup.ts'
      export { createServers } from './servers.ts'
      export { openRedisStore, openStore, storePlaces } from './stores.ts'`,
    resolveDir: folder,
  },
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  outfile: bundle,
})
const { createServers, openRedisStore, openStore, provideServices, storePlaces } = await import(
  pathToFileURL(bundle).href
).finally(() => rmSync(bundle))

const servers = createServers()
try {
  const services = await provideServices(servers)
  await measureStores(services)
  if (services.redis) await measureSessionChecks(services)
} finally {
  await servers.stop()
}
process.exit()

async function measureStores(services) {
  console.log(
    `\nLogins, refreshes and fresh session checks, ${sessions} of each, ${atOnce} at a time, in this one process`,
  )
  console.log(
    `  ${'store'.padEnd(42)} ${['login', 'rotation', 'retry', 'check'].map((name) => `${name}: /s  p50  p99 ms  calls`.padEnd(33)).join(' ')}`,
  )
  const places = storePlaces(services).filter(
    ({ name }) => !/serializable|changed rows|emoji|ioredis 5/.test(name),
  )
  const memory = { store: createMemoryStore(), close: async () => undefined }
  await measureStore('memory', memory)
  for (const place of places) {
    const isRedis = /redis/.test(place.kind)
    await measureStore(place.name, await (isRedis ? openRedisStore : openStore)(place))
  }
}

async function measureStore(name, { store, calls, close }) {
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
  const key = () => randomBytes(16).toString('base64url')
  const codes = Array.from({ length: sessions }, (_, n) => wechat.codeFor(`person-${n}`))
  const rows = []
  const time = async (work) => {
    const before = countOf()
    const { perSecond, p50, p99 } = await timed(work)
    const each = (countOf() - before) / sessions
    rows.push(
      `${String(Math.round(perSecond)).padStart(7)} ${p50.toFixed(1).padStart(6)} ${p99.toFixed(1).padStart(7)} ${each.toFixed(1).padStart(6)}`.padEnd(
        33,
      ),
    )
  }

  const phones = []
  await time(async (n) => {
    phones[n] = await auth.login({ code: codes[n] })
  })
  const keys = phones.map(key)
  const first = phones.map(({ refresh_token }) => refresh_token)
  await time(async (n) => {
    phones[n] = await auth.refresh({ refreshToken: first[n], idempotencyKey: keys[n] })
  })
  await time((n) => auth.refresh({ refreshToken: first[n], idempotencyKey: keys[n] }))
  await time((n) => auth.authenticate(`Bearer ${phones[n].access_token}`))
  console.log(`  ${name.padEnd(42)} ${rows.join(' ')}`)
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

async function timed(work) {
  const latencies = []
  let next = 0
  const startedAt = performance.now()
  const lane = async () => {
    for (let n = next++; n < sessions; n = next++) {
      const from = performance.now()
      await work(n)
      latencies.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  const perSecond = sessions / ((performance.now() - startedAt) / 1000)
  latencies.sort((a, b) => a - b)
  const at = (share) => latencies[Math.min(sessions - 1, Math.floor(sessions * share))]
  return { perSecond, p50: at(0.5), p99: at(0.99) }
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
