import type { TestProject } from 'vitest/node'
import { type Engine, enginesFor } from './engines.js'

declare module 'vitest' {
  interface ProvidedContext {
    engines: readonly Engine[]
  }
}

const say = (message: string) => void process.stderr.write(`engines: ${message}\n`)

/**
 * Brings the engines to this machine, once, and tells the tests which are there. Never throws: that would end all tests,
 * of the other projects too.
 */
export async function setup(project: TestProject): Promise<() => void> {
  const isMissingAFailure = process.env.CI === 'true'
  const engines: Engine[] = []
  const lines: string[] = []
  // One after the other: most come from the same install.
  for (const { name, provide } of enginesFor(say)) {
    try {
      engines.push({ name, ...(await provide()) })
    } catch (error) {
      const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
      const problem = `${name} is not on this machine, and cannot be installed: ${reason}`
      const outcome = isMissingAFailure ? 'ITS TESTS FAIL' : 'THE CLIENT IS NOT TESTED ON IT'
      lines.push(`${outcome}: ${problem}`)
      if (isMissingAFailure) engines.push(absent(name, problem))
    }
  }
  project.provide('engines', engines)
  lines.forEach(say)
  // After the tests' own summary, so that these are the last lines.
  return () => lines.forEach(say)
}

/** An engine that says why it is not there, whatever it is given. */
function absent(name: string, problem: string): Engine {
  const script = `console.error(${JSON.stringify(problem)})\nprocess.exit(1)`
  return { name, before: [process.execPath, '-e', script], after: [] }
}
