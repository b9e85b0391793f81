// The packed server in bundles of one file: for Cloudflare Workers, where workerd runs it, and for Node. In each of them
// a phone logs in, asks, refreshes and logs out, against the emulated WeChat on loopback.
//   node .ci/bundles.mjs workerd   only those whose name has this word
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { freePort } from './free-port.mjs'
import { pack } from './pack.mjs'
import { root, run } from './process.mjs'
import { playFlow } from './runtimes/flow.mjs'
import { miniflare, nodeOf, nodeVersions, workerd } from './runtimes.mjs'
import { install } from './tools.mjs'

const place = mkdtempSync(join(tmpdir(), 'wxlogin-bundles-'))
// As wrangler does it.
const forWorkers = {
  format: 'esm',
  conditions: ['workerd', 'worker', 'browser'],
  platform: 'browser',
  external: ['node:*', 'cloudflare:*'],
}
const bundles = [
  {
    name: 'workerd, as one ES module',
    build: { ...forWorkers, entryPoints: ['worker.mjs'] },
    hasUndici: false,
    start: startWorkerd,
  },
  {
    name: 'workerd, the Worker of docs/platforms.md, on D1',
    build: { ...forWorkers, entryPoints: ['documented.ts'] },
    hasUndici: false,
    play: playOnD1,
  },
  {
    name: 'Node, as one ES module, with a fetch of its own',
    build: { entryPoints: ['serve.mjs'], format: 'esm', platform: 'node' },
    env: { FETCH: 'own' },
    warnings: ['memory_store'],
  },
  {
    name: 'Node, as one ES module',
    build: { entryPoints: ['serve.mjs'], format: 'esm', platform: 'node' },
    // undici cannot start in there, which is said.
    warnings: ['memory_store', 'no_undici'],
  },
  {
    name: 'Node, as one ES module, undici beside it',
    build: { entryPoints: ['serve.mjs'], format: 'esm', platform: 'node', external: ['undici'] },
    hasUndici: false,
    warnings: ['memory_store'],
  },
  {
    name: 'Node, as one CommonJS file',
    build: { entryPoints: ['serve.mjs'], format: 'cjs', platform: 'node' },
    warnings: ['memory_store'],
  },
]

const [word = ''] = process.argv.slice(2)
let failures = 0
try {
  const tarball = await pack('server', place)
  const { status, output } = await install(place, [tarball])
  if (status !== 0) throw new Error(`npm could not install the tarball\n${output}`)
  for (const file of ['worker.mjs', 'serve.mjs']) {
    cpSync(`${root}.ci/runtimes/${file}`, join(place, file))
  }
  writeFileSync(join(place, 'documented.ts'), documentedWorker())
  for (const file of ['flow.mjs', 'd1.mjs'])
    cpSync(`${root}.ci/runtimes/${file}`, join(place, file))
  const { createFakeWeChat } = await import(
    pathToFileURL(join(place, 'node_modules/@wxlogin/server/dist/testing.js')).href
  )
  for (const bundle of bundles.filter(({ name }) => name.includes(word))) {
    const outcome = await tryOne(bundle, createFakeWeChat()).catch((error) => {
      failures++
      return `FAILED ${bundle.name}\n${error.stack}`
    })
    console.log(outcome)
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}
if (failures > 0) process.exitCode = 1

async function tryOne({ name, play = playWithPhone, hasUndici = true, ...bundle }, wechat) {
  const outfile = join(
    place,
    `${name.replace(/\W+/g, '-')}.${bundle.build.format === 'cjs' ? 'cjs' : 'mjs'}`,
  )
  const { metafile } = await build({
    ...bundle.build,
    absWorkingDir: place,
    bundle: true,
    target: 'es2022',
    logLevel: 'error',
    metafile: true,
    outfile,
  })
  const contained = Object.keys(metafile.inputs).some((file) =>
    file.includes('node_modules/undici/'),
  )
  if (contained !== hasUndici) throw new Error(`undici is ${contained ? '' : 'not '}in the bundle`)

  const played = await play(outfile, { ...bundle, wechat })
  const kilobytes = Math.round(statSync(outfile).size / 1000)
  return `ok     ${name}: ${played}; ${kilobytes} kB, undici ${hasUndici ? 'is in it' : 'is not in it'}`
}

async function playWithPhone(file, { start = startNode, wechat, env, warnings: expected }) {
  const listening = await wechat.listen()
  const server = await start(file, { wechat, url: listening.url, env })
  try {
    await playFlow(server.url, wechat)
    const warnings = server.warnings.join()
    if (expected && warnings !== expected.join()) {
      throw new Error(`it warned of ${warnings}, and not of ${expected}`)
    }
  } finally {
    await server.close()
    await listening.close()
  }
  return 'login, request, refresh, logout'
}

async function playOnD1(file) {
  const program = await nodeOf(nodeVersions.at(-2))
  const args = [join(place, 'd1.mjs'), file, await miniflare()]
  const { status, output } = await run(program, args, { cwd: place })
  if (status !== 0) throw new Error(output)
  return output.trim().split('\n').at(-1)
}

/** Beside what the page shows, it runs the cases of stores on the page's store. */
function documentedWorker() {
  const page = readFileSync(`${root}docs/platforms.md`, 'utf8')
  const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
  const block = blocks.find((code) => code.includes('interface D1'))
  if (!block) throw new Error('docs/platforms.md has no Worker')
  return `import { storeCases } from '@wxlogin/server/testing'
${block.replace('export default', 'const shown =')}
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname !== '/store-cases') return shown.fetch(request, env)
    const store = storeIn(env.DB)
    const cases = storeCases()
    const failures: string[] = []
    for (const { name, run } of cases) {
      await run(store).catch((error) => failures.push(name + ': ' + error.message))
    }
    return Response.json({ cases: cases.length, failures })
  },
}
`
}

async function startNode(file, { wechat, url, env }) {
  const { appId: WX_APP_ID, appSecret: WX_APP_SECRET } = wechat.app
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...env, WX_APP_ID, WX_APP_SECRET, WECHAT_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const warnings = []
  const port = await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`the backend ended with ${code}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [word, value] = line.split(' ')
      if (word === 'port') resolve(value)
      else warnings.push(value)
    })
  })
  return { url: `http://127.0.0.1:${port}`, warnings, close: () => end(child) }
}

async function startWorkerd(file, { wechat, url }) {
  const program = await workerd()
  const port = await freePort()
  const text = (value) => JSON.stringify(value)
  const bindings = {
    WX_APP_ID: wechat.app.appId,
    WX_APP_SECRET: wechat.app.appSecret,
    WXLOGIN_SECRET: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
    WECHAT_URL: url,
  }
  const config = `${file}.capnp`
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed ${text(file.slice(place.length + 1))})],
  compatibilityDate = "2026-04-01",
  compatibilityFlags = ["nodejs_compat"],
  bindings = [${Object.entries(bindings)
    .map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`)
    .join(', ')}],
);
`,
  )
  const child = spawn(program, ['serve', config], { stdio: ['ignore', 'inherit', 'inherit'] })
  const address = `http://127.0.0.1:${port}`
  for (let attempt = 0; ; attempt++) {
    try {
      await fetch(address)
      break
    } catch (error) {
      if (attempt === 200 || child.exitCode !== null) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  return { url: address, warnings: [], close: () => end(child) }
}

function end(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.removeAllListeners('exit').on('exit', () => resolve())
    child.kill()
  })
}
