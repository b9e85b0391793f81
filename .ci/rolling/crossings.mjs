// Everything that two versions say to each other through the store and the secret: each case begins at one and goes on
// at the other. A case throws what is wrong.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

/** `here` and `there` are two backends, `{ post(path, body, headers?), get(path, token?) }`. */
export const crossings = {
  async 'an access token'({ here, there, login }) {
    const { access_token, user_id } = await login(here)
    const { status, body } = await there.get('/orders', access_token)
    assert.deepEqual([status, body.userId], [200, user_id])
    assert.equal(body.role, `role of ${user_id.slice(0, 8)}`)
  },

  async 'a refresh, and its retry'({ here, there, login }) {
    const tokens = await login(here)
    const key = randomUUID()
    const first = await there.refresh(tokens.refresh_token, key)
    const retry = await here.refresh(tokens.refresh_token, key)
    assert.deepEqual([first.status, retry.status], [200, 200])
    assert.equal(retry.body.refresh_token, first.body.refresh_token)
    const later = await here.refresh(first.body.refresh_token)
    assert.equal(later.status, 200)
    assert.equal((await there.refresh(later.body.refresh_token)).status, 200)
  },

  async 'a theft'({ here, there, login }) {
    const tokens = await login(here)
    const { body } = await there.refresh(tokens.refresh_token)
    const theft = await here.refresh(tokens.refresh_token)
    assert.equal(theft.body.reason, 'reused')
    assert.equal((await there.refresh(body.refresh_token)).body.reason, 'reused')
  },

  async 'a login whose answer was lost'({ here, there, codeFor, appId }) {
    const login = { code: codeFor(), app_id: appId }
    const headers = { 'idempotency-key': randomUUID() }
    const first = await here.post('/wx/login', login, headers)
    const again = await there.post('/wx/login', login, headers)
    assert.deepEqual([first.status, again.status], [200, 200])
    assert.equal(again.body.refresh_token, first.body.refresh_token)
    assert.deepEqual(again.body.data, first.body.data)
    const heard = await here.post('/wx/login', login)
    assert.equal(heard.body.error, 'invalid_code')
    assert.equal((await there.refresh(first.body.refresh_token)).body.reason, 'reused')
  },

  async 'a login that replaces a session'({ here, there, login }) {
    const tokens = await login(here)
    const renewed = await login(there, {
      previous_refresh_token: tokens.refresh_token,
      previous_idempotency_key: randomUUID(),
    })
    assert.equal((await here.refresh(tokens.refresh_token)).status, 400)
    assert.equal((await here.refresh(renewed.refresh_token)).status, 200)
  },

  async 'a logout'({ here, there, login }) {
    const { refresh_token, access_token } = await login(here)
    assert.equal((await there.post('/wx/logout', { refresh_token })).status, 204)
    assert.equal((await here.refresh(refresh_token)).status, 400)
    assert.equal((await here.get('/orders', access_token)).status, 401)
  },

  async 'a revocation, of which the phone learns'({ here, there, login }) {
    const { refresh_token, access_token } = await login(here)
    const { body } = await there.get('/revoke', access_token)
    assert.ok(body.revoked >= 1)
    for (const one of [here, there]) {
      assert.equal((await one.refresh(refresh_token)).body.reason, 'revoked')
      assert.equal((await one.get('/orders', access_token)).status, 401)
    }
  },

  async 'the list of devices'({ here, there, login }) {
    const person = randomUUID()
    const { access_token } = await login(here, { device: 'first' }, person)
    await login(there, { device: 'second' }, person)
    for (const one of [here, there]) {
      const { body } = await one.get('/devices', access_token)
      assert.deepEqual(body.devices.map(({ device }) => device).sort(), ['first', 'second'])
    }
  },

  async 'the account behind a session, and its session_key'({ here, there, login }) {
    const person = randomUUID()
    const { access_token } = await login(here, {}, person)
    const [one, other] = [
      await here.get('/account', access_token),
      await there.get('/account', access_token),
    ]
    assert.deepEqual(other.body, one.body)
    const [signed, again] = [
      await here.get('/sign', access_token),
      await there.get('/sign', access_token),
    ]
    assert.equal(signed.status, 200)
    assert.deepEqual(again.body, signed.body)
  },

  async 'a phone number that leads to another user'({ here, there, login, phoneCodeFor }) {
    const person = randomUUID()
    const { access_token, refresh_token } = await login(here, {}, person)
    const code = phoneCodeFor(person, '13800138009')
    const moved = await there.post('/wx/phone', { code }, bearer(access_token))
    assert.equal(moved.status, 200)
    const { body } = await here.get('/orders', moved.body.access_token)
    assert.equal(body.userId, 'member 13800138009')
    assert.equal((await here.refresh(refresh_token)).status, 400)
    assert.equal((await here.refresh(moved.body.refresh_token)).status, 200)
  },

  async 'a device that is let in'({ here, there, login }) {
    const { access_token, user_id } = await login(here)
    const { body: asked } = await there.post('/wx/device', { client_name: 'a PC' })
    const look = await here.get(`/wx/device?scene=${asked.scene}`, access_token)
    assert.equal(look.body.client_name, 'a PC')
    const key = { 'idempotency-key': randomUUID() }
    const poll = async (one) => {
      // As often as a device may, which each process counts for itself.
      await delay(2_100)
      return one.post('/wx/device/token', { device_code: asked.device_code }, key)
    }
    assert.equal((await poll(here)).body.error, 'authorization_pending')
    const decision = { scene: asked.scene, approve: true }
    const decided = await here.post('/wx/device/decision', decision, bearer(access_token))
    assert.equal(decided.status, 204)
    const tokens = await poll(there)
    assert.equal(tokens.status, 200)
    const again = await poll(here)
    assert.equal(again.body.refresh_token, tokens.body.refresh_token)
    assert.equal((await here.get('/orders', tokens.body.access_token)).body.userId, user_id)
    assert.equal((await here.refresh(tokens.body.refresh_token)).status, 200)
  },

  async 'a device that is refused'({ here, there, login }) {
    const { access_token } = await login(here)
    const { body: asked } = await here.post('/wx/device', {})
    const decision = { scene: asked.scene, approve: false }
    await there.post('/wx/device/decision', decision, bearer(access_token))
    const { body } = await here.post('/wx/device/token', { device_code: asked.device_code })
    assert.equal(body.error, 'access_denied')
  },

  async 'a ticket'({ here, there, login }) {
    const { access_token, user_id } = await login(here)
    const { body } = await here.get('/ticket', access_token)
    const redeemed = await there.get(`/redeem?ticket=${body.ticket}`)
    assert.deepEqual([redeemed.status, redeemed.body.userId], [200, user_id])
    assert.notEqual((await here.get(`/redeem?ticket=${body.ticket}`)).status, 200)
  },

  async 'a login that was fetched ahead'({ here, there, codeFor, appId, prefetchPath }) {
    const query = new URLSearchParams({ appid: appId, code: codeFor() })
    const { body } = await here.get(`/wx/${prefetchPath}/prefetch?${query}`)
    assert.deepEqual(body.prefetched, { orders: [] })
    assert.equal((await there.refresh(body.refresh_token)).status, 200)
  },
}

const bearer = (token) => ({ authorization: `Bearer ${token}` })
