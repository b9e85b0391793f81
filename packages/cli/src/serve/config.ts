import type { AuthOptions } from '@wxlogin/server'
import { weaknessOf } from '@wxlogin/server'
import { createSqlStore, type SqlDatabase, type SqlDialect } from '@wxlogin/server/sql'
import type { Text } from '../text.js'
import { authProblemsOf } from './auth-problems.js'
import { type LogLevel, logLevels } from './json-log.js'
import type { Problem } from './problem.js'
import { authNames, type SettingName } from './setting-names.js'
import type { Settings } from './settings.js'
import { readWebhookSecret } from './webhook-signature.js'
import { wrongInWebhookUrl } from './webhook-url.js'
import { hookNames } from './webhooks.js'

/** Where something listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Where sessions are kept. */
export type StorePlace =
  | { readonly kind: 'memory' }
  | { readonly kind: 'redis'; readonly url: string; readonly keyPrefix: string | undefined }
  | { readonly kind: 'postgresql'; readonly url: string; readonly table: string | undefined }
  | { readonly kind: 'mysql'; readonly url: string; readonly table: string | undefined }

/** Settings that were looked at. */
export interface Config {
  readonly auth: AuthOptions
  readonly store: StorePlace
  readonly listen: Address
  readonly basePath: string
  readonly trustedProxies: number
  /** Without keys there is no admin API. A list rotates: any of them passes. */
  readonly admin: { readonly listen: Address; readonly keys: readonly string[] }
  readonly logLevel: LogLevel
  readonly webhooks: {
    readonly urls: Readonly<Partial<Record<(typeof hookNames)[number], string>>>
    readonly secrets: readonly Uint8Array[]
  }
}

export interface ConfigGiven {
  readonly settings: Settings
  readonly isMemoryWanted: boolean
  /** Of the platform, which says on which port it looks for a service. */
  readonly port: string | undefined
}

/** Settings as a config, or all that is wrong with them. */
export async function readConfig({
  settings,
  isMemoryWanted,
  port,
}: ConfigGiven): Promise<{ readonly config?: Config; readonly problems: readonly Problem[] }> {
  const { get, whereIs } = settings
  const problems: Problem[] = [...settings.problems]
  const complain = (name: SettingName, text: Text) => {
    problems.push({
      text: { en: `${name} ${text.en}`, zh: `${name} ${text.zh}` },
      where: whereIs(name),
    })
    return undefined
  }

  const auth = authOptions()
  const skipped = new Set(settings.problems.map(({ name }) => name))
  for (const { name, message } of await authProblemsOf(auth, skipped)) {
    const where = name === undefined ? undefined : whereIs(name)
    problems.push({ text: { en: message, zh: message }, where })
  }
  checkSigningKeys()
  const store = storePlace()
  const isGiven = get('listen') !== undefined
  const listen = address('listen', { host: '0.0.0.0', port: isGiven ? 8080 : platformPort() })
  const adminListen = address('admin.listen', { host: '127.0.0.1', port: 8081 })
  if (listen && adminListen && listen.port === adminListen.port && listen.port !== 0) {
    complain('admin.listen', {
      en: 'must have a port of its own: whoever reaches it can end the session of any user',
      zh: '必须用单独的端口：能访问它的人可以结束任何用户的会话',
    })
  }
  const basePath = readBasePath()
  const trustedProxies = readTrustedProxies()
  const webhooks = readWebhooks()
  const adminKeys = readAdminKeys()
  const logLevel = readLogLevel()

  if (problems.length > 0 || !store || !listen || !adminListen) return { problems }
  return {
    problems,
    config: {
      auth: Object(auth),
      store,
      listen,
      basePath,
      trustedProxies,
      admin: { listen: adminListen, keys: adminKeys },
      logLevel,
      webhooks,
    },
  }

  function authOptions(): Readonly<Record<string, unknown>> {
    const given = authNames.flatMap((name) => {
      const value = get(name)
      return value === undefined ? [] : [[name, name === 'signingKeys' ? readKeys(value) : value]]
    })
    return Object.fromEntries(given)
  }

  /** A key may stand in a secret of its own, as text. */
  function readKeys(value: unknown): unknown {
    return [value].flat().map((key) => {
      try {
        return typeof key === 'string' ? JSON.parse(key) : key
      } catch {
        return key
      }
    })
  }

  function checkSigningKeys(): void {
    const keys = Array.isArray(auth.signingKeys) ? auth.signingKeys : []
    // What is no key at all has been complained of.
    if (keys.some((key) => typeof Object(key).kty !== 'string')) return
    if (keys.some((key) => typeof Object(key).d === 'string')) return
    if (keys.length > 0) {
      complain('signingKeys', {
        en: 'has only public keys, which sign nothing: put the private one, WXLOGIN_KEY of `wxlogin keygen --jwk ES256`, first',
        zh: '里只有公钥，无法签名：请把私钥（`wxlogin keygen --jwk ES256` 的 WXLOGIN_KEY）放在第一位',
      })
      return
    }
    if (skipped.has('signingKeys')) return
    complain('signingKeys', {
      en: 'is missing: without it no other program can verify a token. Make one with `wxlogin keygen --jwk ES256`, and set WXLOGIN_KEY to what it prints',
      zh: '没有设置：没有它，其他程序无法验证令牌。用 `wxlogin keygen --jwk ES256` 生成，并把输出设为 WXLOGIN_KEY',
    })
  }

  function storePlace(): StorePlace | undefined {
    const urls = (['redisUrl', 'databaseUrl'] as const).filter((name) => get(name) !== undefined)
    const isBroken = skipped.has('redisUrl') || skipped.has('databaseUrl')
    if (urls.length + (isMemoryWanted ? 1 : 0) > 1) {
      const named = [...urls.map(whereIs), ...(isMemoryWanted ? ['--store memory'] : [])]
      problems.push({
        text: {
          en: `${named.join(' and ')} are both set, and sessions are in one place; keep one of the two`,
          zh: `同时设置了 ${named.join(' 和 ')}，而会话只能放在一处，请只保留一个`,
        },
      })
      return undefined
    }
    const [name] = urls
    complainUnused('keyPrefix', 'redisUrl', name)
    complainUnused('table', 'databaseUrl', name)
    if (isMemoryWanted) return { kind: 'memory' }
    if (name === undefined) {
      if (isBroken) return undefined
      problems.push({
        text: {
          en: 'No place for sessions: set REDIS_URL or DATABASE_URL. To try it without, --store memory; a restart then logs everyone out',
          zh: '没有存放会话的地方：请设置 REDIS_URL 或 DATABASE_URL。只是试用可以加 --store memory，但每次重启所有人都会退出登录',
        },
        where: 'REDIS_URL, DATABASE_URL',
      })
      return undefined
    }
    return name === 'redisUrl' ? redisPlace(get(name)) : databasePlace(get(name))
  }

  /** Somebody believes that it does something. */
  function complainUnused(name: SettingName, needed: SettingName, used: SettingName | undefined) {
    if (get(name) === undefined || used === needed || skipped.has(needed)) return
    complain(name, { en: `goes with ${needed} alone`, zh: `只能和 ${needed} 一起用` })
  }

  function redisPlace(url: unknown): StorePlace | undefined {
    const place = addressOf(url)
    if (place && /^rediss?:$/.test(place.protocol) && /^(\/\d*)?$/.test(place.pathname)) {
      return { kind: 'redis', url: String(url), keyPrefix: textIn('keyPrefix') }
    }
    return complain('redisUrl', {
      en: 'must be like redis://:password@host:6379/0, or rediss:// with TLS; what is behind the slash is a number, and a password with special characters is percent-encoded in it',
      zh: '必须像 redis://:password@host:6379/0，用 TLS 时是 rediss://；斜杠后面是数字，密码里的特殊字符要做百分号编码',
    })
  }

  /** `undefined` for what is no address, and for one whose password was not encoded: a part of it would be the host. */
  function addressOf(url: unknown): URL | undefined {
    if (typeof url !== 'string' || !URL.canParse(url)) return undefined
    const parsed = new URL(url)
    try {
      decodeURIComponent(parsed.username + parsed.password)
    } catch {
      return undefined
    }
    return /@/.test(parsed.pathname + parsed.hash) ? undefined : parsed
  }

  function databasePlace(url: unknown): StorePlace | undefined {
    const { protocol = '' } = addressOf(url) ?? {}
    const table = textIn('table')
    if (typeof url === 'string' && /^postgres(ql)?:$/.test(protocol)) {
      checkTable('postgresql', table)
      return { kind: 'postgresql', url, table }
    }
    if (typeof url === 'string' && /^(mysql|mariadb):$/.test(protocol)) {
      checkTable('mysql', table)
      return { kind: 'mysql', url: url.replace(/^mariadb:/, 'mysql:'), table }
    }
    return complain('databaseUrl', {
      en: 'must be like postgres://user:password@host/database, or mysql://…; a password with special characters is percent-encoded in it',
      zh: '必须像 postgres://user:password@host/database 或 mysql://…；密码里的特殊字符要做百分号编码',
    })
  }

  /** In the words of the store, which nothing is asked of here. */
  function checkTable(dialect: SqlDialect, table: string | undefined): void {
    if (table === undefined) return
    const none: SqlDatabase = {
      executeQuery: () => Promise.reject(new Error('There is no connection')),
      withoutPlugins: () => none,
      transaction: () => ({ execute: (run) => run(none) }),
    }
    try {
      createSqlStore(none, { dialect, table })
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      problems.push({ text: { en: error.message, zh: error.message }, where: whereIs('table') })
    }
  }

  function textIn(name: SettingName): string | undefined {
    const value = get(name)
    if (value === undefined || (typeof value === 'string' && value !== '')) return value
    return complain(name, { en: 'must be a text', zh: '必须是文本' })
  }

  function platformPort(): number {
    if (!port) return 8080
    if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port)
    problems.push({
      text: {
        en: 'PORT must be a number; or set listen, and PORT is not looked at',
        zh: 'PORT 必须是数字；或者设置 listen，那样就不看 PORT',
      },
      where: 'PORT',
    })
    return 8080
  }

  function address(name: SettingName, usual: Address): Address | undefined {
    const given = get(name)
    if (given === undefined) return usual
    const [, host = '', digits] =
      /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i
        .exec(String(given))
        ?.filter((part) => part !== undefined) ?? []
    if (host !== '' && Number(digits) <= 65_535) return { host, port: Number(digits) }
    return complain(name, {
      en: `must be an address and a port, such as ${usual.host}:${usual.port}`,
      zh: `必须是地址加端口，例如 ${usual.host}:${usual.port}`,
    })
  }

  function readBasePath(): string {
    const given = get('basePath') ?? '/wx'
    if (typeof given === 'string' && /^(\/[^/?#\s]+)+$/.test(given)) return given
    complain('basePath', {
      en: 'must be like /wx, with no slash at the end; it is the authPath of the client',
      zh: '必须像 /wx，末尾没有斜杠；客户端的 authPath 与它相同',
    })
    return ''
  }

  function readTrustedProxies(): number {
    const given = get('trustedProxies') ?? 0
    if (typeof given === 'number' && Number.isInteger(given) && given >= 0 && given <= 16)
      return given
    complain('trustedProxies', {
      en: 'must be how many proxies of yours are in front of this service, 0 to 16: so many entries at the end of X-Forwarded-For are believed',
      zh: '必须是这个服务前面你自己的代理的数量，0 到 16：X-Forwarded-For 末尾的这么多项会被采信',
    })
    return 0
  }

  function readWebhooks(): Config['webhooks'] {
    const urls = hookNames.flatMap((hook): [string, string][] => {
      const name = `webhooks.${hook}` as const
      const url = get(name)
      if (url === undefined) return []
      const wrong = wrongInWebhookUrl(url)
      if (wrong) complain(name, wrong)
      return [[hook, String(url)]]
    })
    const given = get('webhooks.secret')
    const texts = [given ?? []].flat()
    const secrets = texts.map(readWebhookSecret)
    if (urls.length > 0 && secrets.length === 0 && !skipped.has('webhooks.secret')) {
      complain('webhooks.secret', {
        en: 'is missing: by it your backend knows who is calling. Make one with `wxlogin keygen --webhook`',
        zh: '没有设置：你的后端靠它确认调用方。用 `wxlogin keygen --webhook` 生成',
      })
    }
    if (secrets.some((secret) => secret === undefined)) {
      complain('webhooks.secret', {
        en: 'must be whsec_ and 24 to 64 bytes in base64, or a list of such; make one with `wxlogin keygen --webhook`',
        zh: '必须是 whsec_ 加 24 到 64 字节的 base64，或由它们组成的列表；用 `wxlogin keygen --webhook` 生成',
      })
    } else if (
      texts.some((text) => weaknessOf(String(text).slice('whsec_'.length)) !== undefined)
    ) {
      complain('webhooks.secret', {
        en: 'can be guessed; make one with `wxlogin keygen --webhook`',
        zh: '可以被猜到；用 `wxlogin keygen --webhook` 生成',
      })
    } else if (secrets.length > 0 && urls.length === 0 && !hookNames.some(isBroken)) {
      complain('webhooks.secret', {
        en: 'is set, and no webhook is: set webhooks.onLogin to where your backend answers',
        zh: '已设置，却没有任何 webhook：请把 webhooks.onLogin 设为后端的地址',
      })
    }
    return {
      urls: Object.fromEntries(urls),
      secrets: secrets.filter((secret) => secret !== undefined),
    }
  }

  function isBroken(hook: (typeof hookNames)[number]): boolean {
    return skipped.has(`webhooks.${hook}`)
  }

  function readAdminKeys(): readonly string[] {
    const keys = [get('admin.key') ?? []].flat()
    const isGood = (key: unknown): key is string =>
      typeof key === 'string' && /^[\x21-\x7e]*$/.test(key) && weaknessOf(key) === undefined
    const good = keys.filter(isGood)
    if (good.some((key) => [auth.secret].flat().includes(key))) {
      complain('admin.key', {
        en: 'must not be the secret: whoever knows that can be any user',
        zh: '不能和 secret 相同：知道 secret 的人可以冒充任何用户',
      })
    } else if (good.length < keys.length) {
      complain('admin.key', {
        en: 'must be at least 32 random bytes without spaces: whoever guesses it can end any session. Make one with `wxlogin keygen`, and use it for nothing else',
        zh: '必须是至少 32 字节的随机内容，不含空格：猜到它的人可以结束任何会话。用 `wxlogin keygen` 生成，且不要另作他用',
      })
    }
    return good
  }

  function readLogLevel(): LogLevel {
    const given = get('logLevel') ?? 'info'
    const level = logLevels.find((one) => one === given)
    if (level) return level
    complain('logLevel', {
      en: `must be one of ${logLevels.join(', ')}`,
      zh: `必须是 ${logLevels.join('、')} 之一`,
    })
    return 'info'
  }
}
