import type { Fault } from './faults.js'
import { WireError } from './wire-error.js'

export interface WeChatCallsOptions {
  /** Where the emulator listens. */
  readonly wechatUrl: string
  readonly appId: string
  readonly appSecret: string
  readonly fault?: Fault | undefined
}

/** What the server asks WeChat. */
export interface WeChatCalls {
  exchange(code: string): Promise<{ readonly openid: string; readonly sessionKey: string }>
  phoneNumber(code: string, openid: string): Promise<{ phone_number: string; country_code: string }>
}

const misconfigured: readonly unknown[] = [40013, 40125, 40164, 40243, 41002, 41004]
const wait = { headers: { 'retry-after': '5' } }

export function createWeChatCalls(options: WeChatCallsOptions): WeChatCalls {
  const { wechatUrl, appId, appSecret, fault } = options

  async function call(path: string, body?: object): Promise<Record<string, unknown>> {
    let answer: unknown
    try {
      const response = await fetch(`${wechatUrl}${path}`, {
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.timeout(5_000),
      })
      answer = JSON.parse(await response.text())
    } catch {
      throw down()
    }
    if (typeof answer !== 'object' || answer === null) throw down()
    const { errcode = 0, errmsg } = answer as { errcode?: unknown; errmsg?: unknown }
    if (errcode !== 0) throw refusalOf(errcode, String(errmsg), `${wechatUrl}${path}`)
    return { ...answer }
  }

  function down() {
    return fault === 'down-as-401'
      ? new WireError(401, 'invalid_token', 'Not now')
      : new WireError(503, 'wechat_unavailable', 'WeChat does not answer', wait)
  }

  function refusalOf(errcode: unknown, errmsg: string, address: string): WireError {
    const text = fault === 'errmsg-described' ? errmsg : 'WeChat refuses this'
    if (errcode === 40029 && fault === 'unknown-code-as-503') return down()
    if (errcode === 40163 && fault === 'used-code-as-500') {
      return new WireError(500, 'server_error', 'Something went wrong')
    }
    if (errcode === 40029 || errcode === 40163) return new WireError(400, 'invalid_code', text)
    if (errcode === 40226) {
      return fault === 'blocked-as-invalid-code'
        ? new WireError(400, 'invalid_code', text)
        : new WireError(403, 'user_blocked', text)
    }
    if (errcode === 45011 || errcode === 45009) {
      return new WireError(429, 'rate_limited', text, fault === 'busy-without-wait' ? {} : wait)
    }
    if (misconfigured.includes(errcode)) {
      if (fault === 'wrong-secret-as-invalid-code') return new WireError(400, 'invalid_code', text)
      const described = fault === 'app-secret-described' ? `Called ${address}` : text
      return new WireError(500, 'server_misconfigured', described)
    }
    return down()
  }

  async function accessToken(): Promise<string> {
    const { access_token } = await call('/cgi-bin/stable_token', {
      grant_type: 'client_credential',
      appid: appId,
      secret: appSecret,
    })
    return String(access_token)
  }

  return {
    async exchange(code) {
      const query = new URLSearchParams({
        appid: appId,
        secret: appSecret,
        js_code: code,
        grant_type: 'authorization_code',
      })
      const { openid, session_key } = await call(`/sns/jscode2session?${query}`)
      if (typeof openid !== 'string' || typeof session_key !== 'string') throw down()
      return { openid, sessionKey: session_key }
    },

    async phoneNumber(code, openid) {
      const path = `/wxa/business/getuserphonenumber?access_token=${await accessToken()}`
      const { phone_info } = await call(path, { code, openid }).catch((error) => {
        // The code of somebody else.
        if (error instanceof WireError && error.status === 503) throw error
        throw new WireError(400, 'invalid_code', 'WeChat does not take this code')
      })
      const { purePhoneNumber, countryCode } = Object(phone_info)
      return { phone_number: String(purePhoneNumber), country_code: String(countryCode) }
    },
  }
}
