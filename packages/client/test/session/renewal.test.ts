import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { json, refusal } from '../backend.js'
import { outcomes, setUp, times } from '../set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** A session whose access token the server has forgotten, and which is old enough to be renewed. */
async function setUpExpired() {
  const setting = setUp()
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  setting.backend.expireAccess()
  return setting
}

test('ten requests with a refused token make one refresh and no login', async () => {
  const { client, wx, backend } = await setUpExpired()

  const results = await outcomes(times(10, () => client.request({ url: '/orders' })))

  expect(results).toEqual(times(10, () => 'ok'))
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
  expect(wx.control.calls.login).toBe(1)
})

test('a refusal of an older token than the current one is answered by a replay alone', async () => {
  const { client, wx, backend } = await setUpExpired()
  for (const index of [0, 1, 2]) {
    wx.control.onRequest(`/late/${index}`, { delayMs: 1_000 * (index + 1) }, { times: 1 })
  }
  const late = outcomes(times(3, (index) => client.request({ url: `/late/${index}` })))
  await client.request({ url: '/orders' })

  await vi.advanceTimersByTimeAsync(25_000)

  expect(await late).toEqual(times(3, () => 'ok'))
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('a request is replayed at most once', async () => {
  const { client, backend } = await setUpExpired()
  backend.answer('/orders', refusal(401, 'invalid_token'))

  await expect(client.request({ url: '/orders' })).rejects.toMatchObject({
    code: 'invalid_token',
    statusCode: 401,
  })
  expect(backend.seen('/orders')).toHaveLength(2)
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('a replay that is refused is not replayed, however old its token', async () => {
  const { client, wx, backend } = await setUpExpired()
  backend.answer('/orders', refusal(401, 'invalid_token'))
  wx.control.onRequest('/orders', { delayMs: 40_000 }, { times: 1 })
  const request = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(5_000)
  await client.request({ url: '/news' })

  await vi.advanceTimersByTimeAsync(35_000)

  expect(await request).toEqual(['invalid_token'])
  expect(backend.seen('/orders')).toHaveLength(2)
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('a pair younger than 20 seconds is not renewed: its refusal rejects', async () => {
  const { client, backend } = setUp()
  await client.launch()
  backend.expireAccess()
  await vi.advanceTimersByTimeAsync(19_900)

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['invalid_token'])
  expect(backend.seen('/wx/refresh')).toHaveLength(0)

  await vi.advanceTimersByTimeAsync(100)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
})

test('a pair from the future counts as old', async () => {
  const { client, backend } = setUp()
  await client.launch()
  backend.expireAccess()

  vi.setSystemTime(Date.now() - 86_400_000)

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('an app that answers 401 on its own account renews nothing', async () => {
  const { client, backend } = await setUpExpired()
  backend.answer('/orders', json(401, { error: 'wrong password' }, { 'WWW-Authenticate': 'Basic' }))

  await expect(client.request({ url: '/orders' })).rejects.toMatchObject({
    code: 'http',
    statusCode: 401,
  })
  expect(backend.seen('/orders')).toHaveLength(1)
  expect(backend.seen('/wx/refresh')).toHaveLength(0)
})

test.each([
  [
    'in the header',
    json(401, 'no', { 'www-authenticate': 'Bearer realm="x", error="invalid_token"' }),
  ],
  ['in the body', json(401, { error: 'invalid_token' })],
])('a token refused %s is renewed', async (_, answer) => {
  const { client, backend } = await setUpExpired()
  backend.answer('/orders', answer, { times: 1 })

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('isUnauthorized fits a backend that answers 200', async () => {
  const { client, backend } = setUp({
    isUnauthorized: ({ data }) => Object(data).code === 40101,
  })
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.answer('/orders', json(200, { code: 40101 }), { times: 1 })

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('an expired token is renewed before the request', async () => {
  const { client, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)

  await client.request({ url: '/orders' })

  expect(backend.seen('/orders').map(({ header }) => header.authorization)).toEqual([
    'Bearer access-2-session1',
  ])
})

test('an aging token still goes out while it is renewed beside', async () => {
  const { client, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(815_000)

  await client.request({ url: '/orders' })

  expect(backend.seen('/orders')[0]?.header.authorization).toBe('Bearer access-1-session1')
  await vi.advanceTimersByTimeAsync(0)
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('an early renewal that fails keeps the session', async () => {
  const { client, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(815_000)
  backend.answer('/wx/refresh', refusal(503, 'store_unavailable'))

  expect(await outcomes(times(3, () => client.request({ url: '/orders' })))).toEqual(
    times(3, () => 'ok'),
  )
  expect(client.session()?.userId).toBe('user-1')
})

test.each([-40, 40])('a phone clock that is %i years wrong does not matter', async (years) => {
  vi.setSystemTime(new Date().setFullYear(2026 + years))
  const { client, wx, backend } = setUp()
  await client.launch()

  await vi.advanceTimersByTimeAsync(600_000)
  await client.request({ url: '/orders' })
  expect(backend.seen('/wx/refresh')).toHaveLength(0)

  await vi.advanceTimersByTimeAsync(600_000)
  await client.request({ url: '/orders' })
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
  expect(wx.control.calls.login).toBe(1)
})

test('life is counted from when the tokens were asked for', async () => {
  const { client, wx, backend } = setUp()
  wx.control.onRequest('/wx/login', { delayMs: 4_000 })
  const launched = client.launch()
  await vi.advanceTimersByTimeAsync(4_000)
  await launched

  await vi.advanceTimersByTimeAsync(897_000)
  await client.request({ url: '/orders' })

  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('a lost answer is asked for again with the same key, until it comes', async () => {
  const { client, wx, backend } = await setUpExpired()
  wx.control.onRequest('/wx/refresh', 'drop-answer', { times: 4 })

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['timeout'])
  await vi.advanceTimersByTimeAsync(86_400_000)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['timeout'])
  await vi.advanceTimersByTimeAsync(86_400_000)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])

  const refreshes = backend.seen('/wx/refresh')
  expect(refreshes).toHaveLength(5)
  expect(new Set(refreshes.map(({ header }) => header['idempotency-key'])).size).toBe(1)
  expect(wx.control.calls.login).toBe(1)
})

test('each refresh token has a key of its own', async () => {
  const { client, backend } = setUp()
  await client.launch()

  for (const _ of times(3, String)) {
    await vi.advanceTimersByTimeAsync(900_000)
    await client.request({ url: '/orders' })
  }

  const refreshes = backend.seen('/wx/refresh')
  expect(new Set(refreshes.map(({ header }) => header['idempotency-key'])).size).toBe(3)
  expect(refreshes.map(({ body }) => body.refresh_token)).toEqual([
    'refresh-0-session1',
    'refresh-1-session1',
    'refresh-2-session1',
  ])
})

test('a refresh that hangs is aborted after 20 seconds', async () => {
  const { client, wx } = setUp({ loginTimeoutMs: 20_000 })
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  wx.control.onRequest('/wx/refresh', 'hang')
  const request = outcomes([client.request({ url: '/orders' })])

  await vi.advanceTimersByTimeAsync(20_000)

  expect(await request).toEqual(['timeout'])
  const refreshes = wx.control.requests.filter(({ url }) => url.endsWith('/refresh'))
  expect(refreshes.map(({ errMsg }) => errMsg)).toEqual(['request:fail abort'])
  expect(refreshes[0]?.durationMs).toBe(20_000)
})

test.each([
  ['a timeout', { fail: { errMsg: 'request:fail timeout', errno: 5 } }],
  ['no network', { fail: { errMsg: 'request:fail', errno: 600000 } }],
  ['an interruption', { fail: { errMsg: 'request:fail interrupted', errno: 600003 } }],
  ['wx.request that throws', 'throw'],
  ['a 502', { respond: { statusCode: 502, data: '<html>bad gateway</html>' } }],
  ['a captive portal', { respond: { statusCode: 200, data: '<html>log in to the wifi</html>' } }],
  ['a 404', { respond: { statusCode: 404, data: '' } }],
  ['a 400 of someone else', { respond: { statusCode: 400, data: { error: 'invalid' } } }],
  [
    'a gateway that says invalid_grant',
    { respond: { statusCode: 200, data: { error: 'invalid_grant' } } },
  ],
  [
    'a 429',
    { respond: { statusCode: 429, data: { error: 'rate_limited', error_description: 'x' } } },
  ],
  [
    'a 503',
    { respond: { statusCode: 503, data: { error: 'store_unavailable', error_description: 'x' } } },
  ],
  [
    'a hook that cannot answer',
    {
      respond: {
        statusCode: 503,
        header: { 'retry-after': '30' },
        data: { error: 'temporarily_unavailable', error_description: 'x' },
      },
    },
  ],
] as const)('%s does not end the session', async (_, behaviour) => {
  const { client, wx, backend, start } = await setUpExpired()
  wx.control.onRequest('/wx/refresh', behaviour, { times: 2 })
  expect(await outcomes([client.request({ url: '/orders' })])).not.toEqual(['ok'])
  expect(client.session()?.userId).toBe('user-1')

  const again = wx.control.restart()
  wx.control.onRequest('/wx/refresh', 'ok')
  backend.answer('/wx/refresh', () => undefined)
  await vi.advanceTimersByTimeAsync(120_000)

  const restarted = start(again)
  expect(restarted.session()?.userId).toBe('user-1')
  await client.ready()
  expect(again.control.calls.login).toBe(0)
})

test.each(['expired', 'reused', 'unknown'])(
  'a refresh token that is %s leads to one silent login',
  async (reason) => {
    const { client, wx, backend } = await setUpExpired()
    backend.endSessions(reason)

    const results = await outcomes(times(10, () => client.request({ url: '/orders' })))

    expect(results).toEqual(times(10, () => 'ok'))
    expect(wx.control.calls.login).toBe(2)
    expect(backend.seen('/wx/refresh')).toHaveLength(1)
  },
)

test('a revoked session signs out until the app logs in', async () => {
  const { client, wx, backend, start } = await setUpExpired()
  backend.endSessions('revoked')

  await expect(client.request({ url: '/orders' })).rejects.toMatchObject({
    code: 'signed_out',
    reason: 'revoked',
  })
  const again = wx.control.restart()
  const restarted = start(again)
  expect(await restarted.launch()).toBeUndefined()
  again.control.show()
  expect(await outcomes([restarted.request({ url: '/orders' })])).toEqual(['signed_out'])
  expect(again.control.calls.login).toBe(0)

  await restarted.login()
  expect(await outcomes([restarted.request({ url: '/orders' })])).toEqual(['ok'])
})

test('access denied at a refresh signs out', async () => {
  const { client, wx, backend } = await setUpExpired()
  backend.answer('/wx/refresh', refusal(403, 'access_denied', { reason: 'banned' }), { times: 1 })

  await expect(client.request({ url: '/orders' })).rejects.toMatchObject({
    code: 'access_denied',
    reason: 'banned',
  })
  expect(client.session()).toBeUndefined()
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])
  expect(wx.control.calls.login).toBe(1)
})

test('a request is not replayed as another user', async () => {
  const { client, wx, backend } = await setUpExpired()
  backend.endSessions('expired')
  const before = client.request({ url: '/orders', method: 'POST', data: { item: 1 } })
  await Promise.resolve()
  wx.control.switchUser('user-2')

  expect(await outcomes([before])).toEqual(['user_changed'])
  expect(backend.seen('/orders')).toHaveLength(1)
  const { data } = await client.request<{ user: string }>({ url: '/orders' })
  expect(data.user).toBe('user-2')
})

test('a request that waits for a renewal is not sent as another user', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  backend.endSessions('expired')
  const waiting = outcomes([client.request({ url: '/orders' })])
  wx.control.switchUser('user-2')

  expect(await waiting).toEqual(['user_changed'])
  expect(backend.seen('/orders')).toHaveLength(0)
})

test('a session is looked after when the phone is shown again', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  wx.control.hide()
  await vi.advanceTimersByTimeAsync(1_800_000)
  expect(backend.seen('/wx/refresh')).toHaveLength(0)

  wx.control.show()
  await vi.advanceTimersByTimeAsync(0)

  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('a refresh interrupted in the background succeeds in the foreground with the same key', async () => {
  const { client, wx, backend } = await setUpExpired()
  wx.control.onRequest('/wx/refresh', { delayMs: 60_000 }, { times: 1 })
  const interrupted = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(0)
  wx.control.hide()
  await vi.advanceTimersByTimeAsync(1_800_000)

  wx.control.show()
  await vi.advanceTimersByTimeAsync(0)

  expect(await interrupted).not.toEqual(['ok'])
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  const keys = backend.seen('/wx/refresh').map(({ header }) => header['idempotency-key'])
  expect(new Set(keys).size).toBe(1)
  expect(wx.control.calls.login).toBe(1)
})

test('a backend that always says expired is asked for one renewal, and all settle', async () => {
  const { client, wx, backend } = await setUpExpired()
  backend.answer('/orders', refusal(401, 'invalid_token'))

  const results = await outcomes(times(10, () => client.request({ url: '/orders' })))

  expect(results).toEqual(times(10, () => 'invalid_token'))
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
  expect(wx.control.calls.login).toBe(1)
})
