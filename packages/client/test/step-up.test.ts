import { type ClientOptions, createClient } from '@wxlogin/client'
import { createTranslator } from '@wxlogin/client/backend'
import { createClient as createFullClient } from '@wxlogin/client/full'
import { createFakeWx } from '@wxlogin/client/testing'
import { AuthError, type AuthOptions, createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/fetch'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { refusal } from './backend.js'
import { networkTo } from './networks.js'
import { outcomes, setUp, setUpFull, times } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)

/** The real server, where `/pay` wants a login of the last five minutes and `/orders` any. */
function setUpShop(options: Partial<AuthOptions> = {}) {
  const wechat = createFakeWeChat()
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    fetch: wechat.fetch,
    onEvent: () => {},
    ...options,
  })
  const routes = authRoutes(auth, { basePath: '/wx' })
  const who = (request: Request) => Response.json({ user: sessionOf(request, auth).userId })
  const pay = requireAuth(auth, { maxAgeSeconds: 300 })(who)
  const orders = requireAuth(auth)(who)
  const wx = createFakeWx({
    appId: wechat.app.appId,
    wechat,
    network: networkTo((request, pathname) => {
      const serve = pathname.startsWith('/wx') ? routes : pathname === '/pay' ? pay : orders
      return serve(request)
    }),
  })
  const start = (options: Partial<ClientOptions> = {}) =>
    createClient({ baseUrl: 'https://api.example.com', wx, ...options })
  const seen = (path: string) => wx.control.requests.filter(({ url }) => url.endsWith(path))
  return { wechat, auth, wx, client: start(), start, seen }
}

/** Somebody whose login is too old for `/pay`, though every token is good. */
async function setUpOld(options: Partial<AuthOptions> = {}) {
  const setting = setUpShop(options)
  await setting.client.launch()
  pass(301)
  return setting
}

test('a login that is too old is made anew, and the request is sent once more', async () => {
  const { client, auth, wx, seen } = await setUpOld()
  const before = client.session()

  const { data } = await client.request<{ user: string }>({ url: '/pay', method: 'POST' })

  expect(data.user).toBe(before?.userId)
  expect(seen('/pay')).toHaveLength(2)
  expect(seen('/wx/refresh')).toHaveLength(0)
  expect(wx.control.calls.login).toBe(2)
  // The new session took the place of the old one.
  expect(await auth.sessions.list(String(before?.userId))).toHaveLength(1)
})

test('ten requests that need a new login have one for all', async () => {
  const { client, wx, seen } = await setUpOld()

  const results = await outcomes(times(10, () => client.request({ url: '/pay' })))

  expect(results).toEqual(times(10, () => 'ok'))
  expect(wx.control.calls.login).toBe(2)
  expect(seen('/wx/login')).toHaveLength(2)
})

test('a refusal that comes after another request has logged in anew is answered by a replay alone', async () => {
  const { client, wx } = await setUpOld()
  wx.control.onRequest('/pay', { delayMs: 50 }, { times: 1 })
  const late = outcomes([client.request({ url: '/pay' })])

  await client.request({ url: '/pay' })

  expect(await late).toEqual(['ok'])
  expect(wx.control.calls.login).toBe(2)
})

test('a refresh meanwhile is no new login', async () => {
  const { client, wx, seen } = await setUpOld()
  pass(600)

  const [paid, read] = await outcomes([
    client.request({ url: '/pay' }),
    client.request({ url: '/orders' }),
  ])

  expect([paid, read]).toEqual(['ok', 'ok'])
  expect(seen('/wx/refresh')).toHaveLength(1)
  expect(wx.control.calls.login).toBe(2)
})

test('nor is one that comes between a request and its refusal', async () => {
  const { client, wx, seen } = await setUpOld()
  wx.control.onRequest('/pay', { delayMs: 50 }, { times: 1 })
  const paid = outcomes([client.request({ url: '/pay' })])
  await vi.waitFor(() => expect(seen('/pay')).toHaveLength(1))

  await client.refused(await client.token())

  expect(await paid).toEqual(['ok'])
  expect(seen('/pay')).toHaveLength(2)
  expect([seen('/wx/refresh').length, seen('/wx/login').length]).toEqual([1, 2])
})

test('one request may need a refresh and then a new login', async () => {
  const { client, wx, seen } = setUpShop()
  await client.launch()
  pass(400)
  wx.control.onRequest(
    '/pay',
    { respond: { statusCode: 401, data: { error: 'invalid_token' } } },
    { times: 1 },
  )

  const { data } = await client.request<{ user: string }>({ url: '/pay' })

  expect(data.user).toBe(client.session()?.userId)
  expect(seen('/pay')).toHaveLength(3)
  expect([seen('/wx/refresh').length, seen('/wx/login').length]).toEqual([1, 2])
})

test('a new login of the other instance on this phone is taken over', async () => {
  const { client, start, wx } = await setUpOld()
  const other = start()
  await other.request({ url: '/pay' })

  expect(await outcomes([client.request({ url: '/pay' })])).toEqual(['ok'])

  expect(wx.control.calls.login).toBe(2)
})

test('nothing is sent as another user', async () => {
  let userId = 'alice'
  const { client, seen } = await setUpOld({ onLogin: () => ({ userId }) })
  userId = 'bob'

  const [outcome] = await outcomes([client.request({ url: '/pay', data: { of: 'alice' } })])

  expect(outcome).toBe('user_changed')
  expect(seen('/pay')).toHaveLength(1)
  expect(client.session()?.userId).toBe('bob')
})

test('whoever is banned at the new login is signed out', async () => {
  let isBanned = false
  const { client, seen } = await setUpOld({
    onLogin() {
      if (isBanned) throw new AuthError('access_denied', 'Banned', { reason: 'banned' })
    },
  })
  isBanned = true

  expect(await outcomes([client.request({ url: '/pay' })])).toEqual(['access_denied'])

  expect(client.session()).toBeUndefined()
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])
  expect(seen('/pay')).toHaveLength(1)
})

test('a new login that cannot be made now costs nobody the session', async () => {
  let isDown = false
  const { client, seen } = await setUpOld({
    onLogin() {
      if (isDown) throw new Error('the database is down')
    },
  })
  isDown = true

  expect(await outcomes([client.request({ url: '/pay' })])).toEqual(['server_error'])

  expect(client.session()).toBeDefined()
  expect(seen('/pay')).toHaveLength(1)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
})

test('a sign-out during the new login stands', async () => {
  const { client, wx, seen } = await setUpOld()
  wx.control.onRequest('/wx/login', { delayMs: 300 }, { times: 1 })
  const paid = outcomes([client.request({ url: '/pay' })])
  await vi.waitFor(() => expect(seen('/wx/login')).toHaveLength(2))

  await client.logout()

  expect((await paid)[0]).not.toBe('ok')
  expect(client.session()).toBeUndefined()
  expect(seen('/pay')).toHaveLength(1)
})

test('uploads and downloads step up as requests do', async () => {
  const { wx, auth, seen } = setUpShop()
  wx.control.files.set('a', 'pixels')
  const client = createFullClient({ baseUrl: 'https://api.example.com', wx })
  await client.launch()
  pass(301)

  const { data } = await client.uploadFile<{ user: string }>({
    url: '/pay',
    filePath: 'a',
    name: 'receipt',
  })
  pass(301)
  const { statusCode } = await client.downloadFile({ url: '/pay' })

  expect([data.user, statusCode]).toEqual([client.session()?.userId, 200])
  expect(seen('/wx/login')).toHaveLength(3)
  expect(await auth.sessions.list(String(client.session()?.userId))).toHaveLength(1)
})

describe('where there can be no new login, the request rejects and says so', () => {
  const needed = {
    code: 'insufficient_user_authentication',
    statusCode: 401,
    message: expect.stringContaining('log in anew'),
  }

  test('because the new one does not help', async () => {
    const { client, backend } = setUp()
    backend.answer(
      '/pay',
      refusal(401, 'insufficient_user_authentication', { error_description: 'log in anew' }),
    )

    await expect(client.request({ url: '/pay' })).rejects.toMatchObject(needed)

    expect(backend.seen('/pay')).toHaveLength(2)
    expect(backend.seen('/wx/login')).toHaveLength(2)
  })

  test('because this wx has no login', async () => {
    const { wx } = await setUpOld()
    const client = createClient({
      baseUrl: 'https://api.example.com',
      wx: Object.assign({}, wx, { login: undefined }) as unknown as typeof wx,
    })

    await expect(client.request({ url: '/pay' })).rejects.toMatchObject(needed)

    // Nobody else has to wait for what failed.
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  })

  test('because a translator cannot tell users apart', async () => {
    const { backend, wx } = setUp()
    backend.answer('/auth', {
      statusCode: 200,
      header: {},
      body: '{"token":"t-1"}',
    })
    backend.answer(
      '/pay',
      refusal(401, 'insufficient_user_authentication', { error_description: 'log in anew' }),
    )
    const baseUrl = 'https://api.example.com'
    const client = createClient({
      baseUrl,
      wx: createTranslator({
        wx,
        baseUrl,
        backend: {
          login: ({ code }) => ({ url: '/auth', data: { code } }),
          tokens: ({ data }) => ({ accessToken: Object(data).token }),
        },
      }),
    })

    await expect(client.request({ url: '/pay' })).rejects.toMatchObject(needed)

    expect(backend.seen('/pay')).toHaveLength(1)
    expect(backend.seen('/auth')).toHaveLength(1)
  })

  test('because the request carries no token of the client', async () => {
    const { client, backend } = setUp()
    backend.answer(
      '/pay',
      refusal(401, 'insufficient_user_authentication', { error_description: 'log in anew' }),
    )

    await expect(client.request({ url: '/pay', auth: false })).rejects.toMatchObject(needed)

    expect(backend.seen('/wx/login')).toHaveLength(0)
  })
})

test('the challenge in the header alone is enough, in any case, and the code is known', async () => {
  const { client, backend } = setUpFull()
  backend.answer('/pay', {
    statusCode: 401,
    header: {
      'WWW-AUTHENTICATE':
        'Bearer realm="a", Error="Insufficient_User_Authentication", max_age="300"',
    },
    body: '<html>',
  })

  const [outcome] = await outcomes([client.request({ url: '/pay' })])

  expect(outcome).toBe('insufficient_user_authentication')
  expect(backend.seen('/wx/login')).toHaveLength(2)
})

test("an app's own 401 and a 403 of this name start nothing", async () => {
  const { client, backend } = setUp()
  backend.answer('/own', refusal(401, 'not_today'))
  backend.answer('/forbidden', refusal(403, 'insufficient_user_authentication'))

  await outcomes([client.request({ url: '/own' }), client.request({ url: '/forbidden' })])

  expect(backend.seen('/wx/login')).toHaveLength(1)
})

test('with raw the answer comes as it is, after the one new login', async () => {
  const { client, backend } = setUp()
  backend.answer('/pay', refusal(401, 'insufficient_user_authentication'))

  const { statusCode } = await client.request({ url: '/pay', raw: true })

  expect(statusCode).toBe(401)
  expect(backend.seen('/pay')).toHaveLength(2)
})

test('a record of an earlier version of the client steps up as well', async () => {
  const { wx, start } = await setUpOld()
  const stored = JSON.parse(String(wx.control.storage.get('wxlogin')))
  wx.control.storage.set('wxlogin', JSON.stringify({ ...stored, loginMs: undefined }))

  expect(await outcomes([start().request({ url: '/pay' })])).toEqual(['ok'])
})
