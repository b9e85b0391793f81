import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const postgresHome = '/usr/lib/postgresql'

/** Where a program is: on the PATH, or where Debian and its relatives put servers. */
export function findProgram(name: string): string | undefined {
  const postgresFolders = existsSync(postgresHome)
    ? readdirSync(postgresHome)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(postgresHome, version, 'bin'))
    : []
  return [
    ...(process.env.PATH ?? '').split(delimiter),
    ...postgresFolders,
    '/usr/local/bin',
    '/usr/local/sbin',
    '/usr/sbin',
  ]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

export interface Packages {
  /** Installs a Debian package, where that can be done. `false` when it cannot, or has failed. */
  install(name: string): Promise<boolean>
  /** Whether the lists that are there have the package. */
  offer(name: string): Promise<boolean>
}

/** `apt-get`, for root only. The lists are brought up to date once, before the first package. */
export function createPackages(say: (message: string) => void): Packages {
  const aptGet = process.getuid?.() === 0 ? findProgram('apt-get') : undefined
  let updated: Promise<boolean> | undefined

  return {
    async install(name) {
      if (!aptGet) return false
      updated ??= succeeds(aptGet, ['update', '-qq'])
      await updated
      say(`installing ${name} with apt-get, once …`)
      return succeeds(aptGet, ['install', '-y', '-qq', '--no-install-recommends', name])
    },

    async offer(name) {
      const aptCache = findProgram('apt-cache')
      return aptCache !== undefined && succeeds(aptCache, ['show', name])
    },
  }
}

function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    child.on('error', () => resolve(false))
    child.on('close', (status) => resolve(status === 0))
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
