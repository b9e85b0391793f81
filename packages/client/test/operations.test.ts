import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createClient } from '@wxlogin/client'
import { createFakeWx } from '@wxlogin/client/testing'
import {
  AuthError,
  type AuthEvent,
  type AuthOptions,
  createAuth,
  createMemoryStore,
} from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import ts from 'typescript'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { networkToAuth } from './networks.js'
import { baseUrl, outcomes } from './set-up.js'

// docs/operations/incidents.md and docs/security/profile-for-banks.md, played: what they say users feel is what happens.

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** The block of a page that has this text. */
function blockOf(page: string, text: string): string {
  const file = new URL(`../../../docs/${page}.md`, import.meta.url)
  const blocks = [...readFileSync(file, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
  const code = blocks.map(([, block = '']) => block).find((block) => block.includes(text))
  if (code === undefined) throw new Error(`${page} has no block with ${text}`)
  return code
}

/** A program of the runbooks, as it stands there. */
async function programOfPage(name: string, page = 'operations/incidents') {
  const code = blockOf(page, name)
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  })
  const module = await import(`data:text/javascript,${encodeURIComponent(outputText)}`)
  return module[name]
}

const oldSecret = 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0'
const newSecret = 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5uE0oNiMkPvXq'
const guards = (path: string) => (path === '/transfers' ? { maxAgeSeconds: 300 } : {})
const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)

/** A backend that can be deployed anew, on a store that stays, with phones before it. */
function setUp(options: Partial<AuthOptions> = {}) {
  const wechat = createFakeWeChat()
  const events: AuthEvent[] = []
  let store = createMemoryStore()
  const banned = new Set<string>()
  const common = {
    apps: [wechat.app],
    secret: oldSecret,
    fetch: wechat.fetch,
    onLogin({ openid }: { openid: string }) {
      const userId = openid === wechat.openidOf('li') ? 'li' : 'wang'
      if (banned.has(userId)) throw new AuthError('access_denied', 'banned', { reason: 'banned' })
      return { userId }
    },
    onEvent: (event: AuthEvent) => events.push(event),
    ...options,
  }
  let auth = createAuth({ ...common, store })

  function phone(user = 'li', storage: Iterable<readonly [string, string]> = []) {
    const wx = createFakeWx({
      wechat,
      user,
      network: networkToAuth(() => auth, guards),
    })
    for (const [key, value] of storage) wx.control.storage.set(key, value)
    const client = createClient({ baseUrl, wx })
    const opensOrders = async () => (await outcomes([client.request({ url: '/orders' })]))[0]
    const transfers = async () =>
      (await outcomes([client.request({ url: '/transfers', method: 'POST' })]))[0]
    return { wx, client, opensOrders, transfers, logins: () => wx.control.calls.login }
  }

  return {
    wechat,
    events,
    banned,
    phone,
    auth: () => auth,
    deploy(changes: Partial<AuthOptions>) {
      auth = createAuth({ ...common, store, ...changes })
    },
    loseStore() {
      store = createMemoryStore()
      auth = createAuth({ ...common, store })
    },
    of: (type: AuthEvent['type']) => events.filter((event) => event.type === type),
  }
}

describe('the AppSecret has leaked', () => {
  test('between its reset and the deploy nobody new gets in, and who is in notices nothing', async () => {
    let appSecret = ''
    const world = setUp({ apps: () => ({ appId: world.wechat.app.appId, appSecret }) })
    appSecret = world.wechat.app.appSecret
    const [inside, outside] = [world.phone('li'), world.phone('wang')]
    await inside.client.launch()

    // WeChat has another one now.
    appSecret = 'e'.repeat(32)
    pass(901)

    expect(await inside.opensOrders()).toBe('ok')
    expect(await outside.opensOrders()).toBe('server_misconfigured')
    expect(world.of('misconfigured')).toMatchObject([{ endpoint: 'code2Session', errcode: 40125 }])

    appSecret = world.wechat.app.appSecret
    await outside.client.login()
    expect(await outside.opensOrders()).toBe('ok')
    expect(inside.logins()).toBe(1)
  })
})

describe('secret has leaked', () => {
  test('with [new] at once everybody logs in again silently, and tokens made with the old one are worthless', async () => {
    const world = setUp()
    const phones = [world.phone('li'), world.phone('wang')]
    for (const { client } of phones) await client.launch()
    const stolen = await phones[0]?.client.token()

    world.deploy({ secret: [newSecret] })

    await expect(world.auth().authenticate(`Bearer ${stolen}`)).rejects.toMatchObject({
      code: 'invalid_token',
    })
    pass(60)
    for (const { opensOrders, client, logins } of phones) {
      expect(await opensOrders()).toBe('ok')
      expect(logins()).toBe(2)
      expect(client.session()?.userId).toMatch(/^(?:li|wang)$/)
    }
    expect(world.of('revoked')).toEqual([])
  })

  test('who signed out stays signed out, and who was revoked and does not know it yet comes back unless onLogin refuses', async () => {
    const world = setUp()
    const [signedOut, kicked, banned] = [world.phone('li'), world.phone('li'), world.phone('wang')]
    for (const { client } of [signedOut, kicked, banned]) await client.launch()
    await signedOut.client.logout()
    world.banned.add('wang')
    await world.auth().sessions.revoke({ userId: 'wang' })
    await world.auth().sessions.revoke({ userId: 'li' })

    world.deploy({ secret: [newSecret] })
    pass(60)

    expect(await signedOut.opensOrders()).toBe('signed_out')
    expect(await kicked.opensOrders()).toBe('ok')
    expect(await banned.opensOrders()).toBe('access_denied')
  })

  test('with the old one still in the list nothing is won: its tokens pass', async () => {
    const world = setUp()
    const { client } = world.phone()
    await client.launch()
    const stolen = await client.token()

    world.deploy({ secret: [newSecret, oldSecret] })

    await expect(world.auth().authenticate(`Bearer ${stolen}`)).resolves.toMatchObject({
      userId: 'li',
    })
  })
})

test('a rotation in three deploys is noticed by nobody', async () => {
  const world = setUp()
  const { client, opensOrders, logins } = world.phone()
  await client.launch()

  for (const secret of [[oldSecret, newSecret], [newSecret, oldSecret], [newSecret]]) {
    world.deploy({ secret })
    pass(901)
    expect(await opensOrders()).toBe('ok')
  }

  expect(logins()).toBe(1)
})

test('a signing key that has leaked is replaced at once, and nobody logs in again', async () => {
  const key = () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const world = setUp({ signingKeys: [key()] })
  const { client, opensOrders, logins } = world.phone()
  await client.launch()
  const stolen = await client.token()

  world.deploy({ signingKeys: [key()] })
  pass(60)

  await expect(world.auth().authenticate(`Bearer ${stolen}`)).rejects.toMatchObject({
    code: 'invalid_token',
  })
  expect(await opensOrders()).toBe('ok')
  expect(logins()).toBe(1)
})

describe('the store is lost', () => {
  test("with 'expiry' requests go on, and then everybody logs in once, silently", async () => {
    const world = setUp()
    const { client, opensOrders, logins } = world.phone()
    await client.launch()

    world.loseStore()

    expect(await opensOrders()).toBe('ok')
    expect(logins()).toBe(1)
    pass(901)
    expect(await opensOrders()).toBe('ok')
    expect(logins()).toBe(2)
    expect(world.of('refresh')).toMatchObject([{ outcome: 'refused', reason: 'unknown' }])
  })

  test("with 'immediate' the silent login comes at once", async () => {
    const world = setUp({ revocation: 'immediate' })
    const { client, opensOrders, logins } = world.phone()
    await client.launch()
    pass(60)

    world.loseStore()

    expect(await opensOrders()).toBe('ok')
    expect(logins()).toBe(2)
  })

  test('what was revoked is forgotten with it, and onLogin is what keeps the banned out', async () => {
    const world = setUp()
    const [kicked, banned] = [world.phone('li'), world.phone('wang')]
    for (const { client } of [kicked, banned]) await client.launch()
    world.banned.add('wang')
    await world.auth().sessions.revoke({ userId: 'wang' })
    await world.auth().sessions.revoke({ userId: 'li' })

    world.loseStore()
    pass(901)

    expect(await kicked.opensOrders()).toBe('ok')
    expect(await banned.opensOrders()).toBe('access_denied')
  })
})

test('while WeChat is down who is in stays in, and the others get in when it is back', async () => {
  const world = setUp()
  const [inside, outside] = [world.phone('li'), world.phone('wang')]
  await inside.client.launch()
  world.wechat.fail(-1, { times: Infinity })

  pass(901)
  expect(await inside.opensOrders()).toBe('ok')
  for (let n = 0; n < 5; n++) {
    expect(await outside.opensOrders()).toBe('wechat_unavailable')
    pass(400)
  }

  world.wechat.recover()
  pass(60)
  expect(await outside.opensOrders()).toBe('ok')
  expect(inside.logins()).toBe(1)
})

describe('the alarm of a stolen token', () => {
  test('ends the session for thief and user, and the user is in again without noticing', async () => {
    const world = setUp()
    const { wx, client, opensOrders, logins } = world.phone('li')
    await client.launch()
    const thief = world.phone('wang', wx.control.storage)

    // With the key that was copied, too, the first refresh of the phone is a retry, and the second one is not.
    for (let round = 0; round < 2; round++) {
      pass(901)
      expect(await thief.opensOrders()).toBe('ok')
      expect(thief.client.session()?.userId).toBe('li')
      pass(60)
      expect(await opensOrders()).toBe('ok')
    }

    expect(world.of('revoked')).toMatchObject([{ userId: 'li', reason: 'reused' }])
    expect(world.of('refresh')).toMatchObject([
      { outcome: 'rotated' },
      { outcome: 'retried' },
      { outcome: 'rotated' },
      { outcome: 'reused' },
    ])
    expect(logins()).toBe(2)
    pass(901)
    await thief.opensOrders()
    expect(thief.client.session()?.userId).not.toBe('li')
  })
})

describe('everybody is to log in anew', () => {
  test('revoked: each device shows the login, and none comes back by itself', async () => {
    const world = setUp()
    const phones = [world.phone('li'), world.phone('li'), world.phone('wang')]
    for (const { client } of phones) await client.launch()

    const signOutEverybody = await programOfPage('signOutEverybody')
    expect(await signOutEverybody(world.auth(), ['li', 'wang'])).toBe(3)
    pass(901)

    for (const { client, opensOrders } of phones) {
      expect(await opensOrders()).toBe('signed_out')
      await client.login()
      expect(await opensOrders()).toBe('ok')
    }
  })
})

describe('the profile for banks', () => {
  /** The numbers of the page, so that it cannot say others than are played here. */
  const numbers = Object.fromEntries(
    [...blockOf('security/profile-for-banks', 'createAuth(').matchAll(/(\w+): ([\d_ *]+),/g)].map(
      ([, name = '', product = '']) => [
        name,
        product.split('*').reduce((all, one) => all * Number(one.replaceAll('_', '')), 1),
      ],
    ),
  )
  const bank = (): ReturnType<typeof setUp> => setUp({ revocation: 'immediate', ...numbers })

  test('has an hour idle, half a day in all, and five minutes of access', () => {
    expect(numbers).toMatchObject({
      accessTtlSeconds: 300,
      idleTtlSeconds: 3600,
      absoluteTtlSeconds: 43_200,
    })
  })

  test('costs a user who comes back after lunch nothing', async () => {
    const { client, opensOrders, logins } = bank().phone()
    await client.launch()

    pass(2 * 3600)

    expect(await opensOrders()).toBe('ok')
    expect(client.session()?.userId).toBe('li')
    expect(logins()).toBe(2)
  })

  test('costs who uses it all day one silent login every half a day', async () => {
    const { client, opensOrders, logins } = bank().phone()
    await client.launch()

    for (let minutes = 0; minutes < 13 * 60; minutes += 10) {
      pass(600)
      expect(await opensOrders()).toBe('ok')
    }

    expect(logins()).toBe(2)
  })

  test('lets a copy of the storage die within an hour', async () => {
    const world = bank()
    const { wx, client } = world.phone('li')
    await client.launch()
    const copy = [...wx.control.storage]

    pass(3601)
    const thief = world.phone('wang', copy)

    await thief.opensOrders()
    expect(thief.client.session()?.userId).not.toBe('li')
  })

  test('lets a copy that is used all the time die within half a day', async () => {
    const world = bank()
    const { wx, client } = world.phone('li')
    await client.launch()
    const thief = world.phone('wang', wx.control.storage)
    let hours = 0

    for (; hours < 24; hours += 0.5) {
      pass(1800)
      await thief.opensOrders()
      if (thief.client.session()?.userId !== 'li') break
    }

    expect(hours).toBeGreaterThan(11)
    expect(hours).toBeLessThanOrEqual(12)
  })

  test('asks a copied token for a login that its holder cannot make', async () => {
    const world = bank()
    const { wx, client, transfers } = world.phone('li')
    await client.launch()
    pass(301)

    const thief = world.phone('wang', wx.control.storage)

    expect(await thief.transfers()).toBe('user_changed')
    expect(await transfers()).toBe('ok')
  })

  test('ends a session at once', async () => {
    const world = bank()
    const { client, opensOrders } = world.phone()
    await client.launch()
    pass(60)

    await world.auth().sessions.revoke({ userId: 'li' })

    expect(await opensOrders()).toBe('signed_out')
  })
})

describe('the metrics', () => {
  const types = [
    ...readFileSync(new URL('../../server/src/events.ts', import.meta.url), 'utf8').matchAll(
      /^ {2}readonly type: '(\w+)'$/gm,
    ),
  ].map(([, type]) => type)

  test.each(['metrics.md', 'metrics.zh-CN.md'])('of %s have a row for every event', (file) => {
    const page = readFileSync(new URL(`../../../docs/operations/${file}`, import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, type]) => type)

    expect([...new Set(rows)].sort()).toEqual([...types].sort())
  })

  test('count what happens, by labels that name nobody', async () => {
    const world = setUp({ maxSessionsPerUser: 1, claims: () => ({}) })
    const createMetrics = await programOfPage('createMetrics', 'operations/metrics')
    const counted: string[] = []
    const meter = createMetrics({
      count: (name: string, labels = {}) => counted.push(`${name} ${JSON.stringify(labels)}`),
      observe: (name: string, seconds: number) => {
        expect(seconds).toBeGreaterThanOrEqual(0)
        counted.push(name)
      },
    })
    const [phone, other] = [world.phone('li'), world.phone('li')]
    await phone.client.launch()
    pass(901)
    await phone.opensOrders()
    await other.client.launch()
    await other.client.logout()
    await world.auth().sessions.forget('li')

    for (const event of world.events) meter(event)

    expect(counted).toEqual(
      expect.arrayContaining([
        'wxlogin_logins_total {"by":"code","outcome":"created"}',
        'wxlogin_login_duration_seconds',
        'wxlogin_refreshes_total {"outcome":"rotated","reason":""}',
        'wxlogin_sessions_evicted_total {}',
        'wxlogin_logouts_total {"everywhere":"false"}',
        'wxlogin_users_forgotten_total {}',
        'wxlogin_wechat_duration_seconds',
      ]),
    )
    for (const { sessionId = 'none' } of world.events.map((event) => Object(event))) {
      expect(counted.join()).not.toContain(sessionId)
    }
    expect(counted.join()).not.toContain('"li"')
  })
})
