import type { WxFailure } from '../wx.js'

/** The three callbacks that most calls of `wx` take. */
export interface Callbacks<R> {
  success?: (result: R) => void
  fail?: (error: WxFailure) => void
  complete?: (result: R | WxFailure) => void
}

export interface Done {
  readonly errMsg: string
}

export type Answer = <R extends object>(
  callbacks: Callbacks<R>,
  start: (succeed: (result: R) => void, failWith: (failed: WxFailure) => void) => void,
) => Promise<R> | undefined

/** The platform's two styles: a promise if there is no callback at all, else callbacks and no promise. */
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
