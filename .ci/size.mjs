// Holds what is shipped to its budgets, in bytes after `gzip -9`, without a file name. The client counts as it is
// published. The server is published readable and counts minified, as a bundled function would carry it: names and
// comments cost nothing. Half of the server's budget is sentences: every wrong option and every errcode says what to do
// about it.
import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build, transform } from 'esbuild'
import { adapters, phoneEntries } from './entries.mjs'
import { root } from './process.mjs'

// Whatever is added to `index` and `full` has to be saved elsewhere in them.
const phoneBudgets = { index: 4945, full: 7765, backend: 1400, explain: 4096 }

// The address, targets in absolute form and streams of HTTP/2 are in each that stands on node:http. Nest's people expect
// a module, decorators, a guard and a filter besides the four names.
const adapterBudgets = { nest: 2310 }

/** The chunks that a part of the server imports when it is used for the first time. */
const loadedLater = new Set()

const core = await filesLoadedBy('index')
const rows = [
  ...phoneEntries.map((name) => ({
    name: `@wxlogin/client, miniprogram_dist/${name}.js`,
    budget: phoneBudgets[name] ?? missingBudget(name),
    bytes: gzipped(read(`packages/client/miniprogram_dist/${name}.js`)),
  })),
  {
    name: '@wxlogin/server, minified, without jose and undici',
    // 32 KiB, and 2 KB that say what is wrong with an argument, a hook, an AppID or a secret. What many backends never
    // use is loaded when it is first used, and stands below.
    budget: 35_550,
    bytes: await minifiedAndGzipped(core),
  },
  {
    name: '@wxlogin/server/wechat, minified, by itself, without undici',
    budget: 13_900,
    bytes: await minifiedAndGzipped(await filesLoadedBy('wechat')),
  },
]
rows.push({
  name: '@wxlogin/server, minified, all that is loaded when it is first used',
  budget: 12_850,
  bytes: await minifiedAndGzipped([...loadedLater]),
})
for (const adapter of adapters) {
  rows.push({
    name: `@wxlogin/server/${adapter}, minified, on top of it`,
    budget: adapterBudgets[adapter] ?? 1380,
    bytes: await bundledOnTopOfCore(adapter),
  })
}

rows.push({
  name: '@wxlogin/server/telemetry, minified, on top of it',
  budget: 2000,
  bytes: await bundledOnTopOfCore('telemetry'),
})

let tooBig = 0
for (const { name, budget, bytes } of rows) {
  const fits = bytes <= budget
  if (!fits) tooBig++
  const numbers = `${String(bytes).padStart(6)} of ${String(budget).padStart(6)} bytes`
  console.log(`${fits ? 'ok     ' : 'TOO BIG'} ${numbers}  ${name}`)
}
if (tooBig > 0) {
  console.error(
    `\n${tooBig} over budget: make it smaller. A budget is raised only with a reason in the pull request.`,
  )
  process.exit(1)
}

/** An entry of the server and the chunks that it imports, packages not counted, nor what is loaded when it is needed. */
async function filesLoadedBy(entry) {
  const file = `packages/server/dist/${entry}.js`
  read(file)
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    metafile: true,
    write: false,
  })
  const loaded = new Set()
  const load = (path) => {
    if (loaded.has(path)) return
    loaded.add(path)
    for (const { path: next, kind, external } of metafile.inputs[path].imports) {
      if (kind === 'import-statement' && !external) load(next)
      if (kind === 'dynamic-import' && !external) loadedLater.add(next)
    }
  }
  load(file)
  return [...loaded]
}

async function minifiedAndGzipped(files) {
  const minified = files.map((file) => transform(read(file), { minify: true, target: 'node20' }))
  return gzipped((await Promise.all(minified)).map(({ code }) => code).join(''))
}

/** What a bundle that has the core grows by. */
async function bundledOnTopOfCore(adapter) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [`packages/server/dist/${adapter}.js`],
    bundle: true,
    minify: true,
    packages: 'external',
    external: core.map((file) => root + file),
    platform: 'node',
    format: 'esm',
    target: 'node20',
    write: false,
    logLevel: 'error',
  })
  return gzipped(outputFiles[0].contents)
}

function missingBudget(name) {
  throw new Error(`The entry ${name} of the client has no budget yet; give it one in .ci/size.mjs`)
}

function gzipped(code) {
  return gzipSync(code, { level: 9 }).length
}

function read(file) {
  if (!existsSync(root + file)) throw new Error(`${file} is missing; run \`npm run build\` first`)
  return readFileSync(root + file, 'utf8')
}
