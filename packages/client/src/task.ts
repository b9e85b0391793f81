import { ClientError, type ClientErrorCode, failureOf, isPassing, type Place } from './errors.js'
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
 * With `isSafe` the call is made once more when no answer arrived, or one of a gateway that found no server, if there is
 * time left.
 */
export type Ask = <A, R>(
  call: Call<A>,
  onSuccess: (answer: A) => R | PromiseLike<R>,
  place?: Place,
  isSafe?: boolean,
) => Promise<R>

/** The default is meant by 0 and by null, too; NaN is a mistake. */
export const timeoutOf = (otherwise: number, given: number | null = 0): number =>
  Number(given) === 0 ? otherwise : (given as number)

/** What an option gives that may also be a function that makes it. */
export const resultOf = <T>(given: T | (() => T)): T =>
  typeof given === 'function' ? (given as () => T)() : given

/** Whether a timer can wait so long. */
export const isTimeout = (ms: number): boolean => ms > 0 && ms <= 2_147_483_647

/** Whether less than this has passed since then. A clock that was set back counts as long ago. */
export const isWithin = (ms: number, sinceMs: number): boolean => {
  const elapsedMs = Date.now() - sinceMs
  return elapsedMs >= 0 && elapsedMs < ms
}

/** What must be left of a deadline for a second call. */
const leastMs = 2_000

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
    const sinceMs = Date.now()
    let isStopped: boolean | undefined
    let native: WxNative
    let latest = place

    stop = (code = 'timeout') => {
      isStopped = true
      reject(new ClientError(code, latest))
      if (native && native.abort) native.abort()
    }
    if (!isTimeout(timeoutMs)) {
      throw new ClientError('config', place, 'timeout')
    }
    const timer = setTimeout(stop, timeoutMs)

    const ask: Ask = <A, R>(
      call: Call<A>,
      onSuccess: (answer: A) => R | PromiseLike<R>,
      here = place,
      isSafe?: boolean,
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
      }).catch((error) => {
        const { code } = error
        // After an interruption time has passed in which nothing could be done.
        const isTime = code === 'interrupted' || isWithin(timeoutMs - leastMs, sinceMs)
        if (isSafe && isPassing(error) && isTime) return ask(call, onSuccess, here)
        throw error
      })

    // A promise of its own, so that throwing rejects.
    void new Promise<T>((done) => done(run(ask)))
      .then(resolve, (cause) => reject(failureOf(cause, latest, 'business')))
      .then(() => clearTimeout(timer))
  })
  return Object.assign(promise, { abort: () => stop('aborted') })
}

/** Handles the rejection of a promise that nobody waits for. */
export const ignore = (): undefined => undefined
