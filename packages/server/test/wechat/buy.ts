import { expect } from 'vitest'
import { createAuth } from '../../src/index.js'
import type { FakeWeChat } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'

/** What comes with every order; XML and JSON have to escape it. */
export const attach = '会员 & <b>]]></b> "1"'

/** Alice pays on her phone: goods of a mini program, coins, or goods of a mini game. The number of her order. */
export async function buy(
  fake: FakeWeChat,
  outTradeNo = 'order-0001',
  {
    env = 0,
    mode = 'short_series_goods',
  }: { env?: 0 | 1; mode?: 'short_series_goods' | 'short_series_coin' | 'goods' } = {},
): Promise<string> {
  const auth = createAuth({
    apps: [fake.app],
    secret: testSecret,
    fetch: fake.fetch,
    onEvent: () => {},
  })
  const { access_token } = await auth.login({ code: fake.codeFor('alice') })
  const session = await auth.authenticate(`Bearer ${access_token}`)
  fake.publishGoods('vip', 990)
  const { offerId, appKey, sandboxAppKey } = fake.shopOf()
  const request = await auth.virtualPayment({
    session,
    code: fake.codeFor('alice'),
    appKey: env === 1 ? sandboxAppKey : appKey,
    mode,
    data: {
      offerId,
      buyQuantity: 1,
      env,
      outTradeNo,
      attach,
      ...(mode !== 'short_series_coin' && { productId: 'vip', goodsPrice: 990 }),
    },
  })
  const { errCode } =
    mode === 'goods'
      ? fake.requestMidasPaymentGameItem('alice', request)
      : fake.requestVirtualPayment('alice', request)
  expect(errCode).toBe(0)
  return outTradeNo
}
