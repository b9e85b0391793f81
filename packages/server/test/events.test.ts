import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type AuthEvent, type AuthOptions, createAuth, createMemoryStore } from '../src/index.js'
import { createFakeWeChat } from '../src/testing/index.js'
import { bodyOf, send } from './http/set-up.js'
import { newKey, setUp, testSecret } from './set-up.js'

/** A day with every kind of event about a session in it, and what was reported. */
async function aDay(options: Partial<AuthOptions> = {}): Promise<AuthEvent[]> {
  const { auth, wechat, events } = setUp({
    onLogin: ({ openid }) => ({ userId: `user-${openid}` }),
    maxSessionsPerUser: 1,
    ...options,
  })
  const idempotencyKey = newKey()
  const code = wechat.codeFor('alice')
  await auth.login({ code, idempotencyKey })
  await auth.login({ code, idempotencyKey })
  await auth.login({ code: wechat.codeFor('alice') })
  const bob = await auth.login({ code: wechat.codeFor('bob') })
  const session = await auth.authenticate(`Bearer ${bob.access_token}`)
  await auth.phone({ session, code: wechat.phoneCodeFor('bob') })
  await auth.refresh({ refreshToken: bob.refresh_token })
  await auth.refresh({ refreshToken: bob.refresh_token }).catch(() => undefined)
  const carol = await auth.sessions.create({ account: { openid: 'carol' }, userId: 'user-carol' })
  await auth.logout({ refreshToken: carol.refresh_token })
  await auth.refresh({ refreshToken: carol.refresh_token }).catch(() => undefined)
  return events
}

test('an event that says how long something took says when it began', async () => {
  const events = await aDay()

  const timed = events.filter((event) => 'durationMs' in event)
  expect([...new Set(timed.map(({ type }) => type))].sort()).toEqual([
    'login',
    'phone',
    'refresh',
    'wechat',
  ])
  for (const event of timed) expect(event).toMatchObject({ startedMs: 1_800_000_000_000 })
})

test('an event about a session says whose it is, wherever the session is known', async () => {
  const events = await aDay()

  const ofSessions = events.filter((event) => 'sessionId' in event)
  expect([...new Set(ofSessions.map(({ type }) => type))].sort()).toEqual([
    'evicted',
    'login',
    'logout',
    'phone',
    'refresh',
    'revoked',
  ])
  const anonymous = ofSessions.filter((event) => event.userId === undefined)
  expect(anonymous).toMatchObject([{ type: 'refresh', outcome: 'refused', reason: 'unknown' }])
  for (const { userId } of ofSessions) expect(userId ?? 'user-none').toMatch(/^user-/)
})

test('an app that uses the openid as its user id is warned of it once', async () => {
  const events = await aDay({ onLogin: ({ openid }) => ({ userId: openid }) })

  expect(events.filter(({ type }) => type === 'warning')).toMatchObject([
    { warning: 'memory_store' },
    { warning: 'openid_as_user_id' },
  ])
})

test('an app with ids of its own is not', async () => {
  const events = await aDay({ store: createMemoryStore() })

  expect(events.filter(({ type }) => type === 'warning')).toEqual([])
})

describe('without onEvent the console says what an operator has to know', () => {
  /** A backend as the smallest example has it, what it prints, and a login at it. */
  function setUpSilent(options: Partial<AuthOptions> = {}) {
    const printed: string[] = []
    const spy = vi.spyOn(console, 'error').mockImplementation((text) => void printed.push(text))
    onTestFinished(() => spy.mockRestore())
    const wechat = createFakeWeChat()
    const auth = createAuth({
      apps: [wechat.app],
      secret: testSecret,
      fetch: wechat.fetch,
      store: createMemoryStore(),
      ...options,
    })
    const login = () =>
      send(auth, '/login', { body: { code: wechat.codeFor('alice'), app_id: wechat.app.appId } })
    return { wechat, printed, login }
  }

  test('that it will lose its sessions', () => {
    const { printed } = setUpSilent({ store: undefined } as object)

    expect(printed).toEqual([expect.stringMatching(/^wxlogin: memory_store: .*set the store/)])
  })

  test('what is wrong with its AppSecret', async () => {
    const { wechat, printed, login } = setUpSilent()
    wechat.fail(40125)

    await login()

    expect(printed[0]).toMatch(/^wxlogin: .*code2Session, wx\w+, errcode 40125.*copy it again/)
  })

  test('what a hook threw, where, and in which request', async () => {
    const { printed, login } = setUpSilent({
      onLogin() {
        throw new ReferenceError('users is not defined')
      },
    })

    const answer = await login()

    const { request_id } = bodyOf(answer)
    expect(printed).toHaveLength(1)
    expect(printed[0]).toContain(`server_error (request ${request_id}): The onLogin option threw`)
    expect(printed[0]).toMatch(/cause: ReferenceError: users is not defined\n\s+at .*events\.test/)
  })

  test('but not what may be secret in it', async () => {
    const { wechat, printed, login } = setUpSilent({
      onLogin({ openid }) {
        throw new Error(`Duplicate entry '${openid}' for key 'account', phone 13800138000`)
      },
    })

    await login()

    expect(printed[0]).toContain("Duplicate entry '[redacted]' for key 'account', phone [redacted]")
    expect(printed.join()).not.toContain(wechat.openidOf('alice'))
  })

  test('of a long word in no time', async () => {
    const { printed, login } = setUpSilent({
      onLogin() {
        throw new Error(`No such shop: ${'x'.repeat(100_000)}`)
      },
    })
    const started = performance.now()

    await login()

    expect(performance.now() - started).toBeLessThan(1000)
    expect(printed[0]).toContain('No such shop: xxx')
  })

  test.each([
    [`shop-${'o'.repeat(28)}`, 'shop-[redacted]'],
    ['o'.repeat(28), '[redacted]'],
    [`shop_${'o'.repeat(28)}`, `shop_${'o'.repeat(28)}`],
    ['a-very-long-name-without-a-digit', 'a-very-long-name-without-a-digit'],
    ['a-very-long-name-with-1', '[redacted]'],
    ['tel1234567', 'tel[redacted]'],
    ['tel123456', 'tel123456'],
  ])('of %s it prints %s', async (said, shown) => {
    const { printed, login } = setUpSilent({
      onLogin() {
        throw new Error(`>${said}<`)
      },
    })

    await login()

    expect(printed[0]).toContain(`>${shown}<`)
  })

  test('that its store is down', async () => {
    const store = createMemoryStore()
    const { printed, login } = setUpSilent({
      store: { ...store, create: () => Promise.reject(new Error('connect ECONNREFUSED')) },
    })

    await login()

    expect(printed[0]).toMatch(/store_unavailable.*\n {2}cause: Error: connect ECONNREFUSED$/)
  })

  test('that WeChat has failed so often that it is left alone for a while', async () => {
    const { wechat, printed, login } = setUpSilent()
    wechat.fail('html-502', { times: Number.POSITIVE_INFINITY })

    for (let n = 0; n < 5; n++) await login()

    expect(printed.filter((text) => text.includes('group login'))).toHaveLength(1)
  })

  test('and nothing else', async () => {
    const { printed, login } = setUpSilent()

    const { status } = await login()

    expect(status).toBe(200)
    expect(printed).toEqual([])
  })
})
