// `npx wxlogin dev` as a process of its own.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** Resolves with its addresses once it listens, and rejects with what it says if it does not. */
export async function startSandbox(folder, args) {
  // Not `npx` itself, which does not pass signals on.
  const program = join(folder, 'node_modules/wxlogin/dist/main.js')
  const child = spawn(process.execPath, [program, 'dev', '--json', ...args], { cwd: folder })
  let said = ''
  child.stderr.on('data', (part) => {
    said += part
  })
  const ended = new Promise((end) => child.on('close', (code) => end(code)))
  const addresses = await new Promise((listening, failed) => {
    child.stdout.once('data', (line) => listening(JSON.parse(line)))
    ended.then((code) => failed(new Error(`wxlogin dev ended with ${code}\n${said}`)))
  })
  return {
    ...addresses,
    said: () => said,
    async end() {
      if (child.exitCode === null) child.kill('SIGINT')
      return ended
    },
  }
}
