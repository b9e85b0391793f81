import { expect, test } from 'vitest'
import type { FakeWeChat } from '../../../src/testing/index.js'
import { call, callAs, game, setUp, shop } from './set-up.js'

const endpoint = 'POST /wxa/getpluginopenpid'

function redeem(wechat: FakeWeChat, code: string) {
  return callAs(wechat, shop, endpoint, { body: { code } })
}

test('a plugin code is worth an openpid', async () => {
  const { wechat } = setUp()
  const code = wechat.pluginCodeFor('alice')

  const answer = await redeem(wechat, code)

  expect(code).toMatch(/^[0-9a-f]{64}$/)
  expect(answer).toEqual({ errcode: 0, errmsg: 'ok', openpid: wechat.openpidOf('alice') })
  expect(answer.openpid).toMatch(/^G[\w-]{27}$/)
})

test('an openpid belongs to one person, one host and one plugin, in every run', () => {
  const { wechat } = setUp()
  const { wechat: again } = setUp()
  const openpids = [
    wechat.openpidOf('alice'),
    wechat.openpidOf('bob'),
    wechat.openpidOf('alice', { appId: game.appId }),
    wechat.openpidOf('alice', { hostAppId: game.appId }),
  ]

  expect(new Set(openpids).size).toBe(4)
  expect(again.openpidOf('alice')).toBe(openpids[0])
  expect(wechat.openpidOf(wechat.openidOf('alice'))).toBe(openpids[0])
})

test('a plugin code carries the host it was got in', async () => {
  const { wechat } = setUp()

  const { openpid } = await redeem(wechat, wechat.pluginCodeFor('alice', { hostAppId: game.appId }))

  expect(openpid).toBe(wechat.openpidOf('alice', { hostAppId: game.appId }))
  expect(openpid).not.toBe(wechat.openpidOf('alice'))
})

test('a plugin code works once, and for five minutes', async () => {
  const { wechat, advance } = setUp()
  const [used, inTime, late] = [0, 1, 2].map(() => wechat.pluginCodeFor('alice'))
  await redeem(wechat, used ?? '')

  const again = await redeem(wechat, used ?? '')
  advance(299)
  const before = await redeem(wechat, inTime ?? '')
  advance(1)
  const after = await redeem(wechat, late ?? '')

  expect([again.errcode, before.errcode, after.errcode]).toEqual([1007, 0, 1007])
  expect(again.errmsg).toMatch(/^ rid: /)
})

test('a code of another plugin is refused, and stays good', async () => {
  const { wechat } = setUp()
  const code = wechat.pluginCodeFor('alice', { appId: game.appId })

  const elsewhere = await redeem(wechat, code)
  const atHome = await callAs(wechat, game, endpoint, { body: { code } })

  expect([elsewhere.errcode, atHome.errcode]).toEqual([1005, 0])
})

test.each([
  ['no code', '{}', 1001],
  ['a code that is not a text', '{"code":7}', 1001],
  ['a form', 'code=0123', 1022],
  ['no body', '', 44002],
])('%s is refused', async (_, body, errcode) => {
  const { wechat } = setUp()

  expect((await callAs(wechat, shop, endpoint, { body })).errcode).toBe(errcode)
})

test('getpluginopenpid wants an access_token', async () => {
  const { wechat } = setUp()
  const body = { code: wechat.pluginCodeFor('alice') }

  expect((await call(wechat, endpoint, { body })).errcode).toBe(41001)
})
