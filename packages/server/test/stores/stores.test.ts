import { describe, expect, test } from 'vitest'
import { createMemoryStore, type SessionRecord, type SessionStore } from '../../src/index.js'
import { createRedisStore } from '../../src/stores/redis.js'
import { createSqlStore, type SqlDatabase } from '../../src/stores/sql.js'
import { type StoreCase, storeCases } from '../../src/testing/index.js'
import { createClock, createDice } from '../set-up.js'

describe('the memory store', () => {
  const { now } = createClock()
  const store = createMemoryStore({ now })

  for (const { name, run } of storeCases({ now })) test(name, () => run(store))
})

function record(id: string, changes: Partial<SessionRecord> = {}): SessionRecord {
  return {
    v: 1,
    id,
    version: 1,
    method: 'code',
    userId: 'user',
    appId: 'wx0000000000000001',
    openid: 'openid',
    generation: 0,
    idempotencyKeyHash: 'hash',
    createdAt: 1000,
    authenticatedAt: 1000,
    lastRefreshAt: 1000,
    endsAt: 9000,
    expiresAt: 5000,
    ...changes,
  }
}

test('the memory store drops the session that was refreshed longest ago when it is full', async () => {
  const store = createMemoryStore({ maxSessions: 2, now: () => 1_000_000 })
  await store.create(record('a'))
  await store.create(record('b'))
  await store.replace(record('a', { version: 2 }), 1)

  await store.create(record('c'))

  expect(await store.get('b')).toBeUndefined()
  expect((await store.list('user')).map(({ id }) => id).sort()).toEqual(['a', 'c'])
})

test('the memory store keeps that order through thousands of logins, refreshes and log-outs', async () => {
  const dice = createDice(7)
  const store = createMemoryStore({ maxSessions: 50, now: () => 1_000_000 })
  /** The ids and versions that have to be there, the one refreshed longest ago first. */
  const expected = new Map<string, number>()

  for (let n = 0; n < 5000; n++) {
    const ids = [...expected.keys()]
    const id = ids[Math.floor(dice() * ids.length)]
    const version = expected.get(id ?? '')
    const chance = dice()
    if (id === undefined || version === undefined || chance < 0.4) {
      await store.create(record(`session-${n}`))
      expected.set(`session-${n}`, 1)
      if (expected.size > 50) expected.delete(ids[0] ?? '')
    } else if (chance < 0.9) {
      await store.replace(record(id, { version: version + 1 }), version)
      expected.delete(id)
      expected.set(id, version + 1)
    } else {
      await store.delete(id)
      expected.delete(id)
    }
    if (n % 100 > 0) continue
    const listed = (await store.list('user')).map(({ id }) => id)
    expect(listed.sort()).toEqual([...expected.keys()].sort())
  }
})

test('the memory store forgets the dead as others come, without a timer', async () => {
  const clock = createClock(1000)
  const store = createMemoryStore({ maxSessions: 2000, now: clock.now })
  await store.create(record('living', { expiresAt: 9000 }))
  for (let n = 0; n < 1000; n++) await store.create(record(`old-${n}`, { expiresAt: 2000 }))
  clock.advance(1000)
  const comes = (id: string) => store.create(record(id, { createdAt: 2000, expiresAt: 9000 }))

  for (let n = 0; n < 900; n++) await comes(`new-${n}`)
  // Were the dead still there, these would not fit, and the oldest would go.
  for (let n = 900; n < 1800; n++) await comes(`new-${n}`)

  expect(await store.get('living')).toBeDefined()
})

test('the memory store gives the id of a session that is over to another user, and to that one only', async () => {
  const clock = createClock(1000)
  const store = createMemoryStore({ now: clock.now })
  await store.create(record('a', { userId: 'before', expiresAt: 2000 }))
  clock.advance(1000)

  expect(await store.create(record('a', { userId: 'after' }))).toEqual({ count: 1 })

  expect(await store.list('before')).toEqual([])
  expect(await store.list('after')).toHaveLength(1)
})

test('the memory store gives back what was given, and adds nothing', async () => {
  const store = createMemoryStore({ maxSessions: 1, now: () => 1_000_000 })
  const [plain, withData] = [record('a'), record('b', { data: { hello: [1] } })]

  await store.create(plain)
  expect(await store.get('a')).toStrictEqual(plain)

  await store.create(withData)
  expect(await store.get('b')).toStrictEqual(withData)
  expect(await store.get('a')).toBeUndefined()
})

test.each([0, -1, 1.5, Number.NaN])('maxSessions: %d is refused', (maxSessions) => {
  expect(() => createMemoryStore({ maxSessions })).toThrow(/maxSessions/)
})

test.each([undefined, null, {}, 'redis://127.0.0.1', { get: async () => null }])(
  'createRedisStore refuses %j as a client',
  (client) => {
    expect(() => createRedisStore(client as never)).toThrow(TypeError)
  },
)

test('createRedisStore refuses a key prefix that is not a string', () => {
  const client = { get: nothing, del: nothing, eval: nothing, evalsha: nothing }

  expect(() => createRedisStore(client, { keyPrefix: 1 as never })).toThrow(/keyPrefix/)
})

const database: SqlDatabase = {
  executeQuery: async () => ({ rows: [] }),
  withoutPlugins: () => database,
  transaction: () => ({ execute: (run) => run(database) }),
}

test.each([undefined, null, {}, { executeQuery: nothing }])(
  'createSqlStore refuses %j in place of Kysely',
  (kysely) => {
    expect(() => createSqlStore(kysely as never, { dialect: 'sqlite' })).toThrow(/kysely/)
  },
)

test.each([undefined, 'mssql', 'toString'])('createSqlStore refuses the dialect %j', (dialect) => {
  expect(() => createSqlStore(database, { dialect: dialect as never })).toThrow(/dialect/)
})

test.each(['', 'a b', 'a;b', '1a', 'a.b.c', '"a"', '会话', 'a'.repeat(49)])(
  'createSqlStore refuses the table %j',
  (table) => {
    expect(() => createSqlStore(database, { dialect: 'sqlite', table })).toThrow(/table/)
  },
)

test('createSqlStore prints its schema without a database', () => {
  const { schema } = createSqlStore(database, { dialect: 'postgresql', table: 'app.sessions' })

  expect(schema).toEqual([
    expect.stringMatching(/^create table if not exists "app"."sessions" \(/),
    'create index if not exists "sessions_user" on "app"."sessions" (user_id)',
    'create index if not exists "sessions_day" on "app"."sessions" (day)',
  ])
})

test('a database that does not count changed rows is not taken for one that changed none', async () => {
  const store = createSqlStore(database, { dialect: 'sqlite' })

  await expect(store.replace(record('a'), 1)).rejects.toThrow(TypeError)
})

test.each(['40001', '40P01', 'ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'SQLITE_BUSY'])(
  'a statement that fails with %s is sent again, three times at most',
  async (code) => {
    const { connect, statements } = createFailingDatabase(code)

    const isWritten = await createSqlStore(connect({ failures: 3 }), { dialect: 'sqlite' }).replace(
      record('a'),
      1,
    )

    expect(isWritten).toBe(true)
    expect(statements()).toBe(4)
    await expect(
      createSqlStore(connect({ failures: 4 }), { dialect: 'sqlite' }).replace(record('a'), 1),
    ).rejects.toMatchObject({ code })
    expect(statements()).toBe(8)
  },
)

test('node:sqlite, which numbers its errors, is retried when it is busy', async () => {
  const busy = { code: 'ERR_SQLITE_ERROR', errcode: 5 }
  const { connect, statements } = createFailingDatabase(busy)

  const isWritten = await createSqlStore(connect({ failures: 1 }), { dialect: 'sqlite' }).replace(
    record('a'),
    1,
  )

  expect(isWritten).toBe(true)
  expect(statements()).toBe(2)
})

test('what migrate() cannot look at, it makes, whatever the driver calls it', async () => {
  const { connect, statements } = createFailingDatabase({ code: 'D1_ERROR' })
  const store = createSqlStore(connect({ failures: 1 }), { dialect: 'sqlite' })

  await store.migrate()

  expect(statements()).toBe(1 + store.schema.length)
})

test.each(['42P01', 'ER_NO_SUCH_TABLE', 'SQLITE_ERROR'])(
  'a table that is missing (%s) leads to migrate()',
  async (code) => {
    const { connect } = createFailingDatabase({ code })
    const store = createSqlStore(connect({ failures: 1 }), { dialect: 'sqlite' })

    await expect(store.get('a')).rejects.toMatchObject({
      code,
      message: expect.stringContaining('call await store.migrate() before the first login'),
    })
  },
)

test('migrate() says what stands in the way of making the table', async () => {
  const { connect } = createFailingDatabase({ code: 'ECONNREFUSED' })
  const store = createSqlStore(connect({ failures: 2 }), { dialect: 'sqlite' })

  await expect(store.migrate()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test.each(['23505', 'ER_DUP_ENTRY', 'ECONNRESET', 'SQLITE_READONLY'])(
  'a statement that fails with %s is not sent again',
  async (code) => {
    const { connect, statements } = createFailingDatabase(code)
    const store = createSqlStore(connect({ failures: 1 }), { dialect: 'sqlite' })

    await expect(store.replace(record('a'), 1)).rejects.toMatchObject({ code })

    expect(statements()).toBe(1)
  },
)

function createFailingDatabase(failure: string | object) {
  let sent = 0
  const connect = ({ failures }: { failures: number }): SqlDatabase => {
    let failuresLeft = failures
    const failing: SqlDatabase = {
      ...database,
      withoutPlugins: () => failing,
      async executeQuery() {
        sent++
        if (failuresLeft-- > 0) {
          throw Object.assign(
            new Error('refused'),
            typeof failure === 'string' ? { code: failure } : failure,
          )
        }
        return { rows: [], numAffectedRows: 1n }
      },
    }
    return failing
  }
  return { connect, statements: () => sent }
}

async function nothing(): Promise<null> {
  return null
}

// What must not pass: each of these is a way in which stores are written wrong. `kept` is what was ever written.
const mutants: Record<
  string,
  (store: ReturnType<typeof createMemoryStore>, kept: Map<string, SessionRecord>) => SessionStore
> = {
  'put overwrites': (store) => ({
    ...store,
    put: async (id, value, expiresAt) => {
      await store.take(id)
      return store.put(id, value, expiresAt)
    },
  }),
  'put always says yes': (store) => ({
    ...store,
    put: async (id, value, expiresAt) => {
      await store.put(id, value, expiresAt)
      return true
    },
  }),
  'put never ends': (store) => ({
    ...store,
    put: (id, value) => store.put(id, value, 9_999_999_999),
  }),
  'put is not atomic': (store) => ({
    ...store,
    put: async (id, value, expiresAt) => {
      if ((await store.peek(id)) !== undefined) return false
      while (!(await store.put(id, value, expiresAt))) await store.take(id)
      return true
    },
  }),
  'peek removes': (store) => ({ ...store, peek: store.take }),
  'take leaves it': (store) => ({ ...store, take: store.peek }),
  'take is not atomic': (store) => ({
    ...store,
    take: async (id) => {
      const value = await store.peek(id)
      await store.take(id)
      return value
    },
  }),
  'take leaves an id that cannot be put again': (store) => {
    const taken = new Set<string>()
    return {
      ...store,
      put: async (id, value, expiresAt) => !taken.has(id) && store.put(id, value, expiresAt),
      take: async (id) => {
        const value = await store.take(id)
        if (value !== undefined) taken.add(id)
        return value
      },
    }
  },
  'texts lose the spaces at their end': (store) => ({
    ...store,
    put: (id, value, expiresAt) => store.put(id, value.trimEnd(), expiresAt),
  }),
  'delete reaches what was put': (store) => ({
    ...store,
    delete: async (id) => {
      await store.take(id)
      await store.delete(id)
    },
  }),
  'create overwrites': (store) => ({
    ...store,
    create: async (record) => {
      await store.delete(record.id)
      return store.create(record)
    },
  }),
  'create always says yes': (store) => ({
    ...store,
    create: async (record) => {
      await store.create(record)
      return true
    },
  }),
  'replace is not atomic': (store) => ({
    ...store,
    replace: async (record, expectedVersion) => {
      const seen = await store.get(record.id)
      if (seen?.version !== expectedVersion) return false
      for (;;) {
        const current = await store.get(record.id)
        if (!current) return false
        if (await store.replace(record, current.version)) return true
      }
    },
  }),
  'replace ignores the version': (store) => ({
    ...store,
    replace: async (record) => {
      const existing = await store.get(record.id)
      return existing ? store.replace(record, existing.version) : false
    },
  }),
  'replace ignores a version that is too new': (store) => ({
    ...store,
    replace: async (record, expectedVersion) => {
      const existing = await store.get(record.id)
      if (!existing || existing.version > expectedVersion) return false
      return store.replace(record, existing.version)
    },
  }),
  'replace creates': (store) => ({
    ...store,
    replace: async (record, expectedVersion) =>
      (await store.get(record.id))
        ? store.replace(record, expectedVersion)
        : Boolean(await store.create(record)),
  }),
  'replace ignores whether anything matched': (store) => ({
    ...store,
    replace: async (record, expectedVersion) => {
      await store.replace(record, expectedVersion)
      return true
    },
  }),
  'replace counts changed rows': (store) => ({
    ...store,
    replace: async (record, expectedVersion) => {
      const existing = await store.get(record.id)
      const isWritten = await store.replace(record, expectedVersion)
      return isWritten && JSON.stringify(existing) !== JSON.stringify(record)
    },
  }),
  'replace revives what has expired': (store, kept) => ({
    ...keeping(store, kept),
    replace: async (record, expectedVersion) => {
      const isGone = (await store.get(record.id)) === undefined
      if (isGone && kept.get(record.id)?.version === expectedVersion) {
        return Boolean(await store.create(record))
      }
      return store.replace(record, expectedVersion)
    },
    delete: async (id) => {
      kept.delete(id)
      await store.delete(id)
    },
  }),
  'replace keeps the old end': (store) => ({
    ...store,
    replace: async (record, expectedVersion) => {
      const { expiresAt } = (await store.get(record.id)) ?? record
      return store.replace({ ...record, expiresAt }, expectedVersion)
    },
  }),
  'replace keeps a record that ends now for good, as a time to live of 0 does': (store) => ({
    ...store,
    replace: (record, expectedVersion) => {
      const { endsAt, expiresAt, lastRefreshAt } = record
      const endsNow = expiresAt === lastRefreshAt
      return store.replace(endsNow ? { ...record, expiresAt: endsAt } : record, expectedVersion)
    },
  }),
  'create forgets the key of the login': (store) => ({
    ...store,
    create: ({ loginIdempotencyKeyHash: _, ...record }) => store.create(record),
  }),
  'list stops at 100': (store) => ({
    ...store,
    list: async (userId) => (await store.list(userId)).slice(0, 100),
  }),
  'count leaves out tombstones': (store) => ({
    ...store,
    count: async (userId) =>
      (await store.list(userId)).filter(({ revokedAt }) => revokedAt === undefined).length,
  }),
  'get ignores the expiry': (store, kept) => ({
    ...keeping(store, kept),
    get: async (id) => (await store.get(id)) ?? kept.get(id),
    delete: async (id) => {
      kept.delete(id)
      await store.delete(id)
    },
  }),
  'list shows the dead': (store, kept) => ({
    ...keeping(store, kept),
    list: async (userId) => [...kept.values()].filter((record) => record.userId === userId),
    delete: async (id) => {
      kept.delete(id)
      await store.delete(id)
    },
  }),
  'list forgets the living': (store) => ({
    ...store,
    list: async (userId) => (await store.list(userId)).slice(0, 1),
  }),
  'list stops at a hundred entries of the index': (store, kept) => ({
    ...keeping(store, kept),
    list: async (userId) => {
      const entries = [...kept.values()].filter((record) => record.userId === userId)
      const shown = new Set(entries.slice(-100).map(({ id }) => id))
      return (await store.list(userId)).filter(({ id }) => shown.has(id))
    },
  }),
  'create counts before it has written': (store) => ({
    ...store,
    async create(record) {
      const count = (await store.list(record.userId)).length
      return (await store.create(record)) && { count: Math.max(1, count) }
    },
  }),
  'list is the oldest first': (store) => ({
    ...store,
    list: async (userId) => (await store.list(userId)).reverse(),
  }),
  'list is what create wrote': (store, kept) => ({
    ...keeping(store, kept),
    list: async (userId) =>
      (await store.list(userId)).map((record) => kept.get(record.id) ?? record),
  }),
  'list forgets who moved in': (store, kept) => ({
    ...keeping(store, kept),
    list: async (userId) =>
      (await store.list(userId)).filter(({ id }) => kept.get(id)?.userId === userId),
  }),
  'count forgets the living': (store) => ({ ...store, count: async () => 0 }),
  'delete does nothing': (store) => ({ ...store, delete: async () => undefined }),
  'delete leaves the index': (store, kept) => ({
    ...keeping(store, kept),
    list: async (userId) => {
      const now = createClock().now() / 1000
      return [...kept.values()]
        .filter((record) => record.userId === userId && record.expiresAt > now)
        .sort((a, b) => b.createdAt - a.createdAt)
    },
    replace: async (record, expectedVersion) => {
      const isWritten = await store.replace(record, expectedVersion)
      if (isWritten) kept.set(record.id, record)
      return isWritten
    },
  }),
  'ids do not tell upper from lower case': (store) => ({
    ...store,
    create: (record) => store.create({ ...record, id: record.id.toLowerCase() }),
    get: async (id) => {
      const record = await store.get(id.toLowerCase())
      return record && { ...record, id }
    },
  }),
  'users lose the spaces at their end': (store) => ({
    ...store,
    list: (userId) => store.list(userId.trimEnd()),
  }),
  'record is cut off when it is long': (store) => ({
    ...store,
    create: (record) =>
      store.create(
        typeof record.data === 'string'
          ? { ...record, data: record.data.slice(0, 65_535) }
          : record,
      ),
  }),
}

/** The store, and in `kept` every record that create has taken. */
function keeping(store: SessionStore, kept: Map<string, SessionRecord>): SessionStore {
  return {
    ...store,
    create: async (record) => {
      const isCreated = await store.create(record)
      if (isCreated) kept.set(record.id, record)
      return isCreated
    },
  }
}

test.each(Object.entries(mutants))('storeCases catch a store whose %s', async (_name, mutate) => {
  const { now } = createClock()
  const store = mutate(createMemoryStore({ now }), new Map())

  const failed = await failedCases(store, storeCases({ now }))

  expect(failed).not.toEqual([])
})

/** Every member, so that one which is added is a row here, too; `later` is one that a later version has. */
const members: Readonly<Record<keyof SessionRecord | 'later', true>> = {
  v: true,
  id: true,
  version: true,
  userId: true,
  appId: true,
  kind: true,
  openid: true,
  unionid: true,
  device: true,
  sealedKey: true,
  generation: true,
  idempotencyKeyHash: true,
  loginIdempotencyKeyHash: true,
  data: true,
  method: true,
  approvedBy: true,
  createdAt: true,
  authenticatedAt: true,
  lastRefreshAt: true,
  endsAt: true,
  expiresAt: true,
  revokedAt: true,
  revokedReason: true,
  later: true,
}

describe.each(Object.keys(members))('storeCases catch a store that loses %s', (member) => {
  const without = (record: SessionRecord): SessionRecord => {
    const { [member]: _, ...rest }: Record<string, unknown> = { ...record }
    return rest as unknown as SessionRecord
  }

  test.each<[string, (store: SessionStore) => Partial<SessionStore>]>([
    ['create', (store) => ({ create: (record) => store.create(without(record)) })],
    [
      'replace',
      (store) => ({ replace: (record, version) => store.replace(without(record), version) }),
    ],
    ['list', (store) => ({ list: async (userId) => (await store.list(userId)).map(without) })],
  ])('in %s', async (_verb, lose) => {
    const { now } = createClock()
    const store = createMemoryStore({ now })

    const failed = await failedCases({ ...store, ...lose(store) }, storeCases({ now }))

    expect(failed).not.toEqual([])
  })
})

/** A store that keeps its user index apart from its records, and what a crash between the two does to it. */
function createIndexedStore(now: () => number, { isIndexFirst }: { isIndexFirst: boolean }) {
  const records = createMemoryStore({ now })
  const index = new Map<string, Set<string>>()

  return function connect(calls = Number.POSITIVE_INFINITY): SessionStore {
    let callsLeft = calls
    const call = () => {
      if (callsLeft-- <= 0) throw new Error('The connection is lost')
    }
    const enlist = ({ userId, id }: SessionRecord) => {
      call()
      index.set(userId, (index.get(userId) ?? new Set()).add(id))
    }
    const write = async (record: SessionRecord, toRecords: () => Promise<boolean>) => {
      if (isIndexFirst) enlist(record)
      call()
      const isWritten = await toRecords()
      if (!isIndexFirst && isWritten) enlist(record)
      return isWritten
    }
    return {
      ...records,
      create: (record) => write(record, async () => Boolean(await records.create(record))),
      replace: (record, version) => write(record, () => records.replace(record, version)),
      list: async (userId) => {
        const found = await Promise.all([...(index.get(userId) ?? [])].map(records.get))
        return found
          .filter((record) => record?.userId === userId)
          .flatMap((record) => record ?? [])
          .sort((a, b) => b.createdAt - a.createdAt)
      },
    }
  }
}

test('storeCases pass a store that writes its user index first', async () => {
  const { now } = createClock()
  const connect = createIndexedStore(now, { isIndexFirst: true })

  const failed = await failedCases(connect(), storeCases({ now, brokenAfter: connect }))

  expect(failed).toEqual([])
})

test('storeCases catch a store whose user index is lost in a crash', async () => {
  const { now } = createClock()
  const connect = createIndexedStore(now, { isIndexFirst: false })

  const failed = await failedCases(connect(), storeCases({ now, brokenAfter: connect }))

  expect(failed).toEqual([
    'a create that breaks off leaves no record that list does not show',
    'a move to another user that breaks off leaves the record in the list of the user it has',
  ])
})

async function failedCases(store: SessionStore, cases: readonly StoreCase[]): Promise<string[]> {
  const results = await Promise.allSettled(cases.map(({ run }) => run(store)))
  return cases.flatMap(({ name }, n) => (results[n]?.status === 'rejected' ? [name] : []))
}

test('the memory store drops the oldest of the texts that were put when there are too many', async () => {
  const store = createMemoryStore({ maxSessions: 2, now: () => 1_000_000 })
  await store.create(record('a'))
  for (const id of ['first', 'second', 'third']) await store.put(id, `the ${id}`, 5000)

  expect(await store.peek('first')).toBeUndefined()
  expect(await store.peek('second')).toBe('the second')
  expect(await store.peek('third')).toBe('the third')
  expect(await store.get('a')).toBeDefined()
})

test('the memory store forgets the texts that are over as others come, without a timer', async () => {
  const clock = createClock(1000)
  const store = createMemoryStore({ maxSessions: 2000, now: clock.now })
  await store.put('living', 'text', 9000)
  for (let n = 0; n < 1000; n++) await store.put(`old-${n}`, 'text', 2000)
  clock.advance(1000)

  for (let n = 0; n < 1800; n++) await store.put(`new-${n}`, 'text', 9000)

  expect(await store.peek('living')).toBe('text')
})

test('a store that has some of put, peek and take fails a case', async () => {
  const { put: _put, ...store } = createMemoryStore()

  const results = await Promise.allSettled(storeCases().map(({ run }) => run(store)))

  expect(
    results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])),
  ).toEqual([expect.objectContaining({ message: expect.stringContaining('put') })])
})
