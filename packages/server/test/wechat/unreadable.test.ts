import { describe, expect, test } from 'vitest'
import { AuthError, type FetchLike } from '../../src/wechat/index.js'
import { send } from '../http/set-up.js'
import { setUp } from '../set-up.js'
import { setUpWeChat } from './set-up.js'

const answering =
  (body: string): FetchLike =>
  async () =>
    new Response(body)

describe('control characters inside strings are read as they are', () => {
  test.each([
    ['a line break', '\n'],
    ['a tab', '\t'],
    ['a zero', '\0'],
    ['an escape', '\u001b'],
    ['one after an escaped quote', '\\"\n'],
    ['one after an escaped backslash', '\\\\\r\n'],
  ])('%s', async (_name, text) => {
    const fetch = answering(
      `{\n\t"openid": "oAlice", "nick": "a${text}b",\r\n "session_key":"k" }\n`,
    )
    const { wechat } = await setUpWeChat({ fetch })

    const { openid, raw } = await wechat.code2Session('code-1')

    expect(openid).toBe('oAlice')
    expect(raw.nick).toBe(`a${text.replaceAll(/\\(.)/g, '$1')}b`)
  })

  test('in an error message too: its errcode counts', async () => {
    const { wechat } = await setUpWeChat({
      fetch: answering('{"errcode":40029,"errmsg":"invalid code\u0001, rid: 1a-2b-3c"}'),
    })

    await expect(wechat.code2Session('code-1')).rejects.toMatchObject({
      code: 'invalid_code',
      errcode: 40029,
      rid: '1a-2b-3c',
    })
  })
})

test('a string without an end is given up once, and not at every quote in it', async () => {
  const { wechat } = await setUpWeChat({
    fetch: answering(`{"openid":"${'\\"'.repeat(32_000)}\\\u0001`),
  })
  const started = performance.now()

  await expect(wechat.code2Session('code-1')).rejects.toBeInstanceOf(AuthError)

  expect(performance.now() - started).toBeLessThan(1000)
})

const unreadable = [
  ['a page', '<html><body>502</body></html>'],
  ['nothing', ''],
  ['half an answer', '{"openid":"o","session_key":"k'],
  ['an escaped line break that is none', '{"openid":"o","session_key":"a\\\nb"}'],
  ['null', 'null'],
  ['a list', '[]'],
  ['more than 64 KiB', ' '.repeat(65 * 1024)],
] as const

describe('an answer that cannot be read', () => {
  test.each(unreadable)('has its own name, and opens no breaker: %s', async (_name, body) => {
    const { wechat, events } = await setUpWeChat({ fetch: answering(body) })

    for (let n = 0; n < 6; n++) {
      await expect(wechat.code2Session('code-1')).rejects.toMatchObject({
        code: 'wechat_unavailable',
        retryAfterSeconds: 2,
        errcode: undefined,
      })
    }

    expect(events).toHaveLength(6)
    expect(events).toMatchObject(events.map(() => ({ type: 'wechat', outcome: 'unreadable' })))
    expect(wechat.health()).toMatchObject({
      ok: false,
      lastOutcome: 'unreadable',
      breakers: { login: 'closed' },
    })
  })

  test('is a 503 on the wire', async () => {
    const { auth, wechat } = setUp({ fetch: answering('<html></html>') })

    const { status, body } = await send(auth, '/login', {
      body: { code: 'code-1', app_id: wechat.app.appId },
    })

    expect([status, JSON.parse(body ?? '')]).toEqual([
      503,
      expect.objectContaining({ error: 'wechat_unavailable' }),
    ])
  })

  test('decides nothing when WeChat is asked whether it is back: the next call does', async () => {
    const parts = await setUpWeChat()
    const { wechat, fake, clock } = parts
    const login = () => wechat.code2Session(fake.codeFor('alice'))
    fake.fail('html-502', { times: 5 })
    for (let n = 0; n < 5; n++) await login().catch(() => undefined)
    fake.fail('html')
    clock.advance(10)

    await expect(login()).rejects.toMatchObject({ code: 'wechat_unavailable' })
    expect(wechat.health().breakers.login).toBe('half_open')

    await expect(login()).resolves.toBeDefined()
    expect(wechat.health().breakers.login).toBe('closed')
  })

  test('resets no count of failures either', async () => {
    const { wechat, fake } = await setUpWeChat()
    for (const fault of ['html-502', 'html', 'html-502', 'html', 'html-502'] as const) {
      fake.fail(fault)
    }
    fake.fail('html-502', { times: 2 })

    for (let n = 0; n < 7; n++) await wechat.code2Session(fake.codeFor('a')).catch(() => undefined)

    expect(wechat.health().breakers.login).toBe('open')
  })
})
