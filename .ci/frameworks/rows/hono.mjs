// Hono 4 on Node, with something that reads each body before the adapter or not at all.
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/hono'
import { Hono } from 'hono'
import { expectUncalledToFail } from '../uncalled.mjs'

const startOn =
  ({ hasParser = false, isNamed = false } = {}) =>
  async ({ auth, basePath, guarded }) => {
    const errors = []
    const app = new Hono()
    app.onError((error, c) => {
      errors.push(error)
      return c.body(null, 500)
    })
    // As many backends do: what goes through here is wrapped. The login routes stand in front of it.
    const bodyOf = (c) => (c.req.method === 'POST' ? c.req.json() : undefined)
    if (hasParser) {
      app.use(async (c, next) => {
        if (/json/.test(c.req.header('content-type'))) await c.req.json().catch(() => undefined)
        return next()
      })
    }
    if (isNamed) app.use(authRoutes(auth, { basePath, getConnInfo }))
    else app.use(`${basePath}/*`, authRoutes(auth, { getConnInfo }))
    app.use(async (c, next) => {
      await next()
      if (c.req.header('x-wrap') && c.res.ok) {
        c.res = Response.json({ code: 0, data: await c.res.json() })
      }
    })
    for (const { path, options, answer } of guarded) {
      app.all(path, requireAuth(auth, options), async (c) => {
        const session = maybeSessionOf(c, auth)
        if (c.var.session !== session) throw new Error('c.var.session is another one')
        return c.json(answer(session, await bodyOf(c)))
      })
    }
    app.post('/upload', requireAuth(auth), async (c) =>
      c.json({ bytes: (await c.req.arrayBuffer()).byteLength }),
    )
    app.get('/unguarded', (c) => c.json(sessionOf(c, auth)))
    app.all('*', async (c) => {
      const { pathname, search } = new URL(c.req.url)
      return c.json({ method: c.req.method, url: pathname + search, body: await bodyOf(c) })
    })
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
    await new Promise((resolve) => server.once('listening', resolve))
    return {
      url: `http://127.0.0.1:${server.address().port}`,
      errors,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    }
  }

const told = { hasConnection: false }

export const variants = [
  {
    name: 'Hono 4',
    section: 'Hono',
    start: startOn(),
    startAfterParser: startOn({ hasParser: true }),
    told,
  },
  { name: 'Hono 4, basePath', section: 'Hono', start: startOn({ isNamed: true }), told },
]

export const extras = {
  'a guard that nobody called answers': () =>
    expectUncalledToFail(async () => {
      const errors = []
      const app = new Hono()
      app.onError((error, c) => {
        errors.push(error)
        return c.body(null, 500)
      })
      app.get('/', requireAuth, (c) => c.text('in'))
      const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
      await new Promise((resolve) => server.once('listening', resolve))
      const close = () => new Promise((resolve) => server.close(resolve))
      return { url: `http://127.0.0.1:${server.address().port}`, errors, close }
    }),
}
