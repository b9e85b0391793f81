import { describe, expect, test } from 'vitest'
import { createFakeWeChat, type FakeWeChatOptions } from '../../../src/testing/index.js'
import { account, corp, miniProgram, otherCorp, website } from '../../kinds/set-up.js'
import { createClock } from '../../set-up.js'
import { listen } from '../../wechat/set-up.js'

type Answer = Readonly<Record<string, unknown>>

/** The emulated WeChat over real HTTP. */
async function setUp(options: Omit<FakeWeChatOptions, 'now'> = {}) {
  const clock = createClock()
  const wechat = createFakeWeChat({
    apps: [miniProgram, website, account],
    corps: [corp, otherCorp, { ...corp, agentSecret: 'u'.repeat(43), isLinked: false }],
    ...options,
    now: clock.now,
  })
  const url = await listen(wechat)
  const ask = async (path: string, query: Readonly<Record<string, string>>): Promise<Answer> =>
    (await fetch(`${url}${path}?${new URLSearchParams(query)}`)).json() as Promise<Answer>
  const exchange = (code: string, app: { appId: string; appSecret: string } = website) =>
    ask('/sns/oauth2/access_token', {
      appid: app.appId,
      secret: app.appSecret,
      code,
      grant_type: 'authorization_code',
    })
  const tokenOf = async (secret: string = corp.agentSecret): Promise<string> => {
    const query = { corpid: corp.corpId, corpsecret: secret }
    return String((await ask('/cgi-bin/gettoken', query)).access_token)
  }
  const session = (token: string, code: string) =>
    ask('/cgi-bin/miniprogram/jscode2session', {
      access_token: token,
      js_code: code,
      grant_type: 'authorization_code',
    })
  return { wechat, clock, ask, exchange, tokenOf, session }
}

describe('/sns/oauth2/access_token', () => {
  test('answers as WeChat does, with the unionid of the owner', async () => {
    const { wechat, exchange } = await setUp()

    const answer = await exchange(wechat.webCodeFor('alice'))

    expect(answer).toEqual({
      access_token: expect.any(String),
      expires_in: 7200,
      refresh_token: expect.any(String),
      openid: wechat.openidOf('alice', website),
      scope: 'snsapi_login',
      unionid: wechat.unionidOf('alice', miniProgram),
    })
  })

  test('knows a code once, for its app, for 10 minutes at a website and 5 at an official account', async () => {
    const { wechat, clock, exchange } = await setUp()
    const code = wechat.webCodeFor('alice')
    const [ofSite, ofPage] = [website, account].map(({ appId }) =>
      wechat.webCodeFor('alice', { appId }),
    )

    expect(await exchange(code, account)).toMatchObject({ errcode: 40029 })
    expect(await exchange(wechat.codeFor('alice'))).toMatchObject({ errcode: 40029 })
    expect(await exchange(code)).toMatchObject({ scope: 'snsapi_login' })
    expect(await exchange(code)).toMatchObject({ errcode: 40163 })
    clock.advance(301)
    expect(await exchange(ofPage ?? '', account)).toMatchObject({ errcode: 40029 })
    expect(await exchange(ofSite ?? '')).toMatchObject({ scope: 'snsapi_login' })
  })

  test.each([
    [{ appid: '' }, 41002],
    [{ secret: '' }, 41004],
    [{ grant_type: 'refresh_token' }, 40002],
    [{ appid: 'wx00000000000000ff' }, 40013],
    [{ secret: 'wrong' }, 40125],
    [{ code: '' }, 41008],
  ])('%j is %i', async (change, errcode) => {
    const { wechat, ask } = await setUp()
    const right = {
      appid: website.appId,
      secret: website.appSecret,
      code: wechat.webCodeFor('alice'),
      grant_type: 'authorization_code',
    }

    expect(await ask('/sns/oauth2/access_token', { ...right, ...change })).toMatchObject({
      errcode,
    })
  })

  test('gives everybody in a snapshot the same openid and unionid, and the silent scope no unionid', async () => {
    const { wechat, exchange } = await setUp()
    const { appId } = account
    const codeOf = (person: string, choice: object) =>
      wechat.webCodeFor(person, { appId, ...choice })

    const [alice, bob] = [
      await exchange(codeOf('alice', { isSnapshot: true }), account),
      await exchange(codeOf('bob', { isSnapshot: true }), account),
    ]
    const silent = await exchange(codeOf('alice', { scope: 'snsapi_base' }), account)

    expect(alice).toMatchObject({ is_snapshotuser: 1, openid: bob.openid, unionid: bob.unionid })
    expect(alice.openid).not.toBe(wechat.openidOf('alice', account))
    expect(silent).not.toHaveProperty('unionid')
    expect(silent).not.toHaveProperty('is_snapshotuser')
  })
})

test('/sns/userinfo takes the token of its user, and no other', async () => {
  const { wechat, clock, ask, exchange } = await setUp()
  const { access_token, openid } = await exchange(wechat.webCodeFor('alice'))
  const silent = await exchange(
    wechat.webCodeFor('alice', { appId: account.appId, scope: 'snsapi_base' }),
    account,
  )
  const info = (token: unknown, of: unknown = openid) =>
    ask('/sns/userinfo', { access_token: String(token), openid: String(of) })

  expect(await info(access_token)).toMatchObject({ openid, nickname: 'alice', privilege: [] })
  expect(await info('')).toMatchObject({ errcode: 41001 })
  expect(await info('none')).toMatchObject({ errcode: 40001 })
  expect(await info(access_token, 'another')).toMatchObject({ errcode: 40003 })
  expect(await info(silent.access_token, silent.openid)).toMatchObject({ errcode: 48001 })
  clock.advance(7200)
  expect(await info(access_token)).toMatchObject({ errcode: 42001 })
})

describe('WeCom', () => {
  test('gives the same token within its life, and then another', async () => {
    const { clock, tokenOf } = await setUp()

    const [first, second] = [await tokenOf(), await tokenOf()]
    clock.advance(7200)

    expect(second).toBe(first)
    expect(await tokenOf()).not.toBe(first)
  })

  test.each([
    [{ corpid: '' }, 41002],
    [{ corpsecret: '' }, 41004],
    [{ corpid: 'ww00000000000000ff' }, 40013],
    [{ corpsecret: 'wrong' }, 40001],
  ])('gettoken: %j is %i', async (change, errcode) => {
    const { ask } = await setUp()
    const right = { corpid: corp.corpId, corpsecret: corp.agentSecret }

    const answer = await ask('/cgi-bin/gettoken', { ...right, ...change })

    expect(answer).toMatchObject({
      errcode,
      errmsg: expect.stringMatching(/, hint: \[.+\], from ip: .+\/query\?e=\d+$/),
    })
  })

  test('exchanges a code once, for 5 minutes, and says whose member it is', async () => {
    const { wechat, clock, tokenOf, session } = await setUp()
    const token = await tokenOf()
    const code = wechat.wecomCodeFor('alice', otherCorp)
    const old = wechat.wecomCodeFor('alice')

    expect(await session(token, code)).toEqual({
      errcode: 0,
      errmsg: 'ok',
      corpid: otherCorp.corpId,
      userid: wechat.useridOf('alice', otherCorp),
      session_key: expect.any(String),
    })
    expect(await session(token, code)).toMatchObject({ errcode: 40029 })
    expect(await session(token, wechat.codeFor('alice'))).toMatchObject({ errcode: 40029 })
    clock.advance(301)
    expect(await session(token, old)).toMatchObject({ errcode: 40029 })
  })

  test('refuses tokens that are missing, unknown, over, or of an app that is not linked', async () => {
    const { wechat, clock, tokenOf, session } = await setUp()
    const code = wechat.wecomCodeFor('alice')
    const token = await tokenOf()

    expect(await session('', code)).toMatchObject({ errcode: 41001 })
    expect(await session('none', code)).toMatchObject({ errcode: 40014 })
    expect(await session(await tokenOf('u'.repeat(43)), code)).toMatchObject({ errcode: 48002 })
    clock.advance(7200)
    expect(await session(token, code)).toMatchObject({ errcode: 42001 })
  })
})

test.each([
  [{ apps: [{ ...website, kind: 'shop' }] }, 'kind'],
  [{ corps: [{ corpId: '', agentSecret: 's' }] }, 'corpId'],
  [{ corps: [{ corpId: 'ww1', agentSecret: 's', isLinked: 'no' }] }, 'isLinked'],
])('%j is refused', (options, name) => {
  expect(() => createFakeWeChat(options as FakeWeChatOptions)).toThrow(name)
})

test('a code of a kind that an app does not have is refused at once', () => {
  const wechat = createFakeWeChat({ apps: [miniProgram, website] })

  expect(() => wechat.codeFor('alice', website)).toThrow('webCodeFor')
  expect(() => wechat.webCodeFor('alice', miniProgram)).toThrow('website')
  expect(() => wechat.wecomCodeFor('alice')).toThrow('corpId')
})
