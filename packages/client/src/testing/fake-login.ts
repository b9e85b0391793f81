import { mockCode } from '@wxlogin/shared'
import type { WxFailure, WxLoginOptions } from '../wx.js'
import type { Answer } from './fake-callbacks.js'
import type { FakeClock } from './fake-clock.js'

/**
 * What happens to a `wx.login` call.
 *
 * - `'ok'`: a code
 * - `'hang'`: never answers, not even with a timeout
 * - `'throw'`: `wx.login` itself throws
 * - `'twice'`: `success` is called twice with the same code
 * - `'empty'`: success with an empty code
 * - `{ fail }`: fails like this
 * - `{ afterMs }`: a code after this time, or a timeout if `timeout` ends earlier
 */
export type FakeLoginBehaviour =
  | 'ok'
  | 'hang'
  | 'throw'
  | 'twice'
  | 'empty'
  | { readonly fail: WxFailure }
  | { readonly afterMs: number }

/** What `wx.login` takes. */
export interface FakeLoginOptions extends WxLoginOptions {
  complete?: (result: { code: string; errMsg: string } | WxFailure) => void
}

interface LoginSurroundings {
  readonly clock: FakeClock
  readonly touristMode: boolean
  readonly answer: Answer
  readonly failure: (errMsg: string, errno?: number) => WxFailure
  readonly nextBehaviour: () => FakeLoginBehaviour
  readonly codeFor: () => string
  readonly isOnline: () => boolean
  readonly isSinglePage: () => boolean
  readonly isEnded: () => boolean
  /** When this user logged in, in milliseconds; outlives the process. */
  readonly times: { login: number[] }
}

const maxLoginsPerSecond = 4

/** `wx.login` */
export function createLogin({
  clock,
  touristMode,
  answer,
  failure,
  nextBehaviour,
  codeFor,
  isOnline,
  isSinglePage,
  isEnded,
  times,
}: LoginSurroundings): (
  options?: FakeLoginOptions,
) => Promise<{ code: string; errMsg: string }> | undefined {
  function refused(): WxFailure | undefined {
    const now = clock.now()
    times.login = times.login.filter((at) => now - at < 1_000)
    times.login.push(now)
    if (isSinglePage()) return failure('login:fail not available in single-page mode')
    if (!isOnline()) return failure('login:fail cgi failed for network issues', 108)
    if (times.login.length > maxLoginsPerSecond) {
      return failure('login:fail meet server frequency limit', 1003)
    }
    return undefined
  }

  const newCode = () => (touristMode ? mockCode : codeFor())

  return (options = {}) => {
    const behaviour = nextBehaviour()
    if (behaviour === 'throw') throw new Error('login:fail')
    return answer(options, (succeed, failWith) => {
      const failed = refused()
      if (behaviour === 'hang' || isEnded()) return
      if (failed) return failWith(failed)
      const give = (code: string) => succeed({ code, errMsg: 'login:ok' })
      if (behaviour === 'ok') return give(newCode())
      if (behaviour === 'empty') return give('')
      if (behaviour === 'twice') {
        const code = newCode()
        give(code)
        return give(code)
      }
      if ('fail' in behaviour) return failWith(failure(behaviour.fail.errMsg, behaviour.fail.errno))
      const { timeout = Number.POSITIVE_INFINITY } = options
      if (behaviour.afterMs <= timeout) clock.setTimeout(() => give(newCode()), behaviour.afterMs)
      else clock.setTimeout(() => failWith(failure('login:fail timeout', 5)), timeout)
    })
  }
}
