import { randomBytes } from 'node:crypto'
import type { VirtualPaymentArguments } from '@wxlogin/server'
import { createFakeWeChat, type FakeWeChatPushSettings } from '@wxlogin/server/testing'
import { expect, onTestFinished, test } from 'vitest'
import { createBackend } from '../express/app.ts'
import { membership } from '../express/memberships.ts'
import { listen } from './set-up.ts'

const token = 'pushtoken123'
const encodingAesKey = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG'

/** The example's shop and an emulated WeChat, which talk to each other over real connections. */
async function setUp(env: 0 | 1 = 0) {
  let nowMs = Date.now()
  const now = () => nowMs
  const wechat = createFakeWeChat({ now })
  const wechatServer = await wechat.listen()
  wechat.publishGoods(membership.productId, membership.price)
  const { offerId, appKey, sandboxAppKey } = wechat.shopOf()
  const { app, auth } = createBackend(
    {
      apps: [wechat.app],
      secret: randomBytes(48).toString('base64'),
      wechatHosts: [wechatServer.url],
      now,
      onEvent: () => {},
    },
    {
      payment: { offerId, appKey: env === 1 ? sandboxAppKey : appKey, env, token, encodingAesKey },
    },
  )
  const url = await listen(app)
  onTestFinished(async () => {
    await auth.close()
    await wechatServer.close()
  })
  const push: FakeWeChatPushSettings = { url: `${url}/wechat/push`, token, encodingAesKey }
  await wechat.setPush(push)

  async function logIn(person: string) {
    const { access_token } = await auth.login({ code: wechat.codeFor(person) })
    const authorization = `Bearer ${access_token}`
    const years = async () => {
      const response = await fetch(`${url}/membership`, { headers: { authorization } })
      return ((await response.json()) as { years: number }).years
    }
    const order = (code: string | undefined = wechat.codeFor(person), errCode?: number) =>
      fetch(`${url}/membership`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ code, errCode }),
      })
    /** Taps, and pays; the number of the order. */
    const buy = async () => {
      const request = (await (await order()).json()) as VirtualPaymentArguments
      expect(wechat.requestVirtualPayment(person, request).errCode).toBe(0)
      return JSON.parse(request.signData).outTradeNo as string
    }
    return { years, order, buy }
  }
  const wait = (seconds: number) => {
    nowMs += seconds * 1000
  }
  return { wechat, logIn, push, wait }
}

test('who pays is a member once the notification has come', async () => {
  const { wechat, logIn } = await setUp()
  const alice = await logIn('alice')
  const bob = await logIn('bob')
  expect(await alice.years()).toBe(0)

  await alice.buy()
  const pushed = await wechat.deliverPushes()

  expect(pushed).toMatchObject([{ status: 200, isAccepted: true }])
  expect(await alice.years()).toBe(1)
  expect(await bob.years()).toBe(0)
})

test('a notification that comes twice at once is accepted twice and grants once', async () => {
  const { wechat, logIn } = await setUp()
  const { buy, years } = await logIn('alice')
  const { url, method, headers, body } = wechat.pushFor(await buy())

  const statuses = await Promise.all(
    [1, 2].map(async () => (await fetch(url, { method, headers, body })).status),
  )

  expect(statuses).toEqual([200, 200])
  expect(await years()).toBe(1)
})

test('a notification that never comes is made up for by asking, and WeChat hears of the delivery', async () => {
  const { wechat, logIn, wait } = await setUp()
  const { buy, years } = await logIn('alice')
  await buy()
  wechat.losePushes()
  expect(await years()).toBe(0)
  wait(10)

  expect(await years()).toBe(1)
  expect(wechat.calls.map(({ path }) => path)).toContain('/xpay/notify_provide_goods')
  expect(await years()).toBe(1)
})

test('one that comes after that changes nothing', async () => {
  const { wechat, logIn, wait } = await setUp()
  const { buy, years } = await logIn('alice')
  await buy()
  wait(10)

  expect(await years()).toBe(1)

  expect(await wechat.deliverPushes()).toMatchObject([{ isAccepted: true }])
  expect(await years()).toBe(1)
})

test('who cancels is none, and may order again', async () => {
  const { wechat, logIn } = await setUp()
  const { buy, years, order } = await logIn('alice')
  const request = (await (await order()).json()) as VirtualPaymentArguments
  expect(wechat.requestVirtualPayment('alice', request, { cancels: true }).errCode).toBe(-2)

  await buy()
  await wechat.deliverPushes()
  expect(await years()).toBe(1)
})

test('a purchase of the sandbox makes nobody a member of the live shop', async () => {
  const sandbox = await setUp(1)
  const live = await setUp(0)
  const inSandbox = await sandbox.logIn('alice')
  const inLive = await live.logIn('alice')
  await sandbox.wechat.setPush(live.push)

  await inSandbox.buy()
  const pushed = await sandbox.wechat.deliverPushes()

  expect(pushed).toMatchObject([{ status: 200 }])
  expect(await inLive.years()).toBe(0)
  sandbox.wait(10)
  expect(await inSandbox.years()).toBe(1)
})

test('who orders again because the number was used, and has paid, has nothing to pay', async () => {
  const { wechat, logIn } = await setUp()
  const { buy, years, order } = await logIn('alice')
  await buy()
  wechat.losePushes()

  const answer = await (await order(undefined, -15002)).json()

  expect(answer).toEqual({})
  expect(await years()).toBe(1)
})

test.each([
  ["somebody else's code", 400, 'invalid_code', 'bob'],
  ['no code', 400, 'invalid_code', undefined],
])('with %s nothing is signed', async (_what, status, error, person) => {
  const { wechat, logIn } = await setUp()
  const { order } = await logIn('alice')

  const response = await order(person ? wechat.codeFor(person) : '')

  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ error })
})
