import type { WxFailure } from '../wx.js'
import type { Answer, Callbacks } from './fake-callbacks.js'
import type { FakeClock } from './fake-clock.js'

/** What WeChat fetched while loading the mini program, and how reading it goes. */
export interface Prefetched {
  /** `undefined`: nothing, and the call fails, as on Android; an empty string: nothing, as on iOS. */
  readonly fetchedData: string | undefined
  /** When, in milliseconds by the clock. */
  readonly timeStamp: number
  /** `'hang'` never answers; `'throw'` throws; `{ afterMs }` answers later. */
  readonly behaviour: 'ok' | 'hang' | 'throw' | { readonly afterMs: number }
}

export interface FetchedData {
  readonly fetchedData: string
  readonly timeStamp: number
  readonly path: string
  readonly query: string
  readonly scene: number
  readonly errMsg: string
}

interface BackgroundFetchSurroundings {
  readonly clock: FakeClock
  readonly answer: Answer
  readonly failure: (errMsg: string, errno?: number) => WxFailure
  readonly prefetched: () => Prefetched
  readonly entry: () => { readonly path: string; readonly scene: number }
}

/** `wx.getBackgroundFetchData` */
export function createBackgroundFetch({
  clock,
  answer,
  failure,
  prefetched,
  entry,
}: BackgroundFetchSurroundings): (
  options: Callbacks<FetchedData> & { fetchType: string },
) => Promise<FetchedData> | undefined {
  return (options) => {
    const { fetchedData, timeStamp, behaviour } = prefetched()
    if (behaviour === 'throw') throw new Error('getBackgroundFetchData:fail')
    return answer(options, (succeed, failWith) => {
      const give = () => {
        if (fetchedData === undefined || options.fetchType !== 'pre') {
          return failWith(failure('getBackgroundFetchData:fail record is null'))
        }
        const { path, scene } = entry()
        succeed({
          fetchedData,
          timeStamp,
          path,
          query: '',
          scene,
          errMsg: 'getBackgroundFetchData:ok',
        })
      }
      if (behaviour === 'ok') give()
      else if (behaviour !== 'hang') clock.setTimeout(give, behaviour.afterMs)
    })
  }
}
