import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express5 from 'express'
import express4 from 'express4'
import { describe, expect, onTestFinished, test } from 'vitest'
import { authRoutes } from '../../src/adapters/express.js'
import { AuthError } from '../../src/index.js'
import { setUp } from '../set-up.js'

// What a route throws that no adapter of ours has around it: a framework's own error handler answers it.

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4 as unknown as typeof express5],
])('the error handler that %s has', (_name, express) => {
  async function start() {
    const { auth, wechat } = setUp()
    const app = express()
    // Else it prints what it answers.
    app.set('env', 'test')
    app.use('/wx', authRoutes(auth))
    app.get('/orders', (req, res, next) => {
      auth.authenticate(req.get('authorization')).then(({ userId }) => res.json({ userId }), next)
    })
    app.get('/others', (req, res, next) => {
      auth
        .authenticate(req.get('authorization'), { appIds: ['wx00000000000000ff'] })
        .then(() => res.end(), next)
    })
    app.get('/busy', (_req, _res, next) => {
      wechat.fail(-1, { times: 3 })
      auth.wechat().accessToken().catch(next)
    })
    return { auth, wechat, url: await listen(app) }
  }

  test('answers a missing token with 401 and the challenge that the client renews upon', async () => {
    const { url } = await start()

    const { status, headers } = await fetch(`${url}/orders`)

    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
  })

  test('answers a token of another mini program with 403 and its challenge', async () => {
    const { auth, wechat, url } = await start()
    const { access_token } = await auth.login({ code: wechat.codeFor('alice') })

    const { status, headers } = await fetch(`${url}/others`, {
      headers: { authorization: `Bearer ${access_token}` },
    })

    expect(status).toBe(403)
    expect(headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope"')
  })

  test('answers a WeChat that is busy with 503, and says when to come back', async () => {
    const { url } = await start()

    const { status, headers } = await fetch(`${url}/busy`)

    expect(status).toBe(503)
    expect(headers.get('retry-after')).toMatch(/^\d+$/)
    expect(headers.get('www-authenticate')).toBeNull()
  })
})

// The members that error handlers read: Express and Koa `status`, Fastify `statusCode`, Nest both and `expose`, which
// also lets Koa tell the message and print nothing. All but Nest send `headers`.
test.each([
  ['invalid_token', {}, 401, { 'www-authenticate': 'Bearer error="invalid_token"' }],
  ['insufficient_scope', {}, 403, { 'www-authenticate': 'Bearer error="insufficient_scope"' }],
  ['access_denied', {}, 403, {}],
  [
    'rate_limited',
    { retryAfterSeconds: 60 },
    429,
    { 'retry-after': expect.stringMatching(/^[6-9]\d$/) },
  ],
  [
    'wechat_unavailable',
    { retryAfterSeconds: 1.2 },
    503,
    { 'retry-after': expect.stringMatching(/^[2-5]$/) },
  ],
  ['server_error', { retryAfterSeconds: Number.NaN }, 500, {}],
] as const)('%s says how it is to be answered', (code, options, status, headers) => {
  const error = new AuthError(code, 'message', options)

  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ status, statusCode: status, expose: status < 500 })
  expect(error.headers).toEqual(headers)
})

test('an error has the headers that the routes send for it', async () => {
  const { auth } = setUp()
  const error = await auth.authenticate(undefined).catch((thrown: unknown) => thrown)

  const { response } = await auth.guard(undefined)

  expect(response?.headers).toMatchObject((error as AuthError).headers)
})
