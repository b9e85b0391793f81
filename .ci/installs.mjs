// The tarballs beside the oldest and the newest of every optional peer and every framework, installed by each package
// manager as its users have it, with what it says about peers taken for an error.
//   node .ci/installs.mjs pnpm yarn   only these
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { entries, specifierOf } from './entries.mjs'
import { pack } from './pack.mjs'
import { bin, root, run } from './process.mjs'
import { nodeOf, nodeVersions } from './runtimes.mjs'
import { tool } from './tools.mjs'

const { peerDependencies } = JSON.parse(readFileSync(`${root}packages/server/package.json`, 'utf8'))

/** The oldest that the READMEs name, of what package.json gives no floor. */
const named = {
  '@nestjs/common': '11.0.0',
  '@nestjs/core': '11.0.0',
  '@nestjs/platform-express': '11.0.0',
  'reflect-metadata': '0.2.0',
  rxjs: '7.8.0',
  fastify: '5.0.0',
  hono: '4.0.0',
  express: '4.21.2',
  koa: '2.16.4',
}
const oldest = {
  ...Object.fromEntries(
    Object.entries(peerDependencies).map(([name, range]) => [name, named[name] ?? floorOf(range)]),
  ),
  ...named,
}
const newest = Object.fromEntries(Object.keys(oldest).map((name) => [name, 'latest']))
const columns = [
  { name: 'oldest', packages: oldest, node: nodeVersions[0] },
  { name: 'newest', packages: newest, node: nodeVersions.at(-2) },
]

const managers = [
  {
    name: 'npm 10',
    package: 'npm@10.9.4',
    install: ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--strict-peer-deps'],
  },
  {
    name: 'npm 11',
    package: 'npm@11.19.1',
    install: ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--strict-peer-deps'],
  },
  {
    name: 'pnpm 10',
    package: 'pnpm@10.34.9',
    install: ['install', '--ignore-scripts', '--strict-peer-dependencies'],
  },
  {
    name: 'pnpm 12',
    package: 'pnpm@12.21.0',
    // Its command is a program that an install script would put in place.
    script: 'bin/pnpm.mjs',
    install: ['install', '--ignore-scripts', '--strict-peer-dependencies'],
  },
  {
    // It has nothing to say about optional peers.
    name: 'yarn 1',
    package: 'yarn@1.22.22',
    // It alone refuses a package of a framework's that wants a newer Node than the one that runs it.
    install: [
      'install',
      '--ignore-engines',
      '--ignore-scripts',
      '--non-interactive',
      '--cache-folder',
      'cache',
    ],
  },
  {
    name: 'yarn 4, node_modules',
    package: '@yarnpkg/cli-dist@4.18.1',
    command: 'yarn',
    install: ['install', '--mode=skip-build'],
    settings: { nodeLinker: 'node-modules' },
    complaint: /^.*(YN0002|YN0060|YN0086).*wxlogin.*$/m,
  },
  {
    name: 'yarn 4, Plug’n’Play',
    package: '@yarnpkg/cli-dist@4.18.1',
    command: 'yarn',
    install: ['install', '--mode=skip-build'],
    settings: { nodeLinker: 'pnp' },
    run: ['node'],
    complaint: /^.*(YN0002|YN0060|YN0086).*wxlogin.*$/m,
  },
]

const words = process.argv.slice(2)
const chosen = managers.filter(
  ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
)
const specifiers = Object.keys(entries).flatMap((packageName) =>
  Object.keys(entries[packageName]).map((entry) => specifierOf(packageName, entry)),
)
const place = mkdtempSync(join(tmpdir(), 'wxlogin-installs-'))
const failures = []
const table = [['', ...columns.map(({ name, node }) => `${name}, Node ${node}`)]]

try {
  const tarballs = {
    '@wxlogin/server': await pack('server', place),
    '@wxlogin/client': await pack('client', place),
  }
  const { output: registry } = await run('npm', ['config', 'get', 'registry'])
  for (const manager of chosen) {
    const cells = []
    for (const column of columns)
      cells.push(await tryOne(manager, column, tarballs, registry.trim()))
    table.push([manager.name, ...cells])
    console.log(`${manager.name}: ${cells.join(', ')}`)
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}

for (const failure of failures) console.log(`\nFAILED ${failure}`)
const widths = table[0].map((_, n) => Math.max(...table.map((row) => row[n].length)))
console.log()
for (const row of table) console.log(row.map((cell, n) => cell.padEnd(widths[n])).join('  '))
if (failures.length > 0) process.exitCode = 1

async function tryOne(manager, { name, packages, node }, tarballs, registry) {
  const folder = join(place, `${manager.name}-${name}`.replace(/\W+/g, '-'))
  mkdirSync(folder)
  const files = Object.entries(tarballs).map(([name, file]) => [name, `file:${file}`])
  const dependencies = { ...packages, ...Object.fromEntries(files) }
  const json = { name: 'consumer', private: true, type: 'module', dependencies }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(json))
  if (manager.settings) {
    const settings = {
      enableGlobalCache: false,
      enableTelemetry: false,
      npmRegistryServer: registry,
      ...manager.settings,
    }
    const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    writeFileSync(join(folder, '.yarnrc.yml'), `${lines.join('\n')}\n`)
  }
  cpSync(`${root}.ci/installs/smoke.mjs`, join(folder, 'smoke.mjs'))

  const program = await nodeOf(node)
  const tools = await tool(manager.name.replace(/\W+/g, '-'), [manager.package], {
    about: 'up to 100 MB',
  })
  const packageName = manager.package.replace(/(?<=.)@.*/, '')
  const script = manager.script
    ? join(tools, 'node_modules', packageName, manager.script)
    : bin(packageName, { command: manager.command, from: tools })
  const env = {
    ...process.env,
    PATH: [dirname(program), process.env.PATH].join(delimiter),
    // A package manager that another one has started is told of it in these.
    ...Object.fromEntries(
      Object.keys(process.env)
        .filter((name) => /^npm_(config_user_agent|execpath|lifecycle)/.test(name))
        .map((name) => [name, undefined]),
    ),
  }
  const doneBy = (args) => run(program, args, { cwd: folder, env })

  const installed = await doneBy([script, ...manager.install])
  const complaint = manager.complaint?.exec(installed.output)?.[0]
  if (installed.status !== 0 || complaint) {
    failures.push(`${manager.name}, ${name}: ${complaint ?? installed.output.slice(-3000)}`)
    return 'FAILED to install'
  }
  const smoke = ['smoke.mjs', ...specifiers]
  const ran = await doneBy(manager.run ? [script, ...manager.run, ...smoke] : smoke)
  if (ran.status === 0) return 'ok'
  failures.push(`${manager.name}, ${name}: ${ran.output.slice(-3000)}`)
  return 'FAILED to run'
}

/** The oldest version of a range such as `>=0.28 <1`. */
function floorOf(range) {
  const [, version] = /^>=([\d.]+)/.exec(range) ?? []
  if (version === undefined) throw new Error(`The range ${range} of a peer does not begin with >=`)
  return [...version.split('.'), '0', '0'].slice(0, 3).join('.')
}
