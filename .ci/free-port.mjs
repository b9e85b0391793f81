// A port for a program that has to be told its own before it starts.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** A port of this machine that nobody has, below those that connections are given before somebody listens there. */
export async function freePort() {
  const port = randomInt(15_000, 32_000)
  const probe = createServer()
  const isFree = await new Promise((tell) => {
    probe.once('error', () => tell(false))
    probe.listen(port, '127.0.0.1', () => tell(true))
  })
  await new Promise((closed) => probe.close(closed))
  return isFree ? port : freePort()
}
