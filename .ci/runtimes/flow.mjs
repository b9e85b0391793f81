// What a phone does, against a backend that serves `/wx` and, to those who are signed in, `/me`.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

/**
 * Logs in, asks, refreshes (twice, as after a lost answer), asks again, logs out, and is refused; with `isFresh` by the
 * access token as well.
 */
export async function playFlow(url, wechat, { isFresh = true } = {}) {
  const post = async (path, body, key = randomUUID()) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    return { status: response.status, text, body: text && JSON.parse(text) }
  }
  const me = async (token) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(`${url}/me`, { headers })
    return { status: response.status, body: await response.json() }
  }
  const app = { app_id: wechat.app.appId }

  const login = await post('/wx/login', { ...app, code: wechat.codeFor('alice') })
  assert.equal(login.status, 200, login.text)
  assert.equal((await me(login.body.access_token)).body.userId, login.body.user_id)

  const key = randomUUID()
  const refresh = { refresh_token: login.body.refresh_token }
  const refreshed = await post('/wx/refresh', refresh, key)
  assert.equal(refreshed.status, 200, refreshed.text)
  const again = await post('/wx/refresh', refresh, key)
  assert.equal(again.body.refresh_token, refreshed.body.refresh_token, 'a retry gets the same')
  const { access_token, refresh_token } = again.body
  assert.equal((await me(access_token)).body.userId, login.body.user_id)

  assert.equal((await me()).status, 401)
  assert.equal((await post('/wx/login', { ...app, code: 'not a code' })).status, 400)
  const logins = await Promise.all(
    ['bob', 'carol', 'dave'].map((who) => post('/wx/login', { ...app, code: wechat.codeFor(who) })),
  )
  assert.deepEqual(
    logins.map(({ status }) => status),
    [200, 200, 200],
  )

  assert.equal((await post('/wx/logout', { refresh_token })).status, 204)
  assert.equal((await post('/wx/refresh', { refresh_token })).status, 400)
  if (isFresh) assert.equal((await me(access_token)).status, 401)
}
