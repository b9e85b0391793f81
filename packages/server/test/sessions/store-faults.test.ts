import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  AuthError,
  createMemoryStore,
  type SessionRecord,
  type SessionStore,
} from '../../src/index.js'
import { createRedisStore } from '../../src/stores/redis.js'
import { createSqlStore, type SqlDatabase } from '../../src/stores/sql.js'
import { expectNone } from '../no-secrets.js'
import { blockLoop, createClock, type SetUp, setUp } from '../set-up.js'

/** An `auth` on a store that works, but for what is given. */
function setUpOn(
  faults: (memory: SessionStore) => Partial<SessionStore>,
  options: Parameters<typeof setUp>[0] = {},
): SetUp & { memory: SessionStore } {
  const { now } = createClock()
  const memory = createMemoryStore({ now })
  const set = setUp({ now, store: { ...memory, ...faults(memory) }, ...options }, withUnionids)
  return { ...set, memory }
}

const withUnionids = { apps: [{ appId: 'wx1', appSecret: 's', owner: 'us' }] }

test('a session that others change without end is a 503 after 64 tries, and costs nothing', async () => {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0)
  onTestFinished(() => random.mockRestore())
  let [isBusy, tries] = [true, 0]
  const { auth } = setUpOn((memory) => ({
    replace: async (record, version) => {
      tries++
      return isBusy ? false : memory.replace(record, version)
    },
  }))
  const { refresh_token: refreshToken } = await auth.sessions.create({
    account: { openid: 'alice' },
  })

  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
    code: 'store_unavailable',
    status: 503,
  })
  expect(tries).toBe(64)

  isBusy = false
  await expect(auth.refresh({ refreshToken })).resolves.toBeDefined()
})

test('a store that can count lists a user only when there are too many sessions', async () => {
  let lists = 0
  const { auth, wechat, memory } = setUpOn(
    (memory) => ({
      count: async (userId) => (await memory.list(userId)).length,
      list: (userId) => {
        lists++
        return memory.list(userId)
      },
    }),
    { onLogin: () => ({ userId: 7 }), maxSessionsPerUser: 2 },
  )

  await auth.login({ code: wechat.codeFor('alice') })
  await auth.login({ code: wechat.codeFor('alice') })
  const listsWithinTheCap = lists
  await auth.login({ code: wechat.codeFor('alice') })

  expect(listsWithinTheCap).toBe(0)
  expect(await memory.list('7')).toHaveLength(2)
})

test('what a store finds wrong with itself stands in check', async () => {
  const { auth } = setUpOn(() => ({ check: async () => ['redis_no_persistence'] }))

  expect((await auth.check()).store).toEqual({ ok: true, warnings: ['redis_no_persistence'] })
})

test('a store that cannot look at itself warns of nothing', async () => {
  const { auth } = setUpOn(() => ({ check: () => Promise.reject(new Error('no permission')) }))

  expect((await auth.check()).store).toEqual({ ok: true, warnings: [] })
})

test.each(['create', 'replace'] as const)(
  'an error of %s that quotes the record shows nothing that is secret in it',
  async (verb) => {
    let [isBroken, quoted]: [boolean, SessionRecord | undefined] = [false, undefined]
    const { auth, wechat } = setUpOn((memory) => ({
      [verb]: async (record: SessionRecord, version: number) => {
        if (!isBroken) return memory[verb](record, version)
        quoted ??= record
        throw new Error(`${verb}(${JSON.stringify(record)}) failed`)
      },
    }))
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
    isBroken = true

    const call =
      verb === 'create'
        ? auth.login({ code: wechat.codeFor('alice') })
        : auth.refresh({ refreshToken })
    const error = await call.catch((thrown: unknown) => thrown)

    expect(error).toMatchObject({
      code: 'store_unavailable',
      cause: { message: expect.stringContaining(`${verb}({`) },
    })
    const { openid = '', unionid = '', sealedKey = '', idempotencyKeyHash = '' } = quoted ?? {}
    const secrets = { openid, unionid, sealedKey, idempotencyKeyHash }
    expect(Object.values(secrets)).not.toContain('')
    expectNone(secrets, 'the error', [error])
  },
)

test('a store may say when to come again', async () => {
  const { auth } = setUpOn(() => ({
    get: () =>
      Promise.reject(
        new AuthError('store_unavailable', 'A failover is under way', { retryAfterSeconds: 3 }),
      ),
  }))
  const { refresh_token: refreshToken } = await auth.sessions.create({
    account: { openid: 'alice' },
  })

  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
    code: 'store_unavailable',
    retryAfterSeconds: 3,
  })
})

/** A database whose pool has a connection, or answers, only once it is told to. */
function createSlowDatabase({ isWaiting = false, isSilent = false }) {
  const statements: string[] = []
  let [release, free] = [() => {}, Promise.resolve()]
  if (isWaiting) {
    free = new Promise((resolve) => {
      release = resolve
    })
  }
  const database: SqlDatabase = {
    async executeQuery({ sql }) {
      statements.push(sql)
      if (isSilent) await new Promise(() => undefined)
      return { rows: [], numAffectedRows: 1n }
    },
    withoutPlugins: () => database,
    transaction: () => ({ execute: (run) => run(database) }),
    connection: () => ({ execute: (run) => free.then(() => run(database)) }),
  }
  return { database, statements, release: () => release() }
}

/** Both ends of a connection. */
async function socketPair(): Promise<{ here: Socket; there: Socket }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const here = createConnection((server.address() as AddressInfo).port, '127.0.0.1')
  const [[there]] = await Promise.all([once(server, 'connection'), once(here, 'connect')])
  onTestFinished(() => {
    here.destroy()
    there.destroy()
    server.close()
  })
  return { here, there }
}

const lookUp = ({ auth }: Pick<SetUp, 'auth'>) =>
  auth.sessions.list('7').catch((error: unknown) => error)

describe('an error of the store’s time says what was waited for', () => {
  test('a connection', async () => {
    const { database, statements } = createSlowDatabase({ isWaiting: true })
    const store = createSqlStore(database, { dialect: 'sqlite' })

    const error = await lookUp(setUp({ store, storeTimeoutMs: 20 }))

    expect(error).toMatchObject({
      code: 'store_unavailable',
      description: 'The session store had no connection free within 20 ms',
    })
    expect(statements).toEqual([])
  })

  test('an answer', async () => {
    const { database } = createSlowDatabase({ isSilent: true })
    const store = createSqlStore(database, { dialect: 'sqlite' })

    const error = await lookUp(setUp({ store, storeTimeoutMs: 20 }))

    expect(error).toMatchObject({
      code: 'store_unavailable',
      description: 'The session store did not answer within 20 ms',
    })
  })

  test('one of the two, where the store cannot tell', async () => {
    const error = await lookUp(
      setUpOn(() => ({ list: () => new Promise(() => undefined) }), { storeTimeoutMs: 20 }),
    )

    expect(error).toMatchObject({
      code: 'store_unavailable',
      description: 'The session store did not answer within 20 ms',
    })
  })

  test('and not that the store was late, if this process was too busy to look', async () => {
    const { here, there } = await socketPair()
    const { auth } = setUpOn(
      () => ({
        list: async () => {
          await once(here, 'data')
          return []
        },
      }),
      { storeTimeoutMs: 200 },
    )

    const listed = auth.sessions.list(7)
    await blockLoop(400, () => there.write('the answer'))

    await expect(listed).resolves.toEqual([])
  })

  test('what nobody waits for any more is not begun when there is a connection at last', async () => {
    const { database, statements, release } = createSlowDatabase({ isWaiting: true })
    const store = createSqlStore(database, { dialect: 'sqlite' })
    const { auth } = setUp({ store, storeTimeoutMs: 20 })

    await expect(auth.sessions.create({ account: { openid: 'alice' } })).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    release()
    await new Promise((resolve) => setImmediate(resolve))

    expect(statements).toEqual([])
  })

  test('a store that puts verbs of its own over another one’s is asked by these', async () => {
    const { database, statements } = createSlowDatabase({})
    const asked: string[] = []
    const store: SessionStore = {
      ...createSqlStore(database, { dialect: 'sqlite' }),
      list: async (userId) => {
        asked.push(userId)
        return []
      },
    }

    await lookUp(setUp({ store }))

    expect([asked, statements]).toEqual([['7'], []])
  })
})

describe('a client of Redis that has no connection', () => {
  function createDisconnected(state: object) {
    const sent: string[] = []
    const listeners: (() => void)[] = []
    const client = {
      ...state,
      sent,
      listeners,
      async get(key: string) {
        sent.push(key)
        return null
      },
      del: async () => 0,
      eval: async () => [],
      evalsha: async () => [],
      once: (_event: 'ready', listener: () => void) => listeners.push(listener),
    }
    return client
  }

  const clients = {
    'redis reconnects': { isOpen: true, isReady: false, evalSha: async () => [] },
    'ioredis connects': { status: 'connecting' },
    'ioredis reconnects': { status: 'reconnecting' },
  }

  test.each(Object.entries(clients))(
    'is waited for, and that is said: %s',
    async (_name, state) => {
      const client = createDisconnected(state)
      const { auth } = setUp({ store: createRedisStore(client), storeTimeoutMs: 20 })
      const get = () => auth.check()

      expect((await get()).store.ok).toBe(false)
      await expect(auth.sessions.list('7')).rejects.toMatchObject({
        description: 'The session store had no connection free within 20 ms',
      })
      expect(client.sent).toEqual([])
      expect(client.listeners).toHaveLength(1)

      const later = get()
      for (const listener of client.listeners) listener()
      expect((await later).store.ok).toBe(true)
      // Nothing of what was given up has been sent with it.
      expect(client.sent).toHaveLength(1)
    },
  )

  test.each(
    Object.entries({
      'redis that is connected': { isOpen: true, isReady: true, evalSha: async () => [] },
      'redis without a queue': {
        isOpen: true,
        isReady: false,
        options: { disableOfflineQueue: true },
        evalSha: async () => [],
      },
      'ioredis without a queue': {
        status: 'reconnecting',
        options: { enableOfflineQueue: false },
      },
      'redis that was closed': { isOpen: false, isReady: false, evalSha: async () => [] },
      'a cluster client of redis': { isOpen: true, evalSha: async () => [] },
      'ioredis that is connected': { status: 'ready' },
      'ioredis that connects when it is needed': { status: 'wait' },
      'ioredis that was closed': { status: 'end' },
    }),
  )('is not looked for where the client decides itself: %s', async (_name, state) => {
    const client = createDisconnected(state)

    await setUp({ store: createRedisStore(client) }).auth.check()

    expect(client.sent).toHaveLength(1)
  })
})
