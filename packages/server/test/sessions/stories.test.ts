import { describe, expect, test, vi } from 'vitest'
import {
  type Auth,
  type AuthEvent,
  type AuthOptions,
  createAuth,
  createMemoryStore,
  type MovedPhoneAnswer,
  type SessionRecord,
  type SessionStore,
} from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { createClock, newKey, type SetUp, setUp, testSecret } from '../set-up.js'

// What broke the rules that were not chosen, told without chance. The models in test/model find such stories.

const day = 24 * 3600
const onLogin = () => ({ userId: 7 })
const alarms = (events: readonly AuthEvent[]) => events.filter(({ type }) => type === 'revoked')
const isLive = ({ revokedAt }: SessionRecord) => revokedAt === undefined

describe('a refresh that is late by one /phone', () => {
  async function moved() {
    const set = setUp({ onPhoneNumber: () => ({ userId: 'member' }) })
    const { auth, wechat, clock } = set
    const guest = await auth.login({ code: wechat.codeFor('alice') })
    const packet = { refreshToken: guest.refresh_token, idempotencyKey: newKey() }
    return {
      ...set,
      packet,
      async move() {
        const session = await auth.authenticate(`Bearer ${guest.access_token}`)
        clock.advance(1)
        const answer = await auth.phone({ session, code: wechat.phoneCodeFor('alice') })
        return answer as MovedPhoneAnswer
      },
    }
  }

  test('is of a session that nobody knows: no tokens, and no alarm', async () => {
    const { auth, events, packet, move } = await moved()
    const member = await move()

    await expect(auth.refresh(packet)).rejects.toMatchObject({ reason: 'unknown' })

    expect(alarms(events)).toEqual([])
    await expect(auth.refresh({ refreshToken: member.refresh_token })).resolves.toMatchObject({
      user_id: 'member',
    })
  })

  test('is so too when its first copy was answered before', async () => {
    const { auth, events, packet, move } = await moved()
    await auth.refresh(packet)
    await move()

    await expect(auth.refresh(packet)).rejects.toMatchObject({ reason: 'unknown' })

    expect(alarms(events)).toEqual([])
    expect(await auth.sessions.list('member')).toHaveLength(1)
  })
})

describe('a revocation between the read and the write of what ends quietly keeps its tombstone:', () => {
  interface Scene extends SetUp {
    /** Comes before the next write. */
    beforeWrite(run: () => Promise<unknown>): void
    memory: SessionStore
  }

  function setUpScene(options: Partial<AuthOptions> = {}): Scene {
    const clock = createClock()
    const memory = createMemoryStore({ now: clock.now })
    let next: (() => Promise<unknown>) | undefined
    const replace: SessionStore['replace'] = async (record, version) => {
      const run = next
      next = undefined
      await run?.()
      return memory.replace(record, version)
    }
    const removeQuietly: SessionStore['delete'] = async (id) => {
      const run = next
      next = undefined
      await run?.()
      await memory.delete(id)
    }
    const set = setUp({
      now: clock.now,
      store: { ...memory, replace, delete: removeQuietly },
      onLogin,
      ...options,
    })
    return {
      ...set,
      clock,
      memory,
      beforeWrite(run) {
        next = run
      },
    }
  }

  const scenes: Readonly<Record<string, (parts: Scene) => Promise<() => Promise<unknown>>>> = {
    'a logout': async ({ auth, wechat }) => {
      const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
      return () => auth.logout({ refreshToken })
    },
    'a login that replaces it': async ({ auth, wechat }) => {
      const old = await auth.login({ code: wechat.codeFor('alice') })
      const code = wechat.codeFor('alice')
      return () => auth.login({ code, previousRefreshToken: old.refresh_token })
    },
    'a phone number of another user': async ({ auth, wechat }) => {
      const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
      const session = await auth.authenticate(`Bearer ${access_token}`)
      return () => auth.phone({ session, code: wechat.phoneCodeFor('alice') })
    },
    'a retry that comes too late': async ({ auth, wechat, clock }) => {
      const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
      const again = { refreshToken, idempotencyKey: newKey() }
      await auth.refresh(again)
      clock.advance(8 * day)
      return () => auth.refresh(again)
    },
    'the cap': async ({ auth, wechat, clock }) => {
      await auth.login({ code: wechat.codeFor('alice') })
      clock.advance(1)
      return () => auth.login({ code: wechat.codeFor('alice') })
    },
  }

  test.each(Object.entries(scenes))('%s', async (name, prepare) => {
    const scene = setUpScene({
      onPhoneNumber: () => ({ userId: 'member' }),
      ...(name === 'the cap' && { maxSessionsPerUser: 1 }),
    })
    const { auth, memory, beforeWrite } = scene
    const end = await prepare(scene)
    const [{ id } = { id: '' }] = await auth.sessions.list(7)
    beforeWrite(() => auth.sessions.revoke({ userId: 7, sessionId: id, reason: 'banned' }))

    await end().catch(() => undefined)

    expect(await memory.get(id)).toMatchObject({ revokedReason: 'banned' })
    // Nobody became the member of a number by way of a session that was revoked meanwhile.
    expect((await memory.list('member')).filter(isLive)).toEqual([])
  })
})

describe('a create that gave no answer', () => {
  async function unanswered(before: (memory: SessionStore, record: SessionRecord) => unknown) {
    const clock = createClock()
    const memory = createMemoryStore({ now: clock.now })
    const records: SessionRecord[] = []
    const create: SessionStore['create'] = async (record) => {
      if (records.push(record) > 1) return memory.create(record)
      await before(memory, record)
      throw new Error('the connection was lost')
    }
    const { auth, wechat } = setUp({ now: clock.now, store: { ...memory, create }, onLogin })
    const login = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    await expect(auth.login(login)).rejects.toMatchObject({ code: 'store_unavailable' })
    const [record] = records
    return { memory, clock, record: record as SessionRecord }
  }

  test('is kept from landing for a minute, and not for longer', async () => {
    const { memory, clock, record } = await unanswered(() => undefined)

    clock.advance(59)
    expect(await memory.create(record)).toBe(false)
    clock.advance(1)
    expect(await memory.get(record.id)).toBeUndefined()
  })

  test('and has been answered by a sibling since ends nothing: a phone goes on with it', async () => {
    const { memory, record } = await unanswered(async (memory, record) => {
      await memory.create(record)
      await memory.replace({ ...record, generation: 1, version: 2 }, 1)
    })

    expect(await memory.get(record.id)).toMatchObject({ generation: 1 })
  })
})

describe('one session per user', () => {
  test('is one of two logins, and not the device that refreshes in the same second', async () => {
    for (let round = 0; round < 10; round++) {
      const { auth, wechat, clock } = setUp({ onLogin, maxSessionsPerUser: 1 })
      const old = await auth.login({ code: wechat.codeFor('alice') })
      clock.advance(3600)
      const logIn = () => auth.login({ code: wechat.codeFor('alice') })

      const results = await Promise.allSettled([
        auth.refresh({ refreshToken: old.refresh_token }),
        logIn(),
        logIn(),
      ])

      const [refreshed, ...logins] = results.map((result) =>
        result.status === 'fulfilled' ? result.value.access_token : '',
      )
      const isIn = (token: string | undefined) =>
        auth.authenticate(`Bearer ${token}`, { fresh: true }).then(
          () => true,
          () => false,
        )
      expect(await isIn(refreshed)).toBe(false)
      expect((await Promise.all(logins.map(isIn))).sort()).toEqual([false, true])
    }
  })

  test('is the same one for processes whose stores list in another order', async () => {
    for (let round = 0; round < 10; round++) {
      const clock = createClock()
      const memory = createMemoryStore({ now: clock.now })
      const reversed = async (userId: string) => (await memory.list(userId)).reverse()
      const options = { now: clock.now, onLogin, maxSessionsPerUser: 1 }
      const { auth: here, wechat } = setUp({ ...options, store: memory })
      const there = createAuth({
        ...options,
        apps: [wechat.app],
        secret: testSecret,
        fetch: wechat.fetch,
        store: { ...memory, list: reversed },
      })
      const logIn = (auth: Auth) => auth.login({ code: wechat.codeFor('alice') })

      await Promise.all([logIn(here), logIn(there)])

      expect(await memory.list('7')).toHaveLength(1)
    }
  })
})

describe('a hook that hangs', () => {
  test('while the phone retries and refreshes makes no thief of it at a logout either', async () => {
    const { auth, wechat, clock, events } = setUp()
    const { refresh_token: first } = await auth.login({ code: wechat.codeFor('alice') })
    const { refresh_token: second } = await auth.refresh({ refreshToken: first })
    await auth.refresh({ refreshToken: second })

    const { status } = await sendSlowly(auth, '/logout', { refresh_token: first }, () =>
      clock.advance(11),
    )

    expect(status).toBe(503)
    expect(alarms(events)).toEqual([])
  })

  test('keeps nobody from a refresh that is no second use, however late it is', async () => {
    const { auth, wechat, clock } = setUp()
    const { refresh_token } = await auth.login({ code: wechat.codeFor('alice') })

    const { status } = await sendSlowly(auth, '/refresh', { refresh_token }, () =>
      clock.advance(60),
    )

    expect(status).toBe(200)
  })

  test('keeps nobody from signing out with the newest token', async () => {
    const { auth, wechat, clock } = setUp({ onLogin })
    const { refresh_token } = await auth.login({ code: wechat.codeFor('alice') })

    const { status } = await sendSlowly(auth, '/logout', { refresh_token }, () => clock.advance(11))

    expect(status).toBe(204)
    expect(await auth.sessions.list(7)).toEqual([])
  })

  test('in onLogin does not make a thief of the phone that gave the login up', async () => {
    let hang: Promise<void> | undefined
    const { auth, wechat, clock, events } = setUp({
      onLogin: async () => {
        await hang
        return { userId: 7 }
      },
    })
    const { refresh_token: first } = await auth.login({ code: wechat.codeFor('alice') })
    let release = () => {}
    hang = new Promise((resolve) => {
      release = resolve
    })
    const hung = auth.login({ code: wechat.codeFor('alice'), previousRefreshToken: first })
    await vi.waitFor(() => expect(wechat.calls).toHaveLength(2))
    hang = undefined
    clock.advance(11)
    const { refresh_token: second } = await auth.refresh({ refreshToken: first })
    clock.advance(8)
    const { refresh_token: third } = await auth.refresh({ refreshToken: second })
    release()
    await hung

    expect(alarms(events)).toEqual([])
    await expect(auth.refresh({ refreshToken: third })).resolves.toBeDefined()
  })
})

test('a used token that ends its session with the alarm says so to the thief', async () => {
  const { auth, wechat } = setUp({ onLogin })
  const { refresh_token: first } = await auth.login({ code: wechat.codeFor('alice') })
  const thief = await auth.refresh({ refreshToken: first, idempotencyKey: newKey() })

  await auth.logout({ refreshToken: first, idempotencyKey: newKey() })

  await expect(auth.refresh({ refreshToken: thief.refresh_token })).rejects.toMatchObject({
    reason: 'reused',
  })
})

test('the key of the newest generation is no key of one that is two behind', async () => {
  const { auth, wechat, events } = setUp({ onLogin })
  const { refresh_token: first } = await auth.login({ code: wechat.codeFor('alice') })
  const { refresh_token: second } = await auth.refresh({ refreshToken: first })
  const idempotencyKey = newKey()
  await auth.refresh({ refreshToken: second, idempotencyKey })

  await auth.logout({ refreshToken: first, idempotencyKey })

  expect(alarms(events)).toMatchObject([{ reason: 'reused' }])
})

describe('cloud hosting', () => {
  const gateway = {
    'x-wx-openid': 'alice',
    'x-wx-appid': 'wx0000000000000001',
    'x-wx-source': 'wx_client',
  }
  const hosted = (options: Partial<AuthOptions> = {}) => {
    const clock = createClock()
    const memory = createMemoryStore({ now: clock.now })
    const set = setUp({
      now: clock.now,
      store: memory,
      cloudHosting: { public: false },
      onLogin,
      ...options,
    })
    const login = async (key: string) => {
      const request = { headers: { ...gateway, 'Idempotency-Key': key }, body: {} }
      return bodyOf(await send(set.auth, '/login', request))
    }
    return { ...set, clock, memory, login }
  }

  test('the same key is the same session for five minutes, whenever they begin', async () => {
    for (const seconds of [0, 1, 150, 299]) {
      const { clock, login } = hosted()
      clock.advance(seconds)
      const key = newKey()
      const first = await login(key)
      clock.advance(299)

      expect((await login(key)).refresh_token, `begun after ${seconds} s`).toBe(first.refresh_token)
    }
  })

  /** The same id began twice, because everything about its user was deleted in between. */
  async function twoIncarnations() {
    const set = hosted()
    const { auth, clock, memory, login } = set
    const key = newKey()
    const old = String((await login(key)).refresh_token)
    const [first] = await memory.list('7')
    await auth.sessions.forget(7)
    clock.advance(1)
    await login(key)
    const [second] = await memory.list('7')
    expect(second?.id).toBe(first?.id)
    return { ...set, old }
  }

  test('a token of another incarnation is unknown, and ends nothing', async () => {
    const { auth, memory, wechat, old } = await twoIncarnations()

    await expect(auth.refresh({ refreshToken: old })).rejects.toMatchObject({ reason: 'unknown' })
    await auth.logout({ refreshToken: old, everywhere: true })
    await auth.login({ code: wechat.codeFor('alice'), previousRefreshToken: old })

    expect((await memory.list('7')).filter(isLive)).toHaveLength(2)
  })

  test('an id is kept for ten minutes, and then no longer than the cap allows', async () => {
    const { auth, memory, clock, login } = hosted({ maxSessionsPerUser: 1 })
    for (let n = 0; n < 3; n++) {
      await login(newKey())
      await auth.sessions.revoke({ userId: 7 })
    }
    expect(await memory.list('7')).toHaveLength(3)
    clock.advance(599)
    await login(newKey())
    expect(await memory.list('7')).toHaveLength(4)
    clock.advance(1)

    await login(newKey())

    // The newest session, the one that it pushed out, and the newest tombstone.
    expect(await memory.list('7')).toHaveLength(3)
  })

  test('however often a user logs in, a hundred ids at most are kept, the newest', async () => {
    const { auth, memory, clock, login } = hosted({ maxSessionsPerUser: 1 })
    const keys = Array.from({ length: 103 }, newKey)
    for (const key of keys) {
      clock.advance(1)
      const { refresh_token } = await login(key)
      await auth.logout({ refreshToken: String(refresh_token) })
    }
    await login(newKey())

    const records = await memory.list('7')
    expect(records.filter((record) => !isLive(record))).toHaveLength(100)
    expect(await login(keys.at(-1) ?? '')).toMatchObject({ error: 'invalid_request' })
  })
})

/** A request whose body takes its time. */
function sendSlowly(auth: Auth, path: string, body: object, meanwhile: () => void) {
  const headers = new Map([
    ['content-type', 'application/json'],
    ...(path === '/refresh' ? [['idempotency-key', newKey()] as const] : []),
  ])
  return auth.handle({
    method: 'POST',
    path,
    header: (name) => headers.get(name.toLowerCase()),
    body: (async function* () {
      meanwhile()
      yield JSON.stringify(body)
    })(),
  })
}
