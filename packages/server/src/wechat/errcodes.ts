import type { AuthErrorCode } from '../errors.js'

/** What an error number of WeChat means here. */
export interface ErrcodeMeaning {
  readonly code: AuthErrorCode
  /** One sentence for the operator: what it is, and what to do. */
  readonly hint: string
  readonly retryAfterSeconds?: number
}

/** What errcodes mean at one endpoint, as the endpoint declares it. */
export interface ErrcodeMeanings {
  /** Numbers that mean something else, or something at all, at this endpoint only. */
  readonly errcodes?: ReadonlyMap<number, ErrcodeMeaning>
  /**
   * What a number means that is in no table. Where all that counts are known, a new one is trouble at WeChat
   * (`wechat_unavailable`); an endpoint with numbers of its own says by it what is wrong with the call (`server_error`).
   */
  readonly unknownErrcode: 'wechat_unavailable' | 'server_error'
}

type Row = readonly [errcode: number, code: AuthErrorCode, hint: string, retryAfterSeconds?: number]

const checkTheWay = 'check what stands between this server and WeChat'
const tokenRefused =
  'WeChat refuses the access token, and a new one as well; look for another program that resets it (force_refresh)'

// What holds everywhere:
// https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session
const anywhere = errcodeTable([
  [-1, 'wechat_unavailable', 'WeChat is busy; try again a little later', 2],
  [40001, 'wechat_unavailable', tokenRefused, 10],
  [40002, 'server_misconfigured', `WeChat refused the grant type; ${checkTheWay}`],
  [40003, 'invalid_request', 'The openid is not one of this mini program, or not of this user'],
  [
    40013,
    'server_misconfigured',
    'WeChat does not know the AppID; compare the configured one with the WeChat console',
  ],
  [40014, 'wechat_unavailable', tokenRefused, 10],
  [
    40029,
    'invalid_code',
    'WeChat does not know the code: it is older than 5 minutes, of another mini program or of another kind; get a new one',
  ],
  [40090, 'server_misconfigured', 'The IP address of this server may not act for the platform'],
  [40094, 'server_misconfigured', "WeChat rejects the third-party platform's token"],
  [40097, 'invalid_request', 'WeChat finds an argument wrong; compare it with the documentation'],
  [40125, 'server_misconfigured', 'The AppSecret is wrong; copy it again from the WeChat console'],
  [40163, 'invalid_code', 'The code was used before; get a new one'],
  [
    40164,
    'server_misconfigured',
    'The IP address of this server is not on the whitelist; add it in the WeChat console',
  ],
  [40226, 'user_blocked', 'WeChat blocks this user as a high risk; do not try again'],
  [40243, 'server_misconfigured', 'The AppSecret is frozen; unfreeze it in the WeChat console'],
  [41001, 'server_misconfigured', `The access token did not reach WeChat; ${checkTheWay}`],
  [41002, 'server_misconfigured', `The AppID did not reach WeChat; ${checkTheWay}`],
  [41004, 'server_misconfigured', `The AppSecret did not reach WeChat; ${checkTheWay}`],
  [41008, 'server_misconfigured', `The code did not reach WeChat; ${checkTheWay}`],
  [42001, 'wechat_unavailable', tokenRefused, 10],
  [43001, 'invalid_request', 'This interface of WeChat wants GET'],
  [43002, 'invalid_request', 'This interface of WeChat wants POST'],
  [44002, 'invalid_request', 'This interface of WeChat wants a body'],
  [
    45009,
    'rate_limited',
    'The daily quota of this mini program is used up; it starts anew at midnight in China',
    3600,
  ],
  [45011, 'rate_limited', 'Too many calls in this minute; slow down', 60],
  [47001, 'invalid_request', 'WeChat cannot read the body; compare it with the documentation'],
  [
    48001,
    'server_misconfigured',
    'This mini program may not call this interface; check its permissions in the WeChat console',
  ],
  [
    50004,
    'server_misconfigured',
    'WeChat forbids this interface for the mini program; ask in the WeChat console',
  ],
  [
    50007,
    'server_misconfigured',
    'The account of the mini program is frozen; ask in the WeChat console',
  ],
  [61003, 'server_misconfigured', 'The mini program has not authorised this third-party platform'],
  [
    61024,
    'server_misconfigured',
    'A third-party platform manages this mini program, so it must use its own login interface',
  ],
  [87007, 'stale_session_key', 'The session_key has expired; a new login brings a new one'],
  [87008, 'server_misconfigured', `WeChat does not know the signature's method; ${checkTheWay}`],
  [
    87009,
    'stale_session_key',
    'The session_key is no longer the current one; a new login brings it',
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
    "The IP address of this server waits for the administrator's confirmation",
  ],
  [
    89503,
    'server_misconfigured',
    "The IP address of this server waits for the administrator's confirmation",
  ],
  [
    89506,
    'server_misconfigured',
    'The administrator refused the IP address of this server; ask again after 24 hours',
  ],
  [
    89507,
    'server_misconfigured',
    'The administrator refused the IP address of this server; ask again after 1 hour',
  ],
])

/** Where the AppSecret is sent, this is what a wrong one is called. */
export const appSecretErrcodes = errcodeTable([
  [40001, 'server_misconfigured', 'The AppSecret is wrong; copy it again from the WeChat console'],
])

/** What to make of an error number, also of one that is not in the tables. */
export function meaningOf(
  errcode: number,
  { errcodes, unknownErrcode }: ErrcodeMeanings,
): ErrcodeMeaning {
  const known = errcodes?.get(errcode) ?? anywhere.get(errcode)
  if (known) return known
  if (errcode >= 40230 && errcode <= 40240) {
    return {
      code: 'server_misconfigured',
      hint: 'The mini program demands signed calls of this interface (API security); lift that in the WeChat console',
    }
  }
  const hint = `WeChat answered with errcode ${errcode}; look it up in its error table`
  return unknownErrcode === 'wechat_unavailable'
    ? { code: unknownErrcode, hint, retryAfterSeconds: 10 }
    : { code: unknownErrcode, hint }
}

/** WeChat rejects the access token: it has expired, was replaced, or was cut on its way. */
export const isTokenRefusal = (errcode: number | undefined): boolean =>
  errcode === 40001 || errcode === 40014 || errcode === 42001

export function errcodeTable(rows: readonly Row[]): ReadonlyMap<number, ErrcodeMeaning> {
  return new Map(
    rows.map(([errcode, code, hint, retryAfterSeconds]) => [
      errcode,
      { code, hint, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) },
    ]),
  )
}
