import { readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { asObject, exists } from '../project/files.js'
import type { Check, Finding } from './check.js'
import { eachClient } from './each-client.js'
import type { ClientSide } from './project.js'

const client = '@wxlogin/client'

const isUsed = ({ sources, packageJson }: ClientSide): boolean =>
  sources.some(({ code }) => /['"`]@wxlogin\/client(?:\/\w+)?['"`]/.test(code)) ||
  [...(packageJson?.dependencies ?? []), ...(packageJson?.devDependencies ?? [])].includes(client)

export const devDependency: Check = async (project) => {
  const ofClients = await eachClient('dev_dependency', ({ framework, packageJson }) =>
    framework === 'native' && packageJson && isOnlyDev(packageJson, client)
      ? [
          {
            check: 'dev_dependency',
            file: packageJson.file,
            problem: {
              en: `${client} is in devDependencies, which 构建 npm leaves out`,
              zh: `${client} 在 devDependencies 里，“构建 npm”不会处理它`,
            },
            todo: {
              en: `npm install ${client} --save-prod, then 构建 npm in DevTools`,
              zh: `npm install ${client} --save-prod，再在开发者工具里“构建 npm”`,
            },
          },
        ]
      : [],
  )(project)
  const server = '@wxlogin/server'
  const ofServers = project.servers.flatMap(({ packageJson }): Finding[] =>
    packageJson && isOnlyDev(packageJson, server)
      ? [
          {
            check: 'dev_dependency',
            file: packageJson.file,
            problem: {
              en: `${server} is in devDependencies, which a production install (npm ci --omit=dev) leaves out`,
              zh: `${server} 在 devDependencies 里，生产环境安装（npm ci --omit=dev）时不会有它`,
            },
            todo: {
              en: `npm install ${server} --save-prod`,
              zh: `npm install ${server} --save-prod`,
            },
          },
        ]
      : [],
  )
  return [...ofClients, ...ofServers]
}

const isOnlyDev = (
  { dependencies, devDependencies }: NonNullable<ClientSide['packageJson']>,
  name: string,
): boolean => devDependencies.includes(name) && !dependencies.includes(name)

/** The builder copies the package as it is, so that what it made can be compared with what is installed. */
export const npmNotBuilt: Check = eachClient('npm_not_built', async (one, project) => {
  if (one.framework !== 'native' || !isUsed(one)) return []
  const installed = await installedPackage(one.packageJson?.file ?? one.configFile, project.folder)
  // A link to where the package itself is worked on, and not into a store of packages.
  if (installed && !/[\\/]node_modules[\\/]/.test(await realpath(installed))) return []
  const built = await firstThatIs(builtFolders(one).map((folder) => join(folder, client)))
  if (!built) {
    return [
      {
        check: 'npm_not_built',
        file: one.root,
        problem: {
          en: `There is no miniprogram_npm/${client}: 构建 npm was not run`,
          zh: `没有 miniprogram_npm/${client}：还没有“构建 npm”`,
        },
        todo: {
          en: `${installed ? '' : 'npm install, then '}工具 → 构建 npm in DevTools. If package.json is not beside app.json, set packNpmManually and packNpmRelationList`,
          zh: `${installed ? '' : '先 npm install，再'}在开发者工具里点“工具 → 构建 npm”。如果 package.json 不在 app.json 旁边，设置 packNpmManually 和 packNpmRelationList`,
        },
      },
    ]
  }
  if (!installed || (await isSame(built, join(installed, 'miniprogram_dist')))) return []
  return [
    {
      check: 'npm_not_built',
      file: built,
      problem: {
        en: `miniprogram_npm/${client} is not the version that is installed`,
        zh: `miniprogram_npm/${client} 和安装的版本不一致`,
      },
      todo: {
        en: 'Run 工具 → 构建 npm in DevTools again, as after every npm install',
        zh: '在开发者工具里重新“工具 → 构建 npm”，每次 npm install 之后都要做',
      },
    },
  ]
})

function builtFolders({ root, folder, config }: ClientSide): readonly string[] {
  const relations = asObject(config.setting)?.packNpmRelationList
  const listed = Array.isArray(relations)
    ? relations.flatMap((one: unknown) => {
        const { miniprogramNpmDistDir: path } = asObject(one) ?? {}
        return typeof path === 'string' ? [join(folder, path)] : []
      })
    : []
  return [root, ...listed].map((one) => join(one, 'miniprogram_npm'))
}

async function installedPackage(from: string, top: string): Promise<string | undefined> {
  for (let at = dirname(from); ; at = dirname(at)) {
    const folder = join(at, 'node_modules', client)
    if (await exists(folder)) return folder
    if (at === top || at === dirname(at)) return undefined
  }
}

async function firstThatIs(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(path)) return path
  return undefined
}

async function isSame(built: string, installed: string): Promise<boolean> {
  const contents = await Promise.all(
    ['index.js', 'full.js'].flatMap((name) =>
      [built, installed].map((folder) => readFile(join(folder, name), 'utf8').catch(() => '')),
    ),
  )
  return contents[0] === contents[1] && contents[2] === contents[3]
}
