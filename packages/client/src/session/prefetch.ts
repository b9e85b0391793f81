import type { Json, PrefetchAnswer } from '@wxlogin/shared'
import { ignore, openTask } from '../task.js'
import { type FullWx, isSinglePage } from '../wx.js'
import type { PostSettings } from './auth-requests.js'
import type { NewKey } from './idempotency-key.js'
import { isPair, livePair, type RecordStore, type TokenPair } from './token-record.js'

// WeChat answers from what is on the phone: if it does not answer within this time, it never does.
const timeoutMs = 500

/**
 * Reads what WeChat fetched while it loaded the mini program (数据预拉取): a completed login becomes the session if there
 * is none that lives, and the promise resolves with the app's own data. It never rejects.
 */
export const readPrefetched = (
  wx: FullWx,
  store: RecordStore,
  { newKey, opened }: Pick<PostSettings, 'opened'> & { readonly newKey: NewKey },
): Promise<Json | undefined> =>
  openTask(timeoutMs, (ask) =>
    ask(
      (success, fail) => (wx.getBackgroundFetchData || fail)({ fetchType: 'pre', success, fail }),
      (fetched: { fetchedData: unknown; timeStamp: number }) => fetched,
    ),
  )
    .then(({ fetchedData, timeStamp }) => {
      const data = JSON.parse(fetchedData as string)
      const answer = opened({ data, statusCode: 200, header: {} }).data as PrefetchAnswer & {
        user_id?: string
      }
      const record = store.read(true)
      const { reason, user_id = answer.user_id } = record
      if (reason || user_id !== answer.user_id || isSinglePage(wx)) return undefined
      const next = Object.assign({}, answer, {
        reason: false,
        key: newKey(),
        askedMs: timeStamp,
        prefetched: undefined,
      }) as TokenPair
      if (!livePair(record) && isPair(next) && livePair(next)) {
        store.write(next, 'login', record.refresh_token, record.key)
      }
      return answer.prefetched
    })
    .catch(ignore)
