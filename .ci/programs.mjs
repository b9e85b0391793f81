// Programs that tests need and this machine may have: found on the PATH, or brought by apt-get.
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const postgresHome = '/usr/lib/postgresql'

/** Where a program is: on the PATH, or where Debian and its relatives put servers. */
export function findProgram(name) {
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

/** `apt-get`, for root and on CI for whoever may become root. The lists are brought up to date once, before the first package. */
export function createPackages(say) {
  const command = aptGet()
  let updated

  return {
    /** Installs the first of these Debian packages that there is. `false` when that cannot be done. */
    async install(...names) {
      if (!command) return false
      updated ??= succeeds([...command, 'update', '-qq'])
      await updated
      say(`installing ${names.join(' or ')} with apt-get, once …`)
      for (const name of names) {
        // Another run on this machine may be at it.
        const waits = ['-o', 'DPkg::Lock::Timeout=300']
        const install = ['install', '-y', '-qq', '--no-install-recommends', name]
        if (await succeeds([...command, ...waits, ...install])) return true
      }
      return false
    },

    /** Whether the lists that are there have the package. */
    async offer(name) {
      const aptCache = findProgram('apt-cache')
      return aptCache !== undefined && succeeds([aptCache, 'show', name])
    },
  }
}

function aptGet() {
  const program = findProgram('apt-get')
  if (!program) return undefined
  if (process.getuid?.() === 0) return [program]
  const sudo = findProgram('sudo')
  // Nobody's own machine is changed in passing.
  return process.env.CI === 'true' && sudo ? [sudo, '--non-interactive', program] : undefined
}

function succeeds([program, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    child.on('error', () => resolve(false))
    child.on('close', (status) => resolve(status === 0))
  })
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
