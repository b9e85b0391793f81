import { type ErrcodeMeaning, errcodeTable } from './errcodes.js'

const wrongPaySig =
  'WeChat rejects the payment signature; compare the AppKey with that of this env in the console: live and sandbox have different ones'
const staleSignature =
  "The user's signature does not fit: another code has replaced the session_key; let the mini program log in, and try once more"
const noSessionKey =
  'There is no valid session_key; let the mini program log in, and try once more with the same order number'
const wrongArguments = 'WeChat rejects an argument; check it against the documentation'
const later = 'WeChat is still at it; try again later with the same arguments'
const advertising =
  'WeChat refuses this call about advertising funds; look the number up in its page'

/**
 * `POST /xpay/*`: virtual payment in mini programs. The same numbers mean other things to the client and in mini games.
 * https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
 */
export const paymentErrcodes = errcodeTable([
  [268490001, 'invalid_request', 'The openid is not one of this mini program'],
  [268490002, 'invalid_request', wrongArguments],
  [268490003, 'server_misconfigured', wrongPaySig],
  [268490005, 'invalid_request', 'This payment has already been returned; there is nothing to do'],
  [268490006, 'invalid_request', 'The user has not enough coins; tell them'],
  [268490007, 'invalid_request', 'A text has sensitive words in it; change it'],
  [
    268490008,
    'server_misconfigured',
    'The coins are not published yet; publish them in the console',
  ],
  [268490009, 'stale_session_key', noSessionKey],
  [268490011, 'wechat_unavailable', later, 60],
  [268490012, 'wechat_unavailable', later, 60],
  [268490013, 'invalid_request', 'What is settled (核销) cannot be refunded'],
  [268490014, 'wechat_unavailable', later, 60],
  [268490015, 'rate_limited', 'Too many calls; slow down', 60],
  [
    268490016,
    'invalid_request',
    'left_fee is not what is left of the order; ask queryOrder, then refund again',
  ],
  ...[18, 19, 20, 21, 22, 23, 24].map(
    (number) => [268490000 + number, 'invalid_request', advertising] as const,
  ),
])

/** The same, for a call with the user's signature: WeChat has one number for both, and names the wrong one in words. */
export const signedPaymentErrcodes: ReadonlyMap<number, ErrcodeMeaning> = new Map([
  ...paymentErrcodes,
  ...errcodeTable([[268490003, 'stale_session_key', staleSignature]]),
])

/** `POST /wxa/game/*`: virtual payment 2.0 in mini games. */
export const gameErrcodes = errcodeTable([
  [90000, 'invalid_request', 'WeChat does not know the order'],
  [90010, 'stale_session_key', staleSignature],
  [90011, 'server_misconfigured', wrongPaySig],
  [90016, 'stale_session_key', noSessionKey],
  [90018, 'invalid_request', wrongArguments],
])
