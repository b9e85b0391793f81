import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Redis as IoRedis6, Cluster as IoRedisCluster } from 'ioredis'
import { Redis as IoRedis5 } from 'ioredis5'
import { type Dialect, Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely'
import Sqlite from 'libsql'
import { createPool } from 'mysql2'
import { Pool } from 'pg'
import { createClient, createCluster } from 'redis'
import type { SessionRecord, SessionStore } from '../../src/index.js'
import { createRedisStore } from '../../src/stores/redis.js'
import { createSqlStore, type SqlStore, type SqlStoreOptions } from '../../src/stores/sql.js'
import type { ServiceName, Services } from './global-setup.js'

/** A store that can be opened here and in other processes: plain data. */
export interface StorePlace {
  readonly name: string
  readonly kind:
    | 'redis 6'
    | 'redis 6 cluster'
    | 'ioredis 5'
    | 'ioredis 6'
    | 'ioredis 6 cluster'
    | SqlStoreOptions['dialect']
  /** Several for the nodes of a cluster; a file for SQLite. */
  readonly urls: readonly string[]
  /** The prefix of the keys, or the table: what is made here meets nobody else's. */
  readonly namespace: string
  /** Beyond the usual, of the driver's connection. */
  readonly connection?: ConnectionOptions
  /** Why its service is not there. Whoever opens it fails with this. */
  readonly problem?: string
}

interface ConnectionOptions {
  /** Of mysql2. */
  readonly flags?: string[]
  readonly charset?: string
  readonly supportBigNumbers?: boolean
  readonly bigNumberStrings?: boolean
  /** Runs on every new connection. */
  readonly initially?: string
}

export interface OpenStore<Store extends SessionStore = SessionStore> {
  readonly store: Store
  /** The same store by a connection that breaks after so many calls. */
  brokenAfter(calls: number): Store
  close(): Promise<void>
}

export interface OpenOptions {
  now?: () => number
}

/** Every kind of store that this machine provides, or should. */
export function storePlaces(services: Services): readonly StorePlace[] {
  const place = (
    kind: StorePlace['kind'],
    name: string,
    service: ServiceName,
    connection?: ConnectionOptions,
  ): StorePlace[] => {
    const problem = services.problems[service]
    const urls = [services[service] ?? []].flat()
    if (urls.length === 0 && problem === undefined) return []
    return [
      {
        ...{ name, kind, urls, namespace: newNamespace() },
        ...(connection && { connection }),
        ...(problem !== undefined && { problem }),
      },
    ]
  }
  return [
    ...place('redis 6', 'Redis with redis 6', 'redis'),
    ...place('ioredis 5', 'Redis with ioredis 5', 'redis'),
    ...place('ioredis 6', 'Redis with ioredis 6', 'redis'),
    ...place('redis 6', 'Valkey with redis 6', 'valkey'),
    ...place('redis 6 cluster', 'Redis Cluster with redis 6', 'redisCluster'),
    ...place('ioredis 6 cluster', 'Redis Cluster with ioredis 6', 'redisCluster'),
    ...place('postgresql', 'PostgreSQL', 'postgres'),
    ...place('mysql', 'MariaDB', 'mysql'),
    ...place('postgresql', 'PostgreSQL with serializable transactions', 'postgres', {
      initially: 'set default_transaction_isolation = serializable',
    }),
    ...place('mysql', 'MariaDB that counts changed rows', 'mysql', { flags: ['-FOUND_ROWS'] }),
    ...place('mysql', 'MariaDB by a connection without emoji', 'mysql', {
      charset: 'UTF8_GENERAL_CI',
    }),
    ...place(
      'mysql',
      'MariaDB without backslash escapes, by a driver whose numbers are text',
      'mysql',
      {
        initially: "set session sql_mode = concat(@@sql_mode, ',NO_BACKSLASH_ESCAPES')",
        supportBigNumbers: true,
        bigNumberStrings: true,
      },
    ),
    {
      name: 'SQLite',
      kind: 'sqlite',
      urls: [join(services.folder, `${newNamespace()}.db`)],
      namespace: newNamespace(),
    },
  ]
}

/** A record that nobody else has, with only what every record has. */
export function newRecord(now: () => number, changes: Partial<SessionRecord> = {}): SessionRecord {
  const createdAt = Math.floor(now() / 1000)
  return {
    v: 1,
    id: randomUUID(),
    version: 1,
    method: 'code',
    userId: randomUUID(),
    appId: 'wx0000000000000001',
    openid: randomUUID(),
    generation: 0,
    idempotencyKeyHash: randomUUID(),
    createdAt,
    authenticatedAt: createdAt,
    lastRefreshAt: createdAt,
    endsAt: createdAt + 9000,
    expiresAt: createdAt + 3000,
    ...changes,
  }
}

export const newNamespace = (): string => `wxlogin_${randomUUID().slice(0, 8)}`

/** Opens a store by a connection, or a pool of them, of its own. */
export async function openStore(place: StorePlace, options: OpenOptions = {}): Promise<OpenStore> {
  if (!isSql(place)) return openRedisStore(place, options)
  const { store, ...rest } = openSqlStore(place, options)
  await store.migrate()
  return { store, ...rest }
}

export async function openRedisStore(
  place: StorePlace,
  { now = Date.now }: OpenOptions = {},
): Promise<OpenStore<ReturnType<typeof createRedisStore>> & { readonly calls: () => number }> {
  const { client, close } = await openRedis(place)
  const keyPrefix = `${place.namespace}:`
  const counted = breaking(client, Number.POSITIVE_INFINITY)
  return {
    store: createRedisStore(counted.client, { keyPrefix, now }),
    calls: counted.calls,
    brokenAfter: (calls) => createRedisStore(breaking(client, calls).client, { keyPrefix, now }),
    close,
  }
}

/** Nothing is migrated yet. */
export function openSqlStore(
  place: SqlPlace,
  {
    now = Date.now,
    table = place.namespace,
    maxConnections = 10,
  }: OpenOptions & { table?: string; maxConnections?: number } = {},
): OpenStore<SqlStore> & { readonly kysely: Kysely<object> } {
  const kysely = openSql(place, maxConnections)
  const options = { dialect: place.kind, table, now }
  return {
    kysely,
    store: createSqlStore(kysely, options),
    brokenAfter: (calls) =>
      createSqlStore(breaking(kysely.withoutPlugins(), calls).client, options),
    close: () => kysely.destroy(),
  }
}

/** Counts the calls of a client, and rejects those after the first `maxCalls`. */
function breaking<Client extends object>(client: Client, maxCalls: number) {
  let calls = 0
  const proxy: Client = new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (name === 'withoutPlugins') return () => proxy
      return async (...args: unknown[]) => {
        if (++calls > maxCalls) throw new Error('The connection is lost')
        return Reflect.apply(member, target, args)
      }
    },
  })
  return { client: proxy, calls: () => calls }
}

/** Removes whatever stores at this place have left. */
export async function clear(place: StorePlace): Promise<void> {
  if (place.problem !== undefined) return
  if (isSql(place)) {
    const kysely = openSql(place)
    await kysely.schema.dropTable(place.namespace).ifExists().execute()
    return kysely.destroy()
  }
  for (const url of place.urls) {
    const client = await createClient({ url }).connect()
    for await (const keys of client.scanIterator({ MATCH: `${place.namespace}:*`, COUNT: 1000 })) {
      for (const key of keys) await client.del(key)
    }
    client.destroy()
  }
}

export type SqlPlace = StorePlace & { readonly kind: SqlStoreOptions['dialect'] }

export const isSql = (place: StorePlace): place is SqlPlace =>
  ['postgresql', 'mysql', 'sqlite'].includes(place.kind)

export function openSql(place: SqlPlace, maxConnections = 10): Kysely<object> {
  demand(place)
  return new Kysely({ dialect: dialectOf(place, maxConnections) })
}

/** Throws the reason why the place is not there. */
export function demand({ name, problem }: StorePlace): void {
  if (problem !== undefined) throw new Error(`${name}: ${problem}`)
}

function dialectOf(
  { kind, urls: [url = ''], connection }: SqlPlace,
  maxConnections: number,
): Dialect {
  const { initially, ...rest } = connection ?? {}
  switch (kind) {
    case 'postgresql': {
      const pool = new Pool({ connectionString: url, max: maxConnections })
      pool.on('error', () => undefined)
      if (initially) pool.on('connect', (client) => void client.query(initially))
      return new PostgresDialect({ pool })
    }
    case 'mysql': {
      const pool = createPool({ uri: url, connectionLimit: maxConnections, ...rest })
      if (initially) pool.on('connection', (connection) => connection.query(initially))
      return new MysqlDialect({ pool })
    }
    case 'sqlite': {
      const database = new Sqlite(url)
      database.exec('pragma busy_timeout = 2000')
      database.exec('pragma synchronous = off')
      if (initially) database.exec(initially)
      return new SqliteDialect({ database })
    }
  }
}

export type AnyRedisClient = Parameters<typeof createRedisStore>[0]

/** Each of these clients is taken as it is: no cast, no wrapper. */
export async function openRedis(
  place: StorePlace,
): Promise<{ client: AnyRedisClient; close(): Promise<void> }> {
  demand(place)
  const { kind, urls } = place
  const [url = ''] = urls
  switch (kind) {
    case 'redis 6': {
      const client = createClient({ url })
      client.on('error', () => undefined)
      await client.connect()
      return { client, close: async () => client.destroy() }
    }
    case 'redis 6 cluster': {
      const client = createCluster({ rootNodes: urls.map((url) => ({ url })) })
      client.on('error', () => undefined)
      await client.connect()
      return { client, close: async () => client.destroy() }
    }
    case 'ioredis 5': {
      const client = new IoRedis5(url)
      return { client, close: async () => client.disconnect() }
    }
    case 'ioredis 6': {
      const client = new IoRedis6(url)
      return { client, close: async () => client.disconnect() }
    }
    default: {
      const client = new IoRedisCluster([...urls])
      return { client, close: async () => client.disconnect() }
    }
  }
}
