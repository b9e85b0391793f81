// Express 5, with express.json() before the adapter or not at all.
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/express'
import express from 'express'
import { serve, sizeOf } from '../serve.mjs'

const startOn =
  ({ hasParser = false } = {}) =>
  async ({ auth, basePath, guarded }) => {
    const errors = []
    const app = express()
    const json = express.json()
    // As many backends do: what goes through here is wrapped.
    app.use((req, res, next) => {
      const plain = res.json.bind(res)
      if (req.get('x-wrap')) res.json = (data) => plain({ code: 0, data })
      next()
    })
    if (hasParser) app.use(json)
    app.use(basePath, authRoutes(auth))
    for (const { path, options, answer } of guarded) {
      app.all(path, requireAuth(auth, options), json, (req, res) => {
        res.json(answer(maybeSessionOf(req, auth), req.body))
      })
    }
    app.post('/upload', requireAuth(auth), async (req, res) => {
      res.json({ bytes: await sizeOf(req) })
    })
    app.get('/unguarded', (req, res) => {
      res.json(sessionOf(req, auth))
    })
    app.use(json, ({ method, originalUrl, body }, res) => {
      res.json({ method, url: originalUrl, body })
    })
    app.use((error, _req, res, _next) => {
      if (error.status === undefined) errors.push(error)
      res.status(error.status ?? 500).end()
    })
    return { ...(await serve(app)), errors }
  }

export const variants = [
  {
    name: 'Express 5',
    section: 'Express',
    start: startOn(),
    startAfterParser: startOn({ hasParser: true }),
  },
]
