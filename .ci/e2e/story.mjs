// What happens on the phone, and what has to be seen: on the screen, and on the wire.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createBackend, createFakeWeChat } from '../../examples/demo/parts.mjs'
import { servePhone } from './server.mjs'
import { createWitness } from './witness.mjs'

const minutes = 60_000

/**
 * Plays one build of the example, with a backend and an emulated WeChat of its own. Rejects at the first thing that does
 * not hold.
 *
 * @param {object} options
 * @param {import('playwright-core').Browser} options.browser
 * @param {string} options.folder A compiled mini program.
 * @param {string} options.toolFolder Where glass-easel is installed.
 * @param {(page: object, title: string) => Promise<void>} options.shoot
 * @param {(line: string) => void} options.say
 */
export async function play({ browser, folder, toolFolder, shoot, say }) {
  let serverAheadMs = 0
  let backendUrl = ''
  const serverNow = () => Date.now() + serverAheadMs
  const wechat = createFakeWeChat({ now: serverNow })
  const closing = []
  const { onRequest, watch, holds, shows, hides, sent, noErrors } = createWitness(say)

  try {
    await tell(await start())
  } finally {
    for (const close of closing.reverse()) await close()
  }

  async function tell(page) {
    say('launched')
    await shows(page, '已登录：顾客 1 号')
    await sent('POST /wx/login 200')
    await holds('wx.login was called once', (await logins(page)) === 1)

    say('查询 is tapped')
    await tap(page, '查询')
    await shows(page, '新人拿铁')
    await sent('GET /orders 200')
    await shoot(page, 'orders')

    say('the access token has expired, and the phone, whose clock is slow, does not know')
    await pass(page, 16 * minutes, 1 * minutes)
    await tap(page, '查询')
    await sent('GET /orders 401', 'POST /wx/refresh 200', 'GET /orders 200')

    say('the mini program is closed and opened again')
    await page.reload()
    await shows(page, '已登录：顾客 1 号')
    await tap(page, '查询')
    await shows(page, '新人拿铁')
    await sent('GET /orders 200')
    await holds('nothing logged in', (await logins(page)) === 0)

    say('退出 is tapped, then 查询')
    await tap(page, '退出')
    await shows(page, '已退出')
    await sent('POST /wx/logout 204')
    await tap(page, '查询')
    await shows(page, '你已退出登录，请点“登录”')
    await hides(page, '新人拿铁')
    await sent()
    await shoot(page, 'signed-out')

    say('登录 is tapped')
    await tap(page, '登录')
    await shows(page, '已登录：顾客 1 号')
    await sent('POST /wx/login 200')
    if (hasPage(folder, 'pages/let-in/let-in')) await letPcIn(page)
    await noErrors()
  }

  /** A second browser, of a PC: its page is the example's own, and polls by itself. */
  async function letPcIn(page) {
    say('a PC shows a code, and the phone scans it')
    const context = await browser.newContext({ locale: 'zh-CN' })
    closing.push(() => context.close())
    const pc = await context.newPage()
    pc.setDefaultTimeout(15_000)
    await pc.goto(`${backendUrl}/pc`)
    await shows(pc, '用微信扫一扫，在手机上确认登录')
    await pc.waitForFunction(() => document.querySelector('#picture').naturalWidth > 0)
    const source = await pc.locator('#picture').getAttribute('src')
    const { page: path, scene } = wechat.scan(Buffer.from(source.split(',')[1], 'base64'))
    await page.evaluate(([path, scene]) => globalThis.phone.scan(path, scene), [path, scene])
    await shows(page, '要在这台电脑上登录你的账号吗？')
    await shows(page, 'Chrome · Linux')
    await hides(page, '这个码不是用相机扫的。如果是别人发给你的，请拒绝。')
    await sent(`GET /wx/device?scene=${scene} 200`)
    await shoot(page, 'let-in')

    say('允许登录 is tapped')
    await tap(page, '允许登录')
    await shows(page, '已允许，请看电脑')
    await sent('POST /wx/device/decision 204')
    await pc.getByText('将以 顾客 1 号 的身份登录这台电脑').waitFor()
    say('  ✓ the PC shows whose account it is, and waits')
    await pc.locator('#continue').click()
    await shows(pc, '新人拿铁 ¥9.9')
    const seen = await pc.evaluate(() => [document.cookie, JSON.stringify({ ...localStorage })])
    await holds('no script of the PC sees a cookie or a token', seen.join() === ',{}')

    say('the PC is left')
    await pc.locator('#log-out').click()
    await shows(pc, '用微信扫一扫，在手机上确认登录')
  }

  async function start() {
    const wechatServer = await wechat.listen()
    closing.push(() => wechatServer.close())

    const { app } = createBackend({
      apps: [wechat.app],
      secret: randomBytes(48).toString('base64'),
      wechatHosts: [wechatServer.url],
      now: serverNow,
    })
    const backend = app.listen(0, '127.0.0.1')
    await new Promise((listening) => backend.once('listening', listening))
    closing.push(() => {
      backend.closeAllConnections()
      backend.close()
    })

    backendUrl = `http://127.0.0.1:${backend.address().port}`

    const server = await servePhone({
      folder,
      toolFolder,
      backendUrl,
      newCode: () => wechat.codeFor('user-1'),
      onRequest,
    })
    closing.push(server.close)

    const context = await browser.newContext({
      viewport: { width: 375, height: 300 },
      deviceScaleFactor: 2,
      hasTouch: true,
      isMobile: true,
      locale: 'zh-CN',
    })
    closing.push(() => context.close())
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    watch(page)
    await page.goto(server.url)
    return page
  }

  /** Time goes by, for the server and for the phone. */
  async function pass(page, serverMs, phoneMs) {
    serverAheadMs += serverMs
    await page.evaluate((ms) => globalThis.phone.pass(ms), phoneMs)
  }
}

function hasPage(folder, path) {
  return existsSync(join(folder, `${path}.js`))
}

/** By touch, as a finger does it. */
async function tap(page, text) {
  await page.locator(`button:text-is("${text}")`).tap()
}

function logins(page) {
  return page.evaluate(() => globalThis.phone.logins)
}
