import { type ClientError, isPassing } from '../errors.js'

const firstMs = 500
const maxMs = 60_000
/** What passes is forgiven soon: nobody answered, or a gateway without a server. */
const maxPassingMs = 3_000
const maxRetryAfterSeconds = 300

/**
 * After a failure nobody tries again for so long: as the server said, or longer each time. What a gateway or a page says
 * is not the server's word.
 */
export function pauseAfter(error: ClientError, previousMs: number): number {
  const { code, retryAfterSeconds } = error
  return retryAfterSeconds && code !== 'http'
    ? (Math.min(maxRetryAfterSeconds, retryAfterSeconds) + Math.random()) * 1000
    : Math.min(
        isPassing(error) ? maxPassingMs : maxMs,
        (previousMs || firstMs) * (1.5 + Math.random()),
      )
}
