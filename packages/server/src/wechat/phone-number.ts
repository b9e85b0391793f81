import { AuthError } from '../errors.js'
import { redactMembers } from '../redact.js'
import { isText, type WeChatAnswer } from './answer.js'
import { unavailable } from './http-client.js'
import type { WeChatRequest } from './transport.js'

const maxAgeSeconds = 5 * 60

/** A phone number that WeChat has verified. When printed or serialised, the number is `[redacted]`. */
export interface PhoneNumber {
  /** Without the country code. */
  readonly phoneNumber: string
  /** For example `'86'`. */
  readonly countryCode: string
  readonly watermark: {
    readonly appId: string
    /** When the user shared the number, in seconds since the epoch. */
    readonly at: number
  }
  readonly raw: WeChatAnswer
}

/**
 * Exchanges the one-time code of the getPhoneNumber button.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber
 */
export function phoneNumberRequest({
  appId,
  code,
  openid,
  now,
}: {
  readonly appId: string
  readonly code: string
  readonly openid: string | undefined
  readonly now: () => number
}): WeChatRequest<PhoneNumber> {
  return {
    endpoint: 'phoneNumber',
    group: 'user_info',
    appId,
    method: 'POST',
    path: '/wxa/business/getuserphonenumber',
    query: {},
    body: { code, ...(openid !== undefined && { openid }) },
    isRepeatable: false,
    spendsCode: true,
    unknownErrcode: 'wechat_unavailable',
    read: (raw) => readPhoneNumber(raw, appId, now() / 1000),
  }
}

function readPhoneNumber(raw: WeChatAnswer, appId: string, at: number): PhoneNumber {
  const { purePhoneNumber: phoneNumber, countryCode, watermark } = membersOf(raw.phone_info)
  const { appid, timestamp } = membersOf(watermark)
  if (!isText(phoneNumber) || !isText(String(countryCode ?? '')) || typeof timestamp !== 'number') {
    throw unavailable('WeChat answered without a phone number, its country code or its watermark')
  }
  if (appid !== appId) {
    throw new AuthError('invalid_code', 'The phone number was shared with another mini program')
  }
  if (at - timestamp > maxAgeSeconds) {
    throw new AuthError(
      'invalid_code',
      "The phone number was shared more than 5 minutes ago, or this server's clock is ahead",
    )
  }
  return redactMembers(
    {
      phoneNumber,
      // WeChat's documentation says string, its example shows a number.
      countryCode: String(countryCode),
      watermark: { appId, at: timestamp },
      raw,
    },
    ['phoneNumber', 'raw'],
  )
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
