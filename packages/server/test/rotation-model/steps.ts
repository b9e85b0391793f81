import type { PromiseName } from './promises.js'
import type { Rules } from './rules.js'
import {
  type Answer,
  type Key,
  liveSessionsOf,
  type Side,
  type State,
  type Token,
  type Used,
  type User,
} from './state.js'
import { stolenFrom } from './thief.js'

/** How often what is rare may happen in one story; everything else may happen at any time, and without end. */
export type Bounds = Used & {
  /** How many sessions there may be. */
  readonly sessions: number
}

/** Something that happens. */
export type Step =
  | { readonly do: 'send'; readonly by: Side }
  | { readonly do: 'judge'; readonly from: Side | 'stray'; readonly stray?: number }
  | { readonly do: 'read'; readonly from: Side | 'stray'; readonly stray?: number }
  | { readonly do: 'write'; readonly isAnswerLost?: boolean }
  | { readonly do: 'arrive'; readonly at: Side; readonly answer: number }
  | { readonly do: 'restart'; readonly side: Side }
  | { readonly do: 'login' }
  | { readonly do: 'login again'; readonly isAnswerLost: boolean }
  | { readonly do: 'sign out' }
  | { readonly do: 'tell'; readonly isAnswerLost: boolean }
  | { readonly do: 'phone' }
  | { readonly do: 'wait' }
  | { readonly do: 'week' }
  | { readonly do: 'fall behind' }
  | { readonly do: 'fail over' }
  | { readonly do: 'revoke'; readonly user: User }
  | { readonly do: 'steal'; readonly what: 'token' | 'token and key' }
  | { readonly do: 'overhear'; readonly side: Side; readonly answer: number }
  | { readonly do: 'present'; readonly loot: number; readonly isWithKey: boolean }
  | { readonly do: 'present slowly'; readonly loot: number; readonly isWithKey: boolean }
  | { readonly do: 'end'; readonly loot: number; readonly isWithKey: boolean }

/** What came of a step. */
export interface Outcome {
  readonly state: State
  /** What was presented, if a token was, and what the backend said. */
  readonly presented?: { readonly token: Token; readonly key: Key | undefined }
  readonly verdict?: string
  readonly answer?: Answer
  /** The promise that this step broke. */
  readonly broken?: PromiseName
}

const sides: readonly Side[] = ['left', 'right']

/** Everything that may happen next. */
export function stepsFrom(state: State, rules: Rules, bounds: Bounds): Step[] {
  const { storage, open, loot, used, strays } = state
  const steps: Step[] = []
  const isPair = storage.kind === 'pair'

  const stored = stolenFrom(storage)
  if (stored && used.thefts < bounds.thefts) {
    steps.push({ do: 'steal', what: 'token' }, { do: 'steal', what: 'token and key' })
  }
  if (used.failovers < bounds.failovers) {
    steps.push(state.replica ? { do: 'fail over' } : { do: 'fall behind' })
  }
  if (used.revocations < bounds.revocations) {
    for (const user of ['guest', 'member'] as const) {
      if (liveSessionsOf(state, user).length > 0) steps.push({ do: 'revoke', user })
    }
  }

  loot.forEach(({ key }, index) => {
    for (const isWithKey of key === undefined ? [false] : [false, true]) {
      steps.push({ do: 'present', loot: index, isWithKey })
      if (!open) steps.push({ do: 'present slowly', loot: index, isWithKey })
      steps.push({ do: 'end', loot: index, isWithKey })
    }
  })
  steps.push({ do: 'wait' })
  if (used.weeks < bounds.weeks) steps.push({ do: 'week' })

  for (const side of sides) {
    const instance = state[side]
    if (!instance) {
      const isOld = isPair && (!storage.isYoung || !rules.sparesYoungPairs)
      if (isOld) steps.push({ do: 'send', by: side })
      continue
    }
    steps.push({ do: 'judge', from: side })
    if (!open) steps.push({ do: 'read', from: side })
    instance.answers.forEach((_, answer) => {
      steps.push({ do: 'arrive', at: side, answer })
      if (typeof instance.answers[answer] === 'object' && used.thefts < bounds.thefts) {
        steps.push({ do: 'overhear', side, answer })
      }
    })
    steps.push({ do: 'restart', side })
  }
  strays.forEach((_, stray) => {
    steps.push({ do: 'judge', from: 'stray', stray })
    if (!open) steps.push({ do: 'read', from: 'stray', stray })
  })
  if (open) {
    steps.push({ do: 'write' })
    if (open.what === 'phone') steps.push({ do: 'write', isAnswerLost: true })
  }

  const mayBeMore = state.sessions.length < bounds.sessions
  if (isPair) {
    if (used.newLogins < bounds.newLogins && mayBeMore) {
      steps.push({ do: 'login again', isAnswerLost: false })
      steps.push({ do: 'login again', isAnswerLost: true })
    }
    if (used.signOuts < bounds.signOuts) steps.push({ do: 'sign out' })
    const mayBind = used.phones < bounds.phones && mayBeMore && state.user === 'guest'
    if (mayBind && !open) steps.push({ do: 'phone' })
  } else if (mayBeMore) steps.push({ do: 'login' })
  if (storage.kind === 'signed out' && storage.untold) {
    steps.push({ do: 'tell', isAnswerLost: false })
    steps.push({ do: 'tell', isAnswerLost: true })
  }

  return steps
}
