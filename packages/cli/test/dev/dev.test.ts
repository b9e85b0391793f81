import { createServer } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { introduction } from '../../src/dev/introduction.js'
import { listen } from '../../src/dev/listen.js'
import { wxlogin } from '../set-up.js'
import { setUp } from './set-up.js'

describe.each([
  ['en', /[\u4e00-\u9fff]/, /./],
  ['zh', /(?!)/, /[\u4e00-\u9fff]/],
])('in %s', (lang, never, always) => {
  test.each([
    [['--host', '0.0.0.0'], '127.0.0.1'],
    [['--host', '192.168.1.7'], '127.0.0.1'],
    [['--host', 'example.com'], '127.0.0.1'],
    [['--port', 'seven'], '65533'],
    [['--port', '65534'], '65533'],
    [['--port', '1.5'], '65533'],
    [['--backend', 'localhost:3000'], 'http://127.0.0.1:3000'],
    [['--backend', 'http://127.0.0.1:3000/wx'], 'http://127.0.0.1:3000'],
    [['--backend', 'https://127.0.0.1:3000'], 'http://127.0.0.1:3000'],
    [['--backend', 'http://api.example.com'], 'http://127.0.0.1:3000'],
    [['--backend', 'http://127.0.0.1.example.com'], 'http://127.0.0.1:3000'],
    [['--backend', 'http://localhost:7411'], '--port'],
    [['--backend', 'http://127.0.0.1:7410'], '7410'],
    [['--service', 'http://127.0.0.1:8080'], '--backend'],
    [['--service', 'http://api.example.com', '--backend', 'http://127.0.0.1:3000'], ':8080'],
    [['--service', 'http://127.0.0.1:7412', '--backend', 'http://127.0.0.1:3000'], '--port'],
    [['--app-id', 'a b'], 'wx0000000000000001'],
    [['--auth-path', 'wx'], '/wx'],
    [['--path', 'orders?a=1'], '/wx'],
  ])('%j is refused, and what to give instead is said', async (args, instead) => {
    const { exit, err } = await wxlogin(['dev', ...args, '--lang', lang])

    expect(exit).toBe(2)
    expect(err).toContain(instead)
    expect(err).toContain(args[1])
    expect(err).toMatch(always)
    expect(err).not.toMatch(never)
  })
})

/** The first of three ports in a row that nobody has. */
async function threeFreePorts(): Promise<number> {
  for (;;) {
    const first = await listen(createServer(), '127.0.0.1', 0)
    const port = Number(new URL(first.url).port)
    const others = await Promise.allSettled(
      [port + 1, port + 2].map((next) => listen(createServer(), '127.0.0.1', next)),
    )
    const listening = others.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    await Promise.all([first, ...listening].map((one) => one.close()))
    if (listening.length === 2) return port
  }
}

test.each([0, 1, 2])('a taken port is named, the one %i after the first too', async (place) => {
  const port = await threeFreePorts()
  const taken = await listen(createServer(), '127.0.0.1', port + place)
  onTestFinished(() => taken.close())

  const refused = setUp({ port })

  await expect(refused).rejects.toMatchObject({
    code: 'failed',
    text: {
      en: expect.stringContaining(`Port ${port + place} is taken`),
      zh: expect.stringContaining(`端口 ${port + place} 已被占用`),
    },
  })
})

test('what had begun to listen ends when a port is taken', async () => {
  const port = await threeFreePorts()
  const taken = await listen(createServer(), '127.0.0.1', port)
  onTestFinished(() => taken.close())

  await setUp({ port }).catch(() => undefined)
  const free = [port + 1, port + 2].map((one) => listen(createServer(), '127.0.0.1', one))
  onTestFinished(async () => {
    for (const one of await Promise.all(free)) await one.close()
  })

  await expect(Promise.all(free)).resolves.toHaveLength(2)
})

test('the help names every option', async () => {
  const { exit, out } = await wxlogin(['dev', '--help'])

  expect(exit).toBe(0)
  for (const name of [
    'backend',
    'service',
    'port',
    'host',
    'app-id',
    'auth-path',
    'path',
    'json',
  ]) {
    expect(out).toContain(`--${name}`)
  }
})

describe('what it says when it has started', () => {
  const urls = {
    pageUrl: 'http://127.0.0.1:7410',
    phoneUrl: 'http://127.0.0.1:7411',
    wechatUrl: 'http://127.0.0.1:7412',
  }
  const given = { appId: 'wx0123456789abcdef', authPath: '/wx' }
  const own = { ...given, backend: 'http://127.0.0.1:3000' }

  test.each(['en', 'zh'] as const)(
    'the lines for a backend of your own can be pasted as they are: %s',
    (language) => {
      const said = introduction(urls, own)[language]

      expect(said).toContain(
        "createClient({ baseUrl: 'http://127.0.0.1:7411', appId: 'wx0123456789abcdef', sandbox: true })",
      )
      expect(said).toContain("wechatHosts: ['http://127.0.0.1:7412'],")
    },
  )

  test('so can those for the backend that is built in, which serves a project without an AppID', () => {
    expect(introduction(urls, given).en).toContain(
      "createClient({ baseUrl: 'http://127.0.0.1:7411', sandbox: true })",
    )
  })

  test.each(['en', 'zh'] as const)('so can the variable for a login service: %s', (language) => {
    const service = 'http://127.0.0.1:8080'

    const said = introduction(urls, { ...own, service })[language]

    expect(said).toContain('WXLOGIN_WECHAT_HOSTS=http://127.0.0.1:7412\n')
    expect(said).not.toContain('createAuth')
  })

  test('another path of the login routes is in it', () => {
    expect(introduction(urls, { ...own, authPath: '/auth' }).en).toContain(
      "baseUrl: 'http://127.0.0.1:7411', authPath: '/auth', appId:",
    )
  })
})
