import type { WxFailure } from '../wx.js'
import { type Callbacks, type Done, reportFailure, reportSuccess } from './callbacks.js'
import type { FakeClock } from './fake-clock.js'
import { abnormal, broken, type Connection, createConnection } from './fake-connection.js'
import { headerOf } from './fake-header.js'
import type { FakeServerSocket, FakeSocketClose, FakeSocketRequest } from './fake-server-socket.js'
import type { FakeSocketTask } from './fake-socket-task.js'
import { interrupted, invalidUrl, notLegalDomain, type Reason, tooManySockets } from './reasons.js'

/** What `wx.connectSocket` takes. `success` says that there is a task, not that it is open. */
export interface FakeSocketOptions extends Callbacks<Done> {
  url: string
  header?: Record<string, string>
  protocols?: string[]
  /** For the handshake, in milliseconds, default 60,000. */
  timeout?: number
  tcpNoDelay?: boolean
  perMessageDeflate?: boolean
  forceCellularNetwork?: boolean
}

/**
 * What becomes of a call of `wx.connectSocket`.
 *
 * - `'ok'`: the server decides
 * - `'refuse'`: the server refuses: `onError` without a status
 * - `{ fail }`: `connectSocket` fails like this, there is no handshake
 * - `'hang'`: there is no handshake and no event, not even with a timeout; only `close()` ends it
 * - `'throw'`: `wx.connectSocket` itself throws
 */
export type FakeSocketBehaviour = 'ok' | 'refuse' | 'hang' | 'throw' | { readonly fail: WxFailure }

/** `wx.connectSocket`, and what a phone does to its sockets. */
export interface Sockets {
  /** The server's ends of all handshakes, oldest first. */
  readonly servers: readonly FakeServerSocket[]
  connectSocket(options: FakeSocketOptions): FakeSocketTask
  /** The network is gone. */
  dropAll(): void
  /** The app is suspended, or has ended. */
  interruptAll(): void
}

const maxSockets = 5
const defaultTimeoutMs = 60_000

export function createSockets(surroundings: {
  readonly appId: string
  readonly clock: FakeClock
  /** Lower case; no list, no check. */
  readonly domains: readonly string[] | undefined
  /** The server. */
  readonly handshake: (socket: FakeServerSocket) => void | Promise<void>
  readonly behaviourFor: (request: FakeSocketRequest) => FakeSocketBehaviour
  readonly isOnline: () => boolean
  readonly isHidden: () => boolean
  readonly failure: (errMsg: string, errno?: number) => WxFailure
  readonly deliver: (callback: () => void) => void
}): Sockets {
  const { appId, clock, domains, behaviourFor, failure, deliver } = surroundings
  const servers: FakeServerSocket[] = []
  const living = new Set<Connection>()
  // Without those that hang: nothing but the app can end them.
  const reachable = new Set<Connection>()

  function reasonAgainst(url: unknown): Reason | undefined {
    const origin = typeof url === 'string' ? /^wss?:\/\/[^/?#]+/i.exec(url)?.[0] : undefined
    if (!origin) return invalidUrl
    if (domains?.includes(origin.toLowerCase()) === false) return notLegalDomain
    if (surroundings.isHidden()) return interrupted
    return living.size >= maxSockets ? tooManySockets : undefined
  }

  function refusalOf(url: unknown): WxFailure | undefined {
    const reason = reasonAgainst(url)
    return reason && { ...reason, errMsg: `connectSocket:fail ${reason.text}` }
  }

  /** Waits for the server, which may take as long as the phone does. */
  function open(request: FakeSocketRequest, timeoutMs: number, isHanging: boolean): Connection {
    const connection = createConnection({
      request,
      deliver,
      onChange(state) {
        if (!isHanging) clock.clearTimeout(timer)
        if (state === 'open') return
        living.delete(connection)
        reachable.delete(connection)
      },
    })
    living.add(connection)
    if (!isHanging) reachable.add(connection)
    const timer = isHanging
      ? undefined
      : clock.setTimeout(() => connection.end(abnormal, 'connect response time out'), timeoutMs)
    return connection
  }

  async function shakeHands(socket: FakeServerSocket): Promise<void> {
    try {
      await surroundings.handshake(socket)
    } catch {
      socket.drop()
    }
  }

  function connectSocket(options: FakeSocketOptions): FakeSocketTask {
    const { url, protocols = [], timeout = 0 } = options
    const request = { url, header: headerOf(options.header, appId), protocols: [...protocols] }
    const behaviour = behaviourFor(request)
    if (behaviour === 'throw') throw new Error('connectSocket:fail')
    const refused = typeof behaviour === 'object' ? behaviour.fail : refusalOf(url)
    if (refused) {
      deliver(() => reportFailure(options, failure(refused.errMsg, refused.errno)))
      return createConnection({ request, deliver, state: 'closed' }).task
    }

    deliver(() => reportSuccess(options, { errMsg: 'connectSocket:ok' }))
    const timeoutMs = timeout > 0 ? timeout : defaultTimeoutMs
    const connection = open(request, timeoutMs, behaviour === 'hang')
    const { task, server } = connection
    if (behaviour === 'hang') return task
    if (!surroundings.isOnline()) {
      connection.end(abnormal, broken)
      return task
    }
    servers.push(server)
    if (behaviour === 'refuse') server.refuse()
    else void shakeHands(server)
    return task
  }

  function endAll(closed: FakeSocketClose, errMsg: string): void {
    for (const connection of [...reachable]) connection.end(closed, errMsg)
  }

  return {
    servers,
    connectSocket,
    dropAll: () => endAll(abnormal, broken),
    interruptAll: () => endAll({ code: 1000, reason: 'interrupted' }, 'interrupted'),
  }
}
