import { AuthError, type AuthOptions, createAuth } from '@wxlogin/server'
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/express'
import express, { type ErrorRequestHandler } from 'express'
import { createMemberships, membership } from './memberships.ts'
import { createUsers } from './users.ts'

const shop = [
  { title: '拿铁', price: 28, memberPrice: 24 },
  { title: '美式', price: 22, memberPrice: 18 },
]

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

/** The whole backend. What differs between machines, such as secrets and the store, comes in as options. */
export function createBackend({
  payment,
  ...options
}: Omit<AuthOptions, 'onLogin' | 'onPhoneNumber' | 'onPrefetch'> & { payment?: PaymentOptions }) {
  const users = createUsers()

  const auth = createAuth({
    ...options,
    // May run again for the same login, so it is an upsert.
    onLogin: ({ appId, openid }) => {
      const user = users.upsert(appId, openid)
      return { userId: user.id, data: { name: user.name } }
    },
    // A guest whose phone number belongs to a customer goes on as that customer.
    onPhoneNumber: ({ phoneNumber, countryCode, session }) => {
      const user = users.ownerOf(`+${countryCode} ${phoneNumber}`, session.userId)
      return { userId: user.id, data: { name: user.name } }
    },
    // The first screen, which WeChat fetches while the mini program's code loads.
    ...(options.prefetchPath && { onPrefetch: ({ session }) => users.ordersOf(session.userId) }),
  })

  const app = express()

  // POST /wx/login, /wx/refresh, /wx/logout, /wx/phone and GET /wx/{prefetchPath}/prefetch: all that WeChat and the client
  // talk to.
  app.use('/wx', authRoutes(auth))

  app.get('/orders', requireAuth(auth), (req, res) => {
    res.json(users.ordersOf(sessionOf(req, auth).userId))
  })

  // Open to everyone; who is logged in sees more.
  app.get('/shop', requireAuth(auth, { optional: true }), (req, res) => {
    const isMember = maybeSessionOf(req, auth) !== undefined
    res.json(shop.map(({ memberPrice, ...item }) => (isMember ? { ...item, memberPrice } : item)))
  })

  app.get('/devices', requireAuth(auth), async (req, res) => {
    const { userId, id } = sessionOf(req, auth)
    res.json(await auth.sessions.list(userId, { current: id }))
  })

  // `fresh` reads the store, so a device that was signed out itself can no longer sign out others.
  app.delete('/devices/:id', requireAuth(auth, { fresh: true }), async (req, res) => {
    const { userId } = sessionOf(req, auth)
    const ended = await auth.sessions.revoke({ userId, sessionId: String(req.params.id) })
    res.sendStatus(ended === 1 ? 204 : 404)
  })

  if (payment) sellMemberships(payment)
  app.use(answerRefusals)

  /** From the tap to the goods: an order that is signed, and two ways to learn that it is paid. */
  function sellMemberships({ offerId, appKey, env, token, encodingAesKey }: PaymentOptions): void {
    const memberships = createMemberships(options)
    const payments = auth.wechat().virtualPayment({ appKey, env })

    // The phone sends a fresh code with the order: its key signs, whatever has happened to the key of the login.
    app.post('/membership', requireAuth(auth), express.json(), async (req, res) => {
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
    app.all('/wechat/push', async (req, res) => {
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
    app.get('/membership', requireAuth(auth), async (req, res) => {
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
  }

  return { app, auth }
}

/** A refusal as the client understands it. */
const answerRefusals: ErrorRequestHandler = (error, _req, res, next) => {
  if (!(error instanceof AuthError) || error.status >= 500) return next(error)
  const { code, message, reason, status, headers } = error
  res.status(status).set(headers).json({ error: code, error_description: message, reason })
}

/** An order that nobody has paid for is not known to WeChat; anything else that goes wrong is told. */
function unlessUnknown(error: unknown): undefined {
  if (error instanceof AuthError && error.code === 'invalid_request') return undefined
  throw error
}
