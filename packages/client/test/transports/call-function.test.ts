import { createClient } from '@wxlogin/client/full'
import { createFakeWx, type FakeFunctionCall, type FakeWxOptions } from '@wxlogin/client/testing'
import { createAuth } from '@wxlogin/server'
import {
  authRoutes,
  type FunctionEvent,
  requireAuth,
  sessionOf,
} from '@wxlogin/server/cloud-function'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { createWeChat } from '@wxlogin/server/wechat'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { outcomes, times } from '../set-up.js'

const appId = 'wx0000000000000001'
const appSecret = 'd1f3a9c47be28056e1d4f7a2b9c83065'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

interface Around {
  phone?: FakeWxOptions
  env?: string
  /** What the platform does with a call on its way. */
  onCall?: (call: FakeFunctionCall) => unknown
}

/** A cloud function with the real server, and a phone whose client calls it. */
function setUp({ phone, env, onCall = () => undefined }: Around = {}) {
  const wechat = createFakeWeChat({
    apps: [{ appId, appSecret }],
  })
  const seen: FakeFunctionCall[] = []
  let context: object = {}
  const auth = createAuth({
    apps: [{ appId, appSecret: false }],
    secret: 'a secret for tests, 32 bytes and more',
    cloudFunction: { getWXContext: () => context },
    fetch: wechat.fetch,
    onLogin: ({ openid }) => ({ userId: openid, data: { name: 'Li' } }),
    onEvent: () => undefined,
  })
  const wx = authRoutes(auth, { basePath: '/wx' })
  const orders = requireAuth(auth)((event: FunctionEvent) => ({
    user: sessionOf(event, auth).userId,
    path: event.path,
    sent: event.data,
  }))
  const main = (event: FunctionEvent) =>
    event.path?.startsWith('/wx/') ? wx(event) : orders(event)
  const fake = createFakeWx({
    appId,
    wechat,
    async cloudFunction(call) {
      seen.push(call)
      await onCall(call)
      context = call.context
      return main(call.event)
    },
    ...phone,
  })
  const client = createClient<{ name: string }>({
    cloudFunction: { name: 'api', ...(env !== undefined && { env }) },
    wx: fake,
  })
  return { auth, wechat, wx: fake, client, seen }
}

const urlsOf = ({ control }: ReturnType<typeof createFakeWx>) =>
  control.requests.map(({ kind, method, url }) => `${kind} ${method} ${url}`)

test('login, requests, renewal and logout all go by callFunction, without a code', async () => {
  const { auth, client, wx, wechat } = setUp()

  const session = await client.launch()
  const { data } = await client.request<{ user: string }>({ url: '/orders?page=2' })
  await vi.advanceTimersByTimeAsync(901_000)
  const { data: sent } = await client.request({
    url: 'orders',
    method: 'POST',
    data: { item: '小明' },
  })
  await client.logout()

  expect(session).toMatchObject({ userId: wechat.openidOf('user-1'), data: { name: 'Li' } })
  expect(data).toMatchObject({ user: wechat.openidOf('user-1'), path: '/orders?page=2' })
  expect(sent).toMatchObject({ sent: { item: '小明' } })
  expect(urlsOf(wx)).toEqual([
    'callFunction POST api/wx/login',
    'callFunction GET api/orders?page=2',
    'callFunction POST api/wx/refresh',
    'callFunction POST api/orders',
    'callFunction POST api/wx/logout',
  ])
  expect(wx.control.calls).toMatchObject({ request: 0, login: 0, cloudInit: 5 })
  expect(wechat.calls).toEqual([])
  expect(await auth.sessions.list(String(session?.userId))).toEqual([])
})

test('the function and the environment are those of the option, and the token goes along', async () => {
  const { client, seen } = setUp({ env: 'prod-1' })

  await client.request({ url: '/orders', header: { 'X-Mine': '1' } })

  expect(seen.map(({ name, env }) => [name, env])).toEqual(times(2, () => ['api', 'prod-1']))
  expect(seen[1]?.event.header).toEqual({
    'X-Mine': '1',
    Authorization: expect.stringMatching(/^Bearer \w/),
  })
})

test('ten requests on a cold start are one login', async () => {
  const { client, wx } = setUp()

  expect(await outcomes(times(10, () => client.request({ url: '/orders' })))).toEqual(
    times(10, () => 'ok'),
  )
  expect(urlsOf(wx).filter((url) => url.endsWith('/login'))).toHaveLength(1)
})

test('a revoked session is signed out, as over HTTP', async () => {
  const { auth, client } = setUp()
  const session = await client.launch()
  await auth.sessions.revoke({ userId: String(session?.userId) })
  await vi.advanceTimersByTimeAsync(901_000)

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])
})

test('an address elsewhere is an ordinary request without the token', async () => {
  const { client, wx } = setUp({
    phone: { network: async () => ({ statusCode: 200, header: {}, body: '{}' }) },
  })
  await client.launch()

  await client.request({ url: 'https://cdn.example.com/a' })

  const last = wx.control.requests.at(-1)
  expect([last?.kind, last?.header.authorization]).toEqual(['request', undefined])
})

test('what a function returns that knows nothing of this library is the data of a 200', async () => {
  for (const result of [{ orders: [1] }, 'a text', undefined, null, 7]) {
    const { client, wx } = setUp()
    await client.launch()
    wx.control.onRequest('api/plain', {
      respond: { statusCode: 200, data: JSON.stringify(result) },
    })

    const { statusCode, data } = await client.request({ url: '/plain', auth: false })

    expect([statusCode, data]).toEqual([200, result])
  }
})

describe('a call that fails', () => {
  const failed = (errCode: number) => Object.assign(new Error(`errCode: ${errCode}`), { errCode })

  test('because the function threw is no answer, and says what WeChat said', async () => {
    const { client, wx } = setUp({
      onCall: ({ event }) => {
        if (event.path === '/orders') throw new Error('a bug')
      },
    })

    await expect(client.request({ url: '/orders' })).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('-504002'),
      cause: { errCode: -504002 },
    })
    expect(wx.control.calls.callFunction).toBe(2)
  })

  test.each([-504003, -501002])('because it took too long (%i) is a timeout', async (errCode) => {
    const { client } = setUp({
      onCall: ({ event }) => {
        if (event.path === '/orders') throw failed(errCode)
      },
    })

    await expect(client.request({ url: '/orders' })).rejects.toMatchObject({
      code: 'timeout',
      cause: { errCode },
    })
  })

  test('because there is no such function names that at launch in development', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const wx = createFakeWx({ envVersion: 'develop' })
    const client = createClient({ cloudFunction: { name: 'api' }, wx })

    expect(await client.launch()).toBeUndefined()

    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/-501000.*FunctionName.* POST .*\/wx\/login/)],
    ])
    warn.mockRestore()
  })

  test('without a network is one, and the session stays', async () => {
    const { client, wx } = setUp()
    const session = await client.launch()
    wx.control.offline()

    const code = await outcomes([client.request({ url: '/orders', method: 'POST' })])
    wx.control.online()

    expect(code).toEqual(['network'])
    expect(client.session()).toEqual(session)
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  })

  test('with a lost answer costs a login neither its session nor a second one', async () => {
    const { auth, client, wx } = setUp()
    wx.control.onRequest('/wx/login', 'drop-answer', { times: 1 })

    const session = await client.launch()
    await client.request({ url: '/orders' })

    expect(session).toBeDefined()
    expect(urlsOf(wx).filter((url) => url.endsWith('/login'))).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(901_000)
    await client.request({ url: '/orders' })
    expect(await auth.sessions.list(String(session?.userId))).toHaveLength(1)
  })

  test('where the base library has no callFunction is a mistake of the app', async () => {
    const { wx } = setUp()
    Reflect.deleteProperty(wx.cloud, 'callFunction')
    const client = createClient({ cloudFunction: { name: 'api' }, wx })

    await expect(client.login()).rejects.toMatchObject({ code: 'config' })
  })
})

test('a payment takes a real code, which the function gets beside the order', async () => {
  const { client, wx, wechat, seen } = setUp()
  await client.launch()

  await client.pay({ url: '/pay', data: { good: 'vip' } })

  expect(wx.control.calls.login).toBe(1)
  const sent = Object(seen.at(-1)?.event.data)
  expect(sent).toEqual({ good: 'vip', code: expect.any(String) })
  const own = createWeChat({ appId, appSecret, fetch: wechat.fetch })
  const { openid } = await own.code2Session(sent.code)
  expect(openid).toBe(wechat.openidOf('user-1'))
})

describe('a call that takes its time', () => {
  test('ends at the deadline of the request', async () => {
    const { client, wx } = setUp()
    await client.launch()
    wx.control.onRequest('api/orders', { delayMs: 60_000 })

    const outcome = outcomes([client.request({ url: '/orders', timeout: 3_000 })])
    await vi.advanceTimersByTimeAsync(3_000)

    expect(await outcome).toEqual(['timeout'])
  })

  test('is not waited for any more once it is aborted, though the function still runs', async () => {
    const { client, wx, seen } = setUp()
    await client.launch()
    wx.control.onRequest('api/orders', { delayMs: 1_000 })

    const task = client.request({ url: '/orders' })
    const outcome = outcomes([task])
    await vi.advanceTimersByTimeAsync(10)
    task.abort()

    expect(await outcome).toEqual(['aborted'])
    expect(seen.at(-1)?.event.path).toBe('/orders')
  })
})

test('what cannot go by callFunction says to give an absolute url', async () => {
  const { client } = setUp()
  await client.launch()

  for (const task of [
    client.uploadFile({ url: '/avatar', filePath: 'wxfile://a', name: 'file' }),
    client.downloadFile({ url: '/invoice' }),
    client.connectSocket({ url: '/chat' }),
  ]) {
    await expect(task).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('absolute url'),
    })
  }
})

test.each([
  {},
  { cloudFunction: { name: '' } },
  { cloudFunction: { name: 'a/b' } },
  { cloudFunction: { name: 'api', env: 'a b' } },
  { cloudFunction: { name: 'api' }, baseUrl: 'https://api.example.com' },
  { cloudFunction: { name: 'api' }, container: { env: 'prod-1', service: 'shop' } },
])('the options %j are refused', (options) => {
  const wx = createFakeWx()

  expect(() => createClient({ wx, ...options } as never)).toThrow(TypeError)
})
