import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  AuthError,
  type AuthOptions,
  type AuthRequest,
  type AuthResponse,
  createMemoryStore,
  type FetchLike,
  type SessionStore,
  type TokenAnswer,
} from '../src/index.js'
import { expectNone } from './no-secrets.js'
import { setUp } from './set-up.js'

const appId = 'wx0000000000000001'

const canaries = {
  appSecret: 'canaryAppSecret0123456789abcdef0',
  secret: 'canarySecret-Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4e',
  code: 'canaryCode-0716AVll20uHk94SLDml27etM946AVlq',
  sessionKey: 'canarySessionKey/+8Zb3==',
  openid: 'ocanaryOpenid0123456789abcde',
  unionid: 'ocanaryUnionid0123456789abcd',
  input: 'canaryInput-invitation',
  idempotencyKey: 'canaryIdempotencyKey-0123456789',
  otherKey: 'canaryOtherIdempotencyKey-01234',
} as const

function payloadsOf({ access_token, refresh_token }: TokenAnswer): string[] {
  return [access_token, refresh_token].map((token) =>
    Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
  )
}

const success = (): Response =>
  Response.json({
    openid: canaries.openid,
    unionid: canaries.unionid,
    session_key: canaries.sessionKey,
  })

/** A backend whose WeChat answers with canaries, and everything that anyone outside of it gets to see. */
function setUpObserved(options: Partial<AuthOptions> = {}) {
  const output: unknown[] = []
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir'] as const) {
    const spy = vi
      .spyOn(console, method)
      .mockImplementation((...args: unknown[]) => void output.push(args))
    onTestFinished(() => spy.mockRestore())
  }
  const { auth, events, clock } = setUp({
    apps: [{ appId, appSecret: canaries.appSecret }],
    secret: canaries.secret,
    fetch: async () => success(),
    ...options,
  })
  const answers: AuthResponse[] = []
  const errors: unknown[] = []
  const tokens: Record<string, string> = {}

  const post = async (
    path: string,
    body: unknown,
    idempotencyKey: string = canaries.idempotencyKey,
  ) => {
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
    }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const request: AuthRequest = {
      method: 'POST',
      path,
      header: (name) => headers[name.toLowerCase()],
      body: (async function* () {
        yield text
      })(),
    }
    const answer = await auth.handle(request)
    answers.push(answer)
    if (answer.status === 200) keep(JSON.parse(answer.body ?? ''))
    return answer
  }
  const login = (extra: object = {}, idempotencyKey?: string) =>
    post(
      '/login',
      { code: canaries.code, app_id: appId, input: { invitation: canaries.input }, ...extra },
      idempotencyKey,
    )
  const loginDirectly = () =>
    attempt(
      auth
        .login({
          code: canaries.code,
          input: canaries.input,
          idempotencyKey: canaries.idempotencyKey,
        })
        .then(keep),
    )

  /** Remembers tokens as secrets of their own. */
  function keep(answer: TokenAnswer): TokenAnswer {
    const n = Object.keys(tokens).length
    tokens[`access token ${n}`] = answer.access_token
    tokens[`refresh token ${n}`] = answer.refresh_token
    return answer
  }
  async function attempt(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => errors.push(error))
  }
  const tokensOf = ({ body }: AuthResponse): TokenAnswer => JSON.parse(body ?? '')

  function expectSilence(): void {
    const refusals = answers.filter(({ status }) => status >= 400)
    expectNone({ ...canaries, ...tokens }, 'an event', events)
    expectNone({ ...canaries, ...tokens }, 'an error', errors)
    expectNone({ ...canaries, ...tokens }, 'a refusal', refusals)
    expectNone({ ...canaries, ...tokens }, 'the console', output)
    expectNone({ ...canaries }, 'an answer', answers)
    for (const { status, body } of answers) {
      if (status === 200) expectNone({ ...canaries }, 'a token', payloadsOf(JSON.parse(body ?? '')))
    }
  }

  return {
    auth,
    events,
    clock,
    answers,
    errors,
    post,
    login,
    loginDirectly,
    attempt,
    tokensOf,
    expectSilence,
  }
}

test('the search for canaries finds them, however deep and however written', () => {
  const hidden = Object.defineProperty(new Error('x'), 'request', {
    value: { url: `?a=${encodeURIComponent(canaries.sessionKey)}` },
  })

  const nested = new AuthError('server_error', 'x', {
    cause: { a: { b: { c: [new Map([['k', hidden]])] } } },
  })

  expect(() => expectNone(canaries, 'an error', [nested])).toThrow('sessionKey in an error')
  expect(() =>
    expectNone(canaries, 'a text', [Buffer.from(canaries.code).toString('base64')]),
  ).toThrow('code in a text')
})

describe('nothing secret leaves', () => {
  test('a login, its retry, and the same code with another key', async () => {
    const { login, answers, events, expectSilence } = setUpObserved()

    await login()
    await login()
    await login({}, canaries.otherKey)

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400])
    expect(events.flatMap((event) => (event.type === 'login' ? event.outcome : []))).toContain(
      'created',
    )
    expectSilence()
  })

  test('a refresh, its retry, a copy, a stranger, and a logout', async () => {
    const { login, post, answers, tokensOf, expectSilence } = setUpObserved()
    const { refresh_token } = tokensOf(await login())

    await post('/refresh', { refresh_token })
    await post('/refresh', { refresh_token })
    await post('/refresh', { refresh_token }, canaries.otherKey)
    await post('/refresh', { refresh_token })
    await post('/refresh', { refresh_token: `${refresh_token.slice(0, -1)}A` })
    await post('/refresh', { refresh_token: canaries.code })
    await post('/logout', { refresh_token, everywhere: true })

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 400, 400, 400, 400, 204])
    expectSilence()
  })

  test('a second device, a list, a revocation and a login that replaces a session', async () => {
    const { auth, login, tokensOf, attempt, post, expectSilence } = setUpObserved()
    const first = tokensOf(await login({ code: `${canaries.code}1` }))
    const second = tokensOf(
      await login({ code: `${canaries.code}2`, previous_refresh_token: first.refresh_token }),
    )

    const devices = await auth.sessions.list(second.user_id)
    await auth.sessions.revoke({ userId: second.user_id, reason: 'stolen' })
    await post('/refresh', { refresh_token: second.refresh_token })
    await attempt(auth.sessions.account({ id: devices[0]?.id ?? '', userId: second.user_id }))

    expectNone(canaries, 'the list of devices', devices)
    expectSilence()
  })

  test('requests with tokens good and bad', async () => {
    const { auth, login, tokensOf, attempt, errors, answers, expectSilence } = setUpObserved({
      revocation: 'immediate',
    })
    const { access_token, refresh_token, user_id } = tokensOf(await login())
    const authorizations = [
      access_token,
      refresh_token,
      `${access_token}A`,
      access_token.slice(0, -1),
      canaries.code,
    ]

    const session = await auth.authenticate(`Bearer ${access_token}`)
    for (const token of authorizations) {
      await attempt(auth.authenticate(`Bearer ${token}`, { allow: () => false }))
      const { response } = await auth.guard(`Bearer ${token}`, { appIds: ['wx00000000000000ff'] })
      if (response) answers.push(response)
    }
    await auth.sessions.revoke({ userId: user_id })
    await attempt(auth.authenticate(`Bearer ${access_token}`))

    expect(errors).toHaveLength(6)
    expectNone(canaries, 'a session', [session])
    expectSilence()
  })

  test('requests that are malformed', async () => {
    const { post, login, answers, expectSilence } = setUpObserved()
    const { code, input } = canaries

    await post('/login', `{"code":"${code}",`)
    await post('/login', `["${code}"]`)
    await post('/login', JSON.stringify(code))
    await post('/login', { code: [code], app_id: appId })
    await post('/login', { code, app_id: 'wx00000000000000ff' })
    await post('/login', { code, app_id: `<${input}>` })
    await post('/login', { code: `${code} ${code}`, app_id: appId })
    await post(`/login?code=${code}`, { app_id: appId })
    await post(`/${code}`, {})
    await login({}, `${canaries.idempotencyKey}!`)
    await login({ device: `${input}\n` })
    await login({ previous_refresh_token: [code] })
    await login({ input: 'x'.repeat(9000) })

    expect(answers.every(({ status }) => status >= 400)).toBe(true)
    expectSilence()
  })

  test('the state of health', async () => {
    const { auth, login } = setUpObserved()
    await login()

    expectNone(canaries, 'the health', [await auth.check()])
  })

  test('an auth that is printed', async () => {
    const { auth, login } = setUpObserved()
    await login()

    expectNone(canaries, 'the auth', [auth])
  })

  test('options that are wrong', () => {
    const { errors, expectSilence } = setUpObserved()
    const app = { appId, appSecret: canaries.appSecret }
    const wrong: Partial<AuthOptions>[] = [
      { apps: [app, app] },
      { apps: [app], secret: [canaries.secret, canaries.secret] },
      { apps: [app], secret: `-----BEGIN KEY-----${canaries.secret}` },
      { apps: [app], secret: canaries.secret.slice(0, 20) },
      { apps: [app], wechatHosts: [`https://user:${canaries.appSecret}@api.weixin.qq.com`] },
      { apps: [app], secret: canaries.secret, accessTtlSeconds: 1 },
    ]

    for (const options of wrong) {
      try {
        setUp(options)
      } catch (error) {
        errors.push(error)
      }
    }

    expect(errors).toHaveLength(wrong.length)
    expectSilence()
  })
})

describe('nothing secret leaves when WeChat answers', () => {
  const everything = (url: string) =>
    `${url} ${decodeURIComponent(url)} ${JSON.stringify(canaries)}`
  const errmsg = (url: string) => `invalid ${everything(url)}, rid: 6374a31a-1d2ecec6-3d2c5d0a`
  const code = (errcode: unknown) => (url: string) =>
    Response.json({ errcode, errmsg: errmsg(url) })

  const replies: Record<string, (url: string) => Response> = {
    'that the code is wrong': code(40029),
    'that the code was used': code('40163'),
    'that the user is blocked': code(40226),
    'that it is too much': code(45011),
    'that the AppSecret is wrong': code(40125),
    'that the AppID is wrong': code(40013),
    'that it is busy': code(-1),
    'an errcode that nobody knows': code(98765),
    'an errcode that quotes the request': (url) => Response.json({ errcode: everything(url) }),
    'an errcode that is an object': (url) => Response.json({ errcode: { [everything(url)]: 1 } }),
    'a page that quotes the request': (url) => new Response(`<html>${everything(url)}</html>`),
    'a gateway page that quotes the request': (url) =>
      new Response(everything(url), { status: 502 }),
    'a redirect to the request': (url) =>
      new Response(null, { status: 302, headers: { location: url } }),
    'a text in quotes': (url) => new Response(JSON.stringify(everything(url))),
    'a list': (url) => new Response(JSON.stringify([everything(url)])),
    'half of its JSON': () => new Response(JSON.stringify(canaries).slice(0, -10)),
    'without a session_key': () =>
      Response.json({ openid: canaries.openid, unionid: canaries.unionid }),
    'without an openid': () =>
      Response.json({ session_key: canaries.sessionKey, unionid: canaries.unionid }),
    'an openid that is a list': () =>
      Response.json({ openid: [canaries.openid], session_key: canaries.sessionKey }),
    'an openid that is too long': () =>
      Response.json({ openid: canaries.openid.repeat(20), session_key: canaries.sessionKey }),
    'more than it may': (url) => new Response(everything(url).repeat(500)),
    'with a body that breaks off': (url) =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(Buffer.from(`{"session_key":"${canaries.sessionKey}",`))
            controller.error(new Error(`terminated: ${url}`, { cause: { url } }))
          },
        }),
      ),
  }

  test.each(Object.entries(replies))('%s', async (_name, reply) => {
    const { login, loginDirectly, answers, errors, events, expectSilence } = setUpObserved({
      fetch: async (url) => reply(url),
    })

    await Promise.all([login(), loginDirectly()])

    expect(answers.map(({ status }) => status >= 400)).toEqual([true])
    expect(errors).toEqual([expect.any(AuthError)])
    expect(events.map(({ type }) => type)).toContain('wechat')
    expectSilence()
  })
})

describe('nothing secret leaves when fetch fails with', () => {
  const failures: Record<string, (url: string) => unknown> = {
    'an error that quotes the url': (url) => new TypeError(`fetch failed: ${url}`),
    'an error with a cause that quotes the url': (url) =>
      new TypeError('fetch failed', { cause: new Error(url) }),
    'a system error with members': (url) =>
      Object.assign(new Error(`connect ECONNREFUSED ${url}`), {
        code: 'ECONNREFUSED',
        input: url,
        request: { url },
      }),
    'a socket error': (url) =>
      new TypeError('fetch failed', {
        cause: Object.assign(new Error(url), { code: 'UND_ERR_SOCKET', socket: { url } }),
      }),
    'many errors': (url) => new AggregateError([new Error(url)], `all failed: ${url}`),
    'an error named after the url': (url) => Object.assign(new Error('failed'), { name: url }),
    'an error with the url in its stack only': (url) =>
      Object.assign(new Error('failed'), { stack: `Error at ${url}` }),
    'a text': (url) => url,
    'an object': (url) => ({ url, toString: () => url }),
    nothing: () => undefined,
    'an error of ours': (url) =>
      new AuthError('wechat_unavailable', 'down', { cause: new Error(url) }),
  }

  test.each(Object.entries(failures))('%s', async (name, failure) => {
    const fetch: FetchLike = async (url) => {
      throw failure(url)
    }
    const { login, loginDirectly, answers, errors, expectSilence } = setUpObserved({ fetch })

    await login()
    await loginDirectly()

    const isLost = name === 'a socket error'
    expect(answers).toMatchObject([{ status: isLost ? 400 : 503 }])
    expect(errors).toMatchObject([{ code: isLost ? 'invalid_code' : 'wechat_unavailable' }])
    expectSilence()
  })

  test('no answer at all', async () => {
    const fetch: FetchLike = (url, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error(`aborted ${url}`)))
      })
    const { login, loginDirectly, errors, expectSilence } = setUpObserved({
      fetch,
      wechatTimeoutMs: 20,
    })

    await login()
    await loginDirectly()

    expect(errors).toMatchObject([{ code: 'wechat_unavailable' }])
    expectSilence()
  })

  // A query writes these otherwise than encodeURIComponent does.
  test('an error that quotes the url, with an AppSecret of unusual characters', async () => {
    const appSecret = "canary App'Secret(0)!~*"
    const fetch: FetchLike = async (url) => {
      throw new TypeError(`fetch failed: ${url}`)
    }
    const { login, loginDirectly, events, errors } = setUpObserved({
      fetch,
      apps: [{ appId, appSecret }],
    })

    await login()
    await loginDirectly()

    expect(errors).toMatchObject([{ code: 'wechat_unavailable' }])
    expectNone({ appSecret }, 'an error or an event', [...errors, ...events])
  })

  test('an error whose code quotes the url', async () => {
    const fetch: FetchLike = async (url) => {
      throw Object.assign(new Error('failed'), { code: url })
    }
    const { login, expectSilence } = setUpObserved({ fetch })

    await login()

    expectSilence()
  })
})

describe('nothing secret leaves when the app breaks', () => {
  const throwing = (error: unknown) => () => {
    throw error
  }
  const options: Record<string, Partial<AuthOptions>> = {
    'in onLogin': { onLogin: throwing(new Error('broken')) },
    'in onLogin with an error of ours': {
      onLogin: throwing(new AuthError('server_error', 'Broken')),
    },
    'in onLogin with a refusal': {
      onLogin: throwing(new AuthError('access_denied', 'Closed', { reason: 'closed' })),
    },
    'in onLogin with a code that is not its own': {
      onLogin: throwing(new AuthError('invalid_code', 'Wrong')),
    },
    'in onLogin with a text': { onLogin: throwing('broken') },
    'in onLogin with a userId that is none': { onLogin: () => ({ userId: '' }) },
    'in onLogin with the AppID for a userId': { onLogin: () => ({ userId: appId }) },
    'in claims': { claims: throwing(new Error('broken')) },
    'in claims with a refusal': { claims: throwing(new AuthError('access_denied', 'Closed')) },
    'in claims with a reserved name': { claims: () => ({ sub: 'admin' }) },
    'in claims with a list': { claims: () => [] },
    'in claims that are too long': { claims: () => ({ text: 'x'.repeat(5000) }) },
    'in apps': { apps: throwing(new Error('broken')) },
  }

  test.each(Object.entries(options))('%s', async (_name, broken) => {
    const { login, attempt, auth, answers, errors, expectSilence } = setUpObserved(broken)

    await login()
    await attempt(
      auth.login({
        code: `${canaries.code}2`,
        appId,
        input: canaries.input,
        idempotencyKey: canaries.idempotencyKey,
      }),
    )

    expect(answers.map(({ status }) => status >= 400)).toEqual([true])
    expect(errors).toHaveLength(1)
    expectSilence()
  })

  const verbs = ['create', 'get', 'replace', 'delete', 'list'] as const

  test.each(verbs.flatMap((verb) => ['throws', 'rejects', 'hangs'].map((how) => ({ verb, how }))))(
    'in a store whose $verb $how',
    async ({ verb, how }) => {
      const ways: Record<string, () => Promise<never>> = {
        throws: throwing(new Error('the store is down')),
        rejects: () => Promise.reject(new Error('the store is down')),
        hangs: () => new Promise(() => undefined),
      }
      const memory = createMemoryStore()
      const state = { isBroken: false }
      const store: SessionStore = {
        ...memory,
        [verb]: (...args: never[]) =>
          state.isBroken ? ways[how]?.() : Reflect.apply(memory[verb], memory, args),
      }
      const {
        auth,
        login,
        loginDirectly,
        post,
        attempt,
        tokensOf,
        answers,
        errors,
        expectSilence,
      } = setUpObserved({
        store,
        storeTimeoutMs: 20,
        now: Date.now,
      })
      const { refresh_token, user_id } = tokensOf(await login({ code: `${canaries.code}1` }))

      state.isBroken = true
      await login({ previous_refresh_token: refresh_token })
      await loginDirectly()
      await post('/refresh', { refresh_token })
      await attempt(auth.refresh({ refreshToken: refresh_token }))
      await attempt(auth.sessions.revoke({ userId: user_id }))
      await attempt(auth.sessions.list(user_id))
      await attempt(auth.sessions.create({ account: { openid: canaries.openid } }))
      await post('/logout', { refresh_token, everywhere: true })
      await attempt(auth.logout({ refreshToken: refresh_token, everywhere: true }))

      expect([...answers.filter(({ status }) => status === 503), ...errors].length).toBeGreaterThan(
        0,
      )
      expectSilence()
    },
  )
})

describe('a store', () => {
  test('sees no session_key, code, token, idempotency key or input, in whatever it is asked', async () => {
    const asked: unknown[] = []
    const seen =
      <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
      (...args: Args): Result => {
        asked.push(...args)
        return call(...args)
      }
    const memory = createMemoryStore()
    const store: SessionStore = {
      create: seen(memory.create),
      get: seen(memory.get),
      replace: seen(memory.replace),
      delete: seen(memory.delete),
      list: seen(memory.list),
    }
    const { login, post, tokensOf } = setUpObserved({ store, now: Date.now })

    const first = tokensOf(await login())
    const second = tokensOf(await post('/refresh', { refresh_token: first.refresh_token }))
    await post('/refresh', { refresh_token: first.refresh_token }, canaries.otherKey)
    await post('/logout', { refresh_token: second.refresh_token })

    const { openid: _openid, unionid: _unionid, ...hidden } = canaries
    const tokens = {
      'first access token': first.access_token,
      'first refresh token': first.refresh_token,
      'second access token': second.access_token,
      'second refresh token': second.refresh_token,
      'signature of a refresh token': second.refresh_token.split('.')[2] ?? '',
    }
    expect(asked.length).toBeGreaterThan(4)
    expectNone({ ...hidden, ...tokens }, 'the store', asked)
  })

  test('gets another sealed key for the same session_key each time', async () => {
    const sealed: unknown[] = []
    const memory = createMemoryStore()
    const store: SessionStore = {
      ...memory,
      create: (record) => {
        sealed.push(record.sealedKey)
        return memory.create(record)
      },
    }
    const { login } = setUpObserved({ store, now: Date.now })

    await login({ code: `${canaries.code}1` })
    await login({ code: `${canaries.code}2` })

    expect(sealed).toEqual([expect.any(String), expect.any(String)])
    expect(sealed[0]).not.toBe(sealed[1])
  })
})

test('data that onLogin gives to the client is the one way for an openid to get there', async () => {
  const { login, tokensOf } = setUpObserved({ onLogin: ({ openid }) => ({ data: { openid } }) })

  const answer = tokensOf(await login())

  expect(answer.data).toEqual({ openid: canaries.openid })
  expectNone(canaries, 'a token', payloadsOf(answer))
})
