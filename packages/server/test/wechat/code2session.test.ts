import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createAuth, createMemoryStore, type FetchLike } from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { setUp, testSecret } from '../set-up.js'

test.each([
  { errcode: -1, code: 'wechat_unavailable', status: 503, retryAfterSeconds: 2 },
  { errcode: 40029, code: 'invalid_code', status: 400 },
  { errcode: 40163, code: 'invalid_code', status: 400 },
  { errcode: 40226, code: 'user_blocked', status: 403 },
  { errcode: 45011, code: 'rate_limited', status: 429, retryAfterSeconds: 60 },
  { errcode: 45009, code: 'rate_limited', status: 429, retryAfterSeconds: 3600 },
  { errcode: 40001, code: 'server_misconfigured', status: 500 },
  { errcode: 40002, code: 'server_misconfigured', status: 500 },
  { errcode: 40013, code: 'server_misconfigured', status: 500 },
  { errcode: 40125, code: 'server_misconfigured', status: 500 },
  { errcode: 40164, code: 'server_misconfigured', status: 500 },
  { errcode: 40243, code: 'server_misconfigured', status: 500 },
  { errcode: 41002, code: 'server_misconfigured', status: 500 },
  { errcode: 41004, code: 'server_misconfigured', status: 500 },
  { errcode: 41008, code: 'server_misconfigured', status: 500 },
  { errcode: 48001, code: 'server_misconfigured', status: 500 },
  { errcode: 50004, code: 'server_misconfigured', status: 500 },
  { errcode: 50007, code: 'server_misconfigured', status: 500 },
  { errcode: 61024, code: 'server_misconfigured', status: 500 },
  { errcode: 89503, code: 'server_misconfigured', status: 500 },
  { errcode: 89506, code: 'server_misconfigured', status: 500 },
  { errcode: 89507, code: 'server_misconfigured', status: 500 },
  { errcode: 99999, code: 'wechat_unavailable', status: 503, retryAfterSeconds: 10 },
])('errcode $errcode becomes $code', { concurrent: true }, async ({ errcode, ...expected }) => {
  const { auth, wechat, events } = setUp()
  wechat.fail(errcode)

  const error = await auth
    .login({ code: wechat.codeFor('alice') })
    .catch((reason: unknown) => reason)

  expect(error).toMatchObject({
    ...expected,
    errcode,
    rid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/),
  })
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'wechat',
      endpoint: 'code2Session',
      outcome: expected.code,
      errcode,
    }),
  )
  expect(events.some(({ type }) => type === 'misconfigured')).toBe(
    expected.code === 'server_misconfigured',
  )
})

test('an errcode that is a string is the same errcode', async () => {
  const { auth, wechat } = setUp()
  wechat.fail('45011')

  await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
    code: 'rate_limited',
    errcode: 45011,
  })
})

test.each(['html', 'html-502', 'too-large', 'redirect'] as const)(
  'a %s is wechat_unavailable, and the code is not sent again',
  async (fault) => {
    const { auth, wechat } = setUp()
    wechat.fail(fault)

    await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
      code: 'wechat_unavailable',
      retryAfterSeconds: 2,
    })
    expect(wechat.calls).toHaveLength(1)
  },
)

test('a code whose answer is lost is invalid_code at once, and not sent again', async () => {
  let reads = 0
  const memory = createMemoryStore()
  const store = {
    ...memory,
    get: async (id: string) => {
      reads++
      return memory.get(id)
    },
  }
  const { auth, wechat } = setUp({ store })
  wechat.fail('drop-after')

  await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
    code: 'invalid_code',
    reason: 'lost',
  })

  expect(wechat.calls).toHaveLength(1)
  // WeChat has not said that somebody else used it, so no sibling is waited for.
  expect(reads).toBe(0)
})

test('a request that certainly was not sent is sent again, once', async () => {
  const { auth, wechat } = setUp()
  wechat.fail('drop-before')

  await auth.login({ code: wechat.codeFor('alice') })

  wechat.fail('drop-before', { times: 2 })
  await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
    code: 'wechat_unavailable',
  })
  expect(wechat.calls.map(({ fault }) => fault)).toEqual([
    'drop-before',
    undefined,
    'drop-before',
    'drop-before',
  ])
})

test('a WeChat that never answers is given up at the deadline', async () => {
  const { auth, wechat } = setUp({ wechatTimeoutMs: 20 })
  wechat.fail('never-answer')

  await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
    code: 'wechat_unavailable',
    message: expect.stringContaining('20 ms'),
  })
})

test('a fetch that ignores its signal is given up at the deadline as well', async () => {
  const { auth, wechat } = setUp({ wechatTimeoutMs: 20, fetch: () => new Promise(() => undefined) })

  await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
    code: 'wechat_unavailable',
  })
})

test.each([
  '',
  'null',
  '[]',
  '"ok"',
  '{',
  '{"openid":"o"}',
  '{"session_key":"k"}',
  '{"openid":7,"session_key":"k"}',
  '{"openid":"","session_key":"k"}',
  '{"errcode":"abc"}',
  '{"errcode":1.5}',
  '{"errcode":null}',
])('the answer %j is wechat_unavailable', async (body) => {
  const fetch: FetchLike = async () => new Response(body)
  const { auth, wechat } = setUp({ fetch })

  await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
    code: 'wechat_unavailable',
  })
})

test('errcode 0 beside a session is a success', async () => {
  const body = { errcode: 0, errmsg: 'ok', openid: 'oAlice', session_key: 'k' }
  const { auth, wechat } = setUp({ fetch: async () => Response.json(body) })

  await expect(auth.login({ code: wechat.codeFor('alice') })).resolves.toBeDefined()
})

test('every parameter is encoded', async () => {
  const urls: string[] = []
  const fetch: FetchLike = async (url) => {
    urls.push(url)
    return Response.json({ openid: 'oAlice', session_key: 'k' })
  }
  const { auth } = setUp({ fetch, apps: [{ appId: 'wx1', appSecret: 'a&b=c#d ?é' }] })

  await auth.login({ code: 'code-1' })

  const { origin, pathname, searchParams } = new URL(urls[0] ?? '')
  expect([origin, pathname]).toEqual(['https://api.weixin.qq.com', '/sns/jscode2session'])
  expect(Object.fromEntries(searchParams)).toEqual({
    appid: 'wx1',
    secret: 'a&b=c#d ?é',
    js_code: 'code-1',
    grant_type: 'authorization_code',
  })
})

describe('the fetch of the defaults', () => {
  test('logs in over a real connection, and keeps it', async () => {
    const wechat = createFakeWeChat()
    const server = await wechat.listen()
    const auth = createAuth({ apps: [wechat.app], secret: testSecret, wechatHosts: [server.url] })

    for (const name of ['alice', 'bob']) {
      await expect(auth.login({ code: wechat.codeFor(name) })).resolves.toBeDefined()
    }

    await auth.close()
    await server.close()
  })

  test.each(['html-502', 'redirect', 'too-large'] as const)(
    'takes a %s for trouble at WeChat',
    async (fault) => {
      const wechat = createFakeWeChat()
      const server = await wechat.listen()
      const auth = createAuth({ apps: [wechat.app], secret: testSecret, wechatHosts: [server.url] })
      wechat.fail(fault)

      await expect(auth.login({ code: wechat.codeFor('alice') })).rejects.toMatchObject({
        code: 'wechat_unavailable',
      })
      expect(wechat.calls).toHaveLength(1)

      await auth.close()
      await server.close()
    },
  )

  test('goes on to the next host when a connection cannot be made', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => closed.once('listening', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const wechat = createFakeWeChat()
    const server = await wechat.listen()
    const auth = createAuth({
      apps: [wechat.app],
      secret: testSecret,
      wechatHosts: [`http://127.0.0.1:${port}`, server.url],
    })

    await expect(auth.login({ code: wechat.codeFor('alice') })).resolves.toBeDefined()

    await auth.close()
    await server.close()
  })
})
