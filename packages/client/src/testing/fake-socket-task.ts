import type { Callbacks, Done } from './callbacks.js'
import type { FakeSocketClose, FakeSocketData } from './fake-server-socket.js'

/** What `wx.connectSocket` returns: the app's end. `readyState` is not documented, so it is not there. */
export interface FakeSocketTask {
  send(options: Callbacks<Done> & { data: FakeSocketData }): void
  /** Default code 1000; the others are 3000 to 4999. The reason has at most 123 bytes. */
  close(options?: Callbacks<Done> & { code?: number; reason?: string }): void
  onOpen(listener: (result: { header: object }) => void): void
  onMessage(listener: (result: { data: FakeSocketData }) => void): void
  onError(listener: (result: { errMsg: string }) => void): void
  onClose(listener: (result: FakeSocketClose) => void): void
}
