import { ClientError } from '../errors.js'
import { tell } from '../events.js'
import type { Renewal } from '../session/renewal.js'
import { isYoung, type RecordStore, type TokenPair } from '../session/token-record.js'
import { ignore, type Task } from '../task.js'
import {
  type FullWx,
  openSocket,
  type WxRequestOptions,
  type WxSocketOptions,
  type WxSocketTask,
} from '../wx.js'
import type { AuthOptions, OpenTask, Send } from './send.js'

/** Why a socket is closed: `closed` from outside, the others by the client, as its user is no longer logged in. */
export type ReopenReason = 'closed' | 'signed_out' | 'user_changed'

/** What `wx.connectSocket` takes, with a url that may be relative to `baseUrl`. */
export interface SocketOptions extends AuthOptions, Omit<WxSocketOptions, 'success' | 'fail'> {
  /** Called once, when an open socket is closed and the app did not close it. */
  onReopen?: (reason: ReopenReason) => void
}

/** A promise that takes listeners before the socket is open, so that no message is missed. */
export interface SocketTask
  extends Task<WxSocketTask>,
    Pick<WxSocketTask, 'onOpen' | 'onMessage'> {}

/** `wx.connectSocket`: resolves with the native task when it is open. */
export const createConnectSocket =
  (
    wx: FullWx,
    { store, renewal }: { readonly store: RecordStore; readonly renewal: Renewal },
    send: Send,
    openFresh: OpenTask,
    onChange: (listener: () => void) => () => void,
  ) =>
  (options: SocketOptions): SocketTask => {
    const { onReopen = ignore, url } = Object(options) as SocketOptions
    let used: TokenPair | false

    const connect = (native: WxRequestOptions): object => {
      const { success, fail, header, url } = native as Required<WxRequestOptions>
      const pair = store.read() as TokenPair
      used = header.Authorization === `Bearer ${pair.access_token}` && pair
      const socket = openSocket(
        wx,
        // With a callback: without one uni returns a promise.
        Object.assign({}, native, { url: url.replace(/^http/i, 'ws'), success: ignore }),
      ) as WxSocketTask
      if (!socket.onOpen) throw new ClientError('config', {}, 'connectSocket gives no task')
      socket.onOpen(({ header }) => success({ data: socket, statusCode: 101, header }))
      socket.onError(fail)
      socket.onClose(fail as () => void)
      return {
        abort: () => socket.close({}),
        onOpen: (listener: () => void) => socket.onOpen(listener),
        onMessage: (listener: () => void) => socket.onMessage(listener),
      }
    }

    /** Tells the app when the connection is lost, and closes it when its user is no longer logged in. */
    const watched = (socket: WxSocketTask, pair: TokenPair | undefined): WxSocketTask => {
      const { close } = socket
      let isClosed: boolean | undefined
      let stop: () => void = ignore

      const lose = (reason: ReopenReason): void => {
        if (isClosed) return
        socket.close({})
        tell(onReopen, reason)
      }
      const check = (): void => {
        const { user_id, reason } = store.read()
        if (!pair || isClosed || user_id === pair.user_id) return
        if (user_id) lose('user_changed')
        else if (reason) lose('signed_out')
        // A session that is over is no sign-out: the same user may be logged in again at once.
        else renewal.pair().then(check, () => lose('closed'))
      }
      socket.close = (closing) => {
        isClosed = true
        stop()
        close.call(socket, closing)
      }
      socket.onError(() => lose('closed'))
      socket.onClose(() => lose('closed'))
      stop = onChange(check)
      // It may have changed while the socket was opening.
      check()
      return socket
    }

    const openTwice: OpenTask = (timeoutMs, run, place) =>
      openFresh(
        timeoutMs,
        (ask) =>
          run(ask).catch((error) => {
            // The answer to a handshake cannot be seen: it may have refused the token.
            if (!used || error.code !== 'network' || isYoung(used)) throw error
            return run(ask, used)
          }),
        place,
      )

    return send({
      options: Object.assign({}, options, { url: String(url).replace(/^ws(?=s?:)/i, 'http') }),
      call: connect,
      open: openTwice,
      events: ['onOpen', 'onMessage'],
      read: ({ data }, pair) => watched(data as WxSocketTask, pair),
    }) as SocketTask
  }
