import type { ErrorBody } from '@wxlogin/shared'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { AuthError, type AuthErrorCode, type AuthOptions, type AuthResponse } from '../src/index.js'
import { bodyOf, send } from './http/set-up.js'
import { newKey, type SetUp, setUp } from './set-up.js'

describe("WeChat's refusals pass through a hook as what they are", () => {
  /** 手机号一键登录: the code of the phone button comes along with the login. */
  function setUpOneTap() {
    const set: SetUp = setUp({
      async onLogin(_account, { input }) {
        const { phoneNumber } = await set.auth.wechat().phoneNumber(String(input))
        return { userId: `member ${phoneNumber}` }
      },
    })
    const login = (input: string): Promise<AuthResponse> =>
      send(set.auth, '/login', {
        body: { code: set.wechat.codeFor('alice'), app_id: set.wechat.app.appId, input },
      })
    return { ...set, login }
  }

  test('a phone code that is stale is invalid_code, and says that it is not the code of the login', async () => {
    const { wechat, events, login } = setUpOneTap()
    const phoneCode = wechat.phoneCodeFor('alice')
    await login(phoneCode)

    const again = await login(phoneCode)

    expect(again.status).toBe(400)
    expect(bodyOf(again)).toMatchObject({ error: 'invalid_code', reason: 'phone_code' })
    expect(events.filter(({ type }) => type === 'failure')).toEqual([])
  })

  test.each([
    [45011, 'rate_limited', 429, true],
    [40226, 'user_blocked', 403, false],
  ] as const)('errcode %d is %s', async (errcode, error, status, hasRetryAfter) => {
    const { wechat, events, login } = setUpOneTap()
    wechat.fail(errcode, { endpoint: 'POST /wxa/business/getuserphonenumber' })

    const refused = await login(wechat.phoneCodeFor('alice'))

    expect(refused.status).toBe(status)
    expect('retry-after' in refused.headers).toBe(hasRetryAfter)
    expect(bodyOf(refused)).toMatchObject({ error })
    expect(events.filter(({ type }) => type === 'failure')).toEqual([])
  })

  test('what the phone code was refused for stays with the error', async () => {
    const { auth, wechat } = setUpOneTap()

    const login = auth.login({ code: wechat.codeFor('alice'), input: 'no such code' })
    const other = auth.login({ code: wechat.codeFor('alice'), input: 'unknown' })

    await expect(login).rejects.toMatchObject({ code: 'invalid_code', reason: 'phone_code' })
    await expect(other).rejects.toMatchObject({
      code: 'invalid_code',
      reason: 'phone_code',
      errcode: 40029,
      rid: expect.any(String),
      cause: expect.objectContaining({ code: 'invalid_code', errcode: 40029 }),
    })
  })

  test.each(['invalid_code', 'rate_limited', 'user_blocked'] as const)(
    'out of claims and onPhoneNumber as well: %s',
    async (code) => {
      let isRefused = false
      const refuse = () => {
        if (isRefused) throw new AuthError(code, 'no', { reason: 'mine' })
      }
      const { auth, wechat } = setUp({
        claims: () => {
          refuse()
          return {}
        },
        onPhoneNumber: refuse,
      })
      const tokens = await auth.login({ code: wechat.codeFor('alice') })
      const session = await auth.authenticate(`Bearer ${tokens.access_token}`)
      const renew = () => auth.refresh({ refreshToken: tokens.refresh_token })
      isRefused = true

      const refused = { code, reason: code === 'invalid_code' ? 'phone_code' : 'mine' }
      await expect(renew()).rejects.toMatchObject(refused)
      await expect(
        auth.phone({ session, code: wechat.phoneCodeFor('alice') }),
      ).rejects.toMatchObject(refused)

      isRefused = false
      await expect(renew()).resolves.toMatchObject({ user_id: tokens.user_id })
    },
  )

  // Of a hook these are bugs: to the client they would say something about its own tokens or its AppID.
  test.each<AuthErrorCode>([
    'invalid_request',
    'invalid_grant',
    'invalid_token',
    'insufficient_scope',
    'unknown_app',
  ])('%s is not one of them', async (code) => {
    const { auth, wechat } = setUp({
      onLogin: () => {
        throw new AuthError(code, 'no')
      },
    })

    const login = auth.login({ code: wechat.codeFor('alice') })

    await expect(login).rejects.toMatchObject({ code: 'server_error', status: 500 })
  })
})

describe('what says nothing that is understood makes nobody a stranger', () => {
  class Row {
    readonly #values = { userId: 7 }
    get userId() {
      return this.#values.userId
    }
  }

  const misunderstood: readonly (readonly [string, unknown, string])[] = [
    ['the id itself', 'user-1', 'a string'],
    ['a number', 7, 'a number'],
    ['false', false, 'a boolean'],
    ['null, of a user who was not found', null, 'null'],
    ['a function', () => 7, 'a function'],
    ['a row of a table', { id: 7, name: 'Alice' }, 'neither of the two'],
    ['a list', [{ userId: 7 }], 'a list'],
    ['an empty list', [], 'a list'],
    ['a Map', new Map([['userId', 7]]), 'neither of the two'],
    ['a Date', new Date(0), 'neither of the two'],
    ['an id that is undefined', { userId: undefined }, 'a userId that is undefined'],
    ['an id that is null', { userId: null, data: 1 }, 'a userId that is null'],
    ['an id that is NaN', { userId: Number.NaN }, 'a userId that is a number that is not whole'],
    ['an id that is an object', { userId: { id: 7 } }, 'a userId that is an object'],
    ['an id beyond what a number holds', { userId: 2 ** 53 }, 'give it as a bigint or a string'],
  ]

  test.each(misunderstood)(
    '%s is a failure that says what to return',
    async (_name, decision, said) => {
      const { auth, wechat, events } = setUp({ onLogin: () => decision as object })

      const login = send(auth, '/login', {
        body: { code: wechat.codeFor('alice'), app_id: wechat.app.appId },
      })

      expect((await login).status).toBe(500)
      expect(events.find(({ type }) => type === 'failure')).toMatchObject({
        code: 'server_error',
        error: { message: expect.stringMatching(/onLogin .*return { userId/) },
      })
      expect(events.find(({ type }) => type === 'failure')).toMatchObject({
        error: { message: expect.stringContaining(said) },
      })
    },
  )

  test.each(misunderstood)(
    '%s is none from onPhoneNumber either',
    async (_name, decision, said) => {
      const { auth, wechat } = setUp({ onPhoneNumber: () => decision as object })
      const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
      const session = await auth.authenticate(`Bearer ${access_token}`)

      const phone = auth.phone({ session, code: wechat.phoneCodeFor('alice') })

      await expect(phone).rejects.toMatchObject({
        code: 'server_error',
        message: expect.stringContaining(said),
      })
    },
  )

  test.each(misunderstood.filter(([name]) => name.startsWith('an id')))(
    '%s is none of a session that the app creates, or of an earlier login',
    async (_name, given, said) => {
      const { userId } = given as { userId: string }
      const { auth } = setUp({
        acceptLegacy: { until: 1_900_000_000, verify: () => ({ userId }) },
      })
      const wanted = { code: 'server_error', message: expect.stringContaining(said) }
      const refusal = expect.toSatisfy(
        (error) =>
          error instanceof TypeError && error.message.includes(said.replace(/.* that is /, '')),
      )

      const created = auth.sessions.create({ account: { openid: 'alice' }, userId })

      await expect(created).rejects.toEqual(refusal)
      await expect(auth.authenticate('Bearer earlier')).rejects.toMatchObject(wanted)
      await expect(auth.sessions.revoke({ userId })).rejects.toEqual(refusal)
      await expect(auth.sessions.list(userId)).rejects.toEqual(refusal)
      await expect(auth.sessions.forget(userId)).rejects.toEqual(refusal)
    },
  )

  test.each([
    undefined,
    {},
    Object.create(null),
    { data: 1 },
    { userId: 7, name: 'Alice' },
    new Row(),
  ])('%j is understood', async (decision) => {
    const { auth, wechat } = setUp({ onLogin: () => decision as object })

    const login = auth.login({ code: wechat.codeFor('alice') })

    await expect(login).resolves.toMatchObject({ token_type: 'Bearer' })
  })

  test('what a class has by a getter counts', async () => {
    const { auth, wechat } = setUp({ onLogin: () => new Row() })

    const { user_id } = await auth.login({ code: wechat.codeFor('alice') })

    expect(user_id).toBe('7')
  })

  test('a bigint is an id wherever one is given', async () => {
    const userId = 9_007_199_254_740_993n
    const { auth, wechat } = setUp({ onLogin: () => ({ userId }) })

    const { user_id } = await auth.login({ code: wechat.codeFor('alice') })
    await auth.sessions.create({ account: { openid: 'alice' }, userId })

    expect(user_id).toBe('9007199254740993')
    await expect(auth.sessions.list(userId)).resolves.toHaveLength(2)
    await expect(auth.sessions.revoke({ userId })).resolves.toBe(2)
  })
})

describe('what a function of the app returns is not read as something else', () => {
  const rule = (given: unknown) => ({ allow: () => given as boolean })

  test.each([
    ['nothing', undefined, 'undefined'],
    ['a text', 'no', 'a string'],
    ['a number', 1, 'a number'],
  ])('%s from allow lets nobody in, and is no refusal of the user', async (_what, given, said) => {
    const { auth, wechat } = setUp()
    const { access_token } = await auth.login({ code: wechat.codeFor('alice') })

    const guarded = auth.authenticate(`Bearer ${access_token}`, rule(given))

    await expect(guarded).rejects.toMatchObject({
      code: 'server_error',
      message: expect.stringContaining(`The allow option returned ${said}`),
    })
  })

  test.each([
    ['a Map', new Map([['role', 'admin']])],
    ['a Set', new Set(['admin'])],
    ['a Map within', { roles: new Map([['admin', true]]) }],
  ])('%s, of which JSON keeps nothing, is neither claims nor data', async (_what, given) => {
    const wanted = {
      code: 'server_error',
      cause: { message: expect.stringContaining('Object.fromEntries') },
    }
    const ofClaims = setUp({ claims: () => given })
    const ofData = setUp({ onLogin: () => ({ data: given as unknown as null }) })

    await expect(
      ofClaims.auth.login({ code: ofClaims.wechat.codeFor('alice') }),
    ).rejects.toMatchObject(wanted)
    await expect(ofData.auth.login({ code: ofData.wechat.codeFor('alice') })).rejects.toMatchObject(
      wanted,
    )
  })

  test.each([
    ['none', []],
    ['one that is not set', [undefined]],
    ['an empty one', ['']],
    ['a text in place of a list', 'wx1'],
  ])('appIds with %s is a wrong option, and refuses no user', async (_what, appIds) => {
    const { auth, wechat } = setUp()
    const { access_token } = await auth.login({ code: wechat.codeFor('alice') })

    const guarded = auth.authenticate(`Bearer ${access_token}`, { appIds: appIds as string[] })

    await expect(guarded).rejects.toThrow(/appIds must be a list of AppIDs/)
  })

  test('a store that is still a promise is told to be awaited', () => {
    const store = Promise.resolve({}) as unknown as NonNullable<AuthOptions['store']>

    expect(() => setUp({ store })).toThrow(/store .*await/)
  })
})

describe('a hook that never settles', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  const never = () => new Promise<never>(() => undefined)
  const hanging: readonly (readonly [string, Partial<AuthOptions>])[] = [
    ['onLogin', { onLogin: never }],
    ['claims', { claims: never }],
    ['apps', { apps: never }],
  ]

  test.each(hanging)(
    '%s is a failure after 15 seconds, which says what to do',
    async (name, options) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      const { auth, wechat, events } = setUp(options)

      const login = send(auth, '/login', {
        body: { code: wechat.codeFor('alice'), app_id: wechat.app.appId },
      })
      await vi.advanceTimersByTimeAsync(14_900)
      const before = events.filter(({ type }) => type === 'failure').length
      await vi.advanceTimersByTimeAsync(200)

      expect(before).toBe(0)
      expect((await login).status).toBe(500)
      expect(events.find(({ type }) => type === 'failure')).toMatchObject({
        code: 'server_error',
        error: {
          message: expect.stringMatching(`The ${name} option has not settled within 15 seconds`),
        },
      })
    },
  )

  test.each([['allow', { allow: never }]])('%s is one, too', async (name, options) => {
    const { auth, wechat } = setUp()
    const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })

    const guarded = auth.authenticate(`Bearer ${access_token}`, options)
    const refused = expect(guarded).rejects.toMatchObject({
      code: 'server_error',
      message: expect.stringContaining(`The ${name} option has not settled`),
    })
    await vi.advanceTimersByTimeAsync(15_100)

    await refused
  })
})

describe('a refusal of this attempt alone', () => {
  const wrongPassword = () =>
    new AuthError('access_denied', 'The password is wrong', {
      reason: 'wrong_password',
      scope: 'attempt',
    })

  test('says so on the wire', async () => {
    const { auth, wechat } = setUp({
      onLogin: () => {
        throw wrongPassword()
      },
    })

    const refused = await send(auth, '/login', {
      body: { code: wechat.codeFor('alice'), app_id: wechat.app.appId },
    })

    expect(refused.status).toBe(403)
    expect(bodyOf(refused)).toEqual({
      error: 'access_denied',
      error_description: 'The password is wrong',
      reason: 'wrong_password',
      scope: 'attempt',
    } satisfies ErrorBody)
  })

  test('in a login costs nobody the session that was there', async () => {
    let isWrong = false
    const { auth, wechat } = setUp({
      onLogin: () => {
        if (isWrong) throw wrongPassword()
      },
    })
    const before = await auth.login({ code: wechat.codeFor('alice') })
    isWrong = true

    const refused = auth.login({
      code: wechat.codeFor('alice'),
      previousRefreshToken: before.refresh_token,
    })

    await expect(refused).rejects.toMatchObject({ code: 'access_denied', scope: 'attempt' })
    await expect(auth.refresh({ refreshToken: before.refresh_token })).resolves.toMatchObject({
      user_id: before.user_id,
    })
  })

  test.each([
    ['a refresh', { isLoginAgain: false }],
    ['a login that comes again', { isLoginAgain: true }],
  ])('by claims at %s leaves the session alone', async (_when, { isLoginAgain }) => {
    let isRefused = false
    const { auth, wechat, events } = setUp({
      claims: () => {
        if (isRefused) throw wrongPassword()
        return {}
      },
    })
    const login = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    const { refresh_token: refreshToken } = await auth.login(login)
    const attempt = () => (isLoginAgain ? auth.login(login) : auth.refresh({ refreshToken }))
    isRefused = true

    await expect(attempt()).rejects.toMatchObject({ code: 'access_denied', scope: 'attempt' })

    isRefused = false
    await expect(attempt()).resolves.toMatchObject({ token_type: 'Bearer' })
    expect(events.filter(({ type }) => type === 'revoked')).toEqual([])
  })

  test('is asked for by that word alone', () => {
    for (const scope of [undefined, null, true, 'session', {}]) {
      const options = { scope: scope as unknown as 'attempt' }

      expect(new AuthError('access_denied', 'no', options).scope).toBeUndefined()
    }
  })
})
