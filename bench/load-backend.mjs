// The backend of load.mjs, in a thread of its own.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import { createAuth } from '@wxlogin/server'
import { authRoutes } from '@wxlogin/server/node'

const { app, wechatUrl, options } = workerData
const outcomes = {}
let openings = 0
let callMs = 0

const auth = createAuth({
  apps: [app],
  secret: 'a secret for measurements, 32 bytes and more',
  wechatHosts: [wechatUrl],
  onEvent(event) {
    if (event.type === 'breaker' && event.state === 'open') openings += 1
    if (event.type !== 'wechat') return
    outcomes[event.outcome] = (outcomes[event.outcome] ?? 0) + 1
    if (event.outcome === 'ok') callMs += event.durationMs
  },
  ...options,
})
const server = createServer(authRoutes(auth)).listen(0, '127.0.0.1', 4096)
await once(server, 'listening')

parentPort.on('message', () =>
  parentPort.postMessage({ outcomes, openings, meanCallMs: callMs / (outcomes.ok ?? 0) }),
)
parentPort.postMessage({ url: `http://127.0.0.1:${server.address().port}` })
