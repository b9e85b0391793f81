import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  type Auth,
  AuthError,
  type AuthEvent,
  createAuth,
  createMemoryStore,
} from '@wxlogin/server'
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/node'
import type { FakeWeChatApp } from '@wxlogin/server/testing'
import type { Customers } from './customers.js'

export interface BuiltInBackendOptions {
  readonly apps: readonly FakeWeChatApp[]
  readonly wechatUrl: string
  readonly authPath: string
  readonly customers: Customers
  readonly now: () => number
  readonly onEvent: (event: AuthEvent) => void
}

/** A session as the page lists it. */
export interface ListedSession {
  readonly id: string
  readonly userId: string
  readonly user: string
  readonly method: string
  readonly device?: string
  readonly createdAt: number
  readonly lastRefreshAt: number
}

/** The backend of those who have none yet. */
export interface BuiltInBackend {
  readonly server: Server
  sessions(): Promise<readonly ListedSession[]>
  /** Returns how many were revoked. */
  revoke(userId: string): Promise<number>
  close(): Promise<void>
}

const shop = [
  { title: '拿铁 Latte', price: 28, memberPrice: 24 },
  { title: '美式 Americano', price: 22, memberPrice: 18 },
]

/** The example's routes on plain `node:http`, with sessions in memory. */
export function createBuiltInBackend({
  apps,
  wechatUrl,
  authPath,
  customers,
  now,
  onEvent,
}: BuiltInBackendOptions): BuiltInBackend {
  const auth = createAuth({
    apps,
    secret: randomBytes(48).toString('base64url'),
    wechatHosts: [wechatUrl],
    store: createMemoryStore({ now }),
    // A sandbox shows a revocation at once.
    revocation: 'immediate',
    now,
    onEvent,
    onLogin: ({ appId, openid }) => {
      const { id, name } = customers.upsert(appId, openid)
      return { userId: id, data: { name } }
    },
    onPhoneNumber: ({ phoneNumber, countryCode, session }) => {
      const { id, name } = customers.ownerOf(`+${countryCode} ${phoneNumber}`, session.userId)
      return { userId: id, data: { name } }
    },
  })
  const wx = authRoutes(auth, { basePath: authPath })
  const guard = requireAuth(auth)
  const guardIfAny = requireAuth(auth, { optional: true })

  const routes: Readonly<Record<string, (req: IncomingMessage, res: ServerResponse) => unknown>> = {
    'GET /orders': (req, res) =>
      guard(req, res, () => json(res, 200, customers.ordersOf(sessionOf(req, auth).userId))),

    'GET /shop': (req, res) =>
      guardIfAny(req, res, () => {
        const isMember = maybeSessionOf(req, auth) !== undefined
        json(
          res,
          200,
          shop.map(({ memberPrice, ...item }) => (isMember ? { ...item, memberPrice } : item)),
        )
      }),

    'GET /devices': (req, res) =>
      guard(req, res, () => {
        const { userId, id } = sessionOf(req, auth)
        answer(res, () => auth.sessions.list(userId, { current: id }))
      }),

    // What `wx.getWeRunData` encrypted with the session_key.
    'POST /open-data': (req, res) =>
      guard(req, res, () => answer(res, async () => readOpenData(auth, req))),
  }

  const server = createServer((req, res) => {
    void wx(req, res, () => {
      const route = routes[`${req.method} ${(req.url ?? '').split('?')[0]}`]
      if (route) void route(req, res)
      else
        json(res, 404, {
          error: 'not_found',
          error_description: `There is no ${req.method} ${req.url} here`,
        })
    })
  })

  return {
    server,

    async sessions() {
      const lists = await Promise.all(
        customers.all().map(async ({ id, name }) => {
          const devices = await auth.sessions.list(id)
          return devices.map(({ appId: _, current: __, ...device }) => ({
            ...device,
            userId: id,
            user: name,
          }))
        }),
      )
      return lists.flat()
    },

    revoke: (userId) => auth.sessions.revoke({ userId }),
    close: () => auth.close(),
  }
}

async function readOpenData(auth: Auth, req: IncomingMessage): Promise<unknown> {
  const { encryptedData, iv } = Object(JSON.parse(await bodyOf(req)))
  const data = await auth.openData(sessionOf(req, auth), {
    encryptedData: String(encryptedData),
    iv: String(iv),
  })
  return data.stepInfoList ?? []
}

/** A file of the sandbox never comes near this. */
const maxBytes = 16 * 1024

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new AuthError('invalid_request', 'This body is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function answer(res: ServerResponse, make: () => Promise<unknown>): void {
  make().then(
    (value) => json(res, 200, value),
    (error: unknown) => {
      const { code, message, status } =
        error instanceof AuthError
          ? error
          : new AuthError('invalid_request', 'This is not what the route takes')
      json(res, status, { error: code, error_description: message })
    },
  )
}

function json(res: ServerResponse, status: number, value: unknown): void {
  res
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(value))
}
