import { randomBytes } from 'node:crypto'
import { type Answer, refusal } from './answers.js'
import { createCodes } from './codes.js'
import { randomLoginCode } from './logins.js'
import { type FakeWeChatApp, identifier, type People, type User } from './people.js'
import type { FakeWeChatRequest } from './transports.js'

/** Picks a website or an official account by its AppID (default the first of these). */
export interface FakeWeChatWebChoice {
  readonly appId?: string
  /** What the person agrees to (default `snsapi_login` at a website, and `snsapi_userinfo` at an official account). */
  readonly scope?: 'snsapi_login' | 'snsapi_userinfo' | 'snsapi_base'
  /** The page runs as a snapshot (快照页), whose openid and unionid are made up (default false). */
  readonly isSnapshot?: boolean
}

/** Logging in at a website or inside WeChat's browser: what the redirect brings, and `/sns/oauth2`. */
export interface FakeWeChatWebCodes {
  /**
   * The `code` with which WeChat sends this person back: it works once, for 10 minutes at a website and for 5 at an
   * official account. Throws a `TypeError` if there is no such app.
   */
  webCodeFor(person: string, choice?: FakeWeChatWebChoice): string
}

type Scope = NonNullable<FakeWeChatWebChoice['scope']>

interface Details {
  readonly scope: Scope
  readonly isSnapshot: boolean
}

interface UserToken extends Details {
  readonly user: User
  readonly openid: string
  readonly endsAtMs: number
}

const websiteCodeLifeMs = 10 * 60 * 1000
const tokenLifeSeconds = 7200

const isWeb = ({ kind }: FakeWeChatApp) => kind === 'website' || kind === 'official_account'

interface WebCodesOptions {
  readonly apps: readonly FakeWeChatApp[]
  readonly people: People
  readonly now: () => number
}

export function createWebCodes({ apps, people, now }: WebCodesOptions) {
  const ofWebsites = createCodes<Details>(now, randomLoginCode, websiteCodeLifeMs)
  const ofAccounts = createCodes<Details>(now, randomLoginCode)
  const tokens = new Map<string, UserToken>()
  const codesOf = ({ kind }: FakeWeChatApp) => (kind === 'website' ? ofWebsites : ofAccounts)

  const methods: FakeWeChatWebCodes = {
    webCodeFor(person, { appId = apps.find(isWeb)?.appId, ...choice } = {}) {
      const app = apps.find((one) => one.appId === appId)
      if (!app || !isWeb(app)) {
        throw new TypeError('appId must be that of a website or an official account among apps')
      }
      const usual = app.kind === 'website' ? 'snsapi_login' : 'snsapi_userinfo'
      const { scope = usual, isSnapshot = false } = choice
      return codesOf(app).issue(people.userOf(person, app), { scope, isSnapshot })
    },
  }

  function accessToken({ query }: FakeWeChatRequest): Answer {
    const app = people.authenticate(query, 'authorization_code')
    if (typeof app === 'number') return refusal(app)
    if (!query.code) return refusal(41008)
    const code = codesOf(app).find(query.code)
    if (code?.user.app !== app) return refusal(40029)
    if (code.isUsed) return refusal(40163)
    code.isUsed = true

    const { user, details } = code
    const { openid, unionid } = details.isSnapshot ? virtualOf(app) : user
    const token = randomBytes(60).toString('base64url')
    const endsAtMs = now() + tokenLifeSeconds * 1000
    tokens.set(token, { ...details, user, openid, endsAtMs })
    return {
      access_token: token,
      expires_in: tokenLifeSeconds,
      refresh_token: randomBytes(60).toString('base64url'),
      openid,
      scope: details.scope,
      ...(details.isSnapshot && { is_snapshotuser: 1 }),
      ...(details.scope !== 'snsapi_base' && unionid !== undefined && { unionid }),
    }
  }

  /** WeChat keeps back everything else that it once told of a person. */
  function userinfo({ query }: FakeWeChatRequest): Answer {
    if (!query.access_token) return refusal(41001)
    const token = tokens.get(query.access_token)
    if (!token) return refusal(40001)
    if (token.endsAtMs <= now()) return refusal(42001)
    if (token.openid !== query.openid) return refusal(40003)
    if (token.scope === 'snsapi_base' || token.isSnapshot) return refusal(48001)
    const { unionid, person } = token.user
    return {
      openid: token.openid,
      nickname: person,
      sex: 0,
      language: '',
      city: '',
      province: '',
      country: '',
      headimgurl: '',
      privilege: [],
      ...(unionid !== undefined && { unionid }),
    }
  }

  return {
    methods,
    endpoints: { 'GET /sns/oauth2/access_token': accessToken, 'GET /sns/userinfo': userinfo },
  }
}

/** The same for everybody: different people have got one. */
const virtualOf = ({ appId, owner }: FakeWeChatApp) => ({
  openid: identifier('o', 'virtual openid', appId),
  unionid: owner === undefined ? undefined : identifier('o', 'virtual unionid', owner),
})
