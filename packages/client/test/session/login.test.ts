import type { FakeNetworkRequest } from '@wxlogin/client/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBackend, json, refusal } from '../backend.js'
import { outcomes, setUp, times } from '../set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('launch logs in silently and tells who it is', async () => {
  const { client, backend } = setUp()
  backend.setData({ name: 'Li' })

  const session = await client.launch()

  expect(session).toMatchObject({
    userId: 'user-1',
    appId: 'wx0000000000000001',
    data: { name: 'Li' },
  })
  expect(client.session()).toEqual(session)
  expect(session?.expiresAt).toBeCloseTo(Date.now() / 1000 + 900, 0)
})

test('the login sends the code, the AppID, the device and the input, with a key', async () => {
  const { client, backend } = setUp({ device: 'phone', loginInput: () => ({ inviter: 'x' }) })

  await client.launch()

  const [login] = backend.seen('/wx/login')
  expect(login?.body).toEqual({
    code: 'code-1-user-1',
    app_id: 'wx0000000000000001',
    device: 'phone',
    input: { inviter: 'x' },
  })
  expect(login?.header['idempotency-key']).toMatch(/^[A-Za-z0-9_-]{22,64}$/)
})

test('a launch with a live session makes no login call', async () => {
  const { client, wx, start } = setUp()
  await client.launch()
  const again = wx.control.restart()

  const session = await start(again).launch()

  expect(session?.userId).toBe('user-1')
  expect(again.control.calls.login).toBe(0)
})

test('ten requests on a cold start make one login', async () => {
  const { client, wx, backend } = setUp()

  const results = await Promise.all(
    times(10, () => client.request<{ user: string }>({ url: '/orders' })),
  )

  expect(results.map(({ data }) => data.user)).toEqual(times(10, () => 'user-1'))
  expect(wx.control.calls.login).toBe(1)
  expect(backend.seen('/wx/login')).toHaveLength(1)
})

test('launch and ready never reject', async () => {
  const { client, wx } = setUp()
  wx.control.offline()

  expect(await client.launch()).toBeUndefined()
  expect(await client.ready()).toBeUndefined()
  expect(client.session()).toBeUndefined()
})

test('wx.login that never answers rejects by the deadline, for everyone who waits', async () => {
  const { client, wx } = setUp()
  wx.control.onLogin('hang')
  const requests = outcomes(times(10, () => client.request({ url: '/orders' })))

  await vi.advanceTimersByTimeAsync(10_000)

  expect(await requests).toEqual(times(10, () => 'timeout'))
  expect(wx.control.calls.login).toBe(1)
})

test('the deadline covers wx.login and the exchange together', async () => {
  const { client, wx } = setUp({ loginTimeoutMs: 4_000 })
  wx.control.onLogin({ afterMs: 3_000 })
  wx.control.onRequest('/wx/login', 'hang')
  const login = outcomes([client.login()])

  await vi.advanceTimersByTimeAsync(4_000)

  expect(await login).toEqual(['timeout'])
})

test.each([
  ['throws', 'throw', 'network'],
  ['gives no code', 'empty', 'network'],
  ['times out', { fail: { errMsg: 'login:fail timeout', errno: 5 } }, 'timeout'],
] as const)('wx.login that %s rejects', async (_, behaviour, code) => {
  const { client, wx } = setUp()
  wx.control.onLogin(behaviour)

  expect(await outcomes([client.login()])).toEqual([code])
})

test('wx.login that calls back twice makes one exchange', async () => {
  const { client, wx, backend } = setUp()
  wx.control.onLogin('twice')

  await client.login()

  expect(backend.seen('/wx/login')).toHaveLength(1)
})

test('the mock code is named and never sent', async () => {
  const { client, backend } = setUp({ phone: { touristMode: true } })

  await expect(client.login()).rejects.toMatchObject({
    code: 'mock_code',
    message: 'mock_code: wx.login',
  })
  expect(backend.seen('/wx/login')).toHaveLength(0)
})

test('an AppID that the server does not know is named as the server says', async () => {
  const { client, backend } = setUp()
  backend.answer('/wx/login', refusal(400, 'unknown_app', { error_description: 'no app wx1 here' }))

  await expect(client.login()).rejects.toMatchObject({
    code: 'unknown_app',
    statusCode: 400,
    message: 'unknown_app: no app wx1 here 400 POST https://api.example.com/wx/login',
  })
})

test('a login whose answer was lost is sent again with the same code and key', async () => {
  const { client, wx, backend } = setUp()
  wx.control.onRequest('/wx/login', 'drop-answer', { times: 1 })

  await client.login()

  const [first, second] = backend.seen('/wx/login')
  expect(second?.body).toEqual(first?.body)
  expect(second?.header['idempotency-key']).toBe(first?.header['idempotency-key'])
  expect(wx.control.calls.login).toBe(1)
  expect(backend.livingSessions()).toBe(1)
})

test('an exchange may take all the time that is left', async () => {
  const { client, wx } = setUp()
  wx.control.onLogin({ afterMs: 1_000 })
  wx.control.onRequest('/wx/login', { delayMs: 8_500 })
  const login = outcomes([client.login()])

  await vi.advanceTimersByTimeAsync(9_500)

  expect(await login).toEqual(['ok'])
  expect(wx.control.requests).toHaveLength(1)
})

test.each([
  [7_900, ['ok'], 2],
  [8_100, ['network'], 1],
] as const)(
  'an exchange that breaks after %i ms is sent again if 2 s are left',
  async (delayMs, outcome, times) => {
    const backend = createBackend()
    let sent = 0
    const network = async (request: FakeNetworkRequest) => {
      if (sent++ > 0) return backend.network(request)
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      throw new Error('the connection broke')
    }
    const { client, wx } = setUp({ phone: { network, wechat: backend.wechat } })
    const login = outcomes([client.login()])

    await vi.advanceTimersByTimeAsync(9_000)

    expect(await login).toEqual(outcome)
    expect(wx.control.requests).toHaveLength(times)
  },
)

test.each(['login', 'refresh'])(
  'a %s that a gateway answers is sent once more, with the same key',
  async (route) => {
    const { client, wx, backend } = setUp()
    if (route === 'refresh') {
      await client.launch()
      await vi.advanceTimersByTimeAsync(900_000)
    }
    const page = { statusCode: 502, header: { 'Content-Type': 'text/html' }, body: '<html>' }
    backend.answer(`/wx/${route}`, page, { times: 1 })

    const results = await outcomes(times(10, () => client.request({ url: '/orders' })))

    expect(results).toEqual(times(10, () => 'ok'))
    const [first, second] = backend.seen(`/wx/${route}`)
    expect(second?.text).toBe(first?.text)
    expect(second?.header['idempotency-key']).toBe(first?.header['idempotency-key'])
    expect(wx.control.calls.login).toBe(1)
  },
)

test.each([
  ['a 500', json(500, {})],
  ['a page that says when', { statusCode: 503, header: { 'Retry-After': '5' }, body: '<html>' }],
])('%s is not sent again', async (_, answer) => {
  const { client, backend } = setUp()
  backend.answer('/wx/login', answer, { times: 1 })

  expect(await outcomes([client.login()])).toEqual(['http'])
  expect(backend.seen('/wx/login')).toHaveLength(1)
})

test('a code that was lost on the way is made good by a new one at once', async () => {
  const { client, backend } = setUp()
  const askedMs = Date.now()
  backend.answer('/wx/login', refusal(400, 'invalid_code', { reason: 'lost' }), { times: 1 })

  await client.login()

  expect(backend.seen('/wx/login').map(({ body }) => body.code)).toEqual([
    'code-1-user-1',
    'code-2-user-1',
  ])
  expect(Date.now() - askedMs).toBeLessThan(300)
})

test('a code that a hook of the app refuses costs no second wx.login', async () => {
  const { client, wx, backend } = setUp()
  backend.answer('/wx/login', refusal(400, 'invalid_code', { reason: 'phone_code' }))

  await expect(client.login()).rejects.toMatchObject({ code: 'invalid_code', reason: 'phone_code' })
  expect(wx.control.calls.login).toBe(1)
})

test('an exchange that hangs is aborted at the deadline', async () => {
  const { client, wx } = setUp()
  wx.control.onRequest('/wx/login', 'hang')
  const login = outcomes([client.login()])

  await vi.advanceTimersByTimeAsync(10_000)

  expect(await login).toEqual(['timeout'])
  expect(wx.control.requests.map(({ errMsg }) => errMsg)).toEqual(['request:fail abort'])
})

test.each([
  ['server_error', json(500, {})],
  ['a refusal', refusal(503, 'wechat_unavailable')],
  ['a page', { statusCode: 200, header: {}, body: '<html>' }],
])('after %s the code is not sent again', async (_, answer) => {
  const { client, wx, backend } = setUp()
  backend.answer('/wx/login', answer, { times: 1 })

  await client.login().catch(() => {})
  await client.login()

  const codes = backend.seen('/wx/login').map(({ body }) => body.code)
  expect(codes).toEqual(['code-1-user-1', 'code-2-user-1'])
  expect(wx.control.calls.login).toBe(2)
})

test('invalid_code leads to exactly one new code', async () => {
  const { client, backend } = setUp()
  backend.answer('/wx/login', refusal(400, 'invalid_code'), { times: 1 })

  await client.login()

  expect(backend.seen('/wx/login').map(({ body }) => body.code)).toEqual([
    'code-1-user-1',
    'code-2-user-1',
  ])
})

test('invalid_code twice rejects', async () => {
  const { client, wx, backend } = setUp()
  backend.answer('/wx/login', refusal(400, 'invalid_code'))

  await expect(client.login()).rejects.toMatchObject({ code: 'invalid_code' })
  expect(wx.control.calls.login).toBe(2)
})

test('a thousand requests after a failed login make few login calls', async () => {
  const { client, wx, backend } = setUp()
  backend.answer('/wx/login', refusal(500, 'server_error'))

  for (let index = 0; index < 1_000; index++) {
    await client.request({ url: '/orders' }).catch(() => {})
    await vi.advanceTimersByTimeAsync(100)
  }

  expect(wx.control.calls.login).toBeGreaterThan(2)
  expect(wx.control.calls.login).toBeLessThan(12)
})

test('Retry-After is respected, but an explicit login may try', async () => {
  const { client, wx, backend } = setUp()
  backend.answer('/wx/login', refusal(429, 'rate_limited', {}, { 'Retry-After': '90' }), {
    times: 1,
  })
  await expect(client.login()).rejects.toMatchObject({
    code: 'rate_limited',
    retryAfterSeconds: 90,
  })

  await vi.advanceTimersByTimeAsync(89_000)
  wx.control.show()
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['rate_limited'])
  expect(wx.control.calls.login).toBe(1)

  expect(await outcomes([client.login(), client.request({ url: '/orders' })])).toEqual(['ok', 'ok'])
})

test('a backend whose hook cannot answer is asked again when it said, with a new code', async () => {
  const { client, backend } = setUp()
  backend.answer(
    '/wx/login',
    refusal(503, 'temporarily_unavailable', {}, { 'Retry-After': '12' }),
    { times: 1 },
  )
  await expect(client.login()).rejects.toMatchObject({
    code: 'temporarily_unavailable',
    statusCode: 503,
    retryAfterSeconds: 12,
  })

  await vi.advanceTimersByTimeAsync(11_900)
  expect(await outcomes(times(10, () => client.request({ url: '/orders' })))).toEqual(
    times(10, () => 'temporarily_unavailable'),
  )
  expect(backend.seen('/wx/login')).toHaveLength(1)

  await vi.advanceTimersByTimeAsync(1_100)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(backend.seen('/wx/login').map(({ body }) => body.code)).toEqual([
    'code-1-user-1',
    'code-2-user-1',
  ])
})

test('Retry-After is obeyed to within a second, and for five minutes at most', async () => {
  const { client, wx, backend } = setUp()
  backend.answer('/wx/login', refusal(429, 'rate_limited', {}, { 'Retry-After': '86400' }), {
    times: 1,
  })
  await client.ready()

  await vi.advanceTimersByTimeAsync(299_000)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['rate_limited'])
  expect(wx.control.calls.login).toBe(1)

  await vi.advanceTimersByTimeAsync(2_000)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
})

test("a maintenance page's Retry-After is not the server's", async () => {
  const { client, backend } = setUp()
  const page = { statusCode: 503, header: { 'Retry-After': '86400' }, body: '<html>' }
  backend.answer('/wx/login', page, { times: 1 })
  await client.ready()

  await vi.advanceTimersByTimeAsync(3_000)

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
})

/** Three minutes without a network, a request every second. */
async function setUpOutage() {
  const setting = setUp()
  setting.wx.control.offline()
  for (let second = 0; second < 180; second++) {
    await outcomes([setting.client.request({ url: '/orders' })])
    await vi.advanceTimersByTimeAsync(1_000)
  }
  return setting
}

test('after an outage the first request within 3 s succeeds, without any sign of the network', async () => {
  for (const _ of times(20, String)) {
    const { client, wx, start } = await setUpOutage()
    const silent = Object.assign(wx, { onNetworkStatusChange: undefined })
    expect(start(silent)).toBeDefined()
    wx.control.online()
    await vi.advanceTimersByTimeAsync(3_000)

    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  }
})

test.each([
  ['when the network is back', () => {}],
  ['when the app is shown', ({ wx }: Awaited<ReturnType<typeof setUpOutage>>) => wx.control.show()],
])('a pause for want of a network ends at once %s', async (_, act) => {
  const setting = await setUpOutage()
  setting.wx.control.online()
  act(setting)
  await vi.advanceTimersByTimeAsync(0)

  expect(await outcomes([setting.client.request({ url: '/orders' })])).toEqual(['ok'])
})

test('an explicit login does not wait for the pause after a failure', async () => {
  const { client, wx } = setUp()
  wx.control.onLogin({ fail: { errMsg: 'login:fail' } }, { times: 1 })
  await client.ready()

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['network'])
  expect((await client.login()).userId).toBe('user-1')
})

test('a pause ends when the phone is shown again', async () => {
  const { client, wx } = setUp()
  wx.control.offline()
  await client.launch()
  wx.control.online()

  wx.control.show()

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
})

test('a pause does not outlast a clock that is set back', async () => {
  const { client, wx } = setUp()
  wx.control.offline()
  await client.ready()
  wx.control.online()

  vi.setSystemTime(Date.now() - 86_400_000)

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
})

test('a forced login replaces the session and names the one it replaces', async () => {
  const { client, backend } = setUp()
  await client.login()

  await client.login({ force: true })

  expect(backend.seen('/wx/login')[1]?.body.previous_refresh_token).toBe('refresh-0-session1')
  expect(backend.livingSessions()).toBe(1)
})

test('a login with input is made even while a silent one is under way', async () => {
  const { client, backend } = setUp()
  const launched = client.launch()

  await client.login({ input: { inviter: 'x' } })
  await launched

  expect(backend.seen('/wx/login').map(({ body }) => body.input)).toEqual([
    undefined,
    { inviter: 'x' },
  ])
})

test('a login with a live session keeps it', async () => {
  const { client, wx } = setUp()
  const session = await client.login()

  expect(await client.login()).toEqual(session)
  expect(wx.control.calls.login).toBe(1)
})

test('a refused user is signed out for good', async () => {
  const { client, wx, backend, start } = setUp()
  backend.answer('/wx/login', refusal(403, 'access_denied', { reason: 'banned' }), { times: 1 })
  await expect(client.login()).rejects.toMatchObject({ code: 'access_denied', reason: 'banned' })

  await vi.advanceTimersByTimeAsync(600_000)
  const again = wx.control.restart()
  const restarted = start(again)

  await expect(restarted.request({ url: '/orders' })).rejects.toMatchObject({
    code: 'signed_out',
    reason: 'banned',
  })
  expect(again.control.calls.login).toBe(0)
  expect((await restarted.login()).userId).toBe('user-1')
})

test('a login that is refused for this attempt leaves the session that was there', async () => {
  const { client, backend, wx, start } = setUp()
  await client.login()
  const wrongPassword = refusal(403, 'access_denied', { reason: 'password', scope: 'attempt' })
  backend.answer('/wx/login', wrongPassword, { times: 2 })

  for (const _ of [1, 2]) {
    await expect(client.login({ input: { password: 'x' } })).rejects.toMatchObject({
      code: 'access_denied',
      reason: 'password',
      scope: 'attempt',
    })
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  }
  expect(start(wx.control.restart()).session()?.userId).toBe('user-1')
})

test('so does one whose reason is called like the one of a session that was revoked', async () => {
  const { client, backend } = setUp()
  await client.launch()
  const refused = refusal(403, 'access_denied', { reason: 'revoked', scope: 'attempt' })
  backend.answer('/wx/login', refused, { times: 1 })

  expect(await outcomes([client.login({ input: { invitation: 'old' } })])).toEqual([
    'access_denied',
  ])
  expect(client.session()?.userId).toBe('user-1')
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
})

test('a refused attempt holds nobody else up', async () => {
  const { client, backend } = setUp()
  const wrongPassword = refusal(403, 'access_denied', { scope: 'attempt' })
  backend.answer('/wx/login', wrongPassword, { times: 1 })
  await client.login({ input: 'x' }).catch(() => {})

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
})

test.each([
  ['undefined', { errMsg: 'login:ok' }],
  ['null', { code: null, errMsg: 'login:ok' }],
  ['a number', { code: 7, errMsg: 'login:ok' }],
  ['no result', undefined],
])('a code that is %s is not sent', async (_, result) => {
  const { start, wx, backend } = setUp()
  const login = (options: { success?: (result: never) => void } = {}) => {
    options.success?.(result as never)
    return undefined
  }
  const client = start(Object.assign(wx, { login }) as never)

  expect(['network', 'mock_code']).toContain((await outcomes([client.login()]))[0])
  expect(backend.seen('/wx/login')).toHaveLength(0)
})

test.each([
  ['none', undefined],
  ['empty', { randomValues: new ArrayBuffer(0) }],
  ['a text', { randomValues: 'q83vEjRWeJCrze8SNFZ4kA==' }],
  ['all zeros', { randomValues: new ArrayBuffer(4096) }],
])('random values that are %s make unique keys all the same', async (_, result) => {
  const { start, wx, backend } = setUp()
  const getRandomValues = (options: { success?: (result: never) => void }) => {
    options.success?.(result as never)
    return undefined
  }
  const client = start(Object.assign(wx, { getRandomValues }) as never)

  await client.login()
  await client.login({ force: true })
  await vi.advanceTimersByTimeAsync(900_000)
  await client.request({ url: '/orders' })

  const keys = ['/wx/login', '/wx/refresh'].flatMap((path) =>
    backend.seen(path).map(({ header }) => String(header['idempotency-key'])),
  )
  for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9_-]{22,64}$/)
  expect(new Set(keys).size).toBe(3)
})

test('without wx.getRandomValues keys are still unique', async () => {
  const { client, backend } = setUp({ phone: { omit: ['getRandomValues'] } })

  await client.login()
  await client.login({ force: true })

  const keys = backend.seen('/wx/login').map(({ header }) => header['idempotency-key'])
  expect(keys[0]).toMatch(/^[A-Za-z0-9_-]{22,64}$/)
  expect(keys[1]).not.toBe(keys[0])
})

test('wx.getRandomValues that never answers holds nothing up', async () => {
  const { wx, start } = setUp()
  const client = start(Object.assign(wx, { getRandomValues: () => undefined }))
  const login = client.login()

  await vi.advanceTimersByTimeAsync(1_000)

  expect((await login).userId).toBe('user-1')
})

test('a login that the app asks for waits for a silent one that is refused for the sign-out', async () => {
  const { client } = setUp()
  await client.login()
  await client.logout()

  const silent = client.launch()
  const asked = client.login()

  expect(await silent).toBeUndefined()
  expect((await asked).userId).toBe('user-1')
})

test('a login after a logout succeeds though an older refresh is still under way', async () => {
  const { client, wx } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  wx.control.onRequest('/wx/refresh', { delayMs: 3_000 }, { times: 1 })
  const request = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(100)
  const logout = client.logout()

  const login = client.login()
  await vi.advanceTimersByTimeAsync(10_000)

  expect((await login).userId).toBe('user-1')
  await logout
  await request
})

test("one user's data is not shown under the next user", async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  wx.control.switchUser('user-2')
  backend.setData(undefined)

  const session = await client.login({ force: true })

  expect(session).toMatchObject({ userId: 'user-2', data: undefined })
})

test('an authPath without its slash stays on the host', async () => {
  const { client, wx } = setUp({ authPath: 'wx' })

  await client.launch()

  expect(wx.control.requests.map(({ url }) => url)).toEqual(['https://api.example.com/wx/login'])
})

test("a gateway's own error is an answer, so the code is not sent again", async () => {
  const { client, backend } = setUp()
  const answer = json(504, { error: 'gateway_timeout', error_description: 'slow' })
  backend.answer('/wx/login', answer)

  await client.login().catch(() => undefined)

  expect(backend.seen('/wx/login')).toHaveLength(1)
})

test.each(['develop', 'trial'] as const)(
  'in the sandbox a %s version without an AppID sends a code of its own, another one each time',
  async (envVersion) => {
    const { client, backend } = setUp({ sandbox: true, phone: { touristMode: true, envVersion } })

    await outcomes([client.login({ force: true })])

    const codes = backend.seen('/wx/login').map(({ body }) => String(Object(body).code))
    // This backend takes none of them, so there is a second attempt.
    expect(new Set(codes).size).toBe(2)
    for (const code of codes) expect(code).toMatch(/^sandbox-[\w-]{22}$/)
  },
)

test('in the sandbox a real code is sent as it is', async () => {
  const { client, backend } = setUp({ sandbox: true, phone: { envVersion: 'develop' } })

  await client.launch()

  expect(backend.seen('/wx/login')[0]?.body).toMatchObject({ code: 'code-1-user-1' })
})

/** By the names that the client has for what it stores itself. */
const unknownMembers = {
  reason: 'bought',
  loginMs: 1,
  askedMs: 1,
  key: 'short',
  out: { 'refresh-0-session1': 'a key' },
  v: 2,
}

test('members of answers that it does not know change nothing, whatever they are called', async () => {
  const { client, wx, backend, start } = setUp()
  backend.addMembers(unknownMembers)

  const session = await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.expireAccess()
  const results = await outcomes([client.request({ url: '/orders' })])
  const again = start(wx.control.restart())

  expect(session?.userId).toBe('user-1')
  expect(results).toEqual(['ok'])
  expect(again.session()?.userId).toBe('user-1')
  expect(await outcomes([again.request({ url: '/orders' })])).toEqual(['ok'])
  const kept = JSON.parse(JSON.parse(String(wx.control.storage.get('wxlogin'))))
  expect(kept.askedMs - kept.loginMs).toBeGreaterThanOrEqual(30_000)
  expect(kept.out).toEqual({})
  expect(backend.seen('/wx/login')).toHaveLength(1)
  expect(backend.alarms).toEqual([])
})
