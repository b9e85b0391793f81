import { createServer } from 'node:http'
import { createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth } from '@wxlogin/server/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../../src/dev/listen.js'
import { setUp } from './set-up.js'

const exchange = 'backend GET /sns/jscode2session 200 0'
const login = [exchange, 'phone POST /wx/login 200']

describe('a phone of the page', () => {
  test('logs in silently at launch, and asks for what is protected', async () => {
    const { act, wireOf, lastNote, sandbox } = await setUp()

    await act('ming', 'launch')
    const launched = wireOf()
    await act('ming', 'request')

    expect(launched).toEqual(login)
    expect(lastNote()).toBe('ok: answered 200, 2 of them')
    expect(wireOf()).toEqual(['phone GET /orders 200'])
    expect(sandbox.phones.list()[0]).toMatchObject({ user: { name: '小明 Ming' }, busy: 0 })
  })

  test('logs in once for ten requests', async () => {
    const { act, wireOf, lastNote } = await setUp()

    await act('hong', 'ten')

    expect(lastNote()).toBe('ok: all 10 answered')
    const wire = wireOf()
    expect(wire.slice(0, 2)).toEqual(login)
    expect(wire.slice(2)).toEqual(Array(10).fill('phone GET /orders 200'))
  })

  test('that binds the number of a customer goes on as that customer', async () => {
    const { act, lastNote, sandbox } = await setUp()
    await act('guest', 'launch')

    await act('guest', 'phone')

    expect(lastNote()).toBe('ok: the number is 小明 Ming’s')
    expect(sandbox.phones.list()[2]).toMatchObject({ user: { id: '1' } })
    await act('guest', 'request')
    expect(lastNote()).toBe('ok: answered 200, 3 of them')
  })

  test('stays signed out after a logout, until somebody logs in', async () => {
    const { act, wireOf, lastNote } = await setUp()
    await act('ming', 'launch')
    await act('ming', 'logout')
    wireOf()

    await act('ming', 'request')
    const refused = lastNote()
    const quiet = wireOf()
    await act('ming', 'login')

    expect(refused).toMatch(/^failed: signed_out \(logout\)/)
    expect(quiet).toEqual([])
    expect(wireOf()).toContain('phone POST /wx/login 200')
  })

  test('without a network reaches nobody, and goes on when there is one', async () => {
    const { act, wireOf, lastNote } = await setUp()
    await act('ming', 'launch')
    await act('ming', 'offline')
    wireOf()

    await act('ming', 'request')
    const refused = lastNote()
    const quiet = wireOf()
    await act('ming', 'offline')
    await act('ming', 'request')

    expect(refused).toMatch(/^failed: network/)
    expect(quiet).toEqual([])
    expect(wireOf()).toEqual(['phone GET /orders 200'])
  })

  test('in the background sends nothing', async () => {
    const { act, wireOf, lastNote } = await setUp()
    await act('ming', 'launch')
    await act('ming', 'background')
    wireOf()

    const request = act('ming', 'request')
    await act('ming', 'background')
    await request

    expect(lastNote()).toMatch(/^(ok|failed: interrupted)/)
  })

  test('launched again keeps its session', async () => {
    const { act, wireOf } = await setUp()
    await act('ming', 'launch')
    wireOf()

    await act('ming', 'launch')
    await act('ming', 'request')

    expect(wireOf()).toEqual(['phone GET /orders 200'])
  })

  test('in DevTools without an AppID logs in as the test user', async () => {
    const { act, wireOf, sandbox } = await setUp()

    await act('devtools', 'launch')

    expect(wireOf()).toEqual(login)
    expect(sandbox.phones.list()[3]).toMatchObject({ user: { name: '顾客 3 号 Guest 3' } })
  })
})

describe('on demand', () => {
  const phone = 'ming'
  const trouble = (name: string) => ({ do: 'trouble', name, phone })

  test.each([
    ['code-used', 40163],
    ['code-expired', 40029],
  ])('%s is answered with %i, and the client gets another code', async (name, errcode) => {
    const { act, order, wireOf, sandbox } = await setUp()

    await order(trouble(name))
    await act(phone, 'launch')

    expect(wireOf()).toEqual([
      `backend GET /sns/jscode2session 200 ${errcode}`,
      'phone POST /wx/login 400 invalid_code',
      ...login,
    ])
    expect(sandbox.phones.list()[0]).toHaveProperty('user')
  })

  test.each([
    ['wechat-down', 'backend GET /sns/jscode2session 502', 'wechat_unavailable'],
    ['wechat-busy', 'backend GET /sns/jscode2session 200 45011', 'rate_limited'],
  ])('%s lasts until it is over', async (name, atWeChat, code) => {
    const { act, order, wireOf, lastNote } = await setUp()

    await order(trouble(name))
    await act(phone, 'login')
    const refused = lastNote()
    const wire = wireOf()
    await order(trouble(name))
    await act(phone, 'login')

    expect(refused).toMatch(new RegExp(`^failed: ${code}`))
    expect(wire).toContain(atWeChat)
    expect(lastNote()).toMatch(/^ok/)
  })

  test('a slow WeChat takes its time', async () => {
    const { act, order, sandbox } = await setUp()

    await order(trouble('wechat-slow'))
    await act(phone, 'launch')

    const [call] = sandbox.log
      .entries()
      .flatMap((entry) => (entry.type === 'exchange' && entry.to === 'wechat' ? [entry] : []))
    expect(Number(call?.endedMs) - Number(call?.startedMs)).toBeGreaterThanOrEqual(1_990)
    expect(sandbox.phones.list()[0]).toHaveProperty('user')
  })

  test('the answer of WeChat is lost, and with it the code', async () => {
    const { act, order, wireOf, sandbox } = await setUp()

    await order(trouble('wechat-answer-lost'))
    await act(phone, 'login')

    expect(wireOf()[0]).toBe('backend GET /sns/jscode2session lost')
    await act(phone, 'login')
    expect(sandbox.phones.list()[0]).toHaveProperty('user')
  })

  test('the answer of a login is lost, and the same code with the same key gets the same session', async () => {
    const { act, order, wireOf } = await setUp()

    await order(trouble('answer-lost'))
    await act(phone, 'launch')

    expect(wireOf()).toEqual([
      exchange,
      'phone POST /wx/login withheld',
      'backend GET /sns/jscode2session 200 40163',
      'phone POST /wx/login 200',
    ])
  })

  test('an access token expires on the server, and the phone does not know', async () => {
    const { act, order, wireOf } = await setUp()
    await act(phone, 'launch')
    wireOf()

    await order(trouble('token-expired'))
    await act(phone, 'request')

    expect(wireOf()).toEqual([
      'phone GET /orders 401 invalid_token',
      'phone POST /wx/refresh 200',
      'phone GET /orders 200',
    ])
  })

  test('a session is revoked, and the phone does not log in by itself', async () => {
    const { act, order, wireOf, lastNote } = await setUp()
    await act(phone, 'launch')
    // Young tokens are not renewed.
    await order(trouble('token-expired'))
    wireOf()

    await order(trouble('session-revoked'))
    await act(phone, 'request')

    expect(lastNote()).toMatch(/^failed: signed_out \(revoked\)/)
    expect(wireOf()).not.toContain('phone POST /wx/login 200')
  })

  test('a session_key is replaced, and what it encrypted is told to be stale', async () => {
    const { act, order, lastNote } = await setUp()
    await act(phone, 'launch')
    await act(phone, 'open-data')
    const before = lastNote()

    await order(trouble('session-key-replaced'))
    await act(phone, 'open-data')

    expect(before).toBe('ok: answered 200, 1 of them')
    expect(lastNote()).toMatch(/^failed: stale_session_key/)
  })

  test('a phone number is denied, once', async () => {
    const { act, order, lastNote } = await setUp()
    await act(phone, 'launch')

    await order(trouble('phone-denied'))
    await act(phone, 'phone')
    const refused = lastNote()
    await act(phone, 'phone')

    expect(refused).toMatch(/^failed: phone_denied/)
    expect(lastNote()).toMatch(/^ok/)
  })
})

/** A backend that knows nothing of a login, not even that there is one. */
async function startShop() {
  const server = createServer(({ url }, res) => {
    res.writeHead(url === '/orders' ? 200 : 404).end('{}')
  })
  const listening = await listen(server, '127.0.0.1', 0)
  onTestFinished(listening.close)
  return listening
}

/** A backend of somebody's own: with an AppSecret that the sandbox has never heard of. */
async function startBackend(wechatUrl: () => string) {
  const auth = () =>
    createAuth({
      apps: [{ appId: 'wx00000000000000aa', appSecret: 'f'.repeat(32) }],
      secret: 'a secret for tests, 32 bytes and more',
      wechatHosts: [wechatUrl()],
    })
  let made: ReturnType<typeof auth> | undefined
  const server = createServer((req, res) => {
    made ??= auth()
    const guard = requireAuth(made)
    void authRoutes(made, { basePath: '/api/wx' })(req, res, () => {
      void guard(req, res, () => res.end('{"mine":true}'))
    })
  })
  const listening = await listen(server, '127.0.0.1', 0)
  onTestFinished(async () => {
    await made?.close()
    await listening.close()
  })
  return listening
}

describe('with a backend of one’s own', () => {
  test('phones reach it, and it reaches WeChat, whatever its AppSecret is', async () => {
    let wechatUrl = ''
    const backend = await startBackend(() => wechatUrl)
    const { act, wireOf, lastNote, sandbox } = await setUp({
      backend: backend.url,
      appId: 'wx00000000000000aa',
      authPath: '/api/wx',
      path: '/mine',
    })
    wechatUrl = sandbox.wechatUrl

    await act('ming', 'request')
    await act('devtools', 'request')

    expect(lastNote()).toBe('ok: answered 200')
    expect(wireOf()).toEqual([
      exchange,
      'phone POST /api/wx/login 200',
      'phone GET /mine 200',
      exchange,
      'phone POST /api/wx/login 200',
      'phone GET /mine 200',
    ])
  })

  test('beside a login service has all but the login routes', async () => {
    let wechatUrl = ''
    const service = await startBackend(() => wechatUrl)
    const backend = await startShop()
    const { act, wireOf, lastNote, sandbox } = await setUp({
      backend: backend.url,
      service: service.url,
      appId: 'wx00000000000000aa',
      authPath: '/api/wx',
    })
    wechatUrl = sandbox.wechatUrl

    await act('ming', 'request')

    expect(lastNote()).toBe('ok: answered 200')
    expect(wireOf()).toEqual([exchange, 'phone POST /api/wx/login 200', 'phone GET /orders 200'])
  })

  test('that is down is named, and the sandbox stays', async () => {
    const backend = await startBackend(() => '')
    await backend.close()
    const { act, wireOf, sandbox } = await setUp({ backend: backend.url })

    await act('ming', 'login')
    const answer = await fetch(`${sandbox.phoneUrl}/wx/login`, { method: 'POST' })

    expect(wireOf()).toContain('phone POST /wx/login unreachable')
    expect(answer.status).toBe(502)
    expect(await answer.text()).toContain(`nothing listens at ${backend.url}`)
  })
})
