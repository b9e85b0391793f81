import { expect, test } from 'vitest'
import { type AuthEvent, type AuthOptions, createMemoryStore } from '../src/index.js'
import { newKey, setUp } from './set-up.js'

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
