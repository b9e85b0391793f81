import express5 from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as onExpress from '../src/adapters/express.js'
import {
  type AuthOptions,
  createMemoryStore,
  type HookContext,
  type RequestHeaders,
  type SessionRecord,
} from '../src/index.js'
import { serve } from './adapters/backends.js'
import { bodyOf, send } from './http/set-up.js'
import { expectNone } from './no-secrets.js'
import { newKey, prefetchPath, setUp } from './set-up.js'

/** Hooks that write down which request they ran for. */
function setUpHooks(options: Partial<AuthOptions> = {}) {
  const seen: string[] = []
  const look = (hook: string, context: HookContext) => {
    const { request } = context
    const about = request ? `${request.header('X-From')} ${request.ip}` : 'without a request'
    seen.push(`${hook}: ${'request' in context ? about : 'without a request'}`)
  }
  const set = setUp({
    onLogin: (_account, context) => look('onLogin', context),
    claims: (_user, context) => {
      look('claims', context)
      return {}
    },
    onPhoneNumber: (context) => {
      look('onPhoneNumber', context)
      return { userId: 'another user' }
    },
    ...options,
  })
  return { ...set, seen, look }
}

const requestFrom = (
  name: string,
  ip: string | undefined,
  more: Readonly<Record<string, string>> = {},
): RequestHeaders => {
  const headers = new Map(Object.entries({ 'x-from': name, ...more }))
  return { header: (name) => headers.get(name.toLowerCase()), ip }
}

describe('a hook gets the request that it runs for', () => {
  test('at a login, its retry, a refresh and a phone number that leads to another user', async () => {
    const { auth, wechat, seen } = setUpHooks()
    const code = wechat.codeFor('alice')
    const key = newKey()
    const login = (from: string) =>
      send(auth, '/login', {
        headers: { 'X-From': from, 'Idempotency-Key': key },
        body: { code, app_id: wechat.app.appId },
      })

    const tokens = bodyOf(await login('login'))
    await login('retry')
    await send(auth, '/refresh', {
      headers: { 'X-From': 'refresh' },
      body: { refresh_token: tokens.refresh_token },
    })
    await send(auth, '/phone', {
      headers: { 'X-From': 'phone', authorization: `Bearer ${tokens.access_token}` },
      body: { code: wechat.phoneCodeFor('alice') },
    })

    expect(seen).toEqual([
      'onLogin: login undefined',
      'claims: login undefined',
      'claims: retry undefined',
      'claims: refresh undefined',
      'onPhoneNumber: phone undefined',
      'claims: phone undefined',
    ])
  })

  test('when a device that was let in polls for its tokens', async () => {
    const { auth, wechat, clock, seen } = setUpHooks({ deviceGrant: {} })
    const phone = await auth.login({ code: wechat.codeFor('alice') })
    const session = await auth.authenticate(`Bearer ${phone.access_token}`)
    const { device_code, scene } = await auth.device.start()
    await auth.device.decide({ session, scene, approve: true })
    clock.advance(5)
    seen.length = 0

    await send(auth, '/device/token', { headers: { 'X-From': 'pc' }, body: { device_code } })

    expect(seen).toEqual(['claims: pc undefined'])
  })

  test('behind the gateway of cloud hosting, at a guard as well as at a login', async () => {
    const { auth, wechat, clock, seen } = setUpHooks({ cloudHosting: { public: false } })
    const gateway = {
      'x-wx-openid': 'oGZUI0egBJY1zhBYw2KhdUfwVJJE',
      'x-wx-appid': wechat.app.appId,
      'x-wx-source': 'wx_client',
    }

    await auth.guard(requestFrom('guard', '192.0.2.7', gateway))
    clock.advance(3600)
    await auth.guard(requestFrom('later', '192.0.2.8', gateway))
    await send(auth, '/login', { headers: { ...gateway, 'X-From': 'login' }, body: {} })

    expect(seen).toEqual([
      'onLogin: guard 192.0.2.7',
      'claims: guard 192.0.2.7',
      'claims: later 192.0.2.8',
      'onLogin: login undefined',
      'claims: login undefined',
    ])
  })

  test("but a pre-fetch is WeChat's request, which only onPrefetch gets", async () => {
    const { auth, wechat, seen, look } = setUpHooks({
      onPrefetch: (context) => {
        look('onPrefetch', context)
        return undefined
      },
    })
    const query = new URLSearchParams({ appid: wechat.app.appId, code: wechat.codeFor('alice') })

    await send(auth, `/${prefetchPath}/prefetch?${query}`, {
      method: 'GET',
      headers: { 'X-From': 'wechat' },
    })

    expect(seen).toEqual([
      'onLogin: without a request',
      'claims: without a request',
      'onPrefetch: wechat undefined',
    ])
  })

  test('and none where the app itself calls', async () => {
    const { auth, wechat, seen } = setUpHooks()

    const { access_token, refresh_token } = await auth.login({ code: wechat.codeFor('alice') })
    await auth.refresh({ refreshToken: refresh_token })
    const session = await auth.authenticate(`Bearer ${access_token}`)
    await auth.phone({ session, code: wechat.phoneCodeFor('alice') })
    await auth.sessions.create({ account: { openid: 'bob' } })

    expect(seen.length).toBeGreaterThan(5)
    expect(seen.filter((line) => !line.endsWith(': without a request'))).toEqual([])
  })
})

test('an address that is not there is no member of the request', async () => {
  const requests: unknown[] = []
  const { auth, wechat } = setUp({
    cloudHosting: { public: false },
    onLogin: (_account, { request }) => void requests.push(request),
  })
  const gateway = { 'x-wx-appid': wechat.app.appId, 'x-wx-source': 'wx_client' }

  await auth.guard(requestFrom('one', undefined, { ...gateway, 'x-wx-openid': 'one' }))
  await auth.guard(requestFrom('two', '', { ...gateway, 'x-wx-openid': 'two' }))

  expect(requests).toEqual([{ header: expect.any(Function) }, { header: expect.any(Function) }])
})

test('nothing of a request is kept: not in the store, and in no event', async () => {
  const records: SessionRecord[] = []
  const inMemory = createMemoryStore()
  const { auth, wechat, events } = setUp({
    store: {
      ...inMemory,
      async create(record) {
        records.push(record)
        return inMemory.create(record)
      },
      async replace(record, version) {
        records.push(record)
        return inMemory.replace(record, version)
      },
    },
    onLogin: (_account, { request }) => {
      if (request?.header('X-From') !== 'a mark in a header' || request.ip !== '192.0.2.77') {
        throw new Error('not this request')
      }
    },
    claims: () => ({}),
  })
  const headers = new Map([
    ['content-type', 'application/json'],
    ['idempotency-key', newKey()],
    ['x-from', 'a mark in a header'],
  ])
  const ask = (path: string, parsed: object) =>
    auth.handle({
      method: 'POST',
      path,
      header: (name) => headers.get(name.toLowerCase()),
      ip: '192.0.2.77',
      body: { parsed },
    })

  const login = await ask('/login', { code: wechat.codeFor('alice'), app_id: wechat.app.appId })
  const refresh = await ask('/refresh', { refresh_token: bodyOf(login).refresh_token })

  expect([login.status, refresh.status, records.length]).toEqual([200, 200, 2])
  const marks = { header: 'a mark in a header', address: '192.0.2.77' }
  expectNone(marks, 'what is kept', [records, events, login, refresh])
})

test('Express says which address it is, by the proxies that it trusts', async () => {
  const ips: (string | undefined)[] = []
  const { auth, wechat } = setUp({
    onLogin: (_account, { request }) => void ips.push(request?.ip),
  })
  const loginThrough = async (trusted: boolean | string) => {
    const app = express5()
    app.set('trust proxy', trusted)
    app.use('/wx', onExpress.authRoutes(auth))
    const { url, close } = await serve(app)
    onTestFinished(close)
    await fetch(`${url}/wx/login`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': newKey(),
        'x-forwarded-for': '198.51.100.1, 203.0.113.9',
      },
      body: JSON.stringify({ code: wechat.codeFor('alice'), app_id: wechat.app.appId }),
    })
  }

  await loginThrough(false)
  await loginThrough('loopback')

  // What the nearest proxy saw, and not what the phone says of itself.
  expect(ips).toEqual(['127.0.0.1', '203.0.113.9'])
})
