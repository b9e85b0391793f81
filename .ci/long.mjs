// npm run long: what takes longer than a pull request waits for. All steps run, whatever fails.
//   npm run long -- chaos nodes   only these
//   npm run long -- --list        the names, as JSON: the workflow runs each by itself
import { root, run } from './process.mjs'
import { bun, deno, nodeOf, nodeVersions } from './runtimes.mjs'
import { runTests } from './vitest.mjs'

const steps = [
  script('chaos', 'many interleavings, processes killed in mid-traffic'),
  {
    name: 'load',
    title: 'logins while WeChat is slow, and 3,000 phones at once',
    run: () => passes(['bench/load.mjs']),
  },
  {
    name: 'scale',
    title: 'what grows with sessions, callers, logins, secrets and tokens, as tables',
    run: () => passes(['--expose-gc', 'bench/scale.mjs']),
  },
  script('mutation', 'deliberate mistakes, and the tests that notice'),
  script('model', 'the rotation in every order of what may happen, and rules that are broken'),
  script('e2e', 'the example in a browser, native, Taro and uni-app, and their builds for H5'),
  script('layers', "other request layers with the client's tokens"),
  {
    name: 'oracle',
    title: 'a million generated tokens, and what jose says of each',
    run: async () =>
      runTests(['--project=unit', 'packages/server/test/tokens/oracle.test.ts'], {
        env: { ORACLE_TOKENS: '1000000' },
      }),
  },
  {
    name: 'conform',
    title:
      'forty mistakes in a small server, and every requirement broken: what `wxlogin conform` finds',
    run: async () =>
      runTests(['--project=unit', 'packages/cli/test/conform/faults.test.ts'], {
        env: { CONFORM_FAULTS: 'all' },
      }),
  },
  script('scan', 'no false alarm in mini programs that others have made'),
  script('dev', '`wxlogin dev` from the tarballs, its page in a browser'),
  {
    name: 'site',
    title: 'the site, its links, and a walk through it in Chromium',
    run: () => passes(['.ci/site.mjs', 'test']),
  },
  script('sdks', 'SDKs of others against the emulated WeChat, as a table'),
  script('languages', 'the examples in Java and Python, against tokens and webhooks'),
  script('verifiers', 'the recipes for other services, with the libraries they are for'),
  script('frameworks', 'every framework started, with its adapter'),
  script('migration', 'a hand-written login is replaced under traffic, and comes back'),
  script('rolling', 'the version before and this one on one store, under traffic'),
  script('serve', '`wxlogin serve` from the tarballs, with Redis, and backends in Java and Python'),
  script('telemetry', 'the SDK of OpenTelemetry, and what it gets'),
  script('recipes', 'the recipes for ORMs and for pools that exist, on databases'),
  ...nodeVersions.map((version) => ({
    name: `node-${version.split('.')[0]}`,
    group: 'nodes',
    title: `unit tests, the tarballs and the newest peers on Node ${version}`,
    run: () => onNode(version),
  })),
  {
    name: 'bun',
    group: 'runtimes',
    title: 'the tarballs on Bun',
    run: async () => packedOn(await bun(), 'run'),
  },
  {
    name: 'deno',
    group: 'runtimes',
    title: 'the tarballs on Deno',
    run: async () => packedOn(await deno(), 'run', '--allow-all', '--node-modules-dir=manual'),
  },
  {
    name: 'bundles',
    group: 'runtimes',
    title: 'the server in one file, on workerd and on Node',
    run: () => passes(['.ci/bundles.mjs']),
  },
  {
    name: 'matrix',
    group: 'runtimes',
    title: 'every runtime × the demo, the adapters and the stores',
    run: () => passes(['.ci/matrix.mjs']),
  },
  script('installs', 'npm, pnpm and yarn × the oldest and the newest of what stands beside'),
]

const wanted = process.argv.slice(2)
if (wanted.includes('--list')) {
  console.log(JSON.stringify([...new Set(steps.map(({ name, group = name }) => group))]))
  process.exit()
}
const known = new Set(steps.flatMap(({ name, group = name }) => [name, group]))
const unknown = wanted.filter((name) => !known.has(name))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; there are ${[...known].join(', ')}`)
  process.exit(1)
}
const chosen = steps.filter(
  ({ name, group = name }) =>
    wanted.length === 0 || wanted.includes(name) || wanted.includes(group),
)

const outcomes = []
for (const { name, title, run } of chosen) {
  console.log(`\n══ ${name}: ${title} ══`)
  const startedAt = performance.now()
  const { holds, summary } = await run().catch(({ message }) => ({
    holds: false,
    summary: message,
  }))
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  outcomes.push({ holds, line: `${name.padEnd(10)} ${String(seconds).padStart(5)} s  ${summary}` })
}

console.log('\n══ in all ══')
for (const { holds, line } of outcomes) console.log(`${holds ? 'ok    ' : 'FAILED'} ${line}`)
if (!outcomes.every(({ holds }) => holds)) process.exitCode = 1

/** One of the commands that exist by themselves. */
function script(name, title) {
  return { name, title, run: () => passes([`.ci/${name}.mjs`]) }
}

async function onNode(version) {
  const program = await nodeOf(version)
  const tests = await runTests(['--project=unit'], { program })
  const packed = await packedOn(program)
  return {
    holds: tests.holds && packed.holds,
    summary: `unit tests: ${tests.summary}; tarballs: ${packed.summary}`,
  }
}

function packedOn(...runtime) {
  return passes(['.ci/packed.mjs', 'runs', ...runtime], { WXLOGIN_PEERS: 'latest' })
}

async function passes(args, env = {}) {
  const { status } = await run(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    show: true,
  })
  return { holds: status === 0, summary: status === 0 ? 'holds' : 'the reason stands above' }
}
