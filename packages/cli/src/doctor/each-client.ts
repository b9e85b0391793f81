import type { CheckResult, Finding } from './check.js'
import type { ClientSide, Project } from './project.js'

const noMiniProgram = {
  en: 'there is no mini program here',
  zh: '这里没有小程序',
} as const

/** Looks at each mini program. */
export const eachClient =
  (
    check: Finding['check'],
    look: (one: ClientSide, project: Project) => CheckResult | Promise<CheckResult>,
  ) =>
  async (project: Project): Promise<CheckResult> => {
    if (project.clients.length === 0) return [{ check, why: noMiniProgram }]
    return (await Promise.all(project.clients.map((one) => look(one, project)))).flat()
  }
