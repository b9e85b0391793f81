import { describe, expect, test } from 'vitest'
import {
  AuthError,
  type AuthOptions,
  createMemoryStore,
  type MovedPhoneAnswer,
  type PhoneContext,
} from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { createClock, newKey, setUp } from '../set-up.js'

/** A guest who has logged in by code, and what the phone button gave her. */
async function setUpGuest(options: Partial<AuthOptions> = {}) {
  const set = setUp(options)
  const { auth, wechat } = set
  const tokens = await auth.login({ code: wechat.codeFor('alice') })
  const authorization = `Bearer ${tokens.access_token}`
  const session = await auth.authenticate(authorization)
  const phone = (code: string, headers: Record<string, string> = { authorization }) =>
    send(auth, '/phone', { headers, body: { code } })
  return { ...set, tokens, authorization, session, phone }
}

describe('POST /phone', () => {
  test('answers the number behind the code of the phone button', async () => {
    const { wechat, phone } = await setUpGuest()

    const response = await phone(wechat.phoneCodeFor('alice', { phoneNumber: '13800138000' }))

    expect(response.status).toBe(200)
    expect(response.headers['cache-control']).toBe('no-store')
    expect(bodyOf(response)).toEqual({ phone_number: '13800138000', country_code: '86' })
  })

  test('needs an access token, before anything is read or asked', async () => {
    const { wechat, phone } = await setUpGuest()
    const calls = wechat.calls.length

    const response = await phone(wechat.phoneCodeFor('alice'), {})

    expect(response.status).toBe(401)
    expect(response.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    expect(wechat.calls).toHaveLength(calls)
  })

  test.each([
    ['no code', undefined, 'invalid_request'],
    ['a code of another shape', 'not a code', 'invalid_code'],
    ['a code of DevTools', 'the code is a mock one', 'invalid_code'],
  ])('refuses %s without asking WeChat', async (_, code, error) => {
    const { auth, wechat, authorization } = await setUpGuest()
    const calls = wechat.calls.length

    const response = await send(auth, '/phone', { headers: { authorization }, body: { code } })

    expect(bodyOf(response)).toMatchObject({ error })
    expect(wechat.calls).toHaveLength(calls)
  })

  test('a code works once', async () => {
    const { wechat, phone } = await setUpGuest()
    const code = wechat.phoneCodeFor('alice')
    await phone(code)

    const again = await phone(code)

    expect(again.status).toBe(400)
    expect(bodyOf(again)).toMatchObject({ error: 'invalid_code' })
  })

  test('a code of wx.login is no code of the phone button', async () => {
    const { wechat, phone } = await setUpGuest()

    const response = await phone(wechat.codeFor('alice'))

    expect(bodyOf(response)).toMatchObject({ error: 'invalid_code' })
  })

  test("somebody else's code is refused, for WeChat is told who asks", async () => {
    const seen: PhoneContext[] = []
    const { wechat, phone } = await setUpGuest({
      onPhoneNumber: (context) => void seen.push(context),
    })

    const response = await phone(wechat.phoneCodeFor('mallory'))

    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(seen).toEqual([])
  })

  test('is a 401 once the session has ended, and the code is not spent', async () => {
    const { auth, wechat, tokens, phone } = await setUpGuest()
    await auth.logout({ refreshToken: tokens.refresh_token })
    const calls = wechat.calls.length

    const response = await phone(wechat.phoneCodeFor('alice'))

    expect(response.status).toBe(401)
    expect(wechat.calls).toHaveLength(calls)
  })
})

describe('onPhoneNumber', () => {
  test('learns number, country, session and account; what it returns as data reaches the client', async () => {
    const seen: PhoneContext[] = []
    const { wechat, session, phone } = await setUpGuest({
      onPhoneNumber: (context) => {
        seen.push(context)
        return { data: { isNew: false } }
      },
    })

    const response = await phone(
      wechat.phoneCodeFor('alice', { phoneNumber: '2025550123', countryCode: '1' }),
    )

    expect(seen).toEqual([
      {
        callId: expect.any(String),
        phoneNumber: '2025550123',
        countryCode: '1',
        session,
        account: {
          appId: wechat.app.appId,
          kind: 'mini_program',
          openid: wechat.openidOf('alice'),
        },
        request: { header: expect.any(Function) },
      },
    ])
    expect(bodyOf(response)).toEqual({
      phone_number: '2025550123',
      country_code: '1',
      data: { isNew: false },
    })
  })

  test('opens a session of the user whose number it is, in place of this one', async () => {
    const { auth, wechat, session, phone, events } = await setUpGuest({
      onLogin: () => ({ userId: 'guest', data: { name: 'guest' } }),
      onPhoneNumber: () => ({ userId: 'member', data: { name: 'member' } }),
      claims: ({ userId }) => ({ role: userId }),
    })

    const body = bodyOf(await phone(wechat.phoneCodeFor('alice')))

    expect(body).toMatchObject({ user_id: 'member', data: { name: 'member' } })
    const moved = await auth.authenticate(`Bearer ${body.access_token}`, { fresh: true })
    expect(moved).toMatchObject({ userId: 'member', claims: { role: 'member' } })
    expect(moved.id).not.toBe(session.id)
    expect(await auth.sessions.list('guest')).toEqual([])
    expect(await auth.sessions.list('member')).toMatchObject([{ id: moved.id, method: 'phone' }])
    expect(events.slice(-3)).toMatchObject([
      { type: 'logout', sessionId: session.id, userId: 'guest' },
      { type: 'login', by: 'phone', outcome: 'created', sessionId: moved.id, userId: 'member' },
      { type: 'phone', outcome: 'moved', sessionId: moved.id, userId: 'member' },
    ])
  })

  test('what onLogin said of the guest does not follow to the other user', async () => {
    const { wechat, phone } = await setUpGuest({
      onLogin: () => ({ userId: 'guest', data: { name: 'guest' } }),
      onPhoneNumber: () => ({ userId: 'member' }),
    })

    const body = bodyOf(await phone(wechat.phoneCodeFor('alice')))

    expect(body.user_id).toBe('member')
    expect(body).not.toHaveProperty('data')
  })

  test("a copy of the guest's refresh token does not become the member's", async () => {
    const { auth, wechat, tokens, phone } = await setUpGuest({
      onPhoneNumber: () => ({ userId: 'member' }),
    })
    const body = bodyOf(await phone(wechat.phoneCodeFor('alice')))

    const stolen = auth.refresh({ refreshToken: tokens.refresh_token })

    await expect(stolen).rejects.toMatchObject({ code: 'invalid_grant', reason: 'unknown' })
    const next = await auth.refresh({ refreshToken: String(body.refresh_token) })
    expect(next.user_id).toBe('member')
  })

  test('a refresh packet that arrives after the change of user raises no alarm', async () => {
    const { auth, wechat, tokens, phone, events } = await setUpGuest({
      onPhoneNumber: () => ({ userId: 'member' }),
    })
    await auth.refresh({ refreshToken: tokens.refresh_token })
    await phone(wechat.phoneCodeFor('alice'))

    await auth.refresh({ refreshToken: tokens.refresh_token }).catch(() => undefined)

    expect(events.at(-1)).toMatchObject({ type: 'refresh', outcome: 'refused', reason: 'unknown' })
    expect(await auth.sessions.list('member')).toHaveLength(1)
  })

  test('the session of a code that comes again with another key ends, whoever was first', async () => {
    const { auth, wechat, session, events } = await setUpGuest({
      onPhoneNumber: () => ({ userId: 'member' }),
    })
    const code = wechat.phoneCodeFor('alice')
    const { refresh_token = '' } = (await auth.phone({
      session,
      code,
      idempotencyKey: newKey(),
    })) as MovedPhoneAnswer

    const again = auth.phone({ session, code, idempotencyKey: newKey() })

    await expect(again).rejects.toMatchObject({ code: 'invalid_code' })
    expect(events.at(-1)).toMatchObject({ type: 'revoked', reason: 'reused', userId: 'member' })
    await expect(auth.refresh({ refreshToken: refresh_token })).rejects.toMatchObject({
      reason: 'reused',
    })
  })

  test('a code from an old log ends nothing', async () => {
    const { auth, wechat, clock, session, events } = await setUpGuest({
      onPhoneNumber: () => ({ userId: 'member' }),
    })
    const code = wechat.phoneCodeFor('alice')
    const { refresh_token } = (await auth.phone({ session, code })) as MovedPhoneAnswer
    clock.advance(300)
    await auth.refresh({ refreshToken: refresh_token })
    clock.advance(3600)

    const again = auth.phone({ session, code })

    await expect(again).rejects.toMatchObject({ code: 'invalid_code' })
    expect(events.filter(({ type }) => type === 'revoked')).toEqual([])
    expect(await auth.sessions.list('member')).toHaveLength(1)
  })

  test('a packet that arrives twice ends nothing', async () => {
    const { auth, wechat, session } = await setUpGuest({
      onPhoneNumber: () => ({ userId: 'member' }),
    })
    const once = { session, code: wechat.phoneCodeFor('alice'), idempotencyKey: newKey() }
    await auth.phone(once)

    await expect(auth.phone(once)).rejects.toMatchObject({ code: 'invalid_code' })
    expect(await auth.sessions.list('member')).toHaveLength(1)
  })

  test("open data of the user still opens with the newest login's key", async () => {
    const { auth, wechat, clock, session, phone } = await setUpGuest({
      onLogin: () => ({ userId: 'guest' }),
      onPhoneNumber: () => ({ userId: 'guest-two' }),
    })
    const signed = wechat.signedDataFor('alice', { nickName: 'Alice' })
    clock.advance(10)
    const body = bodyOf(await phone(wechat.phoneCodeFor('alice')))
    const after = await auth.authenticate(`Bearer ${body.access_token}`)

    expect(session.userId).toBe('guest')
    expect(await auth.verifySignature(after, signed)).toBe(true)
  })

  test("after the move the guest's access token is refused where the store is asked", async () => {
    const { auth, wechat, authorization, phone } = await setUpGuest({
      onPhoneNumber: () => ({ userId: 'member' }),
    })
    await phone(wechat.phoneCodeFor('alice'))

    await expect(auth.authenticate(authorization, { fresh: true })).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  test('a refresh that the change of user overtakes is refused, with no tokens of either user', async () => {
    let overtake = async () => {}
    const { auth, wechat, tokens, phone, events } = await setUpGuest({
      onLogin: () => ({ userId: 'guest' }),
      onPhoneNumber: () => ({ userId: 'member' }),
      claims: async () => {
        const run = overtake
        overtake = async () => {}
        await run()
        return {}
      },
    })
    overtake = async () => void (await phone(wechat.phoneCodeFor('alice')))

    const refreshed = auth.refresh({ refreshToken: tokens.refresh_token })

    await expect(refreshed).rejects.toMatchObject({ code: 'invalid_grant', reason: 'unknown' })
    expect(events.filter(({ type }) => type === 'revoked')).toEqual([])
    expect(await auth.sessions.list('member')).toHaveLength(1)
  })

  test('a login that is asked for again while the session moves gets no token of the guest', async () => {
    let overtake = async () => {}
    const { auth, wechat, clock } = setUp({
      onLogin: () => ({ userId: 'guest' }),
      onPhoneNumber: () => ({ userId: 'member' }),
      claims: async () => {
        const run = overtake
        overtake = async () => {}
        await run()
        return {}
      },
    })
    const login = { code: wechat.codeFor('alice'), idempotencyKey: newKey() }
    const session = await auth.authenticate(`Bearer ${(await auth.login(login)).access_token}`)
    clock.advance(1)
    overtake = async () => void (await auth.phone({ session, code: wechat.phoneCodeFor('alice') }))

    await expect(auth.login(login)).rejects.toMatchObject({ code: 'invalid_code' })
  })

  test('naming the user of the session changes nothing', async () => {
    const { wechat, session, phone, events } = await setUpGuest({
      onLogin: () => ({ userId: 7 }),
      onPhoneNumber: () => ({ userId: 7 }),
    })

    const body = bodyOf(await phone(wechat.phoneCodeFor('alice')))

    expect(body).not.toHaveProperty('access_token')
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'phone', outcome: 'kept', sessionId: session.id }),
    )
  })

  test('the new session counts against the cap of the other user', async () => {
    const { auth, wechat, clock, phone } = await setUpGuest({
      maxSessionsPerUser: 1,
      onPhoneNumber: () => ({ userId: 'member' }),
    })
    clock.advance(1)
    await auth.sessions.create({ account: { openid: 'on-another-phone' }, userId: 'member' })
    clock.advance(1)

    await phone(wechat.phoneCodeFor('alice'))

    expect(await auth.sessions.list('member')).toHaveLength(1)
  })

  test('refuses a user with a reason of its own, and the session goes on', async () => {
    const { auth, wechat, authorization, phone } = await setUpGuest({
      onPhoneNumber: () => {
        throw new AuthError('access_denied', 'The number is taken', { reason: 'number_taken' })
      },
    })

    const response = await phone(wechat.phoneCodeFor('alice'))

    expect(response.status).toBe(403)
    expect(bodyOf(response)).toMatchObject({ error: 'access_denied', reason: 'number_taken' })
    await expect(auth.authenticate(authorization, { fresh: true })).resolves.toBeDefined()
  })

  test('opens no session of a user whom claims refuses', async () => {
    const { auth, wechat, authorization, phone } = await setUpGuest({
      onPhoneNumber: () => ({ userId: 'banned' }),
      claims: ({ userId }) => {
        if (userId === 'banned') throw new AuthError('access_denied', 'This user is banned')
        return {}
      },
    })

    const response = await phone(wechat.phoneCodeFor('alice'))

    expect(response.status).toBe(403)
    expect(await auth.sessions.list('banned')).toEqual([])
    await expect(auth.authenticate(authorization, { fresh: true })).resolves.toBeDefined()
  })

  test('of two at the same time one takes the place of the session', async () => {
    const { now } = createClock()
    const store = createMemoryStore({ now })
    const arrived: (() => void)[] = []
    const { wechat, session, phone } = await setUpGuest({
      now,
      store,
      onLogin: () => ({ userId: 'guest' }),
      onPhoneNumber: async ({ phoneNumber }) => {
        await new Promise<void>((resolve) => {
          arrived.push(resolve)
          if (arrived.length === 2) for (const go of arrived) go()
        })
        return { userId: `user of ${phoneNumber}` }
      },
    })
    const responses = await Promise.all([
      phone(wechat.phoneCodeFor('alice', { phoneNumber: '13800138000' })),
      phone(wechat.phoneCodeFor('alice', { phoneNumber: '13900139000' })),
    ])

    expect(responses.map(({ status }) => status).sort()).toEqual([200, 401])
    const won = responses.find(({ status }) => status === 200)
    const users = ['user of 13800138000', 'user of 13900139000']
    const lists = await Promise.all(users.map((userId) => store.list(userId)))
    expect(lists.flat().map(({ userId }) => userId)).toEqual([won && bodyOf(won).user_id])
    expect(await store.get(session.id)).toBeUndefined()
  })

  test('a logout while it runs wins', async () => {
    let refreshToken = ''
    const { auth, wechat, tokens, phone } = await setUpGuest({
      onPhoneNumber: async () => {
        await auth.logout({ refreshToken })
        return { userId: 'member' }
      },
    })
    refreshToken = tokens.refresh_token

    const response = await phone(wechat.phoneCodeFor('alice'))

    expect(response.status).toBe(401)
    expect(await auth.sessions.list('member')).toEqual([])
  })

  test('must return data that JSON can hold', async () => {
    const { wechat, phone } = await setUpGuest({
      // What JavaScript may return.
      onPhoneNumber: () => ({ data: 1n as unknown as number }),
    })

    const response = await phone(wechat.phoneCodeFor('alice'))

    expect(bodyOf(response)).toMatchObject({ error: 'server_error' })
  })

  test('a revocation while it runs wins', async () => {
    const { auth, wechat, session, phone } = await setUpGuest({
      onLogin: () => ({ userId: 'guest' }),
      onPhoneNumber: async () => {
        await auth.sessions.revoke({ userId: 'guest' })
        return { userId: 'member' }
      },
    })

    const response = await phone(wechat.phoneCodeFor('alice'))

    expect(response.status).toBe(401)
    expect(await auth.sessions.list('member')).toEqual([])
    expect(session.userId).toBe('guest')
  })

  test('what it throws is a 500 that says nothing, with the cause in the event', async () => {
    const { wechat, phone, events } = await setUpGuest({
      onPhoneNumber: () => {
        throw new Error('the database is down')
      },
    })

    const response = await phone(wechat.phoneCodeFor('alice'))

    expect(response.status).toBe(500)
    expect(response.body).not.toContain('database')
    expect(events.find(({ type }) => type === 'failure')).toMatchObject({
      error: { cause: { message: 'the database is down' } },
    })
  })
})

test('the event of a phone number says of which session it is, and how long it took', async () => {
  const { wechat, clock, session, phone, events } = await setUpGuest({
    onPhoneNumber: () => clock.advance(2),
  })
  const startedMs = clock.now()

  await phone(wechat.phoneCodeFor('alice'))

  expect(events.at(-1)).toStrictEqual({
    type: 'phone',
    outcome: 'kept',
    appId: wechat.app.appId,
    sessionId: session.id,
    userId: session.userId,
    startedMs,
    durationMs: 2000,
  })
})

test('no event tells a phone number', async () => {
  const { wechat, phone, events } = await setUpGuest()

  await phone(wechat.phoneCodeFor('alice', { phoneNumber: '13800138000' }))

  expect(JSON.stringify(events)).not.toContain('13800138000')
})
