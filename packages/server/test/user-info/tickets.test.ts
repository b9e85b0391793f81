import { describe, expect, expectTypeOf, test } from 'vitest'
import { type AuthOptions, createMemoryStore, type TicketHolder } from '../../src/index.js'
import { newKey, setUp, testSecret } from '../set-up.js'

const shop = 'https://shop.example.com'
const startAt = 1_800_000_000

interface Claims {
  role?: string
}

/** Somebody who is logged in, and asks for a ticket to the shop. */
async function setUpVisitor(options: Partial<AuthOptions<Claims>> = {}) {
  const setting = setUp<Claims>(options)
  const { auth, wechat } = setting
  const tokens = await auth.login({ code: wechat.codeFor('alice') })
  const session = await auth.authenticate(`Bearer ${tokens.access_token}`)
  const issue = () => auth.tickets.issue(session, { audience: shop })
  return { ...setting, tokens, session, issue }
}

test('a ticket says who is logged in: account, claims and session', async () => {
  const { auth, clock, issue, session, wechat } = await setUpVisitor({
    claims: () => ({ role: 'member' }),
  })
  const ticket = await issue()
  clock.advance(10)

  const holder = await auth.tickets.redeem(ticket, { audience: shop })

  expectTypeOf(holder).toEqualTypeOf<TicketHolder<Claims>>()
  expect(holder).toEqual({
    userId: session.userId,
    account: {
      appId: session.appId,
      kind: 'mini_program',
      openid: wechat.openidOf('alice'),
    },
    claims: { role: 'member' },
    sessionId: session.id,
    authenticatedAt: startAt,
  })
})

test('its claims are those of now, not those of the token that asked for it', async () => {
  let role = 'guest'
  const { auth, issue } = await setUpVisitor({ claims: () => ({ role }) })
  const ticket = await issue()
  role = 'member'

  expect(await auth.tickets.redeem(ticket, { audience: shop })).toMatchObject({
    claims: { role: 'member' },
  })
})

test('a ticket fits a fragment and an extraData as it is, and holds nothing about anybody', async () => {
  const { issue, session, wechat, tokens } = await setUpVisitor({
    onLogin: () => ({ userId: '4711' }),
  })

  const tickets = await Promise.all(Array.from({ length: 100 }, issue))

  expect(new Set(tickets).size).toBe(100)
  for (const ticket of tickets) {
    expect(ticket).toMatch(/^wxt\.[0-9a-z]+\.[\w-]{22}\.[\w-]{22}$/)
    expect(new URL(`${shop}/#ticket=${ticket}`).hash).toBe(`#ticket=${ticket}`)
    for (const text of [session.id, '4711', wechat.openidOf('alice'), tokens.access_token, shop]) {
      expect(ticket).not.toContain(text)
      expect(Buffer.from(ticket, 'base64url').toString('latin1')).not.toContain(text)
    }
  }
})

test('whoever holds the session of a ticket can ask later whether it lives on', async () => {
  const { auth, issue, tokens } = await setUpVisitor()
  const { sessionId: id, userId } = await auth.tickets.redeem(await issue(), { audience: shop })
  expect(await auth.sessions.account({ id, userId })).toMatchObject({ openid: expect.any(String) })

  await auth.logout({ refreshToken: tokens.refresh_token })

  await expect(auth.sessions.account({ id, userId })).rejects.toMatchObject({
    code: 'invalid_token',
  })
})

test('a refresh of the session in between changes nothing', async () => {
  const { auth, issue, tokens, session } = await setUpVisitor()
  const ticket = await issue()
  await auth.refresh({ refreshToken: tokens.refresh_token, idempotencyKey: newKey() })

  expect(await auth.tickets.redeem(ticket, { audience: shop })).toMatchObject({
    userId: session.userId,
  })
})

test('a ticket can be redeemed at another instance, and with a secret that has been rotated', async () => {
  const store = createMemoryStore({ now: () => startAt * 1000 })
  const { issue, wechat, session } = await setUpVisitor({ store })
  const rotated = setUp({
    store,
    apps: [wechat.app],
    secret: ['a new secret, of thirty-two bytes and more', testSecret],
  })

  expect(await rotated.auth.tickets.redeem(await issue(), { audience: shop })).toMatchObject({
    userId: session.userId,
  })
})

describe('what is wrong in code throws at once, and says what is right', () => {
  test.each([undefined, '', 7, 'x'.repeat(256), null, 'half \ud83d'])(
    'the audience %j',
    async (audience) => {
      const { auth, session, issue } = await setUpVisitor()
      const wrong = { audience: audience as string }
      const rule = { name: 'TypeError', message: expect.stringMatching(/^audience must be/) }

      await expect(auth.tickets.issue(session, wrong)).rejects.toMatchObject(rule)
      const ticket = await issue()
      await expect(auth.tickets.redeem(ticket, wrong)).rejects.toMatchObject(rule)

      expect(await auth.tickets.redeem(ticket, { audience: shop })).toBeDefined()
    },
  )

  test.each([0, -1, 61, 3600, 1.5, Number.NaN, '60', null])('ttlSeconds %j', async (ttlSeconds) => {
    const { auth, session } = await setUpVisitor()

    await expect(
      auth.tickets.issue(session, { audience: shop, ttlSeconds: ttlSeconds as number }),
    ).rejects.toThrow(new TypeError('ttlSeconds must be whole seconds from 1 to 60'))
  })

  test('a store that cannot keep tickets', async () => {
    const { put: _put, peek: _peek, take: _take, ...store } = createMemoryStore()
    const { auth, session, issue } = await setUpVisitor({ store })
    const elsewhere = await setUpVisitor()
    const missing = {
      code: 'server_misconfigured',
      message: expect.stringContaining('put, peek, take'),
    }

    await expect(issue()).rejects.toMatchObject(missing)
    await expect(
      auth.tickets.redeem(await elsewhere.issue(), { audience: shop }),
    ).rejects.toMatchObject(missing)
    expect(session.userId).toBeDefined()
  })
})
