// How many deliberate mistakes in the heart of the server the tests notice. `npm run mutation -- <file …>` for some;
// what begins with `--` is for Stryker, `--concurrency=1` for example.
import { readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { bin, root, run } from './process.mjs'
import { tool } from './tools.mjs'

const version = '9.6.1'
const packages = [`@stryker-mutator/core@${version}`, `@stryker-mutator/vitest-runner@${version}`]
const folder = await tool('stryker', packages, { about: 'about 100 MB' })
shareVitest()

/** Where every mistake could let somebody in: so many of 100 have to be noticed. */
const strict = [
  { folder: 'packages/server/src/crypto/', score: 95 },
  { folder: 'packages/server/src/tokens/', score: 95 },
]

const args = process.argv.slice(2)
const flags = args.filter((arg) => arg.startsWith('--'))
const given = args.filter((arg) => !flags.includes(arg)).map((file) => relative(root, file))
const { status } = await run(
  process.execPath,
  [
    bin('@stryker-mutator/core', { command: 'stryker', from: folder }),
    'run',
    '.ci/stryker.config.mjs',
    ...(given.length > 0 ? ['--mutate', given.join(',')] : []),
    ...flags,
  ],
  { show: true, env: { ...process.env, WXLOGIN_STRYKER: folder } },
)
process.exitCode = status
if (status === 0) checkStrictly()

function checkStrictly() {
  const { files } = JSON.parse(readFileSync(join(root, '.cache/mutation.json'), 'utf8'))
  const mutants = Object.entries(files).flatMap(([file, { mutants }]) =>
    mutants.map(({ status }) => ({ file, status })),
  )
  const isOneOf =
    (...wanted) =>
    ({ status }) =>
      wanted.includes(status)

  const unjudged = mutants.filter(isOneOf('RuntimeError', 'CompileError')).length
  if (unjudged > 0) {
    console.log(`FAILED ${unjudged} mutants could not be judged: is the name of a test very long?`)
    process.exitCode = 1
  }
  for (const { folder, score } of strict) {
    const ofFolder = mutants.filter(({ file }) => file.startsWith(folder))
    const noticed = ofFolder.filter(isOneOf('Killed', 'Timeout')).length
    const missed = ofFolder.filter(isOneOf('Survived', 'NoCoverage')).length
    if (noticed + missed === 0) continue
    const found = (100 * noticed) / (noticed + missed)
    const isEnough = found >= score
    console.log(
      `${isEnough ? 'ok    ' : 'FAILED'} ${folder} ${found.toFixed(1)} %, at least ${score}`,
    )
    if (!isEnough) process.exitCode = 1
  }
}

// The tests import the workspace's vitest, and two copies of it do not know of each other.
function shareVitest() {
  const ours = join(root, 'node_modules/vitest')
  const theirs = join(folder, 'node_modules/vitest')
  rmSync(theirs, { recursive: true, force: true })
  symlinkSync(ours, theirs, 'junction')
}
