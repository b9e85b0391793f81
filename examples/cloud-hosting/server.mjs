import { createServer } from 'node:http'
import { createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/node'
import { createRedisStore } from '@wxlogin/server/redis'
import { Redis } from 'ioredis'

const { WX_APP_ID, WXLOGIN_SECRET, REDIS_URL, PORT = '80' } = process.env

const auth = createAuth({
  // No AppSecret: the gateway says who calls, so no code is exchanged.
  apps: [{ appId: WX_APP_ID, appSecret: false }],
  secret: WXLOGIN_SECRET,
  // Only with public access (公网访问) turned off: otherwise anybody can write the gateway's headers.
  cloudHosting: { public: false },
  // Containers come and go. Without a store that they share, each forgets the sessions of the others.
  ...(REDIS_URL && { store: createRedisStore(new Redis(REDIS_URL)) }),
})

const wx = authRoutes(auth, { basePath: '/wx' })
const guard = requireAuth(auth)

const server = createServer((req, res) => {
  const json = (status, value) =>
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

  wx(req, res, () => {
    if (req.url === '/health') return json(200, { ok: true })
    if (req.url !== '/me') return json(404, { error: 'not_found' })
    guard(req, res, () => json(200, { userId: sessionOf(req, auth).userId }))
  })
})

server.listen(Number(PORT))

process.on('SIGTERM', () => {
  server.close(() => process.exit())
  server.closeIdleConnections()
})
