import type { Inspection } from './inspection.js'
import type { SettingName } from './setting-names.js'

/** Where something listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** How the service is reached, and by whom. */
export interface Reach {
  readonly listen: Address
  readonly adminListen: Address
  readonly basePath: string
  readonly trustedProxies: number
}

/** `port` is the platform's, which says on which one it looks for a service. What is wrong is reported. */
export function readReach(inspection: Inspection, port: string | undefined): Reach {
  const { get, complain } = inspection
  const isGiven = get('listen') !== undefined
  const usualPort = isGiven ? 8080 : portOfPlatform(inspection, port)
  const listen = addressIn(inspection, 'listen', { host: '0.0.0.0', port: usualPort })
  const adminListen = addressIn(inspection, 'admin.listen', { host: '127.0.0.1', port: 8081 })
  if (listen.port === adminListen.port && listen.port !== 0) {
    complain('admin.listen', {
      en: 'must have a port of its own: whoever reaches it can end the session of any user',
      zh: '必须用单独的端口：能访问它的人可以结束任何用户的会话',
    })
  }
  return {
    listen,
    adminListen,
    basePath: basePathIn(inspection),
    trustedProxies: trustedProxiesIn(inspection),
  }
}

const isPort = (digits: string) => /^\d{1,5}$/.test(digits) && Number(digits) <= 65_535

function portOfPlatform({ report }: Inspection, port: string | undefined): number {
  if (!port) return 8080
  if (isPort(port)) return Number(port)
  report({
    text: {
      en: 'PORT must be a number; or set listen, and PORT is not looked at',
      zh: 'PORT 必须是数字；或者设置 listen，那样就不看 PORT',
    },
    where: 'PORT',
  })
  return 8080
}

function addressIn({ get, complain }: Inspection, name: SettingName, usual: Address): Address {
  const given = get(name)
  if (given === undefined) return usual
  const [, inBrackets, host = inBrackets, port = ''] =
    /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d+)$/i.exec(String(given)) ?? []
  if (host !== undefined && isPort(port)) return { host, port: Number(port) }
  complain(name, {
    en: `must be an address and a port, such as ${usual.host}:${usual.port}`,
    zh: `必须是地址加端口，例如 ${usual.host}:${usual.port}`,
  })
  return usual
}

function basePathIn({ get, complain }: Inspection): string {
  const given = get('basePath') ?? '/wx'
  if (typeof given === 'string' && /^(\/[^/?#\s]+)+$/.test(given)) return given
  complain('basePath', {
    en: 'must be like /wx, with no slash at the end; it is the authPath of the client',
    zh: '必须像 /wx，末尾没有斜杠；客户端的 authPath 与它相同',
  })
  return '/wx'
}

const maxProxies = 16

function trustedProxiesIn({ get, complain }: Inspection): number {
  const given = get('trustedProxies') ?? 0
  const isCount = typeof given === 'number' && Number.isInteger(given)
  if (isCount && given >= 0 && given <= maxProxies) return given
  complain('trustedProxies', {
    en: `must be how many proxies of yours are in front of this service, 0 to ${maxProxies}: so many entries at the end of X-Forwarded-For are believed`,
    zh: `必须是这个服务前面你自己的代理的数量，0 到 ${maxProxies}：X-Forwarded-For 末尾的这么多项会被采信`,
  })
  return 0
}
