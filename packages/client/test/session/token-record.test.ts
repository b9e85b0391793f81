import { createClient } from '@wxlogin/client'
import { createFakeWx } from '@wxlogin/client/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { json, refusal } from '../backend.js'
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
  // It is tried again when there is more room.
  wx.control.failStorage('set', { times: 2 })
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

/** The record in storage with other members. */
function damage(wx: ReturnType<typeof setUp>['wx'], damaged: object): void {
  const record = JSON.parse(JSON.parse(String(wx.control.storage.get('wxlogin'))))
  wx.control.storage.set('wxlogin', JSON.stringify(JSON.stringify({ ...record, ...damaged })))
}

test.each([
  ...['access_token', 'refresh_token', 'key', 'user_id'].flatMap((name) =>
    ['', 5, {}, null, undefined].map((value) => [name, value] as const),
  ),
  ['key', 'short'],
  ...['expires_in', 'askedMs'].flatMap((name) =>
    ['soon', {}, undefined].map((value) => [name, value] as const),
  ),
  ['reason', 5],
  ['out', 5],
  ['out', null],
] as const)('a record whose %s is %j means no more than a silent login', async (name, value) => {
  const { client, wx, backend, start } = setUp()
  await client.launch()
  damage(wx, { [name]: value })
  await vi.advanceTimersByTimeAsync(900_000)

  const again = wx.control.restart()
  const restarted = start(again)

  expect(await outcomes([restarted.request({ url: '/orders' })])).toEqual(['ok'])
  expect(again.control.calls.login).toBeLessThanOrEqual(1)
  expect(backend.seen('/wx/refresh').length).toBeLessThanOrEqual(1)
})

test('a refresh token that the server cannot read means a silent login', async () => {
  const { client, wx, backend, start } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  backend.answer('/wx/refresh', refusal(400, 'invalid_request'))

  const restarted = start(wx.control.restart())

  expect(await outcomes([restarted.request({ url: '/orders' })])).toEqual(['ok'])
})

test.each([
  ['access_token', 5],
  ['refresh_token', {}],
  ['expires_in', 'soon'],
  ['user_id', 7],
])('a token answer whose %s is %j is of another shape', async (name, value) => {
  const { client, wx, backend } = setUp()
  backend.answer('/wx/login', json(200, { ...backend.prefetchFor('user-1'), [name]: value }))

  expect(await outcomes([client.login()])).toEqual(['http'])
  expect(client.session()).toBeUndefined()
  expect(String(wx.control.storage.get('wxlogin'))).not.toContain('access_token')
})

test('a refresh that is answered with another shape keeps the record', async () => {
  const { client, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  backend.answer('/wx/refresh', json(200, { access_token: 5 }), { times: 1 })

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['http'])
  expect(client.session()?.userId).toBe('user-1')
})

test('storage that takes a write and keeps nothing costs one login a start, and is told once', async () => {
  const events: unknown[] = []
  const { wx, start } = setUp()
  wx.control.failStorage('set', { silently: true })
  const client = createClient({ baseUrl, wx, onEvent: ({ type }) => events.push(type) })

  for (const _ of Array(5)) {
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
    await vi.advanceTimersByTimeAsync(1_000)
  }

  expect(wx.control.calls.login).toBe(1)
  expect(events.filter((type) => type === 'storage_failed')).toHaveLength(1)
  const again = wx.control.restart()
  expect(await outcomes([start(again).request({ url: '/orders' })])).toEqual(['ok'])
  expect(again.control.calls.login).toBe(1)
})

test('storage that keeps what it had, and nothing new, does not bring old tokens back', async () => {
  const { client, wx, backend, start } = setUp()
  await client.launch()
  const again = wx.control.restart()
  again.control.failStorage('set', { silently: true })
  again.control.failStorage('remove', { silently: true })
  const restarted = start(again)

  for (const _ of [1, 2]) {
    await vi.advanceTimersByTimeAsync(900_000)
    expect(await outcomes([restarted.request({ url: '/orders' })])).toEqual(['ok'])
  }

  expect(backend.seen('/wx/refresh').map(({ body }) => body.refresh_token)).toEqual([
    'refresh-0-session1',
    'refresh-1-session1',
  ])
  expect(backend.alarms).toEqual([])
})
