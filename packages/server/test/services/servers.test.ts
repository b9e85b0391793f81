import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { findProgram } from '../../../../.ci/programs.mjs'
import { provided, provideServices } from './global-setup.js'
import { createServers, type ServersOptions } from './servers.js'
import { openStore, storePlaces } from './stores.js'

// What the other tests of this folder stand on, when it goes wrong.

function setUpServers(options?: ServersOptions) {
  const servers = createServers(options)
  onTestFinished(() => servers.stop())
  return servers
}

/** A folder with programs that take the place of servers. */
function setUpPrograms(programs: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'wxlogin-programs-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  // Those that run as a user of their own want to see them too.
  chmodSync(folder, 0o755)
  for (const [name, code] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!${process.execPath}\n${code}`)
    chmodSync(join(folder, name), 0o755)
  }
  return { folder, path: (name: string) => join(folder, name) }
}

const crashing = "console.error('Bad directive in the configuration')\nprocess.exit(3)"

/** Listens, and says nothing to whoever comes. */
const silent = `
  const port = process.argv[process.argv.indexOf('--port') + 1]
  require('node:fs').writeFileSync(process.argv[1] + '.pid', String(process.pid))
  require('node:net').createServer(() => undefined).listen(Number(port), '127.0.0.1')
`

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a server', () => {
  test('whose program is not there is an error that names it', async () => {
    const { path } = setUpPrograms()

    await expect(setUpServers().redis(path('redis-server'))).rejects.toThrow(
      /^redis-server cannot be run: .*ENOENT/,
    )
  })

  test('that ends at once is an error with its last words', async () => {
    const { path } = setUpPrograms({ 'redis-server': crashing })

    await expect(setUpServers().redis(path('redis-server'))).rejects.toThrow(
      /^redis-server ends at once \(status 3\): Bad directive/,
    )
  })

  test('that never answers is an error after a while, and is ended', async () => {
    const { path } = setUpPrograms({ 'redis-server': silent })
    const servers = setUpServers({ answerTimeoutMs: 1500 })

    await expect(servers.redis(path('redis-server'))).rejects.toThrow(
      /^redis-server runs and does not answer in 1500 ms/,
    )

    expect(isAlive(Number(readFileSync(path('redis-server.pid'), 'utf8')))).toBe(false)
  })

  test.each([
    ['initdb', { initdb: crashing, postgres: '' }],
    ['postgres', { initdb: '', postgres: crashing }],
  ])('of PostgreSQL fails by its own words when %s crashes', async (_name, programs) => {
    const { path } = setUpPrograms(programs)

    await expect(
      setUpServers().postgres({ postgres: path('postgres'), initdb: path('initdb') }),
    ).rejects.toThrow(/Bad directive/)
  })
})

const redisServer = findProgram('redis-server')

test.runIf(redisServer)(
  'a server that ends in mid-run is remembered, with how it ended',
  async () => {
    const servers = setUpServers()
    const { pid } = await servers.redis(redisServer ?? '')

    process.kill(pid, 'SIGKILL')

    const ended = expect.stringMatching(/^redis-server has ended by itself \(SIGKILL\)/)
    await vi.waitFor(() => expect(servers.fallen()).toEqual([ended]), { timeout: 20_000 })
  },
)

describe('stop', () => {
  test('removes a folder that somebody writes to for a moment more', async () => {
    const servers = createServers()
    const folder = servers.folder()
    const code = `
      const end = Date.now() + 1500
      for (let n = 0; Date.now() < end; n++) {
        try { require('node:fs').writeFileSync(process.argv[1] + '/' + n, '') } catch {}
      }
    `
    const writer = spawn(process.execPath, ['-e', code, folder], { stdio: 'ignore' })
    while (!existsSync(join(folder, '0'))) await delay(10)

    await servers.stop()

    expect(existsSync(folder)).toBe(false)
    writer.kill()
  })

  test('can be called twice', async () => {
    const servers = createServers()

    await servers.stop()

    await expect(servers.stop()).resolves.toBeUndefined()
  })
})

describe('what is provided', () => {
  // A green run should not look like a red one.
  const say = () => undefined

  /** Redis is what the given folder has, and the others are given. */
  function onlyRedisFrom(folder: string, isCi = false) {
    vi.stubEnv('PATH', folder)
    vi.stubEnv('CI', isCi ? 'true' : '')
    for (const name of ['REDIS_URL', 'REDIS_CLUSTER_URLS']) vi.stubEnv(name, undefined)
    vi.stubEnv('VALKEY_URL', 'redis://given')
    vi.stubEnv('DATABASE_URL', 'postgres://given')
    vi.stubEnv('MYSQL_URL', 'mysql://given')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
  }

  test('a server that does not start has a problem, and the others have none', async () => {
    const { folder } = setUpPrograms({ 'redis-server': crashing })
    onlyRedisFrom(folder)
    const lines: string[] = []

    const services = await provideServices(setUpServers(), {
      say,
      note: (line) => lines.push(line),
    })

    expect(services).toMatchObject({ valkey: 'redis://given', mysql: 'mysql://given' })
    expect(Object.keys(services.problems).sort()).toEqual(['redis', 'redisCluster', 'spareRedis'])
    expect(lines).toHaveLength(3)
    expect(lines).toContainEqual(expect.stringMatching(/^ITS TESTS FAIL: Redis could not be/))
    expect(() => provided(services, 'spareRedis')).toThrow(/Bad directive/)
    expect(provided(services, 'postgres')).toBe('postgres://given')
    const place = storePlaces(services).find(({ kind }) => kind === 'ioredis 5')
    await expect(place && openStore(place)).rejects.toThrow(/^Redis with ioredis 5: could not be/)
  })

  test('what cannot be installed is left out, and said', async () => {
    onlyRedisFrom(setUpPrograms().folder)
    const lines: string[] = []

    const services = await provideServices(setUpServers(), {
      say,
      note: (line) => lines.push(line),
    })

    expect(services.problems).toEqual({})
    expect(storePlaces(services).some(({ name }) => name.startsWith('Redis'))).toBe(false)
    expect(lines).toEqual([expect.stringMatching(/^THEIR TESTS DO NOT RUN: Redis and /)])
  })

  test('with CI=true its tests fail', async () => {
    onlyRedisFrom(setUpPrograms().folder, true)

    const services = await provideServices(setUpServers(), { say, note: say })

    expect(Object.keys(services.problems).sort()).toEqual(['redis', 'redisCluster', 'spareRedis'])
    const [first] = storePlaces(services)
    expect(first?.problem).toMatch(/^not on this machine/)
  })
})
