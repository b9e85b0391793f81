import { createHmac, randomBytes, randomInt } from 'node:crypto'
import type { FakeWeChatApp, User } from './people.js'
import type { SessionKeys } from './session-keys.js'

/** 0 is live, 1 the sandbox, which takes no money. */
export type Env = 0 | 1

/** What the console shows of a mini program's virtual payment, to configure a backend with. */
export interface FakeWeChatShop {
  readonly offerId: string
  /** The AppKey of `env` 0. */
  readonly appKey: string
  /** The AppKey of `env` 1. */
  readonly sandboxAppKey: string
}

export interface Order {
  readonly user: User
  readonly env: Env
  readonly orderId: string
  readonly wxOrderId: string
  readonly kind: 'goods' | 'coin'
  readonly productId: string | undefined
  readonly quantity: number
  readonly fee: number
  readonly attach: string
  readonly paidAt: number
  /** As `query_order` names it: 2 paid, 4 delivered, 5 refunded. */
  status: 2 | 4 | 5
  leftFee: number
}

/** What a user has of a mini program's coins (代币) in one environment. */
export interface Wallet {
  bought: number
  given: number
  sumSave: number
  sumPresent: number
  sumCost: number
  /** Coin payments and gifts by their order number, and how much of a payment is not yet returned. */
  readonly done: Map<string, { readonly kind: 'pay' | 'cancel' | 'present'; left: number }>
}

/** The shops of all mini programs, and who owns what in them. */
export interface Shops {
  of(app: FakeWeChatApp): FakeWeChatShop & {
    readonly goods: Map<string, number>
    /** Paid orders, by environment and number. */
    readonly orders: Map<string, Order>
  }
  walletOf(user: User, env: Env): Wallet
  pay(order: Omit<Order, 'wxOrderId' | 'paidAt' | 'status' | 'leftFee'>): Order
  /** Whether this is the payment signature of the environment. */
  isPaySig(app: FakeWeChatApp, env: Env, signed: string, given: unknown): boolean
  /** Whether this is the user's signature; `undefined` while the user has no valid session_key. */
  isSignature(user: User, text: string, given: unknown): boolean | undefined
}

export function createShops({
  sessionKeys,
  now,
}: {
  sessionKeys: SessionKeys
  now: () => number
}): Shops {
  const shops = new Map<FakeWeChatApp, ReturnType<Shops['of']>>()
  const wallets = new Map<string, Wallet>()

  function of(app: FakeWeChatApp) {
    const known = shops.get(app)
    if (known) return known
    const [appKey, sandboxAppKey] = [randomBytes(16), randomBytes(16)].map((key) =>
      key.toString('hex'),
    )
    const shop = {
      offerId: `14${randomInt(1e7, 1e8)}`,
      appKey: `${appKey}`,
      sandboxAppKey: `${sandboxAppKey}`,
      goods: new Map<string, number>(),
      orders: new Map<string, Order>(),
    }
    shops.set(app, shop)
    return shop
  }

  return {
    of,

    walletOf({ app, openid }, env) {
      const name = `${app.appId} ${openid} ${env}`
      const known = wallets.get(name)
      if (known) return known
      const wallet = {
        bought: 0,
        given: 0,
        sumSave: 0,
        sumPresent: 0,
        sumCost: 0,
        done: new Map(),
      }
      wallets.set(name, wallet)
      return wallet
    },

    pay(order) {
      const paid: Order = {
        ...order,
        wxOrderId: `WX${randomBytes(12).toString('hex')}`,
        paidAt: Math.floor(now() / 1000),
        status: 2,
        leftFee: order.fee,
      }
      of(order.user.app).orders.set(orderName(order.env, order.orderId), paid)
      return paid
    },

    isPaySig(app, env, signed, given) {
      const { appKey, sandboxAppKey } = of(app)
      return given === hmac(env === 1 ? sandboxAppKey : appKey, signed)
    },

    isSignature(user, text, given) {
      const key = sessionKeys.keyOf(user)
      return key === undefined ? undefined : given === hmac(key, text)
    },
  }
}

export const orderName = (env: Env, orderId: unknown): string => `${env} ${orderId}`

/** In lower case: WeChat refuses the same digits in upper case. */
function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex')
}

export const isEnv = (value: unknown): value is Env => value === 0 || value === 1

export const isAmount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0
