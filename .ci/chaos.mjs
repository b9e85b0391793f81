// The proofs that take minutes. Each prints its figures; all run, and any failure makes the whole fail.
import { root, run } from './process.mjs'
import { runTests } from './vitest.mjs'

// `npm run chaos -- 5000` for fewer.
const interleavings = process.argv[2] ?? '100000'

const proofs = [
  {
    title: `${interleavings} interleavings of logins, refreshes, logouts and revocations, and as many on bad phones`,
    tests: [
      'packages/server/test/model',
      'packages/client/test/model',
      '--project=slow',
      '--maxWorkers=2',
      '--disable-console-intercept',
    ],
    env: { WXLOGIN_INTERLEAVINGS: interleavings },
  },
  {
    title: 'stores that are killed, stopped, slowed down, failed over and made read-only',
    tests: [
      'packages/server/test/services/chaos.test.ts',
      '--project=services',
      '--disable-console-intercept',
    ],
    env: { WXLOGIN_CHAOS_ROUNDS: '5' },
  },
  {
    title: 'WeChat away for a minute in mid-traffic',
    tests: [
      'packages/server/test/wechat/outage.test.ts',
      '--project=slow',
      '--disable-console-intercept',
    ],
    env: { WXLOGIN_OUTAGE_SECONDS: '60' },
  },
  {
    title: 'a million sessions in memory',
    args: ['--expose-gc', 'bench/memory.mjs'],
  },
]

const failed = []
for (const { title, tests, args, env } of proofs) {
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
