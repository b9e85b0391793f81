import { createClient } from '@wxlogin/client'
import { createFakeWx } from '@wxlogin/client/testing'
import { createAuth } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { baseUrl, times } from './set-up.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const accessTtlSeconds = 900
// In its last tenth a pair is renewed beside the requests.
const renewedAfterSeconds = accessTtlSeconds * 0.9

/** The real server behind the fake phone. */
function setUp() {
  const wechat = createFakeWeChat()
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'a secret for tests, 32 bytes and more',
    fetch: wechat.fetch,
    accessTtlSeconds,
  })
  const wx = createFakeWx({
    wechat,
    async network({ url, method, header, body }) {
      const path = url.slice(baseUrl.length)
      if (!path.startsWith('/wx')) {
        const { userId } = await auth.authenticate(header.authorization)
        return { statusCode: 200, header: {}, body: JSON.stringify({ userId }) }
      }
      const answer = await auth.handle({
        method,
        path: path.slice('/wx'.length),
        header: (name) => header[name.toLowerCase()],
        body: { parsed: JSON.parse(String(body)) },
      })
      return { statusCode: answer.status, header: answer.headers, body: answer.body ?? '' }
    },
  })
  return { wx, client: createClient({ baseUrl, wx }) }
}

/** A day of 24 hours: visits of some minutes, taps now and then, some requests at once after each. */
function dayOf(requests: number) {
  const visits = 60
  const tapsInVisit = 20
  // The same numbers in every run, spread like chance.
  const spread = (n: number) => ((n * 7919) % 1000) / 1000
  return times(visits, (visit) => ({
    startsAt: (visit + spread(visit) / 2) * (86_400 / visits),
    taps: times(tapsInVisit, (tap) => {
      const isEarly = visit * tapsInVisit + tap < requests % (visits * tapsInVisit)
      const requestsAtOnce = Math.floor(requests / (visits * tapsInVisit)) + (isEarly ? 1 : 0)
      return { afterSeconds: spread(visit * 31 + tap) * 70, requestsAtOnce }
    }),
  }))
}

test('10,000 requests in a day cost one wx.login, and the refreshes that the lifetimes imply', async () => {
  const { wx, client } = setUp()
  const startMs = Date.now()
  let nowSeconds = 0
  let requests = 0
  let renewedAt = 0
  let impliedRefreshes = 0
  /** Whoever needs a token now finds the old one in its last tenth, or older. */
  function useToken(): void {
    if (nowSeconds - renewedAt < renewedAfterSeconds) return
    renewedAt = nowSeconds
    impliedRefreshes++
  }
  function comeTo(seconds: number): void {
    nowSeconds = seconds
    vi.setSystemTime(startMs + seconds * 1000)
  }
  /** A renewal beside the requests may take longer than they do. */
  async function letEnd(): Promise<void> {
    const isUnderWay = () =>
      wx.control.requests.slice(-20).some(({ durationMs }) => durationMs === undefined)
    do await new Promise(setImmediate)
    while (isUnderWay())
  }
  await client.launch()

  for (const { startsAt, taps } of dayOf(10_000)) {
    wx.control.hide()
    comeTo(Math.max(startsAt, nowSeconds))
    wx.control.show()
    useToken()
    await client.ready()
    await letEnd()
    for (const { afterSeconds, requestsAtOnce } of taps) {
      comeTo(nowSeconds + afterSeconds)
      useToken()
      await Promise.all(times(requestsAtOnce, () => client.request({ url: '/orders' })))
      await letEnd()
      requests += requestsAtOnce
    }
  }

  const refreshes = wx.control.requests.filter(({ url }) => url.endsWith('/wx/refresh'))
  const orders = wx.control.requests.filter(({ url }) => url.endsWith('/orders'))
  expect(requests).toBe(10_000)
  expect(orders).toHaveLength(10_000)
  expect(wx.control.calls.login).toBe(1)
  expect(refreshes).toHaveLength(impliedRefreshes)
  expect(refreshes.length).toBeGreaterThan(24)
  expect(refreshes.length).toBeLessThanOrEqual(86_400 / renewedAfterSeconds)
}, 60_000)
