import type { AuthErrorCode } from '../errors.js'

/** What an error number of WeChat means here. */
export interface ErrcodeMeaning {
  readonly code: AuthErrorCode
  /** One sentence for the operator: what it is, and what to do. */
  readonly hint: string
  readonly retryAfterSeconds?: number
}

const misconfigured = (hint: string): ErrcodeMeaning => ({ code: 'server_misconfigured', hint })

// https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session and the global error table
const meanings = new Map<number, ErrcodeMeaning>([
  [
    -1,
    {
      code: 'wechat_unavailable',
      hint: 'WeChat is busy; try again a little later',
      retryAfterSeconds: 2,
    },
  ],
  [
    40029,
    {
      code: 'invalid_code',
      hint: 'WeChat does not know the code: it is older than 5 minutes, or of another mini program; call wx.login again',
    },
  ],
  [40163, { code: 'invalid_code', hint: 'The code was used before; call wx.login again' }],
  [
    40226,
    { code: 'user_blocked', hint: 'WeChat blocks this user as a high risk; do not try again' },
  ],
  [
    45011,
    {
      code: 'rate_limited',
      hint: 'Too many calls in this minute; slow down',
      retryAfterSeconds: 60,
    },
  ],
  [
    45009,
    {
      code: 'rate_limited',
      hint: 'The daily quota of this mini program is used up; it starts anew at midnight in China',
      retryAfterSeconds: 3600,
    },
  ],
  [40001, misconfigured('The AppSecret is wrong; copy it again from the WeChat console')],
  [
    40002,
    misconfigured(
      'WeChat refused the grant type; check what stands between this server and WeChat',
    ),
  ],
  [40013, misconfigured('WeChat does not know the AppID; check the apps option')],
  [40125, misconfigured('The AppSecret is wrong; copy it again from the WeChat console')],
  [
    40164,
    misconfigured(
      'The IP address of this server is not on the whitelist; add it in the WeChat console',
    ),
  ],
  [40243, misconfigured('The AppSecret is frozen; unfreeze it in the WeChat console')],
  [41002, misconfigured('The AppID did not reach WeChat; check the apps option')],
  [41004, misconfigured('The AppSecret did not reach WeChat; check the apps option')],
  [
    41008,
    misconfigured(
      'The code did not reach WeChat; check what stands between this server and WeChat',
    ),
  ],
  [
    48001,
    misconfigured(
      'This mini program may not call this interface; check its permissions in the WeChat console',
    ),
  ],
  [
    50004,
    misconfigured('WeChat forbids this interface for the mini program; ask in the WeChat console'),
  ],
  [50007, misconfigured('The account of the mini program is frozen; ask in the WeChat console')],
  [
    61024,
    misconfigured(
      'A third-party platform manages this mini program, so it must use its own login interface',
    ),
  ],
  [
    89503,
    misconfigured("The IP address of this server waits for the administrator's confirmation"),
  ],
  [
    89506,
    misconfigured(
      'The administrator refused the IP address of this server; ask again after 24 hours',
    ),
  ],
  [
    89507,
    misconfigured(
      'The administrator refused the IP address of this server; ask again after 1 hour',
    ),
  ],
])

/** What to make of an error number, also of one that is not in the table. */
export function meaningOf(errcode: number): ErrcodeMeaning {
  return (
    meanings.get(errcode) ?? {
      code: 'wechat_unavailable',
      hint: `WeChat answered with errcode ${errcode}; look it up in its error table`,
      retryAfterSeconds: 10,
    }
  )
}
