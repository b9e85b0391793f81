import type { Call } from '../command.js'
import type { Judgement } from './judge.js'
import type { Judged } from './report.js'
import { requirementsIn } from './scenarios.js'
import type { Choice } from './settings.js'

type Say = Call['say']

/** The report, by requirement; what was not tested stands at its end, by the reason. */
export function textOf({ serverUrl, seconds, report }: Judgement, say: Say): string {
  const { requirements, failed, warnings } = report
  const left = requirements.filter(({ outcome }) => outcome === 'not_tested')
  const looked = requirements.filter((one) => !left.includes(one))
  const passed = looked.filter(({ outcome }) => outcome === 'passed')
  const width = Math.max(0, ...looked.map(({ id }) => id.length))
  return [
    ...looked.flatMap((one) => [
      `${markOf(one, failed)} ${one.id.padEnd(width)} ${one.level.padEnd(6)} ${say(one.about)}`,
      ...failuresOf(one, say),
    ]),
    '',
    say({
      en: `${serverUrl}: ${passed.length} passed, ${failed.length} failed, ${warnings.length} warnings, ${left.length} not tested; ${seconds.toFixed(1)} s`,
      zh: `${serverUrl}：通过 ${passed.length}，失败 ${failed.length}，警告 ${warnings.length}，未检查 ${left.length}；用时 ${seconds.toFixed(1)} 秒`,
    }),
    ...byReason(left, say),
  ].join('\n')
}

function markOf({ id, outcome }: Judged, failed: readonly Judged[]): string {
  if (outcome === 'passed') return '✓'
  return failed.some((one) => one.id === id) ? '✗' : '!'
}

function byReason(left: readonly Judged[], say: Say): readonly string[] {
  const reasons = new Set(left.map(({ why }) => (why === undefined ? '' : say(why))))
  return [...reasons].map((reason) => {
    const own = left.filter(({ why }) => (why === undefined ? '' : say(why)) === reason)
    const ids = own.map(({ id }) => id)
    return say({
      en: `  not tested, ${reason}: ${ids.join(', ')}`,
      zh: `  未检查，${reason}：${ids.join('、')}`,
    })
  })
}

const wire = 'https://wxlogin.github.io/wxlogin/wire'

/** Three are enough to see it. */
const mostFailures = 3

function failuresOf({ id, failures }: Judged, say: Say): readonly string[] {
  if (failures.length === 0) return []
  const more = failures.length - mostFailures
  return [
    `    ${wire}#${id}`,
    ...failures
      .slice(0, mostFailures)
      .flatMap(({ scenario, step, failure }) => [
        `    ${scenario}: ${step}`,
        `      ${say({ en: 'expected', zh: '应为' })} ${failure?.expected}`,
        `      ${say({ en: 'came    ', zh: '实际' })} ${failure?.came}`,
      ]),
    ...(more > 0 ? [say({ en: `    and ${more} more`, zh: `    另有 ${more} 处` })] : []),
  ]
}

export function jsonOf({ serverUrl, seconds, report }: Judgement, say: Say): string {
  const { requirements, failed, warnings } = report
  return JSON.stringify(
    {
      server: serverUrl,
      seconds,
      passed: requirements.filter(({ outcome }) => outcome === 'passed').length,
      failed: failed.length,
      warnings: warnings.length,
      notTested: requirements.filter(({ outcome }) => outcome === 'not_tested').length,
      requirements: requirements.map(({ id, level, about, outcome, checks, failures, why }) => ({
        ...{ id, level, about: say(about), outcome, checks },
        failures: failures.map(({ scenario, step, failure }) => ({ scenario, step, ...failure })),
        ...(why && { why: say(why) }),
      })),
    },
    undefined,
    2,
  )
}

/** What there is to look at, and where it is looked at. */
export function listOf(
  { requirements, scenarios }: Choice,
  { has, say }: Pick<Call, 'has' | 'say'>,
) {
  if (has('json')) return JSON.stringify(scenarios, undefined, 2)
  const width = Math.max(...requirements.map(({ id }) => id.length))
  return requirements
    .map(({ id, level, about, unseen }) => {
      const named = scenarios.filter((scenario) => requirementsIn(scenario).includes(id))
      const every = say({ en: 'every answer', zh: '每个应答' })
      const where = unseen
        ? say({ en: `– ${unseen.en}`, zh: `– ${unseen.zh}` })
        : named.map(({ name }) => name).join(', ') || every
      return `${id.padEnd(width)} ${level.padEnd(6)} ${say(about)}: ${where}`
    })
    .join('\n')
}
