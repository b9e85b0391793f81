import { createClient, type ClientOptions as FullClientOptions } from '@wxlogin/client/full'
import { createFakeWx } from '@wxlogin/client/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createBackend, json } from './backend.js'
import { run } from './documented.js'
import { baseUrl, outcomes, setUp, setUpFull, times } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('headers', () => {
  test('go with every request, login, refresh and logout included', async () => {
    const { client, wx } = setUp({ headers: { 'tenant-id': '7' } })
    await client.request({ url: '/orders' })
    vi.advanceTimersByTime(3_600_000)
    await client.request({ url: '/orders', auth: false })
    await client.request({ url: '/orders' })
    await client.logout()

    const sent = wx.control.requests.map(({ url, header }) => [
      url.replace(baseUrl, ''),
      header['tenant-id'],
    ])
    expect(sent).toEqual([
      ['/wx/login', '7'],
      ['/orders', '7'],
      ['/orders', '7'],
      ['/wx/refresh', '7'],
      ['/orders', '7'],
      ['/wx/logout', '7'],
    ])
  })

  test('are asked for at each request', async () => {
    let language = 'zh'
    const { client, wx } = setUp({ headers: () => ({ 'Accept-Language': language }) })
    await client.request({ url: '/a' })
    language = 'en'
    await client.request({ url: '/b' })

    expect(wx.control.requests.map(({ header }) => header['accept-language'])).toEqual([
      'zh',
      'zh',
      'en',
    ])
  })

  test('give way to those of the request, and to ours', async () => {
    const { client, wx } = setUp({
      headers: { terminal: 'option', 'Idempotency-Key': 'theirs', Authorization: 'theirs' },
    })

    await client.request({ url: '/a', header: { terminal: 'request' } })

    const [login, request] = wx.control.requests
    expect(login?.header['idempotency-key']).not.toBe('theirs')
    expect(request?.header).toMatchObject({ terminal: 'request' })
    expect(request?.header.authorization).toMatch(/^Bearer access-/)
  })

  test('stay away from hosts that are not trusted', async () => {
    const { client, wx } = setUp({ headers: { 'tenant-id': '7' } })

    await outcomes([client.request({ url: 'https://elsewhere.example.org/a' })])

    expect(wx.control.requests[0]?.header).not.toHaveProperty('tenant-id')
  })

  test('go with uploads, downloads and sockets', async () => {
    const { client, wx } = setUpFull({ headers: { 'tenant-id': '7' } })
    wx.control.files.set('a', 'pixels')

    await client.uploadFile({ url: '/a', filePath: 'a', name: 'a' })
    await client.downloadFile({ url: '/a' })
    await client.connectSocket({ url: '/ws' })

    expect(wx.control.requests.map(({ header }) => header['tenant-id'])).toEqual(['7', '7', '7'])
    expect(wx.control.sockets[0]?.header['tenant-id']).toBe('7')
  })

  test('that cannot be made reject, and nothing is sent', async () => {
    const { client, wx } = setUp({
      headers: () => {
        throw new Error('no tenant yet')
      },
    })

    expect(await outcomes([client.request({ url: '/a', auth: false }), client.login()])).toEqual([
      'business',
      'business',
    ])
    expect(wx.control.requests).toEqual([])
  })
})

describe('unwrapAuth', () => {
  /** What the guide shows for such a gateway. */
  let shown: Pick<FullClientOptions, 'unwrap' | 'unwrapAuth' | 'isUnauthorized'>

  beforeAll(async () => {
    const { client } = await run<{ client: FullClientOptions }>(
      'docs/wrapped-answers.md',
      { gateway: 'unwrapAuth: true' },
      {
        globals: {},
        modules: { '@wxlogin/client': { createClient: (options: FullClientOptions) => options } },
      },
    )
    const { unwrap, unwrapAuth, isUnauthorized } = client
    shown = { unwrap, unwrapAuth, isUnauthorized } as typeof shown
  })

  /** A phone, a backend, and a gateway between them that answers everything with 200 and a wrapper, errors too. */
  function setUpGateway() {
    const backend = createBackend()
    let page: string | undefined
    const wx = createFakeWx({
      wechat: backend.wechat,
      async network(request) {
        if (page) return { statusCode: 200, header: { 'Content-Type': 'text/html' }, body: page }
        const answer = await backend.network(request)
        const { statusCode, body } = answer
        // It wraps what servers say, and says itself that there is none.
        if (statusCode === 502) return answer
        const data = body ? JSON.parse(String(body)) : null
        return json(200, { code: statusCode < 300 ? 0 : statusCode, msg: '', data })
      },
    })
    const start = (on = wx) => createClient({ baseUrl, wx: on, ...shown })
    const capture = (html: string | undefined) => {
      page = html
    }
    return { backend, wx, start, capture, client: start() }
  }

  test('reads a login, a refresh and a phone number out of the wrapper', async () => {
    const { client, backend } = setUpGateway()
    const { data } = await client.request<{ user: string }>({ url: '/orders' })
    vi.advanceTimersByTime(60_000)
    backend.expireAccess()

    const results = await outcomes(times(10, () => client.request({ url: '/orders' })))
    const { phoneNumber } = await client.bindPhone({
      detail: { code: backend.phoneCode({ number: '138' }) },
    })

    expect(data.user).toBe('user-1')
    expect(results).toEqual(times(10, () => 'ok'))
    expect(backend.seen('/wx/login')).toHaveLength(1)
    expect(backend.seen('/wx/refresh')).toHaveLength(1)
    expect(phoneNumber).toBe('138')
  })

  test('asks for a phone number once more when the token has been refused', async () => {
    const { client, backend } = setUpGateway()
    await client.login()
    vi.advanceTimersByTime(60_000)
    backend.expireAccess()

    const { phoneNumber } = await client.bindPhone({
      detail: { code: backend.phoneCode({ number: '138' }) },
    })

    expect(phoneNumber).toBe('138')
    expect(backend.seen('/wx/refresh')).toHaveLength(1)
  })

  test('reads the errors of the login routes out of it', async () => {
    const { client, backend } = setUpGateway()
    await client.login()
    vi.advanceTimersByTime(3_600_000)
    backend.endSessions('revoked')

    const error = await client.request({ url: '/orders' }).catch((error) => error)

    expect(error).toMatchObject({ code: 'signed_out', reason: 'revoked' })
  })

  test('takes a sign-out for delivered when the gateway says so, and not when a captive portal does', async () => {
    const { client, backend, wx, start, capture } = setUpGateway()
    await client.login()
    capture('<html>Welcome to our WLAN</html>')
    await client.logout()
    expect(backend.livingSessions()).toBe(1)

    capture(undefined)
    start(wx.control.restart())
    await vi.advanceTimersByTimeAsync(1_000)

    expect(backend.livingSessions()).toBe(0)
    expect(backend.seen('/wx/logout')).toHaveLength(1)
  })

  test.each(['store_unavailable', 'server_error'])(
    'does not take a sign-out for delivered that the backend answered with %s',
    async (error) => {
      const { client, backend, wx, start } = setUpGateway()
      await client.login()
      backend.answer('/wx/logout', json(503, { error, error_description: 'later' }), { times: 2 })
      const everywhere = client.logout({ everywhere: true })
      expect(await outcomes([everywhere])).toEqual([error])
      await client.logout()
      expect(backend.livingSessions()).toBe(1)

      start(wx.control.restart())
      await vi.advanceTimersByTimeAsync(1_000)

      expect(backend.livingSessions()).toBe(0)
    },
  )

  test.each([null, {}, [], 'x', { refresh_token: 'r' }, { access_token: 1, refresh_token: 'r' }])(
    'keeps the tokens when the gateway says %j in place of new ones',
    async (data) => {
      const { client, backend, wx } = setUpGateway()
      await client.login()
      vi.advanceTimersByTime(3_600_000)
      backend.answer('/wx/refresh', json(200, data), { times: 1 })

      expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['http'])
      await vi.advanceTimersByTimeAsync(120_000)

      expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
      expect(wx.control.calls.login).toBe(1)
    },
  )

  test('keeps the tokens when an answer is not of the gateway', async () => {
    const { client, capture } = setUpGateway()
    await client.login()
    vi.advanceTimersByTime(3_600_000)
    capture('<html>Welcome to our WLAN</html>')
    const error = await client.request({ url: '/orders' }).catch((error) => error)

    capture(undefined)
    await vi.advanceTimersByTimeAsync(5_000)

    expect(error).toMatchObject({
      code: 'business',
      cause: new Error('Not an answer of the gateway'),
    })
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  })

  test('reads a fetched login out of it', async () => {
    const { wx, start, backend } = setUpGateway()
    wx.control.prefetch({ code: 0, msg: '', data: backend.prefetchFor('user-1', 'hello') })
    const later = wx.control.restart()
    const client = start(later)

    expect(await client.launch()).toMatchObject({ userId: 'user-1' })
    expect(client.prefetched()).toBe('hello')
    expect(later.control.calls.login).toBe(0)
  })

  test('sends a login again with the same key when the gateway found no server', async () => {
    const { client, wx, backend } = setUpGateway()
    const badGateway = { statusCode: 502, header: {}, body: '<html>502 Bad Gateway</html>' }
    backend.answer('/wx/login', badGateway, { times: 1 })

    const session = await client.login()

    const keys = wx.control.requests.map(({ header }) => header['idempotency-key'])
    expect(session.userId).toBe('user-1')
    expect(keys).toEqual([keys[0], keys[0]])
    expect(wx.control.calls.login).toBe(1)
  })
})
