import { createBoundedMap } from '../bounded-map.js'
import { callHook } from '../hooks.js'
import { redactMembers } from '../redact.js'
import { isText } from './answer.js'
import { parseJson } from './parse-json.js'
import { signPayment } from './pay-sig.js'
import { isSame, malformed, type Push, readPush, refused, respond } from './push-message.js'
import type {
  PaymentEnv,
  PaymentEvent,
  PaymentNotification,
  PushMessage,
  VirtualPayment,
} from './virtual-payment.js'

/** Does each thing once at a time, and not again once it was done, as far as this process knows. */
export function createDeliveries(): (name: string, work: () => Promise<void>) => Promise<void> {
  const running = new Map<string, Promise<void>>()
  const done = createBoundedMap<string, true>(10_000)
  return async (name, work) => {
    if (done.get(name)) return
    const earlier = running.get(name)
    if (earlier) return earlier
    const first = work()
      .then(() => done.set(name, true))
      .finally(() => running.delete(name))
    running.set(name, first)
    return first
  }
}

interface NotificationNeeds {
  readonly appId: string
  readonly appKey: string
  readonly env: PaymentEnv
  readonly now: () => number
  readonly deliveries: ReturnType<typeof createDeliveries>
  readonly queryOrder: VirtualPayment['queryOrder']
}

/** Reads what WeChat pushes about payments. */
export function createNotification({
  appId,
  appKey,
  env,
  now,
  deliveries,
  queryOrder,
}: NotificationNeeds): VirtualPayment['notification'] {
  /** The signature of a plain push says nothing of its content: whoever has seen its address could have made it. */
  async function confirm({ type, openid, outTradeNo }: PaymentEvent): Promise<void> {
    const order = await queryOrder({ openid, order_id: outTradeNo })
    const { status, isPaid, left_fee: left, paid_fee: paid } = order
    const isReturned =
      status === 5 ||
      status === 8 ||
      (typeof left === 'number' && typeof paid === 'number' && left < paid)
    if (type === 'refund' ? isReturned : isPaid) return
    throw refused(
      'WeChat knows no such payment or refund when it is asked; it may be that it does not know it yet, or that the push is not of WeChat',
      'unconfirmed',
    )
  }

  return async (request, { token, encodingAesKey, onPayment }) => {
    const push = await readPush(request, {
      token,
      ...(encodingAesKey !== undefined && { encodingAesKey }),
      appId,
      now,
    })
    if (!('message' in push)) {
      return { event: { type: 'check' }, response: push, answer: () => push }
    }
    const { answer } = push
    const { message, isSigned } = openPayload(push, appKey)
    const isAuthentic = push.isAuthentic || isSigned
    // Of an encrypted push WeChat says only that this word will do.
    const response = push.isAuthentic
      ? respond('success', 'text/plain')
      : answer({ ErrCode: 0, ErrMsg: 'success' })
    const about: Omit<PaymentNotification, 'event'> = { response, answer }

    const event = readEvent(message)
    if (!event) {
      return { ...about, event: { type: 'other', name: textOf(message, 'Event') ?? '', message } }
    }
    // The refund of an order says nothing of its environment.
    if ('env' in event && event.env !== env) {
      return { ...about, event: { type: 'other_env', event } }
    }
    const number = event.type === 'refund' ? event.refundId : event.outTradeNo
    if (!onPayment) {
      if (!isAuthentic) await confirm(event)
      return { ...about, event }
    }
    await deliveries([event.type, env, event.openid, number].join(' '), async () => {
      if (!isAuthentic) await confirm(event)
      await callHook('onPayment', () => onPayment(event))
    })
    return { ...about, event }
  }
}

/**
 * Some pushes, those of mini games above all, carry their fields as a text with a signature under the AppKey. Where it is,
 * it has to be right.
 */
function openPayload(
  { message, isAuthentic }: Pick<Push, 'message' | 'isAuthentic'>,
  appKey: string,
): { readonly message: PushMessage; readonly isSigned: boolean } {
  const wrapper = isFields(message.MiniGame) ? message.MiniGame : message
  const { Payload: payload, PayEventSig: signature, IsMock: isMock } = wrapper
  if (typeof payload !== 'string') return { message, isSigned: false }
  const event = textOf(message, 'Event') ?? ''
  if (!isSame(signature, signPayment(appKey, event, payload))) {
    throw refused(
      'The PayEventSig of the push is wrong; compare the AppKey with that of this env in the console',
      'signature',
    )
  }
  const fields = parseJson(payload)
  if (!isFields(fields)) throw malformed()
  // The console sends mocks to try the address: nobody has paid.
  const name = isMock === undefined || Number(isMock) === 0 ? event : `mock ${event}`
  // What stands beside the text of a plain push is not signed, whatever its name.
  return { message: { ...(isAuthentic && message), ...fields, Event: name }, isSigned: true }
}

/** `undefined` for what is about no payment. */
function readEvent(message: PushMessage): PaymentEvent | undefined {
  switch (textOf(message, 'Event')) {
    case 'xpay_goods_deliver_notify':
    case 'minigame_game_pay_goods_deliver_notify': {
      const goods = fieldsOf(message, 'GoodsInfo')
      const productId = textOf(goods, 'ProductId')
      if (productId === undefined) throw malformed()
      return hidden({ type: 'goods', productId, ...readPaid(message, goods) })
    }
    case 'xpay_coin_pay_notify':
    case 'minigame_coin_pay_notify':
      return hidden({ type: 'coins', ...readPaid(message, fieldsOf(message, 'CoinInfo')) })
    case 'xpay_refund_notify': {
      const refundFee = numberOf(message, 'RefundFee')
      const refundId = textOf(message, 'MchRefundId') ?? textOf(message, 'WxRefundId')
      return hidden({
        type: 'refund',
        openid: needed(textOf(message, 'OpenId')),
        outTradeNo: needed(textOf(message, 'MchOrderId')),
        refundId: needed(refundId),
        ...(refundFee !== undefined && { refundFee }),
        isRefunded: numberOf(message, 'RetCode') === 0,
        message,
      })
    }
    default:
      return undefined
  }
}

function readPaid(message: PushMessage, info: PushMessage) {
  const pay = fieldsOf(message, 'WeChatPayInfo')
  const env = numberOf(message, 'Env')
  if (env !== 0 && env !== 1) throw malformed()
  const origPrice = numberOf(info, 'OrigPrice')
  const actualPrice = numberOf(info, 'ActualPrice')
  const transactionId = textOf(pay, 'TransactionId')
  const paidAt = numberOf(pay, 'PaidTime')
  const attach = memberOf(info, 'Attach')
  return {
    openid: needed(textOf(message, 'OpenId')),
    outTradeNo: needed(textOf(message, 'OutTradeNo')),
    env: env as PaymentEnv,
    quantity: needed(numberOf(info, 'Quantity')),
    ...(origPrice !== undefined && { origPrice }),
    ...(actualPrice !== undefined && { actualPrice }),
    attach: typeof attach === 'string' ? attach : '',
    ...(transactionId !== undefined && { transactionId }),
    ...(paidAt !== undefined && { paidAt }),
    message,
  }
}

const hidden = (event: PaymentEvent): PaymentEvent => redactMembers(event, ['openid', 'message'])

function needed<T>(value: T | undefined): T {
  if (value === undefined) throw malformed()
  return value
}

/** WeChat's pages write some names in more than one way. */
function memberOf(fields: PushMessage, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name]
  const found = Object.keys(fields).find((other) => other.toLowerCase() === name.toLowerCase())
  return found === undefined ? undefined : fields[found]
}

function fieldsOf(fields: PushMessage, name: string): PushMessage {
  const value = memberOf(fields, name)
  return isFields(value) ? value : {}
}

function textOf(fields: PushMessage, name: string): string | undefined {
  const value = memberOf(fields, name)
  return isText(value) ? value : undefined
}

/** XML has only texts. */
function numberOf(fields: PushMessage, name: string): number | undefined {
  const value = memberOf(fields, name)
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(number) ? Number(number) : undefined
}

function isFields(value: unknown): value is PushMessage {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
