import { randomUUID } from 'node:crypto'
import { checkNames, type OptionNames } from '../option-checks.js'
import type { SessionRecord, SessionStore } from '../session.js'

/** One thing that a session store must do. Passes if `run` resolves; an error says what is wrong. */
export interface StoreCase {
  readonly name: string
  run(store: SessionStore): Promise<void>
}

export interface StoreCasesOptions {
  /** The clock of the store under test, in milliseconds (default `Date.now`). */
  now?: () => number
  /**
   * Opens the same store over a connection that breaks after `calls` calls to its server, as in a crash. For stores
   * that need several calls to write a record; without it two cases are left out.
   */
  brokenAfter?: (calls: number) => SessionStore
}

const names: OptionNames<StoreCasesOptions> = { now: true, brokenAfter: true }

/**
 * What every {@link SessionStore} must do, as a list without a test runner. The cases use ids of their own, so they
 * can share one store, run in any order and be run again.
 *
 * @example
 * for (const { name, run } of storeCases()) test(name, () => run(store))
 */
export function storeCases(options: StoreCasesOptions = {}): readonly StoreCase[] {
  checkNames('storeCases', options, names)
  const { now = Date.now, brokenAfter } = options
  const fresh = (changes: Partial<SessionRecord> = {}): SessionRecord => {
    const createdAt = Math.floor(now() / 1000)
    const live: LiveMembers = {
      v: 1,
      id: uniqueName(),
      version: 1,
      userId: uniqueName(),
      appId: 'wx0000000000000001',
      kind: 'website',
      method: 'code',
      openid: uniqueName(),
      unionid: uniqueName(),
      device: '手机 📱',
      sealedKey: 'kid.c2VhbGVk',
      generation: 0,
      idempotencyKeyHash: uniqueName(),
      loginIdempotencyKeyHash: uniqueName(),
      approvedBy: uniqueName(),
      data: { name: '小明', tags: ['a', null, 1.5, true], nested: { deep: {} } },
      createdAt,
      authenticatedAt: createdAt,
      lastRefreshAt: createdAt,
      endsAt: createdAt + 1000,
      expiresAt: createdAt + 500,
    }
    return { ...live, ...changes }
  }
  const next = (record: SessionRecord, changes: Partial<SessionRecord> = {}): SessionRecord => ({
    ...record,
    version: record.version + 1,
    ...changes,
  })
  const inAWhile = () => Math.floor(now() / 1000) + 500
  const dead = () => {
    const past = Math.floor(now() / 1000) - 10
    return { createdAt: past - 100, lastRefreshAt: past - 100, expiresAt: past }
  }

  const cases: readonly StoreCase[] = [
    {
      name: 'a created record is read back as it was',
      async run(store) {
        const record = fresh()
        isCreated(await store.create(record), 'create')
        same(await store.get(record.id), record, 'get')
      },
    },
    {
      name: 'a record without its optional members is read back without them',
      async run(store) {
        const {
          kind: _k,
          unionid: _u,
          device: _d,
          sealedKey: _s,
          loginIdempotencyKeyHash: _l,
          approvedBy: _a,
          data: _data,
          ...record
        } = fresh()
        await store.create(record)
        same(await store.get(record.id), record, 'get')
      },
    },
    {
      name: 'every member is read back, and one that a later version has',
      async run(store) {
        const revokedAt = fresh().createdAt
        // While a new version comes, both write to one store: what the older one does not know has to stay.
        const later = { a: [1, { b: '小' }] }
        const record = { ...fresh({ revokedAt, revokedReason: 'banned' }), later }
        await store.create(record)
        same(await store.get(record.id), record, 'get')
        same(await store.list(record.userId), [record], 'list')
        const rotated = { ...next(record, { generation: 1 }), later: { ...later, c: true } }
        same(await store.replace(rotated, 1), true, 'replace')
        same(await store.get(record.id), rotated, 'get after replace')
        same(await store.list(record.userId), [rotated], 'list after replace')
      },
    },
    {
      name: 'any text is read back as it was',
      async run(store) {
        const text = '"\'`\\%_?$1:{}[],\n\u0000\u2028\ud800","userId":"thief"'
        const record = fresh({ userId: `${uniqueName()} "'\\%:{x}é用户📱`, data: { text } })
        await store.create(record)
        same(await store.get(record.id), record, 'get')
        same(await store.list(record.userId), [record], 'list')
        const moved = next(record, { device: text, userId: `${record.userId}2` })
        same(await store.replace(moved, 1), true, 'replace')
        same(await store.list(moved.userId), [moved], 'list after replace')
      },
    },
    {
      name: 'a long record is read back as it was',
      async run(store) {
        const record = fresh({ data: '小'.repeat(70_000) })
        await store.create(record)
        same((await store.get(record.id))?.data === record.data, true, 'the same data')
      },
    },
    {
      name: 'an unknown id is undefined, and an unknown user has no records',
      async run(store) {
        same(await store.get(uniqueName()), undefined, 'get')
        same(await store.get('id that nobody made, 用户'), undefined, 'get of an odd id')
        same(await store.list(uniqueName()), [], 'list')
      },
    },
    {
      name: 'ids and users that differ by case or by a space are different',
      async run(store) {
        const record = fresh({ id: `${uniqueName()}a`, userId: `${uniqueName()}a` })
        const other = fresh({
          id: record.id.replace(/a$/, 'A'),
          userId: record.userId.replace(/a$/, 'A'),
        })
        isCreated(await store.create(record), 'the first create')
        isCreated(await store.create(other), 'the second create')
        same(await store.get(record.id), record, 'get')
        same(await store.list(record.userId), [record], 'list')
        same(await store.list(`${record.userId} `), [], 'list of a user with a space more')
        same(await store.list(record.userId.slice(0, -1)), [], 'list of a user with a letter less')
      },
    },
    {
      name: 'create never overwrites',
      async run(store) {
        const record = fresh()
        await store.create(record)
        same(await store.create(next(record, { userId: 'thief' })), false, 'the second create')
        same(await store.get(record.id), record, 'get')
        same(await store.list('thief'), [], "the other user's list")
      },
    },
    {
      name: 'of many creates with one id a single one wins',
      async run(store) {
        const record = fresh()
        const rivals = Array.from({ length: 20 }, (_, n) => ({ ...record, generation: n }))
        const won = await Promise.all(rivals.map((rival) => store.create(rival)))
        same(won.filter(Boolean).length, 1, 'the number of winners')
        same((await store.get(record.id))?.generation, won.findIndex(Boolean), 'the record')
      },
    },
    {
      name: 'a create that says how many records a user has counts all that were created',
      async run(store) {
        const { userId } = fresh()
        const records = Array.from({ length: 20 }, () => fresh({ userId }))
        const results = await Promise.all(records.map((record) => store.create(record)))
        const counts = results.map((result) => (typeof result === 'object' ? result.count : 20))
        // Whoever comes last has to see the others, or each would find too few to evict any.
        same(Math.max(...counts), 20, 'the largest count of twenty creates at once')
      },
    },
    {
      name: 'replace writes over the expected version',
      async run(store) {
        const record = fresh()
        await store.create(record)
        const { data: _data, ...rotated } = next(record, {
          generation: 1,
          idempotencyKeyHash: uniqueName(),
        })
        same(await store.replace(rotated, 1), true, 'replace')
        same(await store.get(record.id), rotated, 'get')
      },
    },
    {
      name: 'replace leaves another version alone',
      async run(store) {
        const record = fresh({ version: 5 })
        await store.create(record)
        same(
          await store.replace(next(record, { generation: 1 }), 4),
          false,
          'replace of an older version',
        )
        same(
          await store.replace(next(record, { generation: 1 }), 6),
          false,
          'replace of a newer version',
        )
        same(await store.get(record.id), record, 'get')
      },
    },
    {
      name: 'replace with the same content still tells that it won',
      async run(store) {
        const record = fresh()
        await store.create(record)
        same(await store.replace(record, 1), true, 'replace')
      },
    },
    {
      name: 'replace never creates',
      async run(store) {
        const record = fresh()
        same(await store.replace(record, 1), false, 'replace of an unknown record')
        same(await store.get(record.id), undefined, 'get')
        await store.create(record)
        await store.delete(record.id)
        same(await store.replace(next(record), 1), false, 'replace of a deleted record')
        same(await store.get(record.id), undefined, 'get after delete')
        same(await store.list(record.userId), [], 'list')
      },
    },
    {
      name: 'of many replaces of one version a single one wins',
      async run(store) {
        const record = fresh()
        await store.create(record)
        const rivals = Array.from({ length: 20 }, (_, n) => next(record, { generation: n + 1 }))
        const won = await Promise.all(rivals.map((rival) => store.replace(rival, 1)))
        same(won.filter(Boolean).length, 1, 'the number of winners')
        same((await store.get(record.id))?.generation, won.indexOf(true) + 1, 'the record')
      },
    },
    {
      name: 'a record past its expiresAt is gone from get and list',
      async run(store) {
        const record = fresh(dead())
        await store.create(record)
        same(await store.get(record.id), undefined, 'get')
        same(await store.list(record.userId), [], 'list')
      },
    },
    {
      name: 'an id is free again when its record is past its expiresAt',
      async run(store) {
        const record = fresh()
        await store.create({ ...record, ...dead() })
        isCreated(await store.create(record), 'create')
        same(await store.get(record.id), record, 'get')
        same(await store.list(record.userId), [record], 'list')
      },
    },
    {
      name: 'replace sets a new expiresAt',
      async run(store) {
        const record = fresh()
        await store.create(record)
        const extended = next(record, { expiresAt: record.endsAt })
        await store.replace(extended, 1)
        same(await store.list(record.userId), [extended], 'list')
        await store.replace(next(extended, { expiresAt: dead().expiresAt }), 2)
        same(await store.get(record.id), undefined, 'get')
        same(await store.list(record.userId), [], 'list after the end')
      },
    },
    {
      name: 'a record that ends now is gone, as one that ended before',
      async run(store) {
        const record = fresh()
        await store.create(record)
        const ended = next(record, { expiresAt: Math.floor(now() / 1000) })
        same(await store.replace(ended, 1), true, 'replace')
        same(await store.get(record.id), undefined, 'get')
        same(await store.list(record.userId), [], 'list')
      },
    },
    {
      name: 'replace of an expired record fails',
      async run(store) {
        const record = fresh(dead())
        await store.create(record)
        same(
          await store.replace(next(record, { expiresAt: fresh().expiresAt }), 1),
          false,
          'replace',
        )
        same(await store.get(record.id), undefined, 'get')
      },
    },
    {
      name: "list gives a user's live records, newest first, and nobody else's",
      async run(store) {
        const now = fresh()
        const records = [30, 10, 20].map((age) =>
          fresh({ userId: now.userId, createdAt: now.createdAt - age }),
        )
        for (const record of [...records, fresh()]) await store.create(record)
        const [oldest, newest, middle] = records
        same(await store.list(now.userId), [newest, middle, oldest], 'list')
      },
    },
    {
      name: 'list gives them all, however many, and count is not below',
      async run(store) {
        const { userId } = fresh()
        const revoked = { revokedAt: fresh().createdAt, revokedReason: 'revoked' }
        const records = Array.from({ length: 130 }, (_, n) =>
          fresh({ userId, ...(n % 2 === 1 && revoked) }),
        )
        for (const record of records) await store.create(record)
        for (const { id } of records.slice(110)) await store.delete(id)
        const listed = await store.list(userId)
        same(
          listed.map(({ id }) => id).sort(),
          records
            .slice(0, 110)
            .map(({ id }) => id)
            .sort(),
          'list',
        )
        const count = (await store.count?.(userId)) ?? 110
        same(count >= 110, true, 'a count of at least those that list gives')
        same((await store.count?.(uniqueName())) ?? 0, 0, "nobody's count")
      },
    },
    {
      name: 'list shows what replace wrote',
      async run(store) {
        const record = fresh()
        await store.create(record)
        const revoked = next(record, { revokedAt: record.createdAt, revokedReason: 'revoked' })
        await store.replace(revoked, 1)
        same(await store.list(record.userId), [revoked], 'list')
      },
    },
    {
      name: "a record that moves to another user leaves the first user's list",
      async run(store) {
        const record = fresh()
        await store.create(record)
        const moved = next(record, { userId: uniqueName() })
        await store.replace(moved, 1)
        same(await store.list(record.userId), [], "the first user's list")
        same(await store.list(moved.userId), [moved], "the second user's list")
      },
    },
    {
      name: 'delete removes a record from get and list, and may be repeated',
      async run(store) {
        const record = fresh()
        const other = fresh({ userId: record.userId })
        await store.create(record)
        await store.create(other)
        await store.delete(record.id)
        await store.delete(record.id)
        same(await store.get(record.id), undefined, 'get')
        same(await store.list(record.userId), [other], 'list')
      },
    },
    {
      name: 'a deleted id may be created again',
      async run(store) {
        const record = fresh()
        await store.create(record)
        await store.delete(record.id)
        isCreated(await store.create(record), 'create')
        same(await store.list(record.userId), [record], 'list')
      },
    },
    {
      name: 'what a caller does to a record later does not reach the store',
      async run(store) {
        const data = { role: 'user' }
        const record = fresh({ data })
        await store.create(record)
        data.role = 'admin'
        same(await store.get(record.id), { ...record, data: { role: 'user' } }, 'get')
      },
    },
    {
      name: 'a store has all of put, peek and take, or none',
      async run({ put, peek, take }) {
        const kinds = [put, peek, take].map((verb) => typeof verb)
        same(new Set(kinds).size, 1, `the kinds of put, peek and take (${kinds.join(', ')})`)
      },
    },
    ofValues('what is put is there until it is taken, once', async (store) => {
      const id = uniqueId()
      same(await store.peek(id), undefined, 'peek before put')
      same(await store.take(id), undefined, 'take before put')
      same(await store.put(id, 'what asks', inAWhile()), true, 'put')
      same(await store.peek(id), 'what asks', 'peek')
      same(await store.peek(id), 'what asks', 'peek again')
      same(await store.take(id), 'what asks', 'take')
      same(await store.take(id), undefined, 'take again')
      same(await store.peek(id), undefined, 'peek after take')
    }),
    ofValues('put never overwrites, and an id that was taken is free again', async (store) => {
      const id = uniqueId()
      await store.put(id, 'first', inAWhile())
      same(await store.put(id, 'second', inAWhile()), false, 'the second put')
      same(await store.take(id), 'first', 'take')
      same(await store.put(id, 'third', inAWhile()), true, 'the third put')
      same(await store.take(id), 'third', 'take of the third')
    }),
    ofValues('of many puts with one id a single one wins', async (store) => {
      const id = uniqueId()
      const rivals = Array.from({ length: 20 }, (_, n) => store.put(id, `rival ${n}`, inAWhile()))
      const won = await Promise.all(rivals)
      same(won.filter(Boolean).length, 1, 'the number of winners')
      same(await store.take(id), `rival ${won.indexOf(true)}`, 'take')
    }),
    ofValues('of many takes at once a single one gets it', async (store) => {
      for (let round = 0; round < 5; round++) {
        const id = uniqueId()
        await store.put(id, 'once', inAWhile())
        const got = await Promise.all(Array.from({ length: 20 }, () => store.take(id)))
        same(
          got.filter((value) => value !== undefined),
          ['once'],
          `what was taken in round ${round}`,
        )
      }
    }),
    ofValues('what was put is gone at its end, and its id is free again', async (store) => {
      const id = uniqueId()
      const end = Math.floor(now() / 1000)
      await store.put(id, 'over', end)
      same(await store.peek(id), undefined, 'peek')
      same(await store.take(id), undefined, 'take')
      await store.put(id, 'over', end - 10)
      same(await store.put(id, 'new', inAWhile()), true, 'the next put')
      same(await store.take(id), 'new', 'take of the next')
    }),
    ofValues('any text that is put is read back as it was', async (store) => {
      const text = `"'\`\\%_?$1:{}[],\n\u0000\u2028 小明 📱 ${'x'.repeat(3000)} `
      const id = `~!${uniqueId()}`
      await store.put(id, text, inAWhile())
      same(await store.peek(id), text, 'peek')
      same(await store.take(id), text, 'take')
      await store.put(id, '', inAWhile())
      same(await store.take(id), '', 'take of an empty text')
    }),
    ofValues('what is put and sessions with the same id are apart', async (store) => {
      const record = fresh({ id: uniqueId() })
      same(await store.put(record.id, 'text', inAWhile()), true, 'put')
      same(await store.get(record.id), undefined, 'get')
      isCreated(await store.create(record), 'create')
      await store.delete(record.id)
      same(await store.peek(record.id), 'text', 'peek')
      isCreated(await store.create(record), 'the next create')
      same(await store.take(record.id), 'text', 'take')
      same(await store.take(record.id), undefined, 'take again')
      same(await store.get(record.id), record, 'get at last')
    }),
  ]

  if (!brokenAfter) return cases
  return [
    ...cases,
    {
      name: 'a create that breaks off leaves no record that list does not show',
      async run(store) {
        await untilItHolds(async (calls) => {
          const record = fresh()
          const isDone = await settles(brokenAfter(calls).create(record))
          const stored = await store.get(record.id)
          same(
            await store.list(record.userId),
            stored ? [record] : [],
            `list, after ${calls} calls`,
          )
          if (!stored) isCreated(await store.create(record), 'the next create')
          same(await store.list(record.userId), [record], `list at last, after ${calls} calls`)
          return isDone
        })
      },
    },
    {
      name: 'a move to another user that breaks off leaves the record in the list of the user it has',
      async run(store) {
        await untilItHolds(async (calls) => {
          const record = fresh()
          await store.create(record)
          const moved = next(record, { userId: uniqueName() })
          const isDone = await settles(brokenAfter(calls).replace(moved, 1))
          const stored = await store.get(record.id)
          const [first, second] = stored?.userId === moved.userId ? [[], [moved]] : [[record], []]
          same(await store.list(record.userId), first, `the first list, after ${calls} calls`)
          same(await store.list(moved.userId), second, `the second list, after ${calls} calls`)
          return isDone
        })
      },
    },
  ]
}

/** All but those of a tombstone: a member that is left out does not compile. */
type LiveMembers = Required<Omit<SessionRecord, 'revokedAt' | 'revokedReason'>>

/** A case for a store that has these verbs; one that has none of them need not. */
function ofValues(name: string, run: (store: ValueStore) => Promise<void>): StoreCase {
  return {
    name,
    async run(store) {
      if (keepsValues(store)) await run(store)
    },
  }
}

type ValueStore = SessionStore & Required<Pick<SessionStore, 'put' | 'peek' | 'take'>>

const keepsValues = (store: SessionStore): store is ValueStore =>
  Boolean(store.put && store.peek && store.take)

/** Tries with one call more each time, until the connection lasts. */
async function untilItHolds(attempt: (calls: number) => Promise<boolean>): Promise<void> {
  for (let calls = 0; calls < 100; calls++) {
    if (await attempt(calls)) return
  }
  throw new Error('brokenAfter: the connection still breaks after 100 calls')
}

/** Throws unless a create said that it has added its record. */
function isCreated(result: Awaited<ReturnType<SessionStore['create']>>, what: string): void {
  const isCounted = typeof result === 'object' && Number.isSafeInteger(result.count)
  same(result === true || (isCounted && result.count > 0), true, what)
}

const settles = (call: Promise<unknown>) =>
  call.then(
    () => true,
    () => false,
  )

// As long as an id of put may be, with the two characters that a case adds.
const uniqueId = () => `${uniqueName()}-case`

const uniqueName = () => `case-${randomUUID()}`

/** Whether two values are the same as JSON, whatever the order of their members. */
function same(actual: unknown, expected: unknown, what: string): void {
  if (canonical(actual) === canonical(expected)) return
  throw new Error(`${what}: expected ${canonical(expected)}, got ${canonical(actual)}`)
}

function canonical(value: unknown): string | undefined {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`)
  return `{${members.join(',')}}`
}
