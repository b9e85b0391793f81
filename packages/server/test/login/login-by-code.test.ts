import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  type Account,
  AuthError,
  createMemoryStore,
  type LoginContext,
  type SessionStore,
} from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { createClock, newKey, setUp } from '../set-up.js'

test('a code becomes a session of its user', async () => {
  const { auth, wechat } = setUp({ onLogin: ({ openid }) => ({ userId: `user of ${openid}` }) })

  const answer = await auth.login({ code: wechat.codeFor('alice') })

  const userId = `user of ${wechat.openidOf('alice')}`
  expect(answer).toMatchObject({
    token_type: 'Bearer',
    expires_in: 900,
    refresh_expires_in: 30 * 24 * 3600,
    user_id: userId,
  })
  const session = await auth.authenticate(`Bearer ${answer.access_token}`)
  expect(session).toMatchObject({ userId, appId: wechat.app.appId, claims: {} })
})

test('onLogin is shown no unionid, no device and no session where there is none', async () => {
  const seen: [Account, LoginContext][] = []
  const { auth, wechat } = setUp({ onLogin: (...args) => void seen.push(args) })

  await auth.login({ code: wechat.codeFor('alice') })

  const { appId } = wechat.app
  const account = { appId, kind: 'mini_program', openid: wechat.openidOf('alice') }
  expect(seen).toStrictEqual([[account, { input: undefined, callId: expect.any(String) }]])
})

test('the events of a login say how it ended, of which session, and how long it took', async () => {
  let pause = () => {}
  const { auth, wechat, clock, events } = setUp({
    onLogin: () => pause(),
    claims: () => {
      pause()
      return {}
    },
  })
  pause = () => clock.advance(1)
  const code = wechat.codeFor('alice')
  const idempotencyKey = newKey()
  const startedMs = clock.now()

  const { access_token } = await auth.login({ code, idempotencyKey })
  await auth.login({ code, idempotencyKey })
  await auth.login({ code, idempotencyKey: newKey() }).catch(() => undefined)

  const { id: sessionId, userId } = await auth.authenticate(`Bearer ${access_token}`)
  const about = { appId: wechat.app.appId, sessionId, userId }
  const event = { type: 'login', by: 'code', kind: 'mini_program', ...about }
  expect(events.filter(({ type }) => type === 'login' || type === 'revoked')).toStrictEqual([
    { ...event, outcome: 'created', startedMs, durationMs: 2000 },
    { ...event, outcome: 'retried', startedMs: startedMs + 2000, durationMs: 1000 },
    { type: 'revoked', ...about, reason: 'reused' },
    { ...event, outcome: 'code_reused', startedMs: startedMs + 3000, durationMs: 0 },
  ])
})

test('a code that WeChat never gave is hardly looked for, and the error keeps what WeChat said', async () => {
  const { now } = createClock()
  const memory = createMemoryStore({ now })
  let reads = 0
  const get: SessionStore['get'] = (id) => {
    reads++
    return memory.get(id)
  }
  const { auth } = setUp({ now, store: { ...memory, get } })

  const login = auth.login({ code: 'x'.repeat(32) })

  await expect(login).rejects.toMatchObject({ code: 'invalid_code', errcode: 40029 })
  expect(reads).toBe(2)
})

test('without onLogin a user has a stable opaque id that says nothing about the openid', async () => {
  const { auth, wechat } = setUp()

  const first = await auth.login({ code: wechat.codeFor('alice') })
  const second = await auth.login({ code: wechat.codeFor('alice') })
  const other = await auth.login({ code: wechat.codeFor('bob') })

  expect(first.user_id).toMatch(/^[\w-]{22}$/)
  expect(second.user_id).toBe(first.user_id)
  expect(other.user_id).not.toBe(first.user_id)
})

test('onLogin learns the account, the input, the device and the session that is replaced', async () => {
  const seen: { account: Account; context: LoginContext }[] = []
  const { auth, wechat } = setUp({
    onLogin: (account, context) => {
      seen.push({ account, context })
      return { userId: seen.length }
    },
  })
  const guest = await auth.login({ code: wechat.codeFor('alice') })
  const { id } = await auth.authenticate(`Bearer ${guest.access_token}`)

  await auth.login({
    code: wechat.codeFor('alice'),
    input: { invitation: 'A7' },
    device: 'iPhone',
    previousRefreshToken: guest.refresh_token,
  })

  expect(seen[0]).toEqual({
    account: {
      appId: wechat.app.appId,
      kind: 'mini_program',
      openid: wechat.openidOf('alice'),
    },
    context: { input: undefined, callId: expect.any(String) },
  })
  expect(seen[1]?.context).toEqual({
    callId: expect.any(String),
    input: { invitation: 'A7' },
    device: 'iPhone',
    previous: { id, userId: '1', appId: wechat.app.appId },
  })
})

test('what onLogin returns as data reaches the client with the login, and only then', async () => {
  const { auth, wechat } = setUp({ onLogin: () => ({ data: { nickname: '小明' } }) })

  const answer = await auth.login({ code: wechat.codeFor('alice') })
  const next = await auth.refresh({ refreshToken: answer.refresh_token })

  expect(answer.data).toEqual({ nickname: '小明' })
  expect(next).not.toHaveProperty('data')
})

test('a user whom onLogin refuses gets no session', async () => {
  const { auth, wechat, events } = setUp({
    onLogin: () => {
      throw new AuthError('access_denied', 'This account is closed', { reason: 'closed' })
    },
  })

  const login = auth.login({ code: wechat.codeFor('alice') })

  await expect(login).rejects.toMatchObject({
    code: 'access_denied',
    status: 403,
    reason: 'closed',
  })
  expect(events.filter(({ type }) => type === 'login')).toEqual([])
})

test('a user whom claims refuses gets no session', async () => {
  const { auth, wechat } = setUp({
    onLogin: () => ({ userId: 7 }),
    claims: () => {
      throw new AuthError('access_denied', 'This account is closed')
    },
  })

  await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
    code: 'access_denied',
  })
  expect(await auth.sessions.list(7)).toEqual([])
})

test.each([
  { what: 'a plain error', thrown: new Error('the database is down') },
  { what: 'a refusal that is not its own', thrown: new AuthError('invalid_grant', 'no') },
])('onLogin that throws $what is a 500 with the cause kept', async ({ thrown }) => {
  const { auth, wechat } = setUp({
    onLogin: () => {
      throw thrown
    },
  })

  const login = auth.login({ code: wechat.codeFor('alice') })

  await expect(login).rejects.toMatchObject({ code: 'server_error', status: 500, cause: thrown })
})

test.each([
  { userId: '' },
  { userId: 1.5 },
  { userId: 'x'.repeat(256) },
  { userId: 'wx0000000000000001' },
])('the user id $userId is refused', async (decision) => {
  const { auth, wechat } = setUp({ onLogin: () => decision })

  await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
    code: 'server_error',
  })
})

test('a user id may be 255 characters long', async () => {
  const userId = 'x'.repeat(255)
  const { auth, wechat } = setUp({ onLogin: () => ({ userId }) })

  expect((await auth.login({ code: wechat.codeFor('alice') })).user_id).toBe(userId)
})

describe('a code that comes again', () => {
  test('in the same request gets the same session and the same data, and WeChat is asked once more at most', async () => {
    const { auth, wechat, events } = setUp({ onLogin: () => ({ data: { hello: 1 } }) })
    const request = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    const first = await auth.login(request)

    const again = await auth.login(request)

    expect(again.refresh_token).toBe(first.refresh_token)
    expect(again.data).toEqual({ hello: 1 })
    expect(wechat.calls.map(({ errcode }) => errcode)).toEqual([0, 40163])
    expect(events.flatMap((e) => (e.type === 'login' ? [e.outcome] : []))).toEqual([
      'created',
      'retried',
    ])
  })

  test('at the same time reaches WeChat once, and all get one session', async () => {
    let hooks = 0
    const { auth, wechat } = setUp({ onLogin: () => ({ userId: ++hooks }) })
    const request = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }

    const answers = await Promise.all(Array.from({ length: 20 }, () => auth.login(request)))

    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1)
    expect(wechat.calls).toHaveLength(1)
    expect(hooks).toBe(1)
  })

  test('from a sibling instance that is still in its onLogin gets the same session', async () => {
    const { now } = createClock()
    const store = createMemoryStore({ now })
    const secret = randomBytes(32).toString('hex')
    const slow = setUp({
      store,
      now,
      secret,
      onLogin: () => new Promise((resolve) => setTimeout(() => resolve({ userId: 7 }), 120)),
    })
    const { fetch, app, codeFor } = slow.wechat
    const sibling = setUp({ store, now, secret, fetch, apps: [app] })
    const request = { code: codeFor('alice'), idempotencyKey: newKey() }

    const [first, again] = await Promise.all([
      slow.auth.login(request),
      sibling.auth.login(request),
    ])

    expect(again.refresh_token).toBe(first.refresh_token)
    expect(again.user_id).toBe('7')
  })

  test('with another key ends the session that it made, and tells nobody more', async () => {
    const { auth, wechat, events } = setUp()
    const code = wechat.codeFor('alice')
    const first = await auth.login({ code, idempotencyKey: newKey() })

    await expect(auth.login({ code, idempotencyKey: newKey() })).rejects.toMatchObject({
      code: 'invalid_code',
    })

    await expect(auth.refresh({ refreshToken: first.refresh_token })).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'reused',
    })
    expect(events.flatMap((e) => (e.type === 'login' ? [e.outcome] : []))).toEqual([
      'created',
      'code_reused',
    ])
  })

  test('at the same time with another key ends the session as well', async () => {
    const { auth, wechat } = setUp()
    const code = wechat.codeFor('alice')

    const [first, second] = await Promise.allSettled([
      auth.login({ code, idempotencyKey: newKey() }),
      auth.login({ code, idempotencyKey: newKey() }),
    ])

    expect(first?.status).toBe('fulfilled')
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'invalid_code' } })
  })

  test('after the first rotation gets nothing, and leaves the session alone', async () => {
    const { auth, wechat } = setUp()
    const request = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    const first = await auth.login(request)
    const second = await auth.refresh({ refreshToken: first.refresh_token })

    await expect(auth.login(request)).rejects.toMatchObject({ code: 'invalid_code' })

    await expect(auth.refresh({ refreshToken: second.refresh_token })).resolves.toBeDefined()
  })

  test('after five minutes gets nothing, and leaves the session alone', async () => {
    const { auth, wechat, clock } = setUp()
    const request = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    const first = await auth.login(request)
    clock.advance(300)

    await expect(auth.login({ ...request, idempotencyKey: newKey() })).rejects.toMatchObject({
      code: 'invalid_code',
    })

    await expect(auth.refresh({ refreshToken: first.refresh_token })).resolves.toBeDefined()
  })

  test('after the answer was lost between WeChat and here is refused: the client takes a new code', async () => {
    const { auth, wechat } = setUp()
    const request = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    wechat.fail('drop-after')

    await expect(auth.login(request)).rejects.toMatchObject({ reason: 'lost' })
    await expect(auth.login(request)).rejects.toMatchObject({ code: 'invalid_code' })
  })

  test('while WeChat is away is told so, and gets its session when WeChat is back', async () => {
    const { auth, wechat } = setUp()
    const request = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    const first = await auth.login(request)
    wechat.fail(-1)

    await expect(auth.login(request)).rejects.toMatchObject({ code: 'wechat_unavailable' })

    expect((await auth.login(request)).refresh_token).toBe(first.refresh_token)
  })

  test('while its session is refreshed, however slow the claims are, gets nothing', async () => {
    let overtake = async () => {}
    const { auth, wechat } = setUp({
      claims: async () => {
        const run = overtake
        overtake = async () => {}
        await run()
        return {}
      },
    })
    const request = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    const { refresh_token: refreshToken } = await auth.login(request)
    overtake = async () => void (await auth.refresh({ refreshToken }))

    await expect(auth.login(request)).rejects.toMatchObject({ code: 'invalid_code' })
  })

  test('to replace a session in the same request as before finds it gone, and still gets its own', async () => {
    const { auth, wechat } = setUp()
    const old = await auth.login({ code: wechat.codeFor('alice') })
    const request = {
      code: wechat.codeFor('alice'),
      idempotencyKey: newKey(),
      previousRefreshToken: old.refresh_token,
    }
    const first = await auth.login(request)

    const again = await auth.login(request)

    expect(again.refresh_token).toBe(first.refresh_token)
    expect(await auth.sessions.list(first.user_id)).toHaveLength(1)
  })

  test('after a secret was rotated in between still gets its session', async () => {
    const { now } = createClock()
    const store = createMemoryStore({ now })
    const [older, newer] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
    const before = setUp({ store, now, secret: older })
    const { fetch, app, codeFor } = before.wechat
    const after = setUp({ store, now, secret: [newer, older], fetch, apps: [app] })
    const request = { code: codeFor('alice'), idempotencyKey: newKey() }
    const first = await before.auth.login(request)

    const again = await after.auth.login(request)

    expect(again.user_id).toBe(first.user_id)
    expect(await after.auth.sessions.list(first.user_id)).toHaveLength(1)
  })
})

test.each(['', 'a b', 'ä', '../x', 'x'.repeat(129), 'a.b', "';--"])(
  'the code %j never reaches WeChat',
  async (code) => {
    const { auth, wechat } = setUp()

    await expect(auth.login({ code })).rejects.toMatchObject({ code: 'invalid_code' })
    expect(wechat.calls).toEqual([])
  },
)

test("DevTools' mock code is named, and never reaches WeChat", async () => {
  const { auth, wechat } = setUp()

  await expect(auth.login({ code: 'the code is a mock one' })).rejects.toMatchObject({
    code: 'invalid_code',
    reason: 'mock_code',
  })
  expect(wechat.calls).toEqual([])
})

test.each(['', 'x'.repeat(129), 'a\nb'])(
  'the device name %j is refused before the code is spent',
  async (device) => {
    const { auth, wechat } = setUp()
    const code = wechat.codeFor('alice')

    await expect(auth.login({ code, device })).rejects.toMatchObject({ code: 'invalid_request' })

    expect(wechat.calls).toEqual([])
    await expect(auth.login({ code, device: 'iPhone' })).resolves.toBeDefined()
  },
)

test('an AppID that is not configured is named', async () => {
  const { auth, wechat } = setUp()

  const login = auth.login({ code: wechat.codeFor('alice'), appId: 'wx00000000000000ff' })

  await expect(login).rejects.toMatchObject({
    code: 'unknown_app',
    message: expect.stringContaining('wx00000000000000ff'),
  })
})

test.each(['x\nERROR a forged line', '<b>bold</b>', ' wx1', 'wx1 ', 'x'.repeat(65)])(
  'what cannot be an AppID is not repeated in the answer: %j',
  async (appId) => {
    const { auth } = setUp()

    const login = auth.login({ code: 'code', appId })

    await expect(login).rejects.toMatchObject({
      code: 'unknown_app',
      message: expect.not.stringContaining(appId),
    })
  },
)

test('apps may be looked up, and a code of one mini program is no code of another', async () => {
  const apps = [
    { appId: 'wx000000000000000a', appSecret: 'a'.repeat(32) },
    { appId: 'wx000000000000000b', appSecret: 'b'.repeat(32) },
  ]
  const { auth, wechat } = setUp(
    { apps: async (appId) => apps.find((app) => app.appId === appId) },
    { apps },
  )
  const code = () => wechat.codeFor('alice', { appId: 'wx000000000000000b' })

  const answer = await auth.login({ code: code(), appId: 'wx000000000000000b' })

  expect((await auth.authenticate(`Bearer ${answer.access_token}`)).appId).toBe(
    'wx000000000000000b',
  )
  await expect(auth.login({ code: code(), appId: 'wx000000000000000a' })).rejects.toMatchObject({
    code: 'invalid_code',
  })
  await expect(auth.login({ code: code() })).rejects.toMatchObject({ code: 'unknown_app' })
})

describe('the session that a login replaces', () => {
  test('ends when the new one is there', async () => {
    const { auth, wechat } = setUp()
    const old = await auth.login({ code: wechat.codeFor('alice') })

    const { user_id } = await auth.login({
      code: wechat.codeFor('alice'),
      previousRefreshToken: old.refresh_token,
    })

    expect(await auth.sessions.list(user_id)).toHaveLength(1)
    await expect(auth.refresh({ refreshToken: old.refresh_token })).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'unknown',
    })
  })

  test('stays when the login fails', async () => {
    const { auth, wechat } = setUp()
    const old = await auth.login({ code: wechat.codeFor('alice') })
    wechat.fail(-1)

    await auth
      .login({ code: wechat.codeFor('alice'), previousRefreshToken: old.refresh_token })
      .catch(() => undefined)

    await expect(auth.refresh({ refreshToken: old.refresh_token })).resolves.toBeDefined()
  })

  test('never costs the new one: nonsense and a store that cannot delete are passed over', async () => {
    const { now } = createClock()
    const store: SessionStore = {
      ...createMemoryStore({ now }),
      delete: () => Promise.reject(new Error('read only')),
    }
    const { auth, wechat } = setUp({ store, now })
    const old = await auth.login({
      code: wechat.codeFor('alice'),
      previousRefreshToken: 'nonsense',
    })

    await expect(
      auth.login({ code: wechat.codeFor('alice'), previousRefreshToken: old.refresh_token }),
    ).resolves.toBeDefined()
  })

  test('is never the new one, when a login is sent again with its own token', async () => {
    const { auth, wechat } = setUp()
    const request = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    const first = await auth.login(request)

    await auth.login({ ...request, previousRefreshToken: first.refresh_token })

    await expect(auth.refresh({ refreshToken: first.refresh_token })).resolves.toBeDefined()
  })

  test('is not shown to onLogin for an old copy of its token', async () => {
    const seen: LoginContext[] = []
    const { auth, wechat } = setUp({
      onLogin: (_account, context) => {
        seen.push(context)
      },
    })
    const victim = await auth.login({ code: wechat.codeFor('victim') })
    const second = await auth.refresh({ refreshToken: victim.refresh_token })
    await auth.refresh({ refreshToken: second.refresh_token })

    await auth.login({
      code: wechat.codeFor('thief'),
      previousRefreshToken: victim.refresh_token,
    })

    expect(seen[1]).not.toHaveProperty('previous')
  })
})

test('a store that cannot create gives no token', async () => {
  const { now } = createClock()
  const store: SessionStore = {
    ...createMemoryStore({ now }),
    create: () => Promise.reject(new Error('out of memory')),
  }
  const { auth, wechat } = setUp({ store, now })

  await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
    code: 'store_unavailable',
    status: 503,
  })
})

describe('what an attacker tries', () => {
  test('spending a stolen code first and refreshing at once does not outlive the user, whose code it was', async () => {
    const { auth, wechat, events } = setUp()
    const code = wechat.codeFor('victim')
    const thief = await auth.login({ code, idempotencyKey: newKey() })
    const { refresh_token: refreshToken } = await auth.refresh({
      refreshToken: thief.refresh_token,
    })

    await expect(auth.login({ code, idempotencyKey: newKey() })).rejects.toMatchObject({
      code: 'invalid_code',
    })

    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ reason: 'reused' })
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'login', outcome: 'code_reused' }),
    )
  })

  test('a refresh token that was rotated away does not pass for its user in onLogin', async () => {
    const seen: LoginContext[] = []
    const { auth, wechat } = setUp({
      onLogin: (_account, context) => {
        seen.push(context)
      },
    })
    const victim = await auth.login({ code: wechat.codeFor('victim') })
    await auth.refresh({ refreshToken: victim.refresh_token })

    await auth.login({ code: wechat.codeFor('thief'), previousRefreshToken: victim.refresh_token })

    expect(seen[1]).not.toHaveProperty('previous')
  })

  test('an old copy of a token in a login ends its session as reused', async () => {
    const { auth, wechat, events } = setUp()
    const first = await auth.login({ code: wechat.codeFor('victim') })
    const second = await auth.refresh({ refreshToken: first.refresh_token })
    await auth.refresh({ refreshToken: second.refresh_token })

    await auth.login({ code: wechat.codeFor('thief'), previousRefreshToken: first.refresh_token })

    expect(events).toContainEqual(expect.objectContaining({ type: 'revoked', reason: 'reused' }))
  })

  test('a retry that races with a revocation loses, however slow the claims are', async () => {
    const gates: (() => void)[] = []
    let isSlow = false
    const { auth, wechat } = setUp({
      onLogin: () => ({ userId: 7 }),
      claims: () => (isSlow ? new Promise<object>((resolve) => gates.push(() => resolve({}))) : {}),
    })
    const idempotencyKey = newKey()
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
    await auth.refresh({ refreshToken, idempotencyKey })
    isSlow = true

    const retry = auth.refresh({ refreshToken, idempotencyKey }).catch((error: unknown) => error)
    await expect.poll(() => gates.length).toBe(1)
    await auth.sessions.revoke({ userId: 7 })
    gates[0]?.()

    expect(await retry).toMatchObject({ code: 'invalid_grant', reason: 'revoked' })
  })

  test('a login retry that races with a revocation loses as well', async () => {
    const gates: (() => void)[] = []
    let isSlow = false
    const { auth, wechat } = setUp({
      onLogin: () => ({ userId: 7 }),
      claims: () => (isSlow ? new Promise<object>((resolve) => gates.push(() => resolve({}))) : {}),
    })
    const request = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    await auth.login(request)
    isSlow = true

    const retry = auth.login(request).catch((error: unknown) => error)
    await expect.poll(() => gates.length).toBe(1)
    await auth.sessions.revoke({ userId: 7 })
    gates[0]?.()

    expect(await retry).toMatchObject({ code: 'invalid_code' })
  })

  test('sessions that end as reused do not pile up', async () => {
    const { auth, wechat, clock } = setUp({ onLogin: () => ({ userId: 7 }), maxSessionsPerUser: 3 })
    const { now } = clock
    const store = createMemoryStore({ now })
    const { auth: watched, events } = setUp({
      now,
      store,
      fetch: wechat.fetch,
      apps: [wechat.app],
      onLogin: () => ({ userId: 7 }),
      maxSessionsPerUser: 3,
    })
    for (let n = 0; n < 20; n++) {
      const { refresh_token: refreshToken } = await watched.login({ code: wechat.codeFor('alice') })
      await watched.refresh({ refreshToken })
      await watched.refresh({ refreshToken }).catch(() => undefined)
    }

    expect((await store.list('7')).length).toBeLessThanOrEqual(7)
    expect(events.filter(({ type }) => type === 'evicted')).toEqual([])
    expect(await auth.sessions.list(7)).toEqual([])
  })
})

describe('a look-up of apps', () => {
  const foreign = ['wx2', 'constructor', '__proto__', 'toString']

  test.each([
    { what: 'null', find: () => null },
    { what: 'undefined', find: () => undefined },
    { what: 'something inherited', find: (id: string) => Object.getPrototypeOf({})[id] },
  ])('that gives $what finds nothing', async ({ find }) => {
    const apps: unknown = find
    const { auth } = setUp({ apps: apps as () => undefined })

    for (const appId of foreign) {
      const login = auth.login({ code: 'code', appId })
      await expect(login).rejects.toMatchObject({ code: 'unknown_app' })
    }
  })

  const secret = 'd1f3a9c47be28056e1d4f7a2b9c83065'
  const wrong: readonly (readonly [string, (appId: string) => unknown, string])[] = [
    ['an app without its secret', (appId) => ({ appId }), 'appSecret'],
    ['an app whose secret is empty', (appId) => ({ appId, appSecret: '' }), 'appSecret'],
    ['an app whose secret is null', (appId) => ({ appId, appSecret: null }), 'appSecret'],
    [
      'an app whose secret has quotation marks',
      (appId) => ({ appId, appSecret: `"${secret}"` }),
      'appSecret',
    ],
    ['a placeholder', (appId) => ({ appId, appSecret: 'changeme-please' }), 'appSecret'],
    ['a secret by itself', () => secret, 'object'],
    ['an entry without its AppID', () => ({ appSecret: secret }), 'appId'],
    ['the error of a secret manager', () => ({ error: 'throttled' }), 'appId'],
    ['a list', (appId) => [{ appId, appSecret: secret }], 'object'],
    ['the same app for every AppID', () => ({ appId: 'wx1', appSecret: secret }), 'wx1'],
    ['a kind that there is not', (appId) => ({ appId, appSecret: secret, kind: 'x' }), 'kind'],
    ['a rejection', () => Promise.reject(new Error('throttled')), 'throttled'],
  ]

  test.each(wrong)(
    'that gives %s is a failure of this server, and no phone drops its tokens',
    async (_what, find, said) => {
      const broken = { isBroken: false }
      const set = setUp({
        apps: (appId) =>
          (broken.isBroken ? find(appId) : { appId, appSecret: secret }) as {
            appId: string
            appSecret: string
          },
      })
      const { auth, events } = set
      const appId = set.wechat.app.appId
      const { refresh_token } = await auth.sessions.create({ account: { appId, openid: 'alice' } })
      broken.isBroken = true

      const login = await send(auth, '/login', { body: { code: 'code', app_id: appId } })
      const refresh = await send(auth, '/refresh', { body: { refresh_token } })
      const logout = await send(auth, '/logout', { body: { refresh_token } })
      broken.isBroken = false
      const later = await send(auth, '/refresh', { body: { refresh_token } })

      for (const answer of [login, refresh, logout]) {
        expect([answer.status, bodyOf(answer).error]).toEqual([500, 'server_error'])
      }
      expect(later.status).toBe(200)
      const failures = events.filter(({ type }) => type === 'failure')
      expect(failures).toHaveLength(3)
      expect(inspect(failures)).toContain(said)
      expect(inspect(failures)).not.toContain(secret)
    },
  )
})
