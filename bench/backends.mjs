// One route on Express and on Fastify, unguarded, guarded by us and guarded by others, in a process of its own: its CPU
// time is what is measured, and not that of the client.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { createAuth } from '@wxlogin/server'
import { requireAuth, sessionOf } from '@wxlogin/server/express'
import {
  requireAuth as requireOnFastify,
  sessionOf as sessionOnFastify,
} from '@wxlogin/server/fastify'
import express from 'express'

const { peers, secret, app } = JSON.parse(process.argv[2])
const fromPeers = createRequire(`${peers}/package.json`)
const importPeer = async (name) => import(pathToFileURL(fromPeers.resolve(name)).href)
const [{ expressjwt }, { default: fastify }, { default: fastifyJwt }] = await Promise.all(
  ['express-jwt', 'fastify', '@fastify/jwt'].map(importPeer),
)

const auth = createAuth({ apps: [app], secret, onEvent: () => undefined })
const orders = Array.from({ length: 10 }, (_, id) => ({ id, title: `Order ${id}` }))

const onExpress = express()
onExpress.get('/open', (_req, res) => res.json({ orders }))
onExpress.get('/wxlogin', requireAuth(auth), (req, res) =>
  res.json({ user: sessionOf(req, auth).userId, orders }),
)
onExpress.get('/express-jwt', expressjwt({ secret, algorithms: ['HS256'] }), (req, res) =>
  res.json({ user: req.auth.sub, orders }),
)
const server = createServer(onExpress).listen(0, '127.0.0.1')
await once(server, 'listening')

const onFastify = fastify()
await onFastify.register(fastifyJwt, { secret, verify: { cache: true } })
onFastify.get('/open', async () => ({ orders }))
onFastify.get('/wxlogin', { preHandler: requireOnFastify(auth) }, async (request) => ({
  user: sessionOnFastify(request, auth).userId,
  orders,
}))
onFastify.get(
  '/fastify-jwt',
  { preHandler: (request) => request.jwtVerify() },
  async (request) => ({
    user: request.user.sub,
    orders,
  }),
)
const fastifyUrl = await onFastify.listen({ port: 0, host: '127.0.0.1' })

const { access_token } = await auth.sessions.create({ account: { openid: 'person' } })
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send({ cpu: user + system })
})
process.send({
  express: `http://127.0.0.1:${server.address().port}`,
  fastify: fastifyUrl,
  own: access_token,
  foreign: onFastify.jwt.sign({ sub: 'user-1' }, { expiresIn: 3600 }),
})
