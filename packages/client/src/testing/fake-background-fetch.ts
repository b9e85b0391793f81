import type { WxFailure } from '../wx.js'
import type { Answer, Callbacks, Done } from './callbacks.js'

/** What WeChat fetched ahead of the start, and for which page. */
export interface FakeFetchedData {
  /** The whole body that the server answered with. */
  readonly fetchedData: string
  /** When the phone got it, in milliseconds. */
  readonly timeStamp: number
  readonly path: string
  /** As in a URL, without `?`. */
  readonly query: string
  readonly scene: number
}

/** What `wx.getBackgroundFetchData` takes. */
export interface FakeBackgroundFetchOptions extends Callbacks<FakeFetchedData & Done> {
  /** `'pre'` or `'periodic'`; the fake phone fetches nothing periodically. */
  fetchType: string
}

/** What `wx.onBackgroundFetchData` tells. */
export interface FakeBackgroundFetchEvent extends FakeFetchedData {
  readonly fetchType: string
}

/** Data that WeChat fetched before the mini program asked for anything (数据预拉取). */
export interface BackgroundFetch {
  getData(options: FakeBackgroundFetchOptions): Promise<FakeFetchedData & Done> | undefined
  onData(listener: (event: FakeBackgroundFetchEvent) => void): void
  /** The data has come. */
  arrive(data: FakeFetchedData): void
}

const maxBytes = 256 * 1024

export function createBackgroundFetch(surroundings: {
  readonly answer: Answer
  readonly failure: (errMsg: string) => WxFailure
  readonly deliver: (callback: () => void) => void
  /** What the phone keeps for the one who holds it. */
  readonly kept: () => FakeFetchedData | undefined
  readonly keep: (data: FakeFetchedData) => void
}): BackgroundFetch {
  const { answer, failure, deliver, kept, keep } = surroundings
  const listeners = new Set<(event: FakeBackgroundFetchEvent) => void>()
  return {
    getData: (options) =>
      answer(options, (succeed, failWith) => {
        const data = options.fetchType === 'pre' ? kept() : undefined
        if (data) succeed({ ...data, errMsg: 'getBackgroundFetchData:ok' })
        else failWith(failure('getBackgroundFetchData:fail no data'))
      }),

    onData(listener) {
      listeners.add(listener)
    },

    arrive(data) {
      if (Buffer.byteLength(data.fetchedData) > maxBytes) return
      keep(data)
      // Who listens by now: a later listener is not told of data that is there already.
      for (const listener of listeners) deliver(() => listener({ fetchType: 'pre', ...data }))
    },
  }
}
