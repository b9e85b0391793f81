import { describe, expect, test } from 'vitest'
import { createFakeWeChat } from '../../src/testing/index.js'
import { createWeChat, type FetchLike } from '../../src/wechat/index.js'
import { createGate, pathsOf, setUpWeChat } from './set-up.js'

const tokenEndpoint = 'POST /cgi-bin/stable_token'
const check = 'GET /wxa/checksession'

/** How often the emulated WeChat was asked for a token. */
const asked = (fake: Parameters<typeof pathsOf>[0]) =>
  pathsOf(fake).filter((path) => path === '/cgi-bin/stable_token').length

test('the token is kept for the life that is left of it', async () => {
  const { wechat, fake, clock } = await setUpWeChat()
  await wechat.accessToken()
  clock.advance(1000)
  const other = createWeChat({ ...fake.app, fetch: fake.fetch, now: clock.now })

  const token = await other.accessToken()

  expect(token).toEqual(await wechat.accessToken())
  expect(token.expiresAt).toBe(clock.now() / 1000 + 6200)
  expect(asked(fake)).toBe(2)
})

test('many calls at once fetch one token', async () => {
  const { wechat, fake } = await setUpWeChat()
  fake.fail({ latencyMs: 5 })

  const tokens = await Promise.all(Array.from({ length: 50 }, () => wechat.accessToken()))

  expect(new Set(tokens.map(({ token }) => token)).size).toBe(1)
  expect(asked(fake)).toBe(1)
})

test('a fetching that failed is not remembered', async () => {
  const { wechat, fake } = await setUpWeChat()
  fake.fail('html')
  await expect(wechat.accessToken()).rejects.toMatchObject({ code: 'wechat_unavailable' })

  await expect(wechat.accessToken()).resolves.toBeDefined()
})

describe('in the last 5 minutes', () => {
  test('the old token is given at once, and a new one is fetched behind it', async () => {
    const { wechat, fake, clock } = await setUpWeChat()
    const old = await wechat.accessToken()
    clock.advance(7200 - 300)
    fake.fail({ latencyMs: 5 })

    const given = await wechat.accessToken()

    expect(given.token).toBe(old.token)
    await expect.poll(async () => (await wechat.accessToken()).token).not.toBe(old.token)
    expect(asked(fake)).toBe(2)
  })

  test('the old token is kept while the new one cannot be had, and WeChat is not pressed', async () => {
    const { wechat, fake, clock, events } = await setUpWeChat()
    const old = await wechat.accessToken()
    clock.advance(7200 - 250)
    fake.fail('html-502')

    for (let n = 0; n < 10; n++) {
      expect((await wechat.accessToken()).token).toBe(old.token)
    }
    expect(asked(fake)).toBe(2)
    expect(events.at(-1)).toMatchObject({ endpoint: 'accessToken', outcome: 'wechat_unavailable' })

    clock.advance(10)
    await wechat.accessToken()
    await expect.poll(async () => (await wechat.accessToken()).token).not.toBe(old.token)
  })

  test('nothing is fetched a second before', async () => {
    const { wechat, fake, clock } = await setUpWeChat()
    await wechat.accessToken()
    clock.advance(7200 - 301)

    await wechat.accessToken()
    await wechat.code2Session(fake.codeFor('alice'))

    expect(asked(fake)).toBe(1)
  })
})

test('a token is given to the last second, even if no other can be had', async () => {
  const { wechat, fake, clock } = await setUpWeChat()
  const { token } = await wechat.accessToken()
  fake.fail('html', { times: Number.POSITIVE_INFINITY })
  clock.advance(7199)

  expect((await wechat.accessToken()).token).toBe(token)
  clock.advance(1)
  await expect(wechat.accessToken()).rejects.toMatchObject({ code: 'wechat_unavailable' })
})

test('a token that is over is waited for', async () => {
  const { wechat, clock } = await setUpWeChat()
  const old = await wechat.accessToken()
  clock.advance(7200)

  expect((await wechat.accessToken()).token).not.toBe(old.token)
})

describe('a token that WeChat does not take', () => {
  test.each([40001, 40014, 42001])(
    'is fetched again, and the call made again: errcode %j',
    async (errcode) => {
      const { wechat, fake } = await setUpWeChat()
      const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))
      await wechat.accessToken()
      fake.fail(errcode, { endpoint: check })

      expect(await wechat.checkSessionKey({ openid, sessionKey })).toBe(true)
      expect(pathsOf(fake).slice(2)).toEqual([
        '/wxa/checksession',
        '/cgi-bin/stable_token',
        '/wxa/checksession',
      ])
    },
  )

  test('spends no code: the second call gets the phone number', async () => {
    const { wechat, fake } = await setUpWeChat()
    fake.fail(42001, { endpoint: 'POST /wxa/business/getuserphonenumber' })

    await expect(wechat.phoneNumber(fake.phoneCodeFor('alice'))).resolves.toMatchObject({
      phoneNumber: fake.phoneNumberOf('alice'),
    })
  })

  test.each([40001, 40014, 42001])(
    'nor a new one, is an error that names the likely cause: errcode %j',
    async (errcode) => {
      const { wechat, fake } = await setUpWeChat()
      fake.fail(errcode, { times: 2, endpoint: check })

      const refused = wechat.checkSessionKey({ openid: 'oAlice', sessionKey: 'key' })

      await expect(refused).rejects.toMatchObject({
        code: 'wechat_unavailable',
        errcode,
        message: expect.stringContaining('force_refresh'),
      })
      expect(asked(fake)).toBe(2)
    },
  )

  test('is fetched once for all the calls that were made with it', async () => {
    const { wechat, fake } = await setUpWeChat()
    const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))
    await wechat.accessToken()
    fake.fail(40001, { times: 20, endpoint: check })

    const checks = await Promise.all(
      Array.from({ length: 20 }, () => wechat.checkSessionKey({ openid, sessionKey })),
    )

    expect(checks.every(Boolean)).toBe(true)
    expect(asked(fake)).toBe(2)
  })

  test('is not fetched again when another one took its place meanwhile', async () => {
    const fake = createFakeWeChat()
    const gate = createGate()
    const wechat = createWeChat({
      ...fake.app,
      fetch: async (url, init) => {
        if (url.includes('checksession')) await gate.opened
        return fake.fetch(url, init)
      },
    })
    const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))
    await wechat.accessToken()

    const checked = wechat.checkSessionKey({ openid, sessionKey })
    await wechat.accessToken({ force: true })
    gate.open()

    expect(await checked).toBe(true)
    expect(fake.calls.map(({ errcode }) => errcode)).toEqual([0, 0, 0, 40001, 0])
    expect(asked(fake)).toBe(2)
  })

  test('because another process forced a new one, is replaced by that', async () => {
    const { wechat, fake, clock } = await setUpWeChat()
    const other = createWeChat({ ...fake.app, fetch: fake.fetch, now: clock.now })
    const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))
    await wechat.accessToken()
    const forced = await other.accessToken({ force: true })

    expect(await wechat.checkSessionKey({ openid, sessionKey })).toBe(true)
    expect((await wechat.accessToken()).token).toBe(forced.token)
  })
})

describe('force', () => {
  test('replaces the token, here and at WeChat', async () => {
    const { wechat, fake } = await setUpWeChat()
    const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))
    const leaked = await wechat.accessToken()

    const forced = await wechat.accessToken({ force: true })

    expect(forced.token).not.toBe(leaked.token)
    expect((await wechat.accessToken()).token).toBe(forced.token)
    await wechat.checkSessionKey({ openid, sessionKey })
    expect(fake.calls.at(-1)?.errcode).toBe(0)
  })

  test('is one call for all who want it at the same time', async () => {
    const { wechat, fake } = await setUpWeChat()

    await Promise.all([wechat.accessToken({ force: true }), wechat.accessToken({ force: true })])

    expect(asked(fake)).toBe(1)
  })

  test('wins over an answer that was on its way before it', async () => {
    const fake = createFakeWeChat()
    const gate = createGate()
    const wechat = createWeChat({
      ...fake.app,
      fetch: async (url, init) => {
        const response = await fake.fetch(url, init)
        if (init.body?.includes('"force_refresh":false')) await gate.opened
        return response
      },
    })

    const late = wechat.accessToken()
    const forced = await wechat.accessToken({ force: true })
    gate.open()

    expect((await late).token).toBe(forced.token)
    expect((await wechat.accessToken()).token).toBe(forced.token)
  })

  test('is nothing that a normal call does', async () => {
    const bodies: unknown[] = []
    const fake = createFakeWeChat()
    const fetch: FetchLike = (url, init) => {
      if (init.body) bodies.push(JSON.parse(init.body))
      return fake.fetch(url, init)
    }
    const wechat = createWeChat({ ...fake.app, fetch })

    await wechat.accessToken()
    await wechat.accessToken({ force: true })

    expect(bodies).toEqual([
      {
        grant_type: 'client_credential',
        appid: fake.app.appId,
        secret: fake.app.appSecret,
        force_refresh: false,
      },
      expect.objectContaining({ force_refresh: true }),
    ])
  })

  test('more often than WeChat allows is rate_limited, and the token stays', async () => {
    const { wechat, fake } = await setUpWeChat()
    const { token } = await wechat.accessToken()
    fake.fail(45009, { endpoint: tokenEndpoint })

    await expect(wechat.accessToken({ force: true })).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterSeconds: 3600,
    })
    expect((await wechat.accessToken()).token).toBe(token)
  })
})

test.each([
  {},
  { access_token: '' },
  { access_token: '10_token' },
  { access_token: '10_token', expires_in: 0 },
  { access_token: '10_token', expires_in: 'soon' },
  { access_token: 7, expires_in: 7200 },
  { access_token: 'x'.repeat(2049), expires_in: 7200 },
])('the answer %j is wechat_unavailable, in the event and the health too', async (answer) => {
  const { wechat, events } = await setUpWeChat({ fetch: async () => Response.json(answer) })

  await expect(wechat.accessToken()).rejects.toMatchObject({ code: 'wechat_unavailable' })
  expect(events).toMatchObject([{ endpoint: 'accessToken', outcome: 'wechat_unavailable' }])
  expect(wechat.health().ok).toBe(false)
})

test('a wrong AppSecret is server_misconfigured, and said in an event', async () => {
  const { wechat, events } = await setUpWeChat({ appSecret: 'wrong' })

  await expect(wechat.call('GET', '/wxa/getpaidunionid')).rejects.toMatchObject({
    code: 'server_misconfigured',
    errcode: 40125,
  })
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'misconfigured', endpoint: 'accessToken', errcode: 40125 }),
  )
})
