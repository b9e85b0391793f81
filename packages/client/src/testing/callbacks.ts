import type { WxFailure } from '../wx.js'

export interface Done {
  readonly errMsg: string
}

/** The three callbacks that every asynchronous call of `wx` takes. */
export interface Callbacks<R> {
  success?: (result: R) => void
  fail?: (error: WxFailure) => void
  complete?: (result: R | WxFailure) => void
}

export function reportSuccess<R>({ success, complete }: Callbacks<R>, result: R): void {
  success?.(result)
  complete?.(result)
}

export function reportFailure({ fail, complete }: Callbacks<never>, failed: WxFailure): void {
  fail?.(failed)
  complete?.(failed)
}

/** The platform's two styles: a promise if there is no callback at all, else callbacks and no promise. */
export type Answer = <R extends Done>(
  callbacks: Callbacks<R>,
  start: (succeed: (result: R) => void, failWith: (failed: WxFailure) => void) => void,
) => Promise<R> | undefined

export function createAnswer(deliver: (callback: () => void) => void): Answer {
  return (callbacks, start) => {
    if (!callbacks.success && !callbacks.fail && !callbacks.complete) {
      return new Promise((resolve, reject) => {
        start(
          (result) => deliver(() => resolve(result)),
          (failed) => deliver(() => reject(failed)),
        )
      })
    }
    start(
      (result) => deliver(() => reportSuccess(callbacks, result)),
      (failed) => deliver(() => reportFailure(callbacks, failed)),
    )
    return undefined
  }
}
