import { basename, dirname, join, relative, sep } from 'node:path'
import { exists, textOf } from '../project/files.js'
import { eachServer } from './backend-checks.js'
import type { CheckResult } from './check.js'
import type { EnvFile, ServerSide } from './project.js'

/** What is in git is on every machine that clones it, for as long as its history. */
export const envInGit = eachServer('env_in_git', async (server) => {
  const results = await Promise.all(withSecrets(server).map(look))
  return results.flat()
})

function withSecrets({ envFiles, appSecrets, secrets }: ServerSide): readonly EnvFile[] {
  const names = [...appSecrets, ...secrets].flatMap((one) =>
    'variable' in one ? [one.variable] : [],
  )
  return envFiles.filter(({ variables }) => names.some((name) => variables.get(name)?.trim()))
}

async function look({ file }: EnvFile): Promise<CheckResult> {
  const repository = await repositoryOf(dirname(file))
  if (repository === undefined || (await isIgnored(file, repository))) return []
  const name = basename(file)
  return [
    {
      check: 'env_in_git',
      file,
      problem: {
        en: `${name} holds secrets, and no .gitignore keeps it out of git`,
        zh: `${name} 里有机密，却没有 .gitignore 把它排除在 git 之外`,
      },
      todo: {
        en: `Add a line to .gitignore: ${name}. If it was ever pushed, reset the AppSecret in the WeChat console and make a new secret, wxlogin keygen`,
        zh: `在 .gitignore 里加一行：${name}。如果已经推送过，在小程序后台重置 AppSecret，并用 wxlogin keygen 换掉 secret`,
      },
    },
  ]
}

async function repositoryOf(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    if (await exists(join(at, '.git'))) return at
    if (at === dirname(at)) return undefined
  }
}

/** By the rules of gitignore(5), of which the last that fits decides; a folder that is ignored takes all in it along. */
async function isIgnored(file: string, repository: string): Promise<boolean> {
  const parts = relative(repository, file).split(sep)
  const paths = parts.map((_, n) => parts.slice(0, n + 1).join('/'))
  for (const path of paths) {
    if (await isNamed(path, { isFolder: path !== paths.at(-1), repository })) return true
  }
  return false
}

async function isNamed(
  path: string,
  { isFolder, repository }: { readonly isFolder: boolean; readonly repository: string },
): Promise<boolean> {
  const parts = path.split('/')
  let isIn = false
  // That of the machine comes first, then each from the top down.
  const lists = [
    { file: join(repository, '.git/info/exclude'), depth: 0 },
    ...parts.map((_, depth) => ({
      file: join(repository, ...parts.slice(0, depth), '.gitignore'),
      depth,
    })),
  ]
  for (const { file, depth } of lists) {
    for (const line of ((await textOf(file)) ?? '').split('\n')) {
      const rule = ruleOf(line)
      if (!rule || (rule.isForFolders && !isFolder)) continue
      if (rule.fits(parts.slice(depth).join('/'))) isIn = !rule.isTakenBack
    }
  }
  return isIn
}

function ruleOf(line: string) {
  const text = line.trim()
  if (text === '' || text.startsWith('#')) return undefined
  const isTakenBack = text.startsWith('!')
  const pattern = text.replace(/^[!\\]/, '').replace(/\/+$/, '')
  const isAnchored = pattern.includes('/')
  const source = pattern
    .replace(/^\//, '')
    .split(/(\*\*\/|\/?\*\*|\*|\?|\[[^\]]*\])/)
    .map((part, n) => (n % 2 === 0 ? part.replace(/[.+^${}()|[\]\\]/g, '\\$&') : wildcard(part)))
    .join('')
  const whole = new RegExp(`^${isAnchored ? '' : '(?:.*/)?'}${source}$`)
  return { isTakenBack, isForFolders: text.endsWith('/'), fits: (path: string) => whole.test(path) }
}

function wildcard(part: string): string {
  if (part === '**/') return '(?:.*/)?'
  if (part.endsWith('**')) return '.*'
  if (part === '*') return '[^/]*'
  return part === '?' ? '[^/]' : part.replace(/^\[!/, '[^')
}
