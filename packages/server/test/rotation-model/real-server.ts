import { hashIdempotencyKey } from '../../src/crypto/random-id.js'
import {
  type Auth,
  AuthError,
  createAuth,
  type Session,
  type SessionRecord,
  type SessionStore,
} from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { createClock, testSecret } from '../set-up.js'
import {
  type Answer,
  begin,
  type Key,
  lifetimes,
  recordIn,
  type State,
  type Token,
  weekSeconds,
} from './state.js'
import type { Outcome, Step } from './steps.js'

interface Tokens {
  readonly refresh_token: string
  readonly access_token: string
}

/** A request that waits at its first write. */
interface Held {
  readonly answer: Promise<Tokens | string>
  /** Lets it write. */
  release(): void
  /** Lets nothing of it reach the store any more: its process has died. */
  cut(): void
}

/** What the real server makes of the steps of a story: real tokens, real hooks, a store that can lose writes. */
export async function createRealServer() {
  const { now: startAt, sessions: first } = begin()
  const clock = createClock(startAt)
  const wechat = createFakeWeChat({ now: clock.now })
  let records = new Map<string, SessionRecord>()
  let replica: typeof records | undefined
  let user: string = first[0]?.user ?? ''
  let held: Held | undefined
  const ids: string[] = []
  const tokens = new Map<string, string>()
  const sessions = new Map<string, Session>()

  const isThere = ({ expiresAt }: SessionRecord) => expiresAt * 1000 > clock.now()
  const store: SessionStore = {
    async create(record) {
      const found = records.get(record.id)
      if (found && isThere(found)) return false
      records.set(record.id, record)
      return true
    },
    async get(id) {
      const found = records.get(id)
      return found && isThere(found) ? found : undefined
    },
    async replace(record, expectedVersion) {
      const found = records.get(record.id)
      if (found?.version !== expectedVersion || !isThere(found)) return false
      records.set(record.id, record)
      return true
    },
    async delete(id) {
      records.delete(id)
    },
    async list(userId) {
      return [...records.values()].filter((record) => record.userId === userId && isThere(record))
    },
  }

  const authOn = (store: SessionStore): Auth =>
    createAuth({
      apps: [wechat.app],
      secret: testSecret,
      fetch: wechat.fetch,
      now: clock.now,
      store,
      storeTimeoutMs: 60_000,
      idleTtlSeconds: lifetimes.idleTtlSeconds,
      absoluteTtlSeconds: lifetimes.absoluteTtlSeconds,
      onLogin: () => ({ userId: user }),
      onPhoneNumber: () => ({ userId: 'member' }),
    })
  const auth = authOn(store)

  const nameOf = ({ session, generation }: Token) => `${session}.${generation}`
  const withKey = (key: Key | undefined) =>
    key === undefined ? {} : { idempotencyKey: keyOf(key) }
  const tokenOf = (token: Token) => tokens.get(nameOf(token)) ?? 'none'

  async function begun({ refresh_token, access_token }: Tokens): Promise<void> {
    const session = await auth.authenticate(`Bearer ${access_token}`)
    tokens.set(nameOf({ session: ids.length, generation: 0 }), refresh_token)
    sessions.set(String(ids.length), session)
    ids.push(session.id)
  }

  async function login(key: Key, previous?: { token: Token; key: Key; isSignedOut: boolean }) {
    const answer = await auth.login({
      code: wechat.codeFor('alice'),
      ...withKey(key),
      ...(previous && {
        previousRefreshToken: tokenOf(previous.token),
        previousIdempotencyKey: keyOf(previous.key),
        previousSignedOut: previous.isSignedOut,
      }),
    })
    return answer
  }

  /** Starts a request and lets it go as far as its first write. */
  async function hold(start: (auth: Auth) => Promise<Tokens>): Promise<Held> {
    let release: (() => void) | undefined
    let isCut = false
    const whole = async <T>(call: () => Promise<T>): Promise<T> => {
      if (isCut) throw new Error('its process has died')
      return call()
    }
    let hasWaited = false
    let reached: () => void = () => undefined
    const atWrite = new Promise<void>((resolve) => {
      reached = resolve
    })
    const slow: SessionStore = {
      create: (record) => whole(() => store.create(record)),
      get: (id) => whole(() => store.get(id)),
      async replace(record, expectedVersion) {
        if (!hasWaited) {
          hasWaited = true
          await new Promise<void>((resolve) => {
            release = resolve
            reached()
          })
        }
        return whole(() => store.replace(record, expectedVersion))
      },
      delete: (id) => whole(() => store.delete(id)),
      list: (userId) => whole(() => store.list(userId)),
    }
    const answer = start(authOn(slow)).catch(reasonOf)
    await Promise.race([atWrite, answer])
    return {
      answer,
      release: () => release?.(),
      cut() {
        isCut = true
        release?.()
      },
    }
  }

  async function dropHeld(): Promise<void> {
    held?.cut()
    await held?.answer
    held = undefined
  }

  const refresh =
    ({ token, key }: { token: Token; key: Key | undefined }) =>
    (auth: Auth) =>
      auth.refresh({ refreshToken: tokenOf(token), ...withKey(key) })

  await begun(await login(0))

  return {
    /** Lets a step happen at the real server, and gives its answer, if the backend gives one to it. */
    async take(
      step: Step,
      { presented }: Outcome,
      before: State,
    ): Promise<Tokens | string | undefined> {
      switch (step.do) {
        case 'judge':
        case 'present':
          return presented && refresh(presented)(auth).catch(reasonOf)
        case 'read':
        case 'present slowly':
          held = presented && (await hold(refresh(presented)))
          return undefined
        case 'write': {
          held?.release()
          const answer = await held?.answer
          held = undefined
          const { open } = before
          if (open?.what === 'phone' && typeof answer === 'object') {
            const session = await auth.authenticate(`Bearer ${answer.access_token}`)
            sessions.set(String(open.to), session)
          }
          return answer
        }
        case 'login': {
          const { storage, nextKey } = before
          const untold = storage.kind === 'signed out' ? storage.untold : undefined
          await begun(await login(nextKey, untold && { ...untold, isSignedOut: true }))
          return undefined
        }
        case 'login again': {
          const { storage, nextKey } = before
          if (storage.kind !== 'pair') return undefined
          const answer = await login(nextKey, { ...storage, isSignedOut: false })
          if (!step.isAnswerLost) await begun(answer)
          return undefined
        }
        case 'tell':
        case 'end':
          if (presented) {
            const { token, key } = presented
            await auth.logout({ refreshToken: tokenOf(token), ...withKey(key) })
          }
          return undefined
        case 'phone': {
          const { storage, nextKey } = before
          const from = storage.kind === 'pair' ? storage.token.session : 0
          const session = sessions.get(String(from))
          if (!session) return undefined
          const code = wechat.phoneCodeFor('alice')
          const known = new Set(records.keys())
          held = await hold(
            (auth) =>
              auth.phone({ session, code, ...withKey(nextKey) }) as unknown as Promise<Tokens>,
          )
          const id = [...records.keys()].find((id) => !known.has(id))
          if (id !== undefined) ids.push(id)
          return undefined
        }
        case 'wait':
          await dropHeld()
          return undefined
        case 'week':
          await dropHeld()
          clock.advance(weekSeconds)
          return undefined
        case 'fall behind':
          replica = new Map(records)
          return undefined
        case 'fail over':
          await dropHeld()
          records = replica ?? records
          replica = undefined
          return undefined
        case 'revoke':
          await auth.sessions.revoke({ userId: step.user })
          return undefined
        default:
          return undefined
      }
    },

    /** The account now belongs to whom the model says. */
    setUser(next: string): void {
      user = next
    },

    /** Remembers the real token that stands for one of the model. Whether it is the one that it stood for before. */
    learn(answer: Answer, real: Tokens): boolean {
      if (typeof answer === 'string') return false
      const name = nameOf(answer)
      const known = tokens.get(name)
      tokens.set(name, real.refresh_token)
      return known === undefined || known === real.refresh_token
    },

    /** What the store holds of each session. */
    records: (): readonly (Kept | undefined)[] =>
      ids.map((id) => {
        const record = records.get(id)
        return record && isThere(record) ? keptOf(record) : undefined
      }),
  }
}

/** What the rules look at, and what they write. */
type Kept = ReturnType<typeof keptOf>

function keptOf({
  version,
  userId,
  generation,
  idempotencyKeyHash,
  createdAt,
  lastRefreshAt,
  endsAt,
  expiresAt,
  revokedAt,
  revokedReason,
}: SessionRecord) {
  const times = { createdAt, lastRefreshAt, endsAt, expiresAt }
  const ended = { revokedAt, revokedReason }
  return { version, userId, generation, idempotencyKeyHash, ...times, ...ended }
}

/** The same of the model. */
export function recordsOf(state: State): readonly (Kept | undefined)[] {
  return state.sessions.map((_, session) => {
    const record = recordIn(state, session)
    if (!record) return undefined
    const key = Number(record.idempotencyKeyHash.replace(/\D/g, ''))
    return keptOf({ ...record, idempotencyKeyHash: hashIdempotencyKey(keyOf(key)) })
  })
}

const keyOf = (key: Key) => `key-${String(key).padStart(20, '0')}`

function reasonOf(error: unknown): string {
  if (!(error instanceof AuthError)) return String(error)
  return error.reason ?? error.code
}
