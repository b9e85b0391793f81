import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createFakeWx,
  createTimerPromise,
  type FakeNetworkRequest,
  type FakeNetworkResponse,
  type FakeRequestOptions,
  type FakeWx,
  type FakeWxOptions,
  type TimerPromise,
} from '@wxlogin/client/testing'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'

const url = 'https://api.example.com/orders'
const oh = new Error('oh')

/** A phone whose requests end in the test itself; `sent` is what left it. */
function setUp(options: FakeWxOptions = {}) {
  const sent: FakeNetworkRequest[] = []
  const network = async (request: FakeNetworkRequest): Promise<FakeNetworkResponse> => {
    sent.push(request)
    return { statusCode: 200, header: {}, body: '{"hello":"world"}' }
  }
  const wx = createFakeWx({ network, ...options })
  return { wx, sent }
}

/** Every callback of one request, in the order in which they came. */
function start(wx: FakeWx, options: Partial<FakeRequestOptions> = {}) {
  const heard: [name: string, result: unknown][] = []
  let finish: () => void
  const done = new Promise<void>((resolve) => {
    finish = resolve
  })
  const task = wx.request({
    url,
    ...options,
    success: (result) => heard.push(['success', result]),
    fail: (result) => heard.push(['fail', result]),
    complete: (result) => {
      heard.push(['complete', result])
      finish()
    },
  })
  return { heard, done, task }
}

/** What `success` or `fail` got. */
async function outcome(wx: FakeWx, options: Partial<FakeRequestOptions> = {}): Promise<unknown> {
  return new Promise((resolve) => {
    wx.request({ url, ...options, success: resolve, fail: resolve })
  })
}

async function loginOutcome(wx: FakeWx, options: { timeout?: number } = {}): Promise<unknown> {
  return new Promise((resolve) => {
    wx.login({ ...options, success: resolve, fail: resolve })
  })
}

/** Lets everything that waits for no timer happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await undefined
}

function useFakeTime() {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}

async function listen(answer: (request: IncomingMessage, body: string) => { body: string }) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { body } = answer(request, Buffer.concat(chunks).toString())
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.setHeader('X-Seen', 'yes').writeHead(418).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { server, origin: `http://127.0.0.1:${port}` }
}

describe('wx.login', () => {
  test('calls back success and then complete, in a later turn', async () => {
    const { wx } = setUp()
    const heard: string[] = []

    const returned = wx.login({
      success: () => heard.push('success'),
      fail: () => heard.push('fail'),
      complete: () => heard.push('complete'),
    })
    heard.push('returned')
    await settle()

    expect(returned).toBeUndefined()
    expect(heard).toEqual(['returned', 'success', 'complete'])
  })

  test('gives a promise when there is no callback', async () => {
    const { wx } = setUp()

    const result = await wx.login()

    expect(result).toEqual({ code: expect.stringMatching(/^[0-9a-z]{32}$/), errMsg: 'login:ok' })
  })

  test('gives the codes of the WeChat it was given, for its user and its app', async () => {
    const codeFor = vi.fn(() => 'code-1')
    const { wx } = setUp({ appId: 'wx00000000000000ff', user: 'mei', wechat: { codeFor } })

    const result = await loginOutcome(wx)

    expect(result).toMatchObject({ code: 'code-1' })
    expect(codeFor).toHaveBeenCalledExactlyOnceWith('mei', { appId: 'wx00000000000000ff' })
  })

  test('gives the mock code in tourist mode', async () => {
    const { wx } = setUp({ touristMode: true })

    expect(await loginOutcome(wx)).toMatchObject({ code: 'the code is a mock one' })
  })

  test('fails the fifth time within a second', async () => {
    let now = 0
    const clock = { now: () => now, setTimeout, clearTimeout: () => undefined }
    const { wx } = setUp({ clock })

    const results = []
    for (let count = 0; count < 5; count += 1) results.push(await loginOutcome(wx))
    now = 1_000
    results.push(await loginOutcome(wx))

    const errnos = results.map((result) => (result as { errno?: number }).errno)
    expect(errnos).toEqual([undefined, undefined, undefined, undefined, 1003, undefined])
  })

  test('fails in single-page mode', async () => {
    const { wx } = setUp({ scene: 1154 })

    expect(wx.getLaunchOptionsSync()).toMatchObject({ scene: 1154, apiCategory: 'browseOnly' })
    expect(await loginOutcome(wx)).toMatchObject({ errMsg: expect.stringMatching(/^login:fail/) })
  })

  test('fails without a network', async () => {
    const { wx } = setUp()
    wx.control.offline()

    const failed = await loginOutcome(wx)
    wx.control.online()

    expect(failed).toMatchObject({ errno: 108 })
    expect(await loginOutcome(wx)).toMatchObject({ errMsg: 'login:ok' })
  })

  test('rejects the promise with what fail would get', async () => {
    const { wx } = setUp()
    const fail = { errMsg: 'login:fail wxa login is blocked', errno: 1402101 }
    wx.control.onLogin({ fail })

    await expect(wx.login()).rejects.toEqual(fail)
  })

  test('leaves errno out on a base library that has none', async () => {
    const { wx } = setUp({ errno: false })
    wx.control.onLogin({ fail: { errMsg: 'login:fail', errno: 1000 } })

    expect(await loginOutcome(wx)).toEqual({ errMsg: 'login:fail' })
  })

  test('can answer with an empty code', async () => {
    const { wx } = setUp()
    wx.control.onLogin('empty')

    expect(await loginOutcome(wx)).toEqual({ code: '', errMsg: 'login:ok' })
  })

  test('can call success twice with one code', async () => {
    const { wx } = setUp()
    wx.control.onLogin('twice')
    const codes: string[] = []

    wx.login({ success: ({ code }) => codes.push(code) })
    await settle()

    expect(codes).toHaveLength(2)
    expect(codes[0]).toBe(codes[1])
  })

  test('can throw', () => {
    const { wx } = setUp()
    wx.control.onLogin('throw')

    expect(() => wx.login()).toThrow('login:fail')
    expect(wx.control.calls.login).toBe(1)
  })

  test('takes what was scripted a number of times in turn, then what was scripted for good', async () => {
    const { wx } = setUp()
    wx.control.onLogin({ fail: { errMsg: 'login:fail last' } })
    wx.control.onLogin({ fail: { errMsg: 'login:fail first' } }, { times: 1 })
    wx.control.onLogin('empty', { times: 1 })

    const results = []
    for (let count = 0; count < 4; count += 1) results.push(await loginOutcome(wx))

    const messages = results.map((result) => (result as { errMsg: string }).errMsg)
    expect(messages).toEqual(['login:fail first', 'login:ok', 'login:fail last', 'login:fail last'])
  })

  test('goes back to normal by a script', async () => {
    const { wx } = setUp()
    wx.control.onLogin('hang')

    wx.control.onLogin('ok')

    expect(await loginOutcome(wx)).toMatchObject({ errMsg: 'login:ok' })
  })

  describe('in time', () => {
    useFakeTime()

    test('can hang for good, whatever the timeout', async () => {
      const { wx } = setUp()
      wx.control.onLogin('hang')
      const callback = vi.fn()

      wx.login({ timeout: 100, success: callback, fail: callback })
      await vi.advanceTimersByTimeAsync(3_600_000)

      expect(callback).not.toHaveBeenCalled()
    })

    test('can be slow', async () => {
      const { wx } = setUp()
      wx.control.onLogin({ afterMs: 3_000 })
      const success = vi.fn()

      wx.login({ success })
      await vi.advanceTimersByTimeAsync(2_999)
      const early = success.mock.calls.length
      await vi.advanceTimersByTimeAsync(1)

      expect(early).toBe(0)
      expect(success).toHaveBeenCalledOnce()
    })

    test('fails when it is slower than its timeout', async () => {
      const { wx } = setUp()
      wx.control.onLogin({ afterMs: 3_000 })
      const fail = vi.fn()

      wx.login({ timeout: 1_000, fail })
      await vi.advanceTimersByTimeAsync(1_000)

      expect(fail).toHaveBeenCalledExactlyOnceWith({ errMsg: 'login:fail timeout', errno: 5 })
    })

    test('needs no timer to answer', async () => {
      const { wx } = setUp()

      expect(await loginOutcome(wx)).toMatchObject({ errMsg: 'login:ok' })
    })
  })
})

describe('wx.request', () => {
  test('returns a task and no promise', async () => {
    const { wx } = setUp()

    const task = wx.request({ url })

    expect(task.abort).toBeTypeOf('function')
    expect(task).not.toHaveProperty('then')
  })

  test('calls back success and then complete with the same answer, in a later turn', async () => {
    const { wx } = setUp()

    const { heard, done } = start(wx)
    const early = heard.length
    await done

    const answer = {
      data: { hello: 'world' },
      statusCode: 200,
      header: {},
      cookies: [],
      errMsg: 'request:ok',
    }
    expect(early).toBe(0)
    expect(heard).toEqual([
      ['success', answer],
      ['complete', answer],
    ])
  })

  test.each([302, 401, 404, 500])('takes %i for a success', async (statusCode) => {
    const { wx } = setUp({ network: async () => ({ statusCode, header: {}, body: 'no' }) })

    const { heard, done } = start(wx)
    await done

    expect(heard[0]).toMatchObject(['success', { statusCode, data: 'no' }])
  })

  test('leaves by fetch when no network is given', async () => {
    const seen: unknown[] = []
    const { origin } = await listen(({ method, url, headers }, body) => {
      seen.push({ method, url, type: headers['content-type'], referer: headers.referer, body })
      return { body: '{"tea":true}' }
    })
    const wx = createFakeWx({ appId: 'wx00000000000000ff' })

    const answer = await outcome(wx, { url: `${origin}/a`, method: 'POST', data: { cup: 1 } })

    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/a',
        type: 'application/json',
        referer: 'https://servicewechat.com/wx00000000000000ff/0/page-frame.html',
        body: '{"cup":1}',
      },
    ])
    expect(answer).toMatchObject({
      statusCode: 418,
      data: { tea: true },
      header: { 'x-seen': 'yes' },
      cookies: ['a=1', 'b=2'],
    })
  })

  test('fails as a phone does when nobody listens', async () => {
    const { server, origin } = await listen(() => ({ body: '' }))
    server.close()
    await once(server, 'close')
    const wx = createFakeWx()

    expect(await outcome(wx, { url: origin })).toEqual({
      errMsg: 'request:fail -102:net::ERR_CONNECTION_REFUSED',
      errno: 600001,
    })
  })

  test('fails when the network rejects', async () => {
    const { wx } = setUp({ network: async () => Promise.reject(new Error('cable cut')) })

    expect(await outcome(wx)).toMatchObject({ errno: 600000 })
  })

  test.each([
    [
      'a GET puts data into the query',
      { data: { a: 'x y', b: [1] } },
      '?a=x%20y&b=%5B1%5D',
      undefined,
    ],
    ['a GET with a query extends it', { url: `${url}?z=1`, data: { a: 1 } }, '?z=1&a=1', undefined],
    ['a GET without data stays', {}, '', undefined],
    ['a POST sends JSON', { method: 'POST', data: { a: 1 } }, '', '{"a":1}'],
    ['a POST sends a text as it is', { method: 'POST', data: 'a text' }, '', 'a text'],
    ['a POST without data has no body', { method: 'POST' }, '', undefined],
    [
      'a form is sent as a query string',
      {
        method: 'POST',
        data: { a: 1, b: '&' },
        header: { 'Content-Type': 'application/x-www-form-urlencoded' },
      },
      '',
      'a=1&b=%26',
    ],
  ] satisfies [string, Partial<FakeRequestOptions>, string, string | undefined][])(
    '%s',
    async (_, options, query, body) => {
      const { wx, sent } = setUp()

      await outcome(wx, options)

      expect(sent[0]?.url).toBe(url + query)
      expect(sent[0]?.body).toBe(body)
    },
  )

  test('sends an ArrayBuffer as it is', async () => {
    const { wx, sent } = setUp()
    const data = new Uint8Array([1, 2, 3]).buffer

    await outcome(wx, { method: 'POST', data })

    expect(sent[0]?.body).toBe(data)
  })

  test('sends header names once, and a Referer of its own', async () => {
    const { wx, sent } = setUp()

    await outcome(wx, { header: { 'Content-Type': 'text/plain', Referer: 'https://evil.example' } })

    expect(sent[0]?.header).toEqual({
      'content-type': 'text/plain',
      referer: 'https://servicewechat.com/wx0000000000000001/0/page-frame.html',
    })
  })

  test.each([
    ['JSON, whatever its type', '{"a":1}', {}, { a: 1 }],
    ['JSON after a byte order mark', '\uFEFF{"a":1}', {}, { a: 1 }],
    ['a text that is not JSON', '<html>', {}, '<html>'],
    ['no body', '', {}, ''],
    ['JSON as a text when asked', '{"a":1}', { dataType: 'text' }, '{"a":1}'],
  ] satisfies [string, string, Partial<FakeRequestOptions>, unknown][])(
    'reads %s',
    async (_, body, options, data) => {
      const { wx } = setUp({
        network: async () => ({ statusCode: 200, header: { 'content-type': 'text/plain' }, body }),
      })

      const answer = await outcome(wx, options)

      expect((answer as { data: unknown }).data).toEqual(data)
    },
  )

  test('reads bytes when asked', async () => {
    const { wx } = setUp({ network: async () => ({ statusCode: 200, header: {}, body: 'é' }) })

    const { data } = (await outcome(wx, { responseType: 'arraybuffer' })) as { data: ArrayBuffer }

    expect([...new Uint8Array(data)]).toEqual([195, 169])
  })

  test('hands on header names as they came, and every cookie', async () => {
    const header = { 'WWW-Authenticate': 'Bearer', 'Set-Cookie': ['a=1', 'b=2'] }
    const { wx } = setUp({ network: async () => ({ statusCode: 401, header, body: '' }) })

    expect(await outcome(wx)).toMatchObject({
      header: { 'WWW-Authenticate': 'Bearer', 'Set-Cookie': 'a=1,b=2' },
      cookies: ['a=1', 'b=2'],
    })
  })

  test.each([
    ['a method that is not in the list', { method: 'PATCH' }, 600005],
    ['an address that is none', { url: '/orders' }, 600009],
    ['a domain that is not in the list', { url: 'https://other.example/orders' }, 600002],
    ['a port that is not in the list', { url: 'https://api.example.com:443/orders' }, 600002],
    ['plain http', { url: 'http://api.example.com/orders' }, 600002],
  ])('refuses %s and sends nothing', async (_, options, errno) => {
    const { wx, sent } = setUp({ domains: ['https://api.example.com'] })

    const failed = await outcome(wx, options as Partial<FakeRequestOptions>)

    expect(failed).toMatchObject({ errMsg: expect.stringMatching(/^request:fail /), errno })
    expect(sent).toEqual([])
  })

  test('passes a domain in the list', async () => {
    const { wx } = setUp({ domains: ['https://API.example.com'] })

    expect(await outcome(wx)).toMatchObject({ statusCode: 200 })
  })

  test('sends ten at once and lets the rest wait', async () => {
    const waiting: ((response: FakeNetworkResponse) => void)[] = []
    const { wx } = setUp({ network: () => new Promise((resolve) => waiting.push(resolve)) })

    const outcomes = Array.from({ length: 12 }, () => outcome(wx))
    await settle()
    const atFirst = waiting.length
    waiting[0]?.({ statusCode: 200, header: {}, body: '' })
    await outcomes[0]
    const afterOne = waiting.length
    for (const answer of waiting) answer({ statusCode: 200, header: {}, body: '' })
    await settle()
    for (const answer of waiting) answer({ statusCode: 200, header: {}, body: '' })

    expect([atFirst, afterOne, waiting.length]).toEqual([10, 11, 12])
    await expect(Promise.all(outcomes)).resolves.toHaveLength(12)
  })

  test('takes an aborted request out of the queue', async () => {
    const asked: string[] = []
    const waiting: ((response: FakeNetworkResponse) => void)[] = []
    const { wx } = setUp({
      network: ({ url }) => {
        asked.push(url)
        return new Promise((resolve) => waiting.push(resolve))
      },
    })
    for (let count = 0; count < 10; count += 1) wx.request({ url })

    const { task, done, heard } = start(wx, { url: `${url}/aborted` })
    const next = outcome(wx, { url: `${url}/next` })
    task.abort()
    await done
    const afterAbort = asked.length
    waiting[0]?.({ statusCode: 200, header: {}, body: '' })
    await settle()
    waiting[10]?.({ statusCode: 200, header: {}, body: '' })
    await next

    expect(heard[0]).toMatchObject(['fail', { errMsg: 'request:fail abort' }])
    expect(afterAbort).toBe(10)
    expect(asked.slice(10)).toEqual([`${url}/next`])
  })

  test('fails once with abort, and ends the connection', async () => {
    const signals: AbortSignal[] = []
    const { wx } = setUp({
      network: ({ signal }) => {
        signals.push(signal)
        return new Promise(() => undefined)
      },
    })

    const { task, done, heard } = start(wx)
    task.abort()
    task.abort()
    await done
    await settle()

    const failed = { errMsg: 'request:fail abort' }
    expect(heard).toEqual([
      ['fail', failed],
      ['complete', failed],
    ])
    expect(signals[0]?.aborted).toBe(true)
  })

  test('ignores an abort after the answer', async () => {
    const { wx } = setUp()
    const { task, done, heard } = start(wx)
    await done

    task.abort()
    await settle()

    expect(heard.map(([name]) => name)).toEqual(['success', 'complete'])
  })

  test('tells header and chunk listeners before success', async () => {
    const { wx } = setUp({
      network: async () => ({ statusCode: 200, header: { 'x-a': '1' }, body: 'abc' }),
    })
    const heard: unknown[] = []
    const gone = vi.fn()

    await new Promise<void>((resolve) => {
      const task = wx.request({
        url,
        enableChunked: true,
        success: () => {
          heard.push('end')
          resolve()
        },
      })
      task.onHeadersReceived(({ header }) => heard.push(header))
      task.onChunkReceived(({ data }) => heard.push(Buffer.from(data).toString()))
      task.onHeadersReceived(gone)
      task.offHeadersReceived(gone)
      task.onChunkReceived(gone)
      task.offChunkReceived(gone)
    })

    expect(heard).toEqual([{ 'x-a': '1' }, 'abc', 'end'])
    expect(gone).not.toHaveBeenCalled()
  })

  test('tells nothing of chunks unless they were asked for', async () => {
    const { wx } = setUp()
    const listener = vi.fn()

    const { task, done } = start(wx)
    task.onChunkReceived(listener)
    await done

    expect(listener).not.toHaveBeenCalled()
  })

  test('fails without a network, also what is under way', async () => {
    const { wx, sent } = setUp()
    wx.control.onRequest('/slow', { delayMs: Number.POSITIVE_INFINITY })
    const { heard, done } = start(wx, { url: `${url}/slow` })

    wx.control.offline()
    await done
    const offline = await outcome(wx)
    wx.control.online()
    const online = await outcome(wx)

    expect(heard[0]).toMatchObject(['fail', { errno: 600000 }])
    expect(offline).toEqual({ errMsg: 'request:fail 似乎已断开与互联网的连接。', errno: 600000 })
    expect(online).toMatchObject({ statusCode: 200 })
    expect(sent).toHaveLength(2)
  })

  test('is recorded with its outcome', async () => {
    let now = 5_000
    const clock = { now: () => now, setTimeout, clearTimeout: () => undefined }
    const { wx } = setUp({
      clock,
      network: async () => {
        now += 70
        return { statusCode: 204, header: {}, body: '' }
      },
    })

    await outcome(wx, { method: 'POST', data: { a: 1 }, header: { Authorization: 'Bearer x' } })
    wx.control.onRequest(url, { fail: { errMsg: 'request:fail custom' } })
    await outcome(wx)

    expect(wx.control.calls.request).toBe(2)
    expect(wx.control.requests).toMatchObject([
      {
        url,
        method: 'POST',
        header: { authorization: 'Bearer x' },
        data: { a: 1 },
        at: 5_000,
        statusCode: 204,
        durationMs: 70,
      },
      { url, method: 'GET', errMsg: 'request:fail custom' },
    ])
  })

  describe('when scripted', () => {
    test('fails without reaching the server', async () => {
      const { wx, sent } = setUp()
      wx.control.onRequest(
        '/orders',
        { fail: { errMsg: 'request:fail x', errno: 7 } },
        { times: 1 },
      )

      const results = [await outcome(wx), await outcome(wx)]

      expect(results).toMatchObject([{ errMsg: 'request:fail x', errno: 7 }, { statusCode: 200 }])
      expect(sent).toHaveLength(1)
    })

    test('throws', () => {
      const { wx, sent } = setUp()
      wx.control.onRequest('/orders', 'throw')

      expect(() => wx.request({ url })).toThrow('request:fail')
      expect(sent).toEqual([])
    })

    test('calls success twice', async () => {
      const { wx, sent } = setUp()
      wx.control.onRequest('/orders', 'twice')
      const success = vi.fn()

      wx.request({ url, success })
      await settle()

      expect(success).toHaveBeenCalledTimes(2)
      expect(sent).toHaveLength(1)
    })

    test('answers without reaching the server', async () => {
      const { wx, sent } = setUp()
      wx.control.onRequest('/orders', {
        respond: { statusCode: 503, header: { 'Retry-After': '3' }, data: { error: 'busy' } },
      })

      expect(await outcome(wx)).toMatchObject({
        statusCode: 503,
        header: { 'Retry-After': '3' },
        data: { error: 'busy' },
      })
      expect(sent).toEqual([])
    })

    test('drops the answer to what the server has done', async () => {
      const { wx, sent } = setUp()
      wx.control.onRequest('/orders', 'drop-answer')

      expect(await outcome(wx)).toEqual({ errMsg: 'request:fail timeout', errno: 5 })
      expect(sent).toHaveLength(1)
    })

    test('meets only the requests it is meant for', async () => {
      const { wx } = setUp()
      wx.control.onRequest(({ method }) => method === 'POST', { respond: { statusCode: 418 } })

      const results = [await outcome(wx), await outcome(wx, { method: 'POST' })]

      expect(results).toMatchObject([{ statusCode: 200 }, { statusCode: 418 }])
    })

    test('the newest standing behaviour wins, and ok ends it', async () => {
      const { wx } = setUp()
      wx.control.onRequest('/orders', { respond: { statusCode: 500 } })
      wx.control.onRequest('/orders', { respond: { statusCode: 502 } })
      const ordered = await outcome(wx)

      wx.control.onRequest('/orders', 'ok')

      expect(ordered).toMatchObject({ statusCode: 502 })
      expect(await outcome(wx)).toMatchObject({ statusCode: 200 })
    })
  })

  describe('in time', () => {
    useFakeTime()

    test('times out after 60 seconds by itself', async () => {
      const { wx } = setUp({ network: () => new Promise(() => undefined) })
      const { heard } = start(wx)

      await vi.advanceTimersByTimeAsync(59_999)
      const early = heard.length
      await vi.advanceTimersByTimeAsync(1)

      expect(early).toBe(0)
      expect(heard[0]).toEqual(['fail', { errMsg: 'request:fail timeout', errno: 5 }])
    })

    test('times out when its option says so', async () => {
      const { wx } = setUp({ network: () => new Promise(() => undefined) })
      const { heard } = start(wx, { timeout: 100 })

      await vi.advanceTimersByTimeAsync(100)

      expect(heard[0]).toMatchObject(['fail', { errno: 5 }])
      expect(wx.control.requests[0]?.durationMs).toBe(100)
    })

    test('leaves no timer behind', async () => {
      const { wx } = setUp()

      await outcome(wx)

      expect(vi.getTimerCount()).toBe(0)
    })

    test('leaves no timer behind when it is aborted before a late answer', async () => {
      const { wx } = setUp()
      wx.control.onRequest('/orders', { delayMs: 3_000 })

      start(wx).task.abort()
      await settle()

      expect(vi.getTimerCount()).toBe(0)
    })

    test('can answer late although the server was quick', async () => {
      const { wx, sent } = setUp()
      wx.control.onRequest('/orders', { delayMs: 3_000 })
      const { heard } = start(wx)

      await vi.advanceTimersByTimeAsync(2_999)
      const early = [sent.length, heard.length]
      await vi.advanceTimersByTimeAsync(1)

      expect(early).toEqual([1, 0])
      expect(heard[0]).toMatchObject(['success', { statusCode: 200 }])
    })

    test('times out when the delay is longer', async () => {
      const { wx } = setUp()
      wx.control.onRequest('/orders', { delayMs: 3_000 })
      const { heard } = start(wx, { timeout: 1_000 })

      await vi.advanceTimersByTimeAsync(10_000)

      expect(heard.map(([name]) => name)).toEqual(['fail', 'complete'])
    })

    test('can hang until it is aborted', async () => {
      const { wx, sent } = setUp()
      wx.control.onRequest('/orders', 'hang')
      const { heard, task } = start(wx, { timeout: 100 })

      await vi.advanceTimersByTimeAsync(3_600_000)
      wx.control.offline()
      await settle()
      const early = heard.length
      task.abort()
      await settle()

      expect(early).toBe(0)
      expect(heard[0]).toEqual(['fail', { errMsg: 'request:fail abort' }])
      expect(sent).toEqual([])
    })
  })
})

describe('background', () => {
  useFakeTime()

  const interrupted = { errMsg: 'request:fail interrupted', errno: 600003 }

  test('a new request fails', async () => {
    const { wx, sent } = setUp()
    wx.control.hide()

    expect(await outcome(wx)).toEqual(interrupted)
    expect(sent).toEqual([])
  })

  test('a request that ends within 5 seconds is answered', async () => {
    const { wx } = setUp()
    wx.control.onRequest('/orders', { delayMs: 4_000 })
    const { heard } = start(wx)

    wx.control.hide()
    await vi.advanceTimersByTimeAsync(4_000)

    expect(heard[0]).toMatchObject(['success', { statusCode: 200 }])
  })

  test('a request that takes longer is interrupted, and hears of it in the foreground', async () => {
    const { wx } = setUp()
    wx.control.onRequest('/orders', { delayMs: 6_000 }, { times: 1 })
    const { heard } = start(wx)

    wx.control.hide()
    await vi.advanceTimersByTimeAsync(600_000)
    const hidden = heard.length
    wx.control.show()
    await settle()

    expect(hidden).toBe(0)
    expect(heard).toEqual([
      ['fail', interrupted],
      ['complete', interrupted],
    ])
    expect(await outcome(wx)).toMatchObject({ statusCode: 200 })
  })

  test('a clock that jumped interrupts as well, without any timer run', async () => {
    const { wx } = setUp()
    wx.control.onRequest('/orders', { delayMs: 6_000 })
    const { heard } = start(wx)

    wx.control.hide()
    vi.setSystemTime(Date.now() + 600_000)
    wx.control.show()
    await settle()

    expect(heard[0]).toEqual(['fail', interrupted])
  })

  test('a short stay interrupts nothing', async () => {
    const { wx } = setUp()
    wx.control.onRequest('/orders', { delayMs: 6_000 })
    const { heard } = start(wx)

    wx.control.hide()
    await vi.advanceTimersByTimeAsync(4_000)
    wx.control.show()
    await vi.advanceTimersByTimeAsync(2_000)

    expect(heard[0]).toMatchObject(['success', { statusCode: 200 }])
  })

  test('a login is answered in the foreground', async () => {
    const { wx } = setUp()
    wx.control.onLogin({ afterMs: 7_000 })
    const success = vi.fn()
    wx.login({ success })

    wx.control.hide()
    await vi.advanceTimersByTimeAsync(60_000)
    const hidden = success.mock.calls.length
    wx.control.show()
    await settle()

    expect(hidden).toBe(0)
    expect(success).toHaveBeenCalledOnce()
  })

  test('listeners are told, until they are taken off', () => {
    const { wx } = setUp()
    const onShow = vi.fn()
    const onHide = vi.fn()
    wx.onAppShow(onShow)
    wx.onAppHide(onHide)

    wx.control.hide()
    wx.control.hide()
    wx.control.show({ scene: 1089, query: { from: 'desk' } })
    wx.offAppShow(onShow)
    wx.offAppHide()
    wx.control.hide()
    wx.control.show()

    expect(onHide).toHaveBeenCalledOnce()
    expect(onShow).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ scene: 1089, query: { from: 'desk' } }),
    )
    expect(wx.getEnterOptionsSync()).toMatchObject({ scene: 1089 })
    expect(wx.getLaunchOptionsSync()).toMatchObject({ scene: 1001 })
  })
})

describe('storage', () => {
  test('gives what was stored, and an empty string for a key that is not there', () => {
    const { wx } = setUp()

    wx.setStorageSync('a', { b: [1, 'x', null] })
    const stored = wx.getStorageSync('a')
    wx.removeStorageSync('a')

    expect(stored).toEqual({ b: [1, 'x', null] })
    expect(wx.getStorageSync('a')).toBe('')
  })

  test('copies on the way in and out', () => {
    const { wx } = setUp()
    const value = { list: [1] }

    wx.setStorageSync('a', value)
    value.list.push(2)
    const copy = wx.getStorageSync('a') as { list: number[] }
    copy.list.push(3)

    expect(wx.getStorageSync('a')).toEqual({ list: [1] })
  })

  test('keeps dates and drops functions', () => {
    const { wx } = setUp()
    const date = new Date(1_700_000_000_000)

    wx.setStorageSync('date', date)
    wx.setStorageSync('object', { a: 1, run: () => 1 })
    wx.setStorageSync('function', () => 1)

    expect(wx.getStorageSync('date')).toEqual(date)
    expect(wx.getStorageSync('object')).toEqual({ a: 1 })
    expect(wx.getStorageSync('function')).toBe('')
  })

  test('lies open as raw text', () => {
    const { wx } = setUp()
    wx.setStorageSync('a', { b: 1 })

    const text = wx.control.storage.get('a')
    wx.control.storage.set('a', '{"b":')

    expect(text).toBe('{"b":1}')
    expect(wx.getStorageSync('a')).toBe('{"b":')
  })

  test('has asynchronous calls, with callbacks or promises', async () => {
    const { wx } = setUp()

    const written = await wx.setStorage({ key: 'a', data: 1 })
    const read = await wx.getStorage({ key: 'a' })
    const removed = await new Promise((resolve) => {
      wx.removeStorage({ key: 'a', success: resolve })
    })

    expect(written).toEqual({ errMsg: 'setStorage:ok' })
    expect(read).toEqual({ data: 1, errMsg: 'getStorage:ok' })
    expect(removed).toEqual({ errMsg: 'removeStorage:ok' })
    await expect(wx.getStorage({ key: 'a' })).rejects.toEqual({
      errMsg: 'getStorage:fail data not found',
    })
  })

  test('refuses more than 1 MB for a key, and keeps what was there', () => {
    const { wx } = setUp()
    wx.setStorageSync('a', 'old')

    expect(() => wx.setStorageSync('a', 'x'.repeat(1024 * 1024))).toThrow('setStorageSync:fail')
    expect(wx.getStorageSync('a')).toBe('old')
  })

  test('refuses more than 10 MB in total', async () => {
    const { wx } = setUp()
    const nearlyOneMegabyte = 'x'.repeat(1024 * 1024 - 100)
    for (let count = 0; count < 10; count += 1) wx.setStorageSync(`key${count}`, nearlyOneMegabyte)

    expect(() => wx.setStorageSync('one more', nearlyOneMegabyte)).toThrow('setStorageSync:fail')
    await expect(wx.setStorage({ key: 'one more', data: nearlyOneMegabyte })).rejects.toMatchObject(
      {
        errMsg: expect.stringMatching(/^setStorage:fail/),
      },
    )
    expect(() => wx.setStorageSync('key0', nearlyOneMegabyte)).not.toThrow()
  })

  test('fails as often as scripted', () => {
    const { wx } = setUp()
    wx.control.failStorage('set', { times: 1 })
    wx.control.failStorage('get')
    wx.control.failStorage('remove')

    expect(() => wx.setStorageSync('a', 1)).toThrow('setStorageSync:fail')
    wx.setStorageSync('a', 1)
    expect(() => wx.getStorageSync('a')).toThrow('getStorageSync:fail')
    expect(() => wx.getStorageSync('a')).toThrow('getStorageSync:fail')
    expect(() => wx.removeStorageSync('a')).toThrow('removeStorageSync:fail')
    wx.control.failStorage('get', { times: 0 })
    expect(wx.getStorageSync('a')).toBe(1)
  })

  test('is shared by two fakes with one map', () => {
    const storage = new Map<string, string>()
    const first = setUp({ storage }).wx
    const second = setUp({ storage }).wx

    first.setStorageSync('a', 1)

    expect(second.getStorageSync('a')).toBe(1)
  })

  test('is separate in single-page mode', () => {
    const storage = new Map<string, string>()
    const app = setUp({ storage }).wx
    const page = setUp({ storage, scene: 1154 }).wx
    app.setStorageSync('a', 1)

    page.setStorageSync('b', 2)

    expect(page.getStorageSync('a')).toBe('')
    expect(app.getStorageSync('b')).toBe('')
  })
})

describe('the phone', () => {
  test('gives another user other codes and another storage', async () => {
    const { wx } = setUp({ wechat: { codeFor: (user) => `code of ${user}` } })
    wx.setStorageSync('a', 1)

    wx.control.switchUser('user-2')
    const code = await loginOutcome(wx)
    const read = wx.getStorageSync('a')
    wx.control.switchUser('user-1')

    expect(code).toMatchObject({ code: 'code of user-2' })
    expect(read).toBe('')
    expect(wx.getStorageSync('a')).toBe(1)
  })

  test('counts the logins of each user apart', async () => {
    const { wx } = setUp({ clock: { now: () => 0, setTimeout, clearTimeout: () => undefined } })
    for (let count = 0; count < 4; count += 1) await loginOutcome(wx)

    wx.control.switchUser('user-2')

    expect(await loginOutcome(wx)).toMatchObject({ errMsg: 'login:ok' })
  })

  test('keeps storage, user, network and scripted behaviours over a restart', async () => {
    const { wx } = setUp({ wechat: { codeFor: (user) => `code of ${user}` } })
    wx.control.switchUser('user-2')
    wx.setStorageSync('a', 1)
    wx.control.onRequest('/orders', { respond: { statusCode: 500 } })
    wx.control.offline()

    const restarted = wx.control.restart()
    const offline = await outcome(restarted)
    restarted.control.online()

    expect(offline).toMatchObject({ errno: 600000 })
    expect(await outcome(restarted)).toMatchObject({ statusCode: 500 })
    expect(await loginOutcome(restarted)).toMatchObject({ code: 'code of user-2' })
    expect(restarted.getStorageSync('a')).toBe(1)
  })

  test('starts a process without listeners and counts', async () => {
    const { wx } = setUp()
    const listener = vi.fn()
    wx.onAppShow(listener)
    await outcome(wx)

    const restarted = wx.control.restart()
    restarted.control.show()

    expect(listener).not.toHaveBeenCalled()
    expect(restarted.control.requests).toEqual([])
    expect(restarted.control.calls).toMatchObject({ request: 0, onAppShow: 0 })
  })

  test('ends the old process for good', async () => {
    const codeFor = vi.fn(() => 'a code')
    const { wx, sent } = setUp({ wechat: { codeFor } })
    const callback = vi.fn()
    wx.setStorageSync('kept', 1)
    wx.login({ success: callback, fail: callback })
    wx.request({ url, success: callback, fail: callback })

    const restarted = wx.control.restart()
    wx.request({ url, success: callback, fail: callback })
    wx.login({ success: callback, fail: callback })
    wx.setStorageSync('late', 1)
    wx.removeStorageSync('kept')
    await settle()

    expect(callback).not.toHaveBeenCalled()
    expect(codeFor).toHaveBeenCalledOnce()
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true])
    expect(restarted.getStorageSync('late')).toBe('')
    expect(restarted.getStorageSync('kept')).toBe(1)
  })

  test('launches with what it is told', () => {
    const { wx } = setUp()

    const options = wx.control.launch({ scene: 1011, path: 'pages/a', query: { q: '1' } })

    expect(options).toEqual({
      scene: 1011,
      path: 'pages/a',
      query: { q: '1' },
      apiCategory: 'default',
    })
    expect(wx.getLaunchOptionsSync()).toEqual(options)
    expect(wx.getEnterOptionsSync()).toEqual(options)
  })

  test('knows its app', () => {
    const { wx } = setUp({ appId: 'wx00000000000000ff' })

    expect(wx.getAccountInfoSync().miniProgram.appId).toBe('wx00000000000000ff')
  })

  test('has random bytes', async () => {
    const { wx } = setUp()

    const bytes = async () => {
      const random = await wx.getRandomValues({ length: 16 })
      return Buffer.from(random?.randomValues ?? new ArrayBuffer(0)).toString('hex')
    }

    const [first, second] = [await bytes(), await bytes()]

    expect(first).toMatch(/^[0-9a-f]{32}$/)
    expect(first).not.toBe(second)
    await expect(wx.getRandomValues({ length: 1_048_577 })).rejects.toMatchObject({
      errMsg: expect.stringMatching(/^getRandomValues:fail/),
    })
  })

  test('lacks what an old base library lacks', () => {
    const { wx } = setUp({ omit: ['getRandomValues', 'onAppShow'] })

    expect('getRandomValues' in wx).toBe(false)
    expect('onAppShow' in wx).toBe(false)
    expect('login' in wx).toBe(true)
  })

  test.each([
    ['appId', { appId: '' }],
    ['user', { user: '' }],
    ['scene', { scene: 1.5 }],
    ['omit', { omit: ['control'] }],
    ['domains', { domains: ['api.example.com'] }],
  ] satisfies [string, FakeWxOptions][])('a wrong %s is refused by name', (name, options) => {
    expect(() => createFakeWx(options)).toThrow(TypeError)
    expect(() => createFakeWx(options)).toThrow(name)
  })
})

describe('the timer promise', () => {
  useFakeTime()

  /** What a promise comes to, once all timers have run. */
  async function result(promise: TimerPromise<unknown>): Promise<unknown> {
    let settled: unknown = 'pending'
    promise.then(
      (value) => {
        settled = { value }
      },
      (reason: unknown) => {
        settled = { reason }
      },
    )
    await vi.runAllTimersAsync()
    return settled
  }

  test('reacts in a timer and not before', async () => {
    const Later = createTimerPromise(setTimeout)
    const react = vi.fn()

    Later.resolve(1).then(react)
    await settle()
    const early = react.mock.calls.length
    vi.runAllTimers()

    expect(early).toBe(0)
    expect(react).toHaveBeenCalledExactlyOnceWith(1)
  })

  test('runs its executor at once', () => {
    const Later = createTimerPromise(setTimeout)
    const executor = vi.fn()

    const promise = new Later(executor)

    expect(executor).toHaveBeenCalledOnce()
    expect(promise).toBeInstanceOf(Later)
  })

  test.each([
    ['a value', (Later: Later) => Later.resolve(1), { value: 1 }],
    ['a rejection', (Later: Later) => Later.reject('no'), { reason: 'no' }],
    [
      'the first decision',
      (Later: Later) =>
        new Later<number>((yes, no) => {
          yes(1)
          no(2)
          yes(3)
        }),
      { value: 1 },
    ],
    [
      'an executor that throws',
      (Later: Later) =>
        new Later(() => {
          throw oh
        }),
      { reason: oh },
    ],
    ['a chain', (Later: Later) => Later.resolve(1).then((n) => n + 1), { value: 2 }],
    ['a chain without handlers', (Later: Later) => Later.resolve(1).then().catch(), { value: 1 }],
    ['a rejection passed on', (Later: Later) => Later.reject('no').then(() => 1), { reason: 'no' }],
    [
      'a handler that throws',
      (Later: Later) =>
        Later.resolve(1).then(() => {
          throw oh
        }),
      { reason: oh },
    ],
    [
      'a rejection that is caught',
      (Later: Later) => Later.reject('no').catch((r) => `${r}!`),
      { value: 'no!' },
    ],
    [
      'a promise inside',
      (Later: Later) => Later.resolve(1).then((n) => Later.resolve(n + 1)),
      { value: 2 },
    ],
    ['a native promise inside', (Later: Later) => Later.resolve(Promise.resolve(1)), { value: 1 }],
    [
      'a thenable that throws',
      (Later: Later) =>
        Later.resolve(1).then(() => ({
          // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
          then() {
            throw oh
          },
        })),
      { reason: oh },
    ],
    ['all', (Later: Later) => Later.all([Later.resolve(1), 2]), { value: [1, 2] }],
    ['all of nothing', (Later: Later) => Later.all([]), { value: [] }],
    [
      'all with a rejection',
      (Later: Later) => Later.all([1, Later.reject('no')]),
      { reason: 'no' },
    ],
    [
      'a race',
      (Later: Later) => Later.race([new Later(() => undefined), Later.resolve(2)]),
      { value: 2 },
    ],
    [
      'a race won by a rejection',
      (Later: Later) => Later.race([Later.reject('no'), 1]),
      { reason: 'no' },
    ],
  ] satisfies [string, (Later: Later) => TimerPromise<unknown>, unknown][])(
    'settles %s',
    async (_, make, expected) => {
      const Later = createTimerPromise(setTimeout)

      expect(await result(make(Later))).toEqual(expected)
    },
  )

  test('refuses to resolve with itself', async () => {
    const Later = createTimerPromise(setTimeout)
    let resolve: (value: TimerPromise<unknown>) => void = () => undefined
    const promise: TimerPromise<unknown> = new Later((yes) => {
      resolve = yes
    })

    resolve(promise)

    expect(await result(promise)).toEqual({ reason: expect.any(TypeError) })
  })
})

test('the timer promise can stand in for Promise, with wx and with await', async () => {
  vi.stubGlobal('Promise', createTimerPromise(setTimeout))
  onTestFinished(() => {
    vi.unstubAllGlobals()
  })
  const { wx } = setUp()
  const react = vi.fn()

  const promise = wx.login()
  promise?.then(react)
  await settle()
  const early = react.mock.calls.length
  const result = await promise

  expect(early).toBe(0)
  expect(react).toHaveBeenCalledOnce()
  expect(result).toMatchObject({ errMsg: 'login:ok' })
})

type Later = ReturnType<typeof createTimerPromise>

describe('what fails inside the phone itself is no silence', () => {
  test('an environment without TextEncoder and TextDecoder, as those of a DOM are, has requests all the same', async () => {
    vi.stubGlobal('TextEncoder', undefined)
    vi.stubGlobal('TextDecoder', undefined)
    onTestFinished(() => void vi.unstubAllGlobals())
    const { wx } = setUp()

    expect(await outcome(wx)).toMatchObject({ statusCode: 200, data: { hello: 'world' } })
    expect(await outcome(wx, { responseType: 'arraybuffer' })).toMatchObject({ statusCode: 200 })
  })

  test('an answer that is none of a network rejects where nobody catches it', async () => {
    const network = async () => ({ statusCode: 200, body: '{}' }) as unknown as FakeNetworkResponse
    const { wx } = setUp({ network })
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    onTestFinished(() => {
      process.removeAllListeners('unhandledRejection')
      for (const listener of others) process.on('unhandledRejection', listener)
    })

    start(wx)
    const [error] = await once(process, 'unhandledRejection', { signal: AbortSignal.timeout(2000) })

    expect(error).toBeInstanceOf(TypeError)
  })
})
