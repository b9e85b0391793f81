import { AuthError } from '../errors.js'
import type { BreakerEvent } from '../events.js'

type BreakerState = BreakerEvent['state']

const failuresToOpen = 5
const shortestOpenMs = 10_000
const longestOpenMs = 60_000

export interface CircuitBreaker {
  /**
   * Lets a call pass, or throws `wechat_unavailable` while the circuit is open. Every call that passes must report,
   * exactly once, whether WeChat is up.
   */
  enter(): (isUp: boolean) => void
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

  function change(next: BreakerState): void {
    state = next
    changes += 1
    failures = 0
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

  return {
    enter() {
      if (state === 'half_open') throw circuitOpen(1)
      if (state === 'open') {
        if (remainingMs() > 0) throw circuitOpen(Math.ceil(remainingMs() / 1000))
        change('half_open')
      }
      const enteredAt = changes
      return (isUp) => {
        if (enteredAt !== changes) return
        if (isUp) succeeded()
        else failed()
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
