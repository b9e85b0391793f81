import type { WxFailure } from '../wx.js'
import type { FakeClock } from './fake-clock.js'
import type { FakeNetworkRequest, FakeNetworkResponse } from './fake-network.js'
import { fold, wordingOf } from './fake-network.js'

/** The calls that send something and are answered. */
export type FakeTransferKind =
  | 'request'
  | 'uploadFile'
  | 'downloadFile'
  | 'callContainer'
  | 'callFunction'

/**
 * A call of `wx.request`, `uploadFile`, `downloadFile`, `cloud.callContainer` or `cloud.callFunction`, the outcome
 * included once there is one.
 */
export interface RecordedRequest {
  readonly kind: FakeTransferKind
  /** As the app gave it; the `path` of `callContainer`; the name of a function, and the `path` in its event if any. */
  readonly url: string
  readonly method: string
  /** As it leaves the phone: names in lower case, defaults and `referer` included. */
  readonly header: Readonly<Record<string, string>>
  /** As the app gave it; the `formData` of `uploadFile`. */
  readonly data: unknown
  /** When it was called, in milliseconds by the clock. */
  readonly at: number
  /** The status of an answer; absent while it is in progress and when there was none. */
  readonly statusCode?: number
  /** Why it failed. */
  readonly errMsg?: string
  /** From the call to its outcome, the wait for a free slot included. */
  readonly durationMs?: number
}

/**
 * What happens to a request.
 *
 * - `'ok'`: what would happen without a script
 * - `{ fail }`: fails like this, the server is not reached
 * - `'hang'`: is not sent and never answers, not even with a timeout; only `abort()` ends it
 * - `'throw'`: the call itself throws
 * - `'twice'`: `success` is called twice
 * - `{ delayMs }`: the server is reached at once, its answer arrives later; `Infinity` ends in the platform's timeout
 * - `{ respond }`: this answer, the server is not reached; `data` that is not a string is sent as JSON
 * - `'drop-answer'`: the server does its work, the phone sees a timeout
 */
export type FakeRequestBehaviour =
  | 'ok'
  | 'hang'
  | 'throw'
  | 'twice'
  | 'drop-answer'
  | { readonly fail: WxFailure }
  | { readonly delayMs: number }
  | {
      readonly respond: {
        readonly statusCode: number
        readonly header?: Readonly<Record<string, string | readonly string[]>>
        readonly data?: unknown
      }
    }

/** What a transfer needs to know of the phone. */
export interface TransferSurroundings {
  readonly clock: FakeClock
  readonly behaviourFor: (request: RecordedRequest) => FakeRequestBehaviour
  readonly isOnline: () => boolean
  readonly isHidden: () => boolean
  readonly failure: (errMsg: string, errno?: number) => WxFailure
  /** Calls back in a later turn, unless the app is suspended or has ended. */
  readonly deliver: (callback: () => void) => void
}

/** One call, and what is specific to its kind. */
export interface Transfer {
  readonly kind: FakeTransferKind
  readonly url: string
  readonly method: string
  readonly header: Readonly<Record<string, string>>
  readonly data: unknown
  readonly timeout: number | undefined
  /** Whether it takes one of the ten slots. */
  readonly isQueued: boolean
  /** Why the phone does not even try. */
  readonly refusal: () => WxFailure | undefined
  readonly send: (signal: FakeNetworkRequest['signal']) => Promise<FakeNetworkResponse>
  /** Called before `success`, in the same turn. */
  readonly onAnswer?: (response: FakeNetworkResponse, header: Record<string, string>) => void
  /** The result for `success`; called once, when the answer is there. */
  readonly resultOf: (response: FakeNetworkResponse, header: Record<string, string>) => object
  readonly success: ((result: never) => void) | undefined
  readonly fail: ((failed: WxFailure) => void) | undefined
  readonly complete: ((result: never) => void) | undefined
}

/** Everything in progress in one running mini program. */
export interface FakeTransfers {
  readonly records: readonly RecordedRequest[]
  /** Returns a handle that aborts it. */
  start(transfer: Transfer): { abort(): void }
  /** Everything in progress fails like this, and so does everything that waits for a slot. */
  failAll(reason: string, errno: number): void
}

const maxConcurrent = 10
const defaultTimeoutMs = 60_000

export function createTransfers(surroundings: TransferSurroundings): FakeTransfers {
  const { clock, behaviourFor, failure, deliver, isHidden, isOnline } = surroundings
  const records: RecordedRequest[] = []
  const inProgress = new Set<(reason: string, errno: number) => void>()
  const queue: (() => void)[] = []
  let sending = 0

  function startNext(): void {
    while (sending < maxConcurrent) {
      const begin = queue.shift()
      if (!begin) return
      sending += 1
      begin()
    }
  }

  function refusalOf({ kind, refusal }: Transfer): WxFailure | undefined {
    const refused = refusal()
    if (refused) return refused
    if (isHidden()) return failure(`${nameOf(kind)}:fail interrupted`, 600003)
    if (!isOnline()) return failure(`${nameOf(kind)}:fail 似乎已断开与互联网的连接。`, 600000)
    return undefined
  }

  function start(transfer: Transfer): { abort(): void } {
    const { kind, url, method, header, data } = transfer
    const name = nameOf(kind)
    const record: { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] } = {
      kind,
      url,
      method,
      header,
      data,
      at: clock.now(),
    }
    records.push(record)
    const behaviour = behaviourFor(record)
    if (behaviour === 'throw') {
      record.errMsg = `${name}:fail thrown`
      record.durationMs = 0
      throw new Error(`${name}:fail`)
    }

    const connection = new AbortController()
    const timers: unknown[] = []
    let hasSlot = false
    let isOver = false

    function end(outcome: { statusCode: number } | { errMsg: string }): void {
      isOver = true
      Object.assign(record, outcome, { durationMs: clock.now() - record.at })
      inProgress.delete(failWhenAlive)
      for (const timer of timers) clock.clearTimeout(timer)
      const place = queue.indexOf(takeSlot)
      if (place >= 0) queue.splice(place, 1)
      if (hasSlot) sending -= 1
      startNext()
    }

    function failWith(failed: WxFailure): void {
      if (isOver) return
      end({ errMsg: failed.errMsg })
      connection.abort()
      deliver(() => {
        transfer.fail?.(failed)
        transfer.complete?.(failed as never)
      })
    }

    function failWhenAlive(reason: string, errno: number): void {
      if (behaviour !== 'hang') failWith(failure(`${name}:fail ${reason}`, errno))
    }

    function succeed(response: FakeNetworkResponse): void {
      if (isOver) return
      end({ statusCode: response.statusCode })
      const folded = fold(response.header)
      const result = transfer.resultOf(response, folded) as never
      const report = () => {
        transfer.success?.(result)
        transfer.complete?.(result)
      }
      deliver(() => {
        transfer.onAnswer?.(response, folded)
        report()
      })
      if (behaviour === 'twice') deliver(report)
    }

    function after(ms: number, run: () => void): void {
      if (ms <= 0) run()
      else if (ms !== Number.POSITIVE_INFINITY) timers.push(clock.setTimeout(run, ms))
    }

    async function exchange(): Promise<void> {
      if (typeof behaviour === 'object' && 'respond' in behaviour) {
        succeed(canned(behaviour.respond))
        return
      }
      let response: FakeNetworkResponse
      try {
        response = await transfer.send(connection.signal)
      } catch (error) {
        failAsNetwork(error)
        return
      }
      // Outside: what fails in here is no failure of the network, and nobody would hear of it.
      if (behaviour === 'drop-answer') failWith(failure(`${name}:fail timeout`, 5))
      else if (typeof behaviour === 'object' && 'delayMs' in behaviour) {
        if (!isOver) after(behaviour.delayMs, () => succeed(response))
      } else succeed(response)
    }

    function failAsNetwork(error: unknown): void {
      const { errCode, message } = Object(error)
      const [reason, errno] = wordingOf(error)
      const ofTheCloud: WxFailure & { errCode: number } = {
        errMsg: `${name}:fail ${message}`,
        errCode,
      }
      failWith(typeof errCode === 'number' ? ofTheCloud : failure(`${name}:fail ${reason}`, errno))
    }

    function begin(): void {
      if (behaviour === 'hang') return
      const { timeout } = transfer
      after(timeout !== undefined && timeout > 0 ? timeout : defaultTimeoutMs, () =>
        failWith(failure(`${name}:fail timeout`, 5)),
      )
      if (typeof behaviour === 'object' && 'fail' in behaviour) {
        failWith(failure(behaviour.fail.errMsg, behaviour.fail.errno))
      } else void exchange()
    }

    function takeSlot(): void {
      hasSlot = true
      begin()
    }

    const refused = refusalOf(transfer)
    if (refused) failWith(refused)
    else {
      inProgress.add(failWhenAlive)
      if (transfer.isQueued) {
        queue.push(takeSlot)
        startNext()
      } else begin()
    }
    return { abort: () => failWith(failure(`${name}:fail abort`)) }
  }

  return {
    records,
    start,
    failAll(reason, errno) {
      for (const failOne of [...inProgress]) failOne(reason, errno)
    },
  }
}

/** Why the platform refuses an address, if it does. */
export function refusedUrl({
  name,
  url,
  domains,
  failure,
  scheme = /^https?:\/\/[^/?#]+/i,
}: {
  readonly name: string
  readonly url: unknown
  readonly domains: readonly string[] | undefined
  readonly failure: TransferSurroundings['failure']
  readonly scheme?: RegExp
}): WxFailure | undefined {
  const origin = typeof url === 'string' ? scheme.exec(url)?.[0] : undefined
  if (!origin) return failure(`${name}:fail invalid url`, 600009)
  if (domains && !domains.includes(origin.toLowerCase())) {
    return failure(`${name}:fail url not in domain list`, 600002)
  }
  return undefined
}

/** The listeners of one event of a native task. */
export function createListeners<E>(): {
  readonly tell: (event: E) => void
  readonly on: (listener: (event: E) => void) => void
  readonly off: (listener?: (event: E) => void) => void
} {
  const listeners = new Set<(event: E) => void>()
  return {
    tell(event) {
      for (const listener of [...listeners]) listener(event)
    },
    on: (listener) => void listeners.add(listener),
    off(listener) {
      if (listener === undefined) listeners.clear()
      else listeners.delete(listener)
    },
  }
}

function nameOf(kind: FakeTransferKind): string {
  return kind === 'callContainer' || kind === 'callFunction' ? `cloud.${kind}` : kind
}

function canned(answer: {
  readonly statusCode: number
  readonly header?: FakeNetworkResponse['header']
  readonly data?: unknown
}): FakeNetworkResponse {
  const { statusCode, header = {}, data = '' } = answer
  return { statusCode, header, body: typeof data === 'string' ? data : JSON.stringify(data) }
}
