// Every runtime × what has to hold there, with the packed server: the demo, each adapter on its framework, each store.
//   node .ci/matrix.mjs bun deno   only these
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { adapters } from './entries.mjs'
import { installs } from './frameworks/installs.mjs'
import { pack } from './pack.mjs'
import { root, run, runNode } from './process.mjs'
import { bun, deno, nodeOf, nodeVersions, tooOldNode } from './runtimes.mjs'
import { install } from './tools.mjs'

const runtimes = [
  ...nodeVersions.map((version) => ({
    name: `Node ${version}`,
    command: async () => [await nodeOf(version)],
  })),
  { name: 'Bun', command: async () => [await bun(), 'run'] },
  {
    name: 'Deno',
    command: async () => [await deno(), 'run', '--allow-all', '--node-modules-dir=manual'],
  },
]
const words = process.argv.slice(2).map((word) => word.toLowerCase())
const isWanted = (name) =>
  words.length === 0 || words.some((word) => name.toLowerCase().includes(word))

const place = mkdtempSync(join(tmpdir(), 'wxlogin-matrix-'))
const rows = []
const failures = []
try {
  const packages = [...installs.frameworks, ...installs['nest-12']]
  const { status, output } = await install(place, [
    await pack('server', join(place, 'packed')),
    ...new Set(packages),
  ])
  if (status !== 0) throw new Error(`npm could not install the frameworks\n${output}`)
  cpSync(`${root}.ci/frameworks`, place, { recursive: true })
  cpSync(`${root}.ci/runtimes/cases.mjs`, join(place, 'cases.mjs'))
  await writeDocumentedSqlite()

  for (const { name, command } of runtimes.filter(({ name }) => isWanted(name))) {
    console.log(`\n${name} …`)
    await tryOn(name, await command())
  }
  if (isWanted('workerd')) await tryWorkerd()
  if (isWanted('old')) await tryTooOld()
} finally {
  rmSync(place, { recursive: true, force: true })
}
print()
if (failures.length > 0) process.exitCode = 1

async function tryOn(name, [program, ...before]) {
  const demo = await run(program, [...before, 'examples/demo.mjs'])
  const flow = demo.status === 0 && demo.output.includes('Everything above was checked')
  if (!flow) failures.push(`${name}, the demo:\n${demo.output.slice(-3000)}`)
  const cells = { flow: flow ? 'ok' : 'FAILED' }

  const { status, output } = await run(program, [...before, 'cases.mjs', ...adapters], {
    cwd: place,
  })
  for (const line of output.split('\n').filter((line) => line.startsWith('{"what"'))) {
    const { what, passed, failures: failed } = JSON.parse(line)
    cells[what] = failed.length === 0 ? String(passed) : `${passed} of ${passed + failed.length}`
    for (const failure of failed) failures.push(`${name}, ${what}: ${failure}`)
  }
  if (status !== 0) failures.push(`${name}: ${output.slice(-3000)}`)
  for (const what of [...adapters, 'memory']) {
    if (cells[what] === undefined) failures.push(`${name}: nothing was said about ${what}`)
  }
  rows.push({ name, cells })
}

/** The Worker of the documentation, which has its store in D1. */
async function tryWorkerd() {
  const { status, output } = await runNode(['.ci/bundles.mjs', 'on D1'])
  const cases = /(\d+) cases of stores on D1/.exec(output)?.[1]
  if (status !== 0 || !cases) failures.push(`workerd: ${output}`)
  rows.push({ name: 'workerd', cells: { flow: cases ? 'ok' : 'FAILED', D1: cases ?? 'FAILED' } })
}

/** It says so, and nothing of what fails on it. */
async function tryTooOld() {
  const program = await nodeOf(tooOldNode)
  const sentence = `needs Node 20.18.1 or newer, and this is Node ${tooOldNode}`
  const options = `{ apps: [{ appId: 'wx0000000000000001', appSecret: 's' }], secret: 's' }`
  const ways = {
    'old-import.mjs': `import { createAuth } from '@wxlogin/server'\ncreateAuth(${options})\n`,
    'old-require.cjs': `require('@wxlogin/server').createAuth(${options})\n`,
  }
  let says = true
  for (const [file, code] of Object.entries(ways)) {
    writeFileSync(join(place, file), code)
    const { output } = await run(program, [file], { cwd: place })
    if (output.includes(sentence)) continue
    says = false
    failures.push(`Node ${tooOldNode}, ${file}: ${output}`)
  }
  rows.push({ name: `Node ${tooOldNode}`, cells: { flow: says ? 'says so' : 'FAILED' } })
}

/** What docs/platforms.md shows, for a database that is given. */
async function writeDocumentedSqlite() {
  const page = readFileSync(`${root}docs/platforms.md`, 'utf8')
  const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
  const block = blocks.find((code) => code.includes("from 'node:sqlite'"))
  const start = block?.indexOf('const database:') ?? -1
  const end = block?.indexOf('export const store') ?? -1
  if (start < 0 || end < 0) throw new Error('docs/platforms.md has no store in node:sqlite')
  await build({
    stdin: {
      loader: 'ts',
      contents: `export async function openStore(sqlite, createSqlStore) {
        ${block.slice(start).replace('export const store', 'const store')}
        return store
      }`,
    },
    outfile: join(place, 'documented-sqlite.mjs'),
    format: 'esm',
  })
}

function print() {
  for (const failure of failures) console.log(`\nFAILED ${failure}`)
  const columns = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))]
  const table = [
    ['', ...columns],
    ...rows.map(({ name, cells }) => [name, ...columns.map((column) => cells[column] ?? '–')]),
  ]
  const widths = table[0].map((_, n) => Math.max(...table.map((row) => row[n].length)))
  console.log()
  for (const row of table) console.log(row.map((cell, n) => cell.padEnd(widths[n])).join('  '))
}
