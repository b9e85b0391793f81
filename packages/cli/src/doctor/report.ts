import { arch, platform, release } from 'node:os'
import { join } from 'node:path'
import { versions } from 'node:process'
import type { Call } from '../command.js'
import { jsonOf } from '../project/files.js'
import { ownVersion } from '../version.js'
import type { Finding, NotMade } from './check.js'
import type { Project } from './project.js'

export interface Reported {
  readonly project: Project
  readonly findings: readonly Finding[]
  readonly notMade: readonly NotMade[]
  readonly say: Call['say']
  readonly show: (file: string) => string
}

/**
 * What can be pasted into an issue. It is made of versions, names of checks and our own sentences; AppIDs and the names of
 * hosts, which are nobody's secret and somebody's business, are shortened.
 */
export async function reportOf({
  project,
  findings,
  notMade,
  say,
  show,
}: Reported): Promise<string> {
  const lines = [
    '### wxlogin doctor',
    '',
    `- wxlogin ${await ownVersion()}, Node ${versions.node}, ${platform()} ${release()} ${arch()}`,
    ...(await Promise.all(
      ['@wxlogin/client', '@wxlogin/server'].map(
        async (name) => `- ${name} ${(await installedVersion(project, name)) ?? say(notInstalled)}`,
      ),
    )),
    ...project.clients.map(
      ({ framework, libVersion = '?' }) =>
        `- ${say({ en: 'mini program', zh: '小程序' })}: ${framework}, ${say({ en: 'base library', zh: '基础库' })} ${libVersion}`,
    ),
    `- ${say({ en: 'backends', zh: '后端' })}: ${project.servers.length}`,
    '',
    ...findings.map(
      ({ check, problem, file, line }) =>
        `- **${check}** ${shortened(say(problem))}${file === undefined ? '' : ` (${show(file)}${line === undefined ? '' : `:${line}`})`}`,
    ),
    ...(findings.length === 0 ? [say({ en: 'Nothing to mend.', zh: '没有问题。' })] : []),
    ...notMade.map(({ check, why }) => `- ${check}: ${say(why)}`),
  ]
  return lines.join('\n')
}

const notInstalled = { en: 'not installed', zh: '没有安装' } as const

const shortened = (text: string): string =>
  text
    .replace(/\bwx[0-9a-z]{16}\b/g, (appId) => `${appId.slice(0, 4)}…${appId.slice(-2)}`)
    .replace(/(https?:\/\/)[^\s/,，]+/g, '$1…')

async function installedVersion(project: Project, name: string): Promise<string | undefined> {
  const homes = [...project.clients, ...project.servers].map(({ folder }) => folder)
  for (const home of [...homes, project.folder]) {
    const version = (await jsonOf(join(home, 'node_modules', name, 'package.json')))?.version
    if (typeof version === 'string') return version
  }
  return undefined
}
