import { createSqlStore, type SqlDatabase, type SqlDialect } from '@wxlogin/server/sql'
import type { Inspection } from './inspection.js'
import type { SettingName } from './setting-names.js'

/** Where sessions are kept. */
export type StorePlace =
  | { readonly kind: 'memory' }
  | { readonly kind: 'redis'; readonly url: string; readonly keyPrefix: string | undefined }
  | { readonly kind: 'postgresql'; readonly url: string; readonly table: string | undefined }
  | { readonly kind: 'mysql'; readonly url: string; readonly table: string | undefined }

/** The one place that is set. `undefined` after a complaint. */
export function readStorePlace(
  inspection: Inspection,
  isMemoryWanted: boolean,
): StorePlace | undefined {
  const { get, whereIs, isBroken, report } = inspection
  const urls = (['redisUrl', 'databaseUrl'] as const).filter((name) => get(name) !== undefined)
  const named = [...urls.map(whereIs), ...(isMemoryWanted ? ['--store memory'] : [])]
  if (named.length > 1) {
    return report({
      text: {
        en: `${named.join(' and ')} are both set, and sessions are in one place; keep one of the two`,
        zh: `同时设置了 ${named.join(' 和 ')}，而会话只能放在一处，请只保留一个`,
      },
    })
  }
  if (isMemoryWanted) return { kind: 'memory' }
  const [name] = urls
  if (name === 'redisUrl') return redisAt(inspection, get(name))
  if (name === 'databaseUrl') return databaseAt(inspection, get(name))
  if (isBroken('redisUrl') || isBroken('databaseUrl')) return undefined
  return report({
    text: {
      en: 'No place for sessions: set REDIS_URL or DATABASE_URL. To try it without, --store memory; a restart then logs everyone out',
      zh: '没有存放会话的地方：请设置 REDIS_URL 或 DATABASE_URL。只是试用可以加 --store memory，但每次重启所有人都会退出登录',
    },
    where: 'REDIS_URL, DATABASE_URL',
  })
}

function redisAt(inspection: Inspection, url: unknown): StorePlace | undefined {
  refuseUnused(inspection, 'table', 'databaseUrl')
  const keyPrefix = textIn(inspection, 'keyPrefix')
  const place = addressIn(url)
  if (place && /^rediss?:$/.test(place.protocol) && /^(\/\d*)?$/.test(place.pathname)) {
    return { kind: 'redis', url: String(url), keyPrefix }
  }
  return inspection.complain('redisUrl', {
    en: 'must be like redis://:password@host:6379/0, or rediss:// with TLS; what is behind the slash is a number, and a password with special characters is percent-encoded in it',
    zh: '必须像 redis://:password@host:6379/0，用 TLS 时是 rediss://；斜杠后面是数字，密码里的特殊字符要做百分号编码',
  })
}

function databaseAt(inspection: Inspection, url: unknown): StorePlace | undefined {
  refuseUnused(inspection, 'keyPrefix', 'redisUrl')
  const table = textIn(inspection, 'table')
  const { protocol = '' } = addressIn(url) ?? {}
  if (typeof url === 'string' && /^postgres(ql)?:$/.test(protocol)) {
    checkTable(inspection, 'postgresql', table)
    return { kind: 'postgresql', url, table }
  }
  if (typeof url === 'string' && /^(mysql|mariadb):$/.test(protocol)) {
    checkTable(inspection, 'mysql', table)
    return { kind: 'mysql', url: url.replace(/^mariadb:/, 'mysql:'), table }
  }
  return inspection.complain('databaseUrl', {
    en: 'must be like postgres://user:password@host/database, or mysql://…; a password with special characters is percent-encoded in it',
    zh: '必须像 postgres://user:password@host/database 或 mysql://…；密码里的特殊字符要做百分号编码',
  })
}

/** `undefined` for one whose password was not encoded, too: a part of that would be the host, or nothing decodes it. */
function addressIn(url: unknown): URL | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined
  const parsed = new URL(url)
  try {
    decodeURIComponent(parsed.username + parsed.password)
  } catch {
    return undefined
  }
  return /@/.test(parsed.pathname + parsed.hash) ? undefined : parsed
}

/** In the words of the store, which nothing is asked of here. */
function checkTable(
  { report, whereIs }: Inspection,
  dialect: SqlDialect,
  table: string | undefined,
): void {
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
    report({ text: { en: error.message, zh: error.message }, where: whereIs('table') })
  }
}

function refuseUnused({ get, complain }: Inspection, name: SettingName, goesWith: string): void {
  if (get(name) === undefined) return
  complain(name, {
    en: `goes with ${goesWith}, and does nothing here; take it out`,
    zh: `要和 ${goesWith} 一起用，在这里不起作用，请去掉`,
  })
}

function textIn({ get, complain }: Inspection, name: SettingName): string | undefined {
  const value = get(name)
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  return complain(name, { en: 'must be a text', zh: '必须是文本' })
}
