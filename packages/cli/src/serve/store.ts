import type { SessionStore } from '@wxlogin/server'
import { createRedisStore } from '@wxlogin/server/redis'
import { createSqlStore, type SqlStore } from '@wxlogin/server/sql'
import { CliError } from '../errors.js'
import type { StorePlace } from './store-place.js'

/** A store with its connections. */
export interface OpenStore {
  /** Missing where `createAuth` keeps them in this process, of which it warns. */
  readonly store?: SessionStore
  /** Creates what is missing in a database. */
  readonly migrate?: () => Promise<void>
  close(): Promise<void>
}

export interface StoreNeeds {
  readonly now: () => number
  /** Told of broken connections, which are made again. */
  readonly onError: (error: Error) => void
}

/**
 * Opens what keeps the sessions. What cannot be reached now is reached later: the service is not ready until then.
 * Throws `failed` where a driver is missing, or does not take the address.
 */
export async function openStore(place: StorePlace, needs: StoreNeeds): Promise<OpenStore> {
  try {
    return await open(place, needs)
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    const variable = place.kind === 'redis' ? 'REDIS_URL' : 'DATABASE_URL'
    throw new CliError(
      'failed',
      {
        en: `The driver does not take ${variable} as it is (${codeOf(cause)}): is what stands behind the ? right?`,
        zh: `驱动不接受现在的 ${variable}（${codeOf(cause)}）：问号后面的内容对吗？`,
      },
      { cause },
    )
  }
}

function open(place: StorePlace, needs: StoreNeeds): Promise<OpenStore> {
  switch (place.kind) {
    case 'memory':
      return Promise.resolve({ close: async () => {} })
    case 'redis':
      return openRedis(place, needs)
    case 'postgresql':
      return openPostgres(place, needs)
    case 'mysql':
      return openMysql(place, needs)
  }
}

type Place<Kind extends StorePlace['kind']> = Extract<StorePlace, { readonly kind: Kind }>

async function openRedis(
  { url, keyPrefix }: Place<'redis'>,
  { now, onError }: StoreNeeds,
): Promise<OpenStore> {
  const { Redis } = await import('ioredis')
  const redis = new Redis(url, {
    lazyConnect: true,
    // While Redis is down a request fails at once, and does not wait with thousands of others.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
    commandTimeout: 500,
    socketTimeout: 2_000,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 2_000),
  })
  redis.on('error', onError)
  const store = createRedisStore(redis, { now, ...(keyPrefix !== undefined && { keyPrefix }) })
  await redis.connect().catch(() => undefined)
  return { store, close: async () => redis.disconnect() }
}

async function openPostgres(
  { url, table }: Place<'postgresql'>,
  { now, onError }: StoreNeeds,
): Promise<OpenStore> {
  const { Kysely, PostgresDialect } = await driver('kysely', () => import('kysely'))
  const { default: pg } = await driver('pg', () => import('pg'))
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 2_000, max: 20 })
  pool.on('error', onError)
  // A connection that breaks while it is in use says so on itself.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const kysely = new Kysely({ dialect: new PostgresDialect({ pool }) })
  const options = { dialect: 'postgresql', now, ...(table !== undefined && { table }) } as const
  return ofDatabase(createSqlStore(kysely, options), kysely)
}

async function openMysql({ url, table }: Place<'mysql'>, { now }: StoreNeeds): Promise<OpenStore> {
  const { Kysely, MysqlDialect } = await driver('kysely', () => import('kysely'))
  const { createPool } = await driver('mysql2', () => import('mysql2'))
  const pool = createPool({ uri: url, connectTimeout: 2_000, connectionLimit: 20 })
  const kysely = new Kysely({ dialect: new MysqlDialect({ pool }) })
  const options = { dialect: 'mysql', now, ...(table !== undefined && { table }) } as const
  return ofDatabase(createSqlStore(kysely, options), kysely)
}

const hourMs = 60 * 60 * 1000
const sweptAtOnce = 1_000

function ofDatabase(store: SqlStore, kysely: { destroy(): Promise<void> }): OpenStore {
  async function sweep(): Promise<void> {
    while ((await store.sweep(sweptAtOnce)) === sweptAtOnce);
  }
  // What has expired is invisible, and only takes space: what fails now is swept later.
  const timer = setInterval(() => void sweep().catch(() => undefined), hourMs)
  timer.unref()
  return {
    store,
    migrate: () => store.migrate(),
    close() {
      clearInterval(timer)
      return kysely.destroy()
    },
  }
}

/** Drivers of databases are installed by those who have one. */
async function driver<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    const wanted = name === 'kysely' ? 'kysely@0.28' : name
    throw new CliError(
      'failed',
      {
        en: `${name} is not installed here, and DATABASE_URL needs it: npm install ${wanted}, where wxlogin is installed`,
        zh: `这里没有安装 ${name}，而 DATABASE_URL 需要它：请在安装 wxlogin 的目录里运行 npm install ${wanted}`,
      },
      { cause },
    )
  }
}

/** What a driver says is wrong, in a word: its messages may quote an address with its password. */
export function codeOf(error: unknown): string {
  const { code, name, message } = Object(error)
  if (typeof code === 'string') return code
  // Redis begins with one: WRONGPASS, NOAUTH, LOADING.
  const [word] = name === 'ReplyError' ? (/^[A-Z]{3,20}\b/.exec(String(message)) ?? []) : []
  return word ?? String(name ?? 'Error')
}
