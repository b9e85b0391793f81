import { AuthError } from '../errors.js'
import { isText, type WeChatAnswer } from './answer.js'
import type { ExchangedAccount } from './app-kind.js'
import type { AppCredentials } from './credentials.js'
import { errcodeTable } from './errcodes.js'
import { unavailable } from './http-client.js'
import type { Transport, WeChatRequest } from './transport.js'

export const webCodePath = '/sns/oauth2/access_token'

const wrongSecret = 'The AppSecret is wrong; copy it again from the console of this app'
const startAgain = 'let the browser start again at WeChat'

/** What errcodes mean where a redirect has brought the code. */
export const webCodeErrcodes = errcodeTable([
  [40001, 'server_misconfigured', wrongSecret],
  [
    40029,
    'invalid_code',
    `WeChat does not know the code: it is too old, or of another app; ${startAgain}`,
  ],
  [40125, 'server_misconfigured', wrongSecret],
  [42003, 'invalid_code', `The code has expired; ${startAgain}`],
])

interface WebCodeExchange {
  readonly app: AppCredentials
  readonly code: string
  /** What the person has agreed to, or the code is none of an account. */
  readonly scope: string
}

/**
 * Exchanges the one-time code that WeChat's redirect has brought. The user's own tokens in the answer are not kept: a
 * login does not need them.
 * https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html
 */
export function exchangeWebCode(
  transport: Transport,
  { app: { appId, appSecret }, code, scope }: WebCodeExchange,
): Promise<ExchangedAccount> {
  const request: WeChatRequest<ExchangedAccount> = {
    endpoint: webCodePath,
    group: 'web_login',
    appId,
    method: 'GET',
    path: webCodePath,
    query: { appid: appId, secret: appSecret, code, grant_type: 'authorization_code' },
    isRepeatable: false,
    spendsCode: true,
    errcodes: webCodeErrcodes,
    unknownErrcode: 'wechat_unavailable',
    read: (answer) => readAccount(answer, scope),
  }
  return transport.inPlace(request, (signal) => transport.send(request, signal))
}

function readAccount(answer: WeChatAnswer, wanted: string): ExchangedAccount {
  const { openid, unionid, scope, is_snapshotuser: snapshot } = answer
  // Its openid and unionid are made up, and different people have got the same ones.
  if (snapshot !== undefined && Number(snapshot) !== 0) {
    throw refused(
      'This is a snapshot page (快照页), which has no account; let the user tap through to the full page (使用完整服务)',
      'snapshot_user',
    )
  }
  if (!isText(openid)) throw unavailable('WeChat answered without an openid')
  if (!String(scope).split(',').includes(wanted)) {
    throw refused(
      `The user has not agreed to ${wanted}; start the redirect with this scope, or change the scope of the entry in apps`,
      'scope_missing',
    )
  }
  return { openid, ...(isText(unionid) && { unionid }) }
}

function refused(message: string, reason: string): AuthError {
  return new AuthError('access_denied', message, { reason, scope: 'attempt' })
}
