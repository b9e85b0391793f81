import { describe, expect, test } from 'vitest'
import {
  AuthError,
  type AuthOptions,
  createAuth,
  createMemoryStore,
  type LoginContext,
} from '../src/index.js'
import { createClock, newKey, setUp, testSecret } from './set-up.js'
import { bodyOf, send } from './set-up-http.js'

const appId = 'wx0000000000000001'
const gateway = {
  'X-WX-OPENID': 'oGZUI0egBJY1zhBYw2KhdUfwVJJE',
  'X-WX-APPID': appId,
  'X-WX-SOURCE': 'wx_client',
}

const headersOf = (headers: Record<string, string>) => {
  const all = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return { header: (name: string) => all.get(name.toLowerCase()) }
}

const setUpHosted = (options: Partial<AuthOptions> = {}) =>
  setUp({ cloudHosting: { public: false }, ...options })

test.each([{ public: true }, {}, true, 'private'])('cloudHosting cannot be %j', (cloudHosting) => {
  const create = () =>
    createAuth({
      apps: [{ appId, appSecret: 'a secret' }],
      secret: testSecret,
      // What JavaScript may pass.
      cloudHosting: cloudHosting as unknown as { public: false },
    })

  expect(create).toThrow(TypeError)
  expect(create).toThrow('cloudHosting')
})

describe('without the option', () => {
  test("the gateway's headers are nobody", async () => {
    const { auth } = setUp()

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'invalid_token',
    })
    expect(await auth.authenticate(headersOf(gateway), { optional: true })).toBeUndefined()
  })

  test('a login needs a code', async () => {
    const { auth } = setUp()

    const response = await send(auth, '/login', { headers: gateway, body: { app_id: appId } })

    expect(response.status).toBe(400)
  })
})

describe('a request through the gateway without a token', () => {
  test('has a session of the account that the gateway names', async () => {
    const { auth, wechat } = setUpHosted({
      onLogin: ({ openid, unionid }) => ({ userId: `${openid} ${unionid}` }),
      claims: () => ({ role: 'member' }),
    })

    const session = await auth.authenticate(
      headersOf({ ...gateway, 'X-WX-UNIONID': 'oHAUs6LSuwgHq-mlnFrffKXw3QYM' }),
    )

    expect(session).toMatchObject({
      appId,
      userId: `${gateway['X-WX-OPENID']} oHAUs6LSuwgHq-mlnFrffKXw3QYM`,
      claims: { role: 'member' },
    })
    expect(await auth.sessions.account(session)).toMatchObject({ openid: gateway['X-WX-OPENID'] })
    expect(wechat.calls).toEqual([])
  })

  test('has the same session the next time, in another process too', async () => {
    const clock = createClock()
    const shared = { store: createMemoryStore({ now: clock.now }), now: clock.now }
    const { auth } = setUpHosted(shared)
    const { auth: sibling, events } = setUpHosted(shared)
    const first = await auth.authenticate(headersOf(gateway))

    const again = await auth.authenticate(headersOf(gateway))
    const atSibling = await sibling.authenticate(headersOf(gateway))
    clock.advance(3600)
    const anHourLater = await auth.authenticate(headersOf(gateway))

    expect(again).toEqual(first)
    expect([atSibling.id, anHourLater.id]).toEqual([first.id, first.id])
    expect(events).toEqual([])
  })

  test('asks onLogin once, however many requests start at once', async () => {
    let logins = 0
    const { auth } = setUpHosted({ onLogin: () => void logins++ })

    const sessions = await Promise.all(
      Array.from({ length: 10 }, () => auth.authenticate(headersOf(gateway))),
    )

    expect(new Set(sessions.map(({ id }) => id)).size).toBe(1)
    expect(logins).toBe(1)
  })

  test('gets claims no older than one access life', async () => {
    let role = 'member'
    const { auth, clock } = setUpHosted({ claims: () => ({ role }) })
    await auth.authenticate(headersOf(gateway))
    role = 'admin'

    const before = await auth.authenticate(headersOf(gateway))
    clock.advance(901)
    const after = await auth.authenticate(headersOf(gateway))

    expect([before.claims, after.claims]).toEqual([{ role: 'member' }, { role: 'admin' }])
  })

  test.each<[string, Record<string, string>]>([
    ['no source', { 'X-WX-SOURCE': '' }],
    ['no openid', { 'X-WX-OPENID': '' }],
    ['two openids', { 'X-WX-OPENID': 'openid-1, openid-2' }],
  ])('with %s is nobody', async (_, headers) => {
    const { auth } = setUpHosted()

    const session = auth.authenticate(headersOf({ ...gateway, ...headers }))

    await expect(session).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test.each(['wx00000000000000ff', ''])('of the mini program %j is refused', async (other) => {
    const { auth } = setUpHosted()

    const session = auth.authenticate(headersOf({ ...gateway, 'X-WX-APPID': other }))

    await expect(session).rejects.toMatchObject({ code: 'unknown_app' })
  })

  test('is refused once the session is revoked, until the user logs in again', async () => {
    const { auth } = setUpHosted({ revocation: 'immediate' })
    const { userId } = await auth.authenticate(headersOf(gateway))
    await auth.sessions.revoke({ userId })

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'invalid_token',
    })
    await send(auth, '/login', { headers: gateway, body: { app_id: appId } })

    await expect(auth.authenticate(headersOf(gateway))).resolves.toMatchObject({ userId })
  })

  test('is refused by onLogin as any other login', async () => {
    const { auth } = setUpHosted({
      onLogin: () => {
        throw new AuthError('access_denied', 'This user is banned', { reason: 'banned' })
      },
    })

    await expect(auth.authenticate(headersOf(gateway))).rejects.toMatchObject({
      code: 'access_denied',
      reason: 'banned',
    })
  })

  test('does not count where there is a token: a bad one is a 401', async () => {
    const { auth } = setUpHosted()

    const session = auth.authenticate(headersOf({ ...gateway, Authorization: 'Bearer junk' }))

    await expect(session).rejects.toMatchObject({ code: 'invalid_token' })
  })
})

describe('a login through the gateway', () => {
  test('makes a session with tokens, and spends no code', async () => {
    const seen: LoginContext[] = []
    const { auth, wechat } = setUpHosted({
      onLogin: (_account, context) => void seen.push(context),
    })

    const response = await send(auth, '/login', {
      headers: gateway,
      body: { app_id: appId, code: wechat.codeFor('alice'), input: 'A7', device: 'iPhone' },
    })

    const body = bodyOf(response)
    const session = await auth.authenticate(`Bearer ${body.access_token}`)
    expect(await auth.sessions.account(session)).toEqual({
      appId,
      openid: gateway['X-WX-OPENID'],
    })
    expect(seen).toEqual([{ input: 'A7', device: 'iPhone' }])
    expect(wechat.calls).toEqual([])
    const next = await auth.refresh({ refreshToken: String(body.refresh_token) })
    expect(next.user_id).toBe(session.userId)
  })

  test('that comes again with the same key gets the same session, with another key a new one', async () => {
    const { auth } = setUpHosted()
    const login = async (key: string) => {
      const response = await send(auth, '/login', {
        headers: { ...gateway, 'Idempotency-Key': key },
        body: { app_id: appId },
      })
      return bodyOf(response).refresh_token
    }
    const key = newKey()

    const first = await login(key)

    expect(await login(key)).toBe(first)
    expect(await login(newKey())).not.toBe(first)
  })

  test('replaces the session that it names', async () => {
    const { auth } = setUpHosted()
    const body = { app_id: appId }
    const first = bodyOf(await send(auth, '/login', { headers: gateway, body }))

    await send(auth, '/login', {
      headers: gateway,
      body: { ...body, previous_refresh_token: first.refresh_token },
    })

    await expect(auth.refresh({ refreshToken: String(first.refresh_token) })).rejects.toMatchObject(
      { code: 'invalid_grant' },
    )
  })

  test('tells what brought it in its event', async () => {
    const { auth, events } = setUpHosted()

    await send(auth, '/login', { headers: gateway, body: { app_id: appId } })

    expect(events).toContainEqual(
      expect.objectContaining({ type: 'login', by: 'cloud_hosting', outcome: 'created' }),
    )
  })

  test('without the gateway is a login by code as ever', async () => {
    const { auth, wechat } = setUpHosted()

    const response = await send(auth, '/login', {
      body: { app_id: appId, code: wechat.codeFor('alice') },
    })

    expect(response.status).toBe(200)
    expect(wechat.calls).toHaveLength(1)
  })
})
