import { expect, test } from 'vitest'
import {
  call,
  callAs,
  credentials,
  exchange,
  setUp,
  shop,
  signed,
  stableToken,
  tokenOf,
} from './set-up.js'

test('of a body the names of its members are kept', async () => {
  const { wechat } = setUp()

  await stableToken(wechat, { force: true })

  expect(wechat.calls[0]).toEqual({
    method: 'POST',
    path: '/cgi-bin/stable_token',
    query: {},
    fields: ['grant_type', 'appid', 'secret', 'force_refresh'],
    status: 200,
    errcode: 0,
    receivedAt: 1_800_000_000,
  })
})

test.each(['', 'appid=wx', '[1]', '"text"'])('of the body %j nothing is kept', async (body) => {
  const { wechat } = setUp()

  await call(wechat, 'POST /cgi-bin/stable_token', { body })

  expect(wechat.calls[0]).not.toHaveProperty('fields')
})

test('no secret is kept of any call', async () => {
  const { wechat } = setUp({ routes: { 'GET /sns/component/jscode2session': () => ({}) } })
  const codes = [
    wechat.codeFor('alice'),
    wechat.phoneCodeFor('alice'),
    wechat.pluginCodeFor('alice'),
  ]
  const [loginCode = '', phoneCode = '', pluginCode = ''] = codes
  const openid = wechat.openidOf('alice')
  const order = wechat.payFor('alice')
  const { session_key: sessionKey = '' } = await exchange(wechat, loginCode)
  const proof = signed(openid, sessionKey)
  const token = await tokenOf(wechat)

  await call(wechat, 'GET /cgi-bin/token', { query: credentials(shop) })
  await callAs(wechat, shop, 'GET /wxa/checksession', { query: proof })
  await callAs(wechat, shop, 'POST /wxa/business/getuserphonenumber', {
    body: { code: phoneCode, openid },
  })
  await callAs(wechat, shop, 'POST /wxa/getpluginopenpid', { body: { code: pluginCode } })
  await callAs(wechat, shop, 'GET /wxa/getpaidunionid', {
    query: { openid, transaction_id: order.transactionId, out_trade_no: order.outTradeNo },
  })
  await call(wechat, 'GET /sns/component/jscode2session', {
    query: { component_access_token: token, js_code: loginCode },
  })
  const log = JSON.stringify(wechat.calls)

  const secrets = [
    ...codes,
    shop.appSecret,
    openid,
    sessionKey,
    token,
    proof.signature ?? '',
    order.transactionId,
    order.outTradeNo,
  ]
  for (const secret of secrets) expect(log).not.toContain(secret)
  expect(log).toContain('hmac_sha256')
  expect(log).toContain('[redacted]')
})

test('faults reach every endpoint, and the log names them', async () => {
  const { wechat } = setUp()
  const endpoint = 'POST /wxa/business/getuserphonenumber'
  wechat.fail('45011', { endpoint })

  const { errcode } = await callAs(wechat, shop, endpoint, { body: {} })

  expect(errcode).toBe('45011')
  expect(wechat.calls.at(-1)).toMatchObject({ errcode: 45011, fault: '45011', fields: [] })
})
