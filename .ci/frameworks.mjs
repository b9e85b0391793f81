// Starts the frameworks that the adapters are for, as their users would, with the packed server: the cases that every
// adapter has to pass, and a matrix of what a mini program does.
//   node .ci/frameworks.mjs koa nest-12   only these rows
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { installs } from './frameworks/installs.mjs'
import { pack } from './pack.mjs'
import { root, run, runNode } from './process.mjs'
import { tool } from './tools.mjs'

const rows = [
  { name: 'koa', install: 'frameworks' },
  { name: 'fastify', install: 'frameworks' },
  { name: 'hono', install: 'frameworks' },
  { name: 'express', install: 'frameworks' },
  { name: 'nest-11', file: 'nest', install: 'nest-11' },
  { name: 'nest-12', file: 'nest', install: 'nest-12' },
]

const wanted = process.argv.slice(2)
const chosen = rows.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
const place = mkdtempSync(join(tmpdir(), 'wxlogin-frameworks-'))
const results = []

try {
  const tarball = await pack('server', place)
  const homes = new Map()
  for (const { name, file = name, install } of chosen) {
    const home = homes.get(install) ?? (await homeOf(install, tarball))
    homes.set(install, home)
    const { status, output } = await runNode([join(home, 'run.mjs'), file], { cwd: home })
    const lines = output.split('\n').filter((line) => line.startsWith('{"name"'))
    results.push(...lines.map((line) => JSON.parse(line)))
    if (status !== 0 || lines.length === 0) {
      results.push({ name, cells: {}, cases: { passed: 0, all: 1 }, failures: [output] })
    }
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}

print(results)

/** A project that has a group of packages and the packed server. */
async function homeOf(install, tarball) {
  const tools = await tool(install, installs[install], { about: 'up to 350 MB' })
  const home = join(place, install)
  linkPackages(join(tools, 'node_modules'), join(home, 'node_modules'))
  const server = join(home, 'node_modules/@wxlogin/server')
  mkdirSync(server, { recursive: true })
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', server])
  for (const name of ['jose', 'undici']) {
    mkdirSync(join(server, 'node_modules'), { recursive: true })
    symlinkSync(
      join(root, 'packages/server/node_modules', name),
      join(server, 'node_modules', name),
    )
  }
  cpSync(join(root, '.ci/frameworks'), home, { recursive: true })
  return home
}

/** Each by itself, so that ours can stand beside them and find them. */
function linkPackages(from, to) {
  const names = readdirSync(from)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(from, name)).map((one) => `${name}/${one}`) : [name],
    )
  for (const name of names) {
    mkdirSync(dirname(join(to, name)), { recursive: true })
    symlinkSync(join(from, name), join(to, name), 'junction')
  }
}

function print(results) {
  const columns = [...new Set(results.flatMap(({ cells }) => Object.keys(cells)))]
  const width = Math.max(...results.map(({ name }) => name.length))
  console.log(`\n${[''.padEnd(width), ...columns, 'cases'].join('  ')}`)
  let broken = 0
  for (const { name, cells, cases, failures } of results) {
    const line = columns.map((column) => {
      const cell = cells[column]
      return (cell === undefined ? '–' : cell ? 'ok' : 'FAILED').padEnd(column.length)
    })
    console.log([name.padEnd(width), ...line, `${cases.passed}/${cases.all}`].join('  '))
    if (failures.length > 0) broken++
  }
  for (const { name, failures } of results) {
    for (const failure of failures) console.log(`\n${name}: ${failure}`)
  }
  if (broken > 0) process.exitCode = 1
}
