import { randomBytes, randomInt } from 'node:crypto'
import { type Answer, refusal, succeeded } from './answers.js'
import type { FakeWeChatApp, FakeWeChatAppChoice, People, User } from './people.js'
import type { FakeWeChatRequest } from './transports.js'

const askableMs = 5 * 60 * 1000

/** The two ids of an order: WeChat's own, and the shop's. */
export interface FakeWeChatPayment {
  readonly transactionId: string
  readonly mchId: string
  readonly outTradeNo: string
}

/** Payments, and `GET /wxa/getpaidunionid`. */
export interface FakeWeChatPayments {
  /**
   * The person pays in the mini program, which makes the unionid known to `getpaidunionid` for 5 minutes.
   * What is left out of the order is made up.
   */
  payFor(
    person: string,
    order?: FakeWeChatAppChoice & Partial<FakeWeChatPayment>,
  ): FakeWeChatPayment
}

interface Paid extends FakeWeChatPayment {
  readonly user: User
  readonly paidAtMs: number
}

export function createPayments({ people, now }: { people: People; now: () => number }) {
  const payments: Paid[] = []

  const methods: FakeWeChatPayments = {
    payFor(
      person,
      {
        transactionId = `42000${digits(23)}`,
        mchId = `19${digits(8)}`,
        outTradeNo = randomBytes(16).toString('hex'),
        ...choice
      } = {},
    ) {
      const payment = { transactionId, mchId, outTradeNo }
      payments.push({ ...payment, user: people.userOf(person, choice), paidAtMs: now() })
      return payment
    },
  }

  function getpaidunionid({ query }: FakeWeChatRequest, app: FakeWeChatApp): Answer {
    const user = people.find(app, query.openid)
    if (!user) return refusal(40003)
    if (user.unionid === undefined) return refusal(89002)
    const isPaid = payments.some(
      (payment) =>
        payment.user === user && payment.paidAtMs + askableMs > now() && isNamed(payment, query),
    )
    return isPaid ? { unionid: user.unionid, ...succeeded } : refusal(89300)
  }

  return { methods, endpoints: { 'GET /wxa/getpaidunionid': getpaidunionid } }
}

function isNamed(
  { transactionId, mchId, outTradeNo }: FakeWeChatPayment,
  query: FakeWeChatRequest['query'],
): boolean {
  if (query.transaction_id) return query.transaction_id === transactionId
  return query.mch_id === mchId && query.out_trade_no === outTradeNo
}

function digits(length: number): string {
  return Array.from({ length }, () => randomInt(10)).join('')
}
