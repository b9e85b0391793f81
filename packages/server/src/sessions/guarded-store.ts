import { AuthError } from '../errors.js'
import type { SessionRecord, SessionStore } from './session.js'

// A swap is lost only to another write on the same session, and writes end: a lost race turns into a retry.
const maxSwaps = 16

/** A store whose calls end in time and fail as `store_unavailable`, and the one way to change a record. */
export interface GuardedStore extends Required<SessionStore> {
  /**
   * Reads the record, lets `decide` look at it, and writes the record that the decision carries, if any, in place of
   * exactly the one that was read. When another write came first it starts again with the new record.
   */
  update<Decision extends { readonly record?: SessionRecord | undefined }>(
    id: string,
    decide: (record: SessionRecord | undefined) => Decision | Promise<Decision>,
  ): Promise<{ before: SessionRecord | undefined; decision: Decision }>
}

export function guardStore(store: SessionStore, timeoutMs: number): GuardedStore {
  async function guarded<T>(call: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new AuthError(
              'store_unavailable',
              `The session store did not answer within ${timeoutMs} ms`,
            ),
          ),
        timeoutMs,
      )
    })
    try {
      return await Promise.race([call(), deadline])
    } catch (cause) {
      if (cause instanceof AuthError) throw cause
      throw new AuthError('store_unavailable', 'The session store failed; see the cause', { cause })
    } finally {
      clearTimeout(timer)
    }
  }

  const safe: Required<SessionStore> = {
    create: (record) => guarded(() => store.create(record)),
    get: (id) => guarded(() => store.get(id)),
    replace: (record, expectedVersion) => guarded(() => store.replace(record, expectedVersion)),
    delete: (id) => guarded(() => store.delete(id)),
    list: (userId) => guarded(() => store.list(userId)),
    count: (userId) =>
      guarded(async () => store.count?.(userId) ?? (await store.list(userId)).length),
    check: () => guarded(async () => store.check?.() ?? []),
  }

  return {
    ...safe,
    async update(id, decide) {
      for (let swap = 0; swap < maxSwaps; swap++) {
        const before = await safe.get(id)
        const decision = await decide(before)
        if (!before || !decision.record) return { before, decision }
        if (await safe.replace(decision.record, before.version)) return { before, decision }
      }
      throw new AuthError('store_unavailable', 'The session is being changed too often; try again')
    },
  }
}
