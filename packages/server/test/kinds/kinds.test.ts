import { describe, expect, test } from 'vitest'
import { type AppKind, type AuthErrorCode, createMemoryStore } from '../../src/index.js'
import { bodyOf, send } from '../http/set-up.js'
import { newKey, setUp } from '../set-up.js'
import {
  account,
  codes,
  corp,
  doors,
  type ExchangedKind,
  login,
  miniProgram,
  otherCorp,
  type Parts,
  setUpKinds,
  website,
  wecom,
} from './set-up.js'

const kinds = Object.keys(codes) as ExchangedKind[]
const always = { times: Number.POSITIVE_INFINITY }

const failureOf = (work: Promise<unknown>): Promise<{ code: AuthErrorCode; reason?: string }> =>
  work.then(
    () => {
      throw new Error('It did not fail')
    },
    (error) => error,
  )

describe.each(doors)('by %s', (door) => {
  test.each(kinds)(
    '%s: a code is a session, and onLogin learns whose and of which kind',
    async (kind) => {
      const parts = await setUpKinds({ door })
      const { auth, wechat, seen, events } = parts

      const { access_token } = await login(parts, kind)

      const session = await auth.authenticate(`Bearer ${access_token}`)
      const entry = { website, official_account: account, wecom }[kind]
      const openid =
        kind === 'wecom'
          ? wechat.useridOf('alice')
          : wechat.openidOf('alice', { appId: entry.appId })
      const unionid = kind === 'wecom' ? {} : { unionid: wechat.unionidOf('alice', miniProgram) }
      const whole = { appId: entry.appId, kind, openid, ...unionid }
      expect(session.appId).toBe(entry.appId)
      expect(seen).toStrictEqual([whole])
      expect(await auth.sessions.account(session)).toStrictEqual(whole)
      expect(await auth.sessions.list(session.userId)).toMatchObject([{ kind, method: 'code' }])
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'login', kind, appId: entry.appId, by: 'code' }),
      )
    },
  )

  const anywhere = [
    [-1, 'wechat_unavailable'],
    [40029, 'invalid_code'],
    [45009, 'rate_limited'],
    [99999, 'wechat_unavailable'],
  ] as const
  const ofTheWeb = [
    ...anywhere,
    [40001, 'server_misconfigured'],
    [40013, 'server_misconfigured'],
    [40125, 'server_misconfigured'],
    [40163, 'invalid_code'],
    [40164, 'server_misconfigured'],
    [41008, 'server_misconfigured'],
    [42003, 'invalid_code'],
    [45011, 'rate_limited'],
    [48001, 'server_misconfigured'],
  ] as const
  const ofWeCom = [
    ...anywhere,
    [40001, 'server_misconfigured'],
    [40013, 'server_misconfigured'],
    [40014, 'wechat_unavailable'],
    [40091, 'server_misconfigured'],
    [42001, 'wechat_unavailable'],
    [48002, 'server_misconfigured'],
    [60020, 'server_misconfigured'],
    [81013, 'wechat_unavailable'],
  ] as const
  const rows = kinds.flatMap((kind) =>
    (kind === 'wecom' ? ofWeCom : ofTheWeb).map(
      ([errcode, code]) => [kind, errcode, code] as const,
    ),
  )

  test.each(rows)('%s: errcode %i is %s', async (kind, errcode, code) => {
    const parts = await setUpKinds({ door })
    parts.wechat.fail(errcode, { ...always, endpoint: codes[kind].endpoint })

    expect(await failureOf(login(parts, kind))).toMatchObject({ code, errcode })
  })

  test.each(['never-answer', 'html-502', 'html', 'too-large', 'redirect'] as const)(
    'no kind takes %s for an answer',
    async (fault) => {
      for (const kind of kinds) {
        const parts = await setUpKinds({ door, options: { wechatTimeoutMs: 100 } })
        parts.wechat.fail(fault, { endpoint: codes[kind].endpoint })

        expect(await failureOf(login(parts, kind))).toMatchObject({ code: 'wechat_unavailable' })
      }
    },
  )

  test.each(kinds)('%s: a lost answer has spent the code, and says so', async (kind) => {
    const parts = await setUpKinds({ door })
    parts.wechat.fail('drop-after', { endpoint: codes[kind].endpoint })

    expect(await failureOf(login(parts, kind))).toMatchObject({
      code: 'invalid_code',
      reason: 'lost',
    })
  })
})

test.each(kinds)('%s: an answer without what names the account is an outage', async (kind) => {
  const fetch = async (url: string) =>
    Response.json(
      url.includes('gettoken')
        ? { errcode: 0, access_token: 't', expires_in: 7200 }
        : { openid: '', corpid: corp.corpId, userid: '', session_key: 'k', scope: 'snsapi_login' },
    )
  const parts = await setUpKinds({ options: { fetch } })

  expect(await failureOf(login(parts, kind))).toMatchObject({ code: 'wechat_unavailable' })
})

describe('what clients send', () => {
  test.each(kinds)('%s: the kind goes beside the code, to the same route', async (kind) => {
    const parts = await setUpKinds()
    const body = {
      code: codes[kind].codeFor(parts, 'alice'),
      app_id: codes[kind].appId,
      kind,
    }

    const answer = await send(parts.auth, '/login', {
      headers: { 'Idempotency-Key': newKey() },
      body,
    })

    expect(answer.status).toBe(200)
    expect(parts.seen).toMatchObject([{ kind }])
  })

  test.each(['wechat', '', 7, null, ['wecom'], '__proto__'])('%j is no kind', async (kind) => {
    const { auth, wechat } = await setUpKinds()
    const body = { code: wechat.codeFor('alice'), app_id: miniProgram.appId, kind }

    const answer = await send(auth, '/login', { headers: { 'Idempotency-Key': newKey() }, body })

    expect(answer.status).toBe(400)
    expect(bodyOf(answer)).toMatchObject({ error: 'invalid_request' })
  })

  const mismatches: readonly (readonly [AppKind, string])[] = [
    ['mini_program', website.appId],
    ['mini_program', wecom.appId],
    ['website', miniProgram.appId],
    ['website', account.appId],
    ['official_account', website.appId],
    ['wecom', website.appId],
    ['custom', miniProgram.appId],
  ]
  test.each(mismatches)(
    '%s with the AppID %s is unknown, and no code is spent',
    async (kind, appId) => {
      const { auth, wechat } = await setUpKinds()

      const error = await failureOf(auth.login({ code: 'a-code', kind, appId }))

      expect(error).toMatchObject({ code: 'unknown_app' })
      expect(String(error)).toContain(appId)
      expect(wechat.calls).toEqual([])
    },
  )

  test('a look-up learns the kind, and one that gives another kind finds nothing', async () => {
    const asked: unknown[] = []
    const parts = await setUpKinds({
      options: {
        apps: (appId, kind) => {
          asked.push([appId, kind])
          if (appId === website.appId) return { ...website }
          return kind === 'wecom' ? wecom : miniProgram
        },
      },
    })

    await login(parts, 'wecom')
    await login(parts, 'website')
    const wrong = parts.auth.login({
      kind: 'official_account',
      code: 'code',
      appId: website.appId,
    })

    await expect(wrong).rejects.toMatchObject({ code: 'unknown_app' })
    expect(asked).toEqual([
      [miniProgram.appId, 'wecom'],
      [website.appId, 'website'],
      [website.appId, 'official_account'],
    ])
  })

  test('an entry that a look-up gives and that is wrong says what, to the operator alone', async () => {
    const { corpId: _corpId, ...broken } = wecom
    const { auth } = await setUpKinds({ options: { apps: () => broken as unknown as undefined } })

    const error = await failureOf(
      auth.login({ kind: 'wecom', code: 'code', appId: miniProgram.appId }),
    )

    expect(error).toMatchObject({
      code: 'server_error',
      cause: { message: expect.stringContaining('corpId') },
    })
  })

  test.each([
    ['website', 'a code with spaces'],
    ['official_account', ''],
    ['wecom', 'ü'],
    ['wecom', 'c'.repeat(129)],
  ] as const)('%s: %j is no code, and nobody is asked', async (kind, code) => {
    const { auth, wechat } = await setUpKinds()

    const error = await failureOf(auth.login({ kind, code, appId: codes[kind].appId }))

    expect(error).toMatchObject({ code: 'invalid_code' })
    expect(wechat.calls).toEqual([])
  })
})

describe('one code is one login, whatever its kind', () => {
  test.each(kinds)('%s: sent twice with one key it is one session', async (kind) => {
    const parts = await setUpKinds({ options: { onLogin: () => ({ userId: 7 }) } })
    const request = {
      kind,
      appId: codes[kind].appId,
      code: codes[kind].codeFor(parts, 'alice'),
      idempotencyKey: newKey(),
    }

    const [first, second] = await Promise.all([
      parts.auth.login(request),
      parts.auth.login(request),
    ])
    const third = await parts.auth.login(request)

    expect(second.refresh_token).toBe(first.refresh_token)
    expect(third.refresh_token).toBe(first.refresh_token)
    expect(await parts.auth.sessions.list(7)).toHaveLength(1)
  })

  test.each(kinds)('%s: with another key it is nobody’s', async (kind) => {
    const parts = await setUpKinds({ options: { onLogin: () => ({ userId: 7 }) } })
    const request = {
      kind,
      appId: codes[kind].appId,
      code: codes[kind].codeFor(parts, 'alice'),
    }
    await parts.auth.login({ ...request, idempotencyKey: newKey() })

    const again = parts.auth.login({ ...request, idempotencyKey: newKey() })

    await expect(again).rejects.toMatchObject({ code: 'invalid_code' })
    expect(await parts.auth.sessions.list(7)).toEqual([])
  })

  test('a code that a sibling process has used is its session, across processes', async () => {
    const store = createMemoryStore()
    const one = await setUpKinds({ options: { store, now: Date.now } })
    const two = setUp({
      apps: [miniProgram, website, account, wecom],
      store,
      now: Date.now,
      fetch: one.wechat.fetch,
    })
    for (const kind of kinds) {
      const request = {
        kind,
        appId: codes[kind].appId,
        code: codes[kind].codeFor(one, 'alice'),
        idempotencyKey: newKey(),
      }

      const first = await one.auth.login(request)
      const second = await two.auth.login(request)

      expect(second.refresh_token, kind).toBe(first.refresh_token)
    }
  })
})

describe('tokens of one app never pass for those of another', () => {
  const others = async (parts: Parts) => ({
    mini_program: await parts.auth.login({
      appId: miniProgram.appId,
      code: parts.wechat.codeFor('alice'),
    }),
    website: await login(parts, 'website'),
    official_account: await login(parts, 'official_account'),
    wecom: await login(parts, 'wecom'),
  })

  test('a route for one app takes no other', async () => {
    const parts = await setUpKinds()
    const answers = await others(parts)
    const appIds = {
      mini_program: miniProgram.appId,
      website: website.appId,
      official_account: account.appId,
      wecom: wecom.appId,
    }

    for (const [kind, { access_token }] of Object.entries(answers)) {
      for (const [wanted, appId] of Object.entries(appIds)) {
        const seen = parts.auth.authenticate(`Bearer ${access_token}`, { appIds: [appId] })
        if (kind === wanted) await expect(seen).resolves.toMatchObject({ appId })
        else await expect(seen).rejects.toMatchObject({ code: 'insufficient_scope' })
      }
    }
  })

  test('a backend of the mini program alone, with the same secret and store, takes none of them', async () => {
    const store = createMemoryStore()
    const parts = await setUpKinds({ options: { store, now: Date.now } })
    const { mini_program: own, ...foreign } = await others(parts)
    const alone = setUp({ apps: [miniProgram], store, now: Date.now }).auth

    await expect(alone.authenticate(`Bearer ${own.access_token}`)).resolves.toBeDefined()
    for (const { access_token, refresh_token } of Object.values(foreign)) {
      await expect(alone.authenticate(`Bearer ${access_token}`)).rejects.toMatchObject({
        code: 'invalid_token',
      })
      await expect(alone.refresh({ refreshToken: refresh_token })).rejects.toMatchObject({
        code: 'invalid_grant',
      })
    }
  })

  test('one person is four users, unless the app says otherwise', async () => {
    const answers = await others(await setUpKinds())

    expect(new Set(Object.values(answers).map(({ user_id }) => user_id)).size).toBe(4)
  })

  test('a session stays of its kind when its tokens rotate', async () => {
    const parts = await setUpKinds({ options: { onLogin: () => ({ userId: 7 }) } })
    for (const { refresh_token: refreshToken } of Object.values(await others(parts))) {
      await parts.auth.refresh({ refreshToken })
    }

    const devices = await parts.auth.sessions.list(7)
    expect(devices.map(({ kind }) => kind).sort()).toEqual([
      'mini_program',
      'official_account',
      'website',
      'wecom',
    ])
  })
})

describe('the app itself makes a session', () => {
  test('of the kind that its AppID has', async () => {
    const { auth } = await setUpKinds()

    const { access_token } = await auth.sessions.create({
      account: { appId: website.appId, openid: 'o1' },
    })

    const session = await auth.authenticate(`Bearer ${access_token}`)
    expect(await auth.sessions.account(session)).toMatchObject({ kind: 'website' })
  })

  test('with an account as onLogin got it, but not of another kind', async () => {
    const { auth } = await setUpKinds()
    const create = (kind: AppKind) =>
      auth.sessions.create({ account: { appId: website.appId, kind, openid: 'o1' } })

    await expect(create('website')).resolves.toBeDefined()
    await expect(create('wecom')).rejects.toMatchObject({ code: 'unknown_app' })
  })
})

describe('what needs a session_key', () => {
  const data = { encryptedData: 'AAAA', iv: 'AAAAAAAAAAAAAAAAAAAAAA==' }
  const signed = { rawData: '{}', signature: 'a'.repeat(40) }

  test.each(['website', 'official_account'] as const)(
    'says clearly that a %s has none',
    async (kind) => {
      const parts = await setUpKinds()
      const { access_token } = await login(parts, kind)
      const session = await parts.auth.authenticate(`Bearer ${access_token}`)

      for (const work of [
        parts.auth.openData(session, data),
        parts.auth.verifySignature(session, signed),
        parts.auth.verifySignature(session, { ...signed, checkKey: true }),
      ]) {
        await expect(work).rejects.toMatchObject({
          code: 'stale_session_key',
          reason: 'no_session_key',
          message: expect.stringContaining('website'),
        })
      }
    },
  )

  test('works with the one that WeCom gives', async () => {
    const parts = await setUpKinds()
    const { access_token } = await login(parts, 'wecom')
    const session = await parts.auth.authenticate(`Bearer ${access_token}`)

    expect(await parts.auth.verifySignature(session, signed)).toBe(false)
  })

  test.each(kinds)(
    '%s: a phone number is one of mini programs, and nothing is asked',
    async (kind) => {
      const parts = await setUpKinds({ options: { onPhoneNumber: () => undefined } })
      const { access_token } = await login(parts, kind)
      const session = await parts.auth.authenticate(`Bearer ${access_token}`)
      const asked = parts.wechat.calls.length

      const work = parts.auth.phone({ session, code: 'code' })

      // The page of an official account has AppID and AppSecret like a mini program, and WeChat knows better.
      const code = kind === 'official_account' ? 'invalid_code' : 'invalid_request'
      await expect(work).rejects.toMatchObject({ code })
      if (kind !== 'official_account') expect(parts.wechat.calls).toHaveLength(asked)
    },
  )
})

describe('WeChat’s APIs', () => {
  test('are there for an official account too', async () => {
    const { auth } = await setUpKinds()

    await expect(auth.wechat(account.appId).accessToken()).resolves.toMatchObject({
      expiresAt: expect.any(Number),
    })
  })

  test.each([website.appId, wecom.appId])(
    'are not for %s, which says so at the call',
    async (appId) => {
      const { auth, wechat } = await setUpKinds()

      await expect(auth.wechat(appId).accessToken()).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringContaining(appId),
      })
      expect(wechat.calls).toEqual([])
    },
  )
})

describe('an outage of one stays there', () => {
  test('WeCom that is down keeps nobody from logging in elsewhere, nor the web the mini program', async () => {
    const parts = await setUpKinds()
    parts.wechat.fail('html-502', { ...always, endpoint: codes.wecom.endpoint })
    parts.wechat.fail('html-502', { ...always, endpoint: codes.website.endpoint })

    for (let n = 0; n < 6; n++) {
      await failureOf(login(parts, 'wecom'))
      await failureOf(login(parts, 'website'))
    }
    const answer = await parts.auth.login({
      appId: miniProgram.appId,
      code: parts.wechat.codeFor('alice'),
    })

    expect(answer.token_type).toBe('Bearer')
    expect((await parts.auth.check()).wechat.breakers).toMatchObject({
      login: 'closed',
      access_token: 'closed',
      web_login: 'open',
      wecom: 'open',
    })
  })
})

describe('a page inside WeChat', () => {
  test.each(['snsapi_userinfo', 'snsapi_base'] as const)(
    'that is a snapshot is no account, whatever the scope (%s)',
    async (scope) => {
      const parts = await setUpKinds({
        options: { apps: [miniProgram, { ...account, scope }] },
      })
      const code = parts.wechat.webCodeFor('alice', {
        appId: account.appId,
        scope,
        isSnapshot: true,
      })
      const request = { kind: 'official_account', appId: account.appId, code } as const

      const error = await failureOf(parts.auth.login(request))

      expect(error).toMatchObject({
        code: 'access_denied',
        reason: 'snapshot_user',
        scope: 'attempt',
        message: expect.stringContaining('使用完整服务'),
      })
      expect(parts.seen).toEqual([])
      expect(parts.events.filter(({ type }) => type === 'login')).toEqual([])
    },
  )

  test.each([1, '1', true, 2])('a snapshot is one however it is written (%j)', async (mark) => {
    const parts = await setUpKinds({
      options: {
        fetch: async () =>
          Response.json({ openid: 'o1', scope: 'snsapi_userinfo', is_snapshotuser: mark }),
      },
    })

    expect(await failureOf(login(parts, 'official_account'))).toMatchObject({
      reason: 'snapshot_user',
    })
  })

  test('gives no account without the consent that the entry asks for', async () => {
    const parts = await setUpKinds()
    const code = parts.wechat.webCodeFor('alice', { appId: account.appId, scope: 'snsapi_base' })

    const error = await failureOf(
      parts.auth.login({ kind: 'official_account', appId: account.appId, code }),
    )

    expect(error).toMatchObject({ code: 'access_denied', reason: 'scope_missing' })
    expect(parts.seen).toEqual([])
  })

  test('with the silent scope gives an openid, and no unionid', async () => {
    const parts = await setUpKinds({
      options: { apps: [{ ...account, scope: 'snsapi_base' } as const] },
    })
    const code = parts.wechat.webCodeFor('alice', { appId: account.appId, scope: 'snsapi_base' })

    await parts.auth.login({ kind: 'official_account', code })

    expect(parts.seen).toStrictEqual([
      {
        appId: account.appId,
        kind: 'official_account',
        openid: parts.wechat.openidOf('alice', { appId: account.appId }),
      },
    ])
  })
})

describe('WeCom', () => {
  test('is asked for one token, however many log in, and for another when it ends', async () => {
    const parts = await setUpKinds()
    const { wechat, clock } = parts
    const tokens = () => wechat.calls.filter(({ path }) => path === '/cgi-bin/gettoken').length

    await Promise.all(['alice', 'bob', 'carol'].map((person) => login(parts, 'wecom', person)))
    await login(parts, 'wecom')
    expect(tokens()).toBe(1)

    clock.advance(7200)
    await login(parts, 'wecom')
    expect(tokens()).toBe(2)
  })

  test.each([40014, 42001])(
    'a token that dies early (%i) is fetched again, once, and the code is good',
    async (errcode) => {
      const parts = await setUpKinds()
      await login(parts, 'wecom')
      const before = parts.wechat.calls.length
      parts.wechat.fail(errcode, { endpoint: codes.wecom.endpoint })

      await login(parts, 'wecom', 'bob')

      expect(parts.wechat.calls.slice(before).map(({ path, errcode }) => [path, errcode])).toEqual([
        ['/cgi-bin/miniprogram/jscode2session', errcode],
        ['/cgi-bin/gettoken', 0],
        ['/cgi-bin/miniprogram/jscode2session', 0],
      ])
    },
  )

  test('a member of another corporation is nobody here', async () => {
    const parts = await setUpKinds()
    const code = parts.wechat.wecomCodeFor('alice', otherCorp)

    const error = await failureOf(
      parts.auth.login({ kind: 'wecom', appId: miniProgram.appId, code }),
    )

    expect(error).toMatchObject({ code: 'access_denied', reason: 'other_corp' })
    expect(parts.seen).toEqual([])
  })

  test.each([
    ['a wrong secret', { agentSecret: 'f'.repeat(43) }, 40001],
    ['an unknown corporation', { corpId: 'ww00000000000000f6' }, 40013],
  ])('%s is named to the operator, and spends no code', async (_what, change, errcode) => {
    const parts = await setUpKinds({ options: { apps: [{ ...wecom, ...change }] } })

    const error = await failureOf(login(parts, 'wecom'))

    expect(error).toMatchObject({ code: 'server_misconfigured', errcode })
    expect(parts.events).toContainEqual(
      expect.objectContaining({
        type: 'misconfigured',
        endpoint: '/cgi-bin/gettoken',
        appId: wecom.appId,
        hint: expect.stringContaining('agentSecret'),
      }),
    )
    expect(parts.wechat.calls.map(({ path }) => path)).toEqual(['/cgi-bin/gettoken'])
  })

  test('the secret of an app that is not linked is named', async () => {
    const parts = await setUpKinds({ fake: { corps: [{ ...corp, isLinked: false }] } })

    expect(await failureOf(login(parts, 'wecom'))).toMatchObject({
      code: 'server_misconfigured',
      errcode: 48002,
      message: expect.stringContaining('关联小程序'),
    })
  })

  test('a code of wx.login is none of wx.qy.login, and the other way round', async () => {
    const { auth, wechat } = await setUpKinds()
    const { appId } = miniProgram

    const qy = await failureOf(auth.login({ kind: 'wecom', appId, code: wechat.codeFor('alice') }))
    const wx = await failureOf(auth.login({ appId, code: wechat.wecomCodeFor('alice') }))

    expect(qy).toMatchObject({
      code: 'invalid_code',
      message: expect.stringContaining('wx.qy.login'),
    })
    expect(wx).toMatchObject({ code: 'invalid_code' })
  })

  test('what WeCom says of this server’s address reaches nobody', async () => {
    const parts = await setUpKinds()
    parts.wechat.fail(60020, { ...always, endpoint: codes.wecom.endpoint })

    const error = await failureOf(login(parts, 'wecom'))

    expect(JSON.stringify([error, parts.events]) + String(error)).not.toContain('203.0.113.7')
  })

  test('is another host, which the emulated one keeps apart too', async () => {
    const { wechat } = await setUpKinds()
    const token = `?corpid=${corp.corpId}&corpsecret=${corp.agentSecret}`

    const there = await wechat.fetch(`https://qyapi.weixin.qq.com/cgi-bin/gettoken${token}`)
    const here = await wechat.fetch(`https://api.weixin.qq.com/cgi-bin/gettoken${token}`)
    const sns = await wechat.fetch('https://qyapi.weixin.qq.com/sns/jscode2session')

    expect([there.status, here.status, sns.status]).toEqual([200, 404, 404])
  })
})
