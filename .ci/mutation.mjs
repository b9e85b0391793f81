// How many deliberate mistakes in the heart of the server the tests notice. `npm run mutation -- <file …>` for some.
import { rmSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { bin, root, run } from './process.mjs'
import { tool } from './tools.mjs'

const version = '9.6.1'
const packages = [`@stryker-mutator/core@${version}`, `@stryker-mutator/vitest-runner@${version}`]
const folder = await tool('stryker', packages, { about: 'about 100 MB' })
shareVitest()

const given = process.argv.slice(2).map((file) => relative(root, file))
const { status } = await run(
  process.execPath,
  [
    bin('@stryker-mutator/core', { command: 'stryker', from: folder }),
    'run',
    '.ci/stryker.config.mjs',
    ...(given.length > 0 ? ['--mutate', given.join(',')] : []),
  ],
  { show: true, env: { ...process.env, WXLOGIN_STRYKER: folder } },
)
process.exit(status)

// The tests import the workspace's vitest, and two copies of it do not know of each other.
function shareVitest() {
  const ours = join(root, 'node_modules/vitest')
  const theirs = join(folder, 'node_modules/vitest')
  rmSync(theirs, { recursive: true, force: true })
  symlinkSync(ours, theirs, 'junction')
}
