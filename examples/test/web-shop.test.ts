import { randomBytes } from 'node:crypto'
import { createFakeWeChat, signIn } from '@wxlogin/server/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createWebView } from '../demo/web-view.mjs'
import { createBackend } from '../express/app.ts'
import { listen } from './set-up.ts'

const webOrigin = 'https://shop.example.com'

/** The example backend, and somebody who is logged in to the mini program. */
async function setUp() {
  const wechat = createFakeWeChat()
  const { app, auth } = createBackend(
    { apps: [wechat.app], secret: randomBytes(48).toString('base64'), fetch: wechat.fetch },
    { webOrigin },
  )
  const url = await listen(app)

  const logIn = (person: string) => auth.login({ code: wechat.codeFor(person) })
  const askForTicket = (accessToken: string, audience = webOrigin) =>
    fetch(`${url}/tickets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ audience }),
    })
  /** The link that the web-view of this person gets. */
  async function linkFor(accessToken: string): Promise<string> {
    const { ticket } = Object(await (await askForTicket(accessToken)).json())
    return `${webOrigin}/h5/#ticket=${ticket}`
  }
  const log: string[] = []
  const webView = () =>
    createWebView({ addressOf: () => url, onRequest: (line) => void log.push(line) })
  const post = (ticket: unknown, cookie?: string) =>
    fetch(`${url}/h5/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(cookie && { cookie }) },
      body: JSON.stringify({ ticket }),
    })
  return { auth, url, logIn, askForTicket, linkFor, webView, post, log }
}

const shopCookie = (response: Response) =>
  response.headers.getSetCookie().find((line) => line.startsWith('web_shop='))

test('the page knows who has opened it, and goes on knowing by its cookie', async () => {
  const { logIn, linkFor, webView } = await setUp()
  const { access_token } = await logIn('alice')
  const browser = webView()

  const first = await browser.open(await linkFor(access_token))
  const later = await browser.open(`${webOrigin}/h5/`)

  expect(first.textAt('#status')).toBe('已登录：顾客 1 号')
  expect(first.textAt('#orders')).toBe('新人拿铁 ¥9.9')
  expect(later.textAt('#status')).toBe('已登录：顾客 1 号')
  expect(first.address()).toBe(`${webOrigin}/h5/`)
})

test('no other page gets a ticket, and nobody who is not logged in', async () => {
  const { logIn, askForTicket } = await setUp()
  const { access_token } = await logIn('alice')

  expect((await askForTicket(access_token, 'https://evil.example.com')).status).toBe(403)
  expect((await askForTicket('junk')).status).toBe(401)
})

test('the same request again within ten seconds, by the same cookie, has the first result', async () => {
  const { logIn, linkFor, post } = await setUp()
  const { access_token } = await logIn('alice')
  const [, ticket] = (await linkFor(access_token)).split('ticket=')

  const answers = await Promise.all([1, 2, 3].map(() => post(ticket, 'visit=v1')))

  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204])
  expect(new Set(answers.map(shopCookie)).size).toBe(1)
  expect(shopCookie(answers[0] as Response)).toMatch(/; Path=\/h5; HttpOnly; Secure; SameSite=Lax$/)
})

test('after ten seconds it has not, and by another cookie never', async () => {
  const { logIn, linkFor, post } = await setUp()
  const { access_token } = await logIn('alice')
  const [, ticket] = (await linkFor(access_token)).split('ticket=')
  await post(ticket, 'visit=v1')

  const other = await post(ticket, 'visit=v2')
  const now = Date.now()
  vi.spyOn(Date, 'now').mockImplementation(() => now + 10_001)
  onTestFinished(() => void vi.restoreAllMocks())
  const late = await post(ticket, 'visit=v1')

  for (const answer of [other, late]) {
    expect([answer.status, await answer.json(), shopCookie(answer)]).toEqual([
      400,
      { error: 'invalid_grant', reason: 'used' },
      undefined,
    ])
  }
})

test('a page that was never opened here has no visit, and can redeem nothing', async () => {
  const { logIn, linkFor, post, webView } = await setUp()
  const { access_token } = await logIn('alice')
  const link = await linkFor(access_token)

  expect((await post(link.split('ticket=')[1])).status).toBe(400)

  expect((await webView().open(link)).textAt('#status')).toBe('已登录：顾客 1 号')
})

test('who signs out in the mini program is signed out on the page', async () => {
  const { auth, logIn, linkFor, webView } = await setUp()
  const { access_token, refresh_token } = await logIn('alice')
  const browser = webView()
  await browser.open(await linkFor(access_token))

  await auth.logout({ refreshToken: refresh_token })

  expect((await browser.open(`${webOrigin}/h5/`)).textAt('#status')).toBe('请从小程序打开')
})

test('a link that no longer works shows nobody, not even who was there before', async () => {
  const { logIn, linkFor, webView } = await setUp()
  const alice = await logIn('alice')
  const bob = await logIn('bob')
  const browser = webView()
  await browser.open(await linkFor(alice.access_token))
  const used = await linkFor(bob.access_token)
  await webView().open(used)

  expect((await browser.open(used)).textAt('#status')).toBe('请从小程序重新打开')
})

test('another user on the same phone takes the place of the first', async () => {
  const { logIn, linkFor, webView } = await setUp()
  const browser = webView()
  await browser.open(await linkFor((await logIn('alice')).access_token))

  const page = await browser.open(await linkFor((await logIn('bob')).access_token))

  expect(page.textAt('#status')).toBe('已登录：顾客 2 号')
})

test('neither a log of the page nor its scripts see a ticket or a cookie', async () => {
  const { auth, linkFor, webView, log, url } = await setUp()
  const { accessToken } = await signIn(auth, { openid: 'carol', userId: '1' })
  const link = await linkFor(accessToken)

  const page = await webView().open(link)
  const { headers } = await fetch(`${url}/h5/`)

  expect(log).toContain('POST /h5/session 204')
  expect(log.join()).not.toContain(link.split('ticket=')[1])
  expect(page.scriptCookies()).toBe('')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
  expect(headers.get('content-security-policy')).toContain("script-src 'self'")
})
