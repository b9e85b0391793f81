import { setTimeout as delay } from 'node:timers/promises'
import { withDeadline } from '../deadline.js'
import { AuthError } from '../errors.js'
import { checkDuration } from '../option-checks.js'
import { redactError } from '../redact.js'
import type { SessionRecord, SessionStore } from '../session.js'

// A swap is lost only to another write on the same session. Whoever writes without end must not starve a revocation, so
// the next try comes after a pause of random length, and there are many.
const maxSwaps = 64
const maxPauseMs = 20

type Verbs = Required<Omit<SessionStore, 'withConnection'>>

/** A store whose calls end in time and fail as `store_unavailable`, and the one way to change a record. */
export interface GuardedStore extends Verbs {
  /**
   * Reads the record, lets `decide` look at it, and writes the record that the decision carries, if any, in place of
   * exactly the one that was read. When another write came first, or `decide` gives nothing, it starts again with the
   * record as it is then.
   */
  update<Decision extends { readonly record?: SessionRecord | undefined }>(
    id: string,
    decide: (
      record: SessionRecord | undefined,
    ) => Decision | undefined | Promise<Decision | undefined>,
  ): Promise<{ before: SessionRecord | undefined; decision: Decision }>
}

export interface StoreOptions {
  /** Where sessions live (default: in this process, see `createMemoryStore`). */
  store?: SessionStore
  /**
   * How long a call to the store may take, in milliseconds (default 500), the wait for one of its connections included;
   * then the request is a 503.
   */
  storeTimeoutMs?: number
}

/** Throws a `TypeError` that names the option when one is wrong. */
export function guardStore({
  store,
  storeTimeoutMs = 500,
}: StoreOptions & Required<Pick<StoreOptions, 'store'>>): GuardedStore {
  checkDuration('storeTimeoutMs', storeTimeoutMs)
  for (const verb of ['create', 'get', 'replace', 'delete', 'list'] as const) {
    if (typeof store?.[verb] !== 'function') {
      throw new TypeError(`store must have a method ${verb}; see SessionStore`)
    }
  }

  async function guarded<T>(
    call: (store: SessionStore) => Promise<T>,
    record?: SessionRecord,
  ): Promise<T> {
    let isWaiting = store.withConnection !== undefined
    let isOver = false
    const expired = () => {
      isOver = true
      const what = isWaiting ? 'had no connection free' : 'did not answer'
      return new AuthError(
        'store_unavailable',
        `The session store ${what} within ${storeTimeoutMs} ms`,
      )
    }
    const onConnection = async (connected: SessionStore) => {
      // Nobody waits for it any more, and a write that lands now is one that was reported as failed.
      if (isOver) throw expired()
      isWaiting = false
      return call(connected)
    }
    try {
      return await withDeadline(
        storeTimeoutMs,
        expired,
        async () => store.withConnection?.(onConnection) ?? call(store),
      )
    } catch (cause) {
      if (cause instanceof AuthError) throw cause
      throw new AuthError('store_unavailable', 'The session store failed; see cause', {
        cause: redactError(cause, secretsOf(record)),
      })
    }
  }

  const safe: Verbs = {
    create: (record) => guarded((store) => store.create(record), record),
    get: (id) => guarded((store) => store.get(id)),
    replace: (record, expectedVersion) =>
      guarded((store) => store.replace(record, expectedVersion), record),
    delete: (id) => guarded((store) => store.delete(id)),
    list: (userId) => guarded((store) => store.list(userId)),
    count: (userId) =>
      guarded(async (store) => store.count?.(userId) ?? (await store.list(userId)).length),
    check: () => guarded(async (store) => store.check?.() ?? []),
  }

  return {
    ...safe,
    async update(id, decide) {
      for (let swap = 0; swap < maxSwaps; swap++) {
        const before = await safe.get(id)
        const decision = await decide(before)
        if (!decision) continue
        if (!before || !decision.record) return { before, decision }
        if (await safe.replace(decision.record, before.version)) return { before, decision }
        await delay(Math.random() * Math.min(swap, maxPauseMs))
      }
      throw new AuthError('store_unavailable', 'The session is being changed too often; try again')
    },
  }
}

function secretsOf(record: SessionRecord | undefined): string[] {
  if (!record) return []
  const { openid, unionid = '', sealedKey = '', idempotencyKeyHash } = record
  return [openid, unionid, sealedKey, idempotencyKeyHash]
}
