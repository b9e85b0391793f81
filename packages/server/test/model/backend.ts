import type { FakeNetworkRequest, FakeNetworkResponse } from '../../../client/src/testing/index.js'
import {
  createAuth,
  createMemoryStore,
  type SessionRecord,
  type SessionStore,
} from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'
import { delaysUnderWay } from './fake-delay.js'
import {
  begun,
  isHeldAlive,
  type ModelSession,
  type ModelToken,
  present,
  presentCodeAgain,
  presentToEnd,
  revoked,
} from './session-model.js'

export const baseUrl = 'https://api.example.com'

type Request = Omit<FakeNetworkRequest, 'signal'>

/** What a device holds: a generation of a session, and the key that it is to be presented with. */
interface Held {
  readonly id: string
  readonly generation: number
  readonly since: number
}

interface KnownSession extends ModelSession {
  readonly userId: string
}

interface LoginRequest {
  readonly code: string
  readonly key: string
  readonly previous: Held | undefined
  readonly previousKey: string | undefined
}

const endings = new Map<string, 'reused' | 'quietly'>([
  ['reused', 'reused'],
  ['unknown', 'quietly'],
])

const tokenOf = ({ generation: p, since }: Held, k: string | undefined): ModelToken => ({
  p,
  k,
  since,
})

export type Backend = ReturnType<typeof createBackend>

/**
 * The real server on the real memory store, and the model beside it: whatever the server answers is compared with what
 * the model says. Requests are served one after the other; races within the server have a test of their own.
 */
export function createBackend({
  revocation,
  hasThief,
  count,
}: {
  revocation: 'expiry' | 'immediate'
  hasThief: boolean
  count: (what: string) => void
}) {
  const violations: string[] = []
  const memory = createMemoryStore()
  const wechat = createFakeWeChat()
  const ids = new Set<string>()
  const idsByCode = new Map<string, string>()
  const keysByCode = new Map<string, string>()
  const tokens = new Map<string, Held>()
  const accessTokens = new Map<string, { id: string; expiresAt: number }>()
  const grants = new Map<string, string>()
  let sessions = new Map<string, KnownSession>()
  let backup: { records: SessionRecord[]; sessions: Map<string, KnownSession> } | undefined
  let storeFault: 'before' | 'after' | undefined
  let hasStoreFailed = false
  let createdId: string | undefined
  let isServing = false
  let lastServed: Promise<void> = Promise.resolve()

  const faulty =
    <A extends unknown[], R>(verb: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const fault = storeFault
      storeFault = undefined
      if (!fault) return verb(...args)
      hasStoreFailed = true
      if (fault === 'after') await verb(...args)
      throw new Error('the store broke')
    }

  const store: SessionStore = {
    create: faulty(async (record) => {
      ids.add(record.id)
      createdId = record.id
      return memory.create(record)
    }),
    get: faulty(memory.get),
    replace: faulty(memory.replace),
    delete: faulty(memory.delete),
    list: faulty(memory.list),
  }

  const auth = createAuth({
    apps: [wechat.app],
    secret: testSecret,
    fetch: wechat.fetch,
    store,
    revocation,
    maxSessionsPerUser: 1000,
    onLogin: ({ openid }) => ({
      userId: openid === wechat.openidOf('alice') ? 'alice' : 'mallory',
    }),
  })

  const nowSeconds = () => Math.floor(Date.now() / 1000)

  function violate(what: string): void {
    violations.push(what)
  }

  /** What a store that failed has kept is not known until it is asked. */
  async function readAgain(): Promise<void> {
    for (const id of ids) {
      const record = await memory.get(id)
      if (!record) {
        sessions.delete(id)
        continue
      }
      const { userId, generation, idempotencyKeyHash: keyHash, createdAt, expiresAt } = record
      const { revokedReason, lastRefreshAt: refreshedAt } = record
      const ended = revokedReason && (endings.get(revokedReason) ?? 'revoked')
      const times = { createdAt, refreshedAt, expiresAt }
      sessions.set(id, { userId, generation, keyHash, ...times, ...(ended && { ended }) })
    }
  }

  /** A generation has one refresh token, however often it is asked for, and a refresh token is of one generation. */
  function learn(answer: Readonly<Record<string, unknown>>, id: string, generation: number): void {
    const text = String(answer.refresh_token)
    const known = tokens.get(text)
    if (known ? known.id !== id || known.generation !== generation : holdsAnother(id, generation)) {
      violate(`the answer is not the refresh token of generation ${generation}`)
    }
    tokens.set(text, { id, generation, since: sessions.get(id)?.createdAt ?? 0 })
    accessTokens.set(String(answer.access_token), {
      id,
      expiresAt: nowSeconds() + Number(answer.expires_in),
    })
  }

  const holdsAnother = (id: string, generation: number) =>
    [...tokens.values()].some((held) => held.id === id && held.generation === generation)

  function judgeRefresh(held: Held | undefined, key: string, status: number, answer: Answer): void {
    if (!held) return void violate('a refresh token was sent that nobody was ever given')
    const expected = present(sessions.get(held.id), tokenOf(held, key), nowSeconds())
    count(`refresh ${expected.outcome}`)
    if (expected.outcome === 'reused' && !hasThief) {
      violate('an honest user is taken for a thief')
    }
    const session = sessions.get(held.id)
    if (session && expected.next) sessions.set(held.id, { ...session, ...expected.next })

    const isRefused = 'reasons' in expected || expected.outcome === 'reused'
    if (isRefused) {
      const reasons = 'reasons' in expected ? expected.reasons : ['reused']
      if (
        status !== 400 ||
        answer.error !== 'invalid_grant' ||
        !reasons.includes(String(answer.reason))
      ) {
        violate(
          `a refresh that must be refused as ${reasons} got ${status} ${answer.error} ${answer.reason}`,
        )
      }
      return
    }
    if (status !== 200) {
      return void violate(
        `a refresh that must be ${expected.outcome} got ${status} ${answer.error} ${answer.reason}`,
      )
    }
    learn(answer, held.id, held.generation + 1)
    const grant = `${held.id} ${held.generation}`
    if ((grants.get(grant) ?? key) !== key) violate('two holders were given one generation')
    grants.set(grant, key)
  }

  /** A token that ends its session: `isNewest` if it speaks for the user. */
  function endBy(held: Held | undefined, key: string | undefined): { isNewest: boolean } {
    const session = held && sessions.get(held.id)
    if (!held || !session) return { isNewest: false }
    const fate = presentToEnd(session, tokenOf(held, key), nowSeconds())
    count(`end by token: ${fate.outcome}`)
    if (fate.next) sessions.set(held.id, { ...session, ...fate.next })
    if (fate.outcome === 'reused' && !hasThief) violate('an honest user ends a session as a thief')
    return fate
  }

  function judgeLogin(
    { code, previous, previousKey, key }: LoginRequest,
    status: number,
    answer: Answer,
  ): void {
    const id = idsByCode.get(code) ?? ''
    const earlier = sessions.get(id)
    const verdict = keysByCode.has(code)
      ? presentCodeAgain(earlier, keysByCode.get(code) === key, nowSeconds())
      : 'created'
    count(`login ${verdict}`)
    if (verdict === 'ended') violate('one code came with two keys')
    if (verdict === 'refused' || verdict === 'ended') {
      if (status !== 400 || answer.error !== 'invalid_code') {
        violate(`a used code got ${status} ${answer.error}`)
      }
      return
    }
    if (status !== 200)
      return void violate(`a login that is ${verdict} got ${status} ${answer.error}`)
    if (verdict === 'created') {
      keysByCode.set(code, key)
      sessions.set(id, { userId: String(answer.user_id), ...begun(key, nowSeconds()) })
    }
    learn(answer, id, 0)
    if (previous?.id !== id) endBy(previous, previousKey)
  }

  function judgeLogout(
    { held, key, everywhere }: { held: Held | undefined; key: string; everywhere: boolean },
    status: number,
  ): void {
    count('logout')
    if (status !== 204) violate(`a logout got ${status}`)
    const userId = held && sessions.get(held.id)?.userId
    const { isNewest } = endBy(held, key || undefined)
    if (everywhere && isNewest && userId) endAllOf(userId, held.id)
  }

  function endAllOf(userId: string, except?: string): void {
    for (const [id, session] of sessions) {
      if (session.userId === userId && id !== except && !session.ended) {
        sessions.set(id, { ...session, ...revoked(session) })
      }
    }
  }

  async function serveAuth(
    path: string,
    { method, header, body }: Request,
  ): Promise<FakeNetworkResponse> {
    const parsed = JSON.parse(String(body))
    const key = header['idempotency-key'] ?? ''
    const { code } = parsed
    const held = tokens.get(parsed.refresh_token)
    const previous = tokens.get(parsed.previous_refresh_token)
    const previousKey: string | undefined = parsed.previous_idempotency_key
    hasStoreFailed = false
    createdId = undefined
    const startedAtMs = Date.now()

    const response = await auth.handle({
      method,
      path,
      header: (name) => header[name.toLowerCase()],
      body: { parsed },
    })

    const { status } = response
    const answer: Answer = JSON.parse(response.body ?? '{}')
    if (createdId !== undefined && code !== undefined) idsByCode.set(code, createdId)
    if (Date.now() !== startedAtMs) {
      // It waited for a sibling that might still make this session, and meanwhile others were served.
      count('login refused late')
      if (answer.error !== 'invalid_code' && answer.error !== 'store_unavailable') {
        violate(`a used code got ${status}`)
      }
      await readAgain()
    } else if (hasStoreFailed) {
      count('store failed')
      if (code !== undefined) keysByCode.set(code, key)
      await readAgain()
      const id = code === undefined ? undefined : idsByCode.get(code)
      // What failed may have been beside the point; then a code whose session has ended is refused as ever.
      const isOver = answer.error === 'invalid_code' && sessions.get(id ?? '')?.ended !== undefined
      if (status === 200 && id !== undefined) learn(answer, id, 0)
      else if (status !== 503 && status !== 204 && !isOver) {
        violate(`${path} got ${status} ${answer.error} from a store that failed`)
      }
    } else if (path === '/refresh') judgeRefresh(held, key, status, answer)
    else if (path === '/login') judgeLogin({ code, previous, previousKey, key }, status, answer)
    else if (path === '/logout') {
      judgeLogout({ held, key, everywhere: parsed.everywhere === true }, status)
    } else violate(`there is no ${path}`)
    return { statusCode: status, header: response.headers, body: response.body ?? '' }
  }

  /** A route of the app: who is asking? */
  async function serveApp({ header }: Request): Promise<FakeNetworkResponse> {
    const { authorization = '' } = header
    hasStoreFailed = false

    const { response, session } = { session: undefined, ...(await auth.guard(authorization)) }

    const token = accessTokens.get(authorization.replace('Bearer ', ''))
    if (!token) violate('an access token was sent that nobody was ever given')
    else if (!hasStoreFailed) {
      const { ended = 'unknown', expiresAt = 0 } = sessions.get(token.id) ?? {}
      const isLive = sessions.has(token.id) && ended === 'unknown' && expiresAt > nowSeconds()
      const isValid =
        Date.now() / 1000 < token.expiresAt + 30 && (revocation === 'expiry' || isLive)
      if (isValid === !session) {
        violate(
          `an access token that is ${isValid ? '' : 'not '}valid got ${response?.status ?? 200}`,
        )
      }
    }
    count(session ? 'request served' : 'request refused')
    return response
      ? { statusCode: response.status, header: response.headers, body: response.body ?? '' }
      : { statusCode: 200, header: {}, body: JSON.stringify({ userId: session?.userId }) }
  }

  return {
    violations,
    violate,
    wechat,

    /** One request at a time, so that the model knows which one changed what. */
    async serve(request: Request): Promise<FakeNetworkResponse> {
      const before = lastServed
      let done = () => {}
      lastServed = new Promise((resolve) => {
        done = resolve
      })
      await before
      isServing = true
      try {
        const path = request.url.slice(baseUrl.length)
        return await (path.startsWith('/wx/')
          ? serveAuth(path.slice(3), request)
          : serveApp(request))
      } catch (error) {
        violate(`the test itself broke: ${error}`)
        throw error
      } finally {
        isServing = false
        done()
      }
    },

    /** Whether the server works, and does not wait for the clock. */
    isBusy: () => isServing && delaysUnderWay() === 0,

    async revoke(userId: string): Promise<void> {
      hasStoreFailed = false
      await auth.sessions.revoke({ userId }).then(
        () => endAllOf(userId),
        () => undefined,
      )
      if (hasStoreFailed) await readAgain()
    },

    failStore(how: 'before' | 'after'): void {
      storeFault = how
    },

    async takeBackup(): Promise<void> {
      const records = await Promise.all([...ids].map((id) => memory.get(id)))
      backup = { records: records.flatMap((record) => record ?? []), sessions: new Map(sessions) }
    },

    /** The store is what it was at the backup. What WeChat knows about codes is not undone. */
    async restoreBackup(): Promise<void> {
      if (!backup) return
      for (const id of ids) await memory.delete(id)
      for (const record of backup.records) await memory.create(record)
      sessions = new Map(backup.sessions)
      grants.clear()
    },

    heal(): void {
      storeFault = undefined
    },

    /** Whether a device that holds this can go on without a login. */
    isAlive(refreshToken: string, key: string): boolean {
      const held = tokens.get(refreshToken)
      return (
        held !== undefined && isHeldAlive(sessions.get(held.id), tokenOf(held, key), nowSeconds())
      )
    },

    ownerOf: (refreshToken: string) => sessions.get(tokens.get(refreshToken)?.id ?? '')?.userId,

    isOver(refreshToken: string): boolean {
      const session = sessions.get(tokens.get(refreshToken)?.id ?? '')
      return !session || session.ended !== undefined
    },
  }
}

type Answer = Readonly<Record<string, unknown>>
