import type { Text } from '../text.js'
import type { Project } from './project.js'

/** Everything that is looked at, in the order of its output. */
export const checkTitles = {
  tourist_app_id: { en: 'AppID of the mini program', zh: '小程序的 AppID' },
  app_id_differs: { en: 'same AppID at both sides', zh: '两边的 AppID 一致' },
  leak: { en: 'no secret in the mini program', zh: '小程序里没有机密' },
  plain_http: { en: 'https', zh: 'https' },
  base_library: { en: 'base library', zh: '基础库' },
  dev_dependency: { en: 'package in dependencies', zh: '包在 dependencies 里' },
  npm_not_built: { en: '构建 npm', zh: '构建 npm' },
  missing_variable: { en: 'environment of the backend', zh: '后端的环境变量' },
  guessable_secret: { en: 'strength of secret', zh: 'secret 的强度' },
  env_in_git: { en: 'secrets out of git', zh: '机密不进 git' },
  memory_store: { en: 'store in production', zh: '生产环境的存储' },
  auth_path: { en: 'login routes', zh: '登录接口' },
  clock: { en: 'clock of the backend', zh: '后端的时钟' },
  wechat: { en: 'AppSecret and IP whitelist at WeChat', zh: '微信的 AppSecret 和 IP 白名单' },
} as const satisfies Record<string, Text>

export type CheckName = keyof typeof checkTitles

/** Something that is wrong, and what to do about it. It holds no secret. */
export interface Finding {
  readonly check: CheckName
  readonly problem: Text
  readonly todo: Text
  readonly file?: string
  readonly line?: number
}

/** Why a check could not be made. */
export interface NotMade {
  readonly check: CheckName
  readonly why: Text
}

export type CheckResult = readonly (Finding | NotMade)[]

/** What the command line says, and the project has no file for. */
export interface Wanted {
  /** The address of a backend that runs. */
  readonly url: string | undefined
  readonly authPath: string | undefined
  readonly isRelease: boolean
  readonly isOnline: boolean
  readonly wechatHost: string | undefined
  readonly now: () => number
  /** Says what takes its time; what it returns takes that back. */
  readonly busy: (text: Text) => () => void
  readonly env: Readonly<Record<string, string | undefined>>
  /** Asks for what is not to be written on a command line. */
  readonly askSecret: ((appId: string) => Promise<string | undefined>) | undefined
}

export type Check = (project: Project, wanted: Wanted) => CheckResult | Promise<CheckResult>
