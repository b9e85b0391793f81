// A backend on node:http that is bundled into one file. WECHAT_URL is where the emulated WeChat listens, FETCH=own brings
// a `fetch` of its own. It prints its port, and each event that is a warning.
import { createServer } from 'node:http'
import { createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/node'

const { WX_APP_ID, WX_APP_SECRET, WECHAT_URL, FETCH } = process.env
const auth = createAuth({
  apps: [{ appId: WX_APP_ID, appSecret: WX_APP_SECRET }],
  secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
  wechatHosts: [WECHAT_URL],
  ...(FETCH === 'own' && { fetch: globalThis.fetch }),
  onEvent: ({ type, warning }) => type === 'warning' && console.log(`warning ${warning}`),
})
const wx = authRoutes(auth, { basePath: '/wx' })
const guard = requireAuth(auth, { fresh: true })
const server = createServer((req, res) =>
  wx(req, res, () =>
    guard(req, res, () => {
      const { userId } = sessionOf(req, auth)
      res.end(JSON.stringify({ userId }))
    }),
  ),
)
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`))
