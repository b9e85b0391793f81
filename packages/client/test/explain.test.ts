import { readFileSync } from 'node:fs'
import { createClient } from '@wxlogin/client'
import { explain } from '@wxlogin/client/explain'
import { createClient as createFullClient } from '@wxlogin/client/full'
import { createFakeWx } from '@wxlogin/client/testing'
import { describe, expect, test } from 'vitest'
import { codes, mistakes, reasons } from '../src/explanations.js'
import { json, refusal } from './backend.js'
import { setUp } from './set-up.js'

const english = read('docs/reference/errors.md')
const chinese = read('docs/reference/errors.zh-CN.md')

function read(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
}

/** What the entry of a code says to those who write the mini program, and to those who use it. */
function entryOf(code: string, page: string) {
  const entry = page.split(/^#+ /m).find((one) => one.startsWith(`\`${code}\`\n`)) ?? ''
  const [, todo] = /^- (?:Mini program: |小程序：)(.*)$/m.exec(entry) ?? []
  const [, ...texts] = /^- (?:To the user: |给用户看：)(.*) · (.*)$/m.exec(entry) ?? []
  return { todo: withoutLinks(todo), texts }
}

/** The cells of the table in which this is an anchor, by code. */
function tableWith(anchor: string, text: string): Map<string, readonly string[]> {
  const table = text.split('\n\n').find((block) => block.includes(`<a id="${anchor}"></a>`)) ?? ''
  const rows = table.split('\n').filter((line) => line.startsWith('| <a id'))
  return new Map(
    rows.map((line) => {
      const [first = '', ...cells] = line.replace(/^\| | \|$/g, '').split(' | ')
      return [/`(\w+)`/.exec(first)?.[1] ?? '', cells]
    }),
  )
}

function withoutLinks(text = ''): string {
  return text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
}

describe('what it says is on the page of errors', () => {
  test.each(Object.entries(codes))('%s', (code, [todo, ...texts]) => {
    expect(entryOf(code, english)).toEqual({ todo, texts })
    expect(entryOf(code, chinese).texts).toEqual(texts)
  })

  test('the reasons with texts of their own', () => {
    const table = tableWith('login_required', english)

    expect(Object.fromEntries(table)).toEqual(reasons)
    expect(
      [...tableWith('login_required', chinese)].map(([reason, [, ...texts]]) => [reason, texts]),
    ).toEqual(Object.entries(reasons).map(([reason, [, ...texts]]) => [reason, texts]))
  })

  test('the mistakes', () => {
    const table = tableWith('auth_path', english)

    expect(
      Object.fromEntries([...table].map(([name, [, todo]]) => [name, withoutLinks(todo)])),
    ).toEqual(mistakes)
    expect([...tableWith('auth_path', chinese).keys()]).toEqual([...table.keys()])
  })

  const errors = [
    ...[...Object.keys(codes), 'mine'].map((code) => ({ code })),
    ...Object.keys(reasons).map((reason) => ({ code: 'signed_out', reason })),
  ]

  test.each(errors)('the link of %o leads to an entry', (error) => {
    const [page, anchor] = explain(error).url.split('#')

    expect(page).toBe('https://wxlogin.github.io/wxlogin/reference/errors')
    const places = [`\n### \`${anchor}\`\n`, `<a id="${anchor}"></a>`]
    const isThere = places.some((place) => english.includes(place))
    expect(isThere || (anchor === 'errors' && english.startsWith('# Errors\n'))).toBe(true)
  })
})

test('a code is explained to the user in both languages, and to the developer', () => {
  expect(explain({ code: 'signed_out' })).toEqual({
    zh: '你已退出登录，请重新登录',
    en: 'You are signed out. Please sign in',
    todo: 'Signed out. Show a button that calls `login()`',
    url: 'https://wxlogin.github.io/wxlogin/reference/errors#signed_out',
  })
})

test.each([undefined, null, 'text', {}, new Error('any'), { code: 'mine' }, { code: 'toString' }])(
  'whatever it is, there is a text for the user: %o',
  (error) => {
    expect(explain(error)).toMatchObject({
      zh: '出了点问题，请稍后重试',
      en: 'Something went wrong. Please try again later',
      todo: expect.stringMatching(/./),
      url: expect.stringMatching(/#errors$/),
    })
  },
)

describe('who has never logged in is not told that they are signed out', () => {
  const texts = { zh: '请先登录', en: 'Please sign in first' }

  test('where nobody is logged in silently', async () => {
    const { client } = setUp({ silent: false })

    const error = await client.request({ url: '/orders' }).catch((error) => error)

    expect(explain(error)).toEqual({
      ...texts,
      todo: expect.stringContaining('`silent` is `false`'),
      url: expect.stringMatching(/#login_required$/),
    })
  })

  test('where the backend refuses a login that has nothing but a code', async () => {
    const { client, backend } = setUp()
    backend.answer('/wx/login', refusal(403, 'access_denied', { reason: 'login_required' }))

    const first = await client.request({ url: '/orders' }).catch((error) => error)
    const later = await client.request({ url: '/orders' }).catch((error) => error)

    expect([first.code, later.code]).toEqual(['access_denied', 'signed_out'])
    expect([explain(first), explain(later)]).toEqual([
      expect.objectContaining(texts),
      expect.objectContaining(texts),
    ])
  })

  test('and after a sign-out they are', async () => {
    const { client } = setUp({ silent: false })
    await client.login()
    await client.logout()

    const error = await client.request({ url: '/orders' }).catch((error) => error)

    expect(explain(error).en).toBe('You are signed out. Please sign in')
  })

  test("but an error of the app's own API with that reason is its own", () => {
    expect(explain({ code: 'mine', reason: 'login_required' }).url).toMatch(/#errors$/)
  })
})

describe('mistakes are recognised', () => {
  async function failureOf(
    answer: Parameters<ReturnType<typeof setUp>['backend']['answer']>[1],
    options = {},
  ) {
    const { client, backend } = setUp(options)
    backend.answer('/', answer)
    return client.login().catch((error) => error)
  }

  test.each([
    ['not_json', { statusCode: 200, header: {}, body: '<html>' }, {}],
    ['wrapped', json(200, { code: 0, msg: 'ok', data: {} }), {}],
    ['auth_path', json(404, {}), {}],
    ['auth_path', json(405, {}), {}],
    ['auth_path_twice', json(404, {}), { baseUrl: 'https://api.example.com/wx' }],
    ['auth_path_twice', json(404, {}), { baseUrl: 'https://api.example.com/wx/' }],
    ['auth_path_slash', json(404, {}), { authPath: '/wx/' }],
    ['guarded', refusal(401, 'invalid_token'), {}],
    ['not_running', 'drop', { baseUrl: 'http://127.0.0.1:3000' }],
    ['not_running', 'drop', { baseUrl: 'http://192.168.1.7:3000' }],
    ['plain_http', 'drop', { baseUrl: 'http://10.example.com' }],
    ['redirected', json(301, {}), {}],
    ['plain_http', 'drop', { baseUrl: 'http://api.example.com' }],
    [
      'plain_http',
      'drop',
      { baseUrl: 'http://api.example.com', phone: { domains: ['https://api.example.com'] } },
    ],
  ] as const)('%s', async (name, answer, options) => {
    const error = await failureOf(answer, options)

    expect(explain(error).todo).toBe(mistakes[name])
    expect(explain(error).url).toMatch(new RegExp(`#${name}$`))
  })

  test.each([
    ['app_secret', { appSecret: 'x' }],
    ['app_secret', { secret: 'x' }],
    ['small_entry', { container: { env: 'prod-1', service: 'shop' } }],
    ['small_entry', { cloudFunction: { name: 'api' } }],
    ['wrong_option', { baseUrl: 'api.example.com' }],
    ['wrong_option', { appId: '' }],
    ['wrong_option', { sandbox: true, appId: 'wx1' }],
    ['wrong_option', { trustedOrigins: ['cdn.example.com'] }],
    ['wrong_option', { storageKey: '' }],
    ['wrong_option', { loginTimeoutMs: 60_000 }],
  ] as const)('%s', (name, wrong) => {
    const options = { wx: createFakeWx(), baseUrl: 'https://api.example.com', ...wrong }

    expect(() => createClient(options)).toThrow(TypeError)
    try {
      createClient(options)
    } catch (error) {
      expect(explain(error).todo).toBe(mistakes[name])
    }
  })

  test('both ways to a backend', () => {
    const container = { env: 'prod-1', service: 'shop' }
    try {
      createFullClient({ wx: createFakeWx(), baseUrl: 'https://a.example.com', container } as never)
    } catch (error) {
      expect(explain(error).todo).toBe(mistakes.wrong_option)
    }
    expect.assertions(1)
  })

  test("a TypeError of the app's own is none", () => {
    const own = new TypeError("Cannot read properties of undefined (reading 'id')")

    expect(explain(own).url).toMatch(/#errors$/)
  })

  test('no wx', () => {
    try {
      createClient({ baseUrl: 'https://api.example.com' })
    } catch (error) {
      expect(explain(error).todo).toBe(mistakes.no_wx)
    }
    expect.assertions(1)
  })

  test('a 404 of the app is none', async () => {
    const { client, backend } = setUp()
    backend.answer('/orders', json(404, {}))

    const error = await client.request({ url: '/orders' }).catch((error) => error)

    expect(explain(error).todo).toBe(codes.http?.[0])
  })
})
