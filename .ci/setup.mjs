// Brings the workspace's dependencies, with the pinned pnpm, on a machine that has only Node and npm.
// Quick when nothing changed: the lockfile's hash is kept beside what was installed from it.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { pnpm } from './pnpm.mjs'
import { root } from './process.mjs'

const stampFile = `${root}node_modules/.wxlogin-installed`

const [major = 0, minor = 0, patch = 0] = process.versions.node.split('.').map(Number)
if (major * 1e6 + minor * 1e3 + patch < 20_018_001) {
  console.error(
    `wxlogin needs Node >= 20.18.1; this is ${process.versions.node}. Install a newer Node and run the command again.`,
  )
  process.exit(1)
}

const hash = createHash('sha256')
for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(root + file))
const stamp = `${hash.digest('hex')} ${process.platform}-${process.arch}`

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  console.log('Installing the dependencies from npm into node_modules (once, about 300 MB) …')
  const startedAt = performance.now()
  const { status } = await pnpm(
    [
      'install',
      '--frozen-lockfile',
      '--reporter=append-only',
      '--loglevel=warn',
      // Another pnpm may have made node_modules in its own layout; without a terminal pnpm would stop to ask.
      '--config.confirm-modules-purge=false',
    ],
    { show: true },
  ).catch(({ message }) => {
    console.error(message)
    return { status: 1 }
  })
  if (status !== 0) {
    console.error(
      'The dependencies could not be installed; the reason stands above. Check the network or the npm registry setting, then run the command again.',
    )
    process.exit(status)
  }
  writeFileSync(stampFile, stamp)
  console.log(`  took ${Math.round((performance.now() - startedAt) / 1000)} s`)
}
