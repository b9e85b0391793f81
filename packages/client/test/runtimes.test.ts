import { createFakeWx, type FakeRuntime } from '@wxlogin/client/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { outcomes, setUp, setUpFull, times } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const lesser: readonly FakeRuntime[] = ['plugin', 'minigame', 'skill']

test.each([
  ['plugin', ['onAppShow', 'onAppHide', 'onShow', 'getRandomValues', 'getBackgroundFetchData']],
  ['minigame', ['onAppShow', 'onAppHide', 'getRandomValues']],
  [
    'skill',
    [
      'onAppShow',
      'onAppHide',
      'onShow',
      'getRandomValues',
      'getBackgroundFetchData',
      'removeStorageSync',
      'getEnterOptionsSync',
      'getLaunchOptionsSync',
    ],
  ],
  ['miniprogram', ['onShow', 'onHide']],
] as const)('the fake wx of a %s lacks %j', (runtime, missing) => {
  const wx = createFakeWx({ runtime })

  expect(missing.filter((name) => name in wx)).toEqual([])
  for (const name of ['login', 'request', 'getStorageSync', 'setStorageSync'] as const) {
    expect(wx).toHaveProperty(name)
  }
})

test('a runtime that there is not is refused', () => {
  expect(() => createFakeWx({ runtime: 'h5' as never })).toThrow(TypeError)
})

test('the account of a plugin is that of its host, with the plugin beside', () => {
  const wx = createFakeWx({ appId: 'wx1', runtime: 'plugin' })

  expect(wx.getAccountInfoSync()).toMatchObject({
    miniProgram: { appId: 'wx1' },
    plugin: { appId: expect.stringMatching(/^wx/) },
  })
})

describe.each(lesser)('in a %s', (runtime) => {
  test('login, requests, renewal and logout work', async () => {
    const { client, backend, wx, start } = setUp({ phone: { runtime } })

    await client.launch()
    await vi.advanceTimersByTimeAsync(900_000)
    backend.expireAccess()
    const ten = await outcomes(times(10, () => client.request({ url: '/orders' })))
    const next = start(wx.control.restart())

    expect(ten).toEqual(times(10, () => 'ok'))
    expect(backend.seen('/wx/refresh')).toHaveLength(1)
    expect(next.session()?.userId).toBe('user-1')
    await next.logout()
    expect(await outcomes([next.request({ url: '/orders' })])).toEqual(['signed_out'])
  })

  test('the full client works', async () => {
    const { client, wx } = setUpFull({ phone: { runtime } })
    wx.control.files.set('a', 'pixels')

    const done = [
      client.request({ url: '/orders' }),
      client.uploadFile({ url: '/a', filePath: 'a', name: 'a' }),
      client.downloadFile({ url: '/a' }),
      client.connectSocket({ url: '/ws' }),
    ]

    expect(await outcomes(done)).toEqual(['ok', 'ok', 'ok', 'ok'])
    expect(client.prefetched()).toBeUndefined()
  })

  test('a storage that takes no write is emptied, and the login lasts', async () => {
    const { client, wx, backend } = setUp({ phone: { runtime } })
    await client.launch()
    await vi.advanceTimersByTimeAsync(900_000)
    wx.control.failStorage('set', { times: 1 })

    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])

    expect(backend.seen('/wx/refresh')).toHaveLength(1)
    expect([...wx.control.storage.values()].join('')).not.toContain('refresh-0')
  })
})

test('a mini game renews what was interrupted when it is shown', async () => {
  const { client, wx, backend } = setUp({ phone: { runtime: 'minigame' } })
  wx.control.onLogin({ fail: { errMsg: 'login:fail interrupted', errno: 600003 } }, { times: 1 })
  await client.launch()

  wx.control.hide()
  wx.control.show()
  await vi.advanceTimersByTimeAsync(0)

  expect(backend.seen('/wx/login')).toHaveLength(1)
  expect(client.session()?.userId).toBe('user-1')
})

test('a mini game repeats a request that the background interrupted', async () => {
  const { client, wx } = setUpFull({ phone: { runtime: 'minigame' } })
  await client.launch()
  wx.control.hide()

  const request = client.request({ url: '/orders' })
  await vi.advanceTimersByTimeAsync(0)
  wx.control.show()

  expect((await request).statusCode).toBe(200)
})

test('a wx that is a class keeps its this', async () => {
  const { wx: real, start } = setUp()
  class Wrapped {
    readonly seen: string[] = []
    login(options: never) {
      return real.login(options)
    }
    request(options: never) {
      return real.request(options)
    }
    getStorageSync(key: string) {
      return real.getStorageSync(key)
    }
    setStorageSync(key: string, value: unknown) {
      this.seen.push(key)
      real.setStorageSync(key, value)
    }
    getAccountInfoSync() {
      return real.getAccountInfoSync()
    }
    onAppShow(listener: () => void) {
      this.seen.push('onAppShow')
      real.onAppShow(listener)
    }
  }
  const wx = new Wrapped()

  await start(wx as never).launch()

  expect(wx.seen).toEqual(['onAppShow', 'wxlogin'])
})
