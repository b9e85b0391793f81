import { createClient } from '@wxlogin/client/full'
import { createFakeWx, type FakeWxOptions } from '@wxlogin/client/testing'
import { type AuthError, createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/fetch'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { networkTo } from '../networks.js'
import { outcomes } from '../set-up.js'

const appId = 'wx0000000000000001'
const appSecret = 'd1f3a9c47be28056e1d4f7a2b9c83065'
const price = 990
// Of the message push in the console.
const push = {
  token: 'pushtoken123',
  encodingAesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
}

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

interface Order {
  readonly id: string
  readonly userId: string
  readonly good: string
  isPaid: boolean
}

/** A shop that sells memberships, with the real server, the emulated WeChat, and a phone whose user is in it. */
async function setUp(phone: FakeWxOptions = {}) {
  const wechat = createFakeWeChat({ apps: [{ appId, appSecret }] })
  const shop = wechat.shopOf()
  wechat.publishGoods('vip', price)
  const auth = createAuth({
    apps: [{ appId, appSecret }],
    secret: 'a secret for tests, 32 bytes and more',
    fetch: wechat.fetch,
    onLogin: ({ openid }) => ({ userId: openid }),
    onEvent: () => undefined,
  })
  const orders: Order[] = []
  const members = new Set<string>()
  /** The bodies that the shop's route got. */
  const asked: Record<string, unknown>[] = []
  let isKeyStored = false

  function orderOf(userId: string, good: string): Order {
    const open = orders.find((order) => order.userId === userId && order.good === good)
    if (open) return open
    const order = { id: `order-${orders.length + 1}-${good}`, userId, good, isPaid: false }
    orders.push(order)
    return order
  }

  const pay = requireAuth(auth)(async (request) => {
    const session = sessionOf(request, auth)
    const body = await request.json()
    asked.push(body)
    let order = orderOf(session.userId, body.good)
    if (order.isPaid) return Response.json({ orderId: order.id, isPaid: true })
    // The number was used or closed, and no notification has come: another one.
    if (body.errCode === -15002 || body.errCode === -15012) {
      orders.splice(orders.indexOf(order), 1)
      order = orderOf(session.userId, body.good)
      Object.assign(order, { id: `${order.id}-again` })
    }
    try {
      const args = await auth.virtualPayment({
        session,
        ...(!isKeyStored && { code: body.code }),
        appKey: shop.appKey,
        mode: 'short_series_goods',
        data: {
          offerId: shop.offerId,
          buyQuantity: 1,
          productId: body.good,
          goodsPrice: price,
          outTradeNo: order.id,
        },
      })
      return Response.json({ orderId: order.id, ...args })
    } catch (error) {
      const { code, status } = error as AuthError
      return Response.json({ error: code, error_description: 'no' }, { status: status ?? 500 })
    }
  })
  const payments = auth.wechat().virtualPayment({ appKey: shop.appKey, env: 0 })
  await wechat.setPush({
    ...push,
    url: 'https://api.example.com/push',
    async fetch(url, init) {
      const { response } = await payments.notification(new Request(url, init), {
        ...push,
        onPayment(event) {
          const order = orders.find(({ id }) => event.type === 'goods' && id === event.outTradeNo)
          if (!order || order.isPaid) return
          order.isPaid = true
          members.add(order.userId)
        },
      })
      return { status: response.status, text: async () => response.body }
    },
  })

  const routes = authRoutes(auth, { basePath: '/wx' })
  const wx = createFakeWx({
    appId,
    wechat,
    network: networkTo((request, pathname) => (pathname === '/shop/pay' ? pay : routes)(request)),
    ...phone,
  })
  const client = createClient({ baseUrl: 'https://api.example.com', wx })
  /** What a mini game's backend answers with. */
  async function gameItem() {
    await client.launch()
    const session = await auth.authenticate(`Bearer ${await client.token()}`)
    return auth.virtualPayment({
      session,
      code: wechat.codeFor('user-1'),
      appKey: shop.appKey,
      mode: 'goods',
      data: {
        offerId: shop.offerId,
        buyQuantity: 1,
        productId: 'vip',
        goodsPrice: price,
        outTradeNo: 'game-order-1',
        platform: 'android',
        zoneId: '1',
      },
    })
  }
  const signByStoredKey = () => {
    isKeyStored = true
  }
  const buy = (good = 'vip') =>
    client.pay<{ orderId: string; isPaid?: boolean }>({ url: '/shop/pay', data: { good } })
  return { wechat, wx, client, orders, members, asked, buy, gameItem, signByStoredKey }
}

describe('a purchase', () => {
  test('is a tap, a signed order, a payment, a notification and the goods', async () => {
    const { wechat, wx, buy, members, asked } = await setUp()

    const bought = await buy()
    const before = [...members]
    const pushed = await wechat.deliverPushes()

    expect(bought).toMatchObject({ orderId: 'order-1-vip' })
    expect(wx.control.payments).toMatchObject([{ mode: 'short_series_goods', errCode: 0 }])
    expect(asked).toEqual([{ good: 'vip', code: expect.any(String) }])
    expect(before).toEqual([])
    expect(pushed).toMatchObject([{ orderId: 'order-1-vip', isAccepted: true }])
    expect([...members]).toEqual([wechat.openidOf('user-1')])
  })

  test('logs in first, and then takes a code of its own, so that the newest key signs', async () => {
    const { wx, buy } = await setUp()

    await buy()

    expect(wx.control.calls.login).toBe(2)
  })

  test('hands the signed text to WeChat as the very text that came', async () => {
    const { wx, buy } = await setUp()

    await buy()

    const [payment] = wx.control.payments
    expect(typeof payment?.signData).toBe('string')
    expect(payment).not.toHaveProperty('orderId')
  })

  test('that is paid already is answered without another payment', async () => {
    const { wechat, wx, buy } = await setUp()
    await buy()
    await wechat.deliverPushes()

    expect(await buy()).toEqual({ orderId: 'order-1-vip', isPaid: true })
    expect(wx.control.payments).toHaveLength(1)
  })
})

describe('taps', () => {
  test('in quick succession are one payment', async () => {
    const { wx, buy, asked } = await setUp()
    wx.control.onPayment({ afterMs: 5_000 })

    const both = Promise.all([buy(), buy(), buy()])
    await vi.advanceTimersByTimeAsync(5_000)

    expect(new Set((await both).map(({ orderId }) => orderId)).size).toBe(1)
    expect([wx.control.payments.length, asked.length]).toEqual([1, 1])
  })

  test('for two goods are two payments', async () => {
    const { wechat, wx, buy } = await setUp()
    wechat.publishGoods('coin-bag', price)

    await Promise.all([buy(), buy('coin-bag')])

    expect(wx.control.payments).toMatchObject([{ errCode: 0 }, { errCode: 0 }])
  })

  test('after a window that never told how it ended begin anew', async () => {
    const { wx, buy } = await setUp()
    wx.control.onPayment('hang', { times: 1 })
    void buy()
    await vi.advanceTimersByTimeAsync(10_000)
    const tooSoon = buy()
    await vi.advanceTimersByTimeAsync(21_000)

    await buy()

    expect(wx.control.payments).toHaveLength(2)
    expect(await Promise.race([tooSoon, Promise.resolve('open')])).toBe('open')
  })

  test('after a payment that failed begin anew', async () => {
    const { wx, buy } = await setUp()
    wx.control.onPayment('cancel', { times: 1 })

    expect(await outcomes([buy()])).toEqual(['payment_cancelled'])
    expect(await outcomes([buy()])).toEqual(['ok'])
  })
})

describe('how it ends is told by the code alone', () => {
  const rows: [errCode: number, code: string][] = [
    [-2, 'payment_cancelled'],
    [-1, 'payment_failed'],
    [-4, 'payment_refused'],
    [-5, 'payment_failed'],
    [1001, 'payment_refused'],
    [-15001, 'payment_refused'],
    [-15002, 'payment_failed'],
    [-15003, 'payment_failed'],
    [-15004, 'payment_refused'],
    [-15005, 'payment_refused'],
    [-15006, 'payment_refused'],
    [-15007, 'payment_refused'],
    [-15008, 'payment_refused'],
    [-15009, 'payment_refused'],
    [-15010, 'payment_refused'],
    [-15011, 'payment_refused'],
    [-15012, 'payment_refused'],
    [-15013, 'payment_refused'],
    [-15014, 'payment_refused'],
    [-15016, 'payment_refused'],
    [-15017, 'payment_refused'],
    [-15018, 'payment_refused'],
    [-15019, 'payment_refused'],
    [-99999, 'payment_failed'],
    [-150_010, 'payment_failed'],
  ]

  test.each(rows)('%i is %s', async (errCode, code) => {
    const { wx, buy } = await setUp()
    wx.control.onPayment({ errCode })

    await expect(buy()).rejects.toMatchObject({
      code,
      method: 'wx.requestVirtualPayment',
      cause: { errCode },
      message: expect.stringContaining(String(errCode)),
    })
  })

  test('whatever the text says', async () => {
    const { wx, buy } = await setUp()
    wx.requestVirtualPayment = ({ fail }) =>
      fail?.({ errCode: -4, errMsg: 'requestVirtualPayment:fail cancel' })

    expect(await outcomes([buy()])).toEqual(['payment_refused'])
  })

  test('without a number, or by throwing, it is not known', async () => {
    const { wx, buy } = await setUp()
    wx.control.onPayment('throw', { times: 1 })
    const thrown = await outcomes([buy()])
    wx.requestVirtualPayment = ({ fail }) => fail?.({ errMsg: 'requestVirtualPayment:fail cancel' })

    expect([...thrown, ...(await outcomes([buy()]))]).toEqual(['payment_failed', 'payment_failed'])
  })
})

describe('once more', () => {
  test.each([-15005, -15007])(
    'with a fresh code after %i, and the route hears why',
    async (errCode) => {
      const { wx, buy, asked } = await setUp()
      wx.control.onPayment({ errCode }, { times: 1 })

      await buy()

      const [first, second] = asked
      expect(second).toEqual({ good: 'vip', code: expect.any(String), errCode })
      expect(second?.code).not.toBe(first?.code)
      expect(wx.control.payments.map(({ errCode }) => errCode)).toEqual([errCode, 0])
    },
  )

  test('after WeChat has replaced the key between the signature and the payment', async () => {
    const { wechat, wx, buy } = await setUp()
    const original = wx.requestVirtualPayment
    wx.requestVirtualPayment = (options) => {
      wx.requestVirtualPayment = original
      // Another device of the same person logs in.
      wechat.expireSessionKey('user-1')
      original(options)
    }

    await buy()

    expect(wx.control.payments.map(({ errCode }) => errCode)).toEqual([
      expect.toBeOneOf([-15005, -15007]),
      0,
    ])
  })

  test('after -15002 the route is asked for the order in place of the number that was used', async () => {
    const { wx, buy, asked } = await setUp()
    wx.control.onPayment('drop-answer', { times: 1 })
    const lost = await outcomes([buy()])

    const again = await buy()

    expect(lost).toEqual(['payment_failed'])
    expect(asked.map(({ errCode }) => errCode)).toEqual([undefined, undefined, -15002])
    expect(again.orderId).toBe('order-1-vip-again')
    expect(wx.control.payments.map(({ errCode }) => errCode)).toEqual([-1, -15002, 0])
  })

  test('and no more than once', async () => {
    const { wx, buy, asked } = await setUp()
    wx.control.onPayment({ errCode: -15007 })

    expect(await outcomes([buy()])).toEqual(['payment_refused'])
    expect(asked).toHaveLength(2)
  })

  test('never after a refusal or a cancellation', async () => {
    for (const errCode of [-2, -4, -15006, -1]) {
      const { wx, buy, asked } = await setUp()
      wx.control.onPayment({ errCode })

      await outcomes([buy()])

      expect(asked).toHaveLength(1)
    }
  })

  test('with another code when WeChat does not know the first', async () => {
    const { wechat, wx, client, buy, asked } = await setUp()
    await client.launch()
    wechat.fail(40029)

    await buy()

    expect(asked).toEqual([
      { good: 'vip', code: expect.any(String) },
      { good: 'vip', code: expect.any(String) },
    ])
    expect(wx.control.payments).toMatchObject([{ errCode: 0 }])
  })

  test('where the route signs by a stored key, which the code of this very purchase has replaced', async () => {
    const { wx, buy, signByStoredKey } = await setUp()
    signByStoredKey()

    // A route that leaves the code alone can never succeed: the newest key is behind a code that nobody exchanged.
    expect(await outcomes([buy()])).toEqual(['payment_refused'])
    expect(wx.control.payments).toHaveLength(2)
  })
})

describe('lost on the way', () => {
  test('after paying: the server has the order when the notification comes, and nothing is paid twice', async () => {
    const { wechat, wx, buy, members } = await setUp()
    wx.control.onPayment('drop-answer', { times: 1 })

    const lost = await outcomes([buy()])
    await wechat.deliverPushes()
    const again = await buy()

    expect(lost).toEqual(['payment_failed'])
    expect(again).toEqual({ orderId: 'order-1-vip', isPaid: true })
    expect(wx.control.payments).toHaveLength(1)
    expect(members.size).toBe(1)
  })

  test('before it: no window opens', async () => {
    const { wx, client, buy } = await setUp()
    await client.launch()
    wx.control.offline()

    expect(await outcomes([buy()])).toEqual(['network'])
    expect(wx.control.payments).toEqual([])
  })
})

describe('where there is no payment', () => {
  test.each(['plugin', 'minigame', 'skill'] as const)(
    'a %s says so before a code is taken or an order made',
    async (runtime) => {
      const { wx, buy, asked } = await setUp({ runtime })

      await expect(buy()).rejects.toMatchObject({
        code: 'config',
        message: expect.stringContaining('2.19.2'),
      })
      expect([wx.control.calls.login, asked.length]).toEqual([0, 0])
    },
  )

  test('a mini game signs an item for its own call', async () => {
    const { wechat, wx, gameItem } = await setUp({ runtime: 'minigame' })

    const ended = await new Promise((success, fail) => {
      gameItem().then((item) => wx.requestMidasPaymentGameItem({ ...item, success, fail }), fail)
    })

    expect(ended).toEqual({ errMsg: 'requestMidasPaymentGameItem:ok' })
    expect(await wechat.deliverPushes()).toMatchObject([{ orderId: 'game-order-1' }])
  })

  test('single-page mode never calls wx.login', async () => {
    const { wx, buy } = await setUp({ scene: 1154 })

    expect(await outcomes([buy()])).toEqual(['single_page'])
    expect(wx.control.calls.login).toBe(0)
  })

  test('whoever is signed out is not logged in by a tap on a price', async () => {
    const { wx, client, buy } = await setUp()
    await client.logout()

    expect(await outcomes([buy()])).toEqual(['signed_out'])
    expect(wx.control.calls.login).toBe(0)
  })
})
