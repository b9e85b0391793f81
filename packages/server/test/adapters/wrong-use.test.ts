import express from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as onExpress from '../../src/adapters/express.js'
import * as onFastify from '../../src/adapters/fastify.js'
import * as onFetch from '../../src/adapters/fetch.js'
import * as onHono from '../../src/adapters/hono.js'
import * as onKoa from '../../src/adapters/koa.js'
import * as onNode from '../../src/adapters/node.js'
import type { Auth } from '../../src/index.js'
import { signIn } from '../../src/testing/index.js'
import { setUp } from '../set-up.js'
import { serve } from './backends.js'

/** The four names, as a caller without types sees them. */
interface Adapter {
  authRoutes: (auth: Auth, options?: object) => unknown
  requireAuth: (auth: Auth, options?: object) => unknown
  sessionOf: (request: never, auth: Auth) => unknown
  maybeSessionOf: (request: never, auth: Auth) => unknown
}

/** Each with what its framework calls a request, as far as it is looked at. */
const adapters: [string, Adapter, object][] = [
  ['express', onExpress, { method: 'GET' }],
  ['node', onNode, { method: 'GET' }],
  ['fetch', onFetch, new Request('http://localhost/')],
  ['koa', onKoa, { state: {} }],
  ['fastify', onFastify, { routeOptions: {} }],
  ['hono', onHono, { req: {} }],
]

/** What a caller without types may hand in. */
const wrong = (value: unknown) => value as Auth

describe.each(adapters)('%s', (_name, adapter, framework) => {
  const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = adapter
  const request = framework as never
  const mounts = { authRoutes, requireAuth }

  describe.each(Object.entries(mounts))('%s', (name, mount) => {
    test.each([
      ['nothing', undefined],
      ['null', null],
      ['a path', '/wx'],
      ['the options of createAuth', { apps: [], secret: '' }],
      ['an Express app', express()],
      ['a request', new Request('http://localhost/')],
    ])('with %s for an auth throws when it is mounted, and says what to write', (_what, value) => {
      expect(() => mount(wrong(value))).toThrow(TypeError)
      expect(() => mount(wrong(value))).toThrow(`${name}(auth)`)
    })

    test('takes an auth and nothing else', () => {
      const { auth } = setUp()

      expect(mount(auth)).toBeTypeOf('function')
      expect(mount(auth, {})).toBeTypeOf('function')
      expect(mount(auth, undefined)).toBeTypeOf('function')
    })

    test.each(['/wx', null, 1, true])('with %s for options throws', (options) => {
      const { auth } = setUp()

      expect(() => mount(auth, options as never)).toThrow('must be an object')
    })
  })

  test.each([
    [{ alow: () => false }, 'allow'],
    [{ Optional: true }, 'optional'],
    [{ appId: ['wx0000000000000001'] }, 'appIds'],
    [{ fersh: true }, 'fresh'],
  ])(
    'a guard with %o throws when it is mounted, and names the option that is meant',
    (options, meant) => {
      const { auth } = setUp()

      expect(() => requireAuth(auth, options as object)).toThrow(`did you mean ${meant}?`)
    },
  )

  test.each([
    [{ allow: false }, 'allow must be a function'],
    [{ allow: null }, 'allow must be a function'],
    [
      { appIds: '' },
      'appIds must be a list of AppIDs, and of one at least; is the environment variable set?',
    ],
    [
      { appIds: null },
      'appIds must be a list of AppIDs, and of one at least; is the environment variable set?',
    ],
    [
      { appIds: 'wx0000000000000001' },
      'appIds must be a list of AppIDs, and of one at least; is the environment variable set?',
    ],
    [{ optional: 'false' }, 'optional must be true or false'],
    [{ fresh: 0 }, 'fresh must be true or false'],
  ])(
    'a guard with %o throws when it is mounted: it would let too many through',
    (options, rule) => {
      const { auth } = setUp()

      expect(() => requireAuth(auth, options as object)).toThrow(new TypeError(rule))
    },
  )

  test('a guard takes options that are undefined for those that are left out', () => {
    const { auth } = setUp()
    const options = { optional: undefined, appIds: undefined, fresh: undefined, allow: undefined }

    expect(requireAuth(auth, options)).toBeTypeOf('function')
  })

  test('routes with an unknown option name those there are', () => {
    const { auth } = setUp()

    expect(() => authRoutes(auth, { prefix: '/wx' } as object)).toThrow('there are basePath')
    expect(() => authRoutes(auth, { basepath: '/wx' } as object)).toThrow('did you mean basePath?')
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['an id', 'alice'],
    ['a body', { userId: 7 }],
  ])('a session is not looked for in %s', (_what, notOne) => {
    const { auth } = setUp()
    const given = notOne as never

    expect(() => sessionOf(given, auth)).toThrow('Write sessionOf(')
    expect(() => maybeSessionOf(given, auth)).toThrow('Write sessionOf(')
  })

  test('a request without a session says what to put before the route', () => {
    const { auth } = setUp()

    expect(() => sessionOf(request, auth)).toThrow('Put requireAuth(auth) before the route')
    expect(maybeSessionOf(request, auth)).toBeUndefined()
  })

  test('a session without the auth that verified it is not looked for', () => {
    expect(() => sessionOf(request, wrong(undefined))).toThrow(', auth)')
    expect(() => maybeSessionOf(request, wrong({}))).toThrow(', auth)')
  })
})

// Without the check they wait for ever: nobody calls next.
test.each([
  ['requireAuth', onExpress.requireAuth],
  ['authRoutes', onExpress.authRoutes],
])('a route with %s that nobody called answers, and says so', async (name, mount) => {
  const errors: unknown[] = []
  const app = express()
  app.get('/orders', mount as unknown as express.RequestHandler, (_req, res) => {
    res.end('the orders')
  })
  const onError: express.ErrorRequestHandler = (error, _req, res, _next) => {
    errors.push(error)
    res.status(500).end()
  }
  app.use(onError)
  const { url, close } = await serve(app)
  onTestFinished(close)

  const response = await fetch(`${url}/orders`)

  expect(response.status).toBe(500)
  expect(errors).toEqual([
    expect.objectContaining({ message: expect.stringContaining(`${name}(auth)`) }),
  ])
})

describe('a basePath that Express has taken off already', () => {
  async function setUpTwice(path: string) {
    const errors: unknown[] = []
    const app = express()
    app.use('/api/wx', onExpress.authRoutes(setUp().auth, { basePath: '/wx' }))
    app.use((_req, res) => void res.end('another route'))
    const onError: express.ErrorRequestHandler = (error, _req, res, _next) => {
      errors.push(error)
      res.status(500).end()
    }
    app.use(onError)
    const { url, close } = await serve(app)
    onTestFinished(close)
    const { status } = await fetch(url + path, { method: 'POST' })
    return { status, errors }
  }

  test.each(['/api/wx/login', '/api/wx/refresh/'])('is told at %s', async (path) => {
    const { status, errors } = await setUpTwice(path)

    expect(status).toBe(500)
    expect(errors).toEqual([new TypeError("Omit basePath in app.use('/api/wx')")])
  })

  test.each([
    ['other paths', '/api/wx/orders', 200],
    ['the routes, where they are', '/api/wx/wx/login', 415],
  ])('is not in the way of %s', async (_what, path, expected) => {
    const { status, errors } = await setUpTwice(path)

    expect(status).toBe(expected)
    expect(errors).toEqual([])
  })
})

test('a guard that is asked directly lets nobody in by a rule that is none', async () => {
  const { auth } = setUp()
  const { headers } = await signIn(auth, { openid: 'alice' })

  for (const options of [{ allow: false }, { appIds: '' }, { optional: 'false' }]) {
    const { response } = await auth.guard(headers.authorization, options as object)
    expect(response?.status).toBe(500)
  }
})

test('a guard that is asked directly lets nobody in by an option there is not', async () => {
  const { auth, events } = setUp()
  const { headers } = await signIn(auth, { openid: 'alice' })
  const options = { alow: () => false } as object

  const { response } = await auth.guard(headers.authorization, options)

  expect(response?.status).toBe(500)
  expect(JSON.stringify(events.at(-1), ['type', 'code'])).toContain('server_error')
  await expect(auth.authenticate(headers.authorization, options)).rejects.toThrow(
    'did you mean allow?',
  )
})
