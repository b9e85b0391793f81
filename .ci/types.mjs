// Type-checks every program of the workspace: packages, type tests, examples, bench.
import { existsSync, readdirSync } from 'node:fs'
import { bin, root, runNode } from './process.mjs'

// These have packages of their own, beside which `npm run e2e` checks them.
const elsewhere = ['examples/taro', 'examples/uni-app']
const rooms = ['packages', 'examples']
  .flatMap((folder) => children(folder))
  .filter((room) => !elsewhere.includes(room))
const programs = [
  ...rooms,
  'examples',
  'bench',
  ...rooms.flatMap((room) => [
    ...children(`${room}/test-types`),
    `${room}/src/testing`,
    `${room}/src/dev/page`,
    `${room}/test/model`,
    `${room}/test/engines`,
    `${room}/test/layers`,
  ]),
]
  .map((folder) => `${folder}/tsconfig.json`)
  .filter((file) => existsSync(root + file))

// Two at a time: what a small machine has, and what a compiler's memory allows.
const waiting = [...programs]
const failed = []
await Promise.all([checkNext(), checkNext()])

if (failed.length > 0) {
  console.error(`\nWrong types in ${failed.sort().join(', ')}; the places stand above.`)
  process.exit(1)
}
console.log(`${programs.length} programs have right types`)

async function checkNext() {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const { status, output } = await runNode([
      bin('typescript', { command: 'tsc' }),
      '--noEmit',
      '-p',
      file,
    ])
    console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${file}`)
    if (status !== 0) {
      failed.push(file)
      console.error(output)
    }
  }
}

function children(folder) {
  if (!existsSync(root + folder)) return []
  return readdirSync(root + folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => `${folder}/${entry.name}`)
}
