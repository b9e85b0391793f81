import { describe, expect, test } from 'vitest'
import { AuthError, type AuthOptions, createMemoryStore } from '../../src/index.js'
import { signIn } from '../../src/testing/index.js'
import { newKey, setUp, testSecret } from '../set-up.js'

const tooOld = {
  code: 'insufficient_user_authentication',
  status: 401,
  maxAgeSeconds: 300,
  headers: {
    'www-authenticate': 'Bearer error="insufficient_user_authentication", max_age="300"',
  },
}

/** Somebody who has logged in by code, and a route that wants a login of the last five minutes. */
async function setUpShopper(options: Partial<AuthOptions> = {}) {
  const setting = setUp(options)
  const { auth, wechat, clock } = setting
  const loggedInAt = clock.now() / 1000
  const tokens = await auth.login({ code: wechat.codeFor('alice') })
  const pay = (accessToken: string, options = {}) =>
    auth.authenticate(`Bearer ${accessToken}`, { maxAgeSeconds: 300, ...options })
  return { ...setting, loggedInAt, tokens, pay }
}

test('a login is new enough until it is older than the route says', async () => {
  const { clock, tokens, loggedInAt, pay } = await setUpShopper()

  clock.advance(300)
  expect(await pay(tokens.access_token)).toMatchObject({ authenticatedAt: loggedInAt })
  clock.advance(1)

  await expect(pay(tokens.access_token)).rejects.toMatchObject(tooOld)
})

test('a refresh makes no login newer', async () => {
  const { auth, clock, tokens, loggedInAt, pay } = await setUpShopper()
  clock.advance(301)

  const renewed = await auth.refresh({
    refreshToken: tokens.refresh_token,
    idempotencyKey: newKey(),
  })

  await expect(pay(renewed.access_token)).rejects.toMatchObject(tooOld)
  expect(await auth.authenticate(`Bearer ${renewed.access_token}`)).toMatchObject({
    authenticatedAt: loggedInAt,
    issuedAt: loggedInAt + 301,
  })
})

test('a new login is new', async () => {
  const { auth, wechat, clock, tokens, loggedInAt, pay } = await setUpShopper()
  clock.advance(301)

  const again = await auth.login({
    code: wechat.codeFor('alice'),
    previousRefreshToken: tokens.refresh_token,
  })

  expect(await pay(again.access_token)).toMatchObject({
    userId: tokens.user_id,
    authenticatedAt: loggedInAt + 301,
  })
})

test('who came by a phone number is as new as the login before it', async () => {
  const { auth, wechat, clock, tokens, loggedInAt, pay } = await setUpShopper({
    onPhoneNumber: () => ({ userId: 'member' }),
  })
  clock.advance(200)
  const session = await auth.authenticate(`Bearer ${tokens.access_token}`)

  const moved = await auth.phone({ session, code: wechat.phoneCodeFor('alice') })

  if (!('access_token' in moved)) expect.unreachable()
  expect(await pay(moved.access_token)).toMatchObject({
    userId: 'member',
    authenticatedAt: loggedInAt,
  })
  clock.advance(101)
  await expect(pay(moved.access_token)).rejects.toMatchObject(tooOld)
})

test('a token that is remembered as verified grows old all the same', async () => {
  const { clock, tokens, pay } = await setUpShopper()
  await pay(tokens.access_token)
  await pay(tokens.access_token)

  clock.advance(301)

  await expect(pay(tokens.access_token)).rejects.toMatchObject(tooOld)
})

test('whoever has no token is not told to log in anew, but to log in', async () => {
  const { auth } = await setUpShopper()

  await expect(auth.authenticate(undefined, { maxAgeSeconds: 300 })).rejects.toMatchObject({
    code: 'invalid_token',
  })
  expect(await auth.authenticate(undefined, { maxAgeSeconds: 300, optional: true })).toBeUndefined()
})

test('an optional session that is too old is not taken for nobody', async () => {
  const { clock, tokens, pay } = await setUpShopper()
  clock.advance(301)

  await expect(pay(tokens.access_token, { optional: true })).rejects.toMatchObject(tooOld)
})

test('a revoked session is told so, and not to log in anew', async () => {
  const { auth, clock, tokens, pay } = await setUpShopper()
  clock.advance(301)
  await auth.sessions.revoke({ userId: tokens.user_id })

  await expect(pay(tokens.access_token, { fresh: true })).rejects.toMatchObject({
    code: 'invalid_token',
  })
})

test("the app's own rule is asked about nobody who is too old", async () => {
  const asked: string[] = []
  const { clock, tokens, pay } = await setUpShopper()
  clock.advance(301)
  const allow = ({ userId }: { userId: string }) => asked.push(userId) > 0

  await expect(pay(tokens.access_token, { allow })).rejects.toMatchObject(tooOld)

  expect(asked).toEqual([])
})

test('what acceptLegacy lets in is too old for every age', async () => {
  const { auth, clock } = setUp({
    acceptLegacy: { until: 1_900_000_000, verify: () => ({ userId: 7 }) },
  })

  const nowAt = Math.floor(clock.now() / 1000)
  for (const maxAgeSeconds of [nowAt - 1, nowAt, 2 * nowAt]) {
    const old = auth.authenticate('Bearer of-the-earlier-login', { maxAgeSeconds })

    await expect(old).rejects.toMatchObject({ code: 'insufficient_user_authentication' })
  }
  expect(await auth.authenticate('Bearer of-the-earlier-login')).toMatchObject({
    authenticatedAt: 0,
  })
})

test('whoever the gateway vouches for is always new, and the token beside it is what counts', async () => {
  const { auth, wechat, clock } = setUp({ cloudHosting: { public: false } })
  const gateway: Record<string, string> = {
    'x-wx-openid': 'openid-of-alice',
    'x-wx-appid': wechat.app.appId,
    'x-wx-source': 'wx_client',
  }
  const ask = (authorization?: string) =>
    auth.authenticate(
      { header: (name) => ({ ...gateway, authorization })[name.toLowerCase()] },
      { maxAgeSeconds: 60 },
    )
  const { accessToken } = await signIn(auth, { openid: 'openid-of-alice' })
  const { userId } = await ask()

  clock.advance(120)

  expect(await ask()).toMatchObject({ userId })
  await expect(ask(`Bearer ${accessToken}`)).rejects.toMatchObject({
    code: 'insufficient_user_authentication',
  })
})

test('an instance whose clock is behind lets a new login in', async () => {
  const store = createMemoryStore()
  const ahead = await setUpShopper({ store })
  const behind = setUp({ store, now: () => ahead.clock.now() - 30_000 })

  const session = behind.auth.authenticate(`Bearer ${ahead.tokens.access_token}`, {
    maxAgeSeconds: 60,
  })

  expect(await session).toMatchObject({ authenticatedAt: ahead.loggedInAt })
})

test('the answer to a client holds the code and the age, and says what to do', async () => {
  const { auth, clock, tokens } = await setUpShopper()
  clock.advance(301)

  const { response } = await auth.guard(`Bearer ${tokens.access_token}`, { maxAgeSeconds: 300 })

  expect(response).toMatchObject({ status: 401, headers: tooOld.headers })
  expect(JSON.parse(String(response?.body))).toEqual({
    error: 'insufficient_user_authentication',
    error_description: expect.stringContaining('log in anew'),
  })
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '300', null, true])(
  'a maxAgeSeconds of %j is no age',
  async (maxAgeSeconds) => {
    const { tokens, pay } = await setUpShopper()

    await expect(
      pay(tokens.access_token, { maxAgeSeconds: maxAgeSeconds as number }),
    ).rejects.toThrow(new TypeError('maxAgeSeconds must be a positive whole number of seconds'))
  },
)

describe('a route that decides by itself', () => {
  test('says so by an AuthError, with an age or without one', () => {
    const error = (options?: object) =>
      new AuthError('insufficient_user_authentication', 'Log in anew', options)

    expect(error({ maxAgeSeconds: 60 })).toMatchObject({
      status: 401,
      expose: true,
      headers: {
        'www-authenticate': 'Bearer error="insufficient_user_authentication", max_age="60"',
      },
    })
    expect(error().headers).toEqual({
      'www-authenticate': 'Bearer error="insufficient_user_authentication"',
    })
    expect(error({ maxAgeSeconds: '60", x="' }).headers).toEqual(error().headers)
  })

  test('has the instant in the session', async () => {
    const { auth, tokens, loggedInAt } = await setUpShopper({ secret: testSecret })

    const session = await auth.authenticate(`Bearer ${tokens.access_token}`)

    expect(session.authenticatedAt).toBe(loggedInAt)
  })
})
