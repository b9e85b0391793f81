// node:http, without a framework.
import { json as readJson } from 'node:stream/consumers'
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/node'
import { serve, sizeOf } from '../serve.mjs'

async function start({ auth, basePath, guarded }) {
  const errors = []
  const wx = authRoutes(auth, { basePath })
  const bodyOf = (req) => (req.method === 'POST' ? readJson(req) : undefined)

  async function route(req, res) {
    const json = (value) =>
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    // What is thrown in a handler has nobody else to catch it.
    const answering = (answer) => () => {
      answer()
        .then(json)
        .catch((error) => fail(res, error))
    }
    const { method, url } = req
    const { pathname } = new URL(url, 'http://localhost')
    const found = guarded.find(({ path }) => path === pathname)
    if (found) {
      const answer = async () => found.answer(maybeSessionOf(req, auth), await bodyOf(req))
      return requireAuth(auth, found.options)(req, res, answering(answer))
    }
    if (pathname === '/upload') {
      return requireAuth(auth)(
        req,
        res,
        answering(async () => ({ bytes: await sizeOf(req) })),
      )
    }
    if (pathname === '/unguarded') return json(sessionOf(req, auth))
    return wx(
      req,
      res,
      answering(async () => ({ method, url, body: await bodyOf(req) })),
    )
  }

  function fail(res, error) {
    errors.push(error)
    res.writeHead(500).end()
  }

  const server = await serve((req, res) => {
    route(req, res).catch((error) => fail(res, error))
  })
  return { ...server, errors }
}

export const variants = [{ name: 'node:http', section: 'node:http', start }]
