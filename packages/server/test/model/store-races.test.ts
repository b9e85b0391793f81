import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Auth, Session, SessionRecord } from '../../src/index.js'
import { createRaces, failureOf, type Race, raceStart, type Trace } from './races.js'
import { createFigures, runsOf, takeOverTime } from './runs.js'
import {
  begun,
  isOver,
  judgedSeconds,
  type ModelSession,
  present,
  presentCodeAgain,
  presentToEnd,
  reused,
  revoked,
} from './session-model.js'

vi.mock('node:timers/promises', () => import('./fake-delay.js'))

const races = createRaces()
const figures = createFigures('Operations on few sessions, in two processes, step by step')

beforeAll(takeOverTime)
afterAll(() => {
  figures.show()
  vi.useRealTimers()
})

/** Alice has logged in on a phone, and on another; a phone number makes a member of her. */
type Name = 'phone' | 'other' | 'member'

const keys = ['first', 'second'].map((name) => name.padEnd(22, '-')) as [string, string]
const [loginKey] = keys
const someKey = fc.constantFrom(...keys)
const keyOrNone = fc.option(someKey, { nil: undefined })

/** A refresh token. A generation may be one that nobody has been given yet: then the newest is presented. */
interface Token {
  readonly of: 'phone' | 'member'
  readonly generation: number
}

const token: fc.Arbitrary<Token> = fc.record({
  of: fc.constantFrom('phone', 'phone', 'phone', 'member'),
  generation: fc.constantFrom(0, 0, 1, 2),
})

type Operation =
  | { readonly kind: 'login'; readonly key: string }
  | { readonly kind: 'refresh'; readonly token: Token; readonly key: string }
  | { readonly kind: 'logout'; readonly token: Token; readonly key?: string; everywhere: boolean }
  | { readonly kind: 'replace'; readonly token: Token; readonly key?: string; signedOut: boolean }
  | { readonly kind: 'phone'; readonly key: string }
  | { readonly kind: 'revoke' | 'forget' }
  | { readonly kind: 'time'; readonly seconds: number }

const kind = <Kind extends string>(kind: Kind) => fc.constant(kind)

const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: kind('refresh'), token, key: someKey }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('login'), key: someKey }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('logout'), token, key: keyOrNone, everywhere: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('replace'), token, key: keyOrNone, signedOut: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind('phone'), key: someKey }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('revoke', 'forget') }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('time'), seconds: fc.constantFrom(4, 11, 8 * 24 * 3600) }),
  },
) as fc.Arbitrary<Operation>

/** An operation as it went: what it gave, and when it began and ended, counted in steps. */
interface Event {
  readonly operation: Operation
  readonly trace: Trace
  readonly began: number
  ended: number
  outcome: string
  /** Another login was under way in its process when it began. */
  readonly hasCompany: boolean
}

type State = Readonly<Partial<Record<Name, ModelSession>>>

/** A step of an operation that nothing comes between. Gives nothing if what was seen contradicts it. */
type Step = (state: State) => State | undefined

const guests: readonly Name[] = ['phone', 'other']

const store = (state: State, name: Name, next: ModelSession | undefined): State => ({
  ...state,
  [name]: next,
})

/** The ways in which an operation may have gone, step by step, given what was seen of it. */
function waysOf({ operation, trace, outcome, hasCompany }: Event, ids: Ids): Step[][] {
  const { startedAt } = trace
  /** How the operation reported the end of a session, if it did. */
  const reported = (name: Name): string | undefined => {
    const endings = trace.events.flatMap((event) => {
      const isEnd = event.type === 'logout' || event.type === 'revoked'
      return isEnd && event.sessionId === ids[name] ? event : []
    })
    expect(endings.length).toBeLessThanOrEqual(1)
    const [ending] = endings
    return ending?.type === 'revoked' ? ending.reason : ending?.type
  }
  const readAt = (name: Name, which: 0 | -1) =>
    trace.reads.get(ids[name] ?? '')?.at(which) ?? startedAt
  const isLate = (name: Name, which: 0 | -1) => readAt(name, which) - startedAt > judgedSeconds
  const presented = ({ of, generation: p }: Token, k: string | undefined) => ({
    p,
    k,
    since: ids.since[of] ?? 0,
  })

  /** Ends a session that is live, and reports it. */
  const end =
    (name: Name, report: string, ended: (session: ModelSession) => ModelSession): Step =>
    (state) => {
      const session = state[name]
      const isEnded = session !== undefined && !isOver(session, readAt(name, -1))
      if ((reported(name) === report) !== isEnded) return undefined
      return isEnded ? store(state, name, ended(session)) : state
    }

  /** What a token that is presented to end its session would do, before anything is done. */
  const look =
    (token: Token, key: string | undefined, isSeen: (found: string) => boolean): Step =>
    (state) => {
      const fate = presentToEnd(state[token.of], presented(token, key), readAt(token.of, 0))
      const isHushed = fate.outcome === 'reused' && isLate(token.of, 0)
      return isSeen(isHushed ? 'late' : fate.isNewest ? 'newest' : fate.outcome) ? state : undefined
    }

  const endByToken =
    (token: Token, key: string | undefined): Step =>
    (state) => {
      const { of: name } = token
      const fate = presentToEnd(state[name], presented(token, key), readAt(name, -1))
      const isHushed = fate.outcome === 'reused' && isLate(name, -1)
      const report = { nothing: undefined, ended: 'logout', reused: 'reused' }[fate.outcome]
      if (reported(name) !== (isHushed ? undefined : report)) return undefined
      const isSaid = outcome === 'store_unavailable'
      if (operation.kind === 'logout' && isSaid !== isHushed) return undefined
      return fate.next && !isHushed ? store(state, name, fate.next) : state
    }

  switch (operation.kind) {
    case 'time':
      return [[]]
    case 'revoke':
      return bothWays(guests.map((name) => end(name, 'revoked', revoked)))
    case 'forget':
      return bothWays(guests.map((name) => (state) => store(state, name, undefined)))

    case 'login': {
      const isSameKey = operation.key === loginKey
      const step: Step = (state) => {
        const { phone } = state
        const verdict = presentCodeAgain(phone, isSameKey, readAt('phone', isSameKey ? -1 : 0))
        if ((verdict === 'answered') !== (outcome === 'phone 0')) return undefined
        if ((verdict === 'ended') !== (reported('phone') === 'reused')) return undefined
        if (verdict !== 'ended' || !phone) return state
        return store(state, 'phone', reused(phone, readAt('phone', -1)))
      }
      // A login that joins one under way in its process shares the failure of that one, and then ends nothing.
      const mayHaveJoined = outcome === 'invalid_code' && !reported('phone') && hasCompany
      return [[step], ...(mayHaveJoined ? [[]] : [])]
    }

    case 'refresh': {
      const { token, key } = operation
      const { of: name } = token
      const step: Step = (state) => {
        const expected = present(state[name], presented(token, key), readAt(name, -1))
        if (expected.outcome === 'reused' && isLate(name, -1)) {
          return outcome === 'store_unavailable' ? state : undefined
        }
        const next = `${name} ${token.generation + 1}`
        const [wanted] =
          'reasons' in expected
            ? expected.reasons
            : [expected.outcome === 'reused' ? 'reused' : next]
        if (outcome !== wanted) return undefined
        return expected.next ? store(state, name, expected.next) : state
      }
      return [[step]]
    }

    case 'logout': {
      const { token, key, everywhere } = operation
      if (!everywhere) return [[endByToken(token, key)]]
      const isSaid = outcome === 'store_unavailable'
      const late = look(token, key, (found) => found === 'late' && isSaid)
      const newest = look(token, key, (found) => found === 'newest')
      const older = look(token, key, (found) => found !== 'newest' && found !== 'late')
      const others = token.of === 'phone' ? [end('other', 'revoked', revoked)] : []
      const own = endByToken(token, key)
      return [[late], [newest, ...others, own], [older, own]]
    }

    case 'replace': {
      const { token, key, signedOut } = operation
      const isTold = (found: string) =>
        (trace.told !== undefined) === (found === 'newest' && !signedOut)
      const isNothing = (found: string) => found === 'nothing' || found === 'late'
      const nothing = look(token, key, (found) => isNothing(found) && isTold(found))
      const something = look(token, key, (found) => !isNothing(found) && isTold(found))
      return outcome === 'new' ? [[nothing], [something, endByToken(token, key)]] : []
    }

    case 'phone': {
      if (outcome === 'member 0') {
        const made = begun(operation.key, ids.since.member ?? 0)
        const quietly = (session: ModelSession) => ({ ...session, ended: 'quietly' as const })
        return [
          [
            (state) => (state.member ? undefined : store(state, 'member', made)),
            (state) => (reported('phone') ? end('phone', 'logout', quietly)(state) : undefined),
          ],
        ]
      }
      // What it may have made it has undone before anybody could hold it.
      if (outcome === 'invalid_token') return reported('phone') ? [] : [[]]
      if (outcome !== 'invalid_code') return []
      return [
        [
          (state) => {
            const { member } = state
            const isSameKey = operation.key === ids.memberKey
            const verdict = presentCodeAgain(member, isSameKey, readAt('member', 0))
            if ((verdict === 'ended') !== (reported('member') === 'reused')) return undefined
            if (verdict !== 'ended' || !member) return state
            return store(state, 'member', reused(member, readAt('member', -1)))
          },
        ],
      ]
    }
  }
}

const bothWays = (steps: Step[]): Step[][] => [steps, steps.slice().reverse()]

interface Ids extends Partial<Record<Name, string>> {
  /** Of the request that made her a member. */
  readonly memberKey?: string
  readonly since: Partial<Record<Name, number>>
}

/**
 * Whether the steps of all operations can be put in an order that explains what was seen and what is in the store at
 * the end, where no operation comes before one that had ended when it began (Wing and Gong).
 */
function isExplained(begin: State, events: readonly Event[], ids: Ids, end: Records): boolean {
  const ways = events.map((event) => waysOf(event, ids))
  const seen = new Set<string>()

  /** `at` says of each event which of its ways it goes, and how many steps of it are done. */
  function search(at: readonly At[], state: State): boolean {
    const key = JSON.stringify([at, state])
    if (seen.has(key)) return false
    seen.add(key)
    const open = events.map((_, n) => n).filter((n) => !isDone(n, at[n]))
    if (open.length === 0) return isLeftAs(state, end)
    const firstEnd = Math.min(...open.map((n) => events[n]?.ended ?? 0))
    return open.some((n) => {
      if ((events[n]?.began ?? 0) > firstEnd) return false
      const [chosen, done] = at[n] ?? []
      const choices = chosen === undefined ? [...(ways[n]?.keys() ?? [])] : [chosen]
      return choices.some((way) => {
        const step = ways[n]?.[way]?.[done ?? 0]
        const next = step ? step(state) : state
        const moved = at.slice()
        moved[n] = [way, (done ?? 0) + 1]
        return next !== undefined && search(moved, next)
      })
    })
  }
  const isDone = (n: number, at: At) => at !== undefined && at[1] >= (ways[n]?.[at[0]]?.length ?? 0)

  return search(
    events.map(() => undefined),
    begin,
  )
}

type At = readonly [way: number, done: number] | undefined

type Records = Readonly<Partial<Record<Name, SessionRecord>>>

/** Whether the store holds what it should. What ended quietly, or was forgotten, is gone; tombstones stay. */
function isLeftAs(state: State, records: Records): boolean {
  const now = Date.now() / 1000
  return (['phone', 'other', 'member'] as const).every((name) => {
    const session = state[name]
    const record = records[name]
    const isGone = !session || session.ended === 'quietly' || session.expiresAt <= now
    if (isGone) return record === undefined
    if (session.ended) return record?.revokedReason === session.ended
    return (
      record?.revokedReason === undefined &&
      record?.generation === session.generation &&
      record.idempotencyKeyHash === session.keyHash
    )
  })
}

test('operations that meet in the store come out as if they came one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(
      races.scheduler(),
      fc.array(operation, { minLength: 2, maxLength: 6, size: 'max' }),
      fc.nat(2),
      fc.record({ hasClaims: fc.boolean(), isMember: fc.boolean() }),
      async (scheduler, operations, refreshesBefore, { hasClaims, isMember }) => {
        const race = races.begin(scheduler, { hasClaims })
        const { auths, wechat, memory } = race
        const [left, right] = auths
        const code = wechat.codeFor('alice')
        const phoneCode = wechat.phoneCodeFor('alice')
        const tokens: Tokens = { phone: [], member: [] }
        const answer = await left.login({ code, idempotencyKey: loginKey })
        tokens.phone.push(answer.refresh_token)
        const session = await left.authenticate(`Bearer ${answer.access_token}`)
        const other = await right.login({ code: wechat.codeFor('alice') })
        const ids: Writable<Ids> = {
          phone: session.id,
          other: (await left.authenticate(`Bearer ${other.access_token}`)).id,
          since: { phone: raceStart, other: raceStart },
        }
        const [otherRecord] = (await memory.list('guest')).filter(({ id }) => id === ids.other)
        if (isMember) {
          const before = await left.login({ code: wechat.codeFor('alice') })
          const guest = await left.authenticate(`Bearer ${before.access_token}`)
          const operation = { kind: 'phone', key: loginKey } as const
          const asked = {
            auth: left,
            race,
            operation,
            code,
            phoneCode,
            session: guest,
            tokens,
            ids,
          }
          await outcomeOf(asked)
        }
        let phone = begun(loginKey, raceStart)
        for (let p = 0; p < refreshesBefore; p++) {
          const refreshToken = tokens.phone[p] ?? ''
          const next = await right.refresh({ refreshToken, idempotencyKey: loginKey })
          tokens.phone.push(next.refresh_token)
          const expected = present(phone, { p, k: loginKey, since: raceStart }, raceStart)
          phone = expected.next ?? phone
        }
        const begin: State = {
          phone,
          ...(isMember && { member: begun(loginKey, raceStart) }),
          other: { ...begun('', raceStart), keyHash: otherRecord?.idempotencyKeyHash ?? '' },
        }

        let step = 0
        const events: Event[] = []
        race.closeGate()
        operations.forEach((given, index) => {
          const auth = index % 2 ? left : right
          // Logins of one process wait for the first of them, so they count as one.
          const job = given.kind === 'login' ? auth : {}
          const name = `${index % 2 ? 'left' : 'right'}: ${JSON.stringify(given)}`
          const perform = async (trace: Trace) => {
            const operation = withKnownToken(given, tokens)
            const event: Event = {
              operation,
              trace,
              began: step++,
              ended: Number.POSITIVE_INFINITY,
              outcome: '',
              hasCompany: race.countUnderWay(auth) > 1,
            }
            events.push(event)
            const asked = { auth, race, operation, code, phoneCode, session, tokens, ids }
            event.outcome = await outcomeOf(asked)
            event.ended = step++
            count(operation.kind, event.outcome)
          }
          race.start(name, perform, job)
        })
        await race.finish()

        expect(events).toHaveLength(operations.length)
        const records = {
          phone: await memory.get(ids.phone ?? ''),
          other: await memory.get(ids.other ?? ''),
          member: ids.member === undefined ? undefined : await memory.get(ids.member),
        } as Records
        expect(isExplained(begin, events, ids, records), explain(events, records)).toBe(true)
        for (const record of Object.values(records)) {
          if (record?.revokedAt !== undefined) expect(Object.keys(record)).not.toContain('openid')
        }
      },
    ),
    runsOf(120, 0.25),
  )

  for (const what of [
    'refresh: reused',
    'refresh: revoked',
    'refresh: unknown',
    'refresh: expired',
    'refresh: store_unavailable',
    'refresh: member 1',
    'login: phone 0',
    'login: invalid_code',
    'phone: member 0',
    'phone: invalid_token',
    'phone: invalid_code',
    'logout: done',
    'replace: new',
  ]) {
    expect(figures.of(what), what).toBeGreaterThan(0)
  }
}, 3_600_000)

function count(kind: string, outcome: string): void {
  figures.count(`${kind}: ${outcome}`)
}

const explain = (events: readonly Event[], records: Records) =>
  [
    ...events.map(({ operation, began, ended, outcome, trace }) => {
      const reports = trace.events.filter(({ type }) => type === 'logout' || type === 'revoked')
      const what = [JSON.stringify(operation), outcome, JSON.stringify(reports)]
      return `${began}–${ended} ${what.join(' ')}`
    }),
    ...Object.entries(records).map(([name, record]) => `${name}: ${JSON.stringify(record)}`),
  ].join('\n')

type Writable<T> = { -readonly [Member in keyof T]: T[Member] }

type Tokens = Record<'phone' | 'member', string[]>

/** The newest token there is, if what is asked for has not been made yet. */
function withKnownToken(operation: Operation, tokens: Tokens): Operation {
  if (!('token' in operation)) return operation
  const { of, generation } = operation.token
  const known = tokens[of].length > 0 ? of : 'phone'
  const token = { of: known, generation: Math.min(generation, tokens[known].length - 1) } as const
  return { ...operation, token }
}

interface Asked {
  readonly auth: Auth
  readonly race: Race
  readonly operation: Operation
  readonly code: string
  readonly phoneCode: string
  readonly session: Session
  readonly tokens: Tokens
  readonly ids: Writable<Ids>
}

/** In words, a token as the session and generation that it is of. Learns what the newest is. */
async function outcomeOf(asked: Asked): Promise<string> {
  const { auth, race, operation, code, phoneCode, session, tokens, ids } = asked
  const textOf = ({ of, generation }: Token) => tokens[of][generation] ?? ''
  const learn = (of: 'phone' | 'member', generation: number, text: string): string => {
    tokens[of][generation] ??= text
    return `${of} ${tokens[of].indexOf(text)}`
  }
  try {
    switch (operation.kind) {
      case 'time':
        race.skip(operation.seconds)
        return 'passed'
      case 'revoke':
        await auth.sessions.revoke({ userId: 'guest' })
        return 'done'
      case 'forget':
        await auth.sessions.forget('guest')
        return 'done'
      case 'login': {
        const { refresh_token } = await auth.login({ code, idempotencyKey: operation.key })
        return learn('phone', 0, refresh_token)
      }
      case 'refresh': {
        const { token, key: idempotencyKey } = operation
        const { refresh_token } = await auth.refresh({
          refreshToken: textOf(token),
          idempotencyKey,
        })
        return learn(token.of, token.generation + 1, refresh_token)
      }
      case 'logout': {
        const { token, key, everywhere } = operation
        await auth.logout({
          refreshToken: textOf(token),
          everywhere,
          ...(key !== undefined && { idempotencyKey: key }),
        })
        return 'done'
      }
      case 'replace': {
        const { token, key, signedOut } = operation
        await auth.login({
          code: race.wechat.codeFor('alice'),
          previousRefreshToken: textOf(token),
          previousSignedOut: signedOut,
          ...(key !== undefined && { previousIdempotencyKey: key }),
        })
        return 'new'
      }
      case 'phone': {
        const answer = await auth.phone({ session, code: phoneCode, idempotencyKey: operation.key })
        if (!('refresh_token' in answer)) return 'kept'
        const [, payload = ''] = answer.refresh_token.split('.')
        const { sid, iat } = JSON.parse(Buffer.from(payload, 'base64url').toString())
        ids.member = sid
        ids.since = { ...ids.since, member: iat }
        ids.memberKey = operation.key
        return learn('member', 0, answer.refresh_token)
      }
    }
  } catch (error) {
    return failureOf(error)
  }
}
