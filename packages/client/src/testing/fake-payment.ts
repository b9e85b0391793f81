import type { WxPaymentOptions } from '../wx.js'
import type { FakeClock } from './fake-clock.js'

/**
 * What happens to a call of `wx.requestVirtualPayment`, or of `wx.requestMidasPaymentGameItem` in a mini game.
 *
 * - `'ok'`: WeChat verifies both signatures, and the person pays
 * - `'cancel'`: likewise, and the person closes the window (-2)
 * - `'drop-answer'`: the person pays, and the phone hears that it failed (-1)
 * - `'hang'`: nothing is ever heard of it, and nothing was paid
 * - `'throw'`: the call itself throws
 * - `{ errCode }`: WeChat says this, and nothing was paid
 * - `{ afterMs }`: the person takes this time to pay
 */
export type FakePaymentBehaviour =
  | 'ok'
  | 'cancel'
  | 'drop-answer'
  | 'hang'
  | 'throw'
  | { readonly errCode: number }
  | { readonly afterMs: number }

/** How a payment ended for WeChat. */
export interface FakePaymentOutcome {
  /** 0 is success. */
  readonly errCode: number
  readonly errMsg: string
}

/** What pays for the fake: `createFakeWeChat()` of `@wxlogin/server/testing` does. */
export type FakePay = (
  user: string,
  request: { mode?: unknown; signData?: unknown; paySig?: unknown; signature?: unknown },
  options: { appId: string; cancels: boolean; isReleased: boolean },
) => FakePaymentOutcome

export type FakePaymentName = 'requestVirtualPayment' | 'requestMidasPaymentGameItem'

/** One call, the outcome included once there is one. */
export interface RecordedPayment {
  readonly name: FakePaymentName
  readonly mode: unknown
  readonly signData: unknown
  readonly paySig: unknown
  readonly signature: unknown
  /** What the phone was told; 0 is success. */
  readonly errCode?: number
}

/** What `wx.requestVirtualPayment` takes. It has callbacks only, and returns nothing. */
export interface FakePaymentOptions extends Omit<WxPaymentOptions, 'mode'> {
  mode?: WxPaymentOptions['mode']
  complete?: (result: object) => void
}

interface PaymentSurroundings {
  readonly clock: FakeClock
  readonly deliver: (callback: () => void) => void
  readonly nextBehaviour: () => FakePaymentBehaviour
  readonly pay: Readonly<Partial<Record<FakePaymentName, FakePay>>>
  readonly appId: string
  readonly user: () => string
  readonly isReleased: boolean
}

export function createPayments({
  clock,
  deliver,
  nextBehaviour,
  pay,
  appId,
  user,
  isReleased,
}: PaymentSurroundings) {
  const records: RecordedPayment[] = []

  function request(name: FakePaymentName, options: FakePaymentOptions): void {
    const { mode, signData, paySig, signature, success, fail, complete } = options
    const record: { -readonly [K in keyof RecordedPayment]: RecordedPayment[K] } = {
      name,
      mode,
      signData,
      paySig,
      signature,
    }
    records.push(record)
    const behaviour = nextBehaviour()
    if (behaviour === 'throw') throw new Error(`${name}:fail`)
    if (behaviour === 'hang') return

    function end({ errCode, errMsg }: FakePaymentOutcome): void {
      record.errCode = errCode
      const result = errCode === 0 ? { errMsg } : { errCode, errMsg }
      deliver(() => {
        if (errCode === 0) success?.(result)
        else fail?.(result)
        complete?.(result)
      })
    }
    const failWith = (errCode: number) => end({ errCode, errMsg: `${name}:fail ${errCode}` })

    function ask(cancels = false): FakePaymentOutcome {
      const request = { mode, signData, paySig, signature }
      const outcome = pay[name]?.(user(), request, { appId, cancels, isReleased })
      if (!outcome) throw new TypeError(`${name} needs wechat: createFakeWeChat()`)
      return outcome
    }

    if (behaviour === 'ok') end(ask())
    else if (behaviour === 'cancel') end(ask(true))
    else if (behaviour === 'drop-answer') {
      ask()
      failWith(-1)
    } else if ('errCode' in behaviour) failWith(behaviour.errCode)
    else clock.setTimeout(() => end(ask()), behaviour.afterMs)
  }

  return { records: records as readonly RecordedPayment[], request }
}
