import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import express5 from 'express'
import express4 from 'express4'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as onExpress from '../../src/adapters/express.js'
import * as onFetch from '../../src/adapters/fetch.js'
import * as onNode from '../../src/adapters/node.js'
import { bodyOf, send } from '../http/set-up.js'
import { newKey, setUp } from '../set-up.js'

const versions: [string, typeof express5][] = [
  ['Express 5', express5],
  ['Express 4', express4 as unknown as typeof express5],
]

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const jsonPost = (body: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', 'idempotency-key': newKey() },
  body,
})

/** A server of `node:http` where something has had the request before, and left what it made of the body. */
async function startNode(before: (request: IncomingMessage) => Promise<unknown>) {
  const { auth, wechat } = setUp()
  const wx = onNode.authRoutes(auth, { basePath: '/wx' })
  const url = await listen(async (req, res) => {
    const left = await before(req)
    if (left !== undefined) Object.assign(req, { body: left })
    await wx(req, res)
  })
  const login = () =>
    fetch(
      `${url}/wx/login`,
      jsonPost(JSON.stringify({ code: wechat.codeFor('alice'), app_id: wechat.app.appId })),
    )
  return { login }
}

describe('a body that was read before the routes saw it', () => {
  const consumed = {
    error: 'invalid_request',
    // What has happened, and what to do.
    error_description: expect.stringMatching(/already read.*before/),
  }

  test.each(versions)('is not called malformed by %s', async (_name, express) => {
    const { auth } = setUp()
    const app = express()
    app.use((req, _res, next) => {
      text(req).then(() => next(), next)
    })
    app.use('/wx', onExpress.authRoutes(auth))

    const response = await fetch(`${await listen(app)}/wx/login`, jsonPost('{}'))

    expect(response.status).toBe(400)
    expect(await response.json()).toEqual(consumed)
  })

  test('is not called malformed by node:http', async () => {
    const { login } = await startNode(async (req) => void (await text(req)))

    const response = await login()

    expect(response.status).toBe(400)
    expect(await response.json()).toEqual(consumed)
  })

  test.each([
    ['read', (request: Request) => request.text()],
    ['locked', async (request: Request) => void request.body?.getReader()],
  ])('is not called malformed where a Request was %s', async (_how, read) => {
    const { auth } = setUp()
    const request = new Request('http://localhost/login', jsonPost('{}'))
    await read(request)

    const response = await onFetch.authRoutes(auth)(request)

    expect(response.status).toBe(400)
    expect(await response.json()).toEqual(consumed)
  })

  test('is not called malformed by auth.handle, where nothing was left', async () => {
    const { auth } = setUp()

    const response = await auth.handle({
      method: 'POST',
      path: '/login',
      header: (name) => (name === 'content-type' ? 'application/json' : undefined),
      body: { parsed: undefined },
    })

    expect(response.status).toBe(400)
    expect(bodyOf(response)).toEqual(consumed)
  })

  test('is malformed where it was', async () => {
    const { auth } = setUp()

    for (const body of [null, [], 'no JSON', new Uint8Array(3)]) {
      const response = await send(auth, '/login', { body })

      expect(response.status).toBe(400)
      expect(bodyOf(response).error_description).toContain('must be a JSON object')
    }
  })
})

describe('node:http takes what something before it made of the body', () => {
  test.each([
    ['an object', (body: string) => JSON.parse(body)],
    ['a text', (body: string) => body],
    ['bytes', (body: string) => Buffer.from(body)],
  ])('%s', async (_what, parse) => {
    const { login } = await startNode(async (req) => parse(await text(req)))

    expect((await login()).status).toBe(200)
  })

  test('but reads the body itself where nobody has', async () => {
    // As parsers do that let the body of another type alone.
    const { login } = await startNode(async () => ({}))

    expect((await login()).status).toBe(200)
  })

  test('and a platform that parses when it is asked may find it malformed', async () => {
    const { login } = await startNode(async (req) => {
      await text(req)
      Object.defineProperty(req, 'body', {
        get() {
          throw new SyntaxError('Invalid JSON')
        },
      })
    })

    const response = await login()

    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: 'invalid_request',
      error_description: expect.stringContaining('must be a JSON object'),
    })
  })
})

test('requireAuth leaves the type of a body to the route', () => {
  const { auth } = setUp()

  express5().post('/steps', onExpress.requireAuth(auth), express5.json(), (req, res) => {
    const { encryptedData } = req.body
    res.json(encryptedData)
  })
  express4().post('/steps', onExpress.requireAuth(auth), express4.json(), (req, res) => {
    const { encryptedData } = req.body
    res.json(encryptedData)
  })
})

describe.each(versions)('%s with a basePath', (_name, express) => {
  async function start(basePath: string) {
    const { auth, wechat } = setUp()
    const app = express()
    app.use(onExpress.authRoutes(auth, { basePath }))
    app.use((req, res) => {
      res.json({ next: req.originalUrl })
    })
    const url = await listen(app)
    const login = (path: string) =>
      fetch(
        url + path,
        jsonPost(JSON.stringify({ code: wechat.codeFor('alice'), app_id: wechat.app.appId })),
      ).then((response) => response.json())
    return { login }
  }

  test('serves the routes below it, and nothing else', async () => {
    const { login } = await start('/api/wx')

    expect(await login('/api/wx/login')).toMatchObject({ token_type: 'Bearer' })
    expect(await login('/api/wx/login?x=1')).toMatchObject({ token_type: 'Bearer' })
    for (const path of ['/login', '/api/login', '/api/wxlogin', '/x/api/wx/login']) {
      expect(await login(path)).toEqual({ next: path })
    }
  })

  test('that can match nothing is refused', () => {
    const { auth } = setUp()

    for (const basePath of ['wx', '/wx/', '/', 'https://api.example.com/wx']) {
      expect(() => onExpress.authRoutes(auth, { basePath })).toThrow(TypeError)
    }
  })
})
