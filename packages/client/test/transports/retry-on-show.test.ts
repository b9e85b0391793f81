import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { outcomes, setUpFull } from '../set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

async function setUp(options: Parameters<typeof setUpFull>[0] = {}) {
  const setting = setUpFull(options)
  setting.wx.control.files.set('a', 'a')
  await setting.client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  return setting
}

type Client = ReturnType<typeof setUpFull>['client']

const safe: [string, (client: Client) => Promise<unknown>][] = [
  ['a GET', (client) => client.request({ url: '/orders' })],
  ['a HEAD', (client) => client.request({ url: '/orders', method: 'HEAD' })],
  ['a download', (client) => client.downloadFile({ url: '/orders' })],
  [
    'a GET of a container',
    (client) =>
      client.callContainer({ path: '/orders', service: 'shop', config: { env: 'prod-1' } }),
  ],
]

const unsafe: [string, (client: Client) => Promise<unknown>][] = [
  ['a POST', (client) => client.request({ url: '/orders', method: 'POST' })],
  ['a PUT', (client) => client.request({ url: '/orders', method: 'PUT' })],
  ['a DELETE', (client) => client.request({ url: '/orders', method: 'DELETE' })],
  ['an upload', (client) => client.uploadFile({ url: '/orders', filePath: 'a', name: 'a' })],
]

test.each(safe)('%s that the background cut off is sent once more in front', async (_, start) => {
  const { client, wx, backend } = await setUp()
  wx.control.onRequest('/orders', { delayMs: 6_000 }, { times: 1 })
  const cut = outcomes([start(client)])
  await vi.advanceTimersByTimeAsync(0)

  wx.control.hide()
  await vi.advanceTimersByTimeAsync(10_000)
  wx.control.show()

  expect(await cut).toEqual(['ok'])
  expect(backend.seen('/orders')).toHaveLength(2)
})

test.each(safe)(
  '%s that is made in the background waits until the app is shown',
  async (_, start) => {
    const { client, wx, backend } = await setUp()
    wx.control.hide()
    const made = outcomes([start(client)])
    await vi.advanceTimersByTimeAsync(3_000)
    const sentBehind = backend.seen('/orders').length

    wx.control.show()

    expect(await made).toEqual(['ok'])
    expect([sentBehind, backend.seen('/orders').length]).toEqual([0, 1])
  },
)

test.each(unsafe)('%s that the background cut off rejects as interrupted', async (_, start) => {
  const { client, wx, backend } = await setUp()
  wx.control.onRequest('/orders', { delayMs: 6_000 }, { times: 1 })
  const cut = outcomes([start(client)])
  await vi.advanceTimersByTimeAsync(0)

  wx.control.hide()
  await vi.advanceTimersByTimeAsync(10_000)
  wx.control.show()

  expect(await cut).toEqual(['interrupted'])
  expect(backend.seen('/orders')).toHaveLength(1)
})

test('a method in lower case is the same method', async () => {
  const { client, wx } = await setUp()
  wx.control.hide()
  const made = outcomes([client.request({ url: '/orders', method: 'get' as 'GET' })])
  await vi.advanceTimersByTimeAsync(0)

  wx.control.show()

  expect(await made).toEqual(['ok'])
})

test('what is cut off twice rejects', async () => {
  const { client, wx, backend } = await setUp()
  wx.control.onRequest('/orders', { delayMs: 6_000 })
  const cut = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(0)

  for (const _ of [1, 2]) {
    wx.control.hide()
    await vi.advanceTimersByTimeAsync(6_000)
    wx.control.show()
    await vi.advanceTimersByTimeAsync(0)
  }

  expect(await cut).toEqual(['interrupted'])
  expect(backend.seen('/orders')).toHaveLength(2)
})

test('the deadline of a request holds in the background too', async () => {
  const { client, wx, backend } = await setUp()
  wx.control.hide()
  const made = outcomes([client.request({ url: '/orders', timeout: 2_000 })])
  await vi.advanceTimersByTimeAsync(2_000)

  expect(await made).toEqual(['timeout'])
  wx.control.show()
  await vi.advanceTimersByTimeAsync(0)
  expect(backend.seen('/orders')).toHaveLength(0)
})

test('abort ends a request that waits to be shown', async () => {
  const { client, wx, backend } = await setUp()
  wx.control.hide()
  const request = client.request({ url: '/orders' })
  const outcome = outcomes([request])
  await vi.advanceTimersByTimeAsync(0)

  request.abort()
  wx.control.show()
  await vi.advanceTimersByTimeAsync(0)

  expect(await outcome).toEqual(['aborted'])
  expect(backend.seen('/orders')).toHaveLength(0)
})

test('listeners hold for the request that is sent once more', async () => {
  const { client, wx } = await setUp()
  wx.control.hide()
  const heard = vi.fn()
  const request = client.request({ url: '/orders' })
  request.onHeadersReceived(heard)
  await vi.advanceTimersByTimeAsync(0)

  wx.control.show()
  await request

  expect(heard).toHaveBeenCalledOnce()
})

test('a sign-out in the background ends what waits to be shown', async () => {
  const { client, wx, backend } = await setUp()
  wx.control.hide()
  const made = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(0)
  await client.logout()

  wx.control.show()

  expect(await made).toEqual(['signed_out'])
  expect(backend.seen('/orders')).toHaveLength(0)
})

test('a socket opened in the background opens when the app is shown', async () => {
  const { client, wx } = await setUp()
  wx.control.hide()
  const opening = outcomes([client.connectSocket({ url: '/ws' })])
  await vi.advanceTimersByTimeAsync(1_000)

  wx.control.show()

  expect(await opening).toEqual(['ok'])
  expect(wx.control.sockets.at(-1)?.state).toBe('open')
})

test('a renewal cut off in the background is finished in front, and the request after it', async () => {
  const { client, wx, backend } = await setUp()
  backend.expireAccess()
  wx.control.onRequest('/wx/refresh', { delayMs: 60_000 }, { times: 1 })
  const waiting = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(0)

  wx.control.hide()
  vi.setSystemTime(Date.now() + 1_800_000)
  wx.control.show()
  await vi.advanceTimersByTimeAsync(0)

  expect(await waiting).toEqual(['ok'])
  const keys = backend.seen('/wx/refresh').map(({ header }) => header['idempotency-key'])
  expect(new Set(keys).size).toBe(1)
  expect(wx.control.calls.login).toBe(1)
})
