import { AuthError, seeMoreOf } from './errors.js'
import type { AuthEvent } from './events.js'
import { checkFunctions } from './option-checks.js'
import { redactText } from './redact.js'

/** Makes errors of `onEvent` harmless to the caller. Throws a `TypeError` if it is not a function. */
export function createEmit<Event extends AuthEvent>(
  onEvent: (event: Event) => void = tellOperator,
): (event: Event) => void {
  checkFunctions({ onEvent })
  return (event) => {
    try {
      const pending: unknown = onEvent(event)
      if (pending instanceof Promise) pending.catch(() => undefined)
    } catch {
      // A broken log must not break a login.
    }
  }
}

/** Without `onEvent`: what an operator has to know, and nothing else. */
function tellOperator(event: AuthEvent): void {
  const text = textOf(event)
  // biome-ignore lint/suspicious/noConsole: where nobody listens, this is the only place that is looked at
  if (text !== undefined) console.error(`wxlogin: ${text}`)
}

function textOf(event: AuthEvent): string | undefined {
  switch (event.type) {
    case 'misconfigured':
      return `WeChat rejects this backend (${event.endpoint}, ${event.appId}, errcode ${event.errcode}): ${event.hint}${seeMoreOf('server_misconfigured')}`
    case 'warning':
      return `${event.warning}: ${event.hint}`
    case 'breaker':
      return event.state === 'open'
        ? `WeChat failed several times in a row; calls of the group ${event.group} fail at once for some seconds`
        : undefined
    case 'failure':
      return `${event.code} (request ${event.requestId}): ${storyOf(event.error)}`
    default:
      return undefined
  }
}

/** An error and its causes; of what the app's own function threw also where. */
function storyOf(error: unknown, hasPlace = false): string {
  if (!(error instanceof Error)) return 'something other than an Error was thrown'
  const { name, message, stack = '', cause } = error
  const isOurs = error instanceof AuthError
  const said = isOurs || name === 'Error' ? message : `${name}: ${message}`
  const frames = hasPlace ? stack.split('\n').filter((line) => /^\s+at /.test(line)) : []
  const told = [isOurs ? said : redactText(said), ...frames].join('\n')
  if (cause === undefined) return told
  return `${told}\n  cause: ${storyOf(cause, isOurs && error.code === 'server_error')}`
}
