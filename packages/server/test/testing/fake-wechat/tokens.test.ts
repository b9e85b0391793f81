import { fetch as undiciFetch } from 'undici'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { FakeWeChat } from '../../../src/testing/index.js'
import {
  type Answer,
  call,
  callAs,
  credentials,
  game,
  setUp,
  shop,
  stableToken,
  startAt,
  tokenOf,
} from './set-up.js'

function classicToken(wechat: FakeWeChat, app = wechat.app): Promise<Answer> {
  return call(wechat, 'GET /cgi-bin/token', { query: credentials(app) })
}

/** The errcode that an endpoint has for this token: 40003 says that the token was good. */
async function judge(wechat: FakeWeChat, token: string | undefined): Promise<number | undefined> {
  const query = token === undefined ? {} : { access_token: token }
  return (await call(wechat, 'GET /wxa/checksession', { query })).errcode
}

const good = 40003

test.each([
  ['/cgi-bin/token', classicToken],
  ['/cgi-bin/stable_token', stableToken],
])('%s gives a token for 7200 seconds, and no errcode', async (_, ask) => {
  const { wechat } = setUp()

  const answer = await ask(wechat)

  expect(answer).toEqual({ access_token: expect.any(String), expires_in: 7200 })
  expect(answer.access_token).toMatch(/^\d{2}_[\w-]{133}$/)
  expect(await judge(wechat, answer.access_token)).toBe(good)
})

test.each([
  ['nothing at all', { appid: '', secret: '', grant_type: '' }, 41002],
  ['no appid', { appid: '' }, 41002],
  ['no secret', { secret: '' }, 41004],
  ['no grant type', { grant_type: '' }, 40002],
  ['another grant type', { grant_type: 'authorization_code' }, 40002],
  ['an unknown AppID', { appid: 'wxffffffffffffffff' }, 40013],
  ['a wrong AppSecret', { secret: '0'.repeat(32) }, 40125],
  ['the AppSecret of another mini program', { secret: game.appSecret }, 40125],
])('%s is refused by both token endpoints', async (_, wrong, errcode) => {
  const { wechat } = setUp()
  const sent = { ...credentials(shop), ...wrong }

  const classic = await call(wechat, 'GET /cgi-bin/token', { query: sent })
  const stable = await call(wechat, 'POST /cgi-bin/stable_token', { body: sent })

  expect(classic.errcode).toBe(errcode)
  expect(stable.errcode).toBe(errcode)
})

test.each([
  ['no body', '', 44002],
  ['a form', 'grant_type=client_credential', 47001],
  ['half of an object', '{"appid":', 47001],
  ['an array', '[]', 47001],
  ['null', 'null', 47001],
  ['a text', '"appid"', 47001],
])('stable_token answers %s with its errcode', async (_, body, errcode) => {
  const { wechat } = setUp()

  const answer = await call(wechat, 'POST /cgi-bin/stable_token', { body })

  expect(answer.errcode).toBe(errcode)
})

test('stable_token wants a POST', async () => {
  const { wechat } = setUp()

  const stable = await call(wechat, 'GET /cgi-bin/stable_token', { query: credentials(shop) })

  expect(stable.errcode).toBe(43002)
  expect(stable.errmsg).toMatch(/^require POST method rid: /)
})

test.each([
  ['a missing token', undefined, 41001],
  ['an empty one', '', 41001],
  ['a malformed one', 'not a token', 40014],
  ['one that WeChat never gave out', `57_${'x'.repeat(133)}`, 40001],
])('other endpoints refuse %s', async (_, token, errcode) => {
  const { wechat } = setUp()

  expect(await judge(wechat, token)).toBe(errcode)
})

test('a token expires after its 7200 seconds', async () => {
  const { wechat, advance } = setUp()
  const { access_token: classic } = await classicToken(wechat)
  const { access_token: stable } = await stableToken(wechat)

  advance(7199)
  const before = [await judge(wechat, classic), await judge(wechat, stable)]
  advance(1)
  const after = [await judge(wechat, classic), await judge(wechat, stable)]

  expect(before).toEqual([good, good])
  expect(after).toEqual([42001, 42001])
})

test('each call to token gives a new one, and the old one works for five minutes more', async () => {
  const { wechat, advance } = setUp()
  const { access_token: first } = await classicToken(wechat)
  const { access_token: second } = await classicToken(wechat)

  advance(299)
  const inTime = await judge(wechat, first)
  advance(1)
  const late = await judge(wechat, first)

  expect(second).not.toBe(first)
  expect([inTime, late]).toEqual([good, 40001])
  expect(await judge(wechat, second)).toBe(good)
})

test('a third token does not prolong the first', async () => {
  const { wechat, advance } = setUp()
  const { access_token: first } = await classicToken(wechat)
  await classicToken(wechat)
  advance(200)
  await classicToken(wechat)

  advance(100)

  expect(await judge(wechat, first)).toBe(40001)
})

test('a successor does not prolong a token that is nearly over', async () => {
  const { wechat, advance } = setUp()
  const { access_token: first } = await classicToken(wechat)
  advance(7100)
  await classicToken(wechat)

  advance(100)

  expect(await judge(wechat, first)).toBe(42001)
})

test('stable_token answers with the same token and its remaining life', async () => {
  const { wechat, advance } = setUp()
  const first = await stableToken(wechat)

  advance(6899)
  const later = await stableToken(wechat)

  expect(later).toEqual({ access_token: first.access_token, expires_in: 301 })
})

test('in its last five minutes a stable token gets its successor, and both work for five', async () => {
  const { wechat, advance } = setUp()
  const first = await stableToken(wechat)
  advance(7000)
  const second = await stableToken(wechat)

  advance(299)
  const inTime = await judge(wechat, first.access_token)
  advance(1)
  const late = await judge(wechat, first.access_token)

  expect(second.access_token).not.toBe(first.access_token)
  expect(second.expires_in).toBe(7200)
  expect([inTime, late]).toEqual([good, 42001])
  expect(await judge(wechat, second.access_token)).toBe(good)
})

test('a stable token that was given out is good for more than 300 seconds', async () => {
  const { wechat, advance } = setUp()
  const lives: unknown[] = []

  for (let step = 0; step < 300; step++) {
    lives.push((await stableToken(wechat)).expires_in)
    advance(50)
  }

  expect(Math.min(...lives.map(Number))).toBe(350)
  expect(lives.filter((life) => life === 7200)).toHaveLength(3)
})

test('a stable token that nobody renewed is over, and the next is new', async () => {
  const { wechat, advance } = setUp()
  const first = await stableToken(wechat)
  advance(8000)

  const second = await stableToken(wechat)

  expect(second.expires_in).toBe(7200)
  expect(await judge(wechat, first.access_token)).toBe(42001)
})

test('forcing ends the old stable token at once', async () => {
  const { wechat } = setUp()
  const leaked = await stableToken(wechat)

  const fresh = await stableToken(wechat, { force: true })

  expect(fresh.expires_in).toBe(7200)
  expect(await judge(wechat, leaked.access_token)).toBe(40001)
  expect(await judge(wechat, fresh.access_token)).toBe(good)
  expect(await tokenOf(wechat)).toBe(fresh.access_token)
})

test('forcing ends a token in its last minutes as well', async () => {
  const { wechat, advance } = setUp()
  const leaked = await stableToken(wechat)
  advance(7000)
  await stableToken(wechat)

  await stableToken(wechat, { force: true })

  expect(await judge(wechat, leaked.access_token)).toBe(40001)
})

test('a token that had expired before stays an expired one', async () => {
  const { wechat, advance } = setUp()
  const old = await stableToken(wechat)
  advance(8000)

  await stableToken(wechat, { force: true })

  expect(await judge(wechat, old.access_token)).toBe(42001)
})

test('forcing again within 30 seconds gives the same token', async () => {
  const { wechat, advance } = setUp()
  const first = await stableToken(wechat, { force: true })
  advance(29)
  const tooSoon = await stableToken(wechat, { force: true })
  advance(1)
  const inTime = await stableToken(wechat, { force: true })

  expect(tooSoon).toEqual({ access_token: first.access_token, expires_in: 7171 })
  expect(inTime.access_token).not.toBe(first.access_token)
})

test('only true forces', async () => {
  const { wechat } = setUp()
  const { access_token: first } = await stableToken(wechat)

  for (const force of [false, 'true', 1, null]) {
    const body = { ...credentials(shop), force_refresh: force }
    const { access_token: next } = await call(wechat, 'POST /cgi-bin/stable_token', { body })
    expect(next).toBe(first)
  }
})

test('forcing works 20 times a day, and the day begins at midnight in China', async () => {
  const { wechat, advance } = setUp()
  const untilMidnight = 8 * 3600
  expect(new Date((startAt + untilMidnight) * 1000).toISOString()).toMatch(/T16:00:00/)

  const errcodes: unknown[] = []
  for (let time = 0; time < 20; time++) {
    errcodes.push((await stableToken(wechat, { force: true })).errcode)
    advance(30)
  }
  const before = await stableToken(wechat)
  const refused = await stableToken(wechat, { force: true })
  const after = await stableToken(wechat)
  advance(untilMidnight - 601)
  const stillToday = await stableToken(wechat, { force: true })
  advance(1)
  const tomorrow = await stableToken(wechat, { force: true })

  expect(errcodes).toEqual(Array(20).fill(undefined))
  expect(refused.errcode).toBe(45009)
  expect(after.access_token).toBe(before.access_token)
  expect(stillToday.errcode).toBe(45009)
  expect(tomorrow.expires_in).toBe(7200)
})

test('the limits of forcing hold for each mini program', async () => {
  const { wechat } = setUp()
  await stableToken(wechat, { force: true })
  const before = await tokenOf(wechat, game)

  const { access_token: forced } = await stableToken(wechat, { app: game, force: true })

  expect(forced).not.toBe(before)
})

test('tokens of the two endpoints know nothing of each other', async () => {
  const { wechat, advance } = setUp()
  const { access_token: classic } = await classicToken(wechat)
  const { access_token: stable } = await stableToken(wechat)
  await stableToken(wechat, { force: true })
  const forced = await tokenOf(wechat)

  await classicToken(wechat)
  const afterForcing = await judge(wechat, classic)
  advance(300)

  expect(afterForcing).toBe(good)
  expect(await judge(wechat, stable)).toBe(40001)
  expect(await tokenOf(wechat)).toBe(forced)
  expect(await judge(wechat, forced)).toBe(good)
})

test('each mini program has tokens of its own', async () => {
  const { wechat, advance } = setUp()
  const ofShop = await tokenOf(wechat, shop)
  const { access_token: classicOfGame } = await classicToken(wechat, game)

  const ofGame = await stableToken(wechat, { app: game, force: true })
  await classicToken(wechat, shop)
  advance(300)

  expect(ofGame.access_token).not.toBe(ofShop)
  expect(await judge(wechat, ofShop)).toBe(good)
  expect(await judge(wechat, classicOfGame)).toBe(good)
})

test('a fault comes before the look at the token', async () => {
  const { wechat } = setUp()
  wechat.fail(42001, { endpoint: 'GET /wxa/checksession' })

  const failed = await judge(wechat, await tokenOf(wechat))

  expect(failed).toBe(42001)
})

test('a route of your own learns which mini program calls', async () => {
  const route = vi.fn(() => ({ errcode: 0 }))
  const { wechat } = setUp({ routes: { 'POST /wxa/msg_sec_check': route } })

  await callAs(wechat, game, 'POST /wxa/msg_sec_check', { body: { content: '你好' } })

  expect(route).toHaveBeenCalledWith(
    expect.objectContaining({ body: '{"content":"你好"}' }),
    expect.objectContaining({ appId: game.appId }),
  )
})

test.each(['POST /wxa/msg_sec_check', 'GET /cgi-bin/get_api_domain_ip'])(
  'a bad token does not get as far as your %s',
  async (endpoint) => {
    const route = vi.fn(() => ({ errcode: 0 }))
    const { wechat, advance } = setUp({ routes: { [endpoint]: route } })
    const token = await tokenOf(wechat)
    advance(7200)
    const tokens = [undefined, 'x', `57_${'x'.repeat(133)}`, token]

    const errcodes: unknown[] = []
    for (const each of tokens) {
      const query = each === undefined ? {} : { access_token: each }
      errcodes.push((await call(wechat, endpoint, { query })).errcode)
    }

    expect(errcodes).toEqual([41001, 40014, 40001, 42001])
    expect(route).not.toHaveBeenCalled()
  },
)

test.each([
  'GET /cgi-bin/token',
  'POST /cgi-bin/stable_token',
  'GET /cgi-bin/gettoken',
  'POST /cgi-bin/component/api_component_token',
  'GET /cgi-bin/service/get_suite_token',
])('with tokens of your own from %s, your routes see every call', async (endpoint) => {
  const { wechat } = setUp({
    routes: {
      [endpoint]: () => ({ access_token: 'mine' }),
      'GET /wxa/checksession': ({ query }) => ({ seen: query.access_token }),
    },
  })

  const { access_token: token = '' } = await call(wechat, endpoint)
  const answer = await call(wechat, 'GET /wxa/checksession', { query: { access_token: token } })

  expect(answer).toEqual({ seen: 'mine' })
})

test('a route of your own wins over the one built in', async () => {
  const { wechat } = setUp({ routes: { 'GET /wxa/checksession': () => ({ errcode: -1 }) } })

  const { errcode } = await callAs(wechat, shop, 'GET /wxa/checksession')

  expect(errcode).toBe(-1)
})

test('on the listening server, tokens are JSON in application/json, and GET is 43002', async () => {
  const { wechat } = setUp()
  const server = await wechat.listen()
  onTestFinished(() => server.close())
  const url = `${server.url}/cgi-bin/stable_token`

  const given = await undiciFetch(url, { method: 'POST', body: JSON.stringify(credentials(shop)) })
  const refused = await undiciFetch(url)
  const chunked = await undiciFetch(url, {
    method: 'POST',
    body: new Blob([JSON.stringify(credentials(shop))]).stream(),
    duplex: 'half',
  })

  expect(given.headers.get('content-type')).toContain('application/json')
  expect(await given.json()).toEqual({ access_token: await tokenOf(wechat), expires_in: 7200 })
  expect(refused.status).toBe(200)
  expect(await refused.json()).toMatchObject({ errcode: 43002 })
  expect(chunked.status).toBe(412)
  expect(await chunked.text()).toBe('')
})
