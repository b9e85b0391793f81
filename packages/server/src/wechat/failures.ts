import { AuthError } from '../errors.js'
import type { WeChatEvent } from '../events.js'
import { systemCodeOf } from '../redact.js'
import { Unreadable } from './answer.js'
import type { Finding } from './circuit-breaker.js'
import type { ErrcodeMeanings } from './errcodes.js'
import { ConnectionLost, type Reply, unavailable } from './http-client.js'

/** What a failed call says about WeChat. An unexpected answer counts only where all of WeChat's answers are known. */
export function findingOf(
  error: unknown,
  reply: Reply | undefined,
  { unknownErrcode }: ErrcodeMeanings,
): Finding {
  if (error instanceof ConnectionLost) return error.wasIdle ? 'nothing' : 'down'
  // It may not be WeChat's.
  if (error instanceof Unreadable) return 'nothing'
  if (!(error instanceof AuthError) || error.code !== 'wechat_unavailable') return 'up'
  if (reply === undefined) return isOurLimit(error) ? 'nothing' : 'down'
  if (reply.status >= 500) return 'down'
  if (unknownErrcode !== 'wechat_unavailable') return 'up'
  return error.errcode === undefined || error.errcode === -1 ? 'down' : 'up'
}

/** How the `wechat` event names the failure. */
export function outcomeOf(error: unknown): WeChatEvent['outcome'] {
  if (error instanceof ConnectionLost) return 'lost'
  if (error instanceof Unreadable) return 'unreadable'
  return error instanceof AuthError ? error.code : 'server_error'
}

/** What the caller gets. A code that may be used is worthless, and the phone gets a new one at once. */
export function toThrow(error: unknown, spendsCode: boolean): unknown {
  if (error instanceof Unreadable) return unavailable(error.message)
  if (!(error instanceof ConnectionLost)) return error
  const { message, cause } = error
  return spendsCode
    ? new AuthError('invalid_code', `${message}, and the code may be used; get a new one`, {
        reason: 'lost',
        cause,
      })
    : unavailable(message, cause)
}

/** Whether this process or this machine has no more sockets, ports or memory. */
const isOurLimit = (error: AuthError) => ourLimits.has(systemCodeOf(error))

// No port of its own is left: EADDRNOTAVAIL, on some systems EAGAIN.
const ourLimits: ReadonlySet<string | undefined> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'EAGAIN',
  'ENOBUFS',
  'ENOMEM',
])
