// Fastify 5, whose parser stands behind every onRequest hook, and in front of every preHandler.

import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/fastify'
import Fastify from 'fastify'
import { sizeOf } from '../serve.mjs'
import { expectUncalledToFail } from '../uncalled.mjs'

const startOn =
  ({ hook = 'onRequest', isNested = false } = {}) =>
  async (backend) => {
    const errors = []
    const [{ url, app }, overHttp2] = await Promise.all([
      listen(backend, errors, { hook, isNested, forceCloseConnections: true }),
      listen(backend, errors, { hook, isNested, http2: true, http2SessionTimeout: 100 }),
    ])
    const close = () => Promise.all([app.close(), overHttp2.app.close()])
    return { url, http2Url: overHttp2.url, errors, close }
  }

async function listen({ auth, basePath, guarded }, errors, { hook, isNested, ...options }) {
  const app = Fastify(options)
  app.addContentTypeParser('multipart/form-data', (_request, payload, done) => done(null, payload))
  app.setErrorHandler((error, _request, reply) => {
    if (error.statusCode === undefined) errors.push(error)
    return reply.code(error.statusCode ?? 500).send()
  })
  // As many backends do: what goes through here is wrapped.
  app.addHook('preSerialization', async (request, _reply, payload) =>
    request.headers['x-wrap'] ? { code: 0, data: payload } : payload,
  )
  const [, first, rest] = /^(\/[^/]+)(.*)$/.exec(basePath)
  if (isNested) {
    await app.register(async (child) => child.register(authRoutes(auth, { basePath: rest })), {
      prefix: first,
    })
  } else await app.register(authRoutes(auth), { prefix: basePath })
  for (const { path, options, answer } of guarded) {
    app.all(path, { [hook]: requireAuth(auth, options) }, async (request) => {
      const session = maybeSessionOf(request, auth)
      if (request.session !== session) throw new Error('request.session is another one')
      return answer(session, request.body)
    })
  }
  app.post('/upload', { [hook]: requireAuth(auth) }, async ({ body }) => ({
    bytes: await sizeOf(body),
  }))
  app.get('/unguarded', async (request) => sessionOf(request, auth))
  app.setNotFoundHandler(async ({ method, url, body }) => ({ method, url, body }))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { url, app }
}

export const variants = [
  {
    name: 'Fastify 5',
    section: 'Fastify',
    start: startOn(),
    startAfterParser: startOn({ hook: 'preHandler' }),
    // The routes stand before the parser, wherever guards stand.
    toldAfterParser: {},
  },
  { name: 'Fastify 5, nested', section: 'Fastify', start: startOn({ isNested: true }) },
]

export const extras = {
  'a guard that nobody called answers': () =>
    expectUncalledToFail(async () => {
      const errors = []
      const app = Fastify()
      app.setErrorHandler((error, _request, reply) => {
        errors.push(error)
        return reply.code(500).send()
      })
      app.get('/', { onRequest: requireAuth }, async () => ({}))
      const url = await app.listen({ port: 0, host: '127.0.0.1' })
      return { url, errors, close: () => app.close() }
    }),
  'a session that another plugin has declared is left alone': async () => {
    const app = Fastify()
    app.decorateRequest('session', null)
    await app.register(authRoutes({ handle() {}, guard() {} }), { prefix: '/wx' })
    await app.ready()
    await app.close()
  },
}
