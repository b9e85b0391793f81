// Runs vitest as the commands here do: what failed is known, and no test at all is a failure too.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, root, run } from './process.mjs'

/** Resolves with `{ holds, summary }`. Files come before flags, or vitest takes them for the value of one. */
export async function runTests(args, { env = {}, program = process.execPath } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'wxlogin-counts-'))
  const results = join(folder, 'results.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
    const { status } = await run(program, [bin('vitest'), 'run', ...args, ...reporters], {
      cwd: root,
      env: { ...process.env, ...env },
      show: true,
    })
    const { passed, failed } = countsIn(results)
    const summary = passed + failed === 0 ? 'no test ran' : `${passed} passed, ${failed} failed`
    return { holds: status === 0 && passed > 0, summary }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function countsIn(file) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'))
    return { passed: numPassedTests, failed: numFailedTests }
  } catch {
    return { passed: 0, failed: 0 }
  }
}
