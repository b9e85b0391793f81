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
  /** Why a service that should be there is not. Its tests fail with this, and nobody else's do. */
  readonly problems: Readonly<Partial<Record<ServiceName, string>>>
}

export type ServiceName = Exclude<keyof Services, 'folder' | 'problems'>

declare module 'vitest' {
  interface ProvidedContext {
    services: Services
  }
}

const titles: Readonly<Record<ServiceName, string>> = {
  redis: 'Redis',
  spareRedis: 'the Redis that is set up otherwise',
  redisCluster: 'Redis Cluster',
  valkey: 'Valkey',
  postgres: 'PostgreSQL',
  mysql: 'MariaDB',
}

/** Who is told what. */
interface Listener {
  /** At once. */
  say(line: string): void
  /** What is amiss, for the end of the run. */
  note(line: string): void
}

const say = (line: string) => void process.stderr.write(`services: ${line}\n`)

/** Provides the services to the tests of this folder, and takes them away again. Never throws: that would end all tests. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = createServers()
  const lines: string[] = []
  const services = await provideServices(servers, { say, note: (line) => lines.push(line) })
  project.provide('services', services)

  // After the tests' own summary, so that these are the last lines.
  return async () => {
    lines.push(...servers.fallen())
    await servers.stop()
    for (const line of lines) say(line)
  }
}

/** Starts what is not named by the environment. */
export async function provideServices(
  servers: Servers,
  { say: tell, note }: Listener = { say, note: () => undefined },
): Promise<Services> {
  const { REDIS_URL, REDIS_CLUSTER_URLS, VALKEY_URL, DATABASE_URL, MYSQL_URL, CI } = process.env
  const packages = createPackages(tell)
  const problems: Partial<Record<ServiceName, string>> = {}
  const report = (line: string) => {
    tell(line)
    note(line)
  }

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
    return find() ?? (mayInstall && (await packages.install(debianPackage)) ? find() : undefined)
  }

  function missing(instead: string, ...names: readonly ServiceName[]): void {
    const who = names.map((name) => titles[name]).join(' and ')
    const advice = `Install it, run as root with apt-get, or set ${instead}`
    const problem = `not on this machine, and cannot be installed. ${advice}`
    const isFailure = CI === 'true'
    if (isFailure) for (const name of names) problems[name] = problem
    const outcome = isFailure ? 'THEIR TESTS FAIL' : 'THEIR TESTS DO NOT RUN'
    report(`${outcome}: ${who}: ${problem}`)
  }

  /** What `start` gives. A second attempt has a folder and a port of its own. */
  async function started<Place>(
    name: ServiceName,
    start: () => Promise<Place>,
  ): Promise<Place | undefined> {
    try {
      return await start().catch((error) => {
        tell(`${titles[name]} is tried once more: ${textOf(error)}`)
        return start()
      })
    } catch (error) {
      problems[name] = `could not be started: ${textOf(error)}`
      report(`ITS TESTS FAIL: ${titles[name]} ${problems[name]}`)
      return undefined
    }
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
  if (!redisServer && !(REDIS_URL && REDIS_CLUSTER_URLS)) {
    missing('REDIS_URL and REDIS_CLUSTER_URLS', 'redis', 'spareRedis', 'redisCluster')
  }
  if (!valkeyServer && !VALKEY_URL) tell('Valkey is not to be had here; set VALKEY_URL to test it')
  if (!postgresPrograms && !DATABASE_URL) missing('DATABASE_URL', 'postgres')
  if (!mariadbPrograms && !MYSQL_URL) missing('MYSQL_URL', 'mysql')

  const oneRedis = (name: ServiceName, programs: { readonly server: string } | undefined) =>
    programs && started(name, async () => (await servers.redis(programs.server)).url)
  const [redis, spareRedis, redisCluster, valkey, postgres, mysql] = await Promise.all([
    REDIS_URL ?? oneRedis('redis', redisServer),
    oneRedis('spareRedis', redisServer),
    REDIS_CLUSTER_URLS?.split(',') ??
      (redisServer && started('redisCluster', () => servers.redisCluster(redisServer.server))),
    VALKEY_URL ?? oneRedis('valkey', valkeyServer),
    DATABASE_URL ??
      (postgresPrograms &&
        started('postgres', async () => (await servers.postgres(postgresPrograms)).url)),
    MYSQL_URL ??
      (mariadbPrograms &&
        started('mysql', async () => (await servers.mariadb(mariadbPrograms)).url)),
  ])
  const folder = servers.folder()
  return { redis, spareRedis, redisCluster, valkey, postgres, mysql, folder, problems }
}

/** Whether the service is there, or should be, so that its tests run or fail. */
export function isWanted({ problems, ...services }: Services, name: ServiceName): boolean {
  return services[name] !== undefined || problems[name] !== undefined
}

/** Where the service is. Throws the reason why it is not. */
export function provided<Name extends ServiceName>(
  services: Services,
  name: Name,
): NonNullable<Services[Name]> {
  const place = services[name]
  if (!place) throw new Error(`${titles[name]} ${services.problems[name] ?? 'is not there'}`)
  return place
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
