import { connect } from 'node:net'

/** Whether somebody listens there. */
export function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((told) => {
    const socket = connect(Number(port || 80), hostname.replace(/^\[|\]$/g, ''))
    const tell = (listens: boolean) => {
      socket.destroy()
      told(listens)
    }
    socket.once('connect', () => tell(true))
    socket.once('error', () => tell(false))
  })
}
