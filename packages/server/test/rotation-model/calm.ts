import { endedBy, judged } from './backend.js'
import { loggedIn, quiet, stored } from './phone.js'
import type { PromiseName } from './promises.js'
import type { Rules } from './rules.js'
import { type Key, recordIn, type State, type Token } from './state.js'
import type { Outcome } from './steps.js'

/** What the phone, or at last the thief, does in the calm, and what comes of it. */
export interface CalmStep extends Outcome {
  readonly who: 'phone' | 'thief'
  readonly does: 'refresh' | 'login' | 'tell'
}

export interface BrokenInCalm {
  readonly promise: PromiseName
  readonly trail: readonly CalmStep[]
}

const maxAttempts = 6

/** What must hold of a state if from now on the network works, and nobody does anything but the phone. */
export function brokenInCalm(state: State, rules: Rules): BrokenInCalm | undefined {
  const trail: CalmStep[] = []
  let now = quiet(state)
  let refreshed = 0
  const isSignedOut = () => now.storage.kind === 'signed out' && !now.storage.untold
  const enough = 2 + lostLead(state)
  while (refreshed < enough && !isSignedOut()) {
    if (trail.length === maxAttempts) return { promise: 'never stuck', trail }
    const step = attempt(now, rules)
    trail.push(step)
    const isRefused = step.does === 'refresh' && typeof step.answer === 'string'
    if (isRefused && !state.isExcused) {
      return { promise: step.broken ?? 'no needless login', trail }
    }
    refreshed = typeof step.answer === 'object' ? refreshed + 1 : 0
    now = step.state
  }
  const gain = gainOf(now, rules)
  return gain && { promise: 'thief is out', trail: [...trail, gain] }
}

/** The phone does the next thing, once, and its answer arrives. */
function attempt(state: State, rules: Rules): CalmStep {
  const { storage } = state
  if (storage.kind === 'signed out' && storage.untold) {
    const { token, key } = storage.untold
    const ended = endedBy(state, token, key, rules)
    const { isByApp } = storage
    const told: State = { ...ended.state, storage: { kind: 'signed out', isByApp } }
    return { ...ended, who: 'phone', does: 'tell', state: told }
  }
  if (storage.kind !== 'pair') {
    const next = quiet(loggedIn(state))
    return { who: 'phone', does: 'login', state: next }
  }
  const [next, message] = sentBy(state, storage, rules)
  const outcome = judged(next, message, rules)
  const answer = outcome.answer ?? 'unknown'
  const after = quiet(stored(outcome.state, storage, answer))
  return { ...outcome, who: 'phone', does: 'refresh', state: after }
}

function sentBy(state: State, { token, key }: { token: Token; key: Key }, rules: Rules) {
  const message = { token, key: rules.keepsKeys ? key : state.nextKey }
  return [{ ...state, nextKey: state.nextKey + 1 }, message] as const
}

/** By how much the thief is ahead of a store that has lost what the thief did. */
function lostLead(state: State): number {
  const { hasLostWrites, loot, storage } = state
  if (!hasLostWrites || storage.kind !== 'pair') return 0
  const { session } = storage.token
  const record = recordIn(state, session)
  if (!record || record.revokedAt !== undefined) return 0
  const leads = loot
    .filter(({ token }) => token.session === session)
    .map(({ token }) => token.generation - record.generation)
  return Math.max(0, ...leads)
}

/** Something that the thief can still exchange. */
function gainOf(state: State, rules: Rules): CalmStep | undefined {
  const { storage, hasLostWrites, nextKey } = state
  for (const { token, key } of state.loot) {
    // A store that has forgotten the end of a session lets whoever has its token go on; the phone has another.
    const isOthers = storage.kind !== 'pair' || storage.token.session !== token.session
    if (hasLostWrites && isOthers) continue
    for (const one of key === undefined ? [nextKey] : [key, nextKey]) {
      const outcome = judged({ ...state, nextKey: nextKey + 1 }, { token, key: one }, rules)
      if (typeof outcome.answer === 'object') return { ...outcome, who: 'thief', does: 'refresh' }
    }
  }
  return undefined
}
