import { mockCode } from '@wxlogin/shared'
import type { WxFailure, WxLoginOptions } from '../wx.js'
import type { Answer } from './callbacks.js'
import type { FakeClock } from './fake-clock.js'

/**
 * What becomes of a `wx.login` call.
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
  complete?: (result: FakeLoginResult | WxFailure) => void
}

export interface FakeLoginResult {
  code: string
  errMsg: string
}

const maxLoginsPerSecond = 4

/** `wx.login`. */
export function createLogin(surroundings: {
  readonly clock: FakeClock
  readonly touristMode: boolean
  readonly answer: Answer
  readonly failure: (errMsg: string, errno?: number) => WxFailure
  readonly nextBehaviour: () => FakeLoginBehaviour
  readonly newCode: () => string
  /** When the one who holds the phone logged in, for the frequency limit. */
  readonly loginTimes: number[]
  readonly isOnline: () => boolean
  readonly isSinglePage: () => boolean
  readonly isEnded: () => boolean
}): (options?: FakeLoginOptions) => Promise<FakeLoginResult> | undefined {
  const { clock, touristMode, answer, failure, nextBehaviour, loginTimes } = surroundings
  const newCode = () => (touristMode ? mockCode : surroundings.newCode())

  function refusal(): WxFailure | undefined {
    const now = clock.now()
    const recent = loginTimes.filter((at) => now - at < 1_000)
    loginTimes.splice(0, loginTimes.length, ...recent, now)
    if (surroundings.isSinglePage()) {
      return failure('login:fail not available in single-page mode')
    }
    if (!surroundings.isOnline()) return failure('login:fail cgi failed for network issues', 108)
    if (loginTimes.length > maxLoginsPerSecond) {
      return failure('login:fail meet server frequency limit', 1003)
    }
    return undefined
  }

  return (options = {}) => {
    const behaviour = nextBehaviour()
    if (behaviour === 'throw') throw new Error('login:fail')
    return answer<FakeLoginResult>(options, (succeed, failWith) => {
      const refused = refusal()
      if (behaviour === 'hang' || surroundings.isEnded()) return
      if (refused) return failWith(refused)
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
