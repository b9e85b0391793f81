import { randomBytes } from 'node:crypto'
import { type Auth, AuthError, type Session, type TokenAnswer } from '@wxlogin/server'
import express, { type Request, type RequestHandler, type Response } from 'express'
import { pcPage, pcScript } from './pc-page.ts'
import type { Order } from './users.ts'

/** What a PC that was let in has: tokens that its page never sees. */
interface Pc {
  tokens: TokenAnswer
  /** Of the tokens, for the one refresh that they are for. */
  key: string
  endsMs: number
  /** Whether the one in front of the PC has seen whose account it is, and wants to go on. */
  isConfirmed: boolean
  renewal?: Promise<void>
}

interface PcNeeds {
  readonly auth: Auth
  readonly users: {
    nameOf(userId: string): string | undefined
    ordersOf(id: string): readonly Order[]
  }
  readonly now: () => number
}

/**
 * The pages of the PC, which a phone lets in (小程序扫码登录). This backend polls for the browser and keeps the tokens; the
 * browser has two cookies that no script reads.
 */
export function createPcPages({ auth, users, now }: PcNeeds): express.Router {
  const pcs = new Map<string, Pc>()

  const keep = (pc: Partial<Pc>, tokens: TokenAnswer): Pc =>
    Object.assign(pc, {
      tokens,
      key: newSecret(),
      endsMs: now() + tokens.expires_in * 1000,
      isConfirmed: pc.isConfirmed ?? false,
    })

  /** Ten requests at once renew once. */
  function renew(pc: Pc): Promise<void> {
    pc.renewal ??= auth
      .refresh({ refreshToken: pc.tokens.refresh_token, idempotencyKey: pc.key })
      .then((tokens) => void keep(pc, tokens))
      .finally(() => delete pc.renewal)
    return pc.renewal
  }

  async function sessionOn(pc: Pc): Promise<Session> {
    if (pc.endsMs - now() < 60_000) await renew(pc)
    // `fresh`: who signs out everywhere on the phone is signed out here at once.
    return auth.authenticate(`Bearer ${pc.tokens.access_token}`, { fresh: true })
  }

  const pages = express.Router()

  pages.get('/', (_req, res) => {
    res.set({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'cache-control': 'no-store',
    })
    res.type('html').send(pcPage)
  })

  pages.get('/page.js', (_req, res) => void res.type('js').send(pcScript))

  // Asks to be let in. The cookie binds the code on the screen to this browser.
  pages.post('/start', async (req, res) => {
    const asked = await auth.device.start({
      clientName: browserOf(req.get('user-agent')),
      page: `${req.protocol}://${req.get('host')}/pc`,
      // A city says more to a user: look the address up.
      place: req.ip ?? '未知',
    })
    const { bytes, type } = await auth.wechat().wxacode({
      scene: asked.scene,
      page: 'pages/let-in/let-in',
      // Until the page is published.
      checkPath: false,
    })
    res.cookie('pc_asks', `${newSecret()}.${asked.device_code}`, forThis(req, asked.expires_in))
    res.set('cache-control', 'no-store').json({
      picture: `data:${type};base64,${Buffer.from(bytes).toString('base64')}`,
      expiresIn: asked.expires_in,
      interval: asked.interval,
    })
  })

  pages.post('/poll', async (req, res) => {
    const [, key = '', deviceCode = ''] = /^([^.]+)\.(.+)$/.exec(cookieOf(req, 'pc_asks')) ?? []
    if (!deviceCode) return void res.status(410).json({ error: 'expired_token' })
    try {
      const tokens = await auth.device.poll({ deviceCode, idempotencyKey: key })
      const id = newSecret()
      pcs.set(id, keep({}, tokens))
      res.clearCookie('pc_asks', forThis(req))
      res.cookie('pc', id, forThis(req))
      res.json({})
    } catch (error) {
      answerPoll(error, res)
    }
  })

  const withSession =
    (answer: (session: Session, pc: Pc, res: Response) => void): RequestHandler =>
    async (req, res) => {
      const id = cookieOf(req, 'pc')
      const pc = pcs.get(id)
      try {
        if (!pc) throw new AuthError('invalid_token', 'This PC is not signed in')
        answer(await sessionOn(pc), pc, res)
      } catch (error) {
        const isOver = error instanceof AuthError && error.status < 500
        if (!isOver) throw error
        pcs.delete(id)
        res.clearCookie('pc', forThis(req)).status(401).json({ error: 'signed_out' })
      }
    }

  pages.get(
    '/me',
    withSession(({ userId }, { isConfirmed }, res) => {
      res.json({ name: users.nameOf(userId), isConfirmed })
    }),
  )

  // Somebody else may have let this PC into their own account: nothing happens in it before a person has looked.
  pages.post(
    '/continue',
    withSession((_session, pc, res) => {
      pc.isConfirmed = true
      res.sendStatus(204)
    }),
  )

  pages.get(
    '/orders',
    withSession(({ userId }, { isConfirmed }, res) => {
      if (isConfirmed) res.json(users.ordersOf(userId))
      else res.status(403).json({ error: 'not_confirmed' })
    }),
  )

  pages.post('/logout', async (req, res) => {
    const id = cookieOf(req, 'pc')
    const pc = pcs.get(id)
    pcs.delete(id)
    if (pc) await auth.logout({ refreshToken: pc.tokens.refresh_token, idempotencyKey: pc.key })
    res.clearCookie('pc', forThis(req)).sendStatus(204)
  })

  return pages
}

function answerPoll(error: unknown, res: Response): void {
  if (!(error instanceof AuthError) || error.status >= 500) throw error
  const isPending = error.code === 'authorization_pending' || error.code === 'slow_down'
  if (isPending) res.status(202).json({ waitSeconds: error.retryAfterSeconds })
  else res.status(410).json({ error: error.code })
}

/** No script reads it, no other site sends it. */
const forThis = (req: Request, seconds?: number) =>
  ({
    httpOnly: true,
    sameSite: 'strict',
    secure: req.secure,
    path: '/pc',
    ...(seconds !== undefined && { maxAge: seconds * 1000 }),
  }) as const

function cookieOf(req: Request, name: string): string {
  const cookies = (req.get('cookie') ?? '').split('; ')
  const found = cookies.find((cookie) => cookie.startsWith(`${name}=`))
  return found?.slice(name.length + 1) ?? ''
}

const newSecret = () => randomBytes(16).toString('base64url')

/** What the user reads on the phone: `Chrome · Windows`. */
function browserOf(userAgent = ''): string {
  const browser = ['Edg', 'Firefox', 'Chrome', 'Safari'].find((name) => userAgent.includes(name))
  const system = ['Windows', 'Mac OS', 'Linux'].find((name) => userAgent.includes(name))
  return `${browser ?? '浏览器'} · ${system ?? '未知系统'}`
}
