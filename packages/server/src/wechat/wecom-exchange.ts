import { createBoundedMap } from '../bounded-map.js'
import { untilAborted } from '../deadline.js'
import { AuthError } from '../errors.js'
import { isText, type WeChatAnswer } from './answer.js'
import type { ExchangedAccount, KindNeeds } from './app-kind.js'
import { errcodeTable } from './errcodes.js'
import type { Hosts } from './hosts.js'
import { unavailable } from './http-client.js'
import type { WeChatRequest } from './transport.js'

/** The app that is linked to the mini program, and where its WeCom is. */
export interface WeComLinkedApp {
  readonly appId: string
  readonly corpId: string
  readonly agentSecret: string
  readonly hosts: Hosts
}

const tokenPath = '/cgi-bin/gettoken'
const codePath = '/cgi-bin/miniprogram/jscode2session'

const wrongSecret =
  'The corpId or the agentSecret is wrong; copy the secret of the linked app again from the WeCom console'

/** WeCom's errcodes are not WeChat's: https://developer.work.weixin.qq.com/document/path/90313 */
export const wecomErrcodes = errcodeTable([
  [40001, 'server_misconfigured', wrongSecret],
  [40013, 'server_misconfigured', wrongSecret],
  [40014, 'wechat_unavailable', 'WeCom rejects the access token, even a new one', 10],
  [
    40029,
    'invalid_code',
    'WeCom does not know the code: it was used, is older than 5 minutes, or is from wx.login; get one from wx.qy.login',
  ],
  [40091, 'server_misconfigured', wrongSecret],
  [42001, 'wechat_unavailable', 'WeCom rejects the access token, even a new one', 10],
  [45009, 'rate_limited', 'Too many calls to WeCom; slow down', 60],
  [
    48002,
    'server_misconfigured',
    'This app may not exchange the code: take the secret of the app that is linked to the mini program (关联小程序)',
  ],
  [
    60020,
    'server_misconfigured',
    'The IP address of this server is not among the trusted ones of the app (企业可信IP); add it in the WeCom console',
  ],
])

/** Grants access to what the linked app may do; the same in every process. */
interface Token {
  readonly text: string
  readonly endsAtMs: number
}

interface TokenCache {
  /** A token that is valid now, fetched once for all who wait. */
  current(signal: AbortSignal): Promise<Token>
  /** WeCom refused this token: it is dropped, if it is still the cached one. */
  refused(token: Token): void
}

// Apps that are looked up may change their secret, and then the token is another.
const maxTokenCaches = 1000

/** Exchanges the codes of `wx.qy.login()`, with an access token for each linked app. */
export function createWeComExchange({ transport, now }: Pick<KindNeeds, 'transport' | 'now'>) {
  const caches = createBoundedMap<string, TokenCache>(maxTokenCaches)

  function tokensOf(app: WeComLinkedApp): TokenCache {
    const name = `${app.corpId} ${app.agentSecret}`
    const known = caches.get(name)
    if (known) return known
    const created = createTokenCache(
      () => transport.within((signal) => transport.send(tokenRequest(app, now()), signal)),
      now,
    )
    caches.set(name, created)
    return created
  }

  return (app: WeComLinkedApp, code: string): Promise<ExchangedAccount> => {
    const tokens = tokensOf(app)
    const request = codeRequest(app, code)
    return transport.inPlace(request, async (signal) => {
      const token = await tokens.current(signal)
      try {
        return await transport.send(withToken(request, token), signal)
      } catch (error) {
        if (!(error instanceof AuthError) || !tokenRefusals.has(error.errcode)) throw error
      }
      // It may die early. WeCom rejected the call before processing it, so the code is not spent.
      tokens.refused(token)
      return transport.send(withToken(request, await tokens.current(signal)), signal)
    })
  }
}

const tokenRefusals: ReadonlySet<number | undefined> = new Set([40014, 42001])

const withToken = (request: WeChatRequest<ExchangedAccount>, { text }: Token) => ({
  ...request,
  query: { access_token: text, ...request.query },
})

function createTokenCache(fetchToken: () => Promise<Token>, now: () => number): TokenCache {
  let kept: Token | undefined
  let fetching: Promise<Token> | undefined

  async function fetchAndKeep(): Promise<Token> {
    kept = await fetchToken()
    return kept
  }

  return {
    async current(signal) {
      if (kept && kept.endsAtMs > now()) return kept
      fetching ??= fetchAndKeep().finally(() => {
        fetching = undefined
      })
      return untilAborted(fetching, signal)
    },

    refused(token) {
      if (kept === token) kept = undefined
    },
  }
}

/** https://developer.work.weixin.qq.com/document/path/91039 */
function tokenRequest(
  { appId, corpId, agentSecret, hosts }: WeComLinkedApp,
  askedMs: number,
): WeChatRequest<Token> {
  return {
    ...common(appId, hosts, tokenPath),
    query: { corpid: corpId, corpsecret: agentSecret },
    isRepeatable: true,
    read({ access_token: text, expires_in: lifeSeconds }) {
      const isToken = typeof text === 'string' && text !== '' && text.length <= 2048
      if (isToken && typeof lifeSeconds === 'number' && lifeSeconds > 0) {
        // Counted from the request, so that it is never taken for good when WeCom does not.
        return { text, endsAtMs: askedMs + lifeSeconds * 1000 }
      }
      throw unavailable('WeCom answered without an access_token, or without its lifetime')
    },
  }
}

/** https://developer.work.weixin.qq.com/document/path/96959 */
function codeRequest(
  { appId, corpId, hosts }: WeComLinkedApp,
  code: string,
): WeChatRequest<ExchangedAccount> {
  return {
    ...common(appId, hosts, codePath),
    query: { js_code: code, grant_type: 'authorization_code' },
    isRepeatable: false,
    spendsCode: true,
    read: (answer) => readAccount(answer, corpId),
  }
}

const common = (appId: string, hosts: Hosts, path: `/${string}`) =>
  ({
    endpoint: path,
    group: 'wecom',
    appId,
    hosts,
    method: 'GET',
    path,
    errcodes: wecomErrcodes,
    unknownErrcode: 'wechat_unavailable',
  }) as const

function readAccount(answer: WeChatAnswer, corpId: string): ExchangedAccount {
  const { corpid, userid, session_key: sessionKey } = answer
  // One mini program may be linked by many corporations, and a userid is unique in one of them only.
  if (isText(corpid) && corpid !== corpId) {
    throw new AuthError(
      'access_denied',
      'This user belongs to another corporation than the one that is configured',
      { reason: 'other_corp' },
    )
  }
  if (!isText(corpid) || !isText(userid) || !isText(sessionKey)) {
    throw unavailable('WeCom answered without a corpid, a userid or a session_key')
  }
  return { openid: userid, sessionKey }
}
