#!/usr/bin/env node
import process from 'node:process'
import { run } from './run.js'

const { argv, cwd, env, stderr, stdin, stdout } = process

process.exitCode = await run(argv.slice(2), {
  env,
  cwd: cwd(),
  now: Date.now,
  print: (text) => stdout.write(`${text}\n`),
  remark: (text) => stderr.write(`${text}\n`),
  interrupted: () =>
    new Promise((end) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end())
    }),
  isInteractive: Boolean(stdin.isTTY && stdout.isTTY) && !env.CI,
})
