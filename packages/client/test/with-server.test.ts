import { createClient } from '@wxlogin/client'
import { createClient as createFullClient } from '@wxlogin/client/full'
import { createFakeWx } from '@wxlogin/client/testing'
import { createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/fetch'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { networkTo } from './networks.js'
import { outcomes, times } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** The real server behind the fake phone, in one process. */
function setUp() {
  const appId = 'wx0000000000000001'
  const appSecret = 'd1f3a9c47be28056e1d4f7a2b9c83065'
  const wechat = createFakeWeChat({ apps: [{ appId, appSecret }] })
  const auth = createAuth({
    apps: [{ appId, appSecret }],
    secret: 'a secret for tests, 32 bytes and more',
    fetch: wechat.fetch,
    onLogin: ({ openid }) => ({ userId: openid, data: { name: 'Li' } }),
  })
  const routes = authRoutes(auth, { basePath: '/wx' })
  const orders = requireAuth(auth)((request) =>
    Response.json({ user: sessionOf(request, auth).userId }),
  )
  const wx = createFakeWx({
    appId,
    wechat,
    network: networkTo((request, pathname) =>
      (pathname.startsWith('/wx') ? routes : orders)(request),
    ),
    handshake: ({ header }) =>
      auth.authenticate(header.authorization).then(
        () => 101,
        ({ status }) => status,
      ),
  })
  const client = createClient<{ name: string }>({ baseUrl: 'https://api.example.com', wx })
  return { auth, wx, client }
}

test('login, request, renewal, revocation and logout against the real server', async () => {
  const { auth, wx, client } = setUp()

  const session = await client.launch()
  expect(session?.data?.name).toBe('Li')
  const { data } = await client.request<{ user: string }>({ url: '/orders' })
  expect(data.user).toBe(session?.userId)

  vi.setSystemTime(Date.now() + 901_000)
  expect(await outcomes(times(10, () => client.request({ url: '/orders' })))).toEqual(
    times(10, () => 'ok'),
  )
  expect(wx.control.calls.login).toBe(1)
  expect(wx.control.requests.filter(({ url }) => url.endsWith('/wx/refresh'))).toHaveLength(1)

  await auth.sessions.revoke({ userId: String(session?.userId) })
  vi.setSystemTime(Date.now() + 901_000)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])

  await client.login()
  await client.logout()
  expect(await auth.sessions.list(String(session?.userId))).toEqual([])
})

test('answers lost on the way cost neither the session nor a second one', async () => {
  const { auth, wx, client } = setUp()
  wx.control.onRequest('/wx/login', 'drop-answer', { times: 1 })
  const session = await client.launch()
  expect(await auth.sessions.list(String(session?.userId))).toHaveLength(1)

  for (const _ of times(3, String)) {
    vi.setSystemTime(Date.now() + 901_000)
    wx.control.onRequest('/wx/refresh', 'drop-answer', { times: 1 })
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  }

  expect(wx.control.calls.login).toBe(1)
  expect(await auth.sessions.list(String(session?.userId))).toHaveLength(1)
})

test('uploads, downloads and sockets against the real server', async () => {
  const { auth, wx } = setUp()
  wx.control.files.set('a', 'pixels')
  const client = createFullClient<{ name: string }>({ baseUrl: 'https://api.example.com', wx })
  const session = await client.launch()
  const upload = { url: '/photos', filePath: 'a', name: 'photo' }

  for (const _ of times(2, String)) {
    const { data } = await client.uploadFile<{ user: string }>(upload)
    const { statusCode } = await client.downloadFile({ url: '/photos' })
    await client.connectSocket({ url: '/ws' })
    expect([data.user, statusCode]).toEqual([session?.userId, 200])
    vi.setSystemTime(Date.now() + 901_000)
  }
  expect(wx.control.sockets.map(({ state }) => state)).toEqual(['open', 'open'])
  expect(wx.control.calls.login).toBe(1)

  await auth.sessions.revoke({ userId: String(session?.userId) })
  const refused = [client.uploadFile(upload), client.downloadFile({ url: '/photos' })]
  expect(await outcomes(refused)).toEqual(['signed_out', 'signed_out'])
  expect(wx.control.sockets.map(({ state }) => state)).toEqual(['closed', 'closed'])
})

test('a code lost on a connection that WeChat had dropped costs the phone a moment', async () => {
  const wechat = createFakeWeChat()
  const door = await wechat.listen()
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'a secret for tests, 32 bytes and more',
    wechatHosts: [door.url],
  })
  onTestFinished(async () => {
    await auth.close()
    await door.close()
  })
  const routes = authRoutes(auth, { basePath: '/wx' })
  const sentMs: number[] = []
  const wx = createFakeWx({
    appId: wechat.app.appId,
    wechat,
    network: networkTo(async (request) => {
      sentMs.push(performance.now())
      const response = await routes(request)
      answers.push(response.status)
      answeredMs.push(performance.now())
      return response
    }),
  })
  const answers: number[] = []
  const answeredMs: number[] = []
  // Leaves a connection to WeChat behind, which then is idle.
  await auth.login({ code: wechat.codeFor('somebody') })
  await new Promise((resolve) => setTimeout(resolve, 20))
  wechat.fail('drop-after')

  const session = await createClient({ baseUrl: 'https://api.example.com', wx }).launch()

  expect(session).toBeDefined()
  expect(answers).toEqual([400, 200])
  expect(wx.control.calls.login).toBe(2)
  expect((sentMs[1] ?? Number.NaN) - (answeredMs[0] ?? Number.NaN)).toBeLessThan(300)
})
