// What a mini program does, and what goes wrong: each column asks a backend of its own over HTTP.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createAuth } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'

const guarded = [
  { path: '/orders', options: {}, answer: whoAsks },
  { path: '/guest', options: { optional: true }, answer: whoAsks },
  { path: '/fresh', options: { fresh: true }, answer: whoAsks },
  { path: '/notes', options: {}, answer: (_session, body) => ({ body }) },
]

function whoAsks(session) {
  return { userId: session?.userId ?? null }
}

export const columns = {
  login: (open) => open(async ({ login }) => assert.ok((await login()).access_token)),

  request: (open) =>
    open(async ({ get, login }) => {
      const { access_token, user_id } = await login()
      assert.deepEqual((await get('/orders', access_token)).body, { userId: user_id })
      const refused = await get('/orders')
      assert.equal(refused.status, 401)
      assert.equal(refused.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
      assert.equal(refused.body.error, 'invalid_token')
    }),

  refresh: (open) =>
    open(async ({ get, post, login }) => {
      const { refresh_token } = await login()
      const renewed = await post('/wx/refresh', { refresh_token })
      assert.equal(renewed.status, 200)
      assert.notEqual(renewed.body.refresh_token, refresh_token)
      assert.equal((await get('/orders', renewed.body.access_token)).status, 200)
    }),

  replay: (open) =>
    open(async ({ post, login }) => {
      const { refresh_token } = await login()
      const headers = { 'idempotency-key': randomUUID() }
      const first = await post('/wx/refresh', { refresh_token }, headers)
      const again = await post('/wx/refresh', { refresh_token }, headers)
      assert.equal(again.body.refresh_token, first.body.refresh_token)
      const theft = await post('/wx/refresh', { refresh_token })
      assert.equal(theft.body.reason, 'reused')
    }),

  logout: (open) =>
    open(async ({ post, login }) => {
      const { refresh_token } = await login()
      const out = await post('/wx/logout', { refresh_token })
      assert.deepEqual([out.status, out.text], [204, ''])
      assert.equal((await post('/wx/refresh', { refresh_token })).body.error, 'invalid_grant')
    }),

  upload: (open) =>
    open(async ({ url, login }) => {
      const { access_token } = await login()
      const send = (headers) => {
        const body = new FormData()
        body.set('file', new Blob(['x'.repeat(300_000)]), 'photo.jpg')
        return fetch(`${url}/upload`, { method: 'POST', headers, body })
      }
      const { bytes } = await (await send({ authorization: `Bearer ${access_token}` })).json()
      assert.ok(bytes > 300_000, `${bytes} bytes arrived`)
      const refused = await send({}).catch(({ cause }) => ({ status: cause.code }))
      assert.ok([401, 'EPIPE', 'ECONNRESET'].includes(refused.status), `${refused.status}`)
    }),

  'HTTP 413': (open) =>
    open(async ({ post, loginBody }) => {
      const answer = await post('/wx/login', { ...loginBody(), input: 'x'.repeat(90_000) })
      assert.deepEqual([answer.status, answer.body.error], [413, 'invalid_request'])
    }),

  'bad JSON': (open, { hasParser }) =>
    open(async ({ post }) => {
      const answer = await post('/wx/login', '{"code":')
      assert.equal(answer.status, 400)
      // A parser refuses with a body of its own.
      if (!hasParser) assert.equal(answer.body.error, 'invalid_request')
    }),

  prefix: (open) =>
    open(
      async ({ post, loginBody }) => {
        assert.equal((await post('/api/v2/wx/login', loginBody())).status, 200)
        assert.equal((await post('/wx/login', loginBody())).body.access_token, undefined)
      },
      { basePath: '/api/v2/wx' },
    ),

  optional: (open) =>
    open(async ({ get, login }) => {
      const { access_token, user_id } = await login()
      assert.deepEqual((await get('/guest')).body, { userId: null })
      assert.deepEqual((await get('/guest', access_token)).body, { userId: user_id })
      assert.equal((await get('/guest', 'junk')).status, 401)
    }),

  fresh: (open) =>
    open(async ({ auth, get, login }) => {
      const { access_token, user_id } = await login()
      assert.equal((await get('/fresh', access_token)).status, 200)
      await auth.sessions.revoke({ userId: user_id })
      assert.equal((await get('/fresh', access_token)).status, 401)
      assert.equal((await get('/orders', access_token)).status, 200)
    }),

  wrapped: (open) =>
    open(async ({ get, post, login, loginBody }) => {
      const wrap = { 'x-wrap': 'yes' }
      const { access_token } = await login()
      const orders = await get('/orders', access_token, wrap)
      assert.deepEqual(Object.keys(orders.body), ['code', 'data'], 'the wrapper works')
      const answer = await post('/wx/login', loginBody(), wrap)
      assert.equal(answer.body.token_type, 'Bearer')
      assert.equal((await get('/orders', undefined, wrap)).body.error, 'invalid_token')
    }),

  'parser after': (open) =>
    open(async ({ post, login }) => {
      const { access_token } = await login()
      const notes = await post('/notes', { a: '小明' }, { authorization: `Bearer ${access_token}` })
      assert.deepEqual(notes.body, { body: { a: '小明' } })
    }),
}

/** Opens a backend for a column, and closes it. */
export const opener =
  (start) =>
  async (ask, { basePath = '/wx' } = {}) => {
    const wechat = createFakeWeChat()
    const auth = createAuth({
      apps: [wechat.app],
      secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
      fetch: wechat.fetch,
      onEvent: () => undefined,
    })
    const server = await start({ auth, basePath, guarded })
    try {
      await ask({ auth, ...clientOf(server.url, wechat) })
    } finally {
      await server.close()
      await auth.close()
    }
  }

function clientOf(url, wechat) {
  const read = async (response) => {
    const text = await response.text()
    let body = {}
    try {
      body = JSON.parse(text)
    } catch {}
    return { status: response.status, headers: response.headers, text, body }
  }
  const post = async (path, body, headers = {}) =>
    read(
      await fetch(url + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': randomUUID(),
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    )
  const get = async (path, token, headers = {}) =>
    read(
      await fetch(url + path, {
        headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
      }),
    )
  const loginBody = () => ({ code: wechat.codeFor('alice'), app_id: wechat.app.appId })
  async function login() {
    const answer = await post('/wx/login', loginBody())
    assert.equal(answer.status, 200, answer.text)
    return answer.body
  }
  return { url, post, get, login, loginBody }
}
