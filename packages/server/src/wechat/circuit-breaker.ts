import { AuthError } from '../errors.js'
import type { BreakerEvent } from '../events.js'

type BreakerState = BreakerEvent['state']

const failuresToOpen = 5
const shortestOpenMs = 10_000
const longestOpenMs = 60_000

/** What a call has shown of WeChat: it was there, it was not, or nothing. */
export type Finding = 'up' | 'down' | 'nothing'

export interface CircuitBreaker {
  /** Throws `wechat_unavailable` while the circuit is open. */
  check(): void
  /** Lets a call pass, or throws like `check`. Every call that passes must report, exactly once, what it found. */
  enter(): (finding: Finding) => void
  state(): BreakerState
}

/** Makes calls fail at once for a while after consecutive failures, so that callers do not wait for nothing. */
export function createCircuitBreaker(
  now: () => number,
  onChange: (state: BreakerState) => void,
): CircuitBreaker {
  let state: BreakerState = 'closed'
  // A call that began before the last change of state says nothing about the new state.
  let changes = 0
  let failures = 0
  let openForMs = shortestOpenMs
  let openedAtMs = 0
  let isProbing = false

  function change(next: BreakerState): void {
    state = next
    changes += 1
    failures = 0
    isProbing = false
    if (next === 'open') openedAtMs = now()
    onChange(next)
  }

  /** A clock that was set back must not keep the circuit open. */
  function remainingMs(): number {
    const elapsedMs = now() - openedAtMs
    return elapsedMs < 0 ? 0 : Math.max(0, openForMs - elapsedMs)
  }

  function succeeded(): void {
    failures = 0
    if (state === 'closed') return
    openForMs = shortestOpenMs
    change('closed')
  }

  function failed(): void {
    failures += 1
    if (state === 'closed' && failures < failuresToOpen) return
    if (state === 'half_open') openForMs = Math.min(openForMs * 2, longestOpenMs)
    change('open')
  }

  function check(): void {
    if (isProbing) throw circuitOpen(1)
    if (state === 'open' && remainingMs() > 0) throw circuitOpen(Math.ceil(remainingMs() / 1000))
  }

  return {
    check,

    enter() {
      check()
      if (state === 'open') change('half_open')
      isProbing = state === 'half_open'
      const enteredAt = changes
      return (finding) => {
        if (enteredAt !== changes) return
        // The next call finds out instead.
        isProbing = false
        if (finding === 'up') succeeded()
        if (finding === 'down') failed()
      }
    },

    // No call has tested it yet, but the next one will.
    state: () => (state === 'open' && remainingMs() === 0 ? 'half_open' : state),
  }
}

function circuitOpen(retryAfterSeconds: number): AuthError {
  return new AuthError(
    'wechat_unavailable',
    `Circuit breaker open after ${failuresToOpen} consecutive failures; try again later`,
    { retryAfterSeconds },
  )
}
