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
import { mainThreadCpu } from './cpu.mjs'

const { peers, secret, app } = JSON.parse(process.argv[2])
const fromPeers = createRequire(`${peers}/package.json`)
const importPeer = async (name) => import(pathToFileURL(fromPeers.resolve(name)).href)
const [{ expressjwt }, { default: fastify }, { default: fastifyJwt }] = await Promise.all(
  ['express-jwt', 'fastify', '@fastify/jwt'].map(importPeer),
)

const auth = createAuth({ apps: [app], secret, onEvent: () => undefined })
const orders = Array.from({ length: 10 }, (_, id) => ({ id, title: `Order ${id}` }))

// Each has an app of its own, so that all are the first route, and all answer the same.
const user = 'user-1-of-the-benchmark'
async function onExpress(guards, userOf) {
  const backend = express()
  backend.get('/orders', ...guards, (req, res) => res.json({ user: userOf(req), orders }))
  const server = createServer(backend).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${server.address().port}/orders`
}
async function onFastify(preHandler, userOf) {
  const backend = fastify()
  await backend.register(fastifyJwt, { secret, verify: { cache: true } })
  backend.get('/orders', preHandler ? { preHandler } : {}, async (request) => ({
    user: userOf(request),
    orders,
  }))
  return `${await backend.listen({ port: 0, host: '127.0.0.1' })}/orders`
}
const foreign = fastify()
await foreign.register(fastifyJwt, { secret })
const urls = {
  express: {
    open: await onExpress([], () => user),
    passed: await onExpress([(_req, _res, next) => next()], () => user),
    wxlogin: await onExpress([requireAuth(auth)], (req) => sessionOf(req, auth).userId),
    expressJwt: await onExpress(
      [expressjwt({ secret, algorithms: ['HS256'] })],
      (req) => req.auth.sub,
    ),
  },
  fastify: {
    open: await onFastify(undefined, () => user),
    wxlogin: await onFastify(
      requireOnFastify(auth),
      (request) => sessionOnFastify(request, auth).userId,
    ),
    fastifyJwt: await onFastify(
      (request) => request.jwtVerify(),
      (request) => request.user.sub,
    ),
  },
}

const { access_token } = await auth.sessions.create({ account: { openid: 'person' }, userId: user })
process.on('message', () => process.send({ cpu: mainThreadCpu() }))
process.send({
  urls,
  own: access_token,
  foreign: foreign.jwt.sign({ sub: user }, { expiresIn: 3600 }),
})
