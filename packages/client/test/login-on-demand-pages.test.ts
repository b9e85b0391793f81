import type { Client } from '@wxlogin/client'
import * as clientEntry from '@wxlogin/client'
import * as explainEntry from '@wxlogin/client/explain'
import { createFakeWx } from '@wxlogin/client/testing'
import * as server from '@wxlogin/server'
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/fetch'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { expect, test, vi } from 'vitest'
import { run } from './documented.js'
import { networkTo } from './networks.js'

// Runs the very code of docs/login-on-demand.md, against the backend that docs/phone-number.md shows.
const document = 'docs/login-on-demand.md'
const appId = 'wx0000000000000001'
const appSecret = 'd1f3a9c47be28056e1d4f7a2b9c83065'
const code = { client: 'silent: false', login: 'function logIn' }

interface ShownPage {
  readonly data: { readonly [name: string]: unknown }
  readonly [handler: string]: unknown
}

/** Members by number, as `onLogin` of the recipe asks for them. */
function createMembers() {
  const numbers = new Map<string, string>()
  return {
    numbers,
    byOpenid: async (_appId: string, openid: string) => (numbers.has(openid) ? openid : undefined),
    async link(_appId: string, openid: string, number: string) {
      numbers.set(openid, number)
      return openid
    },
  }
}

async function setUp() {
  const wechat = createFakeWeChat({ apps: [{ appId, appSecret }] })
  const members = createMembers()
  let made: server.Auth | undefined
  await run(
    'docs/phone-number.md',
    { backend: "reason: 'phone_needed'" },
    {
      globals: {
        members,
        process: {
          env: {
            WX_APP_ID: appId,
            WX_APP_SECRET: appSecret,
            WXLOGIN_SECRET: 'a secret for tests, 32 bytes and more',
          },
        },
      },
      modules: {
        '@wxlogin/server': {
          ...server,
          createAuth(options: server.AuthOptions) {
            made = server.createAuth({ ...options, fetch: wechat.fetch })
            return made
          },
        },
      },
    },
  )
  if (!made) throw new Error('The recipe creates no auth')
  const auth = made
  const routes = authRoutes(auth, { basePath: '/wx' })
  const goods = requireAuth(auth, { optional: true })((request) =>
    Response.json({ price: maybeSessionOf(request, auth) ? 88 : 99 }),
  )
  const orders = requireAuth(auth)((request) =>
    Response.json([{ id: '1', title: sessionOf(request, auth).userId }]),
  )
  const phone = createFakeWx({
    appId,
    wechat,
    network: networkTo((request, pathname) => {
      const handle = pathname === '/goods' ? goods : pathname === '/orders' ? orders : routes
      return handle(request)
    }),
  })
  const navigateBack = vi.fn()
  const wx = { ...phone, navigateBack, navigateTo: vi.fn() }
  const modules = {
    '@wxlogin/client': {
      ...clientEntry,
      createClient: (options: clientEntry.ClientOptions) =>
        clientEntry.createClient({ wx, ...options }),
    },
    '@wxlogin/client/explain': explainEntry,
  }
  const { client, logIn } = await run<{ client: Client; logIn: unknown }>(document, code, {
    globals: { wx },
    modules,
  })
  const open = async (text: string) => {
    let page: ShownPage | undefined
    const Page = (definition: ShownPage) => {
      const data = { ...definition.data }
      page = { ...definition, data, setData: (next: object) => Object.assign(data, next) }
    }
    await run(
      document,
      { page: text },
      { globals: { wx, Page }, modules: { ...modules, client: { client }, login: { logIn } } },
    )
    if (!page) throw new Error(`There is no page in ${text}`)
    return page
  }
  const tap = async (page: ShownPage, handler: string, detail: object = {}) =>
    (page[handler] as (event: object) => unknown)({ detail })

  return {
    wechat,
    members,
    wx: phone,
    navigateBack,
    client,
    tap,
    goods: await open("url: '/goods'"),
    orders: await open("url: '/orders'"),
    login: await open('async onPhone({ detail }: WechatMiniprogram'),
  }
}

type Setting = Awaited<ReturnType<typeof setUp>>

/** Consents, taps, and gives the number when the page asks for it. */
async function becomeMember({ login, tap, wechat }: Setting) {
  await tap(login, 'onConsent', { value: ['yes'] })
  await tap(login, 'onLogin')
  await tap(login, 'onPhone', { code: wechat.phoneCodeFor('user-1') })
}

test('a guest looks around, and nothing is asked of WeChat', async () => {
  const { goods, orders, wx, tap } = await setUp()

  await tap(goods, 'onShow')
  await tap(orders, 'onShow')

  expect(goods.data.price).toBe(99)
  expect(orders.data).toEqual({ orders: [], isNobody: true, text: '请先登录' })
  expect(wx.control.calls.login).toBe(0)
  expect(wx.control.requests.map(({ url }) => url)).toEqual(['https://api.example.com/goods'])
})

test('without a tick nothing happens', async () => {
  const { login, wx, tap } = await setUp()

  await tap(login, 'onLogin')
  expect(login.data.text).toBe('请先阅读并同意')
  await tap(login, 'onConsent', { value: ['yes'] })
  await tap(login, 'onConsent', { value: [] })
  await tap(login, 'onLogin')

  expect(login.data).toMatchObject({ hasConsent: false, text: '请先阅读并同意' })
  expect(wx.control.calls.login).toBe(0)
})

test('first the tick, then the number, then the account', async () => {
  const { login, orders, goods, members, wechat, wx, navigateBack, client, tap } = await setUp()

  await tap(login, 'onConsent', { value: ['yes'] })
  await tap(login, 'onLogin')
  expect(login.data).toMatchObject({ needsPhone: true, text: '' })
  expect(client.session()).toBeUndefined()
  expect(members.numbers.size).toBe(0)

  await tap(login, 'onPhone', { errMsg: 'getPhoneNumber:fail user deny' })
  expect(members.numbers.size).toBe(0)
  await tap(login, 'onPhone', { code: wechat.phoneCodeFor('user-1') })

  expect(navigateBack).toHaveBeenCalledTimes(1)
  expect([...members.numbers.values()]).toEqual([`+86${wechat.phoneNumberOf('user-1')}`])
  await tap(orders, 'onShow')
  await tap(goods, 'onShow')
  expect(orders.data).toMatchObject({
    isNobody: false,
    orders: [{ title: client.session()?.userId }],
  })
  expect(goods.data.price).toBe(88)
  expect(wx.control.calls.login).toBe(2)
})

test('a code of the button that is used up asks for another tap', async () => {
  const setting = await setUp()
  const { login, wechat, members, navigateBack, tap } = setting
  await tap(login, 'onConsent', { value: ['yes'] })
  await tap(login, 'onLogin')

  await tap(login, 'onPhone', { code: 'used-before' })
  expect(login.data).toMatchObject({ needsPhone: true, text: '请再点一次' })
  await tap(login, 'onPhone', { code: wechat.phoneCodeFor('user-1') })

  expect(navigateBack).toHaveBeenCalledTimes(1)
  expect(members.numbers.size).toBe(1)
})

test('a member who has signed out is let in without a number', async () => {
  const setting = await setUp()
  const { login, orders, client, navigateBack, tap } = setting
  await becomeMember(setting)
  await client.logout()
  await tap(orders, 'onShow')
  expect(orders.data).toMatchObject({ isNobody: true, text: '你已退出登录，请重新登录' })

  await tap(login, 'onLogin')

  expect(navigateBack).toHaveBeenCalledTimes(2)
  expect(client.session()).toBeDefined()
})

test('without a network the page says so, and the button stays', async () => {
  const { login, wx, tap } = await setUp()
  await tap(login, 'onConsent', { value: ['yes'] })
  wx.control.offline()

  await tap(login, 'onLogin')

  expect(login.data).toMatchObject({ needsPhone: false, text: '网络不可用，请检查后重试' })
})
