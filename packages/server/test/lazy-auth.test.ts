import { expect, test } from 'vitest'
import { authRoutes, requireAuth } from '../src/adapters/fetch.js'
import { type Auth, createAuth, lazyAuth } from '../src/index.js'
import { adapterCases, createFakeWeChat, signIn } from '../src/testing/index.js'
import { onExpressBackend } from './adapters/backends.js'
import { newKey, setUp, testSecret } from './set-up.js'

/** An `auth` that is created late, and how often it was. */
function lazily(given: Partial<Parameters<typeof createAuth>[0]> = {}) {
  const wechat = createFakeWeChat()
  const options = { apps: [wechat.app], secret: testSecret, fetch: wechat.fetch, ...given }
  const made: Auth[] = []
  const auth = lazyAuth(() => {
    const one = createAuth(options)
    made.push(one)
    return one
  })
  return { auth, wechat, made, options }
}

test('a module without secrets may mount routes and guards, and nothing is created', () => {
  const { auth, made } = lazily({ secret: undefined as unknown as string })

  authRoutes(auth, { basePath: '/wx' })
  requireAuth(auth, { fresh: true })

  expect(made).toEqual([])
})

test('the first use creates it, once for all', async () => {
  const { auth, wechat, made } = lazily()

  await Promise.all([
    auth.login({ code: wechat.codeFor('alice') }),
    auth.login({ code: wechat.codeFor('bob') }),
    auth.check(),
  ])

  expect(made).toHaveLength(1)
})

test('check says which option is wrong, and every use does', async () => {
  const { auth } = lazily({ secret: 'short' })
  const wrong = { name: 'TypeError', message: expect.stringMatching(/^secret/) }

  await expect(auth.check()).rejects.toMatchObject(wrong)
  await expect(auth.guard(undefined)).rejects.toMatchObject(wrong)
  await expect(auth.authenticate(undefined)).rejects.toMatchObject(wrong)
  await expect(auth.login({ code: 'a' })).rejects.toMatchObject(wrong)
  await expect(auth.sessions.list('7')).rejects.toMatchObject(wrong)
  expect(() => auth.wechat()).toThrow('secret')
})

test('options that have become right are used', async () => {
  const { auth, options } = lazily({ secret: 'short' })
  await auth.check().catch(() => undefined)

  options.secret = testSecret

  await expect(auth.check()).resolves.toMatchObject({ store: { ok: true } })
})

test('closing what was never used creates nothing, and what was used is closed', async () => {
  const { auth, made } = lazily()

  await auth.close()
  expect(made).toEqual([])
  await auth.check()
  await expect(auth.close()).resolves.toBeUndefined()
})

test('it has every member of an auth', () => {
  const { auth } = setUp()
  const { auth: lazy } = lazily()

  expect(Object.keys(lazy).sort()).toEqual(Object.keys(auth).sort())
  expect(Object.keys(lazy.sessions).sort()).toEqual(Object.keys(auth.sessions).sort())
})

test('its members do what those of an auth do', async () => {
  const { auth, wechat } = lazily()
  const { headers, userId, refreshToken } = await signIn(auth, { openid: 'alice' })
  const session = await auth.authenticate(headers.authorization)

  expect(session.userId).toBe(userId)
  expect(await auth.guard(headers.authorization)).toMatchObject({ session: { userId } })
  expect(await auth.authenticate(undefined, { optional: true })).toBeUndefined()
  expect(await auth.sessions.list(userId)).toHaveLength(1)
  expect(await auth.sessions.account(session)).toMatchObject({ openid: 'alice' })
  expect(auth.wechat().appId).toBe(auth.wechat(wechat.app.appId).appId)
  await expect(auth.verifySignature(session, { rawData: '', signature: '' })).rejects.toThrow()
  await expect(auth.openData(session, { encryptedData: '', iv: '' })).rejects.toThrow()
  await expect(auth.phone({ session, code: 'a' })).rejects.toMatchObject({ code: 'invalid_code' })
  const input = { refreshToken, idempotencyKey: newKey() }
  expect((await auth.refresh(input)).user_id).toBe(userId)
  expect(await auth.sessions.revoke({ userId })).toBe(1)
  await auth.logout(input)
  expect(await auth.sessions.forget(userId)).toBe(0)
})

const cases = adapterCases({ createAuth: (options) => lazyAuth(() => createAuth(options)) })

test.each(cases)('on Express: $name', ({ run }) => run(onExpressBackend()))
