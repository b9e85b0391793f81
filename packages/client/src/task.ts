import { ClientError, type ClientErrorCode, failureOf, type Place } from './errors.js'
import { nativeOf, type WxNative } from './wx.js'

declare function setTimeout(run: () => void, ms: number): unknown
declare function clearTimeout(timer: unknown): void

/** A promise that can be aborted; it then rejects with `aborted` at once. */
export interface Task<T> extends Promise<T> {
  abort(): void
}

type Call<A> = (success: (answer: A) => void, fail: (failure: unknown) => void) => unknown

/**
 * One call of `wx` within a task: only its first callback counts, and throwing counts as failing.
 * `onSuccess` runs in the same turn as the answer. Once the task has stopped, nothing is called and no answer counts.
 */
export type Ask = <A, R>(
  call: Call<A>,
  onSuccess: (answer: A) => R | PromiseLike<R>,
  place?: Place,
) => Promise<R>

/**
 * Runs calls of `wx` with one deadline and one `abort` for all of them. It rejects with a {@link ClientError} that names
 * the place of the call, or else this one; what a function of the app throws becomes `business`.
 */
export function openTask<T>(
  timeoutMs: number,
  run: (ask: Ask) => Promise<T>,
  place?: Place,
): Task<T> {
  let stop: (code?: ClientErrorCode) => void
  const promise = new Promise<T>((resolve, reject) => {
    let isStopped: boolean | undefined
    let native: WxNative
    let latest = place

    stop = (code = 'timeout') => {
      isStopped = true
      reject(new ClientError(code, latest))
      if (native && native.abort) native.abort()
    }
    const timer = setTimeout(stop, timeoutMs)

    const ask: Ask = <A, R>(
      call: Call<A>,
      onSuccess: (answer: A) => R | PromiseLike<R>,
      here = place,
    ) =>
      new Promise<R>((resolve, reject) => {
        let isAnswered: boolean | undefined
        latest = here
        const succeed = (answer: A): void => {
          if (isAnswered || isStopped) return
          isAnswered = true
          // A promise of its own, so that throwing rejects.
          resolve(new Promise((done) => done(onSuccess(answer))))
        }
        const fail = (failure: unknown): void => {
          isAnswered = true
          reject(failureOf(failure, here))
        }
        try {
          if (!isStopped) native = nativeOf(call(succeed, fail), fail)
        } catch (error) {
          fail(error)
        }
      })

    // A promise of its own, so that throwing rejects.
    void new Promise<T>((done) => done(run(ask)))
      .then(resolve, (cause) => reject(failureOf(cause, place, 'business')))
      .then(() => clearTimeout(timer))
  })
  return Object.assign(promise, { abort: () => stop('aborted') })
}

/** Handles the rejection of a promise that nobody waits for. */
export const ignore = (): undefined => undefined
