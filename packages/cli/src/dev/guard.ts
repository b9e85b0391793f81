import type { IncomingMessage } from 'node:http'

/**
 * Whether a request comes from the page itself. Any site may send something to loopback from this machine's browser, and
 * may even give loopback a name of its own: so the name has to be one of loopback's, and what changes something has to
 * say that it comes from here.
 */
export function isFromPage({ method, headers }: IncomingMessage): boolean {
  const { host = '', origin, 'sec-fetch-site': site } = headers
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)) return false
  if (origin !== undefined && origin !== `http://${host}`) return false
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return method === 'GET' || method === 'HEAD' || origin !== undefined
}
