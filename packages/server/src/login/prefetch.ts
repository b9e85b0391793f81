import type { PrefetchAnswer } from '@wxlogin/shared'
import { AuthError } from '../errors.js'
import type { Hooks } from '../hooks.js'
import { accountOf } from '../session.js'
import type { LoginByCode } from './login-by-code.js'

/** What WeChat hands to a mini program at the most: 256 KB. */
const maxAnswerBytes = 256 * 1024

/** `GET /prefetch`: WeChat's servers fetch the login before the mini program's own code has loaded. */
export type Prefetch = (query: URLSearchParams) => Promise<PrefetchAnswer>

/**
 * The login of a data pre-fetch (数据预拉取). Its session ends after 10 minutes unless the phone refreshes it.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/ability/pre-fetch.html
 */
export function createPrefetch<Claims extends object>({
  onPrefetch,
  loginByCode,
}: {
  readonly onPrefetch: NonNullable<Hooks<Claims>['onPrefetch']>
  readonly loginByCode: LoginByCode<Claims>
}): Prefetch {
  return async (query) => {
    const appId = query.get('appid')
    const code = query.get('code')
    if (appId === null || code === null) {
      throw new AuthError(
        'invalid_request',
        'A pre-fetch needs appid and code; do not call wx.setBackgroundFetchToken, or WeChat sends that in place of a code',
      )
    }
    const { record, answer } = await loginByCode({ appId, code }, 'prefetch')
    const { id, userId } = record
    const prefetched = await onPrefetch({
      session: { id, userId, appId },
      account: accountOf(record),
      path: query.get('path') ?? '',
      query: query.get('query') ?? '',
      scene: Number(query.get('scene') ?? 0),
    })
    const whole = { ...answer, ...(prefetched !== undefined && { prefetched }) }
    if (Buffer.byteLength(JSON.stringify(whole)) > maxAnswerBytes) {
      throw new AuthError(
        'server_error',
        'onPrefetch returned too much: with the tokens it must fit into 256 KB; return less',
      )
    }
    return whole
  }
}
