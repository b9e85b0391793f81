// What users of each framework write has types: the claims of their auth where it can be known, and no route of theirs
// is let in by a mistake.

import Router from '@koa/router'
import type { Auth } from '@wxlogin/server'
import * as onExpress from '@wxlogin/server/express'
import * as onFastify from '@wxlogin/server/fastify'
import * as onHono from '@wxlogin/server/hono'
import * as onKoa from '@wxlogin/server/koa'
import express from 'express'
import Fastify, { type FastifyPluginAsync } from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import mount from 'koa-mount'

declare const auth: Auth<{ role: string }>
const guest = { optional: true }

const koa = new Koa<onKoa.SessionState<{ role: string }>>()
koa.use(onKoa.authRoutes(auth, { basePath: '/wx' }))
koa.use(mount('/wx', onKoa.authRoutes(auth)))
koa.use(onKoa.requireAuth(auth, { allow: ({ claims }) => claims.role === 'admin' }))
koa.use((ctx) => {
  const role: string = ctx.state.session.claims.role
  const same: string = onKoa.sessionOf(ctx, auth).claims.role
  ctx.body = { role, same, id: onKoa.maybeSessionOf(ctx, auth)?.userId }
  // @ts-expect-error the request of Node is not the context
  onKoa.sessionOf(ctx.req, auth)
  // @ts-expect-error it may be undefined
  onKoa.maybeSessionOf(ctx, auth).userId
})
const router = new Router()
router.get('/:id', onKoa.requireAuth(auth), (ctx) => {
  const id: string | undefined = ctx.params.id
  ctx.body = { id, role: onKoa.sessionOf(ctx, auth).claims.role }
})
// @ts-expect-error it was not called
koa.use(onKoa.requireAuth)
// @ts-expect-error there is no such option
onKoa.requireAuth(auth, { alow: () => true })

const fastify = Fastify({ logger: true })
await fastify.register(onFastify.authRoutes(auth), { prefix: '/wx' })
fastify.get<{ Params: { id: string } }>(
  '/:id',
  { onRequest: onFastify.requireAuth(auth), preHandler: [onFastify.requireAuth(auth)] },
  async (request) => {
    const role: string = onFastify.sessionOf(request, auth).claims.role
    const id: string = request.params.id
    return { role, id, userId: request.session?.userId }
  },
)
fastify.get('/x', async (request) => {
  // @ts-expect-error not behind every route is a session
  request.session.userId
})
const plugin: FastifyPluginAsync = async (app) => {
  app.addHook('onRequest', onFastify.requireAuth(auth, guest))
  await app.register(onFastify.authRoutes(auth, { basePath: '/wx' }))
}
await fastify.register(plugin)
// @ts-expect-error it was not called
fastify.get('/y', { onRequest: onFastify.requireAuth }, async () => ({}))

const hono = new Hono()
hono.use('/wx/*', onHono.authRoutes(auth))
hono.get('/:id', onHono.requireAuth(auth), (c) => {
  const role: string = c.var.session.claims.role
  const id: string = c.req.param('id')
  return c.json({ role, id, same: onHono.sessionOf(c, auth).claims.role })
})
hono.get('/guest', onHono.requireAuth(auth, guest), (c) => {
  // @ts-expect-error it may be undefined
  c.var.session.userId
  return c.json({ userId: c.var.session?.userId })
})
const admin = new Hono<onHono.SessionEnv<{ role: string }>>()
admin.use(onHono.requireAuth(auth))
admin.get('/', (c) => c.text(c.get('session').claims.role))

const app = express()
app.use('/wx', onExpress.authRoutes(auth))
app.get('/:id', onExpress.requireAuth(auth), (req, res) => {
  const role: string = onExpress.sessionOf(req, auth).claims.role
  res.json({ role, id: req.params.id })
})
