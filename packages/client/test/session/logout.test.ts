import { afterEach, beforeEach, expect, test, vi } from 'vitest'
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
