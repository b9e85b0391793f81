// node | bun | deno run backend.mjs: runs in a project that has the tarballs. A backend on node:http, and the emulated
// WeChat by its own connections: login, refresh, a request, logout, and the end.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/node'
import { createFakeWeChat } from '@wxlogin/server/testing'

const wechat = createFakeWeChat()
const listening = await wechat.listen()
const auth = createAuth({
  apps: [wechat.app],
  secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
  wechatHosts: [listening.url],
})
const routes = authRoutes(auth, { basePath: '/wx' })
const guard = requireAuth(auth)
const server = createServer((request, response) => {
  if (request.url.startsWith('/wx/')) return routes(request, response)
  guard(request, response, () => response.end(sessionOf(request, auth).userId))
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}`

const post = async (path, body) => {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify(body),
  })
  return { status: response.status, text: await response.text() }
}

const app = { app_id: wechat.app.appId }
const login = await post('/wx/login', { ...app, code: wechat.codeFor('alice') })
assert.equal(login.status, 200, login.text)
const first = JSON.parse(login.text)
const refreshed = await post('/wx/refresh', { refresh_token: first.refresh_token })
assert.equal(refreshed.status, 200, refreshed.text)
const { access_token, refresh_token, user_id } = JSON.parse(refreshed.text)
const me = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${access_token}` } })
assert.equal(await me.text(), user_id)
assert.equal((await fetch(`${url}/me`)).status, 401)
assert.equal((await post('/wx/login', { ...app, code: 'not a code' })).status, 400)
assert.equal((await post('/wx/logout', { refresh_token })).status, 204)
assert.equal((await post('/wx/refresh', { refresh_token })).status, 400)

await auth.close()
await new Promise((resolve) => server.close(resolve))
await listening.close()
console.log('login, refresh, request, logout and close')
process.exit()
