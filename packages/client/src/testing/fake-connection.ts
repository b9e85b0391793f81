import { type Callbacks, type Done, reportFailure, reportSuccess } from './callbacks.js'
import { isArrayBuffer } from './fake-body.js'
import type {
  FakeServerSocket,
  FakeSocketClose,
  FakeSocketData,
  FakeSocketRequest,
} from './fake-server-socket.js'
import type { FakeSocketTask } from './fake-socket-task.js'
import { inLaterTurn } from './later-turn.js'
import { createListeners } from './listeners.js'

/** A socket between its two ends. */
export interface Connection {
  readonly task: FakeSocketTask
  readonly server: FakeServerSocket
  /** Ends it as the platform does: `onClose` if it was open, else `onError` with the reason. */
  end(closed: FakeSocketClose, errMsg: string): void
}

const maxReasonBytes = 123

export function createConnection(options: {
  readonly request: FakeSocketRequest
  /** Calls back in a later turn, unless the app is suspended or gone. */
  readonly deliver: (callback: () => void) => void
  /** A socket that was refused on the phone has been closed all along, without an event. */
  readonly state?: 'connecting' | 'closed'
  readonly onChange?: (state: 'open' | 'closed') => void
}): Connection {
  const { request, deliver, onChange } = options
  const app = {
    opened: createListeners<{ header: object }>(),
    message: createListeners<{ data: FakeSocketData }>(),
    error: createListeners<{ errMsg: string }>(),
    closed: createListeners<FakeSocketClose>(),
  }
  const peer = {
    message: createListeners<FakeSocketData>(),
    closed: createListeners<FakeSocketClose>(),
  }
  const received: FakeSocketData[] = []
  let state: FakeServerSocket['state'] = options.state ?? 'connecting'

  function shut(closed: FakeSocketClose, tellApp: () => void): void {
    if (state === 'closed') return
    state = 'closed'
    onChange?.(state)
    deliver(tellApp)
    void inLaterTurn(() => peer.closed.tell(closed))
  }

  const close = (closed: FakeSocketClose) => shut(closed, () => app.closed.tell(closed))

  function end(closed: FakeSocketClose, errMsg: string): void {
    if (state === 'open') close(closed)
    else shut(closed, () => app.error.tell({ errMsg }))
  }

  function mustBeAccepted(verb: string): void {
    if (state === 'connecting') throw new Error(`${verb}: accept() the socket first`)
  }

  const server: FakeServerSocket = {
    request,
    get state() {
      return state
    },
    received,
    accept({ header = {} } = {}) {
      if (state !== 'connecting') return
      state = 'open'
      onChange?.(state)
      deliver(() => app.opened.tell({ header }))
    },
    refuse() {
      if (state === 'connecting') end(abnormal, 'Invalid HTTP status.')
    },
    send(data) {
      mustBeAccepted('send')
      if (state === 'open') deliver(() => app.message.tell({ data }))
    },
    close(code = 1000, reason = '') {
      mustBeAccepted('close')
      close({ code, reason })
    },
    drop: () => end(abnormal, broken),
    onMessage: peer.message.on,
    onClose: peer.closed.on,
  }

  /** Tells the callbacks of `send` or `close` why not, or runs it and tells them so. */
  function perform(
    callbacks: Callbacks<Done>,
    name: string,
    refusal: string | undefined,
    run: () => void,
  ): void {
    if (refusal !== undefined) {
      deliver(() => reportFailure(callbacks, { errMsg: refusal }))
      return
    }
    deliver(() => reportSuccess(callbacks, { errMsg: `${name}:ok` }))
    run()
  }

  const task: FakeSocketTask = {
    send(options) {
      const { data } = options
      perform(options, 'sendSocketMessage', refusalToSend(state, data), () => {
        received.push(data)
        void inLaterTurn(() => peer.message.tell(data))
      })
    },
    close(options = {}) {
      const { code = 1000, reason = 'normal closure' } = options
      perform(options, 'closeSocket', refusalToClose(state, code, reason), () =>
        close({ code, reason }),
      )
    },
    onOpen: app.opened.on,
    onMessage: app.message.on,
    onError: app.error.on,
    onClose: app.closed.on,
  }

  return { task, server, end }
}

/** How a connection ends that nobody closed (RFC 6455 §7.1.5). */
export const abnormal: FakeSocketClose = { code: 1006, reason: 'abnormal closure' }
export const broken = 'Underlying Transport Error'

function refusalToSend(state: FakeServerSocket['state'], data: unknown): string | undefined {
  if (state !== 'open') return 'SocketTask.send:fail SocketTask.readyState is not OPEN'
  if (typeof data !== 'string' && !isArrayBuffer(data)) return 'sendSocketMessage:fail invalid data'
  return undefined
}

function refusalToClose(
  state: FakeServerSocket['state'],
  code: number,
  reason: string,
): string | undefined {
  if (state === 'closed') return 'SocketTask.close:fail SocketTask.readyState is CLOSED'
  if (code !== 1000 && !(code >= 3000 && code <= 4999)) return 'closeSocket:fail invalid code'
  if (Buffer.byteLength(reason) > maxReasonBytes) return 'closeSocket:fail invalid reason'
  return undefined
}
