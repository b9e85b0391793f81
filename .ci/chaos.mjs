// The proofs that take minutes. Each prints its figures; all run, and any failure makes the whole fail.
//   npm run chaos -- 5000           fewer interleavings
//   npm run chaos -- phones 40000   only this proof
import { root, run } from './process.mjs'
import { runTests } from './vitest.mjs'

const args = process.argv.slice(2)
const isCount = (arg) => /^\d+$/.test(arg)
const interleavings = args.find(isCount) ?? '100000'

const proofs = [
  {
    name: 'server',
    title: `${interleavings} interleavings of logins, refreshes, logouts and revocations`,
    tests: [
      'packages/server/test/model',
      '--project=slow',
      '--maxWorkers=2',
      '--disable-console-intercept',
    ],
    env: { WXLOGIN_INTERLEAVINGS: interleavings },
  },
  {
    name: 'phones',
    title: `${interleavings} interleavings on bad phones: no session is lost, and none is left behind`,
    tests: [
      'packages/client/test/model',
      '--project=slow',
      '--maxWorkers=2',
      '--disable-console-intercept',
    ],
    env: { WXLOGIN_INTERLEAVINGS: interleavings },
  },
  {
    name: 'stores',
    title: 'stores that are killed, stopped, slowed down, failed over and made read-only',
    tests: [
      'packages/server/test/services/chaos.test.ts',
      '--project=services',
      '--disable-console-intercept',
    ],
    env: { WXLOGIN_CHAOS_ROUNDS: '5' },
  },
  {
    name: 'wechat',
    title: 'WeChat away for a minute in mid-traffic',
    tests: [
      'packages/server/test/wechat/outage.test.ts',
      '--project=slow',
      '--disable-console-intercept',
    ],
    env: { WXLOGIN_OUTAGE_SECONDS: '60' },
  },
  {
    name: 'memory',
    title: 'a million sessions in memory',
    args: ['--expose-gc', 'bench/memory.mjs'],
  },
]

const wanted = args.filter((arg) => !isCount(arg))
const unknown = wanted.filter((name) => !proofs.some((proof) => proof.name === name))
if (unknown.length > 0) {
  const names = proofs.map(({ name }) => name)
  console.error(`There is no ${unknown.join(', ')}; there are ${names.join(', ')}`)
  process.exit(1)
}

const failed = []
for (const { name, title, tests, args, env } of proofs) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  console.log(`\n── ${title} ──`)
  const startedAt = performance.now()
  const holds = tests
    ? (await runTests(tests, { env })).holds
    : (await run(process.execPath, args, { cwd: root, show: true })).status === 0
  if (!holds) failed.push(title)
  console.log(`(${Math.round((performance.now() - startedAt) / 1000)} s)`)
}

if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(', ')}`)
  process.exit(1)
}
console.log('\nall of it holds')
