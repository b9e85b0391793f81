import { createHmac } from 'node:crypto'
import { AuthError, createMemoryStore, type SessionStore } from '@wxlogin/server'
import { describe, expect, test } from 'vitest'
import { adminKey, setUpAdmin } from './admin-set-up.js'

describe("a backend in another language looks after its users' sessions", () => {
  test('it lists the devices of a user', async () => {
    const { ask, logIn, wechat } = await setUpAdmin()
    const phone = await logIn('7')
    await logIn('8')

    const { status, headers, body } = await ask('/sessions/list', { user_id: '7' })

    expect(status).toBe(200)
    expect(body).toEqual({
      sessions: [
        {
          session_id: phone.session_id,
          app_id: wechat.app.appId,
          kind: 'mini_program',
          method: 'code',
          created_at: 1_800_000_000,
          last_refresh_at: 1_800_000_000,
        },
      ],
    })
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  })

  test('a user id may be a number, as the backend has it', async () => {
    const { ask, logIn } = await setUpAdmin()
    const phone = await logIn('7')

    const listed = await ask('/sessions/list', { user_id: 7 })
    const account = await ask('/sessions/account', { ...phone, user_id: 7 })

    expect(listed.body).toEqual({
      sessions: [expect.objectContaining({ app_id: expect.any(String) })],
    })
    expect(account.status).toBe(200)
  })

  test('it ends one session of a user, for a reason', async () => {
    const { ask, logIn, events } = await setUpAdmin()
    const [phone, tablet] = [await logIn('7'), await logIn('7')]

    const { status, body } = await ask('/sessions/revoke', { ...phone, reason: 'lost_phone' })

    expect([status, body]).toEqual([200, { revoked: 1 }])
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'revoked',
        sessionId: phone.session_id,
        reason: 'lost_phone',
      }),
    )
    const left = await ask('/sessions/list', { user_id: '7' })
    expect(left.body).toMatchObject({ sessions: [{ session_id: tablet.session_id }] })
    expect((await ask('/sessions/revoke', phone)).body).toEqual({ revoked: 0 })
  })

  test('it ends all sessions of a user, or all but one', async () => {
    const { ask, logIn } = await setUpAdmin()
    const [, , kept] = [await logIn('7'), await logIn('7'), await logIn('7')]
    await logIn('8')

    const others = { user_id: '7', all: true, except: kept.session_id }

    expect((await ask('/sessions/revoke', others)).body).toEqual({ revoked: 2 })
    expect((await ask('/sessions/revoke', { user_id: '7', all: true })).body).toEqual({
      revoked: 1,
    })
    expect((await ask('/sessions/list', { user_id: '8' })).body).toMatchObject({
      sessions: [expect.anything()],
    })
  })

  test.each([
    ['no session', {}],
    ['a session that is null', { session_id: null }],
    ['an empty session', { session_id: '' }],
    ['both', { session_id: 'x', all: true }],
    ['all that is false', { all: false }],
    ['all that is null', { all: null }],
    ['all in words', { all: 'true' }],
    ['an exception to one', { session_id: 'x', except: 'y' }],
    ['an exception that is null', { all: true, except: null }],
    ['a member that there is not', { all: true, sessionId: 'x' }],
    ['a reason that is kept for us', { all: true, reason: 'expired' }],
    ['a reason that is a sentence', { all: true, reason: 'he asked us to' }],
  ])('a revocation with %s is refused, and ends nothing', async (_what, more) => {
    const { ask, logIn } = await setUpAdmin()
    await logIn('7')

    const { status, body } = await ask('/sessions/revoke', { user_id: '7', ...more })

    expect([status, body.error]).toEqual([400, 'invalid_request'])
    expect(body.error_description).toEqual(expect.any(String))
    expect((await ask('/sessions/list', { user_id: '7' })).body).toMatchObject({
      sessions: [expect.anything()],
    })
  })

  test('it forgets a user whose account was deleted', async () => {
    const { ask, logIn, events } = await setUpAdmin()
    const phone = await logIn('7')
    await logIn('7')

    const { body } = await ask('/users/forget', { user_id: '7' })

    expect(body).toEqual({ sessions: 2 })
    expect((await ask('/sessions/account', phone)).status).toBe(400)
    expect(events).toContainEqual({ type: 'forgotten', userId: '7', sessions: 2 })
  })

  test('it asks for the account of a session, to pay or to send a message', async () => {
    const { ask, logIn, auth, wechat } = await setUpAdmin()
    const phone = await logIn('7')
    const { openid } = await auth.sessions.account({ id: phone.session_id, userId: '7' })

    const { body } = await ask('/sessions/account', phone)

    expect(body).toMatchObject({ app_id: wechat.app.appId, kind: 'mini_program', openid })
  })

  test('a session that is over, or of another user, is none, and that is no matter of the key', async () => {
    const { ask, logIn } = await setUpAdmin()
    const [mine, other] = [await logIn('7'), await logIn('8')]
    await ask('/sessions/revoke', mine)
    const none = {
      error: 'invalid_grant',
      error_description: 'This user has no such session, or it has ended',
      reason: 'unknown',
    }

    for (const named of [
      mine,
      { user_id: '7', session_id: other.session_id },
      { user_id: '7', session_id: 'x'.repeat(22) },
      { user_id: 'nobody', session_id: other.session_id },
    ]) {
      const asked = [
        await ask('/sessions/account', named),
        await ask('/sessions/sign', { ...named, text: 'x' }),
        await ask('/tickets/issue', { ...named, audience: 'https://shop.example' }),
      ]
      for (const { status, headers, body } of asked) {
        expect([status, body]).toEqual([400, none])
        expect(headers.get('www-authenticate')).toBeNull()
      }
      expect((await ask('/sessions/revoke', named)).body).toEqual({ revoked: 0 })
    }
    expect((await ask('/sessions/account', other)).status).toBe(200)
  })

  test('it has a text signed under the session_key, which nobody sees', async () => {
    const { ask, logIn, auth, wechat } = await setUpAdmin()
    const phone = await logIn('7')
    const { openid } = await auth.sessions.account({ id: phone.session_id, userId: '7' })
    const sessionKey = wechat.sessionKeyOf('person 7')
    const sign = (text: string) => createHmac('sha256', sessionKey).update(text).digest('hex')

    const signed = await ask('/sessions/sign', { ...phone, text: '{"foo":"bar"}' })
    const empty = await ask('/sessions/sign', { ...phone, text: '', check_key: true })

    expect(signed.body).toEqual({ signature: sign('{"foo":"bar"}') })
    expect(empty.body).toEqual({ signature: sign('') })
    expect(signed.text + empty.text).not.toContain(sessionKey)
    expect(openid).not.toBe('')
  })

  test('a session_key that WeChat has replaced is said to be stale', async () => {
    const { ask, logIn, wechat } = await setUpAdmin()
    const phone = await logIn('7')
    wechat.rotateSessionKeyOf('person 7')

    const { status, body } = await ask('/sessions/sign', { ...phone, text: 'x', check_key: true })

    expect([status, body.error]).toEqual([409, 'stale_session_key'])
  })

  test('it tells a page in a web-view who is logged in, by a ticket that works once', async () => {
    const { ask, logIn, wechat } = await setUpAdmin({ claims: () => ({ role: 'member' }) })
    const phone = await logIn('7')
    const audience = 'https://shop.example'

    const issued = await ask('/tickets/issue', { ...phone, audience, ttl_seconds: 30 })
    const { ticket } = issued.body
    const elsewhere = await ask('/tickets/redeem', { ticket, audience: 'https://evil.example' })
    const redeemed = await ask('/tickets/redeem', { ticket, audience })
    const again = await ask('/tickets/redeem', { ticket, audience })

    expect(issued.body).toEqual({ ticket: expect.stringMatching(/^wxt\./), expires_in: 30 })
    expect([elsewhere.status, elsewhere.body.reason]).toEqual([400, 'unknown'])
    expect(redeemed.body).toEqual({
      ...phone,
      authenticated_at: 1_800_000_000,
      account: {
        app_id: wechat.app.appId,
        kind: 'mini_program',
        openid: expect.any(String),
        unionid: expect.any(String),
      },
      claims: { role: 'member' },
    })
    expect([again.status, again.body.error, again.body.reason]).toEqual([
      400,
      'invalid_grant',
      'used',
    ])
  })
})

describe('it calls WeChat', () => {
  const send = { method: 'POST', path: '/cgi-bin/message/subscribe/send' }

  test('and gets what WeChat said, openids included, but not the access token', async () => {
    const seen: unknown[] = []
    const { ask, wechat, auth } = await setUpAdmin({
      routes: {
        'POST /cgi-bin/message/subscribe/send': ({ body, query }) => {
          seen.push(JSON.parse(String(body)), query)
          return { errcode: 0, errmsg: 'ok', openid: 'oABCDEFGHIJKLMNOPQRSTUVWXYZ01', msgid: 9 }
        },
      },
    })
    const body = { touser: 'oABC', data: { thing1: { value: '小明\u2028' } } }

    const asked = await ask('/wechat/call', { ...send, body })

    expect([asked.status, asked.body]).toEqual([
      200,
      { errcode: 0, errmsg: 'ok', openid: 'oABCDEFGHIJKLMNOPQRSTUVWXYZ01', msgid: 9 },
    ])
    expect(seen[0]).toEqual(body)
    const { token } = await auth.wechat(wechat.app.appId).accessToken()
    expect(asked.text).not.toContain(token)
  })

  test('in the name of one mini program, which has to be one of its own', async () => {
    const { ask, wechat } = await setUpAdmin({
      routes: { 'GET /cgi-bin/get_api_domain_ip': () => ({ ip_list: ['1.2.3.4'] }) },
    })
    const call = { method: 'GET', path: '/cgi-bin/get_api_domain_ip' }

    const mine = await ask('/wechat/call', { ...call, app_id: wechat.app.appId })
    const other = await ask('/wechat/call', { ...call, app_id: 'wx9999999999999999' })
    const proto = await ask('/wechat/call', { ...call, app_id: '__proto__' })

    expect(mine.body).toEqual({ ip_list: ['1.2.3.4'] })
    expect([other.status, other.body.error]).toEqual([400, 'unknown_app'])
    expect([proto.status, proto.body.error]).toEqual([400, 'unknown_app'])
  })

  test('and decides by the errcode', async () => {
    const { ask, wechat, failures } = await setUpAdmin({
      routes: { 'POST /cgi-bin/message/subscribe/send': () => ({ errcode: 0 }) },
    })
    wechat.fail(43101, { endpoint: 'POST /cgi-bin/message/subscribe/send' })
    wechat.fail(45011, { endpoint: 'POST /cgi-bin/message/subscribe/send' })

    const refused = await ask('/wechat/call', { ...send, body: {} })
    const limited = await ask('/wechat/call', { ...send, body: {} })

    expect(refused.body).toMatchObject({
      error: expect.any(String),
      errcode: 43101,
      rid: expect.any(String),
    })
    expect([limited.status, limited.body.errcode]).toEqual([429, 45011])
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThanOrEqual(60)
    expect(failures.length).toBeLessThanOrEqual(1)
  })

  test('and gets a picture as a picture', async () => {
    const { ask } = await setUpAdmin()

    const { status, headers, text } = await ask('/wechat/file', {
      method: 'POST',
      path: '/wxa/getwxacodeunlimit',
      body: { scene: 'a=1' },
    })

    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^image\//)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(text.length).toBeGreaterThan(50)
  })

  test.each([
    '/cgi-bin/token',
    '/cgi-bin/stable_token',
    '/CGI-BIN/Stable_Token',
    '/cgi-bin/token/',
    '/sns/jscode2session',
    '/wxa/resetusersessionkey',
    '/cgi-bin/openapi/rid/get',
  ])('%s would answer a secret, and is not called', async (path) => {
    const { ask, wechat } = await setUpAdmin()

    const { status, body } = await ask('/wechat/call', { method: 'POST', path, body: {} })
    const file = await ask('/wechat/file', { method: 'GET', path })

    expect([status, body.error]).toEqual([403, 'insufficient_scope'])
    expect(file.status).toBe(403)
    expect(wechat.calls).toEqual([])
  })

  test.each([
    ['a member', { session_key: 'canary' }],
    ['a member of a member', { data: [{ component_access_token: 'canary' }] }],
    ['JSON in a text', { request: { response_body: '{"session_key":"canary"}' } }],
    ['a query in a text', { url: 'https://api.weixin.qq.com/x?access_token=canary' }],
    ['another spelling', { sessionKey: 'canary' }],
    ['one with a hyphen', { 'access-token': 'canary' }],
    ['an escaped query in a text', { url: 'https%3A%2F%2Fx%2F%3Faccess%5Ftoken%3Dcanary' }],
    ['XML in a text', { xml: '<access_token>canary</access_token>' }],
  ])('an answer with a secret as %s is not passed on', async (_what, answer) => {
    const { ask, failures } = await setUpAdmin({
      routes: { 'POST /wxa/made/up': () => answer },
    })

    const refused = await ask('/wechat/call', { method: 'POST', path: '/wxa/made/up', body: {} })

    expect([refused.status, refused.body.error]).toEqual([403, 'insufficient_scope'])
    expect(refused.text + JSON.stringify(failures)).not.toContain('canary')
  })

  test.each([
    ['JSON behind a line break', '\n{"access_token":"canary"}'],
    ['a list', '[{"session_key":"canary"}]'],
    ['a form', 'access_token=canary&expires_in=7200'],
    ['XML', '<xml><access_token>canary</access_token></xml>'],
  ])('and neither is a file that is a text with one: %s', async (_what, text) => {
    const { ask } = await setUpAdmin({
      routes: { 'POST /wxa/made/up': () => Buffer.from(text) },
    })

    const refused = await ask('/wechat/file', { method: 'POST', path: '/wxa/made/up', body: {} })

    expect([refused.status, refused.body.error]).toEqual([403, 'insufficient_scope'])
    expect(refused.text).not.toContain('canary')
  })

  test('nor the access token itself, whatever it is called', async () => {
    const { ask } = await setUpAdmin({
      routes: {
        'GET /wxa/echo': ({ query }) => ({ you_sent: [query.access_token] }),
        'GET /wxa/file': ({ query }) => Buffer.from(`you sent ${query.access_token}`),
      },
    })

    const echo = await ask('/wechat/call', { method: 'GET', path: '/wxa/echo' })
    const file = await ask('/wechat/file', { method: 'GET', path: '/wxa/file' })

    expect([echo.status, file.status]).toEqual([403, 403])
  })

  test.each([
    ['a method that WeChat has not', { method: 'DELETE', path: '/wxa/x' }],
    ['a whole URL', { method: 'GET', path: 'https://evil.example/x' }],
    ['dots', { method: 'GET', path: '/wxa/../cgi-bin/token' }],
    ['two slashes', { method: 'GET', path: '/cgi-bin//token' }],
    ['an escape', { method: 'GET', path: '/cgi-bin/%74oken' }],
    ['a query in the path', { method: 'GET', path: '/wxa/x?a=1' }],
    ['an access token of its own', { method: 'GET', path: '/wxa/x', query: { access_token: 'x' } }],
    ['a query that is no text', { method: 'GET', path: '/wxa/x', query: { a: 1 } }],
    ['a query that is a list', { method: 'GET', path: '/wxa/x', query: ['a'] }],
    ['a body with GET', { method: 'GET', path: '/wxa/x', body: {} }],
    ['a body that is a text', { method: 'POST', path: '/wxa/x', body: '{}' }],
    ['a body that is null', { method: 'POST', path: '/wxa/x', body: null }],
    [
      'a number that is another one by now',
      '{"method":"POST","path":"/wxa/x","body":{"order_id":1234567890123456789}}',
    ],
    ['an AppSecret', { method: 'GET', path: '/wxa/x', app_secret: 'x' }],
  ])('not with %s', async (_what, call) => {
    const { ask, wechat } = await setUpAdmin()

    const { status, body } = await ask('/wechat/call', call)

    expect([status, body.error]).toEqual([400, 'invalid_request'])
    expect(wechat.calls).toEqual([])
  })
})

describe('what the service cannot do now', () => {
  test('is a 503 that says what is wrong, for the operator owns both', async () => {
    const store: SessionStore = {
      ...createMemoryStore(),
      list: () => Promise.reject(new Error('READONLY canary')),
    }
    const { ask, failures } = await setUpAdmin({ store })

    const { status, body, text } = await ask(
      '/sessions/list',
      { user_id: '7' },
      { 'x-request-id': 'order-17' },
    )

    expect([status, body]).toEqual([
      503,
      {
        error: 'store_unavailable',
        error_description: 'The session store failed; see cause',
        request_id: 'order-17',
      },
    ])
    expect(text).not.toContain('canary')
    expect(failures).toMatchObject([
      { type: 'failure', code: 'store_unavailable', requestId: 'order-17' },
    ])
  })

  test('by a hook says when to come back', async () => {
    let isDown = false
    const { ask, logIn } = await setUpAdmin({
      claims: () => {
        if (isDown) throw new AuthError('temporarily_unavailable', 'The webhook does not answer')
        return {}
      },
    })
    const audience = 'https://shop.example'
    const { ticket } = (await ask('/tickets/issue', { ...(await logIn('7')), audience })).body
    isDown = true

    const { status, headers, body } = await ask('/tickets/redeem', { ticket, audience })

    expect([status, body.error]).toEqual([503, 'temporarily_unavailable'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(2)
  })
})

describe('whoever has no key', () => {
  const nobody = {
    error: 'invalid_token',
    error_description: 'The Authorization header must be "Bearer", a space and the admin key',
  }

  test.each([
    ['none', {}],
    ['an empty one', { authorization: '' }],
    ['no more than the scheme', { authorization: 'Bearer' }],
    ['another one', { authorization: `Bearer ${adminKey.replace('Q', 'R')}` }],
    ['the beginning of it', { authorization: `Bearer ${adminKey.slice(0, -1)}` }],
    ['more than it', { authorization: `Bearer ${adminKey}x` }],
    ['another case of it', { authorization: `Bearer ${adminKey.toLowerCase()}` }],
    ['it without the scheme', { authorization: adminKey }],
    ['it as a password', { authorization: `Basic ${btoa(`admin:${adminKey}`)}` }],
    ['it and another one', { authorization: `Bearer ${adminKey}, Bearer x` }],
    ['it behind another one', { authorization: `Basic eDp5, Bearer ${adminKey}` }],
    ['it before something', { authorization: `Bearer ${adminKey} x` }],
    ['it twice', { authorization: [`Bearer ${adminKey}`, `Bearer ${adminKey}`] }],
    ['it in another header', { 'x-api-key': adminKey }],
    ['it in a cookie', { cookie: `Authorization=Bearer ${adminKey}` }],
    ['the name of a prototype', { authorization: 'Bearer __proto__' }],
  ])('%s learns nothing, and changes nothing', async (_what, headers) => {
    const { askRaw, auth, logIn } = await setUpAdmin()
    const phone = await logIn('7')
    const body = JSON.stringify(phone)

    const answers = await Promise.all(
      ['/sessions/revoke', '/sessions/account', '/nowhere', '/'].map((path) =>
        askRaw({ path, headers: { authorization: [], ...headers }, body }),
      ),
    )

    for (const answer of answers) {
      expect([answer.status, answer.body]).toEqual([401, nobody])
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="wxlogin admin"/)
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
    expect(await auth.sessions.list('7')).toHaveLength(1)
  })

  test('one in the query is none', async () => {
    const { askRaw } = await setUpAdmin()

    for (const name of ['key', 'access_token', 'authorization']) {
      const path = `/sessions/list?${name}=${adminKey}`
      const answer = await askRaw({ path, headers: { authorization: [] }, body: '{"user_id":"7"}' })

      expect([answer.status, answer.body]).toEqual([401, nobody])
    }
  })

  test("a user's access token is none", async () => {
    const { ask, auth, wechat } = await setUpAdmin()
    const { access_token } = await auth.login({ code: wechat.codeFor('x'), input: '7' })

    const answer = await ask(
      '/sessions/list',
      { user_id: '7' },
      { authorization: `Bearer ${access_token}` },
    )

    expect([answer.status, answer.body]).toEqual([401, nobody])
  })

  test('hears so without a body of any size being read', async () => {
    const { askRaw } = await setUpAdmin()

    const answer = await askRaw({
      headers: { authorization: [], 'content-length': '100000000' },
      body: 'x',
    }).catch(String)

    expect(answer).toMatchObject({ status: 401 })
  })

  test('a list rotates: both pass, and nothing else', async () => {
    const next = 'N7cV2bX5zM8kJ1hG4fD6sA9pO3iU0yTr'
    const { ask } = await setUpAdmin({ keys: [next, adminKey] })
    const withKey = (key: string) =>
      ask('/sessions/list', { user_id: '7' }, { authorization: `bearer ${key}` })

    expect((await withKey(next)).status).toBe(200)
    expect((await withKey(adminKey)).status).toBe(200)
    expect((await withKey(`${next},${adminKey}`)).status).toBe(401)
  })
})

describe('with the key', () => {
  test.each([
    '/',
    '/sessions',
    '/sessions/list/',
    '//sessions/list/x',
    '/sessions%2Flist',
    '/Sessions/List',
    '/sessions/list/..',
    '/constructor',
    '/__proto__',
    '/sessions/__proto__',
    '/hasOwnProperty',
    '/wx/login',
    '/metrics',
  ])('%s is no route', async (path) => {
    const { askRaw } = await setUpAdmin()

    const { status, body } = await askRaw({ path, body: '{"user_id":"7"}' })

    expect([status, body.error, body.reason]).toEqual([404, 'invalid_request', 'no_route'])
  })

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is a 405', async (method) => {
    const { askRaw } = await setUpAdmin()

    const { status, headers } = await askRaw({ method })

    expect(status).toBe(405)
    expect(headers.get('allow')).toBe('POST')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  test('a query is refused, since it would be in logs', async () => {
    const { ask } = await setUpAdmin()

    const { status, body } = await ask('/sessions/list?user_id=7', { user_id: '7' })

    expect([status, body.error]).toEqual([400, 'invalid_request'])
  })

  test.each([
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a text', { 'content-type': 'text/plain' }],
    ['another charset', { 'content-type': 'application/json; charset=gbk' }],
    ['JSON of some kind', { 'content-type': 'application/problem+json' }],
    ['what is compressed', { 'content-encoding': 'gzip' }],
  ])('%s is a 415', async (_what, headers) => {
    const { askRaw } = await setUpAdmin()

    const { status, body } = await askRaw({ headers, body: '{"user_id":"7"}' })

    expect([status, body.reason]).toEqual([415, 'content_type'])
  })

  test.each([
    ['nothing', ''],
    ['no JSON', '{"user_id":'],
    ['a list', '["7"]'],
    ['null', 'null'],
    ['a text', '"7"'],
    ['bytes that are no UTF-8', Buffer.from('{"user_id":"\xff"}', 'latin1')],
    ['thousands of brackets', '['.repeat(60_000)],
    ['thousands of braces', '{"user_id":'.repeat(5_000)],
    ['no member', '{}'],
    ['a member too many', '{"user_id":"7","limit":1}'],
    ['the name of a prototype', '{"user_id":"7","__proto__":{"user_id":"8"}}'],
    ['another one', '{"user_id":"7","constructor":{}}'],
    ['a user that is null', '{"user_id":null}'],
    ['an empty user', '{"user_id":""}'],
    ['a user that is a list', '{"user_id":["7"]}'],
    ['a user that is an object', '{"user_id":{"toString":"7"}}'],
    ['a user that was rounded', '{"user_id":9007199254740993}'],
    ['a user that is half', '{"user_id":1.5}'],
    ['a user of more bytes than there are', `{"user_id":"${'用'.repeat(86)}"}`],
    ['half a character', '{"user_id":"\\ud800"}'],
  ])('%s as a body is a 400 that says what is allowed', async (_what, body) => {
    const { askRaw, failures } = await setUpAdmin()

    const answer = await askRaw({ body })

    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
    expect(answer.body.error_description).toMatch(/must be|may have|must not be/)
    expect(failures).toEqual([])
  })

  test('a body of more than 64 KiB is a 413, however it comes', async () => {
    const { askRaw } = await setUpAdmin()
    const body = JSON.stringify({ user_id: 'x'.repeat(65 * 1024) })

    const announced = await askRaw({ body })
    const chunked = await askRaw({ body, headers: { 'transfer-encoding': 'chunked' } })

    expect([announced.status, announced.body.reason]).toEqual([413, 'too_large'])
    expect([chunked.status, chunked.body.reason]).toEqual([413, 'too_large'])
  })

  test.each([
    ['//', 'POST'],
    ['//:', 'POST'],
    ['/sessions/list', 'TRACE'],
  ])('what is no request is a 400: %s by %s', async (path, method) => {
    const { askRaw } = await setUpAdmin()

    const { status, body } = await askRaw({ path, method })

    expect([status, body.error]).toEqual([400, 'invalid_request'])
  })

  test('one that is announced as larger is not waited for', async () => {
    const { askRaw } = await setUpAdmin()

    const answer = await askRaw({ headers: { 'content-length': '100000000' }, body: '{' }).catch(
      String,
    )

    expect(answer).toMatchObject({ status: 413 })
  })

  test('a body of 60 KB is read', async () => {
    const { ask, logIn } = await setUpAdmin()

    const { status } = await ask('/sessions/sign', {
      ...(await logIn('7')),
      text: 'x'.repeat(60_000),
    })

    expect(status).toBe(200)
  })

  test.each([
    [60, 200],
    [65, 400],
    [20_000, 400],
  ])('a body for WeChat that is %i levels deep is a %i', async (levels, wanted) => {
    const { ask } = await setUpAdmin({ routes: { 'POST /wxa/made/up': () => ({ errcode: 0 }) } })
    const deep = `{"method":"POST","path":"/wxa/made/up","body":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`

    const { status } = await ask('/wechat/call', deep)

    expect(status).toBe(wanted)
  })

  test('no text of a caller comes back', async () => {
    const { ask } = await setUpAdmin()

    const answers = await Promise.all([
      ask('/sessions/list', { user_id: '7', canary: 1 }),
      ask('/canary', {}),
      ask('/sessions/list', '{"canary'),
      ask('/sessions/account', { user_id: '7', session_id: 'canary' }),
      ask('/tickets/redeem', { ticket: 'canary', audience: 'canary' }),
      ask('/wechat/call', { method: 'canary', path: '/x' }),
    ])

    for (const { text } of answers) expect(text).not.toContain('canary')
  })
})
