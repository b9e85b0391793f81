import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createMemoryStore, type SessionStore } from '../../src/index.js'
import { newKey, setUp } from '../set-up.js'
import { clear, openStore, storePlaces } from './stores.js'

const audience = 'https://shop.example.com'

const memory = {
  name: 'memory',
  open: async () => ({ store: createMemoryStore(), close: async () => undefined }),
  clear: async () => undefined,
}

const stores = [
  memory,
  ...storePlaces(inject('services')).map((place) => ({
    name: place.name,
    open: () => openStore(place),
    clear: () => clear(place),
  })),
]

describe.each(stores)('$name', ({ open, clear }) => {
  let opened: { store: SessionStore; close(): Promise<void> }
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(async () => {
    await opened?.close()
    await clear()
  })

  // This machine is busy with everything at once: what is tried here is not the deadline.
  const start = () => setUp({ store: opened.store, now: Date.now, storeTimeoutMs: 60_000 })

  async function visitor() {
    const setting = start()
    const { auth, wechat } = setting
    const tokens = await auth.login({ code: wechat.codeFor(newKey()) })
    const session = await auth.authenticate(`Bearer ${tokens.access_token}`)
    return { ...setting, session }
  }

  test('one ticket, redeemed a thousand times at once at two instances, has one holder', async () => {
    const { auth, session } = await visitor()
    const other = start()
    const ticket = await auth.tickets.issue(session, { audience })

    const results = await Promise.allSettled(
      Array.from({ length: 1_000 }, (_, n) =>
        (n % 2 ? auth : other.auth).tickets.redeem(ticket, { audience }),
      ),
    )

    const won = results.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    const lost = results.flatMap((one) => (one.status === 'rejected' ? one.reason : []))
    expect(won.map(({ userId }) => userId)).toEqual([session.userId])
    expect(new Set(lost.map(({ code, reason }) => `${code} ${reason}`))).toEqual(
      new Set(['invalid_grant used']),
    )
  })

  test('a hundred tickets of one session are a hundred, and each goes once', async () => {
    const { auth, session } = await visitor()

    const tickets = await Promise.all(
      Array.from({ length: 100 }, () => auth.tickets.issue(session, { audience })),
    )
    const results = await Promise.allSettled(
      [...tickets, ...tickets].map((ticket) => auth.tickets.redeem(ticket, { audience })),
    )

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(100)
  })

  test('whoever is revoked or forgotten has no ticket', async () => {
    for (const end of ['revoke', 'forget'] as const) {
      const { auth, session } = await visitor()
      const ticket = await auth.tickets.issue(session, { audience })

      if (end === 'revoke') await auth.sessions.revoke({ userId: session.userId })
      else await auth.sessions.forget(session.userId)

      await expect(auth.tickets.redeem(ticket, { audience })).rejects.toMatchObject({
        code: 'invalid_grant',
        reason: end === 'revoke' ? 'revoked' : 'unknown',
      })
    }
  })
})
