import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuthOptions } from '@wxlogin/server'
import { describe, expect, test, vi } from 'vitest'
import { folderWith, listen, wxlogin } from '../set-up.js'
import { app, conform, conformFaulty, type Found, freePort, ours } from './set-up.js'

const outcomeOf = ({ requirements }: Found, id: string) =>
  requirements.find((one) => one.id === id)?.outcome

describe('a report', () => {
  const args = ['--only', 'theft,login', '--lang', 'en']

  test('says what was expected and what came, without secrets, and exits with 1', async () => {
    const { exit, found, out } = await conformFaulty('reuse-only-refused', args)

    expect(exit).toBe(1)
    expect(outcomeOf(found(), 'S-REFRESH-1')).toBe('passed')
    const [failure] = found().requirements.find(({ id }) => id === 'S-REFRESH-7')?.failures ?? []
    expect(failure).toMatchObject({
      scenario: 'theft',
      step: 'POST /refresh',
      expected: 'status 400, error "invalid_grant", reason reused / unknown',
    })
    expect(failure?.came).toMatch(/^status 200, \{ "access_token": "•••#[0-9a-f]{4}"/)
    expect(out).not.toMatch(/[\w-]{40,}/)
    expect(out).not.toContain(app.appSecret)
  })

  test('of a SHOULD alone exits with 0, and with --strict with 1', async () => {
    const only = ['--only', 'methods']

    expect(await conformFaulty('any-method', only)).toMatchObject({ exit: 0 })
    expect(await conformFaulty('any-method', [...only, '--strict'])).toMatchObject({ exit: 1 })
  })

  test('is text for people, in both languages', async () => {
    const { args, server } = await ours()
    const only = ['conform', ...args, '--only', 'logout,S-SEC-3']

    const english = await wxlogin(only)
    const chinese = await wxlogin([...only, '--lang', 'zh'])

    expect(english.exit).toBe(0)
    expect(english.out).toMatch(/^✓ S-LOGOUT-1 +MUST {3}204 for every token$/m)
    expect(english.out).toMatch(/^ {2}not tested, it is about what nobody .* can see: S-SEC-3$/m)
    expect(english.out).toMatch(`${server}: 4 passed, 0 failed, 0 warnings, 1 not tested; `)
    expect(english.err).toContain('in place of https://api.weixin.qq.com')
    expect(chinese.out).toContain('通过 4，失败 0，警告 0，未检查 1')
  })

  test('is JUnit XML, too', async () => {
    const folder = folderWith({})

    const { exit } = await conformFaulty('logout-ends-nothing', [
      ...['--only', 'logout,methods,S-SEC-1', '--junit', join(folder, 'conform.xml')],
    ])

    const xml = readFileSync(join(folder, 'conform.xml'), 'utf8')
    expect(exit).toBe(1)
    expect(xml).toMatch(
      /<testsuite name="wxlogin conform [^"]+" tests="6" failures="2" skipped="1"/,
    )
    expect(xml).toMatch(
      /name="S-LOGOUT-2 [^"]*"><failure type="MUST" message="logout: POST \/refresh: /,
    )
    expect(xml).toMatch(/name="S-HTTP-4 [^"]*"\/>/)
    expect(xml).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/)
  })
})

test('an AppSecret that was given is not repeated', async () => {
  const appSecret = 'an-app-secret-of-somebody'
  const { args } = await ours({ apps: [{ ...app, appSecret }] })

  const { exit, err, out } = await conform([...args, '--app-secret', appSecret, '--only', 'login'])

  expect(exit).toBe(0)
  expect(err + out).not.toContain(appSecret)
})

test('a route of --revoke that does not work is named, and nothing is blamed on the server', async () => {
  const { args } = await ours()

  const { exit, found } = await conform([...args, '--revoke', '/me', '--only', 'revoked'])

  expect(exit).toBe(0)
  const told = found().requirements.find(({ id }) => id === 'S-REFRESH-4')
  expect(told?.outcome).toBe('not_tested')
  expect(told?.why).toMatch(/^the route of --revoke did not end the sessions \(status 401/)
})

test('a server that remembers an earlier run is judged alike', async () => {
  const { args } = await ours()
  const only = ['--only', 'login,logout-everywhere,theft']

  const first = await conform([...args, ...only])
  const second = await conform([...args, ...only])

  expect([first.exit, second.exit]).toEqual([0, 0])
  expect(second.found().requirements).toEqual(first.found().requirements)
})

describe('what keeps a server from being judged is said', () => {
  test.each([
    ['another AppID', { apps: [{ ...app, appId: 'wx00000000000000ff' }] }, '--app-id'],
    ['another AppSecret', { apps: [{ ...app, appSecret: 'f'.repeat(32) }] }, '--app-secret'],
    ['another WeChat', { wechatHosts: ['http://127.0.0.1:9'] }, 'did not call the emulated WeChat'],
  ] as [string, Partial<AuthOptions>, string][])('%s', async (_what, options, sentence) => {
    const { args } = await ours(options)

    const { exit, err } = await conform(args)

    expect(exit).toBe(3)
    expect(err).toContain(sentence)
  })

  test('no login routes', async () => {
    const url = await listen((_req, res) => void res.writeHead(404).end())

    const { exit, err } = await conform(['--server', url, '--emulator-port', '0'])

    expect([exit, err]).toEqual([3, expect.stringContaining('--server needs the path')])
  })

  test('nobody listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}/wx`

    const { exit, err } = await conform(['--server', url, '--emulator-port', '0', '--wait', '0'])

    expect([exit, err]).toEqual([3, expect.stringContaining(`Nothing listens at ${url}`)])
  })

  test('a port that is taken', async () => {
    const taken = await listen((_req, res) => void res.end())
    const { port } = new URL(taken)

    const { exit, err } = await conform(['--server', taken, '--emulator-port', port])

    expect([exit, err]).toEqual([3, expect.stringContaining(`port ${port}`)])
  })
})

describe('what is written wrongly is said', () => {
  test.each([
    [[], '--server http://127.0.0.1:8080/wx'],
    [['--server', 'localhost:8080'], 'http://127.0.0.1:8080/wx'],
    [['--server', 'https://127.0.0.1/wx'], 'http://127.0.0.1:8080/wx'],
    [['--server', 'http://api.example.com/wx'], 'not on this machine'],
    [['--server', 'http://127.0.0.1:1', '--emulator-port', '70000'], '65535'],
    [['--server', 'http://127.0.0.1:1', '--protected', 'me'], 'beginning with a slash'],
    [['--server', 'http://127.0.0.1:1', '--refused-input', '{'], 'has to be JSON'],
    [['--server', 'http://127.0.0.1:1', '--app-secret', 'a b'], 'up to 64 letters'],
    [['--list', '--only', 'S-LOGON-1'], 'did you mean S-LOGIN-1?'],
    [['--list', '--only', 'thft'], 'did you mean theft?'],
  ])('%j', async (args, sentence) => {
    const { exit, err } = await conform(args)

    expect([exit, err]).toEqual([2, expect.stringContaining(sentence)])
  })
})

test('--list shows what is looked at where, and with --json the scenarios', async () => {
  const { out, exit } = await wxlogin(['conform', '--list'])
  const scenarios = (await wxlogin(['conform', '--list', '--json', '--only', 'S-LOGIN-4'])).json()

  expect(exit).toBe(0)
  expect(out).toMatch(/^S-LOGIN-4 +MUST .*: login-after-its-refresh$/m)
  expect(out).toMatch(/^S-HTTP-12 +MUST .*: every answer$/m)
  expect(out).toMatch(/^S-SEC-1 +MUST .*: – it is about how the server is run$/m)
  expect(scenarios.map(({ name }: { name: string }) => name)).toEqual(['login-after-its-refresh'])
})

describe('what follows --', () => {
  const program = `
    import { createServer } from 'node:http'
    const { WECHAT_URL, WX_APP_ID, WX_APP_SECRET, PORT } = process.env
    createServer(async (req, res) => {
      let body = ''
      for await (const chunk of req) body += chunk
      const query = new URLSearchParams({ appid: WX_APP_ID, secret: WX_APP_SECRET,
        js_code: JSON.parse(body || '{}').code, grant_type: 'authorization_code' })
      const { openid } = await (await fetch(WECHAT_URL + '/sns/jscode2session?' + query)).json()
      res.end(JSON.stringify({ access_token: 'a', user_id: String(openid) }))
    }).listen(PORT, '127.0.0.1')`

  test('is started with what it needs of WeChat, and ended', async () => {
    const port = await freePort()
    const folder = folderWith({ 'main.mjs': program })
    const server = `http://127.0.0.1:${port}/wx`

    const { exit, found } = await conform([
      ...['--server', server, '--emulator-port', '0', '--only', 'login'],
      ...[
        '--',
        process.execPath,
        '-e',
        `process.env.PORT = '${port}'; import('${join(folder, 'main.mjs')}')`,
      ],
    ])

    expect(exit).toBe(1)
    expect(outcomeOf(found(), 'S-LOGIN-1')).toBe('passed')
    expect(outcomeOf(found(), 'S-TOKEN-1')).toBe('failed')
    await expect(fetch(server)).rejects.toThrow('fetch failed')
  })

  test('ends with the run when that is interrupted, and with it what it has started', async () => {
    const file = join(folderWith({}), 'pid')
    const nap = 'setTimeout(() => {}, 60_000)'
    const script = `const { pid } = require('node:child_process').spawn(process.execPath, ['-e', '${nap}'])
      require('node:fs').writeFileSync(${JSON.stringify(file)}, String(pid)); ${nap}`
    const server = `http://127.0.0.1:${await freePort()}/wx`
    const isWritten = () => existsSync(file) && readFileSync(file, 'utf8') !== ''
    const interrupted = () => vi.waitUntil(isWritten, { timeout: 30_000 }).then(() => undefined)

    const { exit, err } = await wxlogin(
      ['conform', '--server', server, '--emulator-port', '0', '--', process.execPath, '-e', script],
      { interrupted },
    )

    expect([exit, err]).toEqual([3, expect.stringContaining('Interrupted')])
    const inner = Number(readFileSync(file, 'utf8'))
    await vi.waitUntil(() => !isRunning(inner), { timeout: 30_000 })
  })

  test.each([
    [[process.execPath, '-e', 'process.exit(7)'], 'ended before the run was over'],
    [['no-such-program-here'], 'cannot be started'],
  ])('%j does not keep the run waiting', async (command, sentence) => {
    const server = `http://127.0.0.1:${await freePort()}/wx`

    const { exit, err } = await conform([
      ...['--server', server, '--emulator-port', '0'],
      ...['--', ...command],
    ])

    expect([exit, err]).toEqual([3, expect.stringContaining(sentence)])
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
