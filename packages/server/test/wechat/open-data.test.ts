import { createCipheriv } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createFakeWeChat } from '../../src/testing/index.js'
import { decryptOpenData, signSession, verifyRawData } from '../../src/wechat/index.js'
import { phoneNumber, rawData, signedBody, signedNothing, userInfo } from './open-data-vectors.js'

const appId = 'wx0000000000000001'
const sessionKey = Buffer.alloc(16, 'k').toString('base64')
const iv = Buffer.alloc(16, 'i').toString('base64')

/** Whatever bytes, under the key above. */
function encrypt(plaintext: string | Buffer, { isPadded = true } = {}): string {
  const cipher = createCipheriv(
    'aes-128-cbc',
    Buffer.from(sessionKey, 'base64'),
    Buffer.from(iv, 'base64'),
  ).setAutoPadding(isPadded)
  return Buffer.concat([cipher.update(plaintext), cipher.final()]).toString('base64')
}

const watermark = { appid: appId, timestamp: 1_800_000_000 }
const dataOf = (data: unknown, more: object = {}) => {
  const encryptedData = encrypt(JSON.stringify(data))
  return { appId, sessionKey, iv, encryptedData, ...more }
}

/** As WeChat would say of the sample, on its day. */
const confirmed = { isConfirmed: true, now: () => 1_634_545_675_000 }

describe("WeChat's samples", () => {
  test.each([
    ['the user info', userInfo],
    ['the phone number', { ...phoneNumber, ...confirmed }],
  ])('%s is decrypted', (_name, { plaintext, ...sample }) => {
    expect(decryptOpenData(sample)).toEqual(JSON.parse(plaintext))
  })

  test('the signature of rawData is right, in capitals as well', () => {
    expect(verifyRawData(rawData)).toBe(true)
    expect(verifyRawData({ ...rawData, signature: rawData.signature.toUpperCase() })).toBe(true)
  })

  test('the signature of a body', () => {
    const { sessionKey, message, signature } = signedBody

    expect(signSession(sessionKey, message)).toBe(signature)
  })

  test.each(signedNothing)(
    'the signature of nothing by $sessionKey',
    ({ sessionKey, signature }) => {
      expect(signSession(sessionKey)).toBe(signature)
    },
  )
})

describe('open data is refused with invalid_request', () => {
  test.each([
    ['that is not base64', { encryptedData: 'not base64 at all!!!' }],
    [
      'whose base64 lost its plus signs',
      { encryptedData: userInfo.encryptedData.replaceAll('+', ' ') },
    ],
    ['that was cut', { encryptedData: userInfo.encryptedData.slice(0, -4) }],
    ['that is empty', { encryptedData: '' }],
    ['that is missing', { encryptedData: undefined as unknown as string }],
    ['with an iv that is not base64', { iv: 'r7BXXKkLb8qrSNn05n0q' }],
    ['with an iv that lost its end', { iv: userInfo.iv.replace('==', '') }],
    ['with an iv that is missing', { iv: undefined as unknown as string }],
  ])('%s', (_name, wrong) => {
    expect(() => decryptOpenData({ ...userInfo, ...wrong })).toThrow(
      expect.objectContaining({ code: 'invalid_request', reason: undefined }),
    )
  })

  test('of another mini program', () => {
    expect(() => decryptOpenData({ ...userInfo, appId })).toThrow(
      expect.objectContaining({ code: 'invalid_request', reason: 'watermark_appid' }),
    )
  })

  test('about another user', () => {
    expect(() => decryptOpenData({ ...userInfo, openid: 'oAnotherOpenid' })).toThrow(
      expect.objectContaining({ code: 'invalid_request', reason: 'openid' }),
    )
  })

  test('older than is allowed', () => {
    const atMs = (userInfoAt + 301) * 1000

    expect(() => decryptOpenData({ ...userInfo, maxAgeSeconds: 300, now: () => atMs })).toThrow(
      expect.objectContaining({ code: 'invalid_request', reason: 'watermark_age' }),
    )
  })
})

const userInfoAt = 1_477_314_187

describe('open data is taken', () => {
  test.each([
    ['that is as old as is allowed', { maxAgeSeconds: 300, now: () => (userInfoAt + 300) * 1000 }],
    ['by a clock that is late', { maxAgeSeconds: 300, now: () => (userInfoAt - 100) * 1000 }],
    ['of any age where none is named', {}],
    ['about the user who is named', { openid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE' }],
  ])('%s', (_name, options) => {
    expect(decryptOpenData({ ...userInfo, ...options })).toMatchObject({ nickName: 'Band' })
  })

  test('that does not say whom it is about', () => {
    expect(decryptOpenData({ ...phoneNumber, ...confirmed, openid: 'oAlice' })).toMatchObject({
      countryCode: '86',
    })
  })
})

describe('a key that does not fit is stale_session_key', () => {
  const stale = expect.objectContaining({ code: 'stale_session_key', status: 409 })

  test('when the padding is wrong', () => {
    const encryptedData = encrypt(Buffer.alloc(32, 0), { isPadded: false })

    expect(() => decryptOpenData({ appId, sessionKey, iv, encryptedData })).toThrow(stale)
  })

  // One wrong key in 256 leaves a good padding behind, and nearly none a text.
  test('when what comes out is no text', () => {
    const encryptedData = encrypt(Buffer.alloc(20, 0xff))

    expect(() => decryptOpenData({ appId, sessionKey, iv, encryptedData })).toThrow(stale)
  })

  test('for each of two thousand wrong keys', () => {
    for (let n = 0; n < 2000; n++) {
      const wrong = Buffer.alloc(16, `wrong ${n}`).toString('base64')

      expect(() => decryptOpenData({ ...userInfo, sessionKey: wrong })).toThrow(stale)
    }
  })

  // Who could tell a good padding from a bad one could encrypt what they like, and ask until it is right.
  test('and tells nobody why: a bad padding and a good one have the same message', () => {
    const messages = [
      encrypt(Buffer.alloc(32, 0), { isPadded: false }),
      encrypt(Buffer.alloc(20, 0xff)),
    ].map((encryptedData) => {
      try {
        return decryptOpenData({ appId, sessionKey, iv, encryptedData })
      } catch (error) {
        return (error as Error).message
      }
    })

    expect(messages[0]).toBe(messages[1])
  })
})

describe('a text that is no open data is unreadable, for another key would not have left a text', () => {
  test.each([
    ['is not JSON', '\u0000\u0001 garbage'],
    ['is half of it', '{"nickName":"Band","watermark":{'],
    ['is empty', ''],
    ['is a text', '"text"'],
    ['is a list', '[1]'],
    ['is nothing', 'null'],
    ['has no watermark', '{"openId":"o"}'],
    [
      'has members that a copy would show, and nobody has checked',
      `{"__proto__":{"phoneNumber":"1"},"watermark":{"appid":"${appId}","timestamp":1}}`,
    ],
    ['has a watermark that is none', '{"watermark":"w"}'],
    ['has a watermark without an appid', '{"watermark":{"timestamp":1}}'],
    ['has a watermark without a time', `{"watermark":{"appid":"${appId}"}}`],
    ['has a watermark whose time is a text', `{"watermark":{"appid":"${appId}","timestamp":"1"}}`],
  ])('one that %s', (_name, plaintext) => {
    const encryptedData = encrypt(plaintext)

    expect(() => decryptOpenData({ appId, sessionKey, iv, encryptedData })).toThrow(
      expect.objectContaining({ code: 'invalid_request', status: 400, reason: 'unreadable' }),
    )
  })
})

const band = {
  nickName: 'Band',
  gender: 1,
  city: 'Guangzhou',
  province: 'Guangdong',
  country: 'CN',
  avatarUrl: 'http://wx.qlogo.cn/132',
}
const number = { phoneNumber: '13800138000', purePhoneNumber: '13800138000', countryCode: '86' }

describe('open data is whole and of one kind', () => {
  test.each([
    ['user info', { openId: 'o', ...band, language: 'zh_CN', unionId: 'u' }],
    ['a profile', { ...band, is_demote: true }],
    ['steps', { stepInfoList: [{ timestamp: 1, step: 100 }] }],
    ['a group, as a share tells it', { openGId: 'g' }],
    ['a group, as a chat tells it', { opengid: 'g', group_openid: 'o', chat_type: 3 }],
    ['a chat of two', { open_single_roomid: 'r', chat_type: 1 }],
    ['a private message', { activityId: 'a' }],
    ['a kind that is not known here', { kvList: [] }],
  ])('%s', (_name, data) => {
    const whole = { ...data, watermark }

    expect(decryptOpenData(dataOf(whole))).toEqual(whole)
  })

  const shape = expect.objectContaining({ code: 'invalid_request', reason: 'shape' })

  test.each(Object.keys(band))('user info without %s is not', (name) => {
    const { [name as keyof typeof band]: _missing, ...rest } = band

    expect(() => decryptOpenData(dataOf({ openId: 'o', ...rest, watermark }))).toThrow(shape)
  })

  test.each(Object.keys(number))('a phone number without %s is not', (name) => {
    const { [name as keyof typeof number]: _missing, ...rest } = number

    expect(() => decryptOpenData(dataOf({ ...rest, watermark }, confirmed))).toThrow(shape)
  })

  test.each([
    'phoneNumber',
    'purePhoneNumber',
    'countryCode',
    'stepInfoList',
    'openGId',
    'opengid',
    'open_single_roomid',
    'group_openid',
    'chat_type',
    'activityId',
  ])('%s does not come with user info', (name) => {
    expect(() => decryptOpenData(dataOf({ ...band, [name]: 'x', watermark }))).toThrow(shape)
  })

  test.each([
    ['an openid alone', { openId: 'o' }],
    ['a language alone', { language: 'zh_CN' }],
    ['a unionid without the openid', { ...band, unionId: 'u' }],
    ['a phone number with the rest of user info', { ...number, ...band }],
    ['a phone number with one member of it', { ...number, gender: 1 }],
    ['steps with a group', { stepInfoList: [], openGId: 'g' }],
    ['a group with a member of user info', { openGId: 'g', language: 'zh_CN' }],
    ['a group with a number', { openGId: 'g', countryCode: '86' }],
    ['a message with a group', { activityId: 'a', chat_type: 3 }],
  ])('%s is not', (_name, data) => {
    expect(() => decryptOpenData(dataOf({ ...data, watermark }, confirmed))).toThrow(shape)
  })
})

describe('a phone number', () => {
  const given = dataOf({ ...number, watermark }, { now: () => watermark.timestamp * 1000 })

  test.each([undefined, false, 'true', 1, {}])(
    'is not given where isConfirmed is %j',
    (isConfirmed) => {
      expect(() =>
        decryptOpenData({ ...given, isConfirmed: isConfirmed as unknown as boolean }),
      ).toThrow(expect.objectContaining({ code: 'invalid_request', reason: 'unconfirmed' }))
    },
  )

  test('is given once WeChat has confirmed it', () => {
    expect(decryptOpenData({ ...given, isConfirmed: true })).toMatchObject(number)
  })

  test('is not given when it is older than WeChat can tell', () => {
    const now = () => (watermark.timestamp + 3 * 24 * 3600 + 1) * 1000

    expect(() => decryptOpenData({ ...given, isConfirmed: true, now })).toThrow(
      expect.objectContaining({ code: 'invalid_request', reason: 'watermark_age' }),
    )
  })
})

test.each(['', 'short', 'not base64 at all!!!!!!', undefined])(
  'the sessionKey %j is a TypeError',
  (wrong) => {
    const decrypt = () => decryptOpenData({ ...userInfo, sessionKey: wrong as string })

    expect(decrypt).toThrow(TypeError)
    expect(decrypt).toThrow('sessionKey')
  },
)

describe('rawData is not taken for signed', () => {
  test.each([
    ['with another text', { rawData: `${rawData.rawData} ` }],
    ['with another key', { sessionKey: signedBody.sessionKey }],
    ['with another signature', { signature: rawData.signature.replace('7', '8') }],
    ['with half a signature', { signature: rawData.signature.slice(0, 20) }],
    ['with more than a signature', { signature: `${rawData.signature}00` }],
    ['without a signature', { signature: '' }],
    ['with a signature of another type', { signature: 7 as unknown as string }],
    ['without a text', { rawData: undefined as unknown as string }],
  ])('%s', (_name, wrong) => {
    expect(verifyRawData({ ...rawData, ...wrong })).toBe(false)
  })
})

test.each([
  { openId: 'ocanaryOpenid', ...band, unionId: 'ocanaryUnionid', shown: 'Band' },
  { ...number, phoneNumber: '+85213800138000', shown: '86' },
])('what identifies a person is not printed: $shown', ({ shown, ...about }) => {
  const whole = { ...about, watermark }
  const now = () => watermark.timestamp * 1000

  const data = decryptOpenData(dataOf(whole, { isConfirmed: true, now }))

  expect(data).toEqual(whole)
  for (const text of [JSON.stringify(data), inspect({ data }, { showHidden: true, depth: 9 })]) {
    expect(text).toContain(shown)
    expect(text).not.toMatch(/canary|13800138000/)
  }
})

test('what the emulated WeChat encrypts and signs is decrypted and verified', () => {
  const wechat = createFakeWeChat()
  wechat.codeFor('alice')
  const key = wechat.sessionKeyOf('alice')
  const data = { openId: wechat.openidOf('alice'), ...band, nickName: '微信用户' }

  const decrypted = decryptOpenData({
    ...wechat.openDataFor('alice', data),
    sessionKey: key,
    appId: wechat.app.appId,
    openid: data.openId,
    maxAgeSeconds: 300,
  })

  expect(decrypted).toMatchObject(data)
  expect(verifyRawData({ ...wechat.signedDataFor('alice', data), sessionKey: key })).toBe(true)
  wechat.rotateSessionKeyOf('alice')
  expect(() =>
    decryptOpenData({
      ...wechat.openDataFor('alice', data),
      sessionKey: key,
      appId: wechat.app.appId,
    }),
  ).toThrow(expect.objectContaining({ code: 'stale_session_key' }))
})
