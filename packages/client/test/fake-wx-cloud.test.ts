import type { FakeContainerOptions, FakeWx, FakeWxOptions } from '@wxlogin/client/testing'
import { createFakeWx } from '@wxlogin/client/testing'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { describe, expect, test, vi } from 'vitest'
import { listen, settle, setUp, useFakeTime } from './fake-wx-set-up.js'

const path = '/api/orders'

/** A phone whose mini program has called `wx.cloud.init`. */
function setUpCloud(options: FakeWxOptions = {}) {
  const { wx, sent } = setUp(options)
  wx.cloud.init({ env: 'prod-1' })
  return { wx, sent }
}

/** What `success` or `fail` got. */
async function call(wx: FakeWx, options: Partial<FakeContainerOptions> = {}): Promise<unknown> {
  return new Promise((resolve) => {
    wx.cloud.callContainer({ path, ...options, success: resolve, fail: resolve })
  })
}

describe('wx.cloud.callContainer', () => {
  test('throws until init was called', async () => {
    const { wx, sent } = setUp()
    const failed = { errCode: -1, errMsg: expect.stringContaining('wx.cloud.init') }

    expect(() => wx.cloud.callContainer({ path })).toThrow(expect.objectContaining(failed))
    wx.cloud.init()
    const after = await call(wx)

    expect(after).toMatchObject({ statusCode: 200 })
    expect(sent).toHaveLength(1)
    expect(wx.control.calls).toMatchObject({ 'cloud.init': 1, 'cloud.callContainer': 2 })
  })

  test('gives the answer by callbacks, success and then complete, in a later turn', async () => {
    const { wx } = setUpCloud({
      network: async () => ({ statusCode: 401, header: { A: ['1', '2'] }, body: '{"no":1}' }),
    })
    const heard: unknown[] = []

    const returned = wx.cloud.callContainer({
      path,
      success: (result) => heard.push('success', result),
      complete: (result) => heard.push('complete', result),
    })
    heard.push('returned')
    await settle()

    const answer = {
      data: { no: 1 },
      statusCode: 401,
      header: { A: '1,2' },
      callID: expect.stringMatching(/./),
      errMsg: 'cloud.callContainer:ok',
    }
    expect(returned).toBeUndefined()
    expect(heard).toEqual(['returned', 'success', answer, 'complete', answer])
  })

  test('gives the answer by a promise when there is no callback', async () => {
    const { wx } = setUpCloud()
    wx.control.onRequest(path, { fail: { errMsg: 'cloud.callContainer:fail x' } }, { times: 1 })

    await expect(wx.cloud.callContainer({ path })).rejects.toEqual({
      errMsg: 'cloud.callContainer:fail x',
    })
    await expect(wx.cloud.callContainer({ path })).resolves.toMatchObject({ statusCode: 200 })
  })

  test('leaves for the container, as the platform serialises data', async () => {
    const { wx, sent } = setUpCloud()

    await call(wx, { data: { a: 1 } })
    await call(wx, { method: 'POST', data: { a: 1 }, header: { 'X-A': '1' } })

    expect(sent).toMatchObject([
      { url: 'https://container.invalid/api/orders?a=1', method: 'GET' },
      {
        url: 'https://container.invalid/api/orders',
        method: 'POST',
        body: '{"a":1}',
        header: { 'content-type': 'application/json', 'x-a': '1' },
      },
    ])
  })

  test.each([
    ['a text when asked', { dataType: 'text' }, '{"hello":"world"}'],
    ['JSON', {}, { hello: 'world' }],
    ['bytes when asked', { responseType: 'arraybuffer' }, expect.any(ArrayBuffer)],
  ])('reads %s', async (_, options, data) => {
    const { wx } = setUpCloud()

    expect(await call(wx, options)).toMatchObject({ data })
  })

  test('arrives at a real server', async () => {
    const { origin } = await listen(({ url, headers }) => ({
      body: `${url} ${headers['x-wx-openid']}`,
    }))
    const wx = createFakeWx({ containerUrl: `${origin}/mounted`, user: 'mei' })
    wx.cloud.init()

    expect(await call(wx)).toMatchObject({ statusCode: 418, data: '/mounted/api/orders mei' })
  })

  test('says who calls, whatever the app says', async () => {
    const { wx, sent } = setUpCloud({ appId: 'wx00000000000000ff', user: 'mei' })

    await call(wx, { header: { 'X-WX-OPENID': 'li', 'X-WX-UNIONID': 'u', 'X-WX-SOURCE': '' } })

    expect(sent[0]?.header).toEqual({
      'content-type': 'application/json',
      'x-wx-appid': 'wx00000000000000ff',
      'x-wx-openid': 'mei',
      'x-wx-source': 'wx_client',
      'x-wx-env': 'prod-1',
    })
  })

  test('says what the WeChat it was given knows of the one who holds the phone', async () => {
    const appId = 'wx00000000000000ff'
    const wechat = createFakeWeChat({ apps: [{ appId, appSecret: 'a'.repeat(32), owner: 'we' }] })
    const { wx, sent } = setUpCloud({ wechat, appId, user: 'mei' })

    await call(wx)
    wx.control.switchUser('li')
    await call(wx)

    expect(sent.map(({ header }) => [header['x-wx-openid'], header['x-wx-unionid']])).toEqual([
      [wechat.openidOf('mei', { appId }), wechat.unionidOf('mei', { appId })],
      [wechat.openidOf('li', { appId }), wechat.unionidOf('li', { appId })],
    ])
  })

  test.each([
    ['the one of the call', { env: 'prod-1' }, { config: { env: 'test-2' } }, 'test-2'],
    ['the one of init', { env: 'prod-1' }, {}, 'prod-1'],
    ['none', undefined, {}, undefined],
    ['none when init names several', { env: { functions: 'prod-1' } }, {}, undefined],
  ])('takes for its environment %s', async (_, config, options, env) => {
    const { wx, sent } = setUp()
    wx.cloud.init(config)

    await call(wx, options)

    expect(sent[0]?.header['x-wx-env']).toBe(env)
  })

  test('names the service by its option or by the header', async () => {
    const { wx, sent } = setUpCloud()

    await call(wx, { service: 'shop' })
    await call(wx, { header: { 'X-WX-SERVICE': 'shop-2' } })

    expect(sent.map(({ header }) => header['x-wx-service'])).toEqual(['shop', 'shop-2'])
  })

  test('needs no legal domain and none of the ten connections', async () => {
    const { wx } = setUpCloud({
      domains: [],
      network: ({ url }) =>
        url.startsWith('https://container.invalid')
          ? Promise.resolve({ statusCode: 200, header: {}, body: '' })
          : new Promise(() => undefined),
    })
    for (let count = 0; count < 10; count += 1) wx.downloadFile({ url: 'https://a.example/b' })

    expect(await call(wx)).toMatchObject({ statusCode: 200 })
  })

  test('is recorded by its kind and its path', async () => {
    const { wx } = setUpCloud()

    await call(wx, { method: 'POST', data: { a: 1 } })

    expect(wx.control.requests).toMatchObject([
      { kind: 'container', url: path, method: 'POST', data: { a: 1 }, statusCode: 200 },
    ])
  })

  test('throws on order, without a promise around it', () => {
    const { wx, sent } = setUpCloud()
    wx.control.onRequest(path, 'throw')

    expect(() => wx.cloud.callContainer({ path })).toThrow('cloud.callContainer:fail')
    expect(sent).toEqual([])
  })

  test.each([
    ['a path that does not begin with /', { path: 'orders' }, 600009],
    ['a method that is not in the list', { method: 'PATCH' }, 600005],
  ])('refuses %s', async (_, options, errno) => {
    const { wx, sent } = setUpCloud()

    expect(await call(wx, options)).toMatchObject({
      errMsg: expect.stringMatching(/^cloud\.callContainer:fail /),
      errno,
    })
    expect(sent).toEqual([])
  })

  test('fails without a network', async () => {
    const { wx } = setUpCloud()
    wx.control.offline()

    expect(await call(wx)).toMatchObject({
      errMsg: expect.stringMatching(/^cloud\.callContainer:fail /),
      errno: 600000,
    })
  })

  test('needs init again after a restart', () => {
    const { wx } = setUpCloud()

    const restarted = wx.control.restart()

    expect(() => restarted.cloud.callContainer({ path })).toThrow('wx.cloud.init')
  })

  describe('in time,', () => {
    useFakeTime()

    test.each([
      ['after 15 seconds by itself', {}, 15_000],
      ['when its option says so', { timeout: 100 }, 100],
    ])('times out %s', async (_, options, timeoutMs) => {
      const { wx } = setUpCloud({ network: () => new Promise(() => undefined) })
      const fail = vi.fn()
      wx.cloud.callContainer({ path, ...options, fail })

      await vi.advanceTimersByTimeAsync(timeoutMs - 1)
      const early = fail.mock.calls.length
      await vi.advanceTimersByTimeAsync(1)

      expect(early).toBe(0)
      expect(fail).toHaveBeenCalledExactlyOnceWith({
        errMsg: 'cloud.callContainer:fail errCode: 102002; request timeout',
        errno: 5,
      })
    })

    test('is interrupted by 5 seconds in the background, and hears of it in the foreground', async () => {
      const { wx } = setUpCloud()
      wx.control.onRequest(path, { delayMs: 6_000 })
      const fail = vi.fn()
      wx.cloud.callContainer({ path, fail })

      wx.control.hide()
      await vi.advanceTimersByTimeAsync(600_000)
      const hidden = fail.mock.calls.length
      wx.control.show()
      await settle()

      expect(hidden).toBe(0)
      expect(fail).toHaveBeenCalledExactlyOnceWith({
        errMsg: 'cloud.callContainer:fail interrupted',
        errno: 600003,
      })
    })

    test('fails when it is new in the background', async () => {
      const { wx, sent } = setUpCloud()
      wx.control.hide()

      expect(await call(wx)).toMatchObject({ errno: 600003 })
      expect(sent).toEqual([])
    })
  })
})

describe('wx.getBackgroundFetchData', () => {
  const entry = { timeStamp: 1_700_000_000_000, path: 'pages/cat', query: 'id=1', scene: 1089 }

  async function fetched(wx: FakeWx, fetchType = 'pre'): Promise<unknown> {
    return new Promise((resolve) => {
      wx.getBackgroundFetchData({ fetchType, success: resolve, fail: resolve })
    })
  }

  test('fails when WeChat fetched nothing', async () => {
    const { wx } = setUp()

    expect(await fetched(wx)).toEqual({ errMsg: 'getBackgroundFetchData:fail no data' })
    await expect(wx.getBackgroundFetchData({ fetchType: 'pre' })).rejects.toHaveProperty('errMsg')
  })

  test('gives what WeChat fetched, as text', async () => {
    const { wx } = setUp()

    wx.control.prefetch('{"a":1}', entry)

    const expected = { fetchedData: '{"a":1}', ...entry, errMsg: 'getBackgroundFetchData:ok' }
    expect(await fetched(wx)).toEqual(expected)
    expect(await wx.getBackgroundFetchData({ fetchType: 'pre' })).toEqual(expected)
    expect(wx.control.calls.getBackgroundFetchData).toBe(2)
  })

  test('knows the launch and the clock', async () => {
    const clock = { now: () => 5_000, setTimeout, clearTimeout: () => undefined }
    const { wx } = setUp({ clock })
    wx.control.launch({ scene: 1011, path: 'pages/a', query: { q: 'x y' } })

    wx.control.prefetch('')

    expect(await fetched(wx)).toMatchObject({
      fetchedData: '',
      timeStamp: 5_000,
      path: 'pages/a',
      query: 'q=x%20y',
      scene: 1011,
    })
  })

  test('has nothing that was fetched periodically', async () => {
    const { wx } = setUp()
    wx.control.prefetch('a')

    expect(await fetched(wx, 'periodic')).toMatchObject({
      errMsg: expect.stringMatching(/^getBackgroundFetchData:fail/),
    })
  })

  test('keeps 256 KB and nothing longer', async () => {
    const { wx } = setUp()
    const longest = 'é'.repeat(128 * 1024)

    wx.control.prefetch(longest)
    wx.control.prefetch(`${longest}x`)

    expect(await fetched(wx)).toMatchObject({ fetchedData: longest })
  })

  test('keeps it over a restart, and from other users', async () => {
    const { wx } = setUp()
    wx.control.prefetch('mine', entry)

    const restarted = wx.control.restart()
    const mine = await fetched(restarted)
    restarted.control.switchUser('user-2')

    expect(mine).toMatchObject({ fetchedData: 'mine' })
    expect(await fetched(restarted)).toHaveProperty('errMsg', 'getBackgroundFetchData:fail no data')
  })

  test('listeners are told of what comes later', async () => {
    const { wx } = setUp()
    const listener = vi.fn()
    wx.control.prefetch('before')
    wx.onBackgroundFetchData(listener)
    await settle()

    wx.control.prefetch('after', entry)
    const early = listener.mock.calls.length
    await settle()

    expect(early).toBe(0)
    expect(listener).toHaveBeenCalledExactlyOnceWith({
      fetchType: 'pre',
      fetchedData: 'after',
      ...entry,
    })
  })
})
