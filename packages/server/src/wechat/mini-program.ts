import { AuthError } from '../errors.js'
import { onFirstUse } from '../on-first-use.js'
import type { Session } from '../session.js'
import { isText, type WeChatAnswer } from './answer.js'
import { type CallOptions, callRequest } from './call.js'
import { checkCode } from './code.js'
import { type CodeSession, code2Session } from './code2session.js'
import type { AppCredentials } from './credentials.js'
import type { FileCallOptions, WeChatFile } from './files.js'
import type { PhoneNumber } from './phone-number.js'
import {
  checkSessionKeyRequest,
  type ResetSessionKey,
  resetSessionKeyRequest,
  type SessionKeyInput,
} from './session-key.js'
import { type AccessToken, createStableToken, isTokenRefusal } from './stable-token.js'
import type { Transport, WeChatHealth, WeChatRequest } from './transport.js'
import {
  createVirtualPayment,
  type VirtualPayment,
  type VirtualPaymentOptions,
} from './virtual-payment.js'
import type { WxacodeOptions } from './wxacode.js'

/**
 * WeChat's server APIs for one mini program. Every call throws {@link AuthError}: `wechat_unavailable` if WeChat is
 * down, slow or busy, `server_misconfigured` if AppID, AppSecret or permissions are wrong.
 */
export interface WeChat {
  readonly appId: string
  /** Exchanges the code of `wx.login()`, which works once. Throws `invalid_code` and `user_blocked`. */
  code2Session(code: string): Promise<CodeSession>
  /**
   * Exchanges the code of the getPhoneNumber button, which works once. With the `openid` of the logged-in user, WeChat
   * rejects the code of anybody else. Throws `invalid_code`.
   */
  phoneNumber(code: string, options?: { readonly openid?: string }): Promise<PhoneNumber>
  /** Whether this is the user's current `session_key`; a newer login by code may have replaced it. */
  checkSessionKey(input: SessionKeyInput): Promise<boolean>
  /** Replaces the user's `session_key`. Throws `stale_session_key` if the given one is not the current one. */
  resetSessionKey(input: SessionKeyInput): Promise<ResetSessionKey>
  /**
   * Whether WeChat encrypted this phone number for this mini program, at most 3 days ago. Open data is encrypted without
   * a signature, so only this tells a phone number from what its sender made of it. Of other data WeChat knows nothing.
   */
  checkEncryptedData(encryptedData: string): Promise<boolean>
  /**
   * The access token (stable_token), for calls that {@link WeChat.call} cannot make. It is cached, renewed in time, and
   * the same in every process. `force` replaces a token that has leaked: the old one ends at once, and WeChat allows
   * that 20 times a day.
   */
  accessToken(options?: { readonly force?: boolean }): Promise<AccessToken>
  /**
   * Any other API that returns JSON, by its path. An errcode that this library does not know is `server_error`. A GET
   * is retried if WeChat is busy; a POST is sent once.
   *
   * @example
   * await wechat.call('POST', '/cgi-bin/message/subscribe/send', {
   *   body: { touser: openid, template_id: templateId, data },
   * })
   */
  call(method: 'GET' | 'POST', path: string, options?: CallOptions): Promise<WeChatAnswer>
  /**
   * Virtual payment (虚拟支付): balances, coins, orders, refunds and notifications. Throws a `TypeError` that names the
   * wrong option.
   *
   * @example
   * const payment = wechat.virtualPayment({ appKey, env: 0 })
   * const { isPaid } = await payment.queryOrder({ openid, order_id: order.id })
   */
  virtualPayment(options: VirtualPaymentOptions): VirtualPayment
  /**
   * Any other API that returns a file, such as a picture, by its path. Its errors are those of {@link WeChat.call}. A file
   * that is larger than `maxBytes` is `wechat_unavailable`.
   */
  callFile(method: 'GET' | 'POST', path: string, options?: FileCallOptions): Promise<WeChatFile>
  /**
   * A mini-program code (小程序码) for a scene: a picture that a phone scans. They never expire, and any number may be
   * made, 5,000 a minute; so make one when it is shown, and let what it stands for expire. Throws a `TypeError` for what
   * WeChat does not allow.
   */
  wxacode(options: WxacodeOptions): Promise<WeChatFile>
  /** How the last call ended, of any mini program that shares the connection. */
  health(): WeChatHealth
}

export interface MiniProgramOptions {
  readonly appId: string
  /** Looked up at every call, so that an app can be removed, or get another AppSecret. */
  readonly credentials: () => Promise<AppCredentials>
  /** The user of a session and their newest `session_key`, where there are sessions. */
  readonly userOf?: (session: Pick<Session, 'id' | 'userId'>) => Promise<SessionKeyInput>
  readonly now: () => number
}

export function createMiniProgram(
  transport: Transport,
  { appId, credentials, userOf, now }: MiniProgramOptions,
): WeChat {
  const tokens = createStableToken(transport, credentials, now)

  async function sendAuthorized<Result>(request: WeChatRequest<Result>): Promise<Result> {
    await credentials()
    return transport.inPlace(request, async (signal) => {
      const { token } = await tokens.current(signal)
      try {
        return await transport.send(withToken(request, token), signal)
      } catch (error) {
        if (!(error instanceof AuthError) || !isTokenRefusal(error.errcode)) throw error
      }
      // WeChat rejected the call before processing it, so nothing was done and no code was used.
      tokens.refused(token)
      const renewed = await tokens.current(signal)
      return transport.send(withToken(request, renewed.token), signal)
    })
  }

  // Loaded when something is sold for the first time.
  const payments = onFirstUse(async () => {
    const { createPayments } = await import('./payment-calls.js')
    return createPayments({ appId, send: sendAuthorized, checkSessionKey, userOf, now })
  })

  async function checkSessionKey(input: SessionKeyInput): Promise<boolean> {
    checkTexts({ openid: input.openid, sessionKey: input.sessionKey })
    return sendAuthorized(checkSessionKeyRequest(appId, input)).catch((error: unknown) => {
      if (error instanceof AuthError && error.code === 'stale_session_key') return false
      throw error
    })
  }

  return {
    appId,

    async code2Session(code) {
      checkCode(code)
      return code2Session(transport, { app: await credentials(), code })
    },

    async phoneNumber(code, { openid } = {}) {
      checkCode(code)
      if (openid !== undefined) checkTexts({ openid })
      const { phoneNumberRequest } = await import('./phone-number.js')
      return sendAuthorized(phoneNumberRequest({ appId, code, openid, now }))
    },

    checkSessionKey,

    async resetSessionKey(input) {
      checkTexts({ openid: input.openid, sessionKey: input.sessionKey })
      return sendAuthorized(resetSessionKeyRequest(appId, input))
    },

    async checkEncryptedData(encryptedData) {
      const { checkEncryptedDataRequest, hashesOf } = await import('./encrypted-data.js')
      for (const hash of hashesOf(encryptedData)) {
        const isKnown = await sendAuthorized(checkEncryptedDataRequest(appId, hash)).catch(
          (error: unknown) => {
            if (error instanceof AuthError && error.errcode === 1) return false
            throw error
          },
        )
        if (isKnown) return true
      }
      return false
    },

    async accessToken({ force = false } = {}) {
      await credentials()
      return transport.within((signal) => (force ? tokens.force(signal) : tokens.current(signal)))
    },

    async call(method, path, options = {}) {
      return sendAuthorized(callRequest(appId, method, path, options))
    },

    virtualPayment: (options) => createVirtualPayment(options, payments),

    async callFile(method, path, options = {}) {
      const { fileRequest } = await import('./files.js')
      return sendAuthorized(fileRequest(appId, method, path, options))
    },

    async wxacode(options) {
      const { wxacodeRequest } = await import('./wxacode.js')
      return sendAuthorized(wxacodeRequest(appId, options))
    },

    health: transport.health,
  }
}

function withToken<Result>(request: WeChatRequest<Result>, token: string): WeChatRequest<Result> {
  return { ...request, query: { access_token: token, ...request.query } }
}

function checkTexts(texts: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(texts)) {
    if (!isText(value)) throw new TypeError(`${name} must be a non-empty string`)
  }
}
