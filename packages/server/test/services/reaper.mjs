// Ends servers and removes their folders when its standard input ends: whoever started them may be killed at any time.
// What cannot be done is said, and fails nobody.
import { readFileSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

const endMs = 10_000
const removeMs = 20_000
const servers = []
const folders = []

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)

for await (const line of createInterface({ input: process.stdin })) {
  const { pid, signal, endedPid, folder } = JSON.parse(line)
  if (pid) servers.push({ pid, signal })
  const ended = servers.findIndex((server) => server.pid === endedPid)
  if (ended >= 0) servers.splice(ended, 1)
  if (folder) folders.push(folder)
}

for (const { pid, signal } of servers) send(pid, signal)
if (!(await haveEnded(endMs))) {
  for (const { pid } of servers) send(pid, 'SIGKILL')
  if (!(await haveEnded(endMs))) {
    const left = servers.filter(({ pid }) => isAlive(pid)).map(({ pid }) => pid)
    console.error(`services: could not end the processes ${left.join(', ')}`)
  }
}
await Promise.all(folders.map(remove))

async function haveEnded(ms) {
  const deadline = Date.now() + ms
  while (servers.some(({ pid }) => isAlive(pid))) {
    if (Date.now() > deadline) return false
    await delay(20)
  }
  return true
}

/** The processes of a server that was killed may write on for a moment. */
async function remove(folder) {
  const deadline = Date.now() + removeMs
  for (;;) {
    try {
      rmSync(folder, { recursive: true, force: true })
      return
    } catch ({ message }) {
      if (Date.now() > deadline) {
        console.error(`services: could not remove ${folder}: ${message}`)
        return
      }
      await delay(100)
    }
  }
}

/** One that has ended stays in the list of processes until its parent has looked, and the parent may be gone. */
function isAlive(pid) {
  if (!send(pid, 0)) return false
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    // Another system, or ended just now.
    return send(pid, 0)
  }
}

function send(pid, signal) {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
