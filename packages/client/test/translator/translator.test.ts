import { type ClientOptions, createClient } from '@wxlogin/client'
import { type Backend, createTranslator } from '@wxlogin/client/backend'
import { explain } from '@wxlogin/client/explain'
import { createClient as createFullClient } from '@wxlogin/client/full'
import type { FakeWx, FakeWxOptions } from '@wxlogin/client/testing'
import { describe, expect, test, vi } from 'vitest'
import { codes, mistakes } from '../../src/explanations.js'
import { outcomes, times } from '../set-up.js'
import { type Answer, baseUrl, phoneWith, type Seen, type ShopBody, shop } from './shop.js'

type Callbacks = { success(result: object): void }
type Description = Partial<Backend<ShopBody>>

/** A client in front of a shop that answers so; what is `undefined` is left to the shop. */
function setUp(
  description: Description = {},
  answer: (request: Seen) => Answer | undefined = () => undefined,
  { phone, ...options }: Partial<ClientOptions> & { phone?: FakeWxOptions } = {},
) {
  let logins = 0
  const { wx, ...rest } = phoneWith((request) => {
    const given = answer(request)
    if (given) return given
    if (request.path === '/auth') {
      logins += 1
      return { data: { token: `t-${logins}`, refresh: `r-${logins}`, user: 7 } }
    }
    if (request.path === '/renew') return { data: { token: `t-renewed-${++logins}` } }
    return { data: { path: request.path, token: request.header.authorization } }
  }, phone)
  const backend = { ...shop, ...description } as Backend
  const translated = createTranslator({ wx, baseUrl, backend })
  const client = createClient({ baseUrl, wx: translated, ...options })
  const full = () => createFullClient({ baseUrl, wx: translated })
  return { wx, client, full, backend, translated, ...rest }
}

const dead = { statusCode: 401, data: { error: 'invalid_token' } }
/** Refuses these tokens. */
const refusing =
  (...tokens: readonly string[]) =>
  ({ header }: Seen) =>
    tokens.some((token) => header.authorization === `Bearer ${token}`) ? dead : undefined

const noCode: Backend = { ...shop, needsCode: () => false } as Backend

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error) => error,
  )

test('a login is the call that is described, and the token goes where it is described', async () => {
  const { client, seen } = setUp()

  const { data } = await client.request<{ token: string }>({ url: '/orders' })

  expect(seen('/auth').map(({ body }) => body)).toEqual([{ code: 'code-1' }])
  expect(data.token).toBe('Bearer t-1')
  expect(client.session()).toMatchObject({ userId: '7', data: undefined })
})

test('login is told the input, the AppID and the device', async () => {
  const login = vi.fn(shop.login)
  const { client } = setUp({ login }, undefined, { device: 'my phone', loginInput: 'silent' })

  await client.login()
  await client.login({ input: { phone: '138' } })

  const about = { appId: 'wx0000000000000001', device: 'my phone' }
  expect(login.mock.calls).toEqual([
    [{ code: 'code-1', input: 'silent', ...about }],
    [{ code: 'code-2', input: { phone: '138' }, ...about }],
  ])
})

test('nothing of our wire is sent to the backend', async () => {
  const { client, wx } = setUp(undefined, refusing('t-1'))

  await client.login()
  await rejection(client.request({ url: '/orders' }))
  await client.login({ force: true })
  await client.logout()

  const said = JSON.stringify(wx.control.requests)
  expect(said).not.toMatch(/wxlogin|access_token|refresh_token|app_id|idempotency|x-request-id/i)
})

describe('renewal', () => {
  test('ten requests on a dead token make one refresh, and ten answers', async () => {
    vi.useFakeTimers({ now: 0 })
    const { client, wx, seen } = setUp(undefined, refusing('t-1'))
    await client.login()
    vi.setSystemTime(60_000)

    const requests = times(10, (index) => client.request({ url: `/orders/${index}` }))

    expect(await outcomes(requests)).toEqual(times(10, () => 'ok'))
    expect(seen('/renew').map(({ body }) => body)).toEqual([{ refreshToken: 'r-1' }])
    expect(seen('/auth')).toHaveLength(1)
    expect(wx.control.calls.login).toBe(1)
    vi.useRealTimers()
  })

  test('a refresh that says less than the login did changes nothing', async () => {
    vi.useFakeTimers({ now: 0 })
    const { client, seen } = setUp(undefined, refusing('t-1', 't-renewed-2'))
    await client.login()
    vi.setSystemTime(60_000)
    await client.request({ url: '/orders' }).catch(() => undefined)
    vi.setSystemTime(120_000)
    await client.request({ url: '/orders' })

    expect(seen('/renew').map(({ body }) => body)).toEqual([
      { refreshToken: 'r-1' },
      { refreshToken: 'r-1' },
    ])
    expect(client.session()?.userId).toBe('7')
    vi.useRealTimers()
  })

  test('a refused refresh is followed by a silent login', async () => {
    vi.useFakeTimers({ now: 0 })
    const { client, paths } = setUp(undefined, (request) =>
      request.path === '/renew' ? { data: { no: 'expired' } } : refusing('t-1')(request),
    )
    await client.login()
    vi.setSystemTime(60_000)

    await client.request({ url: '/orders' })

    expect(paths()).toEqual(['/auth', '/orders', '/renew', '/auth', '/orders'])
    vi.useRealTimers()
  })

  test.each([
    ['the backend has none', { refresh: undefined }],
    ['it gave no refresh token', { tokens: ({ data }) => ({ accessToken: String(data.token) }) }],
  ] as [string, Description][])(
    'without a refresh there is a silent login: %s',
    async (_, description) => {
      vi.useFakeTimers({ now: 0 })
      const { client, paths } = setUp(description, refusing('t-1'))
      await client.login()
      vi.setSystemTime(60_000)

      await client.request({ url: '/orders' })

      expect(paths()).toEqual(['/auth', '/orders', '/auth', '/orders'])
      vi.useRealTimers()
    },
  )

  test('a refresh token that is not from here is followed by a silent login', async () => {
    const stored = {
      v: `1 wx0000000000000001${baseUrl}/wx`,
      access_token: 'eyJ.a',
      refresh_token: 'eyJ.r',
      expires_in: 1,
      user_id: '7',
      askedMs: 1,
      key: 'k',
    }
    const storage = new Map<string, string>()
    const { translated, paths, wx } = setUp(undefined, undefined, { phone: { storage } })
    wx.setStorageSync('wxlogin', JSON.stringify(stored))
    const client = createClient({ baseUrl, wx: translated })

    await client.request({ url: '/orders' })

    expect(paths()).toEqual(['/auth', '/orders'])
  })
})

describe('nothing definite', () => {
  const odd: [string, Answer | undefined][] = [
    ['HTML', { data: '<html>' }],
    ['nothing', { data: '' }],
    ['null', { data: 'null' }],
    ['a gateway', { statusCode: 502, data: '<html>' }],
    ['no tokens', { data: { code: 1 } }],
  ]

  test.each(odd)('a refresh that is answered with %s keeps the tokens', async (_, answer) => {
    vi.useFakeTimers({ now: 0 })
    const { client, seen } = setUp(undefined, (request) =>
      request.path === '/renew' ? answer : refusing('t-1')(request),
    )
    await client.login()
    vi.setSystemTime(60_000)

    const error = await rejection(client.request({ url: '/orders' }))

    expect(['http', 'network']).toContain(error.code)
    expect(client.session()?.userId).toBe('7')
    expect(seen('/auth')).toHaveLength(1)
    vi.useRealTimers()
  })

  test.each(odd)('a login that is answered with %s signs nobody out', async (_, answer) => {
    let isOdd = true
    const { client } = setUp(undefined, ({ path }) =>
      path === '/auth' && isOdd ? answer : undefined,
    )

    const error = await rejection(client.login())
    isOdd = false

    expect(['http', 'network']).toContain(error.code)
    expect(await client.login()).toMatchObject({ userId: '7' })
  })

  test('the status is on the error, and Retry-After is obeyed', async () => {
    const { client } = setUp(undefined, () => ({
      statusCode: 503,
      header: { 'Retry-After': '9' },
      data: '<html>',
    }))

    const error = await rejection(client.login())

    expect(error).toMatchObject({ code: 'http', statusCode: 503, retryAfterSeconds: 9 })
  })

  test.each(['needsCode', 'login', 'tokens', 'attach'] as const)(
    'if %s throws, the call rejects, and names the cause',
    async (name) => {
      const bug = new TypeError('a bug')
      const { client } = setUp({
        [name]: () => {
          throw bug
        },
      })

      const error = await rejection(client.request({ url: '/orders' }))

      expect(error).toMatchObject({ code: 'network', cause: bug })
      expect(client.session()).toBeUndefined()
    },
  )

  test.each(['refresh', 'tokens', 'attach'] as const)(
    'if %s throws at a refresh, the tokens are kept',
    async (name) => {
      vi.useFakeTimers({ now: 0 })
      let isBroken = false
      const working = { attach: () => ({}), ...shop }[name] as (...given: unknown[]) => unknown
      const description = {
        [name](...given: unknown[]) {
          if (isBroken) throw new TypeError('a bug')
          return working(...given)
        },
      }
      const { client, seen } = setUp(description, ({ path }) =>
        path === '/orders' ? dead : undefined,
      )
      await client.login()
      vi.setSystemTime(60_000)
      isBroken = true

      const error = await rejection(client.request({ url: '/orders' }))

      expect(error.code).toBe('network')
      expect(client.session()?.userId).toBe('7')
      expect(seen('/auth')).toHaveLength(1)
      vi.useRealTimers()
    },
  )

  test('if logout throws, the phone is signed out all the same', async () => {
    const { client } = setUp({
      logout: () => {
        throw new TypeError('a bug')
      },
    })
    await client.login()

    await client.logout()

    expect(client.session()).toBeUndefined()
  })
})

describe('a definite no', () => {
  test('of the backend is access_denied with its reason, until login() has what is missing', async () => {
    const { client, wx } = setUp(undefined, ({ path, body }) =>
      path === '/auth' && !body.input ? { data: { no: 'not_bound' } } : undefined,
    )

    const first = await rejection(client.request({ url: '/orders' }))
    const second = await rejection(client.request({ url: '/orders' }))
    const calls = wx.control.calls.login
    await client.login({ input: { phoneCode: 'p-1' } })
    const requests = times(10, () => client.request({ url: '/orders' }))

    expect(first).toMatchObject({ code: 'access_denied', reason: 'not_bound' })
    expect(second).toMatchObject({ code: 'signed_out', reason: 'not_bound' })
    expect(calls).toBe(1)
    expect(await outcomes(requests)).toEqual(times(10, () => 'ok'))
  })

  test('of the description is signed_out: there is no silent way in, and nothing is sent', async () => {
    const { client, wx, paths } = setUp({
      needsCode: () => false,
      login: ({ input }) =>
        input ? { url: '/auth', data: { input } } : { refused: 'login_required' },
    })

    const requests = times(10, () => client.request({ url: '/orders' }))
    const error = await rejection(requests[0] as Promise<unknown>)

    expect(await outcomes(requests)).toEqual(times(10, () => 'signed_out'))
    expect(error.reason).toBe('login_required')
    expect(paths()).toEqual([])
    await client.login({ input: { password: 'x' } })
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
    expect(wx.control.calls.login).toBe(0)
  })

  test('about one attempt says so on the wire', async () => {
    const { translated } = setUp({
      tokens: () => ({ refused: 'wrong_password', scope: 'attempt' }),
    })

    const { data } = await new Promise<{ data: unknown }>((success, fail) => {
      translated.request({ url: `${baseUrl}/wx/login`, method: 'POST', data: {}, success, fail })
    })

    expect(data).toMatchObject({
      error: 'access_denied',
      reason: 'wrong_password',
      scope: 'attempt',
    })
  })
})

describe('codes', () => {
  test('a lost answer costs a new code, and none is sent twice', async () => {
    let lost = 1
    const { client, wx, seen } = setUp(undefined, ({ path }) => {
      if (path === '/auth' && lost-- > 0) throw new Error('the connection broke')
      return undefined
    })

    const requests = times(10, () => client.request({ url: '/orders' }))

    expect(await outcomes(requests)).toEqual(times(10, () => 'ok'))
    expect(seen('/auth').map(({ body }) => body.code)).toEqual(['code-1', 'code-2'])
    expect(wx.control.calls.login).toBe(2)
  })

  test('a wx.login that calls back twice sends its code once', async () => {
    const { client, wx, seen } = setUp()
    wx.control.onLogin('twice')

    await client.login()

    expect(seen('/auth')).toHaveLength(1)
  })

  test('a wx.login that fails is told as it is', async () => {
    const { client, wx, paths } = setUp()
    wx.control.onLogin({ fail: { errMsg: 'login:fail timeout', errno: 5 } })

    const error = await rejection(client.login())

    expect(error).toMatchObject({ code: 'timeout' })
    expect(paths()).toEqual([])
  })

  test('one that comes after the deadline is not sent', async () => {
    vi.useFakeTimers()
    const { client, wx, paths } = setUp(undefined, undefined, { loginTimeoutMs: 1_000 })
    wx.control.onLogin({ afterMs: 5_000 })

    const failed = rejection(client.login())
    await vi.advanceTimersByTimeAsync(6_000)

    expect(await failed).toMatchObject({ code: 'timeout' })
    expect(paths()).toEqual([])
    vi.useRealTimers()
  })

  test('that of DevTools without an AppID is not sent', async () => {
    const { client, paths } = setUp(undefined, undefined, { phone: { touristMode: true } })

    expect(await rejection(client.login())).toMatchObject({ code: 'mock_code' })
    expect(paths()).toEqual([])
  })

  test('a login that needs none calls no wx.login', async () => {
    const { client, wx, seen } = setUp({ needsCode: (input) => input === undefined })

    await client.login({ input: { password: 'x' } })
    await client.login({ force: true })

    expect(seen('/auth').map(({ body }) => body.code)).toEqual(['', 'code-1'])
    expect(wx.control.calls.login).toBe(1)
  })
})

describe('tokens', () => {
  const at = (date: string | undefined, header: string, tokens: object) =>
    setUp(
      { tokens: ({ data }) => ({ accessToken: String(data.token), refreshToken: 'r', ...tokens }) },
      ({ path }) =>
        path === '/auth'
          ? { header: date === undefined ? {} : { [header]: date }, data: { token: 't-1' } }
          : undefined,
    )
  const date = 'Thu, 01 Jan 1970 01:00:00 GMT'

  test.each([
    ['Date', date, { expiresAt: 3600 + 900 }, 900],
    ['date', date, { expiresAt: 3600 + 900 }, 900],
    ['Date', date, { expiresAt: 3600 + 900, expiresIn: 60 }, 60],
    ['Date', undefined, { expiresIn: 60 }, 60],
    ['Date', undefined, { expiresAt: 3600 + 900 }, 1e9],
    ['Date', 'yesterday', { expiresAt: 3600 + 900 }, 1e9],
    ['Date', date, { expiresAt: 1 }, 1e9],
    ['Date', date, {}, 1e9],
    ['Date', date, { expiresIn: 60, refreshToken: undefined }, 1e9],
  ])('%s: %s, %o live %i seconds', async (header, date, tokens, seconds) => {
    vi.useFakeTimers({ now: 5_000_000 })
    const { client } = at(date, header, tokens)

    await client.login()

    expect(client.session()?.expiresAt).toBe(5_000 + seconds)
    vi.useRealTimers()
  })

  test('without a user id nobody is told apart', async () => {
    const { client } = setUp({
      tokens: ({ data: { token } }) => (token ? { accessToken: token } : undefined),
    })

    await client.login()

    expect(client.session()?.userId).toBe('unknown')
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  })

  test('data is what session() has, and a refresh without it keeps it', async () => {
    vi.useFakeTimers({ now: 0 })
    const { client } = setUp(
      {
        tokens: ({ data: { token, user } }) =>
          Object.assign(
            { accessToken: String(token), refreshToken: 'r' },
            user !== undefined && { data: { name: 'Li' } },
          ),
      },
      refusing('t-1'),
    )
    await client.login()
    vi.setSystemTime(60_000)

    await client.request({ url: '/orders' })

    expect(client.session()?.data).toEqual({ name: 'Li' })
    vi.useRealTimers()
  })
})

describe('attach', () => {
  const tenant: Description = {
    attach: ({ kind, url, data, formData }, token) => ({
      header: { tenant: '1', kind, ...(token && { 'X-Token': token }) },
      ...(kind === 'upload' && { formData: { ...formData, token } }),
      ...(kind === 'socket' && { url: `${url}?token=${token}` }),
      ...(data ? { data: { ...(data as object), more: 1 } } : {}),
    }),
  }

  test('is asked at every kind of request, and at logins', async () => {
    const { full, wx, seen } = setUp(tenant)
    const client = full()
    wx.control.files.set('photo', 'pixels')

    await client.request({ url: '/orders', method: 'POST', data: { id: 1 } })
    await client.uploadFile({ url: '/upload', filePath: 'photo', name: 'f', formData: { a: 'b' } })
    await client.downloadFile({ url: '/download' })
    await client.connectSocket({ url: '/live' })

    expect(seen('/auth')[0]).toMatchObject({ header: { tenant: '1', kind: 'request' } })
    expect(seen('/auth')[0]?.header['x-token']).toBeUndefined()
    expect(seen('/orders')[0]).toMatchObject({
      header: { tenant: '1', kind: 'request', 'x-token': 't-1' },
      body: { id: 1, more: 1 },
    })
    expect(seen('/orders')[0]?.header.authorization).toBeUndefined()
    expect(wx.control.requests.find(({ kind }) => kind === 'uploadFile')).toMatchObject({
      header: { kind: 'upload', 'x-token': 't-1' },
      data: { a: 'b', token: 't-1' },
    })
    expect(seen('/download')[0]?.header).toMatchObject({ kind: 'download', 'x-token': 't-1' })
    expect(wx.control.sockets[0]).toMatchObject({
      url: 'wss://api.example.com/live?token=t-1',
      header: { kind: 'socket', 'x-token': 't-1' },
    })
  })

  test('anonymous requests have what every request has, without a token', async () => {
    const { client, seen } = setUp(tenant)

    await client.request({ url: '/orders', auth: false })

    expect(seen('/orders')[0]?.header).toMatchObject({ tenant: '1' })
    expect(seen('/orders')[0]?.header['x-token']).toBeUndefined()
  })

  test("the app's own headers come first, its Authorization as well", async () => {
    const { client, seen, paths } = setUp(tenant)

    await client.request({ url: '/orders', header: { Authorization: 'Basic x', tenant: '2' } })

    expect(seen('/orders')[0]?.header).toMatchObject({ authorization: 'Basic x', tenant: '2' })
    expect(paths()).toEqual(['/orders'])
  })

  test("and not the client's headers, is what logins and refreshes have", async () => {
    const { client, seen } = setUp(tenant, undefined, { headers: { tenant: '2', more: '1' } })

    await client.request({ url: '/orders' })

    expect(seen('/auth')[0]?.header).toMatchObject({ tenant: '1' })
    expect(seen('/auth')[0]?.header).not.toHaveProperty('more')
    expect(seen('/orders')[0]?.header).toMatchObject({ tenant: '2', more: '1' })
  })

  // What is stored has these texts in it, and none of them is a token.
  test.each(['ed', 'access_token', 'user_id', '1 wx0000000000000001https://api.example.com/wx'])(
    'for an anonymous request there is no token, even if the user is called %s',
    async (userId) => {
      const attach = vi.fn(() => ({}))
      const { client, wx, seen } = setUp({
        attach,
        tokens: ({ data: { token } }) => token && { accessToken: token, refreshToken: '', userId },
      } as Description)
      await client.login()
      attach.mockClear()

      await client.request({ url: '/orders', auth: false })
      for (const Authorization of [`Bearer ${userId}`, 'Bearer ', 'Bearer out', 'constructor']) {
        await client.request({ url: '/orders', header: { Authorization } })
      }
      await client.request({ url: 'https://cdn.example.com/a' })

      expect(attach.mock.calls.map(([, token]: unknown[]) => token)).toEqual(
        attach.mock.calls.map(() => undefined),
      )
      expect(seen('/orders').map(({ header }) => header.authorization)).toEqual([
        undefined,
        `Bearer ${userId}`,
        'Bearer ',
        'Bearer out',
        'constructor',
      ])
      expect(wx.control.requests.at(-1)?.url).toBe('https://cdn.example.com/a')
    },
  )

  test('a token that JSON writes in another way goes where the description says', async () => {
    const token = 'a"b\\c'
    const { client, wx, backend, seen } = setUp({
      attach: (_, token) => ({ header: { token: String(token) } }),
      tokens: () => ({ accessToken: token, userId: 7 }),
    })
    await client.request({ url: '/orders' })
    const later = createTranslator({ wx: wx.control.restart(), baseUrl, backend })
    await createClient({ baseUrl, wx: later }).request({ url: '/orders' })

    expect(seen('/orders').map(({ header }) => [header.token, header.authorization])).toEqual([
      [token, undefined],
      [token, undefined],
    ])
  })

  test('form bodies', async () => {
    const { client, seen } = setUp({
      login: ({ code }) => ({
        url: '/auth',
        data: { code },
        header: { 'Content-Type': 'application/x-www-form-urlencoded' },
      }),
    })

    await client.login()

    expect(seen('/auth')[0]?.text).toBe('code=code-1')
  })

  test('a logout carries the token', async () => {
    const { client, seen } = setUp()
    await client.login()

    await client.logout()

    expect(seen('/leave')[0]).toMatchObject({
      header: { authorization: 'Bearer t-1' },
      body: { refreshToken: 'r-1' },
    })
  })

  test('a backend without a logout is not asked', async () => {
    const { client, paths } = setUp({ logout: undefined as never })
    await client.login()

    await client.logout()

    expect(paths()).toEqual(['/auth'])
    expect(client.session()).toBeUndefined()
  })

  test('calls follow no redirect', async () => {
    const { client, wx } = setUp()
    const request = vi.spyOn(wx, 'request')

    await client.login()

    expect(request.mock.calls[0]?.[0]).toMatchObject({ redirect: 'manual' })
  })
})

describe('foreign hosts', () => {
  test.each([
    'https://evil.example/a',
    'https://api.example.com.evil.example/a',
    'https://api.example.com@evil.example/a',
    'https://api.example.com\\@evil.example/a',
    'https://api.example.com:444/a',
    'http://api.example.com/a',
  ])('%s gets no token and nothing else', async (url) => {
    const attach = vi.fn(() => ({ header: { tenant: '1' } }))
    const { client, wx } = setUp({ attach })
    await client.login()
    const before = attach.mock.calls.length

    await rejection(client.request({ url }))

    expect(attach.mock.calls.length).toBe(before)
    expect(JSON.stringify(wx.control.requests.at(-1))).not.toMatch(/t-1|tenant/)
  })

  test('several hosts are trusted by both', async () => {
    const { wx, backend } = setUp()
    const trustedOrigins = ['https://cdn.example.com']
    const translated = createTranslator({ wx, baseUrl, backend, trustedOrigins })
    const client = createClient({ baseUrl, trustedOrigins, wx: translated })

    await client.request({ url: 'https://CDN.example.com/a' })

    expect(wx.control.requests.at(-1)?.header.authorization).toBe('Bearer t-1')
  })

  test.each([
    ['one that only the client trusts', {}, 'https://cdn.example.com/a'],
    ['one that attach names', { attach: () => ({ url: 'https://evil.example' }) }, '/a'],
  ])('%s gets no request', async (_, description, url) => {
    const { wx, backend } = setUp()
    const translated = createTranslator({ wx, baseUrl, backend })
    const trustedOrigins = ['https://cdn.example.com']
    const client = createClient({ baseUrl, trustedOrigins, wx: translated })
    await client.login()
    Object.assign(backend, description)
    const after = createClient({
      baseUrl,
      trustedOrigins,
      wx: createTranslator({ wx, baseUrl, backend }),
    })

    const error = await rejection(after.request({ url }))

    expect(error.code).toBe('domain_not_allowed')
    expect(String(Object(error.cause).errMsg)).toContain('trustedOrigins')
    expect(wx.control.requests.map((one) => one.url)).toEqual([`${baseUrl}/auth`])
  })
})

describe('what needs our server', () => {
  test('a phone number', async () => {
    const { full } = setUp()

    const error = await rejection(full().bindPhone({ detail: { code: 'p' } }))

    expect(error).toMatchObject({ code: 'config' })
    expect(error.message).toContain('bindPhone needs @wxlogin/server')
  })

  test('to sign out everywhere; this phone is signed out all the same', async () => {
    const { client, seen } = setUp()
    await client.login()

    const error = await rejection(client.logout({ everywhere: true }))

    expect(error).toMatchObject({ code: 'config' })
    expect(error.message).toContain('everywhere needs @wxlogin/server')
    expect(seen('/leave')).toHaveLength(1)
    expect(client.session()).toBeUndefined()
  })

  test('cloud hosting', async () => {
    const { full, wx } = setUp()
    const options = { path: '/a', service: 'shop', config: { env: 'prod-1' } }

    const error = await rejection(full().callContainer(options))

    expect(error).toMatchObject({ code: 'config' })
    expect(error.message).toContain('no translator')
    expect(wx.control.requests).toEqual([])
  })

  test('what WeChat fetched ahead is not read as a login', async () => {
    const { full, wx } = setUp()
    wx.control.prefetch({ access_token: 'a', refresh_token: 'r', expires_in: 900, user_id: '9' })
    const client = full()

    await client.launch()

    expect(client.session()?.userId).toBe('7')
    expect(client.prefetched()).toBeUndefined()
  })
})

describe('a token that is handed out', () => {
  test("is the backend's own, and another one when it was refused", async () => {
    vi.useFakeTimers({ now: 0 })
    const { client } = setUp()

    const first = await client.token()
    vi.setSystemTime(60_000)
    const second = await client.refused(first)

    expect([first, second]).toEqual(['t-1', 't-renewed-2'])
    expect(await client.refused(first)).toBe('t-renewed-2')
    vi.useRealTimers()
  })

  test('may come back in a header: it goes where the description says', async () => {
    const { client, seen } = setUp({ attach: (_, token = 'none') => ({ header: { token } }) })
    const Authorization = `Bearer ${await client.token()}`

    await client.request({ url: '/orders', header: { Authorization } })

    expect(seen('/orders')[0]?.header).toMatchObject({ token: 't-1' })
  })
})

test('the session of an earlier start is known', async () => {
  const { client, wx, backend, seen } = setUp({
    attach: (_, token) => ({ header: { token: String(token) } }),
  })
  await client.login()
  const later = wx.control.restart()
  const translated = createTranslator({ wx: later, baseUrl, backend })

  await createClient({ baseUrl, wx: translated }).request({ url: '/orders' })

  expect(seen('/orders')[0]?.header.token).toBe('t-1')
  expect(seen('/orders')[0]?.header.authorization).toBeUndefined()
})

test('the session that another instance stored is known', async () => {
  const { wx, backend, seen } = setUp({
    attach: (_, token) => ({ header: { token: String(token) } }),
  })
  const start = () => createClient({ baseUrl, wx: createTranslator({ wx, baseUrl, backend }) })
  const [one, other] = [start(), start()]
  one.session()
  await other.login()

  await one.request({ url: '/orders' })

  expect(seen('/auth')).toHaveLength(1)
  expect(seen('/orders')[0]?.header.token).toBe('t-1')
})

describe('where there is no WeChat', () => {
  const password: Description = {
    needsCode: () => false,
    login: ({ input }) => (input ? { url: '/auth', data: { input } } : { refused: 'no_password' }),
  }
  const phone = { omit: ['login', 'getAccountInfoSync', 'getRandomValues', 'onAppShow'] }

  test('a password logs in, with an AppID of choice, and nobody is logged in without', async () => {
    const { client, seen } = setUp(password, undefined, { phone, appId: 'web' })

    const error = await rejection(client.request({ url: '/orders' }))
    const session = await client.login({ input: { password: 'x' } })
    const { data } = await client.request<{ token: string }>({ url: '/orders' })

    expect(error).toMatchObject({ code: 'signed_out', reason: 'no_password' })
    expect(session).toMatchObject({ userId: '7', appId: 'web' })
    expect(seen('/auth')).toHaveLength(1)
    expect(data.token).toBe('Bearer t-1')
  })

  test('it is there after the page was loaded again', async () => {
    const { client, wx, translated } = setUp(password, undefined, { phone, appId: 'web' })
    await client.login({ input: { password: 'x' } })

    const after = createClient({ baseUrl, appId: 'web', wx: translated })

    expect(after.session()?.userId).toBe('7')
    expect(wx.control.requests).toHaveLength(1)
  })

  test.each([
    ['no wx.login', phone, undefined],
    ["one that gives no code, as Taro's in a browser", {}, { errMsg: 'login:ok' }],
  ] as const)('a login that needs a code says so: %s', async (_, phone, given) => {
    const { client, wx, paths } = setUp({}, undefined, { phone, appId: 'web' })
    if (given) Object.assign(wx, { login: ({ success }: Callbacks) => success(given) })

    const error = await rejection(client.login())

    expect(error.code).toBe('config')
    expect(error.message).toContain('needsCode')
    expect(paths()).toEqual([])
  })
})

describe('explain knows', () => {
  const todoOf = (promise: Promise<unknown>) => rejection(promise).then((e) => explain(e).todo)

  test('an answer that the description cannot read', async () => {
    const { client } = setUp(undefined, () => ({ data: { code: 1 } }))

    expect(await todoOf(client.login())).toBe(mistakes.no_tokens)
  })

  test.each(['login', 'tokens', 'attach', 'needsCode'] as const)('that %s threw', async (name) => {
    const { client } = setUp({
      [name]: () => {
        throw new TypeError('a bug')
      },
    })

    expect(await todoOf(client.login())).toBe(mistakes.threw)
  })

  test('a wx that a build for browsers has emptied', async () => {
    const emptied = createTranslator({ wx: {} as FakeWx, baseUrl, backend: noCode })
    const client = createClient({ baseUrl, appId: 'web', wx: emptied })

    expect(await todoOf(client.login())).toBe(mistakes.threw)
  })

  test('no connection as no connection, whatever a framework fails with', async () => {
    const { wx } = phoneWith(() => undefined)
    const failed = Object.assign(new TypeError('Failed to fetch'), { errMsg: 'Failed to fetch' })
    const taro = Object.create(wx, { request: { value: async () => Promise.reject(failed) } })
    const translated = createTranslator({ wx: taro as FakeWx, baseUrl, backend: noCode })
    const client = createClient({ baseUrl, wx: translated })

    expect(await todoOf(client.login())).toBe(codes.network?.[0])
  })
})

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
  'a path of the backend that ends in %s is one like others',
  async (name) => {
    const { client, paths } = setUp()

    await client.request({ url: `/wx${name}`, auth: false })

    expect(paths()).toEqual([`/wx${name}`])
  },
)

test("Taro's socket does not go past the translator", async () => {
  const { wx } = phoneWith(() => ({ data: { token: 't-1' } }))
  const taro = Object.create(wx, {
    miniGlobal: { value: wx },
    connectSocket: { value: async (options: never) => wx.connectSocket(options) },
  })
  const translated = createTranslator({ wx: taro as typeof wx, baseUrl, backend: shop as Backend })

  await createFullClient({ baseUrl, wx: translated }).connectSocket({ url: '/live' })

  expect(wx.control.sockets[0]?.header.authorization).toBe('Bearer t-1')
})

test('a description that is missing throws at once', () => {
  const { wx } = phoneWith(() => undefined)

  expect(() => createTranslator({ wx, baseUrl, backend: undefined as never })).toThrow(TypeError)
  expect(() => createTranslator({ wx, baseUrl: undefined as never, backend: shop })).toThrow(
    TypeError,
  )
  expect(() => createTranslator({ wx: undefined as never, baseUrl, backend: shop })).toThrow(
    TypeError,
  )
})

test('the other calls of wx go through', async () => {
  const { translated, wx } = setUp()

  translated.setStorageSync('a', 'b')

  expect(wx.getStorageSync('a')).toBe('b')
  expect(translated.getAccountInfoSync()).toEqual(wx.getAccountInfoSync())
})
