// Runs child processes the same way on every platform, and keeps their output together.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The workspace's root folder, with a trailing slash. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** The path of the script behind a package's command, for `node <path>`: no shell and no `.cmd` needed. */
export function bin(name, { command = name.split('/').pop(), from = root } = {}) {
  const folder = `${from.replace(/\/?$/, '/')}node_modules/${name}/`
  const { bin: scripts } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'))
  return folder + (typeof scripts === 'string' ? scripts : scripts[command])
}

/** Resolves with `{ status, output }`; never rejects for a non-zero status. `npm` and `npx` go through the shell on Windows. */
export function run(command, args, { cwd = root, env = process.env, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      shell: process.platform === 'win32' && /^np[mx]$/.test(command),
      stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    })
    const parts = []
    child.stdout?.on('data', (part) => parts.push(part))
    child.stderr?.on('data', (part) => parts.push(part))
    child.on('error', reject)
    child.on('close', (status) =>
      resolve({ status: status ?? 1, output: Buffer.concat(parts).toString('utf8') }),
    )
  })
}

/** Like {@link run} with this very Node. */
export function runNode(args, options) {
  return run(process.execPath, args, options)
}

/** Starts a program that goes on until it is stopped. */
export function start(command, args, { cwd = root, env = process.env } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const parts = []
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.stdout.on('data', (part) => parts.push(part))
  child.stderr.on('data', (part) => parts.push(part))
  return {
    output: () => Buffer.concat(parts).toString('utf8'),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    stop() {
      child.kill('SIGKILL')
      return ended
    },
  }
}
