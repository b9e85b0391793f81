import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * Whose request it is. Each proxy adds the address that it saw to the end of `X-Forwarded-For`; what stands before those
 * of our own proxies is whatever the caller wrote.
 */
export function callerAddress(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  trustedProxies: number,
): string | undefined {
  const seen = socket.remoteAddress && addressIn(socket.remoteAddress)
  if (trustedProxies === 0) return seen
  const forwarded = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((entry) => addressIn(entry.trim()))
  const entry = forwarded.at(-trustedProxies) ?? forwarded[0]
  return entry || seen
}

/** Some proxies write the port behind it, and what listens for both versions writes IPv4 as IPv6 (RFC 4291 §2.5.5.2). */
function addressIn(entry: string): string {
  const [, bare = entry] =
    /^\[([^\]]+)\](?::\d+)?$/.exec(entry) ?? /^([\d.]+):\d+$/.exec(entry) ?? []
  const [, mapped = bare] = /^::ffff:([\d.]+)$/i.exec(bare) ?? []
  return isIP(mapped) ? mapped : ''
}
