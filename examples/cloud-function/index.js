const cloud = require('wx-server-sdk')
const { createAuth } = require('@wxlogin/server')
const { authRoutes, requireAuth, sessionOf } = require('@wxlogin/server/cloud-function')
const { createRedisStore } = require('@wxlogin/server/redis')
const { Redis } = require('ioredis')

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV })

const { WX_APP_ID, WXLOGIN_SECRET, REDIS_URL } = process.env

const auth = createAuth({
  // No AppSecret: the platform says who calls, so no code is exchanged.
  apps: [{ appId: WX_APP_ID, appSecret: false }],
  secret: WXLOGIN_SECRET,
  cloudFunction: { getWXContext: () => cloud.getWXContext() },
  // Instances come and go. Without a store that they share, each forgets the sessions of the others.
  ...(REDIS_URL && { store: createRedisStore(new Redis(REDIS_URL)) }),
})

const wx = authRoutes(auth, { basePath: '/wx' })

const routes = new Map([
  ['/me', requireAuth(auth)((event) => ({ userId: sessionOf(event, auth).userId }))],
  [
    '/orders',
    requireAuth(auth)((event) => ({ orders: [`an order of ${sessionOf(event, auth).userId}`] })),
  ],
])

const notFound = { statusCode: 404, header: {}, data: { error: 'not_found' } }

exports.main = async (event) => {
  const [path] = String(event.path).split('?')
  if (path.startsWith('/wx/')) return wx(event)
  return routes.get(path)?.(event) ?? notFound
}
