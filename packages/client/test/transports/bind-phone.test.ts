import { ClientError } from '@wxlogin/client/full'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { json, refusal } from '../backend.js'
import { outcomes, setUpFull, times } from '../set-up.js'

const number = '13800000000'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

async function setUp(options: Parameters<typeof setUpFull>[0] = {}) {
  const setting = setUpFull<{ name: string }>(options)
  setting.backend.setData({ name: 'Li' })
  await setting.client.launch()
  return setting
}

test("a button's code becomes a phone number", async () => {
  const { client, backend } = await setUp()
  const code = backend.phoneCode({ number, data: { vip: true } })

  const phone = await client.bindPhone({ detail: { code } })

  expect(phone).toEqual({
    phoneNumber: number,
    countryCode: '86',
    data: { vip: true },
    session: client.session(),
  })
  expect(backend.seen('/wx/phone')[0]).toMatchObject({
    body: { code },
    header: { authorization: 'Bearer access-1-session1' },
  })
  expect(client.session()).toMatchObject({ userId: 'user-1', data: { name: 'Li' } })
})

test.each([
  ['phone_denied', undefined, { errMsg: 'getPhoneNumber:fail user deny' }],
  ['phone_denied', undefined, { code: '', errMsg: 'getPhoneNumber:fail user cancel' }],
  ['phone_denied', 'privacy', { errMsg: 'getPhoneNumber:fail', errno: 103 }],
  ['phone_denied', 'privacy', { errMsg: 'getPhoneNumber:fail', errno: 104 }],
  [
    'phone_denied',
    'privacy',
    { errMsg: 'getPhoneNumber:fail privacy permission is not authorized' },
  ],
  ['config', undefined, { errMsg: 'getPhoneNumber:fail', errno: 112 }],
  [
    'config',
    undefined,
    { errMsg: 'getPhoneNumber:fail api scope is not declared in the privacy agreement' },
  ],
  ['config', undefined, { errMsg: 'getPhoneNumber:fail', errno: 1421102 }],
  ['phone_quota', undefined, { errMsg: 'getPhoneNumber:fail', errno: 1400001 }],
] as const)('%s (%s) for %o, without any request', async (code, reason, detail) => {
  const { client, wx } = await setUp()
  const requestsBefore = wx.control.requests.length

  const error = await client.bindPhone({ detail }).catch((error) => error)

  expect(error).toBeInstanceOf(ClientError)
  const { errMsg } = detail
  expect(error).toMatchObject({ code, cause: { errMsg } })
  expect(error.reason).toBe(reason)
  expect(wx.control.requests).toHaveLength(requestsBefore)
})

test('a number of another user moves the session to them', async () => {
  const { client, backend } = await setUp()
  const changes: unknown[] = []
  client.onChange(({ reason, previous, session }) => {
    changes.push([previous?.userId, reason, session?.userId])
  })
  const code = backend.phoneCode({ number, movesTo: 'user-9', data: { name: 'Wang' } })

  const { session } = await client.bindPhone({ detail: { code } })

  expect(session).toMatchObject({ userId: 'user-9', data: { name: 'Wang' } })
  expect(client.session()).toEqual(session)
  const { data } = await client.request<{ user: string }>({ url: '/orders' })
  expect(data.user).toBe('user-9')
  expect(changes).toEqual([['user-1', 'phone', 'user-9']])
})

test("the other user does not inherit the old one's data", async () => {
  const { client, backend } = await setUp()
  const code = backend.phoneCode({ number, movesTo: 'user-9' })

  const { session } = await client.bindPhone({ detail: { code } })

  expect(session).toMatchObject({ userId: 'user-9', data: undefined })
})

test('the tokens of the other user are renewed with a key of their own, and survive a restart', async () => {
  const { client, backend, wx, start } = await setUp()
  const code = backend.phoneCode({ number, movesTo: 'user-9' })
  await client.bindPhone({ detail: { code } })
  await vi.advanceTimersByTimeAsync(900_000)

  const restarted = start(wx.control.restart())
  const { data } = await restarted.request<{ user: string }>({ url: '/orders' })

  expect(data.user).toBe('user-9')
  const [refresh] = backend.seen('/wx/refresh')
  expect(refresh?.header['idempotency-key']).toMatch(/^[A-Za-z0-9_-]{22,64}$/)
  expect(refresh?.header['idempotency-key']).not.toBe(
    backend.seen('/wx/login')[0]?.header['idempotency-key'],
  )
})

test('the phone number is never stored, and told in no event', async () => {
  const events: unknown[] = []
  const { client, backend, wx } = await setUp({ onEvent: (event) => events.push(event) })
  const code = backend.phoneCode({ number, movesTo: 'user-9' })

  await client.bindPhone({ detail: { code } })

  expect([...wx.control.storage.values()].join()).toContain('user-9')
  expect([...wx.control.storage.values()].join()).not.toContain(number)
  expect(JSON.stringify(events)).not.toContain(number)
})

test('the new tokens are in storage when the answer is handled', async () => {
  const { backend, wx, start } = await setUp()
  const after: unknown[] = []
  const { request } = wx
  const observed = start(
    Object.assign(wx, {
      request: (options: Parameters<typeof request>[0]) =>
        request({
          ...options,
          success(response) {
            options.success?.(response)
            if (options.url.endsWith('/phone')) after.push(wx.control.storage.get('wxlogin'))
          },
        }),
    }),
  )

  await observed.bindPhone({ detail: { code: backend.phoneCode({ number, movesTo: 'user-9' }) } })

  expect(after).toEqual([expect.stringContaining('user-9')])
})

test('what another instance stored meanwhile is not overwritten, and the new session ends', async () => {
  const { client, backend, wx, start } = await setUp()
  wx.control.onRequest('/wx/phone', { delayMs: 1_000 })
  const code = backend.phoneCode({ number, movesTo: 'user-9' })
  const binding = client.bindPhone({ detail: { code } })
  await vi.advanceTimersByTimeAsync(500)
  await start(wx).login({ force: true })

  await vi.advanceTimersByTimeAsync(500)

  expect(await binding).toMatchObject({ phoneNumber: number, session: { userId: 'user-1' } })
  expect(start(wx.control.restart()).session()?.userId).toBe('user-1')
  const [ended] = backend.seen('/wx/logout')
  expect(ended?.header['idempotency-key']).toMatch(/^[A-Za-z0-9_-]{22,64}$/)
  expect(backend.livingSessions()).toBe(1)
  expect(backend.alarms).toEqual([])
})

test('each tap has a key of its own', async () => {
  const { client, backend } = await setUp()
  for (const _ of [1, 2]) {
    await client.bindPhone({ detail: { code: backend.phoneCode({ number }) } })
  }

  const keys = backend.seen('/wx/phone').map(({ header }) => String(header['idempotency-key']))
  for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9_-]{22,64}$/)
  expect(new Set(keys).size).toBe(2)
})

test('a number that another user has leaves one session, and a refresh goes on from it', async () => {
  const { client, backend, wx } = await setUp()
  await client.bindPhone({ detail: { code: backend.phoneCode({ number, movesTo: 'user-9' }) } })
  await vi.advanceTimersByTimeAsync(900_000)

  const { data } = await client.request<{ user: string }>({ url: '/orders' })

  expect(data.user).toBe('user-9')
  expect(backend.livingSessions()).toBe(1)
  expect(backend.alarms).toEqual([])
  expect(wx.control.calls.login).toBe(1)
})

test.each([
  ['undefined', undefined],
  ['null', null],
  ['without a detail', {}],
  ['with a code that is no text', { detail: { code: { a: 1 } } }],
])('an event that is %s rejects as phone_denied', async (_, event) => {
  const { client, wx } = await setUp()
  const before = wx.control.requests.length

  expect(await outcomes([client.bindPhone(event as never)])).toEqual(['phone_denied'])
  expect(wx.control.requests).toHaveLength(before)
})

test('an errno may be a text', async () => {
  const { client } = await setUp()

  const event = { detail: { errMsg: 'getPhoneNumber:fail', errno: '1400001' } }

  expect(await outcomes([client.bindPhone(event as never)])).toEqual(['phone_quota'])
})

test.each([
  ['the number', { phoneMs: 1, refreshMs: 1_000 }],
  ['the renewal', { phoneMs: 1_000, refreshMs: 500 }],
])(
  'a number waits for a renewal that is due, and is then of the newest session: %s',
  async (first, ms) => {
    const { client, backend, wx } = await setUp()
    // In its last tenth a token is renewed while requests go out with it.
    await vi.advanceTimersByTimeAsync(850_000)
    wx.control.onRequest('/wx/phone', { delayMs: ms.phoneMs }, { times: 1 })
    wx.control.onRequest('/wx/refresh', { delayMs: ms.refreshMs }, { times: 1 })
    if (first === 'the renewal') void client.request({ url: '/orders' })
    const code = backend.phoneCode({ number, movesTo: 'user-9' })
    const binding = client.bindPhone({ detail: { code } })
    await vi.advanceTimersByTimeAsync(2_000)

    const { session } = await binding
    await vi.advanceTimersByTimeAsync(900_000)
    const { data } = await client.request<{ user: string }>({ url: '/orders' })

    expect(session?.userId).toBe('user-9')
    expect(data.user).toBe('user-9')
    expect(backend.seen('/wx/login')).toHaveLength(1)
  },
)

test.each([
  ['a sign-out', true],
  ['an offline sign-out', false],
])('%s while the number is exchanged stays one', async (_name, isOnline) => {
  const { client, backend, wx } = await setUp()
  wx.control.onRequest('/wx/phone', { delayMs: 1_000 })
  const code = backend.phoneCode({ number, movesTo: 'user-9' })
  const binding = client.bindPhone({ detail: { code } })
  await vi.advanceTimersByTimeAsync(500)
  if (!isOnline) backend.answer('/wx/logout', 'drop')
  await client.logout()

  await vi.advanceTimersByTimeAsync(500)

  expect((await binding).session).toBeUndefined()
  expect(client.session()).toBeUndefined()
})

test('requests of the old user are not sent as the new one', async () => {
  const { client, backend, wx } = await setUp()
  await vi.advanceTimersByTimeAsync(30_000)
  wx.control.onRequest('/orders', { delayMs: 1_000 })
  const answer = refusal(401, 'invalid_token')
  backend.answer('/orders', answer)
  const old = outcomes(times(2, () => client.request({ url: '/orders' })))
  await vi.advanceTimersByTimeAsync(0)

  await client.bindPhone({ detail: { code: backend.phoneCode({ number, movesTo: 'user-9' }) } })
  await vi.advanceTimersByTimeAsync(1_000)

  expect(await old).toEqual(['user_changed', 'user_changed'])
})

test('a refused token is renewed, and the code is sent again', async () => {
  const { client, backend } = await setUp()
  await vi.advanceTimersByTimeAsync(30_000)
  backend.expireAccess()
  const code = backend.phoneCode({ number })

  expect((await client.bindPhone({ detail: { code } })).phoneNumber).toBe(number)
  expect(backend.seen('/wx/phone').map(({ body }) => body.code)).toEqual([code, code])
})

test('a code that is not good rejects at once, without a new login', async () => {
  const { client, backend } = await setUp()

  const error = await client.bindPhone({ detail: { code: 'used' } }).catch((error) => error)

  expect(error).toMatchObject({ code: 'invalid_code', statusCode: 400 })
  expect(backend.seen('/wx/login')).toHaveLength(1)
})

test.each([
  ['a page', { statusCode: 200, header: {}, body: '<html>' }],
  ['something else', json(200, { code: 0 })],
])('%s instead of a number rejects as http', async (_, answer) => {
  const { client, backend } = await setUp()
  backend.answer('/wx/phone', answer)

  expect(await outcomes([client.bindPhone({ detail: { code: 'x' } })])).toEqual(['http'])
})

test('unwrap is for the answers of the app, not for this one', async () => {
  const { client, backend } = await setUp({
    unwrap: () => {
      throw new Error('not an envelope')
    },
  })
  const code = backend.phoneCode({ number })

  expect((await client.bindPhone({ detail: { code } })).phoneNumber).toBe(number)
})

test('members of the answer that the client does not know change nothing', async () => {
  const { client, backend } = await setUp()
  backend.addMembers({ reason: 'bought', key: 'short' })
  const code = backend.phoneCode({ number, movesTo: 'user-9' })

  await client.bindPhone({ detail: { code } })
  await vi.advanceTimersByTimeAsync(900_000)

  expect(await outcomes([client.request({ url: '/orders' })])).toEqual(['ok'])
  expect(client.session()?.userId).toBe('user-9')
})
