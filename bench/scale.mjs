// What grows with the number of sessions, of callers, of logins, of secrets and of tokens: `npm run bench:scale`, a part
// of `npm run long`. Its tables stand in docs/planning.md. Ends non-zero only when something cannot be measured.
//   node --expose-gc bench/scale.mjs stores   only this one of stores, callers, load, ring and cache
//   node --expose-gc bench/scale.mjs Redis    stores and callers, only of this one
import { randomBytes, randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { availableParallelism, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { createAuth, createMemoryStore } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { createPackages, findProgram } from '../.ci/programs.mjs'
import { steadyLogins } from './logins.mjs'
import { measure, printTable, timed } from './measure.mjs'
import { createServers, openRedis, openRedisStore, openSqlStore } from './services.mjs'

const sizes = [1000, 10_000, 100_000]
const callers = [1, 4, 16, 64, 256]
const measured = 500
const atOnce = 16
const sessionsPerUser = 2
const newKey = () => randomBytes(16).toString('base64url')
const secretOf = () => randomBytes(48).toString('base64')

const wanted = process.argv.slice(2)
const storeNames = ['memory', 'Redis', 'PostgreSQL', 'MariaDB', 'SQLite']
const wantedStores = storeNames.filter((name) => wanted.includes(name))
const isWanted = (name) =>
  wanted.length === 0 ||
  wanted.includes(name) ||
  (wantedStores.length > 0 && ['stores', 'callers'].includes(name))
const collect = globalThis.gc
if (!collect) {
  console.error('Run this as `node --expose-gc bench/scale.mjs`, or by `npm run bench:scale`.')
  process.exit(1)
}
console.log(
  `Node ${process.version}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, load ${loadavg()[0].toFixed(1)} before`,
)

if (isWanted('stores') || isWanted('callers')) await measureStores()
if (isWanted('load')) await measureLoad()
if (isWanted('ring')) await measureRing()
if (isWanted('cache')) await measureCache()
console.log(`\nload ${loadavg()[0].toFixed(1)} after`)
process.exit()

async function measureStores() {
  const servers = createServers()
  try {
    const growth = []
    const crowds = []
    const open = openers(servers)
    const warm = await open.memory()
    await measureStore({ name: 'a first one, for what is compiled once', ...warm, most: 1000 })
    for (const name of wantedStores.length > 0 ? wantedStores : storeNames) {
      const place = await open[name]()
      await measureStore({ name, ...place, growth, crowds })
      await place.close()
      console.error(`${name} is measured`)
    }
    if (isWanted('stores')) {
      printTable(
        `From ${count(sizes[0])} to ${count(sizes.at(-1))} sessions, ${sessionsPerUser} a user; ${measured} of each operation, ${atOnce} at a time`,
        [
          '',
          'sessions',
          'refresh /s',
          'check /s',
          'list /s',
          'bytes a session',
          'bytes written a refresh',
        ],
        growth,
      )
    }
    if (isWanted('callers')) {
      printTable(
        `Refreshes a second by callers at once, over ${count(sizes.at(-1))} sessions (p99 in ms)`,
        ['', ...callers.map(String)],
        crowds,
      )
    }
  } finally {
    await servers.stop()
  }
}

/** Each store on servers of its own, as they are set up in production but for waiting for the disk. */
function openers(servers) {
  const packages = createPackages((line) => console.error(line))
  const programs = async (names, ...debianPackages) => {
    const find = () => names.map((all) => all.map(findProgram).find(Boolean))
    if (!find().every(Boolean)) await packages.install(...debianPackages)
    if (!find().every(Boolean)) throw new Error(`install ${debianPackages[0]}, and run this again`)
    return find()
  }

  return {
    async memory() {
      const store = createMemoryStore({ maxSessions: sizes.at(-1) * 2 })
      const bytes = () => {
        collect()
        collect()
        return process.memoryUsage().heapUsed
      }
      return { store, bytes, close: () => undefined }
    },

    async Redis() {
      const [server] = await programs([['redis-server', 'valkey-server']], 'redis-server')
      const { url } = await servers.redis(server)
      const place = { name: 'Redis', kind: 'ioredis 6', urls: [url], namespace: 'wxlogin' }
      const { store, close } = await openRedisStore(place)
      const admin = await openRedis({ ...place, kind: 'redis 6' })
      const bytes = async () =>
        Number(/used_memory:(\d+)/.exec(await admin.client.info('memory'))[1])
      return { store, bytes, close: () => Promise.all([close(), admin.close()]) }
    },

    async PostgreSQL() {
      const [postgres, initdb] = await programs([['postgres'], ['initdb']], 'postgresql')
      const { url } = await servers.postgres({ postgres, initdb }, [
        ...['-c', 'full_page_writes=on', '-c', 'shared_buffers=128MB'],
        ...['-c', 'autovacuum=on', '-c', 'checkpoint_timeout=1h', '-c', 'max_wal_size=8GB'],
      ])
      const { store, kysely, close } = await openSqlPlace('postgresql', url)
      const one = async (text) => Object.values((await query(kysely, text))[0])[0]
      return {
        store,
        bytes: async () => Number(await one("select pg_total_relation_size('wxlogin')")),
        // What autovacuum would do within a minute or two, and not while something is measured.
        settle: () => query(kysely, 'vacuum (analyze) wxlogin'),
        // After a checkpoint, so that each page is written whole once: what production pays.
        async written() {
          const position = async () =>
            Number(await one("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"))
          await query(kysely, 'checkpoint')
          const before = await position()
          return async () => (await position()) - before
        },
        close,
      }
    },

    async MariaDB() {
      const [mariadbd, installDb] = await programs(
        [
          ['mariadbd', 'mysqld'],
          ['mariadb-install-db', 'mysql_install_db'],
        ],
        'mariadb-server',
      )
      const { url } = await servers.mariadb({ mariadbd, installDb }, [
        '--innodb-buffer-pool-size=256M',
      ])
      const { store, kysely, close } = await openSqlPlace('mysql', url)
      const status = async (name) =>
        Number((await query(kysely, `show global status like '${name}'`))[0].Value)
      return {
        store,
        async bytes() {
          await query(kysely, 'analyze table wxlogin')
          const [row] = await query(
            kysely,
            "select data_length + index_length as bytes from information_schema.tables where table_name = 'wxlogin'",
          )
          return Number(row.bytes)
        },
        async written() {
          const before = await status('Innodb_os_log_written')
          return async () => (await status('Innodb_os_log_written')) - before
        },
        close,
      }
    },

    async SQLite() {
      const file = join(servers.folder(), 'sessions.db')
      const { store, close } = await openSqlPlace('sqlite', file)
      return { store, bytes: () => statSync(file).size, close }
    },
  }
}

async function openSqlPlace(kind, url) {
  const place = { name: kind, kind, urls: [url], namespace: 'wxlogin' }
  const opened = openSqlStore(place)
  await opened.store.migrate()
  return opened
}

async function query(kysely, sql) {
  const queryId = { queryId: randomUUID() }
  const node = { kind: 'RawNode', sqlFragments: [sql], parameters: [] }
  return (await kysely.executeQuery({ sql, parameters: [], query: node, queryId })).rows
}

async function measureStore({
  name,
  store,
  bytes,
  settle,
  written,
  growth = [],
  crowds = [],
  most,
}) {
  const wechat = createFakeWeChat()
  const auth = createAuth({
    apps: [wechat.app],
    secret: secretOf(),
    fetch: wechat.fetch,
    store,
    storeTimeoutMs: 10_000,
    revocation: 'immediate',
    onEvent: () => undefined,
  })
  const login = (person) => auth.login({ code: wechat.codeFor(person) })
  // What a login leaves is the pattern for those that are not measured.
  const [{ id }] = await auth.sessions.list(
    (await auth.authenticate(`Bearer ${(await login('pattern')).access_token}`)).userId,
  )
  const pattern = await store.get(id)
  const empty = await bytes()
  let phones = []

  /** Up to this many sessions; those that are measured lie evenly among the new ones. */
  async function grow(from, to) {
    phones = []
    const step = Math.floor((to - from) / measured)
    await timed(
      async (n) => {
        if (n % step === 0 && phones.length < measured) {
          const place = phones.push(undefined) - 1
          phones[place] = await login(`person-${from}-${Math.floor(place / sessionsPerUser)}`)
          return
        }
        const record = {
          ...pattern,
          id: randomBytes(16).toString('base64url'),
          userId: `user-${String(Math.floor((from + n) / sessionsPerUser)).padStart(17, '0')}`,
          openid: randomBytes(21).toString('base64url'),
          idempotencyKeyHash: randomBytes(32).toString('base64url'),
          sealedKey: randomBytes(pattern.sealedKey.length)
            .toString('base64url')
            .slice(0, pattern.sealedKey.length),
        }
        if (!(await store.create(record))) throw new Error('a new session was refused')
      },
      { count: to - from, atOnce: 64 },
    )
  }
  const refresh = async (n) => {
    const { refresh_token: refreshToken } = phones[n]
    phones[n] = await auth.refresh({ refreshToken, idempotencyKey: newKey() })
  }
  /** Three rounds, and the one in the middle. */
  const rate = async (work, options) => {
    const rounds = []
    for (let round = 0; round < 3; round++) rounds.push(await timed(work, options))
    return rounds.sort((a, b) => a.perSecond - b.perSecond)[1]
  }

  let filled = 0
  for (const size of sizes.filter((size) => size <= (most ?? size))) {
    await grow(filled, size)
    filled = size
    await settle?.()
    const perSession = ((await bytes()) - empty) / size
    const since = await written?.()
    await timed(refresh, { count: measured, atOnce })
    const perRefresh = since && (await since()) / measured
    const options = { count: measured, atOnce }
    const refreshes = await rate(refresh, options)
    const checks = await rate((n) => auth.authenticate(`Bearer ${phones[n].access_token}`), options)
    const lists = await rate((n) => auth.sessions.list(phones[n].user_id), options)
    growth.push([
      name,
      count(size),
      ...[refreshes, checks, lists].map(({ perSecond }) => count(perSecond)),
      count(perSession),
      perRefresh === undefined ? '–' : count(perRefresh),
    ])
  }
  if (isWanted('callers')) {
    const cells = []
    for (const atOnce of callers) {
      const { perSecond, p99 } = await rate(refresh, { count: measured, atOnce })
      cells.push(`${count(perSecond)} (${p99.toFixed(0)})`)
    }
    crowds.push([name, ...cells])
  }
  await auth.close()
}

/** Logins while WeChat takes half a second, and few may wait for it, so that it is the places that are at their end. */
async function measureLoad() {
  const latencyMs = 500
  const places = 16
  const ceiling = (places * 1000) / latencyMs
  const rows = []
  for (const factor of [0.5, 1, 2, 4]) {
    const perSecond = ceiling * factor
    const outcome = await steadyLogins({ perSecond, seconds: 10, places, latencyMs })
    const answered = (status) => count(outcome.statuses[status] ?? 0)
    rows.push([
      `${factor} × the ceiling`,
      count(perSecond),
      count(outcome.mean),
      `${count((outcome.mean / outcome.ceiling) * 100)} %`,
      ...[0.5, 0.99].map((share) => count(outcome.latencyMs(share))),
      answered(503),
      String(outcome.burnt),
      String(outcome.openings),
    ])
  }
  printTable(
    `Logins against what is offered: WeChat answers after ${latencyMs} ms, and ${places} wait for it at most, so ${ceiling} a second can be`,
    [
      '',
      'offered /s',
      'served /s',
      'of what can be',
      'p50 ms',
      'p99 ms',
      '503, code unused',
      'codes burnt',
      'breaker openings',
    ],
    rows,
  )
}

/** What a ring costs a token that is verified for the first time, signed by its first and by its last member. */
async function measureRing() {
  const app = { appId: 'wx0000000000000001', appSecret: randomBytes(16).toString('hex') }
  const secrets = Array.from({ length: 5 }, secretOf)
  const authWith = (secret) =>
    createAuth({ apps: [app], secret, maxVerifiedTokens: 0, onEvent: () => undefined })
  const contender = (size, signer) => {
    const verifier = authWith(secrets.slice(0, size))
    const issuer = authWith([secrets[signer]])
    return {
      async prepare(many) {
        const made = []
        for (let n = 0; n < many; n++) {
          const { access_token } = await issuer.sessions.create({
            account: { openid: randomUUID() },
          })
          made.push(Buffer.from(`Bearer ${access_token}`).toString('latin1'))
        }
        return made
      },
      async run(tokens) {
        for (const token of tokens) await verifier.authenticate(token)
      },
    }
  }
  await measure(
    'Verifying a token for the first time, by the size of the ring of secrets',
    {
      'one secret': contender(1, 0),
      'two, signed by the first': contender(2, 0),
      'two, signed by the second': contender(2, 1),
      'five, signed by the first': contender(5, 0),
      'five, signed by the fifth': contender(5, 4),
    },
    { count: 1000, rounds: 9 },
  )
}

/** Tokens that come round and round, half as many again as the cache holds: the worst there is for a cache. */
async function measureCache() {
  const cap = 50_000
  const options = {
    apps: [{ appId: 'wx0000000000000001', appSecret: randomBytes(16).toString('hex') }],
    secret: secretOf(),
    store: createMemoryStore({ maxSessions: cap * 2 }),
    accessTtlSeconds: 3600,
    onEvent: () => undefined,
  }
  const issuer = createAuth(options)
  const tokens = []
  for (let n = 0; n < cap * 1.5; n++) {
    const { access_token } = await issuer.sessions.create({ account: { openid: `person-${n}` } })
    tokens.push(Buffer.from(`Bearer ${access_token}`).toString('latin1'))
  }

  /** One round over so many tokens, each timed by itself. */
  const round = async (auth, size) => {
    const took = new Float64Array(size)
    for (let n = 0; n < size; n++) {
      const from = process.hrtime.bigint()
      await auth.authenticate(tokens[n])
      took[n] = Number(process.hrtime.bigint() - from) / 1000
    }
    return took
  }
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
  const without = createAuth({ ...options, maxVerifiedTokens: 0 })
  const within = createAuth({ ...options, maxVerifiedTokens: cap })
  const beyond = createAuth({ ...options, maxVerifiedTokens: cap })
  const rows = []
  const coldMedian = median(await round(without, 5000))
  await round(within, cap)
  const warmMedian = median(await round(within, cap))
  // A look-up and a signature lie far apart, so what lies below their geometric mean was a look-up.
  const limit = Math.sqrt(coldMedian * warmMedian)
  for (const [name, auth, size] of [
    ['no cache', without, cap * 1.5],
    ['as many tokens as the cache holds', within, cap],
    ['half as many again', beyond, cap * 1.5],
  ]) {
    await round(auth, size)
    const rounds = [await round(auth, size), await round(auth, size), await round(auth, size)]
    const hits = rounds.map((took) => took.filter((value) => value < limit).length / size)
    rows.push([
      name,
      count(size),
      `${(median(hits) * 100).toFixed(0)} %`,
      median(rounds.map(mean)).toFixed(1),
    ])
  }
  printTable(
    `The cache of verified tokens at its default of ${count(cap)}, tokens in turn`,
    ['', 'tokens', 'hits', 'µs each'],
    rows,
  )
}

function count(value) {
  return Math.round(value).toLocaleString('en-US')
}
