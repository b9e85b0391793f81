import { untilAborted, withAbortableDeadline } from '../deadline.js'
import { AuthError } from '../errors.js'
import { checkFunctions, checkNames } from '../option-checks.js'
import { isText } from './answer.js'
import type { ExchangedAccount, KindNeeds, ServeApp } from './app-kind.js'
import { checkAppId } from './credentials.js'
import { unavailable } from './http-client.js'

/** An app whose codes the backend exchanges by itself: of another platform, or through a third-party platform. */
export interface CustomApp {
  readonly kind: 'custom'
  /** The platform's AppID, or any name that no other entry has. */
  readonly appId: string
  /**
   * Says whom a code proves. Throw `new AuthError('invalid_code', …)` for one that is not valid, `access_denied` to refuse
   * its user, and `wechat_unavailable` or `rate_limited` if the platform cannot answer now; anything else is a 500. It
   * has as long as a call to WeChat (`wechatTimeoutMs`); then `signal` aborts.
   */
  exchange(
    code: string,
    context: { readonly signal: AbortSignal },
  ): ExchangedAccount | Promise<ExchangedAccount>
}

export function serveCustomApps({ wechatTimeoutMs }: KindNeeds): ServeApp {
  return (place, entry) => {
    checkNames(place, entry, { kind: true, appId: true, exchange: true })
    const { appId, exchange } = entry as unknown as CustomApp
    checkAppId(`${place}.appId`, appId)
    checkFunctions({ [`${place}.exchange`]: exchange ?? null })
    return {
      kind: 'custom',
      appId,
      checkCode,
      async exchange(code) {
        const expired = () =>
          unavailable(`The exchange of ${appId} did not answer within ${wechatTimeoutMs} ms`)
        const work = async (signal: AbortSignal) => exchange(code, { signal })
        try {
          const result: unknown = await withAbortableDeadline(wechatTimeoutMs, expired, (signal) =>
            untilAborted(work(signal), signal),
          )
          return readResult(result)
        } catch (cause) {
          if (cause instanceof AuthError && (passed.has(cause.code) || cause.status >= 500))
            throw cause
          throw new AuthError('server_error', `The exchange of ${appId} threw; see cause`, {
            cause,
          })
        }
      },
    }
  }
}

// Printable, and short enough for a request; the platform knows the rest.
function checkCode(code: string): void {
  if (typeof code === 'string' && /^[\x21-\x7e]{1,2048}$/.test(code)) return
  throw new AuthError('invalid_code', 'This is not a code; get a new one')
}

/** What it may say to the client. */
const passed: ReadonlySet<string> = new Set([
  'invalid_code',
  'access_denied',
  'rate_limited',
  'user_blocked',
])

function readResult(result: unknown): ExchangedAccount {
  const { openid, unionid, sessionKey } = Object(result)
  const areTexts = [openid, unionid ?? 'none', sessionKey ?? 'none'].every(isText)
  if (!areTexts) {
    throw new AuthError(
      'server_error',
      'The exchange must return { openid, unionid?, sessionKey? }, each a text of 1 to 256 characters',
    )
  }
  return {
    openid,
    ...(isText(unionid) && { unionid }),
    ...(isText(sessionKey) && { sessionKey }),
  }
}
