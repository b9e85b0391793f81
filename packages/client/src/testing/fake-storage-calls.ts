import type { WxFailure } from '../wx.js'
import type { Answer, Callbacks, Done } from './callbacks.js'
import type { StorageVerb } from './fake-storage.js'
import { createStorage } from './fake-storage.js'

/** The storage calls of `wx`, in both variants. */
export interface FakeStorageCalls {
  getStorageSync(key: string): unknown
  setStorageSync(key: string, value: unknown): void
  removeStorageSync(key: string): void
  getStorage(
    options: Callbacks<{ data: unknown; errMsg: string }> & { key: string },
  ): Promise<{ data: unknown; errMsg: string }> | undefined
  setStorage(options: Callbacks<Done> & { key: string; data: unknown }): Promise<Done> | undefined
  removeStorage(options: Callbacks<Done> & { key: string }): Promise<Done> | undefined
}

export function createStorageCalls(surroundings: {
  readonly answer: Answer
  readonly failure: (errMsg: string) => WxFailure
  /** The storage of the one who holds the phone, looked up at each call. */
  readonly area: () => Map<string, string>
  /** How many of the next calls fail; counted down. */
  readonly faults: Record<StorageVerb, number>
  readonly isEnded: () => boolean
}): FakeStorageCalls {
  const { answer, failure, area, faults, isEnded } = surroundings
  const storage = createStorage(area)

  /** Runs one storage call; every failure comes out as the platform words it. */
  function stored<T>(verb: StorageVerb, name: string, run: () => T): T {
    if (faults[verb] > 0) {
      faults[verb] -= 1
      throw new Error(`${name}:fail system error`)
    }
    try {
      return run()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'parameter error'
      throw new Error(`${name}:fail ${reason}`, { cause })
    }
  }

  function write(key: string, value: unknown, name: string): void {
    stored('set', name, () => {
      if (!isEnded()) storage.write(key, value)
    })
  }

  function remove(key: string, name: string): void {
    stored('remove', name, () => {
      if (!isEnded()) storage.remove(key)
    })
  }

  /** The asynchronous variant of a storage call. */
  function later<R extends Done>(callbacks: Callbacks<R>, run: () => R): Promise<R> | undefined {
    return answer(callbacks, (succeed, failWith) => {
      try {
        succeed(run())
      } catch (error) {
        failWith(failure(error instanceof Error ? error.message : String(error)))
      }
    })
  }

  return {
    getStorageSync: (key) => stored('get', 'getStorageSync', () => storage.read(key)) ?? '',
    setStorageSync: (key, value) => write(key, value, 'setStorageSync'),
    removeStorageSync: (key) => remove(key, 'removeStorageSync'),
    getStorage: (options) =>
      later(options, () => {
        const data = stored('get', 'getStorage', () => storage.read(options.key))
        if (data === undefined) throw new Error('getStorage:fail data not found')
        return { data, errMsg: 'getStorage:ok' }
      }),
    setStorage: (options) =>
      later(options, () => {
        write(options.key, options.data, 'setStorage')
        return { errMsg: 'setStorage:ok' }
      }),
    removeStorage: (options) =>
      later(options, () => {
        remove(options.key, 'removeStorage')
        return { errMsg: 'removeStorage:ok' }
      }),
  }
}
