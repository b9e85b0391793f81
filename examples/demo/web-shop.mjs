// An H5 page in a web-view that knows the user by a ticket: a step of `npm run demo`.
import { check, keepSecret, say, step, until } from './story.mjs'
import { createWebView } from './web-view.mjs'

/**
 * @param {object} options
 * @param {import('./mini-program.mjs').MiniProgram} options.miniProgram Of a user who is logged in.
 * @param {string} options.backendUrl
 * @param {() => string[]} options.takeWire What the phone has sent since it was asked last.
 */
export async function playWebShop({ miniProgram, backendUrl, takeWire }) {
  step('The mini program opens an H5 page that knows the user by a ticket')
  /** @type {string[]} */
  const log = []
  const addressOf = () => backendUrl
  const browser = () =>
    createWebView({
      addressOf,
      onRequest(line) {
        log.push(line)
        say(`  web-view → page   ${line}`)
      },
    })
  takeWire()
  const opener = miniProgram.open('pages/web/web')
  await until(() => opener.data.url || opener.data.message, 'the ticket')
  const link = String(opener.data.url)
  const ticket = /#ticket=(.+)$/.exec(link)?.[1] ?? ''
  keepSecret(ticket)
  check(takeWire().join() === 'POST /tickets 200', 'the phone asked its backend for one ticket')
  check(
    /^wxt\.[\w.-]+$/.test(ticket) && !link.includes('eyJ'),
    'the address has a ticket in its fragment, and no token',
  )
  say(`  src of the web-view: ${link.replace(ticket, `(${ticket.length} characters)`)}`)

  const webView = browser()
  const page = await webView.open(link)
  say(`  screen: ${page.textAt('#status')} · ${page.textAt('#orders')}`)
  const shown = page.textAt('#status')
  check(/^已登录：顾客/.test(shown), 'the page knows the user, and shows their orders')
  check(!page.address().includes(ticket), 'the page has taken the ticket out of its address')
  check(page.scriptCookies() === '', 'its own cookies are HttpOnly: no script sees them')

  const reloaded = await webView.open(link)
  check(
    reloaded.textAt('#status') === shown,
    'opened again at once, by the same cookie, the page shows the first result',
  )

  const forwarded = await browser().open(link)
  check(
    forwarded.textAt('#status') === '请从小程序重新打开',
    'the same link in another browser shows nothing: the ticket is used',
  )
  check(!log.join().includes(ticket), 'in no line of the log of the page is the ticket')
  opener.close()
}
