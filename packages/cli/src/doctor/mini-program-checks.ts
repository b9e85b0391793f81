import { leakTexts } from '../scan/leak-texts.js'
import { scanPaths } from '../scan/scan-files.js'
import type { Check } from './check.js'
import { eachClient } from './each-client.js'
import type { ClientSide, Project } from './project.js'
import { resolved } from './project.js'
import type { Value } from './values.js'

/** The oldest base library that the client runs on, and that cloud hosting does. */
const floors = { everything: '2.11.0', cloudHosting: '2.13.1' } as const

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
const isOfThisMachine = (url: string): boolean =>
  /^(?:localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0)$/.test(hostOf(url))
const isOfThisNetwork = (url: string): boolean =>
  isOfThisMachine(url) ||
  /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.)|\.local$/.test(hostOf(url))

/** The addresses that a release may get; what stands in for a variable counts where the build does not set it. */
function baseUrlsOf(one: ClientSide): readonly WrittenUrl[] {
  const isKnown = one.baseUrls.some(
    (value) => 'variable' in value && one.variables.has(value.variable),
  )
  return one.baseUrls.flatMap((value) => {
    if (value.only === 'development' || (isKnown && standsIn(value))) return []
    if ('unread' in value) return []
    const { file, line } = value
    const literal = resolved(value, one)
    return literal === undefined ? [] : [{ literal, file, line }]
  })
}

const standsIn = ({ only }: Value): boolean => only === 'fallback' || only === 'if_unset'

interface WrittenUrl {
  readonly literal: string
  readonly file: string
  readonly line: number
}

/** Whether an address is nowhere written that a release gets. */
const isComputed = (one: ClientSide): boolean =>
  one.baseUrls.some((value) => 'unread' in value && value.only !== 'development') ||
  (one.baseUrls.length > 0 && baseUrlsOf(one).length === 0)

const noAppId = {
  en: 'the mini program names no AppID of its own',
  zh: '小程序没有写自己的 AppID',
} as const

/**
 * Without an AppID nobody can exchange a code. With nothing but this machine around it, that is how one begins: there
 * WeChat is emulated, or DevTools is only looked at.
 */
export const touristAppId: Check = async (project, { url, isRelease }) =>
  eachClient('tourist_app_id', (one) => {
    const { appId, configFile } = one
    if (appId === undefined) return [{ check: 'tourist_app_id', why: noAppId }]
    if (appId !== 'touristappid') return []
    const written = baseUrlsOf(one).map(({ literal }) => literal)
    const addresses = [...written, ...(url ? [url] : [])]
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
    if (appId === undefined || appId === 'touristappid') {
      return [{ check: 'app_id_differs', why: noAppId }]
    }
    if (served.has(appId)) return []
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

export const leak: Check = async (project, { busy }) => {
  const done = busy({
    en: 'Looking for secrets in the mini program',
    zh: '正在查找小程序里的机密',
  })
  return leaksOf(project).finally(done)
}

const leaksOf = eachClient('leak', async ({ shippedFolders, notShipped }) => {
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
  const ofProject = await eachClient('plain_http', (one) => {
    const found = baseUrlsOf(one).flatMap(({ literal, file, line }) =>
      literal.startsWith('http://') && (isRelease || !isOfThisNetwork(literal))
        ? [{ check: 'plain_http' as const, file, line, ...plainHttpTexts(literal) }]
        : [],
    )
    if (found.length > 0) return found
    if (isComputed(one)) return [{ check: 'plain_http', why: computed }]
    const hasClient = one.sources.some(({ code }) => /\bcreateClient\b/.test(code))
    return hasClient ? [] : [{ check: 'plain_http', why: noClient }]
  })(project)
  const isPlain = url?.startsWith('http://') && !isOfThisNetwork(url)
  return url && isPlain
    ? [...ofProject, { check: 'plain_http', ...plainHttpTexts(url) }]
    : ofProject
}

const computed = {
  en: 'what baseUrl comes to in a release cannot be read in the code; see to it that it begins with https://',
  zh: '从代码里看不出发布版的 baseUrl 是什么；请自己确认它以 https:// 开头',
} as const

const noClient = {
  en: 'the mini program does not call createClient',
  zh: '小程序里没有调用 createClient',
} as const

const plainHttpTexts = (url: string) => {
  const shown = URL.canParse(url) ? new URL(url).origin : url
  return {
    problem: {
      en: `The backend's address is ${shown}, and a released mini program may use https only`,
      zh: `后端地址是 ${shown}，而发布的小程序只能用 https`,
    },
    todo: {
      en: 'Give the backend a certificate, add its domain to the 合法域名 of request in the WeChat console, and write https://',
      zh: '给后端配上证书，在小程序后台把域名加到 request 合法域名，再改成 https://',
    },
  }
}

export const baseLibrary: Check = eachClient(
  'base_library',
  ({ libVersion, configFile, sources }) => {
    if (libVersion === undefined) return [{ check: 'base_library', why: noLibVersion }]
    if (!/^\d+(\.\d+)+$/.test(libVersion)) return []
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
          en: `The base library is ${libVersion}, and ${usesCloud ? 'cloud hosting' : '@wxlogin/client'} needs ${floor}`,
          zh: `基础库是 ${libVersion}，而${usesCloud ? '云托管' : ' @wxlogin/client '}需要 ${floor}`,
        },
        todo: {
          en: `Choose a newer one in DevTools (libVersion), and set the lowest version in the WeChat console (设置, 基础库最低版本设置) to ${floor}`,
          zh: `在开发者工具里选更新的版本（libVersion），并在小程序后台“设置 - 基础库最低版本设置”设为 ${floor}`,
        },
      },
    ]
  },
)

const noLibVersion = {
  en: 'the mini program names no base library (libVersion)',
  zh: '小程序没有写基础库版本（libVersion）',
} as const

function isBefore(version: string, floor: string): boolean {
  const parts = version.split('.').map(Number)
  for (const [n, least] of floor.split('.').map(Number).entries()) {
    const part = parts[n] ?? 0
    if (part !== least) return part < least
  }
  return false
}
