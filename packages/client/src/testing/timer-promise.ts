/** What a promise of `createTimerPromise` offers: the ES2015 methods, nothing newer. */
export interface TimerPromise<T> extends PromiseLike<T> {
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): TimerPromise<A | B>
  catch<B = never>(
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): TimerPromise<T | B>
}

/** The ES2015 part of `PromiseConstructor`. */
export interface TimerPromiseConstructor {
  new <T>(
    executor: (
      resolve: (value: T | PromiseLike<T>) => void,
      reject: (reason?: unknown) => void,
    ) => void,
  ): TimerPromise<T>
  resolve(): TimerPromise<void>
  resolve<T>(value: T | PromiseLike<T>): TimerPromise<T>
  reject<T = never>(reason?: unknown): TimerPromise<T>
  all<T>(values: Iterable<T | PromiseLike<T>>): TimerPromise<T[]>
  race<T>(values: Iterable<T | PromiseLike<T>>): TimerPromise<T>
}

type State<T> =
  | { readonly kind: 'pending' }
  | { readonly kind: 'fulfilled'; readonly value: T }
  | { readonly kind: 'rejected'; readonly reason: unknown }

/**
 * A `Promise` whose reactions run as timers, as in mini programs on iOS 15 and older.
 *
 * Put it in place of `globalThis.Promise` to see whether code relies on reactions that run before the next callback.
 * It has the ES2015 methods only, and does not report unhandled rejections, as the polyfill does not.
 *
 * @example
 * vi.stubGlobal('Promise', createTimerPromise(setTimeout))
 */
export function createTimerPromise(
  setTimeout: (run: () => void, ms: number) => unknown,
): TimerPromiseConstructor {
  // A class, because `new Promise(…)` and `instanceof` are the contract that is imitated.
  class MacrotaskPromise<T> implements TimerPromise<T> {
    private state: State<T> = { kind: 'pending' }
    private reactions: (() => void)[] = []

    constructor(
      executor: (
        resolve: (value: T | PromiseLike<T>) => void,
        reject: (reason?: unknown) => void,
      ) => void,
    ) {
      if (typeof executor !== 'function') throw new TypeError('Promise needs an executor function')
      this.follow(executor)
    }

    // biome-ignore lint/suspicious/noThenProperty: this is a promise
    then<A = T, B = never>(
      onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
      onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
    ): TimerPromise<A | B> {
      return new MacrotaskPromise<A | B>((resolve, reject) => {
        const react = () => {
          const { state } = this
          try {
            if (state.kind === 'fulfilled') {
              // Without a handler, `then` passes the value on: T is A by the signature's default.
              resolve(onFulfilled ? onFulfilled(state.value) : (state.value as unknown as A))
            }
            if (state.kind === 'rejected') {
              if (onRejected) resolve(onRejected(state.reason))
              else reject(state.reason)
            }
          } catch (error) {
            reject(error)
          }
        }
        if (this.state.kind === 'pending') this.reactions.push(react)
        else setTimeout(react, 0)
      })
    }

    catch<B = never>(
      onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
    ): TimerPromise<T | B> {
      return this.then(null, onRejected)
    }

    static resolve(): TimerPromise<void>
    static resolve<T>(value: T | PromiseLike<T>): TimerPromise<T>
    static resolve<T>(value?: T | PromiseLike<T>): TimerPromise<T | undefined> {
      if (value instanceof MacrotaskPromise) return value
      return new MacrotaskPromise<T | undefined>((resolve) => resolve(value))
    }

    static reject<T = never>(reason?: unknown): TimerPromise<T> {
      return new MacrotaskPromise<T>((_, reject) => reject(reason))
    }

    static all<T>(values: Iterable<T | PromiseLike<T>>): TimerPromise<T[]> {
      return new MacrotaskPromise<T[]>((resolve, reject) => {
        const promises = [...values].map((value) => MacrotaskPromise.resolve(value))
        const results: T[] = new Array(promises.length)
        let missing = promises.length
        if (missing === 0) resolve(results)
        for (const [index, promise] of promises.entries()) {
          promise.then((value) => {
            results[index] = value
            missing -= 1
            if (missing === 0) resolve(results)
          }, reject)
        }
      })
    }

    static race<T>(values: Iterable<T | PromiseLike<T>>): TimerPromise<T> {
      return new MacrotaskPromise<T>((resolve, reject) => {
        for (const value of values) MacrotaskPromise.resolve(value).then(resolve, reject)
      })
    }

    /** Runs what may settle this promise; only its first call counts (Promises/A+ 2.3.3.3). */
    private follow(
      executor: (
        resolve: (value: T | PromiseLike<T>) => void,
        reject: (reason?: unknown) => void,
      ) => void,
    ): void {
      let isDecided = false
      const once =
        <V>(decide: (value: V) => void) =>
        (value: V) => {
          if (isDecided) return
          isDecided = true
          decide(value)
        }
      const reject = once((reason?: unknown) => this.settle({ kind: 'rejected', reason }))
      try {
        executor(
          once((value) => this.resolve(value)),
          reject,
        )
      } catch (error) {
        reject(error)
      }
    }

    private resolve(value: T | PromiseLike<T>): void {
      if (value === this) {
        this.settle({ kind: 'rejected', reason: new TypeError('a promise cannot resolve itself') })
        return
      }
      try {
        const then = thenOf(value)
        if (then) {
          setTimeout(() => this.follow((resolve, reject) => then.call(value, resolve, reject)), 0)
          return
        }
        this.settle({ kind: 'fulfilled', value: value as T })
      } catch (reason) {
        this.settle({ kind: 'rejected', reason })
      }
    }

    private settle(state: State<T>): void {
      this.state = state
      const reactions = this.reactions
      this.reactions = []
      for (const react of reactions) setTimeout(react, 0)
    }
  }
  return MacrotaskPromise
}

/** The `then` of a thenable, read once: a getter may answer differently the second time. */
function thenOf<T>(value: T | PromiseLike<T>): PromiseLike<T>['then'] | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  if (!('then' in value)) return undefined
  const { then } = value
  return typeof then === 'function' ? then : undefined
}
