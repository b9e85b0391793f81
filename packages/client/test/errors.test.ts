import { createClient } from '@wxlogin/client'
import type { FakeWxOptions } from '@wxlogin/client/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { json, refusal } from './backend.js'
import { baseUrl, setUp, setUpFull } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const caught = (promise: Promise<unknown>) => promise.catch((error) => error)
const html = { statusCode: 200, header: {}, body: '<!doctype html><title>Shop</title>' }

describe('a message carries the code, and what was called', () => {
  test('a wrong path of the login', async () => {
    const { client, backend } = setUp()
    backend.answer('/wx/login', { statusCode: 404, header: {}, body: 'Cannot POST /wx/login' })

    const error = await caught(client.request({ url: '/orders' }))

    expect(String(error)).toBe('ClientError: http: 404 POST https://api.example.com/wx/login')
    expect(error).toMatchObject({
      name: 'ClientError',
      code: 'http',
      statusCode: 404,
      method: 'POST',
      url: 'https://api.example.com/wx/login',
    })
    expect(error.stack).toMatch(/^ClientError: http: 404 POST/)
  })

  test('an answer of the app, its query left out', async () => {
    const { client, backend } = setUp()
    backend.answer('/orders', json(500, { oops: true }, { 'X-Trace': 't' }))

    const error = await caught(client.request({ url: '/orders?token=secret', method: 'PUT' }))

    expect(error.message).toBe('http: 500 PUT https://api.example.com/orders')
    expect(error).toMatchObject({
      method: 'PUT',
      url: 'https://api.example.com/orders',
      statusCode: 500,
      data: { oops: true },
      header: { 'X-Trace': 't' },
    })
  })

  test('what unwrap threw, and of which answer', async () => {
    const { client, backend } = setUp({
      unwrap({ data }) {
        throw new Error(`code ${(data as { code: number }).code}`)
      },
    })
    backend.answer('/orders', json(200, { code: 7 }))

    const error = await caught(client.request({ url: '/orders?token=secret' }))

    expect(error.message).toBe('business: code 7 200 GET https://api.example.com/orders')
    expect(error).toMatchObject({ statusCode: 200, data: { code: 7 }, cause: new Error('code 7') })
  })

  test('what unwrap threw at a login, of whose answer nothing is kept', async () => {
    const { client } = setUp({
      unwrapAuth: true,
      unwrap() {
        throw new Error('not of the gateway')
      },
    })

    const error = await caught(client.login())

    expect(error.message).toMatch(/^business: not of the gateway +POST https:.*\/wx\/login$/)
    expect(error).not.toHaveProperty('data')
    expect(error).not.toHaveProperty('header')
  })

  test('what the server says comes first', async () => {
    const { client, backend } = setUp()
    backend.answer('/orders', refusal(403, 'insufficient_scope'))

    const error = await caught(client.request({ url: '/orders' }))

    expect(error.message).toBe(
      'insufficient_scope: insufficient_scope it is 403 GET https://api.example.com/orders',
    )
  })

  test('no connection, a deadline and an abort', async () => {
    const { client, wx } = setUp()
    await client.launch()
    wx.control.onRequest('/hang', 'hang')
    wx.control.onRequest('/fail', { fail: { errMsg: 'request:fail', errno: 600000 } })

    const failed = caught(client.request({ url: '/fail' }))
    const late = caught(client.request({ url: '/hang', timeout: 1_000 }))
    const task = client.request({ url: '/hang' })
    const aborted = caught(task)
    task.abort()
    await vi.advanceTimersByTimeAsync(1_000)

    expect((await failed).message).toBe('network: GET https://api.example.com/fail')
    expect((await late).message).toBe('timeout: GET https://api.example.com/hang')
    expect((await aborted).message).toBe('aborted: GET https://api.example.com/hang')
  })

  test('a login that WeChat does not answer names wx.login', async () => {
    const { client, wx } = setUp()
    wx.control.onLogin('hang', { times: 1 })

    const login = caught(client.login())
    await vi.advanceTimersByTimeAsync(10_000)

    expect((await login).message).toBe('timeout: wx.login')
  })

  test('the name of a user and a password in the url stay out', async () => {
    const { client, backend } = setUp()
    backend.answer('/a', json(500, {}))

    const error = await caught(client.request({ url: 'https://me:secret@cdn.example.com/a' }))

    expect(error.url).toBe('https://cdn.example.com/a')
  })

  test('uploads, downloads and sockets too', async () => {
    const { client, wx } = setUpFull()
    await client.launch()
    wx.control.files.set('a', 'pixels')
    wx.control.onRequest('/a', { respond: { statusCode: 503 } })
    wx.control.onSocket('/a', { fail: { errMsg: 'connectSocket:fail', errno: 600002 } })

    const errors = [
      client.uploadFile({ url: '/a', filePath: 'a', name: 'a' }),
      client.downloadFile({ url: '/a' }),
      client.connectSocket({ url: '/a' }),
    ].map(caught)

    expect((await Promise.all(errors)).map(({ url }) => url)).toEqual([
      'https://api.example.com/a',
      'https://api.example.com/a',
      'https://api.example.com/a',
    ])
  })
})

describe('what a login route answers instead of tokens is told', () => {
  test.each([
    ['unusable_string', html],
    [
      'unusable_object',
      json(200, { code: 0, msg: 'ok', data: { refresh_token: 'refresh-canary' } }),
    ],
  ])('%s', async (reason, answer) => {
    const { client, backend } = setUp()
    backend.answer('/wx/login', answer)

    const error = await caught(client.login())

    expect(error.message).toBe(`http: ${reason} 200 POST https://api.example.com/wx/login`)
    expect(error).toMatchObject({ code: 'http', reason, statusCode: 200 })
    expect(JSON.stringify(Object.entries(error))).not.toContain('canary')
  })

  test('of a phone number too', async () => {
    const { client, backend } = setUpFull()
    backend.answer('/wx/phone', html)

    const error = await caught(client.bindPhone({ detail: { code: 'phone-1' } }))

    expect(error).toMatchObject({ code: 'http', reason: 'unusable_string' })
  })

  test.each(['appSecret', 'secret', 'container'])('the option %s is refused', (name) => {
    const options = { baseUrl, [name]: 'canary' }
    const { wx } = setUp()

    expect(() => createClient({ wx, ...options })).toThrow(
      new TypeError(`${name} is no option here`),
    )
  })
})

describe('what WeChat does not allow is not called a network failure', () => {
  test.each([
    [{ errMsg: 'login:fail', errno: 103 }],
    [{ errMsg: 'login:fail', errno: 104 }],
    [{ errMsg: 'login:fail', errno: 112 }],
    [{ errMsg: 'login:fail wxa login is blocked', errno: 1402101 }],
    [{ errMsg: 'login:fail privacy permission is not authorized' }],
    [{ errMsg: 'login:fail auth deny' }],
    [{ errMsg: 'login:fail wxa login is blocked' }],
  ])('%o', async (fail) => {
    const { client, wx } = setUp()
    wx.control.onLogin({ fail })

    const error = await caught(client.login())

    expect(error).toMatchObject({ code: 'denied', method: 'wx.login', cause: fail })
  })
})

describe('everything rejects with a ClientError, and nothing throws', () => {
  test('a loginInput that throws', async () => {
    const thrown = new Error('no storage')
    const events: unknown[] = []
    const { client } = setUp({
      loginInput() {
        throw thrown
      },
      onEvent: (event) => events.push(event),
    })

    const error = await caught(client.request({ url: '/orders' }))

    expect(error).toMatchObject({ name: 'ClientError', code: 'business', cause: thrown })
    expect(events).toMatchObject([{ type: 'login', code: 'business' }])
  })

  test('an isUnauthorized that throws', async () => {
    const thrown = new Error('no code')
    const { client } = setUp({
      isUnauthorized() {
        throw thrown
      },
    })

    const error = await caught(client.request({ url: '/orders' }))

    expect(error).toMatchObject({ name: 'ClientError', code: 'business', cause: thrown })
  })

  const nothing = undefined as never
  test.each([
    ['request', {}],
    ['uploadFile', { omit: ['uploadFile'] }],
    ['downloadFile', { omit: ['downloadFile'] }],
    ['connectSocket', { omit: ['connectSocket'] }],
    ['callContainer', {}],
    ['bindPhone', {}],
  ] as const)('%s without options', async (name, phone: FakeWxOptions) => {
    const { client, wx } = setUpFull({ phone })
    wx.control.onRequest('', { fail: { errMsg: 'request:fail', errno: 600009 } })

    const error = await caught(client[name](nothing))

    expect(error.name).toBe('ClientError')
  })

  test.each(['login', 'logout'] as const)('%s with null', async (name) => {
    const { client } = setUp()

    await client[name](null as never)
  })
})

describe('no error holds what may be secret', () => {
  const canary = { error: 'server_error', error_description: 'no', echo: 'canary' }

  test.each(['login', 'refresh', 'logout', 'phone'])('of /%s', async (route) => {
    const { client, backend } = setUpFull()
    await client.launch()
    await vi.advanceTimersByTimeAsync(900_000)
    backend.answer(`/wx/${route}`, json(400, canary, { 'Set-Cookie': 'canary' }))

    const error = await caught(
      route === 'login'
        ? client.login({ force: true })
        : route === 'logout'
          ? client.logout({ everywhere: true })
          : route === 'phone'
            ? client.bindPhone({ detail: { code: 'phone-1' } })
            : client.request({ url: '/orders' }),
    )

    expect(error.code).toBe('server_error')
    expect(error.data).toBeUndefined()
    expect(error.header).toBeUndefined()
  })

  test('of a phone button', async () => {
    const { client } = setUpFull()
    const detail = {
      errMsg: 'getPhoneNumber:fail user deny',
      encryptedData: 'canary',
      iv: 'canary',
      cloudID: 'canary',
    }

    const error = await caught(client.bindPhone({ detail }))

    expect(error.cause).toEqual({ errMsg: detail.errMsg })
  })

  test('and no login goes where it is redirected', async () => {
    const { client, wx, backend } = setUpFull()
    const redirects: unknown[] = []
    const { request } = wx
    wx.request = (options) => {
      redirects.push([options.url.replace(baseUrl, ''), options.redirect])
      return request(options)
    }
    const code = backend.phoneCode({ number: '138' })

    await client.bindPhone({ detail: { code } })
    await vi.advanceTimersByTimeAsync(900_000)
    await client.request({ url: '/orders' })
    await client.logout()

    expect(redirects).toEqual([
      ['/wx/login', 'manual'],
      ['/wx/phone', 'manual'],
      ['/wx/refresh', 'manual'],
      ['/orders', undefined],
      ['/wx/logout', 'manual'],
    ])
  })
})

describe('a request id', () => {
  test('is sent with a login, and is in its error and event', async () => {
    const events: unknown[] = []
    const { client, backend } = setUp({ onEvent: (event) => events.push(event) })
    backend.answer('/wx/login', refusal(400, 'unknown_app'))

    const error = await caught(client.login())

    const sent = backend.seen('/wx/login')[0]?.header['x-request-id']
    expect(sent).toMatch(/^[\w-]{6,64}$/)
    expect(error.requestId).toBe(sent)
    expect(events).toMatchObject([{ type: 'login', code: 'unknown_app', requestId: sent }])
  })

  test('is known when the answer is lost', async () => {
    const { client, backend } = setUp()
    backend.answer('/wx/login', 'drop')

    const error = await caught(client.login())

    expect(error).toMatchObject({
      code: 'network',
      requestId: backend.seen('/wx/login')[0]?.header['x-request-id'],
    })
  })

  test('is the one of the server where that has another', async () => {
    const { client, backend } = setUp()
    backend.answer('/wx/login', refusal(500, 'server_error', { request_id: 'theirs' }))

    expect((await caught(client.login())).requestId).toBe('theirs')
  })

  test('is another for each login', async () => {
    const { client, backend } = setUp()

    await client.login()
    await client.login({ force: true })

    const ids = backend.seen('/wx/login').map(({ header }) => header['x-request-id'])
    expect(new Set(ids).size).toBe(2)
  })
})
