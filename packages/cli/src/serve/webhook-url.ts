import { BlockList, isIP } from 'node:net'
import type { Text } from '../text.js'

const ownNetworks = new BlockList()
for (const [network, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  // RFC 6598: the pods of some clouds.
  ['100.64.0.0', 10],
] as const) {
  ownNetworks.addSubnet(network, bits, 'ipv4')
}
ownNetworks.addAddress('::1', 'ipv6')
ownNetworks.addSubnet('fc00::', 7, 'ipv6')

/** The names of services of one network: a single word, and what no public name server has. */
const ownName = /^[a-z0-9_-]+$|\.(internal|local|localhost|svc|cluster\.local|lan|home\.arpa)$/i

/** What is wrong with where a webhook is sent. `undefined` if nothing is. */
export function wrongInWebhookUrl(given: unknown): Text | undefined {
  const example = 'https://api.example.com/hooks/wxlogin'
  if (typeof given !== 'string' || !URL.canParse(given) || !/^https?:\/\//i.test(given)) {
    return {
      en: `must be an address such as ${example}`,
      zh: `必须是 ${example} 这样的地址`,
    }
  }
  const { protocol, hostname, username, password, hash } = new URL(given)
  if (username || password || hash) {
    return {
      en: 'must have no user, password or fragment: the signature says who is calling',
      zh: '不能带用户名、密码或 # 片段：调用方的身份由签名证明',
    }
  }
  if (protocol === 'https:' || isOwn(hostname)) return undefined
  return {
    en: `must use https for ${hostname}: openids and phone numbers would be readable on the way. http is for this machine and for networks of your own: 127.0.0.1, 10.…, 172.16.…, 192.168.…, and names such as backend or api.internal`,
    zh: `访问 ${hostname} 必须用 https，否则 openid 和手机号会在路上被看到。http 只能用于本机和你自己的网络：127.0.0.1、10.…、172.16.…、192.168.…，以及 backend、api.internal 这样的名字`,
  }
}

function isOwn(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '')
  const family = isIP(address)
  if (family === 0) return ownName.test(hostname)
  return ownNetworks.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
