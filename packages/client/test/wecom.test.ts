import { createClient } from '@wxlogin/client'
import { createTranslator } from '@wxlogin/client/backend'
import { createFakeWx, type FakeRuntime } from '@wxlogin/client/testing'
import { createAuth } from '@wxlogin/server'
import { authRoutes } from '@wxlogin/server/fetch'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { expect, test } from 'vitest'
import { networkTo } from './networks.js'
import { outcomes, setUp as setUpAlone, times } from './set-up.js'

const app = { appId: 'wx0000000000000001', appSecret: 'd1f3a9c47be28056e1d4f7a2b9c83065' }
const corp = { corpId: 'ww0000000000000001', agentSecret: 'a'.repeat(43) }
const wecom = { kind: 'wecom', appId: 'acme', miniProgramAppId: app.appId, ...corp } as const

/** One mini program, in WeChat or inside WeCom, and the real server behind it. */
function setUp(runtime: FakeRuntime, apps: readonly (typeof app | typeof wecom)[] = [app, wecom]) {
  const wechat = createFakeWeChat({ apps: [app], corps: [corp] })
  const seen: object[] = []
  const bodies: string[] = []
  const auth = createAuth({
    apps,
    secret: 'a secret for tests, 32 bytes and more',
    fetch: wechat.fetch,
    onLogin: (account) => void seen.push(account),
  })
  const routes = authRoutes(auth, { basePath: '/wx' })
  const wx = createFakeWx({
    appId: app.appId,
    wechat,
    runtime,
    network: networkTo(async (request) => {
      bodies.push(await request.clone().text())
      return routes(request)
    }),
  })
  const start = (on: Parameters<typeof createClient>[0]['wx'] = wx) =>
    createClient({ baseUrl: 'https://api.example.com', wx: on })
  return { auth, wechat, wx, seen, bodies, start }
}

test('inside WeCom the code is that of wx.qy.login, and the server knows it', async () => {
  const { auth, wechat, wx, seen, start } = setUp('wecom')
  const client = start()

  const session = await client.launch()
  await client.login({ force: true })

  expect(session).toBeDefined()
  expect(seen[0]).toEqual({ appId: 'acme', kind: 'wecom', openid: wechat.useridOf('user-1') })
  expect(wx.control.calls).toMatchObject({ qyLogin: 2, login: 0 })
  const devices = await auth.sessions.list(session?.userId ?? '')
  expect(devices).toMatchObject([{ appId: 'acme', kind: 'wecom' }])
})

test('ten requests at a cold start are one wx.qy.login, as anywhere', async () => {
  const { wx, client } = setUpAlone({ phone: { runtime: 'wecom', wechat: codesOf('user-1') } })

  await outcomes(times(10, () => client.request({ url: '/orders' })))

  expect(wx.control.calls).toMatchObject({ qyLogin: 1, login: 0 })
})

/** As the backend of these tests makes them. */
function codesOf(user: string) {
  let codes = 0
  const next = () => `code-${++codes}-${user}`
  return { codeFor: next, wecomCodeFor: next }
}

test('in WeChat nothing is said of a kind', async () => {
  const { seen, wx, bodies, start } = setUp('miniprogram')

  await start().launch()

  expect(seen).toMatchObject([{ appId: app.appId, kind: 'mini_program' }])
  expect(wx.control.calls).toMatchObject({ qyLogin: 0, login: 1 })
  expect(bodies.join()).not.toContain('kind')
})

test.each([
  ['nothing', undefined],
  ['an object without a login', {}],
  ['a login that is no function', { login: true }],
])('a wx.qy that is %s counts for nothing', async (_what, qy) => {
  const { seen, wx, start } = setUp('miniprogram')

  await start(Object.assign({}, wx, { qy }) as unknown as typeof wx).launch()

  expect(seen).toMatchObject([{ kind: 'mini_program' }])
})

test('a backend without WeCom says which kind it does not have', async () => {
  const { start } = setUp('wecom', [app])

  await expect(start().login()).rejects.toMatchObject({
    code: 'unknown_app',
    message: expect.stringContaining('wecom'),
  })
})

test('a backend that has its own login gets a code of WeChat inside WeCom too', async () => {
  const { wx } = setUp('wecom')
  const translated = createTranslator({
    wx,
    baseUrl: 'https://api.example.com',
    backend: {
      login: ({ code }) => ({ url: '/login', method: 'POST', data: { code } }),
      tokens: () => ({ accessToken: 'a', expiresIn: 900 }),
    },
  })

  expect(translated.qy).toBeUndefined()
})
