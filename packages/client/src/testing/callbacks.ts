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

/** The platform's two styles: a promise if there is no callback at all, else callbacks and no promise. */
export type Answer = <R extends Done>(
  callbacks: Callbacks<R>,
  start: (succeed: (result: R) => void, failWith: (failed: WxFailure) => void) => void,
) => Promise<R> | undefined

export function createAnswer(deliver: (callback: () => void) => void): Answer {
  return ({ success, fail, complete }, start) => {
    if (!success && !fail && !complete) {
      return new Promise((resolve, reject) => {
        start(
          (result) => deliver(() => resolve(result)),
          (failed) => deliver(() => reject(failed)),
        )
      })
    }
    start(
      (result) =>
        deliver(() => {
          success?.(result)
          complete?.(result)
        }),
      (failed) =>
        deliver(() => {
          fail?.(failed)
          complete?.(failed)
        }),
    )
    return undefined
  }
}
