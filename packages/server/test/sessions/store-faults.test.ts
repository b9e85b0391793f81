import { expect, onTestFinished, test, vi } from 'vitest'
import {
  AuthError,
  createMemoryStore,
  type SessionRecord,
  type SessionStore,
} from '../../src/index.js'
import { expectNone } from '../no-secrets.js'
import { createClock, type SetUp, setUp } from '../set-up.js'

/** An `auth` on a store that works, but for what is given. */
function setUpOn(
  faults: (memory: SessionStore) => Partial<SessionStore>,
  options: Parameters<typeof setUp>[0] = {},
): SetUp & { memory: SessionStore } {
  const { now } = createClock()
  const memory = createMemoryStore({ now })
  const set = setUp({ now, store: { ...memory, ...faults(memory) }, ...options }, withUnionids)
  return { ...set, memory }
}

const withUnionids = { apps: [{ appId: 'wx1', appSecret: 's', owner: 'us' }] }

test('a session that others change without end is a 503 after 64 tries, and costs nothing', async () => {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0)
  onTestFinished(() => random.mockRestore())
  let [isBusy, tries] = [true, 0]
  const { auth } = setUpOn((memory) => ({
    replace: async (record, version) => {
      tries++
      return isBusy ? false : memory.replace(record, version)
    },
  }))
  const { refresh_token: refreshToken } = await auth.sessions.create({
    account: { openid: 'alice' },
  })

  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
    code: 'store_unavailable',
    status: 503,
  })
  expect(tries).toBe(64)

  isBusy = false
  await expect(auth.refresh({ refreshToken })).resolves.toBeDefined()
})

test('a store that can count lists a user only when there are too many sessions', async () => {
  let lists = 0
  const { auth, wechat, memory } = setUpOn(
    (memory) => ({
      count: async (userId) => (await memory.list(userId)).length,
      list: (userId) => {
        lists++
        return memory.list(userId)
      },
    }),
    { onLogin: () => ({ userId: 7 }), maxSessionsPerUser: 2 },
  )

  await auth.login({ code: wechat.codeFor('alice') })
  await auth.login({ code: wechat.codeFor('alice') })
  const listsWithinTheCap = lists
  await auth.login({ code: wechat.codeFor('alice') })

  expect(listsWithinTheCap).toBe(0)
  expect(await memory.list('7')).toHaveLength(2)
})

test('what a store finds wrong with itself stands in check', async () => {
  const { auth } = setUpOn(() => ({ check: async () => ['redis_no_persistence'] }))

  expect((await auth.check()).store).toEqual({ ok: true, warnings: ['redis_no_persistence'] })
})

test('a store that cannot look at itself warns of nothing', async () => {
  const { auth } = setUpOn(() => ({ check: () => Promise.reject(new Error('no permission')) }))

  expect((await auth.check()).store).toEqual({ ok: true, warnings: [] })
})

test.each(['create', 'replace'] as const)(
  'an error of %s that quotes the record shows nothing that is secret in it',
  async (verb) => {
    let [isBroken, quoted]: [boolean, SessionRecord | undefined] = [false, undefined]
    const { auth, wechat } = setUpOn((memory) => ({
      [verb]: async (record: SessionRecord, version: number) => {
        if (!isBroken) return memory[verb](record, version)
        quoted ??= record
        throw new Error(`${verb}(${JSON.stringify(record)}) failed`)
      },
    }))
    const { refresh_token: refreshToken } = await auth.login({ code: wechat.codeFor('alice') })
    isBroken = true

    const call =
      verb === 'create'
        ? auth.login({ code: wechat.codeFor('alice') })
        : auth.refresh({ refreshToken })
    const error = await call.catch((thrown: unknown) => thrown)

    expect(error).toMatchObject({
      code: 'store_unavailable',
      cause: { message: expect.stringContaining(`${verb}({`) },
    })
    const { openid = '', unionid = '', sealedKey = '', idempotencyKeyHash = '' } = quoted ?? {}
    const secrets = { openid, unionid, sealedKey, idempotencyKeyHash }
    expect(Object.values(secrets)).not.toContain('')
    expectNone(secrets, 'the error', [error])
  },
)

test('a store may say when to come again', async () => {
  const { auth } = setUpOn(() => ({
    get: () =>
      Promise.reject(
        new AuthError('store_unavailable', 'A failover is under way', { retryAfterSeconds: 3 }),
      ),
  }))
  const { refresh_token: refreshToken } = await auth.sessions.create({
    account: { openid: 'alice' },
  })

  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({
    code: 'store_unavailable',
    retryAfterSeconds: 3,
  })
})
