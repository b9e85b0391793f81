import { afterEach, describe, expect, test, vi } from 'vitest'
import { AuthError, type AuthOptions, type AuthResponse } from '../src/index.js'
import { bodyOf, send } from './http/set-up.js'
import { clientsOf } from './login/device-set-up.js'
import { newKey, prefetchPath, setUp } from './set-up.js'

/** What a hook throws that asks another service, which is down. */
function away(retryAfterSeconds?: number): AuthError {
  return new AuthError(
    'temporarily_unavailable',
    'The members service does not answer',
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  )
}

/** An app whose hooks can answer, or cannot. */
function setUpApp(options: Partial<AuthOptions> = {}) {
  const down = new Set<string>()
  const check = (name: string) => {
    if (down.has(name)) throw away(30)
  }
  const set = setUp({
    deviceGrant: { placeOf: () => void check('deviceGrant.placeOf') },
    onLogin: () => {
      check('onLogin')
      return { userId: 'li' }
    },
    claims: () => {
      check('claims')
      return { role: 'member' }
    },
    onPhoneNumber: () => check('onPhoneNumber'),
    onPrefetch: () => void check('onPrefetch'),
    acceptLegacy: {
      until: 1_900_000_000,
      verify: () => {
        check('acceptLegacy.verify')
        return undefined
      },
    },
    ...options,
  })
  const { auth, wechat, events } = set
  const logIn = (more: object = {}, key = newKey()): Promise<AuthResponse> =>
    send(auth, '/login', {
      body: { code: wechat.codeFor('li'), app_id: wechat.app.appId, ...more },
      headers: { 'Idempotency-Key': key },
    })
  const failures = () => events.filter(({ type }) => type === 'failure')
  return { ...set, down, logIn, failures, sessions: () => auth.sessions.list('li') }
}

afterEach(() => {
  vi.restoreAllMocks()
})

const unavailable = {
  error: 'temporarily_unavailable',
  error_description: 'The server could not serve this request; its console or its onEvent says why',
  request_id: expect.any(String),
}

describe('a hook that cannot answer now', () => {
  test('is a 503 that says when to come back, and an event that says why', async () => {
    const { down, logIn, failures, sessions } = setUpApp()
    down.add('onLogin')

    const refused = await logIn()

    expect(refused.status).toBe(503)
    expect(bodyOf(refused)).toEqual(unavailable)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(30)
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(48)
    expect(failures()).toEqual([
      {
        type: 'failure',
        code: 'temporarily_unavailable',
        requestId: bodyOf(refused).request_id,
        error: expect.objectContaining({
          message: expect.stringContaining('The members service does not answer'),
        }),
      },
    ])
    expect(await sessions()).toEqual([])
  })

  test.each([
    ['says none', undefined],
    ['says one that has passed', -60],
    ['says what is no number', Number.NaN],
  ])('has a time to come back though it %s', async (_what, retryAfterSeconds) => {
    const { logIn } = setUpApp({
      onLogin: () => {
        throw away(retryAfterSeconds)
      },
    })

    const seconds = Number((await logIn()).headers['retry-after'])

    expect(seconds).toBeGreaterThanOrEqual(2)
    expect(seconds).toBeLessThanOrEqual(5)
  })

  test('is told at the console where nobody listens', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { wechat } = setUp()
    const { createAuth } = await import('../src/index.js')
    const auth = createAuth({
      apps: [wechat.app],
      secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
      fetch: wechat.fetch,
      onLogin: () => {
        throw away()
      },
    })

    await send(auth, '/login', {
      body: { code: wechat.codeFor('li'), app_id: wechat.app.appId },
    })

    expect(printed.mock.calls.flat().join('\n')).toMatch(
      /temporarily_unavailable \(request [\w-]+\): The members service does not answer; see https:.*#temporarily_unavailable/,
    )
  })

  test.each(['onLogin', 'claims'])(
    '%s at a login leaves no session, and the code of that login is over',
    async (hook) => {
      const { auth, wechat, down, logIn, sessions, events } = setUpApp()
      const [code, key] = [wechat.codeFor('li'), newKey()]
      down.add(hook)
      expect((await logIn({ code }, key)).status).toBe(503)
      expect(await sessions()).toEqual([])

      down.clear()
      const again = await logIn({ code }, key)

      expect(bodyOf(again)).toMatchObject({ error: 'invalid_code' })
      expect(await sessions()).toEqual([])
      expect((await logIn()).status).toBe(200)
      expect(await sessions()).toHaveLength(1)
      expect(events.filter(({ type }) => type === 'revoked')).toEqual([])
      await expect(auth.sessions.forget('li')).resolves.toBe(1)
    },
  )

  test('claims at a login that comes again leaves its session alone', async () => {
    const { wechat, down, logIn, sessions } = setUpApp()
    const [code, key] = [wechat.codeFor('li'), newKey()]
    await logIn({ code }, key)
    down.add('claims')
    expect((await logIn({ code }, key)).status).toBe(503)

    down.clear()
    const again = await logIn({ code }, key)

    expect(again.status).toBe(200)
    expect(await sessions()).toHaveLength(1)
  })

  test.each(['onLogin', 'claims'])(
    '%s at a login that replaces a session costs nobody that session',
    async (hook) => {
      const { auth, down, logIn, sessions } = setUpApp()
      const before = bodyOf(await logIn())
      const kept = await sessions()
      down.add(hook)

      const refused = await logIn({ previous_refresh_token: before.refresh_token })

      expect(refused.status).toBe(503)
      expect(await sessions()).toEqual(kept)
      down.clear()
      await expect(
        auth.refresh({ refreshToken: String(before.refresh_token) }),
      ).resolves.toMatchObject({ user_id: 'li' })
    },
  )

  test('claims at a refresh rotates nothing: the same token and key get in later', async () => {
    const { auth, down, logIn, sessions, events, clock } = setUpApp()
    const { refresh_token } = bodyOf(await logIn())
    const kept = await sessions()
    clock.advance(900)
    const renew = (key: string) =>
      send(auth, '/refresh', { body: { refresh_token }, headers: { 'Idempotency-Key': key } })
    const key = newKey()
    down.add('claims')

    const refused = await renew(key)

    expect(refused.status).toBe(503)
    expect(bodyOf(refused)).toEqual(unavailable)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(30)
    expect(await sessions()).toEqual(kept)

    down.clear()
    const renewed = await renew(key)

    expect(renewed.status).toBe(200)
    expect(bodyOf(renewed).refresh_token).not.toBe(refresh_token)
    // Nor does a key of another attempt raise an alarm: that token has never been used.
    expect(events.flatMap((event) => (event.type === 'refresh' ? event.outcome : []))).toEqual([
      'rotated',
    ])
  })

  test('claims at a refresh that comes again leaves the session where it was', async () => {
    const { auth, down, logIn, events } = setUpApp()
    const { refresh_token } = bodyOf(await logIn())
    const key = newKey()
    const renew = () =>
      send(auth, '/refresh', { body: { refresh_token }, headers: { 'Idempotency-Key': key } })
    const first = bodyOf(await renew())
    down.add('claims')
    expect((await renew()).status).toBe(503)

    down.clear()
    const again = await renew()

    expect(bodyOf(again).refresh_token).toBe(first.refresh_token)
    expect(events.filter(({ type }) => type === 'revoked')).toEqual([])
  })

  test.each(['onPhoneNumber', 'claims'])('%s at a phone number keeps the session', async (hook) => {
    const { auth, wechat, down, logIn, sessions } = setUpApp(
      // A number of another user, whose claims are asked for.
      hook === 'claims' ? { onPhoneNumber: () => ({ userId: 'wang' }) } : {},
    )
    const { access_token } = bodyOf(await logIn())
    const kept = await sessions()
    down.add(hook)

    const refused = await send(auth, '/phone', {
      body: { code: wechat.phoneCodeFor('li') },
      headers: { Authorization: `Bearer ${access_token}` },
    })

    expect(refused.status).toBe(503)
    expect(bodyOf(refused)).toEqual(unavailable)
    expect(await sessions()).toEqual(kept)
    expect(await auth.sessions.list('wang')).toEqual([])
  })

  test.each(['onLogin', 'claims', 'onPrefetch'])(
    '%s at a pre-fetch gives nothing, and leaves no session',
    async (hook) => {
      const { auth, wechat, down, failures, sessions } = setUpApp()
      down.add(hook)
      const query = new URLSearchParams({ appid: wechat.app.appId, code: wechat.codeFor('li') })

      const answer = await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })

      expect([answer.status, answer.body]).toEqual([200, '{}'])
      expect(failures()).toMatchObject([{ code: 'temporarily_unavailable' }])
      expect(await sessions()).toEqual([])
    },
  )

  test('placeOf at a device that asks lets it ask again', async () => {
    const { auth, down } = setUpApp()
    down.add('deviceGrant.placeOf')
    expect(await send(auth, '/device', { body: {} })).toMatchObject({ status: 503 })

    down.clear()

    expect(await send(auth, '/device', { body: {} })).toMatchObject({ status: 200 })
  })

  test('claims of a device that the user has approved lets it in later', async () => {
    const { auth, clock, down, logIn, sessions } = setUpApp()
    const accessToken = String(bodyOf(await logIn()).access_token)
    const { start, decide, poll } = clientsOf({ auth }, accessToken)
    const { deviceCode, scene } = await start()
    await decide(scene)
    down.add('claims')

    const refused = await poll(deviceCode)
    clock.advance(5)
    const again = await poll(deviceCode)
    clock.advance(5)
    down.clear()
    const granted = await poll(deviceCode)

    expect([refused.status, again.status]).toEqual([503, 503])
    expect(granted).toMatchObject({ status: 200, body: { user_id: 'li' } })
    expect(await sessions()).toHaveLength(2)
    clock.advance(5)
    expect((await poll(deviceCode)).body.user_id).toBe('li')
    expect((await poll(deviceCode, newKey())).status).toBe(400)
  })

  test('acceptLegacy.verify is no reason to drop an earlier token', async () => {
    const { auth, down } = setUpApp()
    down.add('acceptLegacy.verify')

    const { response } = await auth.guard('Bearer an-earlier-token')

    expect(response).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } })
    expect(response?.headers['www-authenticate']).toBeUndefined()
  })

  test('allow keeps a route shut, and is no refusal of the user', async () => {
    const { auth, logIn } = setUpApp()
    const { access_token } = bodyOf(await logIn())

    const { response } = await auth.guard(`Bearer ${access_token}`, {
      allow: () => {
        throw away(10)
      },
    })

    expect(response?.status).toBe(503)
  })

  test('apps costs no phone its tokens', async () => {
    let isDown = false
    const { auth, wechat, logIn } = setUpApp({
      apps: (appId) => {
        if (isDown) throw away(10)
        return appId === wechat.app.appId ? wechat.app : undefined
      },
    })
    const { refresh_token } = bodyOf(await logIn())
    isDown = true

    const refused = await send(auth, '/refresh', { body: { refresh_token } })

    expect(bodyOf(refused)).toEqual(unavailable)
  })

  test('the exchange of a custom app is one, too', async () => {
    const { logIn } = setUpApp({
      apps: [
        {
          kind: 'custom',
          appId: 'tt123',
          exchange: () => {
            throw away(10)
          },
        },
      ],
    })

    const refused = await logIn({ app_id: 'tt123', kind: 'custom', code: 'any' })

    expect(refused.status).toBe(503)
    expect(bodyOf(refused)).toEqual(unavailable)
  })
})
