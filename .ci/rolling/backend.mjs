// node backend.mjs: a backend on the tarball that is installed beside it, old or new. Everything that two of them share
// comes by the environment.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/node'

const { PORT, STORE_URL, WECHAT_URL, APP_ID, APP_SECRET, SECRET, PREFETCH_PATH } = process.env

const failures = []
const auth = createAuth({
  apps: [{ appId: APP_ID, appSecret: APP_SECRET }],
  secret: SECRET,
  wechatHosts: [WECHAT_URL],
  store: await openStore(STORE_URL),
  accessTtlSeconds: 60,
  deviceGrant: {},
  prefetchPath: PREFETCH_PATH,
  onLogin: ({ openid }) => ({ userId: userOf(openid), data: { isNew: false } }),
  claims: ({ userId }) => ({ role: `role of ${userId.slice(0, 8)}` }),
  onPhoneNumber: ({ phoneNumber }) =>
    phoneNumber.endsWith('9') ? { userId: `member ${phoneNumber}` } : undefined,
  onPrefetch: () => ({ orders: [] }),
  onEvent(event) {
    if (event.type === 'failure') failures.push(String(event.error?.message ?? event.code))
    if (event.type === 'failure') console.error(event.code, event.error)
  },
})

const wx = authRoutes(auth, { basePath: '/wx' })
const guard = requireAuth(auth, { fresh: true })

const own = {
  '/orders': (session) => ({ userId: session.userId, role: session.claims.role }),
  '/devices': async (session) => ({ devices: await auth.sessions.list(session.userId) }),
  '/account': (session) => auth.sessions.account(session),
  '/revoke': async ({ userId }) => ({
    revoked: await auth.sessions.revoke({ userId, reason: 'banned' }),
  }),
  '/ticket': async (session) => ({
    ticket: await auth.tickets.issue(session, { audience: 'web' }),
  }),
  '/sign': async (session) => ({ signature: await auth.sign(session, 'a text') }),
}

const server = createServer((req, res) => {
  const answer = (status, body) =>
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const { pathname, searchParams } = new URL(req.url, 'http://localhost')
  const fail = (error) => answer(error.status ?? 500, { error: error.code ?? String(error) })
  if (pathname === '/redeem') {
    auth.tickets
      .redeem(searchParams.get('ticket'), { audience: 'web' })
      .then((holder) => answer(200, holder))
      .catch(fail)
    return
  }
  const route = own[pathname]
  if (route) {
    guard(req, res, () => {
      Promise.resolve()
        .then(() => route(sessionOf(req, auth)))
        .then((body) => answer(200, body))
        .catch(fail)
    })
    return
  }
  wx(req, res, () => answer(404, { failures }))
})
server.listen(Number(PORT), '127.0.0.1')

function userOf(openid) {
  return createHash('sha256').update(openid).digest('hex').slice(0, 16)
}

async function openStore(url) {
  if (url.startsWith('redis:')) {
    const { createClient } = await import('redis')
    const { createRedisStore } = await import('@wxlogin/server/redis')
    return createRedisStore(await createClient({ url }).connect())
  }
  const { default: pg } = await import('pg')
  const { Kysely, PostgresDialect } = await import('kysely')
  const { createSqlStore } = await import('@wxlogin/server/sql')
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  const store = createSqlStore(new Kysely({ dialect: new PostgresDialect({ pool }) }), {
    dialect: 'postgresql',
  })
  await store.migrate()
  return store
}
