import { setTimeout as delay } from 'node:timers/promises'
import { withDeadline } from '../deadline.js'
import { AuthError } from '../errors.js'
import { checkDuration } from '../option-checks.js'
import { redactError } from '../redact.js'
import type { SessionRecord, SessionStore } from '../session.js'

// A swap fails only because of another write to the same session. Constant writes must not starve a revocation, so
// there are many attempts, with a random pause before each.
const maxSwaps = 64
const maxPauseMs = 20

type Verbs = Required<Omit<SessionStore, 'withConnection'>>

const valueVerbs = ['put', 'peek', 'take'] as const

/** Throws a `TypeError` unless the store can keep what an option asks it to. */
export function checkValueVerbs(option: string, store: SessionStore): void {
  const missing = valueVerbs.filter((verb) => typeof store?.[verb] !== 'function')
  if (missing.length === 0) return
  throw new TypeError(
    `${option} needs a store with the methods ${valueVerbs.join(', ')}, and this one has no ${missing.join(', ')}; see SessionStore`,
  )
}

/**
 * A store whose calls time out and fail as `store_unavailable`, and the only way to change a record. `put`, `peek` and
 * `take` fail as `server_misconfigured` when the store has none.
 */
export interface GuardedStore extends Verbs {
  /**
   * Reads the record, passes it to `decide`, and writes the record of the decision, if any, by compare-and-swap. If
   * another write came first, or `decide` returns nothing, it starts over with the record as it is then.
   */
  update<Decision extends { readonly record?: SessionRecord | undefined }>(
    id: string,
    decide: (
      record: SessionRecord | undefined,
    ) => Decision | undefined | Promise<Decision | undefined>,
  ): Promise<{ before: SessionRecord | undefined; decision: Decision }>
}

export interface StoreOptions {
  /** Where sessions are kept (default: in this process, see `createMemoryStore`). */
  store?: SessionStore
  /**
   * How long a call to the store may take, in milliseconds (default 500), the wait for a connection included; then the
   * request fails with 503.
   */
  storeTimeoutMs?: number
}

/** Throws a `TypeError` that names the wrong option. */
export function guardStore({
  store,
  storeTimeoutMs = 500,
}: StoreOptions & Required<Pick<StoreOptions, 'store'>>): GuardedStore {
  checkDuration('storeTimeoutMs', storeTimeoutMs)
  for (const verb of ['create', 'get', 'replace', 'delete', 'list'] as const) {
    if (typeof store?.[verb] !== 'function') {
      const hint =
        'then' in Object(store) ? 'it is a promise, which has to be awaited' : 'see SessionStore'
      throw new TypeError(`store must have a method ${verb}; ${hint}`)
    }
  }

  async function guarded<T>(
    call: (store: SessionStore) => Promise<T>,
    secrets: () => readonly string[] = () => [],
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
    const onConnection = (connected: SessionStore) => {
      // It has been reported as failed, so it must not write now.
      if (isOver) return Promise.reject(expired())
      isWaiting = false
      return call(connected)
    }
    try {
      // Resolved, because a store in JavaScript may return what it has at once.
      return await withDeadline(storeTimeoutMs, expired, () =>
        Promise.resolve(store.withConnection?.(onConnection) ?? call(store)),
      )
    } catch (cause) {
      if (cause instanceof AuthError) throw cause
      throw new AuthError('store_unavailable', 'The session store failed; see cause', {
        cause: redactError(cause, secrets()),
      })
    }
  }

  const safe: Verbs = {
    create: (record) => guarded((store) => store.create(record), secretsOf(record)),
    get: (id) => guarded((store) => store.get(id)),
    replace: (record, expectedVersion) =>
      guarded((store) => store.replace(record, expectedVersion), secretsOf(record)),
    delete: (id) => guarded((store) => store.delete(id)),
    list: (userId) => guarded((store) => store.list(userId)),
    count: (userId) =>
      guarded(async (store) => store.count?.(userId) ?? (await store.list(userId)).length),
    put: (id, value, expiresAt) =>
      guarded(
        async (store) => (store.put ? store.put(id, value, expiresAt) : cannotKeep()),
        () => [id, value],
      ),
    peek: (id) =>
      guarded(
        async (store) => (store.peek ? store.peek(id) : cannotKeep()),
        () => [id],
      ),
    take: (id) =>
      guarded(
        async (store) => (store.take ? store.take(id) : cannotKeep()),
        () => [id],
      ),
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

function cannotKeep(): never {
  throw new AuthError(
    'server_misconfigured',
    `The session store has no ${valueVerbs.join(', ')}, which this needs; see SessionStore`,
  )
}

const secretsOf = (record: SessionRecord) => () => {
  const { openid = '', unionid = '', sealedKey = '', idempotencyKeyHash } = record
  return [openid, unionid, sealedKey, idempotencyKeyHash]
}
