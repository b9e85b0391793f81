import { AuthError, type AuthOptions, createAuth } from '@wxlogin/server'
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/express'
import express, { type ErrorRequestHandler } from 'express'
import { createMembershipShop, type PaymentOptions } from './membership-shop.ts'
import { createPcPages } from './pc.ts'
import { createUsers } from './users.ts'
import { createWebShop } from './web-shop.ts'

const shop = [
  { title: '拿铁', price: 28, memberPrice: 24 },
  { title: '美式', price: 22, memberPrice: 18 },
]

/** The whole backend. What differs between machines, such as secrets and the store, comes in as options. */
export function createBackend(
  options: Omit<AuthOptions, 'onLogin' | 'onPhoneNumber' | 'onPrefetch'>,
  {
    webOrigin = 'http://127.0.0.1:3000',
    payment,
  }: { readonly webOrigin?: string; readonly payment?: PaymentOptions } = {},
) {
  const users = createUsers()

  const auth = createAuth({
    // A PC that the phone lets in.
    deviceGrant: {},
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

  // POST /wx/login, /wx/refresh, /wx/logout, /wx/phone, /wx/device… and GET /wx/{prefetchPath}/prefetch: all that WeChat
  // and the client talk to.
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

  app.use('/pc', createPcPages({ auth, users, now: options.now ?? Date.now }))

  // What lets a page of ours know the user once, without a token in its address; no other page gets one.
  app.post('/tickets', requireAuth(auth), express.json(), async (req, res) => {
    const { audience } = Object(req.body)
    if (audience !== webOrigin) return void res.sendStatus(403)
    res.json({ ticket: await auth.tickets.issue(sessionOf(req, auth), { audience }) })
  })

  // The page for the web-view, with a cookie of its own.
  app.use('/h5', createWebShop({ auth, users, origin: webOrigin }))

  // Memberships by virtual payment (虚拟支付), where the console has it.
  if (payment) app.use(createMembershipShop({ auth, payment, now: options.now }))

  app.use(answerRefusals)

  return { app, auth }
}

/** A refusal as the client understands it. */
const answerRefusals: ErrorRequestHandler = (error, _req, res, next) => {
  if (!(error instanceof AuthError) || error.status >= 500) return next(error)
  const { code, message, reason, status, headers } = error
  res.status(status).set(headers).json({ error: code, error_description: message, reason })
}
