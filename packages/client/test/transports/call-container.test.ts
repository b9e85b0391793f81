import { createClient } from '@wxlogin/client/full'
import { createFakeWx, type FakeContainerRequest } from '@wxlogin/client/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { json } from '../backend.js'
import { outcomes, setUpFull, times } from '../set-up.js'

const container = { env: 'prod-1', service: 'shop' }

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('login, requests, renewal, phone number and logout all go by callContainer', async () => {
  const { client, wx, backend } = setUpFull({ container })

  const { data } = await client.request<{ user: string }>({ url: '/orders?page=2' })
  await vi.advanceTimersByTimeAsync(900_000)
  await client.request({ url: 'orders', method: 'POST', data: { item: 1 } })
  await client.bindPhone({ detail: { code: backend.phoneCode({ number: '138' }) } })
  await client.logout()

  expect(data.user).toBe('user-1')
  expect(wx.control.requests.map(({ kind, method, url }) => `${kind} ${method} ${url}`)).toEqual([
    'callContainer POST /wx/login',
    'callContainer GET /orders?page=2',
    'callContainer POST /wx/refresh',
    'callContainer POST /orders',
    'callContainer POST /wx/phone',
    'callContainer POST /wx/logout',
  ])
  expect(wx.control.calls).toMatchObject({ request: 0, login: 1 })
  expect(backend.seen('/wx/login')[0]?.body.code).toBe('code-1-user-1')
})

test('the container is named in every call, and the token goes along', async () => {
  const seen: FakeContainerRequest[] = []
  const { client } = setUpFull({
    container,
    phone: {
      container: async (request) => {
        seen.push(request)
        return request.path === '/wx/login'
          ? json(200, { access_token: 'a', expires_in: 900, refresh_token: 'r', user_id: '7' })
          : json(200, {})
      },
    },
  })

  await client.request({ url: '/orders', data: { page: 2 }, header: { 'X-Mine': '1' } })

  expect(seen.map(({ env, service }) => [env, service])).toEqual([
    ['prod-1', 'shop'],
    ['prod-1', 'shop'],
  ])
  expect(seen[1]).toMatchObject({
    path: '/orders?page=2',
    header: { authorization: 'Bearer a', 'x-mine': '1' },
  })
})

test('an address elsewhere is an ordinary request without the token', async () => {
  const { client, wx } = setUpFull({ container, trustedOrigins: ['https://api.example.com'] })

  await client.request({ url: 'https://cdn.example.com/a' })
  await client.request({ url: 'https://api.example.com/b' })

  const [cdn, , trusted] = wx.control.requests
  expect([cdn?.kind, cdn?.header.authorization]).toEqual(['request', undefined])
  expect([trusted?.kind, trusted?.header.authorization]).toEqual([
    'request',
    'Bearer access-1-session1',
  ])
})

test('a refused token is renewed once by the container, and the call made again', async () => {
  const { client, backend } = setUpFull({ container })
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.expireAccess()

  expect(await outcomes(times(5, () => client.request({ url: '/orders' })))).toEqual(
    times(5, () => 'ok'),
  )
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test('callContainer carries the token to another service that is trusted', async () => {
  const { client, wx, backend } = setUpFull({
    container,
    trustedOrigins: [{ env: 'prod-2', service: 'search' }],
  })

  const { data } = await client.callContainer<{ path: string }>({
    path: '/search',
    service: 'search',
    config: { env: 'prod-2' },
    method: 'POST',
    data: { q: 'tea' },
  })

  expect(data.path).toBe('/search')
  expect(wx.control.requests.at(-1)?.header).toMatchObject({
    'x-wx-service': 'search',
    authorization: 'Bearer access-1-session1',
  })
  expect(backend.seen('/search')[0]?.body).toEqual({ q: 'tea' })
})

test.each([
  { service: 'search' },
  { config: { env: 'prod-2' } },
  { header: { 'X-WX-SERVICE': 'search' } },
  { header: { 'x-wx-service': 'search' } },
  { service: 'express.prod-1.invalid/?' },
])('callContainer to another environment or service carries no token: %o', async (target) => {
  const { client, wx } = setUpFull({ container })
  await client.launch()

  await client.callContainer({ path: '/search', ...target })

  expect(wx.control.requests.at(-1)).toMatchObject({ kind: 'callContainer', url: '/search' })
  expect(wx.control.requests.at(-1)?.header).not.toHaveProperty('authorization')
})

test('beside a baseUrl no container is trusted unless it is said', async () => {
  const { client, wx } = setUpFull()
  await client.launch()

  await client.callContainer({ path: '/search', service: 'search', config: { env: 'prod-2' } })

  expect(wx.control.requests.at(-1)?.header).not.toHaveProperty('authorization')
})

test('a request cannot be turned to another service by its header', async () => {
  const { client, wx } = setUpFull({ container })
  await client.launch()
  const before = wx.control.requests.length

  const request = client.request({ url: '/search', header: { 'x-wx-service': 'search' } })

  await expect(request).rejects.toMatchObject({ code: 'config' })
  expect(wx.control.requests).toHaveLength(before)
})

test.each([
  { headers: { 'X-WX-SERVICE': 'search' } },
  { headers: () => ({ 'x-wx-service': 'search' }) },
])(
  'callContainer is not turned to another service by headers for every request: %o',
  async (options) => {
    const { client, wx } = setUpFull({ trustedOrigins: [container], ...options })
    await client.launch()

    const call = client.callContainer({ path: '/a', service: 'shop', config: { env: 'prod-1' } })

    await outcomes([call])
    expect(wx.control.requests.filter(({ header }) => header['x-wx-service'] === 'search')).toEqual(
      wx.control.requests.filter(({ kind }) => kind === 'request'),
    )
  },
)

test('logins do not follow a redirect of the container', async () => {
  const { client, wx } = setUpFull({ container })
  const asked: unknown[] = []
  const { callContainer } = wx.cloud
  Object.assign(wx.cloud, {
    callContainer: (options: Parameters<typeof callContainer>[0]) => {
      asked.push([options.path, Object(options).followRedirect])
      return callContainer(options)
    },
  })

  await client.request({ url: '/orders' })

  expect(asked).toEqual([
    ['/wx/login', false],
    ['/orders', true],
  ])
})

test('callContainer works beside a baseUrl', async () => {
  const { client, wx } = setUpFull({ trustedOrigins: [{ env: 'prod-2', service: 'search' }] })

  await client.callContainer({ path: '/search', service: 'search', config: { env: 'prod-2' } })

  expect(wx.control.requests.map(({ kind }) => kind)).toEqual(['request', 'callContainer'])
  expect(wx.control.requests[1]?.header).toMatchObject({
    'x-wx-service': 'search',
    authorization: 'Bearer access-1-session1',
  })
})

test('callContainer keeps the promises of request', async () => {
  const { client, wx, backend } = setUpFull({ container, unwrap: ({ data }) => Object(data).user })
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.expireAccess()
  backend.answer('/teapot', json(418, {}))

  expect((await client.callContainer({ path: '/orders' })).data).toBe('user-1')
  expect((await client.callContainer({ path: '/teapot', raw: true })).statusCode).toBe(418)
  expect(await outcomes([client.callContainer({ path: '/teapot' })])).toEqual(['http'])
  wx.control.onRequest('/orders', 'hang')
  const slow = client.callContainer({ path: '/orders', timeout: 1_000 })
  const given = client.callContainer({ path: '/orders' })
  given.abort()
  const settled = outcomes([slow, given])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await settled).toEqual(['timeout', 'aborted'])
})

test('an absolute address is never a path of the container', async () => {
  const { client, wx } = setUpFull({ container })

  await outcomes([client.callContainer({ path: 'https://evil.example/orders' })])

  expect(wx.control.requests.every(({ header }) => !header.authorization)).toBe(true)
})

test("a wx.cloud.init of the app's own stands", async () => {
  const { client, wx } = setUpFull()
  wx.cloud.init({ env: 'mine' })

  await client.callContainer({ path: '/orders', service: 'shop' })

  expect(wx.control.requests.at(-1)?.statusCode).toBe(200)
})

test.each([['cloud'], ['getAccountInfoSync']])('without wx.%s the error says so', async (name) => {
  const { backend } = setUpFull()
  const wx = createFakeWx({ wechat: backend.wechat, network: backend.network, omit: [name] })
  const create = () => createClient({ container, wx })

  if (name !== 'cloud') expect(create).toThrow(TypeError)
  else {
    await expect(create().login()).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/base library 2\.13\.1/),
    })
    await expect(create().request({ url: '/orders' })).rejects.toMatchObject({ code: 'config' })
  }
})

test.each([
  ['uploadFile', (client: Client) => client.uploadFile({ url: '/a', filePath: 'a', name: 'a' })],
  ['downloadFile', (client: Client) => client.downloadFile({ url: '/a' })],
  ['connectSocket', (client: Client) => client.connectSocket({ url: '/a' })],
])('%s cannot reach the container, and says what to do', async (_, start) => {
  const { client, wx } = setUpFull({ container })
  wx.control.files.set('a', 'a')

  await expect(start(client)).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining('absolute url'),
  })
})
type Client = ReturnType<typeof setUpFull>['client']

test('the session of one container is not used at another', async () => {
  const { client, wx, backend } = setUpFull({ container })
  await client.launch()

  const again = wx.control.restart()
  const other = createClient({ container: { ...container, env: 'prod-2' }, wx: again })
  await other.launch()

  expect(backend.seen('/wx/login')).toHaveLength(2)
})
