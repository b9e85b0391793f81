import type { WxFailure, WxSocketOptions, WxSocketTask } from '../wx.js'
import type { Callbacks, Done } from './fake-callbacks.js'
import type { FakeClock } from './fake-clock.js'
import { headerOf, refererOf } from './fake-network.js'
import { createListeners, refusedUrl, type TransferSurroundings } from './fake-transfer.js'

/** A handshake as it leaves the phone. */
export interface FakeHandshake {
  readonly url: string
  /** Names in lower case. */
  readonly header: Readonly<Record<string, string>>
  readonly protocols: readonly string[]
}

/**
 * What happens to a `wx.connectSocket` call.
 *
 * - `'ok'`: what would happen without a script
 * - `'hang'`: neither opens nor fails; only `close()` ends it
 * - `'throw'`: `wx.connectSocket` itself throws
 * - `{ fail }`: fails like this, the server is not reached
 * - `{ refuse }`: the server answers the handshake with this status, which the app cannot see
 * - `{ delayMs }`: opens later, or times out if `timeout` ends earlier
 */
export type FakeSocketBehaviour =
  | 'ok'
  | 'hang'
  | 'throw'
  | { readonly fail: WxFailure }
  | { readonly refuse: number }
  | { readonly delayMs: number }

/** A socket as the server sees it. */
export interface FakeSocket extends FakeHandshake {
  readonly state: 'connecting' | 'open' | 'closed'
  /** What the app sent. */
  readonly received: readonly (string | ArrayBuffer)[]
  /** How it ended: 1006 without a closing handshake. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined
  send(data: string | ArrayBuffer): void
  /** Default 1000. */
  close(code?: number, reason?: string): void
  /** Breaks the connection: `onError`, then `onClose` with 1006. */
  break(): void
}

/** What `wx.connectSocket` takes. */
export interface FakeSocketOptions extends WxSocketOptions {
  complete?: (result: WxFailure | Done) => void
}

/** What `wx.connectSocket` returns: the task, never a promise. */
export interface FakeSocketTask extends WxSocketTask {
  send(options: Callbacks<Done> & { data: string | ArrayBuffer }): void
  close(options?: Callbacks<Done> & { code?: number; reason?: string }): void
}

interface SocketSurroundings {
  readonly appId: string
  readonly clock: FakeClock
  readonly domains: readonly string[] | undefined
  readonly failure: TransferSurroundings['failure']
  readonly deliver: (callback: () => void) => void
  readonly isOnline: () => boolean
  readonly isHidden: () => boolean
  readonly behaviourFor: (handshake: FakeHandshake) => FakeSocketBehaviour
  readonly handshake: (request: FakeHandshake) => number | Promise<number>
}

export interface FakeSockets {
  readonly sockets: readonly FakeSocket[]
  connect(options: FakeSocketOptions): FakeSocketTask
  /** Breaks every socket that is connecting or open. */
  breakAll(reason: string): void
}

const maxSockets = 5
const maxReasonBytes = 123
const defaultTimeoutMs = 60_000
const abnormal = { code: 1006, reason: 'abnormal closure' }

/** `wx.connectSocket` */
export function createSockets(surroundings: SocketSurroundings): FakeSockets {
  const { appId, clock, domains, failure, deliver, isOnline, isHidden } = surroundings
  const { behaviourFor, handshake } = surroundings
  const sockets: FakeSocket[] = []
  const alive = new Set<(reason: string) => void>()

  function refusal(url: string): WxFailure | undefined {
    const refused = refusedUrl({
      name: 'connectSocket',
      url,
      domains,
      failure,
      scheme: /^wss?:\/\/[^/?#]+/i,
    })
    if (refused) return refused
    if (isHidden()) return failure('connectSocket:fail interrupted', 600003)
    if (!isOnline()) return failure('connectSocket:fail 似乎已断开与互联网的连接。', 600000)
    if (alive.size >= maxSockets) return failure('connectSocket:fail exceed max task count', 600007)
    return undefined
  }

  function connect(options: FakeSocketOptions): FakeSocketTask {
    const { url, protocols = [], timeout = defaultTimeoutMs, success, fail, complete } = options
    const header = { ...headerOf(options.header), ...refererOf(appId) }
    const asked: FakeHandshake = { url, header, protocols }
    const behaviour = behaviourFor(asked)
    if (behaviour === 'throw') throw new Error('connectSocket:fail')

    const opens = createListeners<{ header: object }>()
    const messages = createListeners<{ data: string | ArrayBuffer }>()
    const errors = createListeners<{ errMsg: string }>()
    const closes = createListeners<{ code: number; reason: string }>()
    const received: (string | ArrayBuffer)[] = []
    const timers: unknown[] = []
    let state: FakeSocket['state'] = 'connecting'
    let closed: FakeSocket['closed']

    function end(how: { code: number; reason: string }, error?: WxFailure): void {
      if (state === 'closed') return
      state = 'closed'
      closed = how
      alive.delete(breakDown)
      for (const timer of timers) clock.clearTimeout(timer)
      deliver(() => {
        if (error) errors.tell(error)
        closes.tell(how)
      })
    }

    function breakDown(reason: string): void {
      end(abnormal, failure(`connectSocket:fail ${reason}`))
    }

    function open(status: number): void {
      if (state !== 'connecting') return
      if (status !== 101) {
        breakDown('Invalid HTTP status.')
        return
      }
      state = 'open'
      for (const timer of timers) clock.clearTimeout(timer)
      deliver(() => opens.tell({ header: { Connection: 'Upgrade', Upgrade: 'websocket' } }))
    }

    async function shakeHands(): Promise<void> {
      try {
        open(await handshake(asked))
      } catch {
        breakDown('unknown network error')
      }
    }

    function begin(behaviour: Exclude<FakeSocketBehaviour, 'throw'>): void {
      if (behaviour === 'hang') return
      timers.push(clock.setTimeout(() => breakDown('timeout'), timeout))
      if (behaviour === 'ok') void shakeHands()
      else if ('refuse' in behaviour) open(behaviour.refuse)
      else if ('delayMs' in behaviour) {
        timers.push(clock.setTimeout(() => void shakeHands(), behaviour.delayMs))
      } else end(abnormal, failure(behaviour.fail.errMsg, behaviour.fail.errno))
    }

    sockets.push({
      ...asked,
      get state() {
        return state
      },
      received,
      get closed() {
        return closed
      },
      send(data) {
        if (state === 'open') deliver(() => messages.tell({ data }))
      },
      close: (code = 1000, reason = '') => end({ code, reason }),
      break: () => breakDown('connection reset'),
    })

    const refused = refusal(url)
    if (refused) {
      deliver(() => {
        fail?.(refused)
        complete?.(refused)
      })
      end(abnormal, refused)
    } else {
      alive.add(breakDown)
      const done = { errMsg: 'connectSocket:ok' }
      deliver(() => {
        success?.(done)
        complete?.(done)
      })
      begin(behaviour)
    }

    function settle(
      { success, fail, complete }: Callbacks<Done>,
      name: string,
      reason: string | undefined,
    ): void {
      const result = { errMsg: reason === undefined ? `${name}:ok` : `${name}:fail ${reason}` }
      deliver(() => {
        if (reason === undefined) success?.(result)
        else fail?.(result)
        complete?.(result)
      })
    }

    return {
      send(sending) {
        if (state === 'open') received.push(sending.data)
        settle(sending, 'sendSocketMessage', state === 'open' ? undefined : 'WebSocket is not open')
      },
      close(closing = {}) {
        const { code = 1000, reason = '' } = closing
        const wrong =
          state === 'closed'
            ? 'WebSocket is not connected'
            : Buffer.byteLength(reason) > maxReasonBytes
              ? 'reason is too long'
              : undefined
        settle(closing, 'closeSocket', wrong)
        if (wrong === undefined) end({ code, reason })
      },
      onOpen: opens.on,
      onMessage: messages.on,
      onError: errors.on,
      onClose: closes.on,
    }
  }

  return {
    sockets,
    connect,
    breakAll(reason) {
      for (const breakOne of [...alive]) breakOne(reason)
    },
  }
}
