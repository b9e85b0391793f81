import { AuthError, type AuthEvent } from '@wxlogin/server'

/** From what says the most to what says the least. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const

export type LogLevel = (typeof logLevels)[number]

export interface JsonLogOptions {
  /** Gets each line, without its end. */
  readonly write: (line: string) => void
  /** In milliseconds, like `Date.now`. */
  readonly now: () => number
  /** What is less than this is not written (default `info`; `debug` is a line a refresh and a call to WeChat). */
  readonly level?: LogLevel
}

type Members = Readonly<Record<string, unknown>>

/** An answered request. */
export interface RequestLine {
  readonly method: string
  /** As it came. Only the name of a route that there is gets into the log: a path may hold anything. */
  readonly path: string
  readonly status: number
  readonly durationMs: number
}

export interface JsonLog {
  /** For the option `onEvent`. */
  onEvent(event: AuthEvent): void
  request(line: RequestLine): void
  /** A line of the service's own; its members are written as they are. */
  say(level: LogLevel, message: string, members?: Members): void
}

/**
 * A log of JSON lines: `time` (ISO 8601), `level`, `msg`, and what the event says. No line holds a secret, a code, a
 * token, an openid, a phone number or the id of a user; a session's story is found by its `sessionId`, and the sessions of
 * a user by the admin API.
 */
export function createJsonLog({ write, now, level: least = 'info' }: JsonLogOptions): JsonLog {
  function say(level: LogLevel, message: string, members: Members = {}): void {
    if (logLevels.indexOf(level) < logLevels.indexOf(least)) return
    const time = new Date(now()).toISOString()
    write(JSON.stringify({ time, level, msg: message, ...members }))
  }

  return {
    say,

    onEvent(event) {
      say(levelOf(event), `wxlogin ${event.type}`, membersOf(event))
    },

    request({ method, path, status, durationMs }) {
      const level = status >= 500 ? 'warn' : 'info'
      const about = {
        method: /^[A-Z]{1,16}$/.test(method) ? method : 'OTHER',
        route: routeIn(path),
        status,
        durationMs: Math.round(durationMs),
      }
      say(level, 'request', about)
    },
  }
}

/** As on the page about logs. */
function levelOf(event: AuthEvent): LogLevel {
  switch (event.type) {
    case 'misconfigured':
    case 'failure':
      return 'error'
    case 'warning':
      return 'warn'
    case 'breaker':
      return event.state === 'open' ? 'error' : 'warn'
    case 'refresh':
      if (event.outcome === 'reused' || event.outcome === 'healed') return 'warn'
      return event.outcome === 'rotated' ? 'debug' : 'info'
    case 'login':
      return event.outcome === 'code_reused' ? 'warn' : 'info'
    case 'wechat':
      return event.outcome === 'ok' ? 'debug' : 'info'
    default:
      return 'info'
  }
}

/** Member by member, so that nothing gets into the log because an event has got something new. */
function membersOf(event: AuthEvent): Members {
  switch (event.type) {
    case 'login': {
      const { by, outcome, appId, kind, sessionId, durationMs } = event
      return { by, outcome, appId, kind, sessionId, durationMs }
    }
    case 'refresh': {
      const { outcome, reason, appId, sessionId, durationMs } = event
      return { outcome, reason, appId, sessionId, durationMs }
    }
    case 'revoked': {
      const { reason, appId, sessionId } = event
      return { reason: plainReason(reason), appId, sessionId }
    }
    case 'logout': {
      const { everywhere, appId, sessionId } = event
      return { everywhere, appId, sessionId }
    }
    case 'phone': {
      const { outcome, appId, sessionId, durationMs } = event
      return { outcome, appId, sessionId, durationMs }
    }
    case 'device_asked':
      return { appId: event.appId }
    case 'device_decided': {
      const { outcome, appId, sessionId } = event
      return { outcome, appId, sessionId }
    }
    case 'evicted': {
      const { appId, sessionId } = event
      return { appId, sessionId }
    }
    case 'forgotten':
      return { sessions: event.sessions }
    case 'wechat': {
      const { endpoint, appId, outcome, errcode, rid, durationMs } = event
      return { endpoint, appId, outcome, errcode, rid, durationMs }
    }
    case 'misconfigured': {
      const { endpoint, appId, errcode, hint, rid } = event
      return { endpoint, appId, errcode, hint, rid }
    }
    case 'breaker': {
      const { group, state } = event
      return { group, state }
    }
    case 'warning': {
      const { warning, hint } = event
      return { warning, hint }
    }
    case 'failure': {
      const { code, requestId, error } = event
      return { code, requestId, error: storyOf(error) }
    }
    default:
      return event satisfies never
  }
}

/** Words of the app's own; a number could be somebody's. */
const plainReason = (reason: string) =>
  /^[a-z]{1,16}(_[a-z]{1,16}){0,3}$/.test(reason) ? reason : 'other'

const maxCauses = 5

/** An error and its causes, without what a driver hangs on them, and of its words without what may be a secret. */
function storyOf(error: unknown, depth = 0): Members {
  if (!(error instanceof Error)) return { name: 'something other than an Error was thrown' }
  const { name, message, cause } = error
  const isOurs = error instanceof AuthError
  const code: unknown = Object(error).code
  const { errcode, rid } = isOurs ? error : { errcode: undefined, rid: undefined }
  return {
    name,
    ...(typeof code === 'string' && /^\w{1,64}$/.test(code) && { code }),
    message: isOurs ? message : masked(message),
    errcode,
    rid,
    ...(cause !== undefined && depth < maxCauses && { cause: storyOf(cause, depth + 1) }),
  }
}

/** A text that nobody knows the secrets of, without what may be one, or somebody's: names and words stay. */
function masked(text: string): string {
  return text
    .slice(0, 2_000)
    .replace(/[\w-]{8,}(\.[\w-]{8,}){2}/g, '[redacted]')
    .replace(/[\w+/=-]{20,}|\d{7,}/g, (word) =>
      /\d/.test(word) || /^o[\w-]{27}$/.test(word) ? '[redacted]' : word,
    )
}

const routes: ReadonlySet<string> = new Set([
  'login',
  'refresh',
  'logout',
  'phone',
  'device',
  'device/decision',
  'device/token',
  'jwks.json',
  'healthz',
  'readyz',
  'metrics',
  'sessions/list',
  'sessions/revoke',
  'sessions/account',
  'sessions/sign',
  'users/forget',
  'tickets/issue',
  'tickets/redeem',
  'wechat/call',
  'wechat/file',
])

/** The last one or two segments, where they name a route; the others may be anything, and the one before /prefetch is secret. */
function routeIn(path: string): string {
  const segments = (path.split('?', 1)[0] ?? '').split('/').filter((segment) => segment !== '')
  const [last = '', beforeIt] = segments.reverse()
  if (last === 'prefetch') return 'prefetch'
  return [`${beforeIt}/${last}`, last].find((name) => routes.has(name)) ?? 'other'
}
