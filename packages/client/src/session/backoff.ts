import type { ClientError } from '../errors.js'
import { isWithin } from './token-record.js'

const firstPauseMs = 500
const maxPauseMs = 60_000

/** After a failure nobody tries again for a while: as long as the server said, or longer each time. */
export interface Backoff {
  /** Throws the last error during the pause. */
  assertNotPaused(): void
  /** Whether the last attempt failed, and nothing has reset the pause since. */
  hasFailed(): boolean
  /** How an attempt ended. */
  record(error?: ClientError): void
  /** Lets the next attempt start at once, unless the server said when. */
  resetBackoff(): void
}

export function createBackoff(): Backoff {
  let pauseMs = 0
  let failedMs = 0
  let lastError: ClientError | undefined

  return {
    assertNotPaused() {
      if (lastError && isWithin(pauseMs, failedMs)) throw lastError
    },

    hasFailed: () => pauseMs > 0,

    record(error) {
      lastError = error
      failedMs = Date.now()
      pauseMs = error
        ? Number(error.retryAfterSeconds) * 1000 ||
          Math.min(maxPauseMs, (pauseMs || firstPauseMs) * (1.5 + Math.random()))
        : 0
    },

    resetBackoff() {
      if (!(lastError && lastError.retryAfterSeconds)) pauseMs = 0
    },
  }
}
