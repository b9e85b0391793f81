import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/index.js'
import { signIn } from '../../src/testing/index.js'
import { createClock, setUp } from '../set-up.js'

async function twoDevices() {
  const context = setUp({ onLogin: () => ({ userId: 7 }) })
  const { auth, wechat, clock } = context
  const phone = await auth.login({ code: wechat.codeFor('alice'), device: 'iPhone 15' })
  clock.advance(10)
  const tablet = await auth.login({ code: wechat.codeFor('alice') })
  const [{ id: tabletId }, { id: phoneId }] = await Promise.all([
    auth.authenticate(`Bearer ${tablet.access_token}`),
    auth.authenticate(`Bearer ${phone.access_token}`),
  ])
  return { ...context, phone, tablet, phoneId, tabletId }
}

test("a user's devices are listed, the newest first, the current one marked", async () => {
  const { auth, clock, phone, phoneId, tabletId } = await twoDevices()
  const [startedAt] = [Math.floor(clock.now() / 1000) - 10]
  clock.advance(100)
  await auth.refresh({ refreshToken: phone.refresh_token })

  const devices = await auth.sessions.list(7, { current: phoneId })

  const appId = 'wx0000000000000001'
  expect(devices).toStrictEqual([
    {
      id: tabletId,
      appId,
      kind: 'mini_program',
      method: 'code',
      createdAt: startedAt + 10,
      lastRefreshAt: startedAt + 10,
      current: false,
    },
    {
      id: phoneId,
      appId,
      kind: 'mini_program',
      method: 'code',
      device: 'iPhone 15',
      createdAt: startedAt,
      lastRefreshAt: startedAt + 110,
      current: true,
    },
  ])
})

test('all of a user can be revoked, and each device learns it days later', async () => {
  const { auth, clock, events, phone, tablet } = await twoDevices()

  expect(await auth.sessions.revoke({ userId: '7' })).toBe(2)

  clock.advance(40 * 24 * 3600)
  for (const { refresh_token: refreshToken } of [phone, tablet]) {
    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'revoked',
    })
  }
  expect(await auth.sessions.list(7)).toEqual([])
  expect(events.filter(({ type }) => type === 'revoked')).toHaveLength(2)
})

test('a device that comes days after a token was used twice logs in again by itself', async () => {
  const { auth, wechat, clock, phone, tablet } = await twoDevices()
  const second = await auth.refresh({ refreshToken: phone.refresh_token })
  await auth.refresh({ refreshToken: phone.refresh_token }).catch(() => undefined)
  const code = wechat.codeFor('alice')
  const third = await auth.login({ code })
  await auth.login({ code }).catch(() => undefined)
  await auth.sessions.revoke({ userId: 7 })

  const reasons = () =>
    Promise.all(
      [second, third, tablet].map(({ refresh_token: refreshToken }) =>
        auth.refresh({ refreshToken }).catch(({ reason }: { reason: string }) => reason),
      ),
    )

  expect(await reasons()).toEqual(['reused', 'reused', 'revoked'])
  clock.advance(24 * 3600)
  expect(await reasons()).toEqual(['unknown', 'unknown', 'revoked'])
})

test('all but one can be revoked', async () => {
  const { auth, phone, phoneId } = await twoDevices()

  expect(await auth.sessions.revoke({ userId: 7, except: phoneId })).toBe(1)

  await expect(auth.refresh({ refreshToken: phone.refresh_token })).resolves.toBeDefined()
})

test('a single session can be revoked, with a reason that the event carries', async () => {
  const { auth, events, tablet, tabletId } = await twoDevices()

  expect(await auth.sessions.revoke({ userId: 7, sessionId: tabletId, reason: 'lost_phone' })).toBe(
    1,
  )

  await expect(auth.refresh({ refreshToken: tablet.refresh_token })).rejects.toMatchObject({
    reason: 'revoked',
  })
  expect(events.at(-2)).toMatchObject({
    type: 'revoked',
    sessionId: tabletId,
    reason: 'lost_phone',
  })
})

test('devices that were revoked still learn it after a login that fills the places', async () => {
  const { auth, wechat, clock } = setUp({
    onLogin: () => ({ userId: 7 }),
    maxSessionsPerUser: 2,
  })
  const login = async () => {
    clock.advance(1)
    return (await auth.login({ code: wechat.codeFor('alice') })).refresh_token
  }
  const revoked = [await login(), await login()]
  await auth.sessions.revoke({ userId: 7 })

  const living = [await login(), await login()]

  for (const refreshToken of revoked) {
    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ reason: 'revoked' })
  }
  for (const refreshToken of living) {
    await expect(auth.refresh({ refreshToken })).resolves.toBeDefined()
  }
})

test("nobody revokes another user's session by its id", async () => {
  const { auth, phone, phoneId } = await twoDevices()

  expect(await auth.sessions.revoke({ userId: 8, sessionId: phoneId })).toBe(0)

  await expect(auth.refresh({ refreshToken: phone.refresh_token })).resolves.toBeDefined()
})

test('what is revoked twice counts once', async () => {
  const { auth } = await twoDevices()
  await auth.sessions.revoke({ userId: 7 })

  expect(await auth.sessions.revoke({ userId: 7 })).toBe(0)
})

test.each(['', 'reused', 'expired', 'unknown', 'two words', 'x'.repeat(65)])(
  'the reason %j is refused',
  async (reason) => {
    const { auth } = setUp()

    await expect(auth.sessions.revoke({ userId: 7, reason })).rejects.toThrow(TypeError)
  },
)

test('revoking wins over the refreshes that race with it', async () => {
  const { auth, wechat } = setUp({ onLogin: () => ({ userId: 7 }) })
  for (let round = 0; round < 50; round++) {
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })

    const racing = Promise.allSettled([
      auth.refresh({ refreshToken }),
      auth.refresh({ refreshToken }),
    ])
    await auth.sessions.revoke({ userId: 7 })
    const [first] = await racing

    const latest = first?.status === 'fulfilled' ? first.value.refresh_token : refreshToken
    await expect(auth.refresh({ refreshToken: latest })).rejects.toMatchObject({
      code: 'invalid_grant',
    })
  }
})

test('a logout ends its session, and a repeated one is no error', async () => {
  const { auth, phone, tablet } = await twoDevices()

  await auth.logout({ refreshToken: phone.refresh_token })
  await auth.logout({ refreshToken: phone.refresh_token })
  await auth.logout({ refreshToken: 'nonsense' })

  await expect(auth.refresh({ refreshToken: phone.refresh_token })).rejects.toMatchObject({
    reason: 'unknown',
  })
  await expect(auth.refresh({ refreshToken: tablet.refresh_token })).resolves.toBeDefined()
})

test('a logout everywhere deletes its own session and revokes the others', async () => {
  const { auth, phone, tablet } = await twoDevices()

  await auth.logout({ refreshToken: phone.refresh_token, everywhere: true })

  await expect(auth.refresh({ refreshToken: phone.refresh_token })).rejects.toMatchObject({
    reason: 'unknown',
  })
  await expect(auth.refresh({ refreshToken: tablet.refresh_token })).rejects.toMatchObject({
    reason: 'revoked',
  })
})

test('an old copy of a token ends no other session', async () => {
  const { auth, phone, tablet } = await twoDevices()
  const second = await auth.refresh({ refreshToken: phone.refresh_token })
  await auth.refresh({ refreshToken: second.refresh_token })

  await auth.logout({ refreshToken: phone.refresh_token, everywhere: true })

  await expect(auth.refresh({ refreshToken: tablet.refresh_token })).resolves.toBeDefined()
})

test('the event of a logout says whether it was everywhere', async () => {
  const { auth, events, phone, phoneId, tablet, tabletId } = await twoDevices()
  const event = { type: 'logout', appId: 'wx0000000000000001', userId: '7' }

  await auth.logout({ refreshToken: phone.refresh_token })
  expect(events.at(-1)).toEqual({ ...event, sessionId: phoneId, everywhere: false })

  await auth.logout({ refreshToken: tablet.refresh_token, everywhere: true })
  expect(events.at(-1)).toEqual({ ...event, sessionId: tabletId, everywhere: true })
})

test('a device that was revoked cannot end the others by a logout everywhere', async () => {
  const { auth, phone, tablet, tabletId } = await twoDevices()
  await auth.sessions.revoke({ userId: 7, sessionId: tabletId })

  await auth.logout({ refreshToken: tablet.refresh_token, everywhere: true })

  await expect(auth.refresh({ refreshToken: phone.refresh_token })).resolves.toBeDefined()
})

test('the account behind a session is there for payments, while the session lives', async () => {
  const { auth, wechat } = setUp({}, { apps: [{ appId: 'wx1', appSecret: 's', owner: 'us' }] })
  const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
  const session = await auth.authenticate(`Bearer ${access_token}`)

  expect(await auth.sessions.account(session)).toEqual({
    appId: 'wx1',
    kind: 'mini_program',
    openid: wechat.openidOf('alice'),
    unionid: wechat.unionidOf('alice'),
  })

  await expect(auth.sessions.account({ ...session, userId: 'another' })).rejects.toMatchObject({
    code: 'invalid_token',
  })
  await auth.sessions.revoke({ userId: session.userId })
  await expect(auth.sessions.account(session)).rejects.toMatchObject({ code: 'invalid_token' })
})

test('a session can be made through another door, and lives like any other', async () => {
  const { auth } = setUp({ claims: () => ({ role: 'user' }) })

  const answer = await auth.sessions.create({
    account: { openid: 'scanned' },
    userId: 7,
    device: 'Chrome on a PC',
  })

  const session = await auth.authenticate(`Bearer ${answer.access_token}`)
  expect(session).toMatchObject({ userId: '7', claims: { role: 'user' } })
  await expect(auth.refresh({ refreshToken: answer.refresh_token })).resolves.toBeDefined()
  expect(await auth.sessions.list(7)).toMatchObject([{ device: 'Chrome on a PC' }])
})

test('the account of such a session is as it was given, with the unionid', async () => {
  const { auth } = setUp()
  const created = await auth.sessions.create({ account: { openid: 'o1', unionid: 'u1' } })
  const without = await auth.sessions.create({ account: { openid: 'o2' } })

  const accountOf = async ({ access_token }: { access_token: string }) =>
    auth.sessions.account(await auth.authenticate(`Bearer ${access_token}`))

  const app = { appId: 'wx0000000000000001', kind: 'mini_program' }
  expect(await accountOf(created)).toStrictEqual({ ...app, openid: 'o1', unionid: 'u1' })
  expect(await accountOf(without)).toStrictEqual({ ...app, openid: 'o2' })
})

test.each(['', undefined, null, 7])('it needs an openid, and %j is none', async (openid) => {
  const { auth } = setUp()

  // What JavaScript may pass.
  const created = auth.sessions.create({ account: { openid: openid as string } })

  await expect(created).rejects.toThrow(TypeError)
})

test('a store that refuses the session gives no token', async () => {
  const { now } = createClock()
  const { auth } = setUp({
    now,
    store: { ...createMemoryStore({ now }), create: async () => false },
  })

  await expect(auth.sessions.create({ account: { openid: 'o1' } })).rejects.toMatchObject({
    code: 'store_unavailable',
    status: 503,
  })
})

test('signIn gives headers for a test of a route, with claims of its own', async () => {
  const { auth } = setUp({ claims: () => ({ role: 'user' }) })

  const { headers, userId } = await signIn(auth, {
    openid: 'alice',
    userId: 7,
    claims: { role: 'admin' },
  })

  expect(userId).toBe('7')
  expect(await auth.authenticate(headers.authorization)).toMatchObject({
    userId: '7',
    claims: { role: 'admin' },
  })
})

test('check tells the state of the store and of the last call to WeChat', async () => {
  const { now } = createClock()
  const memory = createMemoryStore({ now })
  const allClosed = {
    login: 'closed',
    prefetch: 'closed',
    web_login: 'closed',
    wecom: 'closed',
    user_info: 'closed',
    access_token: 'closed',
    payment: 'closed',
    call: 'closed',
  }
  const noCalls = Object.fromEntries(Object.keys(allClosed).map((group) => [group, 0]))
  let isDown = false
  const { auth, wechat } = setUp({
    now,
    store: {
      ...memory,
      get: (id) => (isDown ? Promise.reject(new Error('down')) : memory.get(id)),
    },
  })

  expect(await auth.check()).toEqual({
    store: { ok: true, warnings: [] },
    wechat: {
      ok: true,
      lastOutcome: undefined,
      lastCallAt: undefined,
      breakers: allClosed,
      inFlight: noCalls,
      host: 'https://api.weixin.qq.com',
    },
  })

  isDown = true
  wechat.fail(40125)
  await auth.login({ code: wechat.codeFor('alice') }).catch(() => undefined)

  expect(await auth.check()).toEqual({
    store: { ok: false, warnings: [] },
    wechat: {
      ok: false,
      lastOutcome: 'server_misconfigured',
      lastCallAt: Math.floor(now() / 1000),
      breakers: allClosed,
      inFlight: noCalls,
      host: 'https://api.weixin.qq.com',
    },
  })
})

test('the memory store of the defaults is warned of once, in an event and in check', async () => {
  const { auth, events, wechat } = setUp()
  await auth.login({ code: wechat.codeFor('alice') })

  expect(events.filter(({ type }) => type === 'warning')).toMatchObject([
    { warning: 'memory_store' },
  ])
  expect((await auth.check()).store.warnings).toEqual(['memory_store'])
})

test('a user has ten sessions at most: the one that was refreshed longest ago ends, with an event', async () => {
  const { auth, wechat, clock, events } = setUp({ onLogin: () => ({ userId: 7 }) })
  const refreshTokens: string[] = []
  for (let n = 0; n < 10; n++) {
    clock.advance(1)
    refreshTokens.push((await auth.login({ code: wechat.codeFor('alice') })).refresh_token)
  }
  const [first = '', second = ''] = refreshTokens
  clock.advance(100)
  const { refresh_token: firstAgain } = await auth.refresh({ refreshToken: first })
  clock.advance(1)

  await auth.login({ code: wechat.codeFor('alice') })

  expect(await auth.sessions.list(7)).toHaveLength(10)
  await expect(auth.refresh({ refreshToken: second })).rejects.toMatchObject({ reason: 'unknown' })
  await expect(auth.refresh({ refreshToken: firstAgain })).resolves.toBeDefined()
  expect(events.filter(({ type }) => type === 'evicted')).toHaveLength(1)
})

test('maxSessionsPerUser: 1 leaves the newest login', async () => {
  const { auth, wechat, clock } = setUp({ onLogin: () => ({ userId: 7 }), maxSessionsPerUser: 1 })
  await auth.login({ code: wechat.codeFor('alice') })
  clock.advance(1)

  const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })

  expect(await auth.sessions.list(7)).toHaveLength(1)
  await expect(auth.refresh({ refreshToken })).resolves.toBeDefined()
})

test('a session over the cap that cannot be ended does not cost the login', async () => {
  const { now } = createClock()
  const { auth, wechat } = setUp({
    now,
    onLogin: () => ({ userId: 7 }),
    maxSessionsPerUser: 1,
    store: { ...createMemoryStore({ now }), replace: () => Promise.reject(new Error('read only')) },
  })
  await auth.login({ code: wechat.codeFor('alice') })

  await expect(auth.login({ code: wechat.codeFor('alice') })).resolves.toBeDefined()
})
