import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import {
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createConnection as connectToMysql } from 'mysql2/promise'
import { Client as PostgresClient } from 'pg'
import { createClient } from 'redis'

/** A server of ours on 127.0.0.1. */
export interface Server {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Waits for its end, and starts it again on its folder, on another port. */
  restart(): Promise<Server>
}

export interface Servers {
  /** Options beyond the usual ones come last, so that they win. */
  redis(program: string, args?: readonly string[]): Promise<Server>
  /** The URLs of three nodes that share the slots. */
  redisCluster(program: string): Promise<readonly string[]>
  postgres(
    programs: { postgres: string; initdb: string },
    args?: readonly string[],
  ): Promise<Server>
  mariadb(
    programs: { mariadbd: string; installDb: string },
    args?: readonly string[],
  ): Promise<Server>
  /** A folder for databases in files. */
  folder(): string
  /** Which of them have ended by themselves, and how. */
  fallen(): readonly string[]
  /** Ends them all and removes their folders; the end of this process does the same. Never rejects. */
  stop(): Promise<void>
}

export interface ServersOptions {
  /** How long a server may run without an answer, in milliseconds. A minute, for the machine may be busy. */
  answerTimeoutMs?: number
}

/** Starts servers on free ports of this machine, each with a temporary folder, none of them careful about the disk. */
export function createServers({ answerTimeoutMs = 60_000 }: ServersOptions = {}): Servers {
  const reaper = spawn(process.execPath, [fileURLToPath(new URL('reaper.mjs', import.meta.url))], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  })
  const reaped = endOf(reaper)
  // What it does not hear stays behind, which is no reason for a test to fail.
  reaper.stdin?.on('error', () => undefined)
  const tell = (message: object) => reaper.stdin?.write(`${JSON.stringify(message)}\n`)
  const fallen: string[] = []

  /** A folder of a server's own; servers that refuse to run as root run as `user`. */
  function makeHome(user?: string): Home {
    const owner = process.getuid?.() === 0 && user !== undefined ? idsOf(user) : undefined
    const folder = mkdtempSync(join(tmpdir(), 'wxlogin-'))
    tell({ folder })
    if (owner) chownSync(folder, owner.uid, owner.gid)
    return { folder, owner }
  }

  /** Starts a server until it answers. A port that looked free may have been taken meanwhile. */
  async function start(home: Home, command: Command, maxAttempts = 3): Promise<Server> {
    const { folder, owner } = home
    const log = join(folder, 'log')
    const name = basename(command.program)
    for (let attempt = 1; ; attempt++) {
      const port = await freePort()
      const output = openSync(log, 'w')
      const child = spawn(command.program, command.args(port), {
        ...owner,
        detached: true,
        stdio: ['ignore', output, output],
      })
      closeSync(output)
      const ended = endOf(child)
      if (child.pid === undefined) throw new Error(`${name} cannot be run: ${await ended}`)
      const { pid } = child
      tell({ pid, signal: command.endSignal })
      void ended.then(() => tell({ endedPid: pid }))
      child.unref()
      const url = command.url(port)
      const limit = AbortSignal.timeout(answerTimeoutMs)
      if (await answers(child, () => command.isUp(url), limit)) {
        void ended.then((how) =>
          fallen.push(`${name} has ended by itself (${how}): ${endOfFile(log)}`),
        )
        const restart = () => ended.then(() => start(home, command, restartAttempts))
        return { port, pid, url, restart }
      }
      child.kill('SIGKILL')
      const how = await ended
      if (limit.aborted) {
        throw new Error(
          `${name} runs and does not answer in ${answerTimeoutMs} ms: ${endOfFile(log)}`,
        )
      }
      if (attempt === maxAttempts)
        throw new Error(`${name} ends at once (${how}): ${endOfFile(log)}`)
    }
  }

  async function redis(program: string, args: readonly string[] = []): Promise<Server> {
    const home = makeHome()
    return start(home, {
      program,
      args: (port) => [
        ...['--bind', '127.0.0.1', '--port', String(port), '--dir', home.folder],
        ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
        ...args,
      ],
      endSignal: 'SIGKILL',
      url: (port) => `redis://127.0.0.1:${port}`,
      isUp: (url) => askRedis(url, ['PING'], { timeoutMs: 0 }),
    })
  }

  return {
    redis,

    folder: () => makeHome().folder,

    async redisCluster(program) {
      const nodes = await Promise.all(
        [0, 1, 2].map(() =>
          redis(program, [
            ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
            ...['--cluster-node-timeout', '2000'],
          ]),
        ),
      )
      const [first] = nodes
      const lastSlot = 16_383
      await Promise.all(
        nodes.map(async ({ url, port }, n) => {
          await askRedis(url, ['CLUSTER', 'SET-CONFIG-EPOCH', String(n + 1)])
          const slots = Array.from({ length: lastSlot + 1 }, (_, slot) => slot)
          const own = slots.filter((slot) => Math.floor((slot * 3) / (lastSlot + 1)) === n)
          await askRedis(url, ['CLUSTER', 'ADDSLOTS', ...own.map(String)])
          if (first && n > 0)
            await askRedis(first.url, ['CLUSTER', 'MEET', '127.0.0.1', String(port)])
        }),
      )
      for (const { url } of nodes) {
        await until(async () => {
          const info = String(await askRedis(url, ['CLUSTER', 'INFO']))
          return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')
        })
      }
      return nodes.map(({ url }) => url)
    },

    async postgres({ postgres, initdb }, args = []) {
      const home = makeHome('postgres')
      const { folder, owner } = home
      const data = join(folder, 'data')
      await runOnce(
        initdb,
        ['-D', data, '-A', 'trust', '-U', 'wxlogin', '-E', 'UTF8', '--locale=C', '--no-sync'],
        { ...owner, cwd: folder },
      )
      return start(home, {
        program: postgres,
        args: (port) => [
          ...['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', folder],
          ...['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
          ...['-c', 'shared_buffers=32MB', '-c', 'max_connections=100'],
          ...args,
        ],
        // Killed outright it would leave shared memory behind.
        endSignal: 'SIGQUIT',
        url: (port) => `postgres://wxlogin@127.0.0.1:${port}/postgres`,
        async isUp(url) {
          const client = new PostgresClient({
            connectionString: url,
            connectionTimeoutMillis: attemptMs,
          })
          // Without a listener an error of the connection ends the process.
          client.on('error', () => undefined)
          await client.connect()
          await client.end()
        },
      })
    },

    async mariadb({ mariadbd, installDb }, args = []) {
      const home = makeHome('mysql')
      const { folder, owner } = home
      const data = join(folder, 'data')
      mkdirSync(data)
      if (owner) chownSync(data, owner.uid, owner.gid)
      await runOnce(
        installDb,
        ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal'],
        { ...owner, cwd: folder },
      )
      const initFile = join(folder, 'init.sql')
      writeFileSync(
        initFile,
        [
          'CREATE DATABASE wxlogin;',
          "CREATE USER 'wxlogin'@'127.0.0.1';",
          "GRANT ALL ON *.* TO 'wxlogin'@'127.0.0.1' WITH GRANT OPTION;",
        ].join('\n'),
      )
      return start(home, {
        program: mariadbd,
        args: (port) => [
          ...['--no-defaults', `--datadir=${data}`, `--init-file=${initFile}`],
          ...['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${join(folder, 'socket')}`],
          ...[`--pid-file=${join(folder, 'pid')}`, '--skip-name-resolve', '--skip-log-bin'],
          ...['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0'],
          ...['--innodb-buffer-pool-size=32M', '--performance-schema=OFF'],
          ...['--character-set-server=utf8mb4', '--max-connections=100'],
          ...args,
        ],
        endSignal: 'SIGKILL',
        url: (port) => `mysql://wxlogin@127.0.0.1:${port}/wxlogin`,
        isUp: async (url) => (await connectToMysql({ uri: url, connectTimeout: attemptMs })).end(),
      })
    },

    fallen: () => [...fallen],

    async stop() {
      reaper.stdin?.end()
      await reaped
    },
  }
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

interface Home {
  readonly folder: string
  readonly owner: Owner | undefined
}

interface Command {
  readonly program: string
  readonly args: (port: number) => readonly string[]
  readonly endSignal: NodeJS.Signals
  readonly url: (port: number) => string
  readonly isUp: (url: string) => Promise<unknown>
}

// For one attempt to reach a server.
const attemptMs = 5000

// After a kill PostgreSQL refuses to start as long as one of its old processes is there.
const restartAttempts = 50

const runOnce = promisify(execFile)

function idsOf(user: string): Owner {
  const idOf = (flag: string) =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: 'pipe' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

/** Sends one command by a connection of its own. On a busy machine a connection may take a few attempts. */
export async function askRedis(
  url: string,
  command: readonly string[],
  { timeoutMs = 20_000 }: { timeoutMs?: number } = {},
): Promise<unknown> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const socket = { reconnectStrategy: false, connectTimeout: attemptMs } as const
    const client = createClient({ url, socket })
    client.on('error', () => undefined)
    try {
      await within(attemptMs, client.connect())
      return await within(Math.max(timeoutMs, attemptMs), client.sendCommand([...command]))
    } catch (error) {
      if (client.isReady || Date.now() > deadline) throw error
      await delay(50)
    } finally {
      if (client.isOpen) client.destroy()
    }
  }
}

/** The end of a log; nothing when its folder is gone. */
function endOfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim().slice(-2000)
  } catch {
    return ''
  }
}

/** How a process has ended, for people; never rejects. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (status, signal) => resolve(signal ?? `status ${status}`))
  })
}

async function answers(
  child: ChildProcess,
  isUp: () => Promise<unknown>,
  limit: AbortSignal,
): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null && !limit.aborted) {
    try {
      await within(attemptMs, isUp())
      return true
    } catch {
      await delay(25)
    }
  }
  return false
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('The Redis Cluster did not come together in 60 s')
    await delay(50)
  }
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const tooLate = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`No answer in ${ms} ms`)), ms).unref()
  })
  return Promise.race([work, tooLate])
}

/** A cluster node takes the port 10,000 above its own too. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
      })
    })
    if (port > 0 && port < 55_536 && !(await isTaken(port + 10_000))) return port
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
