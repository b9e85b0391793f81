import { setTimeout as delay } from 'node:timers/promises'
import { Client as PostgresClient } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { findProgram } from '../../../../.ci/programs.mjs'
import {
  type OpenClient,
  openMysqlClients,
  openPostgresClients,
  openRedisClients,
} from '../chaos/clients.js'
import { createReport, isLong, rounds } from '../chaos/report.js'
import { createTcpProxy, type TcpProxy } from '../chaos/tcp-proxy.js'
import {
  recoveryLimitMs,
  startTraffic,
  type Traffic,
  type TrafficOptions,
} from '../chaos/traffic.js'
import { askRedis, createServers, type Server } from './servers.js'

// These servers are killed, so they are the tests' own, whatever the environment names.
const redisServer = findProgram('redis-server')
const postgres = findProgram('postgres')
const initdb = findProgram('initdb')
const mariadbd = findProgram('mariadbd')
const installDb = findProgram('mariadb-install-db')
if (process.env.CI === 'true' && !(redisServer && postgres && initdb)) {
  throw new Error('These tests kill servers: install redis-server and postgresql on this machine')
}

vi.setConfig({ testTimeout: isLong ? 1_800_000 : 180_000 })

const servers = createServers()
const report = createReport()
afterAll(async () => {
  report.show()
  await servers.stop()
})

interface Scene {
  readonly server: Server
  readonly proxy: TcpProxy
  readonly traffic: Traffic
}

/** Phones at work, by way of a proxy. Whatever the test does, all of it ends with the test. */
async function begin(
  server: Server,
  openClients: (url: string) => Promise<readonly OpenClient[]>,
  options: Omit<TrafficOptions, 'stores'> = {},
): Promise<Scene> {
  const proxy = await createTcpProxy(server.port)
  const clients = await openClients(proxy.through(server.url))
  const traffic = startTraffic({ stores: clients.map(({ store }) => store), ...options })
  onTestFinished(async () => {
    await traffic.end()
    await Promise.all(clients.map((client) => client.close()))
    await proxy.close()
  })
  await traffic.flows()
  return { server, proxy, traffic }
}

/** Lets the phones come to an end, notes the figures, and says what must hold whatever has happened. */
async function finish(title: string, { traffic }: Scene, { isLossy = false } = {}): Promise<void> {
  const figures = await traffic.end()
  report.add(title, figures)
  expect(traffic.violations).toEqual([])
  expect(figures.recoveryMs).toBeLessThan(recoveryLimitMs)
  if (isLossy) expect(figures.heals).toBeGreaterThan(0)
  else expect(figures).toMatchObject({ heals: 0, forgotten: 0, doubleWins: 0 })
}

if (redisServer)
  describe('Redis', () => {
    const start = (...args: string[]) => servers.redis(redisServer, args)
    const persistent = ['--appendonly', 'yes', '--appendfsync', 'always']

    test('is killed and comes back with everything', async () => {
      const scene = await begin(await start(...persistent), openRedisClients)
      let { server } = scene

      for (const _ of rounds) {
        server = await killAndRestart(server, scene)
      }

      await finish('Redis: kill -9, appendonly', scene)
    })

    test('is killed and comes back without its last writes', async () => {
      const scene = await begin(await start(), openRedisClients)
      let { server } = scene

      for (const _ of rounds) {
        scene.traffic.mayLose()
        await askRedis(server.url, ['SAVE'])
        await scene.traffic.flows()
        server = await killAndRestart(server, scene)
      }

      await finish('Redis: kill -9, snapshots', scene, { isLossy: true })
    })

    test('stands still', async () => {
      const scene = await begin(await start(), openRedisClients)

      for (const _ of rounds) await standStill([scene.server.pid], scene.traffic)

      await finish('Redis: SIGSTOP', scene)
    })

    test('is slower than the deadline', async () => {
      const scene = await begin(await start(), openRedisClients)

      for (const _ of rounds) await slowDown(scene, () => 250)

      await finish('Redis: latency 500 ms', scene)
    })

    test('forgets its scripts again and again, which nobody notices', async () => {
      const scene = await begin(await start(), openRedisClients, { storeTimeoutMs: 10_000 })

      for (let flush = 0; flush < 20 * rounds.length; flush++) {
        await askRedis(scene.server.url, ['SCRIPT', 'FLUSH'])
        await delay(25)
      }
      await scene.traffic.recovers()

      await finish('Redis: SCRIPT FLUSH every 25 ms', scene)
      expect(scene.traffic.figures.unavailable).toBe(0)
    })

    test('fails over to a replica that lacks the last writes', async () => {
      let primary = await start('--repl-diskless-sync-delay', '0')
      const scene = await begin(primary, openRedisClients)

      for (const _ of rounds) {
        const replica = await start()
        const replication = await createTcpProxy(primary.port)
        await askRedis(replica.url, ['REPLICAOF', '127.0.0.1', String(replication.port)])
        await until(async () => String(await info(replica)).includes('master_link_status:up'))
        scene.traffic.mayLose()
        const caughtUp = await info(primary).then(offsetOf)
        await until(async () => offsetOf(await info(replica)) >= caughtUp)

        await replication.close()
        await scene.traffic.flows()
        // No connection is closed: the old primary is gone as a machine is that loses its power.
        scene.proxy.swallow()
        process.kill(primary.pid, 'SIGKILL')
        await scene.traffic.isRefused()
        await askRedis(replica.url, ['REPLICAOF', 'NO', 'ONE'])
        scene.proxy.leadTo(replica.port)
        await scene.traffic.recovers()
        primary = replica
      }

      await finish('Redis: failover, asynchronous replica', scene, { isLossy: true })
    })

    test('can only be read', async () => {
      const scene = await begin(await start(), openRedisClients)

      for (const _ of rounds) {
        await askRedis(scene.server.url, ['REPLICAOF', '127.0.0.1', '1'])
        await scene.traffic.isRefused()
        await askRedis(scene.server.url, ['REPLICAOF', 'NO', 'ONE'])
        await scene.traffic.recovers()
      }

      await finish('Redis: read-only', scene)
    })

    if (isLong)
      describe('for minutes', () => {
        test('is slower than the deadline now and then', async () => {
          const scene = await begin(await start(), openRedisClients)

          for (const _ of rounds) await slowDown(scene, upTo(400))

          await finish('Redis: latency up to 800 ms', scene)
        })

        test('loses every connection without a word', async () => {
          const scene = await begin(await start(), openRedisClients)

          for (const _ of rounds) await loseConnections(scene)

          await finish('Redis: connections gone silent', scene)
        })
      })
  })

if (postgres && initdb)
  describe('PostgreSQL', () => {
    let server: Server
    beforeAll(async () => {
      server = await servers.postgres({ postgres, initdb }, ['-c', 'synchronous_commit=on'])
    })

    test('is killed and comes back with everything', async () => {
      const scene = await begin(server, openPostgresClients)

      for (const _ of rounds) {
        server = await killAndRestart(server, scene)
      }

      await finish('PostgreSQL: kill -9', scene)
    })

    test('stands still', async () => {
      const scene = await begin(server, openPostgresClients)

      for (const _ of rounds) {
        const backends = await administer(server, 'select pid from pg_stat_activity')
        await standStill([server.pid, ...backends.map(({ pid }) => Number(pid))], scene.traffic)
      }

      await finish('PostgreSQL: SIGSTOP', scene)
    })

    test('can only be read', async () => {
      const scene = await begin(server, openPostgresClients)
      const readOnly = 'default_transaction_read_only'

      for (const _ of rounds) {
        await administer(server, `alter system set ${readOnly} = on`, 'select pg_reload_conf()')
        await scene.traffic.isRefused()
        await administer(server, `alter system reset ${readOnly}`, 'select pg_reload_conf()')
        await scene.traffic.recovers()
      }

      await finish('PostgreSQL: read-only', scene)
    })

    if (isLong)
      describe('for minutes', () => {
        test('is slower than the deadline', async () => {
          const scene = await begin(server, openPostgresClients)

          for (const _ of rounds) await slowDown(scene, () => 250)

          await finish('PostgreSQL: latency 500 ms', scene)
        })

        test('is slower than the deadline now and then', async () => {
          const scene = await begin(server, openPostgresClients)

          for (const _ of rounds) await slowDown(scene, upTo(400))

          await finish('PostgreSQL: latency up to 800 ms', scene)
        })

        test('loses every connection without a word', async () => {
          const scene = await begin(server, openPostgresClients)

          for (const _ of rounds) await loseConnections(scene)

          await finish('PostgreSQL: connections gone silent', scene)
        })
      })
  })

if (isLong && mariadbd && installDb)
  describe('MariaDB', () => {
    let server: Server
    beforeAll(async () => {
      const args = ['--innodb-flush-log-at-trx-commit=2']
      server = await servers.mariadb({ mariadbd, installDb }, args)
    })

    test('is killed and comes back with everything', async () => {
      const scene = await begin(server, openMysqlClients)

      for (const _ of rounds) {
        server = await killAndRestart(server, scene)
      }

      await finish('MariaDB: kill -9', scene)
    })

    test('stands still', async () => {
      const scene = await begin(server, openMysqlClients)

      for (const _ of rounds) await standStill([server.pid], scene.traffic)

      await finish('MariaDB: SIGSTOP', scene)
    })

    test('is slower than the deadline now and then', async () => {
      const scene = await begin(server, openMysqlClients)

      for (const _ of rounds) await slowDown(scene, upTo(400))

      await finish('MariaDB: latency up to 800 ms', scene)
    })

    test('loses every connection without a word', async () => {
      const scene = await begin(server, openMysqlClients)

      for (const _ of rounds) await loseConnections(scene)

      await finish('MariaDB: connections gone silent', scene)
    })
  })

async function killAndRestart(server: Server, { proxy, traffic }: Scene): Promise<Server> {
  process.kill(server.pid, 'SIGKILL')
  await traffic.isRefused()
  const again = await server.restart()
  proxy.leadTo(again.port)
  await traffic.recovers()
  return again
}

/** The connections are there, and nothing comes through them. New ones work. */
async function loseConnections({ proxy, traffic }: Scene): Promise<void> {
  proxy.swallow()
  await traffic.isRefusedToSome()
  await traffic.recovers()
}

const upTo = (maxMs: number) => () => Math.random() * maxMs

const info = (server: Server) => askRedis(server.url, ['INFO', 'replication']).then(String)

const offsetOf = (replication: string) =>
  Number(/(?:slave_repl|master_repl)_offset:(\d+)/.exec(replication)?.[1] ?? 0)

async function standStill(pids: readonly number[], traffic: Traffic): Promise<void> {
  const send = (signal: NodeJS.Signals) => {
    for (const pid of pids) {
      try {
        process.kill(pid, signal)
      } catch {
        // Ended meanwhile, as backends of PostgreSQL do.
      }
    }
  }
  send('SIGSTOP')
  try {
    await Promise.all([delay(isLong ? 10_000 : 2000), traffic.isRefused()])
  } finally {
    send('SIGCONT')
  }
  await traffic.recovers()
}

async function slowDown({ proxy, traffic }: Scene, latencyMs: () => number): Promise<void> {
  proxy.slowDown(latencyMs)
  await Promise.all([delay(isLong ? 10_000 : 1500), traffic.isRefused()])
  proxy.slowDown(() => 0)
  await traffic.recovers()
}

/** Runs statements one after the other, whether the server is read-only or not, and gives the rows of the last. */
async function administer(
  { url }: Server,
  ...statements: string[]
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new PostgresClient({ connectionString: url })
  await client.connect()
  try {
    await client.query('set default_transaction_read_only = off')
    let rows: Readonly<Record<string, unknown>>[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('It did not come about within 10 s')
    await delay(10)
  }
}
