import { AuthError, type AuthEvent, createAuth, createMemoryStore } from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { describe, expect, test } from 'vitest'
import { createJsonLog, type JsonLogOptions } from '../../src/serve/json-log.js'

type Line = Readonly<Record<string, unknown>>

function setUpLog(options: Partial<JsonLogOptions> = {}) {
  const texts: string[] = []
  const log = createJsonLog({
    write: (line) => texts.push(line),
    now: () => 1_800_000_000_123,
    ...options,
  })
  return { ...log, texts, lines: (): Line[] => texts.map((text) => JSON.parse(text)) }
}

const about = { appId: 'wx1', sessionId: 'session-1', userId: 'canary-user' }
const took = { startedMs: 1_800_000_000_000, durationMs: 12 }

const refresh = (outcome: 'rotated' | 'reused' | 'healed' | 'refused'): AuthEvent => ({
  type: 'refresh',
  outcome,
  ...about,
  ...took,
})

describe('a line of JSON an event', () => {
  test('says when, how bad, what, and of which session, but not whose it is', () => {
    const { onEvent, lines, texts } = setUpLog()

    onEvent({
      type: 'login',
      by: 'code',
      outcome: 'created',
      kind: 'mini_program',
      ...about,
      ...took,
    })

    expect(lines()).toEqual([
      {
        time: '2027-01-15T08:00:00.123Z',
        level: 'info',
        msg: 'wxlogin login',
        by: 'code',
        outcome: 'created',
        appId: 'wx1',
        kind: 'mini_program',
        sessionId: 'session-1',
        durationMs: 12,
      },
    ])
    expect(texts[0]).not.toContain('\n')
  })

  const levels: readonly (readonly [string, string, AuthEvent])[] = [
    ['debug', 'a refresh that went well', refresh('rotated')],
    ['warn', 'a token that was used twice', refresh('reused')],
    ['warn', 'a store that lost writes', refresh('healed')],
    ['info', 'a session that had ended', refresh('refused')],
    [
      'debug',
      'a call to WeChat that went well',
      { type: 'wechat', endpoint: 'code2Session', appId: 'wx1', outcome: 'ok', ...took },
    ],
    [
      'info',
      'a call to WeChat that did not',
      { type: 'wechat', endpoint: 'code2Session', appId: 'wx1', outcome: 'lost', ...took },
    ],
    ['error', 'a breaker that opens', { type: 'breaker', group: 'login', state: 'open' }],
    ['warn', 'a breaker that closes', { type: 'breaker', group: 'login', state: 'closed' }],
    ['warn', 'a warning', { type: 'warning', warning: 'memory_store', hint: 'set a store' }],
    [
      'error',
      'a failure',
      {
        type: 'failure',
        code: 'temporarily_unavailable',
        requestId: 'r-1',
        error: new AuthError('temporarily_unavailable', 'down'),
      },
    ],
    ['info', 'a session that made room', { type: 'evicted', ...about }],
    ['info', 'a sign-out', { type: 'logout', everywhere: true, ...about }],
    ['info', 'a phone number', { type: 'phone', outcome: 'moved', ...about, ...took }],
    ['info', 'a device that asks', { type: 'device_asked', appId: 'wx1' }],
    ['info', 'a device that is let in', { type: 'device_decided', outcome: 'approved', ...about }],
    [
      'warn',
      'a code that came again with another key',
      {
        type: 'login',
        by: 'code',
        kind: 'mini_program',
        outcome: 'code_reused',
        ...about,
        ...took,
      },
    ],
    ['info', 'a revocation', { type: 'revoked', ...about, reason: 'banned' }],
    ['info', 'an account that is gone', { type: 'forgotten', userId: 'canary-user', sessions: 2 }],
  ]

  test.each(levels)('%s for %s', (level, _what, event) => {
    const { onEvent, lines, texts } = setUpLog({ level: 'debug' })

    onEvent(event)

    expect(lines()).toMatchObject([{ level, msg: `wxlogin ${event.type}` }])
    expect(texts[0]).not.toContain('canary-user')
  })

  test.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
  ] as const)('with the level %s there are %i of four lines', (level, wanted) => {
    const { say, texts } = setUpLog({ level })

    for (const one of ['debug', 'info', 'warn', 'error'] as const) say(one, 'told')

    expect(texts).toHaveLength(wanted)
  })

  test('of a failure it says what failed, by its causes, and under which request', () => {
    const { onEvent, lines } = setUpLog()
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:6379'), {
      code: 'ECONNREFUSED',
    })

    onEvent({
      type: 'failure',
      code: 'store_unavailable',
      requestId: 'order-17',
      error: new AuthError('store_unavailable', 'The session store failed; see cause', { cause }),
    })

    expect(lines()).toMatchObject([
      {
        code: 'store_unavailable',
        requestId: 'order-17',
        error: {
          name: 'AuthError',
          code: 'store_unavailable',
          message: expect.stringContaining('The session store failed'),
          cause: { name: 'Error', code: 'ECONNREFUSED', message: cause.message },
        },
      },
    ])
  })

  test('what others put into their errors is masked where it may be somebody, or a secret', () => {
    const { onEvent, texts } = setUpLog()
    const cause = Object.assign(
      new Error(
        "Duplicate entry 'oABCDEFGHIJ1LMNOPQRSTUVWXYZ0' for 13800138000 of oabcdefghijklmnopqrstuvwxyzA\nBearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlMQ",
      ),
      { sql: 'SELECT canary-sql', parameters: ['canary-parameter'] },
    )

    onEvent({
      type: 'failure',
      code: 'server_error',
      requestId: 'r',
      error: new AuthError('server_error', 'The onLogin option threw; see cause', { cause }),
    })
    onEvent({ type: 'failure', code: 'server_error', requestId: 'r', error: 'canary-text' })

    const text = texts.join('\n')
    for (const secret of ['oABCDEF', 'oabcdef', '13800138000', 'eyJ', 'c2ln', 'canary']) {
      expect(text).not.toContain(secret)
    }
    expect(text).toContain('Duplicate entry')
    expect(texts).toHaveLength(2)
  })

  test('errors that cause each other end', () => {
    const { onEvent, texts } = setUpLog()
    const error = new Error('one')
    error.cause = error

    onEvent({ type: 'failure', code: 'server_error', requestId: 'r', error })

    expect(texts[0]?.match(/"one"/g)).toHaveLength(6)
  })

  test('a reason of the app is told only if it is a word', () => {
    const { onEvent, lines } = setUpLog()

    onEvent({ type: 'revoked', ...about, reason: 'lost_phone' })
    onEvent({ type: 'revoked', ...about, reason: '13800138000' })
    onEvent({ type: 'revoked', ...about, reason: 'user_7' })

    expect(lines().map(({ reason }) => reason)).toEqual(['lost_phone', 'other', 'other'])
  })
})

describe('a line a request', () => {
  test.each([
    ['/wx/login', 'login'],
    ['/login/', 'login'],
    ['/api/v2/wx/device/token', 'device/token'],
    ['/wx/device?scene=canary', 'device'],
    ['/wx/canary-secret-segment-of-the-path/prefetch?code=canary', 'prefetch'],
    ['/sessions/revoke', 'sessions/revoke'],
    ['/wx/jwks.json', 'jwks.json'],
    ['/canary', 'other'],
    ['/wx/login/canary', 'other'],
    ['/__proto__', 'other'],
    ['', 'other'],
    ['/\n{"level":"info"}', 'other'],
  ])('%s is the route %s', (path, route) => {
    const { request, lines, texts } = setUpLog()

    request({ method: 'POST', path, status: 200, durationMs: 3.7 })

    expect(lines()).toEqual([
      {
        time: '2027-01-15T08:00:00.123Z',
        level: 'info',
        msg: 'request',
        method: 'POST',
        route,
        status: 200,
        durationMs: 4,
      },
    ])
    expect(texts.join()).not.toContain('canary')
  })

  test('one that failed is a warning, and a method that is none is no method', () => {
    const { request, lines } = setUpLog()

    request({ method: 'canary!', path: '/wx/login', status: 503, durationMs: 1 })

    expect(lines()).toMatchObject([{ level: 'warn', method: 'OTHER', status: 503 }])
  })
})

test('a whole day of a user leaves neither secrets nor the user in it', async () => {
  const { onEvent, request, texts } = setUpLog({ level: 'debug' })
  const wechat = createFakeWeChat()
  let isDown = false
  const store = createMemoryStore()
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    fetch: wechat.fetch,
    store,
    onEvent,
    onLogin: () => ({ userId: 'canary-user' }),
    onPhoneNumber: ({ phoneNumber, account }) => {
      if (isDown) throw new Error(`no row for ${phoneNumber} and ${account.openid}`)
    },
  })
  const code = wechat.codeFor('alice')
  const tokens = await auth.login({ code })
  const session = await auth.authenticate(`Bearer ${tokens.access_token}`)
  const { openid } = await auth.sessions.account(session)
  const phoneCode = wechat.phoneCodeFor('alice', { phoneNumber: '13800138000' })
  await auth.phone({ session, code: phoneCode })
  isDown = true
  const again = wechat.phoneCodeFor('alice', { phoneNumber: '13800138000' })
  await auth.handle({
    method: 'POST',
    path: '/phone',
    header: (name) =>
      ({
        'content-type': 'application/json',
        authorization: `Bearer ${tokens.access_token}`,
      })[name.toLowerCase()],
    body: { parsed: { code: again } },
  })
  request({ method: 'POST', path: `/wx/phone?code=${again}`, status: 500, durationMs: 1 })
  const renewed = await auth.refresh({ refreshToken: tokens.refresh_token })
  await auth.sessions.revoke({ userId: 'canary-user', reason: 'banned' })
  await auth.sessions.forget('canary-user')

  const text = texts.join('\n')

  expect(texts.length).toBeGreaterThan(8)
  for (const secret of [
    'canary-user',
    openid,
    code,
    phoneCode,
    again,
    '13800138000',
    wechat.app.appSecret,
    wechat.sessionKeyOf('alice'),
    tokens.access_token,
    tokens.refresh_token,
    renewed.access_token,
    renewed.refresh_token,
  ]) {
    expect(text).not.toContain(secret)
  }
  expect(text).toContain(session.id)
})
