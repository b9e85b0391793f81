import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  AuthError,
  type AuthEvent,
  type AuthOptions,
  createMemoryStore,
  type SessionStore,
} from '../../src/index.js'
import { expectNone } from '../no-secrets.js'
import { createClock, setUp, testSecret } from '../set-up.js'

const shop = 'https://shop.example.com'

/** Alice is logged in and has just got a ticket to the shop, which has not redeemed it. */
async function setUpTarget(options: Partial<AuthOptions> = {}) {
  const clock = createClock()
  const { now } = clock
  const store = options.store ?? createMemoryStore({ now })
  const setting = setUp({ now, ...options, store })
  const { auth, wechat } = setting
  const login = async (person: string) => {
    const tokens = await auth.login({ code: wechat.codeFor(person) })
    const session = await auth.authenticate(`Bearer ${tokens.access_token}`)
    return { tokens, session }
  }
  const alice = await login('alice')
  const ticket = await auth.tickets.issue(alice.session, { audience: shop })
  const redeem = (text: unknown = ticket, audience = shop) =>
    auth.tickets.redeem(text, { audience })
  /** Another instance of a backend on the same store. */
  const instance = (options: Partial<AuthOptions> = {}) =>
    setUp({ now, store, apps: [wechat.app], ...options }).auth
  return { ...setting, clock, store, login, ...alice, ticket, redeem, instance }
}

/** A store that counts how often a ticket is looked for. */
function createCountedStore() {
  const memory = createMemoryStore()
  let takes = 0
  const store: SessionStore = {
    ...memory,
    take(id) {
      takes++
      return memory.take(id)
    },
  }
  return { store, takes: () => takes }
}

type Target = Awaited<ReturnType<typeof setUpTarget>>

interface Abuse {
  /** What the server is like. */
  readonly options?: Partial<AuthOptions>
  /** What somebody does; it has to reject. */
  attack(target: Target): Promise<unknown>
  readonly code?: string
  readonly reason?: string
  /** Whether the ticket can be redeemed by whom it is for, afterwards. */
  readonly isUnused?: boolean
}

const parts = (ticket: string) => ticket.split('.')
const flip = (letter = '') => (letter === 'A' ? 'B' : 'A')

const abuses: Record<string, Abuse> = {
  'it is redeemed again': {
    attack: ({ redeem }) => redeem().then(() => redeem()),
    reason: 'used',
  },
  'the link is forwarded after it was opened': {
    async attack({ redeem, instance, ticket }) {
      await redeem()
      // At another instance, which never saw it.
      return instance().tickets.redeem(ticket, { audience: shop })
    },
    reason: 'used',
  },
  'it is found in a log a minute later': {
    attack({ clock, redeem }) {
      clock.advance(60)
      return redeem()
    },
    reason: 'expired',
  },
  'it is found in a log a year later': {
    attack({ clock, redeem }) {
      clock.advance(365 * 86_400)
      return redeem()
    },
    reason: 'expired',
  },
  'it is brought to an instance whose clock is an hour slow, after its end': {
    attack({ clock, ticket, instance }) {
      clock.advance(60)
      const slow = instance({ now: () => clock.now() - 3_600_000 })
      // What it was for is gone from the store.
      return slow.tickets.redeem(ticket, { audience: shop })
    },
    reason: 'used',
  },
  'it is redeemed by another page': {
    attack: ({ redeem, ticket }) => redeem(ticket, 'https://evil.example.com'),
    reason: 'unknown',
    isUnused: true,
  },
  'it is redeemed by a page with nearly this name': {
    attack: ({ redeem, ticket }) => redeem(ticket, 'https://shop.example.com.evil.example'),
    reason: 'unknown',
    isUnused: true,
  },
  'it is redeemed for an audience that swallows its other parts': {
    attack({ redeem, ticket }) {
      const [, endsAt = '', name = ''] = parts(ticket)
      return redeem(ticket, `${shop}|${endsAt.length}:${endsAt}|${name.length}:${name}`)
    },
    reason: 'unknown',
    isUnused: true,
  },
  'another page burns it by trying it a thousand times': {
    async attack({ redeem, ticket }) {
      const tried = await Promise.allSettled(
        Array.from({ length: 1_000 }, () => redeem(ticket, 'https://evil.example.com')),
      )
      expect(tried.every(({ status }) => status === 'rejected')).toBe(true)
      return redeem(ticket, 'https://evil.example.com')
    },
    reason: 'unknown',
    isUnused: true,
  },
  'it is brought to a backend with another secret on the same store': {
    attack: ({ instance, ticket }) =>
      instance({ secret: 'another secret, of thirty-two bytes and more' }).tickets.redeem(ticket, {
        audience: shop,
      }),
    reason: 'unknown',
    isUnused: true,
  },
  'it is brought to a backend of another mini program with the same secret and store': {
    attack: ({ instance, ticket }) =>
      instance({ apps: [{ appId: 'wx00000000000000ff', appSecret: 's' }] }).tickets.redeem(ticket, {
        audience: shop,
      }),
    reason: 'unknown',
  },
  'its session was signed out': {
    async attack({ auth, tokens, redeem }) {
      await auth.logout({ refreshToken: tokens.refresh_token })
      return redeem()
    },
    reason: 'unknown',
  },
  'its session was replaced by a new login': {
    async attack({ auth, wechat, tokens, redeem }) {
      await auth.login({
        code: wechat.codeFor('alice'),
        previousRefreshToken: tokens.refresh_token,
      })
      return redeem()
    },
    reason: 'unknown',
  },
  'its session was signed out everywhere from another phone': {
    async attack({ auth, login, redeem }) {
      const other = await login('alice')
      await auth.logout({ refreshToken: other.tokens.refresh_token, everywhere: true })
      return redeem()
    },
    reason: 'revoked',
  },
  'its session was revoked': {
    async attack({ auth, session, redeem }) {
      await auth.sessions.revoke({ userId: session.userId, sessionId: session.id })
      return redeem()
    },
    reason: 'revoked',
  },
  'its session was revoked, and the page asks an instance that has cached its token': {
    options: { revocation: { staleSeconds: 3600 } },
    async attack({ auth, tokens, session, redeem }) {
      await auth.authenticate(`Bearer ${tokens.access_token}`)
      await auth.sessions.revoke({ userId: session.userId })
      await auth.authenticate(`Bearer ${tokens.access_token}`)
      return redeem()
    },
    reason: 'revoked',
  },
  'its session is revoked while claims runs': {
    options: {
      claims: async ({ userId }) => {
        await onClaims(userId)
        return {}
      },
    },
    attack({ auth, session, redeem }) {
      onClaims = (userId) => auth.sessions.revoke({ userId, sessionId: session.id })
      return redeem()
    },
    reason: 'revoked',
  },
  'its refresh token was stolen, and the theft was noticed': {
    async attack({ auth, tokens, redeem }) {
      const refreshToken = tokens.refresh_token
      await auth.refresh({ refreshToken })
      await auth.refresh({ refreshToken }).catch(() => undefined)
      return redeem()
    },
    reason: 'revoked',
  },
  'its user was forgotten': {
    async attack({ auth, session, redeem }) {
      await auth.sessions.forget(session.userId)
      return redeem()
    },
    reason: 'unknown',
  },
  'its user is banned by claims': {
    options: {
      claims: async ({ userId }) => {
        await onClaims(userId)
        return {}
      },
    },
    async attack({ redeem }) {
      onClaims = async () => {
        throw new AuthError('access_denied', 'Banned', { reason: 'banned' })
      }
      return redeem()
    },
    code: 'access_denied',
    reason: 'banned',
  },
  'its session is of another user now, by a phone number': {
    options: { onPhoneNumber: () => ({ userId: 'somebody else' }) },
    async attack({ auth, wechat, session, redeem }) {
      await auth.phone({ session, code: wechat.phoneCodeFor('alice') })
      return redeem()
    },
    reason: 'unknown',
  },
  'its session has died of age, and another one with the same id has come': {
    options: { cloudHosting: { public: false } },
    async attack({ auth, wechat, clock }) {
      const gateway = new Map([
        ['x-wx-openid', wechat.openidOf('carol')],
        ['x-wx-appid', wechat.app.appId],
        ['x-wx-source', 'wx_client'],
      ])
      const headers = { header: (name: string) => gateway.get(name.toLowerCase()) }
      const first = await auth.authenticate(headers)
      const ticket = await auth.tickets.issue(first, { audience: shop })
      await auth.sessions.forget(first.userId)
      clock.advance(1)
      const second = await auth.authenticate(headers, { fresh: true })
      expect(second.id).toBe(first.id)
      return auth.tickets.redeem(ticket, { audience: shop })
    },
    reason: 'unknown',
    // That of alice, of whom all of this says nothing.
    isUnused: true,
  },
  'its end is put off': {
    attack({ redeem, ticket, clock }) {
      const [wxt, endsAt = '', name, proof] = parts(ticket)
      const later = (Number.parseInt(endsAt, 36) + 3600).toString(36)
      clock.advance(60)
      return redeem([wxt, later, name, proof].join('.'))
    },
    reason: 'unknown',
  },
  'it gets the name of another ticket': {
    async attack({ auth, login, redeem, ticket }) {
      const bob = await login('bob')
      const his = await auth.tickets.issue(bob.session, { audience: shop })
      const [wxt, endsAt, , proof] = parts(his)
      return redeem([wxt, endsAt, parts(ticket)[2], proof].join('.'))
    },
    reason: 'unknown',
    isUnused: true,
  },
  'it is issued to another session of the same id': {
    attack: ({ auth, session }) =>
      auth.tickets.issue({ id: session.id, userId: 'bob' }, { audience: shop }),
    code: 'invalid_token',
    isUnused: true,
  },
  'it is issued by a token whose session was revoked': {
    async attack({ auth, session }) {
      await auth.sessions.revoke({ userId: session.userId })
      return auth.tickets.issue(session, { audience: shop })
    },
    code: 'invalid_token',
  },
  'it is issued by a token of the earlier login, which nobody could revoke': {
    options: { acceptLegacy: { until: 1_900_000_000, verify: () => ({ userId: 7 }) } },
    async attack({ auth }) {
      const session = await auth.authenticate('Bearer of-the-earlier-login')
      return auth.tickets.issue(session, { audience: shop })
    },
    code: 'invalid_token',
    isUnused: true,
  },
  'it is used as an access token': {
    attack: ({ auth, ticket }) => auth.authenticate(`Bearer ${ticket}`),
    code: 'invalid_token',
    isUnused: true,
  },
  'it is used as an access token where acceptLegacy asks the app, which would take anything': {
    options: { acceptLegacy: { until: 1_900_000_000, verify: () => ({ userId: 7 }) } },
    attack: ({ auth, ticket }) => auth.authenticate(`Bearer ${ticket}`),
    code: 'invalid_token',
    isUnused: true,
  },
  'it is used as a refresh token': {
    attack: ({ auth, ticket }) => auth.refresh({ refreshToken: ticket }),
    reason: 'unknown',
    isUnused: true,
  },
  'an access token is used as a ticket': {
    attack: ({ tokens, redeem }) => redeem(tokens.access_token),
    reason: 'unknown',
    isUnused: true,
  },
  'a refresh token is used as a ticket': {
    attack: ({ tokens, redeem }) => redeem(tokens.refresh_token),
    reason: 'unknown',
    isUnused: true,
  },
  'whoever can read the store makes a ticket of what stands there': {
    async attack(target) {
      const { ticket, redeem, store } = target
      const [wxt, endsAt, name = ''] = parts(ticket)
      const value = await store.peek?.(`ticket:${name}`)
      expect(value).toContain(target.session.id)
      const attempts = [name, `ticket:${name}`, `${value}`, [wxt, endsAt, name, name].join('.')]
      const tried = await Promise.allSettled(attempts.map((text) => redeem(text)))
      expect(tried.every(({ status }) => status === 'rejected')).toBe(true)
      return redeem([wxt, endsAt, name, 'A'.repeat(22)].join('.'))
    },
    reason: 'unknown',
    isUnused: true,
  },
}

let onClaims = async (_userId: string): Promise<unknown> => undefined

test.each(Object.entries(abuses))(
  'nothing comes of it when %s',
  async (_name, { options, attack, code = 'invalid_grant', reason, isUnused = false }) => {
    onClaims = async () => undefined
    const target = await setUpTarget(options)

    const error = await attack(target).catch((error) => error)

    expect(error).toBeInstanceOf(AuthError)
    expect(error).toMatchObject({ code, ...(reason !== undefined && { reason }) })
    const redeemed = await target.redeem().then(
      () => true,
      () => false,
    )
    expect(redeemed).toBe(isUnused)
  },
)

test('a thousand redeem it at once, and one has it', async () => {
  const { redeem } = await setUpTarget()

  const results = await Promise.allSettled(Array.from({ length: 1_000 }, () => redeem()))

  const lost = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  expect(lost).toHaveLength(999)
  expect(new Set(lost.map(({ code, reason }) => `${code} ${reason}`))).toEqual(
    new Set(['invalid_grant used']),
  )
})

test('a change of any one character makes it none, and leaves it what it was', async () => {
  const { redeem, ticket } = await setUpTarget()

  for (let n = 0; n < ticket.length; n++) {
    const changed = ticket.slice(0, n) + flip(ticket[n]) + ticket.slice(n + 1)
    await expect(redeem(changed), changed).rejects.toMatchObject({ reason: 'unknown' })
  }

  await expect(redeem()).resolves.toBeDefined()
})

test.each([
  ...[undefined, null, 7, true, [], {}, '', '__proto__', 'wxt...'].map((text) => ({
    what: JSON.stringify(text) ?? 'undefined',
    text,
  })),
  { what: 'a megabyte', text: 'x'.repeat(1_000_000) },
])('$what is no ticket, and the store is not asked', async ({ text }) => {
  const { store, takes } = createCountedStore()
  const { redeem, ticket } = await setUpTarget({ store, now: Date.now })

  // What surrounds a ticket is not cut off: it is another text.
  for (const one of [text, [ticket], { toString: () => ticket }, ` ${ticket}`, `${ticket}\n`]) {
    await expect(redeem(one ?? null)).rejects.toMatchObject({
      code: 'invalid_grant',
      reason: 'unknown',
    })
  }

  expect(takes()).toBe(0)
  await expect(redeem()).resolves.toBeDefined()
})

test('ten thousand guesses of the right shape hit nothing, and do not reach the store', async () => {
  const { store, takes } = createCountedStore()
  const { redeem, ticket } = await setUpTarget({ store, now: Date.now })
  const [wxt, endsAt] = parts(ticket)
  const chance = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')

  for (let n = 0; n < 10_000; n++) {
    const guess = [wxt, endsAt, chance(), chance()].join('.')
    await expect(redeem(guess)).rejects.toMatchObject({ reason: 'unknown' })
  }

  expect(takes()).toBe(0)
})

test('no redeem succeeds that starts after a revoke has resolved, and none gives two a ticket', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const { auth, session, redeem } = await setUpTarget({ claims: async () => ({}) })
    let isRevoked = false
    const revoking = (async () => {
      for (let turn = 0; turn < turns; turn++) await undefined
      await auth.sessions.revoke({ userId: session.userId })
      isRevoked = true
    })()
    const tries: Promise<string>[] = []
    while (!isRevoked) {
      const result = redeem()
      tries.push(result.then(() => 'redeemed').catch(() => 'refused'))
      await undefined
    }
    await revoking

    await expect(redeem()).rejects.toMatchObject({ code: 'invalid_grant' })
    const redeemed = (await Promise.all(tries)).filter((result) => result === 'redeemed')
    expect(redeemed.length).toBeLessThanOrEqual(1)
  }
})

describe('a store that fails in the middle gives a ticket to nobody twice', () => {
  const verbs = ['put', 'take', 'get'] as const
  const faults = verbs.flatMap((verb) =>
    ['before', 'after'].flatMap((when) => [1, 2, 3].map((nth) => ({ verb, when, nth }))),
  )

  test.each(faults)('$when the effect of $verb number $nth', async ({ verb, when, nth }) => {
    const clock = createClock()
    const memory = createMemoryStore({ now: clock.now })
    let calls = Number.NEGATIVE_INFINITY
    const failing = new Proxy(memory, {
      get(target, name: keyof SessionStore) {
        const method = target[name as keyof typeof target]
        if (name !== verb || typeof method !== 'function') return method
        return async (...args: unknown[]) => {
          const isNow = ++calls === nth
          if (isNow && when === 'before') throw new Error('the store broke')
          const result = await (method as (...args: unknown[]) => Promise<unknown>)(...args)
          if (isNow) throw new Error('the store broke')
          return result
        }
      },
    })
    const { auth, session } = await setUpTarget({ store: failing, now: clock.now })
    calls = 0
    const tickets: string[] = []
    const outcomes: string[] = []
    const outcomeOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'ok',
        ({ code, reason }) => [code, reason].filter(Boolean).join(' '),
      )

    for (let n = 0; n < 2; n++) {
      await outcomeOf(
        auth.tickets.issue(session, { audience: shop }).then((ticket) => tickets.push(ticket)),
      )
    }
    for (const ticket of tickets) {
      const tried: string[] = []
      for (let n = 0; n < 4; n++) {
        tried.push(await outcomeOf(auth.tickets.redeem(ticket, { audience: shop })))
      }
      outcomes.push(...tried)
      expect(tried.filter((one) => one === 'ok').length).toBeLessThanOrEqual(1)
      expect(tried.at(-1)).toBe('invalid_grant used')
    }

    const allowed = ['ok', 'store_unavailable', 'invalid_grant used']
    expect(
      outcomes.every((one) => allowed.includes(one)),
      outcomes.join(),
    ).toBe(true)
    // Whoever asks again for a ticket has one.
    calls = Number.NEGATIVE_INFINITY
    const again = await auth.tickets.issue(session, { audience: shop })
    expect(await outcomeOf(auth.tickets.redeem(again, { audience: shop }))).toBe('ok')
  })
})

test('neither events nor errors say a ticket, nor does the error of a store that does', async () => {
  const events: AuthEvent[] = []
  const memory = createMemoryStore({ now: () => 1_800_000_000_000 })
  let isTelling = false
  const { auth, ticket, redeem, session } = await setUpTarget({
    onEvent: (event) => events.push(event),
    store: {
      ...memory,
      take(id) {
        if (isTelling) throw new Error(`cannot GETDEL ${id}`)
        return memory.take(id)
      },
    },
  })
  const errors: unknown[] = []
  const keep = (error: unknown) => errors.push(error)
  isTelling = true
  await redeem().catch(keep)
  isTelling = false
  await redeem()
  await redeem().catch(keep)
  await redeem(ticket, 'https://evil.example.com').catch(keep)
  await auth.authenticate(`Bearer ${ticket}`).catch(keep)

  const [, , name = '', proof = ''] = parts(ticket)

  expect(errors).toHaveLength(4)
  expectNone({ ticket, name, proof }, 'events and errors', [events, errors, session])
})

test('what a page of the shop is asked for, and from where, never says a ticket in its fragment', async () => {
  const { ticket } = await setUpTarget({ secret: testSecret })
  const log: string[] = []
  const server = createServer((request, response) => {
    log.push(`${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`)
    response.end('<script src="/script.js"></script>')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const page = `http://127.0.0.1:${port}/cart#ticket=${ticket}`

  await (await fetch(page, { headers: { connection: 'close' } })).text()
  await (await fetch(`http://127.0.0.1:${port}/script.js`, { referrer: page })).text()

  expect(log).toHaveLength(2)
  expectNone({ ticket }, 'the log of the server of the page', log)
})
