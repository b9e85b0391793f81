import type { Call } from '../command.js'
import { checkTitles, type Finding, type NotMade } from './check.js'

const placeOf = ({ file, line }: Finding, show: (file: string) => string): string =>
  file === undefined ? '' : `${show(file)}${line === undefined ? '' : `:${line}`}`

export function textOf(
  findings: readonly Finding[],
  notMade: readonly NotMade[],
  say: Call['say'],
  show: (file: string) => string,
): string {
  const lines = findings.flatMap((finding) => [
    `✗ ${say(finding.problem)}`,
    ...(finding.file === undefined ? [] : [`  ${placeOf(finding, show)}`]),
    `  → ${say(finding.todo)}`,
    '',
  ])
  const made = Object.keys(checkTitles).length - new Set(notMade.map(({ check }) => check)).size
  lines.push(
    findings.length > 0
      ? say({
          en: `${findings.length} to mend; ${made} checks were made`,
          zh: `${findings.length} 处需要处理；检查了 ${made} 项`,
        })
      : say({ en: `Nothing to mend; ${made} checks were made`, zh: `没有问题；检查了 ${made} 项` }),
    ...byReason(notMade).map(({ titles, why }) =>
      say({
        en: `  not checked: ${[...titles].map(({ en }) => en).join(', ')} (${why.en})`,
        zh: `  没有检查：${[...titles].map(({ zh }) => zh).join('、')}（${why.zh}）`,
      }),
    ),
  )
  return lines.join('\n')
}

function byReason(notMade: readonly NotMade[]) {
  const reasons = new Map(notMade.map(({ why }) => [why.en, why]))
  return [...reasons.values()].map((why) => ({
    why,
    titles: new Set(
      notMade.filter((one) => one.why.en === why.en).map(({ check }) => checkTitles[check]),
    ),
  }))
}

export function jsonOf(
  findings: readonly Finding[],
  notMade: readonly NotMade[],
  say: Call['say'],
  show: (file: string) => string,
): object {
  const names: readonly string[] = Object.keys(checkTitles)
  return {
    findings: findings.map(({ check, problem, todo, file, line }) => ({
      check,
      problem: say(problem),
      todo: say(todo),
      ...(file !== undefined && { file: show(file) }),
      ...(line !== undefined && { line }),
    })),
    checks: names.map((check) => {
      const missing = notMade.find((one) => one.check === check)
      const isFound = findings.some((one) => one.check === check)
      return {
        check,
        outcome: isFound ? 'found' : missing ? 'not_made' : 'fine',
        ...(missing && !isFound && { why: say(missing.why) }),
      }
    }),
  }
}
