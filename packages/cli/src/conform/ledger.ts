import type { Text } from '../text.js'
import type { Step } from './scenario.js'
import { requirementsOf } from './scenarios.js'

/** One expectation that was looked at. */
export interface Check {
  readonly requirement: string
  readonly scenario: string
  /** What was done, `POST /refresh` for example. */
  readonly step: string
  readonly failure?: { readonly expected: string; readonly came: string }
}

/** An expectation that could not be looked at. */
export interface Unreached {
  readonly requirement: string
  readonly scenario: string
  readonly why: Text
}

export interface Played {
  readonly checks: readonly Check[]
  readonly unreached: readonly Unreached[]
}

/** What one scenario found. */
export interface Ledger extends Played {
  /** `expected` is what did not come; empty if all is well. */
  note(
    of: string | readonly string[],
    step: string,
    expected: readonly string[],
    came: string,
  ): void
  /** These steps are not taken. */
  leave(steps: readonly Step[], why: Text): void
}

export function createLedger(scenario: string): Ledger {
  const checks: Check[] = []
  const unreached: Unreached[] = []
  return {
    checks,
    unreached,

    note(of, step, expected, came) {
      for (const requirement of [of].flat()) {
        const failure =
          expected.length === 0 ? {} : { failure: { expected: expected.join(', '), came } }
        checks.push({ requirement, scenario, step, ...failure })
      }
    },

    leave(steps, why) {
      for (const requirement of steps.flatMap((step) => requirementsOf(step))) {
        unreached.push({ requirement, scenario, why })
      }
    },
  }
}
