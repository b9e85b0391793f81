import { describe, expect, test } from 'vitest'
import {
  type AuthOptions,
  createAuth,
  createMemoryStore,
  type SessionStore,
} from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { createClock, setUp, testSecret } from '../set-up.js'

const onLogin = () => ({ userId: 7 })

describe('logins at once leave exactly as many sessions as the cap allows:', () => {
  test.each([
    { cap: 1, logins: 2 },
    { cap: 1, logins: 9 },
    { cap: 10, logins: 15 },
  ])('cap $cap, $logins logins', async ({ cap, logins }) => {
    for (let n = 0; n < 20; n++) {
      const { auth, wechat } = setUp({ onLogin, maxSessionsPerUser: cap })

      const answers = await Promise.all(
        Array.from({ length: logins }, () => auth.login({ code: wechat.codeFor('alice') })),
      )

      expect(await auth.sessions.list(7)).toHaveLength(cap)
      const refreshed = await Promise.allSettled(
        answers.map(({ refresh_token: refreshToken }) => auth.refresh({ refreshToken })),
      )
      expect(refreshed.filter(({ status }) => status === 'fulfilled')).toHaveLength(cap)
    }
  })

  test('in several processes', async () => {
    const clock = createClock()
    const store = createMemoryStore({ now: clock.now })
    const { wechat } = setUp({ now: clock.now })
    const processes = Array.from({ length: 4 }, () =>
      createAuth({
        apps: [wechat.app],
        secret: testSecret,
        fetch: wechat.fetch,
        now: clock.now,
        store,
        onLogin,
        maxSessionsPerUser: 2,
      }),
    )

    await Promise.all(processes.map((auth) => auth.login({ code: wechat.codeFor('alice') })))

    expect(await store.list('7')).toHaveLength(2)
  })
})

test('with one session per user the newest login wins, also when the other device refreshes in the same second', async () => {
  const { auth, wechat, clock } = setUp({ onLogin, maxSessionsPerUser: 1 })
  const old = await auth.login({ code: wechat.codeFor('alice') })
  clock.advance(3600)
  await auth.refresh({ refreshToken: old.refresh_token })

  const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })

  await expect(auth.refresh({ refreshToken })).resolves.toBeDefined()
  expect(await auth.sessions.list(7)).toHaveLength(1)
})

test('a session that is used while it is ranked is ranked anew, and stays', async () => {
  const clock = createClock()
  const memory = createMemoryStore({ now: clock.now })
  let onList = async () => {}
  // The ranking lists; what only counts does not.
  const count = async (userId: string) => (await memory.list(userId)).length
  const list: SessionStore['list'] = async (userId) => {
    const records = await memory.list(userId)
    const run = onList
    onList = async () => {}
    await run()
    return records
  }
  const options: Partial<AuthOptions> = { onLogin, maxSessionsPerUser: 2 }
  const { auth, wechat } = setUp({ now: clock.now, store: { ...memory, list, count }, ...options })
  const oldest = await auth.login({ code: wechat.codeFor('alice') })
  clock.advance(100)
  const middle = await auth.login({ code: wechat.codeFor('alice') })
  clock.advance(100)
  onList = async () => void (await auth.refresh({ refreshToken: oldest.refresh_token }))

  await auth.login({ code: wechat.codeFor('alice') })

  expect(await auth.sessions.list(7)).toHaveLength(2)
  await expect(auth.refresh({ refreshToken: middle.refresh_token })).rejects.toMatchObject({
    reason: 'unknown',
  })
})

describe('pre-fetched sessions that no phone has adopted', () => {
  const prefetchPath = 'an-unguessable-path-1234'

  async function prefetched(count: number) {
    const clock = createClock()
    const store = createMemoryStore({ now: clock.now })
    const set = setUp({ now: clock.now, store, onLogin, onPrefetch: () => null, prefetchPath })
    const { auth, wechat } = set
    const answers: Record<string, unknown>[] = []
    for (let n = 0; n < count; n++) {
      clock.advance(1)
      const query = new URLSearchParams({ appid: wechat.app.appId, code: wechat.codeFor('alice') })
      answers.push(
        bodyOf(await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })),
      )
    }
    return { ...set, store, answers }
  }

  test('are at most three per user, the newest', async () => {
    const { auth, store, answers } = await prefetched(300)

    expect(await store.list('7')).toHaveLength(3)
    const refreshed = await Promise.allSettled(
      answers
        .slice(-4)
        .map(({ refresh_token }) => auth.refresh({ refreshToken: String(refresh_token) })),
    )
    expect(refreshed.map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ])
  })

  test('do not push out a device', async () => {
    const { auth, wechat, clock, answers } = await prefetched(1)
    const device = await auth.login({ code: wechat.codeFor('alice') })
    for (let n = 0; n < 12; n++) {
      clock.advance(1)
      const query = new URLSearchParams({ appid: wechat.app.appId, code: wechat.codeFor('alice') })
      await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })
    }

    expect(await auth.sessions.list(7)).toHaveLength(1)
    await expect(auth.refresh({ refreshToken: device.refresh_token })).resolves.toBeDefined()
    expect(answers).toHaveLength(1)
  })
})

describe('prefetchPath', () => {
  test.each([
    ['missing', { prefetchPath: undefined as unknown as string }],
    ['short', { prefetchPath: 'prefetch' }],
    ['with a slash', { prefetchPath: `${'a'.repeat(21)}/b` }],
    ['no string', { prefetchPath: 7 as unknown as string }],
  ])('%s is refused beside onPrefetch', (_what, options) => {
    expect(() => setUp({ onPrefetch: () => null, ...options })).toThrow(/^prefetchPath/)
  })

  test('without it in the path there is no such route', async () => {
    const { auth, wechat } = setUp({ onPrefetch: () => null, prefetchPath: 'p'.repeat(22) })
    const query = new URLSearchParams({ appid: wechat.app.appId, code: wechat.codeFor('alice') })

    const answers = await Promise.all([
      send(auth, `/prefetch?${query}`, { method: 'GET' }),
      send(auth, `/${'q'.repeat(22)}/prefetch?${query}`, { method: 'GET' }),
    ])

    expect(answers.map(({ status }) => status)).toEqual([404, 404])
  })
})
