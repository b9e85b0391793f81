import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { AuthError, createMemoryStore, type SessionStore } from '../../src/index.js'
import { createClock, newKey, setUp } from '../set-up.js'

async function loggedIn(options?: Parameters<typeof setUp>[0]) {
  const context = setUp(options)
  const answer = await context.auth.login({ code: context.wechat.codeFor('alice') })
  return { ...context, answer, refreshToken: answer.refresh_token }
}

const outcomes = ({ events }: { events: readonly { type: string }[] }) =>
  events.flatMap((event) => (event.type === 'refresh' && 'outcome' in event ? [event.outcome] : []))

test('a refresh gives a new pair for the same user', async () => {
  const { auth, answer, refreshToken } = await loggedIn()

  const next = await auth.refresh({ refreshToken })

  expect(next).toMatchObject({ token_type: 'Bearer', expires_in: 900, user_id: answer.user_id })
  expect(next.refresh_token).not.toBe(refreshToken)
  const session = await auth.authenticate(`Bearer ${next.access_token}`)
  expect(session.userId).toBe(answer.user_id)
})

test('a refresh token works once', async () => {
  const { auth, refreshToken } = await loggedIn()
  await auth.refresh({ refreshToken })

  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
    code: 'invalid_grant',
    reason: 'reused',
  })
})

test('a token that was used twice ends its session, the honest successor included', async () => {
  const context = await loggedIn()
  const { auth, refreshToken } = context
  const successor = await auth.refresh({ refreshToken })
  await auth.refresh({ refreshToken }).catch(() => undefined)

  await expect(auth.refresh({ refreshToken: successor.refresh_token })).rejects.toMatchObject({
    code: 'invalid_grant',
    reason: 'reused',
  })
  expect(outcomes(context)).toEqual(['rotated', 'reused', 'refused'])
})

test('the same request again, days later, gets the identical refresh token and a new access token', async () => {
  const context = await loggedIn()
  const { auth, refreshToken, clock } = context
  const idempotencyKey = newKey()
  const first = await auth.refresh({ refreshToken, idempotencyKey })
  clock.advance(3 * 24 * 3600)

  const again = await auth.refresh({ refreshToken, idempotencyKey })

  expect(again.refresh_token).toBe(first.refresh_token)
  expect(again.access_token).not.toBe(first.access_token)
  expect(again.refresh_expires_in).toBe(first.refresh_expires_in - 3 * 24 * 3600)
  expect(outcomes(context)).toEqual(['rotated', 'retried'])
})

test('a retry of a retry is still a retry, and the record does not change', async () => {
  const { now } = createClock()
  const store = createMemoryStore({ now })
  const { auth, refreshToken } = await loggedIn({ store, now })
  const idempotencyKey = newKey()
  const { access_token } = await auth.refresh({ refreshToken, idempotencyKey })
  const { id } = await auth.authenticate(`Bearer ${access_token}`)
  const before = await store.get(id)

  for (let n = 0; n < 5; n++) await auth.refresh({ refreshToken, idempotencyKey })

  expect(await store.get(id)).toEqual(before)
})

test('two hundred refreshes with one key give one generation and one refresh token', async () => {
  const context = await loggedIn()
  const { auth, refreshToken } = context
  const idempotencyKey = newKey()

  const answers = await Promise.all(
    Array.from({ length: 200 }, () => auth.refresh({ refreshToken, idempotencyKey })),
  )

  expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1)
  expect(outcomes(context).filter((outcome) => outcome === 'rotated')).toHaveLength(1)
  expect(outcomes(context).filter((outcome) => outcome === 'retried')).toHaveLength(199)
})

test('two hundred refreshes with many keys give one winner and a revoked session', async () => {
  const context = await loggedIn()
  const { auth, refreshToken } = context

  const results = await Promise.allSettled(
    Array.from({ length: 200 }, () => auth.refresh({ refreshToken, idempotencyKey: newKey() })),
  )

  const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  expect(winners).toHaveLength(1)
  expect(outcomes(context).filter((outcome) => outcome === 'reused')).toHaveLength(1)
  const refreshToken2 = winners[0]?.refresh_token ?? ''
  await expect(auth.refresh({ refreshToken: refreshToken2 })).rejects.toMatchObject({
    reason: 'reused',
  })
})

test('a token two generations old never works, whatever its key', async () => {
  const { auth, refreshToken } = await loggedIn()
  const idempotencyKey = newKey()
  const second = await auth.refresh({ refreshToken, idempotencyKey })
  await auth.refresh({ refreshToken: second.refresh_token, idempotencyKey: newKey() })

  await expect(auth.refresh({ refreshToken, idempotencyKey })).rejects.toMatchObject({
    code: 'invalid_grant',
    reason: 'reused',
  })
})

test('a store that lost its last writes follows the token', async () => {
  const records = new Map<string, string>()
  const { now } = createClock()
  const memory = createMemoryStore({ now })
  const store: SessionStore = {
    ...memory,
    create: async (record) => {
      records.set(record.id, JSON.stringify(record))
      return memory.create(record)
    },
  }
  const context = await loggedIn({ store, now })
  const { auth, refreshToken } = context
  const second = await auth.refresh({ refreshToken })
  const third = await auth.refresh({ refreshToken: second.refresh_token })
  for (const [id, text] of records) {
    await memory.delete(id)
    await memory.create(JSON.parse(text))
  }

  const fourth = await auth.refresh({ refreshToken: third.refresh_token })

  expect(outcomes(context)).toEqual(['rotated', 'rotated', 'healed'])
  await expect(auth.refresh({ refreshToken: fourth.refresh_token })).resolves.toBeDefined()
})

test('a session that is not refreshed for 30 days ends', async () => {
  const { auth, refreshToken, clock } = await loggedIn()
  clock.advance(30 * 24 * 3600)

  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ code: 'invalid_grant' })
})

test('a session that is refreshed every day ends after 180 days', async () => {
  const { auth, refreshToken, clock } = await loggedIn()
  let current = refreshToken
  for (let day = 1; day < 180; day++) {
    clock.advance(24 * 3600)
    current = (await auth.refresh({ refreshToken: current })).refresh_token
  }
  clock.advance(24 * 3600 - 10)
  const last = await auth.refresh({ refreshToken: current })

  expect(last.expires_in).toBe(10)
  expect(last.refresh_expires_in).toBe(10)
  clock.advance(10)
  await expect(auth.refresh({ refreshToken: last.refresh_token })).rejects.toMatchObject({
    code: 'invalid_grant',
  })
})

test('a refresh asks WeChat nothing', async () => {
  const { auth, refreshToken, wechat } = await loggedIn()
  wechat.fail('drop-before', { times: Number.POSITIVE_INFINITY })

  await auth.refresh({ refreshToken })

  expect(wechat.calls).toHaveLength(1)
})

test('claims are computed anew at every refresh', async () => {
  let role = 'user'
  const { auth, refreshToken } = await loggedIn({ claims: () => ({ role }) })
  role = 'admin'

  const { access_token } = await auth.refresh({ refreshToken })

  expect((await auth.authenticate(`Bearer ${access_token}`)).claims).toEqual({ role: 'admin' })
})

test('claims that refuse a user end the session, and the device is told so later', async () => {
  let isBanned = false
  const claims = () => {
    if (isBanned) throw new AuthError('access_denied', 'This user is banned', { reason: 'banned' })
    return {}
  }
  const { auth, refreshToken } = await loggedIn({ claims })
  isBanned = true

  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
    code: 'access_denied',
    reason: 'banned',
  })

  isBanned = false
  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
    code: 'invalid_grant',
    reason: 'revoked',
  })
})

test('claims that fail cost nothing: the same token works when they are well again', async () => {
  let isBroken = true
  const claims = () => {
    if (isBroken) throw new Error('the roles are out')
    return {}
  }
  const { auth } = setUp({ claims })
  const created = await auth.sessions.create({ account: { openid: 'alice' }, claims: {} })

  await expect(auth.refresh({ refreshToken: created.refresh_token })).rejects.toMatchObject({
    code: 'server_error',
  })

  isBroken = false
  await expect(auth.refresh({ refreshToken: created.refresh_token })).resolves.toBeDefined()
})

test.each(['get', 'replace'] as const)(
  'a store whose %s fails is a 503, and costs nothing',
  async (verb) => {
    const { now } = createClock()
    const memory = createMemoryStore({ now })
    let isDown = false
    const store: SessionStore = {
      ...memory,
      [verb]: (...args: never[]) =>
        isDown ? Promise.reject(new Error('down')) : Reflect.apply(memory[verb], memory, args),
    }
    const { auth, refreshToken } = await loggedIn({ store, now })
    isDown = true

    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
      code: 'store_unavailable',
      status: 503,
    })

    isDown = false
    await expect(auth.refresh({ refreshToken })).resolves.toBeDefined()
  },
)

test('a store that does not answer is a 503 at its deadline', async () => {
  const { now } = createClock()
  const store: SessionStore = {
    ...createMemoryStore({ now }),
    get: () => new Promise(() => undefined),
  }
  const { auth } = setUp({ store, now, storeTimeoutMs: 5 })
  const { refresh_token } = await auth.sessions.create({ account: { openid: 'alice' } })

  await expect(auth.refresh({ refreshToken: refresh_token })).rejects.toMatchObject({
    code: 'store_unavailable',
  })
})

test.each(['', 'nonsense', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.AAAA'])(
  'the forged refresh token %j is refused before the store is asked',
  async (refreshToken) => {
    let reads = 0
    const { now } = createClock()
    const memory = createMemoryStore({ now })
    const store: SessionStore = {
      ...memory,
      get: async (id) => {
        reads++
        return memory.get(id)
      },
    }
    const { auth } = setUp({ store, now })

    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'unknown',
    })
    expect(reads).toBe(0)
  },
)

test.each([undefined, null, 7, {}, ['a.b.c']])('%j is no refresh token', async (given) => {
  const { auth } = setUp()
  // What JavaScript may pass. As an `invalid_grant` it would log the phone out.
  const refreshToken = given as string

  await expect(auth.refresh({ refreshToken })).rejects.toThrow(TypeError)
  await expect(auth.logout({ refreshToken })).rejects.toThrow(TypeError)
})

test('refresh tokens signed by an old secret still work, and their successors are signed by the new one', async () => {
  const [older, newer] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
  const { now } = createClock()
  const store = createMemoryStore({ now })
  const before = await loggedIn({ store, secret: older, now })
  const { auth: rotated } = setUp({ store, now, secret: [newer, older] })
  const { auth: after } = setUp({ store, now, secret: newer })

  const second = await rotated.refresh({ refreshToken: before.refreshToken })
  const third = await after.refresh({ refreshToken: second.refresh_token })

  expect(third.user_id).toBe(before.answer.user_id)
  await expect(after.refresh({ refreshToken: before.refreshToken })).rejects.toMatchObject({
    reason: 'unknown',
  })
})

describe('the events of a refresh', () => {
  const kinds = ['refresh', 'revoked']

  test('say how it ended, of which session, and how long it took', async () => {
    let pause = () => {}
    const { auth, wechat, clock, events, answer, refreshToken } = await loggedIn({
      claims: () => {
        pause()
        return {}
      },
    })
    const { id, userId } = await auth.authenticate(`Bearer ${answer.access_token}`)
    pause = () => clock.advance(2)
    const startedMs = clock.now()

    await auth.refresh({ refreshToken })

    expect(events.at(-1)).toStrictEqual({
      type: 'refresh',
      outcome: 'rotated',
      appId: wechat.app.appId,
      sessionId: id,
      userId,
      startedMs,
      durationMs: 2000,
    })
  })

  test('tell of a token that was used twice, and of the session that ended for it', async () => {
    const { auth, wechat, clock, events, answer, refreshToken } = await loggedIn()
    const { id: sessionId, userId } = await auth.authenticate(`Bearer ${answer.access_token}`)
    const about = { appId: wechat.app.appId, sessionId, userId }
    await auth.refresh({ refreshToken })

    await auth.refresh({ refreshToken }).catch(() => undefined)

    expect(events.slice(-2)).toStrictEqual([
      { type: 'refresh', outcome: 'reused', ...about, startedMs: clock.now(), durationMs: 0 },
      { type: 'revoked', ...about, reason: 'reused' },
    ])
  })

  test('tell why it was refused', async () => {
    const { auth, answer, events, refreshToken } = await loggedIn()
    await auth.sessions.revoke({ userId: answer.user_id })

    await auth.refresh({ refreshToken }).catch(() => undefined)
    await auth.logout({ refreshToken })
    await auth.refresh({ refreshToken }).catch(() => undefined)

    expect(events.filter(({ type }) => kinds.includes(type))).toMatchObject([
      { type: 'revoked', reason: 'revoked' },
      { type: 'refresh', outcome: 'refused', reason: 'revoked' },
      { type: 'refresh', outcome: 'refused', reason: 'revoked' },
    ])
  })

  test('tell of a user whom claims refuses', async () => {
    let isBanned = false
    const { auth, events, refreshToken } = await loggedIn({
      claims: () => {
        if (isBanned) throw new AuthError('access_denied', 'This user is banned')
        return {}
      },
    })
    isBanned = true

    await auth.refresh({ refreshToken }).catch(() => undefined)

    expect(events.filter(({ type }) => kinds.includes(type))).toMatchObject([
      { type: 'revoked', reason: 'access_denied' },
    ])
  })
})

test('claims is not asked about a session that has ended, or ends because its token came twice', async () => {
  let asked = 0
  const { auth, refreshToken } = await loggedIn({
    claims: () => {
      asked++
      return {}
    },
  })
  await auth.refresh({ refreshToken })
  asked = 0

  await auth.refresh({ refreshToken }).catch(() => undefined)
  await auth.refresh({ refreshToken }).catch(() => undefined)
  await auth.logout({ refreshToken })
  await auth.refresh({ refreshToken }).catch(() => undefined)

  expect(asked).toBe(0)
})

test.each([
  { what: 'without claims', options: {}, readsOfRetry: 1 },
  { what: 'with claims', options: { claims: () => ({}) }, readsOfRetry: 2 },
])('a rotation is one read and one write, a retry $readsOfRetry and none $what', async (row) => {
  const { now } = createClock()
  const memory = createMemoryStore({ now })
  let [reads, writes] = [0, 0]
  const store: SessionStore = {
    ...memory,
    get: (id) => {
      reads++
      return memory.get(id)
    },
    list: (userId) => {
      reads++
      return memory.list(userId)
    },
    replace: (record, version) => {
      writes++
      return memory.replace(record, version)
    },
  }
  const { auth, refreshToken } = await loggedIn({ store, now, ...row.options })
  const request = { refreshToken, idempotencyKey: newKey() }
  reads = 0

  await auth.refresh(request)
  const rotation = [reads, writes]
  await auth.refresh(request)

  expect(rotation).toEqual([1, 1])
  expect([reads - 1, writes - 1]).toEqual([row.readsOfRetry, 0])
})

test('a mini program that is no longer served here has no sessions here', async () => {
  const { now } = createClock()
  const store = createMemoryStore({ now })
  const { auth, refreshToken } = await loggedIn({ store, now })
  const elsewhere = setUp({ store, now, apps: [{ appId: 'wx0000000000000002', appSecret: 's' }] })

  await expect(elsewhere.auth.refresh({ refreshToken })).rejects.toMatchObject({
    code: 'invalid_grant',
    reason: 'unknown',
  })
  await elsewhere.auth.logout({ refreshToken })

  await expect(auth.refresh({ refreshToken })).resolves.toBeDefined()
})
