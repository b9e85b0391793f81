// The client beside its published peers: what ten parallel requests cost in six scenarios, and what each weighs.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../.ci/process.mjs'
import { bundle, weigh, weighBundle } from './client/bundle.mjs'
import { installPeers } from './client/install.mjs'
import { ours, oursInFull, peers } from './client/peers.mjs'
import { ideal, measurePhone, runScenarios } from './client/scenarios.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const client = `${root}packages/client/`
const hasFull = './full' in JSON.parse(readFileSync(`${client}package.json`, 'utf8')).exports

const behaviours = [{ title: 'ideal', outcomes: ideal.map(({ outcome }) => outcome) }]
const weights = []
const phones = []
const missing = []

let isIdeal = true
for (const entry of hasFull ? [ours, oursInFull] : [ours]) {
  const outcomes = await outcomesOf(entry, here)
  if (outcomes.some((outcome, index) => outcome !== ideal[index].outcome)) isIdeal = false
  behaviours.push({ title: entry.title, outcomes })
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
  if (wiring) {
    const outcomes = problem ? [problem] : await outcomesOf(peer, folder)
    behaviours.push({ title, outcomes })
  }
  for (const size of sizes) {
    weights.push({ title: size.title, ...(problem ? { problem } : await weigh(size, folder)) })
  }
}

print(
  `Ten parallel requests: calls of wx.login → what became of the ten (+: and no end)
wx.login 20 ms, login 30 ms, API 20 ms; staggered: the i-th refusal after 10 + 25·i ms; watched for 4 s, a silent
wx.login for 15 s. Default options, wired as bench/client/wirings says and why.`,
  ['', ...ideal.map(({ title }) => title)],
  behaviours.map(({ title, outcomes }) => [title, ...outcomes]),
)
print(
  'Synchronous storage calls (ten requests at once), and how long requests are rejected after 3 minutes offline',
  ['', 'cold start', 'ten more', 'after an outage'],
  phones,
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

if (!isIdeal) console.error('\nOurs is not the ideal row.')
if (missing.length > 0) console.error(`\nNot installed, so not compared: ${missing.join(', ')}.`)
process.exitCode = isIdeal && missing.length === 0 ? 0 : 1

async function outcomesOf({ wiring, dialect }, folder) {
  const entry = { entryPoints: [join(here, 'client/wirings', wiring)] }
  const code = await bundle(entry, { folder, format: 'iife', globalName: 'app' })
  const { cold, atOnce, recovery } = await measurePhone({ code, dialect })
  phones.push([wiring.replace('.mjs', ''), String(cold), String(atOnce), recovery])
  return runScenarios({ code, dialect })
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
