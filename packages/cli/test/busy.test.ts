import { createFakeWeChat } from '@wxlogin/server/testing'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createBusy } from '../src/busy.js'
import { folderWith, listen, wxlogin } from './set-up.js'

describe('on a terminal', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function terminal(columns = 80) {
    const written: string[] = []
    return { written, columns, write: (text: string) => written.push(text) }
  }

  test('what takes its time is said, moves, and is gone afterwards', () => {
    const screen = terminal()

    const done = createBusy(screen)('Asking WeChat')
    vi.advanceTimersByTime(1_000)
    done()
    vi.advanceTimersByTime(1_000)

    expect(screen.written).toHaveLength(8)
    expect(screen.written[0]).toBe('\r\u001b[K⠋ Asking WeChat …')
    expect(screen.written[1]).not.toBe(screen.written[0])
    expect(screen.written.at(-1)).toBe('\r\u001b[K')
  })

  test('what is quick is not mentioned', () => {
    const screen = terminal()

    const done = createBusy(screen)('Asking WeChat')
    vi.advanceTimersByTime(300)
    done()
    vi.advanceTimersByTime(1_000)

    expect(screen.written).toEqual([])
  })

  test('a narrow one gets one line, in Chinese as well', () => {
    const screen = terminal(20)

    createBusy(screen)('正在查找小程序里的机密')
    vi.advanceTimersByTime(400)

    expect(screen.written[0]).toBe('\r\u001b[K⠋ 正在查找小程序')
  })

  test('without one nothing is said', () => {
    const done = createBusy(undefined)('Asking WeChat')

    expect(vi.getTimerCount()).toBe(0)
    expect(done).not.toThrow()
  })
})

describe('what waits says so, and that ends', () => {
  async function told(args: readonly string[], files: Readonly<Record<string, string>> = {}) {
    const said: string[] = []
    let open = 0
    const busy = (text: string) => {
      said.push(text)
      open++
      return () => {
        open--
      }
    }
    const ran = await wxlogin(args, { cwd: folderWith({ 'a.js': '', ...files }), busy })
    return { said, open, ran }
  }

  test('scan', async () => {
    expect(await told(['scan'])).toMatchObject({ said: ['Looking through the files'], open: 0 })
  })

  test('doctor, with a backend and with WeChat', async () => {
    const wechat = createFakeWeChat()
    const server = await wechat.listen()
    onTestFinished(() => server.close())
    const url = await listen((_request, response) => response.end('{}'))
    const { appId, appSecret } = wechat.app

    const { said, open, ran } = await told(
      ['doctor', '--url', url, '--online', '--wechat-host', server.url],
      {
        'server/package.json': '{}',
        'server/main.js': `import '@wxlogin/server'\ncreateAuth({ apps: [{ appId: '${appId}', appSecret: '${appSecret}' }] })`,
        'app/app.json': '{ "pages": [] }',
      },
    )

    expect(said).toEqual([
      'Reading the project',
      'Looking for secrets in the mini program',
      'Asking the backend',
      'Asking WeChat',
    ])
    expect(open).toBe(0)
    expect(ran.out).toMatch(/checks were made/)
  })

  test('what fails, too', async () => {
    const { open, ran } = await told(['doctor', '--url', 'http://127.0.0.1:1'])

    expect([open, ran.exit]).toEqual([0, 1])
  })
})
