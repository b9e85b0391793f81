import { createHmac } from 'node:crypto'

/**
 * WeChat's signature of a call about a user's login state: HMAC-SHA256 with the `session_key` as it is written, over
 * the body of the call. In lower-case hexadecimal digits.
 * https://developers.weixin.qq.com/minigame/dev/tutorial/open-ability/http-signature.html
 */
export function signSession(sessionKey: string, body = ''): string {
  return createHmac('sha256', sessionKey).update(body).digest('hex')
}
