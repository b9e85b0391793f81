// Servers of our own, by what the tests start theirs with: on loopback, in a temporary folder, ended with this process.
import { rmSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { root } from '../process.mjs'
import { createPackages, findProgram } from '../programs.mjs'

const tests = `${root}packages/server/test/services/`

/** Resolves with `{ redis(), mariadb(), postgres(), stop() }`; each of the former resolves with the URL of a new server. */
export async function createDatabases() {
  const { createServers } = await load()
  const servers = createServers()
  return {
    async redis() {
      const [program] = await programs('redis-server', [['redis-server', 'valkey-server']])
      return (await servers.redis(program)).url
    },
    async mariadb() {
      const [mariadbd, installDb] = await programs('mariadb-server', [
        ['mariadbd', 'mysqld'],
        ['mariadb-install-db', 'mysql_install_db'],
      ])
      return (await servers.mariadb({ mariadbd, installDb })).url
    },
    async postgres() {
      const [postgres, initdb] = await programs('postgresql', [['postgres'], ['initdb']])
      return (await servers.postgres({ postgres, initdb })).url
    },
    stop: () => servers.stop(),
  }
}

async function programs(debianPackage, wanted) {
  const find = () => wanted.map((names) => names.map(findProgram).find(Boolean))
  if (!find().every(Boolean)) await createPackages(console.log).install(debianPackage)
  const found = find()
  if (found.every(Boolean)) return found
  throw new Error(
    `${debianPackage} is not on this machine; install it, or run as root with apt-get`,
  )
}

/** The tests' own part is TypeScript, and finds its drivers where it stands. */
async function load() {
  const outfile = `${tests}servers-${process.pid}.mjs`
  await build({
    entryPoints: [`${tests}servers.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  })
  return import(pathToFileURL(outfile).href).finally(() => rmSync(outfile))
}
