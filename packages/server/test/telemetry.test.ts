import { describe, expect, test } from 'vitest'
import {
  type AuthEvent,
  type AuthOptions,
  createAuth,
  createMemoryStore,
  lazyAuth,
  type SessionRecord,
} from '../src/index.js'
import {
  createTelemetry,
  type TelemetryApi,
  type TelemetryAttributes,
  type TelemetryReading,
} from '../src/telemetry/index.js'
import { bodyOf, send } from './http/set-up.js'
import { expectNone } from './no-secrets.js'
import { newKey, prefetchPath, setUp, testSecret } from './set-up.js'

interface Measured {
  readonly name: string
  readonly value: number
  readonly attributes: TelemetryAttributes
}

interface FakeSpan {
  readonly name: string
  readonly kind: number
  readonly startMs: number
  readonly attributes: TelemetryAttributes
  endMs?: number
  status?: number
}

/** As much of `@opentelemetry/api` as is used; what it was told is there to look at. */
function createFakeApi() {
  const measured: Measured[] = []
  const spans: FakeSpan[] = []
  const readings: ((reading: TelemetryReading) => void)[] = []
  const units: Record<string, string | undefined> = {}
  const keep =
    (name: string) =>
    (value: number, attributes: TelemetryAttributes = {}) =>
      void measured.push({ name, value, attributes })
  const api = {
    metrics: {
      getMeter: () => ({
        createCounter(name, { unit }) {
          units[name] = unit
          return { add: keep(name) }
        },
        createHistogram(name, { unit }) {
          units[name] = unit
          return { record: keep(name) }
        },
        createObservableGauge: (name) => ({
          addCallback: (callback) =>
            void readings.push(({ observe }) =>
              callback({
                observe: (value, attributes) => observe(value, { ...attributes, gauge: name }),
              }),
            ),
        }),
      }),
    },
    trace: {
      getTracer: () => ({
        startSpan(name, { kind, startTime, attributes }) {
          const span: FakeSpan = { name, kind, startMs: startTime.getTime(), attributes }
          spans.push(span)
          return {
            setStatus({ code }) {
              span.status = code
            },
            end(endTime) {
              span.endMs = endTime.getTime()
            },
          }
        },
      }),
    },
  } satisfies TelemetryApi
  /** What a collection reads, without the zeros. */
  const collect = () => {
    const found: string[] = []
    const observe = (value: number, { gauge, ...attributes }: TelemetryAttributes = {}) => {
      if (value !== 0) found.push(`${gauge} ${Object.values(attributes).join(' ')} ${value}`)
    }
    for (const read of readings) read({ observe })
    return found
  }
  const valuesOf = (wanted: string) =>
    measured
      .filter(({ name }) => name === wanted)
      .map(({ value, attributes }) => ({ value, ...attributes }))
  return { api, measured, spans, units, collect, valuesOf }
}

function setUpTelemetry(options: Partial<AuthOptions> = {}) {
  const fake = createFakeApi()
  const telemetry = createTelemetry(fake.api)
  const set = setUp({ ...options, onEvent: telemetry.onEvent })
  return { ...set, ...fake, telemetry }
}

describe('metrics', () => {
  test('logins and refreshes are counted, with how they ended and how long they took', async () => {
    const { auth, wechat, clock, valuesOf, units } = setUpTelemetry({
      onLogin: () => clock.advance(0.25),
      claims: () => ({}),
    })

    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
    await auth.refresh({ refreshToken })
    await auth.refresh({ refreshToken }).catch(() => undefined)
    await auth.refresh({ refreshToken }).catch(() => undefined)

    const login = { by: 'code', kind: 'mini_program', outcome: 'created' }
    expect(valuesOf('wxlogin.logins')).toEqual([{ value: 1, ...login }])
    expect(valuesOf('wxlogin.login.duration')).toEqual([{ value: 0.25, ...login }])
    expect(units['wxlogin.login.duration']).toBe('s')
    expect(valuesOf('wxlogin.refreshes')).toEqual([
      { value: 1, outcome: 'rotated' },
      { value: 1, outcome: 'reused' },
      { value: 1, outcome: 'refused', reason: 'reused' },
    ])
    expect(valuesOf('wxlogin.sessions.revoked')).toEqual([{ value: 1, reason: 'reused' }])
  })

  test('calls to WeChat are timed by endpoint and outcome, the paths of call as one', async () => {
    const { auth, wechat, valuesOf } = setUpTelemetry()

    await auth.login({ code: wechat.codeFor('alice') })
    await auth.login({ code: 'no-such-code' }).catch(() => undefined)
    await auth
      .wechat()
      .call('POST', '/wxa/made-up')
      .catch(() => undefined)

    const calls = valuesOf('wxlogin.wechat.duration').map(({ value: _, ...call }) => call)
    expect(calls).toEqual([
      { endpoint: 'code2Session', outcome: 'ok' },
      { endpoint: 'code2Session', outcome: 'invalid_code' },
      { endpoint: 'accessToken', outcome: 'ok' },
      { endpoint: 'call', outcome: expect.any(String) },
    ])
  })

  test.each([
    ['banned', 'banned'],
    ['password_changed', 'password_changed'],
    ['banned_user_7', 'other'],
    ['oGZUI0egBJY1zhBYw2KhdUfwVJJE', 'other'],
    ['13987654321', 'other'],
    ['abcdefghijklmnopqrstuvwxyzab', 'other'],
  ])('a session that is revoked for %j counts as %j', async (reason, told) => {
    const { auth, wechat, valuesOf } = setUpTelemetry({ onLogin: () => ({ userId: 7 }) })
    await auth.login({ code: wechat.codeFor('alice') })

    await auth.sessions.revoke({ userId: 7, reason })

    expect(valuesOf('wxlogin.sessions.revoked')).toEqual([{ value: 1, reason: told }])
  })

  test('circuit breakers and calls in flight are read when metrics are collected', async () => {
    const { auth, wechat, telemetry, collect } = setUpTelemetry({
      onLogin: () => void found.push(collect()),
      fetch: async (url, init) => {
        found.push(collect())
        return wechat.fetch(url, init)
      },
    })
    const found: string[][] = []
    telemetry.observe(auth)
    const closed = (one: string) => !one.includes('breaker') || !one.includes('closed')

    await auth.login({ code: wechat.codeFor('alice') })
    wechat.fail('drop-after', { endpoint: 'GET /sns/jscode2session', times: 9 })
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await auth.login({ code: wechat.codeFor(name) }).catch(() => undefined)
    }

    expect(found[0]?.filter(closed)).toEqual(['wxlogin.wechat.in_flight login 1'])
    expect(found[1]?.filter(closed)).toEqual([])
    expect(collect().filter(closed)).toEqual(['wxlogin.wechat.breaker login open 1'])
    expect(collect().filter((one) => one.includes('closed'))).toHaveLength(7)
  })

  test('everything else that happens has its counter', () => {
    const { api, valuesOf } = createFakeApi()
    const { onEvent } = createTelemetry(api)
    const who = { appId: 'wx1', sessionId: 's', userId: 'u' }
    const events: AuthEvent[] = [
      { type: 'phone', outcome: 'moved', ...who, startedMs: 0, durationMs: 1 },
      { type: 'logout', everywhere: true, ...who },
      { type: 'device_asked', appId: 'wx1' },
      { type: 'device_decided', outcome: 'denied', ...who },
      { type: 'evicted', ...who },
      { type: 'forgotten', userId: 'u', sessions: 3 },
      { type: 'misconfigured', endpoint: 'code2Session', appId: 'wx1', errcode: 40125, hint: '' },
      { type: 'breaker', group: 'login', state: 'open' },
      { type: 'warning', warning: 'memory_store', hint: '' },
      { type: 'failure', code: 'store_unavailable', requestId: 'r', error: new Error('down') },
    ]

    for (const event of events) onEvent(event)

    const counted = Object.fromEntries(
      [
        'wxlogin.phone_numbers',
        'wxlogin.logouts',
        'wxlogin.devices.asked',
        'wxlogin.devices.decided',
        'wxlogin.sessions.evicted',
        'wxlogin.users.forgotten',
        'wxlogin.misconfigured',
        'wxlogin.warnings',
        'wxlogin.failures',
      ].map((name) => [name, valuesOf(name)]),
    )
    expect(counted).toEqual({
      'wxlogin.phone_numbers': [{ value: 1, outcome: 'moved' }],
      'wxlogin.logouts': [{ value: 1, everywhere: true }],
      'wxlogin.devices.asked': [{ value: 1 }],
      'wxlogin.devices.decided': [{ value: 1, outcome: 'denied' }],
      'wxlogin.sessions.evicted': [{ value: 1 }],
      'wxlogin.users.forgotten': [{ value: 1 }],
      'wxlogin.misconfigured': [{ value: 1, endpoint: 'code2Session', errcode: 40125 }],
      'wxlogin.warnings': [{ value: 1, warning: 'memory_store' }],
      'wxlogin.failures': [{ value: 1, code: 'store_unavailable' }],
    })
  })

  test('a clock that is set back in between is no negative duration', () => {
    const { api, spans, valuesOf } = createFakeApi()
    const { onEvent } = createTelemetry(api)

    onEvent({
      ...{ type: 'refresh', outcome: 'rotated', appId: 'wx1', sessionId: 's' },
      ...{ startedMs: 5000, durationMs: -3000 },
    })

    expect(valuesOf('wxlogin.refresh.duration')).toEqual([{ value: 0, outcome: 'rotated' }])
    expect(spans).toMatchObject([{ startMs: 5000, endMs: 5000 }])
  })
})

describe('spans', () => {
  test('a login is one, with its call to WeChat before it, from when they began to their ends', async () => {
    const { auth, wechat, clock, spans } = setUpTelemetry({ onLogin: () => clock.advance(2) })
    const { appId } = wechat.app
    const startMs = clock.now()

    await auth.login({ code: wechat.codeFor('alice') })

    expect(spans).toEqual([
      {
        name: 'wechat code2Session',
        kind: 2,
        startMs,
        endMs: startMs,
        attributes: {
          'wxlogin.endpoint': 'code2Session',
          'wxlogin.outcome': 'ok',
          'wxlogin.app_id': appId,
        },
      },
      {
        name: 'wxlogin login',
        kind: 0,
        startMs,
        endMs: startMs + 2000,
        attributes: {
          'wxlogin.by': 'code',
          'wxlogin.kind': 'mini_program',
          'wxlogin.outcome': 'created',
          'wxlogin.app_id': appId,
        },
      },
    ])
  })

  test("a call that fails for WeChat's reasons is an error, and a code that is wrong is none", async () => {
    const { auth, wechat, spans } = setUpTelemetry()

    await auth.login({ code: 'no-such-code' }).catch(() => undefined)
    wechat.fail('drop-after')
    await auth.login({ code: wechat.codeFor('alice') }).catch(() => undefined)

    expect(spans.map(({ status, attributes }) => [attributes['wxlogin.outcome'], status])).toEqual([
      ['invalid_code', undefined],
      ['lost', 2],
    ])
    expect(spans[0]?.attributes).toMatchObject({ 'wxlogin.errcode': 40029 })
  })

  test('a refresh that was refused says why', async () => {
    const { auth, wechat, spans } = setUpTelemetry({ onLogin: () => ({ userId: 7 }) })
    const { refresh_token } = await auth.login({ code: wechat.codeFor('alice') })
    await auth.sessions.revoke({ userId: 7 })

    await auth.refresh({ refreshToken: refresh_token }).catch(() => undefined)

    expect(spans.at(-1)).toMatchObject({
      name: 'wxlogin refresh',
      attributes: { 'wxlogin.outcome': 'refused', 'wxlogin.reason': 'revoked' },
    })
  })
})

test('no attribute says who it was, whatever happens', async () => {
  const records: SessionRecord[] = []
  const inMemory = createMemoryStore()
  const { auth, wechat, clock, events, measured, spans, telemetry, collect } = setUpTelemetry({
    store: {
      ...inMemory,
      async create(record) {
        records.push(record)
        return inMemory.create(record)
      },
    },
    deviceGrant: {},
    cloudHosting: { public: false },
    maxSessionsPerUser: 2,
    onLogin: ({ openid }) => ({ userId: `user of ${openid}` }),
    onPhoneNumber: ({ phoneNumber }) =>
      phoneNumber.endsWith('3') ? { userId: `member ${phoneNumber}` } : undefined,
    onPrefetch: () => undefined,
  })
  telemetry.observe(auth)
  const { appId, appSecret } = wechat.app
  const secrets: Record<string, string> = { appSecret, secret: testSecret }
  const keep = (name: string, value: unknown) => {
    if (typeof value === 'string') secrets[`${name} ${Object.keys(secrets).length}`] = value
  }
  const login = async (person: string, body: object = {}) => {
    const code = wechat.codeFor(person)
    keep('code', code)
    const answer = bodyOf(await send(auth, '/login', { body: { code, app_id: appId, ...body } }))
    keep('access token', answer.access_token)
    keep('refresh token', answer.refresh_token)
    return { code, ...answer } as { code: string; access_token: string; refresh_token: string }
  }

  for (const person of ['alice', 'bob', 'carol']) {
    keep('openid', wechat.openidOf(person))
    keep('unionid', wechat.unionidOf(person))
    for (let n = 0; n < 4; n++) {
      // Of sessions of one second the cap would take any.
      clock.advance(100)
      const { access_token, refresh_token, code } = await login(person, { device: `of ${person}` })
      keep('session_key', wechat.sessionKeyOf(person))
      const phoneNumber = `1398765432${n}`
      keep('phone number', phoneNumber)
      const phoneCode = wechat.phoneCodeFor(person, { phoneNumber })
      keep('phone code', phoneCode)
      const headers = { authorization: `Bearer ${access_token}` }
      await send(auth, '/phone', { headers, body: { code: phoneCode } })
      await send(auth, '/phone', { headers, body: { code: phoneCode } })
      const { scene, device_code } = bodyOf(await send(auth, '/device', { body: {} }))
      keep('scene', scene)
      keep('device code', device_code)
      await send(auth, '/device/decision', { headers, body: { scene, approve: n % 2 === 0 } })
      await send(auth, '/device/token', { body: { device_code } })
      // The first is stolen, the code of the second is heard by somebody else, and the others stay.
      const keys = [newKey(), newKey()].slice(0, n === 0 ? 2 : 1)
      for (const key of [...keys, ...keys]) {
        const sent = { headers: { 'Idempotency-Key': key }, body: { refresh_token } }
        await send(auth, '/refresh', sent)
      }
      if (n === 1) await send(auth, '/login', { body: { code, app_id: appId } })
      if (n === 2) continue
      await send(auth, '/logout', { body: { refresh_token, everywhere: n === 3 } })
    }
    const query = new URLSearchParams({ appid: appId, code: wechat.codeFor(person) })
    await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })
    wechat.fail('drop-after', { endpoint: 'GET /sns/jscode2session' })
    await login(person)
    await auth
      .wechat()
      .call('POST', `/wxa/${wechat.openidOf(person)}`)
      .catch(() => undefined)
    const userId = `user of ${wechat.openidOf(person)}`
    await auth.sessions.revoke({
      userId,
      reason: `banned_${wechat.openidOf(person).replaceAll('-', '_')}`,
    })
    await auth.sessions.forget(userId)
  }
  for (const { id, userId } of records) {
    keep('session', id)
    keep('user', userId)
  }

  const types = [...new Set(events.map(({ type }) => type))].sort()
  expect(types).toEqual(
    expect.arrayContaining([
      'login',
      'logout',
      'refresh',
      'revoked',
      'wechat',
      'phone',
      'evicted',
      'device_decided',
    ]),
  )
  expect(Object.keys(secrets).length).toBeGreaterThan(120)
  expect(spans.length).toBeGreaterThan(50)
  expectNone(secrets, 'a metric', measured)
  expectNone(secrets, 'a span', spans)
  expectNone(secrets, 'a gauge', collect())
})

describe('what is given', () => {
  test('may be metrics or trace alone', async () => {
    const { api, measured, spans } = createFakeApi()
    const event: AuthEvent = {
      ...{ type: 'refresh', outcome: 'rotated', appId: 'wx1', sessionId: 's' },
      ...{ startedMs: 5000, durationMs: 10 },
    }

    const counting = createTelemetry({ metrics: api.metrics })
    counting.onEvent(event)
    expect([measured.length, spans.length]).toEqual([2, 0])
    const tracing = createTelemetry({ trace: api.trace })
    tracing.onEvent(event)
    tracing.observe(setUp().auth)
    expect([measured.length, spans.length]).toEqual([2, 1])
  })

  test.each([
    [{}, 'metrics or trace'],
    [{ metrics: {} }, 'metrics.getMeter'],
    [{ trace: { getTracer: 7 } }, 'trace.getTracer'],
    [{ meter: {} }, 'meter'],
    [undefined, 'createTelemetry'],
  ])('but not %j', (api, named) => {
    const create = () => createTelemetry(api as TelemetryApi)

    expect(create).toThrow(TypeError)
    expect(create).toThrow(named)
  })

  test('observe wants an auth, and a lazy one will do', () => {
    const { api, collect } = createFakeApi()
    const { observe } = createTelemetry(api)
    const { wechat } = setUp()
    const { app, fetch } = wechat

    expect(() => observe({} as Parameters<typeof observe>[0])).toThrow('auth.wechatHealth')
    observe(
      lazyAuth(() =>
        createAuth({ apps: [app], secret: testSecret, fetch, onEvent: () => undefined }),
      ),
    )

    expect(collect()).toHaveLength(8)
  })
})
