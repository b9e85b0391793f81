import { type Answer, exchange, type NoAnswer } from './exchange.js'
import type { Send } from './scenario.js'
import type { Stage } from './stage.js'
import type { Values } from './values.js'
import type { Answered } from './watches.js'

/** Sends the requests of one scenario. */
export interface Sender {
  /** What came so far. */
  readonly answers: readonly Answered[]
  send(step: Send): Promise<Answer | NoAnswer>
  /** What came, without its secrets, and with these headers. */
  shown(outcome: Answer | NoAnswer, headers?: readonly string[]): string
}

export function createSender(stage: Stage, values: Values): Sender {
  const { mask, serverUrl } = stage
  const answers: Answered[] = []

  async function send(step: Send): Promise<Answer | NoAnswer> {
    const [method = '', path = ''] = step.send.split(' ')
    // A phone number is for users who are logged in, and so is the route that was told.
    const isPhone = path === 'guarded' && stage.guardedUrl === undefined
    const body = isPhone ? { code: '$phoneCode.who' } : step.body
    const text = step.text === undefined ? undefined : values.text(step.text)
    const outcome = await exchange({
      method: isPhone ? 'POST' : method,
      url: urlOf(path),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(step.key !== undefined && { 'idempotency-key': values.text(step.key) }),
        ...Object.fromEntries(
          Object.entries(step.headers ?? {}).map(([header, value]) => [header, values.text(value)]),
        ),
      },
      body:
        text?.padEnd(step.bytes ?? 0) ??
        (body === undefined ? undefined : JSON.stringify(values.filled(body))),
    })
    if ('failure' in outcome) return outcome
    answers.push({ step: step.send, answer: outcome })
    if (step.as !== undefined) values.keep(step.as, outcome.members)
    return outcome
  }

  function urlOf(path: string): string {
    if (path === 'guarded') return stage.guardedUrl ?? `${serverUrl}/phone`
    const filled = values.text(path)
    if (!filled.startsWith('prefetch')) return serverUrl + filled
    return `${stage.prefetchUrl}${filled.slice('prefetch'.length)}`
  }

  function shown(outcome: Answer | NoAnswer, headers: readonly string[] = []): string {
    if ('failure' in outcome) return outcome.failure
    const { status, text } = outcome
    const masked = mask.body(Buffer.from(text), outcome.headers['content-type']) ?? '(no text)'
    const short = masked.replace(/\s*\n\s*/g, ' ').slice(0, 300)
    const seen = mask.headers(outcome.headers)
    const named = headers.map((header) => `${header}: ${seen[header.toLowerCase()] ?? '(none)'}`)
    return [`status ${status}`, ...named, short].filter((part) => part !== '').join(', ')
  }

  return { answers, send, shown }
}
