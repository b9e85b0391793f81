// `wxlogin serve` as a process of its own.
import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

/** Resolves once it is ready, or with `isReady: false` as soon as it listens. */
export async function startService({ program, cwd, env, args = [], isReady = true }) {
  const child = spawn(process.execPath, [program, 'serve', ...args], {
    cwd,
    env: { PATH: process.env.PATH, LANG: 'en_US.UTF-8', ...env },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (part) => {
    out += part
  })
  child.stderr.on('data', (part) => {
    err += part
  })
  const ended = new Promise((end) => child.on('close', (code, signal) => end(code ?? signal)))
  const lines = () =>
    out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  const listening = () => lines().find(({ msg }) => msg === 'listening')
  while (!listening()) {
    if (child.exitCode !== null) throw new Error(`wxlogin serve ends with ${await ended}\n${err}`)
    await delay(10)
  }
  const { url, adminUrl } = listening()
  const { origin } = new URL(url)
  while (isReady && !(await fetch(`${origin}/readyz`).catch(() => ({ ok: false }))).ok)
    await delay(10)
  return {
    url,
    origin,
    adminUrl,
    output: () => out + err,
    lines,
    signal: (name) => child.kill(name),
    ended,
    /** Resolves with its exit code, or the signal that ended it. */
    end(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}
