import { CamelCasePlugin, type Kysely, sql } from 'kysely'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { createSqlStore, type SqlDatabase } from '../../src/stores/sql.js'
import { storeCases } from '../../src/testing/index.js'
import { createClock, newKey, setUp } from '../set-up.js'
import {
  clear,
  isSql,
  newNamespace,
  newRecord,
  openSqlStore,
  type SqlPlace,
  storePlaces,
} from './stores.js'

const places = storePlaces(inject('services')).filter(isSql)

describe.each(places)('$name', (given) => {
  const place: SqlPlace = { ...given, namespace: newNamespace() }
  afterAll(() => clear(place))

  test('the table is missed until it is made, and eight instances may make it at once', async () => {
    const own = { ...place, namespace: newNamespace() }
    const instances = Array.from({ length: 8 }, () => openSqlStore(own))
    const stores = instances.map(({ store }) => store)
    expect(await stores[0]?.check()).toEqual(['sql_not_migrated'])

    await Promise.all(stores.map((store) => store.migrate()))

    const record = newRecord(Date.now)
    expect(await Promise.all(stores.map((store) => store.check()))).toEqual(stores.map(() => []))
    expect(await stores[0]?.create(record)).toBe(true)
    expect(await stores[7]?.list(record.userId)).toEqual([record])
    await stores[3]?.migrate()
    expect(await stores[7]?.get(record.id)).toEqual(record)
    await Promise.all(instances.map(({ close }) => close()))
    await clear(own)
  })

  test('a table that lacks a column is missed too', async () => {
    const own = { ...place, namespace: newNamespace() }
    const { store, kysely, close } = openSqlStore(own)
    await kysely.schema.createTable(own.namespace).addColumn('id', 'integer').execute()

    expect(await store.check()).toEqual(['sql_not_migrated'])

    await close()
    await clear(own)
  })

  test('the schema can be run by hand, and twice', async () => {
    const own = { ...place, namespace: newNamespace() }
    const { store, kysely, close } = openSqlStore(own)

    for (const sql of [...store.schema, ...store.schema]) {
      // MySQL knows no "if not exists" for an index, so its schema is one statement.
      await kysely.executeQuery({
        sql,
        parameters: [],
        query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
        queryId: { queryId: 'by-hand' },
      })
    }

    const record = newRecord(Date.now)
    expect(await store.check()).toEqual([])
    expect(await store.create(record)).toBe(true)
    await close()
    await clear(own)
  })

  test('a table in a named schema holds the cases', async () => {
    const home = { postgresql: 'public', mysql: 'wxlogin', sqlite: 'main' }[place.kind]
    const own = { ...place, namespace: newNamespace() }
    const { store, close } = openSqlStore(own, { table: `${home}.${own.namespace}` })
    await store.migrate()

    const results = await Promise.allSettled(storeCases().map(({ run }) => run(store)))

    expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
    await close()
    await clear(own)
  })

  test("an app's plugin that renames columns does no harm", async () => {
    const { kysely, close } = openSqlStore(place)
    const store = createSqlStore(kysely.withPlugin(new CamelCasePlugin()), {
      dialect: place.kind,
      table: place.namespace,
    })
    await store.migrate()
    const record = newRecord(Date.now)

    await store.create(record)

    expect(await store.list(record.userId)).toEqual([record])
    expect(await store.count(record.userId)).toBe(1)
    await close()
  })

  test('a record ends by the clock, and sweep removes what has ended, so many at a time', async () => {
    const clock = createClock()
    const own = { ...place, namespace: newNamespace() }
    const { store, kysely, close } = openSqlStore(own, clock)
    await store.migrate()
    const records = Array.from({ length: 25 }, () => newRecord(clock.now, { userId: 'user' }))
    for (const record of records) await store.create(record)
    clock.advance(2999)
    expect(await store.list('user')).toHaveLength(25)
    expect(await store.sweep()).toBe(0)

    clock.advance(1)
    const living = newRecord(clock.now, { userId: 'user', expiresAt: 1_900_000_000 })
    await store.create(living)

    expect(await store.get(records[0]?.id ?? '')).toBeUndefined()
    expect(await store.list('user')).toEqual([living])
    expect(await store.count('user')).toBe(1)
    // The day after.
    clock.advance(86_400)
    expect([await store.sweep(10), await store.sweep(10), await store.sweep(10)]).toEqual([
      10, 10, 5,
    ])
    expect(await store.sweep()).toBe(0)
    const rows = await kysely
      .withTables<Record<string, object>>()
      .selectFrom(own.namespace)
      .selectAll()
      .execute()
    expect(rows).toHaveLength(1)
    await close()
    await clear(own)
  })

  test('sweep leaves what was refreshed, and finds what ended earlier or later than it was to', async () => {
    const clock = createClock()
    const own = { ...place, namespace: newNamespace() }
    const { store, close } = openSqlStore(own, clock)
    await store.migrate()
    const daySeconds = 86_400
    const today = Math.floor(clock.now() / 1000)
    const end = (days: number) => ({ expiresAt: today + days * daySeconds, endsAt: 1_900_000_000 })
    const [refreshed, endedEarly] = [newRecord(clock.now, end(3)), newRecord(clock.now, end(30))]
    await store.create(refreshed)
    await store.create(endedEarly)
    await store.replace({ ...refreshed, version: 2, ...end(5) }, 1)
    await store.replace({ ...endedEarly, version: 2, ...end(0) }, 1)

    const swept: number[] = []
    for (let day = 0; day < 8; day++) {
      swept.push(await store.sweep())
      clock.advance(daySeconds)
    }

    expect(swept).toEqual([0, 1, 0, 0, 0, 0, 1, 0])
    await close()
    await clear(own)
  })

  if (place.kind === 'postgresql') {
    test('a refresh writes its page and no index (HOT)', async () => {
      const own = { ...place, namespace: newNamespace() }
      // One connection, which reports what it has written when it is told to.
      const { store, kysely, close } = openSqlStore(own, { maxConnections: 1 })
      await store.migrate()
      const { auth } = setUp({ store, now: Date.now, storeTimeoutMs: 30_000 })
      const logIn = async () =>
        (await auth.sessions.create({ account: { openid: newKey() } })).refresh_token
      let tokens = await Promise.all(Array.from({ length: 50 }, logIn))
      for (let round = 0; round < 20; round++) {
        tokens = await Promise.all(
          tokens.map(async (refreshToken) => (await auth.refresh({ refreshToken })).refresh_token),
        )
      }

      await sql`select pg_stat_force_next_flush()`.execute(kysely)
      const { rows } = await sql<{ all: string; hot: string }>`
        select n_tup_upd as all, n_tup_hot_upd as hot from pg_stat_user_tables where relname = ${own.namespace}`.execute(
        kysely,
      )
      const [all, hot] = [Number(rows[0]?.all), Number(rows[0]?.hot)]
      expect(all).toBe(1000)
      expect(hot / all).toBeGreaterThan(0.9)
      await close()
      await clear(own)
    })
  }

  test('what was put ends by the clock, and sweep removes it', async () => {
    const clock = createClock()
    const own = { ...place, namespace: newNamespace() }
    const { store, kysely, close } = openSqlStore(own, clock)
    await store.migrate()
    const end = Math.floor(clock.now() / 1000) + 300
    await store.put('over', 'text', end)
    await store.put('living', 'text', end + 100_000)
    clock.advance(299)
    expect(await store.peek('over')).toBe('text')
    expect(await store.sweep()).toBe(0)

    clock.advance(1)

    expect(await store.peek('over')).toBeUndefined()
    expect(await store.take('over')).toBeUndefined()
    clock.advance(86_400)
    expect(await store.sweep()).toBe(1)
    expect(await store.take('living')).toBe('text')
    const rows = await kysely
      .withTables<Record<string, object>>()
      .selectFrom(own.namespace)
      .selectAll()
      .execute()
    expect(rows).toEqual([])
    await close()
    await clear(own)
  })

  test('many may sweep at once, and nothing that came back is lost', async () => {
    const clock = createClock()
    const own = { ...place, namespace: newNamespace() }
    const { store, close } = openSqlStore(own, clock)
    await store.migrate()
    const records = Array.from({ length: 40 }, () => newRecord(clock.now))
    for (const record of records) await store.create(record)
    clock.advance(90_000)
    const back = records.map(({ id }) => newRecord(clock.now, { id }))

    const [removed] = await Promise.all([
      Promise.all(Array.from({ length: 8 }, () => store.sweep(10))),
      Promise.all(back.map((record) => store.create(record))),
    ])

    expect(removed.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(40)
    expect(await Promise.all(back.map(({ id }) => store.get(id)))).toEqual(back)
    await close()
    await clear(own)
  })

  test.each([0, -1, 1.5, Number.NaN])('sweep refuses a limit of %d', async (limit) => {
    const { store, close } = openSqlStore(place)

    await expect(store.sweep(limit)).rejects.toThrow(/limit/)

    await close()
  })

  test('a pool whose connections are all taken is named as what a call waited for', async () => {
    const { store, kysely, close } = openSqlStore(place, { maxConnections: 1 })
    await store.migrate()
    const { auth } = setUp({ store, now: Date.now, storeTimeoutMs: 300 })
    const lookUp = () => auth.sessions.list(place.namespace)

    await kysely.connection().execute(async () => {
      await expect(lookUp()).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining('no connection free'),
      })
    })

    await expect(lookUp()).resolves.toEqual([])
    await close()
  })

  // SQLite has no users.
  const servers = place.kind === 'sqlite' ? [] : [place.kind]
  test.each(servers)(
    'a user of %s that may not create tables starts where the table is there, and is refused where not',
    async () => {
      const own = { ...place, namespace: newNamespace() }
      const owner = openSqlStore(own)
      const { user, url, drop } = await createUserWithoutCreate(owner.kysely, own)
      const limited = openSqlStore({ ...own, urls: [url] })

      await expect(limited.store.migrate()).rejects.toThrow(/denied/)
      await owner.store.migrate()
      // It may not even look.
      await expect(limited.store.migrate()).rejects.toThrow(/denied/)
      await sql`grant select, insert, update, delete on ${sql.table(own.namespace)} to ${user}`.execute(
        owner.kysely,
      )
      await limited.store.migrate()

      const results = await Promise.allSettled(storeCases().map(({ run }) => run(limited.store)))
      expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
      await limited.close()
      await clear(own)
      await drop()
      await owner.close()
    },
  )

  test.each(place.kind === 'mysql' ? ['id', 'user_id'] : [])(
    'a session of MySQL is found by the index on %s',
    async (column) => {
      const explanations: unknown[] = []
      const { kysely, close } = openSqlStore(place)
      const spy: SqlDatabase = {
        transaction: () => ({ execute: (run) => run(spy) }),
        withoutPlugins: () => spy,
        async executeQuery(query) {
          const explained = `explain ${query.sql}`
          const fragments = { ...query.query, sqlFragments: [explained] }
          const { rows } = await kysely.executeQuery({ ...query, sql: explained, query: fragments })
          explanations.push(...rows)
          return { rows: [] }
        },
      }
      const options = { dialect: place.kind, table: place.namespace }
      const filled = createSqlStore(kysely, options)
      await filled.migrate()
      const record = newRecord(Date.now)
      await filled.create(record)
      const store = createSqlStore(spy, options)

      await (column === 'id' ? store.get(record.id) : store.list(record.userId))

      const key = column === 'id' ? 'PRIMARY' : `${place.namespace}_user`
      expect(explanations).toEqual([
        expect.objectContaining({ possible_keys: expect.stringContaining(key) }),
      ])
      await close()
    },
  )

  // A statement of SQLite answers at once, in this thread, so it has no such case.
  test.each(servers)(
    'a %s that does not answer is not taken for a pool that is too small',
    async () => {
      const { store, close } = openSqlStore(place, { maxConnections: 1 })
      await store.migrate()
      const other = openSqlStore(place)
      const { auth } = setUp({ store, now: Date.now, storeTimeoutMs: 300 })
      const { refresh_token: refreshToken } = await auth.sessions.create({
        account: { openid: 'alice' },
        userId: place.namespace,
      })

      await other.kysely.transaction().execute(async (transaction) => {
        const lock = sql`select id from ${sql.table(place.namespace)} for update`
        await lock.execute(transaction)
        await expect(
          auth.refresh({ refreshToken, idempotencyKey: newKey() }),
        ).rejects.toMatchObject({
          code: 'store_unavailable',
          message: expect.stringContaining('did not answer'),
        })
      })

      await other.close()
      await close()
    },
  )

  test('a read-only database is a 503, and the same token works afterwards', async () => {
    const { store, close } = openSqlStore(place)
    await store.migrate()
    const initially = {
      postgresql: 'set default_transaction_read_only = on',
      mysql: 'set session transaction read only',
      sqlite: 'pragma query_only = 1',
    }[place.kind]
    const readOnly = openSqlStore({ ...place, connection: { initially } })
    const { auth, wechat } = setUp({ store, now: Date.now, storeTimeoutMs: 5000 })
    const blocked = setUp({ store: readOnly.store, now: Date.now, storeTimeoutMs: 5000 })
    const { access_token, refresh_token } = await auth.login({ code: wechat.codeFor('alice') })
    const refreshing = { refreshToken: refresh_token, idempotencyKey: newKey() }

    const unavailable = { code: 'store_unavailable', status: 503 }
    const code = blocked.wechat.codeFor('alice')
    await expect(blocked.auth.login({ code })).rejects.toMatchObject(unavailable)
    await expect(blocked.auth.refresh(refreshing)).rejects.toMatchObject(unavailable)
    await expect(blocked.auth.logout({ refreshToken: refresh_token })).rejects.toMatchObject(
      unavailable,
    )
    await blocked.auth.authenticate(`Bearer ${access_token}`, { fresh: true })

    await expect(auth.refresh(refreshing)).resolves.toMatchObject({ token_type: 'Bearer' })
    await readOnly.close()
    await close()
  })
})

/** Somebody who may connect, and has no right at all. */
async function createUserWithoutCreate(
  kysely: Kysely<object>,
  { kind, namespace, urls }: SqlPlace,
) {
  const url = new URL(urls[0] ?? '')
  const user = kind === 'mysql' ? sql`${sql.lit(namespace)}@'%'` : sql.id(namespace)
  const password = sql.lit('not-a-secret')
  if (kind === 'mysql') {
    await sql`create user ${user} identified by ${password}`.execute(kysely)
    // Without a right there, the database is not even to be entered.
    await sql`grant show view on ${sql.id(url.pathname.slice(1))}.* to ${user}`.execute(kysely)
  } else {
    await sql`create role ${user} login password ${password}`.execute(kysely)
  }
  url.username = namespace
  url.password = 'not-a-secret'
  const drop = async () => {
    if (kind === 'postgresql') await sql`drop owned by ${user}`.execute(kysely)
    await sql`drop user ${user}`.execute(kysely)
  }
  return { user, url: url.href, drop }
}
