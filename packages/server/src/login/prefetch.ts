import { type PrefetchAnswer, paths, type TokenAnswer } from '@wxlogin/shared'
import { AuthError } from '../errors.js'
import type { Hooks } from '../hooks.js'
import { jsonText } from '../json-text.js'
import type { RequestHeaders } from '../request.js'
import { accountOf, type LiveRecord } from '../session.js'
import type { Sessions } from '../sessions/sessions.js'
import type { LoginByCode } from './login-by-code.js'

// WeChat passes no more than this to a mini program.
const maxAnswerBytes = 256 * 1024

/** `GET /prefetch`: WeChat's servers fetch the login before the mini program's own code has loaded. */
export interface Prefetch {
  /** Where the route is. */
  readonly path: string
  answer(query: URLSearchParams, request: RequestHeaders): Promise<PrefetchAnswer>
}

export interface PrefetchOptions {
  /**
   * The secret part of the URL that WeChat fetches, required with `onPrefetch`: 22 to 128 characters of `[A-Za-z0-9_-]`
   * that nobody can guess. The route is `/{prefetchPath}/prefetch`. Otherwise anyone could call it, and a rate limit by
   * address sees only WeChat's servers. Generate one with `openssl rand -hex 16`.
   */
  prefetchPath?: string
}

export interface PrefetchNeeds<Claims extends object> {
  readonly hooks: Hooks<Claims>
  readonly loginByCode: LoginByCode<Claims>
  readonly sessions: Sessions<Claims>
}

/**
 * The login of a data pre-fetch (数据预拉取). Its session ends after 10 minutes unless the phone refreshes it. `undefined`
 * without `onPrefetch`. Throws a `TypeError` if the path can be guessed.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/ability/pre-fetch.html
 */
export function createPrefetch<Claims extends object>({
  prefetchPath,
  hooks: { onPrefetch },
  loginByCode,
  sessions,
}: PrefetchOptions & PrefetchNeeds<Claims>): Prefetch | undefined {
  if (!onPrefetch) return undefined
  if (typeof prefetchPath !== 'string' || !/^[\w-]{22,128}$/.test(prefetchPath)) {
    throw new TypeError(
      'prefetchPath must be 22 to 128 characters of A-Z, a-z, 0-9, "_" and "-" with onPrefetch; generate it with `openssl rand -hex 16`, and register {authPath}/{prefetchPath}/prefetch at WeChat',
    )
  }

  async function answer(query: URLSearchParams, request: RequestHeaders): Promise<PrefetchAnswer> {
    // Where one of them is missing it is refused like a wrong one. There is nobody to tell: WeChat passes any answer on.
    const appId = query.get('appid') ?? ''
    const code = query.get('code') ?? ''
    // The request is WeChat's: to hooks that judge a phone by its address it would be the same phone each time.
    const { record, answer: tokens } = await loginByCode({ appId, code }, { method: 'prefetch' })
    try {
      return await withData(record, tokens, query, request)
    } catch (error) {
      // Its tokens reach nobody.
      await sessions.abandon(record)
      throw error
    }
  }

  /** The tokens, and the app's own data. */
  async function withData(
    record: LiveRecord,
    tokens: TokenAnswer,
    query: URLSearchParams,
    request: RequestHeaders,
  ) {
    const { id, userId, appId } = record
    const prefetched = await onPrefetch?.(
      {
        session: { id, userId, appId },
        account: accountOf(record),
        path: query.get('path') ?? '',
        query: query.get('query') ?? '',
        scene: Number(query.get('scene') ?? 0),
      },
      record,
      request,
    )
    const whole = { ...tokens, ...(prefetched !== undefined && { prefetched }) }
    if (Buffer.byteLength(jsonText(whole)) > maxAnswerBytes) {
      throw new AuthError(
        'server_error',
        'onPrefetch returned too much; with the tokens it must fit into 256 KB',
      )
    }
    return whole
  }

  return { path: `/${prefetchPath}${paths.prefetch}`, answer }
}
