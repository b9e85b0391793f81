import type { AuthEvent } from '@wxlogin/server'
import { type Call, type ExitCode, exitCodes } from '../command.js'
import { CliError } from '../errors.js'
import { adminApi } from './admin-api.js'
import type { Config } from './config.js'
import { createJsonLog } from './json-log.js'
import { createMetrics } from './metrics.js'
import { openLogin, withoutLoginWebhook } from './open.js'
import { startService } from './service.js'
import { codeOf } from './store.js'

/** What is in flight when the service is told to end: a call to WeChat, and the webhooks of a login. */
const stopWithinMs = 9_000

const unreadAddress =
  'A request has X-Forwarded-For, and trustedProxies is 0: if a proxy of yours is in front, webhooks get its address as that of every phone; set trustedProxies to how many there are'

/** Runs the service until it is told to end. */
export async function start(call: Call, config: Config): Promise<ExitCode> {
  const { now, print, interrupted } = call
  const ended = interrupted()
  const log = createJsonLog({ write: print, now, level: config.logLevel })
  const metrics = createMetrics()
  const onEvent = (event: AuthEvent) => {
    metrics.onEvent(event)
    log.onEvent(event)
  }
  const onError = (error: Error) => log.say('warn', 'store connection', { error: codeOf(error) })
  if (config.webhooks.urls.onLogin === undefined) log.say('warn', withoutLoginWebhook.en)
  const { auth, close } = await openLogin(config, { now, onEvent, onError })
  metrics.observe(auth)
  const { listen, keys } = config.admin
  const api = keys.length > 0 ? adminApi({ auth, keys, onEvent }) : undefined
  try {
    const service = await startService({
      ...config,
      auth,
      admin: { listen, api, metrics: metrics.text },
      onAnswered: log.request,
      onUnreadAddress() {
        if (Object.keys(config.webhooks.urls).length > 0) log.say('warn', unreadAddress)
      },
    })
    const { url, adminUrl } = service
    log.say('info', 'listening', {
      url: url + config.basePath,
      adminUrl,
      adminApi: api !== undefined,
    })
    await ended
    log.say('info', 'stopping')
    const isDone = await service.stop(stopWithinMs)
    log.say(isDone ? 'info' : 'warn', 'stopped', { cutOff: !isDone })
  } finally {
    await close()
  }
  return exitCodes.fine
}

/** Creates the table, and ends. */
export async function migrate(call: Call, config: Config): Promise<ExitCode> {
  const { now, print, say } = call
  const { migrate: create, close } = await openLogin(config, {
    now,
    onEvent: () => {},
    onError: () => {},
  })
  try {
    if (!create) {
      throw new CliError('usage', {
        en: '--migrate is for DATABASE_URL; nothing else has a table',
        zh: '--migrate 只用于 DATABASE_URL，其他存储没有表',
      })
    }
    await create().catch((cause: unknown) => {
      throw new CliError(
        'failed',
        {
          en: `The table could not be created (${codeOf(cause)}): is the address right, and may this user create tables?`,
          zh: `无法建表（${codeOf(cause)}）：地址对吗？这个用户有建表权限吗？`,
        },
        { cause },
      )
    })
  } finally {
    await close()
  }
  print(say({ en: 'The table is there', zh: '表已就绪' }))
  return exitCodes.fine
}
