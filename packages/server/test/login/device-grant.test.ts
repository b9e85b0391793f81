import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { AuthError, createMemoryStore, type SessionRecord } from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { newKey, type SetUp, setUp } from '../set-up.js'
import { clientsOf, setUpPhone } from './device-set-up.js'

test('a PC that the phone lets in gets a session of the same user, and of its own', async () => {
  const { auth, events, clock, start, look, decide, poll, phone } = await setUpPhone()

  const asked = await start({
    client_name: 'Chrome 上的商家后台',
    page: 'https://shop.example/login',
  })
  expect(asked.body).toEqual({
    device_code: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    scene: expect.stringMatching(/^[\w-]{22}$/),
    expires_in: 180,
    interval: 2,
  })
  expect(await poll(asked.deviceCode)).toMatchObject({
    status: 400,
    body: { error: 'authorization_pending' },
  })
  clock.advance(10)
  expect((await look(asked.scene)).body).toEqual({
    client_name: 'Chrome 上的商家后台',
    page: 'https://shop.example/login',
    asked_at: 1_800_000_000,
    expires_in: 170,
    needs_number: false,
  })
  expect(await decide(asked.scene)).toMatchObject({ status: 204 })
  clock.advance(2)
  const tokens = await poll(asked.deviceCode)

  expect(tokens).toMatchObject({ status: 200, body: { token_type: 'Bearer', user_id: '7' } })
  const session = await auth.authenticate(`Bearer ${tokens.body.access_token}`, { fresh: true })
  expect(session).toMatchObject({ userId: '7' })
  expect(session.id).not.toBe((await auth.authenticate(`Bearer ${phone.access_token}`)).id)
  expect(await auth.sessions.list(7)).toMatchObject([
    { method: 'device', device: 'Chrome 上的商家后台' },
    { method: 'code' },
  ])
  expect(await auth.sessions.account(session)).toHaveProperty('openid')
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['device_asked', 'device_decided']),
  )
  expect(events.at(-1)).toMatchObject({ type: 'login', by: 'device', outcome: 'created' })
  expect(JSON.stringify(events)).not.toContain(asked.deviceCode)
})

test('the PC that was refused hears so, as often as it asks', async () => {
  const { clock, start, decide, poll, auth } = await setUpPhone()
  const { deviceCode, scene } = await start()

  expect(await decide(scene, false)).toMatchObject({ status: 204 })

  for (let polls = 0; polls < 3; polls++) {
    expect(await poll(deviceCode)).toMatchObject({
      status: 403,
      body: { error: 'access_denied', reason: 'declined' },
    })
    clock.advance(2)
  }
  expect(await decide(scene, true)).toMatchObject({ status: 400, body: { error: 'expired_token' } })
  expect(await poll(deviceCode)).toMatchObject({ body: { error: 'access_denied' } })
  expect(await auth.sessions.list(7)).toHaveLength(1)
})

test('a poll whose answer was lost gets the same session again', async () => {
  const { clock, start, decide, poll, auth, events } = await setUpPhone()
  const { deviceCode, scene } = await start()
  await decide(scene)
  const first = await poll(deviceCode)

  // After the end of the code too: its session is looked for first.
  clock.advance(299)
  const second = await poll(deviceCode)

  expect(second.status).toBe(200)
  expect(second.body.refresh_token).toBe(first.body.refresh_token)
  expect(events.at(-1)).toMatchObject({ type: 'login', by: 'device', outcome: 'retried' })
  clock.advance(2)
  expect(await poll(deviceCode)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  expect(await auth.sessions.list(7)).toHaveLength(2)
})

test('a device code that comes with another key ends the session that it made', async () => {
  const { clock, start, decide, poll, auth, events } = await setUpPhone()
  const { deviceCode, scene } = await start()
  await decide(scene)
  const { body } = await poll(deviceCode)
  clock.advance(2)

  expect(await poll(deviceCode, newKey())).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant', reason: 'reused' },
  })

  await expect(auth.refresh({ refreshToken: String(body.refresh_token) })).rejects.toMatchObject({
    code: 'invalid_grant',
    reason: 'reused',
  })
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'login', by: 'device', outcome: 'code_reused' }),
  )
})

test('who polls too fast is told to slow down, and has to wait 5 seconds more from then on', async () => {
  const { clock, start, poll } = await setUpPhone()
  const { deviceCode } = await start()
  await poll(deviceCode)
  clock.advance(1)

  expect(await poll(deviceCode)).toMatchObject({
    status: 400,
    body: { error: 'slow_down' },
    headers: { 'retry-after': expect.stringMatching(/^([7-9]|1[0-2])$/) },
  })
  clock.advance(6)
  expect(await poll(deviceCode)).toMatchObject({ body: { error: 'slow_down' } })
  clock.advance(12)
  expect(await poll(deviceCode)).toMatchObject({ body: { error: 'authorization_pending' } })
})

test('a decision is not for the taking twice, and the same one again is no error', async () => {
  const { auth, wechat, start, look, decide, poll } = await setUpPhone()
  const other = await auth.login({ code: wechat.codeFor('bob') })
  const { deviceCode, scene } = await start()
  await decide(scene)

  expect(await decide(scene)).toMatchObject({ status: 204 })
  expect(await decide(scene, false)).toMatchObject({
    status: 400,
    body: { error: 'expired_token' },
  })
  expect(await look(scene)).toMatchObject({ status: 400, body: { error: 'expired_token' } })
  expect(await clientsOf({ auth }, other.access_token).decide(scene)).toMatchObject({
    body: { error: 'expired_token' },
  })
  expect(await poll(deviceCode)).toMatchObject({ status: 200 })
})

test('an unanswered code ends, and so does what the phone scanned', async () => {
  const { clock, start, look, decide, poll } = await setUpPhone({ deviceGrant: { ttlSeconds: 60 } })
  const { deviceCode, scene } = await start()
  clock.advance(59)
  expect(await look(scene)).toMatchObject({ status: 200, body: { expires_in: 1 } })
  clock.advance(1)

  for (const answer of [await poll(deviceCode), await look(scene), await decide(scene)]) {
    expect(answer).toMatchObject({ status: 400, body: { error: 'expired_token' } })
  }
})

test('a decision that came in time is of no use after the end of the code', async () => {
  const { clock, start, decide, poll, auth } = await setUpPhone()
  const { deviceCode, scene } = await start()
  await decide(scene)
  clock.advance(180)

  expect(await poll(deviceCode)).toMatchObject({ body: { error: 'expired_token' } })
  expect(await auth.sessions.list(7)).toHaveLength(1)
})

describe('signing out', () => {
  async function setUpPc() {
    const parts = await setUpPhone()
    const { deviceCode, scene } = await parts.start()
    await parts.decide(scene)
    const { body } = await parts.poll(deviceCode)
    const pc = { refreshToken: String(body.refresh_token) }
    return { ...parts, pc }
  }

  test('on the phone leaves the PC alone', async () => {
    const { auth, phone, pc } = await setUpPc()

    await auth.logout({ refreshToken: phone.refresh_token })

    await expect(auth.refresh(pc)).resolves.toMatchObject({ user_id: '7' })
  })

  test('on the PC leaves the phone alone', async () => {
    const { auth, phone, pc } = await setUpPc()

    await auth.logout(pc)

    await expect(auth.refresh({ refreshToken: phone.refresh_token })).resolves.toBeDefined()
  })

  test.each(['everywhere', 'revoke', 'forget'])('%s ends both', async (how) => {
    const { auth, phone, pc } = await setUpPc()

    if (how === 'revoke') await auth.sessions.revoke({ userId: 7 })
    if (how === 'forget') await auth.sessions.forget(7)
    if (how === 'everywhere') {
      await auth.logout({ refreshToken: phone.refresh_token, everywhere: true })
    }

    for (const input of [pc, { refreshToken: phone.refresh_token }]) {
      await expect(auth.refresh(input)).rejects.toMatchObject({ code: 'invalid_grant' })
    }
  })
})

test.each([
  ['signed out', (parts: SetUp, token: string) => parts.auth.logout({ refreshToken: token })],
  ['was revoked', ({ auth }: SetUp) => auth.sessions.revoke({ userId: 7 })],
  ['was forgotten', ({ auth }: SetUp) => auth.sessions.forget(7)],
])('a phone that %s after it approved lets nobody in', async (_what, end) => {
  const { phone, start, decide, poll, clock, ...parts } = await setUpPhone()
  const { deviceCode, scene } = await start()
  await decide(scene)

  await end({ ...parts, clock }, phone.refresh_token)

  expect(await poll(deviceCode)).toMatchObject({ status: 403, body: { error: 'access_denied' } })
  expect(await parts.auth.sessions.list(7)).toEqual([])
})

test('a phone whose access token is good but whose session has ended decides nothing', async () => {
  const { auth, phone, start, look, decide, poll } = await setUpPhone()
  const { deviceCode, scene } = await start()
  await auth.logout({ refreshToken: phone.refresh_token })

  for (const answer of [await look(scene), await decide(scene)]) {
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } })
  }
  expect(await poll(deviceCode)).toMatchObject({ body: { error: 'authorization_pending' } })
})

test('a user whom claims refuses gets no PC in', async () => {
  let isBanned = false
  const { auth, start, decide, poll } = await setUpPhone({
    claims: () => {
      if (isBanned) throw new AuthError('access_denied', 'banned', { reason: 'banned' })
      return {}
    },
  })
  const { deviceCode, scene } = await start()
  await decide(scene)
  isBanned = true

  expect(await poll(deviceCode)).toMatchObject({
    status: 403,
    body: { error: 'access_denied', reason: 'banned' },
  })
  expect(await auth.sessions.list(7)).toHaveLength(1)
})

describe('number matching', () => {
  const deviceGrant = { numberMatching: true }

  test('lets in whoever brings the number that the device shows', async () => {
    const { start, look, decide, poll } = await setUpPhone({ deviceGrant })
    const { deviceCode, scene, number } = await start()

    expect(number).toMatch(/^[1-9]\d$/)
    expect(await look(scene)).toMatchObject({ body: { needs_number: true } })
    expect(JSON.stringify((await look(scene)).body)).not.toContain(`"${number}"`)
    expect(await decide(scene)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect(await decide(scene, true, { number })).toMatchObject({ status: 204 })
    expect(await poll(deviceCode)).toMatchObject({ status: 200 })
  })

  test('gives one guess, and a wrong one costs the phone nothing else', async () => {
    const { auth, phone, events, start, decide, poll } = await setUpPhone({ deviceGrant })
    const { deviceCode, scene, number } = await start()
    const wrong = number === '42' ? '43' : '42'

    expect(await decide(scene, true, { number: wrong })).toMatchObject({
      status: 403,
      body: { error: 'access_denied', scope: 'attempt', reason: 'wrong_number' },
    })

    expect(events.at(-1)).toMatchObject({ type: 'device_decided', outcome: 'wrong_number' })
    expect(await decide(scene, true, { number })).toMatchObject({
      body: { error: 'expired_token' },
    })
    expect(await poll(deviceCode)).toMatchObject({ body: { error: 'access_denied' } })
    await expect(auth.refresh({ refreshToken: phone.refresh_token })).resolves.toBeDefined()
  })

  test('is not asked of who refuses', async () => {
    const { start, decide } = await setUpPhone({ deviceGrant })

    expect(await decide((await start()).scene, false)).toMatchObject({ status: 204 })
  })
})

test('the place is what the server says, and nobody else', async () => {
  const { start, look } = await setUpPhone({
    deviceGrant: {
      placeOf: (request) => request.header('x-forwarded-for') && '广东 深圳（113.87.0.1）',
    },
  })

  const { scene } = await start({}, { 'x-forwarded-for': '113.87.0.1' })
  expect((await look(scene)).body).toMatchObject({ place: '广东 深圳（113.87.0.1）' })
  expect((await look((await start()).scene)).body).not.toHaveProperty('place')
  expect(await start({ place: 'your own home' })).toMatchObject({
    status: 400,
    body: { error: 'invalid_request' },
  })
})

test('beyond maxOpen a device is told to come later, until one of them is over', async () => {
  const { clock, start, decide, poll } = await setUpPhone({ deviceGrant: { maxOpen: 2 } })
  const { scene, deviceCode } = await start()
  await start()

  expect(await start()).toMatchObject({
    status: 429,
    body: { error: 'rate_limited' },
    headers: { 'retry-after': expect.any(String) },
  })
  await decide(scene)
  await poll(deviceCode)
  expect(await start()).toMatchObject({ status: 200 })
  expect(await start()).toMatchObject({ status: 429 })
  clock.advance(180)
  expect(await start()).toMatchObject({ status: 200 })
})

test('of two hundred devices in the same moment no more get in than there are places', async () => {
  const placeOf = async () => delay(5, 'Hangzhou')
  for (const deviceGrant of [{ maxOpen: 5 }, { maxOpen: 5, placeOf }]) {
    const { start } = await setUpPhone({ deviceGrant })

    const answers = await Promise.all(Array.from({ length: 200 }, () => start()))

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(195)
  }
})

test('a device whose request fails keeps no place', async () => {
  let place: string | undefined
  const placeOf = () => {
    if (place === undefined) throw new Error('no database of addresses')
    return place
  }
  const { start } = await setUpPhone({ deviceGrant: { maxOpen: 1, placeOf } })

  expect(await start()).toMatchObject({ status: 500 })
  place = 'Hangzhou'
  expect(await start({ page: ' ' })).toMatchObject({ status: 400 })

  expect(await start()).toMatchObject({ status: 200 })
})

test.each([
  { client_name: '名'.repeat(128), page: '页'.repeat(128) },
  { client_name: 'x'.repeat(129) },
  { client_name: 'line\nbreak' },
  { client_name: 'Chrome\u200f' },
  { client_name: '\u200b' },
  { client_name: '\u3164 \u2800' },
  { client_name: ' ' },
  { page: '‮https://evil.example' },
  { page: 7 },
  { app_id: 'wx00000000000000ff' },
])('what a device may not say is refused: %j', async (body) => {
  const { start } = await setUpPhone()

  const answer = await start(body)

  expect(answer.status).toBe(400)
  expect(['invalid_request', 'unknown_app']).toContain(answer.body.error)
})

test('anonymous visitors write at most 512 bytes into the store, and polls write nothing', async () => {
  const written: string[] = []
  const memory = createMemoryStore()
  const { start, poll } = await setUpPhone({
    store: {
      ...memory,
      put: (id, value, expiresAt) => {
        written.push(value)
        return memory.put(id, value, expiresAt)
      },
    },
    now: Date.now,
  })

  const { deviceCode } = await start({ client_name: 'x'.repeat(128), page: 'y'.repeat(128) })
  for (let polls = 0; polls < 3; polls++) await poll(deviceCode)

  expect(written).toHaveLength(1)
  expect(Buffer.byteLength(written[0] ?? '')).toBeLessThanOrEqual(512)
})

test('a PC that a phone number makes another user lets nobody in either', async () => {
  const parts = await setUpPhone({ onPhoneNumber: () => ({ userId: 8 }) })
  const { deviceCode, scene } = await parts.start()
  await parts.decide(scene)
  const { body: pc } = await parts.poll(deviceCode)

  const answer = await send(parts.auth, '/phone', {
    headers: { authorization: `Bearer ${pc.access_token}` },
    body: { code: parts.wechat.phoneCodeFor('alice') },
  })

  const { access_token, user_id } = bodyOf(answer) as { access_token: string; user_id: string }
  expect(user_id).toBe('8')
  const { start, look, decide } = clientsOf(parts, access_token)
  const { scene: another } = await start()
  for (const refused of [await look(another), await decide(another)]) {
    expect(refused).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } })
  }
})

test('users of another mini program do not decide', async () => {
  const apps = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 'a'.repeat(32) }))
  const { auth, wechat } = setUp({ apps, deviceGrant: {} }, { apps })
  const { access_token } = await auth.login({
    code: wechat.codeFor('alice', { appId: 'wx2' }),
    appId: 'wx2',
  })
  const { start, look, decide, poll } = clientsOf({ auth }, access_token)

  expect(await start()).toMatchObject({ status: 400, body: { error: 'unknown_app' } })
  const { deviceCode, scene } = await start({ app_id: 'wx1' })
  for (const answer of [await look(scene), await decide(scene)]) {
    expect(answer).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } })
  }
  expect(await poll(deviceCode)).toMatchObject({ body: { error: 'authorization_pending' } })
})

describe('without the option', () => {
  test('there are no routes', async () => {
    const { auth } = setUp()

    for (const path of ['/device', '/device/decision', '/device/token']) {
      expect(await send(auth, path, { body: {} })).toMatchObject({ status: 404 })
    }
    expect(await send(auth, '/device?scene=x', { method: 'GET' })).toMatchObject({ status: 404 })
  })

  test('the calls say how to have it', async () => {
    const { auth } = setUp()

    await expect(auth.device.start()).rejects.toMatchObject({
      code: 'server_misconfigured',
      message: expect.stringContaining('deviceGrant'),
    })
  })
})

test('a store that cannot keep what is asked is refused when auth is created', () => {
  const { put: _put, take: _take, ...store } = createMemoryStore()

  expect(() => setUp({ store, deviceGrant: {} })).toThrow(
    /deviceGrant needs .*put, peek, take.*no put, take/,
  )
  expect(() => setUp({ store })).not.toThrow()
})

test.each([
  ['GET', '/device/decision', 'POST'],
  ['PUT', '/device', 'POST, GET'],
  ['GET', '/device/token', 'POST'],
])('%s %s is a 405 that allows %s', async (method, path, allow) => {
  const { auth } = setUp({ deviceGrant: {} })

  expect(await send(auth, path, { method })).toMatchObject({ status: 405, headers: { allow } })
})

test.each([{}, { approve: 'yes' }, { approve: null }])(
  'a decision has to be one: %j',
  async (body) => {
    const { auth, phone, start } = await setUpPhone()
    const { scene } = await start()

    const answer = await send(auth, '/device/decision', {
      headers: { authorization: `Bearer ${phone.access_token}` },
      body: { scene, ...body },
    })

    expect(answer).toMatchObject({ status: 400 })
  },
)

test('a record says who let its session in, and inherits when WeChat proved the account', async () => {
  const records: SessionRecord[] = []
  const memory = createMemoryStore()
  const store = {
    ...memory,
    create: (record: SessionRecord) => {
      records.push(record)
      return memory.create(record)
    },
  }
  const { start, decide, poll } = await setUpPhone({ store, now: Date.now })
  const { deviceCode, scene } = await start()
  await decide(scene)
  await poll(deviceCode)

  const [phone, pc] = records
  expect(pc).toMatchObject({ method: 'device', approvedBy: phone?.id })
  expect(pc?.authenticatedAt).toBe(phone?.authenticatedAt)
  expect(pc).not.toHaveProperty('sealedKey')
})
