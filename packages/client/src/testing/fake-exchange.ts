import type { WxFailure } from '../wx.js'
import { type Callbacks, reportFailure, reportSuccess } from './callbacks.js'
import type { FakeClock } from './fake-clock.js'
import type { FakeNetwork, FakeNetworkRequest, FakeNetworkResponse } from './fake-network.js'
import { brokenConnection } from './fake-network.js'
import type { Reason } from './reasons.js'
import type { FakeRequestBehaviour, RecordedRequest } from './recorded-request.js'

/** What an exchange needs of the phone. */
export interface ExchangeSurroundings {
  readonly clock: FakeClock
  readonly network: FakeNetwork
  readonly failure: (errMsg: string, errno?: number) => WxFailure
  /** Calls back in a later turn, unless the app is suspended or gone. */
  readonly deliver: (callback: () => void) => void
}

/** One call, as its kind words it. */
export interface Outgoing<R>
  extends Pick<RecordedRequest, 'kind' | 'url' | 'method' | 'header' | 'data'> {
  readonly timeout: number | undefined
  readonly callbacks: Callbacks<R>
  /** What the phone refuses without a look at the network. */
  readonly refusal?: Reason | undefined
  /** As it leaves the phone. */
  pack(): Omit<FakeNetworkRequest, 'method' | 'signal'>
  /** Tells the task's listeners that all has left. */
  onSent?(request: Omit<FakeNetworkRequest, 'method' | 'signal'>): void
  /** Tells the task's listeners of the answer, just before `success`. */
  onAnswer?(response: FakeNetworkResponse): void
  /** What `success` gets. */
  unpack(response: FakeNetworkResponse): R
}

/** How the platform treats a kind of call. */
export interface Habits {
  /** What `errMsg` begins with. */
  readonly name: string
  readonly timeoutMs: number
  readonly timedOut: Reason
  /** Whether it goes to a server of the app's own, over one of the ten connections. */
  readonly isDirect: boolean
}

/** One request and its answer, or what came instead. */
export interface Exchange {
  start(): void
  /** Does nothing once there is an outcome. */
  fail(reason: Reason): void
}

export function createExchange<R>(
  { clock, network, failure, deliver }: ExchangeSurroundings,
  options: {
    readonly outgoing: Outgoing<R>
    readonly behaviour: Exclude<FakeRequestBehaviour, 'throw'>
    readonly habits: Habits
    readonly onEnd: (outcome: { statusCode: number } | { errMsg: string }) => void
  },
): Exchange {
  const { outgoing, behaviour, habits, onEnd } = options
  const connection = new AbortController()
  const timers: unknown[] = []
  let isOver = false

  function end(outcome: { statusCode: number } | { errMsg: string }): void {
    isOver = true
    for (const timer of timers) clock.clearTimeout(timer)
    onEnd(outcome)
  }

  function failWith(failed: WxFailure): void {
    if (isOver) return
    end({ errMsg: failed.errMsg })
    connection.abort()
    deliver(() => reportFailure(outgoing.callbacks, failed))
  }

  function failFor({ text, errno }: Reason): void {
    failWith(failure(`${habits.name}:fail ${text}`, errno))
  }

  function succeed(response: FakeNetworkResponse): void {
    if (isOver) return
    end({ statusCode: response.statusCode })
    const result = outgoing.unpack(response)
    const report = () => reportSuccess(outgoing.callbacks, result)
    deliver(() => {
      outgoing.onAnswer?.(response)
      report()
    })
    if (behaviour === 'twice') deliver(report)
  }

  function after(ms: number, run: () => void): void {
    if (ms <= 0) run()
    else if (ms !== Number.POSITIVE_INFINITY) timers.push(clock.setTimeout(run, ms))
  }

  async function exchange(): Promise<void> {
    try {
      const sent = outgoing.pack()
      deliver(() => outgoing.onSent?.(sent))
      if (typeof behaviour === 'object' && 'respond' in behaviour) {
        succeed(canned(behaviour.respond))
        return
      }
      const { method } = outgoing
      const response = await network({ method, signal: connection.signal, ...sent })
      if (behaviour === 'drop-answer') failFor(habits.timedOut)
      else if (typeof behaviour === 'object' && 'delayMs' in behaviour) {
        if (!isOver) after(behaviour.delayMs, () => succeed(response))
      } else succeed(response)
    } catch (error) {
      failFor(brokenConnection(error))
    }
  }

  return {
    start() {
      if (behaviour === 'hang') return
      const { timeout } = outgoing
      after(timeout !== undefined && timeout > 0 ? timeout : habits.timeoutMs, () =>
        failFor(habits.timedOut),
      )
      if (typeof behaviour === 'object' && 'fail' in behaviour) {
        failWith(failure(behaviour.fail.errMsg, behaviour.fail.errno))
      } else void exchange()
    },
    fail: failFor,
  }
}

function canned(answer: {
  readonly statusCode: number
  readonly header?: FakeNetworkResponse['header']
  readonly data?: unknown
}): FakeNetworkResponse {
  const { statusCode, header = {}, data = '' } = answer
  return { statusCode, header, body: typeof data === 'string' ? data : JSON.stringify(data) }
}
