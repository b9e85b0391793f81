import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import {
  AuthError,
  type AuthOptions,
  createMemoryStore,
  type SessionStore,
} from '../../src/index.js'
import { newKey, setUp } from '../set-up.js'
import { clear, openStore, storePlaces } from './stores.js'

// Each duel is some twenty writes and reads; other ways to the same server get fewer.
const duelsPerServer = 1000
const duelsPerClient = 100
const duelsAtOnce = 20

const memory = {
  name: 'memory',
  duels: duelsPerServer,
  open: async () => ({ store: createMemoryStore(), close: async () => undefined }),
  clear: async () => undefined,
}

const stores = [
  memory,
  ...storePlaces(inject('services')).map((place, n, places) => ({
    name: place.name,
    duels:
      places.findIndex(({ urls }) => urls.join() === place.urls.join()) === n
        ? duelsPerServer
        : duelsPerClient,
    open: () => openStore(place),
    clear: () => clear(place),
  })),
]

describe.each(stores)('$name', ({ open, clear, duels }) => {
  let opened: { store: SessionStore; close(): Promise<void> }
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(async () => {
    await opened?.close()
    await clear()
  })

  // This machine is busy with everything at once: what is tried here is not the deadline.
  const start = (options: Partial<AuthOptions> = {}) =>
    setUp({ store: opened.store, now: Date.now, storeTimeoutMs: 30_000, ...options })

  test('one refresh token, sent 200 times with one key, gives one successor', async () => {
    const { auth, wechat, events } = start()
    const { refresh_token } = await auth.login({ code: wechat.codeFor(newKey()) })
    const refreshing = { refreshToken: refresh_token, idempotencyKey: newKey() }

    const answers = await Promise.all(Array.from({ length: 200 }, () => auth.refresh(refreshing)))

    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1)
    const outcomes = events.flatMap((event) => (event.type === 'refresh' ? event.outcome : []))
    expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'retried')).toHaveLength(199)
  })

  test('one refresh token, sent 200 times with 200 keys, has one winner at most and ends its session', async () => {
    const { auth, wechat } = start()
    const { refresh_token, user_id } = await auth.login({ code: wechat.codeFor(newKey()) })

    const results = await Promise.allSettled(
      Array.from({ length: 200 }, () =>
        auth.refresh({ refreshToken: refresh_token, idempotencyKey: newKey() }),
      ),
    )

    const won = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(won).toHaveLength(1)
    expect(new Set(lost.map(({ code, reason }) => `${code} ${reason}`))).toEqual(
      new Set(['invalid_grant reused']),
    )
    expect(await auth.sessions.list(user_id)).toEqual([])
    await expect(auth.refresh({ refreshToken: won[0]?.refresh_token ?? '' })).rejects.toMatchObject(
      { code: 'invalid_grant', reason: 'reused' },
    )
  })

  test('of fifteen logins at once with a cap of ten, exactly ten are left, whoever else refreshes', async () => {
    for (let round = 0; round < 5; round++) {
      const userId = newKey()
      const { auth, wechat } = start({ onLogin: () => ({ userId }), maxSessionsPerUser: 10 })
      const { refresh_token: old } = await auth.login({ code: wechat.codeFor(userId) })

      const answers = await Promise.all([
        auth.refresh({ refreshToken: old }).catch(() => undefined),
        ...Array.from({ length: 15 }, () => auth.login({ code: wechat.codeFor(userId) })),
      ])

      expect(await auth.sessions.list(userId)).toHaveLength(10)
      const refreshed = await Promise.allSettled(
        answers.map((answer) => auth.refresh({ refreshToken: answer?.refresh_token ?? '' })),
      )
      expect(refreshed.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    }
  })

  test('of logins at once with one session per user, exactly one is left', async () => {
    for (let round = 0; round < 20; round++) {
      const userId = newKey()
      const { auth, wechat } = start({ onLogin: () => ({ userId }), maxSessionsPerUser: 1 })

      await Promise.all(
        Array.from({ length: 3 }, () => auth.login({ code: wechat.codeFor(userId) })),
      )

      expect(await auth.sessions.list(userId)).toHaveLength(1)
    }
  })

  test(`no refresh succeeds that starts after a revoke has resolved (${duels} times)`, async () => {
    const { auth } = start()
    let succeededLate = 0
    let rotations = 0
    const reasons = new Set<string>()

    async function duel(number: number) {
      const account = { openid: newKey() }
      const first = await auth.sessions.create({ account, userId: newKey() })
      const { user_id } = first
      let isRevoked = false
      const revoke = async () => {
        // At another point of the refresh each time.
        for (let turn = 0; turn < number % 16; turn++) await nextTurn()
        const ended = await untilAvailable(() => auth.sessions.revoke({ userId: user_id }))
        isRevoked = true
        return ended
      }
      const revoking = revoke()
      let token = first.refresh_token
      for (;;) {
        // In memory a refresh needs no turn of the event loop, so a loop of them would leave none to the revoke.
        await nextTurn()
        const isLate = isRevoked
        try {
          token = (await auth.refresh({ refreshToken: token })).refresh_token
          rotations++
          if (isLate) succeededLate++
        } catch (error) {
          reasons.add(error instanceof AuthError ? `${error.code} ${error.reason}` : String(error))
          break
        }
      }
      const ended = await revoking
      await auth.refresh({ refreshToken: token }).then(
        () => succeededLate++,
        (error) => reasons.add(`${error.code} ${error.reason}`),
      )
      return ended
    }

    const ended: number[] = []
    const lane = async (_: unknown, first: number) => {
      for (let n = first; n < duels; n += duelsAtOnce) ended.push(await duel(n))
    }
    await Promise.all(Array.from({ length: duelsAtOnce }, lane))

    expect(ended).toEqual(Array.from({ length: duels }, () => 1))
    expect(succeededLate).toBe(0)
    // Not a race, if a revoke always came before every refresh.
    expect(rotations).toBeGreaterThan(0)
    expect(reasons).toEqual(new Set(['invalid_grant revoked']))
  })
})

/** A 503 means that nothing was decided: an app calls again. */
async function untilAvailable<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof AuthError) || error.code !== 'store_unavailable') throw error
    }
  }
}
