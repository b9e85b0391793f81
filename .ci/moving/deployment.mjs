// Two processes of a backend behind a balancer, replaced one at a time as a deployment does it: the new one is up before
// the old one gets no more requests, and the old one ends when it has answered what it had.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, request as send } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../free-port.mjs'

const startMs = 60_000

export async function createDeployment({ env, cwd, size = 2 }) {
  // Idle connections go before a backend ends them, which Node does after 5 seconds.
  const agent = new Agent({ keepAlive: true, timeout: 2_000 })
  const faults = []
  const instances = []
  let turn = 0

  const balancer = createServer((incoming, outgoing) => {
    const instance = instances[turn++ % instances.length]
    instance.running++
    outgoing.once('close', () => instance.running--)
    const { method, url: path, headers } = incoming
    const { port } = instance
    const forwarded = send({ agent, host: '127.0.0.1', port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.once('error', ({ message }) => {
      faults.push(`${method} ${path}: ${message}`)
      outgoing.writeHead(502).end(message)
    })
    incoming.pipe(forwarded)
  })
  balancer.keepAliveTimeout = 60_000
  balancer.listen(0, '127.0.0.1')
  await once(balancer, 'listening')

  async function start(program) {
    const port = await freePort()
    const child = spawn(process.execPath, [program], {
      cwd,
      env: { ...env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part) => {
        output = (output + part).slice(-4000)
      })
    }
    const instance = { port, child, running: 0, output: () => output }
    const deadline = Date.now() + startMs
    while (!(await answers(port))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill()
        throw new Error(`${program} does not start:\n${output}`)
      }
      await delay(20)
    }
    return instance
  }

  async function retire(instance) {
    const { child } = instance
    while (instance.running > 0) await delay(5)
    // It may have ended by itself.
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill()
    await ended
  }

  return {
    url: `http://127.0.0.1:${balancer.address().port}`,

    /** Puts instances of this program in the place of those that are there, one after the other. */
    async roll(program) {
      for (let place = 0; place < size; place++) {
        const gone = instances[place]
        instances[place] = await start(program)
        if (gone) await retire(gone)
      }
    },

    /** Whether one of them has ended by itself. */
    hasFallen: () => instances.some(({ child }) => child.exitCode !== null),

    /** What the running instances wrote last, for a failure's sake. */
    output: () => [...faults, ...instances.map(({ output }) => output())].join('\n'),

    async stop() {
      balancer.closeAllConnections()
      balancer.close()
      agent.destroy()
      await Promise.all(instances.splice(0).map(retire))
    },
  }
}

/** Whether the port answers HTTP, with whatever status. */
function answers(port) {
  return fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  )
}
