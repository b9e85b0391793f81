import { setTimeout as delay } from 'node:timers/promises'
import { idempotencyHeader, type TokenAnswer } from '@wxlogin/shared'
import {
  type Auth,
  type AuthEvent,
  type AuthResponse,
  createAuth,
  type SessionStore,
} from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { newKey, testSecret } from '../set-up.js'

/** How long every phone may take to work again, in milliseconds. */
export const recoveryLimitMs = 5000

export interface TrafficOptions {
  /** One per instance of the backend; a phone meets any of them. */
  readonly stores: readonly SessionStore[]
  readonly phones?: number
  /** Pairs of parties that hold the same token, each with keys of its own. */
  readonly duels?: number
  readonly storeTimeoutMs?: number
}

export interface Figures {
  readonly requests: number
  /** Answers that were a 503. */
  readonly unavailable: number
  /** Requests that were sent again, with the same key. */
  readonly retries: number
  readonly rotations: number
  readonly heals: number
  /** Sessions that the store lost as a whole, with the login that made them. */
  readonly forgotten: number
  readonly duels: number
  /** Duels in which both parties went on. */
  readonly doubleWins: number
  readonly recoveryMs: number
}

export interface Traffic {
  /** Resolves when every phone has had a token since now. */
  flows(): Promise<void>
  /** Resolves when every phone has been told that the store is unavailable since now. */
  isRefused(): Promise<void>
  /** What is committed from now on may get lost. */
  mayLose(): void
  /** Resolves when a phone has been told so; others may have met the store when it was back already. */
  isRefusedToSome(): Promise<void>
  /** Says that the store is as it was. Resolves when every phone has had a token, started since now. */
  recovers(): Promise<void>
  /** Lets the phones finish, and has each use its session once more. */
  end(): Promise<Figures>
  readonly figures: Figures
  /** What must not have happened. */
  readonly violations: readonly string[]
}

interface Held {
  readonly id: string
  readonly refreshToken: string
  readonly accessToken: string
  /** The key that goes with the refresh token, however often it is sent. */
  readonly key: string
  /** When the answer to its login came. */
  readonly loggedInMs: number
}

interface Reply {
  readonly status: number
  readonly error?: string
  readonly reason?: string
  readonly tokens?: TokenAnswer
}

/** Phones that log in, refresh, ask and log out without end, by the routes, as the client of this project does. */
export function startTraffic({
  stores,
  phones = 20,
  duels = 2,
  storeTimeoutMs = 500,
}: TrafficOptions): Traffic {
  const wechat = createFakeWeChat()
  const instances = stores.map((store) =>
    createAuth({
      apps: [wechat.app],
      secret: testSecret,
      fetch: wechat.fetch,
      store,
      storeTimeoutMs,
      onEvent,
    }),
  )
  const figures = {
    requests: 0,
    unavailable: 0,
    retries: 0,
    rotations: 0,
    heals: 0,
    forgotten: 0,
    duels: 0,
    doubleWins: 0,
    recoveryMs: 0,
  }
  const violations = new Set<string>()
  // Of parties that duel: theirs end on purpose.
  const contested = new Set<string>()
  const served = new Map<string, number>()
  const refused = new Map<string, number>()
  const names = Array.from({ length: phones }, (_, n) => `phone ${n + 1}`)
  let lossFromMs = Number.POSITIVE_INFINITY
  let lossUntilMs = Number.POSITIVE_INFINITY
  let isOver = false
  let givesUpAtMs = Number.POSITIVE_INFINITY

  function onEvent(event: AuthEvent): void {
    if (event.type === 'refresh' && event.outcome === 'rotated') figures.rotations++
    if (event.type === 'refresh' && event.outcome === 'healed') figures.heals++
    if (event.type === 'revoked' && !contested.has(event.sessionId)) {
      violations.add(`a session was revoked: ${event.reason}`)
    }
    if (event.type === 'failure' && event.code !== 'store_unavailable') {
      violations.add(`an instance failed with ${event.code}`)
    }
  }

  /** Between two attempts. Rejects when the traffic was to end long ago. */
  async function pause(): Promise<void> {
    if (performance.now() > givesUpAtMs) throw new Error('A phone is still refused at the end')
    await delay(20 + Math.random() * 40)
  }

  const anyInstance = (): Auth => {
    const instance = instances[Math.floor(Math.random() * instances.length)]
    if (!instance) throw new TypeError('stores must not be empty')
    return instance
  }

  async function post(path: string, body: object, key = ''): Promise<Reply> {
    const headers = new Map([
      ['content-type', 'application/json'],
      [idempotencyHeader.toLowerCase(), key],
    ])
    const response = await anyInstance().handle({
      method: 'POST',
      path,
      header: (name) => headers.get(name.toLowerCase()),
      body: { parsed: body },
    })
    return toReply(response)
  }

  async function ask(accessToken: string, fresh: boolean): Promise<Reply> {
    const { response } = await anyInstance().guard(`Bearer ${accessToken}`, { fresh })
    return response ? toReply(response) : { status: 200 }
  }

  /** Sends a request until an answer comes that is not a 503, and that the network does not lose. */
  async function untilServed(name: string, send: () => Promise<Reply>): Promise<Reply> {
    for (let attempt = 0; ; attempt++) {
      const startedMs = performance.now()
      if (attempt > 0) figures.retries++
      figures.requests++
      const reply = await send()
      if (reply.status === 503) {
        figures.unavailable++
        refused.set(name, startedMs)
        if (reply.error !== 'store_unavailable') violations.add(`503 ${reply.error}`)
        await pause()
        continue
      }
      const isLost = Math.random() < lostAnswers
      if (isLost) continue
      if (reply.tokens) served.set(name, startedMs)
      return reply
    }
  }

  /** A code is sent again only while no answer to it has come; after an error answer comes another code. */
  async function logIn(name: string, previous?: Held): Promise<Held> {
    for (let attempt = 0; ; attempt++) {
      const startedMs = performance.now()
      const code = wechat.codeFor(name)
      const key = newKey()
      const body = {
        code,
        app_id: wechat.app.appId,
        ...(previous && { previous_refresh_token: previous.refreshToken }),
      }
      if (attempt > 0) figures.retries++
      figures.requests++
      let reply = await post('/login', body, key)
      const isRepeated = Math.random() < lostAnswers
      if (isRepeated) {
        figures.requests++
        figures.retries++
        reply = await post('/login', body, key)
      }
      if (reply.tokens) {
        served.set(name, startedMs)
        return toHeld(reply.tokens, performance.now())
      }
      if (reply.status === 503 && reply.error === 'store_unavailable') {
        figures.unavailable++
        refused.set(name, startedMs)
      } else if (!(isRepeated && reply.error === 'invalid_code')) {
        violations.add(`a login was answered ${describe(reply)}`)
      }
      await pause()
    }
  }

  const refresh = (name: string, { refreshToken, key }: Held): Promise<Reply> =>
    untilServed(name, () => post('/refresh', { refresh_token: refreshToken }, key))

  /** The session is gone. Only one whose login may have been lost may be. */
  function forget(what: string, reply: Reply, { loggedInMs }: Held): undefined {
    const isUnknown = reply.reason === 'unknown' || reply.error === 'invalid_token'
    if (isUnknown && loggedInMs >= lossFromMs && loggedInMs < lossUntilMs) figures.forgotten++
    else violations.add(`${what} was answered ${describe(reply)}`)
    return undefined
  }

  async function renew(name: string, held: Held, copies: number): Promise<Held | undefined> {
    const replies = await Promise.all(Array.from({ length: copies }, () => refresh(name, held)))
    const [first] = replies
    // A store that lost the session between two copies has served one of them.
    const refusedCopy = replies.find(({ tokens }) => !tokens)
    const successors = new Set(replies.map(({ tokens }) => tokens?.refresh_token))
    if (refusedCopy) return forget('a refresh', refusedCopy, held)
    if (!first?.tokens) return undefined
    if (successors.size > 1) violations.add('one refresh token has two successors')
    return toHeld(first.tokens, held.loggedInMs)
  }

  async function request(name: string, held: Held, fresh: boolean): Promise<Held | undefined> {
    const reply = await untilServed(name, () => ask(held.accessToken, fresh))
    return reply.status === 200 ? held : forget('a request', reply, held)
  }

  async function live(name: string): Promise<void> {
    let held: Held | undefined = await logIn(name)
    while (!isOver) {
      const chance = Math.random()
      if (!held || chance < 0.05) held = await logIn(name, held)
      else if (chance < 0.1) {
        const { refreshToken } = held
        const reply = await untilServed(name, () =>
          post('/logout', { refresh_token: refreshToken }),
        )
        if (reply.status !== 204) violations.add(`a logout was answered ${describe(reply)}`)
        held = undefined
      } else if (chance < 0.25) held = await request(name, held, false)
      else if (chance < 0.4) held = await request(name, held, true)
      else held = await renew(name, held, chance < 0.5 ? 2 : 1)
      await delay(5 + Math.random() * 25)
    }
    held ??= await logIn(name)
    held = (await renew(name, held, 1)) ?? (await logIn(name))
    if (!(await request(name, held, true))) violations.add('a phone has no session at the end')
  }

  /** Two parties with one token. At most one may go on, and that only until it meets the other's use of the token. */
  async function duel(name: string): Promise<void> {
    while (!isOver) {
      const first = await logIn(name)
      contested.add(first.id)
      figures.duels++
      let parties = [first, { ...first, key: newKey() }]
      for (let round = 0; parties.length > 1; round++) {
        const replies = await Promise.all(parties.map((party) => refresh(name, party)))
        parties = replies.flatMap(({ tokens }) => (tokens ? toHeld(tokens, first.loggedInMs) : []))
        if (parties.length > 1) figures.doubleWins++
        // Only once may a loss have hidden what the other one did.
        if (parties.length > 1 && round > 0) violations.add('two parties go on with one session')
      }
      const [winner] = parties
      const isSafe = lossFromMs === Number.POSITIVE_INFINITY
      if (winner && isSafe && (await refresh(name, winner)).tokens) {
        violations.add('a session lives on after its token was used twice')
      }
      await pause()
    }
  }

  const lives = Promise.all([
    ...names.map(live),
    ...Array.from({ length: duels }, (_, n) => duel(`duel ${n + 1}`)),
  ])
  // Seen by `end`; until then a rejection must not end the process.
  lives.catch(() => undefined)

  async function untilAll(what: string, happened: ReadonlyMap<string, number>, limitMs: number) {
    const startedMs = performance.now()
    const isMissing = (name: string) => !((happened.get(name) ?? 0) >= startedMs)
    for (let missing = names; ; await delay(5)) {
      missing = missing.filter(isMissing)
      if (missing.length === 0) return performance.now() - startedMs
      if (performance.now() - startedMs > limitMs) {
        violations.add(`${missing.length} phones were not ${what} within ${limitMs} ms`)
        return performance.now() - startedMs
      }
    }
  }

  return {
    async flows() {
      await untilAll('served', served, 10_000)
    },

    async isRefused() {
      await untilAll('refused', refused, 10_000)
    },

    async isRefusedToSome() {
      const startedMs = performance.now()
      while (![...refused.values()].some((atMs) => atMs >= startedMs)) await delay(5)
    },

    mayLose() {
      lossFromMs = performance.now()
      lossUntilMs = Number.POSITIVE_INFINITY
    },

    async recovers() {
      lossUntilMs = performance.now()
      const tookMs = await untilAll('served', served, recoveryLimitMs)
      figures.recoveryMs = Math.max(figures.recoveryMs, tookMs)
    },

    async end() {
      isOver = true
      givesUpAtMs = performance.now() + recoveryLimitMs
      await lives
      await Promise.all(instances.map((instance) => instance.close()))
      return figures
    },

    figures,

    get violations() {
      return [...violations].sort()
    },
  }
}

/** Answers that the network loses, as a share of all. */
const lostAnswers = 0.05

function toReply({ status, body }: AuthResponse): Reply {
  const value: unknown = body === undefined ? undefined : JSON.parse(body)
  if (typeof value !== 'object' || value === null) return { status }
  // By the status: an answer of the routes is either of these.
  return status === 200
    ? { status, tokens: value as TokenAnswer }
    : { ...(value as Pick<Reply, 'error' | 'reason'>), status }
}

function toHeld({ access_token, refresh_token }: TokenAnswer, loggedInMs: number): Held {
  return {
    id: sessionIdOf(access_token),
    accessToken: access_token,
    refreshToken: refresh_token,
    key: newKey(),
    loggedInMs,
  }
}

function sessionIdOf(accessToken: string): string {
  const [, payload = ''] = accessToken.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).sid
}

const describe = ({ status, error, reason }: Reply) =>
  [status, error, reason].filter((part) => part !== undefined).join(' ')
