import { readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { asObject, exists } from '../project/files.js'
import { leakTexts } from '../scan/leak-texts.js'
import { scanPaths } from '../scan/scan-files.js'
import type { Check, CheckResult, Finding } from './check.js'
import type { ClientSide, Project } from './project.js'
import { resolved } from './project.js'

const client = '@wxlogin/client'
/** The oldest base library that the client runs on, and that cloud hosting does. */
const floors = { everything: '2.11.0', cloudHosting: '2.13.1' } as const

const noMiniProgram = {
  en: 'there is no mini program here',
  zh: '这里没有小程序',
} as const

/** Looks at each mini program. */
const eachClient =
  (
    check: Finding['check'],
    look: (one: ClientSide, project: Project) => CheckResult | Promise<CheckResult>,
  ) =>
  async (project: Project): Promise<CheckResult> => {
    if (project.clients.length === 0) return [{ check, why: noMiniProgram }]
    return (await Promise.all(project.clients.map((one) => look(one, project)))).flat()
  }

/** The AppIDs that a project's backends serve, as far as they can be read. */
const servedAppIds = (project: Project): ReadonlySet<string> =>
  new Set(
    project.servers.flatMap((server) =>
      server.appIds.flatMap((setting) => {
        const appId = resolved(setting, server)
        return appId && /^wx[0-9a-z]{16}$/.test(appId) ? [appId] : []
      }),
    ),
  )

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '')
export const isOfThisMachine = (url: string): boolean =>
  /^(?:localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0)$/.test(hostOf(url))
const isOfThisNetwork = (url: string): boolean =>
  isOfThisMachine(url) ||
  /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.)|\.local$/.test(hostOf(url))

const literalsOf = (one: ClientSide, option: 'baseUrls' | 'authPaths') =>
  one[option].flatMap((setting) => ('literal' in setting ? [setting] : []))

/**
 * Without an AppID nobody can exchange a code. With nothing but this machine around it, that is how one begins: there
 * WeChat is emulated, or DevTools is only looked at.
 */
export const touristAppId: Check = async (project, { url, isRelease }) =>
  eachClient('tourist_app_id', ({ appId, configFile, ...one }) => {
    if (appId !== 'touristappid') return []
    const addresses = [
      ...literalsOf({ appId, configFile, ...one }, 'baseUrls').map(({ literal }) => literal),
      ...(url ? [url] : []),
    ]
    const isLocal = addresses.length > 0 && addresses.every(isOfThisMachine)
    if (isLocal && servedAppIds(project).size === 0 && !isRelease) return []
    return [
      {
        check: 'tourist_app_id',
        file: configFile,
        problem: {
          en: 'The AppID is touristappid: the codes of wx.login are mock ones, which no backend can exchange',
          zh: 'AppID 是 touristappid：wx.login 得到的是模拟的 code，后端换不了',
        },
        todo: {
          en: 'Put your own AppID there (mp.weixin.qq.com, 开发管理)',
          zh: '填上自己的 AppID（mp.weixin.qq.com，开发管理）',
        },
      },
    ]
  })(project)

export const appIdDiffers: Check = async (project) => {
  const served = servedAppIds(project)
  if (served.size === 0) {
    return [
      {
        check: 'app_id_differs',
        why: {
          en: "the backend's AppID is not known here",
          zh: '不知道后端的 AppID',
        },
      },
    ]
  }
  return eachClient('app_id_differs', ({ appId, configFile }) => {
    if (appId === undefined || appId === 'touristappid' || served.has(appId)) return []
    const others = [...served].join(', ')
    return [
      {
        check: 'app_id_differs',
        file: configFile,
        problem: {
          en: `The mini program has the AppID ${appId}, and the backend serves ${others}`,
          zh: `小程序的 AppID 是 ${appId}，后端的是 ${others}`,
        },
        todo: {
          en: 'Use the same AppID at both sides, or add this one to apps, with its AppSecret; else logins fail with unknown_app',
          zh: '两边用同一个 AppID，或把它和它的 AppSecret 加到 apps 里；否则登录会失败（unknown_app）',
        },
      },
    ]
  })(project)
}

export const leak: Check = eachClient('leak', async ({ shippedFolders, notShipped }) => {
  const { leaks } = await scanPaths({
    paths: shippedFolders,
    without: notShipped,
    isMiniProgram: true,
  })
  return leaks.map(({ kind, file, line, inside }) => ({
    check: 'leak',
    file,
    ...(inside === undefined && { line }),
    problem: {
      en: `In what the mini program ships: ${lead(leakTexts[kind].en, '. ')}`,
      zh: `小程序的发布内容里：${lead(leakTexts[kind].zh, '。')}`,
    },
    todo: { en: rest(leakTexts[kind].en, '. '), zh: rest(leakTexts[kind].zh, '。') },
  }))
})

const lead = (text: string, mark: string): string => text.split(mark)[0] ?? text
const rest = (text: string, mark: string): string => text.split(mark).slice(1).join(mark)

export const plainHttp: Check = async (project, { url, isRelease }) => {
  const ofProject = await eachClient('plain_http', (one) =>
    literalsOf(one, 'baseUrls').flatMap(({ literal, file, line }) =>
      literal.startsWith('http://') && (isRelease || !isOfThisNetwork(literal))
        ? [{ check: 'plain_http' as const, file, line, ...plainHttpTexts(literal) }]
        : [],
    ),
  )(project)
  const isPlain = url?.startsWith('http://') && !isOfThisNetwork(url)
  return url && isPlain
    ? [...ofProject, { check: 'plain_http', ...plainHttpTexts(url) }]
    : ofProject
}

const plainHttpTexts = (url: string) => ({
  problem: {
    en: `The backend's address is ${new URL(url).origin}, and a released mini program may use https only`,
    zh: `后端地址是 ${new URL(url).origin}，而发布的小程序只能用 https`,
  },
  todo: {
    en: 'Give the backend a certificate, add its domain to the 合法域名 of request in the WeChat console, and write https://',
    zh: '给后端配上证书，在小程序后台把域名加到 request 合法域名，再改成 https://',
  },
})

export const baseLibrary: Check = eachClient(
  'base_library',
  ({ libVersion, configFile, sources }) => {
    if (libVersion === undefined || !/^\d+(\.\d+)+$/.test(libVersion)) return []
    const usesCloud = sources.some(({ code }) =>
      /\bcontainer\s*:\s*\{|\bcallContainer\b/.test(code),
    )
    const floor = usesCloud ? floors.cloudHosting : floors.everything
    if (!isBefore(libVersion, floor)) return []
    return [
      {
        check: 'base_library',
        file: configFile,
        problem: {
          en: `The base library is ${libVersion}, and ${usesCloud ? 'cloud hosting' : client} needs ${floor}`,
          zh: `基础库是 ${libVersion}，而${usesCloud ? '云托管' : ` ${client} `}需要 ${floor}`,
        },
        todo: {
          en: `Choose a newer one in DevTools (libVersion), and set the lowest version in the WeChat console (设置, 基础库最低版本设置) to ${floor}`,
          zh: `在开发者工具里选更新的版本（libVersion），并在小程序后台“设置 - 基础库最低版本设置”设为 ${floor}`,
        },
      },
    ]
  },
)

function isBefore(version: string, floor: string): boolean {
  const parts = version.split('.').map(Number)
  for (const [n, least] of floor.split('.').map(Number).entries()) {
    const part = parts[n] ?? 0
    if (part !== least) return part < least
  }
  return false
}

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
