// npm run demo: the example mini program logs in to the example backend, against an emulated WeChat. All of it is real
// code over real sockets on this machine; only WeChat's servers and the phone are emulated.
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { createMiniProgram } from './demo/mini-program.mjs'
import {
  createBackend,
  createFakeWeChat,
  createFakeWx,
  createMemoryStore,
  npm,
} from './demo/parts.mjs'
import { check, keepSecret, readable, say, step, until } from './demo/story.mjs'
import { playWebShop } from './demo/web-shop.mjs'

// Two clocks, so that the phone's can be wrong. WeChat and the backend share one.
let serverAheadMs = 0
let phoneAheadMs = 0
const serverNow = () => Date.now() + serverAheadMs
const phoneNow = () => Date.now() + phoneAheadMs
const minutes = 60_000

const wechat = createFakeWeChat({ now: serverNow })
const wechatServer = await wechat.listen()

const secret = randomBytes(48).toString('base64')
const prefetchPath = randomBytes(16).toString('hex')
const phoneNumber = '13800138000'
// What a shop is given in the WeChat console, and how it is told of purchases.
const { offerId, appKey } = wechat.shopOf()
const push = {
  token: 'demopushtoken',
  encodingAesKey: randomBytes(22).toString('hex').slice(0, 43),
}
for (const text of [
  secret,
  wechat.app.appSecret,
  wechat.openidOf('user-1'),
  wechat.openidOf('user-5'),
  phoneNumber,
  appKey,
  push.encodingAesKey,
]) {
  keepSecret(text)
}

const store = createMemoryStore({ now: serverNow })
const { app } = createBackend(
  {
    apps: [wechat.app],
    secret,
    prefetchPath,
    store,
    wechatHosts: [wechatServer.url],
    now: serverNow,
    onEvent: reportWeChatCall,
  },
  { payment: { offerId, appKey, env: 0, ...push } },
)
const backend = app.listen(0, '127.0.0.1')
await new Promise((listening) => backend.once('listening', listening))
const backendUrl = `http://127.0.0.1:${backend.address().port}`

/** Every request of the phone since the last look: `POST /wx/login 200`. */
let seen = []
/** Everything that the phone was ever sent. */
let received = ''

const { wx, miniProgram } = phoneOf('user-1')

try {
  await play()
  say('\nEverything above was checked while it happened.')
} catch (error) {
  console.error(`\nFAILED: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  backend.closeAllConnections()
  backend.close()
  await wechatServer.close()
}

async function play() {
  say(`backend          ${backendUrl} (examples/express)`)
  say(`emulated WeChat  ${wechatServer.url}`)
  say('phone            examples/miniprogram, compiled as DevTools does')

  step('The mini program is launched and logs in silently')
  miniProgram.launch()
  const page = miniProgram.open('pages/index/index')
  await until(() => page.data.isLoggedIn, 'the login at launch')
  check(wx.control.calls.login === 1, 'wx.login was called once')
  check(wechat.calls.length === 1, 'the backend exchanged one code at WeChat')
  expectWire('POST /wx/login 200')
  const [[key, record]] = wx.control.storage
  say(`  phone stored under "${key}": ${readable(record)}`)
  say(`  screen: ${page.data.status}`)

  step('The button 查询 is tapped')
  await page.tap('查询')
  const orders = JSON.stringify(page.data.orders)
  expectWire('GET /orders 200')
  check(page.data.orders.length === 1, 'the orders are on the screen')
  say(`  screen: ${orders}`)

  step('16 minutes later the access token has expired')
  serverAheadMs += 16 * minutes
  phoneAheadMs += 16 * minutes
  await page.tap('查询')
  expectWire('POST /wx/refresh 200', 'GET /orders 200')
  check(JSON.stringify(page.data.orders) === orders, 'the same orders are on the screen')
  check(wx.control.calls.login === 1, 'no new wx.login was needed')

  step("The token expires again, and the phone's clock is slow, so the phone does not know")
  serverAheadMs += 16 * minutes
  phoneAheadMs += 1 * minutes
  await page.tap('查询')
  expectWire('GET /orders 401', 'POST /wx/refresh 200', 'GET /orders 200')
  check(JSON.stringify(page.data.orders) === orders, 'one refresh, one replay, the same orders')

  step('The backend loses its sessions, and ten requests start at once')
  serverAheadMs += 16 * minutes
  phoneAheadMs += 1 * minutes
  const sessions = await store.list('1')
  await Promise.all(sessions.map(({ id }) => store.delete(id)))
  const loginsBefore = wx.control.calls.login
  const { client } = miniProgram.require('client')
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => client.request({ url: '/orders' })),
  )
  check(
    tally(takeWire()) ===
      '10 × GET /orders 200, 10 × GET /orders 401, 1 × POST /wx/login 200, 1 × POST /wx/refresh 400',
    'ten refusals caused one refresh and, as the session is unknown, one login; each was replayed once',
  )
  check(
    answers.every(({ data }) => JSON.stringify(data) === orders),
    'all ten requests have their data',
  )
  const logins = wx.control.calls.login - loginsBefore
  say(`  calls of wx.login: ${logins}`)
  check(logins === 1, 'the ten requests caused one wx.login')

  step('The button 退出 is tapped, then 查询')
  await page.tap('退出')
  await until(() => !page.data.isLoggedIn, 'the logout')
  expectWire('POST /wx/logout 204')
  check((await store.list('1')).length === 0, 'the backend has ended the session')
  await page.tap('查询')
  const refusal = await client.request({ url: '/orders' }).catch((error) => error)
  expectWire()
  check(refusal.code === 'signed_out', 'a request rejects with signed_out, and nothing is sent')
  check(wx.control.calls.login === loginsBefore + logins, 'nothing logs in by itself')
  say(`  screen: ${page.data.status} · ${page.data.message}`)

  step('The button 登录 is tapped, then 绑定手机号')
  await page.tap('登录')
  takeWire()
  await page.tap('绑定手机号', { detail: phoneCodeOf('user-1') })
  expectWire('POST /wx/phone 200', 'GET /orders 200')
  say(`  screen: ${page.data.status}`)

  step('On another phone a guest binds the same phone number')
  const guest = phoneOf('user-2')
  guest.miniProgram.launch()
  const guestPage = guest.miniProgram.open('pages/index/index')
  await until(() => guestPage.data.isLoggedIn, 'the login of the guest')
  say(`  screen: ${guestPage.data.status}`)
  takeWire()
  await guestPage.tap('绑定手机号', { detail: phoneCodeOf('user-2') })
  expectWire('POST /wx/phone 200', 'GET /orders 200')
  check(
    guestPage.data.status === page.data.status,
    'the guest goes on as the customer of this number',
  )
  check(guestPage.data.orders.length === 2, 'with the orders of both')
  say(`  screen: ${guestPage.data.status} · ${JSON.stringify(guestPage.data.orders)}`)

  await playWebShop({ miniProgram, backendUrl, takeWire })

  await letPcIn(page)
  await compareLaunches()
  await buyMemberships()

  const users = ['user-1', 'user-2', 'user-3', 'user-4', 'user-5']
  const untold = users.flatMap((user) => [wechat.openidOf(user), wechat.sessionKeyOf(user)])
  check(
    [wechat.app.appSecret, appKey, ...untold].every((text) => !received.includes(text)),
    'neither AppSecret nor AppKey nor openid nor session_key ever reached a phone',
  )
}

/** The phone scans a code on the screen of a PC, and confirms (小程序扫码登录). */
async function letPcIn(phonePage) {
  step('A PC shows a code, and the phone lets it in')
  const pc = browserOf(backendUrl)
  await pc.ask('GET', '/pc')
  await pc.ask('GET', '/pc/page.js')
  const started = JSON.parse((await pc.ask('POST', '/pc/start')).text)
  const bytes = Buffer.from(started.picture.split(',')[1], 'base64')
  check(
    bytes.subarray(1, 4).toString() === 'PNG',
    `the PC shows a picture of ${bytes.length} bytes`,
  )
  const { page: path, scene } = wechat.scan(bytes)
  check(
    scene.length <= 32,
    `the phone scans it: ${path} with a scene of ${scene.length} characters`,
  )
  check((await pc.ask('POST', '/pc/poll')).status === 202, 'until then the PC waits')

  const letIn = miniProgram.open(path, { scene })
  await until(() => letIn.data.isOpen, 'the page that confirms')
  const { clientName, page, place, time } = letIn.data
  say(`  screen: ${clientName} · ${page} · ${place} · ${time}`)
  await letIn.tap('允许登录')
  expectWire('GET /wx/device 200', 'POST /wx/device/decision 204')
  say(`  screen: ${letIn.data.message}`)
  serverAheadMs += 2000
  check((await pc.ask('POST', '/pc/poll')).status === 200, 'the next poll of the PC is answered')

  const me = JSON.parse((await pc.ask('GET', '/pc/me')).text)
  check(phonePage.data.status.endsWith(me.name), `the PC shows who it is, ${me.name}, and waits`)
  check(
    (await pc.ask('GET', '/pc/orders')).status === 403,
    'before that is confirmed it shows no order',
  )
  await pc.ask('POST', '/pc/continue')
  const pcOrders = JSON.parse((await pc.ask('GET', '/pc/orders')).text)
  check(
    JSON.stringify(pcOrders) === JSON.stringify(await ordersOn(phonePage)),
    'then those that the phone shows',
  )
  check(
    !/eyJ|token"|device_code/.test(pc.received()) &&
      pc.cookies().every((line) => /HttpOnly/.test(line)),
    'no script of the page ever saw a token: the backend has them, and the cookies are HttpOnly',
  )

  const { client } = miniProgram.require('client')
  await client.logout({ everywhere: true })
  check(
    (await pc.ask('GET', '/pc/me')).status === 401,
    'signing out everywhere on the phone ends the PC',
  )
  takeWire()
}

async function ordersOn(page) {
  await page.tap('查询')
  return page.data.orders
}

/** A browser: it keeps cookies, and remembers everything that a script of its page could read. */
function browserOf(url) {
  const jar = new Map()
  const lines = []
  let received = ''
  return {
    received: () => received,
    cookies: () => lines,
    async ask(method, path) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = { cookie, 'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Chrome/140' }
      const response = await fetch(url + path, { method, headers })
      for (const line of response.headers.getSetCookie()) {
        lines.push(line)
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
        jar.set(name, value)
      }
      const text = await response.text()
      received += text
      say(`  PC → backend     ${method} ${path} ${response.status}`)
      return { status: response.status, text }
    },
  }
}

/** From the launch to the first data on the screen: as usual, and where WeChat fetched the login ahead (数据预拉取). */
async function compareLaunches() {
  step('Two more phones open the mini program; for one of them WeChat has fetched the login ahead')
  const usual = phoneOf('user-3')
  usual.miniProgram.launch()
  const usualPage = usual.miniProgram.open('pages/index/index')
  await usualPage.tap('查询')
  const usualWire = takeWire()
  check(usualPage.data.orders.length === 1, 'as usual: the orders are on the screen')

  const ahead = phoneOf('user-4')
  const { body } = await wechat.prefetch(`${backendUrl}/wx/${prefetchPath}/prefetch`, 'user-4')
  say('  WeChat → backend GET /wx/…/prefetch 200, before the mini program has loaded')
  received += body
  ahead.wx.control.prefetch(body)
  ahead.miniProgram.launch()
  const aheadPage = ahead.miniProgram.open('pages/index/index')
  await until(() => aheadPage.data.orders.length === 1, 'the data that was fetched ahead')
  const aheadWire = takeWire()
  check(aheadPage.data.isLoggedIn, 'fetched ahead: logged in, and the orders are on the screen')

  say('                   calls of wx.login   requests of the phone up to the first data')
  say(
    `  as usual         ${usual.wx.control.calls.login}                   ${usualWire.length} (${usualWire.join(', ')})`,
  )
  say(`  fetched ahead    ${ahead.wx.control.calls.login}                   ${aheadWire.length}`)
  check(
    ahead.wx.control.calls.login === 0 && aheadWire.length === 0,
    'the pre-fetched launch needed neither wx.login nor a request',
  )
  await aheadPage.tap('查询')
  expectWire('GET /orders 200')
}

/** Virtual payment (虚拟支付): a notification that comes twice, and one that never comes. */
async function buyMemberships() {
  step('The button 开通会员 is tapped: a fresh code goes with the order, and its key signs')
  wechat.publishGoods('vip_year', 9900)
  await wechat.setPush({ url: `${backendUrl}/wechat/push`, ...push })
  const { wx, miniProgram } = phoneOf('user-5')
  miniProgram.launch()
  const page = miniProgram.open('pages/index/index')
  await until(() => page.data.isLoggedIn, 'the login')
  const keyOfLogin = wechat.sessionKeyOf('user-5')
  takeWire()
  await page.tap('开通会员')
  expectWire('POST /membership 200', 'GET /membership 200')
  const [first] = wx.control.payments
  check(wechat.sessionKeyOf('user-5') !== keyOfLogin, 'the code of the order brought a new key')
  check(first?.errCode === 0, 'WeChat accepts both signatures, and the user pays')
  check(page.data.years === 0, 'that alone makes nobody a member')
  const cheaper = { ...first, signData: first.signData.replace('9900', '1') }
  const { errCode } = wechat.requestVirtualPayment('user-5', cheaper)
  check(errCode === -15006, 'WeChat refuses the same order at another price (-15006)')

  step('WeChat tells the backend twice at once that it was paid')
  const { url, method, headers, body } = wechat.pushFor(JSON.parse(first.signData).outTradeNo)
  const answers = await Promise.all(
    [1, 2].map(async () => {
      const response = await fetch(url, { method, headers, body })
      return `${response.status} ${await response.text()}`
    }),
  )
  say(`  WeChat → backend POST /wechat/push, encrypted, twice: ${answers.join(', ')}`)
  check(answers.join() === '200 success,200 success', 'both are accepted')
  await page.tap('查看')
  check(page.data.years === 1, 'and one year is granted')
  const [third] = await wechat.deliverPushes()
  await page.tap('查看')
  check(third?.isAccepted && page.data.years === 1, 'a third time changes nothing')
  expectWire('GET /membership 200', 'GET /membership 200')

  step(
    '开通会员 is tapped again, the answer to the payment is lost, and WeChat never tells the backend',
  )
  wx.control.onPayment('drop-answer', { times: 1 })
  await page.tap('开通会员')
  check(wechat.losePushes() === 1, 'the user has paid, and the notification is lost')
  say(`  screen: ${page.data.years} · ${page.data.message}`)
  check(page.data.message !== '', 'the screen says that it is not known whether it was paid')
  serverAheadMs += 15_000
  phoneAheadMs += 15_000
  await page.tap('查看')
  check(page.data.years === 2, 'the backend asks WeChat for the order, and grants the second year')
  const asked = wechat.calls.slice(-2).map(({ path }) => path)
  check(
    asked.join() === '/xpay/query_order,/xpay/notify_provide_goods',
    'WeChat was told that it is delivered',
  )
  await page.tap('查看')
  check(page.data.years === 2, 'asking again grants nothing more')
  takeWire()
}

/** A phone of this user, with the example mini program on it. */
function phoneOf(user) {
  const wx = Object.assign(
    createFakeWx({
      user,
      wechat: { codeFor: giveCode, requestVirtualPayment: wechat.requestVirtualPayment },
      network: carry,
      clock: { now: phoneNow, setTimeout, clearTimeout },
    }),
    { getDeviceInfo: () => ({ model: 'iPhone 15' }) },
  )
  const folder = fileURLToPath(new URL('miniprogram', import.meta.url))
  return { wx, miniProgram: createMiniProgram({ folder, wx, npm, now: phoneNow }) }
}

/** What the phone button gives when this user agrees. All of them have the same number. */
function phoneCodeOf(user) {
  const code = wechat.phoneCodeFor(user, { phoneNumber })
  keepSecret(code)
  return { code, errMsg: 'getPhoneNumber:ok' }
}

/** What `wx.login` on the phone asks of WeChat. */
function giveCode(user, choice) {
  const code = wechat.codeFor(user, choice)
  keepSecret(code)
  say(`  wx.login gave a code (${code.length} characters)`)
  return code
}

/** The phone's network: the address in the mini program's code leads to the backend of this run. */
async function carry({ url, method, header, body, signal }) {
  const { pathname, search } = new URL(url)
  const startedAt = performance.now()
  const response = await fetch(backendUrl + pathname + search, {
    method,
    headers: header,
    body,
    signal,
  })
  const text = await response.text()
  const line = `${method} ${pathname} ${response.status}`
  seen.push(line)
  received += text
  say(`  phone → backend  ${line.padEnd(24)} ${Math.round(performance.now() - startedAt)} ms`)
  if (pathname.startsWith('/wx/')) say(`    ${readable(body)}\n    ${readable(text)}`)
  return { statusCode: response.status, header: Object.fromEntries(response.headers), body: text }
}

function reportWeChatCall(event) {
  if (event.type !== 'wechat') return
  const { method, path, status } = wechat.calls.at(-1)
  say(
    `  backend → WeChat ${`${method} ${path} ${status}`.padEnd(24)} ${Math.round(event.durationMs)} ms`,
  )
}

function takeWire() {
  const lines = seen
  seen = []
  return lines
}

function expectWire(...expected) {
  const found = takeWire()
  const wanted = expected.join(', then ') || 'nothing'
  const details = `There went ${found.join(', ') || 'nothing'}`
  check(found.join() === expected.join(), `over the wire went ${wanted}`, details)
}

/** For requests that overtake each other: how many of each. */
function tally(lines) {
  const counts = new Map()
  for (const line of lines.sort()) counts.set(line, (counts.get(line) ?? 0) + 1)
  return [...counts].map(([line, count]) => `${count} × ${line}`).join(', ')
}
