import { describe, expect, test } from 'vitest'
import { AuthError, type CustomApp } from '../../src/index.js'
import { newKey, setUp } from '../set-up.js'

const appId = 'tt0000000000000001'

function setUpCustom(exchange: CustomApp['exchange'], options: object = {}) {
  const seen: unknown[] = []
  const parts = setUp({
    apps: [{ kind: 'custom', appId, exchange }],
    onLogin: (account) => void seen.push(account),
    ...options,
  })
  const login = (code = 'a-code', idempotencyKey = newKey()) =>
    parts.auth.login({ kind: 'custom', appId, code, idempotencyKey })
  return { ...parts, seen, login }
}

/** What a caller without types may return. */
const gives = (result: unknown) => () => result as { openid: string }

test('its codes are exchanged by the app itself, and nobody else is asked', async () => {
  const asked: unknown[] = []
  const { auth, login, seen, wechat } = setUpCustom(async (code) => {
    asked.push(code)
    return { openid: 'o1', unionid: 'u1', sessionKey: 'AAAAAAAAAAAAAAAAAAAAAA==' }
  })

  const { access_token } = await login('4/0AX4:code=~')

  const session = await auth.authenticate(`Bearer ${access_token}`)
  expect(asked).toEqual(['4/0AX4:code=~'])
  expect(seen).toStrictEqual([{ appId, kind: 'custom', openid: 'o1', unionid: 'u1' }])
  expect(session.appId).toBe(appId)
  expect(wechat.calls).toEqual([])
})

test('a code that comes twice is one login here too, and another key ends it', async () => {
  let exchanged = 0
  const { auth, login } = setUpCustom(
    () => {
      exchanged += 1
      if (exchanged > 1) throw new AuthError('invalid_code', 'The platform says: used')
      return { openid: 'o1' }
    },
    { onLogin: () => ({ userId: 7 }) },
  )
  const key = newKey()

  const [first, second] = await Promise.all([login('code', key), login('code', key)])
  const third = await login('code', key)

  expect([second.refresh_token, third.refresh_token]).toEqual([
    first.refresh_token,
    first.refresh_token,
  ])
  await expect(login('code')).rejects.toMatchObject({ code: 'invalid_code' })
  expect(await auth.sessions.list(7)).toEqual([])
})

test('a session_key that it gives opens what was signed with it', async () => {
  const sessionKey = 'HyVFkGl5F5OQWJZZaNzBBg=='
  const rawData =
    '{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong","country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7bQxKARol6503Iuswjjn6nIGBiaycAjAtpujxyzYsrztuuICqIM5ibXQ/0"}'
  const { auth, login } = setUpCustom(gives({ openid: 'o1', sessionKey }))
  const { access_token } = await login()
  const session = await auth.authenticate(`Bearer ${access_token}`)

  const isSigned = await auth.verifySignature(session, {
    rawData,
    signature: '75e81ceda165f4ffa64f4068af58c64b8f54b88c',
  })

  expect(isSigned).toBe(true)
})

describe('what it throws', () => {
  test.each([
    ['invalid_code', 400],
    ['access_denied', 403],
    ['rate_limited', 429],
    ['user_blocked', 403],
    ['wechat_unavailable', 503],
    ['server_misconfigured', 500],
  ] as const)('%s is the answer', async (code, status) => {
    const { login } = setUpCustom(() => {
      throw new AuthError(code, 'The platform says so', { reason: 'platform' })
    })

    await expect(login()).rejects.toMatchObject({ code, status, reason: 'platform' })
  })

  test.each([
    ['an error of the platform’s client', new Error('secret=canary')],
    ['a code of the wire that is none of a login', new AuthError('invalid_token', 'canary')],
    ['a text', 'canary'],
    ['nothing', undefined],
  ])('%s is a bug, and the client hears nothing of it', async (_what, thrown) => {
    const { login } = setUpCustom(() => {
      throw thrown
    })

    const error = await login().catch((reason: unknown) => reason)

    expect(error).toMatchObject({ code: 'server_error', cause: thrown })
    expect(String(error)).not.toContain('canary')
    expect(String(error)).toContain(appId)
  })
})

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a text', 'o1'],
  ['no openid', { unionid: 'u1' }],
  ['an empty openid', { openid: '' }],
  ['a number for an openid', { openid: 7 }],
  ['an openid without an end', { openid: 'o'.repeat(257) }],
  ['a number for a unionid', { openid: 'o1', unionid: 7 }],
  ['an empty unionid', { openid: 'o1', unionid: '' }],
  ['bytes for a session_key', { openid: 'o1', sessionKey: Buffer.from('key') }],
])('%s is no account', async (_what, result) => {
  const { login, seen } = setUpCustom(gives(result))

  await expect(login()).rejects.toMatchObject({
    code: 'server_error',
    message: expect.stringContaining('{ openid, unionid?, sessionKey? }'),
  })
  expect(seen).toEqual([])
})

test.each([
  ['null', null],
  ['undefined', undefined],
])('a unionid that is %s is none', async (_what, unionid) => {
  const { login, seen } = setUpCustom(gives({ openid: 'o1', unionid }))

  await login()

  expect(seen).toStrictEqual([{ appId, kind: 'custom', openid: 'o1' }])
})

test('one that does not answer in time is an outage, and its signal aborts', async () => {
  let signal: AbortSignal | undefined
  const { login } = setUpCustom(
    (_code, context) => {
      signal = context.signal
      return new Promise(() => {})
    },
    { wechatTimeoutMs: 20 },
  )

  await expect(login()).rejects.toMatchObject({ code: 'wechat_unavailable', status: 503 })
  expect(signal?.aborted).toBe(true)
})

test.each(['', 'two words', 'line\n', 'ü', 'c'.repeat(2049)])(
  '%j is no code, and it is not asked',
  async (code) => {
    const { login } = setUpCustom(() => {
      throw new Error('It was asked')
    })

    await expect(login(code)).rejects.toMatchObject({ code: 'invalid_code' })
  },
)
