import type { AddressInfo } from 'node:net'
import express from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AuthError } from '../../src/index.js'
import { createWebLogin, type WebLoginOptions } from '../../src/web-login.js'
import { createClock, testSecret } from '../set-up.js'
import { account, setUpKinds, website } from './set-up.js'

const redirectUri = 'https://shop.example.com/wechat/callback?from=wechat'
const { appId, kind } = website

function setUpWeb(options: Partial<WebLoginOptions> = {}) {
  const clock = createClock()
  const app = { kind, appId }
  const web = createWebLogin({ app, redirectUri, secret: testSecret, now: clock.now, ...options })
  return { web, clock }
}

type Start = ReturnType<ReturnType<typeof setUpWeb>['web']['start']>

/** The browser that has begun the login comes back. */
const back = ({ state, setCookie }: Start, code = 'code-1') => ({
  url: `/wechat/callback?code=${code}&state=${state}`,
  cookie: setCookie.split(';')[0],
})

function failureOf(work: () => unknown): AuthError {
  try {
    work()
  } catch (error) {
    if (error instanceof AuthError) return error
    throw error
  }
  throw new Error('It did not fail')
}

describe('where the browser goes', () => {
  test('a website: to the QR code, with what WeChat wants', () => {
    const { url, state } = setUpWeb().web.start()

    expect(url).toBe(
      `https://open.weixin.qq.com/connect/qrconnect?appid=${appId}&redirect_uri=${encodeURIComponent(redirectUri)}&response_type=code&scope=snsapi_login&state=${state}#wechat_redirect`,
    )
  })

  test.each([undefined, 'snsapi_userinfo', 'snsapi_base'] as const)(
    'a page inside WeChat: to the consent, in the order that is fixed (scope %s)',
    (scope) => {
      const app = { kind: account.kind, appId: account.appId, ...(scope && { scope }) }

      const { url, state } = setUpWeb({ app }).web.start()

      expect(url).toBe(
        `https://open.weixin.qq.com/connect/oauth2/authorize?appid=${account.appId}&redirect_uri=${encodeURIComponent(redirectUri)}&response_type=code&scope=${scope ?? 'snsapi_userinfo'}&state=${state}#wechat_redirect`,
      )
    },
  )

  test('the state is what WeChat takes: letters and digits, at most 128, never the same', () => {
    const { web } = setUpWeb()

    const states = Array.from({ length: 100 }, () => web.start().state)

    for (const state of states) expect(state).toMatch(/^[a-zA-Z0-9]{32,128}$/)
    expect(new Set(states).size).toBe(100)
  })

  test('the cookie is out of reach of scripts, of other hosts, of plain http and of other sites', () => {
    const { setCookie } = setUpWeb().web.start()

    expect(setCookie).toMatch(
      /^__Host-wxlogin-[0-9a-f]{12}=[\w-]{22}\.[\w-]+; Path=\/; Max-Age=600; HttpOnly; Secure; SameSite=Lax$/,
    )
  })
})

describe('the callback', () => {
  test('of the browser that has begun it is what auth.login takes', () => {
    const { web } = setUpWeb()

    const { login, returnTo } = web.finish(back(web.start({ returnTo: '/orders?page=2#top' })))

    expect(login).toStrictEqual({
      code: 'code-1',
      appId,
      kind,
      idempotencyKey: expect.stringMatching(/^[\w-]{22,64}$/),
    })
    expect(returnTo).toBe('/orders?page=2#top')
  })

  test('that arrives twice has one idempotency key, and every login one of its own', () => {
    const { web } = setUpWeb()
    const [first, second] = [web.start(), web.start()]
    const keyOf = (start: Start) => web.finish(back(start)).login.idempotencyKey

    expect(keyOf(first)).toBe(keyOf(first))
    expect(keyOf(second)).not.toBe(keyOf(first))
  })

  test('tells its key to nobody who knows only the URL', () => {
    const { web } = setUpWeb()
    const start = web.start()
    const { idempotencyKey } = web.finish(back(start)).login

    expect(start.state).not.toContain(idempotencyKey)
    expect(start.setCookie).not.toContain(idempotencyKey)
  })

  test('finds its cookie among others, and two tabs do not get in each other’s way', () => {
    const { web } = setUpWeb()
    const [one, two] = [web.start({ returnTo: '/one' }), web.start({ returnTo: '/two' })]
    const cookie = `theme=dark; ${back(two).cookie};${back(one).cookie}; last=1`

    expect(web.finish({ ...back(one), cookie }).returnTo).toBe('/one')
    expect(web.finish({ ...back(two), cookie }).returnTo).toBe('/two')
  })

  test('is good for 10 minutes, and no longer', () => {
    const { web, clock } = setUpWeb()
    const callback = back(web.start())

    clock.advance(599)
    expect(web.finish(callback).returnTo).toBe('/')
    clock.advance(1)
    expect(failureOf(() => web.finish(callback))).toMatchObject({
      code: 'invalid_request',
      reason: 'state_expired',
    })
  })

  test('is good while its secret is in the ring', () => {
    const newer = `${testSecret}-newer`
    const callback = back(setUpWeb().web.start())

    expect(setUpWeb({ secret: [newer, testSecret] }).web.finish(callback).returnTo).toBe('/')
    expect(failureOf(() => setUpWeb({ secret: newer }).web.finish(callback))).toMatchObject({
      reason: 'state_unknown',
    })
  })

  const foreign: readonly (readonly [string, string, (start: Start, other: Start) => object])[] = [
    ['without a query', 'state_missing', () => ({ url: '/wechat/callback' })],
    ['without a URL', 'state_missing', () => ({ url: undefined })],
    ['without a state', 'state_missing', () => ({ url: '/?code=code-1' })],
    ['with an empty state', 'state_missing', () => ({ url: '/?code=code-1&state=' })],
    ['with a state of a tutorial', 'state_missing', () => ({ url: '/?code=c&state=STATE' })],
    ['of a browser without cookies', 'state_unknown', () => ({ cookie: undefined })],
    ['of a browser with other cookies', 'state_unknown', () => ({ cookie: 'theme=dark' })],
    ['with an empty cookie', 'state_unknown', (start) => ({ cookie: `${nameOf(start)}=` })],
    [
      'of another browser, to which an attacker has sent it',
      'state_unknown',
      (_start, other) => ({ cookie: back(other).cookie }),
    ],
    [
      'with the cookie of another login under the name of this one',
      'state_unknown',
      (start, other) => ({ cookie: `${nameOf(start)}=${cookieOf(other)}` }),
    ],
    [
      'with a path that somebody else has put into the cookie',
      'state_unknown',
      (start) => {
        const target = Buffer.from('//evil.example').toString('base64url')
        return { cookie: `${nameOf(start)}=${cookieOf(start).split('.')[0]}.${target}` }
      },
    ],
    [
      'with a later end',
      'state_unknown',
      ({ state }) => ({ url: `/?code=c&state=f${state.slice(1)}` }),
    ],
    [
      'with another signature',
      'state_unknown',
      ({ state }) => ({ url: `/?code=c&state=${state.slice(0, -1)}${flipped(state.at(-1))}` }),
    ],
  ]
  // Servers read a header as Latin-1, some platforms as UTF-8: each of these is white space to `trim` in one of them.
  const notBlank = ['\u00a0', '\ufeff', '\u2000', '\u2028', '\u3000', '\v', '\f']
  test.each(notBlank)(
    'with a cookie that another host has set, with %j before its name, is refused',
    (sign) => {
      const { web } = setUpWeb()
      const start = web.start()
      const cookie = `theme=dark; ${sign}${back(start).cookie}`

      expect(failureOf(() => web.finish({ ...back(start), cookie }))).toMatchObject({
        reason: 'state_unknown',
      })
    },
  )

  const nameOf = ({ setCookie }: Start) => setCookie.split('=')[0]
  const cookieOf = ({ setCookie }: Start) => setCookie.split(';')[0]?.split('=')[1] ?? ''
  const flipped = (digit = '') => (digit === '0' ? '1' : '0')

  test.each(foreign)('%s is refused: %s', (_what, reason, change) => {
    const { web } = setUpWeb()
    const start = web.start()
    const callback = { ...back(start), ...change(start, web.start()) }

    expect(failureOf(() => web.finish(callback))).toMatchObject({
      code: 'invalid_request',
      status: 400,
      reason,
      message: expect.stringContaining('start again'),
    })
  })

  test.each([
    ['another app', { app: { kind: 'website', appId: 'wx00000000000000ff' } }],
    ['another kind', { app: { kind: 'official_account', appId } }],
    ['another redirect', { redirectUri: 'https://shop.example.com/other' }],
  ] as const)('of %s is refused', (_what, options) => {
    const callback = back(setUpWeb(options).web.start())

    expect(failureOf(() => setUpWeb().web.finish(callback))).toMatchObject({
      reason: 'state_unknown',
    })
  })

  test('without a code is a user who has said no, and who stays signed in', () => {
    const { web } = setUpWeb()
    const start = web.start()
    const { cookie } = back(start)

    expect(failureOf(() => web.finish({ url: `/?state=${start.state}`, cookie }))).toMatchObject({
      code: 'access_denied',
      reason: 'declined',
      scope: 'attempt',
    })
  })
})

describe('the way back leads nowhere else', () => {
  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '\\\\evil.example',
    '/..//evil.example',
    '/./\\evil.example',
    '/a/../..//evil.example',
    'javascript:alert(1)',
    'evil.example',
    '',
    ' /orders',
    `/${'a'.repeat(1024)}`,
  ])('%j is refused', (returnTo) => {
    expect(failureOf(() => setUpWeb().web.start({ returnTo }))).toMatchObject({
      code: 'invalid_request',
    })
  })

  test.each([
    ['/orders', '/orders'],
    ['/订单?a=b c', '/%E8%AE%A2%E5%8D%95?a=b%20c'],
    ['/a/../b', '/b'],
    ['/?to=https://evil.example', '/?to=https://evil.example'],
    ['/line\r\nSet-Cookie: a=b', '/lineSet-Cookie:%20a=b'],
  ])('%j is %j', (returnTo, expected) => {
    const { web } = setUpWeb()

    expect(web.finish(back(web.start({ returnTo }))).returnTo).toBe(expected)
  })
})

describe('a wrong option says so at once', () => {
  test.each([
    ['an app without an AppID', { app: { kind } }, 'app.appId'],
    ['no app', { app: undefined }, 'app.appId'],
    ['a mini program', { app: { appId } }, 'website'],
    ['WeCom', { app: { appId, kind: 'wecom' } }, 'website'],
    ['another scope', { app: { appId, kind: 'official_account', scope: 'snsapi_login' } }, 'scope'],
    ['a short secret', { secret: 'short' }, 'secret'],
    ['a path for a URL', { redirectUri: '/wechat/callback' }, 'redirectUri'],
    ['plain http', { redirectUri: 'http://shop.example.com/' }, 'redirectUri'],
    ['a fragment', { redirectUri: 'https://shop.example.com/#/callback' }, 'redirectUri'],
    ['a user', { redirectUri: 'https://a:b@shop.example.com/' }, 'redirectUri'],
    ['an option that there is not', { redirectURL: 'https://a.example/' }, 'did you mean'],
  ])('%s', (_what, options, name) => {
    const create = () => setUpWeb(options as Partial<WebLoginOptions>)

    expect(create).toThrow(TypeError)
    expect(create).toThrow(name)
  })

  test('localhost needs no TLS', () => {
    expect(() => setUpWeb({ redirectUri: 'http://localhost:3000/callback' })).not.toThrow()
  })
})

test('in a browser, over real HTTP: a callback that comes twice is one login, and one that was planted is none', async () => {
  const { auth, wechat } = await setUpKinds({
    options: { onLogin: () => ({ userId: 7 }), now: Date.now },
  })
  const app = express()
  const web = createWebLogin({ app: website, redirectUri, secret: testSecret })
  app.get('/wechat', (req, res) => {
    const { url, setCookie } = web.start({ returnTo: String(req.query.to ?? '/') })
    res.setHeader('set-cookie', setCookie)
    res.redirect(url)
  })
  app.get('/wechat/callback', (req, res, next) => {
    const work = async () => {
      const { login, returnTo } = web.finish({ url: req.url, cookie: req.headers.cookie })
      const { user_id, refresh_token } = await auth.login(login)
      res.json({ user_id, refresh_token, returnTo })
    }
    work().catch(next)
  })
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((listening) => server.once('listening', listening))
  const { port } = server.address() as AddressInfo
  const get = (path: string, cookie = '') =>
    fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', headers: { cookie } })

  const begun = await get('/wechat?to=/orders')
  const cookie = begun.headers.get('set-cookie')?.split(';')[0]
  const location = new URL(begun.headers.get('location') ?? '')
  const state = location.searchParams.get('state')
  const callback = `/wechat/callback?code=${wechat.webCodeFor('alice', { appId })}&state=${state}`
  const [first, second] = await Promise.all([get(callback, cookie), get(callback, cookie)])
  const third = await get(callback, cookie)
  const planted = await get(callback)

  const answer = (await first.json()) as { refresh_token: string; returnTo: string }
  expect(answer.returnTo).toBe('/orders')
  expect(await second.json()).toEqual(answer)
  expect(await third.json()).toEqual(answer)
  expect(await auth.sessions.list(7)).toMatchObject([{ kind: 'website' }])
  expect(planted.status).toBe(400)
  expect(location.host).toBe('open.weixin.qq.com')
})
