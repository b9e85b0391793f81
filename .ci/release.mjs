// node release.mjs version | publish: what the release workflow calls, with the pinned pnpm on the PATH as changesets
// expects it.
import { pnpm, run } from './process.mjs'

const steps = {
  // The examples' ranges follow the new version, and so must the lockfile.
  version: [
    ['exec', 'changeset', 'version'],
    ['install', '--lockfile-only'],
  ],
  publish: [['exec', 'changeset', 'publish']],
}[process.argv[2]]

if (!steps) {
  console.error('Usage: node .ci/release.mjs version | publish')
  process.exit(1)
}

for (const step of steps) {
  const { status } = await run('npx', ['--yes', pnpm, ...step], { show: true })
  if (status !== 0) process.exit(status)
}
