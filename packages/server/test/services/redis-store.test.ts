import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createRedisStore } from '../../src/stores/redis.js'
import { storeCases } from '../../src/testing/index.js'
import { createClock, newKey, setUp } from '../set-up.js'
import { isWanted, provided } from './global-setup.js'
import { askRedis } from './servers.js'
import {
  clear,
  isSql,
  newNamespace,
  newRecord,
  openRedisStore,
  type StorePlace,
  storePlaces,
} from './stores.js'

const services = inject('services')

/** Every key of this place with the milliseconds that it has left. */
async function keysOf({ urls, namespace }: StorePlace): Promise<Map<string, number>> {
  const keys = new Map<string, number>()
  for (const url of urls) {
    const client = await createClient({ url }).connect()
    for await (const batch of client.scanIterator({ MATCH: `${namespace}:*`, COUNT: 1000 })) {
      for (const key of batch) keys.set(key, await client.pTTL(key))
    }
    client.destroy()
  }
  return keys
}

describe.each(storePlaces(services).filter((place) => !isSql(place)))('$name', (place) => {
  afterAll(() => clear(place))

  const onEveryNode = (...command: string[]) =>
    Promise.all(place.urls.map((url) => askRedis(url, command)))

  test('scripts that the server has forgotten are sent again', async () => {
    const { store, close } = await openRedisStore(place)
    const forget = () => onEveryNode('SCRIPT', 'FLUSH')
    const record = newRecord(Date.now)
    const moved = { ...record, version: 2, userId: newKey() }

    await forget()
    expect(await store.create(record)).toBeTruthy()
    await forget()
    expect(await store.replace(moved, 1)).toBe(true)
    await forget()
    expect(await store.list(moved.userId)).toEqual([moved])
    await forget()
    expect(await store.count(moved.userId)).toBe(1)
    await forget()
    expect(await store.put(moved.userId, 'value', moved.expiresAt)).toBe(true)
    await forget()
    expect(await store.take(moved.userId)).toBe('value')

    await close()
  })

  // On one node only: it takes a cluster long to forget.
  if (place.urls.length === 1) {
    test('the cases hold while the server forgets its scripts all the time', async () => {
      const { store, close } = await openRedisStore(place)
      let isRunning = true
      const forgetting = (async () => {
        while (isRunning) await onEveryNode('SCRIPT', 'FLUSH')
      })()

      const results = await Promise.allSettled(storeCases().map(({ run }) => run(store)))

      isRunning = false
      await forgetting
      expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
      await close()
    })
  }

  test('every key ends by itself, the index no earlier than its records', async () => {
    const own = { ...place, namespace: newNamespace() }
    const { store, close } = await openRedisStore(own)
    const record = newRecord(Date.now)
    await store.create(record)
    await store.create(newRecord(Date.now, { userId: record.userId, endsAt: record.endsAt - 5000 }))
    await store.replace({ ...record, version: 2, expiresAt: record.endsAt }, 1)
    await store.replace({ ...record, version: 3, userId: newKey(), expiresAt: record.endsAt }, 2)

    await store.put('text', 'value', record.endsAt)
    await store.put('taken', 'value', record.endsAt)
    await store.take('taken')

    const keys = await keysOf(own)

    expect(keys.size).toBe(5)
    for (const [key, ttlMs] of keys) {
      expect(ttlMs, key).toBeGreaterThan(2_900_000)
      expect(ttlMs, key).toBeLessThanOrEqual(9_001_000)
    }
    const indexTtl = keys.get(`${own.namespace}:user:${record.userId}`)
    expect(indexTtl).toBeGreaterThan(8_900_000)
    await clear(own)
    await close()
  })

  test.each([-864_000, 864_000])('a clock %d s from that of Redis does no harm', async (skew) => {
    const clock = createClock(Math.floor(Date.now() / 1000) + skew)
    const { store, close } = await openRedisStore(place, clock)
    const record = newRecord(clock.now)

    await store.create(record)

    const id = newKey()
    await store.put(id, 'value', record.expiresAt)

    expect(await store.list(record.userId)).toEqual([record])
    clock.advance(2999)
    expect(await store.get(record.id)).toEqual(record)
    expect(await store.peek(id)).toBe('value')
    clock.advance(1)
    expect(await store.peek(id)).toBeUndefined()
    expect(await store.take(id)).toBeUndefined()
    expect(await store.get(record.id)).toBeUndefined()
    expect(await store.list(record.userId)).toEqual([])
    await close()
  })

  test('an entry that a crash has left goes when it is read, and not while its record may come', async () => {
    const clock = createClock()
    const { store, close } = await openRedisStore(place, clock)
    const record = newRecord(clock.now)
    await store.create(record)
    await store.delete(record.id)

    clock.advance(60)
    expect(await store.list(record.userId)).toEqual([])
    expect(await store.count(record.userId)).toBe(1)
    clock.advance(1)
    expect(await store.list(record.userId)).toEqual([])
    expect(await store.count(record.userId)).toBe(0)

    expect(await store.create(record)).toBeTruthy()
    expect(await store.list(record.userId)).toEqual([record])
    await close()
  })

  test('lists that are read all the time never lose a session', async () => {
    const { store, close } = await openRedisStore(place)
    const { userId } = newRecord(Date.now)
    let isRunning = true
    const reading = (async () => {
      while (isRunning) await store.list(userId)
    })()

    const records = Array.from({ length: 50 }, () => newRecord(Date.now, { userId }))
    await Promise.all(records.map((record) => store.create(record)))

    isRunning = false
    await reading
    expect(await store.list(userId)).toHaveLength(50)
    await close()
  })

  test('a user who logs in and out all day leaves little behind', async () => {
    const clock = createClock()
    const { store, close } = await openRedisStore(place, clock)
    const { userId } = newRecord(clock.now)
    const sizes: number[] = []

    for (let login = 0; login < 300; login++) {
      const record = newRecord(clock.now, { userId, endsAt: 2_000_000_000 })
      await store.create(record)
      await store.delete(record.id)
      sizes.push(await store.count(userId))
      clock.advance(30)
    }

    expect(Math.max(...sizes)).toBeLessThanOrEqual(64)
    await close()
  })

  test('a login takes one round trip, a rotation two, a retry and a session check one', async () => {
    const clock = createClock()
    const { store, calls, close } = await openRedisStore(place, clock)
    const { auth, wechat } = setUp({ store, now: clock.now, revocation: 'immediate' })
    // A node that does not know a script yet is sent it, by a call more.
    for (let warmUp = 0; warmUp < (place.urls.length === 1 ? 1 : 60); warmUp++) {
      const { refresh_token } = await auth.login({ code: wechat.codeFor(newKey()) })
      await auth.refresh({ refreshToken: refresh_token })
    }
    const callsOf = async (task: Promise<unknown>) => {
      const before = calls()
      await task
      return calls() - before
    }

    const code = wechat.codeFor('alice')
    // On a cluster the index and the record are on different nodes, and the cap needs a look at the first.
    expect(await callsOf(auth.login({ code }))).toBe(place.urls.length === 1 ? 1 : 3)
    const { access_token, refresh_token } = await auth.login({ code: wechat.codeFor('bob') })
    const refreshing = { refreshToken: refresh_token, idempotencyKey: newKey() }
    expect(await callsOf(auth.refresh(refreshing))).toBe(2)
    expect(await callsOf(auth.refresh(refreshing))).toBe(1)
    expect(await callsOf(auth.authenticate(`Bearer ${access_token}`))).toBe(1)
    await close()
  })
})

test.each([
  'CROSSSLOT Keys in request do not hash to the same slot',
  "ERR 'EVALSHA' command keys must in same slot",
])('a proxy that says %j is asked in sequence, and not asked again', async (message) => {
  const scripts: string[] = []
  const client = {
    get: async () => null,
    del: async () => 1,
    eval: async () => 1,
    async evalSha(_sha: string, { keys }: { keys: string[] }) {
      scripts.push(keys.map((key) => key.split(':')[1]).join('+'))
      if (keys.length > 1) throw new Error(message)
      return 1
    },
  }
  const store = createRedisStore(client)

  expect(await store.create(newRecord(Date.now))).toBe(true)
  expect(await store.create(newRecord(Date.now))).toBe(true)

  expect(scripts).toEqual(['user+session', 'user', 'session', 'user', 'session'])
})

describe.runIf(isWanted(services, 'spareRedis'))('a Redis set up otherwise', () => {
  const { spareRedis: url = '' } = services
  const connect = () => createClient({ url }).connect()
  type Client = Awaited<ReturnType<typeof connect>>
  let client: Client
  beforeAll(async () => {
    provided(services, 'spareRedis')
    client = await connect()
  })
  afterAll(() => client?.destroy())

  test('the store warns of an eviction policy and of missing persistence', async () => {
    const store = createRedisStore(client)

    await client.configSet('maxmemory-policy', 'volatile-lru')
    expect(await store.check()).toEqual(['redis_eviction_policy', 'redis_no_persistence'])
    await client.configSet('maxmemory-policy', 'noeviction')
    expect(await store.check()).toEqual(['redis_no_persistence'])
    await client.configSet('save', '3600 1')
    expect(await store.check()).toEqual([])
    await client.configSet({ save: '', appendonly: 'yes' })
    expect(await store.check()).toEqual([])
    await client.configSet('appendonly', 'no')
  })

  test.each(['allkeys-lru', 'volatile-ttl'])(
    'a Redis that evicts (%s) and has lost the index of a user does not say that there was nobody to revoke',
    async (policy) => {
      const namespace = newNamespace()
      const store = createRedisStore(client, { keyPrefix: `${namespace}:` })
      const { auth, wechat } = setUp({ store, now: Date.now, onLogin: () => ({ userId: 7 }) })
      const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
      await client.del(`${namespace}:user:7`)
      await client.configSet('maxmemory-policy', policy)
      const lost = {
        code: 'store_unavailable',
        cause: { message: expect.stringContaining('maxmemory-policy noeviction') },
      }

      await expect(auth.sessions.revoke({ userId: 7 })).rejects.toMatchObject(lost)
      await expect(auth.sessions.list(7)).rejects.toMatchObject(lost)
      await expect(auth.sessions.forget(7)).rejects.toMatchObject(lost)
      await auth.login({ code: wechat.codeFor('alice') })
      await expect(auth.sessions.revoke({ userId: 7 })).resolves.toBe(1)

      await client.configSet('maxmemory-policy', 'noeviction')
      await expect(auth.sessions.revoke({ userId: 8 })).resolves.toBe(0)
      expect(access_token).toBeDefined()
    },
  )

  test('a Redis that is full takes no login, and has nothing of it; a script that it does not know is sent again', async () => {
    const namespace = newNamespace()
    const store = createRedisStore(client, { keyPrefix: `${namespace}:` })
    const record = newRecord(Date.now)
    await askRedis(url, ['SCRIPT', 'FLUSH'])
    await client.configSet({ 'maxmemory-policy': 'noeviction', maxmemory: '1' })

    await expect(store.create(record)).rejects.toThrow(/OOM/)

    await client.configSet('maxmemory', '0')
    expect(await client.keys(`${namespace}:*`)).toEqual([])
    await askRedis(url, ['SCRIPT', 'FLUSH'])
    expect(await store.create(record)).toEqual({ count: 1 })
    expect(await store.list(record.userId)).toEqual([record])
  })

  test.each(['ioredis 5', 'ioredis 6'] as const)('%s is told the same', async (kind) => {
    const place = { name: kind, kind, urls: [url], namespace: newNamespace() }
    const { store, close } = await openRedisStore(place)
    await client.configSet('maxmemory-policy', 'allkeys-random')

    expect(await store.check()).toEqual(['redis_eviction_policy', 'redis_no_persistence'])

    await client.configSet('maxmemory-policy', 'noeviction')
    await close()
  })

  test('a Redis that forbids CONFIG and INFO is no reason to warn, or to fail', async () => {
    await client.aclSetUser('limited', ['on', 'nopass', '~*', '+get', '+del', '+eval', '+evalsha'])
    const limited = await createClient({ url, username: 'limited', password: 'any' }).connect()

    const warnings = await createRedisStore(limited).check()

    expect(warnings).toEqual([])
    limited.destroy()
  })

  test('a store that has become read-only is a 503, and the same token works afterwards', async () => {
    const store = createRedisStore(client, { keyPrefix: `${newNamespace()}:` })
    const { auth, wechat } = setUp({ store, now: Date.now, storeTimeoutMs: 5000 })
    const { access_token, refresh_token } = await auth.login({ code: wechat.codeFor('alice') })
    const refreshing = { refreshToken: refresh_token, idempotencyKey: newKey() }

    // A replica whose primary is not there: it answers what it has, and takes nothing.
    await askRedis(url, ['REPLICAOF', '127.0.0.1', '1'])
    const unavailable = { code: 'store_unavailable', status: 503 }
    await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject(unavailable)
    await expect(auth.refresh(refreshing)).rejects.toMatchObject(unavailable)
    await expect(auth.sessions.revoke({ userId: await userOf() })).rejects.toMatchObject(
      unavailable,
    )
    await expect(auth.logout({ refreshToken: refresh_token })).rejects.toMatchObject(unavailable)
    await auth.authenticate(`Bearer ${access_token}`, { fresh: true })

    await askRedis(url, ['REPLICAOF', 'NO', 'ONE'])
    await expect(auth.refresh(refreshing)).resolves.toMatchObject({ token_type: 'Bearer' })

    async function userOf() {
      return (await auth.authenticate(`Bearer ${access_token}`)).userId
    }
  })
})
