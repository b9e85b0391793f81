import { http } from 'msw'
import { setupServer } from 'msw/node'
import { fetch as undiciFetch } from 'undici'
import { expect, onTestFinished, test, vi } from 'vitest'
import {
  createFakeWeChat,
  type FakeWeChat,
  type FakeWeChatFault,
  type FakeWeChatOptions,
} from '../../../src/testing/index.js'

const startAt = 1_800_000_000
const endpoint = 'GET /sns/jscode2session'
const otherApp = { appId: 'wx0000000000000002', appSecret: 'f'.repeat(32) }

interface Answer {
  errcode?: number | string
  errmsg?: string
  openid?: string
  session_key?: string
  unionid?: string
}

function setUp(options: Omit<FakeWeChatOptions, 'now'> = {}) {
  let nowMs = startAt * 1000
  const wechat = createFakeWeChat({ ...options, now: () => nowMs })
  return {
    wechat,
    advance: (seconds: number) => {
      nowMs += seconds * 1000
    },
  }
}

async function setUpServer(options: Omit<FakeWeChatOptions, 'now'> = {}) {
  const { wechat } = setUp(options)
  const server = await wechat.listen()
  onTestFinished(() => server.close())
  return { wechat, server }
}

function setUpMsw(options: Omit<FakeWeChatOptions, 'now'> = {}) {
  const { wechat } = setUp(options)
  const server = setupServer(...wechat.handlers(http))
  server.listen({ onUnhandledRequest: 'error' })
  onTestFinished(() => server.close())
  return wechat
}

function urlOf(
  wechat: FakeWeChat,
  query: Record<string, string>,
  origin = 'https://api.weixin.qq.com',
) {
  const { appId, appSecret } = wechat.app
  const usual = { appid: appId, secret: appSecret, grant_type: 'authorization_code' }
  return `${origin}/sns/jscode2session?${new URLSearchParams({ ...usual, ...query })}`
}

async function exchange(wechat: FakeWeChat, code: string, query: Record<string, string> = {}) {
  const response = await wechat.fetch(urlOf(wechat, { js_code: code, ...query }))
  return (await response.json()) as Answer
}

test('a code is worth an openid and a session_key, and no errcode', async () => {
  const { wechat } = setUp()

  const answer = await exchange(wechat, wechat.codeFor('alice'))

  expect(Object.keys(answer).sort()).toEqual(['openid', 'session_key'])
  expect(answer.openid).toMatch(/^o[A-Za-z0-9_-]{27}$/)
  expect(answer.openid).toBe(wechat.openidOf('alice'))
  expect(Buffer.from(answer.session_key ?? '', 'base64')).toHaveLength(16)
  expect(answer.session_key).toHaveLength(24)
  expect(answer.session_key).toBe(wechat.sessionKeyOf('alice'))
})

test('a code is 32 letters and digits, each time new', () => {
  const { wechat } = setUp()

  const codes = Array.from({ length: 50 }, () => wechat.codeFor('alice'))

  expect(new Set(codes).size).toBe(50)
  for (const code of codes) expect(code).toMatch(/^[A-Za-z0-9]{32}$/)
})

test('business errors come with HTTP status 200, as JSON in text/plain', async () => {
  const { wechat } = setUp()

  const response = await wechat.fetch(urlOf(wechat, { js_code: 'unknown' }))

  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/plain')
  expect(await response.json()).toMatchObject({ errcode: 40029 })
})

test('an error message ends in a rid whose first group is the time', async () => {
  const { wechat } = setUp()

  const { errmsg } = await exchange(wechat, 'unknown')

  expect(errmsg).toMatch(/^invalid code, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/)
  expect(Number.parseInt(errmsg?.split('rid: ')[1]?.slice(0, 8) ?? '', 16)).toBe(startAt)
})

test('an error message may carry a hint', async () => {
  const { wechat } = setUp({ hints: true })

  const { errmsg } = await exchange(wechat, 'unknown')

  expect(errmsg).toMatch(/^invalid code, hint: \[[\w-]{16}\], rid: /)
})

test('an errcode without a known message has its rid alone', async () => {
  const { wechat } = setUp()
  wechat.fail(1007)

  const { errmsg } = await exchange(wechat, wechat.codeFor('alice'))

  expect(errmsg).toMatch(/^ rid: /)
})

test('outside /sns the rid follows without a comma, in application/json', async () => {
  const { wechat } = setUp()

  const response = await wechat.fetch('https://api.weixin.qq.com/cgi-bin/token?appid=wx&secret=s')

  expect(response.headers.get('content-type')).toContain('application/json')
  expect(await response.json()).toMatchObject({
    errmsg: expect.stringMatching(/^invalid grant_type rid: /),
  })
})

test.each([
  ['nothing at all', { appid: '', secret: '', js_code: '', grant_type: '' }, 41002],
  ['no appid', { appid: '' }, 41002],
  ['no secret', { secret: '' }, 41004],
  ['no code', { js_code: '' }, 41008],
  ['another grant type', { grant_type: 'client_credential' }, 40002],
  ['no grant type', { grant_type: '' }, 40002],
  ['an unknown AppID', { appid: 'wxffffffffffffffff' }, 40013],
  ['a wrong AppSecret', { secret: '0'.repeat(32) }, 40125],
  ['an unknown code', { js_code: 'x'.repeat(32) }, 40029],
])('%s is refused, and the code stays good', async (_, query, errcode) => {
  const { wechat } = setUp()
  const code = wechat.codeFor('alice')

  const refused = await exchange(wechat, code, query)

  expect(refused.errcode).toBe(errcode)
  expect(await exchange(wechat, code)).toHaveProperty('openid')
})

test('parameters that are left out count as missing', async () => {
  const { wechat } = setUp()

  const response = await wechat.fetch('https://api.weixin.qq.com/sns/jscode2session')

  expect(await response.json()).toMatchObject({ errcode: 41002 })
})

test('a code works once', async () => {
  const { wechat } = setUp()
  const code = wechat.codeFor('alice')
  await exchange(wechat, code)

  const again = await exchange(wechat, code)

  expect(again.errcode).toBe(40163)
})

test('a code of a client in the sandbox is one of the person sandbox, and works once', async () => {
  const { wechat } = setUp()
  const code = `sandbox-${'0-1'.repeat(7)}2`

  const first = await exchange(wechat, code)
  const again = await exchange(wechat, code)
  const other = await exchange(wechat, `sandbox-${'9'.repeat(22)}`)

  expect(first).toMatchObject({ openid: wechat.openidOf('sandbox') })
  expect(again.errcode).toBe(40163)
  expect(other).toMatchObject({ openid: wechat.openidOf('sandbox') })
})

test('a code of the sandbox that is too old stays so', async () => {
  const { wechat, advance } = setUp()
  const code = `sandbox-${'1'.repeat(22)}`
  await exchange(wechat, code)

  advance(300)

  expect((await exchange(wechat, code)).errcode).toBe(40029)
})

test.each([
  ['too short', `sandbox-${'1'.repeat(21)}`],
  ['too long', `sandbox-${'1'.repeat(23)}`],
  ['of other characters', `sandbox-${'.'.repeat(22)}`],
  ['of another beginning', `sandbux-${'1'.repeat(22)}`],
  ['the literal text of DevTools', 'the code is a mock one'],
])('a code that is %s is none of the sandbox', async (_, code) => {
  const { wechat } = setUp()

  expect((await exchange(wechat, code)).errcode).toBe(40029)
})

test('a mini program can take any AppSecret, but not none', async () => {
  const { wechat } = setUp({
    apps: [{ appId: 'wx00000000000000a1', appSecret: 'unknown', takesAnySecret: true }],
  })
  const secret = '0'.repeat(32)

  expect(await exchange(wechat, wechat.codeFor('alice'), { secret })).toHaveProperty('openid')
  expect((await exchange(wechat, wechat.codeFor('alice'), { secret: '' })).errcode).toBe(41004)
})

test('a code is good for five minutes', async () => {
  const { wechat, advance } = setUp()
  const inTime = wechat.codeFor('alice')
  const late = wechat.codeFor('alice')

  advance(299)
  const first = await exchange(wechat, inTime)
  advance(1)
  const second = await exchange(wechat, late)

  expect(first).toHaveProperty('openid')
  expect(second.errcode).toBe(40029)
})

test('a code is bound to its mini program', async () => {
  const { wechat } = setUp({ apps: [{ ...otherApp, appId: 'wx1' }, otherApp] })
  const code = wechat.codeFor('alice', { appId: otherApp.appId })

  const elsewhere = await exchange(wechat, code)
  const atHome = await exchange(wechat, code, { appid: otherApp.appId })

  expect(elsewhere.errcode).toBe(40029)
  expect(atHome.openid).toBe(wechat.openidOf('alice', { appId: otherApp.appId }))
})

test('each code gives the user a new session_key, also for codes issued before', async () => {
  const { wechat } = setUp()
  const first = wechat.codeFor('alice')
  const before = wechat.sessionKeyOf('alice')
  wechat.codeFor('alice')

  const { session_key: sessionKey } = await exchange(wechat, first)

  expect(sessionKey).not.toBe(before)
  expect(sessionKey).toBe(wechat.sessionKeyOf('alice'))
})

test('the session_key stays when rotation is switched off', async () => {
  const { wechat } = setUp({ rotateSessionKey: false })
  wechat.codeFor('alice')
  const before = wechat.sessionKeyOf('alice')

  const { session_key: sessionKey } = await exchange(wechat, wechat.codeFor('alice'))

  expect(sessionKey).toBe(before)
})

test('a session_key belongs to one user of one mini program', () => {
  const { wechat } = setUp({ apps: [{ ...otherApp, appId: 'wx1' }, otherApp] })
  wechat.codeFor('alice')
  wechat.codeFor('bob')
  wechat.codeFor('alice', { appId: otherApp.appId })

  const keys = [
    wechat.sessionKeyOf('alice'),
    wechat.sessionKeyOf('bob'),
    wechat.sessionKeyOf('alice', { appId: otherApp.appId }),
  ]

  expect(new Set(keys).size).toBe(3)
})

test('a user without a code has no session_key to ask for', () => {
  const { wechat } = setUp()

  expect(() => wechat.sessionKeyOf('alice')).toThrow(TypeError)
})

test('a person has the same openid in every run, and another one in each mini program', () => {
  const apps = [{ ...otherApp, appId: 'wx1' }, otherApp]
  const [first, second] = [createFakeWeChat({ apps }), createFakeWeChat({ apps })]

  const openid = first.openidOf('alice')

  expect(second.openidOf('alice')).toBe(openid)
  expect(first.openidOf('alice', { appId: otherApp.appId })).not.toBe(openid)
  expect(first.openidOf('bob')).not.toBe(openid)
})

test('an openid is taken as it is', async () => {
  const { wechat } = setUp()
  const openid = 'oGZUI0egBJY1zhBYw2KhdUfwVJJE'

  const answer = await exchange(wechat, wechat.codeFor(openid))

  expect(answer.openid).toBe(openid)
})

test('the openid of a named person stands for that person', async () => {
  const { wechat } = setUp({ apps: [{ ...otherApp, owner: 'acme' }] })
  const unionid = wechat.unionidOf('alice')

  const answer = await exchange(wechat, wechat.codeFor(wechat.openidOf('alice')))

  expect(answer).toMatchObject({ openid: wechat.openidOf('alice'), unionid })
})

test('mini programs of one owner share a unionid per person', async () => {
  const apps = [
    { appId: 'wx1', appSecret: 's1', owner: 'acme' },
    { appId: 'wx2', appSecret: 's2', owner: 'acme' },
    { appId: 'wx3', appSecret: 's3', owner: 'other' },
    { appId: 'wx4', appSecret: 's4' },
  ]
  const { wechat } = setUp({ apps })
  const loginTo = (appId: string, secret: string, person = 'alice') =>
    exchange(wechat, wechat.codeFor(person, { appId }), { appid: appId, secret })

  const inFirst = await loginTo('wx1', 's1')
  const inSecond = await loginTo('wx2', 's2')
  const bob = await loginTo('wx1', 's1', 'bob')
  const elsewhere = await loginTo('wx3', 's3')
  const unbound = await loginTo('wx4', 's4')

  expect(inFirst.unionid).toMatch(/^o[A-Za-z0-9_-]{27}$/)
  expect(inSecond.unionid).toBe(inFirst.unionid)
  expect(inSecond.openid).not.toBe(inFirst.openid)
  expect(bob.unionid).not.toBe(inFirst.unionid)
  expect(elsewhere.unionid).not.toBe(inFirst.unionid)
  expect(unbound).not.toHaveProperty('unionid')
  expect(wechat.unionidOf('alice', { appId: 'wx4' })).toBeUndefined()
})

test('a blocked person is refused, by name or by openid, and the code is used', async () => {
  const { wechat } = setUp()
  wechat.block('mallory')
  wechat.block(wechat.openidOf('trudy'))
  const code = wechat.codeFor('mallory')

  const byName = await exchange(wechat, code)
  const again = await exchange(wechat, code)
  const byOpenid = await exchange(wechat, wechat.codeFor('trudy'))
  const other = await exchange(wechat, wechat.codeFor('alice'))

  expect(byName.errcode).toBe(40226)
  expect(again.errcode).toBe(40163)
  expect(byOpenid.errcode).toBe(40226)
  expect(other).toHaveProperty('openid')
})

test.each([-1, 40013, 40125, 40164, 40226, 45009, 45011, 99999])(
  'errcode %i on demand leaves the code unused',
  async (errcode) => {
    const { wechat } = setUp()
    const code = wechat.codeFor('alice')
    wechat.fail(errcode)

    const failed = await exchange(wechat, code)

    expect(failed).toEqual({ errcode, errmsg: expect.stringMatching(/rid: [0-9a-f-]{26}$/) })
    expect(await exchange(wechat, code)).toHaveProperty('openid')
  },
)

test('an errcode may come as a string', async () => {
  const { wechat } = setUp()
  wechat.fail('40029')

  const { errcode, errmsg } = await exchange(wechat, wechat.codeFor('alice'))

  expect(errcode).toBe('40029')
  expect(errmsg).toMatch(/^invalid code, rid: /)
})

test('a fault lasts as many calls as asked for', async () => {
  const { wechat } = setUp()
  const code = wechat.codeFor('alice')
  wechat.fail(-1, { times: 2 })

  const answers = [
    await exchange(wechat, code),
    await exchange(wechat, code),
    await exchange(wechat, code),
  ]

  expect(answers.map(({ errcode }) => errcode)).toEqual([-1, -1, undefined])
})

test('faults queue up, and recovering forgets them all', async () => {
  const { wechat } = setUp()
  const code = wechat.codeFor('alice')
  wechat.fail(-1)
  wechat.fail(45011, { times: Number.POSITIVE_INFINITY })
  wechat.fail(45009)

  const answers = [
    await exchange(wechat, code),
    await exchange(wechat, code),
    await exchange(wechat, code),
  ]
  wechat.recover()

  expect(answers.map(({ errcode }) => errcode)).toEqual([-1, 45011, 45011])
  expect(await exchange(wechat, code)).toHaveProperty('openid')
})

test('a fault for one endpoint leaves the others alone', async () => {
  const { wechat } = setUp()
  wechat.fail(-1, { endpoint })

  const other = await wechat.fetch('https://api.weixin.qq.com/wxa/checksession')
  const failed = await exchange(wechat, wechat.codeFor('alice'))

  expect(await other.json()).toMatchObject({ errcode: 41001 })
  expect(failed.errcode).toBe(-1)
})

test.each([
  ['html', 200],
  ['html-502', 502],
] as const)('%s is a page instead of JSON, and the code stays good', async (fault, status) => {
  const { wechat } = setUp()
  const code = wechat.codeFor('alice')
  wechat.fail(fault)

  const response = await wechat.fetch(urlOf(wechat, { js_code: code }))

  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('text/html')
  expect(await response.text()).toMatch(/^<html>/)
  expect(await exchange(wechat, code)).toHaveProperty('openid')
})

test('a reply that is too large is right otherwise, and the code is used', async () => {
  const { wechat } = setUp()
  const code = wechat.codeFor('alice')
  wechat.fail('too-large')

  const text = await (await wechat.fetch(urlOf(wechat, { js_code: code }))).text()

  expect(Buffer.byteLength(text)).toBeGreaterThan(64 * 1024)
  expect(JSON.parse(text)).toHaveProperty('openid')
  expect((await exchange(wechat, code)).errcode).toBe(40163)
})

test('a connection dropped before processing was certainly refused, and the code stays good', async () => {
  const { wechat } = setUp()
  const code = wechat.codeFor('alice')
  wechat.fail('drop-before')

  const error = await exchange(wechat, code).catch((reason: unknown) => reason)

  expect(error).toBeInstanceOf(TypeError)
  expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'ECONNREFUSED' } })
  expect(await exchange(wechat, code)).toHaveProperty('openid')
})

test('a connection dropped after processing has used the code', async () => {
  const { wechat } = setUp()
  const code = wechat.codeFor('alice')
  wechat.fail('drop-after')

  const error = await exchange(wechat, code).catch((reason: unknown) => reason)

  expect(error).toBeInstanceOf(TypeError)
  expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'UND_ERR_SOCKET' } })
  expect((await exchange(wechat, code)).errcode).toBe(40163)
})

test('a redirect is handed over, refused, or followed, as fetch is told', async () => {
  const { wechat } = setUp()
  const url = urlOf(wechat, { js_code: wechat.codeFor('alice') })
  wechat.fail('redirect', { times: 3 })

  const manual = await wechat.fetch(url, { redirect: 'manual' })
  const refused = await wechat.fetch(url, { redirect: 'error' }).catch((reason: unknown) => reason)
  const followed = await wechat.fetch(url)

  expect(manual.status).toBe(302)
  expect(manual.headers.get('location')).toBe('/redirected')
  expect(refused).toBeInstanceOf(TypeError)
  expect(followed.status).toBe(404)
  expect(wechat.calls.map(({ path }) => path)).toEqual([
    '/sns/jscode2session',
    '/sns/jscode2session',
    '/sns/jscode2session',
    '/redirected',
  ])
})

test('a redirect without an end is given up', async () => {
  const { wechat } = setUp()
  wechat.fail('redirect', { times: Number.POSITIVE_INFINITY })

  await expect(exchange(wechat, wechat.codeFor('alice'))).rejects.toBeInstanceOf(TypeError)
  expect(wechat.calls).toHaveLength(21)
})

test('latency delays every answer, and one fault delays one', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const { wechat } = setUp({ latencyMs: 300 })
  wechat.fail({ latencyMs: 2000 })
  const timed = async () => {
    const startedAt = performance.now()
    const answer = exchange(wechat, wechat.codeFor('alice'))
    await vi.runAllTimersAsync()
    return [Object.keys(await answer), performance.now() - startedAt]
  }

  const first = await timed()
  const second = await timed()

  expect(first).toEqual([['session_key', 'openid'], 2000])
  expect(second).toEqual([['session_key', 'openid'], 300])
})

test.each<[string, FakeWeChatFault]>([
  ['a late answer', { latencyMs: 60_000 }],
  ['an answer that never comes', 'never-answer'],
])('%s ends with the reason of the signal, and the code is used', async (_, fault) => {
  const { wechat } = setUp()
  const code = wechat.codeFor('alice')
  const controller = new AbortController()
  const reason = new Error('given up')
  wechat.fail(fault)

  const waiting = wechat.fetch(urlOf(wechat, { js_code: code }), { signal: controller.signal })
  await vi.waitFor(() => expect(wechat.calls).toHaveLength(1))
  controller.abort(reason)

  await expect(waiting).rejects.toBe(reason)
  expect((await exchange(wechat, code)).errcode).toBe(40163)
})

test('giving up on a late answer leaves no timer behind', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const { wechat } = setUp({ latencyMs: 60_000 })
  const controller = new AbortController()
  const url = urlOf(wechat, { js_code: wechat.codeFor('alice') })

  const waiting = wechat.fetch(url, { signal: controller.signal })
  await vi.advanceTimersByTimeAsync(1)
  const timersBefore = vi.getTimerCount()
  controller.abort()
  await waiting.catch(() => undefined)

  expect(timersBefore).toBe(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('a signal that is aborted already sends nothing', async () => {
  const { wechat } = setUp()
  const reason = new Error('given up')
  const url = urlOf(wechat, { js_code: wechat.codeFor('alice') })

  const call = wechat.fetch(url, { signal: AbortSignal.abort(reason) })

  await expect(call).rejects.toBe(reason)
  expect(wechat.calls).toEqual([])
})

test('fetch takes a text, a URL and a Request', async () => {
  const { wechat } = setUp()
  const url = () => urlOf(wechat, { js_code: wechat.codeFor('alice') })

  const answers = await Promise.all([
    wechat.fetch(url()),
    wechat.fetch(new URL(url())),
    wechat.fetch(new Request(url())),
  ])

  for (const answer of answers) expect(await answer.json()).toHaveProperty('openid')
})

test.each([
  'https://example.com/sns/jscode2session',
  'https://api.weixin.qq.com.example.com/sns/jscode2session',
  'https://weixin.qq.com/sns/jscode2session',
  'http://api.weixin.qq.com/sns/jscode2session',
  'http://127.0.0.1:1/sns/jscode2session',
])('fetch does not answer for %s', async (url) => {
  const { wechat } = setUp()

  await expect(wechat.fetch(url)).rejects.toBeInstanceOf(TypeError)
  expect(wechat.calls).toEqual([])
})

test('fetch answers for every host of WeChat, and for the listening one', async () => {
  const { wechat, server } = await setUpServer()
  const origins = ['https://api.weixin.qq.com', 'https://api2.weixin.qq.com', server.url]

  const answers = await Promise.all(
    origins.map((origin) => wechat.fetch(urlOf(wechat, { js_code: wechat.codeFor('a') }, origin))),
  )

  for (const answer of answers) expect(await answer.json()).toHaveProperty('openid')
})

test('a path that is not emulated is not found', async () => {
  const { wechat } = setUp()

  const response = await wechat.fetch('https://api.weixin.qq.com/wxa/unheard_of')

  expect(response.status).toBe(404)
  expect(await response.text()).toContain('GET /wxa/unheard_of')
})

test('a path that is emulated for another method says which', async () => {
  const { wechat } = setUp({ routes: { 'POST /wxa/msg_sec_check': () => ({ errcode: 0 }) } })

  const posted = await wechat.fetch('https://api.weixin.qq.com/wxa/checksession', {
    method: 'POST',
    body: '{}',
  })
  const got = await wechat.fetch('https://api.weixin.qq.com/wxa/msg_sec_check')

  expect(await posted.json()).toMatchObject({ errcode: 43001 })
  expect(await got.json()).toMatchObject({ errcode: 43002 })
})

test('a route of your own gets the whole request', async () => {
  const route = vi.fn(() => ({ errcode: 0, errmsg: 'ok' }))
  const { wechat } = setUp({ routes: { 'POST /sns/echo': route } })

  const response = await wechat.fetch('https://api.weixin.qq.com/sns/echo?version=2', {
    method: 'post',
    body: '{"content":"你好"}',
  })

  expect(await response.json()).toEqual({ errcode: 0, errmsg: 'ok' })
  expect(route).toHaveBeenCalledWith(
    {
      method: 'POST',
      host: 'api.weixin.qq.com',
      path: '/sns/echo',
      query: { version: '2' },
      body: '{"content":"你好"}',
    },
    undefined,
  )
})

test('a streamed POST is turned away with 412 and an empty body', async () => {
  const { wechat } = setUp()
  wechat.fail(-1)

  const response = await wechat.fetch('https://api.weixin.qq.com/wxa/anything', {
    method: 'POST',
    body: new Blob(['{}']).stream(),
  })

  expect(response.status).toBe(412)
  expect(await response.text()).toBe('')
  expect((await exchange(wechat, wechat.codeFor('alice'))).errcode).toBe(-1)
})

test('every call is kept, without its secrets', async () => {
  const { wechat, advance } = setUp()
  const code = wechat.codeFor('alice')
  await exchange(wechat, code)
  advance(1.5)
  await exchange(wechat, code)
  wechat.fail('drop-after')
  await exchange(wechat, wechat.codeFor('alice')).catch(() => undefined)

  const [first, second, third] = wechat.calls

  const call = {
    method: 'GET',
    path: '/sns/jscode2session',
    query: {
      appid: wechat.app.appId,
      secret: '[redacted]',
      js_code: '[redacted]',
      grant_type: 'authorization_code',
    },
  }
  expect(first).toEqual({ ...call, status: 200, errcode: 0, receivedAt: startAt })
  expect(second).toEqual({ ...call, status: 200, errcode: 40163, receivedAt: startAt + 1.5 })
  expect(third).toEqual({ ...call, fault: 'drop-after', receivedAt: startAt + 1.5 })
})

test('the default mini program is well-formed, with an AppSecret of its own', () => {
  const { app } = createFakeWeChat()

  expect(app.appId).toBe('wx0000000000000001')
  expect(app.appSecret).toMatch(/^[0-9a-f]{32}$/)
  expect(createFakeWeChat().app.appSecret).not.toBe(app.appSecret)
})

const app = { appId: 'wx1', appSecret: 's1' }
const wrongOptions: [string, unknown][] = [
  ['apps', { apps: [] }],
  ['apps', { apps: [app, app] }],
  ['appId', { apps: [{ ...app, appId: '' }] }],
  ['appSecret', { apps: [{ appId: 'wx1' }] }],
  ['owner', { apps: [{ ...app, owner: '' }] }],
  ['now', { now: 5 }],
  ['latencyMs', { latencyMs: -1 }],
  ['latencyMs', { latencyMs: Number.NaN }],
  ['rotateSessionKey', { rotateSessionKey: 'no' }],
  ['sessionKeyTtlSeconds', { sessionKeyTtlSeconds: 0 }],
  ['sessionKeyTtlSeconds', { sessionKeyTtlSeconds: Number.POSITIVE_INFINITY }],
  ['hints', { hints: 1 }],
  ['routes', { routes: { '/wxa/checksession': () => ({}) } }],
  ['routes', { routes: { 'GET /wxa/checksession': {} } }],
]

test.each(wrongOptions)('a wrong %s option is refused at creation (%#)', (option, options) => {
  const create = () => createFakeWeChat(options as FakeWeChatOptions)

  expect(create).toThrow(TypeError)
  expect(create).toThrow(option)
})

const wrongCalls: [string, (wechat: FakeWeChat) => unknown][] = [
  ['fault', (wechat) => wechat.fail(0)],
  ['fault', (wechat) => wechat.fail(1.5)],
  ['fault', (wechat) => wechat.fail('drop' as FakeWeChatFault)],
  ['fault', (wechat) => wechat.fail('' as FakeWeChatFault)],
  ['latencyMs', (wechat) => wechat.fail({ latencyMs: Number.POSITIVE_INFINITY })],
  ['times', (wechat) => wechat.fail(-1, { times: 0 })],
  ['endpoint', (wechat) => wechat.fail(-1, { endpoint: '/sns/jscode2session' })],
  ['appId', (wechat) => wechat.codeFor('alice', { appId: 'wx9' })],
  ['person', (wechat) => wechat.codeFor('')],
]

test.each(wrongCalls)('a wrong %s is refused (%#)', (name, act) => {
  const { wechat } = setUp()

  expect(() => act(wechat)).toThrow(TypeError)
  expect(() => act(wechat)).toThrow(name)
})

test('the listening server serves the same people on loopback', async () => {
  const { wechat, server } = await setUpServer()

  const response = await undiciFetch(
    urlOf(wechat, { js_code: wechat.codeFor('alice') }, server.url),
  )

  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(response.headers.get('content-type')).toBe('text/plain')
  expect(response.headers.get('content-length')).not.toBeNull()
  expect(await response.json()).toMatchObject({ openid: wechat.openidOf('alice') })
})

test('the listening server answers a chunked POST with 412 and an empty body', async () => {
  const { server } = await setUpServer({ routes: { 'POST /sns/echo': () => ({ errcode: 0 }) } })
  const url = `${server.url}/sns/echo`

  const streamed = await undiciFetch(url, {
    method: 'POST',
    body: new Blob(['{}']).stream(),
    duplex: 'half',
  })
  const whole = await undiciFetch(url, { method: 'POST', body: '{}' })

  expect(streamed.status).toBe(412)
  expect(await streamed.text()).toBe('')
  expect(whole.status).toBe(200)
  expect(await whole.json()).toEqual({ errcode: 0 })
})

test.each([
  ['drop-before', undefined],
  ['drop-after', 40163],
] as const)('on the listening server, %s cuts the socket', async (fault, errcode) => {
  const { wechat, server } = await setUpServer()
  const url = urlOf(wechat, { js_code: wechat.codeFor('alice') }, server.url)
  wechat.fail(fault)

  const error = await undiciFetch(url).catch((reason: unknown) => reason)
  const next = (await (await undiciFetch(url)).json()) as Answer

  expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'UND_ERR_SOCKET' } })
  expect(next.errcode).toBe(errcode)
})

test('the listening server is late when told so', async () => {
  const { wechat, server } = await setUpServer()
  wechat.fail({ latencyMs: 60 })
  const startedAt = performance.now()

  const response = await undiciFetch(
    urlOf(wechat, { js_code: wechat.codeFor('alice') }, server.url),
  )

  expect(response.status).toBe(200)
  // A timer may fire within the millisecond before.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(59)
})

test('a caller that hangs up on the listening server has used its code', async () => {
  const { wechat, server } = await setUpServer()
  const url = urlOf(wechat, { js_code: wechat.codeFor('alice') }, server.url)
  const controller = new AbortController()
  wechat.fail('never-answer')

  const waiting = undiciFetch(url, { signal: controller.signal })
  waiting.catch(() => undefined)
  await vi.waitFor(() => expect(wechat.calls).toHaveLength(1))
  controller.abort()

  await expect(waiting).rejects.toThrow()
  expect(await (await undiciFetch(url)).json()).toMatchObject({ errcode: 40163 })
})

test('the listening server carries pages, redirects and large replies', async () => {
  const { wechat, server } = await setUpServer()
  const url = () => urlOf(wechat, { js_code: wechat.codeFor('alice') }, server.url)
  for (const fault of ['html-502', 'redirect', 'too-large'] as const) wechat.fail(fault)

  const page = await undiciFetch(url())
  const redirect = await undiciFetch(url(), { redirect: 'manual' })
  const large = await undiciFetch(url())

  expect([page.status, redirect.status, large.status]).toEqual([502, 302, 200])
  expect(redirect.headers.get('location')).toBe('/redirected')
  expect((await large.text()).length).toBeGreaterThan(64 * 1024)
})

test('closing the listening server ends open calls and refuses new ones', async () => {
  const { wechat, server } = await setUpServer()
  const url = urlOf(wechat, { js_code: wechat.codeFor('alice') }, server.url)
  wechat.fail('never-answer')
  const waiting = undiciFetch(url).catch((reason: unknown) => reason)
  await vi.waitFor(() => expect(wechat.calls).toHaveLength(1))

  await server.close()
  await server.close()

  expect(await waiting).toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } })
  await expect(undiciFetch(url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  await expect(wechat.fetch(url)).rejects.toBeInstanceOf(TypeError)
})

test('the listening server is not reached by another address', async () => {
  const { server } = await setUpServer()

  const elsewhere = server.url.replace('127.0.0.1', '[::1]')

  await expect(undiciFetch(elsewhere)).rejects.toMatchObject({ message: 'fetch failed' })
})

test('a port that is taken is reported', async () => {
  const { wechat, server } = await setUpServer()
  const port = Number(new URL(server.url).port)

  await expect(wechat.listen({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('the msw handlers answer the global fetch', async () => {
  const wechat = setUpMsw()

  const response = await fetch(urlOf(wechat, { js_code: wechat.codeFor('alice') }))

  expect(response.headers.get('content-type')).toBe('text/plain')
  expect(await response.json()).toMatchObject({ openid: wechat.openidOf('alice') })
})

test.each(['https://api2.weixin.qq.com', 'https://sh.api.weixin.qq.com'])(
  'the msw handlers answer for %s too',
  async (origin) => {
    const wechat = setUpMsw()

    const response = await fetch(urlOf(wechat, { js_code: wechat.codeFor('alice') }, origin))

    expect(await response.json()).toHaveProperty('openid')
  },
)

test('the msw handlers carry errcodes, pages and redirects', async () => {
  const wechat = setUpMsw()
  const url = urlOf(wechat, { js_code: wechat.codeFor('alice') })
  for (const fault of [45011, 'html-502', 'redirect'] as const) wechat.fail(fault)

  const refused = await fetch(url)
  const page = await fetch(url)
  const redirect = await fetch(url, { redirect: 'manual' })

  expect(await refused.json()).toMatchObject({ errcode: 45011 })
  expect(page.status).toBe(502)
  expect(redirect.status).toBe(302)
})

test.each([
  ['drop-before', undefined],
  ['drop-after', 40163],
] as const)('with msw, %s is a network error', async (fault, errcode) => {
  const wechat = setUpMsw()
  const url = urlOf(wechat, { js_code: wechat.codeFor('alice') })
  wechat.fail(fault)

  const error = await fetch(url).catch((reason: unknown) => reason)
  const next = (await (await fetch(url)).json()) as Answer

  expect(error).toBeInstanceOf(TypeError)
  expect(next.errcode).toBe(errcode)
})

test('with msw, an answer that never comes ends with the signal', async () => {
  const wechat = setUpMsw()
  const url = urlOf(wechat, { js_code: wechat.codeFor('alice') })
  const controller = new AbortController()
  wechat.fail('never-answer')

  const waiting = fetch(url, { signal: controller.signal })
  waiting.catch(() => undefined)
  await vi.waitFor(() => expect(wechat.calls).toHaveLength(1))
  controller.abort()

  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  expect(await (await fetch(url)).json()).toMatchObject({ errcode: 40163 })
})

test('with msw, a route of your own gets the body', async () => {
  setUpMsw({ routes: { 'POST /sns/echo': ({ body }) => ({ body }) } })

  const response = await fetch('https://api.weixin.qq.com/sns/echo', {
    method: 'POST',
    body: '你好',
  })

  expect(await response.json()).toEqual({ body: '你好' })
})
