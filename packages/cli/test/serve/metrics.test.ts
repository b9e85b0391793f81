import { readFileSync } from 'node:fs'
import { AuthError, type AuthEvent, createAuth } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { describe, expect, test } from 'vitest'
import { createMetrics, metricsContentType } from '../../src/serve/metrics.js'
import { root } from '../set-up.js'

/** One service whose events are counted. */
function setUp({ isDown = () => false }: { readonly isDown?: () => boolean } = {}) {
  const clock = { ms: 1_800_000_000_000 }
  const now = () => clock.ms
  const wechat = createFakeWeChat({ now })
  const metrics = createMetrics()
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    fetch: wechat.fetch,
    now,
    onEvent: metrics.onEvent,
    onLogin: () => ({ userId: 'canary-user' }),
    claims: () => {
      if (isDown()) throw new AuthError('temporarily_unavailable', 'down')
      return {}
    },
  })
  metrics.observe(auth)
  const logIn = () => auth.login({ code: wechat.codeFor('alice') })
  return { auth, wechat, metrics, clock, logIn, samples: () => samplesOf(metrics.text()) }
}

/** The value of each sample, by its name and labels, of a text that keeps every rule of the format. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  expect(text.endsWith('\n')).toBe(true)
  const types = new Map<string, string>()
  const samples = new Map<string, number>()
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, about = '', rest = ''] = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line) ?? []
    if (keyword === 'TYPE') {
      expect(types.has(about)).toBe(false)
      types.set(about, rest)
    }
    if (keyword) continue
    const [, name = '', labels = '', value = ''] =
      /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\S+)$/.exec(line) ?? []
    expect([line, name]).not.toEqual([line, ''])
    const base = name.replace(/_(bucket|sum|count)$/, '')
    expect([line, types.get(name) ?? types.get(base)]).not.toEqual([line, undefined])
    expect(samples.has(name + labels)).toBe(false)
    samples.set(name + labels, Number(value))
  }
  return samples
}

describe('what Prometheus scrapes', () => {
  test('counts logins and refreshes, and how long they took', async () => {
    const { auth, logIn, samples } = setUp()
    const { refresh_token: refreshToken } = await logIn()
    await auth.refresh({ refreshToken })
    await auth.refresh({ refreshToken }).catch(() => undefined)

    const found = samples()

    expect(found.get('wxlogin_logins_total{by="code",kind="mini_program",outcome="created"}')).toBe(
      1,
    )
    expect(found.get('wxlogin_refreshes_total{outcome="rotated"}')).toBe(1)
    expect(found.get('wxlogin_refreshes_total{outcome="reused"}')).toBe(1)
    expect(found.get('wxlogin_refreshes_total{outcome="healed"}')).toBe(0)
    expect(found.get('wxlogin_sessions_revoked_total{reason="reused"}')).toBe(1)
    expect(found.get('wxlogin_refresh_duration_seconds_count{outcome="rotated"}')).toBe(1)
    expect(found.get('wxlogin_refresh_duration_seconds_bucket{outcome="rotated",le="+Inf"}')).toBe(
      1,
    )
    expect(
      found.get('wxlogin_wechat_duration_seconds_count{endpoint="code2Session",outcome="ok"}'),
    ).toBe(1)
  })

  test('a histogram is cumulative, and its sum is in seconds', () => {
    const metrics = createMetrics()
    const refresh = (durationMs: number): AuthEvent => ({
      type: 'refresh',
      outcome: 'rotated',
      appId: 'wx1',
      sessionId: 's',
      startedMs: 0,
      durationMs,
    })

    for (const ms of [1, 5, 6, 200, 60_000]) metrics.onEvent(refresh(ms))

    const found = samplesOf(metrics.text())
    const bucket = (le: string) =>
      found.get(`wxlogin_refresh_duration_seconds_bucket{outcome="rotated",le="${le}"}`)
    expect(['0.005', '0.01', '0.1', '0.25', '10', '+Inf'].map(bucket)).toEqual([2, 3, 3, 4, 4, 5])
    expect(found.get('wxlogin_refresh_duration_seconds_sum{outcome="rotated"}')).toBeCloseTo(60.212)
    expect(found.get('wxlogin_refresh_duration_seconds_count{outcome="rotated"}')).toBe(5)
  })

  test('failures are counted from zero, so that the first one is noticed', async () => {
    let isDown = false
    const { auth, wechat, samples } = setUp({ isDown: () => isDown })
    const failures = (code: string) => samples().get(`wxlogin_failures_total{code="${code}"}`)
    expect(failures('temporarily_unavailable')).toBe(0)
    expect(failures('store_unavailable')).toBe(0)

    isDown = true
    await auth.handle({
      method: 'POST',
      path: '/login',
      header: (name) =>
        ({ 'content-type': 'application/json', 'idempotency-key': 'k'.repeat(22) })[
          name.toLowerCase()
        ],
      body: { parsed: { code: wechat.codeFor('alice'), app_id: wechat.app.appId } },
    })

    expect(failures('temporarily_unavailable')).toBe(1)
  })

  test('the state of circuit breakers is that of now', async () => {
    const { wechat, logIn, samples, clock } = setUp()
    const state = (name: string) =>
      samples().get(`wxlogin_wechat_breaker{group="login",state="${name}"}`)
    expect([state('closed'), state('open')]).toEqual([1, 0])

    for (let n = 0; n < 5; n++) {
      wechat.fail(-1)
      await logIn().catch(() => undefined)
      clock.ms += 100
    }

    expect([state('closed'), state('open')]).toEqual([0, 1])
    expect(samples().get('wxlogin_wechat_in_flight{group="login"}')).toBe(0)
  })

  test('has no label that says who', async () => {
    const { auth, metrics, logIn } = setUp()
    const tokens = await logIn()
    const session = await auth.authenticate(`Bearer ${tokens.access_token}`)
    const { openid } = await auth.sessions.account(session)
    await auth.sessions.revoke({ userId: session.userId, reason: 'user_13800138000' })
    await auth.sessions.forget(session.userId)

    const text = metrics.text()

    for (const secret of [
      'canary-user',
      session.id,
      session.appId,
      openid,
      tokens.access_token,
      tokens.refresh_token,
      '13800138000',
    ]) {
      expect(text).not.toContain(secret)
    }
    expect(text).toContain('wxlogin_sessions_revoked_total{reason="other"} 1')
    expect(text).toContain('wxlogin_users_forgotten_total 1')
  })

  test('paths and reasons of an app do not grow it without end', () => {
    const metrics = createMetrics()
    const word = (n: number) => n.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'[+digit] ?? '')

    for (let n = 0; n < 20_000; n++) {
      metrics.onEvent({
        type: 'revoked',
        appId: 'wx1',
        sessionId: 's',
        userId: '7',
        reason: word(n),
      })
      metrics.onEvent({
        type: 'wechat',
        endpoint: `/wxa/${n}`,
        appId: 'wx1',
        outcome: 'ok',
        startedMs: 0,
        durationMs: 1,
      })
    }

    const found = samplesOf(metrics.text())
    const revoked = [...found].filter(([name]) => name.startsWith('wxlogin_sessions_revoked'))
    expect(revoked.length).toBeLessThanOrEqual(501)
    expect(revoked.reduce((sum, [, value]) => sum + value, 0)).toBe(20_000)
    expect(found.get('wxlogin_wechat_duration_seconds_count{endpoint="call",outcome="ok"}')).toBe(
      20_000,
    )
  })

  test('the alarms find what they ask for', async () => {
    const { auth, logIn, metrics } = setUp()
    const { refresh_token: refreshToken } = await logIn()
    await auth.refresh({ refreshToken })
    const page = readFileSync(`${root}docs/operations/alarms.md`, 'utf8')
    const asked = new Set(page.match(/\bwxlogin_[a-z_]+(?=[{[])/g))
    const declared = new Set(
      [...metrics.text().matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
      ),
    )

    // The page has the names of an exporter that leaves the unit of histograms out, and says so.
    const withUnit = (name: string) => name.replace(/_duration_(?!seconds)/, '_duration_seconds_')
    expect(asked.size).toBeGreaterThan(8)
    expect([...asked].map(withUnit).filter((name) => !declared.has(name))).toEqual([])
  })

  test('is of the version 0.0.4', () => {
    expect(metricsContentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  })
})
