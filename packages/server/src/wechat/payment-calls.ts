import { AuthError } from '../errors.js'
import { redactMembers } from '../redact.js'
import type { Session } from '../session.js'
import { isText, type WeChatAnswer } from './answer.js'
import { unavailable } from './http-client.js'
import { signPayment } from './pay-sig.js'
import { gameErrcodes, paymentErrcodes, signedPaymentErrcodes } from './payment-errcodes.js'
import { createDeliveries, createNotification } from './payment-notification.js'
import type { SessionKeyInput } from './session-key.js'
import { signSession } from './sign-session.js'
import type { WeChatRequest } from './transport.js'
import type {
  CoinsMoved,
  PaymentEnv,
  PaymentOrder,
  PaymentUser,
  Refund,
  SigningUser,
  UserBalance,
  VirtualPayment,
  VirtualPaymentOptions,
} from './virtual-payment.js'

export interface PaymentNeeds {
  readonly appId: string
  readonly send: <Result>(request: WeChatRequest<Result>) => Promise<Result>
  readonly checkSessionKey: (user: SessionKeyInput) => Promise<boolean>
  /** The user of a session of `auth`, and the newest key. */
  readonly userOf:
    | ((session: Pick<Session, 'id' | 'userId'>) => Promise<SessionKeyInput>)
    | undefined
  readonly now: () => number
}

type User = { readonly openid: string; readonly sessionKey?: string | undefined }

interface Call<Result> {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  readonly user?: User | undefined
  /** The same call again does nothing more, so it may be sent again. */
  readonly isRepeatable?: boolean
  readonly succeededBefore?: readonly number[]
  readonly read: (answer: WeChatAnswer) => Result
}

const wrongSignature = 268490003
const repeated = 268490004
const returnedBefore = 268490005

/** What a mini program's payments have in common, whatever AppKey they use. */
export function createPayments(
  needs: PaymentNeeds,
): (options: VirtualPaymentOptions) => VirtualPayment {
  const deliveries = createDeliveries()
  return ({ appKey, env = 0 }) => createPayment({ ...needs, deliveries, appKey, env })
}

function createPayment({
  appId,
  send,
  checkSessionKey,
  userOf,
  now,
  deliveries,
  appKey,
  env,
}: PaymentNeeds & {
  readonly deliveries: ReturnType<typeof createDeliveries>
  readonly appKey: string
  readonly env: PaymentEnv
}): VirtualPayment {
  async function findUser(given: PaymentUser | SigningUser): Promise<User> {
    if (!('session' in given)) {
      if (!isText(given.openid)) throw new TypeError('openid must be a non-empty string')
      return given
    }
    if (!userOf) {
      throw new TypeError('session is for auth.wechat(); give createWeChat openid and sessionKey')
    }
    return userOf(given.session)
  }

  async function findSigner(given: SigningUser): Promise<User> {
    const user = await findUser(given)
    if (isText(user.sessionKey)) return user
    throw new TypeError('This call needs a session, or openid and sessionKey: the user signs it')
  }

  async function post<Result>({
    path,
    body,
    user,
    isRepeatable,
    succeededBefore,
    read,
  }: Call<Result>) {
    const isGame = path.startsWith('/wxa/game/')
    const sessionKey = user?.sessionKey
    const text = JSON.stringify(body)
    try {
      return await send({
        endpoint: path as `/${string}`,
        group: 'payment',
        appId,
        method: 'POST',
        path,
        query: {
          pay_sig: signPayment(appKey, path, text),
          ...(sessionKey !== undefined && { signature: signSession(sessionKey, text) }),
          ...(isGame && { sig_method: 'hmac_sha256' }),
        },
        body,
        text,
        isRepeatable: isRepeatable ?? false,
        errcodes: isGame
          ? gameErrcodes
          : sessionKey === undefined
            ? paymentErrcodes
            : signedPaymentErrcodes,
        succeededBefore: isGame ? [] : [repeated, ...(succeededBefore ?? [])],
        unknownErrcode: 'server_error',
        read,
      })
    } catch (error) {
      // WeChat has one number for both signatures here. If the key is the right one, it is the AppKey that is wrong.
      const isEither = error instanceof AuthError && error.errcode === wrongSignature
      if (!isEither || !user || sessionKey === undefined) throw error
      if (!(await checkSessionKey({ openid: user.openid, sessionKey }))) throw error
      const { code = error.code, hint = error.message } = paymentErrcodes.get(wrongSignature) ?? {}
      const { rid } = error
      throw new AuthError(code, hint, {
        cause: error,
        errcode: wrongSignature,
        ...(rid !== undefined && { rid }),
      })
    }
  }

  /** What is left of the input is the body. */
  function fieldsOf(input: object): Readonly<Record<string, unknown>> {
    const {
      session: _,
      openid: __,
      sessionKey: ___,
      ...fields
    }: Record<string, unknown> = { ...input }
    return { env, ...fields }
  }

  async function moveCoins(
    path: string,
    user: User,
    input: { readonly order_id: string },
    succeededBefore: readonly number[] = [],
  ): Promise<CoinsMoved> {
    return post({
      path,
      user,
      body: { openid: user.openid, ...fieldsOf(input) },
      isRepeatable: true,
      succeededBefore,
      read: ({ errcode, balance, present_balance, used_present_amount }) => ({
        order_id: input.order_id,
        isRepeated: errcode !== undefined && Number(errcode) !== 0,
        ...numbersIn({ balance, present_balance, used_present_amount }),
      }),
    })
  }

  async function queryOrder(
    input: Parameters<VirtualPayment['queryOrder']>[0],
  ): Promise<PaymentOrder> {
    const user = await findUser(input)
    return post({
      path: '/xpay/query_order',
      user,
      body: { openid: user.openid, ...fieldsOf(input) },
      isRepeatable: true,
      read: ({ order }) => readOrder(order, input, env),
    })
  }

  return {
    async queryUserBalance(input) {
      const user = await findSigner(input)
      return post({
        path: '/xpay/query_user_balance',
        user,
        body: { openid: user.openid, ...fieldsOf(input) },
        isRepeatable: true,
        read: readBalance,
      })
    },

    currencyPay: async (input) => moveCoins('/xpay/currency_pay', await findSigner(input), input),

    cancelCurrencyPay: async (input) =>
      moveCoins('/xpay/cancel_currency_pay', await findSigner(input), input, [returnedBefore]),

    presentCurrency: async (input) =>
      moveCoins('/xpay/present_currency', await findUser(input), input),

    queryOrder,

    async refundOrder(input) {
      const user = await findUser(input)
      return post({
        path: '/xpay/refund_order',
        user,
        body: { openid: user.openid, ...fieldsOf(input) },
        read: (answer): Refund => ({
          refund_order_id: input.refund_order_id,
          ...textsIn(answer, ['refund_wx_order_id', 'pay_order_id', 'pay_wx_order_id']),
        }),
      })
    },

    async notifyProvideGoods(input) {
      return post({
        path: '/xpay/notify_provide_goods',
        body: fieldsOf(input),
        isRepeatable: true,
        read: () => undefined,
      })
    },

    async queryBizBalance() {
      return post({
        path: '/xpay/query_biz_balance',
        body: { env },
        isRepeatable: true,
        read: (answer) => answer,
      })
    },

    async call(path, { body = {}, user: given } = {}) {
      if (!/^\/(xpay|wxa\/game)\/[a-z_]{1,64}$/.test(path)) {
        throw new TypeError("path must be that of a payment call: '/xpay/…' or '/wxa/game/…'")
      }
      if (typeof body !== 'object' || body === null) throw new TypeError('body must be an object')
      const user = given && (await findSigner(given))
      return post({
        path,
        user,
        body: { ...(user && { openid: user.openid }), ...body },
        read: (answer) => answer,
      })
    },

    notification: createNotification({ appId, appKey, env, now, deliveries, queryOrder }),
  }
}

function readBalance(answer: WeChatAnswer): UserBalance {
  const { balance, present_balance, sum_save, sum_present, sum_balance, sum_cost } = answer
  const numbers = { balance, present_balance, sum_save, sum_present, sum_balance, sum_cost }
  const { first_save_flag } = answer
  if (!isAmount(balance)) throw unavailable('WeChat answered without a balance')
  const none = { present_balance: 0, sum_save: 0, sum_present: 0, sum_balance: 0, sum_cost: 0 }
  return {
    ...none,
    ...numbersIn(numbers),
    balance,
    first_save_flag: Number(first_save_flag === 1 || first_save_flag === true),
  }
}

const paidStatuses: readonly unknown[] = [2, 3, 4]

function readOrder(
  order: unknown,
  asked: { readonly order_id?: string; readonly wx_order_id?: string },
  env: PaymentEnv,
): PaymentOrder {
  const found: Record<string, unknown> = typeof order === 'object' && order ? { ...order } : {}
  const { order_id, wx_order_id, status, env_type } = found
  if (!isAmount(status) || !isAmount(env_type) || !isText(order_id)) {
    throw unavailable('WeChat answered without an order, its number, status or environment')
  }
  const isAnother =
    asked.order_id === undefined ? wx_order_id !== asked.wx_order_id : order_id !== asked.order_id
  if (isAnother) throw unavailable('WeChat answered with another order than was asked for')
  return redactMembers(
    {
      ...found,
      order_id,
      wx_order_id: typeof wx_order_id === 'string' ? wx_order_id : '',
      status,
      env_type,
      isPaid: paidStatuses.includes(status) && env_type === env + 1,
    },
    ['openid', 'token'],
  )
}

const isAmount = (value: unknown): value is number => Number.isSafeInteger(value)

function numbersIn<Name extends string>(
  values: Readonly<Record<Name, unknown>>,
): { [name in Name]?: number } {
  const found: { [name in Name]?: number } = {}
  for (const name of Object.keys(values) as Name[]) {
    const value = values[name]
    if (isAmount(value)) found[name] = value
  }
  return found
}

function textsIn<Name extends string>(
  answer: WeChatAnswer,
  names: readonly Name[],
): { [name in Name]?: string } {
  const found: { [name in Name]?: string } = {}
  for (const name of names) {
    const value = answer[name]
    if (typeof value === 'string') found[name] = value
  }
  return found
}
