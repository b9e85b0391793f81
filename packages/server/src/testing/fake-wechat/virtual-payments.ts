import type { FakeWeChatAppChoice, People } from './people.js'
import type { Pushes } from './pushes.js'
import { type Env, type FakeWeChatShop, isAmount, isEnv, orderName, type Shops } from './shops.js'

/** What a mini program passes to `wx.requestVirtualPayment`; nothing of it is believed. */
export interface FakeWeChatPaymentRequest {
  readonly mode?: unknown
  readonly signData?: unknown
  readonly paySig?: unknown
  readonly signature?: unknown
}

export interface FakeWeChatPaymentOptions extends FakeWeChatAppChoice {
  /** The person closes the window that asks for the money (default false). */
  readonly cancels?: boolean
  /** The mini program is the released version (default false), where the sandbox is refused. */
  readonly isReleased?: boolean
}

/** How a call of the client ends: `errCode` 0 is its success. */
export interface FakeWeChatPaymentResult {
  readonly errCode: number
  readonly errMsg: string
}

/** Virtual payment (虚拟支付): the console, and the calls of the client. */
export interface FakeWeChatVirtualPayments {
  /** The offer and the AppKeys of a mini program, the same each time. */
  shopOf(choice?: FakeWeChatAppChoice): FakeWeChatShop
  /** Publishes goods (道具) at a price in fen, in both environments. */
  publishGoods(productId: string, price: number, choice?: FakeWeChatAppChoice): void
  /** Gives a person coins (代币) that are paid for. `env` defaults to 0, the live environment. */
  giveCoins(
    person: string,
    amount: number,
    choice?: FakeWeChatAppChoice & { readonly env?: Env },
  ): void
  /**
   * What `wx.requestVirtualPayment` does on this person's phone: WeChat verifies both signatures, the person pays, and a
   * notification waits for `deliverPushes`. The codes are those of mini programs.
   * https://developers.weixin.qq.com/miniprogram/dev/api/payment/wx.requestVirtualPayment.html
   */
  requestVirtualPayment(
    person: string,
    request: FakeWeChatPaymentRequest,
    options?: FakeWeChatPaymentOptions,
  ): FakeWeChatPaymentResult
  /**
   * The same for `wx.requestMidasPaymentGameItem` of mini games, where the same numbers mean other things.
   * https://developers.weixin.qq.com/minigame/dev/api/midas-payment/wx.requestMidasPaymentGameItem.html
   */
  requestMidasPaymentGameItem(
    person: string,
    request: FakeWeChatPaymentRequest,
    options?: FakeWeChatPaymentOptions,
  ): FakeWeChatPaymentResult
}

/** The codes of a client's call, by what is wrong. */
interface Codes {
  readonly unparsable: number
  readonly parameter: number
  readonly currency: number
  readonly used: number
  readonly sandbox: number
  readonly signature: number
  readonly paySig: number
  readonly expired: number
  readonly price: number
  readonly unpublished: number
}

const inMiniPrograms: Codes = {
  unparsable: -15016,
  parameter: -15001,
  currency: -15004,
  used: -15002,
  sandbox: -15011,
  signature: -15005,
  paySig: -15006,
  expired: -15007,
  price: -15013,
  unpublished: -15010,
}

const inMiniGames: Codes = {
  unparsable: -15002,
  parameter: -15002,
  currency: -15006,
  used: -15003,
  sandbox: -15010,
  signature: -15012,
  paySig: -15014,
  expired: -15015,
  price: -15016,
  unpublished: 3017,
}

const modes = { short_series_goods: 'goods', short_series_coin: 'coin' } as const

const fieldsOfMode: Readonly<Record<'goods' | 'coin' | 'game', readonly string[]>> = {
  coin: [
    'offerId',
    'buyQuantity',
    'env',
    'currencyType',
    'outTradeNo',
    'attach',
    'signContractInfo',
  ],
  goods: ['productId', 'goodsPrice', 'activitySellingPrice'],
  game: ['mode', 'platform', 'zoneId'],
}

export function createVirtualPayments({
  people,
  shops,
  pushes,
}: {
  people: People
  shops: Shops
  pushes: Pushes
}): FakeWeChatVirtualPayments {
  function request(
    call: 'requestVirtualPayment' | 'requestMidasPaymentGameItem',
    person: string,
    { mode, signData, paySig, signature }: FakeWeChatPaymentRequest,
    { cancels = false, isReleased = false, ...choice }: FakeWeChatPaymentOptions,
  ): FakeWeChatPaymentResult {
    const isGame = call === 'requestMidasPaymentGameItem'
    const codes = isGame ? inMiniGames : inMiniPrograms
    const end = (errCode: number): FakeWeChatPaymentResult => ({
      errCode,
      errMsg: `${call}:${errCode === 0 ? 'ok' : errCode === -2 ? 'fail cancel' : `fail ${nameOf(errCode, codes)}`}`,
    })
    const user = people.userOf(person, choice)
    const shop = shops.of(user.app)

    const data = readSignData(signData)
    if (!data) return end(codes.unparsable)
    const kind = isGame ? data.mode : modes[mode as keyof typeof modes]
    if (kind !== 'goods' && kind !== 'coin') return end(codes.parameter)
    const known = [
      ...fieldsOfMode.coin,
      ...(kind === 'goods' ? fieldsOfMode.goods : []),
      ...(isGame ? fieldsOfMode.game : []),
    ]
    const { env = 0, offerId, buyQuantity, currencyType, outTradeNo, attach } = data
    const isWhole =
      isEnv(env) &&
      offerId === shop.offerId &&
      isAmount(buyQuantity) &&
      typeof attach === 'string' &&
      typeof outTradeNo === 'string' &&
      /^(?!_)[\w|*@-]{8,32}$/.test(outTradeNo)
    if (!isWhole || Object.keys(data).some((name) => !known.includes(name))) {
      return end(codes.parameter)
    }
    if (currencyType !== 'CNY') return end(codes.currency)
    if (isReleased && env === 1) return end(codes.sandbox)
    const text = String(signData)
    if (!shops.isPaySig(user.app, env, `${call}&${text}`, paySig)) return end(codes.paySig)
    const isSigned = shops.isSignature(user, text, signature)
    if (isSigned === undefined) return end(codes.expired)
    if (!isSigned) return end(codes.signature)
    const price = kind === 'goods' ? shop.goods.get(String(data.productId)) : 100
    if (price === undefined) return end(codes.unpublished)
    if (kind === 'goods' && data.goodsPrice !== price) return end(codes.price)
    if (shop.orders.has(orderName(env, outTradeNo))) return end(codes.used)
    if (cancels) return end(-2)

    const each = isAmount(data.activitySellingPrice) ? data.activitySellingPrice : price
    const order = shops.pay({
      user,
      env,
      orderId: outTradeNo,
      kind,
      productId: kind === 'goods' ? String(data.productId) : undefined,
      quantity: buyQuantity,
      fee: each * buyQuantity,
      attach,
    })
    if (kind === 'coin') {
      const wallet = shops.walletOf(user, env)
      wallet.bought += buyQuantity
      wallet.sumSave += buyQuantity
    }
    pushes.noteOrder(order, isGame)
    return end(0)
  }

  return {
    shopOf(choice) {
      const { offerId, appKey, sandboxAppKey } = shops.of(people.appOf(choice))
      return { offerId, appKey, sandboxAppKey }
    },

    publishGoods(productId, price, choice) {
      if (!isAmount(price)) throw new TypeError('price must be a whole number of fen from 1')
      shops.of(people.appOf(choice)).goods.set(productId, price)
    },

    giveCoins(person, amount, { env = 0, ...choice } = {}) {
      if (!isAmount(amount)) throw new TypeError('amount must be a whole number from 1')
      const wallet = shops.walletOf(people.userOf(person, choice), env)
      wallet.bought += amount
      wallet.sumSave += amount
    },

    requestVirtualPayment: (person, args, options = {}) =>
      request('requestVirtualPayment', person, args, options),

    requestMidasPaymentGameItem: (person, args, options = {}) =>
      request('requestMidasPaymentGameItem', person, args, options),
  }
}

function nameOf(errCode: number, codes: Codes): string {
  return Object.entries(codes).find(([, code]) => code === errCode)?.[0] ?? ''
}

function readSignData(signData: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof signData !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(signData)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
