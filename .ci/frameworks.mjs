// Starts the frameworks that the adapters are for, as their users would, with the packed server: the cases that every
// adapter has to pass, a matrix of what a mini program does, and `wxlogin conform`.
//   node .ci/frameworks.mjs frameworks nest-12   only these installs
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { installs } from './frameworks/installs.mjs'
import { forgotten, glueOf, runPrograms } from './frameworks/programs.mjs'
import { pack } from './pack.mjs'
import { root, run, runNode } from './process.mjs'
import { tool } from './tools.mjs'

/** By install: the files of `frameworks/rows` that start them. */
const rows = {
  frameworks: ['express', 'koa', 'fastify', 'hono'],
  'nest-11': ['nest'],
  'nest-12': ['nest'],
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in installs))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; there are ${Object.keys(installs).join(', ')}`)
  process.exit(1)
}
const chosen = Object.keys(installs).filter((name) => wanted.length === 0 || wanted.includes(name))
const place = mkdtempSync(join(tmpdir(), 'wxlogin-frameworks-'))
const results = []
const outcomes = forgotten().map((file) => ({
  what: file,
  failure: 'Nobody runs it: .ci/frameworks/programs.mjs has a list',
}))

try {
  const tarball = await pack('server', place)
  for (const install of chosen) {
    const home = await homeOf(install, tarball)
    for (const row of rows[install] ?? []) results.push(...(await runRow(install, row, home)))
    const ran = await runPrograms(install, home)
    outcomes.push(...ran.map(({ what, failure }) => ({ what: `${install}: ${what}`, failure })))
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}

if (results.length > 0) printMatrix()
for (const { what, failure } of outcomes) {
  console.log(`${failure === undefined ? 'ok    ' : 'FAILED'} ${what}`)
  if (failure !== undefined) console.log(failure)
}
const isBroken = ({ failures }) => failures.length > 0
if (results.some(isBroken) || outcomes.some(({ failure }) => failure !== undefined)) {
  process.exitCode = 1
}

async function runRow(install, row, home) {
  const { status, output } = await runNode([join(home, 'run.mjs'), row], {
    cwd: home,
    env: { ...process.env, WXLOGIN_COMMAND_LINE: `${root}packages/cli/dist/main.js` },
  })
  const linesOf = (start) => output.split('\n').filter((line) => line.startsWith(start))
  const lines = linesOf('{"name"')
  const found = lines.map((line) => JSON.parse(line))
  for (const line of linesOf('{"what"')) {
    const { what, failure } = JSON.parse(line)
    outcomes.push({ what: `${install}: ${what}`, failure })
  }
  // Two majors of it have the same row.
  const major = /-(\d+)$/.exec(install)?.[1]
  const named = found.map((result) => ({
    ...result,
    name: major ? result.name.replace(/^\w+/, `$& ${major}`) : result.name,
  }))
  if (status === 0 && lines.length > 0) return named
  return [
    ...named,
    { name: row, section: row, cells: {}, cases: { passed: 0, all: 1 }, failures: [output] },
  ]
}

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

function printMatrix() {
  const columns = [...new Set(results.flatMap(({ cells }) => Object.keys(cells)))]
  const width = Math.max(...results.map(({ name }) => name.length))
  console.log(`\n${[''.padEnd(width), ...columns, 'cases  ', 'lines of glue'].join('  ')}`)
  for (const { name, section, cells, cases } of results) {
    const line = columns.map((column) => {
      const cell = cells[column]
      return (cell === undefined ? '–' : cell ? 'ok' : 'FAILED').padEnd(column.length)
    })
    const count = `${cases.passed}/${cases.all}`.padEnd(7)
    console.log([name.padEnd(width), ...line, count, glueOf(section)].join('  '))
  }
  for (const { name, failures } of results) {
    for (const failure of failures) console.log(`\n${name}: ${failure}`)
  }
  console.log()
}
