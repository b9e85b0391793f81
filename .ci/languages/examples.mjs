// The example backends in other languages: what each needs, how it is built and started, and how a user is banned there.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../process.mjs'
import { createPackages, findProgram } from '../programs.mjs'

const packages = createPackages((line) => console.log(line))

export const java = {
  has: () => findProgram('javac') !== undefined,
  debian: ['openjdk-17-jdk-headless'],
  build: ['javac', '-Xlint:all,-serial', '-Werror', '-d', 'out', 'Main.java'],
  start: ['java', '-cp', 'out', 'Main'],
  ban: async (home, openid) => writeFileSync(join(home, 'banned.txt'), `${openid}\n`),
}

export const python = {
  has: hasModules('jwt'),
  debian: ['python3-jwt'],
  start: ['/usr/bin/python3', 'main.py'],
  ban: banInSqlite,
}

export const fastapi = {
  has: hasModules('jwt', 'fastapi', 'uvicorn'),
  debian: ['python3-jwt', 'python3-fastapi', 'python3-uvicorn'],
  start: ['/usr/bin/python3', '-m', 'uvicorn', 'app:app', '--port', '0'],
  ban: banInSqlite,
}

/** Whether this machine has what an example needs, which is installed if it can be. */
export async function isThere({ has, debian }) {
  if (await has()) return true
  for (const name of debian) await packages.install(name)
  return has()
}

/** In Debian's Python, which is the one that has Debian's packages. */
function hasModules(...names) {
  return async () => {
    const asked = run('/usr/bin/python3', ['-c', `import ${names.join(', ')}`])
    return (await asked.catch(() => ({ status: 1 }))).status === 0
  }
}

async function banInSqlite(home, openid) {
  const program = [
    'import sqlite3, sys',
    "db = sqlite3.connect('users.db')",
    "db.execute('UPDATE users SET banned = 1 WHERE openid = ?', (sys.argv[1],))",
    'db.commit()',
  ].join('\n')
  const { status, output } = await run('/usr/bin/python3', ['-c', program, openid], { cwd: home })
  assert.equal(status, 0, output)
}
