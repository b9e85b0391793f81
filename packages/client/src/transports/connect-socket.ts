import { tell } from '../client.js'
import { agingMsPerSecond, ignore, isWithin, livePair, type Renewal } from '../session/renewal.js'
import type { Pair, RecordStore } from '../session/token-record.js'
import type { Task } from '../task.js'
import {
  type FullRuntime,
  openSocket,
  type WxRequestOptions,
  type WxSocketOptions,
  type WxSocketTask,
} from '../wx.js'
import { type AuthOptions, type Open, type Send, youngMs } from './send.js'

/** Why a socket is gone: `closed` without the app's doing, or by the client, as its user is no longer logged in. */
export type ReopenReason = 'closed' | 'signed_out' | 'user_changed'

/** What `wx.connectSocket` takes, with a url that may be relative to `baseUrl`. */
export interface SocketOptions extends AuthOptions, Omit<WxSocketOptions, 'success' | 'fail'> {
  /** Called once, when a socket that was open is gone and the app did not close it. */
  onReopen?: (reason: ReopenReason) => void
}

/** `wx.connectSocket`: resolves with the native task when it is open. */
export const createConnectSocket =
  (
    wx: FullRuntime,
    store: RecordStore,
    renewal: Renewal,
    send: Send,
    open: Open,
    onChange: (listener: () => void) => () => void,
  ) =>
  (options: SocketOptions): Task<WxSocketTask> => {
    const { onReopen = ignore } = options
    let used: Pair | false

    const connect = (native: WxRequestOptions): { abort(): void } => {
      const { success, fail, header, url } = native as Required<WxRequestOptions>
      const pair = store.read() as Pair
      used = header.Authorization === `Bearer ${pair.access_token}` && pair
      const socket = openSocket(
        wx,
        // With a callback, without which uni gives a promise.
        Object.assign({}, native, { url: url.replace(/^http/i, 'ws'), success: ignore }),
      )
      socket.onOpen(({ header }) => success({ data: socket, statusCode: 101, header }))
      socket.onError(fail)
      socket.onClose(fail as () => void)
      return { abort: () => socket.close({}) }
    }

    /** Tells the app when the socket is gone, and closes it when its user is. */
    const watched = (socket: WxSocketTask, pair: Pair | undefined): WxSocketTask => {
      const { close } = socket
      let isOver: boolean | undefined
      let stop: () => void = ignore

      const lose = (reason: ReopenReason): void => {
        if (isOver) return
        socket.close({})
        tell(onReopen, reason)
      }
      const check = (): void => {
        const { user_id } = store.read()
        if (pair && user_id !== pair.user_id) lose(user_id ? 'user_changed' : 'signed_out')
      }
      socket.close = (closing) => {
        isOver = true
        stop()
        close.call(socket, closing)
      }
      socket.onError(() => lose('closed'))
      socket.onClose(() => lose('closed'))
      stop = onChange(check)
      // It may have changed while the socket was opened.
      check()
      return socket
    }

    return send(
      Object.assign({}, options, { url: options.url.replace(/^ws(?=s?:)/i, 'http') }),
      connect,
      (timeoutMs, run) =>
        open(timeoutMs, (ask) => {
          const record = store.read() as Pair
          const isAging = record.access_token && !livePair(record, undefined, agingMsPerSecond)
          return (isAging ? renewal.pair(record).catch(ignore) : Promise.resolve())
            .then(() => run(ask))
            .catch((error) => {
              // What the handshake was answered with cannot be seen: it may have been the token.
              if (!used || error.code !== 'network' || isWithin(youngMs, used.askedMs)) throw error
              return run(ask, used)
            })
        }),
      [],
      ({ data }, pair) => watched(data as WxSocketTask, pair),
    )
  }
