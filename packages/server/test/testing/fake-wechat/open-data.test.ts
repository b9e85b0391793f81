import { createDecipheriv, createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { FakeWeChat, FakeWeChatEncryptedData } from '../../../src/testing/index.js'
import { call, callAs, exchange, game, setUp, shop, startAt } from './set-up.js'

const endpoint = 'POST /wxa/business/checkencryptedmsg'
const phone = { phoneNumber: '13800138000', purePhoneNumber: '13800138000', countryCode: '86' }

function textOf({ encryptedData, iv }: FakeWeChatEncryptedData, sessionKey: string): string {
  const key = Buffer.from(sessionKey, 'base64')
  const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(iv, 'base64'))
  return decipher.update(encryptedData, 'base64', 'utf8') + decipher.final('utf8')
}

const decrypt = (data: FakeWeChatEncryptedData, sessionKey: string): unknown =>
  JSON.parse(textOf(data, sessionKey))

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')

function checkHash(wechat: FakeWeChat, hash: string, app = shop) {
  return callAs(wechat, app, endpoint, { body: { encrypted_msg_hash: hash } })
}

test('open data is encrypted under the session_key, with a watermark', async () => {
  const { wechat } = setUp()
  const { session_key: sessionKey = '' } = await exchange(wechat, wechat.codeFor('alice'))

  const encrypted = wechat.openDataFor('alice', { nickName: '爱丽丝' })

  expect(decrypt(encrypted, sessionKey)).toEqual({
    nickName: '爱丽丝',
    watermark: { appid: shop.appId, timestamp: startAt },
  })
})

test('the watermark comes last, as in what WeChat encrypts', () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')

  const text = textOf(wechat.openDataFor('alice', phone), wechat.sessionKeyOf('alice'))

  expect(text).toBe(
    `{"phoneNumber":"13800138000","purePhoneNumber":"13800138000","countryCode":"86","watermark":{"timestamp":${startAt},"appid":"${shop.appId}"}}`,
  )
})

test('the same data is encrypted anew each time', () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')

  const first = wechat.openDataFor('alice', phone)
  const second = wechat.openDataFor('alice', phone)

  expect(first.iv).not.toBe(second.iv)
  expect(first.encryptedData).not.toBe(second.encryptedData)
})

test('a watermark may be older, of another mini program, or altogether wrong', () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  wechat.codeFor('alice', { appId: game.appId })

  const older = wechat.openDataFor('alice', {}, { watermarkAt: startAt - 3600 })
  const elsewhere = wechat.openDataFor('alice', {}, { appId: game.appId })
  const wrong = wechat.openDataFor('alice', { watermark: 7 })

  const watermarkIn = (encrypted: FakeWeChatEncryptedData, appId?: string) =>
    decrypt(encrypted, wechat.sessionKeyOf('alice', appId === undefined ? {} : { appId }))
  expect(watermarkIn(older)).toEqual({
    watermark: { appid: shop.appId, timestamp: startAt - 3600 },
  })
  expect(watermarkIn(elsewhere, game.appId)).toMatchObject({ watermark: { appid: game.appId } })
  expect(watermarkIn(wrong)).toEqual({ watermark: 7 })
})

test('the session_key of another login does not decrypt', async () => {
  const { wechat } = setUp()
  const { session_key: stale = '' } = await exchange(wechat, wechat.codeFor('alice'))
  wechat.codeFor('alice')

  const encrypted = wechat.openDataFor('alice', phone)

  expect(() => decrypt(encrypted, stale)).toThrow()
  expect(decrypt(encrypted, wechat.sessionKeyOf('alice'))).toMatchObject(phone)
})

test('raw data is signed with the session_key as the text it is', async () => {
  const { wechat } = setUp()
  const { session_key: sessionKey } = await exchange(wechat, wechat.codeFor('alice'))

  const { rawData, signature } = wechat.signedDataFor('alice', { nickName: '爱丽丝' })

  expect(rawData).toBe('{"nickName":"爱丽丝"}')
  expect(signature).toBe(createHash('sha1').update(`${rawData}${sessionKey}`).digest('hex'))
})

test('without a valid session_key there is no open data', () => {
  const { wechat } = setUp()

  expect(() => wechat.openDataFor('alice', {})).toThrow(TypeError)
  expect(() => wechat.signedDataFor('alice', {})).toThrow(TypeError)
  wechat.codeFor('alice')
  wechat.expireSessionKey('alice')
  expect(() => wechat.openDataFor('alice', {})).toThrow(TypeError)
  expect(() => wechat.signedDataFor('alice', {})).toThrow(TypeError)
})

test.each([
  ['the base64', (data: string) => sha256(data)],
  ['the bytes', (data: string) => sha256(Buffer.from(data, 'base64'))],
  ['the base64 in capitals', (data: string) => sha256(data).toUpperCase()],
])('an encrypted phone number is known by the hash of %s', async (_, hashOf) => {
  const { wechat, advance } = setUp()
  wechat.codeFor('alice')
  const { encryptedData } = wechat.openDataFor('alice', phone)
  advance(60)

  const answer = await checkHash(wechat, hashOf(encryptedData))

  expect(answer).toEqual({ errcode: 0, errmsg: 'ok', vaild: true, create_time: startAt })
})

test('an encrypted phone number is known for three days, and to its mini program', async () => {
  const { wechat, advance } = setUp()
  wechat.codeFor('alice')
  const hash = sha256(wechat.openDataFor('alice', phone).encryptedData)

  const elsewhere = await checkHash(wechat, hash, game)
  advance(3 * 24 * 3600 - 1)
  const before = await checkHash(wechat, hash)
  advance(1)
  const after = await checkHash(wechat, hash)

  expect([elsewhere.errcode, before.errcode, after.errcode]).toEqual([1, 0, 1])
})

test('other open data is not known', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  const { encryptedData } = wechat.openDataFor('alice', { nickName: 'Alice' })

  const { errcode, errmsg } = await checkHash(wechat, sha256(encryptedData))

  expect(errcode).toBe(1)
  expect(errmsg).toMatch(/^data not exit rid: /)
})

test.each([
  ['no body', '', 44002],
  ['a form', 'encrypted_msg_hash=00', 47001],
  ['no hash', '{}', 40097],
  ['a hash that is not a text', '{"encrypted_msg_hash":7}', 40097],
])('checkencryptedmsg refuses %s', async (_, body, errcode) => {
  const { wechat } = setUp()

  expect((await callAs(wechat, shop, endpoint, { body })).errcode).toBe(errcode)
})

test('checkencryptedmsg wants an access_token', async () => {
  const { wechat } = setUp()

  const { errcode } = await call(wechat, endpoint, { body: { encrypted_msg_hash: '00' } })

  expect(errcode).toBe(41001)
})
