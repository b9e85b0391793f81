import {
  type Answer,
  isSameMessage,
  isSameToken,
  type Message,
  type Side,
  type State,
  type Storage,
  withSession,
} from './state.js'
import type { Outcome } from './steps.js'

/** A new session, under the account of the phone. */
export function loggedIn(state: State): State {
  const token = { session: state.sessions.length, generation: 0 }
  const next = withSession(state, state.user)
  return {
    ...next,
    storage: { kind: 'pair', token, key: next.nextKey, isYoung: true },
    nextKey: next.nextKey + 1,
  }
}

/** What an instance does with an answer: it stores it if storage still holds what it has sent. */
export function arrived(state: State, side: Side, index: number): Outcome | undefined {
  const instance = state[side]
  const answer = instance?.answers[index]
  if (!instance || answer === undefined) return undefined
  // It waits no more; what is still on its way of its request is of no use to it.
  const { open } = state
  const isOpen = open?.what === 'refresh' && open.by === side
  const rest: State = {
    ...state,
    [side]: undefined,
    strays: withMessage(state.strays, instance),
    ...(isOpen && { open: { ...open, by: 'stray' as const } }),
  }
  return { state: stored(rest, instance, answer), answer, presented: instance }
}

/** A new pair is written, and an old one dropped, only if storage still holds the token that was presented. */
export function stored(state: State, { token, key }: Message, answer: Answer): State {
  const { storage } = state
  if (storage.kind !== 'pair' || !isSameToken(storage.token, token)) return state
  if (typeof answer === 'object') {
    const next: Storage = { kind: 'pair', token: answer, key: state.nextKey, isYoung: true }
    return { ...state, storage: next, nextKey: state.nextKey + 1 }
  }
  const next: Storage =
    answer === 'revoked'
      ? { kind: 'signed out', untold: { token, key }, isByApp: true }
      : { kind: 'empty' }
  return { ...state, storage: next }
}

/** Nothing lives as long as a pair is left alone: requests and answers that are on their way die, and pairs get old. */
export function quiet(state: State): State {
  const { storage } = state
  return {
    ...state,
    left: undefined,
    right: undefined,
    strays: [],
    open: undefined,
    ...(storage.kind === 'pair' && { storage: { ...storage, isYoung: false } }),
  }
}

export function withMessage(
  strays: readonly Message[],
  { token, key }: Message,
): readonly Message[] {
  const message = { token, key }
  return strays.some((one) => isSameMessage(one, message)) ? strays : [...strays, message]
}
