import { createClient } from '@wxlogin/client'
import { createFakeWx } from '@wxlogin/client/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { baseUrl, outcomes, setUp } from '../set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('there is one record in storage, written in one call', async () => {
  const { client, wx } = setUp()

  await client.launch()

  expect([...wx.control.storage.keys()]).toEqual(['wxlogin'])
  expect(wx.control.calls.setStorageSync).toBe(1)
})

test('the storage key can be chosen', async () => {
  const { client, wx } = setUp({ storageKey: 'mine' })

  await client.launch()

  expect([...wx.control.storage.keys()]).toEqual(['mine'])
})

test.each(['login', 'refresh'])(
  'the answer to a %s is in storage when the answer is handled',
  async (route) => {
    const { client, wx, start, backend } = setUp()
    if (route === 'refresh') {
      await client.launch()
      await vi.advanceTimersByTimeAsync(900_000)
    }
    const before = wx.control.storage.get('wxlogin')
    const after: unknown[] = []
    const observed = start(
      Object.assign(wx, {
        request: (
          (request) => (options: Parameters<typeof request>[0]) =>
            request({
              ...options,
              success(response) {
                options.success?.(response)
                after.push(wx.control.storage.get('wxlogin'))
              },
            })
        )(wx.request),
      }),
    )

    await observed.ready()

    expect(backend.seen(`/wx/${route}`)).toHaveLength(1)
    expect(after).toHaveLength(1)
    expect(after[0]).not.toBe(before)
  },
)

test.each([
  ['not JSON', '{"v":'],
  ['JSON of something else', '[1,2]'],
  ['null', 'null'],
  ['a number', '7'],
  ['a record of another version', JSON.stringify({ v: '0', access_token: 'x' })],
])('%s in storage means a silent login', async (_, damage) => {
  const { client, wx, start } = setUp()
  await client.launch()
  wx.control.storage.set('wxlogin', JSON.stringify(damage))

  const again = wx.control.restart()
  const session = await start(again).launch()

  expect(session?.userId).toBe('user-1')
  expect(again.control.calls.login).toBe(1)
})

test.each(['access_token', 'refresh_token', 'key', 'expires_in', 'askedMs'])(
  'a record without its %s means no more than a silent login',
  async (name) => {
    const { client, wx, start } = setUp()
    await client.launch()
    const record = JSON.parse(JSON.parse(String(wx.control.storage.get('wxlogin'))))
    delete record[name]
    wx.control.storage.set('wxlogin', JSON.stringify(JSON.stringify(record)))
    await vi.advanceTimersByTimeAsync(900_000)

    const again = wx.control.restart()
    const restarted = start(again)

    expect(await outcomes([restarted.request({ url: '/orders' })])).toEqual(['ok'])
  },
)

test('the tokens of another mini program or backend are not used', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()

  const other = createFakeWx({
    appId: 'wx0000000000000002',
    storage: wx.control.storage,
    wechat: backend.wechat,
    network: backend.network,
  })
  await createClient({ baseUrl, wx: other }).launch()
  const elsewhere = createFakeWx({
    storage: wx.control.storage,
    wechat: backend.wechat,
    network: backend.network,
  })
  await createClient({ baseUrl: 'https://test.example.com', wx: elsewhere }).launch()

  expect(other.control.calls.login).toBe(1)
  expect(elsewhere.control.calls.login).toBe(1)
  expect(backend.seen('/wx/login').map(({ body }) => body.previous_refresh_token)).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

test('storage that cannot be read means a silent login, not a crash', async () => {
  const { wx, start } = setUp()
  wx.control.failStorage('get')

  expect((await start().launch())?.userId).toBe('user-1')
})

test('storage that cannot be read for a while loses nothing', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  wx.control.failStorage('get')

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(backend.seen('/wx/refresh')).toHaveLength(1)
  expect(wx.control.calls.login).toBe(1)
})

test('a failed write removes the record, and memory is then the truth', async () => {
  const events: unknown[] = []
  const { client, wx, backend, start } = setUp({ onEvent: ({ type }) => events.push(type) })
  await client.launch()
  wx.control.failStorage('set', { times: 1 })
  await vi.advanceTimersByTimeAsync(900_000)

  await client.request({ url: '/orders' })

  expect(wx.control.storage.has('wxlogin')).toBe(false)
  expect(events).toContain('storage_failed')
  await vi.advanceTimersByTimeAsync(900_000)
  await client.request({ url: '/orders' })
  expect(backend.seen('/wx/refresh').map(({ body }) => body.refresh_token)).toEqual([
    'refresh-0-session1',
    'refresh-1-session1',
  ])
  expect(start(wx.control.restart()).session()?.userId).toBe('user-1')
})

test('storage that can be neither written nor cleared does not bring old tokens back', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  wx.control.failStorage('set')
  wx.control.failStorage('remove')

  for (const _ of [1, 2]) {
    await vi.advanceTimersByTimeAsync(900_000)
    await client.request({ url: '/orders' })
  }

  expect(backend.seen('/wx/refresh').map(({ body }) => body.refresh_token)).toEqual([
    'refresh-0-session1',
    'refresh-1-session1',
  ])
})

test('storage is read again before a refresh: what another instance renewed is adopted', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  const other = createFakeWx({
    storage: wx.control.storage,
    wechat: backend.wechat,
    network: backend.network,
  })
  await vi.advanceTimersByTimeAsync(900_000)
  await createClient({ baseUrl, wx: other }).request({ url: '/orders' })

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])

  expect(backend.seen('/wx/refresh')).toHaveLength(1)
  expect(backend.seen('/orders')[1]?.header.authorization).toBe('Bearer access-2-session1')
})

test('two instances that renew at once keep one session', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  const other = createFakeWx({
    storage: wx.control.storage,
    wechat: backend.wechat,
    network: backend.network,
  })
  const second = createClient({ baseUrl, wx: other })
  await vi.advanceTimersByTimeAsync(900_000)

  const both = [client.request({ url: '/orders' }), second.request({ url: '/orders' })]

  expect(await outcomes(both)).toEqual(['ok', 'ok'])
  expect(backend.livingSessions()).toBe(1)
  await vi.advanceTimersByTimeAsync(900_000)
  expect(
    await outcomes([client.request({ url: '/orders' }), second.request({ url: '/orders' })]),
  ).toEqual(['ok', 'ok'])
  expect(wx.control.calls.login + other.control.calls.login).toBe(1)
})

test('a new pair is not written over what storage holds meanwhile', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  wx.control.onRequest('/wx/refresh', { delayMs: 1_000 }, { times: 1 })
  const request = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(500)
  const other = createFakeWx({
    storage: wx.control.storage,
    wechat: backend.wechat,
    network: backend.network,
  })
  await createClient({ baseUrl, wx: other }).login({ force: true })
  const stored = wx.control.storage.get('wxlogin')

  await vi.advanceTimersByTimeAsync(500)

  expect(await request).toEqual(['ok'])
  expect(wx.control.storage.get('wxlogin')).toBe(stored)
  expect(backend.seen('/orders')[0]?.header.authorization).toContain('session2')
})

test('storage cleared by the app while it runs means a silent login', async () => {
  const { client, wx, start } = setUp()
  await client.launch()
  wx.control.storage.clear()

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(wx.control.calls.login).toBe(2)
  expect(start(wx.control.restart()).session()?.userId).toBe('user-1')
})
