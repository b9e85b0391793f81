import type { AppKind } from '@wxlogin/shared'
import type { AppCredentials } from './credentials.js'
import type { Transport, WeChatConnectionOptions } from './transport.js'

/** Whom a code proves. */
export interface ExchangedAccount {
  readonly openid: string
  readonly unionid?: string
  /** Where the kind has one. It must not leave the server. */
  readonly sessionKey?: string
}

/** An entry of `apps`, checked. All that the rest knows of its kind is in here. */
export interface ServedApp {
  readonly kind: AppKind
  readonly appId: string
  /** What its client sends for an AppID, where that is not `appId`. */
  readonly clientAppId?: string | undefined
  /** For the server APIs of mini programs, where the kind has them. Throws `server_misconfigured` without a secret. */
  readonly credentials?: () => AppCredentials
  /** Throws `invalid_code` for what cannot be a code of this kind, before anything is looked up or sent. */
  checkCode(code: string): void
  exchange(code: string, group: 'login' | 'prefetch'): Promise<ExchangedAccount>
}

/** As an app hands it in. */
export type Entry = Readonly<Record<string, unknown>>

/** Throws a `TypeError` that names what is wrong with the entry, which stands at `place`. */
export type ServeApp = (place: string, entry: Entry) => ServedApp

export interface KindNeeds
  extends Required<Pick<WeChatConnectionOptions, 'allowPlainHttp' | 'wechatTimeoutMs'>> {
  readonly transport: Transport
  readonly now: () => number
}
