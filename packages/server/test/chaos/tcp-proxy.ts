import { createConnection, createServer, type Socket } from 'node:net'

/** A wire to a server on this machine that a test can make slow, cut, or lead elsewhere. */
export interface TcpProxy {
  readonly port: number
  /** The same URL, by way of the proxy. */
  through(url: string): string
  /** New connections lead to `port`. */
  leadTo(port: number): void
  /** Cuts every connection. */
  cut(): void
  /** How long each way takes from now on, in milliseconds, asked for every packet. */
  slowDown(latencyMs: () => number): void
  /** Passes nothing on and cuts nothing either, for the connections that there are: what a lost machine looks like. */
  swallow(): void
  /** Cuts every connection and refuses new ones. */
  close(): Promise<void>
}

/** Listens on 127.0.0.1. */
export async function createTcpProxy(firstPort: number): Promise<TcpProxy> {
  let port = firstPort
  let latencyMs = () => 0
  const connections = new Set<{ cut(): void; swallow(): void }>()

  const server = createServer((near) => {
    const far = createConnection({ host: '127.0.0.1', port })
    let isSwallowed = false
    const cut = () => {
      near.destroy()
      far.destroy()
      connections.delete(connection)
    }
    const connection = {
      cut,
      swallow() {
        isSwallowed = true
        far.destroy()
      },
    }
    connections.add(connection)
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
    }
    near.on('close', cut)
    far.on('close', () => {
      if (!isSwallowed) cut()
    })
    const isOpen = () => !isSwallowed
    passOn(near, far, () => latencyMs(), isOpen)
    passOn(far, near, () => latencyMs(), isOpen)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const ownPort = typeof address === 'object' && address ? address.port : 0
  const cut = () => {
    for (const connection of connections) connection.cut()
  }

  return {
    port: ownPort,

    through(url) {
      const changed = new URL(url)
      changed.host = `127.0.0.1:${ownPort}`
      return changed.href
    },

    leadTo(next) {
      port = next
    },

    cut,

    slowDown(next) {
      latencyMs = next
    },

    swallow() {
      for (const connection of connections) connection.swallow()
    },

    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      cut()
      await closed
    },
  }
}

/** Keeps the order, whatever the latencies of single packets are. */
function passOn(from: Socket, to: Socket, latencyMs: () => number, isOpen: () => boolean): void {
  const waiting: { readonly packet: Buffer; readonly dueMs: number }[] = []

  function send(): void {
    for (let next = waiting[0]; next; next = waiting[0]) {
      const restMs = next.dueMs - performance.now()
      if (restMs > 0) return void setTimeout(send, restMs)
      waiting.shift()
      if (isOpen() && !to.destroyed) to.write(next.packet)
    }
  }

  from.on('data', (packet: Buffer) => {
    const ms = latencyMs()
    if (ms <= 0 && waiting.length === 0) {
      if (isOpen() && !to.destroyed) to.write(packet)
      return
    }
    waiting.push({ packet, dueMs: performance.now() + ms })
    if (waiting.length === 1) send()
  })
}
