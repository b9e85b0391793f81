import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createHttp2Server, type Http2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { json as readJson, text as readText } from 'node:stream/consumers'
import express5 from 'express'
import express4 from 'express4'
import * as onFunction from '../../src/adapters/cloud-function.js'
import * as onExpress from '../../src/adapters/express.js'
import * as onFetch from '../../src/adapters/fetch.js'
import * as onNode from '../../src/adapters/node.js'
import type { AdapterServer, StartAdapter } from '../../src/testing/index.js'

export type Express = typeof express5

export const versions: [string, Express][] = [
  ['Express 5', express5],
  // Its types differ from those of 5, and are looked at in a test of their own.
  ['Express 4', express4 as unknown as Express],
]

/** A server on a free port of this machine. */
export async function serve(listener: RequestListener): Promise<AdapterServer> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The same, and over HTTP/2. */
async function serveBoth(listener: RequestListener): Promise<AdapterServer> {
  const { url, close } = await serve(listener)
  // Its messages have what is used of those of HTTP/1.
  const server = createHttp2Server(listener as unknown as Parameters<typeof createHttp2Server>[1])
  const sessions = new Set<Http2Session>()
  server.on('session', (session) => sessions.add(session))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url,
    http2Url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const session of sessions) session.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await close()
    },
  }
}

interface ExpressBackendOptions {
  express?: Express
  /** What stands before the routes. */
  addParser?: (app: express5.Express) => void
  adapter?: typeof onExpress
}

export const onExpressBackend =
  ({
    express = express5,
    addParser = () => undefined,
    adapter: { authRoutes, requireAuth, sessionOf, maybeSessionOf } = onExpress,
  }: ExpressBackendOptions = {}): StartAdapter =>
  async ({ auth, basePath, guarded }) => {
    const errors: unknown[] = []
    const app = express()
    const json = express.json()
    addParser(app)
    app.use(basePath, authRoutes(auth))
    for (const { path, options, answer } of guarded) {
      app.all(path, requireAuth(auth, options), json, (req, res) => {
        res.json(answer(maybeSessionOf(req, auth), req.body))
      })
    }
    app.get('/unguarded', (req, res) => {
      res.json(sessionOf(req, auth))
    })
    app.use(json, ({ method, originalUrl, body }, res) => {
      res.json({ method, url: originalUrl, body })
    })
    const onError: express5.ErrorRequestHandler = (error, _req, res, _next) => {
      // A body parser refuses with a status of its own.
      if (error.status === undefined) errors.push(error)
      res.status(error.status ?? 500).end()
    }
    app.use(onError)
    return { ...(await serve(app)), errors }
  }

export const onNodeBackend: StartAdapter = async ({ auth, basePath, guarded }) => {
  const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = onNode
  const errors: unknown[] = []
  const wx = authRoutes(auth, { basePath })
  const bodyOf = (req: IncomingMessage) => (req.method === 'POST' ? readJson(req) : undefined)
  const server = await serveBoth((req, res) => {
    const json = (value: object) =>
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const onError = (error: unknown) => {
      errors.push(error)
      res.writeHead(500).end()
    }
    const route = async () => {
      const { method, url = '/' } = req
      const { pathname } = new URL(url, 'http://localhost')
      const route = guarded.find(({ path }) => path === pathname)
      if (route) {
        return requireAuth(auth, route.options)(req, res, () => {
          const answer = async () =>
            json(route.answer(maybeSessionOf(req, auth), await bodyOf(req)))
          answer().catch(onError)
        })
      }
      if (pathname === '/unguarded') return json(sessionOf(req, auth))
      return wx(req, res, () => {
        const answer = async () => json({ method, url, body: await bodyOf(req) })
        answer().catch(onError)
      })
    }
    route().catch(onError)
  })
  return { ...server, errors }
}

export const onFetchBackend: StartAdapter = async ({ auth, basePath, guarded }) => {
  const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = onFetch
  const errors: unknown[] = []
  const wx = authRoutes(auth, { basePath })
  const route = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    const route = guarded.find(({ path }) => path === pathname)
    if (route) {
      const handler = requireAuth(
        auth,
        route.options,
      )(async (request) => {
        const body = request.method === 'POST' ? await request.json() : undefined
        return Response.json(route.answer(maybeSessionOf(request, auth), body))
      })
      return handler(request)
    }
    if (pathname === '/unguarded') return Response.json(sessionOf(request, auth))
    return wx(request)
  }
  const server = await serve(async (req, res) => {
    const response = await route(toRequest(req)).catch((error) => {
      errors.push(error)
      return new Response(null, { status: 500 })
    })
    res.writeHead(response.status, Object.fromEntries(response.headers))
    res.end(Buffer.from(await response.arrayBuffer()))
  })
  return { ...server, errors }
}

/** A cloud function, and in front of it a server that makes events of requests, as the client does. */
export const onFunctionBackend: StartAdapter = async ({ auth, basePath, guarded }) => {
  const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = onFunction
  const errors: unknown[] = []
  const wx = authRoutes(auth, { basePath })
  const main = async (event: onFunction.FunctionEvent): Promise<unknown> => {
    const [path] = (event.path ?? '').split('?')
    const route = guarded.find((one) => one.path === path)
    if (route) {
      return requireAuth(
        auth,
        route.options,
      )((event: onFunction.FunctionEvent) => route.answer(maybeSessionOf(event, auth), event.data))(
        event,
      )
    }
    if (path === '/unguarded') return sessionOf(event, auth)
    return wx(event)
  }
  const server = await serve(async (req, res) => {
    const header = Object.fromEntries(
      Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
    )
    const event = { method: req.method ?? '', path: req.url ?? '', header, data: await dataOf(req) }
    // Both are JSON on their way.
    const result = await main(JSON.parse(JSON.stringify(event)))
      .then((result) => JSON.parse(JSON.stringify(result)))
      .catch((error) => {
        errors.push(error)
        return { statusCode: 500, header: {}, data: '' }
      })
    const { statusCode = 200, header: headers = {}, data = result } = result
    res.writeHead(statusCode, { 'content-type': 'application/json', ...headers })
    res.end(data === '' ? undefined : JSON.stringify(data))
  })
  return { ...server, errors }
}

/** What `wx.request` would have been given: what is JSON as such, and anything else as text. */
async function dataOf(req: IncomingMessage): Promise<unknown> {
  // One that broke off has nobody to answer to.
  const text = await readText(req).catch(() => '')
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

/** What a framework that speaks `Request` makes of a request of `node:http`. */
function toRequest(req: IncomingMessage): Request {
  const hasBody = req.method !== 'GET' && req.method !== 'HEAD'
  return new Request(new URL(req.url ?? '/', `http://${req.headers.host}`), {
    method: req.method ?? 'GET',
    headers: Object.entries(req.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]),
    ...(hasBody && { body: Readable.toWeb(req) as ReadableStream<Uint8Array>, duplex: 'half' }),
  })
}
