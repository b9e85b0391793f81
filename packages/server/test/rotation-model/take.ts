import { answered, endedBy, judged, opened, phoneBegun, write, written } from './backend.js'
import { arrived, loggedIn, quiet, withMessage } from './phone.js'
import type { PromiseName } from './promises.js'
import type { Rules } from './rules.js'
import {
  counting,
  excused,
  liveSessionsOf,
  type Message,
  recordIn,
  type Side,
  type State,
  weekSeconds,
} from './state.js'
import type { Outcome, Step } from './steps.js'
import { stolenFrom, thiefsMessage, touched, withLoot } from './thief.js'

/** Lets a step happen. `undefined` if nothing would come of it. */
export function take(state: State, step: Step, rules: Rules): Outcome | undefined {
  const { storage } = state
  switch (step.do) {
    case 'send': {
      if (storage.kind !== 'pair') return undefined
      const { token } = storage
      const key = rules.keepsKeys ? storage.key : state.nextKey
      const nextKey = rules.keepsKeys ? state.nextKey : state.nextKey + 1
      const instance = { token, key, answers: [] }
      return {
        state: { ...state, nextKey, [step.by]: instance },
        presented: { token, key },
      }
    }
    case 'judge': {
      const message = messageOf(state, step)
      if (!message) return undefined
      return answered(judged(state, message, rules), step.from)
    }
    case 'read':
      return opened(state, messageOf(state, step), step.from, rules)
    case 'write':
      return written(state, step.isAnswerLost === true, rules)
    case 'arrive':
      return arrived(state, step.at, step.answer)
    case 'restart': {
      const instance = state[step.side]
      if (!instance) return undefined
      const { open } = state
      // Its request is still on its way, and what is open of it at the backend goes on, for nobody.
      const isOpen = open?.what === 'refresh' && open.by === step.side
      return {
        state: {
          ...state,
          [step.side]: undefined,
          strays: withMessage(state.strays, instance),
          ...(isOpen && { open: { ...open, by: 'stray' as const } }),
        },
      }
    }
    case 'login': {
      const before = storage.kind === 'signed out' ? storage.untold : undefined
      const ended = before ? endedBy(state, before.token, before.key, rules) : { state }
      return { ...ended, state: loggedIn(ended.state) }
    }
    case 'login again': {
      if (storage.kind !== 'pair') return undefined
      const { token, key } = storage
      const ended = endedBy(excused(state), token, key, rules)
      const counted = counting(ended.state, 'newLogins')
      // A session whose tokens nobody has ever seen is none that anybody can go on with.
      return { ...ended, state: step.isAnswerLost ? counted : loggedIn(counted) }
    }
    case 'sign out': {
      if (storage.kind !== 'pair') return undefined
      const { token, key } = storage
      const untold = { token, key }
      return {
        state: {
          ...counting(excused(state), 'signOuts'),
          storage: { kind: 'signed out', untold, isByApp: false },
        },
        presented: untold,
      }
    }
    case 'tell': {
      if (storage.kind !== 'signed out' || !storage.untold) return undefined
      const { untold, isByApp } = storage
      const ended = endedBy(state, untold.token, untold.key, rules)
      if (step.isAnswerLost) return ended
      return { ...ended, state: { ...ended.state, storage: { kind: 'signed out', isByApp } } }
    }
    case 'phone':
      return phoneBegun(state, rules)
    case 'wait':
      return { state: quiet(state) }
    case 'week':
      return {
        state: {
          ...counting(excused(quiet(state)), 'weeks'),
          now: state.now + weekSeconds,
        },
      }
    case 'fall behind':
      return { state: { ...state, replica: state.store } }
    case 'fail over': {
      const { replica, ...rest } = state
      if (!replica) return undefined
      const knowsAll = state.store.every((kept, session) => !kept || replica[session])
      return {
        state: {
          ...counting(knowsAll ? rest : excused(rest), 'failovers'),
          store: replica,
          replica: undefined,
          hasLostWrites: true,
          ...(rules.failoverEndsRequests && { open: undefined }),
        } as State,
      }
    }
    case 'revoke': {
      let next = counting(excused(state), 'revocations')
      let broken: PromiseName | undefined
      for (const session of liveSessionsOf(state, step.user)) {
        const record = recordIn(state, session)
        if (!record) continue
        const result = write(next, session, rules.revoke(record, state.now), {
          isRevokedByApp: true,
        })
        next = result.state
        broken ??= result.broken
      }
      return { state: next, ...(broken && { broken }) }
    }
    case 'steal': {
      const stored = stolenFrom(storage)
      if (!stored) return undefined
      const key = step.what === 'token' ? undefined : stored.key
      return {
        state: counting(withLoot(state, { token: stored.token, key }), 'thefts'),
        presented: { token: stored.token, key },
      }
    }
    case 'overhear': {
      const token = state[step.side]?.answers[step.answer]
      if (typeof token !== 'object') return undefined
      return {
        state: counting(withLoot(state, { token, key: undefined }), 'thefts'),
        presented: { token, key: undefined },
      }
    }
    case 'present': {
      const [begun, message] = thiefsMessage(state, step)
      if (!message) return undefined
      return answered(judged(begun, message, rules), 'thief')
    }
    case 'present slowly': {
      const [begun, message] = thiefsMessage(state, step)
      return opened(begun, message, 'thief', rules)
    }
    case 'end': {
      const { token, key } = state.loot[step.loot] ?? {}
      if (!token) return undefined
      return endedBy(touched(state, token), token, step.isWithKey ? key : undefined, rules)
    }
  }
}

function messageOf(
  state: State,
  { from, stray = -1 }: { from: Side | 'stray'; stray?: number },
): Message | undefined {
  return from === 'stray' ? state.strays[stray] : state[from]
}
