import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { authRoutes, requireAuth, sessionOf } from '../../src/adapters/node.js'
import { type AuthEvent, createAuth } from '../../src/index.js'
import { createFakeWeChat, type FakeWeChat } from '../../src/testing/index.js'
import { startOutageTraffic } from '../chaos/outage-traffic.js'
import { testSecret } from '../set-up.js'

const { WXLOGIN_OUTAGE_SECONDS } = process.env

// Within `npm test` the backend's clock runs ten times as fast, so that seconds are enough to open and to recover.
const isLong = WXLOGIN_OUTAGE_SECONDS !== undefined
const speed = isLong ? 1 : 10
const outageSeconds = Number(WXLOGIN_OUTAGE_SECONDS ?? 20)
const users = 20
const newcomers = 5

type DatedEvent = AuthEvent & { readonly atMs: number }

async function startBackend(wechatUrl: string, { app }: FakeWeChat, now: () => number) {
  const events: DatedEvent[] = []
  const auth = createAuth({
    apps: [app],
    secret: testSecret,
    wechatHosts: [wechatUrl],
    now,
    onEvent: (event) => events.push({ ...event, atMs: now() }),
  })
  const routes = authRoutes(auth, { basePath: '/wx' })
  const guard = requireAuth(auth)
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/wx/')) return void routes(request, response)
    guard(request, response, () => response.end(sessionOf(request, auth).userId))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
    await auth.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, auth, events }
}

const middleOf = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

test('while WeChat is away, users with sessions notice nothing, and logins are told when to come back', {
  timeout: (outageSeconds + 120) * 1000,
}, async () => {
  const startMs = Date.now()
  const now = () => startMs + (Date.now() - startMs) * speed
  const pass = (clockSeconds: number) => delay((clockSeconds * 1000) / speed)
  const wechat = createFakeWeChat({ now })
  const door = await wechat.listen()
  const { url, auth, events } = await startBackend(door.url, wechat, now)
  const traffic = startOutageTraffic({ url, wechat, users, newcomers })
  const { live, logins, times } = traffic
  const eventsSince = (ms: number) => events.filter(({ atMs }) => atMs >= ms)

  await traffic.begins()
  await pass(10)
  expect(logins).toMatchObject({ refused: 0, other: 0 })

  await door.close()
  traffic.forgetTimes()
  const awayAtMs = now()
  const refreshesBefore = live.refreshes
  await pass(outageSeconds)
  await expect
    .poll(() => live.refreshes - refreshesBefore, { timeout: 30_000 })
    .toBeGreaterThan(users)
  const health = (await auth.check()).wechat
  const slowestMs = Math.max(...times.live)
  const calls = eventsSince(awayAtMs).filter(({ type }) => type === 'wechat').length

  const back = await wechat.listen({ port: Number(new URL(door.url).port) })
  onTestFinished(() => back.close())
  const backAtMs = now()
  const servedBefore = logins.served
  await expect
    .poll(() => logins.served, { timeout: 90_000, interval: 20 })
    .toBeGreaterThan(servedBefore + newcomers * 4)
  await traffic.end()

  const states = events.flatMap((event) => (event.type === 'breaker' ? [event] : []))
  const opened = (states.at(0)?.atMs ?? Number.NaN) - awayAtMs
  const closed = (states.at(-1)?.atMs ?? Number.NaN) - backAtMs
  console.log(
    [
      `WeChat was away for ${seconds(backAtMs - awayAtMs)}${isLong ? '' : ' of a clock that runs ten times as fast'}:`,
      `  ${users} users with sessions: ${live.requests} requests and ${live.refreshes} refreshes, of which ${live.failed} failed; the slowest meanwhile took ${Math.round(slowestMs)} ms`,
      `  ${newcomers} who log in: ${logins.served} served, ${logins.refused} answered 503, ${logins.unclear} of these without Retry-After; half of these within ${Math.round(middleOf(times.refused))} ms`,
      `  calls to WeChat meanwhile: ${calls}`,
      `  breaker: ${states.map(({ state }) => state).join(' → ')}; open ${seconds(opened)} after WeChat went, closed ${seconds(closed)} after it was back`,
    ].join('\n'),
  )
  expect(live.failed).toBe(0)
  expect(logins).toMatchObject({ unclear: 0, other: 0 })
  expect(logins.refused).toBeGreaterThan(newcomers)
  expect(health).toMatchObject({ ok: false, breakers: { login: expect.stringContaining('open') } })
  // Five failures, the logins that were under way with the last of them, and the probes.
  expect(calls).toBeLessThan(5 + newcomers + 5)
  expect(states.at(0)?.state).toBe('open')
  expect(states.slice(-2).map(({ state }) => state)).toEqual(['half_open', 'closed'])
  expect((await auth.check()).wechat).toMatchObject({ ok: true, breakers: { login: 'closed' } })
})
