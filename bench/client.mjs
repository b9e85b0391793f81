// The client beside its published peers: ten parallel requests in many scenarios, bad days, and what each weighs. What
// ours promises makes it fail when it does not hold.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../.ci/process.mjs'
import { badDays } from './client/bad-days.mjs'
import { bundle, weigh, weighBundle } from './client/bundle.mjs'
import { installPeers } from './client/install.mjs'
import { ours, oursInFull, peers } from './client/peers.mjs'
import { runScenarios, scenarios } from './client/scenarios.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const client = `${root}packages/client/`

const columns = []
const weights = []
const missing = []
const broken = []

for (const entry of [ours, oursInFull]) {
  const cells = await cellsOf({ ...entry, isOurs: true }, here)
  const [same] = columns.filter((column) => String(column.cells) === String(cells))
  if (same) same.title += ', and /full'
  else columns.push({ title: entry.title, cells })
  weights.push({ title: entry.title, ...(await weigh({ from: [entry.title] }, here)) })
}
weights.push({
  title: '@wxlogin/client, the file that WeChat builds in',
  ...weighBundle(shipped()),
})

const installed = await installPeers(peers)
for (const peer of peers) {
  const { folder, problem } = installed.get(peer)
  const { title = peer.packages.join(' + '), wiring, sizes, isRare } = peer
  if (problem && !isRare) missing.push(title)
  if (wiring) columns.push({ title, cells: problem ? [problem] : await cellsOf(peer, folder) })
  for (const size of sizes) {
    weights.push({ title: size.title, ...(problem ? { problem } : await weigh(size, folder)) })
  }
}

const titles = [...scenarios, ...badDays].map(({ title }) => title)
const promises = [...scenarios.map(({ ideal }) => ideal), ...badDays.map(({ promise }) => promise)]
print(
  `Ten parallel requests: calls of wx.login → what became of the ten (+: and no end). Then bad days.
wx.login 20 ms, login 30 ms, API 20 ms; staggered: the i-th refusal after 10 + 25·i ms. Default options, wired as
bench/client/wirings says and why; fitted: told how this backend says it, or that its login is slow. After 3 minutes
offline: of 20 phones the median (quartiles), somebody tapping every 0.25 s. Sessions left: alive at the server, their
answers arrived, and used by no phone. –: has no such thing.`,
  ['', 'ours promises', ...columns.map(({ title }) => title)],
  titles.map((title, row) => [title, promises[row], ...columns.map(({ cells }) => cells[row])]),
)
print(
  'Bytes: esbuild --bundle --minify --target=es2018, then gzip -9',
  ['', 'minified', 'gzip'],
  weights
    .sort((a, b) => (a.gzip ?? Number.POSITIVE_INFINITY) - (b.gzip ?? Number.POSITIVE_INFINITY))
    .map(({ title, minified, gzip, problem }) =>
      problem
        ? [title, problem]
        : [title, minified.toLocaleString('en'), gzip.toLocaleString('en')],
    ),
)

for (const line of broken) console.error(`\nBroken promise: ${line}.`)
if (missing.length > 0) console.error(`\nNot installed, so not compared: ${missing.join(', ')}.`)
process.exitCode = broken.length === 0 && missing.length === 0 ? 0 : 1

async function cellsOf({ title, wiring, dialect, isOurs }, folder) {
  const build = (isFitted) =>
    bundle(
      { entryPoints: [join(here, 'client/wirings', wiring)] },
      { folder, format: 'iife', globalName: 'app', define: { isFitted: String(isFitted) } },
    )
  const subject = { dialect, isOurs, code: await build(false), fittedCode: await build(true) }
  const cells = await runScenarios(subject)
  for (const [row, { title: scenario, ideal }] of scenarios.entries()) {
    if (isOurs && cells[row] !== ideal) broken.push(`${title}, ${scenario}: ${cells[row]}`)
  }
  for (const { title: day, promise, holds, measure } of badDays) {
    const measured = await measure(subject)
    cells.push(measured ? measured.text : '–')
    if (isOurs && !holds(measured?.value)) {
      broken.push(`${title}, ${day}: ${measured?.text}, not ${promise}`)
    }
  }
  return cells
}

function shipped() {
  const file = `${client}miniprogram_dist/index.js`
  if (!existsSync(file)) throw new Error(`${file} is missing; run \`npm run build\` first`)
  return readFileSync(file)
}

function print(title, head, rows) {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  )
  const line = (cells) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`
  const rule = line(widths.map((width) => '-'.repeat(width)))
  console.log(`\n${title}\n\n${[line(head), rule, ...rows.map(line)].join('\n')}`)
}
