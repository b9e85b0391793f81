import { type Answer, refusal } from './answers.js'
import type { Outcome } from './transports.js'

/**
 * A way in which WeChat, or the network in front of it, fails.
 *
 * | fault | what the caller sees | was the call processed |
 * | --- | --- | --- |
 * | `45011` | this errcode | no |
 * | `'45011'` | this errcode, as a string | no |
 * | `{ latencyMs }` | the right answer, this late | yes |
 * | `'never-answer'` | nothing, until it gives up | yes |
 * | `'drop-before'` | no connection: `ECONNREFUSED` | no |
 * | `'drop-after'` | a connection lost: `UND_ERR_SOCKET` | yes, so a code is used |
 * | `'html'` | a page of HTML with status 200 | no |
 * | `'html-502'` | a gateway's page of HTML with status 502 | no |
 * | `'too-large'` | the right answer, with more than 64 KiB, or a file of more than 32 MiB | yes |
 * | `'redirect'` | status 302 to `/redirected`, which shows up in `calls` if it is followed | no |
 *
 * Only `fetch` can refuse a connection. The listening server has accepted it by then, so both drops cut the socket
 * (close the server for a refusal), and with msw both are a network error without a code.
 */
export type FakeWeChatFault =
  | number
  | `${number}`
  | { readonly latencyMs: number }
  | 'never-answer'
  | 'drop-before'
  | 'drop-after'
  | 'html'
  | 'html-502'
  | 'too-large'
  | 'redirect'

export interface FakeWeChatFailOptions {
  /** How many calls fail (default 1); `Infinity` until `recover()`. */
  readonly times?: number
  /** Only calls to this endpoint, `'GET /sns/jscode2session'` for example (default all). */
  readonly endpoint?: string
}

/** Failures on demand. */
export interface FakeWeChatFaults {
  /** Makes the next calls fail in this way. Faults queue up: each call takes the oldest one that fits. */
  fail(fault: FakeWeChatFault, options?: FakeWeChatFailOptions): void
  /** Drops every fault. Blocked people stay blocked. */
  recover(): void
}

interface PlannedFault {
  readonly fault: FakeWeChatFault
  readonly endpoint: string | undefined
  timesLeft: number
}

export function createFaults(endpoints: ReadonlyMap<string, unknown>) {
  let faults: PlannedFault[] = []

  const methods: FakeWeChatFaults = {
    fail(fault, { times = 1, endpoint } = {}) {
      checkFault(fault)
      if (!(times === Number.POSITIVE_INFINITY || (Number.isSafeInteger(times) && times > 0))) {
        throw new TypeError('times must be a positive integer or Infinity')
      }
      if (endpoint !== undefined && !endpoints.has(endpoint)) {
        throw new TypeError(`endpoint must be one of ${[...endpoints.keys()].join(', ')}`)
      }
      faults.push({ fault, endpoint, timesLeft: times })
    },

    recover() {
      faults = []
    },
  }

  return {
    methods,

    /** The fault for this call, which uses it up. */
    next(endpoint: string): FakeWeChatFault | undefined {
      const planned = faults.find((fault) => (fault.endpoint ?? endpoint) === endpoint)
      if (!planned) return undefined
      planned.timesLeft -= 1
      if (planned.timesLeft === 0) faults = faults.filter((fault) => fault !== planned)
      return planned.fault
    },
  }
}

interface Answering {
  /** Processes the call. */
  readonly answer: () => Outcome
  /** Writes an answer that did not come from processing. */
  readonly write: (answer: Answer) => Outcome
  readonly latencyMs: number
}

/** The outcome of a call with this fault, or with none. */
export function outcomeOf(
  fault: FakeWeChatFault | undefined,
  { answer, write, latencyMs }: Answering,
): Outcome {
  switch (fault) {
    case undefined:
      return { ...answer(), delayMs: latencyMs }
    case 'never-answer':
      answer()
      return {}
    case 'drop-before':
      return { dropped: 'before' }
    case 'drop-after':
      answer()
      return { dropped: 'after', delayMs: latencyMs }
    case 'html':
      return { status: 200, contentType: 'text/html', body: page('Welcome') }
    case 'html-502':
      return { status: 502, contentType: 'text/html', body: page('502 Bad Gateway') }
    case 'too-large': {
      const right = answer()
      return { ...right, body: padded(right.body ?? ''), delayMs: latencyMs }
    }
    case 'redirect':
      return { status: 302, location: '/redirected' }
    default:
      return typeof fault === 'object'
        ? { ...answer(), delayMs: fault.latencyMs }
        : { ...write(refusal(Number(fault), fault)), delayMs: latencyMs }
  }
}

const tooLargeBytes = 64 * 1024 + 1
const tooLargeFileBytes = 32 * 1024 * 1024 + 1

function padded(body: string | Uint8Array): string | Uint8Array {
  if (typeof body === 'string') return body.padEnd(tooLargeBytes, ' ')
  return Buffer.concat([body], tooLargeFileBytes)
}

function page(title: string): string {
  return `<html>\n<head><title>${title}</title></head>\n<body><h1>${title}</h1></body>\n</html>\n`
}

function checkFault(fault: FakeWeChatFault) {
  if (typeof fault === 'object' && fault !== null) return checkLatency(fault.latencyMs)
  const errcode = namedFaults.has(fault) ? -1 : Number(fault)
  if (Number.isSafeInteger(errcode) && errcode !== 0) return
  throw new TypeError(
    `fault must be an errcode other than 0, { latencyMs }, or one of ${[...namedFaults].join(', ')}`,
  )
}

const namedFaults: ReadonlySet<unknown> = new Set<FakeWeChatFault>([
  'never-answer',
  'drop-before',
  'drop-after',
  'html',
  'html-502',
  'too-large',
  'redirect',
])

export function checkLatency(latencyMs: number) {
  if (Number.isFinite(latencyMs) && latencyMs >= 0) return
  throw new TypeError('latencyMs must be 0 or a positive number of milliseconds')
}
