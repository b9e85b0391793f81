import type { AuthOptions } from '@wxlogin/server'
import { readAdminKeys, readAuthSettings } from './auth-settings.js'
import { type Inspection, inspect } from './inspection.js'
import { type LogLevel, logLevels } from './json-log.js'
import type { Problem } from './problem.js'
import { type Address, readReach } from './reach.js'
import type { Settings } from './settings.js'
import { readStorePlace, type StorePlace } from './store-place.js'
import { readWebhookSettings } from './webhook-settings.js'
import type { WebhookOptions } from './webhooks.js'

/** Settings that were looked at. */
export interface Config {
  readonly auth: AuthOptions
  readonly store: StorePlace
  readonly listen: Address
  readonly basePath: string
  readonly trustedProxies: number
  /** Without keys there is no admin API. */
  readonly admin: { readonly listen: Address; readonly keys: readonly string[] }
  readonly logLevel: LogLevel
  readonly webhooks: Pick<WebhookOptions, 'urls' | 'secrets'>
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
  const inspection = inspect(settings)
  const auth = await readAuthSettings(inspection)
  const store = readStorePlace(inspection, isMemoryWanted)
  const { listen, adminListen, basePath, trustedProxies } = readReach(inspection, port)
  const webhooks = readWebhookSettings(inspection)
  const keys = readAdminKeys(inspection, auth.secret)
  const logLevel = readLogLevel(inspection)

  const problems = inspection.problems()
  if (problems.length > 0 || !store) return { problems }
  const admin = { listen: adminListen, keys }
  // `createAuth` has looked at it.
  const checked: AuthOptions = Object(auth)
  return {
    problems,
    config: {
      auth: checked,
      store,
      listen,
      basePath,
      trustedProxies,
      admin,
      logLevel,
      webhooks,
    },
  }
}

function readLogLevel({ get, complain }: Inspection): LogLevel {
  const given = get('logLevel') ?? 'info'
  const level = logLevels.find((one) => one === given)
  if (level) return level
  complain('logLevel', {
    en: `must be one of ${logLevels.join(', ')}`,
    zh: `必须是 ${logLevels.join('、')} 之一`,
  })
  return 'info'
}
