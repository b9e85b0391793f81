import { readFileSync } from 'node:fs'
import { knownErrcodes } from '@wxlogin/server/errcodes'
import { expect, test } from 'vitest'
import { codes, mistakes, reasons } from '../../client/src/explanations.js'
import { clientCodesInChinese, mistakesInChinese, reasonsInChinese } from '../src/explain/codes.js'
import { hintsInChinese } from '../src/explain/errcodes.js'
import { root, wxlogin } from './set-up.js'

interface Explained {
  readonly name: string
  readonly kind: string
  readonly meanings: readonly { readonly text: string }[]
}

test('every code, mistake and errcode that there is has a Chinese text, and nothing else has one', () => {
  expect(Object.keys(clientCodesInChinese).sort()).toEqual(Object.keys(codes).sort())
  expect(Object.keys(reasonsInChinese).sort()).toEqual(Object.keys(reasons).sort())
  expect(Object.keys(mistakesInChinese).sort()).toEqual(Object.keys(mistakes).sort())
  expect(Object.keys(hintsInChinese).sort()).toEqual(
    knownErrcodes()
      .map(({ errcode, endpoint }) =>
        [endpoint, errcode].filter((part) => part !== undefined).join(' '),
      )
      .sort(),
  )
})

test('the Chinese for mini programs is that of the page of errors', () => {
  const page = readFileSync(`${root}docs/reference/errors.zh-CN.md`, 'utf8').replace(
    /\[([^\]]+)\]\([^)]+\)/g,
    '$1',
  )
  const rowOf = (name: string) =>
    new RegExp(`^\\| <a id="${name}"></a>(.*) \\|$`, 'm').exec(page)?.[1]?.split(' | ') ?? []

  for (const [code, text] of Object.entries(clientCodesInChinese)) {
    const entry = page.split(/^#+ /m).find((one) => one.startsWith(`\`${code}\`\n`))
    expect(/^- 小程序：(.*)$/m.exec(entry ?? '')?.[1]).toBe(text)
  }
  for (const [reason, text] of Object.entries(reasonsInChinese)) {
    expect(rowOf(reason)[1]).toBe(text)
  }
  for (const [mistake, text] of Object.entries(mistakesInChinese)) {
    expect(rowOf(mistake).at(-1)).toBe(text)
  }
})

test('all of them are listed, each in the language that was asked for', async () => {
  const english: readonly Explained[] = (await wxlogin(['explain', '--json'])).json()
  const chinese: readonly Explained[] = (
    await wxlogin(['explain', '--json', '--lang', 'zh'])
  ).json()

  const names = english.map(({ name }) => name)
  expect(chinese.map(({ name }) => name)).toEqual(names)
  expect(names).toEqual(
    expect.arrayContaining([
      ...Object.keys(codes),
      ...Object.keys(mistakes),
      'memory_store',
      'no_undici',
      '-1',
      '40125',
      '1400001',
    ]),
  )
  const textsOf = (all: readonly Explained[]) =>
    all.flatMap(({ meanings }) => meanings.map(({ text }) => text))
  for (const text of textsOf(chinese)) expect(text).toMatch(/[\u4e00-\u9fff]/)
  for (const text of textsOf(english))
    expect(text.replace(/单页|合法域名|不校验/g, '')).toMatch(/[a-z]{3}/)
})

test('a code of the wire is explained at both sides, with its status', async () => {
  const { exit, out } = await wxlogin(['explain', 'invalid_grant'])

  expect(exit).toBe(0)
  expect(out).toBe(
    [
      'invalid_grant  error code of wxlogin, HTTP 400',
      '  Backend: The session has ended; `reason` says whether it is expired, reused, unknown or revoked. Nothing to do: the client logs in again, after `revoked` when the user asks for it',
      '  Mini program: The session has ended: a silent login follows, or signed out',
      '  To the user: Something went wrong. Please try again later',
      '  https://wxlogin.github.io/wxlogin/reference/errors#invalid_grant',
    ].join('\n'),
  )
})

test('what stands before a warning on the console is explained, with the page about it', async () => {
  const { exit, out } = await wxlogin(['explain', 'memory_store', '--lang', 'zh'])

  expect(exit).toBe(0)
  expect(out).toMatch(/^memory_store {2}后端的警告\n {2}后端: .*store/)
  expect(out).toMatch(/\n {2}https:\/\/wxlogin\.github\.io\/wxlogin\/zh\/stores$/)
})

test('in Chinese the link leads to the Chinese page', async () => {
  const { out } = await wxlogin(['explain', 'invalid_grant', '--lang', 'zh'])

  expect(out).toMatch(
    /\n {2}https:\/\/wxlogin\.github\.io\/wxlogin\/zh\/reference\/errors#invalid_grant$/,
  )
})

test.each([
  ['40125', 'WeChat → server_misconfigured: The AppSecret is wrong'],
  ['-1', 'WeChat → wechat_unavailable: WeChat is busy'],
  ['40003', 'WeChat phoneNumber → invalid_code: The code belongs to another user'],
  ['1400001', 'Mini program → phone_quota: No paid calls are left'],
  ['auth_path', 'Mini program: No login routes are there'],
  ['login_required', 'Mini program → signed_out: Nobody has logged in'],
  ['signed_out', 'To the user: You are signed out'],
  ['memory_store', 'Backend: No `store` is set'],
  ['openid_as_user_id', 'Backend: `onLogin` returned the openid'],
  ['sql_not_migrated', 'Backend: The table or a column is missing'],
])('%s', async (code, sentence) => {
  const { exit, out } = await wxlogin(['explain', code])

  expect(exit).toBe(0)
  expect(out).toContain(sentence)
})

test.each([
  ['invalid_grnat', 'There is no code "invalid_grnat"; did you mean invalid_grant?'],
  ['nonsense', 'There is no code "nonsense"; wxlogin explain lists all'],
  ['99999', '99999 is not in the tables of wxlogin'],
])('%s is not known, and that is said', async (code, sentence) => {
  const { exit, err } = await wxlogin(['explain', code])

  expect(exit).toBe(2)
  expect(err).toContain(sentence)
})
