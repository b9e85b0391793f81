import { createHash, randomBytes } from 'node:crypto'
import { type Auth, AuthError, type TicketHolder } from '@wxlogin/server'
import express, { type Request, type Response } from 'express'
import type { createUsers } from './users.ts'
import { html, script } from './web-shop-page.ts'

interface WebShopOptions {
  auth: Auth
  users: ReturnType<typeof createUsers>
  /** Where browsers see it: what its tickets are for. */
  origin: string
}

/** Who is logged in to the web shop: nothing of the mini program's tokens is here. */
interface WebSession extends Pick<TicketHolder, 'userId' | 'sessionId'> {
  readonly endsMs: number
}

const sessionMs = 30 * 60_000
const repeatMs = 10_000

/**
 * A page for the mini program's web-view, which knows the user by a ticket and then by a cookie of its own. It stands here
 * beside the API; it may just as well be another service that calls this one to redeem its tickets.
 */
export function createWebShop({ auth, users, origin }: WebShopOptions) {
  // In memory, like the users; with several instances they belong into Redis.
  const sessions = new Map<string, WebSession>()
  const redeemed = new Map<string, { startedMs: number; session: Promise<string> }>()
  const shop = express.Router()

  /** A ticket works once, but a request may come twice: by the cookie of the same visit it gets the first result. */
  function logIn(visit: string, ticket: unknown): Promise<string> {
    dropWhatIsOver()
    const attempt = createHash('sha256').update(`${visit} ${ticket}`).digest('base64url')
    const first = redeemed.get(attempt)
    if (first && Date.now() - first.startedMs < repeatMs) return first.session
    const session = auth.tickets.redeem(ticket, { audience: origin }).then(open)
    redeemed.set(attempt, { startedMs: Date.now(), session })
    return session
  }

  function open({ userId, sessionId }: TicketHolder): string {
    // Not the name of the visit, which was there before anybody was known.
    const id = randomBytes(16).toString('base64url')
    sessions.set(id, { userId, sessionId, endsMs: Date.now() + sessionMs })
    return id
  }

  function dropWhatIsOver(): void {
    const nowMs = Date.now()
    for (const [id, { endsMs }] of sessions) if (endsMs < nowMs) sessions.delete(id)
    for (const [id, { startedMs }] of redeemed) {
      if (startedMs + repeatMs < nowMs) redeemed.delete(id)
    }
  }

  /** The user of the cookie, as long as the mini program is logged in: who signs out there is signed out here. */
  async function userOf(request: Request): Promise<string | undefined> {
    const id = cookie(request, 'web_shop') ?? ''
    const session = sessions.get(id)
    if (!session || session.endsMs < Date.now()) return undefined
    try {
      await auth.sessions.account({ id: session.sessionId, userId: session.userId })
      return session.userId
    } catch (error) {
      if (!(error instanceof AuthError) || error.code !== 'invalid_token') throw error
      sessions.delete(id)
      return undefined
    }
  }

  function setCookie(response: Response, name: string, value: string): void {
    // `lax`, for the mini program is another site from which the page is opened.
    response.cookie(name, value, {
      httpOnly: true,
      sameSite: 'lax',
      secure: origin.startsWith('https:'),
      path: '/h5',
    })
  }

  shop.use((_req, res, next) => {
    res.set({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    next()
  })

  shop.get('/', (req, res) => {
    if (!cookie(req, 'visit')) setCookie(res, 'visit', randomBytes(16).toString('base64url'))
    res.type('html').send(html)
  })

  shop.get('/page.js', (_req, res) => {
    res.type('js').send(script)
  })

  // JSON only: a form of another site cannot send that.
  shop.post('/session', express.json({ limit: '1kb' }), async (req, res) => {
    const visit = cookie(req, 'visit')
    if (!visit || !req.is('application/json')) return void res.sendStatus(400)
    try {
      setCookie(res, 'web_shop', await logIn(visit, req.body?.ticket))
      res.sendStatus(204)
    } catch (error) {
      if (!(error instanceof AuthError) || !error.expose) throw error
      res.status(error.status).json({ error: error.code, reason: error.reason })
    }
  })

  shop.get('/orders', async (req, res) => {
    const userId = await userOf(req)
    if (userId === undefined) return void res.sendStatus(401)
    res.json({ name: users.nameOf(userId), orders: users.ordersOf(userId) })
  })

  return shop
}

function cookie(request: Request, name: string): string | undefined {
  return new RegExp(`(?:^|; )${name}=([\\w-]+)`).exec(request.get('cookie') ?? '')?.[1]
}
