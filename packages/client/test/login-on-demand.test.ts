import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { refusal } from './backend.js'
import { outcomes, setUp, setUpFull, times } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const loginRequired = { code: 'signed_out', reason: 'login_required' }

test('nobody is logged in before the app calls login()', async () => {
  const { client, wx } = setUp({ silent: false })

  expect(await client.launch()).toBeUndefined()
  expect(await client.ready()).toBeUndefined()
  await expect(client.request({ url: '/orders' })).rejects.toMatchObject(loginRequired)
  await expect(client.token()).rejects.toMatchObject(loginRequired)

  expect(client.session()).toBeUndefined()
  expect(wx.control.calls.login).toBe(0)
  expect(wx.control.requests).toEqual([])
})

test("auth: 'optional' goes out anonymous until somebody is logged in", async () => {
  const { client } = setUp({ silent: false })
  const who = async () =>
    (await client.request<{ user: string }>({ url: '/orders', auth: 'optional' })).data.user

  const before = await who()
  await client.login()

  expect([before, await who()]).toEqual(['nobody', 'user-1'])
})

test('showing the app, and the network that comes back, log nobody in', async () => {
  const { wx } = setUp({ silent: false })

  wx.control.show()
  wx.control.offline()
  wx.control.online()
  await vi.advanceTimersByTimeAsync(120_000)

  expect(wx.control.calls.login).toBe(0)
  expect(wx.control.requests).toEqual([])
})

test('a login that fails leaves nobody logged in', async () => {
  const { client, wx, backend } = setUp({ silent: false })
  backend.answer('/wx/login', refusal(403, 'access_denied', { scope: 'attempt' }))

  expect(await outcomes([client.login({ input: { password: 'wrong' } })])).toEqual([
    'access_denied',
  ])
  await expect(client.request({ url: '/orders' })).rejects.toMatchObject(loginRequired)

  expect(wx.control.calls.login).toBe(1)
})

test('what a translator refuses a first login with does not count as a login', async () => {
  const { client, backend } = setUp({ silent: false })
  backend.answer('/wx/login', refusal(400, 'invalid_grant'), { times: 1 })

  await outcomes([client.login()])

  await expect(client.request({ url: '/orders' })).rejects.toMatchObject(loginRequired)
})

describe('whoever has logged in', () => {
  /** A phone on which somebody logged in, started anew. */
  async function restarted() {
    const setting = setUp({ silent: false })
    await setting.client.login()
    const wx = setting.wx.control.restart()
    return { ...setting, wx, client: setting.start(wx) }
  }

  test('is renewed silently', async () => {
    const { client, backend } = await restarted()
    vi.advanceTimersByTime(3_600_000)

    expect(await outcomes(times(10, () => client.request({ url: '/orders' })))).toEqual(
      times(10, () => 'ok'),
    )
    expect(backend.seen('/wx/refresh')).toHaveLength(1)
  })

  test.each(['invalid_grant', 'invalid_request'])(
    'is logged in silently when the refresh token is dead: %s',
    async (code) => {
      const { client, wx, start, backend } = await restarted()
      vi.advanceTimersByTime(3_600_000)
      backend.answer('/wx/refresh', refusal(400, code), { times: 1 })
      wx.control.onLogin('fail')
      await outcomes([client.request({ url: '/orders' })])
      const later = wx.control.restart()
      later.control.onLogin('ok')

      const { data } = await start(later).request<{ user: string }>({ url: '/orders' })

      expect(data.user).toBe('user-1')
      expect(later.control.calls.login).toBe(1)
    },
  )

  test.each([
    ['logout()', ({ client }: Awaited<ReturnType<typeof restarted>>) => client.logout()],
    [
      'the server',
      async ({ client, backend }: Awaited<ReturnType<typeof restarted>>) => {
        vi.advanceTimersByTime(3_600_000)
        backend.answer('/wx/refresh', refusal(400, 'invalid_grant', { reason: 'revoked' }))
        await outcomes([client.request({ url: '/orders' })])
      },
    ],
  ])('is nobody after a sign-out by %s, also after a restart', async (_, signOut) => {
    const setting = await restarted()
    await signOut(setting)
    const later = setting.wx.control.restart()
    const client = setting.start(later)

    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['signed_out'])
    expect(await client.login()).toMatchObject({ userId: 'user-1' })
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  })

  test('is nobody when the app has cleared its storage', async () => {
    const { client, wx } = await restarted()
    const before = client.session()
    wx.removeStorageSync('wxlogin')
    await vi.advanceTimersByTimeAsync(0)

    await expect(client.request({ url: '/orders' })).rejects.toMatchObject(loginRequired)
    expect(before?.userId).toBe('user-1')
  })
})

test('a fetched login is not adopted', async () => {
  const setting = setUpFull({ silent: false })
  setting.wx.control.prefetch(setting.backend.prefetchFor('user-1', 'hello'))
  const wx = setting.wx.control.restart()
  const client = setting.start(wx)

  expect(await client.launch()).toBeUndefined()
  expect(client.prefetched()).toBeUndefined()
  await expect(client.request({ url: '/orders' })).rejects.toMatchObject(loginRequired)
})

test('a logout that the server did not hear is delivered all the same', async () => {
  const { client, wx, start, backend } = setUp({ silent: false })
  await client.login()
  wx.control.offline()
  await client.logout()
  const later = wx.control.restart()
  later.control.online()
  start(later)
  await vi.advanceTimersByTimeAsync(1_000)

  expect(backend.seen('/wx/logout')).toHaveLength(1)
  expect(later.control.calls.login).toBe(0)
})
