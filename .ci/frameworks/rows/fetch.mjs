// Functions of Request and Response, behind the bridge that Hono's server for Node is.
import { getRequestListener } from '@hono/node-server'
import { authRoutes, maybeSessionOf, requireAuth, sessionOf } from '@wxlogin/server/fetch'
import { serve } from '../serve.mjs'

async function start({ auth, basePath, guarded }) {
  const errors = []
  const wx = authRoutes(auth, { basePath })

  async function route(request) {
    const { pathname } = new URL(request.url)
    const found = guarded.find(({ path }) => path === pathname)
    if (found) {
      const handler = requireAuth(
        auth,
        found.options,
      )(async (request) => {
        const body = request.method === 'POST' ? await request.json() : undefined
        return Response.json(found.answer(maybeSessionOf(request, auth), body))
      })
      return handler(request)
    }
    if (pathname === '/unguarded') return Response.json(sessionOf(request, auth))
    return wx(request)
  }

  const listener = getRequestListener((request) =>
    route(request).catch((error) => {
      errors.push(error)
      return new Response(null, { status: 500 })
    }),
  )
  return { ...(await serve(listener)), errors }
}

export const variants = [
  {
    name: 'fetch',
    section: 'fetch',
    start,
    told: { hasNext: false, hasConnection: false, hasIp: false },
  },
]
