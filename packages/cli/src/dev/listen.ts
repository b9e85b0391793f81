import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server on loopback, and what ends it with all its connections. */
export interface Listening {
  readonly url: string
  close(): Promise<void>
}

/** Rejects with Node's error: `EADDRINUSE` when the port is taken. */
export async function listen(server: Server, host: string, port: number): Promise<Listening> {
  await new Promise<void>((listening, failed) => {
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      listening()
    })
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}
