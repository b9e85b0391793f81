import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { outcomes, setUp, setUpFull, times } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const entries = [
  ['index', setUp],
  ['full', setUpFull],
] as const

test.each(entries)(
  "%s: a page's request before onLaunch has finished waits for it",
  async (_, set) => {
    const { client, wx, backend } = set()
    wx.control.onLogin({ afterMs: 300 })
    wx.control.onRequest('/wx/login', { delayMs: 200 })

    const launched = client.launch(wx.control.launch())
    const page = outcomes(times(3, () => client.request({ url: '/orders' })))
    await vi.advanceTimersByTimeAsync(499)
    const early = backend.seen('/orders').length
    await vi.advanceTimersByTimeAsync(1)

    expect(await page).toEqual(['ok', 'ok', 'ok'])
    expect((await launched)?.userId).toBe('user-1')
    expect(early).toBe(0)
    expect(wx.control.calls.login).toBe(1)
  },
)

test.each(entries)("%s: a page's request needs no launch at all", async (_, set) => {
  const { client, wx } = set()

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(wx.control.calls.login).toBe(1)
})

test.each(entries)(
  '%s: a cold start with a live session sends the first request at once',
  async (_, set) => {
    const { client, wx, start } = set()
    await client.launch()
    const again = wx.control.restart()
    const restarted = start(again as never)

    void restarted.launch()
    const request = restarted.request({ url: '/orders' })
    await Promise.resolve()
    await Promise.resolve()
    await Promise.resolve()

    expect(again.control.requests.map(({ url }) => url)).toEqual(['https://api.example.com/orders'])
    await request
    expect(again.control.calls.login).toBe(0)
  },
)

test.each(entries)(
  '%s: 10,000 requests in a day cost one wx.login, and the refreshes that the lifetimes imply',
  async (_, set) => {
    const { client, wx, backend } = set()
    const dayMs = 86_400_000

    for (let sent = 0; sent < 10_000; sent += 10) {
      const results = await outcomes(times(10, () => client.request({ url: '/orders' })))
      expect(results).toEqual(times(10, () => 'ok'))
      await vi.advanceTimersByTimeAsync(dayMs / 1_000)
    }

    expect(backend.seen('/orders')).toHaveLength(10_000)
    expect(wx.control.calls.login).toBe(1)
    // A token of 900 seconds is renewed in its last tenth, so a day needs no more than this.
    expect(backend.seen('/wx/refresh').length).toBeLessThanOrEqual(Math.ceil(86_400 / 810))
    expect(backend.seen('/wx/refresh').length).toBeGreaterThan(86_400 / 900 - 2)
  },
)
