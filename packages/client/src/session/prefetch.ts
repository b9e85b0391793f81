import type { Json, PrefetchAnswer } from '@wxlogin/shared'
import { openTask } from '../task.js'
import type { FullRuntime } from '../wx.js'
import { mintKey } from './idempotency-key.js'
import { ignore, livePair } from './renewal.js'
import type { Pair, RecordStore } from './token-record.js'

// WeChat answers from what is on the phone, so later than this it does not.
const timeoutMs = 500

/**
 * Picks up what WeChat fetched while it loaded the mini program (数据预拉取): a finished login becomes the session if
 * there is none, and the promise brings the app's own data. It never rejects.
 */
export const pickUp = (wx: FullRuntime, store: RecordStore): Promise<Json | undefined> =>
  openTask(timeoutMs, (ask) =>
    Promise.all([
      mintKey(wx),
      ask(
        (success, fail) => (wx.getBackgroundFetchData || fail)({ fetchType: 'pre', success, fail }),
        (fetched: { fetchedData: unknown; timeStamp: number }) => fetched,
      ),
    ]),
  )
    .then(([key, { fetchedData, timeStamp }]) => {
      const answer: PrefetchAnswer & { user_id?: string } = JSON.parse(fetchedData as string)
      const record = store.read()
      const { reason, user_id = answer.user_id } = record
      if (reason || user_id !== answer.user_id || wx.getEnterOptionsSync().scene === 1154)
        return undefined
      const next = Object.assign({}, answer, {
        key,
        askedMs: timeStamp,
        prefetched: undefined,
      }) as Pair
      if (!livePair(record) && livePair(next)) store.write(next, 'login')
      return answer.prefetched
    })
    .catch(ignore)
