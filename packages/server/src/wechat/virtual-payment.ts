import { checkCredential, checkNames, type OptionNames } from '../option-checks.js'
import type { Session } from '../session.js'
import type { WeChatAnswer } from './answer.js'

export interface VirtualPaymentOptions {
  /** The AppKey (支付密钥) of `env`, from the console. It never leaves the server. */
  readonly appKey: string
  /** 0 is live (default), 1 the sandbox, which takes no money. */
  readonly env?: PaymentEnv
}

/** 0 is live, 1 the sandbox. */
export type PaymentEnv = 0 | 1

/** Whose coins or order it is: the openid of a session of `auth`, or one that the app keeps. */
export type PaymentUser =
  | { readonly session: Pick<Session, 'id' | 'userId'> }
  | { readonly openid: string }

/** A user who signs: a session of `auth`, whose newest `session_key` is used, or the two as the app keeps them. */
export type SigningUser =
  | { readonly session: Pick<Session, 'id' | 'userId'> }
  | { readonly openid: string; readonly sessionKey: string }

/** An order by your own number, or by WeChat's. */
export type OrderNumber = { readonly order_id: string } | { readonly wx_order_id: string }

export interface UserBalance {
  /** All coins, `present_balance` included. */
  readonly balance: number
  readonly present_balance: number
  readonly sum_save: number
  readonly sum_present: number
  readonly sum_balance: number
  readonly sum_cost: number
  /** Whether the user has never bought coins: 1 or 0. */
  readonly first_save_flag: number
}

/** What a call that may be repeated has done. */
export interface CoinsMoved {
  /** Your number. */
  readonly order_id: string
  /** The same number came before and succeeded: nothing was done this time, and the balances may be missing. */
  readonly isRepeated: boolean
  readonly balance?: number
  readonly present_balance?: number
  readonly used_present_amount?: number
}

/** An order as WeChat knows it; amounts in fen, instants in seconds since the epoch. */
export interface PaymentOrder {
  readonly order_id: string
  readonly wx_order_id: string
  /**
   * 0 new · 1 created · 2 paid, to be delivered · 3 being delivered · 4 delivered · 5 refunded · 6 closed · 7 refund failed ·
   * 8 refunded to the user · 9 advertising funds recovered · 10 split returned.
   */
  readonly status: number
  /** 1 is live, 2 the sandbox: other numbers than `env`. */
  readonly env_type: number
  /** Whether it is paid and neither refunded nor closed, in this `env`: the user has a right to what it names. */
  readonly isPaid: boolean
  readonly [name: string]: unknown
}

export interface RefundInput {
  /** Your number of this refund: 8 to 32 letters, digits, `_` or `-`. */
  readonly refund_order_id: string
  /** What is left of the order, as `queryOrder` says. */
  readonly left_fee: number
  readonly refund_fee: number
  readonly biz_meta: string
  /** 0 none · 1 product · 2 service · 3 the user's wish · 4 price · 5 other. */
  readonly refund_reason: string
  /** 1 customer service · 2 the user · 3 other. */
  readonly req_from: string
}

export interface Refund {
  readonly refund_order_id: string
  readonly refund_wx_order_id?: string
  readonly pay_order_id?: string
  readonly pay_wx_order_id?: string
}

export interface PaymentCallOptions {
  /** Sent as JSON, with the user's `openid` where it has none. `env` is not added: not every call takes it. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Adds the user's signature. */
  readonly user?: SigningUser
}

/** What a notification came as. A Node, Express, Koa (`ctx.req`) or Fastify request fits, and a web `Request`. */
export interface PaymentPushRequest {
  readonly method?: string | undefined
  /** With its query; relative ones will do. */
  readonly url?: string | undefined
  /** A text, bytes, a stream, or what a JSON parser has made of it. Without it the request itself is read as a stream. */
  readonly body?: unknown
}

export interface PaymentPushOptions {
  /** The Token of the message push (消息推送) in the console. */
  readonly token: string
  /**
   * The EncodingAESKey, 43 letters and digits. With it only encrypted pushes are believed (安全模式, 兼容模式). A push that is not
   * encrypted carries no proof of its content, so without it each payment is looked up by `query_order` first.
   */
  readonly encodingAesKey?: string
  /**
   * Gives the user what was paid for, or takes it back: called for `goods`, `coins` and `refund`. In one process never
   * twice at once for the same order, and not again once it has succeeded; a restart or another process may call it
   * again, so it is one conditional write (`update … where granted_at is null`, or a unique order number). If it throws,
   * WeChat sends the push again.
   */
  readonly onPayment?: (event: PaymentEvent) => void | Promise<void>
}

interface Paid {
  /** The buyer. */
  readonly openid: string
  /** Your order number. */
  readonly outTradeNo: string
  readonly env: PaymentEnv
  readonly quantity: number
  /** In fen. */
  readonly origPrice?: number
  /** In fen. */
  readonly actualPrice?: number
  readonly attach: string
  readonly transactionId?: string
  /** In seconds since the epoch. */
  readonly paidAt?: number
  readonly message: PushMessage
}

/** Something was paid for, or the money went back. When printed or serialised, openid and message are `[redacted]`. */
export type PaymentEvent =
  | (Paid & { readonly type: 'goods'; readonly productId: string })
  | (Paid & { readonly type: 'coins' })
  | {
      readonly type: 'refund'
      readonly openid: string
      /** The number of the order that was paid. */
      readonly outTradeNo: string
      /** Your number of the refund, or WeChat's if the user asked for it elsewhere. */
      readonly refundId: string
      /** In fen. */
      readonly refundFee?: number
      /** Whether the money went back; else WeChat could not do it. */
      readonly isRefunded: boolean
      readonly message: PushMessage
    }

/** The fields of a push, as WeChat names them. Out of XML all of them are texts. */
export interface PushMessage {
  readonly [name: string]: unknown
}

/** An answer to a push, to be sent as it is. */
export interface PushResponse {
  readonly status: 200
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface PaymentNotification {
  /**
   * What it says, verified. `other_env` is one of the other environment: a sandbox purchase costs nothing, so it must not
   * grant what is live. `other` is any other message of the same mini program, whose name is in `name`. `check` is the
   * console, which asks whether the address knows the token.
   */
  readonly event:
    | PaymentEvent
    | { readonly type: 'other_env'; readonly event: PaymentEvent }
    | { readonly type: 'other'; readonly name: string; readonly message: PushMessage }
    | { readonly type: 'check' }
  /** Says that it is done, in the format of the push. */
  readonly response: PushResponse
  /** For the few that want to hear more: these fields, in the format of the push, encrypted if it was. */
  answer(fields: Readonly<Record<string, string | number>>): PushResponse
}

/**
 * Virtual payment (虚拟支付) from the backend's side. Fields are named as in WeChat's documentation, amounts are in fen or
 * coins, and every call carries the payment signature. Each throws what {@link WeChat} throws, and `stale_session_key`
 * where the user's signature is refused or cannot be made: let the mini program log in, and call again once.
 * https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
 */
export interface VirtualPayment {
  /** The user's coins. `user_ip` is that of the phone. */
  queryUserBalance(input: SigningUser & { readonly user_ip: string }): Promise<UserBalance>
  /** Takes coins. The same `order_id` again takes none (268490004), and is a success. */
  currencyPay(
    input: SigningUser & {
      readonly user_ip: string
      readonly amount: number
      readonly order_id: string
      /** A JSON text: `[{"productid","unit_price","quantity"}]`. */
      readonly payitem: string
      readonly remark: string
      readonly device_type?: string
    },
  ): Promise<CoinsMoved>
  /** Gives coins back that `currencyPay` took. What was given back before (268490005) is a success. */
  cancelCurrencyPay(
    input: SigningUser & {
      readonly user_ip: string
      /** The `order_id` of the payment. */
      readonly pay_order_id: string
      /** Your number of this return. */
      readonly order_id: string
      readonly amount: number
      readonly device_type?: number
    },
  ): Promise<CoinsMoved>
  /** Gives coins away. The same `order_id` again gives none, and is a success. */
  presentCurrency(
    input: PaymentUser & {
      readonly order_id: string
      readonly amount: number
      readonly device_type?: string
    },
  ): Promise<CoinsMoved>
  /** An order, whatever became of its notification. */
  queryOrder(input: PaymentUser & OrderNumber): Promise<PaymentOrder>
  /** Refunds an order (not on iOS, where Apple does). It ends later, with a notification. Sent once. */
  refundOrder(input: PaymentUser & OrderNumber & RefundInput): Promise<Refund>
  /** Marks an order as delivered whose notification never came or was never accepted. */
  notifyProvideGoods(input: OrderNumber): Promise<void>
  /** What the mini program can withdraw, as WeChat shows it. */
  queryBizBalance(): Promise<WeChatAnswer>
  /**
   * Any other call of virtual payment, `POST /xpay/…`, or `POST /wxa/game/…` of mini games, with the payment signature and,
   * with `user`, the user's. Sent once. Throws a `TypeError` for any other path.
   *
   * @example
   * const { url } = await payment.call('/xpay/download_bill', { body: { begin_ds: '20261101', end_ds: '20261130' } })
   */
  call(
    path: `/xpay/${string}` | `/wxa/game/${string}`,
    options?: PaymentCallOptions,
  ): Promise<WeChatAnswer>
  /**
   * Reads a notification (`xpay_goods_deliver_notify` and others; JSON and XML, plain and encrypted) and verifies it, or
   * throws `invalid_request`: with the reason `signature`, `not_encrypted`, `appid`, `unconfirmed` or `malformed`.
   * Whatever it throws, answer with its status: WeChat sends the notification again.
   *
   * @example
   * app.all('/wechat/push', async (req, res) => {
   *   const { response } = await payment.notification(req, { token, encodingAesKey, onPayment: grant })
   *   res.status(response.status).set(response.headers).send(response.body)
   * })
   */
  notification(
    request: PaymentPushRequest,
    options: PaymentPushOptions,
  ): Promise<PaymentNotification>
}

const names: OptionNames<VirtualPaymentOptions> = { appKey: true, env: true }

/** Checks the options at once, and loads what does the work when it is first needed: most backends sell nothing. */
export function createVirtualPayment(
  options: VirtualPaymentOptions,
  load: () => Promise<(options: VirtualPaymentOptions) => VirtualPayment>,
): VirtualPayment {
  checkNames('virtualPayment', options, names)
  const { appKey, env = 0 } = options
  checkCredential('appKey', appKey)
  if (env !== 0 && env !== 1) throw new TypeError('env must be 0 or 1, the sandbox')
  const payment = async () => (await load())({ appKey, env })
  return {
    queryUserBalance: async (input) => (await payment()).queryUserBalance(input),
    currencyPay: async (input) => (await payment()).currencyPay(input),
    cancelCurrencyPay: async (input) => (await payment()).cancelCurrencyPay(input),
    presentCurrency: async (input) => (await payment()).presentCurrency(input),
    queryOrder: async (input) => (await payment()).queryOrder(input),
    refundOrder: async (input) => (await payment()).refundOrder(input),
    notifyProvideGoods: async (input) => (await payment()).notifyProvideGoods(input),
    queryBizBalance: async () => (await payment()).queryBizBalance(),
    call: async (path, given) => (await payment()).call(path, given),
    notification: async (request, given) => (await payment()).notification(request, given),
  }
}
