#!/usr/bin/env node
import process from 'node:process'
import { createBusy } from './busy.js'
import { isAppending } from './is-appending.js'
import { run } from './run.js'
import { endOnUncaught } from './uncaught.js'

const { argv, cwd, env, stderr, stdin, stdout } = process

/** As shells count them. */
const exitsOfSignals = { SIGINT: 130, SIGTERM: 143 }

endOnUncaught(process)

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
