// Checks what users will install: packs both packages and uses the tarballs outside the workspace.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from './pack.mjs'
import { checkMiniPrograms } from './packed/mini-programs.mjs'
import { bin, root, run, runNode } from './process.mjs'
import { install, tool } from './tools.mjs'

const fixtures = `${root}.ci/packed/`
const place = mkdtempSync(join(tmpdir(), 'wxlogin-packed-'))
const failures = []
const shown = new Set()

try {
  const tarballs = [await packAndLook('server'), await packAndLook('client')]
  for (const tarball of tarballs) await lint(tarball)
  const consumer = await installConsumer(tarballs)
  await compile(consumer)
  await load(consumer)
  const [, client] = tarballs
  const requests = entriesOf(client).filter((entry) => !entry.endsWith('/testing'))
  await checkMiniPrograms({
    place,
    tarball: client.file,
    requests,
    installTarballs,
    check,
    report,
  })
} finally {
  rmSync(place, { recursive: true, force: true })
}

if (failures.length > 0) {
  console.error(`\n${failures.length} failed:\n${failures.map((name) => `  ${name}`).join('\n')}`)
  process.exit(1)
}

/** Packs one package and looks at what is inside. */
async function packAndLook(name) {
  const folder = join(place, name)
  const file = await pack(name, folder)
  const listed = await run('tar', ['-tzf', file])
  const files = listed.output
    .trim()
    .split(/\r?\n/)
    .map((path) => path.replace(/^package\//, ''))
    .sort()
  await run('tar', ['-xzf', file, '-C', folder])
  const packageJson = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8'))
  report(`@wxlogin/${name}: ${files.length} files`, wrongIn(files, packageJson))
  return { name: `@wxlogin/${name}`, file, packageJson }
}

function wrongIn(files, packageJson) {
  const allowed =
    /^(package\.json|README\.md|README\.zh-CN\.md|LICENSE|dist\/[\w.-]+\.(js|cjs|mjs|d\.ts|d\.cts|d\.mts)|miniprogram_dist\/[\w.-]+\.(js|d\.ts))$/
  const wrong = []
  for (const file of files) if (!allowed.test(file)) wrong.push(`${file} should not be published`)
  for (const file of [
    'package.json',
    'README.md',
    'README.zh-CN.md',
    'LICENSE',
    ...targets(packageJson),
  ]) {
    if (!files.includes(file)) wrong.push(`${file} is missing`)
  }
  for (const [name, range] of Object.entries({
    ...packageJson.dependencies,
    ...packageJson.peerDependencies,
  })) {
    if (range.startsWith('workspace:')) wrong.push(`the dependency ${name} still says ${range}`)
  }
  return wrong
}

/** Every file that package.json points to. */
function targets({ main, module, types, miniprogram, exports, typesVersions }) {
  const strings = (value) =>
    typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(strings)
  return [main, module, types, exports, typesVersions, miniprogram && `${miniprogram}/index.js`]
    .flatMap(strings)
    .map((path) => path.replace(/^\.\//, ''))
}

async function lint({ name, file }) {
  await check(`${name}: publint --strict`, runNode([bin('publint'), 'run', file, '--strict']))
  await check(
    `${name}: attw`,
    runNode([
      bin('@arethetypeswrong/cli', { command: 'attw' }),
      file,
      '--profile',
      'node16',
      '--no-definitely-typed',
      '--no-emoji',
      '--format',
      'ascii',
    ]),
  )
}

/** An empty project with both tarballs and nothing of the workspace. */
async function installConsumer(tarballs) {
  const folder = join(place, 'consumer')
  await installTarballs(folder, [...tarballs.map(({ file }) => file), '@types/node@20'])
  return { folder, entries: tarballs.flatMap(entriesOf) }
}

function entriesOf({ name, packageJson }) {
  return Object.keys(packageJson.exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1))
}

async function installTarballs(folder, packages) {
  const { status, output } = await install(folder, packages)
  if (status !== 0) throw new Error(`npm could not install the tarballs\n${output}`)
}

async function compile({ folder }) {
  const compilers = await tool(
    'typescript',
    [
      'typescript-5@npm:typescript@5.9.3',
      'typescript-6@npm:typescript@6.0.3',
      'typescript-7@npm:typescript@7.0.2',
    ],
    { about: 'about 100 MB, a few seconds' },
  )
  const ways = [
    { title: 'ESM', type: 'module', options: { module: 'nodenext', moduleResolution: 'nodenext' } },
    {
      title: 'CommonJS',
      type: 'commonjs',
      options: { module: 'nodenext', moduleResolution: 'nodenext' },
    },
    {
      title: 'bundler',
      type: 'module',
      options: { module: 'esnext', moduleResolution: 'bundler' },
    },
    // TypeScript 6 deprecates this resolution and 7 removes it.
    {
      title: 'CommonJS, moduleResolution node',
      type: 'commonjs',
      options: { module: 'commonjs', moduleResolution: 'node10' },
      only: '5',
    },
  ]
  // The client has to compile where nothing but the language is declared: no Node, no DOM, no mini program typings.
  const programs = [
    { file: 'server.ts', options: { target: 'ES2022', lib: ['ES2022'], types: ['node'] } },
    { file: 'client.ts', options: { target: 'ES2015', lib: ['ES2015'], types: [] } },
  ]
  const jobs = ['5', '6', '7'].flatMap((major) =>
    ways
      .filter(({ only = major }) => only === major)
      .flatMap((way) => programs.map((program) => ({ major, way, program }))),
  )
  const next = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await compileOne(job)
  }
  await Promise.all([next(), next()])

  async function compileOne({ major, way, program }) {
    const home = join(folder, `${program.file}-${way.title}-${major}`.replace(/\W+/g, '-'))
    mkdirSync(home)
    cpSync(fixtures + program.file, join(home, program.file))
    writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, type: way.type }))
    const compilerOptions = {
      ...way.options,
      ...program.options,
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      declaration: true,
      rootDir: '.',
      outDir: 'out',
    }
    writeFileSync(
      join(home, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: [program.file] }),
    )
    const compiler = `typescript-${major}`
    await check(
      `${program.file} compiles on TypeScript ${major} (${way.title})`,
      runNode([bin(compiler, { command: 'tsc', from: compilers }), '-p', home], { cwd: home }),
    )
  }
}

/** Imports and requires every entry, without the newer Nodes' leave to `require` ES modules. */
async function load({ folder, entries }) {
  const strict = '--no-experimental-require-module'
  const flags = process.allowedNodeEnvironmentFlags.has(strict) ? [strict] : []
  cpSync(`${fixtures}entries.mjs`, join(folder, 'entries.mjs'))
  await check(
    `${entries.length} entries import, require, and know each other's errors`,
    runNode([...flags, 'entries.mjs', ...entries], { cwd: folder }),
  )
}

async function check(name, work) {
  const { status, output } = await work
  return report(name, status === 0 ? [] : [output])
}

function report(name, wrong) {
  console.log(`${wrong.length === 0 ? 'ok    ' : 'FAILED'} ${name}`)
  for (const line of wrong) {
    // One mistake shows up under every compiler, once is enough to read.
    if (!shown.has(line)) console.log(line)
    shown.add(line)
  }
  if (wrong.length > 0) failures.push(name)
  return wrong.length === 0
}
