import type { Text } from '../text.js'
import type { Problem } from './problem.js'
import type { SettingName } from './setting-names.js'
import type { Settings } from './settings.js'

/** Settings that are being looked at, and what was found to be wrong with them. */
export interface Inspection extends Pick<Settings, 'get' | 'whereIs'> {
  /** Whether it was complained of before it could be looked at. */
  readonly isBroken: (name: SettingName) => boolean
  readonly report: (problem: Problem) => undefined
  /** Reports what a setting must be; the text goes on from its name. */
  readonly complain: (name: SettingName, text: Text) => undefined
  readonly problems: () => readonly Problem[]
}

export function inspect(settings: Settings): Inspection {
  const { get, whereIs } = settings
  const broken = new Set(settings.problems.map(({ name }) => name))
  const problems: Problem[] = [...settings.problems]
  const report = (problem: Problem) => {
    problems.push(problem)
    return undefined
  }
  return {
    get,
    whereIs,
    isBroken: (name) => broken.has(name),
    report,
    complain: (name, text) =>
      report({
        text: { en: `${name} ${text.en}`, zh: `${name} ${text.zh}` },
        where: whereIs(name),
      }),
    problems: () => problems,
  }
}
