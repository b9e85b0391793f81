import type { AuthErrorCode } from '../errors.js'

/** What an errcode of WeChat means here. */
export interface ErrcodeMeaning {
  readonly code: AuthErrorCode
  /** One sentence for the operator: what is wrong, and what to do. */
  readonly hint: string
  readonly retryAfterSeconds?: number
}

/** What errcodes mean at one endpoint, as the endpoint declares it. */
export interface ErrcodeMeanings {
  readonly endpoint: string
  /** Errcodes with a meaning of their own at this endpoint, if they are not listed below by its name. */
  readonly errcodes?: ReadonlyMap<number, ErrcodeMeaning>
  /** Errcodes that say that the same call has succeeded before, which is what its caller wants to hear. */
  readonly succeededBefore?: readonly number[]
  /**
   * What an errcode means that is in no table. Where all relevant ones are known, a new one is a problem at WeChat
   * (`wechat_unavailable`); at an endpoint with errcodes of its own, something is wrong with the call (`server_error`).
   */
  readonly unknownErrcode: 'wechat_unavailable' | 'server_error'
}

type Row = readonly [errcode: number, code: AuthErrorCode, hint: string, retryAfterSeconds?: number]

const checkProxies = 'check any proxy between this server and WeChat'
const tokenRefused =
  'WeChat rejects the access token, even a new one; look for another program that resets it (force_refresh)'

// What holds everywhere:
// https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session
export const errcodesAnywhere = errcodeTable([
  [-1, 'wechat_unavailable', 'WeChat is busy; try again later', 2],
  [40001, 'wechat_unavailable', tokenRefused, 10],
  [40002, 'server_misconfigured', `WeChat rejected the grant type; ${checkProxies}`],
  [40003, 'invalid_request', 'The openid does not belong to this mini program or to this user'],
  [
    40013,
    'server_misconfigured',
    'WeChat does not know the AppID; compare the configured one with the WeChat console',
  ],
  [40014, 'wechat_unavailable', tokenRefused, 10],
  [
    40029,
    'invalid_code',
    'WeChat does not know the code: it is older than 5 minutes, from another mini program or of another kind; get a new one',
  ],
  [40090, 'server_misconfigured', 'The IP address of this server may not act for the platform'],
  [40094, 'server_misconfigured', "WeChat rejects the third-party platform's token"],
  [40097, 'invalid_request', 'WeChat rejects an argument; check it against the documentation'],
  [40125, 'server_misconfigured', 'The AppSecret is wrong; copy it again from the WeChat console'],
  [40163, 'invalid_code', 'The code was used before; get a new one'],
  [
    40164,
    'server_misconfigured',
    'The IP address of this server is not on the whitelist; add it in the WeChat console',
  ],
  [40226, 'user_blocked', 'WeChat blocks this user as a high risk; do not try again'],
  [40243, 'server_misconfigured', 'The AppSecret is frozen; unfreeze it in the WeChat console'],
  [41001, 'server_misconfigured', `The access token did not reach WeChat; ${checkProxies}`],
  [41002, 'server_misconfigured', `The AppID did not reach WeChat; ${checkProxies}`],
  [41004, 'server_misconfigured', `The AppSecret did not reach WeChat; ${checkProxies}`],
  [41008, 'server_misconfigured', `The code did not reach WeChat; ${checkProxies}`],
  [42001, 'wechat_unavailable', tokenRefused, 10],
  [43001, 'invalid_request', 'This WeChat API requires GET'],
  [43002, 'invalid_request', 'This WeChat API requires POST'],
  [44002, 'invalid_request', 'This WeChat API requires a body'],
  [
    45009,
    'rate_limited',
    'The daily quota of this mini program is used up; it resets at midnight in China',
    3600,
  ],
  [45011, 'rate_limited', 'Too many calls this minute; slow down', 60],
  [47001, 'invalid_request', 'WeChat cannot parse the body; check it against the documentation'],
  [
    48001,
    'server_misconfigured',
    'This mini program may not call this API; check its permissions in the WeChat console',
  ],
  [
    50004,
    'server_misconfigured',
    'WeChat has forbidden this API to the mini program; check the WeChat console',
  ],
  [
    50007,
    'server_misconfigured',
    'The account of the mini program is frozen; check the WeChat console',
  ],
  [61003, 'server_misconfigured', 'The mini program has not authorised this third-party platform'],
  [
    61024,
    'server_misconfigured',
    'A third-party platform manages this mini program and must use its own login API',
  ],
  [87007, 'stale_session_key', 'The session_key has expired; a new login brings a new one'],
  [87008, 'server_misconfigured', `WeChat does not know the signature method; ${checkProxies}`],
  [
    87009,
    'stale_session_key',
    'The session_key is no longer the current one; a new login brings a new one',
  ],
  [
    89002,
    'server_misconfigured',
    'The mini program is not bound to an Open Platform account, so it has no unionid',
  ],
  [89300, 'invalid_request', 'WeChat does not know the payment, or it is older than 5 minutes'],
  [
    89501,
    'server_misconfigured',
    "The IP address of this server is waiting for the administrator's approval",
  ],
  [
    89503,
    'server_misconfigured',
    "The IP address of this server is waiting for the administrator's approval",
  ],
  [
    89506,
    'server_misconfigured',
    'The administrator rejected the IP address of this server; ask again after 24 hours',
  ],
  [
    89507,
    'server_misconfigured',
    'The administrator rejected the IP address of this server; ask again after 1 hour',
  ],
])

// Endpoints that take the AppSecret report a wrong one by this errcode.
const appSecretErrcodes = errcodeTable([
  [40001, 'server_misconfigured', 'The AppSecret is wrong; copy it again from the WeChat console'],
])

export const encryptedDataErrcodes = errcodeTable([
  [1, 'invalid_request', 'WeChat does not know the data, or it is older than 3 days'],
])

export const wxacodeErrcodes = errcodeTable([
  [40129, 'invalid_request', 'WeChat rejects the scene; it has characters that it may not have'],
  [40169, 'invalid_request', 'The scene is too long; it has at most 32 characters'],
  [
    41030,
    'invalid_request',
    'The page is not in the published mini program; publish it, set check_path to false, or choose another env_version',
  ],
  [85096, 'invalid_request', 'The scene must not have scancode_time in it, which is reserved'],
])

/** Endpoints that have errcodes of their own: a method of `WeChat`, or a path for {@link WeChat.call}. */
export const errcodesByEndpoint: ReadonlyMap<string, ReadonlyMap<number, ErrcodeMeaning>> = new Map(
  [
    ['code2Session', appSecretErrcodes],
    ['accessToken', appSecretErrcodes],
    [
      'phoneNumber',
      errcodeTable([
        [40003, 'invalid_code', 'The code belongs to another user; let this user share the number'],
      ]),
    ],
    [
      '/wxa/getpluginopenpid',
      errcodeTable([
        [1000, 'wechat_unavailable', 'WeChat has a problem; try again later', 2],
        [1001, 'invalid_request', 'WeChat rejects an argument; check it against the documentation'],
        [1003, 'rate_limited', 'Too many calls; slow down', 60],
        [1005, 'server_misconfigured', "The token must belong to the plugin's own AppID"],
        [
          1007,
          'invalid_code',
          'WeChat rejects the code: it was used, has expired, or is not from wx.pluginLogin; get a new one',
        ],
        [
          1022,
          'invalid_request',
          'WeChat cannot parse the body; check it against the documentation',
        ],
      ]),
    ],
    ['/wxa/business/checkencryptedmsg', encryptedDataErrcodes],
    ['/wxa/getwxacodeunlimit', wxacodeErrcodes],
  ],
)

/** What an errcode means, even one that is in no table. */
export function meaningOf(
  errcode: number,
  { endpoint, errcodes = errcodesByEndpoint.get(endpoint), unknownErrcode }: ErrcodeMeanings,
): ErrcodeMeaning {
  const known = errcodes?.get(errcode) ?? errcodesAnywhere.get(errcode)
  if (known) return known
  if (errcode >= 40230 && errcode <= 40240) {
    return {
      code: 'server_misconfigured',
      hint: 'The mini program requires signed calls to this API (API security); turn that off in the WeChat console',
    }
  }
  const hint = `WeChat answered with errcode ${errcode}; look it up in WeChat's error table`
  return unknownErrcode === 'wechat_unavailable'
    ? { code: unknownErrcode, hint, retryAfterSeconds: 10 }
    : { code: unknownErrcode, hint }
}

export function errcodeTable(rows: readonly Row[]): ReadonlyMap<number, ErrcodeMeaning> {
  return new Map(
    rows.map(([errcode, code, hint, retryAfterSeconds]) => [
      errcode,
      { code, hint, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) },
    ]),
  )
}
