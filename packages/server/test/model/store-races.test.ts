import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Auth, createAuth, createMemoryStore, type SessionStore } from '../../src/index.js'
import { createFakeWeChat } from '../../src/testing/index.js'
import { testSecret } from '../set-up.js'
import { delaysUnderWay, forgetDelays } from './fake-delay.js'
import { createFigures, runsOf, takeOverTime } from './runs.js'
import {
  hashOf,
  idleSeconds,
  type ModelSession,
  present,
  presentCodeAgain,
} from './session-model.js'

vi.mock('node:timers/promises', () => import('./fake-delay.js'))

const figures = createFigures(
  'Operations on one session, in two processes, step by step in the store',
)

beforeAll(takeOverTime)
afterAll(() => {
  figures.show()
  vi.useRealTimers()
})

const now = 1_800_000_000
const keys = ['first', 'second'].map((name) => name.padEnd(22, '-')) as [string, string]
const someKey = fc.constantFrom(...keys)

/** What is asked for. A generation may be one that nobody has been given yet: then the newest is presented. */
type Operation =
  | { readonly kind: 'login'; readonly key: string }
  | { readonly kind: 'refresh'; readonly generation: number; readonly key: string }
  | { readonly kind: 'revoke' }
  | { readonly kind: 'logout' }

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('refresh' as const),
      generation: fc.constantFrom(0, 0, 1, 2),
      key: someKey,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('login' as const), key: someKey }) },
  { weight: 1, arbitrary: fc.constantFrom<Operation>({ kind: 'revoke' }, { kind: 'logout' }) },
)

/** An operation as it went: what it gave, and when it began and ended, counted in steps. */
interface Event {
  readonly operation: Operation
  readonly began: number
  ended: number
  outcome: string
  /** Another login was under way when it began. */
  readonly hasCompany: boolean
}

type State = ModelSession | undefined

/** The outcome of an operation that is alone, and what it leaves. */
function run(state: State, operation: Operation): { outcome: string; next: State } {
  switch (operation.kind) {
    case 'revoke':
      return state && !state.ended
        ? { outcome: 'ended 1', next: { ...state, ended: 'revoked' } }
        : { outcome: 'ended 0', next: state }
    case 'logout':
      return { outcome: 'done', next: undefined }
    case 'login': {
      const verdict = presentCodeAgain(
        state,
        hashOf(operation.key) === loginIdempotencyKeyHash,
        now,
      )
      if (verdict === 'answered') return { outcome: 'generation 0', next: state }
      const next = verdict === 'ended' && state ? { ...state, ended: 'reused' as const } : state
      return { outcome: 'invalid_code', next }
    }
    case 'refresh': {
      const { generation: p, key: k } = operation
      const expected = present(state, { p, k }, now)
      if (expected.outcome === 'refused') return { outcome: expected.reasons[0] ?? '', next: state }
      const outcome = expected.outcome === 'reused' ? 'reused' : `generation ${p + 1}`
      return { outcome, next: expected.next }
    }
  }
}

const [loginKey] = keys
const loginIdempotencyKeyHash = hashOf(loginKey)

// A login that joins one under way in its process shares the failure of that one, and then ends nothing.
const mayHaveJoined = ({ operation, outcome, hasCompany }: Event) =>
  operation.kind === 'login' && outcome === 'invalid_code' && hasCompany

/** Whether some order of the operations explains all outcomes, where none comes before one that had ended (Wing and Gong). */
function isExplained(state: State, events: readonly Event[]): boolean {
  if (events.length === 0) return true
  const firstEnd = Math.min(...events.map(({ ended }) => ended))
  return events.some((event) => {
    if (event.began > firstEnd) return false
    const others = events.filter((other) => other !== event)
    const { outcome, next } = run(state, event.operation)
    if (outcome !== event.outcome) return false
    return isExplained(next, others) || (mayHaveJoined(event) && isExplained(state, others))
  })
}

const realSetImmediate = setImmediate

test('operations that meet in the store come out as if they came one after the other', async () => {
  let active: (() => boolean) | undefined
  const act = async (step: () => Promise<void>) => {
    await step()
    do await new Promise(realSetImmediate)
    while (active?.())
  }
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler({ act }),
      fc.array(operation, { minLength: 2, maxLength: 6, size: 'max' }),
      fc.nat(2),
      async (scheduler, operations, refreshesBefore) => {
        vi.clearAllTimers()
        vi.setSystemTime(now * 1000)
        forgetDelays()
        const { auths, wechat, gate } = createProcesses(scheduler)
        const [left, right] = auths
        const code = wechat.codeFor('alice')
        const tokens = [await tokenOf(left.login({ code, idempotencyKey: loginKey }))]
        let state: State = {
          generation: 0,
          keyHash: loginIdempotencyKeyHash,
          createdAt: now,
          expiresAt: now + idleSeconds,
        }
        for (let p = 0; p < refreshesBefore; p++) {
          const [key] = keys
          tokens.push(
            await tokenOf(right.refresh({ refreshToken: tokens[p] ?? '', idempotencyKey: key })),
          )
          state = run(state, { kind: 'refresh', generation: p, key }).next
        }

        let step = 0
        const underWay: unknown[] = []
        active = () => new Set(underWay).size > gate.waiting() + delaysUnderWay()
        gate.close()
        const events: Event[] = []
        async function perform(given: Operation, auth: Auth): Promise<void> {
          const operation =
            given.kind === 'refresh'
              ? { ...given, generation: Math.min(given.generation, tokens.length - 1) }
              : given
          const event = {
            operation,
            began: step++,
            ended: Number.POSITIVE_INFINITY,
            outcome: '',
            hasCompany: underWay.includes(auth),
          }
          events.push(event)
          // Logins of one process wait for the first of them, so they count as one.
          const job = operation.kind === 'login' ? auth : event
          underWay.push(job)
          event.outcome = await outcomeOf(auth, operation, code, tokens)
          underWay.splice(underWay.indexOf(job), 1)
          event.ended = step++
          count(operation.kind, event.outcome)
        }
        operations.forEach((operation, index) => {
          const auth = index % 2 ? left : right
          scheduler
            .schedule(
              Promise.resolve(),
              `${index % 2 ? 'left' : 'right'}: ${JSON.stringify(operation)}`,
            )
            .then(() => perform(operation, auth))
        })
        await scheduler.waitAll()
        for (let rounds = 0; underWay.length > 0 && rounds < 100; rounds++) {
          vi.advanceTimersToNextTimer()
          await act(async () => undefined)
          await scheduler.waitAll()
        }

        expect(underWay).toEqual([])
        expect(events).toHaveLength(operations.length)
        expect(isExplained(state, events), explain(events)).toBe(true)
        const isOver = events.some(({ outcome }) => /ended 1|reused/.test(outcome))
        if (isOver) {
          gate.open()
          const refreshed = outcomeOf(
            left,
            { kind: 'refresh', generation: 9, key: loginKey },
            code,
            tokens,
          )
          expect(await refreshed).not.toMatch(/generation/)
        }
      },
    ),
    runsOf(800, 0.35),
  )

  for (const what of [
    'refresh: reused',
    'refresh: revoked',
    'refresh: unknown',
    'login: generation 0',
  ]) {
    expect(figures.of(what), what).toBeGreaterThan(0)
  }
}, 3_600_000)

function count(kind: string, outcome: string): void {
  figures.count(`${kind}: ${outcome}`)
}

const explain = (events: readonly Event[]) =>
  events
    .map(
      ({ operation, began, ended, outcome }) =>
        `${began}–${ended} ${JSON.stringify(operation)}: ${outcome}`,
    )
    .join('\n')

async function tokenOf(answer: Promise<{ refresh_token: string }>): Promise<string> {
  return (await answer).refresh_token
}

/** In words, a token as the generation that it is of. Learns what the newest is. */
async function outcomeOf(
  auth: Auth,
  operation: Operation,
  code: string,
  tokens: string[],
): Promise<string> {
  const [first = ''] = tokens
  try {
    if (operation.kind === 'revoke') {
      return `ended ${await auth.sessions.revoke({ userId: 'alice' })}`
    }
    if (operation.kind === 'logout') {
      await auth.logout({ refreshToken: first })
      return 'done'
    }
    const { kind, key: idempotencyKey } = operation
    const presented = kind === 'refresh' ? operation.generation : -1
    const token = await tokenOf(
      kind === 'refresh'
        ? auth.refresh({ refreshToken: tokens[presented] ?? tokens.at(-1) ?? '', idempotencyKey })
        : auth.login({ code, idempotencyKey }),
    )
    if (!tokens.includes(token)) tokens[presented + 1] = token
    return `generation ${tokens.indexOf(token)}`
  } catch (error) {
    const { code: failure, reason } = Object(error)
    return String(reason ?? failure)
  }
}

/** Two instances of a backend on one store, whose every call waits for the scheduler while the gate is closed. */
function createProcesses(scheduler: fc.Scheduler) {
  const memory = createMemoryStore()
  const wechat = createFakeWeChat()
  let isOpen = true
  let waiting = 0

  const gated =
    <A extends unknown[], R>(name: string, verb: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (!isOpen) {
        waiting++
        await scheduler.schedule(Promise.resolve(), name)
        waiting--
      }
      return verb(...args)
    }

  const store: SessionStore = {
    create: gated('create', memory.create),
    get: gated('get', memory.get),
    replace: gated('replace', memory.replace),
    delete: gated('delete', memory.delete),
    list: gated('list', memory.list),
  }
  const start = () =>
    createAuth({
      apps: [wechat.app],
      secret: testSecret,
      fetch: wechat.fetch,
      store,
      onLogin: () => ({ userId: 'alice' }),
    })
  return {
    auths: [start(), start()] as const,
    wechat,
    gate: {
      open() {
        isOpen = true
      },
      close() {
        isOpen = false
      },
      waiting: () => waiting,
    },
  }
}
