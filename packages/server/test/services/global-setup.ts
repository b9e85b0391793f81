import type { TestProject } from 'vitest/node'
import { createPackages, findProgram } from '../../../../.ci/programs.mjs'
import { createServers, type Servers } from './servers.js'

/** Where the services are. What this machine cannot provide is `undefined`. */
export interface Services {
  readonly redis: string | undefined
  /** Only for tests that change how the server is set up. */
  readonly spareRedis: string | undefined
  readonly redisCluster: readonly string[] | undefined
  readonly valkey: string | undefined
  readonly postgres: string | undefined
  readonly mysql: string | undefined
  /** A folder for databases in files. */
  readonly folder: string
}

declare module 'vitest' {
  interface ProvidedContext {
    services: Services
  }
}

const say = (message: string) => process.stderr.write(`services: ${message}\n`)

/** Provides the services to the tests of this folder, and takes them away again. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = createServers()
  try {
    project.provide('services', await provideServices(servers))
    return servers.stop
  } catch (error) {
    await servers.stop()
    throw error
  }
}

export async function provideServices(servers: Servers): Promise<Services> {
  const { REDIS_URL, REDIS_CLUSTER_URLS, VALKEY_URL, DATABASE_URL, MYSQL_URL, CI } = process.env
  const packages = createPackages(say)
  const missing: string[] = []

  /** The named programs; with `debianPackage` they are installed where they are not there. */
  async function programsOf<Name extends string>(
    names: Readonly<Record<Name, readonly string[]>>,
    debianPackage: string,
    { isOptional = false } = {},
  ): Promise<Readonly<Record<Name, string>> | undefined> {
    const find = () => {
      const found: Partial<Record<Name, string>> = {}
      for (const name in names) {
        const program = names[name].map(findProgram).find((path) => path !== undefined)
        if (program === undefined) return undefined
        found[name] = program
      }
      return found as Record<Name, string>
    }
    const mayInstall = !isOptional || (await packages.offer(debianPackage))
    const programs =
      find() ?? (mayInstall && (await packages.install(debianPackage)) ? find() : undefined)
    if (!programs && !isOptional) missing.push(debianPackage)
    return programs
  }

  // One after the other: apt-get works for one at a time.
  const redisServer =
    REDIS_URL && REDIS_CLUSTER_URLS
      ? undefined
      : await programsOf({ server: ['redis-server'] }, 'redis-server')
  const valkeyServer = VALKEY_URL
    ? undefined
    : await programsOf({ server: ['valkey-server'] }, 'valkey-server', { isOptional: true })
  const postgresPrograms = DATABASE_URL
    ? undefined
    : await programsOf({ postgres: ['postgres'], initdb: ['initdb'] }, 'postgresql')
  const mariadbPrograms = MYSQL_URL
    ? undefined
    : await programsOf(
        { mariadbd: ['mariadbd', 'mysqld'], installDb: ['mariadb-install-db', 'mysql_install_db'] },
        'mariadb-server',
      )
  if (!valkeyServer && !VALKEY_URL) say('Valkey is not to be had here; set VALKEY_URL to test it')
  report(missing, CI === 'true')

  const [redis, spareRedis, redisCluster, valkey, postgres, mysql] = await Promise.all([
    REDIS_URL ?? (redisServer && servers.redis(redisServer.server).then(({ url }) => url)),
    redisServer && servers.redis(redisServer.server).then(({ url }) => url),
    REDIS_CLUSTER_URLS?.split(',') ?? (redisServer && servers.redisCluster(redisServer.server)),
    VALKEY_URL ?? (valkeyServer && servers.redis(valkeyServer.server).then(({ url }) => url)),
    DATABASE_URL ?? (postgresPrograms && servers.postgres(postgresPrograms).then(({ url }) => url)),
    MYSQL_URL ?? (mariadbPrograms && servers.mariadb(mariadbPrograms).then(({ url }) => url)),
  ])
  const folder = servers.folder()
  return { redis, spareRedis, redisCluster, valkey, postgres, mysql, folder }
}

function report(missing: readonly string[], isFailure: boolean): void {
  if (missing.length === 0) return
  const message = `not on this machine, and cannot be installed: ${missing.join(', ')}. Install them, run as root with apt-get, or set REDIS_URL and REDIS_CLUSTER_URLS, DATABASE_URL (PostgreSQL), MYSQL_URL`
  if (isFailure) throw new Error(`Services ${message}`)
  say(`THEIR TESTS DO NOT RUN: ${message}`)
}
