import { expect, test } from 'vitest'
import { createMemoryStore, type SessionRecord } from '../../src/index.js'
import { guardStore } from '../../src/sessions/guarded-store.js'
import { createRevocationCheck } from '../../src/sessions/revocation.js'
import { createClock } from '../set-up.js'

// To sign ten thousand tokens takes too long, so these ask without one.

const sessionOf = (id: string) => ({
  id,
  userId: 'user',
  appId: 'wx1',
  claims: {},
  authenticatedAt: 1,
  issuedAt: 1,
  expiresAt: 901,
})

const recordOf = (id: string): SessionRecord => ({
  v: 1,
  id,
  version: 1,
  method: 'code',
  userId: 'user',
  appId: 'wx1',
  openid: 'openid',
  generation: 0,
  idempotencyKeyHash: 'hash',
  createdAt: 1,
  authenticatedAt: 1,
  lastRefreshAt: 1,
  endsAt: 2_000_000_000,
  expiresAt: 2_000_000_000,
})

function setUpCheck() {
  const { now } = createClock()
  const reads: string[] = []
  const store = {
    ...createMemoryStore({ now }),
    get: async (id: string) => {
      reads.push(id)
      return recordOf(id)
    },
  }
  const isLive = createRevocationCheck({
    revocation: { staleSeconds: 30 },
    store: guardStore({ store }),
    now,
  })
  const ask = (id: string) => isLive(sessionOf(id), false)
  return { reads, ask }
}

test('what was read lately is remembered of ten thousand sessions, and of no more', async () => {
  const { reads, ask } = setUpCheck()
  for (let n = 0; n < 10_000; n++) await ask(`session-${n}`)
  for (let n = 0; n < 10_000; n++) await ask(`session-${n}`)
  expect(reads).toHaveLength(10_000)

  await ask('one-more')
  for (let n = 0; n < 10_000; n++) await ask(`session-${n}`)

  // One had to go, drawn by lot, and each that comes back takes the place of another.
  expect(reads.length).toBeGreaterThan(10_001)
  expect(reads.length).toBeLessThan(10_100)
})
