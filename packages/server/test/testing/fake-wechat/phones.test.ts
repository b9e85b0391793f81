import { fetch as undiciFetch } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import type { FakeWeChat } from '../../../src/testing/index.js'
import { call, callAs, exchange, game, setUp, shop, startAt, tokenOf } from './set-up.js'

const endpoint = 'POST /wxa/business/getuserphonenumber'

function redeem(wechat: FakeWeChat, code: string, body: object = {}) {
  return callAs(wechat, shop, endpoint, { body: { code, ...body } })
}

test('a phone code is worth the number and a watermark', async () => {
  const { wechat, advance } = setUp()
  const code = wechat.phoneCodeFor('alice')
  advance(2)

  const answer = await redeem(wechat, code)

  expect(answer).toEqual({
    errcode: 0,
    errmsg: 'ok',
    phone_info: {
      phoneNumber: wechat.phoneNumberOf('alice'),
      purePhoneNumber: wechat.phoneNumberOf('alice'),
      countryCode: '86',
      watermark: { timestamp: startAt, appid: shop.appId },
    },
  })
})

test('a phone code is 64 hexadecimal digits, each time new', () => {
  const { wechat } = setUp()

  const codes = [wechat.phoneCodeFor('alice'), wechat.phoneCodeFor('alice')]

  expect(codes[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(codes[0]).not.toBe(codes[1])
})

test('a person has the same Chinese mobile number in every run, by name and by openid', () => {
  const { wechat } = setUp()
  const { wechat: again } = setUp()

  const number = wechat.phoneNumberOf('alice')

  expect(number).toMatch(/^1[3-9]\d{9}$/)
  expect(again.phoneNumberOf('alice')).toBe(number)
  expect(wechat.phoneNumberOf(wechat.openidOf('alice'))).toBe(number)
  expect(wechat.phoneNumberOf('bob')).not.toBe(number)
})

test('a code may be for another number, and its country code a number', async () => {
  const { wechat } = setUp()
  const code = wechat.phoneCodeFor('alice', { phoneNumber: '13800138000', countryCode: 86 })

  const { phone_info: phone } = await redeem(wechat, code)

  expect(phone).toMatchObject({
    phoneNumber: '13800138000',
    purePhoneNumber: '13800138000',
    countryCode: 86,
  })
})

test('only a foreign number carries its country code', async () => {
  const { wechat } = setUp()
  const code = wechat.phoneCodeFor('alice', { phoneNumber: '51234567', countryCode: '852' })

  const { phone_info: phone } = await redeem(wechat, code)

  expect(phone).toMatchObject({
    phoneNumber: '+85251234567',
    purePhoneNumber: '51234567',
    countryCode: '852',
  })
})

test('a phone code works once', async () => {
  const { wechat } = setUp()
  const code = wechat.phoneCodeFor('alice')
  await redeem(wechat, code)

  const { errcode, errmsg } = await redeem(wechat, code)

  expect(errcode).toBe(40029)
  expect(errmsg).toMatch(/^invalid code rid: /)
})

test('a phone code is good for five minutes', async () => {
  const { wechat, advance } = setUp()
  const inTime = wechat.phoneCodeFor('alice')
  const late = wechat.phoneCodeFor('alice')

  advance(299)
  const first = await redeem(wechat, inTime)
  advance(1)
  const second = await redeem(wechat, late)

  expect([first.errcode, second.errcode]).toEqual([0, 40029])
})

test('a phone code is bound to its mini program', async () => {
  const { wechat } = setUp()
  const code = wechat.phoneCodeFor('alice', { appId: game.appId })

  const elsewhere = await redeem(wechat, code)
  const atHome = await callAs(wechat, game, endpoint, { body: { code } })

  expect(elsewhere.errcode).toBe(40029)
  expect(atHome.phone_info).toMatchObject({ watermark: { appid: game.appId } })
})

test('codes of the three kinds do not stand in for each other', async () => {
  const { wechat } = setUp()
  const codes = {
    login: wechat.codeFor('alice'),
    phone: wechat.phoneCodeFor('alice'),
    plugin: wechat.pluginCodeFor('alice'),
  }
  const uses = {
    login: (code: string) => exchange(wechat, code),
    phone: (code: string) => redeem(wechat, code),
    plugin: (code: string) =>
      callAs(wechat, shop, 'POST /wxa/getpluginopenpid', { body: { code } }),
  }

  const errcodeOf = async (use: keyof typeof uses, code: keyof typeof codes) =>
    (await uses[use](codes[code])).errcode

  expect(await errcodeOf('login', 'phone')).toBe(40029)
  expect(await errcodeOf('login', 'plugin')).toBe(40029)
  expect(await errcodeOf('phone', 'login')).toBe(40029)
  expect(await errcodeOf('phone', 'plugin')).toBe(40029)
  expect(await errcodeOf('plugin', 'login')).toBe(1007)
  expect(await errcodeOf('plugin', 'phone')).toBe(1007)
  // Each is still good where it belongs.
  expect(await errcodeOf('login', 'login')).toBeUndefined()
  expect(await errcodeOf('phone', 'phone')).toBe(0)
  expect(await errcodeOf('plugin', 'plugin')).toBe(0)
})

test('a phone code leaves the session_key alone', () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  const before = wechat.sessionKeyOf('alice')

  wechat.phoneCodeFor('alice')

  expect(wechat.sessionKeyOf('alice')).toBe(before)
})

test('an openid is checked where it is sent, and a mismatch leaves the code good', async () => {
  const { wechat } = setUp()
  const code = wechat.phoneCodeFor('alice')

  const mismatch = await redeem(wechat, code, { openid: wechat.openidOf('bob') })
  const match = await redeem(wechat, code, { openid: wechat.openidOf('alice') })

  expect([mismatch.errcode, match.errcode]).toEqual([40003, 0])
})

test.each([
  ['no body', '', 44002],
  ['a form', 'code=0123', 47001],
  ['half of an object', '{"code":', 47001],
  ['an object without a code', '{}', 40029],
  ['a code that is not a text', '{"code":7}', 40029],
])('%s is refused', async (_, body, errcode) => {
  const { wechat } = setUp()

  expect((await callAs(wechat, shop, endpoint, { body })).errcode).toBe(errcode)
})

test('it takes a POST and an access_token', async () => {
  const { wechat } = setUp()

  const got = await callAs(wechat, shop, 'GET /wxa/business/getuserphonenumber')
  const anonymous = await call(wechat, endpoint, { body: { code: wechat.phoneCodeFor('alice') } })

  expect(got.errcode).toBe(43002)
  expect(anonymous.errcode).toBe(41001)
})

test.each([
  ['phoneNumber', (wechat: FakeWeChat) => wechat.phoneCodeFor('a', { phoneNumber: '+86 138' })],
  ['countryCode', (wechat: FakeWeChat) => wechat.phoneCodeFor('a', { countryCode: '+86' })],
  ['appId', (wechat: FakeWeChat) => wechat.phoneCodeFor('a', { appId: 'wx9' })],
  ['person', (wechat: FakeWeChat) => wechat.phoneNumberOf('')],
])('a wrong %s throws', (name, act) => {
  const { wechat } = setUp()

  expect(() => act(wechat)).toThrow(TypeError)
  expect(() => act(wechat)).toThrow(name)
})

test('an answer that got lost has used the phone code', async () => {
  const { wechat } = setUp()
  const code = wechat.phoneCodeFor('alice')
  wechat.fail('drop-after', { endpoint })

  const lost = await redeem(wechat, code).catch((reason: unknown) => reason)
  const again = await redeem(wechat, code)

  expect(lost).toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } })
  expect(again.errcode).toBe(40029)
})

test('on the listening server a streamed body gets 412, and a text the number', async () => {
  const { wechat } = setUp()
  const server = await wechat.listen()
  onTestFinished(() => server.close())
  const query = new URLSearchParams({ access_token: await tokenOf(wechat) })
  const url = `${server.url}/wxa/business/getuserphonenumber?${query}`
  const body = JSON.stringify({ code: wechat.phoneCodeFor('alice') })

  const streamed = await undiciFetch(url, {
    method: 'POST',
    body: new Blob([body]).stream(),
    duplex: 'half',
  })
  const whole = await undiciFetch(url, { method: 'POST', body })

  expect(streamed.status).toBe(412)
  expect(await whole.json()).toMatchObject({ errcode: 0 })
})
