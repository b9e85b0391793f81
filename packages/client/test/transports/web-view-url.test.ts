import { createClient } from '@wxlogin/client/full'
import { createFakeWx } from '@wxlogin/client/testing'
import { createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/fetch'
import { createFakeWeChat } from '@wxlogin/server/testing'
import { describe, expect, test } from 'vitest'
import { json, refusal } from '../backend.js'
import { networkTo } from '../networks.js'
import { setUpFull } from '../set-up.js'

const shop = 'https://shop.example.com'
const webView = { ticketUrl: '/tickets', origins: [shop] }

/** A backend whose route for tickets answers so. */
function setUpTickets(answer: unknown = { ticket: 'wxt.a.b.c' }, options = {}) {
  const setting = setUpFull({ webView, ...options })
  setting.backend.answer('/tickets', json(200, answer))
  return setting
}

test('a page of the app gets a ticket in its fragment, from the route of the app', async () => {
  const { client, backend } = setUpTickets()

  expect(await client.webViewUrl(`${shop}/cart?from=home`)).toBe(
    `${shop}/cart?from=home#ticket=wxt.a.b.c`,
  )

  const [request] = backend.seen('/tickets')
  expect(request?.body).toEqual({ audience: shop })
  expect(request?.header.authorization).toMatch(/^Bearer /)
})

test.each([
  [`${shop}/#/cart`, `${shop}/#/cart?ticket=wxt.a.b.c`],
  [`${shop}/#/cart?from=home`, `${shop}/#/cart?ticket=wxt.a.b.c&from=home`],
  [`${shop}/#tab=2`, `${shop}/#ticket=wxt.a.b.c&tab=2`],
  [`${shop}/#`, `${shop}/#ticket=wxt.a.b.c&`],
  [`${shop}/?a=1#top`, `${shop}/?a=1#top?ticket=wxt.a.b.c`],
  [shop, `${shop}#ticket=wxt.a.b.c`],
  ['HTTPS://Shop.Example.com/cart', 'HTTPS://Shop.Example.com/cart#ticket=wxt.a.b.c'],
])('%s becomes %s: nothing of it is in a query that a server sees', async (page, expected) => {
  const { client } = setUpTickets()

  const url = await client.webViewUrl(page)

  expect(url).toBe(expected)
  const parsed = new URL(url)
  expect(parsed.search).not.toContain('ticket')
  expect(/[#?&]ticket=([\w.-]+)/.exec(parsed.hash)?.[1]).toBe('wxt.a.b.c')
})

describe('a ticket of somebody else, in a link that the app was opened by, is not the one that the page finds', () => {
  test.each([
    '#ticket=evil',
    '#ticket=evil&',
    '#?ticket=evil',
    '#/cart?ticket=evil',
    '#/cart&ticket=evil?x=1',
    '#%74icket=evil&',
    '#?%74icket=evil',
    '#\n?tic\tket=evil',
    '#/cart?a=$&ticket=evil',
    '?#?ticket=evil#?ticket=evil',
  ])('%j', async (link) => {
    const { client } = setUpTickets()

    // As a browser reads it.
    const { hash } = new URL(await client.webViewUrl(`${shop}/${link}`))

    expect(/[#?&]ticket=([^&]+)/.exec(hash)?.[1]).toBe('wxt.a.b.c')
    const members = new URLSearchParams(hash.slice(1).replace(/^[^?=&]*\?/, ''))
    expect(members.get('ticket')).toBe('wxt.a.b.c')
  })
})

describe('no other page gets one, and nobody is asked for it', () => {
  test.each([
    'https://evil.example.com/cart',
    'https://shop.example.com.evil.example/cart',
    'https://shop.example.com:8443/cart',
    'http://shop.example.com/cart',
    'https://shop.example.com@evil.example/cart',
    'https://evil.example\\@shop.example.com/cart',
    'https://evil.example/#https://shop.example.com/cart',
    '//shop.example.com/cart',
    '/cart',
    'javascript:alert(1)//https://shop.example.com',
    ' https://shop.example.com/cart',
    '',
  ])('%j', async (page) => {
    const { client, backend } = setUpTickets()

    await expect(client.webViewUrl(page)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('webView.origins'),
    })

    expect(backend.seen('/tickets')).toHaveLength(0)
  })

  test('where no page is named, and for an origin that is none', async () => {
    const none = setUpFull()
    const wrong = setUpTickets(undefined, { webView: { ...webView, origins: ['shop', ''] } })

    for (const { client } of [none, wrong]) {
      await expect(client.webViewUrl('shop')).rejects.toMatchObject({ code: 'config' })
      await expect(client.webViewUrl(`${shop}/cart`)).rejects.toMatchObject({ code: 'config' })
    }
  })
})

test.each([undefined, null, {}, { ticket: '' }, { ticket: 7 }, 'a text'])(
  'an answer without a ticket, %j, is named, and no url is made of it',
  async (answer) => {
    const { client } = setUpTickets(answer ?? null)

    await expect(client.webViewUrl(`${shop}/cart`)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('webView.ticketUrl'),
    })
  },
)

test('a ticket stays one member of the fragment, whatever is in it', async () => {
  const { client } = setUpTickets({ ticket: 'a&b=c#d e' })

  expect(await client.webViewUrl(`${shop}/#/cart`)).toBe(`${shop}/#/cart?ticket=a%26b%3Dc%23d%20e`)
})

test('it rejects as the request for it does', async () => {
  const { client, backend } = setUpTickets()
  backend.answer('/tickets', refusal(403, 'insufficient_scope'))

  await expect(client.webViewUrl(`${shop}/cart`)).rejects.toMatchObject({
    code: 'insufficient_scope',
    statusCode: 403,
  })
})

test('an answer that is wrapped is unwrapped', async () => {
  const { client } = setUpTickets(
    { code: 0, data: { ticket: 't' } },
    { unwrap: ({ data }: { data: unknown }) => Object(data).data },
  )

  expect(await client.webViewUrl(shop)).toBe(`${shop}#ticket=t`)
})

test('against the real server the page learns who it is, once', async () => {
  const wechat = createFakeWeChat()
  const auth = createAuth({
    apps: [wechat.app],
    secret: 'Zb3vK9qR1tXw7LmN5pYc2HdJ8sFgA4eU6oTiVnQkBx0',
    fetch: wechat.fetch,
    onEvent: () => {},
  })
  const routes = authRoutes(auth, { basePath: '/wx' })
  const tickets = requireAuth(auth)(async (request) => {
    const { audience } = Object(await request.json())
    return Response.json({
      ticket: await auth.tickets.issue(sessionOf(request, auth), { audience }),
    })
  })
  const wx = createFakeWx({
    appId: wechat.app.appId,
    wechat,
    network: networkTo((request, pathname) =>
      (pathname === '/tickets' ? tickets : routes)(request),
    ),
  })
  const client = createClient({ baseUrl: 'https://api.example.com', wx, webView })

  const { hash } = new URL(await client.webViewUrl(`${shop}/cart`))
  const [, ticket] = /[#?&]ticket=([\w.-]+)/.exec(hash) ?? []

  expect(await auth.tickets.redeem(ticket, { audience: shop })).toMatchObject({
    userId: client.session()?.userId,
  })
  await expect(auth.tickets.redeem(ticket, { audience: shop })).rejects.toMatchObject({
    code: 'invalid_grant',
    reason: 'used',
  })
})
