import { type Answer, type Fields, fieldsOf, refusal, succeeded } from './answers.js'
import type { FakeWeChatApp, People, User } from './people.js'
import type { Pushes } from './pushes.js'
import {
  type Env,
  isAmount,
  isEnv,
  type Order,
  orderName,
  type Shops,
  type Wallet,
} from './shops.js'
import type { FakeWeChatRequest } from './transports.js'

/** A call whose signatures are right. */
interface Signed {
  readonly app: FakeWeChatApp
  readonly env: Env
  readonly fields: Fields
}

type Endpoint = (request: FakeWeChatRequest, app: FakeWeChatApp) => Answer

/** `POST /xpay/*` of mini programs and `POST /wxa/game/*` of mini games: virtual payment, from the backend's side. */
export function createPaymentCalls({
  people,
  shops,
  pushes,
}: {
  people: People
  shops: Shops
  pushes: Pushes
}): { endpoints: Readonly<Record<string, Endpoint>> } {
  /** The payment signature, which every call carries. */
  function withPaySig(path: string, endpoint: (call: Signed) => Answer): Endpoint {
    return ({ query, body }, app) => {
      if (body === '') return refusal(44002)
      const fields = fieldsOf(body)
      if (!fields) return refusal(47001)
      const { env = 0 } = fields
      if (!isEnv(env)) return said(268490002, 'env is 0 or 1')
      if (!shops.isPaySig(app, env, `${path}&${body}`, query.pay_sig)) {
        return said(268490003, '支付签名 pay_sig error')
      }
      return endpoint({ app, env, fields })
    }
  }

  /** The user's signature as well. */
  function withBoth(path: string, endpoint: (call: Signed, user: User) => Answer): Endpoint {
    return (request, app) =>
      withPaySig(path, (call) => {
        const user = people.find(app, call.fields.openid)
        if (!user) return said(268490001, `openid ${call.fields.openid} error`)
        const isSigned = shops.isSignature(user, request.body, request.query.signature)
        if (isSigned === undefined)
          return said(268490009, `openid ${user.openid} has no session_key`)
        if (!isSigned) return said(268490003, `用户态签名 signature error, body ${request.body}`)
        return endpoint(call, user)
      })(request, app)
  }

  /** A user's signature may come with any other call, and then has to be right. */
  function withAny(path: string, endpoint: (call: Signed) => Answer): Endpoint {
    const signed = withBoth(path, endpoint)
    const unsigned = withPaySig(path, endpoint)
    return (request, app) =>
      request.query.signature === undefined ? unsigned(request, app) : signed(request, app)
  }

  function orderOf({ app, env, fields }: Signed): Order | undefined {
    const { orders } = shops.of(app)
    const named = orders.get(orderName(env, fields.order_id))
    if (fields.order_id) return named
    return [...orders.values()].find(
      (order) => order.env === env && order.wxOrderId === fields.wx_order_id,
    )
  }

  function queryUserBalance({ env }: Signed, user: User): Answer {
    const wallet = shops.walletOf(user, env)
    return { ...succeeded, ...shown(wallet) }
  }

  function currencyPay({ env, fields }: Signed, user: User): Answer {
    const { amount, order_id: orderId } = fields
    if (!isAmount(amount) || !isOrderId(orderId)) return said(268490002, 'amount, order_id')
    const wallet = shops.walletOf(user, env)
    if (wallet.done.has(orderId)) return said(268490004, `openid ${user.openid} repeats ${orderId}`)
    const used = take(wallet, amount)
    if (used === undefined) return said(268490006, 'balance')
    wallet.done.set(orderId, { kind: 'pay', left: amount })
    const { balance } = shown(wallet)
    return { ...succeeded, order_id: orderId, balance, used_present_amount: used }
  }

  function cancelCurrencyPay({ env, fields }: Signed, user: User): Answer {
    const { amount, order_id: orderId, pay_order_id: payOrderId } = fields
    const wallet = shops.walletOf(user, env)
    const paid = wallet.done.get(`${payOrderId}`)
    if (!isAmount(amount) || !isOrderId(orderId) || paid?.kind !== 'pay') {
      return said(268490002, 'amount, order_id, pay_order_id')
    }
    if (wallet.done.has(orderId) || paid.left === 0) return said(268490005, 'refunded')
    if (amount > paid.left) return said(268490002, 'amount')
    paid.left -= amount
    wallet.bought += amount
    wallet.sumCost -= amount
    wallet.done.set(orderId, { kind: 'cancel', left: 0 })
    return { ...succeeded, order_id: orderId }
  }

  function presentCurrency(call: Signed): Answer {
    const { app, env, fields } = call
    const { amount, order_id: orderId } = fields
    const user = people.find(app, fields.openid)
    if (!user) return said(268490001, `openid ${fields.openid} error`)
    if (!isAmount(amount) || !isOrderId(orderId)) return said(268490002, 'amount, order_id')
    const wallet = shops.walletOf(user, env)
    if (wallet.done.has(orderId)) return said(268490004, `openid ${user.openid} repeats ${orderId}`)
    wallet.done.set(orderId, { kind: 'present', left: 0 })
    wallet.given += amount
    wallet.sumPresent += amount
    const { balance, present_balance } = shown(wallet)
    return { ...succeeded, order_id: orderId, balance, present_balance }
  }

  function queryOrder(call: Signed): Answer {
    const order = orderOf(call)
    if (order?.user !== people.find(call.app, call.fields.openid) || !order) {
      return said(268490002, 'order')
    }
    const { env, orderId, wxOrderId, status, fee, leftFee, paidAt } = order
    return {
      ...succeeded,
      order: {
        order_id: orderId,
        create_time: paidAt,
        update_time: paidAt,
        status,
        biz_type: 0,
        order_fee: fee,
        coupon_fee: 0,
        paid_fee: fee,
        order_type: 0,
        refund_fee: 0,
        paid_time: paidAt,
        provide_time: status === 4 ? paidAt : 0,
        env_type: env + 1,
        left_fee: leftFee,
        wx_order_id: wxOrderId,
        channel_order_id: `CH${wxOrderId}`,
        wxpay_order_id: `42${wxOrderId}`,
      },
    }
  }

  function refundOrder(call: Signed): Answer {
    const order = orderOf(call)
    const { refund_order_id: refundOrderId, left_fee: leftFee, refund_fee: fee } = call.fields
    if (!order || !isOrderId(refundOrderId) || !isAmount(fee)) return said(268490002, 'order')
    if (order.kind === 'coin') return said(268490013, 'settled')
    if (leftFee !== order.leftFee) return said(268490016, `left_fee ${order.leftFee}`)
    if (fee > order.leftFee) return said(268490002, 'refund_fee')
    order.leftFee -= fee
    if (order.leftFee === 0) order.status = 5
    pushes.noteRefund(order, { refundOrderId, fee })
    return {
      ...succeeded,
      refund_order_id: refundOrderId,
      refund_wx_order_id: `RF${order.wxOrderId}`,
      pay_order_id: order.orderId,
      pay_wx_order_id: order.wxOrderId,
    }
  }

  function notifyProvideGoods(call: Signed): Answer {
    const order = orderOf(call)
    if (!order || order.status === 5) return said(268490002, 'order')
    order.status = 4
    return succeeded
  }

  function queryBizBalance({ app, env }: Signed): Answer {
    const fen = [...shops.of(app).orders.values()]
      .filter((order) => order.env === env)
      .reduce((sum, { leftFee }) => sum + leftFee, 0)
    return {
      ...succeeded,
      balance_available: { amount: (fen / 100).toFixed(2), currency_code: 'CNY' },
    }
  }

  /** Mini games: the same coins, other names and other numbers. Their messages repeat the body, twice. */
  function inGame(path: string, endpoint: (call: Signed, user: User) => Answer): Endpoint {
    return ({ query, body }, app) => {
      const echoed = `${body} ${Buffer.from(body).toString('base64')}`
      const fields = fieldsOf(body)
      const { env = 0, offer_id: offerId, ts } = fields ?? {}
      if (!fields || !isEnv(env) || offerId !== shops.of(app).offerId || !isAmount(ts)) {
        return said(90018, `parameter ${echoed}`)
      }
      const user = people.find(app, fields.openid)
      if (!user || query.sig_method !== 'hmac_sha256') return said(90018, `parameter ${echoed}`)
      if (!shops.isPaySig(app, env, `${path}&${body}`, query.pay_sig)) {
        return said(90011, `pay_sig ${echoed}`)
      }
      const isSigned = shops.isSignature(user, body, query.signature)
      if (isSigned === undefined) return said(90016, `session_key ${echoed}`)
      if (!isSigned) return said(90010, `signature ${echoed}`)
      return endpoint({ app, env, fields }, user)
    }
  }

  const named = (
    calls: Readonly<Record<string, (path: string) => Endpoint>>,
  ): Readonly<Record<string, Endpoint>> =>
    Object.fromEntries(
      Object.entries(calls).map(([path, create]) => [`POST ${path}`, create(path)]),
    )

  return {
    endpoints: named({
      '/xpay/query_user_balance': (path) => withBoth(path, queryUserBalance),
      '/xpay/currency_pay': (path) => withBoth(path, currencyPay),
      '/xpay/cancel_currency_pay': (path) => withBoth(path, cancelCurrencyPay),
      '/xpay/present_currency': (path) => withAny(path, presentCurrency),
      '/xpay/query_order': (path) => withAny(path, queryOrder),
      '/xpay/refund_order': (path) => withAny(path, refundOrder),
      '/xpay/notify_provide_goods': (path) => withAny(path, notifyProvideGoods),
      '/xpay/query_biz_balance': (path) => withAny(path, queryBizBalance),
      '/wxa/game/getbalance': (path) => inGame(path, queryUserBalance),
    }),
  }
}

/** WeChat's messages here say more than they should: whom a call is about, and even its body. */
function said(errcode: number, errmsg: string): Answer {
  return { errcode, errmsg }
}

const isOrderId = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 64

function shown({ bought, given, sumSave, sumPresent, sumCost }: Wallet) {
  return {
    balance: bought + given,
    present_balance: given,
    sum_save: sumSave,
    sum_present: sumPresent,
    sum_balance: sumSave + sumPresent,
    sum_cost: sumCost,
    first_save_flag: sumSave === 0 ? 1 : 0,
  }
}

/** Takes coins, the given ones first, and says how many of those; `undefined` if there are not enough. */
function take(wallet: Wallet, amount: number): number | undefined {
  if (wallet.bought + wallet.given < amount) return undefined
  const given = Math.min(wallet.given, amount)
  wallet.given -= given
  wallet.bought -= amount - given
  wallet.sumCost += amount
  return given
}
