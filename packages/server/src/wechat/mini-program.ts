import { AuthError } from '../errors.js'
import { isText, type WeChatAnswer } from './answer.js'
import { type CallOptions, callRequest } from './call.js'
import { checkCode } from './code.js'
import { type AppCredentials, type CodeSession, code2Session } from './code2session.js'
import { isTokenRefusal } from './errcodes.js'
import { type PhoneNumber, phoneNumberRequest } from './phone-number.js'
import {
  checkSessionKeyRequest,
  type ResetSessionKey,
  resetSessionKeyRequest,
  type SessionKeyInput,
} from './session-key.js'
import { type AccessToken, createStableToken } from './stable-token.js'
import type { Transport, WeChatHealth, WeChatRequest } from './transport.js'

/**
 * WeChat's server interfaces for one mini program. Every call throws {@link AuthError}: a WeChat that is down, slow or
 * busy is `wechat_unavailable`, what is wrong with AppID, AppSecret or permissions is `server_misconfigured`.
 */
export interface WeChat {
  readonly appId: string
  /** Exchanges the code of `wx.login()`, which works once. Throws `invalid_code` and `user_blocked`. */
  code2Session(code: string): Promise<CodeSession>
  /**
   * Exchanges the code of the getPhoneNumber button, which works once. With the `openid` of the user who is logged in,
   * WeChat refuses the code of anybody else. Throws `invalid_code`.
   */
  phoneNumber(code: string, options?: { readonly openid?: string }): Promise<PhoneNumber>
  /** Whether this is the user's current `session_key`; a newer login by code may have replaced it. */
  checkSessionKey(input: SessionKeyInput): Promise<boolean>
  /** Replaces the user's `session_key`. Throws `stale_session_key` when the given one is not the current one. */
  resetSessionKey(input: SessionKeyInput): Promise<ResetSessionKey>
  /**
   * The access token (stable_token), for calls that {@link WeChat.call} cannot make. It is kept, renewed in time, and
   * the same in every process. `force` replaces a token that has leaked: the old one ends at once, and WeChat allows
   * that 20 times a day.
   */
  accessToken(options?: { readonly force?: boolean }): Promise<AccessToken>
  /**
   * Any other interface that answers JSON, by its path. An errcode that is not in the table of this library is
   * `server_error`. What a GET asks for is asked again when WeChat is busy; a POST is sent once.
   *
   * @example
   * await wechat.call('POST', '/cgi-bin/message/subscribe/send', {
   *   body: { touser: openid, template_id: templateId, data },
   * })
   */
  call(method: 'GET' | 'POST', path: string, options?: CallOptions): Promise<WeChatAnswer>
  /** How the last call ended, of any mini program that shares the connection. */
  health(): WeChatHealth
}

export interface MiniProgramOptions {
  readonly appId: string
  /** Asked for at every call, so that an app may be taken out of service, or get another AppSecret. */
  readonly credentials: () => Promise<AppCredentials>
  readonly now: () => number
}

export function createMiniProgram(
  transport: Transport,
  { appId, credentials, now }: MiniProgramOptions,
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
      // WeChat turned the call away at the door, so nothing was done and no code is spent.
      tokens.refused(token)
      const renewed = await tokens.current(signal)
      return transport.send(withToken(request, renewed.token), signal)
    })
  }

  return {
    appId,

    async code2Session(code) {
      checkCode(code)
      return code2Session(transport, await credentials(), code)
    },

    async phoneNumber(code, { openid } = {}) {
      checkCode(code)
      if (openid !== undefined) checkTexts({ openid })
      return sendAuthorized(phoneNumberRequest(appId, code, openid, now))
    },

    async checkSessionKey(input) {
      checkTexts({ openid: input.openid, sessionKey: input.sessionKey })
      return sendAuthorized(checkSessionKeyRequest(appId, input)).catch((error: unknown) => {
        if (error instanceof AuthError && error.code === 'stale_session_key') return false
        throw error
      })
    },

    async resetSessionKey(input) {
      checkTexts({ openid: input.openid, sessionKey: input.sessionKey })
      return sendAuthorized(resetSessionKeyRequest(appId, input))
    },

    async accessToken({ force = false } = {}) {
      await credentials()
      return transport.within((signal) => (force ? tokens.force(signal) : tokens.current(signal)))
    },

    async call(method, path, options = {}) {
      return sendAuthorized(callRequest(appId, method, path, options))
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
