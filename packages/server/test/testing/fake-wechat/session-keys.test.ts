import { fetch as undiciFetch } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import type { FakeWeChat } from '../../../src/testing/index.js'
import { call, callAs, exchange, game, setUp, shop, signed, tokenOf } from './set-up.js'

const check = 'GET /wxa/checksession'
const reset = 'GET /wxa/resetusersessionkey'
const getKeys = 'GET /wxa/business/getuserencryptkey'
const postKeys = 'POST /wxa/business/getuserencryptkey'
const day = 24 * 3600

/** Signs for alice in the shop and calls; with her present key, unless told otherwise. */
async function callFor(
  wechat: FakeWeChat,
  endpoint: string,
  sessionKey: string | Buffer = wechat.sessionKeyOf('alice'),
) {
  return callAs(wechat, shop, endpoint, { query: signed(wechat.openidOf('alice'), sessionKey) })
}

test('the right session_key is confirmed', async () => {
  const { wechat } = setUp()
  const { session_key: sessionKey = '' } = await exchange(wechat, wechat.codeFor('alice'))

  expect(await callFor(wechat, check, sessionKey)).toEqual({ errcode: 0, errmsg: 'ok' })
})

test('a signature may be in capitals', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  const query = signed(wechat.openidOf('alice'), wechat.sessionKeyOf('alice'))

  const { errcode } = await callAs(wechat, shop, check, {
    query: { ...query, signature: query.signature?.toUpperCase() ?? '' },
  })

  expect(errcode).toBe(0)
})

test('a session_key is used as the text it is, not decoded', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')

  const { errcode } = await callFor(
    wechat,
    check,
    Buffer.from(wechat.sessionKeyOf('alice'), 'base64'),
  )

  expect(errcode).toBe(87009)
})

test('a session_key that a later code replaced is refused', async () => {
  const { wechat } = setUp()
  const { session_key: stale = '' } = await exchange(wechat, wechat.codeFor('alice'))
  wechat.codeFor('alice')

  const { errcode, errmsg } = await callFor(wechat, check, stale)

  expect(errcode).toBe(87009)
  expect(errmsg).toMatch(/^invalid signature rid: /)
})

test('without rotation a session_key outlives the next code', async () => {
  const { wechat } = setUp({ rotateSessionKey: false })
  const { session_key: sessionKey = '' } = await exchange(wechat, wechat.codeFor('alice'))
  wechat.codeFor('alice')

  expect((await callFor(wechat, check, sessionKey)).errcode).toBe(0)
})

test('a session_key is replaced at will', async () => {
  const { wechat } = setUp({ rotateSessionKey: false })
  const { session_key: stale = '' } = await exchange(wechat, wechat.codeFor('alice'))

  wechat.rotateSessionKeyOf('alice')

  expect((await callFor(wechat, check, stale)).errcode).toBe(87009)
  expect((await callFor(wechat, check)).errcode).toBe(0)
  expect(wechat.sessionKeyOf('alice')).not.toBe(stale)
})

test('a session_key is ended at will, and the next code brings another', async () => {
  const { wechat } = setUp({ rotateSessionKey: false })
  const { session_key: ended = '' } = await exchange(wechat, wechat.codeFor('alice'))

  wechat.expireSessionKey('alice')
  const { errcode } = await callFor(wechat, check, ended)
  const { session_key: next } = await exchange(wechat, wechat.codeFor('alice'))

  expect(errcode).toBe(87009)
  expect(next).not.toBe(ended)
  expect((await callFor(wechat, check)).errcode).toBe(0)
})

test.each([
  ['sessionKeyOf', (wechat: FakeWeChat) => wechat.sessionKeyOf('alice')],
  ['expireSessionKey', (wechat: FakeWeChat) => wechat.expireSessionKey('alice')],
])('%s throws while there is no valid session_key', (_, act) => {
  const { wechat } = setUp()

  expect(() => act(wechat)).toThrow(TypeError)
  wechat.codeFor('alice')
  wechat.expireSessionKey('alice')
  expect(() => act(wechat)).toThrow(TypeError)
})

test.each([
  ['three days', {}, 3 * day],
  ['as long as it is told to', { sessionKeyTtlSeconds: 60 }, 60],
])('a session_key lives %s', async (_, options, seconds) => {
  const { wechat, advance } = setUp(options)
  const { session_key: sessionKey = '' } = await exchange(wechat, wechat.codeFor('alice'))

  advance(seconds - 1)
  const before = await callFor(wechat, check, sessionKey)
  advance(1)
  const after = await callFor(wechat, check, sessionKey)

  expect([before.errcode, after.errcode]).toEqual([0, 87009])
})

test('a code prolongs the session_key that it does not replace', async () => {
  const { wechat, advance } = setUp({ rotateSessionKey: false, sessionKeyTtlSeconds: 60 })
  wechat.codeFor('alice')
  const sessionKey = wechat.sessionKeyOf('alice')
  advance(59)
  wechat.codeFor('alice')

  advance(59)

  expect((await callFor(wechat, check, sessionKey)).errcode).toBe(0)
})

test('a code is worth a valid session_key, even where the first one is over', async () => {
  const { wechat, advance } = setUp({ sessionKeyTtlSeconds: 60 })
  const code = wechat.codeFor('alice')
  const first = wechat.sessionKeyOf('alice')
  advance(60)

  const { session_key: sessionKey = '' } = await exchange(wechat, code)

  expect(sessionKey).not.toBe(first)
  expect((await callFor(wechat, check, sessionKey)).errcode).toBe(0)
})

test.each([
  ['no openid', { openid: '' }, 40003],
  ['an openid that is nobody', { openid: `o${'x'.repeat(27)}` }, 40003],
  ['no method', { sig_method: '' }, 87008],
  ['another method', { sig_method: 'hmac_sha1' }, 87008],
  ['no signature', { signature: '' }, 87009],
  ['another signature', { signature: '0'.repeat(64) }, 87009],
])('all calls that are signed refuse %s', async (_, wrong, errcode) => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  const query = { ...signed(wechat.openidOf('alice'), wechat.sessionKeyOf('alice')), ...wrong }

  for (const endpoint of [check, reset, getKeys, postKeys]) {
    expect((await callAs(wechat, shop, endpoint, { query })).errcode).toBe(errcode)
  }
})

test.each([check, reset, getKeys, postKeys])('%s wants an access_token', async (endpoint) => {
  const { wechat } = setUp()
  wechat.codeFor('alice')

  const { errcode } = await call(wechat, endpoint, {
    query: signed(wechat.openidOf('alice'), wechat.sessionKeyOf('alice')),
  })

  expect(errcode).toBe(41001)
})

test('users are looked up in the mini program of the access_token', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  wechat.codeFor('alice', { appId: game.appId })
  const query = signed(
    wechat.openidOf('alice', { appId: game.appId }),
    wechat.sessionKeyOf('alice', { appId: game.appId }),
  )

  expect((await callAs(wechat, shop, check, { query })).errcode).toBe(40003)
  expect((await callAs(wechat, game, check, { query })).errcode).toBe(0)
})

test('the session_key of one user does not sign for another', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  wechat.codeFor('bob')

  expect((await callFor(wechat, check, wechat.sessionKeyOf('bob'))).errcode).toBe(87009)
})

test('resetting gives a new session_key and ends the old one', async () => {
  const { wechat } = setUp()
  const { session_key: old = '' } = await exchange(wechat, wechat.codeFor('alice'))

  const answer = await callFor(wechat, reset, old)

  expect(answer).toEqual({
    errcode: 0,
    errmsg: 'ok',
    openid: wechat.openidOf('alice'),
    session_key: wechat.sessionKeyOf('alice'),
  })
  expect(answer.session_key).not.toBe(old)
  expect((await callFor(wechat, check, old)).errcode).toBe(87009)
  expect((await callFor(wechat, check)).errcode).toBe(0)
})

test('a reset session_key ends when the old one would have ended', async () => {
  const { wechat, advance } = setUp({ sessionKeyTtlSeconds: 100 })
  wechat.codeFor('alice')
  advance(60)
  const { session_key: fresh = '' } = await callFor(wechat, reset)

  advance(39)
  const before = await callFor(wechat, check, fresh)
  advance(1)
  const after = await callFor(wechat, check, fresh)

  expect([before.errcode, after.errcode]).toEqual([0, 87009])
})

test.each([reset, getKeys, postKeys])('%s tells that there is no session_key', async (endpoint) => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  const ended = wechat.sessionKeyOf('alice')
  wechat.expireSessionKey('alice')

  const { errcode, errmsg } = await callFor(wechat, endpoint, ended)

  expect(errcode).toBe(87007)
  expect(errmsg).toMatch(/^session_key is not existd or expired rid: /)
})

interface EncryptKey {
  readonly encrypt_key: string
  readonly iv: string
  readonly version: number
  readonly expire_in: number
  readonly create_time: number
}

async function keysOf(wechat: FakeWeChat, endpoint = getKeys) {
  const { key_info_list: keys } = await callFor(wechat, endpoint)
  return keys as EncryptKey[]
}

test('an encryption key is 16 bytes in base64, with an iv of 16 characters', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')

  const answer = await callFor(wechat, getKeys)

  expect(answer).toEqual({
    errcode: 0,
    errmsg: 'ok',
    key_info_list: [
      {
        encrypt_key: expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
        iv: expect.stringMatching(/^[0-9a-f]{16}$/),
        version: 1,
        expire_in: 3600,
        create_time: 1_800_000_000,
      },
    ],
  })
})

test('GET and POST give the same encryption keys', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')

  expect(await keysOf(wechat, postKeys)).toEqual(await keysOf(wechat, getKeys))
})

test('an encryption key stays for an hour', async () => {
  const { wechat, advance } = setUp()
  wechat.codeFor('alice')
  const [first] = await keysOf(wechat)

  advance(3599)
  const [later] = await keysOf(wechat)

  expect(later).toEqual({ ...first, expire_in: 1 })
})

test('the last three encryption keys are told, the newest first', async () => {
  const { wechat, advance } = setUp()
  wechat.codeFor('alice')
  const lists: EncryptKey[][] = []
  for (let hour = 0; hour < 4; hour++) {
    lists.push(await keysOf(wechat))
    advance(3600)
  }

  const last = lists[3] ?? []

  expect(last.map(({ version, expire_in: left }) => [version, left])).toEqual([
    [4, 3600],
    [3, 0],
    [2, 0],
  ])
  expect(last[1]?.encrypt_key).toBe(lists[2]?.[0]?.encrypt_key)
  expect(new Set(last.map(({ encrypt_key: key }) => key)).size).toBe(3)
})

test('encryption keys are each of one user', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  wechat.codeFor('bob')

  const [ofAlice] = await keysOf(wechat)
  const { key_info_list: ofBob } = await callAs(wechat, shop, getKeys, {
    query: signed(wechat.openidOf('bob'), wechat.sessionKeyOf('bob')),
  })

  expect(ofBob).not.toContainEqual(ofAlice)
})

test.each(['{}', ' ', '{"openid":"o"}'])(
  'a POST with the body %s has a wrong signature',
  async (body) => {
    const { wechat } = setUp()
    wechat.codeFor('alice')
    const query = signed(wechat.openidOf('alice'), wechat.sessionKeyOf('alice'))

    expect((await callAs(wechat, shop, postKeys, { query, body })).errcode).toBe(87009)
  },
)

test('parameters in the body do not count', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  const body = signed(wechat.openidOf('alice'), wechat.sessionKeyOf('alice'))

  expect((await callAs(wechat, shop, postKeys, { body })).errcode).toBe(40003)
})

test('on the listening server a session_key is confirmed with HTTP status 200', async () => {
  const { wechat } = setUp()
  wechat.codeFor('alice')
  const server = await wechat.listen()
  onTestFinished(() => server.close())
  const query = {
    access_token: await tokenOf(wechat),
    ...signed(wechat.openidOf('alice'), wechat.sessionKeyOf('alice')),
  }

  const response = await undiciFetch(`${server.url}/wxa/checksession?${new URLSearchParams(query)}`)

  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('application/json')
  expect(await response.json()).toEqual({ errcode: 0, errmsg: 'ok' })
})
