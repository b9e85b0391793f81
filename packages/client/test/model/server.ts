import {
  type AuthEvent,
  createAuth,
  createMemoryStore,
  type SessionRecord,
  type SessionStore,
} from '@wxlogin/server'
import { createFakeWeChat } from '@wxlogin/server/testing'

export const people = ['alice', 'bob'] as const

export type Server = ReturnType<typeof createServer>

/** The real server. It is made once, which takes longer than a world does, and begins anew for each. */
export function createServer(revocation: 'expiry' | 'immediate') {
  const wechat = createFakeWeChat({ now })
  const memory = createMemoryStore({ now })
  let ids = new Set<string>()
  let aheadMs = 0
  let listener: (event: AuthEvent) => void = () => {}
  // The same person, whom the app has made another user meanwhile.
  const renamed = new Map<string, string>()

  /** True time, which is not the phone's. */
  function now(): number {
    return Date.now() - aheadMs
  }

  const store: SessionStore = {
    ...memory,
    create(record) {
      ids.add(record.id)
      return memory.create(record)
    },
  }

  const auth = createAuth({
    apps: [wechat.app],
    secret: 'a secret for tests, 32 bytes and more',
    fetch: wechat.fetch,
    store,
    now,
    revocation,
    maxSessionsPerUser: 1000,
    onLogin({ openid }, { input }) {
      const person = people.find((name) => wechat.openidOf(name) === openid) ?? 'nobody'
      return { userId: typeof input === 'string' ? input : (renamed.get(person) ?? person) }
    },
    // A second number is that of the person's other account.
    onPhoneNumber: ({ phoneNumber }) => ({ userId: `owner of ${phoneNumber}` }),
    onEvent: (event) => listener(event),
  })

  async function forgetSessions(): Promise<void> {
    for (const id of ids) await memory.delete(id)
    ids = new Set()
  }

  return {
    auth,
    wechat,
    now,

    /** What the phone's clock is ahead of the true time. */
    setAhead(ms: number): void {
      aheadMs = ms
    },

    listen(next: (event: AuthEvent) => void): void {
      listener = next
    },

    /** The person logs in as another user from now on. */
    rename(person: string): void {
      renamed.set(person, `${renamed.get(person) ?? person} again`)
    },

    /** Whose WeChat account made this session, as long as it is known. */
    async personOf(sessionId: string): Promise<string | undefined> {
      const record = await memory.get(sessionId)
      return people.find((name) => wechat.openidOf(name) === record?.openid)
    },

    /** A code of the phone button. */
    phoneCodeFor: (person: string): string => wechat.phoneCodeFor(person),

    /** The sessions that live, and have not been revoked. */
    async livingSessions(): Promise<readonly string[]> {
      const records = await Promise.all([...ids].map((id) => memory.get(id)))
      return records.flatMap((record) =>
        record && record.revokedAt === undefined ? record.id : [],
      )
    },

    /** As a memory store after a restart. */
    forgetSessions,

    async sessions(): Promise<readonly SessionRecord[]> {
      const records = await Promise.all([...ids].map((id) => memory.get(id)))
      return records.flatMap((record) => record ?? [])
    },

    async beginAnew(records: readonly SessionRecord[]): Promise<void> {
      renamed.clear()
      await forgetSessions()
      for (const record of records) await store.create(record)
    },
  }
}
