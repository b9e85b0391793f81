import jwt from 'jsonwebtoken'
import { describe, expect, test, vi } from 'vitest'
import { type AuthOptions, createAuth } from '../../src/index.js'
import { setUp, testSecret } from '../set-up.js'

// The login before this one: a hand-written JWT of three days, as the tutorials have it.
const oldSecret = 'the secret of the old login'
const startAt = 1_800_000_000
const until = startAt + 30 * 86_400

const oldToken = (claims: object = {}) =>
  jwt.sign({ id: 7, iat: startAt, exp: startAt + 3 * 86_400, ...claims }, oldSecret)

type Options = Partial<AuthOptions<{ role?: string }>>

function setUpLegacy(options: Options = {}) {
  const asked = vi.fn((token: string) => {
    try {
      const { id, exp } = jwt.verify(token, oldSecret, {
        algorithms: ['HS256'],
        clockTimestamp: setting.clock.now() / 1000,
      }) as { id: number; exp: number }
      return { userId: id, expiresAt: exp }
    } catch {
      return undefined
    }
  })
  const setting = setUp<{ role?: string }>({
    acceptLegacy: { until, verify: asked },
    ...options,
  })
  const ask = (token: string, options = {}) => setting.auth.authenticate(`Bearer ${token}`, options)
  return { ...setting, asked, ask }
}

const refused = { code: 'invalid_token', status: 401 }

test('an old token passes as its user, in the first mini program', async () => {
  const { ask, wechat } = setUpLegacy()

  const session = await ask(oldToken())

  expect(session).toEqual({
    id: expect.stringMatching(/^legacy:[\w-]{22}$/),
    userId: '7',
    appId: wechat.app.appId,
    claims: {},
    authenticatedAt: 0,
    issuedAt: startAt,
    expiresAt: startAt + 3 * 86_400,
  })
  expect((await ask(oldToken())).id).toBe(session.id)
})

test('a token that the app does not know is refused', async () => {
  const { ask } = setUpLegacy()

  await expect(ask(jwt.sign({ id: 7 }, 'another secret'))).rejects.toMatchObject(refused)
  await expect(ask('opaque')).rejects.toMatchObject(refused)
})

test('a token passes no longer than it says, and none after until', async () => {
  const { ask, clock, events } = setUpLegacy()
  const token = oldToken()
  const forever = oldToken({ id: 8, exp: startAt + 365 * 86_400 })
  clock.advance(3 * 86_400)
  await expect(ask(token)).rejects.toMatchObject(refused)
  expect(await ask(forever)).toMatchObject({ userId: '8', expiresAt: until })

  clock.advance(27 * 86_400)

  await expect(ask(forever)).rejects.toMatchObject(refused)
  await expect(ask(forever)).rejects.toMatchObject(refused)
  expect(events.filter(({ type }) => type === 'warning').slice(1)).toEqual([
    { type: 'warning', warning: 'accept_legacy_over', hint: expect.stringContaining('remove') },
  ])
})

test('an option that is over when the process starts is told at once', () => {
  const { events } = setUpLegacy({ acceptLegacy: { until: startAt, verify: () => undefined } })

  expect(events).toContainEqual(expect.objectContaining({ warning: 'accept_legacy_over' }))
})

describe('a token of ours never gets to the app', () => {
  /** One that this library has issued, and its header. */
  async function ours() {
    const setting = setUpLegacy()
    const { access_token, refresh_token } = await setting.auth.login({
      code: setting.wechat.codeFor('alice'),
    })
    const [header = '', payload = '', signature = ''] = access_token.split('.')
    return { ...setting, access_token, refresh_token, header, payload, signature }
  }

  test('when it is valid', async () => {
    const { ask, asked, access_token } = await ours()

    await ask(access_token)

    expect(asked).not.toHaveBeenCalled()
  })

  test('when it has expired', async () => {
    const { ask, asked, clock, access_token } = await ours()
    clock.advance(3_600)

    await expect(ask(access_token)).rejects.toMatchObject(refused)

    expect(asked).not.toHaveBeenCalled()
  })

  test('when it is forged, or a refresh token', async () => {
    const { ask, asked, header, payload, signature, refresh_token } = await ours()
    const evil = Buffer.from(JSON.stringify({ id: 1, sub: '1' })).toString('base64url')

    for (const token of [
      `${header}.${evil}.${signature}`,
      `${header}.${payload}.${Buffer.from('no').toString('base64url')}`,
      `${header}.${payload}`,
      refresh_token,
    ]) {
      await expect(ask(token)).rejects.toMatchObject(refused)
    }

    expect(asked).not.toHaveBeenCalled()
  })

  test('when its key has been rotated out', async () => {
    const { access_token, wechat } = await ours()
    const verify = vi.fn(() => ({ userId: 1 }))
    const rotated = createAuth({
      apps: [wechat.app],
      secret: `another ${testSecret}`,
      fetch: wechat.fetch,
      now: () => startAt * 1000,
      acceptLegacy: { until, verify },
      onEvent: () => {},
    })

    await expect(rotated.authenticate(`Bearer ${access_token}`)).rejects.toMatchObject(refused)

    expect(verify).not.toHaveBeenCalled()
  })
})

describe('what cannot be revoked passes no route that has to know', () => {
  test('a fresh one', async () => {
    const { ask } = setUpLegacy()

    await expect(ask(oldToken(), { fresh: true })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('cannot be revoked'),
    })
  })

  test("any, where revocation is 'immediate'", async () => {
    const { ask } = setUpLegacy({ revocation: 'immediate' })

    await expect(ask(oldToken())).rejects.toMatchObject(refused)
  })

  test('where revocation may be late, it passes', async () => {
    const { ask } = setUpLegacy({ revocation: { staleSeconds: 60 } })

    expect(await ask(oldToken())).toMatchObject({ userId: '7' })
  })

  test('the routes of the login itself', async () => {
    const { auth, wechat, ask } = setUpLegacy()
    const session = await ask(oldToken())
    const [code] = [wechat.phoneCodeFor('138')]

    await expect(auth.phone({ session, code })).rejects.toMatchObject(refused)
    await expect(auth.sessions.account(session)).rejects.toMatchObject(refused)
    await expect(auth.refresh({ refreshToken: oldToken() })).rejects.toMatchObject({
      code: 'invalid_grant',
    })
  })
})

test('guards apply their other rules to it', async () => {
  const { ask, wechat } = setUpLegacy({
    acceptLegacy: { until, verify: () => ({ userId: 7, claims: { role: 'admin' } }) },
  })

  expect(await ask('old', { appIds: [wechat.app.appId] })).toMatchObject({
    claims: { role: 'admin' },
  })
  await expect(ask('old', { appIds: ['wx-another'] })).rejects.toMatchObject({
    code: 'insufficient_scope',
  })
  await expect(ask('old', { allow: () => false })).rejects.toMatchObject({
    code: 'insufficient_scope',
  })
})

test('a user of a mini program that is not served is refused', async () => {
  const { ask } = setUpLegacy({
    acceptLegacy: { until, verify: () => ({ userId: 7, appId: 'wx-another' }) },
  })

  await expect(ask('old')).rejects.toMatchObject(refused)
})

test('a token of more than 4,096 characters is not asked about', async () => {
  const { ask, asked } = setUpLegacy()

  await expect(ask('a'.repeat(4097))).rejects.toMatchObject(refused)

  expect(asked).not.toHaveBeenCalled()
})

// A socket that takes its token from a query has one of these without it, and a table may have a user without a token.
test.each(['Bearer ', 'bearer  ', 'Bearer', ''])(
  '%j holds no token to ask about',
  async (header) => {
    const { auth, asked } = setUpLegacy()

    await expect(auth.authenticate(header)).rejects.toMatchObject(refused)

    expect(asked).not.toHaveBeenCalled()
  },
)

test.each([
  ['throws', () => Promise.reject(new Error('the database is down'))],
  ['returns no user', () => ({}) as never],
  ['returns a date', () => ({ userId: 7, expiresAt: new Date() }) as never],
  ['returns claims that a token sets itself', () => ({ userId: 7, claims: { exp: 1 } })],
])('a verify that %s is a server_error, not a refused user', async (_, verify) => {
  const { ask } = setUpLegacy({ acceptLegacy: { until, verify } as never })

  await expect(ask('old')).rejects.toMatchObject({ code: 'server_error', status: 500 })
})

test('where apps is a function, verify says which app', async () => {
  const { wechat } = setUp()
  const authOf = (appId?: string) =>
    createAuth({
      apps: (appId) => (appId === wechat.app.appId ? wechat.app : undefined),
      secret: testSecret,
      now: () => startAt * 1000,
      acceptLegacy: { until, verify: () => ({ userId: 7, ...(appId && { appId }) }) },
      onEvent: () => {},
    })

  await expect(authOf().authenticate('Bearer old')).rejects.toMatchObject({
    code: 'server_error',
    message: expect.stringContaining('appId'),
  })
  expect(await authOf(wechat.app.appId).authenticate('Bearer old')).toMatchObject({ userId: '7' })
})

test('milliseconds in place of seconds are refused', () => {
  expect(() =>
    setUpLegacy({ acceptLegacy: { until: Date.now(), verify: () => undefined } }),
  ).toThrow(new TypeError('acceptLegacy.until must be in seconds, not milliseconds'))
})
