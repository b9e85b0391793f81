// What the release workflow calls:
//   node .ci/release.mjs version        the next version out of the change files
//   node .ci/release.mjs pack <folder>  the tarballs and what is in them (SBOM), if this version is to be published
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pack } from './pack.mjs'
import { pnpm } from './pnpm.mjs'
import { root, run, runNode } from './process.mjs'

/** What is published, what others need first. */
const packages = ['server', 'client', 'cli']

const [command, folder] = process.argv.slice(2)
if (command === 'version') await nextVersion()
else if (command === 'pack' && folder) await packRelease(resolve(folder))
else {
  console.error('Usage: node .ci/release.mjs version | pack <folder>')
  process.exit(1)
}

async function nextVersion() {
  await must(pnpm(['exec', 'changeset', 'version'], { show: true }))
  // The examples' ranges follow the new version, and so must the lockfile.
  await must(pnpm(['install', '--lockfile-only'], { show: true }))
}

async function packRelease(target) {
  const manifests = packages.map((name) =>
    JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')),
  )
  const [{ version }] = manifests
  const reason = pendingChanges() ?? (await publishedAlready(manifests))
  if (reason) {
    console.log(`Nothing to publish: ${reason}`)
    return
  }
  await must(runNode([`${root}.ci/setup.mjs`], { show: true }))
  await must(runNode([`${root}.ci/build.mjs`, '--fresh'], { show: true }))
  mkdirSync(target, { recursive: true })
  const tarballs = []
  for (const name of packages) tarballs.push(await pack(name, target))
  writeFileSync(join(target, `wxlogin-${version}.cdx.json`), await billOf(tarballs))
  console.log(readdirSync(target).join('\n'))
  if (process.env.GITHUB_OUTPUT) appendFileSync(process.env.GITHUB_OUTPUT, `version=${version}\n`)
}

/** As long as there are change files, the pull request with the next version is not merged. */
function pendingChanges() {
  const files = readdirSync(join(root, '.changeset')).filter((name) => name.endsWith('.md'))
  return files.length > 0 ? `${files.length} change files wait for the next version` : undefined
}

async function publishedAlready(manifests) {
  for (const { name, version } of manifests) {
    const { status, output } = await run('npm', ['view', `${name}@${version}`, 'version'])
    if (status === 0 && output.trim() === version) return `${name} ${version} is on npm`
  }
  return undefined
}

/** Everything that an install of these tarballs brings, as CycloneDX. */
async function billOf(tarballs) {
  const folder = mkdtempSync(join(tmpdir(), 'wxlogin-sbom-'))
  try {
    writeFileSync(
      join(folder, 'package.json'),
      '{ "name": "wxlogin-release", "version": "0.0.0", "private": true }\n',
    )
    const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    await must(run('npm', ['install', ...quietly, ...tarballs], { cwd: folder }))
    const bill = run('npm', ['sbom', '--sbom-format=cyclonedx', '--omit=dev'], { cwd: folder })
    await must(bill)
    return (await bill).output
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function must(running) {
  const { status, output } = await running
  if (status !== 0) {
    console.error(output)
    process.exit(status)
  }
}
