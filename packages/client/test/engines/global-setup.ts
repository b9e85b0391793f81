import type { TestProject } from 'vitest/node'
import { type Engine, enginesFor } from './engines.js'

declare module 'vitest' {
  interface ProvidedContext {
    engines: readonly Engine[]
  }
}

const say = (message: string) => process.stderr.write(`engines: ${message}\n`)

/** Brings the engines to this machine, once, and tells the tests which are there. */
export async function setup(project: TestProject): Promise<void> {
  project.provide('engines', await provideEngines(process.env.CI === 'true'))
}

async function provideEngines(isMissingAFailure: boolean): Promise<readonly Engine[]> {
  const engines: Engine[] = []
  const missing: string[] = []
  // One after the other: most come from the same install.
  for (const { name, provide } of enginesFor(say)) {
    try {
      engines.push({ name, ...(await provide()) })
    } catch (error) {
      missing.push(`${name} (${error instanceof Error ? error.message.split('\n')[0] : error})`)
    }
  }
  if (missing.length > 0) {
    const message = `not on this machine, and cannot be installed: ${missing.join(', ')}`
    if (isMissingAFailure) throw new Error(`Engines ${message}`)
    say(`THE CLIENT IS NOT TESTED ON THEM: ${message}`)
  }
  return engines
}
