// node run.mjs: a backend on node:http below spans of its own, as an instrumentation makes them; what was exported is
// looked at in the end.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { createAuth } from '@wxlogin/server'
import { authRoutes } from '@wxlogin/server/node'
import { createTelemetry } from '@wxlogin/server/telemetry'
import { createFakeWeChat } from '@wxlogin/server/testing'

const spans = new InMemorySpanExporter()
const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const prometheus = new PrometheusExporter({ preventServerStart: true })
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
)
const provider = new MeterProvider({
  readers: [
    new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 2 ** 30 }),
    prometheus,
  ],
})
metrics.setGlobalMeterProvider(provider)

const telemetry = createTelemetry({ metrics, trace })
const wechat = createFakeWeChat()
const { appId, appSecret } = wechat.app
const secret = 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u'
const users = new Map()
const events = []
const auth = createAuth({
  apps: [wechat.app],
  secret,
  fetch: wechat.fetch,
  onEvent(event) {
    events.push(event)
    telemetry.onEvent(event)
  },
  onLogin({ openid }) {
    users.set(openid, randomUUID())
    return { userId: users.get(openid) }
  },
  onPhoneNumber: () => undefined,
  deviceGrant: {},
  maxSessionsPerUser: 1,
})
telemetry.observe(auth)

const wx = authRoutes(auth, { basePath: '/wx' })
const tracer = trace.getTracer('a server')
const server = createServer((req, res) =>
  tracer.startActiveSpan(`${req.method} ${req.url}`, async (span) => {
    await wx(req, res)
    span.end()
  }),
)
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}/wx`

const secrets = new Map([
  ['AppSecret', appSecret],
  ['secret', secret],
])
const keep = (name, value) => {
  if (typeof value === 'string' && value !== '') secrets.set(`${name} ${secrets.size}`, value)
}
async function post(path, body, headers = {}) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const answer = text === '' ? {} : JSON.parse(text)
  for (const name of ['access_token', 'refresh_token', 'device_code', 'scene'])
    keep(name, answer[name])
  return answer
}

// Many phones at once, so that contexts could be mixed up.
await Promise.all(Array.from({ length: 40 }, (_, n) => visit(`person ${n}`)))
// And WeChat away for long enough to open the circuit breaker.
wechat.fail('drop-after', { endpoint: 'GET /sns/jscode2session', times: 6 })
for (let n = 0; n < 6; n++) {
  await post('/login', { code: wechat.codeFor(`late ${n}`), app_id: appId })
}

async function visit(person) {
  keep('openid', wechat.openidOf(person))
  keep('unionid', wechat.unionidOf(person))
  for (let n = 0; n < 4; n++) {
    const code = wechat.codeFor(person)
    keep('code', code)
    const tokens = await post('/login', { code, app_id: appId, device: `the phone of ${person}` })
    keep('session_key', wechat.sessionKeyOf(person))
    const authorization = `Bearer ${tokens.access_token}`
    const phoneNumber = String(13_000_000_000 + secrets.size)
    keep('phone number', phoneNumber)
    const phoneCode = wechat.phoneCodeFor(person, { phoneNumber })
    await post('/phone', { code: phoneCode }, { authorization })
    const device = await post('/device', { client_name: 'a PC' })
    // Not where the phone goes on: the cap of one session ends either, which depends on the second they began in.
    await post('/device/decision', { scene: device.scene, approve: n === 2 }, { authorization })
    await post('/device/token', { device_code: device.device_code })
    const { refresh_token } = await post('/refresh', { refresh_token: tokens.refresh_token })
    if (n === 0) await post('/refresh', { refresh_token: tokens.refresh_token })
    if (n === 1) await post('/logout', { refresh_token, everywhere: true })
  }
  await auth.sessions.revoke({ userId: users.get(wechat.openidOf(person)), reason: 'banned' })
}
for (const event of events) {
  keep('session', event.sessionId)
  keep('user', event.userId)
}

// Spans: one for each event that took time, below the request that it belongs to.
const finished = spans.getFinishedSpans()
const byId = new Map(finished.map((span) => [span.spanContext().spanId, span]))
const ours = finished.filter(({ instrumentationScope }) => instrumentationScope.name !== 'a server')
const timed = events.filter(({ startedMs }) => startedMs !== undefined)
assert.equal(ours.length, timed.length)
const routes = {
  'wxlogin login': /^POST \/wx\/(login|device\/token)$/,
  'wxlogin refresh': /^POST \/wx\/refresh$/,
  'wxlogin phone': /^POST \/wx\/phone$/,
  'wechat code2Session': /^POST \/wx\/login$/,
  'wechat phoneNumber': /^POST \/wx\/phone$/,
  'wechat accessToken': /^POST \/wx\/phone$/,
}
const parentsWithLogin = new Map()
for (const span of ours) {
  const parent = byId.get(span.parentSpanContext?.spanId)
  assert.ok(parent, `${span.name} has no parent`)
  assert.match(parent.name, routes[span.name] ?? /^$/, span.name)
  assert.equal(span.spanContext().traceId, parent.spanContext().traceId)
  if (span.name === 'wxlogin login') {
    const { spanId } = parent.spanContext()
    parentsWithLogin.set(spanId, (parentsWithLogin.get(spanId) ?? 0) + 1)
  }
  const [seconds, nanoseconds] = span.startTime
  assert.ok(Math.abs(seconds + nanoseconds / 1e9 - Date.now() / 1000) < 300, 'a start of today')
  assert.ok(span.duration[0] < 30, 'a duration')
}
assert.deepEqual([...new Set(parentsWithLogin.values())], [1], 'one login below each request')

// Metrics: they agree with the events.
await provider.forceFlush()
const found = new Map(
  points
    .getMetrics()
    .at(-1)
    .scopeMetrics.flatMap(({ metrics }) => metrics)
    .map((metric) => [metric.descriptor.name, metric]),
)
const countOf = (type, wanted = {}) =>
  events.filter(
    (event) =>
      event.type === type && Object.entries(wanted).every(([name, value]) => event[name] === value),
  ).length
const sumOf = (name, wanted = {}) =>
  found
    .get(name)
    .dataPoints.filter(({ attributes }) =>
      Object.entries(wanted).every(([name, value]) => attributes[name] === value),
    )
    .reduce((sum, { value }) => sum + (value.count ?? value), 0)
for (const [name, type, wanted] of [
  ['wxlogin.logins', 'login', { outcome: 'created' }],
  ['wxlogin.refreshes', 'refresh', { outcome: 'rotated' }],
  ['wxlogin.refreshes', 'refresh', { outcome: 'reused' }],
  ['wxlogin.sessions.revoked', 'revoked', { reason: 'banned' }],
  ['wxlogin.sessions.evicted', 'evicted', {}],
  ['wxlogin.login.duration', 'login', {}],
  ['wxlogin.wechat.duration', 'wechat', { endpoint: 'code2Session', outcome: 'ok' }],
  ['wxlogin.wechat.duration', 'wechat', { endpoint: 'code2Session', outcome: 'lost' }],
]) {
  assert.ok(countOf(type, wanted) > 0, `${type} ${JSON.stringify(wanted)} happened`)
  assert.equal(sumOf(name, wanted), countOf(type, wanted), `${name} ${JSON.stringify(wanted)}`)
}
assert.equal(found.get('wxlogin.login.duration').descriptor.unit, 's')
assert.equal(found.get('wxlogin.login.duration').dataPoints[0].value.buckets.boundaries[0], 0.005)
assert.equal(sumOf('wxlogin.wechat.breaker', { group: 'login', state: 'open' }), 1)
assert.equal(sumOf('wxlogin.wechat.in_flight'), 0)

// What Prometheus scrapes, and what the rules wait for.
const scraped = await new Promise((resolve) =>
  prometheus.getMetricsRequestHandler({}, { setHeader() {}, end: resolve }),
)
const names = new Set([...scraped.matchAll(/^(\w+)[{ ]/gm)].map(([, name]) => name))
const types = new Set([...scraped.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name))
const rules = JSON.parse(readFileSync(new URL('alarms.json', import.meta.url), 'utf8'))
assert.ok(rules.length > 5, 'the rules ask for something')
// A counter that never counted is not there yet.
const rare = ['wxlogin_misconfigured_total', 'wxlogin_failures_total', 'wxlogin_warnings_total']
const missing = rules.filter((name) => !names.has(name) && !rare.includes(name))
assert.deepEqual(
  missing,
  [],
  `names that Prometheus does not get; it gets ${[...types].join(', ')}`,
)

// Nobody is in any of it.
const exported = JSON.stringify([
  ours.map(({ name, attributes, events, status, links }) => ({
    ...{ name, attributes, events, status, links },
  })),
  points.getMetrics().map(({ scopeMetrics }) => scopeMetrics),
  scraped,
])
const told = [...secrets].filter(([, value]) => exported.includes(value)).map(([name]) => name)
assert.deepEqual(told, [])
assert.ok(secrets.size > 800)

server.close()
await auth.close()
console.log(
  `       ${events.length} events, ${ours.length} spans, ${found.size} metrics, ${secrets.size} secrets and ids in none of them`,
)
console.log(`       ${[...types].join(' ')}`)
