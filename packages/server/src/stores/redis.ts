import { createHash } from 'node:crypto'
import { checkNames, type OptionNames } from '../option-checks.js'
import type { SessionRecord, SessionStore, StoreWarning } from '../session.js'

/** What {@link createRedisStore} needs of a client or cluster client of the `redis` package. */
export interface NodeRedisClient {
  get(key: string): Promise<string | null>
  del(key: string): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  info?(section: string): Promise<unknown>
  configGet?(parameter: string): Promise<unknown>
  readonly isOpen?: boolean
  readonly isReady?: boolean
  readonly options?: { readonly disableOfflineQueue?: boolean | undefined } | undefined
  once?(event: 'ready', listener: () => void): unknown
}

/** What {@link createRedisStore} needs of a client or cluster client of the `ioredis` package. */
export interface IoRedisClient {
  get(key: string): Promise<string | null>
  del(key: string): Promise<unknown>
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  info?(section: string): Promise<unknown>
  config?(subcommand: 'GET', parameter: string): Promise<unknown>
  readonly status?: string
  readonly options?: { readonly enableOfflineQueue?: boolean | undefined }
  once?(event: 'ready', listener: () => void): unknown
}

export interface RedisStoreOptions {
  /** The prefix of every key (default `wxlogin:`). */
  keyPrefix?: string
  /** The clock, in milliseconds (default `Date.now`). */
  now?: () => number
}

const names: OptionNames<RedisStoreOptions> = { keyPrefix: true, now: true }

interface Script {
  readonly text: string
  readonly sha: string
}

const script = (text: string): Script => ({
  text,
  sha: createHash('sha1').update(text).digest('hex'),
})

// Every other script works on one key, so that a cluster can run it.
const create = script(`
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0`)

// The value must begin with the expected version, or else 0, and with the expected user, or else 2.
const replace = script(`
local value = redis.call('GET', KEYS[1])
if not value or string.sub(value, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
if string.sub(value, 1, #ARGV[2]) ~= ARGV[2] then return 2 end
if tonumber(ARGV[4]) > 0 then redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
else redis.call('DEL', KEYS[1]) end
return 1`)

// The index lives as long as its last entry may; entries past their end go whenever it is written.
const addEntry = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], math.max(1, (tonumber(last[2]) - tonumber(ARGV[1])) * 1000))
return redis.call('ZCARD', KEYS[1])`

const addToIndex = script(addEntry)

// The record first: if there is no memory for it, the script ends before it has written anything.
const createListed = script(`
if not redis.call('SET', KEYS[2], ARGV[4], 'NX', 'PX', ARGV[5]) then return 0 end
${addEntry}`)

const readIndex = script(`return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf')`)

const hasIndex = script(`return redis.call('EXISTS', KEYS[1])`)

const countIndex = script(`return redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[1], '+inf')`)

const take = script(`
local value = redis.call('GET', KEYS[1])
if value then redis.call('DEL', KEYS[1]) end
return value`)

const pruneIndex = script(`
for _, entry in ipairs(ARGV) do redis.call('ZREM', KEYS[1], entry) end
return #ARGV`)

// An entry is written before its record. If it is younger than this, the record may still be on its way.
const pruneAfterSeconds = 60

// A user who logs in and out all day, and whom nobody lists, has an index of entries without records.
const pruneFromEntries = 64

/**
 * Keeps sessions in Redis 6.2 or newer, Valkey, or a cluster of them. Takes a connected client of `redis` or `ioredis`.
 * Use a database with the eviction policy `noeviction` and persistence: a record that Redis drops logs a user out.
 *
 * @example
 * const store = createRedisStore(await createClient({ url }).connect())
 */
export function createRedisStore(
  client: NodeRedisClient | IoRedisClient,
  options: RedisStoreOptions = {},
): SessionStore & Required<Pick<SessionStore, 'count' | 'check' | 'put' | 'peek' | 'take'>> {
  checkNames('createRedisStore', options, names)
  const { keyPrefix = 'wxlogin:', now = Date.now } = options
  if (typeof keyPrefix !== 'string') throw new TypeError('keyPrefix must be a string')
  if (typeof client !== 'object' || !('evalSha' in client || 'evalsha' in client)) {
    throw new TypeError('client must be a connected client of the redis or the ioredis package')
  }

  const recordKey = (id: string) => `${keyPrefix}session:${id}`
  const valueKey = (id: string) => `${keyPrefix}value:${id}`
  const indexKey = (userId: string) => `${keyPrefix}user:${userId}`
  const seconds = () => Math.floor(now() / 1000)
  // Relative, so that the clock of Redis does not matter.
  const msUntil = (expiresAt: number) => Math.ceil(expiresAt * 1000 - now())

  const run = (script: Script, key: string, ...args: string[]) => runOn([key], script, ...args)

  async function runOn(keys: string[], { text, sha }: Script, ...args: string[]): Promise<unknown> {
    const options = { keys, arguments: args }
    try {
      return await ('evalSha' in client
        ? client.evalSha(sha, options)
        : client.evalsha(sha, keys.length, ...keys, ...args))
    } catch (error) {
      if (!isUnknownScript(error)) throw error
      return 'evalSha' in client
        ? client.eval(text, options)
        : client.eval(text, keys.length, ...keys, ...args)
    }
  }

  async function get(id: string): Promise<SessionRecord | undefined> {
    const value = await client.get(recordKey(id))
    const record = value === null ? undefined : fromValue(value)
    return record && msUntil(record.expiresAt) > 0 ? record : undefined
  }

  function readText(value: unknown): string | undefined {
    if (typeof value !== 'string') return undefined
    // Written by put, below.
    const [expiresAt, text]: [number, string] = JSON.parse(value)
    return msUntil(expiresAt) > 0 ? text : undefined
  }

  /** What the scripts that write an entry take: when it is written, when it ends, and its name. */
  function entryOf({ id, endsAt, expiresAt }: SessionRecord): [string, string, string] {
    const writtenAt = String(seconds())
    return [writtenAt, String(Math.max(endsAt, expiresAt)), `${writtenAt}:${id}`]
  }

  /** At every doubling, so that a user with many live sessions does not pay for it at each login. */
  async function pruneAtDoubling(userId: string, size: number): Promise<void> {
    if (size >= pruneFromEntries && Number.isInteger(Math.log2(size))) await list(userId)
  }

  async function addToIndexOf(record: SessionRecord): Promise<void> {
    const { userId } = record
    const size = Number(await run(addToIndex, indexKey(userId), ...entryOf(record)))
    await pruneAtDoubling(userId, size)
  }

  // Set by a cluster, or a proxy before one, that found the keys of a user and a session on different nodes.
  let hasSeparateKeys = false

  /** Returns the size of the index, or 0 if the id exists. */
  async function createAtOnce(record: SessionRecord, ttlMs: number): Promise<number> {
    const keys = [indexKey(record.userId), recordKey(record.id)]
    const size = Number(
      await runOn(keys, createListed, ...entryOf(record), toValue(record), String(ttlMs)),
    )
    if (size > 0) await pruneAtDoubling(record.userId, size)
    return size
  }

  async function createInSequence(record: SessionRecord, ttlMs: number): Promise<boolean> {
    // First the index: a crash in between leaves an entry to prune, and never a session that no list shows.
    await addToIndexOf(record)
    return (await run(create, recordKey(record.id), toValue(record), String(ttlMs))) === 1
  }

  /** Without its index a user has no sessions, or Redis has dropped it while they live on. */
  async function checkNotEvicted(userId: string): Promise<void> {
    if ((await run(hasIndex, indexKey(userId))) === 1) return
    const policy = await evictionPolicy()
    if (policy === undefined) return
    throw new Error(
      `Redis has no index of this user, and with maxmemory-policy ${policy} it may have dropped it while the sessions live on; set maxmemory-policy noeviction`,
    )
  }

  async function list(userId: string): Promise<SessionRecord[]> {
    const entries = await run(readIndex, indexKey(userId), String(seconds()))
    if (!Array.isArray(entries)) throw new TypeError('The Redis client did not return an array')
    if (entries.length === 0) await checkNotEvicted(userId)

    const records = new Map<string, SessionRecord>()
    const stale: string[] = []
    const read = async (entry: string) => {
      const colon = entry.indexOf(':')
      const record = await get(entry.slice(colon + 1))
      if (record?.userId === userId) records.set(record.id, record)
      else if (Number(entry.slice(0, colon)) < seconds() - pruneAfterSeconds) stale.push(entry)
    }
    await Promise.all(entries.map((entry) => read(String(entry))))
    if (stale.length > 0) await run(pruneIndex, indexKey(userId), ...stale)
    return [...records.values()].sort((a, b) => b.createdAt - a.createdAt)
  }

  let ready: Promise<void> | undefined

  /** All calls that wait share one listener. */
  function untilReady(): Promise<void> {
    ready ??= new Promise<void>((resolve) => {
      client.once?.('ready', resolve)
    }).finally(() => {
      ready = undefined
    })
    return ready
  }

  /** `undefined` where a managed Redis forbids the command, or the client does not have it. */
  async function ask(command: () => Promise<unknown> | undefined): Promise<string | undefined> {
    try {
      const reply = await command()
      return reply === undefined ? undefined : JSON.stringify(reply)
    } catch {
      return undefined
    }
  }

  /** By which rule Redis drops what has not ended, if it does. */
  async function evictionPolicy(): Promise<string | undefined> {
    const memory = await ask(() => client.info?.('memory'))
    const policy = memory?.match(/maxmemory_policy:([\w-]+)/)?.[1]
    return policy === 'noeviction' ? undefined : policy
  }

  const store: ReturnType<typeof createRedisStore> = {
    async create(record) {
      const ttlMs = msUntil(record.expiresAt)
      if (ttlMs <= 0) return true
      let size: number | undefined
      if (!hasSeparateKeys) {
        size = await createAtOnce(record, ttlMs).catch((error) => {
          if (!isAboutSlots(error)) throw error
          hasSeparateKeys = true
          return undefined
        })
      }
      // In sequence there is no count: other logins may have been counted before their records were written.
      if (size === undefined) return createInSequence(record, ttlMs)
      return size > 0 && { count: size }
    },

    get,

    async replace(record, expectedVersion) {
      const swap = (expectedStart: string) =>
        run(
          replace,
          recordKey(record.id),
          startOfValue(expectedVersion),
          expectedStart,
          toValue(record),
          String(msUntil(record.expiresAt)),
        )
      const outcome = await swap(startOfValue(expectedVersion, record.userId))
      if (outcome !== 2) return outcome === 1
      // The record changes its user, so the new user's index comes first, as in create.
      await addToIndexOf(record)
      return (await swap(startOfValue(expectedVersion))) === 1
    },

    async delete(id) {
      // The index keeps an entry until somebody reads it: its name is not known here without another round trip.
      await client.del(recordKey(id))
    },

    list,

    async count(userId) {
      return Number(await run(countIndex, indexKey(userId), String(seconds())))
    },

    async put(id, text, expiresAt) {
      const ttlMs = msUntil(expiresAt)
      if (ttlMs <= 0) return true
      const value = JSON.stringify([expiresAt, text])
      return (await run(create, valueKey(id), value, String(ttlMs))) === 1
    },

    async peek(id) {
      return readText(await client.get(valueKey(id)))
    },

    async take(id) {
      return readText(await run(take, valueKey(id)))
    },

    async check() {
      const persistence = await ask(() => client.info?.('persistence'))
      const save = await ask(() =>
        'evalSha' in client ? client.configGet?.('save') : client.config?.('GET', 'save'),
      )
      const warnings: StoreWarning[] = []
      if (await evictionPolicy()) warnings.push('redis_eviction_policy')
      if (persistence?.includes('aof_enabled:0') && save?.includes('""')) {
        warnings.push('redis_no_persistence')
      }
      return warnings
    },
  }
  if (!client.once) return store
  // A client queues commands while it connects, and sends them later even if they have timed out here.
  const withConnection: SessionStore['withConnection'] = (work) =>
    isConnecting(client) ? untilReady().then(() => work(store)) : work(store)
  // Not copied by a spread: it would bypass the verbs of a store that wraps this one.
  return Object.defineProperty(store, 'withConnection', { value: withConnection })
}

/** Whether the client would queue commands now. Without a queue they fail at once, as configured. */
function isConnecting(client: NodeRedisClient | IoRedisClient): boolean {
  if ('evalSha' in client) {
    const hasQueue = client.options?.disableOfflineQueue !== true
    return hasQueue && client.isOpen === true && client.isReady === false
  }
  const hasQueue = client.options?.enableOfflineQueue !== false
  return hasQueue && ['connecting', 'connect', 'reconnecting'].includes(client.status ?? '')
}

// A value begins with what a swap compares: [version,userId,record] as JSON.
const startOfValue = (version: number, userId?: string) =>
  userId === undefined ? `[${version},` : `[${version},${JSON.stringify(userId)},`

const toValue = (record: SessionRecord) =>
  `${startOfValue(record.version, record.userId)}${JSON.stringify(record)}]`

function fromValue(value: string): SessionRecord {
  // Written by this store, so it is what create and replace were given.
  const [, , record]: [number, string, SessionRecord] = JSON.parse(value)
  return record
}

// Redis names the kind of an error by the first word of its reply, and clients pass it on as the message.
const isUnknownScript = (error: unknown) =>
  error instanceof Error && error.message.startsWith('NOSCRIPT')

// Redis itself says CROSSSLOT. Proxies of managed clusters have an error of their own for it, of the general kind.
const isAboutSlots = (error: unknown) =>
  error instanceof Error && /^(CROSSSLOT|ERR .*\bslot)\b/.test(error.message)
