import { readFileSync } from 'node:fs'
import { wireErrors } from '@wxlogin/shared'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Auth, AuthError, type AuthErrorCode, createAuth } from '../src/index.js'
import { createFakeWeChat, type FakeWeChat } from '../src/testing/index.js'
import { testSecret } from './set-up.js'

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const codes = Object.keys(wireErrors) as AuthErrorCode[]
const page = 'https://wxlogin.github.io/wxlogin/reference/errors'

afterEach(() => vi.restoreAllMocks())

test('the page is on the site, and the same for both packages', () => {
  const { homepage } = JSON.parse(read('package.json'))

  expect(page).toBe(`${homepage}reference/errors`)
  for (const file of ['packages/server/src/errors.ts', 'packages/client/src/explain.ts']) {
    expect(read(file).match(/'https:\/\/[\w./-]+'/g)).toEqual([`'${page}'`])
  }
})

describe('the message of an error ends in a link to its entry', () => {
  test.each(codes)('%s', (code) => {
    const { message, description } = new AuthError(code, 'This went wrong')

    expect(message).toBe(`This went wrong; see ${page}#${code}`)
    expect(description).toBe('This went wrong')
  })

  test.each(codes)('which is there in both languages: %s', (code) => {
    for (const file of ['errors.md', 'errors.zh-CN.md']) {
      expect(read(`docs/reference/${file}`)).toContain(`\n### \`${code}\`\n`)
    }
  })

  test('and is in what the console of a server without onEvent prints', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue()
    const wechat = createFakeWeChat()
    const auth = createAuth({ apps: [wechat.app], secret: testSecret, fetch: wechat.fetch })
    wechat.fail(40125)

    const { body: text } = await logIn(auth, wechat)

    const body = JSON.parse(String(text))
    const lines = printed.mock.calls.map(([line]) => String(line))
    expect(lines.filter((line) => line.includes('errcode 40125'))).toEqual([
      expect.stringMatching(/; see https:\S+#server_misconfigured$/),
    ])
    expect(lines.find((line) => line.includes(body.request_id))).toMatch(
      /; see https:\S+#server_misconfigured$/m,
    )
  })
})

test('what goes to the client is the sentence alone', async () => {
  const wechat = createFakeWeChat()
  const auth = createAuth({
    apps: [wechat.app],
    secret: testSecret,
    fetch: wechat.fetch,
    onEvent: () => {},
    onLogin() {
      throw new AuthError('access_denied', 'This account is closed', { reason: 'closed' })
    },
  })

  const refused = await auth.guard('Bearer nonsense')
  const denied = await logIn(auth, wechat)

  expect(refused.response?.body).not.toContain('https://')
  expect(JSON.parse(String(denied.body))).toMatchObject({
    error: 'access_denied',
    error_description: 'This account is closed',
  })
})

test('a sentence that a hook passes on has one link', async () => {
  const wechat = createFakeWeChat()
  const auth = createAuth({
    apps: [wechat.app],
    secret: testSecret,
    fetch: wechat.fetch,
    onEvent: () => {},
    onLogin: async () => {
      await auth.wechat().phoneNumber('a code that WeChat does not know')
    },
  })

  const error = await auth.login({ code: wechat.codeFor('alice') }).catch((error) => error)

  expect(error).toMatchObject({ code: 'invalid_code', reason: 'phone_code' })
  expect(error.message.match(/https:/g)).toHaveLength(1)
})

/** Alice's login, as it comes over HTTP. */
const logIn = (auth: Auth, wechat: FakeWeChat) =>
  auth.handle({
    method: 'POST',
    path: '/login',
    header: (name) =>
      ({ 'content-type': 'application/json', 'idempotency-key': 'k'.repeat(22) })[
        name.toLowerCase()
      ],
    body: { parsed: { code: wechat.codeFor('alice'), app_id: wechat.app.appId } },
  })
