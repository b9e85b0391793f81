import { expect, test } from 'vitest'
import type { AuthOptions, PrefetchContext } from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { newKey, prefetchPath, setUp } from '../set-up.js'

/** WeChat's servers, which fetch for a phone on which the mini program is being opened. */
function setUpPrefetch(options: Partial<AuthOptions> = {}) {
  const set = setUp({ onPrefetch: () => ({ orders: ['A-1001'] }), ...options })
  const { auth, wechat, clock } = set
  const prefetch = (more: Record<string, string> = {}, person = 'alice') =>
    send(auth, `/${prefetchPath}/prefetch?${new URLSearchParams(queryFor(person, more))}`, {
      method: 'GET',
    })
  const queryFor = (person: string, more: Record<string, string> = {}) => ({
    appid: wechat.app.appId,
    code: wechat.codeFor(person),
    timestamp: String(Math.floor(clock.now() / 1000)),
    path: 'pages/index/index',
    query: 'from=share',
    scene: '1001',
    ...more,
  })
  return { ...set, prefetch, queryFor }
}

test("a pre-fetch answers tokens and the app's data", async () => {
  const { auth, wechat, prefetch } = setUpPrefetch()

  const response = await prefetch()

  expect(response.status).toBe(200)
  expect(response.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
  })
  const body = bodyOf(response)
  expect(body).toMatchObject({ token_type: 'Bearer', prefetched: { orders: ['A-1001'] } })
  const session = await auth.authenticate(`Bearer ${body.access_token}`, { fresh: true })
  expect(session.appId).toBe(wechat.app.appId)
})

test('onPrefetch learns who opens the mini program, and where', async () => {
  const seen: PrefetchContext[] = []
  const { wechat, prefetch } = setUpPrefetch({
    onLogin: () => ({ userId: 7 }),
    onPrefetch: (context) => void seen.push(context) as undefined,
  })

  const body = bodyOf(await prefetch())

  expect(seen).toEqual([
    {
      callId: expect.any(String),
      session: { id: expect.any(String), userId: '7', appId: wechat.app.appId },
      account: {
        appId: wechat.app.appId,
        kind: 'mini_program',
        openid: wechat.openidOf('alice'),
      },
      path: 'pages/index/index',
      query: 'from=share',
      scene: 1001,
      request: { header: expect.any(Function) },
    },
  ])
  expect(body.user_id).toBe('7')
  expect(body).not.toHaveProperty('prefetched')
})

test('a question mark within the query does not cut it off', async () => {
  const { auth, wechat, queryFor } = setUpPrefetch()
  const query = new URLSearchParams(queryFor('alice', { path: '' }))

  const path = `/${prefetchPath}/prefetch?path=pages/index/index?from=share&${query}`
  const body = bodyOf(await send(auth, path, { method: 'GET' }))

  const session = await auth.authenticate(`Bearer ${body.access_token}`)
  expect(session.appId).toBe(wechat.app.appId)
})

test('what WeChat leaves out of the query is empty, and a unionid is passed on', async () => {
  const seen: PrefetchContext[] = []
  const app = { appId: 'wx1', appSecret: 's', owner: 'us' }
  const { auth, wechat } = setUp(
    {
      onLogin: () => ({ userId: 7 }),
      onPrefetch: (context) => void seen.push(context) as undefined,
    },
    { apps: [app] },
  )

  const query = new URLSearchParams({ appid: app.appId, code: wechat.codeFor('alice') })
  await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })

  expect(seen).toStrictEqual([
    {
      callId: expect.any(String),
      session: { id: expect.any(String), userId: '7', appId: app.appId },
      account: {
        appId: app.appId,
        kind: 'mini_program',
        openid: wechat.openidOf('alice'),
        unionid: wechat.unionidOf('alice'),
      },
      path: '',
      query: '',
      scene: 0,
      request: { header: expect.any(Function) },
    },
  ])
})

test('an account without a unionid has no such member', async () => {
  const seen: PrefetchContext[] = []
  const { prefetch } = setUpPrefetch({
    onPrefetch: (context) => void seen.push(context) as undefined,
  })

  await prefetch()

  expect(Object.keys(seen[0]?.account ?? {})).toEqual(['appId', 'kind', 'openid'])
})

test.each(['appid', 'code'])(
  'without %s nothing is fetched, and WeChat is not asked',
  async (name) => {
    const { auth, wechat, queryFor } = setUpPrefetch()
    const query = new URLSearchParams(queryFor('alice'))
    query.delete(name)

    const response = await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })

    expect([response.status, response.body]).toEqual([200, '{}'])
    expect(wechat.calls).toEqual([])
  },
)

test('without onPrefetch there is no such route', async () => {
  const { auth, wechat } = setUp()

  const query = new URLSearchParams({ appid: wechat.app.appId, code: wechat.codeFor('alice') })
  const response = await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })

  expect(response.status).toBe(404)
  expect(wechat.calls).toEqual([])
})

test.each<[string, Record<string, string>]>([
  ['an unknown mini program', { appid: 'wx00000000000000ff' }],
  ['a code of another shape', { code: 'not a code' }],
  ['a code that WeChat does not know', { code: 'x'.repeat(32) }],
])('%s is answered with nothing', async (_, more) => {
  const { prefetch } = setUpPrefetch()

  const response = await prefetch(more)

  expect([response.status, response.body]).toEqual([200, '{}'])
})

test('a token in place of a code is answered with nothing', async () => {
  const { auth, wechat } = setUpPrefetch()

  const query = new URLSearchParams({ appid: wechat.app.appId, token: 'set by the mini program' })
  const response = await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })

  expect([response.status, response.body]).toEqual([200, '{}'])
})

test.each<[string, Partial<AuthOptions>]>([
  [
    'onPrefetch throws',
    {
      onPrefetch: () => {
        throw new Error('broken')
      },
    },
  ],
  ['onPrefetch returns more than 256 KB', { onPrefetch: () => 'x'.repeat(256 * 1024) }],
  ['it is more than 256 KB as it is sent', { onPrefetch: () => '\u2028'.repeat(80 * 1024) }],
  [
    'onLogin throws',
    {
      onLogin: () => {
        throw new Error('broken')
      },
    },
  ],
])('when %s the answer is nothing, and an event tells why', async (_, options) => {
  const { prefetch, events } = setUpPrefetch(options)

  const response = await prefetch()

  expect([response.status, response.body]).toEqual([200, '{}'])
  expect(events).toContainEqual(expect.objectContaining({ type: 'failure', code: 'server_error' }))
})

test('with the tokens 256 KB are the limit, and what is just within it arrives whole', async () => {
  let length = 0
  const { prefetch } = setUpPrefetch({ onPrefetch: () => '微'.repeat(length / 3) })
  const limit = 256 * 1024
  const overhead = Buffer.byteLength((await prefetch()).body ?? '')

  length = Math.floor((limit - overhead) / 3) * 3
  const within = await prefetch()
  length += 3
  const beyond = await prefetch()

  expect(Buffer.byteLength(within.body ?? '')).toBeLessThanOrEqual(limit)
  expect(bodyOf(within)).toHaveProperty('access_token')
  expect(beyond.body).toBe('{}')
})

test('a session that nobody picks up ends after 10 minutes, its access token too', async () => {
  const { auth, clock, prefetch } = setUpPrefetch({ accessTtlSeconds: 3600 })
  const body = bodyOf(await prefetch())

  expect(body).toMatchObject({ expires_in: 600, refresh_expires_in: 600 })
  clock.advance(601)

  const refreshed = auth.refresh({ refreshToken: String(body.refresh_token) })
  await expect(refreshed).rejects.toMatchObject({ code: 'invalid_grant', reason: 'unknown' })
})

test('a session that its phone refreshes lives as long as any other', async () => {
  const { auth, clock, prefetch } = setUpPrefetch()
  const body = bodyOf(await prefetch())
  clock.advance(590)

  const next = await auth.refresh({ refreshToken: String(body.refresh_token) })

  expect(next).toMatchObject({ expires_in: 900, refresh_expires_in: 30 * 86_400 })
})

test('pre-fetched sessions do not count against the cap until they are refreshed', async () => {
  const { auth, wechat, clock, prefetch } = setUpPrefetch({
    maxSessionsPerUser: 2,
    onLogin: () => ({ userId: 7 }),
  })
  const phones = [await auth.login({ code: wechat.codeFor('alice') })]
  clock.advance(1)
  phones.push(await auth.login({ code: wechat.codeFor('alice') }))
  clock.advance(1)
  const [picked] = [bodyOf(await prefetch()), await prefetch(), await prefetch()]

  expect(await auth.sessions.list(7)).toHaveLength(2)
  clock.advance(1)
  phones.push(await auth.login({ code: wechat.codeFor('alice') }))
  await expect(
    auth.refresh({ refreshToken: String(phones[0]?.refresh_token) }),
  ).rejects.toMatchObject({ code: 'invalid_grant' })
  expect(await auth.sessions.list(7)).toHaveLength(2)

  clock.advance(1)
  await auth.refresh({ refreshToken: String(picked?.refresh_token) })

  await expect(
    auth.refresh({ refreshToken: String(phones[1]?.refresh_token) }),
  ).rejects.toMatchObject({ code: 'invalid_grant' })
})

test('a session that no phone has picked up is no device in the list, and can be revoked all the same', async () => {
  const { auth, prefetch } = setUpPrefetch({ onLogin: () => ({ userId: 7 }) })
  const body = bodyOf(await prefetch())
  expect(await auth.sessions.list(7)).toEqual([])

  expect(await auth.sessions.revoke({ userId: 7 })).toBe(1)

  const refreshed = auth.refresh({ refreshToken: String(body.refresh_token) })
  await expect(refreshed).rejects.toMatchObject({ code: 'invalid_grant', reason: 'revoked' })
})

test('a pre-fetched session becomes a device when its phone refreshes it', async () => {
  const { auth, prefetch } = setUpPrefetch({ onLogin: () => ({ userId: 7 }) })
  const body = bodyOf(await prefetch())

  await auth.refresh({ refreshToken: String(body.refresh_token) })

  expect(await auth.sessions.list(7)).toHaveLength(1)
})

test('a code from a log line gets nothing, and ends the session that it had made', async () => {
  const { auth, queryFor } = setUpPrefetch()
  const query = new URLSearchParams(queryFor('alice'))
  const get = () => send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })
  const first = bodyOf(await get())

  const again = await get()

  expect(again.body).toBe('{}')
  const refreshed = auth.refresh({ refreshToken: String(first.refresh_token) })
  await expect(refreshed).rejects.toMatchObject({ code: 'invalid_grant', reason: 'reused' })
})

test('the code of a pre-fetch is no login for whoever posts it later', async () => {
  const { auth, wechat, queryFor } = setUpPrefetch()
  const query = queryFor('alice')
  await send(auth, `/${prefetchPath}/prefetch?${new URLSearchParams(query)}`, { method: 'GET' })

  const stolen = auth.login({ code: query.code, idempotencyKey: newKey() })

  await expect(stolen).rejects.toMatchObject({ code: 'invalid_code' })
  expect(await auth.sessions.list(await userIdOf(auth, wechat.openidOf('alice')))).toEqual([])
})

test('the login event says that it came by a pre-fetch', async () => {
  const { prefetch, events } = setUpPrefetch()

  await prefetch()

  expect(events).toContainEqual(
    expect.objectContaining({ type: 'login', by: 'prefetch', outcome: 'created' }),
  )
})

/** The id that a user without `onLogin` has. */
async function userIdOf(auth: ReturnType<typeof setUp>['auth'], openid: string): Promise<string> {
  const { user_id } = await auth.sessions.create({ account: { openid } })
  await auth.sessions.revoke({ userId: user_id })
  return user_id
}

test.each(['appid', 'code'])(
  'without %s nobody is asked, and the answer is empty',
  async (missing) => {
    const { auth, wechat, queryFor } = setUpPrefetch()
    const query = new URLSearchParams(queryFor('alice'))
    query.delete(missing)

    const response = await send(auth, `/${prefetchPath}/prefetch?${query}`, { method: 'GET' })

    expect(bodyOf(response)).toEqual({})
    expect(wechat.calls).toEqual([])
  },
)

test('256 KB in all may be answered, and not a byte more', async () => {
  let size = 0
  const { prefetch } = setUpPrefetch({ onPrefetch: () => 'x'.repeat(size) })
  const bytesOf = async () => Buffer.byteLength((await prefetch()).body ?? '')
  const limit = 256 * 1024
  size = limit - (await bytesOf())

  expect(await bytesOf()).toBe(limit)
  size++
  expect(await bytesOf()).toBe(2)
})
