import { randomBytes } from 'node:crypto'
import { createFakeWx, type FakeWx } from '@wxlogin/client/testing'
import { createFakeWeChat, type FakeWeChat } from '@wxlogin/server/testing'
import { expect, test, vi } from 'vitest'
import { createMiniProgram } from '../demo/mini-program.mjs'
import { createBackend } from '../express/app.ts'
import { buildNpm, here, listen, networkTo } from './set-up.ts'

const npm = buildNpm()

const prefetchPath = randomBytes(16).toString('hex')

async function startBackend(wechat: FakeWeChat) {
  const { offerId, appKey } = wechat.shopOf()
  const { app, auth } = createBackend(
    {
      apps: [wechat.app],
      secret: randomBytes(48).toString('base64'),
      prefetchPath,
      fetch: wechat.fetch,
    },
    { payment: { offerId, appKey, env: 0, token: 'pushtoken123', encodingAesKey: 'a'.repeat(43) } },
  )
  return { auth, url: await listen(app) }
}

/** A phone on which the mini program's own address leads to the backend of this test. */
function phoneOf(user: string, wechat: FakeWeChat, backend: string, model = 'iPhone 15') {
  const wx = createFakeWx({
    wechat,
    user,
    network: networkTo(backend),
  })
  return Object.assign(wx, { getDeviceInfo: () => ({ model }) })
}

/** Starts the mini program and shows its first page. */
function start(wx: FakeWx) {
  const miniProgram = createMiniProgram({ folder: here('../miniprogram'), wx, npm })
  miniProgram.launch()
  return miniProgram.open('pages/index/index')
}

async function setUp() {
  const wechat = createFakeWeChat()
  const { auth, url } = await startBackend(wechat)
  const wx = phoneOf('alice', wechat, url)
  return { wechat, auth, url, wx }
}

type Page = ReturnType<typeof start>

const loggedIn = (page: Page) => vi.waitFor(() => expect(page.data.isLoggedIn).toBe(true))

test('launching logs in and shows the user', async () => {
  const { wx } = await setUp()

  const page = start(wx)

  expect(page.data.status).toBe('登录中…')
  await loggedIn(page)
  expect(page.data.status).toBe('已登录：顾客 1 号')
})

test('a guest who binds a known phone number goes on as that customer', async () => {
  const { wechat, url, wx } = await setUp()
  const numberOf = (user: string) => ({
    detail: { code: wechat.phoneCodeFor(user, { phoneNumber: '13800138000' }) },
  })
  const customer = start(wx)
  await loggedIn(customer)
  await customer.tap('绑定手机号', numberOf('alice'))
  const guest = start(phoneOf('bob', wechat, url))
  await loggedIn(guest)

  await guest.tap('绑定手机号', numberOf('bob'))

  expect(guest.data.status).toBe('已登录：顾客 1 号')
  expect(guest.data.orders).toMatchObject([{ id: 'A-1001' }, { id: 'A-2001' }])
})

test('who keeps the phone number to themselves is told how to go on', async () => {
  const { wx } = await setUp()
  const page = start(wx)
  await loggedIn(page)

  await page.tap('绑定手机号', { detail: { errMsg: 'getPhoneNumber:fail user deny' } })

  expect(page.data.message).toBe('没有得到手机号，可以再试一次')
})

test('what WeChat has fetched ahead is on the screen without a request', async () => {
  const { wechat, url, wx } = await setUp()
  const { body } = await wechat.prefetch(`${url}/wx/${prefetchPath}/prefetch`, 'alice')
  wx.control.prefetch(body)

  const page = start(wx)

  await vi.waitFor(() => expect(page.data.orders).toMatchObject([{ id: 'A-1001' }]))
  expect(page.data.status).toBe('已登录：顾客 1 号')
  expect([wx.control.calls.login, wx.control.requests.length]).toEqual([0, 0])
})

test('查询 shows the orders, even when tapped before the login is through', async () => {
  const { wx } = await setUp()
  const page = start(wx)

  await page.tap('查询')

  expect(page.data.orders).toEqual([{ id: 'A-1001', title: '新人拿铁', price: 9.9 }])
  expect(wx.control.calls.login).toBe(1)
})

test('the next launch uses the stored login', async () => {
  const { wx } = await setUp()
  await loggedIn(start(wx))

  const restarted = wx.control.restart()
  const page = start(restarted)
  await page.tap('查询')

  expect(page.data.orders).toHaveLength(1)
  expect(restarted.control.calls.login).toBe(0)
})

test('退出 clears the screen, and 查询 asks to log in instead of logging in', async () => {
  const { wx } = await setUp()
  const page = start(wx)
  await page.tap('查询')

  await page.tap('退出')
  await page.tap('查询')

  expect(page.data).toMatchObject({
    status: '已退出',
    isLoggedIn: false,
    orders: [],
    message: '你已退出登录，请点“登录”',
  })
  expect(wx.control.calls.login).toBe(1)
})

test('登录 logs in again after 退出', async () => {
  const { wx } = await setUp()
  const page = start(wx)
  await loggedIn(page)
  await page.tap('退出')
  await vi.waitFor(() => expect(page.data.isLoggedIn).toBe(false))

  await page.tap('登录')

  await loggedIn(page)
  expect(page.data.message).toBe('')
})

test('下线 takes another phone of the user off the list', async () => {
  const { wechat, url, wx } = await setUp()
  const lost = phoneOf('alice', wechat, url, 'Mate 60')
  await loggedIn(start(lost))
  const page = start(wx)
  await page.tap('刷新')
  const devices = page.data.devices as { id: string; name: string; current: boolean }[]

  await page.tap('下线', { dataset: { id: devices.find(({ name }) => name === 'Mate 60')?.id } })

  expect(page.data.devices).toMatchObject([{ name: 'iPhone 15', current: true }])
})

test('without a network the screen says so and the mini program goes on', async () => {
  const { wx } = await setUp()
  wx.control.offline()
  const page = start(wx)

  await page.tap('查询')

  expect(page.data.message).toBe('网络不可用，请检查后重试')
})

test('DevTools without an AppID is told what to fill in', async () => {
  const wx = Object.assign(createFakeWx({ touristMode: true }), {
    getDeviceInfo: () => ({ model: 'devtools' }),
  })
  const page = start(wx)

  await page.tap('查询')

  expect(page.data.message).toBe('请在 project.config.json 里填写自己的 AppID')
})

test('开通会员 pays, and the years are on the screen once WeChat has told the backend', async () => {
  const { wechat, url, wx } = await setUp()
  wechat.publishGoods('vip_year', 9900)
  await wechat.setPush({
    url: `${url}/wechat/push`,
    token: 'pushtoken123',
    encodingAesKey: 'a'.repeat(43),
  })
  const page = start(wx)
  await loggedIn(page)

  await page.tap('开通会员')
  await wechat.deliverPushes()
  await page.tap('查看')

  expect(wx.control.payments).toMatchObject([{ errCode: 0 }])
  expect(page.data).toMatchObject({ years: 1, message: '' })
})

test('who closes the window of 开通会员 reads that nothing was paid', async () => {
  const { wechat, wx } = await setUp()
  wechat.publishGoods('vip_year', 9900)
  const page = start(wx)
  await loggedIn(page)
  wx.control.onPayment('cancel')

  await page.tap('开通会员')

  expect(page.data).toMatchObject({ years: 0, message: '没有付款，可以再试一次' })
})
