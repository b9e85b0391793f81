import { describe, expect, test } from 'vitest'
import {
  authRoutes,
  type FunctionAnswer,
  maybeSessionOf,
  requireAuth,
  sessionOf,
} from '../../src/adapters/cloud-function.js'
import { authRoutes as fetchRoutes } from '../../src/adapters/fetch.js'
import type { Account, Auth, AuthOptions, LoginContext } from '../../src/index.js'
import { createMemoryStore } from '../../src/index.js'
import { newKey, setUp } from '../set-up.js'

const appId = 'wx0000000000000001'
const openid = 'oGZUI0egBJY1zhBYw2KhdUfwVJJE'
const context = { OPENID: openid, APPID: appId, SOURCE: 'wx_client' }

/** A cloud function: the platform sets the context before each call, and it stays until the next. */
function setUpFunction(options: Partial<AuthOptions> = {}) {
  let current: object | undefined
  const set = setUp({
    apps: [{ appId, appSecret: false }],
    cloudFunction: { getWXContext: () => current ?? {} },
    ...options,
  })
  const { auth } = set
  const wx = authRoutes(auth, { basePath: '/wx' })

  const within = <T>(context: object, call: () => T): T => {
    current = context
    return call()
  }
  const login = async (by: object = context, event: object = {}, key = newKey()) =>
    within(by, () =>
      wx({
        path: '/wx/login',
        method: 'POST',
        header: { 'Idempotency-Key': key },
        data: { app_id: appId },
        ...event,
      }),
    )
  return { ...set, within, login }
}

const dataOf = ({ data }: FunctionAnswer) => data as Record<string, unknown>

async function accountIn(auth: Auth, answer: FunctionAnswer): Promise<Account> {
  const session = await auth.authenticate(`Bearer ${dataOf(answer).access_token}`)
  return auth.sessions.account(session)
}

describe('a login by callFunction', () => {
  test('needs no code and no AppSecret: the platform says who it is', async () => {
    const seen: LoginContext[] = []
    const { auth, wechat, events, login } = setUpFunction({
      onLogin: (_account, context) => void seen.push(context),
    })

    const answer = await login(context, { data: { app_id: appId, input: 'A7', device: 'iPhone' } })

    expect(answer).toMatchObject({ statusCode: 200, header: { 'cache-control': 'no-store' } })
    expect(await accountIn(auth, answer)).toStrictEqual({ appId, kind: 'mini_program', openid })
    const request = { header: expect.any(Function) }
    const callId = expect.any(String)
    expect(seen).toEqual([{ callId, input: 'A7', device: 'iPhone', request }])
    expect(wechat.calls).toEqual([])
    expect(events.filter(({ type }) => type === 'login')).toMatchObject([
      { by: 'cloud_function', outcome: 'created' },
    ])
  })

  test('takes the unionid from the context, which nobody but the platform writes', async () => {
    const { auth, login } = setUpFunction()

    const answer = await login({ ...context, UNIONID: 'oHAUs6LSuwgHq' })

    expect(await accountIn(auth, answer)).toStrictEqual({
      appId,
      kind: 'mini_program',
      openid,
      unionid: 'oHAUs6LSuwgHq',
    })
  })

  test('refreshes and logs out by callFunction, too', async () => {
    const { auth, login, within } = setUpFunction()
    const wx = authRoutes(auth)
    const call = (path: string, data: object) =>
      within(context, () =>
        wx({ path, method: 'POST', header: { 'idempotency-key': newKey() }, data }),
      )
    const { refresh_token: first } = dataOf(await login())

    const refreshed = await call('/refresh', { refresh_token: first })
    const { refresh_token } = dataOf(refreshed)
    const loggedOut = await call('/logout', { refresh_token })
    const after = await call('/refresh', { refresh_token })

    expect(refreshed.statusCode).toBe(200)
    expect(loggedOut).toMatchObject({ statusCode: 204, data: '' })
    expect(after).toMatchObject({ statusCode: 400, data: { error: 'invalid_grant' } })
  })

  test('that comes again with the same key is the same session, with another key a new one', async () => {
    const { login } = setUpFunction()
    const key = newKey()
    const tokenOf = async (key: string) => dataOf(await login(context, {}, key)).refresh_token

    const first = await tokenOf(key)

    expect(await tokenOf(key)).toBe(first)
    expect(await tokenOf(newKey())).not.toBe(first)
  })

  test.each([
    { path: '/wx/login', data: { app_id: appId, openid: 'bob', OPENID: 'bob', openId: 'bob' } },
    { openid: 'bob', OPENID: 'bob', userInfo: { openId: 'bob', appId } },
    { header: { 'Idempotency-Key': newKey(), 'x-wx-openid': 'bob', 'x-wx-source': 'wx_client' } },
    { WXContext: { OPENID: 'bob' }, context: { OPENID: 'bob' }, isFunctionCall: false },
  ])('ignores the openid that the event %j names', async (event) => {
    const { auth, login } = setUpFunction({ cloudHosting: { public: false } })

    const answer = await login(context, event)

    expect(await accountIn(auth, answer)).toMatchObject({ openid })
  })
})

describe('nobody is vouched for', () => {
  const strangers: [string, object][] = [
    ['no context', {}],
    ['no openid', { ...context, OPENID: undefined }],
    ['an openid that the SDK made a number of', { ...context, OPENID: 123 }],
    ['no AppID', { ...context, APPID: undefined }],
    ['no source', { ...context, SOURCE: undefined }],
    ['an empty source', { ...context, SOURCE: '' }],
    ...[
      'wx_http',
      'wx_trigger',
      'wx_paycallback',
      'wx_crawler',
      'wx_localdebug',
      'wx_unknown',
      'scf',
      'other',
      'wx_http,wx_client',
      'wx_client,wx_http',
      'wx_client,wx_trigger',
      'scf,wx_client',
      'wx_client2',
      'xwx_client',
      'wx_client,',
      'wx_client\n',
      'WX_CLIENT',
      'wx_client scf',
    ].map((SOURCE): [string, object] => [
      `the source ${JSON.stringify(SOURCE)}`,
      { ...context, SOURCE },
    ]),
    ['a caller by resource sharing', { ...context, FROM_OPENID: 'bob', FROM_APPID: 'wx2' }],
  ]

  test.each(strangers)('with %s', async (_name, context) => {
    const { auth, login, within, wechat } = setUpFunction()
    const guarded = requireAuth(auth)(() => 'let in')

    const loggedIn = await login(context)
    const asked = await within(context, () => guarded({}))

    expect(loggedIn).toMatchObject({ statusCode: 400, data: { error: 'invalid_request' } })
    expect(asked).toMatchObject({ statusCode: 401, data: { error: 'invalid_token' } })
    expect(wechat.calls).toEqual([])
  })

  test.each(['wx_client', 'wx_devtools', 'wx_client,scf', 'wx_client,scf,scf', 'wx_devtools,scf'])(
    'but with the source %s they are',
    async (SOURCE) => {
      const { auth, login, within } = setUpFunction()
      const guarded = requireAuth(auth)((event) => sessionOf(event, auth).appId)

      expect((await login({ ...context, SOURCE })).statusCode).toBe(200)
      expect(await within({ ...context, SOURCE }, () => guarded({}))).toBe(appId)
    },
  )

  test('in a request over HTTP, whatever context the process was left with', async () => {
    const { auth, login } = setUpFunction()
    await login()

    const response = await fetchRoutes(auth)(
      new Request('http://localhost/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': newKey() },
        body: JSON.stringify({ app_id: appId, isFunctionCall: true }),
      }),
    )

    expect(response.status).toBe(400)
    await expect(auth.authenticate({ header: () => undefined })).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  test('by the headers of an event, which the caller writes', async () => {
    const { auth, within } = setUpFunction({ cloudHosting: { public: false } })
    const header = { 'x-wx-openid': 'bob', 'x-wx-appid': appId, 'x-wx-source': 'wx_client' }
    const guarded = requireAuth(auth, { optional: true })(
      (event) => maybeSessionOf(event, auth) ?? 'nobody',
    )

    expect(await within({}, () => guarded({ header }))).toBe('nobody')
  })
})

test('a mini program that is not served here is refused', async () => {
  const { login } = setUpFunction()

  const answer = await login({ ...context, APPID: 'wx00000000000000ff' })

  expect(answer).toMatchObject({ statusCode: 400, data: { error: 'unknown_app' } })
})

describe('a function that other code calls', () => {
  test('knows who calls, without a path, a header or a token', async () => {
    const { auth, within } = setUpFunction({
      onLogin: ({ openid }) => ({ userId: `user of ${openid}` }),
    })
    const orders = requireAuth(auth)(
      (event: { page: number }, { requestId }: { requestId: string }) => ({
        of: sessionOf(event, auth).userId,
        page: event.page,
        requestId,
      }),
    )

    const result = await within(context, () => orders({ page: 2 }, { requestId: 'r1' }))

    expect(result).toEqual({ of: `user of ${openid}`, page: 2, requestId: 'r1' })
  })

  test('takes each caller for themselves, however the calls lie', async () => {
    const { auth, within } = setUpFunction({ onLogin: ({ openid }) => ({ userId: openid }) })
    const me = requireAuth(auth)((event) => sessionOf(event, auth).userId)
    const callAs = (OPENID: string) => within({ ...context, OPENID }, () => me({}))

    expect(await Promise.all(['a', 'b', 'a', 'c'].map(callAs))).toEqual(['a', 'b', 'a', 'c'])
  })

  test('takes the caller of this call, though another has come before its session is found to be over', async () => {
    const memory = createMemoryStore()
    let onRead = () => {}
    const { auth, within } = setUpFunction({
      store: {
        ...memory,
        get(id) {
          onRead()
          return memory.get(id)
        },
      },
      onLogin: ({ openid }) => ({ userId: openid }),
      maxSessionsPerUser: 1,
      revocation: 'immediate',
    })
    const me = requireAuth(auth)((event) => sessionOf(event, auth).userId)
    await within(context, () => me({}))
    const { id } = (await auth.sessions.list(openid))[0] ?? {}
    const record = await memory.get(String(id))
    await memory.delete(String(id))
    onRead = () => within({ ...context, OPENID: 'bob' }, () => {})

    expect(record).toMatchObject({ method: 'cloud_function' })
    expect(await within(context, () => me({}))).toBe(openid)
  })

  test('refuses a revoked user, until they log in again', async () => {
    const { auth, within, login } = setUpFunction({ revocation: 'immediate' })
    const me = requireAuth(auth)((event) => sessionOf(event, auth).userId)
    const userId = await within(context, () => me({}))
    await auth.sessions.revoke({ userId: String(userId) })

    expect(await within(context, () => me({}))).toMatchObject({ statusCode: 401 })
    await login()

    expect(await within(context, () => me({}))).toBe(userId)
  })

  test('has the same session at another instance', async () => {
    const store = createMemoryStore()
    const here = setUpFunction({ store })
    const there = setUpFunction({ store })
    const idIn = ({ auth, within }: typeof here) =>
      within(context, () => requireAuth(auth)((event) => sessionOf(event, auth).id)({}))

    expect(await idIn(there)).toBe(await idIn(here))
  })
})

describe('without an AppSecret', () => {
  test('a code cannot be exchanged, and the error says what to set', async () => {
    const { auth, wechat, events } = setUpFunction()

    await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
      code: 'server_misconfigured',
      message: expect.stringContaining('apps option'),
    })
    await expect(auth.wechat().accessToken()).rejects.toMatchObject({
      code: 'server_misconfigured',
    })
    expect(wechat.calls).toEqual([])
    expect(JSON.stringify(events)).not.toContain(openid)
  })

  test('a secret that was forgotten is still refused at creation', () => {
    const create = (appSecret: unknown) => () => setUp({ apps: [{ appId, appSecret } as never] })

    for (const forgotten of [undefined, null, '', true]) {
      expect(create(forgotten)).toThrow(/appSecret/)
    }
  })
})

test('an option of cloudFunction that there is not is refused', () => {
  const cloudFunction = { getWXContext: () => ({}), public: false }

  expect(() => setUp({ cloudFunction })).toThrow(/public is not an option of cloudFunction/)
})

test.each([undefined, null, 'text', 7, [], { header: 'x', path: 7, method: {} }])(
  'the event %j, which anybody may send, gets an answer and no error',
  async (event) => {
    const { auth, within } = setUpFunction()

    const answer = await within({}, () => authRoutes(auth, { basePath: '/wx' })(event as never))

    expect(answer).toMatchObject({ statusCode: 404, data: { error: 'invalid_request' } })
  },
)

test('sessionOf says what to write for what is no event', () => {
  const { auth } = setUpFunction()

  for (const event of [undefined, null, 'event']) {
    expect(() => sessionOf(event as never, auth)).toThrow(/sessionOf\(event, auth\)/)
  }
  expect(() => sessionOf({}, auth)).toThrow(/requireAuth\(auth\)/)
})
