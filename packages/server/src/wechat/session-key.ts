import { redactMembers } from '../redact.js'
import { isText, type WeChatAnswer } from './answer.js'
import { unavailable } from './http-client.js'
import { signSession } from './sign-session.js'
import type { WeChatRequest } from './transport.js'

/** A user of the mini program, and the key to check or reset. */
export interface SessionKeyInput {
  readonly openid: string
  readonly sessionKey: string
}

/** When printed or serialised, all of it is `[redacted]`. */
export interface ResetSessionKey {
  readonly openid: string
  /** The old one no longer works; this one expires when the old one would have. */
  readonly sessionKey: string
  readonly raw: WeChatAnswer
}

/** https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_checksessionkey */
export function checkSessionKeyRequest(appId: string, input: SessionKeyInput): WeChatRequest<true> {
  return {
    endpoint: 'checkSessionKey',
    group: 'user_info',
    appId,
    method: 'GET',
    path: '/wxa/checksession',
    query: signedQuery(input),
    isRepeatable: true,
    unknownErrcode: 'wechat_unavailable',
    read: () => true,
  }
}

/** https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_resetusersessionkey */
export function resetSessionKeyRequest(
  appId: string,
  input: SessionKeyInput,
): WeChatRequest<ResetSessionKey> {
  return {
    endpoint: 'resetSessionKey',
    group: 'user_info',
    appId,
    method: 'GET',
    path: '/wxa/resetusersessionkey',
    query: signedQuery(input),
    // The first request may have replaced the key even if its answer was lost.
    isRepeatable: false,
    unknownErrcode: 'wechat_unavailable',
    read(raw) {
      const { openid, session_key: sessionKey } = raw
      if (!isText(openid) || !isText(sessionKey)) {
        throw unavailable('WeChat answered without an openid or a session_key')
      }
      return redactMembers({ openid, sessionKey, raw }, ['openid', 'sessionKey', 'raw'])
    },
  }
}

function signedQuery({ openid, sessionKey }: SessionKeyInput): Readonly<Record<string, string>> {
  return { openid, signature: signSession(sessionKey), sig_method: 'hmac_sha256' }
}
