import { type SessionRecord, toQuietEnd } from '../../src/session.js'
import { stored } from './phone.js'
import type { Rules } from './rules.js'
import {
  type Answer,
  counting,
  excused,
  hashOf,
  isSameToken,
  type Kept,
  type Key,
  lifetimes,
  type Message,
  recordIn,
  type Side,
  type State,
  type Token,
  withSession,
} from './state.js'
import type { Outcome } from './steps.js'
import { withLoot } from './thief.js'

/** How many refreshes of a session a store loses at most. */
export const maxLag = 2

/** What the backend makes of a refresh, at once. */
export function judged(state: State, message: Message, rules: Rules): Outcome {
  const { token, key } = message
  const { session } = token
  const record = recordIn(state, session)
  const verdict = verdictOn(state, message, rules)
  const said = { presented: message, verdict: verdict.kind }
  switch (verdict.kind) {
    case 'rotated':
    case 'healed': {
      const result = write(state, session, verdict.record, { exchangedWith: key })
      return {
        ...said,
        ...exchanged(state, result, message, verdict.kind, verdict.record),
      }
    }
    case 'retried':
      return {
        ...said,
        ...exchanged(state, { state }, message, verdict.kind, record),
      }
    case 'reused': {
      const result = write(state, session, verdict.record, { hasAlarmed: true })
      const isFalse = !state.touched[session]
      return {
        ...said,
        ...result,
        answer: 'reused',
        ...(isFalse && { broken: 'no false alarm' as const }),
      }
    }
    case 'refused': {
      const result = verdict.record ? write(state, session, verdict.record) : { state }
      const answer = verdict.reason === 'retry_expired' ? 'expired' : verdict.reason
      const wasRevoked = state.store[session]?.isRevokedByApp === true
      return {
        ...said,
        ...result,
        answer,
        ...(wasRevoked && answer !== 'revoked' && { broken: 'is told' as const }),
      }
    }
  }
}

function verdictOn(state: State, { token, key }: Message, rules: Rules) {
  const { session, generation } = token
  const { createdAt = 0 } = state.sessions[session] ?? {}
  const presented = { generation, createdAt, idempotencyKeyHash: hashOf(key) }
  return rules.rotate(recordIn(state, session), presented, state.now, lifetimes)
}

/** A token is given for one that was presented; `record` is what it is made of. */
function exchanged(
  before: State,
  result: Outcome,
  { token, key }: Message,
  kind: 'rotated' | 'healed' | 'retried',
  record: SessionRecord | undefined,
): Outcome {
  const { session, generation } = token
  const kept = before.store[session]
  if (!record || !kept?.record) return result
  const answer = { session, generation: record.generation }
  const isOld = generation < kept.record.generation
  const isFirstKey = generation === kept.record.generation - 1 && kept.exchangedWith === key
  const broken =
    (kept.isRevokedByApp && 'over after a revocation') ||
    (kept.hasAlarmed && 'over after the alarm') ||
    (record.userId !== before.sessions[session]?.user && 'same user') ||
    (isOld && !isFirstKey && 'one key') ||
    (answer.generation !== generation + 1 && 'same successor') ||
    (kind === 'healed' && !before.hasLostWrites && 'healed after lost writes only') ||
    result.broken
  return { ...result, answer, ...(broken && { broken }) }
}

/** A store's `replace`, of which the model remembers what it means. */
export function write(
  state: State,
  session: number,
  record: SessionRecord | undefined,
  memory: Partial<Omit<Kept, 'record'>> = {},
): Outcome {
  const before = state.store[session]
  if (!before) return { state }
  const store = state.store.slice()
  store[session] = { ...before, record, ...memory }
  const hasEnded = before.record !== undefined && before.record.revokedAt !== undefined
  return {
    state: {
      ...state,
      store,
      replica: isTooFarBehind(state, session, record) ? undefined : state.replica,
    },
    ...(hasEnded && { broken: 'what has ended stays so' as const }),
  }
}

/** A replica that is further behind is one that nobody would fail over to. */
function isTooFarBehind(
  { replica }: State,
  session: number,
  record: SessionRecord | undefined,
): boolean {
  const copied = replica?.[session]?.record
  return (
    copied !== undefined && record !== undefined && record.generation - copied.generation > maxLag
  )
}

/** A refresh token that is presented to end its session. */
export function endedBy(state: State, token: Token, key: Key | undefined, rules: Rules): Outcome {
  const { session, generation } = token
  const { createdAt = 0 } = state.sessions[session] ?? {}
  const idempotencyKeyHash = key === undefined ? undefined : hashOf(key)
  const record = recordIn(state, session)
  const presented = { generation, createdAt, idempotencyKeyHash }
  const ending = rules.endingOf(record, presented, state.now)
  const said = { presented: { token, key }, verdict: ending.kind }
  const isLikeRefresh =
    key === undefined ||
    (verdictOn(state, { token, key }, rules).kind === 'reused') === (ending.kind === 'reused')
  if (ending.kind === 'none') return { state, ...said }
  const isAlarm = ending.kind === 'reused'
  const result = write(state, session, ending.record, isAlarm ? { hasAlarmed: true } : {})
  const broken =
    (isAlarm && !state.touched[session] && 'no false alarm') ||
    (!isLikeRefresh && 'judged alike') ||
    result.broken
  return { ...result, ...said, ...(broken && { broken }) }
}

/** The backend reads a record for a refresh, and will write what it decides in another step. */
export function opened(
  state: State,
  message: Message | undefined,
  by: Side | 'stray' | 'thief',
  rules: Rules,
): Outcome | undefined {
  if (!message) return undefined
  const record = recordIn(state, message.token.session)
  const verdict = verdictOn(state, message, rules)
  // Nothing else is written on what was read, so nothing can come in between.
  if (!record || (verdict.kind !== 'rotated' && verdict.kind !== 'healed')) return undefined
  const { kind, record: decided } = verdict
  const readVersion = record.version
  return {
    state: {
      ...state,
      open: { what: 'refresh', by, message, readVersion, kind, record: decided },
    },
    presented: message,
  }
}

export function written(state: State, isAnswerLost: boolean, rules: Rules): Outcome | undefined {
  const { open, ...rest } = state
  if (!open) return undefined
  const closed: State = { ...rest, open: undefined }
  if (open.what === 'phone') return phoneEnded(closed, open, isAnswerLost)
  const { by, message, readVersion, kind, record } = open
  const { session } = message.token
  const isStill = closed.store[session]?.record?.version === readVersion
  // Somebody was faster: it is read again, and judged as it is then.
  if (rules.comparesVersions && !isStill) return answered(judged(closed, message, rules), by)
  const result = write(closed, session, record, { exchangedWith: message.key })
  return answered(
    {
      presented: message,
      verdict: kind,
      ...exchanged(closed, result, message, kind, record),
    },
    by,
  )
}

/** `/phone` finds that the number is another user's: a session of that user is created. */
export function phoneBegun(state: State, rules: Rules): Outcome | undefined {
  const { storage } = state
  if (storage.kind !== 'pair') return undefined
  const { token, key } = storage
  const { session: from } = token
  const record = recordIn(state, from)
  if (!record || record.revokedAt !== undefined) return undefined
  const begun = counting(excused(state), 'phones')
  if (rules.movesSessions) {
    const { version } = record
    return write(begun, from, { ...record, version: version + 1, userId: 'member' })
  }
  const to = begun.sessions.length
  return {
    state: {
      ...withSession(begun, 'member'),
      open: { what: 'phone', from, to, before: { token, key } },
    },
  }
}

/** It takes the place of the one that asked, unless that one has ended. */
function phoneEnded(
  state: State,
  { from, to, before }: { from: number; to: number; before: Message },
  isAnswerLost: boolean,
): Outcome {
  const replaced = recordIn(state, from)
  const opened = recordIn(state, to)
  const isLive = replaced && replaced.revokedAt === undefined && replaced.userId === 'guest'
  if (!isLive) {
    const isOurs = opened && opened.revokedAt === undefined && opened.version === 1
    const undone = isOurs ? write(state, to, toQuietEnd(opened, state.now)) : { state }
    return { ...undone, answer: 'invalid_token' }
  }
  const result = write({ ...state, user: 'member' }, from, toQuietEnd(replaced, state.now))
  const wasRevoked = state.store[from]?.isRevokedByApp || state.store[from]?.hasAlarmed
  const broken = wasRevoked ? ('no way in after the end' as const) : result.broken
  const token = { session: to, generation: 0 }
  const next = isAnswerLost ? result.state : stored(result.state, before, token)
  return { ...result, state: next, answer: token, ...(broken && { broken }) }
}

/** An answer goes to whoever waits for it. */
export function answered(outcome: Outcome, by: Side | 'stray' | 'thief'): Outcome {
  const { state, answer } = outcome
  if (answer === undefined || by === 'stray') return outcome
  if (by === 'thief') {
    if (typeof answer === 'string') return outcome
    return { ...outcome, state: withLoot(state, { token: answer, key: undefined }) }
  }
  const instance = state[by]
  if (!instance || instance.answers.some((known) => isSameAnswer(known, answer))) return outcome
  const answers = [...instance.answers, answer]
  return { ...outcome, state: { ...state, [by]: { ...instance, answers } } }
}

const isSameAnswer = (a: Answer, b: Answer) =>
  typeof a === 'object' && typeof b === 'object' ? isSameToken(a, b) : a === b
