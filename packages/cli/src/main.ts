#!/usr/bin/env node
import { fstatSync } from 'node:fs'
import process from 'node:process'
import { createBusy } from './busy.js'
import { run } from './run.js'

const { argv, cwd, env, stderr, stdin, stdout } = process

/** As shells count them. */
const exitsOfSignals = { SIGINT: 130, SIGTERM: 143 }

// `wxlogin explain | head` reads no further, and nothing is wrong.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await run(argv.slice(2), {
  env,
  cwd: cwd(),
  now: Date.now,
  print: (text) => stdout.write(`${text}\n`),
  remark: (text) => stderr.write(`${text}\n`),
  busy: createBusy(stderr.isTTY && !env.CI ? stderr : undefined),
  interrupted: () =>
    new Promise((end) => {
      let isAsked = false
      for (const [signal, exit] of Object.entries(exitsOfSignals)) {
        process.on(signal, () => {
          // Whoever asks twice does not want to wait for what is in flight.
          if (isAsked) process.exit(exit)
          isAsked = true
          end()
        })
      }
    }),
  isAppending: isAppending(),
  isInteractive: Boolean(stdin.isTTY && stderr.isTTY) && !env.CI,
})

function isAppending(): boolean {
  try {
    // As bigint, for else Node 20 goes on to take every path for a pipe, and follows no link of pnpm's (realpathSync).
    const found = fstatSync(1, { bigint: true })
    return found.isFile() && found.size > 0n
  } catch {
    // Windows cannot tell of every output what it is.
    return false
  }
}
