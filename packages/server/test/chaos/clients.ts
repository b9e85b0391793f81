import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Kysely, MysqlDialect, PostgresDialect } from 'kysely'
import { createPool } from 'mysql2'
import { Pool } from 'pg'
import { createClient } from 'redis'
import type { SessionStore } from '../../src/index.js'
import { createRedisStore } from '../../src/stores/redis.js'
import { createSqlStore, type SqlStore } from '../../src/stores/sql.js'
import { newNamespace } from '../services/stores.js'

/** A store by a client of its own, set up as an app that wants to live through an outage sets it up. */
export interface OpenClient<Store extends SessionStore = SessionStore> {
  readonly store: Store
  close(): Promise<void>
}

// How long a connection may take, and how long it may owe an answer before it is given up, in milliseconds.
const connectMs = 1000
const silenceMs = 2000
const reconnectMs = (attempt: number) => Math.min(attempt * 50, 500)

/** One instance with `redis`, one with `ioredis`. */
export async function openRedisClients(url: string): Promise<readonly OpenClient[]> {
  const nodeRedis = createClient({
    url,
    // Else what nobody waits for any more piles up, and runs when Redis is back.
    disableOfflineQueue: true,
    socket: { connectTimeout: connectMs, reconnectStrategy: reconnectMs },
  })
  // Without a listener an error of the connection ends the process.
  nodeRedis.on('error', () => undefined)
  await nodeRedis.connect()
  // What is written counts as life for `socketTimeout`, so under load it never notices a machine that is gone.
  const watch = setInterval(async () => {
    if (!nodeRedis.isReady) return
    const pong = nodeRedis.ping().catch((error: unknown) => error)
    if ((await Promise.race([pong, delay(silenceMs / 2, 'silence')])) !== 'silence') return
    if (!nodeRedis.isOpen) return
    nodeRedis.destroy()
    await nodeRedis.connect().catch((error: unknown) => error)
  }, silenceMs / 2)

  const ioRedis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: connectMs,
    socketTimeout: silenceMs,
    retryStrategy: reconnectMs,
  })
  ioRedis.on('error', () => undefined)
  await ioRedis.connect()

  return [
    {
      store: createRedisStore(nodeRedis),
      async close() {
        clearInterval(watch)
        nodeRedis.destroy()
      },
    },
    { store: createRedisStore(ioRedis), close: async () => ioRedis.disconnect() },
  ]
}

/** Two instances with a pool each; the table is there. */
export async function openPostgresClients(url: string): Promise<readonly OpenClient<SqlStore>[]> {
  return openSqlClients('postgresql', () => {
    const pool = new Pool({
      connectionString: url,
      max: 10,
      connectionTimeoutMillis: connectMs,
    })
    // Without these listeners the loss of a connection ends the process: of an idle one, and of one in use.
    pool.on('error', () => undefined)
    pool.on('connect', (client) => {
      client.on('error', () => undefined)
      // Kysely gives a connection back to the pool even when its query has timed out. One that is silent has to go.
      endWhenSilent(client.connection.stream)
    })
    return new PostgresDialect({ pool })
  })
}

/** Two instances with a pool each; the table is there. */
export async function openMysqlClients(url: string): Promise<readonly OpenClient<SqlStore>[]> {
  return openSqlClients('mysql', () => {
    const pool = createPool({ uri: url, connectionLimit: 10, connectTimeout: connectMs })
    pool.on('connection', (connection) => {
      connection.on('error', () => undefined)
      if ('stream' in connection) endWhenSilent(connection.stream)
    })
    return new MysqlDialect({ pool })
  })
}

/** Each of these connections has one query at a time, so that under load only a dead one is silent. */
function endWhenSilent(stream: unknown): void {
  if (stream instanceof Socket) stream.setTimeout(silenceMs, () => stream.destroy())
}

async function openSqlClients(
  dialect: 'postgresql' | 'mysql',
  createDialect: () => PostgresDialect | MysqlDialect,
): Promise<readonly OpenClient<SqlStore>[]> {
  const table = newNamespace()
  const clients = [0, 1].map(() => {
    const kysely = new Kysely<object>({ dialect: createDialect() })
    return {
      store: createSqlStore(kysely, { dialect, table }),
      // mysql2 fails to end a pool one of whose connections was lost while it had a query.
      close: () => kysely.destroy().catch(() => undefined),
    }
  })
  await Promise.all(clients.map(({ store }) => store.migrate()))
  return clients
}
