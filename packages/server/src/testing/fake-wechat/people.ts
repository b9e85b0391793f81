import { createHash } from 'node:crypto'

/** A mini program that the emulated WeChat knows, or an app of another kind. */
export interface FakeWeChatApp {
  /** `website` (开放平台网站应用) and `official_account` (服务号) have the codes of `webCodeFor` (default: a mini program). */
  readonly kind?: 'mini_program' | 'website' | 'official_account'
  readonly appId: string
  readonly appSecret: string
  /** Takes every AppSecret (default false), for a backend whose secret nobody has to know here. */
  readonly takesAnySecret?: boolean
  /**
   * The open-platform account that the mini program is bound to, any name. Mini programs with the same owner see the
   * same unionid for a person; without an owner there is no unionid.
   */
  readonly owner?: string
  /** Its published pages, for `wxacode` (default: every page is). */
  readonly pages?: readonly string[]
}

/** Picks one of the mini programs (default the first). */
export interface FakeWeChatAppChoice {
  readonly appId?: string
}

/**
 * Who is who. A `person` is any name you like, `'alice'`: the openid follows from it and the mini program, the unionid
 * from it and the owner, the same in every run. A string that looks like an openid is one. WeChat knows a person
 * as a user of a mini program from the first time you name both.
 */
export interface FakeWeChatPeople {
  /** The openid that a backend gets for this person. */
  openidOf(person: string, choice?: FakeWeChatAppChoice): string
  /** The unionid that a backend gets for this person; `undefined` for a mini program without an owner. */
  unionidOf(person: string, choice?: FakeWeChatAppChoice): string | undefined
}

/** A person in one mini program; the same object each time. */
export interface User {
  readonly app: FakeWeChatApp
  readonly person: string
  readonly openid: string
  readonly unionid: string | undefined
}

export interface People {
  /** Throws a `TypeError` for a mini program that the emulated WeChat does not know. */
  appOf(choice?: FakeWeChatAppChoice): FakeWeChatApp
  /** The mini program that an AppID and an AppSecret belong to, or the errcode of what is wrong with the call. */
  authenticate(call: Credentials, grantType: string): FakeWeChatApp | number
  nameOf(person: string): string
  userOf(person: string, choice?: FakeWeChatAppChoice): User
  /** The user of the mini program who has this openid, if there is one. */
  find(app: FakeWeChatApp, openid: unknown): User | undefined
}

/** As a call has them; their types are not checked yet. */
export interface Credentials {
  readonly appid?: unknown
  readonly secret?: unknown
  readonly grant_type?: unknown
}

export function createPeople(apps: readonly FakeWeChatApp[]): People {
  const first = checkedApps(apps)
  const names = new Map<string, string>()
  const users = new Map<string, User>()

  function appOf({ appId = first.appId }: FakeWeChatAppChoice = {}): FakeWeChatApp {
    const choice = apps.find((app) => app.appId === appId)
    if (choice) return choice
    const known = apps.map((app) => app.appId).join(', ')
    throw new TypeError(
      `appId must be one of the apps of createFakeWeChat (${known}), not ${appId}`,
    )
  }

  function nameOf(person: string): string {
    if (typeof person !== 'string' || person === '') {
      throw new TypeError('person must be a name or an openid')
    }
    return names.get(person) ?? person
  }

  return {
    appOf,
    nameOf,

    authenticate({ appid, secret, grant_type: given }, grantType) {
      if (!appid) return 41002
      if (!secret) return 41004
      if (given !== grantType) return 40002
      const app = apps.find(({ appId }) => appId === appid)
      if (!app) return 40013
      return secret === app.appSecret || app.takesAnySecret ? app : 40125
    },

    userOf(nameOrOpenid, choice) {
      const app = appOf(choice)
      const person = nameOf(nameOrOpenid)
      const openid = /^o[\w-]{27}$/.test(person)
        ? person
        : identifier('o', 'openid', app.appId, person)
      const known = users.get(`${app.appId} ${openid}`)
      if (known) return known
      const unionid =
        app.owner === undefined ? undefined : identifier('o', 'unionid', app.owner, person)
      const user = { app, person, openid, unionid }
      names.set(openid, person)
      users.set(`${app.appId} ${openid}`, user)
      return user
    },

    find: ({ appId }, openid) => users.get(`${appId} ${openid}`),
  }
}

/** 28 characters like WeChat's, the same for the same parts in every run. */
export function identifier(initial: string, ...parts: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
  return `${initial}${digest.slice(0, 27)}`
}

function checkedApps(apps: readonly FakeWeChatApp[]): FakeWeChatApp {
  const [first] = apps
  if (!first) throw new TypeError('apps must name at least one mini program')
  for (const { kind, appId, appSecret, owner, takesAnySecret = false } of apps) {
    if (![undefined, 'mini_program', 'website', 'official_account'].includes(kind)) {
      throw new TypeError('apps: kind must be mini_program, website or official_account')
    }
    if (typeof takesAnySecret !== 'boolean') {
      throw new TypeError('apps: takesAnySecret must be a boolean')
    }
    for (const [name, value] of Object.entries({ appId, appSecret, owner: owner ?? 'none' })) {
      if (typeof value === 'string' && value !== '') continue
      throw new TypeError(`apps: ${name} must be a non-empty string`)
    }
  }
  if (new Set(apps.map(({ appId }) => appId)).size < apps.length) {
    throw new TypeError('apps: each appId may occur once')
  }
  return first
}
