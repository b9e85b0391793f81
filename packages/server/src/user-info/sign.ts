import { checkArguments } from '../option-checks.js'
import type { Session } from '../session.js'
import { signSession } from '../wechat/sign-session.js'
import type { KeyOptions, UserKeys } from './user-keys.js'

/**
 * Signs a text for a signed-in user, as WeChat's user-state signature (用户态签名) wants it: HMAC-SHA256 under the
 * `session_key` of the user's newest login, as it is written, over exactly these bytes in UTF-8, in lower-case
 * hexadecimal digits. For calls about payments, storage and relation chains; `auth.virtualPayment` makes a whole payment.
 *
 * Throws `stale_session_key` where there is no key, or, with `checkKey`, where WeChat says that it has changed;
 * `invalid_token` once the session has ended; and a `TypeError` for anything but a string: what is signed has to be sent
 * as the same text.
 * https://developers.weixin.qq.com/minigame/dev/tutorial/open-ability/http-signature.html
 */
export type Sign = (
  session: Pick<Session, 'id' | 'userId'>,
  text: string,
  options?: KeyOptions,
) => Promise<string>

/** Throws a `TypeError` for what has no bytes of its own. */
export function checkSigned(name: string, text: unknown): void {
  if (typeof text !== 'string') {
    throw new TypeError(`${name} must be a string: JSON that is written again has other bytes`)
  }
  if (/\p{Cs}/u.test(text)) {
    throw new TypeError(
      `${name} holds half of a character (a lone surrogate), which cannot be sent; cut texts by characters`,
    )
  }
}

export function createSign({ userKeys }: { readonly userKeys: UserKeys }): Sign {
  return async (session, text, options = {}) => {
    checkArguments('auth.sign', options, { checkKey: 'boolean?' })
    checkSigned('text', text)
    const { sessionKey } = await userKeys.theOneOf(session, options)
    return signSession(sessionKey, text)
  }
}
