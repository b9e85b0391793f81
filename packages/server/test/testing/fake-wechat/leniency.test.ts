import { fetch as undiciFetch } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import type { FakeWeChat, FakeWeChatApp } from '../../../src/testing/index.js'
import { type Answer, call, credentials, setUp, shop, tokenOf } from './set-up.js'

type Parameters = Readonly<Record<string, string>>
type Way = (wechat: FakeWeChat, path: string, parameters: Parameters) => Promise<Answer>

const form = (parameters: Parameters) => `${new URLSearchParams(parameters)}`

const ways: readonly (readonly [string, Way])[] = [
  ['a GET', (wechat, path, query) => call(wechat, `GET ${path}`, { query })],
  [
    'a POST with its parameters in the query',
    (wechat, path, query) => call(wechat, `POST ${path}`, { query }),
  ],
  [
    'a POST of a form',
    (wechat, path, parameters) => call(wechat, `POST ${path}`, { body: form(parameters) }),
  ],
  [
    'a POST with one half in the query and one in a form',
    (wechat, path, { grant_type = '', ...others }) =>
      call(wechat, `POST ${path}`, { query: { grant_type }, body: form(others) }),
  ],
  [
    'a base URL that ends in a slash',
    (wechat, path, query) => call(wechat, `GET /${path}`, { query }),
  ],
  [
    'a prefix that ends in a slash',
    (wechat, path, query) => call(wechat, `GET ${path.replace(/\/(?=[^/]*$)/, '//')}`, { query }),
  ],
]

function loginWith(app: FakeWeChatApp, code: string): Parameters {
  const { appId: appid, appSecret: secret } = app
  return { appid, secret, js_code: code, grant_type: 'authorization_code' }
}

test.each(ways)('code2Session takes %s', async (_, ask) => {
  const { wechat } = setUp()

  const answer = await ask(wechat, '/sns/jscode2session', loginWith(shop, wechat.codeFor('alice')))

  expect(answer).toMatchObject({ openid: wechat.openidOf('alice') })
})

test.each(ways)('/cgi-bin/token takes %s', async (_, ask) => {
  const { wechat } = setUp()

  const answer = await ask(wechat, '/cgi-bin/token', credentials(shop))

  expect(answer).toEqual({ access_token: expect.any(String), expires_in: 7200 })
})

test.each(ways)('the token is found in the query after %s', async (_, ask) => {
  const { wechat } = setUp()
  const { access_token: token = '' } = await ask(wechat, '/cgi-bin/token', credentials(shop))

  const { errcode } = await call(wechat, 'POST //wxa/business/getuserphonenumber', {
    query: { access_token: token },
    body: { code: wechat.phoneCodeFor('alice') },
  })

  expect(errcode).toBe(0)
})

test.each([
  ['a POST without any parameter', '', 41002],
  ['a POST of JSON, which is not read', JSON.stringify(credentials(shop)), 41002],
  ['a form without a secret', form({ ...credentials(shop), secret: '' }), 41004],
  ['a form with another AppSecret', form({ ...credentials(shop), secret: '0'.repeat(32) }), 40125],
])('/cgi-bin/token refuses %s', async (_, body, errcode) => {
  const { wechat } = setUp()

  const answer = await call(wechat, 'POST /cgi-bin/token', { body })

  expect(answer.errcode).toBe(errcode)
})

test('of a parameter that is sent twice, the query counts', async () => {
  const { wechat } = setUp()

  const answer = await call(wechat, 'POST /cgi-bin/token', {
    query: credentials(shop),
    body: form({ ...credentials(shop), appid: 'wxffffffffffffffff' }),
  })

  expect(answer.errcode).toBeUndefined()
})

test.each([
  ['a GET of stable_token', 'GET /cgi-bin/stable_token', 43002],
  ['a POST of /wxa/checksession', 'POST /wxa/checksession', 43001],
  ['a POST for the token of a website', 'POST /sns/oauth2/access_token', 43001],
  ['a PUT of /cgi-bin/token', 'PUT /cgi-bin/token', 43001],
])('nothing else is lenient: %s', async (_, endpoint, errcode) => {
  const { wechat } = setUp()

  const answer = await call(wechat, endpoint, { query: { access_token: await tokenOf(wechat) } })

  expect(answer.errcode).toBe(errcode)
})

test('a fault for an endpoint strikes whoever calls it in another way', async () => {
  const { wechat } = setUp()
  wechat.fail(-1, { endpoint: 'GET /cgi-bin/token', times: 2 })

  const posted = await call(wechat, 'POST /cgi-bin/token', { query: credentials(shop) })
  const doubled = await call(wechat, 'GET //cgi-bin/token', { query: credentials(shop) })
  const next = await call(wechat, 'GET /cgi-bin/token', { query: credentials(shop) })

  expect([posted.errcode, doubled.errcode, next.errcode]).toEqual([-1, -1, undefined])
})

test('a route of your own stands in for every way', async () => {
  const { wechat } = setUp({
    routes: { 'GET /sns/jscode2session': ({ query }) => ({ openid: query.js_code }) },
  })
  const openids: unknown[] = []

  for (const [, ask] of ways) {
    openids.push((await ask(wechat, '/sns/jscode2session', loginWith(shop, 'c1'))).openid)
  }

  expect(openids).toEqual(ways.map(() => 'c1'))
})

test('a route of your own for POST is the one that a POST reaches', async () => {
  const { wechat } = setUp({
    routes: { 'POST /sns/jscode2session': ({ body }) => ({ openid: body }) },
  })

  const posted = await call(wechat, 'POST /sns/jscode2session', { body: 'mine' })

  expect(posted).toEqual({ openid: 'mine' })
})

test('the log shows the call as it came, without its secrets', async () => {
  const { wechat } = setUp()

  await call(wechat, 'POST //cgi-bin/token', { body: form(credentials(shop)) })

  expect(wechat.calls).toEqual([
    expect.objectContaining({ method: 'POST', path: '//cgi-bin/token', query: {}, status: 200 }),
  ])
  expect(JSON.stringify(wechat.calls)).not.toContain(shop.appSecret)
})

test('the listening server is as lenient', async () => {
  const { wechat } = setUp()
  const server = await wechat.listen()
  onTestFinished(() => server.close())
  const body = new URLSearchParams(credentials(shop))

  const doubled = await undiciFetch(`${server.url}//cgi-bin/token?${body}`)
  const posted = await undiciFetch(`${server.url}//cgi-bin/token`, { method: 'POST', body })
  const root = await undiciFetch(`${server.url}//`)

  for (const response of [doubled, posted]) {
    expect(await response.json()).toEqual({ access_token: expect.any(String), expires_in: 7200 })
  }
  expect(root.status).toBe(404)
})
