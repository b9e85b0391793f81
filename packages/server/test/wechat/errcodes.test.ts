import { describe, expect, test } from 'vitest'
import { setUpWeChat } from './set-up.js'

// Every errcode that WeChat documents for these interfaces, or that was quoted from them.

const misconfigured = { code: 'server_misconfigured', status: 500 }
const invalidRequest = { code: 'invalid_request', status: 400 }
const invalidCode = { code: 'invalid_code', status: 400 }
const stale = { code: 'stale_session_key', status: 409 }

describe('an errcode of any interface', () => {
  test.each([
    [-1, { code: 'wechat_unavailable', status: 503, retryAfterSeconds: 2 }],
    [40002, misconfigured],
    [40003, invalidRequest],
    [40013, misconfigured],
    [40029, invalidCode],
    [40090, misconfigured],
    [40094, misconfigured],
    [40097, invalidRequest],
    [40125, misconfigured],
    [40163, invalidCode],
    [40164, misconfigured],
    [40226, { code: 'user_blocked', status: 403 }],
    [40230, misconfigured],
    [40234, misconfigured],
    [40240, misconfigured],
    [40243, misconfigured],
    [41001, misconfigured],
    [41002, misconfigured],
    [41004, misconfigured],
    [41008, misconfigured],
    [43001, invalidRequest],
    [43002, invalidRequest],
    [44002, invalidRequest],
    [45009, { code: 'rate_limited', status: 429, retryAfterSeconds: 3600 }],
    [45011, { code: 'rate_limited', status: 429, retryAfterSeconds: 60 }],
    [47001, invalidRequest],
    [48001, misconfigured],
    [50004, misconfigured],
    [50007, misconfigured],
    [61003, misconfigured],
    [61024, misconfigured],
    [87007, stale],
    [87008, misconfigured],
    [87009, stale],
    [89002, misconfigured],
    [89300, invalidRequest],
    [89501, misconfigured],
    [89503, misconfigured],
    [89506, misconfigured],
    [89507, misconfigured],
  ])('%j', async (errcode, expected) => {
    const { wechat, fake, events } = await setUpWeChat()
    await wechat.accessToken()
    fake.fail(errcode, { endpoint: 'POST /wxa/getpluginopenpid' })

    const error = await wechat
      .call('POST', '/wxa/getpluginopenpid', { body: { code: 'x' } })
      .catch((reason: unknown) => reason)

    expect(error).toMatchObject({
      ...expected,
      errcode,
      rid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/),
      // A sentence of this library's, which says what to do, and not WeChat's.
      message: expect.stringMatching(/^[A-Z].{20,}$/),
    })
    expect(events.some(({ type }) => type === 'misconfigured')).toBe(expected === misconfigured)
  })

  test.each([40001, 40014, 42001])(
    '%j is wechat_unavailable once a new token is refused as well',
    async (errcode) => {
      const { wechat, fake } = await setUpWeChat()
      fake.fail(errcode, { times: 2, endpoint: 'POST /wxa/getpluginopenpid' })

      await expect(wechat.call('POST', '/wxa/getpluginopenpid')).rejects.toMatchObject({
        code: 'wechat_unavailable',
        errcode,
        retryAfterSeconds: 10,
      })
    },
  )
})

describe('an errcode that says something at one interface only', () => {
  test.each([
    [1000, { code: 'wechat_unavailable', retryAfterSeconds: 2 }],
    [1001, invalidRequest],
    [1003, { code: 'rate_limited', retryAfterSeconds: 60 }],
    [1005, misconfigured],
    [1007, invalidCode],
    [1022, invalidRequest],
  ])('%j of getPluginOpenPId', async (errcode, expected) => {
    const { wechat, fake } = await setUpWeChat()
    fake.fail(errcode, { endpoint: 'POST /wxa/getpluginopenpid' })

    await expect(wechat.call('POST', '/wxa/getpluginopenpid')).rejects.toMatchObject(expected)
  })

  test.each([1, 1000, 1001, 1003, 1005, 1007, 1022])('%j is unknown elsewhere', async (errcode) => {
    const { wechat, fake } = await setUpWeChat()
    fake.fail(errcode, { endpoint: 'GET /wxa/getpaidunionid' })

    await expect(wechat.call('GET', '/wxa/getpaidunionid')).rejects.toMatchObject({
      code: 'server_error',
      errcode,
    })
  })

  test('1 of checkEncryptedData', async () => {
    const { wechat } = await setUpWeChat()

    const check = wechat.call('POST', '/wxa/business/checkencryptedmsg', {
      body: { encrypted_msg_hash: '0'.repeat(64) },
    })

    await expect(check).rejects.toMatchObject({ ...invalidRequest, errcode: 1 })
  })

  test('40001 of the access token is a wrong AppSecret', async () => {
    const { wechat, fake } = await setUpWeChat()
    fake.fail(40001, { endpoint: 'POST /cgi-bin/stable_token' })

    await expect(wechat.accessToken()).rejects.toMatchObject({
      ...misconfigured,
      message: expect.stringContaining('AppSecret'),
    })
    expect(fake.calls).toHaveLength(1)
  })
})

describe('an errcode that nobody knows', () => {
  test('is server_error at an interface of the app: its call is wrong, and WeChat is well', async () => {
    const { wechat, fake } = await setUpWeChat()
    fake.fail(98765, { endpoint: 'POST /wxa/getpluginopenpid' })

    await expect(wechat.call('POST', '/wxa/getpluginopenpid')).rejects.toMatchObject({
      code: 'server_error',
      status: 500,
      errcode: 98765,
      rid: expect.any(String),
      message: expect.stringContaining('98765'),
    })
    expect(wechat.health().ok).toBe(true)
  })

  test('is wechat_unavailable where users wait for it', async () => {
    const { wechat, fake } = await setUpWeChat()
    await wechat.accessToken()

    for (const call of [
      () => wechat.code2Session(fake.codeFor('alice')),
      () => wechat.phoneNumber(fake.phoneCodeFor('alice')),
      () => wechat.checkSessionKey({ openid: 'o', sessionKey: 'k' }),
      () => wechat.accessToken({ force: true }),
    ]) {
      fake.fail(98765)
      await expect(call()).rejects.toMatchObject({
        code: 'wechat_unavailable',
        errcode: 98765,
        retryAfterSeconds: 10,
      })
    }
  })
})
