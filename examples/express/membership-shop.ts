import { type Auth, AuthError } from '@wxlogin/server'
import { requireAuth, sessionOf } from '@wxlogin/server/express'
import express, { type Router } from 'express'
import { createMemberships, membership } from './memberships.ts'

/** Virtual payment (虚拟支付), as the WeChat console has it. */
export interface PaymentOptions {
  readonly offerId: string
  readonly appKey: string
  /** 0 is live, 1 the sandbox. */
  readonly env: 0 | 1
  /** Token and EncodingAESKey of the message push (消息推送). */
  readonly token: string
  readonly encodingAesKey: string
}

/** From the tap to the goods: an order that is signed, and two ways to learn that it is paid. */
export function createMembershipShop({
  auth,
  payment: { offerId, appKey, env, token, encodingAesKey },
  now,
}: {
  readonly auth: Auth
  readonly payment: PaymentOptions
  readonly now?: (() => number) | undefined
}): Router {
  const shop = express.Router()
  const memberships = createMemberships(now ? { now } : {})
  const payments = auth.wechat().virtualPayment({ appKey, env })

  // The phone sends a fresh code with the order: its key signs, whatever has happened to the key of the login.
  shop.post('/membership', requireAuth(auth), express.json(), async (req, res) => {
    const session = sessionOf(req, auth)
    // After an order that ended in doubt the client asks again; it may have been paid.
    if (req.body?.errCode !== undefined && (await grantPaid(session.userId, 0)) > 0) {
      res.json({})
      return
    }
    const { openid } = await auth.sessions.account(session)
    const order = memberships.open(session.userId, openid)
    const request = await auth.virtualPayment({
      session,
      code: req.body?.code ?? '',
      appKey,
      mode: 'short_series_goods',
      data: {
        offerId,
        env,
        buyQuantity: 1,
        productId: membership.productId,
        goodsPrice: membership.price,
        outTradeNo: order.id,
      },
    })
    res.json(request)
  })

  // WeChat tells here what was paid, more than once if need be. What the order says is granted, not what is told.
  shop.all('/wechat/push', async (req, res) => {
    const { response } = await payments.notification(req, {
      token,
      encodingAesKey,
      onPayment(event) {
        if (event.type === 'goods') memberships.grant(event.outTradeNo)
        if (event.type === 'refund' && event.isRefunded) memberships.takeBack(event.outTradeNo)
      },
    })
    res.status(response.status).set(response.headers).send(response.body)
  })

  // Whoever waits for a membership asks here. A notification has 10 seconds to come; then WeChat is asked.
  shop.get('/membership', requireAuth(auth), async (req, res) => {
    const { userId } = sessionOf(req, auth)
    await grantPaid(userId, 10_000)
    res.json({ years: memberships.yearsOf(userId) })
  })

  /** Grants what WeChat says was paid, whether or not it has told. Returns how many. */
  async function grantPaid(userId: string, waitedMs: number): Promise<number> {
    let granted = 0
    for (const { id, openid } of memberships.openOf(userId, { waitedMs })) {
      const order = await payments.queryOrder({ openid, order_id: id }).catch(unlessUnknown)
      if (!order?.isPaid || !memberships.grant(id)) continue
      await payments.notifyProvideGoods({ order_id: id })
      granted += 1
    }
    return granted
  }

  return shop
}

/** An order that nobody has paid for is not known to WeChat; anything else that goes wrong is told. */
function unlessUnknown(error: unknown): undefined {
  if (error instanceof AuthError && error.code === 'invalid_request') return undefined
  throw error
}
