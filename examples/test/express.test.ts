import { randomBytes } from 'node:crypto'
import type { TokenAnswer } from '@wxlogin/server'
import { createFakeWeChat, signIn } from '@wxlogin/server/testing'
import { expect, test } from 'vitest'
import { createBackend } from '../express/app.ts'
import { listen } from './set-up.ts'

const prefetchPath = randomBytes(16).toString('hex')

async function setUp() {
  const wechat = createFakeWeChat()
  const { app, auth } = createBackend({
    apps: [wechat.app],
    secret: randomBytes(48).toString('base64'),
    prefetchPath,
    fetch: wechat.fetch,
  })
  const url = await listen(app)

  const call = (path: string, init?: RequestInit) => fetch(`${url}${path}`, init)

  async function read<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
    const response = await call(path, { headers })
    return (await response.json()) as T
  }

  /** What the mini program's client does at launch. */
  async function logIn(user: string, device: string) {
    const response = await call('/wx/login', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': randomBytes(16).toString('base64url'),
      },
      body: JSON.stringify({ code: wechat.codeFor(user), app_id: wechat.app.appId, device }),
    })
    const answer = (await response.json()) as TokenAnswer
    return { answer, headers: { authorization: `Bearer ${answer.access_token}` } }
  }

  /** What the phone button of the mini program does. */
  async function givePhone(user: string, phoneNumber: string, headers: Record<string, string>) {
    const response = await call('/wx/phone', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ code: wechat.phoneCodeFor(user, { phoneNumber }) }),
    })
    return (await response.json()) as Partial<TokenAnswer>
  }

  return { auth, wechat, call, read, logIn, givePhone, url }
}

test('a login answers with tokens and what onLogin says about the user', async () => {
  const { logIn } = await setUp()

  const { answer } = await logIn('alice', 'iPhone')

  expect(answer).toMatchObject({ token_type: 'Bearer', user_id: '1', data: { name: '顾客 1 号' } })
})

test('a user who logs in again is the same user', async () => {
  const { logIn } = await setUp()

  const first = await logIn('alice', 'iPhone')
  const again = await logIn('alice', 'iPad')

  expect(again.answer.user_id).toBe(first.answer.user_id)
})

test('each user sees their own orders', async () => {
  const { read, logIn } = await setUp()
  const alice = await logIn('alice', 'iPhone')
  const bob = await logIn('bob', 'Pixel')

  const [ofAlice, ofBob] = await Promise.all(
    [alice, bob].map(({ headers }) => read('/orders', headers)),
  )

  expect(ofAlice).toEqual([{ id: 'A-1001', title: '新人拿铁', price: 9.9 }])
  expect(ofBob).toEqual([{ id: 'A-2001', title: '新人拿铁', price: 9.9 }])
})

test('a guest whose phone number is known goes on as that customer, with the orders of both', async () => {
  const { read, logIn, givePhone } = await setUp()
  const customer = await logIn('alice', 'iPhone')
  await givePhone('alice', '13800138000', customer.headers)
  const guest = await logIn("alice's other WeChat", 'iPad')

  const moved = await givePhone("alice's other WeChat", '13800138000', guest.headers)

  expect(moved).toMatchObject({ user_id: '1', data: { name: '顾客 1 号' } })
  const orders = await read<object[]>('/orders', { authorization: `Bearer ${moved.access_token}` })
  expect(orders).toMatchObject([{ id: 'A-1001' }, { id: 'A-2001' }])
  const later = await logIn("alice's other WeChat", 'iPad')
  expect(later.answer.user_id).toBe('1')
})

test('a first phone number stays with its user', async () => {
  const { logIn, givePhone } = await setUp()
  const { headers } = await logIn('alice', 'iPhone')

  const answer = await givePhone('alice', '13800138000', headers)

  expect(answer).toEqual({
    phone_number: '13800138000',
    country_code: '86',
    data: { name: '顾客 1 号' },
  })
})

test('WeChat fetches the orders of the first screen together with the login', async () => {
  const { wechat, url } = await setUp()

  const { body } = await wechat.prefetch(`${url}/wx/${prefetchPath}/prefetch`, 'alice')

  expect(JSON.parse(body)).toMatchObject({ user_id: '1', prefetched: [{ id: 'A-1001' }] })
})

test('orders need a login', async () => {
  const { call } = await setUp()

  const response = await call('/orders')

  expect(response.status).toBe(401)
  expect(response.headers.get('www-authenticate')).toContain('Bearer')
})

test('the shop shows member prices to who is logged in', async () => {
  const { auth, read } = await setUp()
  const { headers } = await signIn(auth, { openid: 'alice' })

  const anonymous = await read<object[]>('/shop')
  const member = await read<object[]>('/shop', headers)

  expect(anonymous[0]).toEqual({ title: '拿铁', price: 28 })
  expect(member[0]).toEqual({ title: '拿铁', price: 28, memberPrice: 24 })
})

test('the shop refuses a bad token instead of taking it for no token', async () => {
  const { call } = await setUp()

  const response = await call('/shop', { headers: { authorization: 'Bearer made-up' } })

  expect(response.status).toBe(401)
})

test('a user sees all own devices, and which one is asking', async () => {
  const { read, logIn } = await setUp()
  await logIn('alice', 'iPad')
  const { headers } = await logIn('alice', 'iPhone')
  await logIn('bob', 'Pixel')

  const devices = await read<Device[]>('/devices', headers)

  expect(devices.map(({ device, current }) => ({ device, current }))).toEqual(
    expect.arrayContaining([
      { device: 'iPhone', current: true },
      { device: 'iPad', current: false },
    ]),
  )
  expect(devices).toHaveLength(2)
})

test('a device that is signed out cannot refresh any more', async () => {
  const { auth, call, read } = await setUp()
  const lost = await signIn(auth, { openid: 'alice', userId: 'alice' })
  const { headers } = await signIn(auth, { openid: 'alice', userId: 'alice' })
  const devices = await read<Device[]>('/devices', headers)
  const other = devices.find(({ current }) => !current)

  const response = await call(`/devices/${other?.id}`, { method: 'DELETE', headers })

  expect(response.status).toBe(204)
  await expect(auth.refresh({ refreshToken: lost.refreshToken })).rejects.toMatchObject({
    code: 'invalid_grant',
    reason: 'revoked',
  })
})

test("nobody signs out another user's device", async () => {
  const { auth, call, read } = await setUp()
  const alice = await signIn(auth, { openid: 'alice', userId: 'alice' })
  const bob = await signIn(auth, { openid: 'bob', userId: 'bob' })
  const [device] = await read<Device[]>('/devices', alice.headers)

  const response = await call(`/devices/${device?.id}`, { method: 'DELETE', headers: bob.headers })

  expect(response.status).toBe(404)
  await expect(auth.sessions.list('alice')).resolves.toHaveLength(1)
})

interface Device {
  readonly id: string
  readonly device?: string
  readonly current: boolean
}
