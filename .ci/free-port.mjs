// A port for a program that has to be told its own before it starts.
import { once } from 'node:events'
import { createServer } from 'node:net'

/** A port of 127.0.0.1 that nobody has now; whoever wants it takes it soon. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
