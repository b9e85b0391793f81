// Holds @wxlogin/server/telemetry, as it is packed, to the SDK of OpenTelemetry: what its exporters get, below which
// spans, and that the rules of docs/operations/alarms.md wait for names that Prometheus gets.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pack } from './pack.mjs'
import { bin, root, run, runNode } from './process.mjs'
import { tool } from './tools.mjs'

// The newest that runs on Node 20.
const packages = [
  '@opentelemetry/api@1.9.1',
  '@opentelemetry/sdk-metrics@2.12.0',
  '@opentelemetry/sdk-trace-base@2.12.0',
  '@opentelemetry/context-async-hooks@2.12.0',
  '@opentelemetry/exporter-prometheus@0.223.0',
]

const place = mkdtempSync(join(tmpdir(), 'wxlogin-telemetry-'))
let isBroken = false
try {
  const tarball = await pack('server', place)
  const tools = await tool('telemetry', packages, { about: 'about 10 MB' })
  const home = join(place, 'home')
  linkPackages(join(tools, 'node_modules'), join(home, 'node_modules'))
  const server = join(home, 'node_modules/@wxlogin/server')
  mkdirSync(join(server, 'node_modules'), { recursive: true })
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', server])
  for (const name of ['jose', 'undici']) {
    const theirs = join(root, 'packages/server/node_modules', name)
    symlinkSync(theirs, join(server, 'node_modules', name), 'junction')
  }
  cpSync(join(root, '.ci/telemetry'), home, { recursive: true })
  writeFileSync(join(home, 'alarms.json'), JSON.stringify(namesInAlarms()))
  symlinkSync(join(root, 'node_modules/@types'), join(home, 'node_modules/@types'), 'junction')

  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022']
  const exact = ['--exactOptionalPropertyTypes', '--types', 'node', 'types.ts']
  await step('its types fit those of @opentelemetry/api', [
    bin('typescript', { command: 'tsc' }),
    ...options,
    ...exact,
  ])
  await step('the SDK gets what happened, and never who', ['run.mjs'])

  async function step(name, args) {
    const { status, output } = await runNode(args, { cwd: home })
    console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}\n${output}`)
    if (status !== 0) isBroken = true
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}
if (isBroken) process.exitCode = 1

/** The metrics that the rules ask for. */
function namesInAlarms() {
  const text = readFileSync(`${root}docs/operations/alarms.md`, 'utf8')
  const rules = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, rules]) => rules).join('\n')
  const names = [...rules.matchAll(/\bwxlogin_\w+/g)].map(([name]) => name)
  return [...new Set(names)]
}

/** Each by itself, so that ours can stand beside them and find them. */
function linkPackages(from, to) {
  const names = readdirSync(from)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(from, name)).map((one) => `${name}/${one}`) : [name],
    )
  for (const name of names) {
    mkdirSync(dirname(join(to, name)), { recursive: true })
    symlinkSync(join(from, name), join(to, name), 'junction')
  }
}
