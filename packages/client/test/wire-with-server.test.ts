import { type Client, type ClientEvent, createClient } from '@wxlogin/client'
import { createFakeWx, type FakeWx } from '@wxlogin/client/testing'
import { AuthError, type AuthEvent, type AuthOptions, createAuth } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { networkToAuth } from './networks.js'
import { baseUrl, outcomes } from './set-up.js'

// What the client sends so that the server can tell a bad network from a thief, seen from the server's side.

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

type OnLogin = NonNullable<AuthOptions['onLogin']>

/** One user with phones, and the real server. */
function setUp({
  onLogin = () => undefined,
  ...options
}: { onLogin?: OnLogin } & Pick<AuthOptions, 'claims'> = {}) {
  const wechat = createFakeWeChat()
  const serverEvents: AuthEvent[] = []
  const clientEvents: ClientEvent[] = []
  /** The session that each login replaced, as far as `onLogin` was told. */
  const previous: (string | undefined)[] = []
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'a secret for tests, 32 bytes and more',
    fetch: wechat.fetch,
    revocation: 'immediate',
    ...options,
    onEvent: (event) => serverEvents.push(event),
    async onLogin(account, context) {
      previous.push(context.previous?.id)
      return { userId: 'li', ...(await onLogin(account, context)) }
    },
  })

  function phone(): { wx: FakeWx; client: Client; start: (on: FakeWx) => Client } {
    const wx = createFakeWx({
      wechat,
      network: networkToAuth(() => auth),
    })
    const start = (on: FakeWx) =>
      createClient({ baseUrl, wx: on, onEvent: (event) => clientEvents.push(event) })
    return { wx, client: start(wx), start }
  }

  return {
    phone,
    previous,
    serverEvents,
    clientEvents,
    sessions: async () => (await auth.sessions.list('li')).map(({ id }) => id),
    alarms: () => serverEvents.filter(({ type }) => type === 'revoked'),
  }
}

interface Sent {
  readonly key: string | undefined
  readonly data: Readonly<Record<string, unknown>>
}

function sent({ control: { requests } }: FakeWx, route: string): Sent[] {
  return requests
    .filter(({ url }) => url.endsWith(`/wx/${route}`))
    .map(({ header, data }) => ({ key: header['idempotency-key'], data: Object(data) }))
}

/** The server has renewed the session, and the phone does not know: its token is one generation behind. */
async function loseRenewal({ wx, client }: { wx: FakeWx; client: Client }): Promise<void> {
  vi.setSystemTime(Date.now() + 901_000)
  // A lost answer is asked for again at once.
  wx.control.onRequest('/wx/refresh', 'drop-answer', { times: 2 })
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['timeout'])
}

test('a login proves the session that it replaces, though the answer to its last refresh was lost', async () => {
  const { phone, previous, sessions, alarms } = setUp()
  const { wx, client } = phone()
  await client.login()
  const [first] = await sessions()
  await loseRenewal({ wx, client })

  await client.login({ force: true })

  const [refresh] = sent(wx, 'refresh')
  expect(sent(wx, 'login')[1]?.data).toMatchObject({
    previous_refresh_token: refresh?.data.refresh_token,
    previous_idempotency_key: refresh?.key,
  })
  expect(sent(wx, 'login')[1]?.data).not.toMatchObject({ previous_signed_out: true })
  // Without its key, a token one generation behind does not prove its user.
  expect(previous).toEqual([undefined, first])
  expect(await sessions()).toHaveLength(1)
  expect(await sessions()).not.toContain(first)
  expect(alarms()).toEqual([])
})

test('a session that was signed out without the server is ended by the next login, and never handed on', async () => {
  const { phone, previous, sessions } = setUp()
  const { wx, client } = phone()
  await client.login()
  const [first] = await sessions()
  wx.control.offline()
  await client.logout()
  expect(await sessions()).toEqual([first])
  // The network is back, but a page that wants a sign-in of its own is all there is.
  wx.control.onRequest('/wx/logout', { respond: { statusCode: 200, data: '<html>' } })
  wx.control.online()

  await client.login()

  expect(sent(wx, 'login')[1]?.data).toMatchObject({ previous_signed_out: true })
  expect(previous).toEqual([undefined, undefined])
  expect(await sessions()).toHaveLength(1)
  expect(await sessions()).not.toContain(first)
})

test('a logout brings the key of its record, and so ends a session quietly that was renewed without the phone', async () => {
  const { phone, sessions, serverEvents, alarms } = setUp()
  const { wx, client } = phone()
  await client.login()
  await loseRenewal({ wx, client })

  await client.logout()

  const [refresh] = sent(wx, 'refresh')
  expect(sent(wx, 'logout')).toEqual([
    { key: refresh?.key, data: expect.objectContaining(refresh?.data) },
  ])
  expect(await sessions()).toEqual([])
  expect(serverEvents.map(({ type }) => type)).toContain('logout')
  expect(alarms()).toEqual([])
})

test('a delivery at the next start brings that key too', async () => {
  const { phone, sessions, alarms } = setUp()
  const { wx, client, start } = phone()
  await client.login()
  await loseRenewal({ wx, client })
  wx.control.offline()
  await client.logout()
  const again = wx.control.restart()
  again.control.online()

  await start(again).ready()

  await vi.waitFor(async () => expect(await sessions()).toEqual([]))
  expect(sent(again, 'logout')[0]?.key).toBe(sent(wx, 'refresh')[0]?.key)
  expect(alarms()).toEqual([])
})

test.each([
  ['is young', () => undefined, 0],
  ['has grown old', () => vi.setSystemTime(Date.now() + 901_000), 1],
] as const)(
  'a logout everywhere of a session that %s ends the other phones',
  async (_, wait, refreshes) => {
    const { phone, sessions, serverEvents } = setUp()
    const [mine, other] = [phone(), phone()]
    for (const { client } of [mine, other]) await client.login()
    expect(await sessions()).toHaveLength(2)
    wait()

    await mine.client.logout({ everywhere: true })

    expect(sent(mine.wx, 'refresh')).toHaveLength(refreshes)
    expect(sent(mine.wx, 'logout')).toHaveLength(1)
    expect(sent(mine.wx, 'logout')[0]?.data).toMatchObject({ everywhere: true })
    expect(await sessions()).toEqual([])
    expect(serverEvents).toContainEqual(
      expect.objectContaining({ type: 'logout', everywhere: true }),
    )
    vi.setSystemTime(Date.now() + 901_000)
    expect(await outcomes([other.client.request({ url: '/orders' })])).toEqual(['signed_out'])
  },
)

test('a logout everywhere ends the other phones though the answer to a refresh was lost', async () => {
  const { phone, sessions, serverEvents } = setUp()
  const [mine, other] = [phone(), phone()]
  for (const { client } of [mine, other]) await client.login()
  await loseRenewal(mine)

  await mine.client.logout({ everywhere: true })

  const [lost, , asked] = sent(mine.wx, 'refresh')
  expect(asked).toEqual(lost)
  expect(await sessions()).toEqual([])
  const reasons = serverEvents.flatMap((event) => (event.type === 'revoked' ? event.reason : []))
  expect(reasons).toEqual(['revoked'])
})

test('a logout everywhere that nobody answers rejects, and spares the others when it is delivered', async () => {
  const { phone, sessions } = setUp()
  const [mine, other] = [phone(), phone()]
  await other.client.login()
  const [theirs] = await sessions()
  await mine.client.login()
  mine.wx.control.offline()

  expect(await outcomes([mine.client.logout({ everywhere: true })])).toEqual(['network'])
  mine.wx.control.online()

  await vi.waitFor(async () => expect(await sessions()).toEqual([theirs]))
})

test('an attempt that the backend refuses costs nobody the session that was there', async () => {
  const { phone, sessions } = setUp({
    onLogin(_, { input }) {
      if (input !== undefined) {
        throw new AuthError('access_denied', 'wrong password', {
          reason: 'wrong_password',
          scope: 'attempt',
        })
      }
    },
  })
  const { wx, client } = phone()
  await client.login()
  const before = await sessions()

  await expect(client.login({ input: { password: 'guess' } })).rejects.toMatchObject({
    code: 'access_denied',
    reason: 'wrong_password',
    scope: 'attempt',
  })

  expect(await sessions()).toEqual(before)
  expect(client.session()?.userId).toBe('li')
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(sent(wx, 'logout')).toEqual([])
})

test('a user that the backend refuses altogether is signed out, and their session ends', async () => {
  const { phone, sessions } = setUp({
    onLogin(_, { input }) {
      if (input !== undefined) throw new AuthError('access_denied', 'banned')
    },
  })
  const { client } = phone()
  await client.login()

  expect(await outcomes([client.login({ input: 'again' })])).toEqual(['access_denied'])

  expect(client.session()).toBeUndefined()
  await vi.waitFor(async () => expect(await sessions()).toEqual([]))
})

const serviceDown = () =>
  new AuthError('temporarily_unavailable', 'the members service is away', { retryAfterSeconds: 20 })

test.each(['onLogin', 'claims'] as const)(
  'a login whose %s cannot answer leaves nothing behind, and comes back with a new code when it is told to',
  async (hook) => {
    let isDown = true
    const answer = () => {
      if (isDown) throw serviceDown()
    }
    const { phone, sessions, serverEvents } = setUp(
      hook === 'onLogin' ? { onLogin: answer } : { claims: () => ({ ok: answer() ?? true }) },
    )
    const { wx, client } = phone()

    const refused: unknown = await client.login().catch((error) => error)

    expect(refused).toMatchObject({ code: 'temporarily_unavailable', statusCode: 503 })
    const { retryAfterSeconds } = refused as { retryAfterSeconds: number }
    expect(retryAfterSeconds).toBeGreaterThanOrEqual(20)
    expect(retryAfterSeconds).toBeLessThanOrEqual(32)
    expect(await sessions()).toEqual([])

    isDown = false
    vi.setSystemTime(Date.now() + retryAfterSeconds * 1000 - 100)
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual([
      'temporarily_unavailable',
    ])
    expect(sent(wx, 'login')).toHaveLength(1)

    vi.setSystemTime(Date.now() + 1_100)
    expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
    const codes = sent(wx, 'login').map(({ data }) => data.code)
    expect(new Set(codes).size).toBe(2)
    expect(await sessions()).toHaveLength(1)
    expect(serverEvents.filter(({ type }) => type === 'failure')).toHaveLength(1)
  },
)

test('a refresh whose claims cannot answer keeps the record, rotates nothing, and gets in later', async () => {
  let isDown = false
  const { phone, sessions, alarms, serverEvents } = setUp({
    claims: () => {
      if (isDown) throw serviceDown()
      return {}
    },
  })
  const { wx, client, start } = phone()
  await client.login()
  const before = await sessions()
  vi.setSystemTime(Date.now() + 901_000)
  isDown = true

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['temporarily_unavailable'])

  expect(client.session()?.userId).toBe('li')
  expect(await sessions()).toEqual(before)
  isDown = false
  // Told to wait, it does, also when it is shown again.
  wx.control.show()
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['temporarily_unavailable'])
  expect(sent(wx, 'refresh')).toHaveLength(1)
  vi.setSystemTime(Date.now() + 34_000)
  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])

  const [first, second, ...others] = sent(wx, 'refresh')
  expect(others).toEqual([])
  expect(second).toEqual(first)
  expect(sent(wx, 'login')).toHaveLength(1)
  expect(await sessions()).toEqual(before)
  expect(alarms()).toEqual([])
  expect(serverEvents.flatMap((event) => (event.type === 'refresh' ? event.outcome : []))).toEqual([
    'rotated',
  ])
  const again = start(wx.control.restart())
  await again.ready()
  expect(again.session()?.userId).toBe('li')
})

test.each([
  ['that arrives', 'ok'],
  ['that is lost on its way', 'drop-answer'],
] as const)('a failure %s has one request id in the events of both sides', async (_, fate) => {
  const { phone, serverEvents, clientEvents } = setUp({
    onLogin() {
      throw new Error('the database is away')
    },
  })
  const { wx, client } = phone()
  wx.control.onRequest('/wx/login', fate)

  const error: unknown = await client.login().catch((error) => error)

  const ids = new Set(
    serverEvents.flatMap((event) => (event.type === 'failure' ? event.requestId : [])),
  )
  const [told] = clientEvents.flatMap((event) => (event.type === 'login' ? [event] : []))
  expect(ids).toEqual(new Set([told?.requestId]))
  expect(told?.requestId).toMatch(/^[\w-]{1,64}$/)
  expect(error).toMatchObject({ code: told?.code, requestId: told?.requestId })
  expect(wx.control.requests.map(({ header }) => header['x-request-id'])).toContain(told?.requestId)
})
