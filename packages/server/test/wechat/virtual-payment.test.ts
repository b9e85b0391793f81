import { describe, expect, test } from 'vitest'
import { type AuthEvent, createAuth } from '../../src/index.js'
import type { FetchLike, VirtualPayment, VirtualPaymentOptions } from '../../src/wechat/index.js'
import { expectNone } from '../no-secrets.js'
import { setUp, testSecret } from '../set-up.js'
import { buy } from './buy.js'
import { createGate, listen, pathsOf, setUpWeChat } from './set-up.js'

const user_ip = '203.0.113.9'

/** A shop, and Alice with 100 coins and a paid membership; by real connections. */
async function setUpShop(options: Parameters<typeof setUpWeChat>[0] = { door: 'http' }) {
  const set = await setUpWeChat(options)
  const { wechat, fake } = set
  fake.codeFor('alice')
  fake.giveCoins('alice', 100)
  const { appKey, sandboxAppKey } = fake.shopOf()
  const alice = { openid: fake.openidOf('alice'), sessionKey: fake.sessionKeyOf('alice') }
  return { ...set, appKey, sandboxAppKey, alice, payment: wechat.virtualPayment({ appKey }) }
}

const refund = {
  order_id: 'order-0001',
  refund_order_id: 'refund-0001',
  left_fee: 1,
  refund_fee: 1,
  biz_meta: '',
  refund_reason: '0',
  req_from: '3',
} as const

const pay = { user_ip, amount: 30, order_id: 'coins-01', payitem: '[]', remark: 'hat' }

describe('virtual payment, by real connections:', () => {
  test('a balance', async () => {
    const { payment, alice } = await setUpShop()

    const balance = await payment.queryUserBalance({ ...alice, user_ip })

    expect(balance).toEqual({
      balance: 100,
      present_balance: 0,
      sum_save: 100,
      sum_present: 0,
      sum_balance: 100,
      sum_cost: 0,
      first_save_flag: 0,
    })
  })

  test('coins are taken, and the same number again takes none and is a success', async () => {
    const { payment, alice, events } = await setUpShop()

    const first = await payment.currencyPay({ ...alice, ...pay })
    const again = await payment.currencyPay({ ...alice, ...pay })

    expect(first).toEqual({
      order_id: 'coins-01',
      isRepeated: false,
      balance: 70,
      used_present_amount: 0,
    })
    expect(again).toEqual({ order_id: 'coins-01', isRepeated: true })
    expect((await payment.queryUserBalance({ ...alice, user_ip })).balance).toBe(70)
    const outcomes = events.flatMap((event) => (event.type === 'wechat' ? event.outcome : []))
    expect(new Set(outcomes)).toEqual(new Set(['ok']))
  })

  test('coins are given back, and what was given back before is a success', async () => {
    const { payment, alice } = await setUpShop()
    await payment.currencyPay({ ...alice, ...pay })
    const back = { user_ip, pay_order_id: pay.order_id, order_id: 'back-01', amount: 30 }

    const first = await payment.cancelCurrencyPay({ ...alice, ...back })
    const again = await payment.cancelCurrencyPay({ ...alice, ...back })

    expect([first.isRepeated, again.isRepeated]).toEqual([false, true])
    expect((await payment.queryUserBalance({ ...alice, user_ip })).balance).toBe(100)
  })

  test('coins are given away once', async () => {
    const { payment, alice } = await setUpShop()
    const gift = { openid: alice.openid, order_id: 'gift-01', amount: 5 }

    const first = await payment.presentCurrency(gift)
    const again = await payment.presentCurrency(gift)

    expect(first).toEqual({
      order_id: 'gift-01',
      isRepeated: false,
      balance: 105,
      present_balance: 5,
    })
    expect(again.isRepeated).toBe(true)
    expect((await payment.queryUserBalance({ ...alice, user_ip })).balance).toBe(105)
  })

  test('an order is paid, then delivered', async () => {
    const set = await setUpShop()
    const { payment, alice } = set
    const order_id = await buy(set.fake)

    const paid = await payment.queryOrder({ openid: alice.openid, order_id })
    await payment.notifyProvideGoods({ order_id })
    const delivered = await payment.queryOrder({
      openid: alice.openid,
      wx_order_id: paid.wx_order_id,
    })

    expect(paid).toMatchObject({ order_id, status: 2, env_type: 1, isPaid: true, left_fee: 990 })
    expect(delivered).toMatchObject({ order_id, status: 4, isPaid: true })
  })

  test('an order is refunded, and then is not paid any more', async () => {
    const set = await setUpShop()
    const { payment, alice } = set
    const order_id = await buy(set.fake)
    const refund = {
      openid: alice.openid,
      order_id,
      refund_order_id: 'refund-0001',
      left_fee: 990,
      refund_fee: 990,
      biz_meta: '',
      refund_reason: '3',
      req_from: '2',
    }

    expect(await payment.refundOrder(refund)).toMatchObject({
      refund_order_id: 'refund-0001',
      pay_order_id: order_id,
    })
    expect(await payment.queryOrder({ openid: alice.openid, order_id })).toMatchObject({
      status: 5,
      isPaid: false,
    })
    await expect(payment.refundOrder(refund)).rejects.toMatchObject({ errcode: 268490016 })
  })

  test('what the mini program can withdraw', async () => {
    const set = await setUpShop()
    await buy(set.fake)

    expect(await set.payment.queryBizBalance()).toMatchObject({
      balance_available: { amount: '9.90', currency_code: 'CNY' },
    })
  })

  test('the sandbox has its own key and its own coins, and its orders are not paid elsewhere', async () => {
    const set = await setUpShop()
    const { wechat, alice, sandboxAppKey, payment } = set
    const sandbox = wechat.virtualPayment({ appKey: sandboxAppKey, env: 1 })
    const order_id = await buy(set.fake, 'order-0001', { env: 1 })

    const { openid } = alice
    const signed = { openid, sessionKey: set.fake.sessionKeyOf('alice') }
    expect((await sandbox.queryUserBalance({ ...signed, user_ip })).balance).toBe(0)
    expect(await sandbox.queryOrder({ openid, order_id })).toMatchObject({
      env_type: 2,
      isPaid: true,
    })
    await expect(payment.queryOrder({ openid, order_id })).rejects.toMatchObject({
      errcode: 268490002,
    })
  })

  test('an order of the sandbox is not paid, even where WeChat gives it to the live side', async () => {
    const { fake, alice, appKey } = await setUpShop()
    const order = { order_id: 'order-0001', status: 2, env_type: 2 }
    const { wechat } = await setUpWeChat(
      {},
      { apps: [fake.app], routes: { 'POST /xpay/query_order': () => ({ errcode: 0, order }) } },
    )

    const found = await wechat
      .virtualPayment({ appKey })
      .queryOrder({ openid: alice.openid, order_id: 'order-0001' })

    expect(found.isPaid).toBe(false)
  })

  test('any other call of mini programs and of mini games', async () => {
    const set = await setUpShop()
    const { payment, alice, fake, clock } = set
    await buy(set.fake)
    const user = { ...alice, sessionKey: fake.sessionKeyOf('alice') }

    const order = await payment.call('/xpay/query_order', {
      body: { openid: alice.openid, env: 0, order_id: 'order-0001' },
    })
    const inGame = await payment.call('/wxa/game/getbalance', {
      user,
      body: { offer_id: fake.shopOf().offerId, ts: clock.now() / 1000, zone_id: '1', env: 0 },
    })

    expect(order).toMatchObject({ order: { order_id: 'order-0001' } })
    expect(inGame).toMatchObject({ balance: 100 })
    expect(fake.calls.at(-1)?.query).toMatchObject({ sig_method: 'hmac_sha256' })
    expect(fake.calls.at(-1)?.fields).toContain('openid')
  })

  test('a session of auth signs, and the app handles neither openid nor key', async () => {
    const { fake } = await setUpShop()
    const auth = createAuth({
      apps: [fake.app],
      secret: testSecret,
      wechatHosts: [await listen(fake)],
      onEvent: () => {},
    })
    const { access_token } = await auth.login({ code: fake.codeFor('alice') })
    const session = await auth.authenticate(`Bearer ${access_token}`)
    const payment = auth.wechat().virtualPayment({ appKey: fake.shopOf().appKey })

    const { balance } = await payment.queryUserBalance({ session, user_ip })
    fake.rotateSessionKeyOf('alice')
    const stale = payment.queryUserBalance({ session, user_ip })

    expect(balance).toBe(100)
    await expect(stale).rejects.toMatchObject({ code: 'stale_session_key', status: 409 })
    await auth.close()
  })
})

describe('a session', () => {
  test('of another mini program is refused', async () => {
    const apps = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 's' }))
    const { auth, wechat } = setUp({ apps }, { apps })
    const code = wechat.codeFor('alice', { appId: 'wx1' })
    const { access_token } = await auth.login({ code, appId: 'wx1' })
    const session = await auth.authenticate(`Bearer ${access_token}`)

    const asked = auth
      .wechat('wx2')
      .virtualPayment({ appKey: 'k' })
      .queryUserBalance({ session, user_ip })

    await expect(asked).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('is unknown to a WeChat without sessions, which says what it takes', async () => {
    const { payment } = await setUpShop({})

    const asked = payment.queryUserBalance({ session: { id: 's', userId: 'u' }, user_ip })

    await expect(asked).rejects.toThrow(/openid and sessionKey/)
  })
})

describe('what WeChat refuses:', () => {
  const staleKey = { code: 'stale_session_key', status: 409 }
  const wrongCall = { code: 'invalid_request', status: 400 }
  const wrongSettings = { code: 'server_misconfigured', status: 500 }
  const later = { code: 'wechat_unavailable', status: 503, retryAfterSeconds: 60 }

  test.each([
    [-1, { code: 'wechat_unavailable', status: 503 }],
    [268490001, wrongCall],
    [268490002, wrongCall],
    [268490003, wrongSettings],
    [268490005, wrongCall],
    [268490006, wrongCall],
    [268490007, wrongCall],
    [268490008, wrongSettings],
    [268490009, staleKey],
    [268490011, later],
    [268490012, later],
    [268490013, wrongCall],
    [268490014, later],
    [268490015, { code: 'rate_limited', status: 429 }],
    [268490016, wrongCall],
    [268490018, wrongCall],
    [268490024, wrongCall],
    [268490099, { code: 'server_error', status: 500 }],
  ])('%d of a call with the payment signature', async (errcode, expected) => {
    const { payment, fake, alice, events } = await setUpShop({})
    fake.fail(errcode, { endpoint: 'POST /xpay/refund_order' })

    const error = await payment
      .refundOrder({ ...refund, openid: alice.openid })
      .catch((reason: unknown) => reason)

    expect(error).toMatchObject({ ...expected, errcode, message: expect.stringMatching(/.{20}/) })
    expect(events.some(({ type }) => type === 'misconfigured')).toBe(expected === wrongSettings)
  })

  test('268490004 of any payment call is a success that came before', async () => {
    const { payment, fake } = await setUpShop({})
    fake.fail(268490004, { endpoint: 'POST /xpay/query_order' })

    expect(await payment.call('/xpay/query_order')).toMatchObject({ errcode: 268490004 })
  })

  test.each([
    [90000, wrongCall],
    [90010, staleKey],
    [90011, wrongSettings],
    [90016, staleKey],
    [90018, wrongCall],
    [268490004, { code: 'server_error', status: 500 }],
  ])('%d of mini games', async (errcode, expected) => {
    const { payment, fake, alice } = await setUpShop({})
    fake.fail(errcode, { endpoint: 'POST /wxa/game/getbalance' })

    const asked = payment.call('/wxa/game/getbalance', { user: alice })

    await expect(asked).rejects.toMatchObject({ ...expected, errcode })
  })

  test('a wrong AppKey, of a call that the user signs too, is not the key of the user', async () => {
    const { wechat, alice } = await setUpShop()
    const payment = wechat.virtualPayment({ appKey: 'another' })

    const asked = payment.queryUserBalance({ ...alice, user_ip })

    await expect(asked).rejects.toMatchObject({ code: 'server_misconfigured', errcode: 268490003 })
  })

  test('a key that was replaced, and one that has expired, are stale', async () => {
    const { payment, fake, alice } = await setUpShop()
    fake.rotateSessionKeyOf('alice')
    await expect(payment.currencyPay({ ...alice, ...pay })).rejects.toMatchObject({
      ...staleKey,
      errcode: 268490003,
    })
    fake.expireSessionKey('alice')
    await expect(payment.currencyPay({ ...alice, ...pay })).rejects.toMatchObject({
      ...staleKey,
      errcode: 268490009,
    })
  })
})

describe('a busy WeChat', () => {
  test('is asked again where the same call does nothing more', async () => {
    const { payment, fake, alice } = await setUpShop({})
    fake.fail(-1, { times: 2, endpoint: 'POST /xpay/currency_pay' })

    const paid = await payment.currencyPay({ ...alice, ...pay })

    expect(paid.balance).toBe(70)
  })

  test('is not asked again for a refund', async () => {
    const { payment, fake, alice } = await setUpShop({})
    fake.fail(-1, { endpoint: 'POST /xpay/refund_order' })

    const refunded = payment.refundOrder({ ...refund, openid: alice.openid })

    await expect(refunded).rejects.toMatchObject({ errcode: -1 })
    expect(pathsOf(fake).filter((path) => path.includes('refund'))).toHaveLength(1)
  })
})

test('payments that hang keep no login waiting, nor the other way round', async () => {
  const gate = createGate()
  const set = await setUpShop({})
  const { fake, appKey } = set
  const { alice } = set
  const fetch: FetchLike = async (url, init) => {
    if (url.includes('/xpay/')) await gate.opened
    return fake.fetch(url, init)
  }
  const { wechat } = await setUpWeChat({ ...fake.app, fetch })
  const payment = wechat.virtualPayment({ appKey })
  const asked = Array.from({ length: 128 }, () =>
    payment.queryOrder({ openid: alice.openid, order_id: 'order-0001' }).catch(() => undefined),
  )
  await wechat.accessToken()

  await expect(wechat.code2Session(fake.codeFor('alice'))).resolves.toBeDefined()
  gate.open()
  await Promise.all(asked)
})

test('openid, keys and signatures stand in no error, event or answer that is printed', async () => {
  const output: AuthEvent[] = []
  const set = await setUpShop({ onEvent: (event) => void output.push(event) })
  const { payment, fake, alice, appKey, clock, wechat } = set
  const bob = { openid: alice.openid, sessionKey: 'bm90LXRoZS1yaWdodC1rZXk=' }
  const body = { offer_id: fake.shopOf().offerId, ts: clock.now() / 1000, env: 0 }
  const printed: unknown[] = []
  const keep = async (work: Promise<unknown>) =>
    printed.push(await work.catch((error: unknown) => error))

  await keep(payment.currencyPay({ ...bob, ...pay }))
  await keep(payment.call('/wxa/game/getbalance', { user: bob, body }))
  await keep(payment.presentCurrency({ openid: alice.openid, order_id: 'gift-01', amount: 1 }))
  await keep(payment.presentCurrency({ openid: alice.openid, order_id: 'gift-01', amount: 1 }))
  await keep(
    payment.call('/xpay/present_currency', {
      body: { openid: alice.openid, order_id: 'gift-01', amount: 1, env: 0 },
    }),
  )
  await keep(payment.presentCurrency({ openid: 'o'.repeat(28), order_id: 'g', amount: 1 }))
  fake.fail('drop-after')
  await keep(payment.queryOrder({ openid: alice.openid, order_id: 'order-0001' }))
  await keep(wechat.virtualPayment({ appKey: 'k' }).queryUserBalance({ ...alice, user_ip }))

  expect(printed).toHaveLength(8)
  expectNone({ ...alice, appKey }, 'what was printed', [printed, output, wechat, fake.calls])
})

describe('virtualPayment refuses', () => {
  test.each([
    ['no AppKey', {}],
    ['a line break after the AppKey', { appKey: 'key\n' }],
    ['another environment', { appKey: 'key', env: 2 }],
    ['an option that there is not', { appKey: 'key', sandbox: true }],
  ])('%s, at once', async (_what, options) => {
    const { wechat } = await setUpWeChat()

    expect(() => wechat.virtualPayment(options as VirtualPaymentOptions)).toThrow(TypeError)
  })

  test.each<[string, (payment: VirtualPayment) => Promise<unknown>]>([
    [
      'a call that has to be signed, without a key',
      (payment) => payment.queryUserBalance({ openid: 'o', user_ip } as never),
    ],
    ['an order of nobody', (payment) => payment.queryOrder({ order_id: 'o' } as never)],
    ['a path of another kind', (payment) => payment.call('/wxa/checksession' as never)],
    ['a path that leaves its folder', (payment) => payment.call('/xpay/../sns/x' as never)],
    ['a body that is none', (payment) => payment.call('/xpay/query_order', { body: 1 as never })],
  ])('%s, before anything is sent', async (_what, ask) => {
    const { payment, fake } = await setUpShop({})

    await expect(ask(payment)).rejects.toThrow(TypeError)
    expect(pathsOf(fake)).toEqual([])
  })
})

test('an answer that lacks what it is asked for is no answer', async () => {
  const routes = {
    'POST /xpay/query_order': () => ({
      errcode: 0,
      order: { order_id: 'another', status: 2, env_type: 1 },
    }),
    'POST /xpay/query_user_balance': () => ({ errcode: 0, balance: '100' }),
  }
  const { wechat, fake } = await setUpWeChat({}, { routes })
  const payment = wechat.virtualPayment({ appKey: fake.shopOf().appKey })

  for (const asked of [
    payment.queryOrder({ openid: 'o', order_id: 'order-0001' }),
    payment.queryUserBalance({ openid: 'o', sessionKey: 'k', user_ip }),
  ]) {
    await expect(asked).rejects.toMatchObject({ code: 'wechat_unavailable' })
  }
})
