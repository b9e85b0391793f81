import { type AuthEvent, createAuth, createMemoryStore, type Health } from '@wxlogin/server'
import { type Call, type ExitCode, exitCodes } from '../command.js'
import type { Text } from '../text.js'
import type { Config } from './config.js'
import { openLogin, withoutLoginWebhook } from './open.js'
import { lineOf, type Problem } from './problem.js'
import { codeOf } from './store.js'
import type { StorePlace } from './store-place.js'

/** Says what is wrong with the settings and, unless offline, what the store says. Starts nothing. */
export async function check(
  call: Call,
  config: Config | undefined,
  problems: readonly Problem[],
): Promise<ExitCode> {
  const { say, print, has } = call
  const found = [...problems]
  const warnings: Text[] = []
  if (config && config.webhooks.urls.onLogin === undefined) warnings.push(withoutLoginWebhook)
  const onEvent = (event: AuthEvent) => {
    if (event.type !== 'warning') return
    const said = `${event.warning}: ${event.hint}`
    warnings.push({ en: said, zh: said })
  }
  if (config && has('offline')) {
    await createAuth({ ...config.auth, store: createMemoryStore(), onEvent }).close()
  }
  if (config && !has('offline')) {
    let reason: string | undefined
    const onError = (error: Error) => {
      reason = codeOf(error)
    }
    const { auth, close } = await openLogin(config, { now: call.now, onEvent, onError })
    const { store } = await auth.check().finally(close)
    const problem = storeProblem(store, config.store, reason)
    if (problem) found.push(problem)
    const others = store.warnings.filter((name) => name !== 'sql_not_migrated')
    warnings.push(...others.flatMap((name) => hints[name] ?? []))
  }

  if (has('json')) {
    const told = found.map(({ text, where }) => ({ problem: say(text), ...(where && { where }) }))
    print(JSON.stringify({ problems: told, warnings: warnings.map(say) }, undefined, 2))
  } else {
    for (const problem of found) print(lineOf(problem, say))
    for (const warning of warnings) print(`  ! ${say(warning)}`)
    print(say(found.length > 0 ? summaryOf(found.length) : nothingWrong))
  }
  return found.length > 0 ? exitCodes.found : exitCodes.fine
}

const summaryOf = (count: number): Text => ({
  en: `${count === 1 ? 'One mistake' : `${count} mistakes`}; nothing was started`,
  zh: `${count} 处错误，没有启动任何东西`,
})

const nothingWrong: Text = { en: 'Nothing is wrong', zh: '没有发现问题' }

/** What is wrong with a store. `reason` is what its driver said, in a word. */
export function storeProblem(
  { ok, warnings }: Health['store'],
  place: StorePlace,
  reason?: string,
): Problem | undefined {
  // It does answer.
  if (warnings.includes('sql_not_migrated')) return { text: notMigrated, where: 'DATABASE_URL' }
  // It may answer all the same: Redis without the database of that number, from another one.
  if (ok && reason === undefined) return undefined
  // Neither user nor password.
  const host = 'url' in place ? new URL(place.url).host : 'this process'
  return {
    text: {
      en: `The store at ${host} does not answer, or refuses${reason ? ` (${reason})` : ''}: is the address right, is it up, may this machine reach it?`,
      zh: `${host} 上的存储没有应答，或拒绝了请求${reason ? `（${reason}）` : ''}：地址对吗？它启动了吗？这台机器能访问它吗？`,
    },
    where: place.kind === 'redis' ? 'REDIS_URL' : 'DATABASE_URL',
  }
}

const hints: Readonly<Partial<Record<Health['store']['warnings'][number], Text>>> = {
  redis_eviction_policy: {
    en: 'redis_eviction_policy: Redis may drop sessions when its memory is full; set maxmemory-policy noeviction',
    zh: 'redis_eviction_policy：内存满时 Redis 可能丢弃会话，请设置 maxmemory-policy noeviction',
  },
  redis_no_persistence: {
    en: 'redis_no_persistence: a restart of Redis logs everyone out; set appendonly yes',
    zh: 'redis_no_persistence：Redis 重启后所有人都会退出登录，请设置 appendonly yes',
  },
}

const notMigrated: Text = {
  en: 'sql_not_migrated: the table, or a column of it, is missing; run wxlogin serve --migrate',
  zh: 'sql_not_migrated：表不存在，或缺少列，请运行 wxlogin serve --migrate',
}
