import { createHmac } from 'node:crypto'
import {
  createFakeWeChat,
  type FakeWeChat,
  type FakeWeChatApp,
  type FakeWeChatOptions,
} from '../../../src/testing/index.js'

export const startAt = 1_800_000_000

export const shop: FakeWeChatApp = {
  appId: 'wx00000000000000a1',
  appSecret: 'a'.repeat(32),
  owner: 'acme',
}
export const game: FakeWeChatApp = { appId: 'wx00000000000000b2', appSecret: 'b'.repeat(32) }

/** An answer of WeChat, as a test wants to read it. */
export interface Answer {
  readonly errcode?: number
  readonly errmsg?: string
  readonly access_token?: string
  readonly expires_in?: number
  readonly openid?: string
  readonly session_key?: string
  readonly [name: string]: unknown
}

type Query = Readonly<Record<string, string>>

export interface Call {
  readonly query?: Query
  /** An object is sent as JSON, a text as it is. */
  readonly body?: object | string
}

/** Two mini programs, `shop` bound to the open platform and `game` not, and a clock that a test moves. */
export function setUp(options: Omit<FakeWeChatOptions, 'now'> = {}) {
  let nowMs = startAt * 1000
  const wechat = createFakeWeChat({ apps: [shop, game], ...options, now: () => nowMs })
  return {
    wechat,
    advance(seconds: number) {
      nowMs += seconds * 1000
    },
  }
}

/** Calls an endpoint, `'GET /cgi-bin/token'`. */
export async function call(
  wechat: FakeWeChat,
  endpoint: string,
  { query = {}, body }: Call = {},
): Promise<Answer> {
  const [method, path] = endpoint.split(' ')
  const response = await wechat.fetch(
    `https://api.weixin.qq.com${path}?${new URLSearchParams(query)}`,
    { method, ...(body !== undefined && { body: textOf(body) }) },
  )
  return (await response.json()) as Answer
}

/** What every call that changes an access_token sends. */
export function credentials(app: FakeWeChatApp): Query {
  return { grant_type: 'client_credential', appid: app.appId, secret: app.appSecret }
}

export function stableToken(
  wechat: FakeWeChat,
  { app = wechat.app, force = false }: { app?: FakeWeChatApp; force?: boolean } = {},
): Promise<Answer> {
  const body = { ...credentials(app), ...(force && { force_refresh: true }) }
  return call(wechat, 'POST /cgi-bin/stable_token', { body })
}

export async function tokenOf(wechat: FakeWeChat, app?: FakeWeChatApp): Promise<string> {
  const { access_token: token = '' } = await stableToken(wechat, app ? { app } : {})
  return token
}

/** Calls an endpoint with an access_token of the mini program. */
export async function callAs(
  wechat: FakeWeChat,
  app: FakeWeChatApp,
  endpoint: string,
  { query, body }: Call = {},
): Promise<Answer> {
  const token = await tokenOf(wechat, app)
  return call(wechat, endpoint, {
    query: { access_token: token, ...query },
    ...(body !== undefined && { body }),
  })
}

/** `wx.login` and `jscode2session` in one. */
export function exchange(
  wechat: FakeWeChat,
  code: string,
  app: FakeWeChatApp = wechat.app,
): Promise<Answer> {
  return call(wechat, 'GET /sns/jscode2session', {
    query: {
      appid: app.appId,
      secret: app.appSecret,
      js_code: code,
      grant_type: 'authorization_code',
    },
  })
}

/** What proves to WeChat that the caller holds the user's session_key. */
export function signed(openid: string, sessionKey: string | Buffer): Query {
  const signature = createHmac('sha256', sessionKey).update('').digest('hex')
  return { openid, signature, sig_method: 'hmac_sha256' }
}

function textOf(body: object | string): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}
