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

describe("WeChat's samples", () => {
  test.each([
    ['the user info', userInfo],
    ['the phone number', phoneNumber],
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
    expect(decryptOpenData({ ...phoneNumber, openid: 'oAlice' })).toMatchObject({
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

  // One wrong key in 256 leaves a good padding behind.
  test.each([
    ['is not JSON', '\u0000\u0001 garbage'],
    ['is a text', '"text"'],
    ['is a list', '[1]'],
    ['is nothing', 'null'],
    ['has no watermark', '{"openId":"o"}'],
    ['has a watermark that is none', '{"watermark":"w"}'],
    ['has a watermark without an appid', '{"watermark":{"timestamp":1}}'],
    ['has a watermark without a time', `{"watermark":{"appid":"${appId}"}}`],
    ['has a watermark whose time is a text', `{"watermark":{"appid":"${appId}","timestamp":"1"}}`],
  ])('when what comes out %s', (_name, plaintext) => {
    const encryptedData = encrypt(plaintext)

    expect(() => decryptOpenData({ appId, sessionKey, iv, encryptedData })).toThrow(stale)
  })

  test('for each of two hundred wrong keys', () => {
    for (let n = 0; n < 200; n++) {
      const wrong = Buffer.alloc(16, `wrong ${n}`).toString('base64')

      expect(() => decryptOpenData({ ...userInfo, sessionKey: wrong })).toThrow(stale)
    }
  })

  test('and tells nobody why: each way has the same message', () => {
    const messages = [encrypt(Buffer.alloc(32, 0), { isPadded: false }), encrypt('garbage')].map(
      (encryptedData) => {
        try {
          return decryptOpenData({ appId, sessionKey, iv, encryptedData })
        } catch (error) {
          return (error as Error).message
        }
      },
    )

    expect(messages[0]).toBe(messages[1])
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

test('what identifies a person is not printed', () => {
  const about = {
    openId: 'ocanaryOpenid',
    unionId: 'ocanaryUnionid',
    phoneNumber: '+4413800000000',
    purePhoneNumber: '13800000000',
    nickName: 'Band',
    watermark,
  }

  const data = decryptOpenData(dataOf(about))

  expect(data).toEqual(about)
  for (const text of [JSON.stringify(data), inspect({ data }, { showHidden: true, depth: 9 })]) {
    expect(text).toContain('Band')
    expect(text).not.toMatch(/canary|13800000000/)
  }
})

test('what the emulated WeChat encrypts and signs is decrypted and verified', () => {
  const wechat = createFakeWeChat()
  wechat.codeFor('alice')
  const key = wechat.sessionKeyOf('alice')
  const data = { openId: wechat.openidOf('alice'), nickName: '微信用户' }

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
