import { describe, expect, test } from 'vitest'
import type { EndpointGroup } from '../../src/index.js'
import type { FetchLike } from '../../src/wechat/index.js'
import { send } from '../http/set-up.js'
import { prefetchPath, setUp } from '../set-up.js'
import { createGate, setUpWeChat, type WeChatSetUp } from './set-up.js'

const always = { times: Number.POSITIVE_INFINITY }

/** How a login ends: `ok`, or the code of its error. */
const login = ({ wechat, fake }: Pick<WeChatSetUp, 'wechat' | 'fake'>): Promise<unknown> =>
  wechat.code2Session(fake.codeFor('alice')).then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )

async function times(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n++) await work()
}

const statesIn = ({ events }: Pick<WeChatSetUp, 'events'>) =>
  events.flatMap((event) => (event.type === 'breaker' ? event.state : []))

/** One whose WeChat is down, and which has seen it often enough to leave it alone. */
async function setUpOpen() {
  const parts = await setUpWeChat()
  parts.fake.fail('html-502', always)
  await times(5, () => login(parts))
  return parts
}

describe('after five failures in a row', () => {
  test.each([
    ['no connection', 'drop-before', {}],
    ['a lost connection', 'drop-after', {}],
    ['no answer in time', 'never-answer', { wechatTimeoutMs: 5 }],
    ['a gateway page', 'html-502', {}],
    ['a redirect', 'redirect', {}],
    ['a WeChat that is busy', -1, {}],
  ] as const)('logins fail without a call: %s', async (_name, fault, options) => {
    const parts = await setUpWeChat(options)
    parts.fake.fail(fault, always)

    await times(5, () => login(parts))
    const calls = parts.fake.calls.length
    await times(5, () => login(parts))

    expect(parts.fake.calls).toHaveLength(calls)
    expect(statesIn(parts)).toEqual(['open'])
  })

  test('the error says when to try again, from ten seconds downwards', async () => {
    const { wechat, fake, clock } = await setUpOpen()
    const refused = () => expect(wechat.code2Session(fake.codeFor('alice'))).rejects

    await refused().toMatchObject({ code: 'wechat_unavailable', retryAfterSeconds: 10 })
    clock.advance(6.5)
    await refused().toMatchObject({ code: 'wechat_unavailable', retryAfterSeconds: 4 })
  })

  test('health tells, until WeChat is back', async () => {
    const parts = await setUpOpen()
    const { wechat, fake, clock } = parts

    expect(wechat.health()).toMatchObject({ ok: false, breakers: { login: 'open' } })
    clock.advance(10)
    expect(wechat.health()).toMatchObject({ ok: false, breakers: { login: 'half_open' } })
    fake.recover()
    await login(parts)
    expect(wechat.health()).toMatchObject({
      ok: true,
      breakers: { login: 'closed' },
      lastOutcome: 'ok',
    })
  })

  test('no event claims a call that was not made', async () => {
    const parts = await setUpOpen()
    const before = parts.events.length

    await times(3, () => login(parts))

    expect(parts.events).toHaveLength(before)
  })
})

describe('nothing opens', () => {
  test('after four failures', async () => {
    const parts = await setUpWeChat()
    parts.fake.fail('html-502', { times: 4 })

    await times(4, () => login(parts))

    expect(await login(parts)).toBe('ok')
    expect(statesIn(parts)).toEqual([])
  })

  test('after failures with a success among them', async () => {
    const parts = await setUpWeChat()
    for (let n = 0; n < 3; n++) {
      parts.fake.fail('html-502', { times: 4 })
      await times(5, () => login(parts))
    }

    expect(statesIn(parts)).toEqual([])
  })

  test.each([40029, 40163, 40226, 45011, 45009, 40125, 40164, 98765])(
    'because of errcode %j',
    async (errcode) => {
      const parts = await setUpWeChat()
      parts.fake.fail(errcode, { times: 8 })

      await times(8, () => login(parts))

      expect(await login(parts)).toBe('ok')
      expect(statesIn(parts)).toEqual([])
    },
  )

  test('because an access token is refused', async () => {
    const parts = await setUpWeChat()
    parts.fake.fail(40001, { times: 12, endpoint: 'GET /wxa/checksession' })

    await times(6, () =>
      parts.wechat.checkSessionKey({ openid: 'o', sessionKey: 'k' }).catch(() => undefined),
    )

    expect(statesIn(parts)).toEqual([])
  })

  // Somebody calls an interface that gives an image, or that does not exist: users log in all the same.
  test.each<[string, () => Response]>([
    ['does not exist', () => new Response('', { status: 404 })],
    ['answers an image', () => new Response('\u0089PNG')],
    ['answers at length', () => new Response('x'.repeat(70_000))],
    ['is always busy', () => Response.json({ errcode: -1 })],
  ])('because an interface that the app calls %s', async (_name, reply) => {
    const fetch: FetchLike = async (url) =>
      url.includes('stable_token')
        ? Response.json({ access_token: '10_token', expires_in: 7200 })
        : reply()
    const parts = await setUpWeChat({ fetch })

    await times(8, () => parts.wechat.call('POST', '/wxa/getwxacode').catch(() => undefined))

    expect(statesIn(parts)).toEqual([])
  })
})

test('an interface that the app calls and that is broken fails at once, and users still log in', async () => {
  const parts = await setUpWeChat()
  await parts.wechat.accessToken()
  parts.fake.fail('drop-after', { times: 3 })
  parts.fake.fail('html-502', { times: 2 })
  await times(5, () => parts.wechat.call('POST', '/wxa/x').catch(() => undefined))
  const calls = parts.fake.calls.length

  const call = parts.wechat.call('POST', '/wxa/x')

  await expect(call).rejects.toMatchObject({ code: 'wechat_unavailable', retryAfterSeconds: 10 })
  expect(parts.fake.calls).toHaveLength(calls)
  expect(await login(parts)).toBe('ok')
  expect(parts.events).toContainEqual({ type: 'breaker', group: 'call', state: 'open' })
})

describe('when its time is over', () => {
  test('one call finds out, while the others go on failing at once', async () => {
    const parts = await setUpOpen()
    const { fake, clock, wechat } = parts
    fake.recover()
    fake.fail({ latencyMs: 20 })
    clock.advance(10)
    const calls = fake.calls.length

    const probe = login(parts)
    const others = await Promise.all([login(parts), login(parts)])

    expect(others).toEqual(['wechat_unavailable', 'wechat_unavailable'])
    expect(wechat.health().breakers.login).toBe('half_open')
    expect(await probe).toBe('ok')
    expect(fake.calls).toHaveLength(calls + 1)
    expect(await login(parts)).toBe('ok')
    expect(statesIn(parts)).toEqual(['open', 'half_open', 'closed'])
  })

  test('an errcode is an answer too', async () => {
    const parts = await setUpOpen()
    parts.fake.recover()
    parts.fake.fail(40029)
    parts.clock.advance(10)

    expect(await login(parts)).toBe('invalid_code')
    expect(await login(parts)).toBe('ok')
  })

  test('a failure leaves WeChat alone for twice as long, up to a minute', async () => {
    const parts = await setUpOpen()
    const { wechat, fake, clock } = parts

    for (const seconds of [20, 40, 60, 60]) {
      clock.advance(60)
      await login(parts)
      await expect(wechat.code2Session(fake.codeFor('alice'))).rejects.toMatchObject({
        retryAfterSeconds: seconds,
      })
      clock.advance(seconds - 1)
      await expect(wechat.code2Session(fake.codeFor('alice'))).rejects.toMatchObject({
        retryAfterSeconds: 1,
      })
    }
  })

  test('and WeChat was back, it starts with ten seconds again', async () => {
    const parts = await setUpOpen()
    const { wechat, fake, clock } = parts
    clock.advance(10)
    await login(parts)
    clock.advance(20)
    fake.recover()
    await login(parts)
    fake.fail('html-502', always)

    await times(5, () => login(parts))

    await expect(wechat.code2Session(fake.codeFor('alice'))).rejects.toMatchObject({
      retryAfterSeconds: 10,
    })
  })

  test('an answer to a call from before says nothing about now', async () => {
    const gate = createGate()
    let calls = 0
    const fetch: FetchLike = async (url, init) => {
      const isFirst = calls++ === 0
      const response = await parts.fake.fetch(url, init)
      if (isFirst) await gate.opened
      return response
    }
    const parts = await setUpWeChat({ fetch })
    const { fake, clock } = parts
    fake.fail({ latencyMs: 0 })
    const slow = login(parts)
    fake.fail('html-502', always)
    await times(5, () => login(parts))
    gate.open()

    expect(await slow).toBe('ok')

    expect(statesIn(parts)).toEqual(['open'])
    expect(parts.wechat.health()).toMatchObject({
      ok: false,
      lastOutcome: 'ok',
      breakers: { login: 'open' },
    })
    clock.advance(9)
    expect(await login(parts)).toBe('wechat_unavailable')
    expect(statesIn(parts)).toEqual(['open'])
  })

  test('a clock that was set back does not keep it open', async () => {
    const parts = await setUpOpen()
    parts.fake.recover()

    parts.clock.advance(-3600)

    expect(await login(parts)).toBe('ok')
  })
})

describe('a group of endpoints that fails leaves the others alone:', () => {
  type Call = (parts: WeChatSetUp) => Promise<unknown>
  const user = { openid: 'openid', sessionKey: 'AAAAAAAAAAAAAAAAAAAAAA==' }
  // Logins that `createWeChat` has no method for; their tests stand with them.
  const elsewhere = ['prefetch', 'web_login', 'wecom'] as const
  type Callable = Exclude<EndpointGroup, (typeof elsewhere)[number]>
  const groups: Readonly<Record<Callable, { endpoint: string; calls: Call[] }>> = {
    login: { endpoint: 'GET /sns/jscode2session', calls: [login] },
    user_info: {
      endpoint: 'POST /wxa/business/getuserphonenumber',
      calls: [
        ({ wechat, fake }) => wechat.phoneNumber(fake.phoneCodeFor('alice')),
        ({ wechat }) => wechat.checkSessionKey(user),
      ],
    },
    access_token: {
      endpoint: 'POST /cgi-bin/stable_token',
      calls: [({ wechat }) => wechat.accessToken({ force: true })],
    },
    payment: {
      endpoint: 'POST /xpay/query_biz_balance',
      calls: [
        ({ wechat, fake }) =>
          wechat.virtualPayment({ appKey: fake.shopOf().appKey }).queryBizBalance(),
      ],
    },
    call: {
      endpoint: 'GET /wxa/getpaidunionid',
      calls: [({ wechat }) => wechat.call('GET', '/wxa/getpaidunionid')],
    },
  }
  const names = Object.keys(groups) as Callable[]

  test.each(names)('%s', async (name) => {
    const parts = await setUpWeChat()
    await parts.wechat.accessToken()
    const {
      endpoint,
      calls: [fail],
    } = groups[name]
    parts.fake.fail('html-502', { ...always, endpoint })

    await times(5, async () => fail?.(parts).catch(() => undefined))

    const others = names.filter((other) => other !== name)
    expect(parts.wechat.health().breakers).toEqual({
      ...Object.fromEntries([...others, ...elsewhere].map((other) => [other, 'closed'])),
      [name]: 'open',
    })
    expect(parts.events).toContainEqual({ type: 'breaker', group: name, state: 'open' })
    const before = parts.fake.calls.length
    for (const other of others) await groups[other].calls[0]?.(parts).catch(() => undefined)
    expect(parts.fake.calls.length - before).toBeGreaterThanOrEqual(others.length)
  })
})

test('pre-fetches that fail, which anybody may send, keep nobody from logging in', async () => {
  const { auth, wechat, events } = setUp({ onPrefetch: () => null })
  wechat.fail('html-502', { times: 5 })
  await times(5, async () => {
    const query = new URLSearchParams({ appid: wechat.app.appId, code: wechat.codeFor('mallory') })
    await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })
  })

  const login = auth.login({ code: wechat.codeFor('alice') })

  await expect(login).resolves.toBeDefined()
  expect(events).toContainEqual({ type: 'breaker', group: 'prefetch', state: 'open' })
  expect((await auth.check()).wechat.breakers).toMatchObject({ prefetch: 'open', login: 'closed' })
})

test('all mini programs of a backend share it, and check tells', async () => {
  const apps = [
    { appId: 'wx0000000000000001', appSecret: 'a'.repeat(32) },
    { appId: 'wx0000000000000002', appSecret: 'b'.repeat(32) },
  ]
  const { auth, wechat, events } = setUp({ apps }, { apps })
  wechat.fail('html-502', always)
  await times(5, () =>
    auth.login({ code: wechat.codeFor('alice'), appId: 'wx0000000000000001' }).catch(() => {}),
  )
  const calls = wechat.calls.length

  const refused = auth.login({ code: wechat.codeFor('bob'), appId: 'wx0000000000000002' })

  await expect(refused).rejects.toMatchObject({ code: 'wechat_unavailable', retryAfterSeconds: 10 })
  expect(wechat.calls).toHaveLength(calls)
  expect((await auth.check()).wechat).toMatchObject({ ok: false, breakers: { login: 'open' } })
  expect(events).toContainEqual({ type: 'breaker', group: 'login', state: 'open' })
})

test('a login that is refused without a call is a 503 with Retry-After', async () => {
  const { auth, wechat } = setUp()
  wechat.fail('html-502', always)
  await times(5, () => auth.login({ code: wechat.codeFor('alice') }).catch(() => {}))

  const { status, headers } = await auth.handle({
    method: 'POST',
    path: '/login',
    header: (name) =>
      ({ 'content-type': 'application/json', 'idempotency-key': 'k'.repeat(22) })[
        name.toLowerCase()
      ],
    body: (async function* () {
      yield JSON.stringify({ code: wechat.codeFor('alice'), app_id: wechat.app.appId })
    })(),
  })

  expect(status).toBe(503)
  expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(10)
})
