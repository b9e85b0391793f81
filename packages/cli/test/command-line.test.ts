import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { exitCodes } from '../src/command.js'
import { commands } from '../src/commands.js'
import { systemLanguage } from '../src/text.js'
import { wxlogin } from './set-up.js'

const names = Object.keys(commands)

test('without anything it says what there is', async () => {
  const { exit, out } = await wxlogin([])

  expect(exit).toBe(0)
  for (const name of names) expect(out).toMatch(new RegExp(`^  ${name} +\\S`, 'm'))
})

test.each(names)(
  '%s has a help in both languages, with every option that is for users',
  async (name) => {
    const english = await wxlogin([name, '--help'])
    const chinese = await wxlogin([name, '--help', '--lang', 'zh'])
    const command = await commands[name]?.load()

    expect([english.exit, chinese.exit]).toEqual([0, 0])
    expect(english.out).toContain(`Usage: wxlogin ${name}`)
    expect(chinese.out).toContain(`用法: wxlogin ${name}`)
    for (const [option, { isHidden }] of Object.entries(command?.options ?? {})) {
      expect(english.out.includes(`--${option} `)).toBe(!isHidden)
      expect(chinese.out.includes(`--${option} `)).toBe(!isHidden)
    }
    expect(english.out.replaceAll('构建 npm', '')).not.toMatch(/[\u4e00-\u9fff]/)
    expect(chinese.out).toMatch(/[\u4e00-\u9fff]/)
  },
)

test('help is asked for in the other order as well', async () => {
  expect(await wxlogin(['help', 'scan'])).toEqual({
    ...(await wxlogin(['scan', '--help'])),
    json: expect.any(Function),
  })
  expect((await wxlogin(['help'])).out).toBe((await wxlogin([])).out)
})

test.each(['README.md', 'README.zh-CN.md'])('%s has every command, and every exit code', (name) => {
  const readme = readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `([a-z]+)(?: \[\w+\])?` \|/gm)].map(
    ([, command]) => command,
  )
  const exits = [...readme.matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code))

  expect(rows).toEqual(names)
  expect(exits).toEqual(Object.values(exitCodes))
})

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

  expect(await wxlogin(['--version'])).toMatchObject({ exit: 0, out: version })
})

describe('what is written wrongly is said, with the name that was likely meant', () => {
  test.each([
    [['doctr'], 'There is no command doctr; did you mean doctor?'],
    [['sacn'], 'There is no command sacn; did you mean scan?'],
    [
      ['login'],
      'There is no command login; there are dev, doctor, scan, serve, keygen, explain, conform',
    ],
    [
      ['toString'],
      'There is no command toString; there are dev, doctor, scan, serve, keygen, explain, conform',
    ],
    [['--versoin'], 'There is no option --versoin; did you mean --version?'],
    [['scan', '--jsno'], 'There is no option --jsno; did you mean --json?'],
    [['scan', '-x'], 'There is no option -x; see --help'],
    [['scan', '--constructor'], 'There is no option --constructor; see --help'],
    [['scan', '--json=yes'], '--json takes no value'],
    [['doctor', '--url'], '--url needs a value: --url URL'],
    [['doctor', '--url', 'localhost:3000'], '--url must be an address with http:// or https://'],
    [['scan', 'one', 'two'], 'There is no place for "two" here; see --help'],
    [
      ['keygen', '--jwk', 'ES265'],
      '--jwk is ES256, RS256, EdDSA, not "ES265"; did you mean ES256?',
    ],
    [['scan', '--json', '--sarif'], 'Choose one of --json and --sarif'],
    [['doctor', '--json', '--report'], 'Choose one of --json and --report'],
    [['--lang', 'en'], 'Say which command; see --help'],
  ])('%j', async (args, sentence) => {
    expect(await wxlogin(args)).toMatchObject({ exit: 2, out: '', err: `wxlogin: ${sentence}` })
  })

  test('in Chinese as well', async () => {
    const { err } = await wxlogin(['scan', '--jsno', '--lang=zh'])

    expect(err).toBe('wxlogin: 没有选项 --jsno，是不是 --json？')
  })
})

test('what is not there cannot be read, which is no mistake in the writing', async () => {
  expect(await wxlogin(['scan', 'nowhere'])).toMatchObject({
    exit: 3,
    err: 'wxlogin: There is no nowhere',
  })
  expect(await wxlogin(['doctor', 'nowhere'])).toMatchObject({ exit: 3 })
})

test.each([
  [{ LANG: 'zh_CN.UTF-8' }, 'en-US', 'zh'],
  [{ LANG: 'zh_CN.UTF-8', LC_ALL: 'en_US.UTF-8' }, 'zh-CN', 'en'],
  [{ LANG: 'C.UTF-8' }, 'zh-CN', 'en'],
  [{}, 'zh-Hans-CN', 'zh'],
  [{}, 'en-US', 'en'],
] as const)('the language of the system: %j %s', (env, locale, language) => {
  expect(systemLanguage(env, locale)).toBe(language)
})
