// The backends in Java and in Python, as their READMEs start them.
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { root, run, start } from '../process.mjs'
import { createPackages, findProgram } from '../programs.mjs'

const packages = createPackages(console.log)

const languages = {
  Java: {
    example: 'java',
    has: () => findProgram('javac') !== undefined,
    debian: 'openjdk-17-jdk-headless',
    build: ['javac', '-d', 'out', 'Main.java'],
    start: ['java', '-cp', 'out', 'Main'],
    ban: async (home, openid) => writeFileSync(join(home, 'banned.txt'), `${openid}\n`),
  },
  Python: {
    example: 'python',
    has: async () => (await python(root, 'import jwt')).status === 0,
    debian: 'python3-jwt',
    start: ['/usr/bin/python3', 'main.py'],
    async ban(home, openid) {
      const program = [
        'import sqlite3, sys',
        "db = sqlite3.connect('users.db')",
        "db.execute('UPDATE users SET banned = 1 WHERE openid = ?', (sys.argv[1],))",
        'db.commit()',
      ]
      const { status, output } = await python(home, program.join('\n'), openid)
      if (status !== 0) throw new Error(output)
    },
  },
}

/** Debian's Python has Debian's packages. */
const python = (cwd, ...args) =>
  run('/usr/bin/python3', ['-c', ...args], { cwd }).catch(() => ({ status: 1, output: '' }))

/** Starts one for each login service, on a port that is known before. */
export async function startBackends(place, ports, env) {
  const backends = []
  for (const [name, { example, has, debian, build, ban, ...language }] of Object.entries(
    languages,
  )) {
    if (!(await has())) await packages.install(debian)
    if (!(await has())) throw new Error(`${name} needs ${debian}, which is not on this machine`)
    const home = join(place, example)
    cpSync(join(root, 'examples', example), home, { recursive: true })
    if (build) {
      const [program, ...args] = build
      const { status, output } = await run(program, args, { cwd: home })
      if (status !== 0) throw new Error(`${name} does not compile\n${output}`)
    }
    const [program, ...args] = language.start
    const port = ports[example]
    const begin = async () => {
      const process = start(program, args, { cwd: home, env: { ...env, PORT: String(port) } })
      await listens(process, port)
      return process
    }
    let process = await begin()
    backends.push({
      name,
      url: `http://127.0.0.1:${port}`,
      ban: (openid) => ban(home, openid),
      stop: () => process.stop(),
      async startAgain() {
        process = await begin()
      },
    })
  }
  return backends
}

async function listens(process, port) {
  for (let n = 0; n < 600; n++) {
    if (process.hasEnded()) throw new Error(`It ends at once\n${process.output()}`)
    if (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)) return
    await delay(50)
  }
  throw new Error(`It does not listen\n${process.output()}`)
}
