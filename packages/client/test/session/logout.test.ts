import { createFakeWx } from '@wxlogin/client/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { refusal } from '../backend.js'
import { outcomes, setUp, times } from '../set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('signed out means signed out, across restarts, until the app logs in', async () => {
  const { client, wx, backend, start } = setUp()
  await client.launch()

  await client.logout()

  expect(backend.livingSessions()).toBe(0)
  expect(client.session()).toBeUndefined()
  const again = wx.control.restart()
  const restarted = start(again)
  expect(await restarted.launch()).toBeUndefined()
  again.control.show()
  expect(await outcomes(times(3, () => restarted.request({ url: '/orders' })))).toEqual(
    times(3, () => 'signed_out'),
  )
  expect(again.control.calls.login).toBe(0)
  expect((await restarted.login()).userId).toBe('user-1')
  expect(await outcomes([restarted.request({ url: '/orders' })])).toEqual(['ok'])
})

test('after a logout auth optional goes anonymous', async () => {
  const { client } = setUp()
  await client.launch()
  await client.logout()

  const { data } = await client.request<{ user: string }>({ url: '/news', auth: 'optional' })

  expect(data.user).toBe('nobody')
})

test('storage knows of the logout before the server does', async () => {
  const { client, wx, start } = setUp()
  await client.launch()
  wx.control.onRequest('/wx/logout', 'hang')

  const logout = client.logout()

  expect(await outcomes([start(wx.control.restart()).request({ url: '/orders' })])).toEqual([
    'signed_out',
  ])
  await vi.advanceTimersByTimeAsync(10_000)
  await logout
})

test('an offline logout is told to the server at the next login', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  wx.control.offline()
  await client.logout()
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])
  wx.control.online()

  await client.login()

  expect(backend.seen('/wx/login')[1]?.body.previous_refresh_token).toBe('refresh-0-session1')
  expect(backend.livingSessions()).toBe(1)
})

test('after an online logout nothing is left of the token', async () => {
  const { client, wx } = setUp()
  await client.launch()

  await client.logout()

  expect(wx.control.storage.get('wxlogin')).not.toContain('session1')
})

test('a logout everywhere says so, and rejects when the server could not be told', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  wx.control.offline()

  expect(await outcomes([client.logout({ everywhere: true })])).toEqual(['network'])
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])

  wx.control.online()
  await client.logout({ everywhere: true })
  expect(backend.seen('/wx/logout')[0]?.body).toEqual({
    refresh_token: 'refresh-0-session1',
    everywhere: true,
  })
})

test('a logout without a session signs out too', async () => {
  const { client, wx } = setUp()

  await client.logout()

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])
  expect(wx.control.calls.request).toBe(0)
})

test('a logout during a login wins', async () => {
  const { client, wx } = setUp()
  wx.control.onRequest('/wx/login', { delayMs: 1_000 })
  const requests = outcomes(times(3, () => client.request({ url: '/orders' })))
  await vi.advanceTimersByTimeAsync(500)

  await client.logout()
  await vi.advanceTimersByTimeAsync(500)

  expect(await requests).toEqual(times(3, () => 'signed_out'))
  expect(client.session()).toBeUndefined()
})

test('a logout during a refresh wins', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  wx.control.onRequest('/wx/refresh', { delayMs: 1_000 })
  const request = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(500)

  await client.logout()
  await vi.advanceTimersByTimeAsync(500)

  expect(await request).toEqual(['signed_out'])
  expect(client.session()).toBeUndefined()
  expect(backend.livingSessions()).toBe(0)
})

test('a refusal that comes after a logout does not log in again', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  wx.control.onRequest('/orders', { delayMs: 1_000 })
  backend.expireAccess()
  const request = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(500)

  await client.logout()
  await vi.advanceTimersByTimeAsync(500)

  expect(await request).toEqual(['signed_out'])
  expect(wx.control.calls.login).toBe(1)
})

test('listeners hear every change, until they leave', async () => {
  const { client, backend } = setUp()
  const changes: unknown[] = []
  const stop = client.onChange(({ session, previous, reason }) => {
    changes.push([previous?.userId, reason, session?.userId])
  })

  await client.login()
  await vi.advanceTimersByTimeAsync(900_000)
  await client.request({ url: '/orders' })
  await vi.advanceTimersByTimeAsync(900_000)
  backend.endSessions('expired')
  await client.request({ url: '/orders' })
  await client.logout()
  await client.login()
  await vi.advanceTimersByTimeAsync(900_000)
  backend.endSessions('revoked')
  await client.request({ url: '/orders' }).catch(() => {})
  stop()
  await client.login()

  expect(changes).toEqual([
    [undefined, 'login', 'user-1'],
    ['user-1', 'refresh', 'user-1'],
    ['user-1', 'ended', undefined],
    [undefined, 'login', 'user-1'],
    ['user-1', 'logout', undefined],
    [undefined, 'login', 'user-1'],
    ['user-1', 'signed_out', undefined],
  ])
})

/** A session whose refresh is under way. */
async function setUpRenewing() {
  const setting = setUp()
  await setting.client.launch()
  await setting.start(createOther(setting)).login({ force: true })
  await setting.client.login({ force: true })
  await vi.advanceTimersByTimeAsync(900_000)
  return setting
}

/** Another phone of the same user. */
function createOther({ backend }: ReturnType<typeof setUp>) {
  return createFakeWx({ wechat: backend.wechat, network: backend.network })
}

test.each([
  ['is under way', { delayMs: 1_000 } as const],
  ['lost its answer', 'drop-answer' as const],
])('a logout everywhere ends all sessions although a refresh %s', async (_, behaviour) => {
  const { client, wx, backend } = await setUpRenewing()
  wx.control.onRequest('/wx/refresh', behaviour, { times: behaviour === 'drop-answer' ? 2 : 1 })
  const request = outcomes([client.request({ url: '/orders' })])
  await vi.advanceTimersByTimeAsync(behaviour === 'drop-answer' ? 0 : 500)
  expect(backend.livingSessions()).toBe(2)

  const logout = outcomes([client.logout({ everywhere: true })])
  await vi.advanceTimersByTimeAsync(1_000)

  expect(await logout).toEqual(['ok'])
  await request
  expect(backend.livingSessions()).toBe(0)
  expect(backend.alarms).toEqual([])
})

test('a logout everywhere rejects when its session is over, and when there is none', async () => {
  const { client, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.endSessions('expired')

  expect(await outcomes([client.logout({ everywhere: true })])).toEqual(['invalid_grant'])
  expect(await outcomes([setUp().client.logout({ everywhere: true })])).toEqual(['signed_out'])
})

/** A user who has signed out without a network. */
async function setUpOfflineLogout() {
  const setting = setUp()
  await setting.client.launch()
  setting.wx.control.offline()
  await setting.client.logout()
  return setting
}

test.each([
  [
    'the next start',
    ({ wx, start }: ReturnType<typeof setUp>) => {
      wx.control.online()
      start(wx.control.restart())
    },
  ],
  [
    'the next show',
    ({ wx, backend }: ReturnType<typeof setUp>) => {
      backend.answer('/wx/logout', 'drop', { times: 2 })
      wx.control.online()
      wx.control.show()
    },
  ],
  ['the next network', ({ wx }: ReturnType<typeof setUp>) => wx.control.online()],
])('an offline sign-out is delivered at %s, with the key of its record', async (_, act) => {
  const setting = await setUpOfflineLogout()
  const { wx, backend } = setting
  const stored = JSON.parse(JSON.parse(String(wx.control.storage.get('wxlogin'))))

  act(setting)
  await vi.advanceTimersByTimeAsync(0)

  const sent = backend.seen('/wx/logout').at(-1)
  expect(sent?.body).toEqual({ refresh_token: 'refresh-0-session1' })
  expect(sent?.header['idempotency-key']).toBe(stored.out['refresh-0-session1'])
  expect(backend.livingSessions()).toBe(0)
  expect(wx.control.storage.get('wxlogin')).not.toContain('session1')
})

test('an offline sign-out is delivered until the server has answered', async () => {
  const { wx, backend } = await setUpOfflineLogout()
  const portal = { statusCode: 200, header: {}, body: '<html>' }
  backend.answer('/wx/logout', refusal(503, 'store_unavailable'), { times: 1 })
  backend.answer('/wx/logout', portal, { times: 1 })
  wx.control.online()
  await vi.advanceTimersByTimeAsync(0)
  expect(backend.livingSessions()).toBe(1)

  for (const _ of [1, 2, 3]) {
    wx.control.show()
    await vi.advanceTimersByTimeAsync(0)
  }

  expect(backend.livingSessions()).toBe(0)
  expect(backend.seen('/wx/logout')).toHaveLength(3)
})

test('a login that comes first names the session that was signed out, and clears it', async () => {
  const { client, wx, backend } = await setUpOfflineLogout()
  wx.control.onRequest('/wx/logout', { fail: { errMsg: 'request:fail' } })
  wx.control.online()
  await vi.advanceTimersByTimeAsync(0)

  await client.login()

  expect(backend.seen('/wx/login')[1]?.body).toMatchObject({
    previous_refresh_token: 'refresh-0-session1',
    previous_idempotency_key: expect.stringMatching(/^[A-Za-z0-9_-]{22,64}$/),
    previous_signed_out: true,
  })
  expect(backend.livingSessions()).toBe(1)
  expect(wx.control.storage.get('wxlogin')).not.toContain('-session1')
})

test('a sign-out, a login and a sign-out again, all badly connected, leave nothing', async () => {
  const { client, wx, backend } = await setUpOfflineLogout()
  wx.control.onRequest('/wx/logout', { fail: { errMsg: 'request:fail' } })
  wx.control.online()
  // The server ends nothing for a login here.
  backend.answer('/wx/login', 'drop', { times: 1 })
  await client.login()
  wx.control.offline()
  await client.logout()

  wx.control.onRequest('/wx/logout', 'ok')
  wx.control.online()
  await vi.advanceTimersByTimeAsync(0)

  expect(backend.livingSessions()).toBe(0)
})

test('a later delivery never ends the other sessions', async () => {
  const setting = setUp()
  const { client, wx, backend, start } = setting
  await client.launch()
  await start(createOther(setting)).launch()
  wx.control.offline()
  expect(await outcomes([client.logout({ everywhere: true })])).toEqual(['network'])

  wx.control.online()
  await vi.advanceTimersByTimeAsync(0)

  expect(backend.seen('/wx/logout').at(-1)?.body).not.toHaveProperty('everywhere')
  expect(backend.livingSessions()).toBe(1)
})

test('an offline sign-out whose write is refused keeps its flag', async () => {
  const { client, wx, start, backend } = setUp()
  await client.launch()
  wx.control.failStorage('set', { times: 1 })
  wx.control.offline()
  await client.logout()

  const again = wx.control.restart()
  const restarted = start(again)

  expect(await outcomes([restarted.request({ url: '/orders' })])).toEqual(['signed_out'])
  again.control.online()
  await vi.advanceTimersByTimeAsync(0)
  expect(backend.livingSessions()).toBe(0)
})

test('signed_out is told after ended, and at a first launch that is refused', async () => {
  const { client, backend, start, wx } = setUp()
  const told: unknown[] = []
  client.onChange(({ reason }) => told.push(reason))
  await client.launch()
  await vi.advanceTimersByTimeAsync(900_000)
  backend.endSessions('expired')
  backend.answer('/wx/login', refusal(403, 'access_denied'))
  await outcomes([client.request({ url: '/orders' })])
  expect(told).toEqual(['login', 'ended', 'signed_out'])

  wx.control.storage.clear()
  const first = start(wx.control.restart())
  const heard: unknown[] = []
  first.onChange(({ session, reason }) => heard.push([session, reason]))
  await first.launch()

  expect(heard).toEqual([[undefined, 'signed_out']])
})

test('a listener is not called after its stop function was, nor does stopping one stop another', async () => {
  const { client } = setUp()
  const told: unknown[] = []
  const listener = ({ reason }: { reason: string }): void => {
    told.push(reason)
  }
  const stop = client.onChange(listener)
  client.onChange(listener)
  await client.launch()
  expect(told).toEqual(['login', 'login'])

  void client.logout()
  stop()
  await vi.advanceTimersByTimeAsync(0)

  expect(told).toEqual(['login', 'login', 'logout'])
})

test('a logout everywhere that a login overtakes never sends a key that it does not have', async () => {
  const { client, wx, backend } = setUp()
  await client.launch()
  await vi.advanceTimersByTimeAsync(30_000)
  wx.control.onRequest('/wx/refresh', { delayMs: 1_000 })
  const logout = outcomes([client.logout({ everywhere: true })])
  await vi.advanceTimersByTimeAsync(100)

  await client.login({ force: true })
  await vi.advanceTimersByTimeAsync(2_000)

  const keys = backend.seen('/wx/logout').map(({ header }) => header['idempotency-key'])
  expect(keys).not.toContain('undefined')
  expect(await logout).toEqual(['signed_out'])
})
