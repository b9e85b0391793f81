import { describe, expect, test } from 'vitest'
import { type AuthOptions, createAuth, createMemoryStore } from '../../src/index.js'
import { createClock, setUp, testSecret } from '../set-up.js'

const newSecret = 'mT4xQ9wLr2Vb7Nz8KcYp5JdHs3GfAe6UoXiWnRkBq1Z'

/** Alice, who has logged in by code on one phone. */
async function setUpAlice(options: Partial<AuthOptions> = {}) {
  const set = setUp({ onLogin: ({ openid }) => ({ userId: openid }), ...options })
  const { auth, wechat } = set
  const login = async (person = 'alice') => {
    const { access_token } = await auth.login({ code: wechat.codeFor(person) })
    return auth.authenticate(`Bearer ${access_token}`)
  }
  return { ...set, login, session: await login() }
}

const profile = { nickName: '小明', gender: 1 }

describe('openData', () => {
  test('gives what WeChat encrypted for the user of the session', async () => {
    const { auth, wechat, clock, session } = await setUpAlice()

    const data = await auth.openData(session, wechat.openDataFor('alice', profile))

    expect(data).toMatchObject({
      ...profile,
      watermark: { appid: wechat.app.appId, timestamp: clock.now() / 1000 },
    })
  })

  test("uses the newest login's key, whichever phone asks", async () => {
    const { auth, wechat, clock, login, session } = await setUpAlice()
    clock.advance(1)
    await login()

    const data = await auth.openData(session, wechat.openDataFor('alice', profile))

    expect(data).toMatchObject(profile)
  })

  test('knows the right key of two logins within one second', async () => {
    const { auth, wechat, login, session } = await setUpAlice()
    const second = await login()

    const data = wechat.openDataFor('alice', profile)

    expect(await auth.openData(session, data)).toMatchObject(profile)
    expect(await auth.openData(second, data)).toMatchObject(profile)
  })

  test('looks for the key among the logins of this account, whatever else belongs to the user', async () => {
    const apps = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 's' }))
    const { auth, wechat, clock } = setUp({ apps, onLogin: () => ({ userId: 7 }) }, { apps })
    const login = async (person: string, appId: string) => {
      const code = wechat.codeFor(person, { appId })
      clock.advance(1)
      return auth.authenticate(`Bearer ${(await auth.login({ code, appId })).access_token}`)
    }
    const session = await login('alice', 'wx1')
    const data = wechat.openDataFor('alice', profile, { appId: 'wx1' })
    await login('alice', 'wx2')
    await login('bob', 'wx1')

    expect(await auth.openData(session, data)).toMatchObject(profile)
  })

  test('does without the key of a session that was made by another door', async () => {
    const { auth, wechat, clock, session } = await setUpAlice()
    clock.advance(1)
    await auth.sessions.create({
      account: { openid: wechat.openidOf('alice') },
      userId: session.userId,
    })

    const data = await auth.openData(session, wechat.openDataFor('alice', profile))

    expect(data).toMatchObject(profile)
  })

  test('asks WeChat about each key of one second, and finds the right one', async () => {
    const { auth, wechat, login, session } = await setUpAlice()
    await login()
    const data = wechat.openDataFor('alice', profile)

    expect(await auth.openData(session, { ...data, checkKey: true })).toMatchObject(profile)
  })

  test('does not ask WeChat about the key by default', async () => {
    const { auth, wechat, session } = await setUpAlice()
    const calls = wechat.calls.length

    await auth.openData(session, wechat.openDataFor('alice', profile))
    await auth.verifySignature(session, wechat.signedDataFor('alice', profile))

    expect(wechat.calls).toHaveLength(calls)
  })

  test('reports data that was encrypted under the key of an earlier login as stale', async () => {
    const { auth, wechat, clock, login, session } = await setUpAlice()
    const old = wechat.openDataFor('alice', profile)
    clock.advance(1)
    await login()

    await expect(auth.openData(session, old)).rejects.toMatchObject({
      code: 'stale_session_key',
      status: 409,
    })
  })

  test('reports a key that a code has replaced meanwhile as stale', async () => {
    const { auth, wechat, session } = await setUpAlice()
    wechat.codeFor('alice')

    const opened = auth.openData(session, wechat.openDataFor('alice', profile))

    await expect(opened).rejects.toMatchObject({ code: 'stale_session_key' })
  })

  test('asks WeChat about the key first when told to', async () => {
    const { auth, wechat, session } = await setUpAlice()
    const data = wechat.openDataFor('alice', profile)

    expect(await auth.openData(session, { ...data, checkKey: true })).toMatchObject(profile)
    expect(wechat.calls.at(-1)).toMatchObject({ path: '/wxa/checksession' })
    wechat.rotateSessionKeyOf('alice')

    await expect(auth.openData(session, { ...data, checkKey: true })).rejects.toMatchObject({
      code: 'stale_session_key',
    })
    expect(await auth.openData(session, data)).toMatchObject(profile)
  })

  test('opens nothing for a session without a session_key', async () => {
    const { auth, wechat } = await setUpAlice()
    const tokens = await auth.sessions.create({ account: { openid: 'by another door' } })
    const session = await auth.authenticate(`Bearer ${tokens.access_token}`)

    const opened = auth.openData(session, wechat.openDataFor('alice', profile))

    await expect(opened).rejects.toMatchObject({ code: 'stale_session_key' })
  })

  test('reports a key that was sealed under a removed secret as stale, and no 500', async () => {
    const { now } = createClock()
    const store = createMemoryStore({ now })
    const { wechat, session } = await setUpAlice({ store, now })
    const data = wechat.openDataFor('alice', profile)
    const readerWith = (...secret: string[]) =>
      createAuth({ apps: [wechat.app], secret, store, now, fetch: wechat.fetch })

    const rotated = await readerWith(newSecret, testSecret).openData(session, data)
    const removed = readerWith(newSecret).openData(session, data)

    expect(rotated).toMatchObject(profile)
    await expect(removed).rejects.toMatchObject({ code: 'stale_session_key', status: 409 })
  })

  test('refuses data that is older than five minutes, or than it is told', async () => {
    const { auth, wechat, clock, session } = await setUpAlice()
    const data = wechat.openDataFor('alice', profile)
    clock.advance(301)

    await expect(auth.openData(session, data)).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await auth.openData(session, { ...data, maxAgeSeconds: 3600 })).toMatchObject(profile)
  })

  test.each([Number.NaN, 'a while', {}, null, 0])(
    'a maxAgeSeconds of %j is no age, and lets nothing pass',
    async (age) => {
      const { auth, wechat, session } = await setUpAlice()
      const data = wechat.openDataFor('alice', profile)

      // What JavaScript may pass, or what a body of a request brings where it is handed on whole.
      const opened = auth.openData(session, { ...data, maxAgeSeconds: age as unknown as number })

      await expect(opened).rejects.toThrow(
        new TypeError('maxAgeSeconds must be a positive number of seconds'),
      )
    },
  )

  test("refuses another user's data", async () => {
    const { auth, wechat, login, session } = await setUpAlice()
    await login('bob')

    const opened = auth.openData(session, wechat.openDataFor('bob', profile))

    await expect(opened).rejects.toMatchObject({ code: 'stale_session_key' })
  })

  test('is over with the session', async () => {
    const { auth, wechat, session } = await setUpAlice()
    await auth.sessions.revoke({ userId: session.userId })

    const opened = auth.openData(session, wechat.openDataFor('alice', profile))

    await expect(opened).rejects.toMatchObject({ code: 'invalid_token' })
  })
})

describe('verifySignature', () => {
  test('says whether WeChat signed the text for the user of the session', async () => {
    const { auth, wechat, session } = await setUpAlice()
    const signed = wechat.signedDataFor('alice', profile)

    expect(await auth.verifySignature(session, signed)).toBe(true)
    expect(await auth.verifySignature(session, { ...signed, rawData: '{}' })).toBe(false)
  })

  test('knows the right key of two logins within one second', async () => {
    const { auth, wechat, login, session } = await setUpAlice()
    await login()
    const signed = wechat.signedDataFor('alice', profile)

    expect(await auth.verifySignature(session, signed)).toBe(true)
  })

  test('does not take what was signed under the key of before', async () => {
    const { auth, wechat, clock, login, session } = await setUpAlice()
    const signed = wechat.signedDataFor('alice', profile)
    clock.advance(1)
    await login()

    expect(await auth.verifySignature(session, signed)).toBe(false)
  })

  test('asks WeChat about the key first when told to', async () => {
    const { auth, wechat, session } = await setUpAlice()
    const signed = wechat.signedDataFor('alice', profile)
    wechat.rotateSessionKeyOf('alice')

    const verified = auth.verifySignature(session, { ...signed, checkKey: true })

    await expect(verified).rejects.toMatchObject({ code: 'stale_session_key' })
  })
})
