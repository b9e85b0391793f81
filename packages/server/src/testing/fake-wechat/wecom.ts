import { randomBytes } from 'node:crypto'
import { type Answer, refusal, succeeded } from './answers.js'
import { createCodes } from './codes.js'
import { randomLoginCode } from './logins.js'
import { identifier } from './people.js'
import type { FakeWeChatRequest } from './transports.js'

/** A corporation (企业) that the emulated WeCom knows, and the app of it that a backend holds the secret of. */
export interface FakeWeChatCorp {
  readonly corpId: string
  readonly agentSecret: string
  /** Whether the app is linked to the mini program (关联小程序, default true). If not, it exchanges no code: 48002. */
  readonly isLinked?: boolean
}

/** Picks a corporation (default the first). */
export interface FakeWeChatCorpChoice {
  readonly corpId?: string
}

/** Mini programs inside WeCom (企业微信): `wx.qy.login()`, and `qyapi.weixin.qq.com`. */
export interface FakeWeChatWeCom {
  /**
   * What `wx.qy.login()` gives this member of the corporation: a code that works once and for 5 minutes. Throws a
   * `TypeError` for a corporation that is not among `corps`.
   */
  wecomCodeFor(person: string, choice?: FakeWeChatCorpChoice): string
  /** The `userid` that a backend gets for this member. */
  useridOf(person: string, choice?: FakeWeChatCorpChoice): string
}

interface Member {
  readonly corp: FakeWeChatCorp
  readonly userid: string
}

interface Token {
  readonly text: string
  readonly corp: FakeWeChatCorp
  readonly endsAtMs: number
}

const tokenLifeMs = 7200 * 1000

interface WeComOptions {
  readonly corps: readonly FakeWeChatCorp[]
  readonly now: () => number
}

export function createWeCom({ corps, now }: WeComOptions) {
  checkCorps(corps)
  const codes = createCodes<undefined, Member>(now, randomLoginCode)
  const tokens = new Map<string, Token>()
  const current = new Map<FakeWeChatCorp, Token>()

  function memberOf(person: string, { corpId = corps[0]?.corpId }: FakeWeChatCorpChoice = {}) {
    const corp = corps.find((one) => one.corpId === corpId)
    if (!corp) throw new TypeError('corpId must be one of the corps of createFakeWeChat')
    return { corp, userid: identifier('u', 'userid', corp.corpId, person).slice(0, 16) }
  }

  const methods: FakeWeChatWeCom = {
    wecomCodeFor: (person, choice) => codes.issue(memberOf(person, choice), undefined),
    useridOf: (person, choice) => memberOf(person, choice).userid,
  }

  /** Asked again within its life, it gives the same token. */
  function gettoken({ query }: FakeWeChatRequest): Answer {
    if (!query.corpid) return refusal(41002)
    if (!query.corpsecret) return refusal(41004)
    const ofCorp = corps.filter(({ corpId }) => corpId === query.corpid)
    if (ofCorp.length === 0) return refusal(40013)
    const corp = ofCorp.find(({ agentSecret }) => agentSecret === query.corpsecret)
    if (!corp) return refusal(40001)
    const known = current.get(corp)
    const token =
      known && known.endsAtMs > now()
        ? known
        : {
            text: randomBytes(160).toString('base64url'),
            corp,
            endsAtMs: now() + tokenLifeMs,
          }
    current.set(corp, token)
    tokens.set(token.text, token)
    const expires_in = Math.floor((token.endsAtMs - now()) / 1000)
    return { ...succeeded, access_token: token.text, expires_in }
  }

  function jscode2session({ query }: FakeWeChatRequest): Answer {
    if (!query.access_token) return refusal(41001)
    const token = tokens.get(query.access_token)
    if (!token) return refusal(40014)
    if (token.endsAtMs <= now()) return refusal(42001)
    if (token.corp.isLinked === false) return refusal(48002)
    if (query.grant_type !== 'authorization_code') return refusal(40002)
    if (!query.js_code) return refusal(41008)
    const code = codes.find(query.js_code)
    // A used code is as unknown as one of `wx.login()`.
    if (!code || code.isUsed) return refusal(40029)
    code.isUsed = true
    // Of the member, which need not be the corporation of the token.
    const { corp, userid } = code.user
    const session_key = randomBytes(16).toString('base64')
    return { ...succeeded, corpid: corp.corpId, userid, session_key }
  }

  return {
    methods,
    endpoints: {
      'GET /cgi-bin/gettoken': gettoken,
      'GET /cgi-bin/miniprogram/jscode2session': jscode2session,
    },
  }
}

function checkCorps(corps: readonly FakeWeChatCorp[]): void {
  for (const { corpId, agentSecret, isLinked = true } of corps) {
    for (const [name, value] of Object.entries({ corpId, agentSecret })) {
      if (typeof value === 'string' && value !== '') continue
      throw new TypeError(`corps: ${name} must be a non-empty string`)
    }
    if (typeof isLinked !== 'boolean') throw new TypeError('corps: isLinked must be a boolean')
  }
}
