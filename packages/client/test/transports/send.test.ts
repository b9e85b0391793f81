import { ClientError } from '@wxlogin/client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { json, refusal } from '../backend.js'
import { outcomes, setUp, times } from '../set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('a request resolves with what wx.request gives', async () => {
  const { client, wx } = setUp()

  const response = await client.request<{ path: string }>({
    url: '/orders',
    method: 'POST',
    data: { item: 1 },
    header: { 'x-mine': 'yes' },
  })

  expect(response).toMatchObject({ statusCode: 200, data: { path: '/orders' }, cookies: [] })
  expect(response.header).toMatchObject({ 'Content-Type': 'application/json' })
  const sent = wx.control.requests.at(-1)
  expect(sent).toMatchObject({ method: 'POST', data: { item: 1 } })
  expect(sent?.header).toMatchObject({ 'x-mine': 'yes', authorization: 'Bearer access-1-session1' })
})

test.each([
  ['/orders', '/orders'],
  ['orders', '/orders'],
  ['/orders?page=2', '/orders?page=2'],
  ['https://api.example.com/orders', '/orders'],
  ['HTTPS://API.example.com/orders', '/orders'],
  ['//evil.example/orders', '/evil.example/orders'],
  ['@evil.example/orders', '/@evil.example/orders'],
])('%s is %s of the backend, and carries the token', async (url, path) => {
  const { client, backend } = setUp()

  await client.request({ url })

  expect(backend.seen(path)[0]?.header.authorization).toBe('Bearer access-1-session1')
})

test.each([
  'https://api.example.com@evil.example/',
  'https://api.example.com:443@evil.example/',
  'https://user:password@api.example.com/',
  'https://api.example.com\\@evil.example/',
  'https://api.example.com.evil.example/',
  'https://evil.example/https://api.example.com/',
  'https://evil.example?https://api.example.com/',
  'https://api.example.com:8443/',
  'http://api.example.com/',
  'https://api.example.com\t.evil.example/',
  'https://sub.api.example.com/',
  'https:/\\api.example.com/',
])('%s gets no token, and costs no login', async (url) => {
  const { client, wx } = setUp()
  wx.control.onRequest(() => true, { respond: { statusCode: 200, data: {} } })

  await outcomes([client.request({ url })])

  expect(wx.control.requests[0]?.header.authorization).toBeUndefined()
  expect(wx.control.calls.login).toBe(0)
})

test('a trusted origin gets the token', async () => {
  const { client, wx } = setUp({ trustedOrigins: ['https://cdn.example.com:8443'] })

  await client.request({ url: 'https://CDN.example.com:8443/picture' })

  expect(wx.control.requests.at(-1)?.header.authorization).toBe('Bearer access-1-session1')
})

test('launch options are never read for credentials', async () => {
  const { client, wx, backend } = setUp()
  const query = { token: 'forged', access_token: 'forged', refresh_token: 'forged', code: 'forged' }

  await client.launch(wx.control.launch({ query }))
  await client.request({ url: '/orders' })

  expect(JSON.stringify(wx.control.requests)).not.toContain('forged')
  expect(backend.seen('/orders')[0]?.header.authorization).toBe('Bearer access-1-session1')
})

test('a request with its own Authorization header goes out as it is', async () => {
  const { client, wx } = setUp()

  await client.request({ url: '/orders', header: { authorization: 'Basic x' } }).catch(() => {})

  expect(wx.control.requests).toHaveLength(1)
  expect(wx.control.requests[0]?.header.authorization).toBe('Basic x')
})

test('auth false sends no token and makes no login', async () => {
  const { client, wx } = setUp()

  await client.request({ url: '/news', auth: false })

  expect(wx.control.requests[0]?.header.authorization).toBeUndefined()
  expect(wx.control.calls.login).toBe(0)
})

test('auth optional goes anonymous when login fails', async () => {
  const { client, wx, backend } = setUp()
  wx.control.onLogin('throw')

  const { data } = await client.request<{ user: string }>({ url: '/news', auth: 'optional' })

  expect(data.user).toBe('nobody')
  expect(backend.seen('/news')).toHaveLength(1)
})

test('auth optional sends the token when there is one', async () => {
  const { client } = setUp()

  const { data } = await client.request<{ user: string }>({ url: '/news', auth: 'optional' })

  expect(data.user).toBe('user-1')
})

test('auth optional does not send a signed-in user as nobody', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  wx.control.onRequest('/wx/refresh', { fail: { errMsg: 'request:fail' } })

  const news = client.request({ url: '/news', auth: 'optional' })

  expect(await outcomes([news])).toEqual(['network'])
  expect(backend.seen('/news')).toHaveLength(0)
})

test('auth optional goes anonymous for who is signed out while it waits', async () => {
  const { client, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  backend.endSessions('revoked')

  const { data } = await client.request<{ user: string }>({ url: '/news', auth: 'optional' })

  expect(data.user).toBe('nobody')
})

test.each([0, null])('a timeout of %s means the default', async (timeout) => {
  const { start, wx } = setUp()
  const timeouts: unknown[] = []
  const { request } = wx
  const client = start(
    Object.assign(wx, {
      request(options: Parameters<typeof request>[0]) {
        timeouts.push(options.timeout)
        return request(options)
      },
    }),
  )

  await client.request({ url: '/orders', timeout: timeout as never })

  expect(timeouts.at(-1)).toBe(60_000)
})

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 31])(
  'a timeout of %s rejects as config, and nothing is sent',
  async (timeout) => {
    const { client, wx } = setUp()

    await expect(client.request({ url: '/orders', timeout })).rejects.toMatchObject({
      name: 'ClientError',
      code: 'config',
      message: expect.stringContaining('timeout'),
    })
    expect(wx.control.calls).toMatchObject({ request: 0, login: 0 })
  },
)

/** A phone that leaves this answer as text. */
function withText(wx: ReturnType<typeof setUp>['wx'], path: string, text: string) {
  const { request } = wx
  return Object.assign(wx, {
    request: (options: Parameters<typeof request>[0]) =>
      request({
        ...options,
        success: (response) =>
          options.success?.(options.url.endsWith(path) ? { ...response, data: text } : response),
      }),
  })
}

test.each([
  ['a line separator', JSON.stringify({ text: 'a\u2028b' }), { text: 'a\u2028b' }],
  ['a byte order mark', `\ufeff${JSON.stringify([1])}`, [1]],
])('JSON with %s that a phone leaves as text is parsed', async (_, text, data) => {
  const { start, wx } = setUp()
  const client = start(withText(wx, '/orders', text))

  expect((await client.request({ url: '/orders' })).data).toEqual(data)
})

test('a login with a line separator in its data is a login', async () => {
  const { start, wx, backend } = setUp()
  const tokens = JSON.stringify({ ...backend.prefetchFor('user-1'), data: 'a\u2028b' })
  const client = start(withText(wx, '/wx/login', tokens))

  expect(await client.login()).toMatchObject({ userId: 'user-1', data: 'a\u2028b' })
})

test.each([
  ['a text', 'hello'],
  ['a text that another text contained', JSON.stringify('{"a":1}')],
  ['a page', '<html>'],
  ['what is not whole', '{"a":'],
])('%s stays a text', async (_, text) => {
  const { client, wx } = setUp()
  const data = text.startsWith('"') ? JSON.parse(text) : text
  wx.control.onRequest('/orders', { respond: { statusCode: 200, data: text } })

  expect((await client.request({ url: '/orders' })).data).toBe(data)
})

test.each([
  ['missing', {}],
  ['0', { statusCode: 0 }],
  ['no answer at all', undefined],
])('a status that is %s is no answer', async (_, response) => {
  const { client, start, wx } = setUp()
  await client.launch()
  const request = (options: { success?: (response: never) => void }) => {
    options.success?.(response as never)
    return { abort() {} }
  }

  const other = start(Object.assign(wx, { request }) as never)

  expect(await outcomes([other.request({ url: '/orders' })])).toEqual(['network'])
})

test("a status of '401' is a 401", async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  const data = { error: 'invalid_token' }
  wx.control.onRequest('/orders', { respond: { statusCode: '401' as never, data } }, { times: 1 })

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test.each([
  'Bearer error=invalid_token',
  'Bearer error = "invalid_token"',
  'Basic realm="x", Bearer realm="y", error="invalid_token", scope="z"',
])('%s is a refused token', async (challenge) => {
  const { client, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.answer('/orders', json(401, 'no', { 'WWW-Authenticate': challenge }), { times: 1 })

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('a challenge to who sent no token is an answer like any other', async () => {
  const { client, backend } = setUp()
  backend.answer('/orders', refusal(401, 'invalid_token'))

  const { statusCode } = await client.request({ url: '/orders', auth: false, raw: true })

  expect(statusCode).toBe(401)
  expect(backend.seen('/orders')).toHaveLength(1)
})

test('a status that is not 2xx rejects with what came', async () => {
  const { client, backend } = setUp()
  backend.answer('/orders', json(418, { why: 'tea' }, { 'X-Pot': '1', 'Retry-After': '7' }))

  const error = await client.request({ url: '/orders' }).catch((error) => error)

  expect(error).toBeInstanceOf(ClientError)
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({
    code: 'http',
    statusCode: 418,
    data: { why: 'tea' },
    header: { 'X-Pot': '1' },
    retryAfterSeconds: 7,
  })
})

test('a refusal of requireAuth keeps its code, reason and request id', async () => {
  const { client, backend } = setUp()
  backend.answer('/admin', refusal(403, 'insufficient_scope', { reason: 'role', request_id: 'r1' }))

  await expect(client.request({ url: '/admin' })).rejects.toMatchObject({
    code: 'insufficient_scope',
    statusCode: 403,
    reason: 'role',
    requestId: 'r1',
  })
  expect(client.session()?.userId).toBe('user-1')
})

test('an error of the app itself is http', async () => {
  const { client, backend } = setUp()
  backend.answer('/orders', json(404, { error: 'not_found' }))

  await expect(client.request({ url: '/orders' })).rejects.toMatchObject({ code: 'http' })
})

test('raw resolves every status', async () => {
  const { client, backend } = setUp()
  backend.answer('/orders', json(500, { why: 'x' }))

  const response = await client.request({ url: '/orders', raw: true })

  expect(response).toMatchObject({ statusCode: 500, data: { why: 'x' } })
})

test('raw resolves a second refusal of the token', async () => {
  const { client, backend } = setUp()
  backend.answer('/orders', refusal(401, 'invalid_token'))

  const response = await client.request({ url: '/orders', raw: true })

  expect(response.statusCode).toBe(401)
})

const unwrap = ({ data }: { data: unknown }) => {
  const { code, msg, data: inner } = Object(data)
  if (code !== 0) throw new Error(msg)
  return inner
}

test('unwrap takes the data out', async () => {
  const { client, backend } = setUp({ unwrap })
  backend.answer('/orders', json(200, { code: 0, msg: 'ok', data: [1, 2] }))

  const { data, statusCode } = await client.request<number[]>({ url: '/orders' })

  expect(data).toEqual([1, 2])
  expect(statusCode).toBe(200)
})

test('unwrap that throws rejects as business, with the answer', async () => {
  const { client, backend } = setUp({ unwrap })
  backend.answer('/orders', json(200, { code: 7, msg: 'sold out', data: null }))

  const error = await client.request({ url: '/orders' }).catch((error) => error)

  expect(error).toMatchObject({ code: 'business', statusCode: 200, data: { code: 7 } })
  expect(error.cause).toMatchObject({ message: 'sold out' })
})

test('the body is replayed as it was', async () => {
  const { client, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.expireAccess()

  await client.request({
    url: '/orders',
    method: 'POST',
    data: { item: 1 },
    header: { 'x-mine': '1' },
  })

  const [first, second] = backend.seen('/orders')
  expect(second?.body).toEqual({ item: 1 })
  expect(second?.body).toEqual(first?.body)
  expect(second?.header['x-mine']).toBe('1')
})

test('the options of the caller are left as they are', async () => {
  const { client } = setUp()
  const options = Object.freeze({ url: '/orders', header: Object.freeze({ 'x-mine': '1' }) })

  await client.request(options)

  expect(options).toEqual({ url: '/orders', header: { 'x-mine': '1' } })
})

test('a request that never answers rejects by its deadline', async () => {
  const { client, wx } = setUp({ timeoutMs: 8_000 })
  await client.launch()
  wx.control.onRequest('/orders', 'hang')
  const request = outcomes([
    client.request({ url: '/orders' }),
    client.request({ url: '/orders', timeout: 3_000 }),
  ])

  await vi.advanceTimersByTimeAsync(8_000)

  expect(await request).toEqual(['timeout', 'timeout'])
  const sent = wx.control.requests.filter(({ url }) => url.endsWith('/orders'))
  expect(sent.map(({ errMsg, durationMs }) => [errMsg, durationMs])).toEqual([
    ['request:fail abort', 8_000],
    ['request:fail abort', 3_000],
  ])
})

test('the deadline of a request covers its wait for a login', async () => {
  const { client, wx } = setUp()
  wx.control.onLogin('hang')
  const request = outcomes([client.request({ url: '/orders', timeout: 2_000 })])

  await vi.advanceTimersByTimeAsync(2_000)

  expect(await request).toEqual(['timeout'])
})

test('abort works at once, while waiting for a login too, and nothing is sent', async () => {
  const { client, wx, backend } = setUp()
  wx.control.onLogin({ afterMs: 1_000 })
  const request = client.request({ url: '/orders' })

  request.abort()

  expect(await outcomes([request])).toEqual(['aborted'])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(backend.seen('/orders')).toHaveLength(0)
  expect(client.session()?.userId).toBe('user-1')
})

test('abort ends the native task', async () => {
  const { client, wx } = setUp()
  await client.launch()
  wx.control.onRequest('/orders', 'hang')
  const request = client.request({ url: '/orders' })
  await vi.advanceTimersByTimeAsync(0)

  request.abort()

  expect(await outcomes([request])).toEqual(['aborted'])
  expect(wx.control.requests.at(-1)?.errMsg).toBe('request:fail abort')
})

test('abort during a renewal cancels the replay and not the renewal', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.expireAccess()
  wx.control.onRequest('/wx/refresh', { delayMs: 500 })
  const request = client.request({ url: '/orders' })
  const outcome = outcomes([request])
  await vi.advanceTimersByTimeAsync(100)

  request.abort()
  await vi.advanceTimersByTimeAsync(1_000)

  expect(await outcome).toEqual(['aborted'])
  expect(backend.seen('/orders')).toHaveLength(1)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
})

test('listeners given before there is a native task hear it, across a replay', async () => {
  const { client, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.expireAccess()
  const headers = vi.fn()
  const chunks = vi.fn()
  const request = client.request({ url: '/chat', enableChunked: true })
  request.onHeadersReceived(headers)
  request.onChunkReceived(chunks)

  await request

  expect(headers).toHaveBeenLastCalledWith(
    expect.objectContaining({ header: { 'Content-Type': 'application/json' } }),
  )
  const [{ data }] = chunks.mock.lastCall ?? []
  expect(new TextDecoder().decode(data)).toBe('{"path":"/chat","user":"user-1"}')
})

test('listeners given while the request is under way hear it, and those taken off do not', async () => {
  const { client, wx } = setUp()
  await client.launch()
  wx.control.onRequest('/chat', { delayMs: 1_000 })
  const heard = vi.fn()
  const unheard = vi.fn()
  const request = client.request({ url: '/chat', enableChunked: true })
  request.onChunkReceived(unheard)
  await vi.advanceTimersByTimeAsync(100)

  request.onChunkReceived(heard)
  request.offChunkReceived(unheard)
  await vi.advanceTimersByTimeAsync(1_000)

  await request
  expect(heard).toHaveBeenCalledTimes(1)
  expect(unheard).not.toHaveBeenCalled()
})

test.each(['throw', 'twice'] as const)(
  'wx.request that does %s settles each request once',
  async (behaviour) => {
    const { client, wx, backend } = setUp()
    await client.launch()
    await vi.advanceTimersByTimeAsync(30_000)
    backend.expireAccess()
    wx.control.onRequest('/orders', behaviour, { times: 1 })

    expect(await outcomes([client.request({ url: '/orders' })])).toEqual([
      behaviour === 'throw' ? 'network' : 'ok',
    ])
    expect(backend.seen('/wx/refresh')).toHaveLength(behaviour === 'throw' ? 0 : 1)
    expect(backend.seen('/orders')).toHaveLength(behaviour === 'throw' ? 0 : 2)
  },
)

test('more requests than WeChat sends at once all settle', async () => {
  const { client } = setUp()

  expect(await outcomes(times(50, () => client.request({ url: '/orders' })))).toEqual(
    times(50, () => 'ok'),
  )
})

test.each([
  [true, { errMsg: 'request:fail url not in domain list', errno: 600002 }, 'domain_not_allowed'],
  [true, { errMsg: 'request:fail 请求超时。', errno: 5 }, 'timeout'],
  [true, { errMsg: 'request:fail network interrupted error', errno: 600003 }, 'interrupted'],
  [true, { errMsg: 'request:fail timeout', errno: 600001 }, 'network'],
  [false, { errMsg: 'request:fail url not in domain list:api.example.com' }, 'domain_not_allowed'],
  [false, { errMsg: 'request:fail timeout' }, 'timeout'],
  [false, { errMsg: 'request:fail createRequestTask:fail:interrupted' }, 'interrupted'],
  [false, { errMsg: 'request:fail -118:net::ERR_CONNECTION_FAILED' }, 'network'],
] as const)('with errno %s, %o is %s', async (errno, failure, code) => {
  const { client, wx } = setUp({ phone: { errno } })
  await client.launch()
  wx.control.onRequest('/orders', { fail: failure })

  const error = await client.request({ url: '/orders' }).catch((error) => error)

  expect(error.code).toBe(code)
  expect(error.cause).toMatchObject({ errMsg: failure.errMsg })
})

test('a domain that is not allowed comes with its url', async () => {
  const { client } = setUp({ phone: { domains: ['https://other.example.com'] } })

  await expect(client.login()).rejects.toMatchObject({
    code: 'domain_not_allowed',
    message: 'domain_not_allowed: POST https://api.example.com/wx/login',
  })
})

test('no error, message or event holds a token, a code or a key', async () => {
  const events: unknown[] = []
  const { client, wx, backend } = setUp({ onEvent: (event) => events.push(event) })
  const echo = ({ body, header }: { body: unknown; header: unknown }) => json(502, { body, header })
  const errors: unknown[] = []
  const keep = (promise: Promise<unknown>) => promise.catch((error) => errors.push(error))
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.expireAccess()

  backend.answer('/wx/refresh', echo, { times: 2 })
  await keep(client.request({ url: '/orders' }))
  backend.answer('/wx/login', echo, { times: 2 })
  await keep(client.login({ force: true }))
  backend.answer('/wx/login', json(200, { access_token: 'access-canary' }), { times: 1 })
  await keep(client.login({ force: true }))
  backend.answer('/wx/logout', echo)
  await keep(client.logout({ everywhere: true }))
  await keep(client.request({ url: '/orders' }))

  expect(errors).toHaveLength(5)
  const texts = [...errors, ...events].flatMap((one) => [String(one), JSON.stringify(one)])
  for (const { header, data } of wx.control.requests) {
    const secrets = [
      header.authorization,
      header['idempotency-key'],
      Object(data).code,
      Object(data).refresh_token,
    ]
    for (const secret of [...secrets, 'access-canary']) {
      if (secret) expect(texts.join('\n')).not.toContain(String(secret).replace('Bearer ', ''))
    }
  }
})

test('events tell what happened', async () => {
  const events: unknown[] = []
  const { client, backend } = setUp({ onEvent: (event) => events.push(event) })
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.endSessions('expired')

  await client.request({ url: '/orders' })

  expect(events).toEqual([
    { type: 'login', durationMs: 0, code: undefined, requestId: undefined },
    { type: 'replay' },
    { type: 'refresh', durationMs: 0, code: 'invalid_grant', requestId: expect.any(String) },
    { type: 'login', durationMs: 0, code: undefined, requestId: undefined },
  ])
})
