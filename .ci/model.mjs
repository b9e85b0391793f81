// The model of the rotation: every interleaving of phones, a thief, the network, the store and the app, on the real
// rules. docs/security/rotation-model.md shows what it prints.
//   node .ci/model.mjs thief   only what may happen in this world
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root, run } from './process.mjs'

const program = join(root, '.cache/rotation-model.mjs')
await build({
  entryPoints: [join(root, 'packages/server/test/rotation-model/run.ts')],
  outfile: program,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  alias: { '@wxlogin/shared': join(root, 'packages/shared/src/index.ts') },
  logLevel: 'error',
})

// The longest first.
const all = JSON.parse((await run(process.execPath, [program, 'names'])).output).reverse()
const given = process.argv.slice(2)
const unknown = given.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; there are ${all.join(', ')}`)
  process.exit(1)
}

const startedAt = performance.now()
const pages = ['', '.zh-CN'].map((language) =>
  readFileSync(join(root, `docs/security/rotation-model${language}.md`), 'utf8'),
)
let holds = true
// Two at a time.
const waiting = all.filter((name) => given.length === 0 || given.includes(name))
console.log('| what may happen | states | steps | depth | looked at |')
await Promise.all([next(), next()])

const { status, output } = await run(process.execPath, [program, 'broken'])
console.log(`\nBroken rules, each with the shortest story that shows it:\n${output}`)
if (status !== 0) fail('Rules that are broken on purpose were taken for good.')
console.log(`${Math.round((performance.now() - startedAt) / 1000)} s in all`)
if (!holds) process.exitCode = 1

async function next() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    // Most of what is made is thrown away at once, so there is room for it.
    const args = ['--max-semi-space-size=64', '--max-old-space-size=4096', program, name]
    const { status, output } = await run(process.execPath, args)
    if (!output.startsWith('{')) {
      fail(output)
      continue
    }
    const { en, zh, seconds, story } = JSON.parse(output)
    console.log(`${en} ${seconds} s`)
    if (story) fail(`This story breaks a promise:\n${story}`)
    else if (status !== 0) fail(`${name} ended with ${status}`)
    for (const [index, row] of [en, zh].entries()) {
      if (!pages[index].includes(row)) {
        fail(`docs/security/rotation-model${index === 0 ? '' : '.zh-CN'}.md lacks\n${row}`)
      }
    }
  }
}

function fail(why) {
  holds = false
  console.error(why)
}
