import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { FetchLike } from '../../src/wechat/index.js'
import { send } from '../http/set-up.js'
import { newKey, setUp } from '../set-up.js'
import { createGate, setUpWeChat, type WeChatSetUp } from './set-up.js'

afterEach(() => {
  vi.useRealTimers()
})

type Parts = Pick<WeChatSetUp, 'wechat' | 'fake'>

/** How a login ends: `ok`, or the code of its error. */
const login = ({ wechat, fake }: Parts, name = 'alice'): Promise<unknown> =>
  wechat.code2Session(fake.codeFor(name)).then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )

const logins = (parts: Parts, count: number) =>
  Promise.all(Array.from({ length: count }, () => login(parts)))

const outcomesIn = ({ events }: WeChatSetUp) =>
  events.flatMap((event) => (event.type === 'wechat' ? event.outcome : []))

const statesIn = ({ events }: WeChatSetUp) =>
  events.flatMap((event) => (event.type === 'breaker' ? event.state : []))

/** One whose WeChat answers nothing until the gate is opened. */
async function setUpGated(maxLoginsInFlight: number) {
  const gate = createGate()
  const fetch: FetchLike = async (url, init) => {
    sent.push(new URL(url).searchParams.get('js_code') ?? '')
    await gate.opened
    return parts.fake.fetch(url, init)
  }
  const sent: string[] = []
  const parts = await setUpWeChat({ fetch, maxLoginsInFlight })
  return { ...parts, sent, gate }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('four hundred logins are with WeChat at once, and none waits for the socket of another', async () => {
  const held: (() => void)[] = []
  const server = createServer((_request, response) => {
    held.push(() => response.end('{"openid":"oAlice","session_key":"k"}'))
    if (held.length === 400) for (const answer of held) answer()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const parts = await setUpWeChat({
    door: 'http',
    wechatHosts: [`http://127.0.0.1:${port}`],
    wechatTimeoutMs: 12_000,
  })

  const ends = await logins(parts, 400)

  expect(ends.filter((end) => end !== 'ok')).toEqual([])
  expect(statesIn(parts)).toEqual([])
})

describe('beyond the places', () => {
  test('as many logins wait, first come, first served', async () => {
    const parts = await setUpGated(3)
    const { wechat, fake, sent, gate } = parts
    const codes = Array.from({ length: 6 }, (_, n) => fake.codeFor(`person-${n}`))

    const all = Promise.all(codes.map((code) => wechat.code2Session(code)))
    await settled()
    expect(sent).toEqual(codes.slice(0, 3))
    gate.open()
    await all

    expect(sent).toEqual(codes)
  })

  test('one more is turned away at once, and its code stays good', async () => {
    const parts = await setUpGated(3)
    const { wechat, fake, sent, gate } = parts
    const others = logins(parts, 6)
    const code = fake.codeFor('bob')

    await expect(wechat.code2Session(code)).rejects.toMatchObject({
      code: 'wechat_unavailable',
      retryAfterSeconds: 2,
    })
    expect(sent).toHaveLength(3)
    gate.open()
    await others

    await expect(wechat.code2Session(code)).resolves.toBeDefined()
  })

  test('an event says so, and nothing is held against WeChat', async () => {
    const parts = await setUpGated(1)
    const first = logins(parts, 2)

    await logins(parts, 20)

    expect(parts.events).toHaveLength(20)
    expect(parts.events[0]).toEqual({
      type: 'wechat',
      endpoint: 'code2Session',
      appId: parts.wechat.appId,
      startedMs: parts.clock.now(),
      durationMs: 0,
      outcome: 'no_place',
    })
    expect(parts.wechat.health()).toMatchObject({
      ok: true,
      lastOutcome: undefined,
      lastCallAt: undefined,
      breakers: { login: 'closed' },
    })
    parts.gate.open()
    expect(await first).toEqual(['ok', 'ok'])
  })

  test('nobody waits for more than half a second', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const parts = await setUpGated(1)
    const ends: unknown[] = []
    login(parts).then((end) => ends.push(end))
    login(parts).then((end) => ends.push(end))

    await vi.advanceTimersByTimeAsync(499)
    expect(ends).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(ends).toEqual(['wechat_unavailable'])

    expect(outcomesIn(parts)).toEqual(['no_place'])
    expect(parts.sent).toHaveLength(1)
  })

  test('who gave up takes nobody else’s place', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const parts = await setUpGated(1)
    const first = login(parts)
    const impatient = login(parts)
    await vi.advanceTimersByTimeAsync(500)
    const second = login(parts)
    parts.gate.open()

    expect(await Promise.all([first, impatient, second])).toEqual([
      'ok',
      'wechat_unavailable',
      'ok',
    ])
    expect(await logins(parts, 2)).toEqual(['ok', 'ok'])
  })

  test('a place is left by whoever fails, too', async () => {
    const parts = await setUpWeChat({ maxLoginsInFlight: 1 })
    for (const fault of [-1, 40029, 'html', 'drop-after', 'html-502'] as const) {
      parts.fake.fail(fault)
      expect(await login(parts)).not.toBe('ok')
    }

    expect(await logins(parts, 2)).toEqual(['ok', 'ok'])
  })

  test('the wait costs a login none of the time that its call may take', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const parts = await setUpWeChat({ maxLoginsInFlight: 1 })
    parts.fake.fail({ latencyMs: 400 })
    parts.fake.fail({ latencyMs: 4_900 })

    const both = logins(parts, 2)
    await vi.advanceTimersByTimeAsync(5_300)

    expect(await both).toEqual(['ok', 'ok'])
  })

  test('wait and call together end before the phone gives up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const parts = await setUpWeChat({ maxLoginsInFlight: 1 })
    parts.fake.fail({ latencyMs: 499 })
    parts.fake.fail('never-answer')

    const both = logins(parts, 2)
    await vi.advanceTimersByTimeAsync(5_500)

    expect(await both).toEqual(['ok', 'wechat_unavailable'])
  })

  test('who waited while WeChat failed is not sent to it any more', async () => {
    const parts = await setUpGated(5)
    parts.fake.fail('html-502', { times: Number.POSITIVE_INFINITY })
    const ends = logins(parts, 10)
    await settled()

    parts.gate.open()

    expect(await ends).toEqual(Array.from({ length: 10 }, () => 'wechat_unavailable'))
    expect(parts.sent).toHaveLength(5)
    expect(statesIn(parts)).toEqual(['open'])
    expect(outcomesIn(parts)).toHaveLength(5)
  })

  test('while WeChat is left alone nobody waits', async () => {
    const parts = await setUpGated(6)
    const { fake, gate, sent } = parts
    const stuck = login(parts)
    await settled()
    fake.fail('html-502', { times: 5 })
    const failing = logins(parts, 5)
    const waiting = login(parts)
    await settled()
    expect(sent).toHaveLength(6)
    gate.open()
    await Promise.all([stuck, failing, waiting])

    expect(await login(parts)).toBe('wechat_unavailable')
    expect(outcomesIn(parts)).not.toContain('no_place')
  })
})

test('on the wire it is a 503 that says when to come back, and the code still works', async () => {
  const gate = createGate()
  const fetch: FetchLike = async (url, init) => {
    await gate.opened
    return parts.wechat.fetch(url, init)
  }
  const parts = setUp({ maxLoginsInFlight: 1, fetch })
  const { auth, wechat } = parts
  const post = (code: string) =>
    send(auth, '/login', {
      body: { code, app_id: wechat.app.appId },
      headers: { 'Idempotency-Key': newKey() },
    })
  const others = [post(wechat.codeFor('alice')), post(wechat.codeFor('bob'))]
  await settled()
  const code = wechat.codeFor('carol')

  const refused = await post(code)

  expect(refused).toMatchObject({
    status: 503,
    headers: { 'retry-after': expect.stringMatching(/^[2-5]$/) },
    body: expect.stringContaining('"error":"wechat_unavailable"'),
  })
  gate.open()
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200])
  expect((await post(code)).status).toBe(200)
})

describe('a group of endpoints that is full keeps no other waiting', () => {
  test.each(['fetch', 'http'] as const)('%s', async (door) => {
    const parts = await setUpWeChat({ door })
    const { wechat, fake, events } = parts
    await wechat.accessToken()
    fake.fail('never-answer', {
      times: Number.POSITIVE_INFINITY,
      endpoint: 'GET /wxa/getpaidunionid',
    })
    const stuck = Array.from({ length: 300 }, () =>
      wechat.call('GET', '/wxa/getpaidunionid').catch((error: { code: string }) => error.code),
    )
    await Promise.race(stuck)

    expect(await login(parts)).toBe('ok')
    await expect(wechat.phoneNumber(fake.phoneCodeFor('alice'))).resolves.toBeDefined()
    await expect(wechat.accessToken({ force: true })).resolves.toBeDefined()

    const others = events.filter((event) => event.type === 'wechat' && event.outcome !== 'no_place')
    expect(others).toMatchObject([{}, {}, {}, {}].map(() => ({ outcome: 'ok' })))
    expect(fake.calls.filter(({ path }) => path === '/wxa/getpaidunionid')).toHaveLength(128)
    expect(parts.wechat.health().breakers.call).toBe('closed')
  })
})

test('a call whose token took the time that it would have needed is not held against its interface', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const parts = await setUpWeChat()
  for (let n = 0; n < 6; n++) {
    parts.fake.fail({ latencyMs: 4_800 }, { endpoint: 'POST /cgi-bin/stable_token' })
    parts.fake.fail('never-answer', { endpoint: 'GET /wxa/getpaidunionid' })
    const call = parts.wechat.call('GET', '/wxa/getpaidunionid').catch(() => undefined)
    await vi.advanceTimersByTimeAsync(5_000)
    await call
    parts.clock.advance(7_200)
  }

  expect(statesIn(parts)).toEqual([])
})

test.each([0, -1, 1.5, '8', Number.NaN])('maxLoginsInFlight: %j is refused', async (value) => {
  await expect(setUpWeChat({ maxLoginsInFlight: value as number })).rejects.toThrow(
    /maxLoginsInFlight/,
  )
})
