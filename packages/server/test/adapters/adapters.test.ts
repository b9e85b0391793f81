import { existsSync } from 'node:fs'
import { request } from 'node:http'
import express5 from 'express'
import express4 from 'express4'
import { describe, expect, onTestFinished, test } from 'vitest'
import { adapters, adaptersElsewhere } from '../../../../.ci/entries.mjs'
import * as onExpress from '../../src/adapters/express.js'
import * as onFetch from '../../src/adapters/fetch.js'
import * as onNode from '../../src/adapters/node.js'
import { createAuth } from '../../src/index.js'
import {
  type AdapterCasesOptions,
  adapterCases,
  type StartAdapter,
  signIn,
} from '../../src/testing/index.js'
import { newKey, setUp } from '../set-up.js'
import {
  onExpressBackend,
  onFetchBackend,
  onFunctionBackend,
  onNodeBackend,
  serve,
  versions,
} from './backends.js'

interface Row {
  name: string
  /** Its entry. */
  adapter: string
  start: StartAdapter
  /** What {@link adapterCases} are told about the adapter. */
  told?: Omit<AdapterCasesOptions, 'createAuth'>
}

const rows: Row[] = [
  ...versions.flatMap(([name, express]): Row[] => [
    { name: `${name} without a parser`, adapter: 'express', start: onExpressBackend({ express }) },
    {
      name: `${name} after express.json()`,
      adapter: 'express',
      start: onExpressBackend({ express, addParser: (app) => app.use(express.json()) }),
      told: { hasParser: true },
    },
    {
      name: `${name} after express.urlencoded()`,
      adapter: 'express',
      start: onExpressBackend({
        express,
        addParser: (app) => app.use(express.urlencoded({ extended: false })),
      }),
    },
    {
      name: `${name} after a parser of text`,
      adapter: 'express',
      start: onExpressBackend({ express, addParser: (app) => app.use(express.text()) }),
    },
  ]),
  { name: 'node:http', adapter: 'node', start: onNodeBackend },
  {
    name: 'fetch',
    adapter: 'fetch',
    start: onFetchBackend,
    told: { hasNext: false, hasConnection: false, hasIp: false },
  },
  {
    name: 'cloud function',
    adapter: 'cloud-function',
    start: onFunctionBackend,
    told: { hasNext: false, hasParser: true, hasHttp: false, hasIp: false },
  },
]

test('every adapter is held to the cases', () => {
  const here = [...new Set(rows.map(({ adapter }) => adapter))]

  expect([...here, ...adaptersElsewhere].sort()).toEqual([...adapters].sort())
  for (const name of adaptersElsewhere) {
    expect(
      existsSync(new URL(`../../../../.ci/frameworks/rows/${name}.mjs`, import.meta.url)),
    ).toBe(true)
  }
})

describe.each(rows)('$name', ({ start, told }) => {
  for (const { name, run } of adapterCases({ createAuth, ...told })) test(name, () => run(start))
})

async function listen(listener: Parameters<typeof serve>[0]): Promise<string> {
  const { url, close } = await serve(listener)
  onTestFinished(close)
  return url
}

describe('a response that something else has answered already', () => {
  // To write to it would throw behind a promise, which ends the process.
  test.each(versions)('is left alone by %s', async (_name, express) => {
    const { auth } = setUp()
    const { headers } = await signIn(auth, { openid: 'alice' })
    const unhandled: unknown[] = []
    const record = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', record)
    onTestFinished(() => void process.off('unhandledRejection', record))
    const app = express()
    app.use((_req, res, next) => {
      res.status(503).end('too late')
      next()
    })
    app.use('/wx', onExpress.authRoutes(auth))
    app.get('/orders', onExpress.requireAuth(auth))
    const url = await listen(app)

    const login = await fetch(`${url}/wx/login`, { method: 'POST' })
    const orders = await fetch(`${url}/orders`)
    const again = await fetch(`${url}/orders`, { headers })

    expect([login.status, orders.status, again.status]).toEqual([503, 503, 503])
    expect(unhandled).toEqual([])
  })

  test('is left alone by node:http', async () => {
    const { auth } = setUp()
    const outcomes: unknown[] = []
    const wx = onNode.authRoutes(auth)
    const guard = onNode.requireAuth(auth)
    const url = await listen(async (req, res) => {
      res.writeHead(503).end('too late')
      const answered = req.url === '/login' ? wx(req, res) : guard(req, res, () => undefined)
      await answered.catch((error) => outcomes.push(error))
    })

    await fetch(`${url}/login`, { method: 'POST' })
    await fetch(`${url}/orders`)
    await fetch(`${url}/orders`)

    expect(outcomes).toEqual([])
  })
})

describe('node:http without a next handler', () => {
  test('answers other paths with 404, at any base path', async () => {
    const { auth } = setUp()

    for (const basePath of ['', '/wx', '/a/b']) {
      const wx = onNode.authRoutes(auth, { basePath })
      const url = await listen((req, res) => wx(req, res))

      const statuses = await Promise.all(
        [`${basePath}/login`, `${basePath}/x`, '/y', `${basePath || '/z'}x/login`].map(
          async (path) => (await fetch(url + path)).status,
        ),
      )

      expect(statuses).toEqual([405, 404, 404, 404])
    }
  })
})

describe('a path that is written in another way is none of the routes', () => {
  const paths = [
    '//wx/login',
    '/wx//login',
    '/wx/login//',
    '/wx/%6cogin',
    '/wx%2flogin',
    '/wx/./login',
    '/wx/%2e/login',
    '/a/../wx/login',
    '/wx\\login',
    '/wx/login;a=b',
    '/wx/login%00',
    '/wx/LOGIN',
    'http://wx/login',
    'http://other.example//wx/login',
    'http://other.example/wx/%6cogin',
    'ftp://other.example/wx/login',
    '/wx/constructor',
    '/wx/__proto__',
    '/wx/',
  ]

  /** As it stands: `fetch` would tidy it. */
  const ask = (url: string, path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { port } = new URL(url)
      request({ port, path, method: 'POST', agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })

  test.each(versions)('for %s', async (_name, express) => {
    const { auth } = setUp()
    const app = express()
    app.use('/wx', onExpress.authRoutes(auth))
    app.use((_req, res) => void res.writeHead(299).end())
    const url = await listen(app)

    for (const path of paths) expect([path, await ask(url, path)]).toEqual([path, 299])
    expect(await ask(url, '/wx/login')).toBe(415)
    expect(await ask(url, 'HTTP://other.example:80/wx/login')).toBe(415)
  })

  test('for node:http', async () => {
    const { auth } = setUp()
    const wx = onNode.authRoutes(auth, { basePath: '/wx' })
    const url = await listen((req, res) => wx(req, res, () => void res.writeHead(299).end()))

    for (const path of paths) expect([path, await ask(url, path)]).toEqual([path, 299])
    expect(await ask(url, '/wx/login')).toBe(415)
    expect(await ask(url, 'HTTP://other.example:80/wx/login')).toBe(415)
  })
})

test('fetch answers other paths with a 404 of the usual shape', async () => {
  const { auth, wechat } = setUp()
  const wx = onFetch.authRoutes(auth, { basePath: '/wx' })
  const paths = [
    '/wx',
    '/wx/',
    '/wx/other',
    '/wx/login/x',
    '/wxlogin',
    '/wx%2flogin',
    '/x/wx/login',
  ]

  for (const path of paths) {
    const response = await wx(new Request(`http://localhost${path}`, { method: 'POST' }))

    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      error: 'invalid_request',
      error_description: expect.any(String),
    })
  }
  expect(wechat.calls).toEqual([])
})

test.each([
  { name: 'node', authRoutes: onNode.authRoutes },
  { name: 'fetch', authRoutes: onFetch.authRoutes },
])('a basePath that can match nothing is refused by $name', ({ authRoutes }) => {
  const { auth } = setUp()

  for (const basePath of ['wx', '/wx/', '/', 'https://api.example.com/wx']) {
    expect(() => authRoutes(auth, { basePath })).toThrow(TypeError)
  }
})

describe('sessions hang on the request', () => {
  test('and are seen with the auth that verified them only', async () => {
    const { auth } = setUp()
    const other = setUp().auth
    const { headers, userId } = await signIn(auth, { openid: 'alice' })
    const request = new Request('http://localhost/', { headers })

    await onFetch.requireAuth(auth)(() => new Response())(request)

    expect(onFetch.sessionOf(request, auth).userId).toBe(userId)
    expect(onFetch.maybeSessionOf(request, other)).toBeUndefined()
    expect(() => onFetch.sessionOf(request, other)).toThrow(TypeError)
    expect(() => onFetch.sessionOf(request, other)).toThrow('requireAuth(auth)')
  })

  test('under a name that a query or a body cannot set', async () => {
    const { auth } = setUp()
    const request = Object.assign(new Request('http://localhost/'), {
      session: { userId: 'admin' },
    })

    expect(onFetch.maybeSessionOf(request, auth)).toBeUndefined()
  })

  test('and stay out of sight when the request is printed as JSON', async () => {
    const { auth } = setUp()
    const { headers, userId } = await signIn(auth, { openid: 'alice' })
    const request = new Request('http://localhost/', { headers })

    await onFetch.requireAuth(auth)(() => new Response())(request)

    expect(JSON.stringify({ ...request })).not.toContain(userId)
  })

  test('until the next requireAuth of the same auth', async () => {
    const { auth } = setUp()
    const { headers } = await signIn(auth, { openid: 'alice' })
    const request = new Request('http://localhost/', { headers })
    const guard = onFetch.requireAuth(auth)(() => new Response())

    await guard(request)

    await expect(guard(request)).resolves.toMatchObject({ status: 200 })
  })
})

test('a handler for Request gets its other arguments', async () => {
  const { auth } = setUp()
  const { headers } = await signIn(auth, { openid: 'alice' })
  const orders = onFetch.requireAuth(auth)((_request, { params }: { params: { id: string } }) =>
    Response.json(params),
  )

  const response = await orders(new Request('http://localhost/', { headers }), {
    params: { id: '7' },
  })

  expect(await response.json()).toEqual({ id: '7' })
})

test('a Request whose body is too large is not kept open', async () => {
  const { auth } = setUp()
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(4096))
    },
    cancel() {
      cancelled = true
    },
  })
  const request = new Request('http://localhost/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': newKey() },
    body,
    duplex: 'half',
  })

  const response = await onFetch.authRoutes(auth)(request)

  expect(response.status).toBe(413)
  expect(cancelled).toBe(true)
})

test('the handlers fit the types of Express 4 and 5, and leave those of a route alone', () => {
  const { auth } = setUp<{ role: string }>()
  const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = onExpress

  const app5 = express5()
  app5.use('/wx', authRoutes(auth))
  app5.use(requireAuth(auth, { optional: true }))
  app5.get('/:id', requireAuth(auth), (req, res) => {
    const role: string = sessionOf(req, auth).claims.role
    const id: string = req.params.id
    res.json({ role, id, userId: maybeSessionOf(req, auth)?.userId })
  })
  express5.Router().use(authRoutes(auth))

  const app4 = express4()
  app4.use('/wx', authRoutes(auth))
  app4.use(requireAuth(auth, { optional: true }))
  app4.get('/:id', requireAuth(auth), (req, res) => {
    const role: string = sessionOf(req, auth).claims.role
    const id: string = req.params.id
    res.json({ role, id, userId: maybeSessionOf(req, auth)?.userId })
  })
  express4.Router().use(authRoutes(auth))

  const handler5: express5.RequestHandler = requireAuth(auth)
  const handler4: express4.RequestHandler = requireAuth(auth)
  expect(handler5).toHaveLength(3)
  expect(handler4).toHaveLength(3)
})

test('a middleware whose writeHead returns nothing does not end the process', async () => {
  const { auth } = setUp()
  const unhandled: unknown[] = []
  const record = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', record)
  onTestFinished(() => void process.off('unhandledRejection', record))
  const app = express5()
  app.use((_req, res, next) => {
    const writeHead = res.writeHead.bind(res)
    res.writeHead = ((...args: Parameters<typeof writeHead>) => {
      writeHead(...args)
    }) as typeof writeHead
    next()
  })
  app.use('/wx', onExpress.authRoutes(auth))
  app.get('/orders', onExpress.requireAuth(auth))
  const url = await listen(app)

  const login = await fetch(`${url}/wx/login`, { method: 'POST' })
  const orders = await fetch(`${url}/orders`)

  expect([login.status, orders.status]).toEqual([415, 401])
  expect(unhandled).toEqual([])
})

test('a Request for another route keeps its body, and one that was read before is malformed', async () => {
  const { auth } = setUp()
  const routes = onFetch.authRoutes(auth)
  const post = (path: string) =>
    new Request(`http://localhost${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
  const other = post('/other')
  const read = post('/login')
  await read.text()

  expect((await routes(other)).status).toBe(404)
  expect(await other.text()).toBe('{}')
  expect((await routes(read)).status).toBe(400)
})
