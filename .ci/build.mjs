// Builds the packages with tsup.
//   --fresh      does nothing when what is there was built from the very sources that are there
//   --no-types   JavaScript only, in a few seconds; enough to run, not to publish
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, relative, sep } from 'node:path'
import { bin, root, runNode } from './process.mjs'

const packages = ['server', 'client', 'cli']
const outputs = [
  ...packages.map((name) => `packages/${name}/dist`),
  'packages/client/miniprogram_dist',
]
const sources = [
  ...[...packages, 'shared'].flatMap((name) =>
    ['src', 'package.json', 'tsconfig.json', 'tsup.config.ts'].map(
      (file) => `packages/${name}/${file}`,
    ),
  ),
  'tsconfig.base.json',
  'pnpm-lock.yaml',
  '.ci/build.mjs',
  '.ci/entries.mjs',
]
const stampFolder = `${root}node_modules/.cache/wxlogin`
const stampFile = `${stampFolder}/build.json`

const fresh = process.argv.includes('--fresh')
const types = !process.argv.includes('--no-types')

if (fresh && isFresh()) process.exit(0)

const startedAt = performance.now()
const builtFrom = hashOf(sources)
rmSync(stampFile, { force: true })
for (const folder of outputs) rmSync(root + folder, { recursive: true, force: true })

const results = await Promise.all(packages.map(buildPackage))
const failed = packages.filter((_, index) => results[index]?.status !== 0)
for (const [index, name] of packages.entries()) {
  if (failed.includes(name)) console.error(results[index]?.output)
}
if (failed.length > 0) {
  console.error(
    `The build of ${failed.map((name) => `packages/${name}`).join(' and ')} failed; the reason stands above.`,
  )
  process.exit(1)
}

mkdirSync(stampFolder, { recursive: true })
writeFileSync(stampFile, JSON.stringify({ builtFrom, built: hashOf(outputs), types }))
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
console.log(`Built ${packages.join(', ')}${types ? '' : ' without declarations'} in ${seconds} s`)

function isFresh() {
  if (!existsSync(stampFile)) return false
  const stamp = JSON.parse(readFileSync(stampFile, 'utf8'))
  return (
    (stamp.types || !types) &&
    stamp.builtFrom === hashOf(sources) &&
    stamp.built === hashOf(outputs)
  )
}

function buildPackage(name) {
  return runNode([bin('tsup'), ...(types ? [] : ['--no-dts'])], { cwd: `${root}packages/${name}` })
}

function hashOf(paths) {
  const hash = createHash('sha256')
  for (const file of paths.flatMap(filesIn).sort()) {
    hash.update(`${relative(root, file).split(sep).join('/')}\0`)
    hash.update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

function filesIn(path) {
  const start = join(root, path)
  if (!existsSync(start)) return []
  if (!statSync(start).isDirectory()) return [start]
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
