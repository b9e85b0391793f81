import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type AuthOptions, createAuth, createMemoryStore } from '../../src/index.js'
import type {
  FakeWeChatEncryptedData,
  FakeWeChatOptions,
  FakeWeChatRoute,
} from '../../src/testing/index.js'
import { createClock, setUp, testSecret } from '../set-up.js'

const newSecret = 'mT4xQ9wLr2Vb7Nz8KcYp5JdHs3GfAe6UoXiWnRkBq1Z'

/** Alice, who has logged in by code on one phone. */
async function setUpAlice(
  options: Partial<AuthOptions> = {},
  wechatOptions: Omit<FakeWeChatOptions, 'now'> = {},
) {
  const set = setUp({ onLogin: ({ openid }) => ({ userId: openid }), ...options }, wechatOptions)
  const { auth, wechat } = set
  const login = async (person = 'alice') => {
    const { access_token } = await auth.login({ code: wechat.codeFor(person) })
    return auth.authenticate(`Bearer ${access_token}`)
  }
  return { ...set, login, session: await login() }
}

// What `wx.getUserProfile` gives.
const profile = {
  nickName: '小明',
  gender: 1,
  language: 'zh_CN',
  city: '',
  province: '',
  country: '',
  avatarUrl: 'https://thirdwx.qlogo.cn/132',
}

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

/**
 * What anybody can do who sends open data of their own: cut the beginning off, and choose an iv that makes the first
 * block that is left say what they like. It takes no key, only the text, and whoever sent it knows that.
 */
function forge(
  { encryptedData, iv }: FakeWeChatEncryptedData,
  text: string,
  block: number,
  beginning: string,
): FakeWeChatEncryptedData {
  const bytes = Buffer.from(encryptedData, 'base64')
  const before = Buffer.concat([Buffer.from(iv, 'base64'), bytes]).subarray(block * 16)
  const known = Buffer.from(text).subarray(block * 16)
  const wanted = Buffer.from(beginning)
  expect(wanted).toHaveLength(16)
  const forgedIv = Buffer.from(
    wanted.map((byte, at) => byte ^ (known[at] ?? 0) ^ (before[at] ?? 0)),
  )
  return {
    encryptedData: bytes.subarray(block * 16).toString('base64'),
    iv: forgedIv.toString('base64'),
  }
}

describe('openData is not taken in by open data that its sender has cut and spliced', () => {
  // Behind what is cut off, the name goes on at the beginning of a block.
  const behind = (member: string, name: string) =>
    `${'x'.repeat((16 - (member.length % 16)) % 16)}${name}`

  test.each([
    ['a phone number', '{"phoneNumber":"', '13911112222'],
    ['the id of a group', '{"openGId":"tGDD', 'v0KrVictimsOwnGroup'],
    ['the unionid of somebody else', '{"unionId":"ocMv', 'os6NjeKLIBqg5Mr9QjxrP1FA'],
  ])('out of a nickname that has %s', async (_what, beginning, rest) => {
    const { auth, wechat, clock, session } = await setUpAlice()
    const openId = wechat.openidOf('alice')
    const nickName = behind(`{"openId":"${openId}","nickName":"`, rest)
    const data = { openId, ...profile, nickName }
    const watermark = { timestamp: clock.now() / 1000, appid: wechat.app.appId }
    const text = JSON.stringify({ ...data, watermark })
    const block = Buffer.from(text).indexOf(rest) / 16 - 1

    const opened = auth.openData(
      session,
      forge(wechat.openDataFor('alice', data), text, block, beginning),
    )

    await expect(opened).rejects.toMatchObject({ code: 'invalid_request', reason: 'shape' })
  })
})

describe('openData gives a phone number', () => {
  const phone = { phoneNumber: '13800138000', purePhoneNumber: '13800138000', countryCode: '86' }
  const daySeconds = 24 * 3600
  const endpoint = 'POST /wxa/business/checkencryptedmsg'
  const unconfirmed = { code: 'invalid_request', status: 400, reason: 'unconfirmed' }

  /** Alice, and a WeChat that answers what it is told to. */
  const setUpWith = (route: FakeWeChatRoute) => setUpAlice({}, { routes: { [endpoint]: route } })

  test('that WeChat says it has encrypted', async () => {
    const { auth, wechat, session } = await setUpAlice()

    const data = await auth.openData(session, wechat.openDataFor('alice', phone))

    expect(data).toMatchObject(phone)
    expect(wechat.calls.at(-1)).toMatchObject({ path: '/wxa/business/checkencryptedmsg' })
  })

  test('asking with the hash of the text, then with that of its bytes', async () => {
    const asked: unknown[] = []
    const { auth, wechat, session } = await setUpWith(({ body }) => {
      asked.push(JSON.parse(body).encrypted_msg_hash)
      return asked.length < 2
        ? { errcode: 1, errmsg: 'data not exit' }
        : { errcode: 0, vaild: true }
    })
    const encrypted = wechat.openDataFor('alice', phone)

    const data = await auth.openData(session, encrypted)

    const sha256 = (given: string | Buffer) => createHash('sha256').update(given).digest('hex')
    expect(data).toMatchObject(phone)
    expect(asked).toEqual([
      sha256(encrypted.encryptedData),
      sha256(Buffer.from(encrypted.encryptedData, 'base64')),
    ])
  })

  test.each([false, 'true', 1, null, undefined])(
    'but not where WeChat answers "vaild": %j',
    async (vaild) => {
      const { auth, wechat, session } = await setUpWith(() => ({ errcode: 0, vaild }))

      const opened = auth.openData(session, wechat.openDataFor('alice', phone))

      await expect(opened).rejects.toMatchObject(unconfirmed)
    },
  )

  test('but not one that somebody else has encrypted, whole as it is', async () => {
    const { auth, wechat, clock, session } = await setUpAlice()
    const iv = randomBytes(16)
    const key = Buffer.from(wechat.sessionKeyOf('alice'), 'base64')
    const watermark = { timestamp: clock.now() / 1000, appid: wechat.app.appId }
    const cipher = createCipheriv('aes-128-cbc', key, iv)
    const encryptedData =
      cipher.update(JSON.stringify({ ...phone, watermark }), 'utf8', 'base64') +
      cipher.final('base64')

    const opened = auth.openData(session, { encryptedData, iv: iv.toString('base64') })

    await expect(opened).rejects.toMatchObject(unconfirmed)
  })

  test('but not while WeChat cannot be asked', async () => {
    const { auth, wechat, session } = await setUpAlice()
    const encrypted = wechat.openDataFor('alice', phone)
    wechat.fail('html-502', { endpoint })

    const opened = auth.openData(session, encrypted)

    await expect(opened).rejects.toMatchObject({ code: 'wechat_unavailable' })
  })

  test('but not after three days, whatever age it is told to allow', async () => {
    const { auth, wechat, clock, session } = await setUpWith(() => ({ errcode: 0, vaild: true }))
    const encrypted = wechat.openDataFor('alice', phone)
    const openedAt = (seconds: number) => {
      clock.advance(seconds)
      return auth.openData(session, { ...encrypted, maxAgeSeconds: 30 * daySeconds })
    }

    expect(await openedAt(3 * daySeconds)).toMatchObject(phone)
    await expect(openedAt(1)).rejects.toMatchObject({
      code: 'invalid_request',
      reason: 'watermark_age',
    })
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
