import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type AuthOptions, createMemoryStore } from '../../src/index.js'
import { expectNone } from '../no-secrets.js'
import { setUp } from '../set-up.js'
import { userSignatures } from '../wechat/payment-vectors.js'

const hmac = (key: string, text: string) => createHmac('sha256', key).update(text).digest('hex')

/** Alice, who has logged in by code on one phone. */
async function setUpAlice(options: Partial<AuthOptions> = {}, rotateSessionKey = true) {
  const set = setUp({ onLogin: () => ({ userId: 'user-1' }), ...options }, { rotateSessionKey })
  const { auth, wechat } = set
  const login = async () => {
    const { access_token } = await auth.login({ code: wechat.codeFor('alice') })
    return auth.authenticate(`Bearer ${access_token}`)
  }
  return { ...set, login, session: await login() }
}

test.each(userSignatures)('auth.sign gives the published $name', async (vector) => {
  const { auth } = setUp({
    fetch: async () => Response.json({ openid: 'openid-1', session_key: vector.key }),
  })
  const { access_token } = await auth.login({ code: 'any-code' })
  const session = await auth.authenticate(`Bearer ${access_token}`)

  expect(await auth.sign(session, vector.text)).toBe(vector.signature)
})

describe('auth.sign', () => {
  test('signs exactly these bytes, in lower case', async () => {
    const { auth, wechat, session } = await setUpAlice()
    const text = '{"attach": "会员 \\u2028",  "n": 1}\n'

    const signature = await auth.sign(session, text)

    expect(signature).toBe(hmac(wechat.sessionKeyOf('alice'), text))
    expect(signature).toMatch(/^[0-9a-f]{64}$/)
  })

  test("uses the newest login's key, whichever phone asks", async () => {
    const { auth, wechat, clock, login, session } = await setUpAlice()
    clock.advance(1)
    await login()

    expect(await auth.sign(session, 'x')).toBe(hmac(wechat.sessionKeyOf('alice'), 'x'))
  })

  test('asks WeChat which key is right where two logins came within one second', async () => {
    const { auth, wechat, login, session } = await setUpAlice()
    await login()

    const signature = await auth.sign(session, 'x')

    expect(signature).toBe(hmac(wechat.sessionKeyOf('alice'), 'x'))
    expect(wechat.calls.at(-1)?.path).toBe('/wxa/checksession')
  })

  test('asks nobody where they brought the same key', async () => {
    const { auth, wechat, login, session } = await setUpAlice({}, false)
    await login()

    expect(await auth.sign(session, 'x')).toBe(hmac(wechat.sessionKeyOf('alice'), 'x'))
    expect(wechat.calls.map(({ path }) => path)).not.toContain('/wxa/checksession')
  })

  test('with checkKey is stale where WeChat says that the key has changed', async () => {
    const { auth, wechat, session } = await setUpAlice()
    wechat.rotateSessionKeyOf('alice')

    await expect(auth.sign(session, 'x', { checkKey: true })).rejects.toMatchObject({
      code: 'stale_session_key',
    })
  })

  test('with checkKey signs where WeChat says that it has not', async () => {
    const { auth, wechat, session } = await setUpAlice()

    const signature = await auth.sign(session, 'x', { checkKey: true })

    expect(signature).toBe(hmac(wechat.sessionKeyOf('alice'), 'x'))
  })

  test('is stale for a user who came in without a code', async () => {
    const { auth } = setUp()
    const { access_token } = await auth.sessions.create({ account: { openid: 'openid-1' } })
    const session = await auth.authenticate(`Bearer ${access_token}`)

    await expect(auth.sign(session, 'x')).rejects.toMatchObject({ code: 'stale_session_key' })
  })

  test('refuses a session that has ended', async () => {
    const { auth, session } = await setUpAlice()
    await auth.sessions.revoke({ userId: session.userId })

    await expect(auth.sign(session, 'x')).rejects.toMatchObject({ code: 'invalid_token' })
  })

  test('refuses anything but a text, which could be written in other bytes', async () => {
    const { auth, session } = await setUpAlice()

    const signed = auth.sign(session, { n: 1 } as unknown as string)

    await expect(signed).rejects.toThrow(TypeError)
  })

  test('refuses half of a character, which every other half would be signed like', async () => {
    const { auth, session } = await setUpAlice()

    const signed = auth.sign(session, '会员 \ud83d')

    await expect(signed).rejects.toThrow(/^text holds half of a character/)
    expect(await auth.sign(session, '会员 \ud83d\ude00')).toMatch(/^[0-9a-f]{64}$/)
  })

  test('tells nobody the key', async () => {
    const store = createMemoryStore()
    const { auth, wechat, events, session } = await setUpAlice({ store, now: Date.now })
    const signature = await auth.sign(session, 'x')
    wechat.rotateSessionKeyOf('alice')
    const refusal = await auth.sign(session, 'x', { checkKey: true }).catch((error) => error)

    expectNone({ sessionKey: wechat.sessionKeyOf('alice') }, 'what came out', [
      signature,
      refusal,
      events,
      await store.list('user-1'),
    ])
  })
})
