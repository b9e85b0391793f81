import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createWeChat, type FetchLike, signSession } from '../../src/wechat/index.js'
import { setUp } from '../set-up.js'
import { doors, pathsOf, setUpWeChat } from './set-up.js'

const owned = {
  apps: [{ appId: 'wx0000000000000001', appSecret: 'a'.repeat(32), owner: 'a company' }],
}

describe.each(doors)('by %s', (door) => {
  test('a code is exchanged for openid, unionid and session_key', async () => {
    const { wechat, fake } = await setUpWeChat({ door }, owned)
    const code = fake.codeFor('alice')

    const session = await wechat.code2Session(code)

    expect(session).toEqual({
      openid: fake.openidOf('alice'),
      unionid: fake.unionidOf('alice'),
      sessionKey: fake.sessionKeyOf('alice'),
      raw: expect.objectContaining({ session_key: fake.sessionKeyOf('alice') }),
    })
    await expect(wechat.code2Session(code)).rejects.toMatchObject({
      code: 'invalid_code',
      errcode: 40163,
    })
  })

  test('a mini program without an owner has no unionid', async () => {
    const { wechat, fake } = await setUpWeChat({ door })

    expect(await wechat.code2Session(fake.codeFor('alice'))).not.toHaveProperty('unionid')
  })

  test('the code of the button is exchanged for the phone number, once', async () => {
    const { wechat, fake, clock } = await setUpWeChat({ door })
    const code = fake.phoneCodeFor('alice')
    const openid = fake.openidOf('alice')

    const phone = await wechat.phoneNumber(code, { openid })

    expect(phone).toEqual({
      phoneNumber: fake.phoneNumberOf('alice'),
      countryCode: '86',
      watermark: { appId: fake.app.appId, at: clock.now() / 1000 },
      raw: expect.objectContaining({ phone_info: expect.anything() }),
    })
    expect(fake.calls.at(-1)?.fields).toEqual(['code', 'openid'])
    await expect(wechat.phoneNumber(code, { openid })).rejects.toMatchObject({
      code: 'invalid_code',
    })
  })

  test('a foreign number comes without its country code, which may be a number', async () => {
    const { wechat, fake } = await setUpWeChat({ door })
    const code = fake.phoneCodeFor('alice', { phoneNumber: '2071234567', countryCode: 44 })

    expect(await wechat.phoneNumber(code)).toMatchObject({
      phoneNumber: '2071234567',
      countryCode: '44',
    })
    expect(fake.calls.at(-1)?.fields).toEqual(['code'])
  })

  test('the code of another user gives no phone number', async () => {
    const { wechat, fake } = await setUpWeChat({ door })

    const phone = wechat.phoneNumber(fake.phoneCodeFor('bob'), { openid: fake.openidOf('alice') })

    await expect(phone).rejects.toMatchObject({ code: 'invalid_code', errcode: 40003 })
  })

  test('codes of other kinds give nothing', async () => {
    const { wechat, fake } = await setUpWeChat({ door })

    await expect(wechat.phoneNumber(fake.codeFor('alice'))).rejects.toMatchObject({
      code: 'invalid_code',
      errcode: 40029,
    })
    await expect(wechat.code2Session(fake.phoneCodeFor('alice'))).rejects.toMatchObject({
      code: 'invalid_code',
      errcode: 40029,
    })
  })

  test('a session_key is checked, and is no longer good once another took its place', async () => {
    const { wechat, fake } = await setUpWeChat({ door })
    const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))

    expect(await wechat.checkSessionKey({ openid, sessionKey })).toBe(true)

    fake.rotateSessionKeyOf('alice')
    expect(await wechat.checkSessionKey({ openid, sessionKey })).toBe(false)
    await expect(wechat.checkSessionKey({ openid: 'oNobody', sessionKey })).rejects.toMatchObject({
      code: 'invalid_request',
      errcode: 40003,
    })
  })

  test('a phone number is known to WeChat if it has encrypted it, for three days', async () => {
    const { wechat, fake, clock } = await setUpWeChat({ door })
    await wechat.code2Session(fake.codeFor('alice'))
    const phone = { phoneNumber: '13800138000', purePhoneNumber: '13800138000', countryCode: '86' }
    const { encryptedData } = fake.openDataFor('alice', phone)
    const cut = Buffer.from(encryptedData, 'base64').subarray(16).toString('base64')
    const other = fake.openDataFor('alice', { openGId: 'g' })

    expect(await wechat.checkEncryptedData(encryptedData)).toBe(true)
    expect(await wechat.checkEncryptedData(cut)).toBe(false)
    expect(await wechat.checkEncryptedData(other.encryptedData)).toBe(false)

    clock.advance(3 * 24 * 3600)
    expect(await wechat.checkEncryptedData(encryptedData)).toBe(false)
  })

  test('a session_key is replaced; the old one is stale from then on', async () => {
    const { wechat, fake } = await setUpWeChat({ door })
    const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))

    const reset = await wechat.resetSessionKey({ openid, sessionKey })

    expect(reset).toEqual({
      openid,
      sessionKey: fake.sessionKeyOf('alice'),
      raw: expect.objectContaining({ session_key: fake.sessionKeyOf('alice') }),
    })
    expect(reset.sessionKey).not.toBe(sessionKey)
    await expect(wechat.resetSessionKey({ openid, sessionKey })).rejects.toMatchObject({
      code: 'stale_session_key',
      errcode: 87009,
    })

    fake.expireSessionKey('alice')
    await expect(wechat.resetSessionKey(reset)).rejects.toMatchObject({
      code: 'stale_session_key',
      errcode: 87007,
    })
  })

  test('any other interface is called with the access token, by GET and by POST', async () => {
    const { wechat, fake } = await setUpWeChat({ door }, owned)
    const openid = fake.openidOf('alice')
    const { transactionId } = fake.payFor('alice')

    const paid = await wechat.call('GET', '/wxa/getpaidunionid', {
      query: { openid, transaction_id: transactionId },
    })
    const plugin = await wechat.call('POST', '/wxa/getpluginopenpid', {
      body: { code: fake.pluginCodeFor('alice') },
    })

    expect(paid.unionid).toBe(fake.unionidOf('alice'))
    expect(plugin.openpid).toBe(fake.openpidOf('alice'))
    expect(pathsOf(fake)).toEqual([
      '/cgi-bin/stable_token',
      '/wxa/getpaidunionid',
      '/wxa/getpluginopenpid',
    ])
  })

  test('a POST without a body has an empty one, as getuserencryptkey wants it', async () => {
    const { wechat, fake } = await setUpWeChat({ door })
    const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))

    const { key_info_list: keys } = await wechat.call('POST', '/wxa/business/getuserencryptkey', {
      query: { openid, signature: signSession(sessionKey), sig_method: 'hmac_sha256' },
    })

    expect(keys).toEqual([expect.objectContaining({ version: expect.anything() })])
  })

  test('what is sent twice because the connection was lost is a read, and never a code', async () => {
    const { wechat, fake } = await setUpWeChat({ door })
    await wechat.accessToken()
    fake.fail('drop-after', { times: Number.POSITIVE_INFINITY })

    const lost = await Promise.allSettled([
      wechat.code2Session(fake.codeFor('alice')),
      wechat.phoneNumber(fake.phoneCodeFor('alice')),
      wechat.call('POST', '/wxa/getpluginopenpid', { body: { code: fake.pluginCodeFor('alice') } }),
    ])
    expect(lost).toMatchObject([
      { reason: { code: 'invalid_code', reason: 'lost' } },
      { reason: { code: 'invalid_code', reason: 'lost' } },
      { reason: { code: 'wechat_unavailable' } },
    ])

    expect(fake.calls).toHaveLength(4)
  })

  test('a body has a length: WeChat turns a chunked one away', async () => {
    const { wechat, fake } = await setUpWeChat({ door })

    await wechat.accessToken()

    expect(fake.calls).toMatchObject([{ method: 'POST', status: 200 }])
  })
})

describe('a WeChat that is busy', () => {
  test.each([
    ['accessToken', 'POST /cgi-bin/stable_token'],
    ['a GET', 'GET /wxa/checksession'],
    ['a GET by call', 'GET /wxa/getpaidunionid'],
  ])('is asked up to three times for a read: %s', { concurrent: true }, async (_name, endpoint) => {
    const { wechat, fake } = await setUpWeChat({}, owned)
    const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))
    const { transactionId } = fake.payFor('alice')
    const reads = async () => {
      await wechat.accessToken()
      await wechat.checkSessionKey({ openid, sessionKey })
      await wechat.call('GET', '/wxa/getpaidunionid', {
        query: { openid, transaction_id: transactionId },
      })
    }

    fake.fail(-1, { times: 2, endpoint })
    await reads()

    expect(fake.calls.filter(({ errcode }) => errcode === -1)).toHaveLength(2)
  })

  test('is asked three times, and no more', async () => {
    const { wechat, fake } = await setUpWeChat()
    fake.fail(-1, { times: Number.POSITIVE_INFINITY })

    await expect(wechat.accessToken()).rejects.toMatchObject({
      code: 'wechat_unavailable',
      errcode: -1,
      retryAfterSeconds: 2,
    })
    expect(fake.calls).toHaveLength(3)
  })

  test('is not asked again about what spends a code or changes something', async () => {
    const { wechat, fake } = await setUpWeChat()
    const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))
    await wechat.accessToken()
    const callsBefore = fake.calls.length
    fake.fail(-1, { times: 4 })

    for (const refused of [
      wechat.code2Session(fake.codeFor('alice')),
      wechat.phoneNumber(fake.phoneCodeFor('alice')),
      wechat.resetSessionKey({ openid, sessionKey }),
      wechat.call('POST', '/wxa/getpluginopenpid', { body: { code: 'x' } }),
    ]) {
      await expect(refused).rejects.toMatchObject({ errcode: -1 })
    }

    expect(fake.calls).toHaveLength(callsBefore + 4)
  })

  test('is not waited for past the deadline', async () => {
    const { wechat, fake } = await setUpWeChat({ wechatTimeoutMs: 50 })
    fake.fail(-1, { times: Number.POSITIVE_INFINITY })

    await expect(wechat.accessToken()).rejects.toMatchObject({
      code: 'wechat_unavailable',
      message: expect.stringContaining('50 ms'),
    })
    expect(fake.calls).toHaveLength(1)
  })
})

describe('the deadline', () => {
  test('holds for all of a call, the access token included', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { wechat, fake } = await setUpWeChat({ wechatTimeoutMs: 100 })
    fake.fail({ latencyMs: 70 }, { times: 2 })

    const refused = expect(wechat.phoneNumber(fake.phoneCodeFor('alice'))).rejects.toMatchObject({
      code: 'wechat_unavailable',
      message: expect.stringContaining('100 ms'),
    })
    await vi.advanceTimersByTimeAsync(100)
    await refused
  })
})

describe('encrypted data', () => {
  test.each(['', 'not base64', undefined, null, 7])(
    'that is %j is none of WeChat, which is not asked',
    async (encryptedData) => {
      const { wechat, fake } = await setUpWeChat()

      expect(await wechat.checkEncryptedData(encryptedData as string)).toBe(false)
      expect(fake.calls).toEqual([])
    },
  )

  test('is not said to be false while WeChat is busy', async () => {
    const { wechat, fake } = await setUpWeChat()
    await wechat.accessToken()
    fake.fail(-1, { times: 3 })

    const checked = wechat.checkEncryptedData('AAAA')

    await expect(checked).rejects.toMatchObject({ code: 'wechat_unavailable', errcode: -1 })
    expect(fake.calls.filter(({ errcode }) => errcode === -1)).toHaveLength(3)
  })
})

describe('a phone number', () => {
  const answering = (phone_info: unknown): FetchLike => {
    return async (url) =>
      Response.json(
        url.includes('stable_token')
          ? { access_token: '10_token', expires_in: 7200 }
          : { errcode: 0, errmsg: 'ok', phone_info },
      )
  }
  const now = () => 1_800_000_000_000
  const watermark = { appid: 'wx1', timestamp: 1_800_000_000 }
  const good = { phoneNumber: '13800000000', purePhoneNumber: '13800000000', countryCode: '86' }
  const ask = (phone_info: unknown) =>
    createWeChat({ appId: 'wx1', appSecret: 's', fetch: answering(phone_info), now }).phoneNumber(
      'code',
    )

  test.each([
    ['is taken 5 minutes long', { ...good, watermark: { ...watermark, timestamp: 1_799_999_700 } }],
    [
      'is taken by a clock that is late',
      { ...good, watermark: { ...watermark, timestamp: 1_800_000_100 } },
    ],
  ])('%s', async (_name, phone_info) => {
    await expect(ask(phone_info)).resolves.toMatchObject({ phoneNumber: '13800000000' })
  })

  test.each([
    ['of another mini program', { ...good, watermark: { ...watermark, appid: 'wx2' } }],
    ['older than 5 minutes', { ...good, watermark: { ...watermark, timestamp: 1_799_999_699 } }],
  ])('%s is invalid_code', async (_name, phone_info) => {
    await expect(ask(phone_info)).rejects.toMatchObject({ code: 'invalid_code' })
  })

  test.each([
    undefined,
    'text',
    {},
    { ...good },
    { ...good, watermark: 'text' },
    { ...good, watermark: { appid: 'wx1' } },
    { ...good, countryCode: undefined, watermark },
    { ...good, purePhoneNumber: undefined, watermark },
    { ...good, purePhoneNumber: 13800000000, watermark },
  ])('without what belongs to it is wechat_unavailable: %j', async (phone_info) => {
    await expect(ask(phone_info)).rejects.toMatchObject({ code: 'wechat_unavailable' })
  })
})

describe('what cannot be right is not sent', () => {
  test.each(['', 'two words', 'x'.repeat(129), 7, undefined])('the code %j', async (code) => {
    const { wechat, fake } = await setUpWeChat()

    await expect(wechat.code2Session(code as string)).rejects.toMatchObject({
      code: 'invalid_code',
    })
    await expect(wechat.phoneNumber(code as string)).rejects.toMatchObject({ code: 'invalid_code' })
    expect(fake.calls).toEqual([])
  })

  test('the code that DevTools makes without an AppID, which is named', async () => {
    const { wechat } = await setUpWeChat()

    await expect(wechat.code2Session('the code is a mock one')).rejects.toMatchObject({
      code: 'invalid_code',
      reason: 'mock_code',
    })
  })

  test.each<[string, (wechat: Awaited<ReturnType<typeof setUpWeChat>>['wechat']) => unknown]>([
    ['openid', (wechat) => wechat.phoneNumber('code', { openid: '' })],
    ['openid', (wechat) => wechat.checkSessionKey({ openid: '', sessionKey: 'k' })],
    ['sessionKey', (wechat) => wechat.checkSessionKey({ openid: 'o', sessionKey: '' })],
    ['sessionKey', (wechat) => wechat.resetSessionKey({ openid: 'o', sessionKey: '' })],
    ['method', (wechat) => wechat.call('PUT' as 'POST', '/wxa/x')],
    ['path', (wechat) => wechat.call('GET', 'wxa/x')],
    ['path', (wechat) => wechat.call('GET', '/wxa/x?openid=o')],
    ['path', (wechat) => wechat.call('GET', '//example.com')],
    ['path', (wechat) => wechat.call('GET', '/wxa/../../admin')],
    ['path', (wechat) => wechat.call('GET', '/wxa/.')],
    ['path', (wechat) => wechat.call('GET', '/./')],
    ['path', (wechat) => wechat.call('GET', '/wxa/../x#')],
    ['path', (wechat) => wechat.call('GET', 'https://example.com/x')],
    ['query.n', (wechat) => wechat.call('GET', '/wxa/x', { query: { n: 1 as unknown as string } })],
    ['access_token', (wechat) => wechat.call('GET', '/wxa/x', { query: { access_token: 't' } })],
    ['body', (wechat) => wechat.call('GET', '/wxa/x', { body: {} })],
    ['body', (wechat) => wechat.call('POST', '/wxa/x', { body: 'text' as unknown as object })],
  ])('a wrong %s, which is named in a TypeError', async (name, call) => {
    const { wechat, fake } = await setUpWeChat()

    const error = await Promise.resolve(call(wechat)).catch((reason: unknown) => reason)

    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toContain(name)
    expect(fake.calls).toEqual([])
  })
})

test.each<[string, object]>([
  ['appId', { appId: '' }],
  ['appId', { appId: ' wx1' }],
  ['appSecret', { appSecret: undefined }],
  ['appSecret', { appSecret: 'secret\n' }],
  ['fetch', { fetch: 'fetch' }],
  ['now', { now: 0 }],
  ['onEvent', { onEvent: {} }],
  ['wechatTimeoutMs', { wechatTimeoutMs: 0 }],
  ['wechatTimeoutMs', { wechatTimeoutMs: 2 ** 31 }],
  ['wechatHosts', { wechatHosts: [] }],
  ['wechatHosts', { wechatHosts: ['api.weixin.qq.com'] }],
  ['wechatHosts', { wechatHosts: ['http://api.weixin.qq.com'] }],
  ['wechatHosts', { wechatHosts: ['https://api.weixin.qq.com/sns'] }],
])('createWeChat names a wrong %s: %j', (name, options) => {
  const create = () => createWeChat({ appId: 'wx1', appSecret: 'secret', ...options })

  expect(create).toThrow(TypeError)
  expect(create).toThrow(name)
})

describe('secrets', () => {
  const spellings = (value: unknown) => [
    JSON.stringify(value),
    inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
    inspect({ nested: [value] }, { depth: Number.POSITIVE_INFINITY }),
    `${JSON.stringify({ nested: [value] })}`,
  ]

  test('are not in results that are printed, and stand in their members', async () => {
    const { wechat, fake } = await setUpWeChat({}, owned)
    const session = await wechat.code2Session(fake.codeFor('alice'))
    const { openid, sessionKey } = session
    const phone = await wechat.phoneNumber(fake.phoneCodeFor('alice'))
    const token = await wechat.accessToken()
    const reset = await wechat.resetSessionKey({ openid, sessionKey })
    const { transactionId } = fake.payFor('alice')
    const paid = await wechat.call('GET', '/wxa/getpaidunionid', {
      query: { openid, transaction_id: transactionId },
    })
    const plugin = await wechat.call('POST', '/wxa/getpluginopenpid', {
      body: { code: fake.pluginCodeFor('alice') },
    })

    const secrets = [
      openid,
      fake.unionidOf('alice') ?? '',
      sessionKey,
      reset.sessionKey,
      phone.phoneNumber,
      token.token,
      fake.openpidOf('alice'),
    ]
    expect(secrets.every((secret) => secret.length > 10)).toBe(true)
    const results = [session, phone, token, reset, paid, plugin, session.raw, phone.raw, reset.raw]
    for (const text of results.flatMap(spellings)) {
      expect(text).toContain('[redacted]')
      for (const secret of secrets) expect(text).not.toContain(secret)
    }
    expect(JSON.parse(JSON.stringify(phone))).toEqual({
      phoneNumber: '[redacted]',
      countryCode: '86',
      watermark: phone.watermark,
      raw: '[redacted]',
    })
  })

  test('are not in errors that quote what was sent', async () => {
    const sent: unknown[] = []
    const fetch: FetchLike = async (url, { body = '' }) => {
      if (url.includes('stable_token')) {
        return Response.json({ access_token: '10_canaryToken', expires_in: 7200 })
      }
      const { searchParams } = new URL(url)
      sent.push(...searchParams.values(), ...(body && Object.values(JSON.parse(body))))
      throw new TypeError(`fetch failed: ${url} ${decodeURIComponent(url)} ${body}`)
    }
    const { wechat, events } = await setUpWeChat({ fetch, appSecret: 'canaryAppSecret' })
    const openid = 'ocanaryOpenid'
    const sessionKey = 'canarySessionKey/+=='

    const errors = await Promise.all(
      [
        wechat.code2Session('canaryCode'),
        wechat.phoneNumber('canaryPhoneCode', { openid }),
        wechat.checkSessionKey({ openid, sessionKey }),
        wechat.call('POST', '/wxa/x', {
          query: { unionid: 'ocanaryUnionid' },
          body: { touser: openid, deep: [{ phone: '13800000000' }] },
        }),
      ].map((call) => call.catch((error: unknown) => error)),
    )

    const texts = [...errors, ...events].map((value) =>
      inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
    )
    expect(texts.join()).toContain('fetch failed')
    for (const text of texts) expect(text).not.toMatch(/canary|13800000000/)
    expect(sent).toContain('ocanaryUnionid')
  })

  test('are not in errors about an access token that cannot be had', async () => {
    const fetch: FetchLike = async (url, { body }) => {
      throw new TypeError(`fetch failed: ${url} ${body}`)
    }
    const { wechat } = await setUpWeChat({ fetch, appSecret: 'canaryAppSecret' })

    const error = await wechat.accessToken().catch((reason: unknown) => reason)

    expect(error).toMatchObject({ code: 'wechat_unavailable' })
    expect(inspect(error, { depth: Number.POSITIVE_INFINITY })).not.toContain('canary')
  })
})

describe('auth.wechat', () => {
  const two = {
    apps: [
      { appId: 'wx0000000000000001', appSecret: 'a'.repeat(32), owner: 'a company' },
      { appId: 'wx0000000000000002', appSecret: 'b'.repeat(32), owner: 'a company' },
    ],
  } as const

  test('is the same object each time, and one for each mini program', () => {
    const { auth } = setUp({ apps: two.apps }, two)

    const [first, second] = two.apps.map(({ appId }) => auth.wechat(appId))

    expect(auth.wechat('wx0000000000000001')).toBe(first)
    expect(second).not.toBe(first)
    expect([first?.appId, second?.appId]).toEqual(['wx0000000000000001', 'wx0000000000000002'])
  })

  test('needs no AppID where there is one mini program', () => {
    const { auth, wechat } = setUp()

    expect(auth.wechat()).toBe(auth.wechat(wechat.app.appId))
  })

  test('needs one where there are two', () => {
    const { auth } = setUp({ apps: two.apps }, two)

    expect(() => auth.wechat()).toThrow(TypeError)
    expect(() => auth.wechat('')).toThrow('appId')
  })

  test('calls with the AppSecret and the token of its own mini program', async () => {
    const { auth, wechat } = setUp({ apps: two.apps }, two)
    const appId = two.apps[1].appId

    const phone = await auth.wechat(appId).phoneNumber(wechat.phoneCodeFor('alice', { appId }))

    expect(phone).toMatchObject({
      phoneNumber: wechat.phoneNumberOf('alice'),
      watermark: { appId },
    })
    const [first, second] = await Promise.all(
      two.apps.map((app) => auth.wechat(app.appId).accessToken()),
    )
    expect(first?.token).not.toBe(second?.token)
  })

  test('rejects unknown_app at the call, as soon as the app is no longer served', async () => {
    let served: string | undefined = two.apps[0].appId
    const { auth, wechat } = setUp(
      { apps: (appId) => two.apps.find((app) => app.appId === appId && appId === served) },
      two,
    )
    const { appId } = two.apps[0]
    await auth.wechat(appId).accessToken()

    served = undefined

    await expect(auth.wechat(appId).accessToken()).rejects.toMatchObject({ code: 'unknown_app' })
    await expect(auth.wechat(appId).code2Session(wechat.codeFor('alice'))).rejects.toMatchObject({
      code: 'unknown_app',
    })
    await expect(auth.wechat('wx00000000000000ff').call('GET', '/wxa/x')).rejects.toMatchObject({
      code: 'unknown_app',
    })
  })

  test('ends with the auth', async () => {
    const { auth, wechat } = setUp()
    await auth.close()

    await expect(auth.wechat().code2Session(wechat.codeFor('alice'))).rejects.toMatchObject({
      code: 'wechat_unavailable',
      message: expect.stringContaining('auth.close() was called'),
    })
  })
})

test('an event tells which method made the call, or the path', async () => {
  const { wechat, fake, events } = await setUpWeChat()
  const { openid, sessionKey } = await wechat.code2Session(fake.codeFor('alice'))
  await wechat.phoneNumber(fake.phoneCodeFor('alice'))
  await wechat.checkSessionKey({ openid, sessionKey })
  await wechat.checkEncryptedData(
    fake.openDataFor('alice', { phoneNumber: '13800138000' }).encryptedData,
  )
  await wechat.resetSessionKey({ openid, sessionKey })
  await wechat.call('GET', '/wxa/getpaidunionid').catch(() => undefined)

  expect(events).toEqual(
    [
      ['code2Session', 'ok'],
      ['accessToken', 'ok'],
      ['phoneNumber', 'ok'],
      ['checkSessionKey', 'ok'],
      ['checkEncryptedData', 'ok'],
      ['resetSessionKey', 'ok'],
      ['/wxa/getpaidunionid', 'invalid_request'],
    ].map(([endpoint, outcome]) =>
      expect.objectContaining({ type: 'wechat', endpoint, outcome, appId: fake.app.appId }),
    ),
  )
})
