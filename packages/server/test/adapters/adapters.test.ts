import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import express5 from 'express'
import express4 from 'express4'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as onExpress from '../../src/adapters/express.js'
import * as onFetch from '../../src/adapters/fetch.js'
import * as onNode from '../../src/adapters/node.js'
import type { Auth, AuthOptions, GuardOptions, TokenAnswer } from '../../src/index.js'
import { signIn } from '../../src/testing/index.js'
import { newKey, prefetchPath, setUp } from '../set-up.js'

interface Claims {
  role?: string
}

interface Backend {
  url: string
  /** What reached the error handler of the framework. */
  errors: unknown[]
}

interface Row {
  name: string
  /** Whether other paths go on to the next handler; if not, they are a 404. */
  hasNext: boolean
  start(auth: Auth<Claims>): Promise<Backend>
}

const otherAppId = 'wx00000000000000ff'

/** The guarded routes that every backend here has, each answering who is asking. */
const guards: Readonly<Record<string, GuardOptions<Claims>>> = {
  '/orders': {},
  '/guest': { optional: true },
  '/other-app': { appIds: [otherAppId] },
  '/fresh': { fresh: true },
  '/admin': { allow: ({ claims }) => claims.role === 'admin' },
  '/broken-rule': {
    allow: () => {
      throw new Error('the rule is broken')
    },
  },
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

type Express = typeof express5

const expressRow = (
  name: string,
  express: Express,
  addParser: (app: express5.Express) => void,
): Row => ({
  name,
  hasNext: true,
  async start(auth) {
    const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = onExpress
    const errors: unknown[] = []
    const app = express()
    addParser(app)
    app.use('/wx', authRoutes(auth))
    for (const [path, options] of Object.entries(guards)) {
      app.get(path, requireAuth(auth, options), (req, res) => {
        res.json({ userId: maybeSessionOf(req, auth)?.userId ?? null })
      })
    }
    app.get('/unguarded', (req, res) => {
      res.json({ userId: sessionOf(req, auth).userId })
    })
    app.get('/broken', requireAuth(auth), () => {
      throw new Error('the route is broken')
    })
    app.use((req, res) => {
      res.status(200).json({ next: `${req.method} ${req.originalUrl}` })
    })
    const onError: express5.ErrorRequestHandler = (error, _req, res, _next) => {
      // A body parser refuses with a status of its own.
      if (error.status === undefined) errors.push(error)
      res.status(error.status ?? 500).end()
    }
    app.use(onError)
    return { url: await listen(app), errors }
  },
})

const nodeRow: Row = {
  name: 'node:http',
  hasNext: true,
  async start(auth) {
    const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = onNode
    const errors: unknown[] = []
    const wx = authRoutes(auth, { basePath: '/wx' })
    const url = await listen((req, res) => {
      const json = (value: unknown) =>
        res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      const route = async () => {
        const { pathname } = new URL(req.url ?? '/', 'http://localhost')
        const options = guards[pathname]
        if (options) {
          return requireAuth(auth, options)(req, res, () =>
            json({ userId: maybeSessionOf(req, auth)?.userId ?? null }),
          )
        }
        if (pathname === '/unguarded') return json({ userId: sessionOf(req, auth).userId })
        if (pathname === '/broken') {
          return requireAuth(auth)(req, res, () => {
            throw new Error('the route is broken')
          })
        }
        return wx(req, res, () => json({ next: `${req.method} ${req.url}` }))
      }
      route().catch((error) => {
        errors.push(error)
        res.writeHead(500).end()
      })
    })
    return { url, errors }
  },
}

const fetchRow: Row = {
  name: 'fetch',
  hasNext: false,
  async start(auth) {
    const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = onFetch
    const errors: unknown[] = []
    const wx = authRoutes(auth, { basePath: '/wx' })
    const route = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url)
      const options = guards[pathname]
      if (options) {
        const handler = requireAuth(
          auth,
          options,
        )((request) => Response.json({ userId: maybeSessionOf(request, auth)?.userId ?? null }))
        return handler(request)
      }
      if (pathname === '/unguarded')
        return Response.json({ userId: sessionOf(request, auth).userId })
      if (pathname === '/broken') {
        return requireAuth(auth)(() => {
          throw new Error('the route is broken')
        })(request)
      }
      return wx(request)
    }
    const url = await listen(async (req, res) => {
      const response = await route(toRequest(req)).catch((error) => {
        errors.push(error)
        return new Response(null, { status: 500 })
      })
      res.writeHead(response.status, Object.fromEntries(response.headers))
      res.end(Buffer.from(await response.arrayBuffer()))
    })
    return { url, errors }
  },
}

/** What a framework that speaks `Request` makes of a request of `node:http`. */
function toRequest(req: IncomingMessage): Request {
  const hasBody = req.method !== 'GET' && req.method !== 'HEAD'
  return new Request(`http://${req.headers.host}${req.url}`, {
    method: req.method ?? 'GET',
    headers: Object.entries(req.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]),
    ...(hasBody && { body: Readable.toWeb(req) as ReadableStream<Uint8Array>, duplex: 'half' }),
  })
}

const versions: [string, Express][] = [
  ['Express 5', express5],
  // Its types differ from those of 5, and are looked at in a test of their own.
  ['Express 4', express4 as unknown as Express],
]

const rows: Row[] = [
  ...versions.flatMap(([name, express]) => [
    expressRow(`${name} without a parser`, express, () => undefined),
    expressRow(`${name} after express.json()`, express, (app) => app.use(express.json())),
    expressRow(`${name} after express.urlencoded()`, express, (app) =>
      app.use(express.urlencoded()),
    ),
    expressRow(`${name} after a parser of text`, express, (app) => app.use(express.text())),
  ]),
  nodeRow,
  fetchRow,
]

describe.each(rows)('$name', ({ start, hasNext }) => {
  async function setUpBackend(options: Partial<AuthOptions<Claims>> = {}) {
    const set = setUp<Claims>(options)
    const backend = await start(set.auth)
    const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(backend.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': newKey(), ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    const get = (path: string, authorization?: string) =>
      fetch(backend.url + path, { headers: authorization === undefined ? {} : { authorization } })
    const loginBody = () => ({ code: set.wechat.codeFor('alice'), app_id: set.wechat.app.appId })
    return { ...set, ...backend, post, get, loginBody }
  }

  test('a user logs in, uses the token, refreshes it and logs out', async () => {
    const { post, get, loginBody } = await setUpBackend()

    const login = await post('/wx/login', { ...loginBody(), device: '手机' })
    const tokens = (await login.json()) as TokenAnswer
    const orders = await get('/orders', `Bearer ${tokens.access_token}`)
    const refresh = await post('/wx/refresh', { refresh_token: tokens.refresh_token })
    const renewed = (await refresh.json()) as TokenAnswer
    const ordersLater = await get('/orders', `Bearer ${renewed.access_token}`)
    const logout = await post('/wx/logout', { refresh_token: renewed.refresh_token })
    const after = await post('/wx/refresh', { refresh_token: renewed.refresh_token })

    expect(
      [login, orders, refresh, ordersLater, logout, after].map(({ status }) => status),
    ).toEqual([200, 200, 200, 200, 204, 400])
    expect(await orders.json()).toEqual({ userId: tokens.user_id })
    expect(await ordersLater.json()).toEqual({ userId: tokens.user_id })
    expect(await logout.text()).toBe('')
    expect(await after.json()).toMatchObject({ error: 'invalid_grant' })
  })

  test('a user gives the phone number', async () => {
    const { auth, wechat, post } = await setUpBackend()
    const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
    const code = wechat.phoneCodeFor('alice', { phoneNumber: '13800138000' })

    const response = await post('/wx/phone', { code }, { authorization: `Bearer ${access_token}` })

    expect(await response.json()).toEqual({ phone_number: '13800138000', country_code: '86' })
  })

  test("WeChat's data pre-fetch is a login, with its query", async () => {
    const { url, wechat } = await setUpBackend({ onPrefetch: ({ path, query }) => [path, query] })

    const { status, body } = await wechat.prefetch(`${url}/wx/${prefetchPath}/prefetch`, 'alice', {
      path: 'pages/index/index',
      query: 'from=a&to=b',
      fetch,
    })

    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      token_type: 'Bearer',
      prefetched: ['pages/index/index', 'from=a&to=b'],
    })
  })

  test('the gateway of cloud hosting says who asks, where that is set', async () => {
    const gateway = {
      'x-wx-openid': 'oGZUI0egBJY1zhBYw2KhdUfwVJJE',
      'x-wx-appid': 'wx0000000000000001',
      'x-wx-source': 'wx_client',
    }
    const hosted = await setUpBackend({
      cloudHosting: { public: false },
      onLogin: ({ openid }) => ({ userId: openid }),
    })
    const usual = await setUpBackend()

    const known = await fetch(`${hosted.url}/orders`, { headers: gateway })
    const unknown = await fetch(`${usual.url}/orders`, { headers: gateway })

    expect(await known.json()).toEqual({ userId: gateway['x-wx-openid'] })
    expect(unknown.status).toBe(401)
  })

  test('answers carry their headers', async () => {
    const { post, loginBody } = await setUpBackend()

    const { headers } = await post('/wx/login', loginBody())

    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
      'content-type': 'application/json; charset=utf-8',
      'content-length': expect.stringMatching(/^\d+$/),
    })
  })

  test.each(['/wx', '/wx/', '/wx/other', '/wx/login/x', '/wxlogin', '/wx%2flogin', '/x/wx/login'])(
    'POST %s is no business of the login routes',
    async (path) => {
      const { post, loginBody, wechat } = await setUpBackend()

      const response = await post(path, loginBody())

      expect(response.status).toBe(hasNext ? 200 : 404)
      expect(await response.json()).toEqual(
        hasNext
          ? { next: `POST ${path}` }
          : { error: 'invalid_request', error_description: expect.any(String) },
      )
      expect(wechat.calls).toEqual([])
    },
  )

  test.each(['/wx/login/', '/wx/login?x=1', '/wx/login/?x=1'])(
    'POST %s is the login',
    async (path) => {
      const { post, loginBody } = await setUpBackend()

      const response = await post(path, loginBody())

      expect(response.status).toBe(200)
    },
  )

  test.each(
    ['/wx/login', '/wx/refresh', '/wx/logout', '/wx/phone'].flatMap((path) =>
      ['GET', 'HEAD', 'PUT', 'DELETE'].map((method) => ({ method, path })),
    ),
  )('$method $path is a 405', async ({ method, path }) => {
    const { url } = await setUpBackend()

    const response = await fetch(url + path, { method })

    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST')
    expect((await response.text()) === '').toBe(method === 'HEAD')
  })

  test('a body of another type is a 415', async () => {
    const { post, wechat } = await setUpBackend()
    const form = `code=${wechat.codeFor('alice')}&app_id=${wechat.app.appId}`

    for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
      const response = await post('/wx/login', form, { 'content-type': type })

      expect(response.status).toBe(415)
      expect(await response.json()).toMatchObject({ error: 'invalid_request' })
    }
    expect(wechat.calls).toEqual([])
  })

  test.each(['', '[]', 'null', '"x"'])('the body %j is a 400', async (body) => {
    const { post, wechat } = await setUpBackend()

    const response = await post('/wx/login', body)

    expect(response.status).toBe(400)
    expect(wechat.calls).toEqual([])
  })

  test('a missing idempotency key is a 400', async () => {
    const { url, loginBody } = await setUpBackend()

    const response = await fetch(`${url}/wx/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(loginBody()),
    })

    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error_description: expect.stringContaining('Idempotency-Key'),
    })
  })

  test.each([9_000, 90_000])(
    'a body of %d bytes gets a 413 for an answer, and no reset',
    async (bytes) => {
      const { post, loginBody } = await setUpBackend()
      const body = { ...loginBody(), input: 'x'.repeat(bytes) }

      for (let n = 0; n < 10; n++) {
        const response = await post('/wx/login', body)

        expect(response.status).toBe(413)
        expect(await response.json()).toMatchObject({ error: 'invalid_request' })
      }
    },
  )

  test('requests go on after one that was refused', async () => {
    const { post, loginBody } = await setUpBackend()

    for (let n = 0; n < 3; n++) {
      expect(
        (await post('/wx/login', 'x'.repeat(5000), { 'content-type': 'image/png' })).status,
      ).toBe(415)
      expect((await post('/wx/refresh', { refresh_token: 'junk' })).status).toBe(400)
      expect((await post('/wx/login', loginBody())).status).toBe(200)
    }
  })

  test('a request without a token is a 401 that says how to get on', async () => {
    const { get } = await setUpBackend()

    for (const authorization of [undefined, 'Bearer', 'Bearer junk', 'Basic eA==']) {
      const response = await get('/orders', authorization)

      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
      expect(await response.json()).toMatchObject({ error: 'invalid_token' })
    }
  })

  test('a session is not taken from the query, the cookies or other headers', async () => {
    const { auth, url } = await setUpBackend()
    const { accessToken } = await signIn(auth, { openid: 'alice' })

    const response = await fetch(`${url}/guest?access_token=${accessToken}&userId=1`, {
      headers: {
        cookie: `access_token=${accessToken}`,
        'x-access-token': accessToken,
        'x-wx-openid': 'alice',
      },
    })

    expect(await response.json()).toEqual({ userId: null })
  })

  test('an optional session is one or none, and a bad token is still a 401', async () => {
    const { auth, get } = await setUpBackend()
    const { headers, userId } = await signIn(auth, { openid: 'alice' })

    expect(await (await get('/guest')).json()).toEqual({ userId: null })
    expect(await (await get('/guest', headers.authorization)).json()).toEqual({ userId })
    expect((await get('/guest', 'Bearer junk')).status).toBe(401)
  })

  test('a route for another mini program is a 403', async () => {
    const { auth, get } = await setUpBackend()
    const { headers } = await signIn(auth, { openid: 'alice' })

    const response = await get('/other-app', headers.authorization)

    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope"')
    expect(await response.json()).toMatchObject({ error: 'insufficient_scope' })
  })

  test('a fresh route refuses a revoked session that others still let in', async () => {
    const { auth, get } = await setUpBackend()
    const { headers, userId } = await signIn(auth, { openid: 'alice' })
    const before = await get('/fresh', headers.authorization)
    await auth.sessions.revoke({ userId })

    const fresh = await get('/fresh', headers.authorization)
    const usual = await get('/orders', headers.authorization)

    expect([before, fresh, usual].map(({ status }) => status)).toEqual([200, 401, 200])
  })

  test('a rule lets in whom it allows', async () => {
    const { auth, get } = await setUpBackend()
    const admin = await signIn<Claims>(auth, { openid: 'alice', claims: { role: 'admin' } })
    const user = await signIn<Claims>(auth, { openid: 'bob', claims: { role: 'user' } })

    expect((await get('/admin', admin.headers.authorization)).status).toBe(200)
    expect((await get('/admin', user.headers.authorization)).status).toBe(403)
    expect((await get('/admin')).status).toBe(401)
  })

  test('a rule that throws is a 500 that says nothing of its inside', async () => {
    const { auth, get, errors } = await setUpBackend()
    const { headers } = await signIn(auth, { openid: 'alice' })

    const response = await get('/broken-rule', headers.authorization)

    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('the rule is broken')
    expect(errors).toEqual([])
  })

  test('sessionOf on a route without requireAuth says what is missing', async () => {
    const { auth, get, errors } = await setUpBackend()
    const { headers } = await signIn(auth, { openid: 'alice' })

    const response = await get('/unguarded', headers.authorization)

    expect(response.status).toBe(500)
    expect(errors).toEqual([expect.any(TypeError)])
    expect(String(errors[0])).toContain('requireAuth(auth)')
  })

  test('an error of a guarded route reaches the error handler once', async () => {
    const { auth, get, errors } = await setUpBackend()
    const { headers } = await signIn(auth, { openid: 'alice' })

    const response = await get('/broken', headers.authorization)

    expect(response.status).toBe(500)
    expect(errors).toEqual([new Error('the route is broken')])
  })
})

/** Sends text over a bare socket and gives whatever comes back until the other end closes. */
function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
  })
}

describe.each(rows.filter(({ name }) => /without a parser|node:http/.test(name)))(
  'the connection, $name',
  ({ start }) => {
    test('is closed after an answer that did not wait for the body', async () => {
      const { url } = await start(setUp<Claims>().auth)

      const answer = await sendRaw(
        url,
        'POST /wx/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{',
      )

      expect(answer).toMatch(/^HTTP\/1\.1 413 /)
      expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n')
    })

    test('is closed after a chunked body that grew too large', async () => {
      const { url } = await start(setUp<Claims>().auth)
      const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`

      const answer = await sendRaw(
        url,
        `POST /wx/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`,
      )

      expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    })

    test('is kept after other answers', async () => {
      const { url } = await start(setUp<Claims>().auth)
      const post = (body: string, ending = '') =>
        `POST /wx/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${ending}\r\n${body}`

      const answer = await sendRaw(
        url,
        post('[]') + post('{') + post('{}', 'Connection: close\r\n'),
      )

      expect(answer.match(/HTTP\/1\.1 400 /g)).toHaveLength(3)
    })

    test('gives an answer to a client that sends megabytes before it reads', async () => {
      const { url } = await start(setUp<Claims>().auth)
      const failures: unknown[] = []

      for (let n = 0; n < 10; n++) {
        const status = await fetch(`${url}/wx/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': newKey() },
          body: 'x'.repeat(5_000_000),
        }).then(
          (response) => response.status,
          (error) => error.cause?.code,
        )
        if (status !== 413) failures.push(status)
      }

      expect(failures).toEqual([])
    })
  },
)

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
    const { auth } = setUp<Claims>()
    const other = setUp<Claims>().auth
    const { headers, userId } = await signIn(auth, { openid: 'alice' })
    const request = new Request('http://localhost/', { headers })

    await onFetch.requireAuth(auth)(() => new Response())(request)

    expect(onFetch.sessionOf(request, auth).userId).toBe(userId)
    expect(onFetch.maybeSessionOf(request, other)).toBeUndefined()
    expect(() => onFetch.sessionOf(request, other)).toThrow(TypeError)
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
