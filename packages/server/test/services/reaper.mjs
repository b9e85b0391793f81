// Ends servers and removes their folders when its standard input ends: whoever started them may be killed at any time.
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

const servers = []
const folders = []

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)

for await (const line of createInterface({ input: process.stdin })) {
  const { pid, signal, endedPid, folder } = JSON.parse(line)
  if (pid) servers.push({ pid, signal })
  if (endedPid)
    servers.splice(
      servers.findIndex((server) => server.pid === endedPid),
      1,
    )
  if (folder) folders.push(folder)
}

for (const { pid, signal } of servers) send(pid, signal)
const deadline = Date.now() + 5000
while (servers.some(({ pid }) => send(pid, 0)) && Date.now() < deadline) await delay(20)
for (const { pid } of servers) send(pid, 'SIGKILL')
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })

function send(pid, signal) {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
