// Checks what users will install: packs the packages and uses the tarballs outside the workspace.
//   node .ci/packed.mjs runs <program> <arguments>…   only that everything loads and runs, on this Node, Bun or Deno
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clientEntries, entries, entriesWithPeers, phoneEntries, specifierOf } from './entries.mjs'
import { pack } from './pack.mjs'
import { checkChangelogs } from './packed/changelogs.mjs'
import { checkCommandLine } from './packed/command-line.mjs'
import { checkContainer } from './packed/container.mjs'
import { checkMiniPrograms } from './packed/mini-programs.mjs'
import { bin, root, run, runNode } from './process.mjs'
import { install, tool } from './tools.mjs'

// The newest of the optional peers. The floor of each is what the workspace has, and its tests run on.
const peers =
  process.env.WXLOGIN_PEERS === 'latest'
    ? ['kysely@latest', 'msw@latest']
    : ['kysely@0.29.9', 'msw@3.0.5']

const isRunOnly = process.argv[2] === 'runs'
const runtime = isRunOnly ? process.argv.slice(3) : [process.execPath]
const fixtures = `${root}.ci/packed/`
const place = mkdtempSync(join(tmpdir(), 'wxlogin-packed-'))
// The client has to compile where nothing but the language is declared: no Node, no DOM, no mini program typings.
const programs = [
  { file: 'server.ts', options: { target: 'ES2022', lib: ['ES2022'], types: ['node'] } },
  { file: 'client.ts', options: { target: 'ES2015', lib: ['ES2015'], types: [] } },
]
const failures = []
const shown = new Set()

try {
  const tarballs = [await packAndLook('server'), await packAndLook('client')]
  const commandLine = await packAndLook('cli')
  if (!isRunOnly) for (const tarball of [...tarballs, commandLine]) await lint(tarball)
  const consumer = await installConsumer('consumer', tarballs)
  if (!isRunOnly) await compile(consumer, programs)
  await load(consumer)
  await besideNewestPeers(tarballs)
  await onCommandLine([...tarballs, commandLine])
  const [server, client] = tarballs
  if (!isRunOnly) {
    await inMiniPrograms(client)
    await checkContainer({ place, tarball: server.file, report })
    await checkChangelogs({ place, report })
  }
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
  report(`${packageJson.name}: ${files.length} files`, wrongIn(files, packageJson))
  return { name: packageJson.name, file, packageJson }
}

function wrongIn(files, packageJson) {
  const allowed =
    /^(package\.json|README\.md|README\.zh-CN\.md|CHANGELOG\.md|LICENSE|dist\/[\w.-]+\.(js|cjs|mjs|d\.ts|d\.cts|d\.mts)|dist\/page\/(index\.html|page\.css|page\.js)|miniprogram_dist\/[\w.-]+\.(js|d\.ts))$/
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
function targets({ main, module, types, miniprogram, exports, typesVersions, bin: programs }) {
  const strings = (value) =>
    typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(strings)
  const phone = miniprogram && `${miniprogram}/index.js`
  return [main, module, types, exports, typesVersions, programs, phone]
    .flatMap(strings)
    .map((path) => path.replace(/^\.\//, ''))
}

async function lint({ name, file, packageJson }) {
  await check(`${name}: publint --strict`, runNode([bin('publint'), 'run', file, '--strict']))
  await check(
    `${name}: attw`,
    runNode([
      bin('@arethetypeswrong/cli', { command: 'attw' }),
      file,
      '--profile',
      // What only the command line and secretlint load is an ES module, as they are.
      packageJson.bin ? 'esm-only' : 'node16',
      '--no-definitely-typed',
      '--no-emoji',
      '--format',
      'ascii',
    ]),
  )
}

/** An empty project with both tarballs and nothing of the workspace. */
async function installConsumer(name, tarballs, others = []) {
  const folder = join(place, name)
  await installTarballs(folder, [...tarballs.map(({ file }) => file), ...others, '@types/node@20'])
  return folder
}

function specifiersOf(packageName) {
  return Object.keys(entries[packageName]).map((entry) => specifierOf(packageName, entry))
}

function isLoadable(specifier) {
  return !entriesWithPeers.some((entry) => specifier === specifierOf('server', entry))
}

/** npm refuses an install whose peers do not fit, used or not. */
async function besideNewestPeers(tarballs) {
  const folder = await installConsumer('peers', tarballs, peers).catch(({ message }) => {
    report(`installs beside ${peers.join(' and ')}`, [message])
  })
  if (!folder) return
  report(`installs beside ${peers.join(' and ')}`, [])
  if (!isRunOnly) {
    await compile(folder, [
      {
        file: 'peers.ts',
        // The declarations of msw want the DOM's.
        options: { target: 'ES2022', lib: ['ES2022'], types: ['node'], skipLibCheck: true },
        ways: ['ESM', 'bundler'],
      },
    ])
  }
  const { runsPeers } = await lookAtRuntime()
  if (!runsPeers) {
    console.log('       … and is not run here: `npm run long -- nodes` does, on newer Nodes')
    return
  }
  cpSync(`${fixtures}peers.mjs`, join(folder, 'peers.mjs'))
  await check(
    `a store on ${peers[0]} and a login through ${peers[1]} run`,
    runIn(folder, 'peers.mjs'),
  )
}

/** What a check has to know of the program that runs it; Bun and Deno are no Nodes. */
async function lookAtRuntime() {
  const [program] = runtime
  if (!/node(\.exe)?$/.test(program)) return { isNode: false, flags: [], runsPeers: false }
  const strict = '--no-experimental-require-module'
  const about = `[process.versions.node, process.allowedNodeEnvironmentFlags.has('${strict}')].join(' ')`
  const { output } = await run(program, ['-p', about])
  const [version, hasStrict] = output.trim().split(' ')
  const [major, minor] = version.split('.').map(Number)
  return {
    isNode: true,
    flags: hasStrict === 'true' ? [strict] : [],
    // They need Node 22, and the check SQLite without a flag.
    runsPeers: major > 22 || (major === 22 && minor >= 13),
  }
}

function runIn(folder, ...args) {
  const [program, ...before] = runtime
  return run(program, [...before, ...args], { cwd: folder })
}

/** It is for Node alone. */
async function onCommandLine(tarballs) {
  const { isNode } = await lookAtRuntime()
  if (!isNode) return
  const files = tarballs.map(({ file }) => file)
  await checkCommandLine({ place, tarballs: files, installTarballs, runIn, report })
}

async function inMiniPrograms({ file }) {
  await checkMiniPrograms({
    place,
    tarball: file,
    entries: phoneEntries,
    requests: clientEntries.map((entry) => specifierOf('client', entry)),
    installTarballs,
    check,
    report,
  })
}

async function installTarballs(folder, packages) {
  const { status, output } = await install(folder, packages)
  if (status !== 0) throw new Error(`npm could not install the tarballs\n${output}`)
}

/** With every compiler, in every way that it finds a package. */
async function compile(folder, programs) {
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
  const jobs = ['5', '6', '7'].flatMap((major) =>
    ways
      .filter(({ only = major }) => only === major)
      .flatMap((way) =>
        programs
          .filter(({ ways = [way.title] }) => ways.includes(way.title))
          .map((program) => ({ major, way, program })),
      ),
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
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      ...program.options,
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

/** Imports and requires every entry, without the newer Nodes' leave to `require` ES modules; and a backend at work. */
async function load(folder) {
  const specifiers = Object.keys(entries).flatMap(specifiersOf).filter(isLoadable)
  const { flags } = await lookAtRuntime()
  cpSync(`${fixtures}entries.mjs`, join(folder, 'entries.mjs'))
  await check(
    `${specifiers.length} entries import, require, and know each other's errors`,
    runIn(folder, ...flags, 'entries.mjs', ...specifiers),
  )
  cpSync(`${fixtures}backend.mjs`, join(folder, 'backend.mjs'))
  await check(
    'a backend logs in, renews, answers, logs out and closes',
    runIn(folder, 'backend.mjs'),
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
