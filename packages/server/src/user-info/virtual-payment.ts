import type { KeyRing } from '../crypto/key-ring.js'
import { seal } from '../crypto/sealed.js'
import { AuthError } from '../errors.js'
import { jsonText } from '../json-text.js'
import {
  type ArgumentRules,
  checkArguments,
  checkCredential,
  checkNames,
} from '../option-checks.js'
import { accountOf, isLive, type Session, type SessionRecord } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import { type Sessions, sessionEnded } from '../sessions/sessions.js'
import type { ServedApps } from '../wechat/apps.js'
import { checkCode } from '../wechat/code.js'
import { signPayment } from '../wechat/pay-sig.js'
import { signSession } from '../wechat/sign-session.js'
import { checkSigned, type Sign } from './sign.js'
import { keyless } from './user-keys.js'

/**
 * What is sold, as WeChat names it. In a mini game (`mode: 'goods'`) also `platform` and `zoneId`.
 * https://developers.weixin.qq.com/miniprogram/dev/api/payment/wx.requestVirtualPayment.html
 */
export interface VirtualPaymentData {
  /** From the console (虚拟支付, 基本配置). */
  readonly offerId: string
  readonly buyQuantity: number
  /** 0 is live (default), 1 the sandbox, which takes no money; each has its own AppKey. */
  readonly env?: 0 | 1
  readonly currencyType?: 'CNY'
  /** Goods only: as it is published in the console. */
  readonly productId?: string
  /** Goods only, in fen: the published price of one. */
  readonly goodsPrice?: number
  /** Goods only, in fen: a lower price of an activity. */
  readonly activitySellingPrice?: number
  /** Your order number, which WeChat takes once: 8 to 32 of `0-9 A-Z a-z _ - | * @`, not beginning with `_`. */
  readonly outTradeNo: string
  /** Comes back in the notification (default empty). */
  readonly attach?: string
  /** Where a subscription is bought at the same time. */
  readonly signContractInfo?: object
  readonly platform?: string
  readonly zoneId?: string
}

export interface VirtualPaymentInput {
  readonly session: Pick<Session, 'id' | 'userId'>
  /**
   * A fresh code of `wx.login()`, sent by the phone with the order: its key is the newest there is, so it signs. Without
   * one the key of the user's newest login signs, which WeChat may have replaced since.
   */
  readonly code?: string
  /** The AppKey (支付密钥) of the same `env`. It never leaves the server. */
  readonly appKey: string
  /** `short_series_goods` and `short_series_coin` in a mini program, `goods` in a mini game. */
  readonly mode: 'short_series_goods' | 'short_series_coin' | 'goods'
  /** Checked and written as JSON. A text is signed as it is, for fields that are not known here. */
  readonly data: VirtualPaymentData | string
}

/** The arguments of `wx.requestVirtualPayment`; `mode` is missing for `wx.requestMidasPaymentGameItem`, which has none. */
export interface VirtualPaymentArguments {
  readonly mode?: 'short_series_goods' | 'short_series_coin'
  /** The exact text that was signed: it must reach WeChat unchanged. */
  readonly signData: string
  readonly paySig: string
  readonly signature: string
}

/**
 * The arguments of `wx.requestVirtualPayment`, signed by both keys. With `code` it is exchanged first, must belong to the
 * WeChat user of the session, and gives the key, which is kept for the session. Throws `invalid_code` for a code that is
 * used, too old, or (reason `other_user`) of another user; `stale_session_key` without a code where there is no key;
 * `invalid_token` once the session has ended; and a `TypeError` for data that WeChat would refuse.
 * https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
 *
 * @example
 * const order = await orders.create(session.userId, 'vip')
 * return auth.virtualPayment({
 *   session,
 *   code,
 *   appKey,
 *   mode: 'short_series_goods',
 *   data: { offerId, buyQuantity: 1, productId: 'vip', goodsPrice: 990, outTradeNo: order.id },
 * })
 */
export type CreateVirtualPayment = (input: VirtualPaymentInput) => Promise<VirtualPaymentArguments>

export interface VirtualPaymentNeeds<Claims extends object> {
  readonly keys: KeyRing
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly apps: ServedApps
  readonly sign: Sign
  readonly now: () => number
}

export function createVirtualPayment<Claims extends object>({
  keys,
  store,
  sessions,
  apps,
  sign,
  now,
}: VirtualPaymentNeeds<Claims>): CreateVirtualPayment {
  /** The key behind a fresh code. The session keeps it, so that what is signed next is signed with it. */
  async function freshKeyOf(
    session: VirtualPaymentInput['session'],
    code: string,
  ): Promise<string> {
    checkCode(code)
    const account = accountOf(await sessions.recordOf(session))
    const app = await apps.of(account.appId)
    // Before the exchange: where two answers overtake each other, the one that was asked for later stays.
    const authenticatedAt = Math.floor(now() / 1000)
    const { openid, sessionKey } = await app.exchange(code, 'login')
    if (openid !== account.openid) {
      throw new AuthError(
        'invalid_code',
        'The code belongs to another WeChat user than the session; let the mini program log in with force, and order again',
        { reason: 'other_user' },
      )
    }
    if (sessionKey === undefined) throw keyless()
    const sealedKey = seal(keys.seal, account, sessionKey)
    const keep = (record: SessionRecord) =>
      record.authenticatedAt > authenticatedAt
        ? record
        : { ...record, version: record.version + 1, sealedKey, authenticatedAt }
    const { decision } = await store.update(session.id, (record) => {
      // It may have ended during the exchange, and what has ended holds no key.
      if (!isLive(record) || record.userId !== session.userId) return { isOver: true }
      const kept = keep(record)
      return kept === record ? {} : { record: kept }
    })
    if ('isOver' in decision) throw sessionEnded()
    return sessionKey
  }

  return async (input) => {
    checkArguments('auth.virtualPayment', input, rules)
    const { session, code, appKey, mode, data } = input
    checkCredential('appKey', appKey)
    if (!Object.hasOwn(uris, mode)) {
      throw new TypeError(`mode must be one of ${Object.keys(uris).join(', ')}`)
    }
    const signData = typeof data === 'string' ? data : textOf(mode, data)
    checkSigned('data', signData)
    const signature =
      code === undefined
        ? await sign(session, signData)
        : signSession(await freshKeyOf(session, code), signData)
    const paySig = signPayment(appKey, uris[mode], signData)
    return { ...(mode !== 'goods' && { mode }), signData, paySig, signature }
  }
}

const rules: ArgumentRules<VirtualPaymentInput> = {
  session: 'session',
  code: 'string?',
  appKey: 'string',
  mode: 'string',
  data: 'anything',
}

const uris: Readonly<Record<VirtualPaymentInput['mode'], string>> = {
  short_series_goods: 'requestVirtualPayment',
  short_series_coin: 'requestVirtualPayment',
  goods: 'requestMidasPaymentGameItem',
}

const names = {
  offerId: true,
  buyQuantity: true,
  env: true,
  currencyType: true,
  outTradeNo: true,
  attach: true,
  signContractInfo: true,
} as const
const goodsNames = {
  ...names,
  productId: true,
  goodsPrice: true,
  activitySellingPrice: true,
} as const
const gameNames = { ...goodsNames, platform: true, zoneId: true } as const

/** WeChat says of most mistakes only that there is one, and refuses a field that it does not know as well. */
function textOf(mode: VirtualPaymentInput['mode'], data: VirtualPaymentData): string {
  const isCoin = mode === 'short_series_coin'
  const isGame = mode === 'goods'
  checkNames(`data with ${mode}`, data, isCoin ? names : isGame ? gameNames : goodsNames)
  const { env = 0, currencyType = 'CNY', attach = '', ...rest } = data
  const { offerId, buyQuantity, outTradeNo, productId, goodsPrice, activitySellingPrice } = rest
  if (env !== 0 && env !== 1) throw wrong('env', '0 (live) or 1 (sandbox)')
  if (currencyType !== 'CNY') throw wrong('currencyType', "'CNY'")
  if (typeof attach !== 'string') throw wrong('attach', 'a string')
  checkText('offerId', offerId)
  checkAmount('buyQuantity', buyQuantity)
  if (typeof outTradeNo !== 'string' || !/^(?!_)[\w|*@-]{8,32}$/.test(outTradeNo)) {
    throw wrong('outTradeNo', '8 to 32 of 0-9 A-Z a-z _ - | * @, and must not begin with _')
  }
  if (!isCoin) {
    checkText('productId', productId)
    checkAmount('goodsPrice', goodsPrice)
    if (activitySellingPrice !== undefined) {
      checkAmount('activitySellingPrice', activitySellingPrice)
    }
  }
  return jsonText({ ...(isGame && { mode }), ...rest, env, currencyType, attach })
}

function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw wrong(name, 'a non-empty string')
}

function checkAmount(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || Number(value) < 1) throw wrong(name, 'a whole number from 1')
}

function wrong(name: string, rule: string): TypeError {
  return new TypeError(`data.${name} must be ${rule}`)
}
