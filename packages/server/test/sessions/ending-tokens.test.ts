import { describe, expect, test } from 'vitest'
import { type AuthEvent, createMemoryStore, type LoginContext } from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { newKey, type SetUp, setUp } from '../set-up.js'

const day = 24 * 3600

/** Alice on two phones, and the idempotency key that each keeps beside its refresh token. */
async function setUpAlice() {
  const seen: LoginContext['previous'][] = []
  const set = setUp({
    onLogin: (_account, { previous }) => {
      seen.push(previous)
      return { userId: 7 }
    },
  })
  const { auth, wechat, clock } = set
  const other = await auth.login({ code: wechat.codeFor('alice') })
  clock.advance(100)
  const login = await auth.login({ code: wechat.codeFor('alice') })
  const { id } = await auth.authenticate(`Bearer ${login.access_token}`)
  clock.advance(100)
  set.events.length = 0
  seen.length = 0
  return { ...set, seen, other, id, first: login.refresh_token }
}

const endings = (events: readonly AuthEvent[]) =>
  events.filter(({ type }) => type === 'logout' || type === 'revoked')

type Alice = Awaited<ReturnType<typeof setUpAlice>>

/** Who presents which token with which key, and what it is worth. */
const holders = {
  'the newest token': {
    isNewest: true,
    isThief: false,
    take: async ({ first }: Alice) => ({ refreshToken: first, key: newKey() }),
  },
  'a token whose answer was lost, with its key': {
    isNewest: true,
    isThief: false,
    async take({ auth, first }: Alice) {
      const key = newKey()
      await auth.refresh({ refreshToken: first, idempotencyKey: key })
      return { refreshToken: first, key }
    },
  },
  'such a token, eight days later': {
    isNewest: true,
    isThief: false,
    async take({ auth, clock, first }: Alice) {
      const key = newKey()
      await auth.refresh({ refreshToken: first, idempotencyKey: key })
      clock.advance(8 * day)
      return { refreshToken: first, key }
    },
  },
  'such a token without its key': {
    isNewest: false,
    isThief: false,
    async take({ auth, first }: Alice) {
      await auth.refresh({ refreshToken: first })
      return { refreshToken: first, key: undefined }
    },
  },
  'a used token with another key': {
    isNewest: false,
    isThief: true,
    async take({ auth, first }: Alice) {
      await auth.refresh({ refreshToken: first, idempotencyKey: newKey() })
      return { refreshToken: first, key: newKey() }
    },
  },
  'a token two generations behind': {
    isNewest: false,
    isThief: true,
    async take({ auth, first }: Alice) {
      const { refresh_token } = await auth.refresh({ refreshToken: first })
      await auth.refresh({ refreshToken: refresh_token })
      return { refreshToken: first, key: undefined }
    },
  },
} as const

describe.each(Object.entries(holders))('%s', (_name, { isNewest, isThief, take }) => {
  const ending = isThief
    ? { type: 'revoked', reason: 'reused', userId: '7' }
    : { type: 'logout', userId: '7' }

  test(`at logout ends the session ${isThief ? 'with the alarm' : 'quietly'}`, async () => {
    const alice = await setUpAlice()
    const { refreshToken, key } = await take(alice)

    await alice.auth.logout({ refreshToken, ...(key && { idempotencyKey: key }) })

    expect(endings(alice.events)).toMatchObject([{ ...ending, sessionId: alice.id }])
    expect(await alice.auth.sessions.list(7)).toHaveLength(1)
  })

  test(`at logout everywhere ends ${isNewest ? 'the others too' : 'no other'}`, async () => {
    const alice = await setUpAlice()
    const { refreshToken, key } = await take(alice)

    await alice.auth.logout({
      refreshToken,
      everywhere: true,
      ...(key && { idempotencyKey: key }),
    })

    expect(await alice.auth.sessions.list(7)).toHaveLength(isNewest ? 0 : 1)
  })

  test(`named by a login ${isNewest ? 'is' : 'is not'} told to onLogin, and ends`, async () => {
    const alice = await setUpAlice()
    const { refreshToken, key } = await take(alice)

    await alice.auth.login({
      code: alice.wechat.codeFor('alice'),
      previousRefreshToken: refreshToken,
      ...(key && { previousIdempotencyKey: key }),
    })

    expect(alice.seen).toMatchObject([isNewest ? { id: alice.id } : undefined])
    expect(endings(alice.events)).toMatchObject([{ ...ending, sessionId: alice.id }])
  })
})

describe('over the wire', () => {
  test('a logout brings the key in its header, a login in its body', async () => {
    const alice = await setUpAlice()
    const key = newKey()
    await alice.auth.refresh({ refreshToken: alice.first, idempotencyKey: key })

    const { status } = await send(alice.auth, '/logout', {
      headers: { 'Idempotency-Key': key },
      body: { refresh_token: alice.first, everywhere: true },
    })

    expect(status).toBe(204)
    expect(await alice.auth.sessions.list(7)).toEqual([])
  })

  test('a login names its previous session and key', async () => {
    const alice = await setUpAlice()
    const key = newKey()
    await alice.auth.refresh({ refreshToken: alice.first, idempotencyKey: key })

    await send(alice.auth, '/login', {
      body: {
        code: alice.wechat.codeFor('alice'),
        app_id: alice.wechat.app.appId,
        previous_refresh_token: alice.first,
        previous_idempotency_key: key,
      },
    })

    expect(alice.seen).toMatchObject([{ id: alice.id }])
  })

  test('a session that the user has signed out of ends, and onLogin does not learn of it', async () => {
    const alice = await setUpAlice()

    await send(alice.auth, '/login', {
      body: {
        code: alice.wechat.codeFor('alice'),
        app_id: alice.wechat.app.appId,
        previous_refresh_token: alice.first,
        previous_signed_out: true,
      },
    })

    expect(alice.seen).toEqual([undefined])
    expect(endings(alice.events)).toMatchObject([{ type: 'logout', sessionId: alice.id }])
  })

  test('a logout with an empty key, as clients without one send it, has none', async () => {
    const alice = await setUpAlice()
    await alice.auth.refresh({ refreshToken: alice.first })

    const { status } = await send(alice.auth, '/logout', {
      headers: { 'Idempotency-Key': '' },
      body: { refresh_token: alice.first },
    })

    expect(status).toBe(204)
    expect(endings(alice.events)).toMatchObject([{ type: 'logout', sessionId: alice.id }])
  })

  test.each(['short', 'k'.repeat(65)])('a logout with the key %j is refused', async (key) => {
    const alice = await setUpAlice()

    const response = await send(alice.auth, '/logout', {
      headers: { 'Idempotency-Key': key },
      body: { refresh_token: alice.first },
    })

    expect(bodyOf(response)).toMatchObject({ error: 'invalid_request' })
    expect(await alice.auth.sessions.list(7)).toHaveLength(2)
  })
})

test('a logout with an old token leaves the tombstone of a revoked session where it is', async () => {
  const { auth, first } = await setUpAlice()
  await auth.sessions.revoke({ userId: 7 })

  await auth.logout({ refreshToken: first })

  await expect(auth.refresh({ refreshToken: first })).rejects.toMatchObject({ reason: 'revoked' })
})

test('so does a login that names it', async () => {
  const { auth, wechat, first } = await setUpAlice()
  await auth.sessions.revoke({ userId: 7 })

  await auth.login({ code: wechat.codeFor('alice'), previousRefreshToken: first })

  await expect(auth.refresh({ refreshToken: first })).rejects.toMatchObject({ reason: 'revoked' })
})

test('a revocation between read and write keeps its tombstone', async () => {
  const store = createMemoryStore()
  let revoke = async () => {}
  const replace: typeof store.replace = async (record, version) => {
    const run = revoke
    revoke = async () => {}
    await run()
    return store.replace(record, version)
  }
  const { auth, wechat } = setUp({
    now: Date.now,
    store: { ...store, replace },
    onLogin: () => ({ userId: 7 }),
  })
  const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
  revoke = async () => void (await auth.sessions.revoke({ userId: 7 }))

  await auth.logout({ refreshToken })

  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ reason: 'revoked' })
})

test('a logout everywhere spares a session that began after its request arrived', async () => {
  const { auth, wechat, clock, first } = await setUpAlice()
  const body = JSON.stringify({ refresh_token: first, everywhere: true })

  const { status } = await auth.handle({
    method: 'POST',
    path: '/logout',
    header: (name) => ({ 'content-type': 'application/json' })[name.toLowerCase()],
    body: (async function* () {
      clock.advance(2)
      await auth.login({ code: wechat.codeFor('alice') })
      yield body
    })(),
  })

  expect(status).toBe(204)
  expect(await auth.sessions.list(7)).toHaveLength(1)
})

describe('a retry', () => {
  async function retriedAfter(seconds: number) {
    const alice = await setUpAlice()
    const again = { refreshToken: alice.first, idempotencyKey: newKey() }
    await alice.auth.refresh(again)
    alice.clock.advance(seconds)
    return { ...alice, retry: () => alice.auth.refresh(again) }
  }

  test('is answered for seven days', async () => {
    const { retry } = await retriedAfter(7 * day)

    await expect(retry()).resolves.toBeDefined()
  })

  test('after more than seven days ends the session quietly, and raises no alarm', async () => {
    const { auth, events, id, retry } = await retriedAfter(7 * day + 1)

    await expect(retry()).rejects.toMatchObject({ code: 'invalid_grant', reason: 'expired' })

    expect(events.at(-1)).toMatchObject({
      type: 'refresh',
      outcome: 'refused',
      reason: 'retry_expired',
    })
    expect(endings(events)).toEqual([])
    expect((await auth.sessions.list(7)).map((device) => device.id)).not.toContain(id)
  })
})

describe('cloud hosting', () => {
  const gatewayOf = ({ wechat }: Pick<SetUp, 'wechat'>, key: string) => ({
    'Idempotency-Key': key,
    'x-wx-openid': 'alice',
    'x-wx-appid': wechat.app.appId,
    'x-wx-source': 'wx_client',
  })
  const hosted = () => setUp({ cloudHosting: { public: false }, onLogin: () => ({ userId: 7 }) })

  test('an ended session is not made again by its key, and its old token is unknown', async () => {
    const set = hosted()
    const { auth, clock } = set
    const headers = gatewayOf(set, newKey())
    const first = bodyOf(await send(auth, '/login', { headers, body: {} }))
    const { id } = await auth.authenticate(`Bearer ${first.access_token}`)
    const next = await auth.refresh({ refreshToken: String(first.refresh_token) })
    await auth.logout({ refreshToken: next.refresh_token })

    const ids: string[] = []
    for (const seconds of [0, 299, 299, 299, 3600]) {
      clock.advance(seconds)
      const answer = bodyOf(await send(auth, '/login', { headers, body: {} }))
      if (!answer.access_token) continue
      ids.push((await auth.authenticate(`Bearer ${answer.access_token}`)).id)
      await auth.sessions.forget(7)
    }

    expect(ids).not.toHaveLength(0)
    expect(ids).not.toContain(id)
    await expect(auth.refresh({ refreshToken: next.refresh_token })).rejects.toMatchObject({
      reason: 'unknown',
    })
  })

  test.each(['logs out', 'is revoked', 'is pushed out by the cap'])(
    'an id is not made again either when its user %s, and one session is all that is kept',
    async (end) => {
      const set = setUp({
        cloudHosting: { public: false },
        onLogin: () => ({ userId: 7 }),
        maxSessionsPerUser: 1,
      })
      const { auth, clock } = set
      const login = async (key: string) =>
        bodyOf(await send(auth, '/login', { headers: gatewayOf(set, key), body: {} }))
      const key = newKey()
      for (const used of [key, newKey(), newKey()]) {
        clock.advance(1)
        const { refresh_token } = await login(used)
        if (end === 'logs out') await auth.logout({ refreshToken: String(refresh_token) })
        if (end === 'is revoked') await auth.sessions.revoke({ userId: 7 })
      }

      expect(await login(key)).toMatchObject({ error: 'invalid_request' })
    },
  )

  test('the same key within the time of a retry is the same session', async () => {
    const set = hosted()
    const headers = gatewayOf(set, newKey())
    const first = bodyOf(await send(set.auth, '/login', { headers, body: {} }))
    set.clock.advance(299)

    const again = bodyOf(await send(set.auth, '/login', { headers, body: {} }))

    expect(again.refresh_token).toBe(first.refresh_token)
  })
})

test('a refused check is not remembered where a later login makes the user welcome again', async () => {
  const { auth, wechat } = setUp({
    cloudHosting: { public: false },
    revocation: { staleSeconds: 30 },
    onLogin: () => ({ userId: 7 }),
  })
  const gateway = {
    'x-wx-openid': 'alice',
    'x-wx-appid': wechat.app.appId,
    'x-wx-source': 'wx_client',
  }
  const asGateway = { header: (name: string) => gateway[name as keyof typeof gateway] }
  await auth.authenticate(asGateway)
  await auth.sessions.revoke({ userId: 7 })
  await expect(auth.authenticate(asGateway, { fresh: true })).rejects.toMatchObject({
    code: 'invalid_token',
  })

  await send(auth, '/login', { headers: gateway, body: {} })

  await expect(auth.authenticate(asGateway)).resolves.toMatchObject({ userId: '7' })
})
