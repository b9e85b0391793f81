import type { Renewal } from '../session/renewal.js'
import { isFresh, type RecordStore, type TokenPair } from '../session/token-record.js'
import { ignore, openTask } from '../task.js'
import type { OpenTask } from './send.js'

/** Opens tasks that wait for a renewal where one is due, which other requests have beside them. */
export const createOpenFresh =
  (store: RecordStore, renewal: Renewal, open: OpenTask = openTask): OpenTask =>
  (timeoutMs, run, place) =>
    open(
      timeoutMs,
      (ask) => {
        const record = store.read() as TokenPair
        const isAging = record.access_token && !isFresh(record)
        return Promise.resolve(isAging && renewal.pair(record).catch(ignore)).then(() => run(ask))
      },
      place,
    )
