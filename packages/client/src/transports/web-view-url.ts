import { ClientError, isText } from '../errors.js'
import type { NativeCall, RequestOptions, Send } from './send.js'

export interface WebViewSettings {
  /**
   * Your own route that issues tickets, by `auth.tickets.issue`: it gets `POST` with `{ audience }`, the origin of the
   * page, and answers `{ ticket }`.
   */
  ticketUrl: string
  /** The origins of your own pages, `'https://shop.example.com'` for example. No other page gets a ticket. */
  origins: readonly string[]
}

/** Adds a ticket to the fragment of a page's url, which neither servers nor other pages are told. */
export const createWebViewUrl = (
  webView: WebViewSettings | undefined,
  originOf: (url: string) => string,
  send: Send,
  call: NativeCall,
): ((url: string) => Promise<string>) => {
  const { ticketUrl: url, origins = [] }: WebViewSettings = Object(webView)

  return (page) => {
    const audience = originOf(page)
    // Any link may have brought the page here.
    if (!audience || origins.map(originOf).indexOf(audience) < 0) {
      return Promise.reject(new ClientError('config', {}, 'not in webView.origins'))
    }
    const options: RequestOptions = { url, method: 'POST', data: { audience } }
    return send<{ data: unknown }>({ options, call }).then(({ data }) => {
      const { ticket } = Object(data)
      if (!isText(ticket)) throw new ClientError('config', {}, 'no ticket of webView.ticketUrl')
      const member = `ticket=${encodeURIComponent(ticket)}`
      // A page that has its routes in the fragment finds it there as in a query. Before all other members, for one of
      // them may be a ticket that somebody has put into the link.
      return page.replace(/#(?=[^?]*[=&])|#[^?]*\??|$/, (before) =>
        /[#?]$/.test(before) ? `${before}${member}&` : `${before}${before ? '?' : '#'}${member}`,
      )
    })
  }
}
