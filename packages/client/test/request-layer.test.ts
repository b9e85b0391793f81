// Runs the code of docs/replace-your-request-layer.md, before and after, and counts what its tables say.
import { readFileSync } from 'node:fs'
import * as client from '@wxlogin/client'
import * as backend from '@wxlogin/client/backend'
import type { FakeNetworkResponse, FakeWx } from '@wxlogin/client/testing'
import { createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth } from '@wxlogin/server/fetch'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { transform } from 'esbuild'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { outcomes, times } from './set-up.js'
import { type Contract, contracts } from './translator/contracts.js'
import { descriptionOf } from './translator/descriptions.js'
import { type Answer, phoneWith, type Seen } from './translator/shop.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

type When = 'before' | 'after'

const guide = readFileSync(
  new URL('../../../docs/replace-your-request-layer.md', import.meta.url),
  'utf8',
)

/** The files of one section, by name, as they are before or after. */
function filesOf(section: string, when: When): ReadonlyMap<string, string> {
  const text = guide.split('\n## ').find((one) => one.startsWith(section)) ?? ''
  const blocks = text.matchAll(/^`([\w-]+)\.ts`, ([a-z ]+):\n\n```ts\n([\s\S]*?)^```$/gm)
  return new Map(
    [...blocks]
      .filter(([, , said = '']) => said.split(' ').includes(when))
      .map(([, name = '', , code = '']) => [name, code]),
  )
}

type Exports = { readonly [name: string]: never }

/** A mini program made of these files: requires one, and has its page or its app. */
async function miniProgram(sections: readonly string[], when: When, wx: FakeWx) {
  vi.stubGlobal('wx', wx)
  const files = new Map(sections.flatMap((section) => [...filesOf(section, when)]))
  const scripts = new Map<string, string>()
  for (const [name, code] of files) {
    scripts.set(name, (await transform(code, { loader: 'ts', format: 'cjs' })).code)
  }
  const known = new Map<string, unknown>([
    ['@wxlogin/client', client],
    ['@wxlogin/client/backend', backend],
    ['./backend', await descriptionOf('Tokens as a parameter')],
  ])
  const made: { page?: Exports; app?: Exports } = {}
  const load = (request: string): Exports => {
    if (!known.has(request)) {
      const script = scripts.get(request.replace('./', ''))
      if (script === undefined) throw new Error(`The guide has no ${request}, ${when}`)
      const module = { exports: {} }
      new Function('require', 'module', 'exports', 'wx', 'Page', 'App', script)(
        load,
        module,
        module.exports,
        wx,
        (page: Exports) => Object.assign(made, { page }),
        (app: Exports) => Object.assign(made, { app }),
      )
      known.set(request, module.exports)
    }
    return known.get(request) as Exports
  }
  return { load: (name: string): Exports => load(`./${name}`), made }
}

type Shelves = (shelf: number) => Promise<readonly object[]>
type Hook = { call(page: object, options?: object): Promise<void> }

const goods = [{ id: 1, title: '拿铁' }]

/** The backend as it was: a login of its own, and 401 for a token that it does not know. */
function oldBackend() {
  const tokens = new Set<string>()
  let issued = 0
  let lost = 0
  let isDeaf = false
  let refused = 0
  const answer = ({ path, header }: Seen): Answer => {
    if (path === '/login') {
      if (lost-- > 0) throw new Error('the connection broke')
      tokens.add(`token-${++issued}`)
      return { data: { code: 0, data: { token: `token-${issued}` } } }
    }
    if (isDeaf) {
      // A request takes its time, and after many the connection breaks.
      vi.setSystemTime(Date.now() + 500)
      if (++refused > 20) throw new Error('the connection broke')
    }
    const isGood = !isDeaf && tokens.has(String(header.authorization).replace('Bearer ', ''))
    return isGood ? { data: { code: 0, data: goods } } : { statusCode: 401, data: { code: 401 } }
  }
  return {
    ...phoneWith(answer),
    expire: () => tokens.clear(),
    loseLogin: () => {
      lost = 1
    },
    refuseAll: () => {
      isDeaf = true
    },
  }
}

/** The same backend with the routes of the server, whose clock can be put ahead. */
function newBackend(wrap = (response: FakeNetworkResponse) => response) {
  const wechat = createFakeWeChat()
  let aheadMs = 0
  let isCaptured = false
  let lost = 0
  let isDeaf = false
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'a secret for tests, 32 bytes and more',
    fetch: wechat.fetch,
    now: () => Date.now() + aheadMs,
  })
  const routes = authRoutes(auth, { basePath: '/wx' })
  const shelves = requireAuth(auth)(() => Response.json({ code: 0, data: goods }))
  const phone = phoneWith(() => ({}), {
    appId: wechat.app.appId,
    wechat,
    async network({ url, method, header, body }) {
      const request = new Request(url, { method, headers: { ...header }, ...(body && { body }) })
      const isAuth = new URL(url).pathname.startsWith('/wx/')
      if (isAuth && lost-- > 0) throw new Error('the connection broke')
      const headers = { 'www-authenticate': 'Bearer error="invalid_token"' }
      const response = isAuth
        ? await routes(request)
        : isDeaf
          ? new Response('{}', { status: 401, headers })
          : await shelves(request)
      if (isCaptured) return { statusCode: 200, header: {}, body: '<html>Welcome</html>' }
      return wrap({
        statusCode: response.status,
        header: Object.fromEntries(response.headers),
        body: await response.text(),
      })
    },
  })
  return {
    ...phone,
    endSessions: (userId: string) => auth.sessions.revoke({ userId }),
    capture: () => {
      isCaptured = true
    },
    expire() {
      aheadMs += 16 * 60_000
    },
    loseLogin: () => {
      lost = 1
    },
    refuseAll: () => {
      isDeaf = true
    },
  }
}

describe('services that call request()', () => {
  async function setUp(when: When) {
    const world = when === 'before' ? oldBackend() : newBackend()
    const { wx } = world
    const program = await miniProgram(['Services that call `request()`'], when, wx)
    const sent = (path: string) =>
      wx.control.requests.filter(({ url }) => new URL(url).pathname === path).length
    const goodsOf = program.load('goods').goodsOf as Shelves
    const launch = () => {
      program.load('app')
      return (Object(program.made.app).onLaunch as Hook).call({}, {})
    }
    return { ...world, ...program, sent, goodsOf, launch }
  }

  /** Logged in long enough ago. */
  async function loggedIn(when: When) {
    const world = await setUp(when)
    await world.goodsOf(0)
    vi.setSystemTime(Date.now() + 60_000)
    const loginsBefore = world.wx.control.calls.login
    return { ...world, logins: () => world.wx.control.calls.login - loginsBefore }
  }

  test('the services are not touched, and get what they got', async () => {
    expect(await (await setUp('before')).goodsOf(1)).toEqual(goods)
    expect(await (await setUp('after')).goodsOf(1)).toEqual(goods)
  })

  test('ten requests meet a dead token, before: ten logins, of which WeChat allows four', async () => {
    const world = await loggedIn('before')
    world.expire()

    const answers = await outcomes(times(10, world.goodsOf))

    expect(answers.filter((one) => one === 'ok')).toHaveLength(4)
    expect(world.logins()).toBe(10)
  })

  test('ten requests meet a dead token, after: one refresh, ten answers', async () => {
    const world = await loggedIn('after')
    world.expire()

    const answers = await outcomes(times(10, world.goodsOf))

    expect(answers).toEqual(times(10, () => 'ok'))
    expect(world.sent('/wx/refresh')).toBe(1)
    expect(world.logins()).toBe(0)
  })

  test.each([
    ['before', 'undefined'],
    ['after', 'ok'],
  ] as const)('the answer to a login is lost, %s', async (when, outcome) => {
    const world = await setUp(when)
    world.loseLogin()

    expect(await outcomes([world.goodsOf(1)])).toEqual([outcome])
  })

  test('the new token is refused as well, before: round and round', async () => {
    const world = await loggedIn('before')
    world.refuseAll()

    await outcomes([world.goodsOf(1)])

    expect(world.sent('/shelves/1/goods')).toBe(21)
    expect(world.logins()).toBe(20)
  })

  test('the new token is refused as well, after: one replay', async () => {
    const world = await loggedIn('after')
    world.refuseAll()

    expect(await outcomes([world.goodsOf(1)])).toEqual(['invalid_token'])
    expect(world.sent('/shelves/1/goods')).toBe(2)
  })

  test.each([
    ['before', 2],
    ['after', 1],
  ] as const)('a request meets the login of onLaunch, %s: %i logins', async (when, logins) => {
    const world = await setUp(when)

    void world.launch()
    await world.goodsOf(1)

    expect(world.wx.control.calls.login).toBe(logins)
  })

  test('who signs out meanwhile is logged in again, before', async () => {
    const world = await loggedIn('before')
    world.expire()

    const request = world.goodsOf(1)
    world.wx.removeStorageSync('token')
    await request

    expect(world.wx.getStorageSync('token')).toBe('token-2')
  })

  test('who signs out meanwhile stays signed out, after', async () => {
    const world = await loggedIn('after')
    world.expire()
    const { client } = world.load('client') as { readonly client: client.Client }

    const request = outcomes([world.goodsOf(1)])
    await client.logout()
    await request

    expect(await outcomes([world.goodsOf(1)])).toEqual(['signed_out'])
    expect(world.logins()).toBe(0)
  })
})

describe('a gateway in between', () => {
  /** What it makes of every answer: 200, and the status inside. */
  async function setUp() {
    const { wx, ...backend } = newBackend((response) => ({
      statusCode: 200,
      header: response.header,
      body: JSON.stringify({
        code: response.statusCode < 300 ? 0 : response.statusCode,
        msg: 'no',
        data: response.body === '' ? null : JSON.parse(String(response.body)),
      }),
    }))
    const { load } = await miniProgram(['A gateway in between'], 'after', wx)
    const { client } = load('client') as { readonly client: client.Client }
    return { ...backend, wx, client }
  }

  test('logins, renewals and their errors come through it, with the tenant', async () => {
    const { client, wx, expire, endSessions } = await setUp()
    await client.login()
    vi.setSystemTime(Date.now() + 60_000)
    expire()

    const answers = await outcomes(times(10, () => client.request({ url: '/shelves/1/goods' })))
    vi.setSystemTime(Date.now() + 60_000)
    expire()
    await endSessions(String(client.session()?.userId))
    const after = await outcomes([client.request({ url: '/shelves/1/goods' })])

    expect(answers).toEqual(times(10, () => 'ok'))
    expect(after).toEqual(['signed_out'])
    expect(new Set(wx.control.requests.map(({ header }) => header['tenant-id']))).toEqual(
      new Set(['1']),
    )
    expect(wx.control.calls.login).toBe(1)
  })

  test('a page of a Wi-Fi is no answer of it', async () => {
    const { client, capture } = await setUp()
    capture()

    expect(await outcomes([client.login()])).toEqual(['business'])
  })
})

describe('code that sends by itself', () => {
  test('gets a token, and shares the renewal of one that was refused', async () => {
    const { wx, expire } = newBackend()
    const sections = ['Services that call `request()`', 'Code that sends by itself']
    const { load } = await miniProgram(sections, 'after', wx)
    const withToken = load('sending').withToken as (
      send: (token: string) => Promise<number>,
      isRefused: (status: number) => boolean,
    ) => Promise<number>
    const sendByItself = (token: string) =>
      new Promise<number>((resolve, reject) => {
        wx.request({
          url: 'https://api.example.com/sdk',
          header: { Authorization: `Bearer ${token}` },
          success: ({ statusCode }) => resolve(statusCode),
          fail: reject,
        })
      })
    const send = () => withToken(sendByItself, (status) => status === 401)

    const first = await send()
    vi.setSystemTime(Date.now() + 60_000)
    expire()
    const later = await Promise.all(times(10, send))

    expect([first, ...later]).toEqual(times(11, () => 200))
    expect(wx.control.calls.login).toBe(1)
    expect(wx.control.requests.filter(({ url }) => url.endsWith('/wx/refresh'))).toHaveLength(1)
  })
})

describe('a backend of its own, and the token as a parameter', () => {
  async function setUp(when: When, isRegistered = true) {
    const contract = contracts
      .map((create) => create())
      .find(({ name }) => name === 'Tokens as a parameter') as Contract
    const pathOf = (path: string) => path.replace('/shop', '')
    const { wx, all } = phoneWith((seen) => {
      const path = pathOf(seen.path)
      const body =
        isRegistered && path.includes('/wxapp/') ? { ...seen.body, nick: 'Li' } : seen.body
      const isLogin = isRegistered && path.includes('/wxapp/')
      return contract.answer({ ...seen, path: isLogin ? '/user/wxapp/authorize' : path, body })
    })
    const pages: string[] = []
    Object.assign(wx, {
      navigateTo: ({ url }: { url: string }) => pages.push(url),
      navigateBack: () => pages.push('back'),
    })
    const program = await miniProgram(['A backend of its own'], when, wx)
    const open = async (name: string, hook: string, event?: object) => {
      program.load(name)
      const shown: object[] = []
      const page = { setData: (data: object) => shown.push(data) }
      await (Object(program.made.page)[hook] as Hook).call(page, event)
      return shown
    }
    return {
      ...program,
      wx,
      contract,
      pages,
      open,
      paths: () => all.map(({ path }) => pathOf(path)),
    }
  }

  test('a page asks whether the token lives, before', async () => {
    const { open, paths, wx } = await setUp('before')
    await open('orders', 'onShow')
    await vi.waitFor(() => expect(wx.getStorageSync('token')).not.toBe(''))

    expect(await open('orders', 'onShow')).toHaveLength(1)
    expect(paths().slice(1)).toEqual(['/user/check-token', '/order/list'])
  })

  test('and does not, after', async () => {
    const { open, paths } = await setUp('after')
    await open('consent', 'onAgree')
    await open('orders', 'onShow')

    expect(await open('orders', 'onShow')).toHaveLength(1)
    expect(paths()).toEqual(['/user/wxapp/login', '/order/list', '/order/list'])
  })

  test('a dead token shows nothing, before', async () => {
    const { open, contract, wx } = await setUp('before')
    await open('orders', 'onShow')
    await vi.waitFor(() => expect(wx.getStorageSync('token')).not.toBe(''))
    contract.expire()

    expect(await open('orders', 'onShow')).toEqual([])
  })

  test('and ten pages get their orders by one login, after', async () => {
    const { open, paths, contract } = await setUp('after')
    await open('consent', 'onAgree')
    vi.setSystemTime(Date.now() + 60_000)
    contract.expire()

    const shown = await Promise.all(times(10, () => open('orders', 'onShow')))

    expect(shown.map((one) => one.length)).toEqual(times(10, () => 1))
    expect(paths().filter((path) => path === '/user/wxapp/login')).toHaveLength(2)
  })

  test('nobody is logged in before the consent, and ten requests are refused without one', async () => {
    const { load, wx } = await setUp('after')
    const { client } = load('client') as { readonly client: client.Client }

    const codes = await outcomes(times(10, () => client.request({ url: '/order/list' })))

    expect(codes).toEqual(times(10, () => 'signed_out'))
    expect([wx.control.calls.login, wx.control.requests.length]).toEqual([0, 0])
  })

  test('who is not registered is led to the page that registers, which logs in', async () => {
    const { open, paths, pages } = await setUp('after', false)

    await open('consent', 'onAgree')
    await open('register', 'onRegister', { detail: { value: { nick: 'Li' } } })

    expect(pages).toEqual(['/pages/register/index', 'back'])
    expect(await open('orders', 'onShow')).toHaveLength(1)
    expect(paths()).toEqual(['/user/wxapp/login', '/user/wxapp/authorize', '/order/list'])
  })
})
