// Express 4 and 5, with express.json() before the adapter or not at all.
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/express'
import express5 from 'express'
import express4 from 'express4'
import { serve, sizeOf } from '../serve.mjs'

const startOn =
  (express, { hasParser = false } = {}) =>
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
    app.post('/upload', requireAuth(auth), (req, res, next) => {
      sizeOf(req).then((bytes) => res.json({ bytes }), next)
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
  ['Express 4', express4],
  ['Express 5', express5],
].map(([name, express]) => ({
  name,
  section: 'Express',
  start: startOn(express),
  startAfterParser: startOn(express, { hasParser: true }),
}))
