import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBackend } from '../backend.js'
import { outcomes, setUpFull, times } from '../set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

type Setting = ReturnType<typeof setUpFull>

/** What WeChat has fetched for this user when the mini program starts. */
function prefetchFor({ wx, backend }: Setting, user: string, data: string, ageMs = 0): void {
  wx.control.prefetch(backend.prefetchFor(user, data), { timeStamp: Date.now() - ageMs })
}

/** A cold start of a phone on which something was fetched. */
function coldStart(fetch: (setting: Setting) => void = () => {}) {
  const setting = setUpFull()
  fetch(setting)
  const wx = setting.wx.control.restart()
  return { ...setting, wx, client: setting.start(wx) }
}

test('a fetched login becomes the session, without wx.login and without a request', async () => {
  const { client, wx } = coldStart((setting) => prefetchFor(setting, 'user-1', 'hello'))

  const session = await client.launch()
  const { data } = await client.request<{ user: string }>({ url: '/orders' })

  expect(session?.userId).toBe('user-1')
  expect(data.user).toBe('user-1')
  expect(client.prefetched()).toBe('hello')
  expect(wx.control.calls.login).toBe(0)
  expect(wx.control.requests.map(({ url }) => url)).toEqual(['https://api.example.com/orders'])
})

test('ten first requests share a fetched login', async () => {
  const { client, wx } = coldStart((setting) => prefetchFor(setting, 'user-1', 'hello'))

  const results = await outcomes(times(10, () => client.request({ url: '/orders' })))

  expect(results).toEqual(times(10, () => 'ok'))
  expect(wx.control.requests).toHaveLength(10)
  expect(wx.control.calls).toMatchObject({ login: 0, getBackgroundFetchData: 1 })
})

test('a fetched login is told as one, and is stored without the data', async () => {
  const setting = setUpFull()
  setting.wx.control.prefetch(setting.backend.prefetchFor('user-1', { list: 'long' }))
  const wx = setting.wx.control.restart()
  const client = setting.start(wx)
  const changes: unknown[] = []
  client.onChange(({ session, reason }) => changes.push([reason, session?.userId]))

  await client.ready()
  await vi.advanceTimersByTimeAsync(0)

  expect(changes).toEqual([['login', 'user-1']])
  expect(wx.control.storage.get('wxlogin')).not.toContain('long')
  expect(setting.start(wx.control.restart()).session()?.userId).toBe('user-1')
})

test('a fetched login is renewed like any other', async () => {
  const { client, backend, wx } = coldStart((setting) => prefetchFor(setting, 'user-1', 'hello'))
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])

  const [refresh] = backend.seen('/wx/refresh')
  expect(refresh?.header['idempotency-key']).toMatch(/^[A-Za-z0-9_-]{22,64}$/)
  expect(wx.control.calls.login).toBe(0)
})

test('its life counts from when it was fetched', async () => {
  const { client, backend } = coldStart((setting) =>
    prefetchFor(setting, 'user-1', 'hello', 600_000),
  )
  await client.launch()
  await vi.advanceTimersByTimeAsync(300_000)

  await client.request({ url: '/orders' })

  expect(backend.seen('/wx/refresh')).toHaveLength(1)
})

test.each([
  ['whose life is over', 900_000],
  ['from the future', -60_000],
])('a fetched login %s is not used', async (_, ageMs) => {
  const { client, wx } = coldStart((setting) => prefetchFor(setting, 'user-1', 'hello', ageMs))

  expect((await client.launch())?.userId).toBe('user-1')
  expect(wx.control.calls.login).toBe(1)
})

test.each([
  ['nothing', (_: Setting) => {}],
  ['an empty text', ({ wx }: Setting) => wx.control.prefetch('')],
  ['no answer', ({ wx }: Setting) => wx.control.prefetch({})],
  ['a page', ({ wx }: Setting) => wx.control.prefetch('<html>')],
  ['null', ({ wx }: Setting) => wx.control.prefetch('null')],
  ['something else', ({ wx }: Setting) => wx.control.prefetch({ access_token: 'x', user_id: 7 })],
  ['a call that throws', ({ wx }: Setting) => wx.control.prefetch({}, { behaviour: 'throw' })],
])('%s fetched means an ordinary login', async (_, fetch) => {
  const { client, wx } = coldStart(fetch)

  expect((await client.launch())?.userId).toBe('user-1')
  expect(wx.control.calls.login).toBe(1)
  expect(client.prefetched()).toBeUndefined()
})

test('an old base library without pre-fetch logs in at once', async () => {
  const { client, wx } = setUpFull({ phone: { omit: ['getBackgroundFetchData'] } })

  expect((await client.launch())?.userId).toBe('user-1')
  expect(wx.control.calls.login).toBe(1)
})

test('what does not answer holds a login up for half a second at most', async () => {
  const { client, wx } = coldStart((setting) =>
    setting.wx.control.prefetch({}, { behaviour: 'hang' }),
  )
  const launched = client.launch()

  await vi.advanceTimersByTimeAsync(499)
  const early = wx.control.calls.login
  await vi.advanceTimersByTimeAsync(1)

  expect([early, wx.control.calls.login]).toEqual([0, 1])
  expect((await launched)?.userId).toBe('user-1')
})

test('with a live session the first request goes out at once, and only the data is taken', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  setting.wx.control.prefetch(setting.backend.prefetchFor('user-1', 'fresh'), {
    behaviour: { afterMs: 300 },
  })
  const wx = setting.wx.control.restart()
  const client = setting.start(wx)

  const request = client.request({ url: '/orders' })
  await vi.advanceTimersByTimeAsync(0)
  expect(wx.control.requests.map(({ header }) => header.authorization)).toEqual([
    'Bearer access-1-session1',
  ])
  await request
  const known = client.ready().then(() => client.prefetched())
  await vi.advanceTimersByTimeAsync(300)

  expect(await known).toBe('fresh')
  expect(client.session()?.userId).toBe('user-1')
  expect(wx.control.storage.get('wxlogin')).toContain('session1')
  expect(wx.control.calls.login).toBe(0)
})

test('launch too resolves when the data is known', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  setting.wx.control.prefetch(setting.backend.prefetchFor('user-1', 'fresh'), {
    behaviour: { afterMs: 300 },
  })
  const client = setting.start(setting.wx.control.restart())

  const known = client.launch().then(() => client.prefetched())
  await vi.advanceTimersByTimeAsync(300)

  expect(await known).toBe('fresh')
})

test('what was fetched for another user than the one who is logged in is left', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  const code = setting.backend.phoneCode({ number: '138', movesTo: 'user-9' })
  await setting.client.bindPhone({ detail: { code } })
  prefetchFor(setting, 'user-1', 'not yours')
  await vi.advanceTimersByTimeAsync(600_000)

  const client = setting.start(setting.wx.control.restart())

  expect((await client.ready())?.userId).toBe('user-9')
  expect(client.prefetched()).toBeUndefined()
})

test('after a sign-out nothing that was fetched is taken', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  await setting.client.logout()
  prefetchFor(setting, 'user-1', 'hello')
  const wx = setting.wx.control.restart()
  const client = setting.start(wx)

  expect(await client.launch()).toBeUndefined()
  expect(client.prefetched()).toBeUndefined()
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])
  await client.login()
  expect(wx.control.calls.login).toBe(1)
})

test('single-page mode takes nothing', async () => {
  const backend = createBackend()
  const { wx, start } = setUpFull({ phone: { scene: 1154, network: backend.network } })
  wx.control.prefetch(backend.prefetchFor('user-1', 'hello'))
  const again = wx.control.restart()
  const client = start(again)

  expect(await client.launch()).toBeUndefined()
  await client.request({ url: '/news' })
  expect(again.control.requests[0]?.header.authorization).toBeUndefined()
})

test('a login that is asked for while the data is awaited wins', async () => {
  const setting = setUpFull()
  setting.wx.control.prefetch(setting.backend.prefetchFor('user-1', 'late'), {
    behaviour: { afterMs: 400 },
  })
  const wx = setting.wx.control.restart()
  const client = setting.start(wx)

  const login = client.login({ force: true })
  await vi.advanceTimersByTimeAsync(400)

  expect((await login).userId).toBe('user-1')
  expect(wx.control.calls.login).toBe(1)
})

test('two instances on one storage share one fetched login', async () => {
  const setting = setUpFull()
  prefetchFor(setting, 'user-1', 'hello')
  const wx = setting.wx.control.restart()
  const [first, second] = [setting.start(wx), setting.start(wx)]

  await Promise.all([first.ready(), second.ready()])
  await vi.advanceTimersByTimeAsync(900_000)
  const both = [first.request({ url: '/orders' }), second.request({ url: '/orders' })]

  expect(await outcomes(both)).toEqual(['ok', 'ok'])
  expect(setting.backend.livingSessions()).toBe(1)
})

test('six cold starts with a fetched login each leave one session', async () => {
  const setting = setUpFull()
  await setting.client.launch()
  for (const start of times(6, String)) {
    await vi.advanceTimersByTimeAsync(1_800_000)
    prefetchFor(setting, 'user-1', start)
    setting.wx = setting.wx.control.restart()
    await setting.start(setting.wx).request({ url: '/orders' })
  }

  expect(setting.backend.livingSessions()).toBe(1)
  expect(setting.wx.control.calls.login).toBe(0)
})

test('members of what was fetched that the client does not know change nothing', async () => {
  const { client, wx } = coldStart((setting) => {
    setting.backend.addMembers({ reason: 'bought', key: 'short' })
    prefetchFor(setting, 'user-1', 'hello')
  })

  const session = await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)

  expect(session?.userId).toBe('user-1')
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(wx.control.calls.login).toBe(0)
})
