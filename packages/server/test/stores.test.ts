import { describe, expect, test } from 'vitest'
import { createMemoryStore, type SessionRecord, type SessionStore } from '../src/index.js'
import { storeCases } from '../src/testing/index.js'
import { createClock } from './set-up.js'

describe('the memory store', () => {
  const { now } = createClock()
  const store = createMemoryStore({ now })

  for (const { name, run } of storeCases({ now })) test(name, () => run(store))
})

function record(id: string, changes: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id,
    version: 1,
    userId: 'user',
    appId: 'wx0000000000000001',
    openid: 'openid',
    generation: 0,
    retryKeyHash: 'hash',
    createdAt: 1000,
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

test('the memory store forgets the dead as others come, without a timer', async () => {
  const clock = createClock(1000)
  const store = createMemoryStore({ maxSessions: 10_000, now: clock.now })
  for (let n = 0; n < 1000; n++) await store.create(record(`old-${n}`, { userId: `user-${n}` }))
  clock.advance(4500)

  for (let n = 0; n < 600; n++) {
    await store.create(record(`new-${n}`, { createdAt: 5500, expiresAt: 9000 }))
  }
  // Were the dead still there, their places would count.
  for (let n = 600; n < 10_000; n++) {
    await store.create(record(`new-${n}`, { createdAt: 5500, expiresAt: 9000 }))
  }

  expect(await store.get('new-0')).toBeDefined()
})

test.each([0, -1, 1.5, Number.NaN])('maxSessions: %d is refused', (maxSessions) => {
  expect(() => createMemoryStore({ maxSessions })).toThrow(/maxSessions/)
})

// What must not pass: each of these is a way in which stores are written wrong.
const mutants: Record<
  string,
  (store: SessionStore, kept: Map<string, SessionRecord>) => SessionStore
> = {
  'create overwrites': (store, kept) => ({
    ...store,
    create: async (record) => {
      await store.delete(record.id)
      kept.set(record.id, record)
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
  'replace creates': (store) => ({
    ...store,
    replace: async (record, expectedVersion) =>
      (await store.get(record.id)) ? store.replace(record, expectedVersion) : store.create(record),
  }),
  'replace ignores whether anything matched': (store) => ({
    ...store,
    replace: async (record, expectedVersion) => {
      await store.replace(record, expectedVersion)
      return true
    },
  }),
  'get ignores the expiry': (store, kept) => ({
    ...store,
    create: async (record) => {
      kept.set(record.id, record)
      return store.create(record)
    },
    get: async (id) => (await store.get(id)) ?? kept.get(id),
  }),
  'list shows the dead': (store, kept) => ({
    ...store,
    create: async (record) => {
      kept.set(record.id, record)
      return store.create(record)
    },
    list: async (userId) => [...kept.values()].filter((record) => record.userId === userId),
  }),
  'list forgets the living': (store) => ({
    ...store,
    list: async (userId) => (await store.list(userId)).slice(0, 1),
  }),
  'list is the oldest first': (store) => ({
    ...store,
    list: async (userId) => (await store.list(userId)).reverse(),
  }),
  'delete does nothing': (store) => ({ ...store, delete: async () => undefined }),
}

test.each(Object.entries(mutants))('storeCases catch a store whose %s', async (_name, mutate) => {
  const { now } = createClock()
  const store = mutate(createMemoryStore({ now }), new Map())

  const results = await Promise.allSettled(storeCases({ now }).map(({ run }) => run(store)))

  expect(results.filter(({ status }) => status === 'rejected')).not.toEqual([])
})
