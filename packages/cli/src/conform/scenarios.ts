import type { Scenario, Step } from './scenario.js'
import { accesses } from './scenarios/access.js'
import { devices } from './scenarios/device.js'
import { logins } from './scenarios/login.js'
import { logouts } from './scenarios/logout.js'
import { phones } from './scenarios/phone.js'
import { refreshes } from './scenarios/refresh.js'
import { requests } from './scenarios/requests.js'
import { troubles } from './scenarios/wechat.js'

/** Everything that is played, in this order: an outage of WeChat comes last, since a server may remember it for a while. */
export const scenarios: readonly Scenario[] = [
  ...logins,
  ...refreshes,
  ...logouts,
  ...requests,
  ...accesses,
  ...phones,
  ...devices,
  ...troubles,
]

/** Which requirements a step looks at. */
export function requirementsOf(step: Step): readonly string[] {
  if ('calls' in step) return [step.of].flat()
  if (!('expect' in step) || step.expect === undefined) return []
  return step.expect.flatMap(({ of }: { readonly of: string | readonly string[] }) => of)
}

export const requirementsIn = ({ steps }: Scenario): readonly string[] => [
  ...new Set(steps.flatMap((step) => requirementsOf(step))),
]
