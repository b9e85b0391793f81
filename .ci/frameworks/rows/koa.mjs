// Koa 2 and 3, with koa-bodyparser before the adapter or not at all, and with koa-mount.
import { json as readJson } from 'node:stream/consumers'
import Router from '@koa/router'
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/koa'
import Koa3 from 'koa'
import bodyParser from 'koa-bodyparser'
import mount from 'koa-mount'
import Koa2 from 'koa2'
import { serve, serveBoth, sizeOf } from '../serve.mjs'
import { expectUncalledToFail } from '../uncalled.mjs'

const startOn =
  (Koa, { hasParser = false, isMounted = false } = {}) =>
  async ({ auth, basePath, guarded }) => {
    const errors = []
    const app = new Koa()
    app.silent = true
    app.on('error', (error) => error.status === undefined && errors.push(error))
    // As many backends do: what goes through here is wrapped.
    app.use(async (ctx, next) => {
      await next()
      if (ctx.get('x-wrap')) ctx.body = { code: 0, data: ctx.body }
    })
    const bodyOf = async (ctx) =>
      hasParser ? ctx.request.body : ctx.method === 'POST' ? readJson(ctx.req) : undefined
    if (hasParser) app.use(bodyParser())
    app.use(isMounted ? mount(basePath, authRoutes(auth)) : authRoutes(auth, { basePath }))
    const router = new Router()
    for (const { path, options, answer } of guarded) {
      router.all(path, requireAuth(auth, options), async (ctx) => {
        const session = maybeSessionOf(ctx, auth)
        if (ctx.state.session !== session) throw new Error('ctx.state.session is another one')
        ctx.body = answer(session, await bodyOf(ctx))
      })
    }
    router.post('/upload', requireAuth(auth), async (ctx) => {
      ctx.body = { bytes: await sizeOf(ctx.req) }
    })
    router.get('/unguarded', (ctx) => {
      ctx.body = sessionOf(ctx, auth)
    })
    app.use(router.routes())
    app.use(async (ctx) => {
      ctx.body = { method: ctx.method, url: ctx.originalUrl, body: await bodyOf(ctx) }
    })
    return { ...(await serveBoth(app.callback())), errors }
  }

export const variants = [
  ['Koa 2', Koa2],
  ['Koa 3', Koa3],
].flatMap(([name, Koa]) => [
  {
    name,
    section: 'Koa',
    start: startOn(Koa),
    startAfterParser: startOn(Koa, { hasParser: true }),
  },
  { name: `${name}, koa-mount`, section: 'Koa', start: startOn(Koa, { isMounted: true }) },
])

export const extras = {
  'a guard that nobody called answers': () =>
    expectUncalledToFail(async () => {
      const errors = []
      const app = new Koa3()
      app.on('error', (error) => errors.push(error))
      app.use(requireAuth)
      return { ...(await serve(app.callback())), errors }
    }),
}
