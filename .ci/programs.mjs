// Programs that tests need and this machine may have: found on the PATH, or brought by apt-get.
import { execFile, spawn } from 'node:child_process'
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
      const startedAt = performance.now()
      updated ??= succeeds([...command, 'update', '-qq'])
      await updated
      for (const name of names) {
        if (!(await offers(name))) continue
        // Another run on this machine may be at it.
        const waits = ['-o', 'DPkg::Lock::Timeout=300']
        const install = ['install', '--no-install-recommends', name]
        say(`installing ${name} with apt-get, once${await sizeOf([...command, ...install])} …`)
        if (await succeeds([...command, ...waits, ...install, '-y', '-qq'])) {
          say(`  took ${Math.round((performance.now() - startedAt) / 1000)} s`)
          return true
        }
      }
      say(`${names.join(' or ')} cannot be installed with apt-get`)
      return false
    },

    /** Whether the lists that are there have the package. */
    offer: offers,
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

async function offers(name) {
  const aptCache = findProgram('apt-cache')
  return aptCache !== undefined && succeeds([aptCache, 'show', name])
}

/** What an installation would fetch and take, in the words of apt-get. */
async function sizeOf([program, ...args]) {
  const said = await outputOf([program, ...args, '--assume-no'])
  const fetched = /Need to get (.+?) of archives/.exec(said)?.[1]
  const taken = /this operation, (.+?) of additional/.exec(said)?.[1]
  return [fetched && `, ${fetched} to fetch`, taken && `, ${taken} on the disk`]
    .filter(Boolean)
    .join('')
}

function outputOf([program, ...args]) {
  return new Promise((resolve) => {
    const env = { ...process.env, LC_ALL: 'C' }
    execFile(program, args, { env }, (_error, stdout) => resolve(stdout))
  })
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
