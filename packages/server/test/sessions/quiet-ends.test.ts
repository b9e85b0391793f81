import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import {
  AuthError,
  type AuthOptions,
  createMemoryStore,
  type SessionRecord,
  type SessionStore,
} from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { createClock, newKey, setUp } from '../set-up.js'
import { createGate } from '../wechat/set-up.js'

/** An `auth` on a store of which each verb can be made to do something else first. */
function setUpOn(
  over: (memory: SessionStore) => Partial<SessionStore>,
  options: Partial<AuthOptions> = {},
) {
  const clock = createClock()
  const memory = createMemoryStore({ now: clock.now })
  const set = setUp({ now: clock.now, store: { ...memory, ...over(memory) }, ...options })
  return { ...set, clock, memory }
}

const banned = () => new AuthError('access_denied', 'This user is banned', { reason: 'banned' })

describe('what fails after a session was stored leaves none behind:', () => {
  const large = { a: '汉'.repeat(1000) }

  test.each<[string, Partial<AuthOptions>]>([
    ['claims that are too large in bytes', { claims: () => large }],
    [
      'claims that throw',
      {
        claims: () => {
          throw new Error('the database is down')
        },
      },
    ],
    [
      'claims that refuse',
      {
        claims: () => {
          throw banned()
        },
      },
    ],
    ['an issuer that makes the token too long', { issuer: 'i'.repeat(4000) }],
  ])('%s', async (_what, options) => {
    const { auth, wechat, memory } = setUpOn(() => ({}), {
      onLogin: () => ({ userId: 7 }),
      ...options,
    })

    for (let n = 0; n < 3; n++) {
      await auth.login({ code: wechat.codeFor('alice') }).catch(() => undefined)
    }
    await auth.sessions.create({ account: { openid: 'alice' }, userId: 7 }).catch(() => undefined)

    expect(await memory.list('7')).toEqual([])
  })

  test('and the other devices of the user stay', async () => {
    let isLarge = false
    const { auth, wechat } = setUp({
      onLogin: () => ({ userId: 7 }),
      claims: () => (isLarge ? large : {}),
    })
    await auth.login({ code: wechat.codeFor('alice') })
    isLarge = true

    for (let n = 0; n < 12; n++) {
      await auth.login({ code: wechat.codeFor('alice') }).catch(() => undefined)
    }

    expect(await auth.sessions.list(7)).toHaveLength(1)
  })

  test('data of a pre-fetch that are too large', async () => {
    const { auth, wechat, memory } = setUpOn(() => ({}), {
      onLogin: () => ({ userId: 7 }),
      onPrefetch: () => 'x'.repeat(300_000),
      prefetchPath: 'p'.repeat(22),
    })
    const query = new URLSearchParams({ appid: wechat.app.appId, code: wechat.codeFor('alice') })

    const answer = await send(auth, `/${'p'.repeat(22)}/prefetch?${query}`, { method: 'GET' })

    expect(bodyOf(answer)).toEqual({})
    expect(await memory.list('7')).toEqual([])
  })

  test('a refresh measures its token before it commits', async () => {
    let isLarge = false
    const { auth, wechat } = setUp({ claims: () => (isLarge ? large : {}) })
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
    isLarge = true
    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ code: 'server_error' })
    isLarge = false

    await expect(auth.refresh({ refreshToken })).resolves.toBeDefined()
  })

  test('and a revocation that came in between keeps its tombstone', async () => {
    const { auth, wechat, memory } = setUpOn(() => ({}), {
      onLogin: () => ({ userId: 7 }),
      claims: async () => {
        await auth.sessions.revoke({ userId: 7 })
        throw new Error('the database is down')
      },
    })

    await auth.login({ code: wechat.codeFor('alice') }).catch(() => undefined)

    expect(await memory.list('7')).toMatchObject([{ revokedReason: 'revoked' }])
  })
})

describe('a create that gives no answer', () => {
  test.each([
    ['has landed', true],
    ['lands after it was undone', false],
  ])('and %s leaves no session', async (_what, isEarly) => {
    const late: (() => Promise<unknown>)[] = []
    let isSilent = true
    const { auth, wechat, memory, clock } = setUpOn(
      (memory) => ({
        create: async (record) => {
          if (!isSilent) return memory.create(record)
          isSilent = false
          if (isEarly) await memory.create(record)
          else late.push(() => memory.create(record))
          throw new Error('the connection was lost')
        },
      }),
      { onLogin: () => ({ userId: 7 }) },
    )

    const login = auth.login({ code: wechat.codeFor('alice') })

    await expect(login).rejects.toMatchObject({ code: 'store_unavailable' })
    clock.advance(30)
    for (const land of late) expect(await land()).toBe(false)
    expect(await auth.sessions.list(7)).toEqual([])
    expect((await memory.list('7')).filter(({ revokedAt }) => revokedAt === undefined)).toEqual([])
  })

  test('of a store that is too slow for the undoing as well leaves no session', async () => {
    const done: string[] = []
    const { auth, wechat, memory } = setUpOn(
      ({ create, replace }) => ({
        async create(record) {
          await delay(300)
          const isCreated = await create(record)
          done.push('create')
          return isCreated
        },
        async replace(...given) {
          await delay(300)
          const isReplaced = await replace(...given)
          done.push('replace')
          return isReplaced
        },
      }),
      { onLogin: () => ({ userId: 7 }), storeTimeoutMs: 20 },
    )

    const login = auth.login({ code: wechat.codeFor('alice') })

    await expect(login).rejects.toMatchObject({ code: 'store_unavailable' })
    await vi.waitFor(() => expect(done).toEqual(['create', 'create', 'replace']), {
      timeout: 10_000,
    })
    expect(await memory.list('7')).toEqual([])
  })

  test('leaves the session of somebody else alone', async () => {
    const users = { now: 0 }
    const { auth, wechat, memory } = setUpOn(
      (memory) => ({
        create: async (record) => {
          if (users.now++ > 0) return memory.create(record)
          await memory.create({ ...record, idempotencyKeyHash: 'of a sibling' })
          throw new Error('the connection was lost')
        },
      }),
      { onLogin: () => ({ userId: 7 }) },
    )

    await auth.login({ code: wechat.codeFor('alice') }).catch(() => undefined)

    expect(await memory.list('7')).toMatchObject([{ idempotencyKeyHash: 'of a sibling' }])
  })
})

describe('a request that waited too long in the server', () => {
  /** A phone whose refresh hangs in `claims`, which sends it again and then goes on. */
  async function hanging() {
    const gates: (() => void)[] = []
    let hangs = false
    const set = setUp({
      claims: async () => {
        if (hangs) await new Promise<void>((go) => gates.push(go))
        return {}
      },
    })
    const { auth, wechat } = set
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
    const request = { refreshToken, idempotencyKey: newKey() }
    hangs = true
    const hung = auth.refresh(request)
    await vi.waitFor(() => expect(gates).toHaveLength(1))
    hangs = false
    const second = await auth.refresh(request)
    const release = () => {
      for (const go of gates) go()
    }
    return { ...set, hung, second, release }
  }

  test('raises no alarm: its phone may have gone on', async () => {
    const { auth, clock, events, hung, second, release } = await hanging()
    clock.advance(15)
    const third = await auth.refresh({ refreshToken: second.refresh_token })
    release()

    await expect(hung).rejects.toMatchObject({ code: 'store_unavailable' })

    expect(events.filter(({ type }) => type === 'revoked')).toEqual([])
    await expect(auth.refresh({ refreshToken: third.refresh_token })).resolves.toBeDefined()
  })

  test('within ten seconds a second use still is one', async () => {
    const { auth, clock, events, hung, second, release } = await hanging()
    clock.advance(10)
    await auth.refresh({ refreshToken: second.refresh_token })
    release()

    await expect(hung).rejects.toMatchObject({ code: 'invalid_grant', reason: 'reused' })
    expect(events.filter(({ type }) => type === 'revoked')).toHaveLength(1)
  })

  test('counts from when it arrived, its body included', async () => {
    const { auth, wechat, clock, events } = setUp()
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
    const { refresh_token: next } = await auth.refresh({ refreshToken })
    await auth.refresh({ refreshToken: next })
    const text = JSON.stringify({ refresh_token: refreshToken })

    const { status } = await auth.handle({
      method: 'POST',
      path: '/refresh',
      header: (name) =>
        ({ 'content-type': 'application/json', 'idempotency-key': newKey() })[name.toLowerCase()],
      body: (async function* () {
        clock.advance(12)
        yield text
      })(),
    })

    expect(status).toBe(503)
    expect(events.filter(({ type }) => type === 'revoked')).toEqual([])
  })
})

describe('a login whose hook hung until nobody waited for it any more', () => {
  test('opens no session, which would push out the one that the phone holds', async () => {
    const { opened, open } = createGate()
    let isHanging = true
    const { auth, wechat, clock } = setUp({
      maxSessionsPerUser: 1,
      onLogin: async () => {
        if (isHanging) await opened
        return { userId: 7 }
      },
    })
    const hung = auth.login({ code: wechat.codeFor('alice') })
    await vi.waitFor(() => expect(wechat.calls).toHaveLength(1))
    await delay(5)
    isHanging = false
    clock.advance(20.5)
    const held = await auth.login({ code: wechat.codeFor('alice') })
    open()

    await expect(hung).rejects.toMatchObject({ code: 'store_unavailable' })

    await expect(auth.refresh({ refreshToken: held.refresh_token })).resolves.toBeDefined()
  })

  test('leaves the session that a phone number would have replaced', async () => {
    const { auth, wechat, clock } = setUp({
      onLogin: () => ({ userId: 'guest' }),
      onPhoneNumber: () => {
        clock.advance(20.5)
        return { userId: 'member' }
      },
    })
    const guest = await auth.login({ code: wechat.codeFor('alice') })
    const session = await auth.authenticate(`Bearer ${guest.access_token}`)

    const moved = auth.phone({ session, code: wechat.phoneCodeFor('alice') })

    await expect(moved).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(auth.refresh({ refreshToken: guest.refresh_token })).resolves.toBeDefined()
  })

  test('within twenty seconds opens one', async () => {
    const { auth, wechat, clock } = setUp({ onLogin: (): void => clock.advance(20) })

    await expect(auth.login({ code: wechat.codeFor('alice') })).resolves.toBeDefined()
  })
})

describe('a tombstone', () => {
  test('holds nothing that tells who the account is', async () => {
    const { auth, wechat, memory } = setUpOn(() => ({}), { onLogin: () => ({ userId: 7 }) })
    await auth.login({ code: wechat.codeFor('alice', { unionid: true } as never) })
    await auth.sessions.revoke({ userId: 7 })

    const [tombstone] = await memory.list('7')

    const kept = Object.keys(tombstone ?? {})
    for (const name of ['openid', 'unionid', 'sealedKey', 'data']) expect(kept).not.toContain(name)
  })
})

describe('sessions.forget', () => {
  test('removes sessions, tombstones and what a pre-fetch left, and says how many were live', async () => {
    const { auth, wechat, memory, events } = setUpOn(() => ({}), { onLogin: () => ({ userId: 7 }) })
    for (let n = 0; n < 3; n++) await auth.login({ code: wechat.codeFor('alice') })
    const [first] = await auth.sessions.list(7)
    await auth.sessions.revoke({ userId: 7, sessionId: first?.id ?? '' })
    const other = await auth.sessions.create({ account: { openid: 'bob' }, userId: 8 })

    expect(await auth.sessions.forget(7)).toBe(2)

    expect(await memory.list('7')).toEqual([])
    expect(events.at(-1)).toEqual({ type: 'forgotten', userId: '7', sessions: 2 })
    await expect(auth.refresh({ refreshToken: other.refresh_token })).resolves.toBeDefined()
  })

  test('counts a session once, though a list that lags behind shows it again', async () => {
    let shown: Promise<SessionRecord[]> | undefined
    const { auth, wechat } = setUpOn(
      (memory) => ({
        list: (userId) => {
          shown ??= memory.list(userId)
          return shown
        },
      }),
      { onLogin: () => ({ userId: 7 }) },
    )
    await auth.login({ code: wechat.codeFor('alice') })
    shown = undefined

    expect(await auth.sessions.forget(7)).toBe(1)
  })

  test('a device of that user learns that its token is unknown', async () => {
    const { auth, wechat } = setUp({ onLogin: () => ({ userId: 7 }) })
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })

    await auth.sessions.forget(7)

    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ reason: 'unknown' })
  })

  test('takes what is created meanwhile', async () => {
    let meanwhile: SessionRecord | undefined
    const { auth, wechat, memory } = setUpOn(
      (memory) => ({
        delete: async (id) => {
          await memory.delete(id)
          if (meanwhile) await memory.create(meanwhile)
          meanwhile = undefined
        },
      }),
      { onLogin: () => ({ userId: 7 }) },
    )
    await auth.login({ code: wechat.codeFor('alice') })
    const [record] = await memory.list('7')
    meanwhile = { ...(record as SessionRecord), id: 'another' }

    expect(await auth.sessions.forget(7)).toBe(2)
    expect(await memory.list('7')).toEqual([])
  })
})
