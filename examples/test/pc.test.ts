import { randomBytes } from 'node:crypto'
import { createFakeWx } from '@wxlogin/client/testing'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { expect, test, vi } from 'vitest'
import { createMiniProgram } from '../demo/mini-program.mjs'
import { createBackend } from '../express/app.ts'
import { buildNpm, here, listen, networkTo } from './set-up.ts'

const npm = buildNpm()

/** A backend, a browser on a PC, and a phone that scans what is on the PC's screen. */
async function setUp() {
  let ms = 1_800_000_000_000
  const now = () => ms
  const wechat = createFakeWeChat({ now })
  const { app, auth } = createBackend({
    apps: [wechat.app],
    secret: randomBytes(48).toString('base64'),
    fetch: wechat.fetch,
    now,
    onEvent: () => undefined,
  })
  const url = await listen(app)

  const wx = Object.assign(
    createFakeWx({
      wechat,
      user: 'alice',
      clock: { now, setTimeout, clearTimeout },
      network: networkTo(url),
    }),
    { getDeviceInfo: () => ({ model: 'iPhone 15' }) },
  )
  const miniProgram = createMiniProgram({ folder: here('../miniprogram'), wx, npm, now })
  miniProgram.launch()

  const browser = createBrowser(url)
  return {
    ...{ auth, wechat, browser, miniProgram, url },
    advance: (seconds: number) => {
      ms += seconds * 1000
    },
    /** What the phone shows that has scanned the code on the screen. */
    async scan() {
      const { picture } = await browser.read<{ picture: string }>('POST', '/pc/start')
      const bytes = Buffer.from(picture.replace('data:image/png;base64,', ''), 'base64')
      const { page, scene } = wechat.scan(bytes)
      const opened = miniProgram.open(page ?? '', { scene })
      await vi.waitFor(() =>
        expect([opened.data.isOpen, opened.data.message]).not.toEqual([false, '']),
      )
      return opened
    },
  }
}

/** A browser with its cookies. Everything that a script of the page could read is kept in `seen`. */
function createBrowser(url: string) {
  const cookies = new Map<string, string>()
  const setCookies: string[] = []
  let seen = ''

  async function ask(method: string, path: string) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url + path, {
      method,
      headers: { cookie, 'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Chrome/140' },
    })
    for (const line of response.headers.getSetCookie()) {
      setCookies.push(line)
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const text = await response.text()
    seen += text
    return { status: response.status, text }
  }

  return {
    ask,
    read: async <T>(method: string, path: string): Promise<T> =>
      JSON.parse((await ask(method, path)).text),
    cookies,
    setCookies,
    seen: () => seen,
  }
}

test('a PC is let in by the phone, and its page never sees a token', async () => {
  const { browser, scan, advance } = await setUp()
  await browser.ask('GET', '/pc')
  await browser.ask('GET', '/pc/page.js')
  const phone = await scan()
  expect(phone.data).toMatchObject({
    isOpen: true,
    clientName: 'Chrome · Windows',
    page: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/pc$/),
    place: '127.0.0.1',
  })
  expect((await browser.ask('POST', '/pc/poll')).status).toBe(202)

  await phone.tap('允许登录')
  advance(2)

  expect(phone.data.message).toBe('已允许，请看电脑')
  expect((await browser.ask('POST', '/pc/poll')).status).toBe(200)
  expect(await browser.read('GET', '/pc/me')).toEqual({ name: '顾客 1 号', isConfirmed: false })
  expect((await browser.ask('GET', '/pc/orders')).status).toBe(403)
  expect((await browser.ask('POST', '/pc/continue')).status).toBe(204)
  expect(await browser.read('GET', '/pc/orders')).toMatchObject([{ id: 'A-1001' }])
  expect(browser.seen()).not.toMatch(/eyJ|token"|device_code/)
  expect(browser.setCookies.length).toBeGreaterThan(0)
  for (const line of browser.setCookies) expect(line).toMatch(/HttpOnly; SameSite=Strict/)
})

test('a PC that the phone refuses says so', async () => {
  const { browser, scan, advance } = await setUp()
  const phone = await scan()

  await phone.tap('拒绝')
  advance(2)

  expect(phone.data).toMatchObject({ isOpen: false, message: '已拒绝' })
  expect(await browser.ask('POST', '/pc/poll')).toMatchObject({
    status: 410,
    text: '{"error":"access_denied"}',
  })
})

test('a code that is scanned too late is over on both sides', async () => {
  const { browser, scan, advance } = await setUp()
  const phone = await scan()
  advance(180)

  await phone.tap('允许登录')

  expect(phone.data).toMatchObject({ isOpen: false, message: '二维码已失效，请刷新后重新扫描' })
  expect((await browser.ask('POST', '/pc/poll')).status).toBe(410)
})

test('the PC goes on for hours, by refreshes that its page does not see', async () => {
  const { browser, scan, advance } = await setUp()
  await (await scan()).tap('允许登录')
  advance(2)
  await browser.ask('POST', '/pc/poll')
  await browser.ask('POST', '/pc/continue')

  for (let hours = 0; hours < 3; hours++) {
    advance(3600)
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => browser.ask('GET', '/pc/orders')),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  }
})

test('the PC is out at once when its user is signed out everywhere, and by its own button', async () => {
  const { auth, browser, scan, advance } = await setUp()
  await (await scan()).tap('允许登录')
  advance(2)
  await browser.ask('POST', '/pc/poll')
  expect(await auth.sessions.list('1')).toHaveLength(2)

  await auth.sessions.revoke({ userId: '1' })

  expect((await browser.ask('GET', '/pc/me')).status).toBe(401)
  expect(browser.cookies.has('pc')).toBe(false)
})

test('退出 on the PC ends its session and leaves the phone alone', async () => {
  const { auth, browser, scan, advance } = await setUp()
  await (await scan()).tap('允许登录')
  advance(2)
  await browser.ask('POST', '/pc/poll')

  expect((await browser.ask('POST', '/pc/logout')).status).toBe(204)

  expect(await auth.sessions.list('1')).toMatchObject([{ method: 'code' }])
  expect((await browser.ask('GET', '/pc/me')).status).toBe(401)
})

test('another browser cannot poll for a code that it did not ask for', async () => {
  const { scan, url, browser, advance } = await setUp()
  await (await scan()).tap('允许登录')
  advance(2)

  expect((await createBrowser(url).ask('POST', '/pc/poll')).status).toBe(410)
  expect((await browser.ask('POST', '/pc/poll')).status).toBe(200)
})

test('a code that did not come from the camera is warned of', async () => {
  const { wechat, auth } = await setUp()
  const { scene } = await auth.device.start()
  const wx = createFakeWx({
    wechat,
    user: 'mallory',
    network: async () => ({ statusCode: 500, header: {}, body: '' }),
  })
  const other = createMiniProgram({
    folder: here('../miniprogram'),
    wx: Object.assign(wx, {
      getDeviceInfo: () => ({ model: 'Pixel' }),
      getEnterOptionsSync: () => ({ scene: 1048 }),
    }),
    npm,
  })

  const page = other.open('pages/let-in/let-in', { scene })

  expect(page.data.warning).toContain('不是用相机扫的')
})
