// What happens in a browser, where there is no WeChat: the H5 build of an example, as it is built, against a backend with a
// password login of its own, through the translator.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { listenWithPasswords } from './password-backend.mjs'
import { createWitness } from './witness.mjs'

const minutes = 60_000
/** What the examples say; it becomes that of the backend as the files are served. */
const addressInExamples = 'http://127.0.0.1:3000'
const contentTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
}

/**
 * Plays one H5 build. Rejects at the first thing that does not hold.
 *
 * @param {object} options
 * @param {import('playwright-core').Browser} options.browser
 * @param {string} options.folder What the framework built.
 * @param {(page: object, title: string) => Promise<void>} options.shoot
 * @param {(line: string) => void} options.say
 */
export async function playOnWeb({ browser, folder, shoot, say }) {
  const { onRequest, watch, holds, shows, hides, sent, noErrors } = createWitness(say)
  const closing = []

  try {
    await tell(await start())
  } finally {
    for (const close of closing.reverse()) await close()
  }

  async function tell({ page, backend }) {
    const { username, password } = backend.account

    say('opened')
    await shows(page, '已退出')
    await holds('there is a form', (await page.locator('input').count()) === 2)
    await sent()

    say('查询 is tapped before anybody has logged in')
    await tap(page, '查询')
    await shows(page, '请先登录')
    await sent()

    say('a wrong password')
    await logIn(page, username, 'wrong')
    await shows(page, '用户名或密码不对')
    await sent('POST /auth/login 1001')
    await shoot(page, 'form')

    say('the right one')
    await logIn(page, username, password)
    await shows(page, '已登录：顾客 1 号')
    await hides(page, '用户名或密码不对')
    await sent('POST /auth/login 0')

    say('查询 is tapped')
    await tap(page, '查询')
    await shows(page, '新人拿铁')
    await sent('GET /orders 0')
    await shoot(page, 'orders')

    say('the page is loaded again')
    await page.reload()
    await shows(page, '已登录：顾客 1 号')
    await tap(page, '查询')
    await shows(page, '新人拿铁')
    await sent('GET /orders 0')

    say('the access token has died')
    backend.expireAccess()
    await pass(page, 10 * minutes)
    await tap(page, '查询')
    await sent('GET /orders 401', 'POST /auth/refresh 0', 'GET /orders 0')

    say('its time is over')
    await pass(page, 130 * minutes)
    await tap(page, '查询')
    await sent('POST /auth/refresh 0', 'GET /orders 0')

    say('退出 is tapped, then 查询')
    await tap(page, '退出')
    await shows(page, '已退出')
    await sent('POST /auth/logout 0')
    await tap(page, '查询')
    await shows(page, '你已退出登录，请点“登录”')
    await hides(page, '新人拿铁')
    await sent()

    say('logged in again, and the refresh token has died too')
    await logIn(page, username, password)
    await shows(page, '已登录：顾客 1 号')
    await sent('POST /auth/login 0')
    backend.expireAll()
    await pass(page, 10 * minutes)
    await tap(page, '查询')
    await shows(page, '已退出')
    await shows(page, '请先登录')
    await sent('GET /orders 401', 'POST /auth/refresh 401')
    await noErrors()
  }

  async function start() {
    const backend = await listenWithPasswords({ onRequest })
    closing.push(backend.close)
    const site = await serve(folder, backend.url)
    closing.push(site.close)

    const context = await browser.newContext({
      viewport: { width: 375, height: 400 },
      deviceScaleFactor: 2,
      hasTouch: true,
      isMobile: true,
      locale: 'zh-CN',
    })
    closing.push(() => context.close())
    // What a framework fetches from its own site.
    await context.route(
      ({ hostname }) => hostname !== '127.0.0.1',
      (route) => route.abort(),
    )
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    watch(page)
    await page.clock.install()
    await page.goto(site.url)
    return { page, backend }
  }

  async function logIn(page, username, password) {
    const [name, secret] = await page.locator('input').all()
    await name.fill(username)
    await secret.fill(password)
    await tap(page, '登录')
  }
}

/** The browser's clock goes on from there. */
async function pass(page, ms) {
  const now = await page.evaluate(() => Date.now())
  await page.clock.setSystemTime(now + ms)
}

/** By touch; a button is whatever the framework makes of one. */
async function tap(page, text) {
  await page.locator(`:is(button, uni-button, taro-button-core):text-is("${text}")`).tap()
}

/** The files on loopback, with the backend's address in place of the example's. */
async function serve(folder, backendUrl) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    const file = join(folder, pathname === '/' ? 'index.html' : pathname)
    const isThere = file.startsWith(folder) && existsSync(file) && statSync(file).isFile()
    if (!isThere) return response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end()
    const type = contentTypes[extname(file)]
    const content = readFileSync(file)
    response.writeHead(200, { 'content-type': type ?? 'application/octet-stream' })
    response.end(type ? content.toString().replaceAll(addressInExamples, backendUrl) : content)
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
