import type { Text } from '../text.js'
import type { Check, Played } from './ledger.js'
import type { Requirement } from './requirements.js'

/** A requirement, and what came of it. `passed`: it was looked at, and held each time. */
export interface Judged extends Requirement {
  readonly outcome: 'passed' | 'failed' | 'not_tested'
  /** How often it was looked at. */
  readonly checks: number
  readonly failures: readonly Check[]
  /** Why it, or a part of it, was not looked at. */
  readonly why?: Text
}

export interface Report {
  readonly requirements: readonly Judged[]
  /** Failed, and demanded: every MUST, and with `--strict` every SHOULD. */
  readonly failed: readonly Judged[]
  /** Failed, and recommended. */
  readonly warnings: readonly Judged[]
}

export function reportOf(
  demanded: readonly Requirement[],
  played: readonly Played[],
  { isStrict }: { readonly isStrict: boolean },
): Report {
  const checks = played.flatMap((one) => one.checks)
  const unreached = played.flatMap((one) => one.unreached)
  const requirements = demanded.map((requirement): Judged => {
    const own = checks.filter((check) => check.requirement === requirement.id)
    const failures = own.filter(({ failure }) => failure !== undefined)
    const why =
      requirement.unseen ?? unreached.find((one) => one.requirement === requirement.id)?.why
    const outcome = failures.length > 0 ? 'failed' : own.length > 0 ? 'passed' : 'not_tested'
    return { ...requirement, outcome, checks: own.length, failures, ...(why && { why }) }
  })
  const isFailed = ({ outcome }: Judged) => outcome === 'failed'
  const isDemanded = ({ level }: Judged) => isStrict || level === 'MUST'
  const failed = requirements.filter((one) => isFailed(one) && isDemanded(one))
  const warnings = requirements.filter((one) => isFailed(one) && !isDemanded(one))
  return { requirements, failed, warnings }
}
