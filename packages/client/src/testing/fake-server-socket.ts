/** A handshake as it leaves the phone. */
export interface FakeSocketRequest {
  readonly url: string
  /** Names in lower case, `referer` as the platform sets it. */
  readonly header: Readonly<Record<string, string>>
  readonly protocols: readonly string[]
}

export type FakeSocketData = string | ArrayBuffer

/** Why a socket is closed, as both ends hear it. */
export interface FakeSocketClose {
  readonly code: number
  readonly reason: string
}

/**
 * The server's end of a socket. Until it is accepted or refused the phone waits, for 60 seconds unless the app gave
 * another `timeout`. Once the socket is closed nothing has an effect.
 */
export interface FakeServerSocket {
  readonly request: FakeSocketRequest
  readonly state: 'connecting' | 'open' | 'closed'
  /** Everything that the app sent so far. */
  readonly received: readonly FakeSocketData[]
  /** Opens the socket; `header` is what `onOpen` gets. */
  accept(answer?: { header?: Readonly<Record<string, string>> }): void
  /** An answer other than 101, whose status the app never learns: it gets `onError`, and no `onClose`. */
  refuse(): void
  /** Throws before the socket is accepted. */
  send(data: FakeSocketData): void
  /** Default 1000 and no reason. Throws before the socket is accepted. */
  close(code?: number, reason?: string): void
  /** Breaks the connection: `onClose` with 1006, or `onError` when it was not open yet. */
  drop(): void
  onMessage(listener: (data: FakeSocketData) => void): void
  /** Also called when the app gives up while the handshake is under way. */
  onClose(listener: (closed: FakeSocketClose) => void): void
}
