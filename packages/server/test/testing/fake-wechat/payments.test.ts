import { expect, test } from 'vitest'
import type { FakeWeChat } from '../../../src/testing/index.js'
import { call, callAs, game, setUp, shop } from './set-up.js'

const endpoint = 'GET /wxa/getpaidunionid'

function ask(wechat: FakeWeChat, query: Record<string, string>, app = shop) {
  const openid = wechat.openidOf('alice', { appId: app.appId })
  return callAs(wechat, app, endpoint, { query: { openid, ...query } })
}

test('who has paid is known by unionid, by the order of WeChat', async () => {
  const { wechat } = setUp()
  const { transactionId } = wechat.payFor('alice')

  const answer = await ask(wechat, { transaction_id: transactionId })

  expect(answer).toEqual({ unionid: wechat.unionidOf('alice'), errcode: 0, errmsg: 'ok' })
})

test('or by the order of the shop', async () => {
  const { wechat } = setUp()
  const { mchId, outTradeNo } = wechat.payFor('alice')

  const { unionid } = await ask(wechat, { mch_id: mchId, out_trade_no: outTradeNo })

  expect(unionid).toBe(wechat.unionidOf('alice'))
})

test('an order has the names that it is given', async () => {
  const { wechat } = setUp()

  const payment = wechat.payFor('alice', {
    transactionId: '42',
    mchId: '19',
    outTradeNo: 'order-1',
  })

  expect(payment).toEqual({ transactionId: '42', mchId: '19', outTradeNo: 'order-1' })
  expect((await ask(wechat, { transaction_id: '42' })).errcode).toBe(0)
  expect((await ask(wechat, { mch_id: '19', out_trade_no: 'order-1' })).errcode).toBe(0)
})

test('orders that are made up are all different', () => {
  const { wechat } = setUp()

  const [first, second] = [wechat.payFor('alice'), wechat.payFor('alice')]

  expect(first.transactionId).toMatch(/^\d{28}$/)
  expect(first.mchId).toMatch(/^\d{10}$/)
  expect(first.outTradeNo).toMatch(/^[0-9a-f]{32}$/)
  expect(first.transactionId).not.toBe(second.transactionId)
  expect(first.outTradeNo).not.toBe(second.outTradeNo)
})

test('a payment is known for five minutes', async () => {
  const { wechat, advance } = setUp()
  const { transactionId } = wechat.payFor('alice')

  advance(299)
  const before = await ask(wechat, { transaction_id: transactionId })
  advance(1)
  const after = await ask(wechat, { transaction_id: transactionId })

  expect([before.errcode, after.errcode]).toEqual([0, 89300])
  expect(after.errmsg).toMatch(/^invalid trade rid: /)
})

test('an order that is unknown, halved or of another person is refused', async () => {
  const { wechat } = setUp()
  const { mchId, outTradeNo } = wechat.payFor('alice')
  const { transactionId: ofBob } = wechat.payFor('bob')

  const orders = [
    {},
    { transaction_id: '42' },
    { transaction_id: ofBob },
    { mch_id: mchId },
    { out_trade_no: outTradeNo },
    { mch_id: '19', out_trade_no: outTradeNo },
  ]

  for (const order of orders) {
    expect((await ask(wechat, order)).errcode).toBe(89300)
  }
})

test('a mini program that is not bound to the open platform learns nothing', async () => {
  const { wechat } = setUp()
  const { transactionId } = wechat.payFor('alice', { appId: game.appId })

  const { errcode } = await ask(wechat, { transaction_id: transactionId }, game)

  expect(errcode).toBe(89002)
})

test.each([
  ['no openid', ''],
  ['an openid that is nobody', `o${'x'.repeat(27)}`],
])('%s is refused', async (_, openid) => {
  const { wechat } = setUp()
  const { transactionId } = wechat.payFor('alice')

  const { errcode } = await ask(wechat, { openid, transaction_id: transactionId })

  expect(errcode).toBe(40003)
})

test('getpaidunionid wants an access_token', async () => {
  const { wechat } = setUp()

  const { errcode } = await call(wechat, endpoint, { query: { openid: wechat.openidOf('alice') } })

  expect(errcode).toBe(41001)
})
