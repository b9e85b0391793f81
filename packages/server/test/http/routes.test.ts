import { inspect } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  type Auth,
  AuthError,
  type AuthRequest,
  type AuthResponse,
  createMemoryStore,
} from '../../src/index.js'
import { signIn } from '../../src/testing/index.js'
import { newKey, setUp } from '../set-up.js'

interface Sent {
  method?: string
  path?: string
  headers?: Record<string, string>
  /** JSON, unless it is text or bytes. */
  body?: unknown
}

/** A request as an adapter hands it in; by default a POST of JSON with an idempotency key. */
function request({ method = 'POST', path = '/login', headers = {}, body }: Sent = {}): AuthRequest {
  const all = new Map(
    Object.entries({
      'Content-Type': 'application/json',
      'Idempotency-Key': newKey(),
      ...headers,
    }).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const bytes =
    body instanceof Uint8Array
      ? body
      : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
  return { method, path, header: (name) => all.get(name.toLowerCase()), body: chunks(bytes) }
}

async function* chunks(bytes: Uint8Array, size = 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const bodyOf = ({ body }: AuthResponse): Record<string, unknown> => JSON.parse(body ?? 'null')

function loginBody({ wechat }: Pick<ReturnType<typeof setUp>, 'wechat'>) {
  return { code: wechat.codeFor('alice'), app_id: wechat.app.appId }
}

const login = (auth: Auth, body: unknown, headers: Record<string, string> = {}) =>
  auth.handle(request({ body, headers }))

async function expectMalformed(answer: Promise<AuthResponse>, status = 400): Promise<void> {
  const response = await answer
  expect(response.status).toBe(status)
  expect(bodyOf(response)).toEqual({
    error: 'invalid_request',
    error_description: expect.any(String),
  })
}

test('a path that only a cloud function can send takes no time either', async () => {
  const { auth } = setUp()
  const started = performance.now()

  for (const path of [`/no-such${'?'.repeat(100_000)}\n`, `${'/'.repeat(100_000)}x`]) {
    expect(await auth.handle(request({ path }))).toMatchObject({ status: 404 })
  }

  expect(performance.now() - started).toBeLessThan(1000)
})

/** A code that no request may use up: a malformed request must not reach WeChat. */
function setUpWithLogin() {
  const set = setUp()
  return { ...set, body: loginBody(set) }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('login', () => {
  test('answers tokens', async () => {
    const { auth, body } = setUpWithLogin()

    const response = await login(auth, { ...body, device: 'Phone' })

    expect(response.status).toBe(200)
    expect(bodyOf(response)).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: expect.any(String),
      refresh_expires_in: 30 * 86_400,
      user_id: expect.any(String),
    })
  })

  test('gives onLogin exactly what was sent along', async () => {
    const seen: unknown[] = []
    const { auth, wechat } = setUp({ onLogin: (_account, context) => void seen.push(context) })
    const input = { invitation: ['a', 1, null] }

    await login(auth, {
      ...loginBody({ wechat }),
      input,
      device: 'Phone',
      userId: 'admin',
      openid: 'someone else',
    })

    const request = { header: expect.any(Function) }
    expect(seen).toEqual([{ callId: expect.any(String), input, device: 'Phone', request }])
  })

  test('takes userId and data of what onLogin returns, and nothing else', async () => {
    const row = {
      userId: 'user-7',
      id: '7',
      device: 'row',
      sealedKey: 'row',
      idempotencyKeyHash: 'row',
    }
    const { auth, wechat } = setUp({ onLogin: () => row })
    const body = loginBody({ wechat })
    const headers = { 'Idempotency-Key': newKey() }

    const first = await login(auth, body, headers)
    const again = await login(auth, body, headers)
    const someoneElse = await login(auth, { ...body, code: wechat.codeFor('bob') })

    expect([first, again, someoneElse].map(({ status }) => status)).toEqual([200, 200, 200])
    const devices = await auth.sessions.list('user-7')
    expect(devices).toHaveLength(2)
    expect(devices).not.toContainEqual(expect.objectContaining({ id: '7' }))
    expect(devices).not.toContainEqual(expect.objectContaining({ device: 'row' }))
  })

  test('without an app_id is malformed, also where there is one app only', async () => {
    const { auth, wechat } = setUp()

    await expectMalformed(login(auth, { code: wechat.codeFor('alice') }))
  })

  test('takes no code from the query', async () => {
    const { auth, wechat } = setUp()
    const { code, app_id } = loginBody({ wechat })

    await expectMalformed(
      auth.handle(request({ path: `/login?code=${code}&app_id=${app_id}`, body: {} })),
    )
    expect(wechat.calls).toEqual([])
  })

  test.each(['', 'has space', 'a/b', 'a+b', 'a=b', '../x', 'ünï', 'a\nb', 'x'.repeat(129)])(
    'with the code %j asks no WeChat',
    async (code) => {
      const { auth, wechat } = setUp()

      const response = await login(auth, { code, app_id: wechat.app.appId })

      expect(response.status).toBe(400)
      expect(wechat.calls).toEqual([])
    },
  )

  test('with the code of DevTools without an AppID says what to do', async () => {
    const { auth, wechat } = setUp()

    const response = await login(auth, { code: 'the code is a mock one', app_id: wechat.app.appId })

    expect(bodyOf(response)).toMatchObject({ error: 'invalid_code', reason: 'mock_code' })
    expect(wechat.calls).toEqual([])
  })

  test.each(['\u0000', 'a\nb', 'x'.repeat(129)])(
    'with the device %j is malformed',
    async (device) => {
      const { auth, body } = setUpWithLogin()

      await expectMalformed(login(auth, { ...body, device }))
    },
  )
})

describe('an AppID that is not configured', () => {
  test('is named when it looks like one', async () => {
    const { auth, wechat } = setUp()

    const response = await login(auth, {
      code: wechat.codeFor('alice'),
      app_id: 'wx00000000000000ff',
    })

    expect(response.status).toBe(400)
    expect(bodyOf(response)).toMatchObject({
      error: 'unknown_app',
      error_description: expect.stringContaining('wx00000000000000ff'),
    })
    expect(wechat.calls).toEqual([])
  })

  test.each([
    '<script>alert(1)</script>',
    'x y',
    'a\r\nb',
    '微信',
    'w'.repeat(65),
    '__proto__<',
    'toString()',
  ])('is not repeated when it is %j', async (appId) => {
    const { auth, wechat } = setUp()

    const response = await login(auth, { code: wechat.codeFor('alice'), app_id: appId })

    expect(bodyOf(response).error).toBe('unknown_app')
    expect(response.body).not.toContain(JSON.stringify(appId).slice(1, -1))
  })

  test.each(['__proto__', 'constructor', 'toString'])('is unknown when it is %s', async (appId) => {
    const { auth, wechat } = setUp()

    const response = await login(auth, { code: wechat.codeFor('alice'), app_id: appId })

    expect(bodyOf(response).error).toBe('unknown_app')
  })
})

describe('routes', () => {
  test.each(['/login', '/login/', '/login?', '/login?x=1', '/login/?x=/refresh'])(
    '%s is the login',
    async (path) => {
      const { auth, body } = setUpWithLogin()

      const response = await auth.handle(request({ path, body }))

      expect(response.status).toBe(200)
    },
  )

  test.each([
    '',
    '/',
    '/x',
    '/Login',
    '/login/x',
    '//login',
    '/login//',
    '/wx/login',
    '/__proto__',
    '/%6cogin',
    '/login%00',
  ])('%j is no route', async (path) => {
    const { auth, body } = setUpWithLogin()

    await expectMalformed(auth.handle(request({ path, body })), 404)
  })

  test.each(
    ['/login', '/refresh', '/logout'].flatMap((path) =>
      ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', ''].map(
        (method) => ({ path, method }),
      ),
    ),
  )('$method $path is answered with the method to use', async ({ path, method }) => {
    const { auth, body } = setUpWithLogin()

    const response = await auth.handle(request({ method, path, body }))

    expect(response.status).toBe(405)
    expect(response.headers.allow).toBe('POST')
    expect(bodyOf(response).error).toBe('invalid_request')
  })
})

describe('the type of a body', () => {
  test.each([
    'application/json',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'Application/JSON; Charset="utf-8"',
    ' application/json ; charset = utf-8 ',
  ])('%j is taken', async (type) => {
    const { auth, body } = setUpWithLogin()

    const response = await login(auth, body, { 'Content-Type': type })

    expect(response.status).toBe(200)
  })

  test.each([
    '',
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json2',
    'application/problem+json',
    'application/json; charset=gbk',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json; charset=utf-8; charset=gbk',
    'application/json, text/plain',
    'text/plain; application/json',
    'x-application/json',
  ])('%j is a 415', async (type) => {
    const { auth, wechat, body } = setUpWithLogin()

    await expectMalformed(login(auth, body, { 'Content-Type': type }), 415)
    expect(wechat.calls).toEqual([])
  })
})

describe('a body', () => {
  const bodies: Record<string, string | Uint8Array> = {
    'that is empty': '',
    'of a space': ' ',
    'cut short': '{"code":"',
    'with something behind': '{} {}',
    'in single quotes': "{'code':'x'}",
    'with a comment': '{/* hi */}',
    'that is an array': '[]',
    'that is an array of one': '[{"code":"x"}]',
    'that is null': 'null',
    'that is a number': '1',
    'that is a text': '"code"',
    'that is true': 'true',
    'nested too deep for nobody': '['.repeat(4000),
    'in UTF-16': Buffer.from('{"code":"x"}', 'utf16le'),
    'of NULs': Buffer.alloc(16),
  }

  test.each(Object.entries(bodies))('%s is malformed', async (_name, body) => {
    const { auth, events } = setUp()

    await expectMalformed(login(auth, body))
    expect(events.filter(({ type }) => type === 'failure')).toEqual([])
  })

  test.each([null, undefined, [], 'text', 1, Buffer.from('{}')])(
    'that a parser made into %j is malformed',
    async (parsed) => {
      const { auth } = setUp()

      await expectMalformed(auth.handle({ ...request(), body: { parsed } }))
    },
  )

  test.each([
    { name: 'a stray byte', bytes: [0xff] },
    { name: 'an overlong slash', bytes: [0xc0, 0xaf] },
    { name: 'half of a letter', bytes: [0xe5, 0xbe] },
    { name: 'a lone surrogate', bytes: [0xed, 0xa0, 0x80] },
  ])('whose only fault is $name, which is no UTF-8, is malformed', async ({ bytes }) => {
    const { auth, wechat, body } = setUpWithLogin()
    const [start = '', end = ''] = JSON.stringify({ ...body, device: '@' }).split('@')

    await expectMalformed(
      login(auth, Buffer.concat([Buffer.from(start), Buffer.from(bytes), Buffer.from(end)])),
    )
    expect(wechat.calls).toEqual([])
  })

  test('that is not there is malformed', async () => {
    const { auth } = setUp()

    await expectMalformed(auth.handle({ ...request(), body: undefined }))
  })

  test('that a parser has read is taken', async () => {
    const { auth, body } = setUpWithLogin()

    const response = await auth.handle({ ...request(), body: { parsed: body } })

    expect(response.status).toBe(200)
  })

  test('in many pieces, of bytes or text, is taken', async () => {
    const { auth, body } = setUpWithLogin()
    const text = JSON.stringify({ ...body, device: '手机' })
    async function* pieces() {
      for (const letter of text.slice(0, 20)) yield letter
      for (const byte of Buffer.from(text.slice(20))) yield Uint8Array.of(byte)
    }

    const response = await auth.handle({ ...request(), body: pieces() })

    expect(response.status).toBe(200)
  })

  test('of 8 KiB is taken, and one byte more is too large', async () => {
    const { auth, body } = setUpWithLogin()
    const padded = (bytes: number) => {
      const text = JSON.stringify({ ...body, input: '' })
      return text.replace('""', `"${'x'.repeat(bytes - text.length)}"`)
    }

    const tooLarge = await login(auth, padded(8193))
    const response = await login(auth, padded(8192))

    expect(tooLarge).toMatchObject({ status: 413, closes: true })
    expect(response.status).toBe(200)
  })

  test('of 8 KiB is counted in bytes, not in letters', async () => {
    const { auth, body } = setUpWithLogin()

    await expectMalformed(login(auth, { ...body, input: '微'.repeat(4000) }), 413)
  })

  test('that says it is too large is not read', async () => {
    const { auth } = setUp()
    let read = 0
    async function* endless() {
      for (;;) {
        read++
        yield Buffer.alloc(1024)
      }
    }

    await expectMalformed(
      auth.handle({ ...request({ headers: { 'Content-Length': '8193' } }), body: endless() }),
      413,
    )
    expect(read).toBe(0)
  })

  test('without an end is read up to the limit', async () => {
    const { auth } = setUp()
    let read = 0
    async function* endless() {
      for (;;) {
        read++
        yield Buffer.alloc(1024)
      }
    }

    await expectMalformed(auth.handle({ ...request(), body: endless() }), 413)
    expect(read).toBeLessThan(12)
  })

  test('of a length that is no number is counted as it comes', async () => {
    const { auth, body } = setUpWithLogin()

    const response = await login(auth, body, { 'Content-Length': 'eight' })

    expect(response.status).toBe(200)
  })

  test('that does not arrive in 15 seconds is a 408', async () => {
    vi.useFakeTimers()
    const { auth, body } = setUpWithLogin()
    async function* slow() {
      for (const letter of JSON.stringify(body)) {
        await new Promise((resolve) => setTimeout(resolve, 1000))
        yield letter
      }
    }

    const answer = auth.handle({ ...request(), body: slow() })
    await vi.advanceTimersByTimeAsync(15_001)
    const response = await answer

    expect(response).toMatchObject({ status: 408, closes: true })
    expect(bodyOf(response).error).toBe('invalid_request')
  })

  test('that arrives in time leaves no timer behind', async () => {
    vi.useFakeTimers()
    const { auth } = setUp()

    await login(auth, {})
    await login(auth, '{')

    expect(vi.getTimerCount()).toBe(0)
  })

  test('that breaks off is not a failure of the server', async () => {
    const { auth, events } = setUp()
    async function* broken() {
      yield '{"code":'
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
    }

    const response = await auth.handle({ ...request(), body: broken() })

    expect(bodyOf(response).error).toBe('invalid_request')
    expect(events.filter(({ type }) => type === 'failure')).toEqual([])
  })
})

describe('the members of a body', () => {
  const wrong: unknown[] = [null, 1, true, [], {}, ['x'], { toString: 'x' }]

  test.each(
    ['code', 'app_id'].flatMap((name) =>
      [undefined, '', ...wrong].map((value) => ({ name, value })),
    ),
  )('$name $value of a login is malformed', async ({ name, value }) => {
    const { auth, wechat, body } = setUpWithLogin()

    await expectMalformed(login(auth, { ...body, [name]: value }))
    expect(wechat.calls).toEqual([])
  })

  test.each(
    ['device', 'previous_refresh_token'].flatMap((name) => wrong.map((value) => ({ name, value }))),
  )('$name $value of a login is malformed', async ({ name, value }) => {
    const { auth, wechat, body } = setUpWithLogin()

    await expectMalformed(login(auth, { ...body, [name]: value }))
    expect(wechat.calls).toEqual([])
  })

  test.each(
    ['/refresh', '/logout'].flatMap((path) =>
      [undefined, '', ...wrong].map((value) => ({ path, value })),
    ),
  )('refresh_token $value of $path is malformed', async ({ path, value }) => {
    const { auth } = setUp()

    await expectMalformed(auth.handle(request({ path, body: { refresh_token: value } })))
  })

  test.each(['true', 1, 0, [], {}])(
    'everywhere %j of a logout is malformed',
    async (everywhere) => {
      const { auth } = setUp()
      const { refreshToken } = await signIn(auth, { openid: 'alice' })

      await expectMalformed(
        auth.handle(
          request({ path: '/logout', body: { refresh_token: refreshToken, everywhere } }),
        ),
      )
      await expect(auth.refresh({ refreshToken })).resolves.toBeDefined()
    },
  )

  test.each([
    '{"__proto__":{"code":"x","app_id":"y"}}',
    '{"constructor":{"prototype":{"code":"x","app_id":"y"}}}',
    '{"prototype":{"code":"x","app_id":"y"}}',
  ])('are its own: %s has no code, and changes no prototype', async (body) => {
    const { auth } = setUp()

    await expectMalformed(login(auth, body))
    expect(Reflect.get({}, 'code')).toBeUndefined()
  })

  test('that a parser let through a prototype are not seen', async () => {
    const { auth, body } = setUpWithLogin()

    await expectMalformed(auth.handle({ ...request(), body: { parsed: Object.create(body) } }))
  })

  test('that nobody asked for do nothing', async () => {
    const { auth, wechat } = setUp()
    const extra =
      '"__proto__":{"device":"evil"},"constructor":1,"user_id":"admin","sub":"admin","appId":"x"'
    const body = JSON.stringify(loginBody({ wechat })).replace('}', `,${extra}}`)

    const response = await login(auth, body)

    const [device] = await auth.sessions.list(String(bodyOf(response).user_id))
    expect(response.status).toBe(200)
    expect(bodyOf(response).user_id).not.toBe('admin')
    expect(device?.device).toBeUndefined()
  })
})

describe('the idempotency key', () => {
  const wrong = [
    undefined,
    '',
    'short',
    'x'.repeat(21),
    'x'.repeat(65),
    `${'x'.repeat(22)} `,
    `${'x'.repeat(22)}!`,
    `${'x'.repeat(22)}\n`,
    `"${'x'.repeat(22)}`,
    `${'x'.repeat(22)}"`,
    `'${'x'.repeat(22)}'`,
    `"${'x'.repeat(21)}"`,
    `""${'x'.repeat(22)}""`,
    '""',
    `${'x'.repeat(22)}, ${'x'.repeat(22)}`,
    'é'.repeat(22),
  ]

  test.each(['/login', '/refresh'].flatMap((path) => wrong.map((key) => ({ path, key }))))(
    '$key is refused on $path',
    async ({ path, key }) => {
      const { auth, wechat, body } = setUpWithLogin()
      const { refreshToken } = await signIn(auth, { openid: 'bob' })
      const sent = request({ path, body: { ...body, refresh_token: refreshToken } })
      const header = (name: string) =>
        name.toLowerCase() === 'idempotency-key' ? key : sent.header(name)

      const response = await auth.handle({ ...sent, header })

      expect(response.status).toBe(400)
      expect(bodyOf(response)).toMatchObject({
        error: 'invalid_request',
        error_description: expect.stringContaining('Idempotency-Key'),
      })
      expect(wechat.calls).toEqual([])
    },
  )

  test.each(['x'.repeat(22), 'x'.repeat(64), '0123456789-_abcdefABCDEF', `"${'x'.repeat(64)}"`])(
    '%s is taken',
    async (key) => {
      const { auth, body } = setUpWithLogin()

      const response = await login(auth, body, { 'Idempotency-Key': key })

      expect(response.status).toBe(200)
    },
  )

  test('makes a second login with the same code and key give the same session', async () => {
    const { auth, body } = setUpWithLogin()
    const key = newKey()

    const first = await login(auth, body, { 'Idempotency-Key': key })
    const second = await login(auth, body, { 'Idempotency-Key': key })

    expect(bodyOf(second).refresh_token).toBe(bodyOf(first).refresh_token)
  })

  test('makes a second refresh with the same key give the same token', async () => {
    const { auth } = setUp()
    const { refreshToken } = await signIn(auth, { openid: 'alice' })
    const sent = {
      path: '/refresh',
      headers: { 'Idempotency-Key': newKey() },
      body: { refresh_token: refreshToken },
    }

    const first = await auth.handle(request(sent))
    const second = await auth.handle(request(sent))

    expect(bodyOf(second).refresh_token).toBe(bodyOf(first).refresh_token)
    expect(bodyOf(first).refresh_token).not.toBe(refreshToken)
  })

  test('is the same with quotation marks around it, as the draft of the IETF has it', async () => {
    const { auth, wechat, body } = setUpWithLogin()
    const [key, refreshKey, pollKey] = [newKey(), newKey(), newKey()]

    const first = await login(auth, body, { 'Idempotency-Key': key })
    const second = await login(auth, body, { 'Idempotency-Key': `"${key}"` })
    const refresh = (key: string) =>
      auth.handle(
        request({
          path: '/refresh',
          headers: { 'Idempotency-Key': key },
          body: { refresh_token: bodyOf(first).refresh_token },
        }),
      )
    const third = await refresh(`"${refreshKey}"`)
    const fourth = await refresh(refreshKey)
    const byCall = await auth.login({ code: wechat.codeFor('bob'), idempotencyKey: `"${pollKey}"` })

    expect(bodyOf(second).refresh_token).toBe(bodyOf(first).refresh_token)
    expect(bodyOf(fourth).refresh_token).toBe(bodyOf(third).refresh_token)
    expect(byCall.token_type).toBe('Bearer')
  })

  test('of a logout may have them too: the token of one generation behind ends its session quietly', async () => {
    const { auth, events } = setUp()
    const { refreshToken } = await signIn(auth, { openid: 'alice' })
    const key = newKey()
    await auth.refresh({ refreshToken, idempotencyKey: key })

    const response = await auth.handle(
      request({
        path: '/logout',
        headers: { 'Idempotency-Key': `"${key}"` },
        body: { refresh_token: refreshToken },
      }),
    )

    expect(response.status).toBe(204)
    expect(events.map(({ type }) => type)).toContain('logout')
    expect(events.map(({ type }) => type)).not.toContain('revoked')
  })

  test('is not needed for a logout', async () => {
    const { auth } = setUp()
    const { refreshToken } = await signIn(auth, { openid: 'alice' })
    const sent = request({ path: '/logout', body: { refresh_token: refreshToken } })
    const header = (name: string) =>
      name.toLowerCase() === 'idempotency-key' ? undefined : sent.header(name)

    const response = await auth.handle({ ...sent, header })

    expect(response.status).toBe(204)
  })
})

describe('logout', () => {
  const logout = (auth: Auth, refreshToken: string, everywhere?: boolean) =>
    auth.handle(request({ path: '/logout', body: { refresh_token: refreshToken, everywhere } }))

  test('answers 204 without a body, and ends the session', async () => {
    const { auth } = setUp()
    const { refreshToken } = await signIn(auth, { openid: 'alice' })

    const response = await logout(auth, refreshToken)

    expect(response).toMatchObject({ status: 204, body: undefined })
    expect(response.headers['content-type']).toBeUndefined()
    expect(response.headers['content-length']).toBeUndefined()
    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ code: 'invalid_grant' })
  })

  test('answers 204 for every other text as well', async () => {
    const { auth } = setUp()
    const { refreshToken, accessToken } = await signIn(auth, { openid: 'alice' })
    const foreign = await signIn(setUp({ secret: 'a quite different secret of 1234567890' }).auth, {
      openid: 'alice',
    })
    await logout(auth, refreshToken)

    for (const token of [
      refreshToken,
      accessToken,
      foreign.refreshToken,
      'junk',
      '.',
      'x'.repeat(5000),
    ]) {
      expect((await logout(auth, token)).status).toBe(204)
    }
  })

  test('everywhere ends the other sessions of the user, and nobody else is touched', async () => {
    const { auth } = setUp()
    const phone = await signIn(auth, { openid: 'alice' })
    const tablet = await signIn(auth, { openid: 'alice' })
    const bob = await signIn(auth, { openid: 'bob' })

    await logout(auth, phone.refreshToken, true)

    await expect(auth.refresh(phone)).rejects.toMatchObject({ code: 'invalid_grant' })
    await expect(auth.refresh(tablet)).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'revoked',
    })
    await expect(auth.refresh(bob)).resolves.toBeDefined()
  })
})

describe('every answer', () => {
  async function answers(): Promise<Record<string, AuthResponse>> {
    const { auth, wechat, body } = setUpWithLogin()
    const { refreshToken } = await signIn(auth, { openid: 'alice' })
    const broken = setUp({ onLogin: () => Promise.reject(new Error('broken')) })
    wechat.fail(45011)
    return {
      'rate limited': await login(auth, { ...body, code: wechat.codeFor('bob') }),
      login: await login(auth, body),
      refresh: await auth.handle(
        request({ path: '/refresh', body: { refresh_token: refreshToken } }),
      ),
      'invalid grant': await auth.handle(
        request({ path: '/refresh', body: { refresh_token: 'junk' } }),
      ),
      logout: await auth.handle(
        request({ path: '/logout', body: { refresh_token: refreshToken } }),
      ),
      'no route': await auth.handle(request({ path: '/x' })),
      'wrong method': await auth.handle(request({ method: 'GET' })),
      'wrong type': await login(auth, body, { 'Content-Type': 'text/plain' }),
      'too large': await login(auth, 'x'.repeat(9000)),
      malformed: await login(auth, '['),
      'unknown app': await login(auth, { ...body, app_id: 'wx00000000000000ff' }),
      'server error': await login(broken.auth, loginBody(broken)),
      'no token': (await auth.guard(undefined)).response ?? expect.unreachable(),
      'not allowed':
        (
          await auth.guard((await signIn(auth, { openid: 'bob' })).headers.authorization, {
            allow: () => false,
          })
        ).response ?? expect.unreachable(),
    }
  }

  test('forbids to store it and to guess its type', async () => {
    for (const [name, { headers }] of Object.entries(await answers())) {
      expect(headers, name).toMatchObject({
        'cache-control': 'no-store',
        pragma: 'no-cache',
        'x-content-type-options': 'nosniff',
      })
    }
  })

  test('with a body is JSON in UTF-8 of the length that it says', async () => {
    for (const [name, { status, headers, body }] of Object.entries(await answers())) {
      if (status === 204) continue
      expect(headers['content-type'], name).toBe('application/json; charset=utf-8')
      expect(Number(headers['content-length']), name).toBe(Buffer.byteLength(body ?? ''))
      expect(JSON.parse(body ?? ''), name).toBeTypeOf('object')
    }
  })

  test('has header names in lower case and values in one line', async () => {
    for (const [name, { headers }] of Object.entries(await answers())) {
      for (const [header, value] of Object.entries(headers)) {
        expect(header, name).toBe(header.toLowerCase())
        expect(value, name).toMatch(/^[\x20-\x7e]+$/)
      }
    }
  })

  test('has the status of its error code', async () => {
    const all = await answers()

    const statuses = Object.fromEntries(
      Object.entries(all).map(([name, { status }]) => [name, status]),
    )
    expect(statuses).toEqual({
      'rate limited': 429,
      login: 200,
      refresh: 200,
      'invalid grant': 400,
      logout: 204,
      'no route': 404,
      'wrong method': 405,
      'wrong type': 415,
      'too large': 413,
      malformed: 400,
      'unknown app': 400,
      'server error': 500,
      'no token': 401,
      'not allowed': 403,
    })
  })

  test('asks for authentication where a token would help, and nowhere else', async () => {
    const all = await answers()

    expect(all['no token']?.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    expect(all['not allowed']?.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope"',
    )
    const asking = Object.values(all).filter(
      ({ headers }) => headers['www-authenticate'] !== undefined,
    )
    expect(asking).toHaveLength(2)
  })

  test('says when to come back where that is known', async () => {
    const all = await answers()

    const seconds = Number(all['rate limited']?.headers['retry-after'])
    expect(seconds).toBeGreaterThanOrEqual(60)
    expect(seconds).toBeLessThanOrEqual(96)
    expect(all['server error']?.headers['retry-after']).toBeUndefined()
  })

  // Phones obey to the second, so those that were turned away together must not come back together.
  test.each([
    ['wechat_unavailable', 2, 2, 5],
    ['wechat_unavailable', 10, 10, 16],
    ['store_unavailable', 0.2, 1, 4],
    ['store_unavailable', 4.5, 5, 8],
    ['rate_limited', 60, 60, 96],
    ['rate_limited', 3600, 3600, 5760],
  ] as const)('spreads the Retry-After of %s: %d s', async (code, base, earliest, latest) => {
    const { auth } = setUp({
      store: {
        ...createMemoryStore(),
        get: () => Promise.reject(new AuthError(code, 'Busy', { retryAfterSeconds: base })),
      },
    })
    const { access_token: token } = await auth.sessions.create({ account: { openid: 'alice' } })

    const seen: number[] = []
    for (let n = 0; n < 2000; n++) {
      const refused = await auth.guard(`Bearer ${token}`, { fresh: true })
      seen.push(Number(refused.response?.headers['retry-after']))
    }

    const range = latest - earliest
    expect(seen.every(Number.isInteger)).toBe(true)
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(earliest)
    expect(Math.max(...seen)).toBeLessThanOrEqual(latest)
    // Evenly: each quarter of the range has its share, give or take six times the chance deviation.
    for (const quarter of [0, 1, 2, 3]) {
      const [from, to] = [earliest + (range * quarter) / 4, earliest + (range * (quarter + 1)) / 4]
      const values = Array.from({ length: range + 1 }, (_, n) => earliest + n)
      const inQuarter = (second: number) => second >= from && (second < to || quarter === 3)
      const share = values.filter(inQuarter).length / values.length
      const count = seen.filter(inQuarter).length
      expect(Math.abs(count - 2000 * share)).toBeLessThan(6 * Math.sqrt(2000 * share * (1 - share)))
    }
  })
})

describe('a failure of the server', () => {
  const boom = () => {
    throw new Error('connect to db-7.internal as root failed')
  }
  const down = () => Promise.reject(new Error('connect to db-7.internal as root failed'))
  const memory = createMemoryStore()
  const rows: Record<
    string,
    { options: Parameters<typeof setUp>[0]; code: string; status: number }
  > = {
    'an onLogin that throws': { options: { onLogin: boom }, code: 'server_error', status: 500 },
    'claims that throw': { options: { claims: boom }, code: 'server_error', status: 500 },
    'a look-up of apps that throws': { options: { apps: boom }, code: 'server_error', status: 500 },
    'a store that throws': {
      options: { store: { ...memory, create: boom } },
      code: 'store_unavailable',
      status: 503,
    },
    'a store that rejects': {
      options: { store: { ...memory, create: down } },
      code: 'store_unavailable',
      status: 503,
    },
    'an onLogin that reports an outage': {
      options: {
        onLogin: () => {
          throw new AuthError('store_unavailable', 'connect to db-7.internal as root failed')
        },
      },
      code: 'store_unavailable',
      status: 503,
    },
    'a fetch that throws': { options: { fetch: down }, code: 'wechat_unavailable', status: 503 },
  }

  test.each(Object.entries(rows))(
    '%s tells the client nothing of its inside',
    async (_name, row) => {
      const { auth, wechat, events } = setUp(row.options)

      const response = await login(auth, loginBody({ wechat }))

      expect(response.status).toBe(row.status)
      expect(bodyOf(response)).toEqual({
        error: row.code,
        error_description:
          'The server could not serve this request; its console or its onEvent says why',
        request_id: expect.any(String),
      })
      const failures = events.filter(({ type }) => type === 'failure')
      expect(failures).toEqual([
        {
          type: 'failure',
          code: row.code,
          requestId: bodyOf(response).request_id,
          error: expect.any(AuthError),
        },
      ])
      expect(inspect(failures, { depth: 10 })).toContain('db-7.internal')
    },
  )

  test('in a guard has its request id in the event as well', async () => {
    const { auth, events } = setUp()
    const { headers } = await signIn(auth, { openid: 'alice' })

    const { response } = await auth.guard(headers.authorization, { allow: boom })

    expect(response?.status).toBe(500)
    expect(response?.body).not.toContain('db-7.internal')
    expect(events.at(-1)).toMatchObject({
      type: 'failure',
      requestId: response && bodyOf(response).request_id,
    })
  })

  test('has a request id of its own each time', async () => {
    const { auth, wechat } = setUp({ onLogin: boom })

    const first = await login(auth, loginBody({ wechat }))
    const second = await login(auth, loginBody({ wechat }))

    expect(bodyOf(second).request_id).not.toBe(bodyOf(first).request_id)
  })

  test('goes by the request id that the client gave, in the answer and in the event', async () => {
    const { auth, wechat, events } = setUp({ onLogin: boom })

    const response = await login(auth, loginBody({ wechat }), { 'X-Request-Id': 'a1B2_c-3' })

    expect(bodyOf(response).request_id).toBe('a1B2_c-3')
    expect(events.at(-1)).toMatchObject({ type: 'failure', requestId: 'a1B2_c-3' })
  })

  test.each(['', 'a b', '"', 'x'.repeat(65), 'é'])('%j is no request id', async (given) => {
    const { auth, wechat } = setUp({ onLogin: boom })

    const response = await login(auth, loginBody({ wechat }), { 'X-Request-Id': given })

    expect(bodyOf(response).request_id).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('is none when the client is to blame', async () => {
    const { auth, events } = setUp()

    await login(auth, '[')
    await auth.handle(request({ path: '/refresh', body: { refresh_token: 'junk' } }))
    await auth.guard('Bearer junk')

    expect(events.filter(({ type }) => type === 'failure')).toEqual([])
  })

  test('tells WeChat apart from the reason that only the operator learns', async () => {
    const { auth, wechat, events } = setUp()
    wechat.fail(40125)

    const response = await login(auth, loginBody({ wechat }))

    expect(bodyOf(response)).toMatchObject({ error: 'server_misconfigured' })
    expect(response.body).not.toMatch(/AppSecret|40125|rid/)
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'misconfigured', errcode: 40125 }),
    )
  })
})

test('a refusal by onLogin reaches the client with its reason', async () => {
  const { auth, wechat, events } = setUp({
    onLogin: () => {
      throw new AuthError('access_denied', 'This account is closed', { reason: 'closed' })
    },
  })

  const response = await login(auth, loginBody({ wechat }))

  expect(response.status).toBe(403)
  expect(bodyOf(response)).toEqual({
    error: 'access_denied',
    error_description: 'This account is closed',
    reason: 'closed',
  })
  expect(events.filter(({ type }) => type === 'failure')).toEqual([])
})

test.each([
  ['the data of a login', () => ({ data: { '\u2028': 'a\u2029b' } })],
  [
    'a refusal',
    () => {
      throw new AuthError('access_denied', 'closed\u2028', { reason: 'a\u2029b' })
    },
  ],
])(
  '%s leaves without raw line separators, on which some phones cannot parse it',
  async (_, onLogin) => {
    const { auth, wechat } = setUp({ onLogin })

    const { body, headers } = await login(auth, loginBody({ wechat }))

    expect(body).not.toMatch(/[\u2028\u2029]/)
    expect(JSON.stringify(JSON.parse(body ?? ''))).toMatch(/\u2028.*\u2029/)
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body ?? '')))
  },
)

describe('a malformed Authorization header is a 401, never a 500', () => {
  const listed = [
    '',
    ' ',
    'Bearer',
    'Bearer ',
    'Bearer  ',
    'bearer',
    'BearerX',
    'Bearer\tX',
    'Bearer X Y',
    'Bearer X,Y',
    'Bearer X, Bearer Y',
    'Bearer token=X',
    'Bearer "X"',
    'Basic dXNlcjpwYXNz',
    'Digest username="x"',
    'Token X',
    'X',
    '=',
    'null',
    'undefined',
    '[object Object]',
    'Bearer null',
    'Bearer undefined',
    'Bearer [object Object]',
    'Bearer a.b.c',
    'Bearer ..',
    'Bearer eyJhbGciOiJub25lIn0.e30.',
    'Bearer \u0000',
    'Bearer é.ü.ñ',
    'Bearer 微.信.登',
    'Bearer \ud800',
    'Bearer %00',
    'Bearer __proto__',
    'Bearer constructor',
    `Bearer ${'A'.repeat(100_000)}`,
    `Bearer ${' '.repeat(100_000)}x`,
    `Bearer x${' '.repeat(100_000)}y`,
    `Bearer ${'a.'.repeat(50_000)}`,
  ]

  const named = listed.map((header) => [JSON.stringify(header).slice(0, 60), header] as const)

  test.each(named)('%s', async (_name, authorization) => {
    const { auth, events } = setUp()

    const { response } = await auth.guard(authorization)

    expect(response?.status).toBe(401)
    expect(response?.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    expect(events.filter(({ type }) => type === 'failure')).toEqual([])
  })

  test('whatever 500 random texts are made of', async () => {
    const { auth, events } = setUp()
    const { headers } = await signIn(auth, { openid: 'alice' })
    // A small generator with a fixed seed, so that a failure comes again.
    let state = 42
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return Math.floor((state / 2 ** 31) * below)
    }
    const pieces = [
      'Bearer ',
      'bearer',
      ' ',
      '.',
      ',',
      '=',
      '\u0000',
      '\t',
      '\r\n',
      'é',
      '{',
      '"',
      'e30',
      'eyJhbGciOiJIUzI1NiJ9',
    ]

    for (let n = 0; n < 500; n++) {
      const cut = random(headers.authorization.length)
      const noise = Array.from({ length: random(8) + 1 }, () => pieces[random(pieces.length)]).join(
        '',
      )
      const at = random(2) === 0 ? 0 : cut
      const text = headers.authorization.slice(0, at) + noise + headers.authorization.slice(cut + 1)

      const { response } = await auth.guard(text)

      expect(response?.status, JSON.stringify(text)).toBe(401)
    }
    expect(events.filter(({ type }) => type === 'failure')).toEqual([])
  })

  test.each(['Bearer', 'bearer', 'BEARER'])(
    'while %s before a good token is accepted',
    async (scheme) => {
      const { auth } = setUp()
      const { accessToken } = await signIn(auth, { openid: 'alice' })

      const { response } = await auth.guard(`${scheme} ${accessToken}`)

      expect(response).toBeUndefined()
    },
  )
})
