import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  AuthError,
  type AuthOptions,
  createAuth,
  createMemoryStore,
  type GuardOptions,
  type LoginContext,
} from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { createClock, newKey, setUp, testSecret } from '../set-up.js'

const appId = 'wx0000000000000001'
const gateway = {
  'X-WX-OPENID': 'oGZUI0egBJY1zhBYw2KhdUfwVJJE',
  'X-WX-APPID': appId,
  'X-WX-SOURCE': 'wx_client',
}

const newSecret = 'mT4xQ9wLr2Vb7Nz8KcYp5JdHs3GfAe6UoXiWnRkBq1Z'

const headersOf = (headers: Record<string, string>) => {
  const all = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return { header: (name: string) => all.get(name.toLowerCase()) }
}

const setUpHosted = (options: Partial<AuthOptions> = {}) =>
  setUp({ cloudHosting: { public: false }, ...options })

/** The user can be revoked while `claims` is asked the next time. */
function setUpSlowClaims() {
  let isRevoked = false
  const set = setUpHosted({
    onLogin: () => ({ userId: 7 }),
    claims: async () => {
      if (isRevoked) await set.auth.sessions.revoke({ userId: 7 })
      return {}
    },
  })
  const revokeMeanwhile = () => {
    isRevoked = true
  }
  return { ...set, revokeMeanwhile }
}

test.each([{ public: true }, {}, true, 'private'])('cloudHosting cannot be %j', (cloudHosting) => {
  const create = () =>
    createAuth({
      apps: [{ appId, appSecret: 'a secret' }],
      secret: testSecret,
      // What JavaScript may pass.
      cloudHosting: cloudHosting as unknown as { public: false },
    })

  expect(create).toThrow(TypeError)
  expect(create).toThrow('cloudHosting')
})

describe('without the option', () => {
  test("the gateway's headers are nobody", async () => {
    const { auth } = setUp()

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'invalid_token',
    })
    expect(await auth.authenticate(headersOf(gateway), { optional: true })).toBeUndefined()
  })

  test('a login needs a code', async () => {
    const { auth } = setUp()

    const response = await send(auth, '/login', { headers: gateway, body: { app_id: appId } })

    expect(response.status).toBe(400)
  })
})

describe('a request through the gateway without a token', () => {
  test('has a session of the account that the gateway names', async () => {
    const { auth, wechat } = setUpHosted({
      onLogin: ({ openid }) => ({ userId: `user of ${openid}` }),
      claims: () => ({ role: 'member' }),
    })

    const session = await auth.authenticate(headersOf(gateway))

    expect(session).toMatchObject({
      appId,
      userId: `user of ${gateway['X-WX-OPENID']}`,
      claims: { role: 'member' },
    })
    expect(await auth.sessions.account(session)).toMatchObject({ openid: gateway['X-WX-OPENID'] })
    expect(wechat.calls).toEqual([])
  })

  test('has the same session the next time, in another process too', async () => {
    const clock = createClock()
    const shared = { store: createMemoryStore({ now: clock.now }), now: clock.now }
    const { auth } = setUpHosted(shared)
    const { auth: sibling, events } = setUpHosted(shared)
    const first = await auth.authenticate(headersOf(gateway))

    const again = await auth.authenticate(headersOf(gateway))
    const atSibling = await sibling.authenticate(headersOf(gateway))
    clock.advance(3600)
    const anHourLater = await auth.authenticate(headersOf(gateway))

    expect(again).toEqual(first)
    expect([atSibling.id, anHourLater.id]).toEqual([first.id, first.id])
    expect(events).toEqual([])
  })

  test('asks onLogin once, however many requests start at once', async () => {
    let logins = 0
    const { auth } = setUpHosted({ onLogin: () => void logins++ })

    const sessions = await Promise.all(
      Array.from({ length: 10 }, () => auth.authenticate(headersOf(gateway))),
    )

    expect(new Set(sessions.map(({ id }) => id)).size).toBe(1)
    expect(logins).toBe(1)
  })

  test('gets claims no older than one access life', async () => {
    let role = 'member'
    const { auth, clock } = setUpHosted({ claims: () => ({ role }) })
    await auth.authenticate(headersOf(gateway))
    role = 'admin'

    const before = await auth.authenticate(headersOf(gateway))
    clock.advance(901)
    const after = await auth.authenticate(headersOf(gateway))

    expect([before.claims, after.claims]).toEqual([{ role: 'member' }, { role: 'admin' }])
  })

  test('asks claims once when they are due, however many requests come at once', async () => {
    let asked = 0
    const { auth, clock } = setUpHosted({
      claims: () => {
        asked++
        return {}
      },
    })
    await auth.authenticate(headersOf(gateway))
    clock.advance(900)
    asked = 0

    await Promise.all(Array.from({ length: 10 }, () => auth.authenticate(headersOf(gateway))))

    expect(asked).toBe(1)
  })

  test.each(['X-WX-OPENID', 'X-WX-SOURCE'])('without the header %s is nobody', async (name) => {
    const { auth } = setUpHosted()
    const headers = Object.entries(gateway).filter(([other]) => other !== name)

    const session = auth.authenticate(headersOf(Object.fromEntries(headers)))

    await expect(session).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test.each<[string, Record<string, string>]>([
    ['no source', { 'X-WX-SOURCE': '' }],
    ['no openid', { 'X-WX-OPENID': '' }],
    ['two openids', { 'X-WX-OPENID': 'openid-1, openid-2' }],
    ['an openid that is too long', { 'X-WX-OPENID': 'o'.repeat(65) }],
    ['an openid beside that of a caller by resource sharing', { 'X-WX-FROM-OPENID': 'openid-2' }],
    ['an openid beside the AppID of such a caller', { 'X-WX-FROM-APPID': 'wx00000000000000ff' }],
  ])('with %s is nobody', async (_, headers) => {
    const { auth } = setUpHosted()

    const session = auth.authenticate(headersOf({ ...gateway, ...headers }))

    await expect(session).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test.each(['wx00000000000000ff', ''])('of the mini program %j is refused', async (other) => {
    const { auth } = setUpHosted()

    const session = auth.authenticate(headersOf({ ...gateway, 'X-WX-APPID': other }))

    await expect(session).rejects.toMatchObject({ code: 'unknown_app' })
  })

  test('is refused once the session is revoked, until the user logs in again', async () => {
    const { auth } = setUpHosted({ revocation: 'immediate' })
    const { userId } = await auth.authenticate(headersOf(gateway))
    await auth.sessions.revoke({ userId })

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'invalid_token',
    })
    await send(auth, '/login', { headers: gateway, body: { app_id: appId } })

    await expect(auth.authenticate(headersOf(gateway))).resolves.toMatchObject({ userId })
  })

  test('is not refused by a process that did not see the login', async () => {
    const { now } = createClock()
    const options = { now, store: createMemoryStore({ now }), revocation: 'immediate' as const }
    const [here, there] = [setUpHosted(options).auth, setUpHosted(options).auth]
    const { userId } = await there.authenticate(headersOf(gateway))
    await here.sessions.revoke({ userId })
    await send(here, '/login', { headers: gateway, body: { app_id: appId } })

    await expect(there.authenticate(headersOf(gateway))).resolves.toMatchObject({ userId })
  })

  test('is served again as soon as the store is, after a create that gave no answer', async () => {
    const { now } = createClock()
    const memory = createMemoryStore({ now })
    let isSilent = true
    const create: typeof memory.create = async (record) => {
      if (!isSilent) return memory.create(record)
      isSilent = false
      throw new Error('the connection was lost')
    }
    const { auth } = setUpHosted({ now, store: { ...memory, create } })
    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'store_unavailable',
    })

    await expect(auth.authenticate(headersOf(gateway))).resolves.toMatchObject({ appId })
  })

  test('is refused when it is revoked while claims takes its time', async () => {
    const { auth, clock, revokeMeanwhile } = setUpSlowClaims()
    await auth.authenticate(headersOf(gateway))
    clock.advance(900)
    revokeMeanwhile()

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  test('is refused by onLogin as any other login', async () => {
    const { auth } = setUpHosted({
      onLogin: () => {
        throw new AuthError('access_denied', 'This user is banned', { reason: 'banned' })
      },
    })

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'access_denied',
      reason: 'banned',
    })
  })

  test('does not count where there is a token: a bad one is a 401', async () => {
    const { auth } = setUpHosted()

    const session = auth.authenticate(headersOf({ ...gateway, Authorization: 'Bearer junk' }))

    await expect(session).rejects.toMatchObject({ code: 'invalid_token' })
  })
})

describe('the session of a request through the gateway', () => {
  test('is good for one access life, and never beyond its own end', async () => {
    const { auth, clock } = setUpHosted({ idleTtlSeconds: 1200, absoluteTtlSeconds: 1200 })
    const startAt = clock.now() / 1000

    const first = await auth.authenticate(headersOf(gateway))
    clock.advance(899.5)
    const stillTheFirst = await auth.authenticate(headersOf(gateway))
    clock.advance(0.5)
    const second = await auth.authenticate(headersOf(gateway))

    expect(first).toMatchObject({ issuedAt: startAt, expiresAt: startAt + 900 })
    expect(stillTheFirst).toBe(first)
    expect(second).toMatchObject({
      id: first.id,
      issuedAt: startAt + 900,
      expiresAt: startAt + 1200,
    })
  })

  test('is one for each account: neither AppIDs nor openids are mixed up', async () => {
    const apps = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 's' }))
    const { auth } = setUpHosted({ apps })
    const sessionIn = (appId: string, openid: string) =>
      auth.authenticate(headersOf({ ...gateway, 'X-WX-APPID': appId, 'X-WX-OPENID': openid }))

    const sessions = [
      await sessionIn('wx1', 'openid-1'),
      await sessionIn('wx2', 'openid-1'),
      await sessionIn('wx1', 'openid-2'),
    ]

    expect(new Set(sessions.map(({ id }) => id)).size).toBe(3)
    expect(sessions.map(({ appId }) => appId)).toEqual(['wx1', 'wx2', 'wx1'])
  })

  test('keeps its id when a secret is rotated', async () => {
    const { now } = createClock()
    const store = createMemoryStore({ now })
    const before = setUpHosted({ now, store })
    const after = setUpHosted({ now, store, secret: [newSecret, testSecret] })

    const first = await before.auth.authenticate(headersOf(gateway))

    expect((await after.auth.authenticate(headersOf(gateway))).id).toBe(first.id)
  })

  test('is made once when two processes make it at the same time', async () => {
    const { now } = createClock()
    const shared = { now, store: createMemoryStore({ now }) }
    const [one, other] = [setUpHosted(shared), setUpHosted(shared)]

    const [first, second] = await Promise.all([
      one.auth.authenticate(headersOf(gateway)),
      other.auth.authenticate(headersOf(gateway)),
    ])

    expect(second.id).toBe(first.id)
    expect([...one.events, ...other.events].filter(({ type }) => type === 'login')).toMatchObject([
      { by: 'cloud_hosting', outcome: 'created', sessionId: first.id },
    ])
  })

  test('that a store refuses and does not have is a 503', async () => {
    const { now } = createClock()
    const { auth } = setUpHosted({
      now,
      store: { ...createMemoryStore({ now }), create: async () => false },
    })

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'store_unavailable',
      status: 503,
    })
    expect((await send(auth, '/login', { headers: gateway, body: {} })).status).toBe(503)
  })

  test('is there as soon as a store that was down is back', async () => {
    const { now } = createClock()
    const memory = createMemoryStore({ now })
    let isDown = true
    const { auth } = setUpHosted({
      now,
      store: {
        ...memory,
        get: (id) => (isDown ? Promise.reject(new Error('down')) : memory.get(id)),
      },
    })

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    isDown = false

    await expect(auth.authenticate(headersOf(gateway))).resolves.toBeDefined()
  })

  test('is there as soon as a hook that hung for another request is well', async () => {
    let isHanging = true
    const { auth, clock } = setUpHosted({
      claims: () => (isHanging ? new Promise<never>(() => undefined) : {}),
    })
    // It is refused as well, but only after the hook's 15 seconds.
    auth.authenticate(headersOf(gateway)).catch(() => undefined)
    await delay(5)
    isHanging = false
    clock.advance(11)

    const session = auth.authenticate(headersOf(gateway))

    await expect(Promise.race([session, delay(1000)])).resolves.toMatchObject({ appId })
  })

  describe.each<[string, Partial<AuthOptions>, GuardOptions & { optional?: false }]>([
    ['revocation: immediate', { revocation: 'immediate' }, {}],
    ['a fresh check', {}, { fresh: true }],
  ])('that nobody revoked is made again, with %s,', (_name, options, guard) => {
    const onLogin = () => ({ userId: 7 })

    test('after it was evicted', async () => {
      const { auth, wechat, clock } = setUpHosted({ ...options, onLogin, maxSessionsPerUser: 1 })
      const { id } = await auth.authenticate(headersOf(gateway), guard)
      clock.advance(61)
      await auth.login({ code: wechat.codeFor('alice') })

      await expect(auth.authenticate(headersOf(gateway), guard)).resolves.toMatchObject({ id })
    })

    test('after a login at another process', async () => {
      const { now } = createClock()
      const shared = { ...options, now, onLogin, store: createMemoryStore({ now }) }
      const [one, other] = [setUpHosted(shared), setUpHosted(shared)]
      const { id } = await one.auth.authenticate(headersOf(gateway), guard)
      await send(other.auth, '/login', { headers: gateway, body: {} })

      await expect(one.auth.authenticate(headersOf(gateway), guard)).resolves.toMatchObject({ id })
    })

    test('and one that was revoked stays refused', async () => {
      const { auth } = setUpHosted({ ...options, onLogin })
      await auth.authenticate(headersOf(gateway), guard)
      await auth.sessions.revoke({ userId: 7 })

      for (const _ of [1, 2]) {
        await expect(auth.authenticate(headersOf(gateway), guard)).rejects.toMatchObject({
          code: 'invalid_token',
        })
      }
    })
  })

  test('ends for good when claims refuses its user', async () => {
    let isBanned = false
    const { auth, clock } = setUpHosted({
      claims: () => {
        if (isBanned) throw new AuthError('access_denied', 'This user is banned')
        return {}
      },
    })
    await auth.authenticate(headersOf(gateway))
    isBanned = true
    clock.advance(900)

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'access_denied',
    })
    isBanned = false
    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  test('gives way to a session with tokens when a phone number belongs to another user', async () => {
    const users = new Map<string, string>()
    const { auth, wechat } = setUpHosted({
      onLogin: ({ openid }) => ({ userId: users.get(openid) ?? 'guest' }),
      onPhoneNumber: ({ account }) => {
        users.set(account.openid, 'member')
        return { userId: 'member' }
      },
    })
    await auth.login({ code: wechat.codeFor('alice') })
    const headers = { ...gateway, 'X-WX-OPENID': wechat.openidOf('alice') }
    const before = await auth.authenticate(headersOf(headers))

    const body = { code: wechat.phoneCodeFor('alice') }
    const { access_token } = bodyOf(await send(auth, '/phone', { headers, body }))

    const withToken = await auth.authenticate(`Bearer ${access_token}`, { fresh: true })
    expect(withToken).toMatchObject({ userId: 'member' })
    const without = await auth.authenticate(headersOf(headers))
    expect(without).toMatchObject({ userId: 'member', id: before.id })
    expect(before.userId).toBe('guest')
  })
})

describe('a login through the gateway', () => {
  test('takes no unionid from a header, which may be the own word of the caller', async () => {
    const { auth } = setUpHosted()
    const headers = { ...gateway, 'X-WX-UNIONID': 'oHAUs6LSuwgHq' }

    const { access_token } = bodyOf(await send(auth, '/login', { headers, body: {} }))

    const session = await auth.authenticate(`Bearer ${access_token}`)
    expect(await auth.sessions.account(session)).toStrictEqual({
      appId,
      kind: 'mini_program',
      openid: gateway['X-WX-OPENID'],
    })
  })

  test('with a device name that cannot be one is refused before onLogin is asked', async () => {
    let asked = 0
    const { auth } = setUpHosted({ onLogin: () => void asked++ })

    const response = await send(auth, '/login', { headers: gateway, body: { device: 'a\nb' } })

    expect(bodyOf(response)).toMatchObject({ error: 'invalid_request' })
    expect(asked).toBe(0)
  })

  test('that comes again is refused when it is revoked while claims takes its time', async () => {
    const { auth, revokeMeanwhile } = setUpSlowClaims()
    const request = { headers: { ...gateway, 'Idempotency-Key': newKey() }, body: {} }
    await send(auth, '/login', request)
    revokeMeanwhile()

    const again = await send(auth, '/login', request)

    expect(bodyOf(again)).toMatchObject({ error: 'invalid_request' })
  })

  test('that is answered again says so in its event, with the time it took', async () => {
    let pause = () => {}
    const { auth, clock, events } = setUpHosted({
      claims: () => {
        pause()
        return {}
      },
    })
    const request = { headers: { ...gateway, 'Idempotency-Key': newKey() }, body: {} }
    const { access_token } = bodyOf(await send(auth, '/login', request))
    const { id, userId } = await auth.authenticate(`Bearer ${access_token}`)
    pause = () => clock.advance(2)
    const startedMs = clock.now()

    await send(auth, '/login', request)

    expect(events.at(-1)).toStrictEqual({
      type: 'login',
      by: 'cloud_hosting',
      outcome: 'retried',
      appId,
      kind: 'mini_program',
      sessionId: id,
      userId,
      startedMs,
      durationMs: 2000,
    })
  })

  test('gets nothing for a key whose tokens were used already', async () => {
    const { auth } = setUpHosted()
    const request = { headers: { ...gateway, 'Idempotency-Key': newKey() }, body: {} }
    const { refresh_token } = bodyOf(await send(auth, '/login', request))
    await auth.refresh({ refreshToken: String(refresh_token) })

    const again = await send(auth, '/login', request)

    expect(again.status).toBe(400)
    expect(bodyOf(again)).toMatchObject({ error: 'invalid_request' })
  })

  test('at two processes with one key is one session', async () => {
    const { now } = createClock()
    const shared = { now, store: createMemoryStore({ now }) }
    const [one, other] = [setUpHosted(shared), setUpHosted(shared)]
    const request = { headers: { ...gateway, 'Idempotency-Key': newKey() }, body: {} }

    const answers = await Promise.all([
      send(one.auth, '/login', request),
      send(other.auth, '/login', request),
    ])

    const [first, second] = answers.map((answer) => bodyOf(answer).refresh_token)
    expect(first).toMatch(/^[\w-]+\./)
    expect(second).toBe(first)
  })

  test('lets a revoked user in again after a secret was rotated', async () => {
    const { now } = createClock()
    const store = createMemoryStore({ now })
    const before = setUpHosted({ now, store })
    const { userId } = await before.auth.authenticate(headersOf(gateway))
    await before.auth.sessions.revoke({ userId })
    const { auth } = setUpHosted({ now, store, secret: [newSecret, testSecret] })
    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'invalid_token',
    })

    await send(auth, '/login', { headers: gateway, body: {} })

    await expect(auth.authenticate(headersOf(gateway))).resolves.toMatchObject({ userId })
  })

  test('makes a session with tokens, and spends no code', async () => {
    const seen: LoginContext[] = []
    const { auth, wechat } = setUpHosted({
      onLogin: (_account, context) => void seen.push(context),
    })

    const response = await send(auth, '/login', {
      headers: gateway,
      body: { app_id: appId, code: wechat.codeFor('alice'), input: 'A7', device: 'iPhone' },
    })

    const body = bodyOf(response)
    const session = await auth.authenticate(`Bearer ${body.access_token}`)
    expect(await auth.sessions.account(session)).toEqual({
      appId,
      kind: 'mini_program',
      openid: gateway['X-WX-OPENID'],
    })
    const request = { header: expect.any(Function) }
    const callId = expect.any(String)
    expect(seen).toEqual([{ callId, input: 'A7', device: 'iPhone', request }])
    expect(wechat.calls).toEqual([])
    const next = await auth.refresh({ refreshToken: String(body.refresh_token) })
    expect(next.user_id).toBe(session.userId)
  })

  test('that comes again with the same key gets the same session, with another key a new one', async () => {
    const { auth } = setUpHosted()
    const login = async (key: string) => {
      const response = await send(auth, '/login', {
        headers: { ...gateway, 'Idempotency-Key': key },
        body: { app_id: appId },
      })
      return bodyOf(response).refresh_token
    }
    const key = newKey()

    const first = await login(key)

    expect(await login(key)).toBe(first)
    expect(await login(newKey())).not.toBe(first)
  })

  test('replaces the session that it names', async () => {
    const { auth } = setUpHosted()
    const body = { app_id: appId }
    const first = bodyOf(await send(auth, '/login', { headers: gateway, body }))

    await send(auth, '/login', {
      headers: gateway,
      body: { ...body, previous_refresh_token: first.refresh_token },
    })

    await expect(auth.refresh({ refreshToken: String(first.refresh_token) })).rejects.toMatchObject(
      { code: 'invalid_grant' },
    )
  })

  test('replaces it when it comes again, if the first time could not', async () => {
    const { now } = createClock()
    const memory = createMemoryStore({ now })
    let isDown = false
    const { auth } = setUpHosted({
      now,
      onLogin: () => ({ userId: 7 }),
      store: {
        ...memory,
        replace: (...given) =>
          isDown ? Promise.reject(new Error('down')) : memory.replace(...given),
      },
    })
    const first = bodyOf(await send(auth, '/login', { headers: gateway, body: {} }))
    const request = {
      headers: { ...gateway, 'Idempotency-Key': newKey() },
      body: { previous_refresh_token: first.refresh_token },
    }
    isDown = true
    await send(auth, '/login', request)
    isDown = false

    await send(auth, '/login', request)

    expect(await auth.sessions.list(7)).toHaveLength(1)
  })

  test('is not lost because what comes after it fails', async () => {
    const { now } = createClock()
    const memory = createMemoryStore({ now })
    let isCommitted = false
    const { auth } = setUpHosted({
      now,
      store: {
        ...memory,
        create: async (record) => {
          isCommitted = true
          return memory.create(record)
        },
        get: (id) => (isCommitted ? Promise.reject(new Error('down')) : memory.get(id)),
      },
    })

    const { status, body } = await send(auth, '/login', { headers: gateway, body: {} })

    expect({ status, body }).toMatchObject({ status: 200, body: expect.any(String) })
  })

  test('tells what brought it in its event', async () => {
    const { auth, events } = setUpHosted()

    await send(auth, '/login', { headers: gateway, body: { app_id: appId } })

    expect(events).toContainEqual(
      expect.objectContaining({ type: 'login', by: 'cloud_hosting', outcome: 'created' }),
    )
  })

  test('without the gateway is a login by code as ever', async () => {
    const { auth, wechat } = setUpHosted()

    const response = await send(auth, '/login', {
      body: { app_id: appId, code: wechat.codeFor('alice') },
    })

    expect(response.status).toBe(200)
    expect(wechat.calls).toHaveLength(1)
  })
})
